use super::Problem;
use super::ice::{self, Entry};
use super::{provider, purpose};
use crate::Failure;
use crate::cli::{Flags, Place};
use crate::words::reason;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Every key: of the file as it stands here, of the environment in capitals behind `VEILCAST_`, of the command
/// line with hyphens.
pub(super) const KEYS: [&str; 24] = [
    "acme_contact",
    "acme_directory",
    "acme_domain",
    "acme_root",
    "allowed_origin",
    "data_dir",
    "ice_server",
    "journal",
    "journal_epoch",
    "journal_key_file",
    "listen",
    "log",
    "media_address",
    "media_port",
    "media_public_port",
    "media_shared_port",
    "metrics_token_file",
    "public_url",
    "shards",
    "tls_cert",
    "tls_key",
    "trusted_proxy",
    "webhook_allow",
    "webhook_root",
];

/// Keys of the file that are neither flags nor variables.
const PROVIDER: &str = "provider";
const PURPOSE: &str = "purpose";

/// Where the file is looked for when nobody names it.
const FILE_NAMES: [&str; 2] = ["veilcast.toml", "/etc/veilcast/veilcast.toml"];

const PREFIX: &str = "VEILCAST_";

/// A value as text, and the place to name when it is wrong.
#[derive(Clone)]
pub(super) struct Setting {
    /// More than one only where a list is meant.
    pub(super) values: Vec<String>,
    pub(super) place: String,
}

/// The settings that were given, each from the strongest source that has it.
#[derive(Clone, Default)]
pub(crate) struct Sources {
    pub(super) settings: BTreeMap<&'static str, Setting>,
    /// Those of the file, which may hold credentials; `settings` has those of flag or environment, which go before.
    pub(super) ice_servers: Vec<Entry>,
    /// Sign-in providers, which stand in the file alone.
    pub(super) providers: Vec<provider::Entry>,
    /// Purposes that are added, which stand in the file alone.
    pub(super) purposes: Vec<purpose::Entry>,
    /// Does not stop anything, but should be looked at.
    pub(crate) warnings: Vec<Problem>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
}

impl Sources {
    /// Flags over this process's environment over the file.
    pub(crate) fn process(flags: Flags) -> Result<Self, Failure> {
        Self::read(flags, std::env::vars_os()).map_err(Failure::Configuration)
    }

    /// For commands that need to know the place of the records only.
    pub(crate) fn place(place: Place) -> Result<Self, Failure> {
        Self::process(Flags { place, ..Flags::default() })
    }

    pub(super) fn read(
        flags: Flags,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Vec<Problem>> {
        let mut sources = Self::default();
        let mut problems = Vec::new();
        let named = sources.read_environment(environment, &mut problems);
        let named = flags.place.config.clone().or(named);
        if let Some(path) = named.or_else(find_file) {
            sources.read_file(&path, &mut problems);
            sources.file = Some(path);
        }
        sources.read_flags(flags);
        if problems.is_empty() { Ok(sources) } else { Err(problems) }
    }

    /// Returns `VEILCAST_CONFIG`.
    fn read_environment(
        &mut self,
        environment: impl Iterator<Item = (OsString, OsString)>,
        problems: &mut Vec<Problem>,
    ) -> Option<PathBuf> {
        let mut config = None;
        for (name, value) in environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            let key = name[PREFIX.len()..].to_ascii_lowercase();
            if key == "config" {
                config = Some(PathBuf::from(value));
                continue;
            }
            match (KEYS.iter().find(|known| **known == key), value.into_string()) {
                (None, _) => self.warnings.push(Problem::new(name, unknown("variable", &key, environment_name))),
                (Some(_), Err(_)) => problems.push(Problem::new(name, "is not UTF-8; write it again")),
                (Some(key), Ok(value)) => self.put(key, vec![value], name.to_owned()),
            }
        }
        config
    }

    fn read_file(&mut self, path: &Path, problems: &mut Vec<Problem>) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let text = format!("cannot be read: {}; check its name and its permissions", reason(error.kind()));
                return problems.push(Problem::new(path.display().to_string(), text));
            }
        };
        let line = |span: Range<usize>| format!("{} line {}", path.display(), line_of(&text, span.start));
        let table = match DeTable::parse(&text) {
            Ok(table) => table,
            Err(error) => {
                let what = format!(
                    "{}; write KEY = VALUE, with text in quotation marks",
                    error.message().trim_end_matches('.')
                );
                return problems.push(Problem::new(line(error.span().unwrap_or(0..0)), what));
            }
        };
        for (key, value) in table.get_ref() {
            let place = line(key.span());
            if key.get_ref() == PROVIDER {
                self.providers = provider::entries(value, line, problems);
                continue;
            }
            if key.get_ref() == PURPOSE {
                self.purposes = purpose::entries(value, line, problems);
                continue;
            }
            let Some(known) = KEYS.iter().find(|known| **known == key.get_ref().as_ref()) else {
                problems.push(Problem::new(
                    place,
                    unknown(&format!("key {}", key.get_ref()), key.get_ref(), str::to_owned),
                ));
                continue;
            };
            if *known == "ice_server" {
                self.ice_servers = ice::entries(value, line, problems);
                continue;
            }
            match values_of(value.get_ref()) {
                Some(values) if !self.settings.contains_key(known) => {
                    self.put(known, values, format!("{place}, {known}"))
                }
                Some(_) => {}
                None => problems.push(Problem::new(
                    place,
                    format!("{known} takes text, a number, true or false, or a list of these"),
                )),
            }
        }
        self.warn_of_open(path);
    }

    /// Everybody who is let in gets the credential, so a file that others can read is no reason not to start.
    fn warn_of_open(&mut self, path: &Path) {
        let mode = std::fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o777);
        if mode & 0o007 != 0
            && (self.ice_servers.iter().any(Entry::is_secret) || self.providers.iter().any(provider::Entry::is_secret))
        {
            let text = format!(
                "holds a credential and is open to every user (mode {mode:o}); run: chmod o-rwx {}",
                path.display()
            );
            self.warnings.push(Problem::new(path.display().to_string(), text));
        }
    }

    fn read_flags(&mut self, flags: Flags) {
        let single = [
            ("data_dir", flags.place.data_dir),
            ("listen", flags.listen),
            ("media_port", flags.media_port),
            ("media_public_port", flags.media_public_port),
            ("media_shared_port", flags.media_shared_port),
            ("shards", flags.shards),
            ("public_url", flags.public_url),
            ("tls_cert", flags.tls_cert),
            ("tls_key", flags.tls_key),
            ("acme_directory", flags.acme_directory),
            ("acme_root", flags.acme_root),
            ("metrics_token_file", flags.metrics_token_file),
            ("webhook_root", flags.webhook_root),
            ("journal", flags.journal.journal),
            ("journal_epoch", flags.journal.journal_epoch),
            ("journal_key_file", flags.journal.journal_key_file),
            ("log", flags.log),
        ];
        let lists = [
            ("media_address", flags.media_address),
            ("acme_domain", flags.acme_domain),
            ("acme_contact", flags.acme_contact),
            ("trusted_proxy", flags.trusted_proxy),
            ("allowed_origin", flags.allowed_origin),
            ("ice_server", flags.ice_server),
            ("webhook_allow", flags.webhook_allow),
        ];
        let single = single.into_iter().map(|(key, value)| (key, value.into_iter().collect()));
        for (key, values) in single.chain(lists) {
            if !values.is_empty() {
                self.put(key, values, flag_name(key));
            }
        }
    }

    fn put(&mut self, key: &'static str, values: Vec<String>, place: String) {
        self.settings.insert(key, Setting { values, place });
    }
}

/// `media_port` as a flag.
pub(super) fn flag_name(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

fn environment_name(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase())
}

fn find_file() -> Option<PathBuf> {
    FILE_NAMES.iter().map(PathBuf::from).find(|path| path.exists())
}

/// Says that a name is not known, and which one was probably meant.
fn unknown(what: &str, name: &str, spelling: impl Fn(&str) -> String) -> String {
    let plain = name.replace('-', "_").to_ascii_lowercase();
    let nearest =
        KEYS.iter().chain([&PROVIDER, &PURPOSE]).map(|key| (strsim::damerau_levenshtein(key, &plain), *key)).min();
    match nearest {
        Some((distance, key)) if distance <= 1 + key.len() / 3 => {
            format!("unknown {what}; did you mean {}?", spelling(key))
        }
        _ => format!("unknown {what}; the known ones are those of 'veilcast serve --help'"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

fn values_of(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::Array(items) => items.iter().map(|item| text_of(item.get_ref())).collect(),
        single => text_of(single).map(|text| vec![text]),
    }
}

pub(super) fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        _ => None,
    }
}
