use super::sources::{Setting, flag_name};
use super::{Problem, Sources, ice, parse, provider, url};
use crate::words;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use veilcast_auth::ProviderSettings;
use veilcast_consent::Purposes;
use veilcast_gateway::{IceServer, JournalSettings, WebhookSettings};
use veilcast_privacy::Secret;
use veilcast_records::Records;
use veilcast_shard::MAX_SHARDS;
use veilcast_webhooks::Network;

const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Outside Linux's ephemeral range, so that no outgoing connection sits on it by chance.
const DEFAULT_MEDIA_PORT: &str = "10000";

/// Every setting, parsed and consistent.
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// `None` on loopback: `http://localhost:PORT`, once the port is known.
    pub(crate) public_url: Option<String>,
    pub(crate) tls: Tls,
    pub(crate) media_port: u16,
    pub(crate) media_public_port: Option<u16>,
    /// All shards are on `media_port`.
    pub(crate) media_shared_port: bool,
    /// Empty: those of this machine.
    pub(crate) media_addresses: Vec<IpAddr>,
    pub(crate) shards: usize,
    pub(crate) data_dir: PathBuf,
    pub(crate) log: String,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) ice_servers: Vec<IceServer>,
    /// Opens `/metrics`.
    pub(crate) metrics_token: Option<Secret>,
    pub(crate) providers: Vec<ProviderSettings>,
    /// Where receivers of webhooks may stand.
    pub(crate) webhooks: WebhookSettings,
    /// What people are asked for.
    pub(crate) purposes: Purposes,
    pub(crate) journal: JournalSettings,
}

/// How connections are protected.
pub(crate) enum Tls {
    Off,
    Files { certificate: PathBuf, key: PathBuf },
    Acme(Acme),
}

/// Where certificates come from.
pub(crate) struct Acme {
    pub(crate) directory: String,
    pub(crate) domains: Vec<String>,
    pub(crate) contacts: Vec<String>,
    pub(crate) root: Option<PathBuf>,
}

impl Config {
    /// Parses everything and returns either all of it or everything that is wrong with it.
    pub(crate) fn resolve(sources: &Sources) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { sources, problems: Vec::new() };
        let config = reader.config();
        match config {
            Some(config) if reader.problems.is_empty() => Ok(config),
            _ => Err(reader.problems),
        }
    }

    /// The directory of the records, without a look at the other settings.
    pub(crate) fn data_dir(sources: &Sources) -> Result<PathBuf, Vec<Problem>> {
        let mut reader = Reader { sources, problems: Vec::new() };
        let directory = reader.data_dir();
        directory.ok_or(reader.problems)
    }

    /// What webhooks need, without a look at the other settings.
    pub(crate) fn webhooks(sources: &Sources) -> Result<WebhookSettings, Vec<Problem>> {
        let mut reader = Reader { sources, problems: Vec::new() };
        let settings = reader.webhooks();
        settings.filter(|_| reader.problems.is_empty()).ok_or(reader.problems)
    }

    /// How many ports the shards are on, from `media_port` on.
    pub(crate) const fn media_port_count(&self) -> usize {
        if self.media_shared_port { 1 } else { self.shards }
    }

    /// The ports of all shards, in words: the same numbers over UDP and TCP.
    pub(crate) fn media_ports(&self) -> String {
        match self.media_port_count() {
            1 => format!("port {}", self.media_port),
            count => format!("ports {} to {}", self.media_port, usize::from(self.media_port) + count - 1),
        }
    }

    /// The origin that links are made with once the pages are served on `port`.
    pub(crate) fn public_url_on(&self, port: u16) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://localhost:{port}"))
    }
}

pub(super) struct Reader<'a> {
    pub(super) sources: &'a Sources,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn config(&mut self) -> Option<Config> {
        // Each is read before any is given up, so that one run names every mistake.
        let listen = self.one("listen", DEFAULT_LISTEN, parse::listen);
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_SHARDS);
        let shards = self.one("shards", &cores.to_string(), parse::shards);
        let media_port = self.one("media_port", DEFAULT_MEDIA_PORT, parse::media_port);
        let media_public_port = self.optional("media_public_port", parse::media_port);
        let media_shared_port = self.one("media_shared_port", "false", parse::switch);
        let media_addresses = self.list("media_address", parse::address);
        let public_url = self.optional("public_url", |text| {
            url::parse_origin(text).map_err(|why| format!("is not a public URL: {why}"))
        });
        let tls = self.tls();
        let data_dir = self.data_dir();
        let log = self.one("log", "info", |text| crate::logging::parse(text).map(|_| text.to_owned()));
        let trusted_proxies = self.list("trusted_proxy", parse::proxy);
        let allowed_origins = self
            .list("allowed_origin", |text| url::parse_origin(text).map_err(|why| format!("is not an origin: {why}")));
        let ice_servers = self.ice_servers();
        let metrics_token = self.optional("metrics_token_file", metrics_token);
        let providers = self.providers();
        let webhooks = self.webhooks();
        let purposes = self.purposes();
        let journal = data_dir.as_deref().and_then(|directory| self.journal(directory));
        if let (Some(listen), Some(tls)) = (&listen, &tls) {
            self.check_plain(*listen, tls);
        }
        for (key, first) in [("media_port", media_port), ("media_public_port", media_public_port.flatten())] {
            if let (Some(first), Some(shards), Some(false)) = (first, shards, media_shared_port) {
                self.check_ports(key, first, shards);
            }
        }
        let config = Config {
            listen: listen?,
            public_url: public_url?,
            tls: tls?,
            media_port: media_port?,
            media_public_port: media_public_port?,
            media_shared_port: media_shared_port?,
            media_addresses,
            shards: shards?,
            data_dir: data_dir?,
            log: log?,
            trusted_proxies,
            allowed_origins,
            ice_servers,
            metrics_token: metrics_token?,
            providers,
            webhooks: webhooks?,
            purposes,
            journal: journal?,
        };
        Some(self.with_public_url(config))
    }

    fn check_plain(&mut self, listen: SocketAddr, tls: &Tls) {
        if !listen.ip().is_loopback() && matches!(tls, Tls::Off) {
            self.note(
                "listen",
                "plain HTTP beyond this machine would show passwords and tokens to the network; give --tls-cert and \
                 --tls-key, or --acme-directory and --acme-domain, or listen on 127.0.0.1 behind a proxy",
            );
        }
    }

    fn check_ports(&mut self, key: &str, first: u16, shards: usize) {
        let last = usize::from(first) + shards - 1;
        if last > usize::from(u16::MAX) {
            self.note(key, format!("{shards} shards from here end at port {last}; begin lower, or use one port with --media-shared-port"));
        }
    }

    fn with_public_url(&mut self, mut config: Config) -> Config {
        self.default_public_url(&mut config);
        let plain = config.public_url.as_deref().is_some_and(|url| url.starts_with("http://"));
        if plain && !matches!(config.tls, Tls::Off) {
            self.note("public_url", "begins with http:// but a certificate is configured; write https://");
        }
        config
    }

    fn default_public_url(&mut self, config: &mut Config) {
        if config.public_url.is_some() {
            return;
        }
        let (port, loopback) = (config.listen.port(), config.listen.ip().is_loopback());
        let suffix = if port == 443 { String::new() } else { format!(":{port}") };
        match &config.tls {
            Tls::Acme(acme) if port != 0 => {
                config.public_url = acme.domains.first().map(|d| format!("https://{d}{suffix}"))
            }
            Tls::Files { .. } if loopback && port != 0 => {
                config.public_url = Some(format!("https://localhost{suffix}"))
            }
            Tls::Off => {}
            _ => self.note("public_url", "is needed here: links and tokens name it; give --public-url https://HOST"),
        }
    }

    fn tls(&mut self) -> Option<Tls> {
        let certificate = self.optional("tls_cert", readable)?;
        let key = self.optional("tls_key", private)?;
        let acme = self.acme()?;
        match (certificate, key, acme) {
            (None, None, None) => Some(Tls::Off),
            (Some(certificate), Some(key), None) => Some(Tls::Files { certificate, key }),
            (None, None, Some(acme)) => Some(Tls::Acme(acme)),
            (Some(_), None, None) => self.refuse("tls_cert", "needs --tls-key beside it"),
            (None, Some(_), None) => self.refuse("tls_key", "needs --tls-cert beside it"),
            _ => self.refuse("acme_directory", "and a certificate of one's own exclude each other; remove one of them"),
        }
    }

    fn acme(&mut self) -> Option<Option<Acme>> {
        let directory = self.optional("acme_directory", parse::directory_url)?;
        let domains = self.list("acme_domain", parse::domain);
        let contacts = self.list("acme_contact", parse::contact);
        let root = self.optional("acme_root", readable)?;
        let Some(directory) = directory else {
            for key in ["acme_domain", "acme_contact", "acme_root"] {
                if self.sources.settings.contains_key(key) {
                    self.note(key, "needs --acme-directory beside it");
                }
            }
            return Some(None);
        };
        if domains.is_empty() && !self.sources.settings.contains_key("acme_domain") {
            return self.refuse("acme_directory", "needs --acme-domain beside it");
        }
        Some(Some(Acme { directory, domains, contacts, root }))
    }

    fn data_dir(&mut self) -> Option<PathBuf> {
        // systemd names what it made for the unit, first of a list (systemd.exec(5), StateDirectory=).
        let made = std::env::var("STATE_DIRECTORY").ok();
        let made = made.as_deref().and_then(|list| list.split(':').next()).filter(|path| path.starts_with('/'));
        let directory = self.one("data_dir", made.unwrap_or("./data"), |text| match text {
            "" => Err("is empty; name a directory".to_owned()),
            text => Ok(PathBuf::from(text)),
        })?;
        match Records::inspect(&directory) {
            Ok(()) => Some(directory),
            Err(error) => self.refuse("data_dir", words::of_records(&error)),
        }
    }

    fn ice_servers(&mut self) -> Vec<IceServer> {
        let sources = self.sources;
        let given = sources.settings.get("ice_server").map(|setting| {
            let texts = setting.values.iter().flat_map(|value| value.split(',')).map(str::trim);
            texts.filter(|text| !text.is_empty()).map(|text| ice::Entry::bare(&setting.place, text)).collect()
        });
        let entries: Vec<ice::Entry> = given.unwrap_or_else(|| sources.ice_servers.clone());
        let mut read = |entry: &ice::Entry| {
            let wrong = |why: String| self.problems.push(Problem::new(&entry.place, why));
            entry.server().map_err(wrong).ok()
        };
        entries.iter().filter_map(&mut read).collect()
    }

    fn webhooks(&mut self) -> Option<WebhookSettings> {
        let allowed = self.list("webhook_allow", |text| {
            Network::parse(text).ok_or_else(|| "is not an address or range; write 192.0.2.1 or 10.0.0.0/8".to_owned())
        });
        let root = self.optional("webhook_root", |text| {
            let path = readable(text)?;
            fs::read(path).map_err(|error| format!("cannot be read: {}", words::reason(error.kind())))
        })?;
        Some(WebhookSettings { allowed, root, names: None })
    }

    fn providers(&mut self) -> Vec<ProviderSettings> {
        let entries = &self.sources.providers;
        let read = |entry| match provider::Entry::settings(entry) {
            Ok(settings) => Some((entry, settings)),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        };
        let read: Vec<_> = entries.iter().filter_map(read).collect();
        provider::distinct(&read, &mut self.problems);
        read.into_iter().map(|(_, settings)| settings).collect()
    }

    fn purposes(&mut self) -> Purposes {
        let mut purposes = Purposes::default();
        for entry in &self.sources.purposes {
            let added = entry
                .added()
                .and_then(|added| purposes.add(added).map_err(|why| Problem::new(&entry.place, why.to_string())));
            self.problems.extend(added.err());
        }
        purposes
    }

    pub(super) fn one<T>(&mut self, key: &str, default: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let Some(setting) = self.sources.settings.get(key) else {
            return parse(default).map_err(|why| self.note(key, why)).ok();
        };
        match setting.values.as_slice() {
            [text] => self.parsed(setting, text, &parse),
            _ => self.refuse(key, "takes one value"),
        }
    }

    /// `None`: wrong, and said so. `Some(None)`: not given.
    pub(super) fn optional<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<Option<T>> {
        match self.sources.settings.get(key) {
            None => Some(None),
            Some(_) => self.one(key, "", parse).map(Some),
        }
    }

    fn list<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let Some(setting) = self.sources.settings.get(key) else { return Vec::new() };
        let texts = setting.values.iter().flat_map(|value| value.split(',')).map(str::trim);
        texts.filter(|text| !text.is_empty()).filter_map(|text| self.parsed(setting, text, &parse)).collect()
    }

    fn parsed<T>(&mut self, setting: &Setting, text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let wrong = |why: String| self.problems.push(Problem::new(&setting.place, format!("'{text}' {why}")));
        parse(text).map_err(wrong).ok()
    }

    pub(super) fn refuse<T>(&mut self, key: &str, why: impl Into<String>) -> Option<T> {
        self.note(key, why);
        None
    }

    /// Notes what is wrong with a setting, at the place where it was given or could have been.
    pub(super) fn note(&mut self, key: &str, why: impl Into<String>) {
        let place = self.sources.settings.get(key).map_or_else(|| flag_name(key), |setting| setting.place.clone());
        self.problems.push(Problem::new(place, why));
    }
}

pub(super) fn readable(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    match fs::File::open(path).and_then(|file| file.metadata()) {
        Ok(found) if found.is_file() => Ok(path.to_owned()),
        Ok(_) => Err("is not a file; name a PEM file".to_owned()),
        Err(error) => {
            Err(format!("cannot be read: {}; check its name and its permissions", words::reason(error.kind())))
        }
    }
}

/// As long as 128 random bits in hexadecimal, and what fits a header.
fn metrics_token(text: &str) -> Result<Secret, String> {
    let path = private(text)?;
    let read = fs::read_to_string(path).map_err(|error| format!("cannot be read: {}", words::reason(error.kind())))?;
    let token = read.trim();
    if token.len() < 32 || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("needs one line of 32 or more ASCII characters; make it with: openssl rand -hex 32".to_owned());
    }
    Ok(Secret::from(token.to_owned()))
}

pub(super) fn private(text: &str) -> Result<PathBuf, String> {
    let path = readable(text)?;
    let mode = fs::metadata(&path).map_or(0o777, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        return Err(format!("is open to other users (mode {mode:o}); run: chmod 600 {text}"));
    }
    Ok(path)
}
