use std::io;
use std::path::PathBuf;
use thiserror::Error;
use veilcast_privacy::Secret;

/// Sockets and requests of 4,000 people at once; each idle connection costs some 20 KiB and a file descriptor.
pub const DEFAULT_MAX_CONNECTIONS: usize = 8_192;

/// How the gateway is reached. Holds addresses and credentials, so it has no Debug.
#[derive(Clone)]
pub struct Config {
    /// The one origin, such as `https://stage.example`: the same that the issuer was opened with.
    pub public_url: String,
    /// Further origins whose pages may use this server (CORS, `/ws`).
    pub allowed_origins: Vec<String>,
    /// Addresses or ranges (`10.0.0.0/8`) of proxies whose `Forwarded` and `X-Forwarded-For` are believed.
    pub trusted_proxies: Vec<String>,
    /// Told to everybody who is let in: WHIP and WHEP clients in `Link` headers, ours in the welcome of `/ws`. None is
    /// needed where UDP passes: the media plane is ICE-lite.
    pub ice_servers: Vec<IceServer>,
    /// Lets who presents it read `/metrics` from elsewhere. Without one, only this machine can.
    pub metrics_token: Option<Secret>,
    /// Where receivers of webhooks may be beside the public Internet, and whom to trust there.
    pub webhooks: veilcast_webhooks::Settings,
    /// What people are asked for.
    pub purposes: veilcast_consent::Purposes,
    /// The session log.
    pub journal: crate::JournalSettings,
    /// Encryption of the listener.
    pub tls: Tls,
    /// Connections at once; [`DEFAULT_MAX_CONNECTIONS`] if nothing speaks against it.
    pub max_connections: usize,
}

/// A STUN or TURN server (RFC 9725 section 4.6).
#[derive(Clone)]
pub struct IceServer {
    /// `stun:…` or `turn:…`
    pub url: String,
    /// For TURN.
    pub username: Option<String>,
    /// For TURN.
    pub credential: Option<Secret>,
    /// Shared with a TURN server, in place of the two: credentials are then made for each session. Told to nobody.
    pub secret: Option<Secret>,
}

/// Encryption of the listener.
#[derive(Clone)]
pub enum Tls {
    /// None: on loopback only.
    Off,
    /// A certificate chain and its key, both PEM.
    Files {
        /// The chain, leaf first.
        certificate: PathBuf,
        /// The key; not readable by everybody.
        key: PathBuf,
    },
    /// A certificate fetched and renewed by ACME (RFC 8555) with TLS-ALPN-01 (RFC 8737) on this listener.
    Acme {
        /// The directory's URL.
        directory: String,
        /// Names to be certified.
        domains: Vec<String>,
        /// `mailto:` addresses for the authority, or none.
        contact: Vec<String>,
        /// Where account and certificates are kept.
        cache: PathBuf,
        /// A PEM file with a further root to trust when talking to the directory: for a private authority.
        extra_root: Option<PathBuf>,
    },
}

/// Why the gateway does not start: what is wrong and how to mend it, in one line.
#[derive(Debug, Error)]
pub enum StartError {
    /// The port is taken, forbidden, or the address is not ours.
    #[error("cannot listen on port {port}: {}; {}", reason(*.why), remedy(*.why))]
    Listen {
        /// Which.
        port: u16,
        /// The system's reason.
        why: io::ErrorKind,
    },
    /// Plain HTTP where others could listen in.
    #[error(
        "plain HTTP is served on loopback only; give a certificate and key, or an ACME directory, or listen on localhost"
    )]
    PlainHttp,
    /// TLS with an `http://` address.
    #[error("public_url must begin with https:// because this server speaks TLS")]
    PublicUrlInsecure,
    /// Not `scheme://host[:port]`.
    #[error("'{text}' is not an origin; write scheme, host and port, such as https://stage.example:8443")]
    Origin {
        /// As configured.
        text: String,
    },
    /// Not an address or range.
    #[error("entry {number} of trusted_proxies is not an address or range; write 192.0.2.1 or 10.0.0.0/8")]
    Proxy {
        /// Counted from 1.
        number: usize,
    },
    /// Not a URL that fits a header.
    #[error("entry {number} of ice_servers cannot be used; write stun:HOST:PORT or turn:HOST:PORT")]
    IceServer {
        /// Counted from 1.
        number: usize,
    },
    /// A file of certificates or keys cannot be read.
    #[error("cannot use {path}: {}; check the path and that it belongs to veilcast's user", reason(*.why))]
    File {
        /// Which.
        path: String,
        /// The system's reason.
        why: io::ErrorKind,
    },
    /// Readable by everybody.
    #[error("{path} is open to every user (mode {mode:o}); run: chmod 600 {path}")]
    KeyExposed {
        /// Which.
        path: String,
        /// What was found.
        mode: u32,
    },
    /// Nothing of the kind in it.
    #[error("{path} holds no {what} in PEM form")]
    Pem {
        /// Which.
        path: String,
        /// What was looked for.
        what: &'static str,
    },
    /// They do not belong together, or are of an unknown kind.
    #[error("certificate and key do not fit together, or are of a kind that TLS 1.2 and 1.3 do not take")]
    Certificate,
    /// No certificate in what should be one.
    #[error("webhook_root holds no certificate in PEM form")]
    WebhookRoot,
    /// ACME without names.
    #[error("ACME needs at least one domain name")]
    AcmeDomains,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Randomness,
    /// The records cannot be watched.
    #[error(transparent)]
    Records(#[from] veilcast_records::Error),
    /// The listener failed while serving.
    #[error("the listener failed: {}", reason(*.why))]
    Serve {
        /// The system's reason.
        why: io::ErrorKind,
    },
}

/// The kind in words; an `io::Error` itself may name addresses.
fn reason(why: io::ErrorKind) -> String {
    match why {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::AddrInUse => "something else uses it".to_owned(),
        other => other.to_string(),
    }
}

const fn remedy(why: io::ErrorKind) -> &'static str {
    match why {
        io::ErrorKind::AddrInUse => "stop what is using it, or choose another with --listen",
        io::ErrorKind::PermissionDenied => "ports below 1024 need the capability CAP_NET_BIND_SERVICE",
        io::ErrorKind::AddrNotAvailable => "the address does not belong to this machine; choose one that does",
        _ => "choose another with --listen",
    }
}
