use crate::config::Problem;
use crate::words;
use std::io;
use veilcast_auth::{ClientError, SetupError};

/// Why a command did not do what it was asked to. Each is one line: what, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Settings that cannot be used.
    #[error("the configuration has mistakes")]
    Configuration(Vec<Problem>),
    /// The records.
    #[error(transparent)]
    Records(#[from] veilcast_records::Error),
    /// The issuer.
    #[error(transparent)]
    Auth(#[from] veilcast_auth::Error),
    /// No setup link.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// No such operator, or none yet.
    #[error("there is no such operator; 'veilcast setup' makes the first one")]
    OperatorUnknown,
    /// No such account.
    #[error("there is no such account; look at the name, or at the provider's issuer and the claim sub")]
    AccountUnknown,
    /// No such event.
    #[error("there is no such event; 'veilcast event list' shows all")]
    EventUnknown,
    /// Over.
    #[error("this event has ended; create another with 'veilcast event create'")]
    EventEnded,
    /// No such stream key.
    #[error("there is no such stream key of this event; 'veilcast stream-key list' shows all")]
    StreamKeyUnknown,
    /// Not what `veilcast token` has printed.
    #[error("this is no token's id; 'veilcast token' prints one of 26 characters with each token")]
    TokenIdInvalid,
    /// A program's registration.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No such program.
    #[error("there is no such program; 'veilcast client list' shows all")]
    ClientUnknown,
    /// A file with a program's public key.
    #[error("cannot read {path}: {}; name a file with a public key as JWK", words::reason(*.why))]
    KeyFile {
        /// Which.
        path: String,
        /// The system's reason.
        why: io::ErrorKind,
    },
    /// A file that was named.
    #[error("cannot read {path}: {}; look at its name and at who may read it", words::reason(*.why))]
    File {
        /// Which.
        path: String,
        /// The system's reason.
        why: io::ErrorKind,
    },
    /// Not what it should be.
    #[error(
        "{path} is neither receipts nor keys for them; save the receipts in the browser, and the keys from /.well-known/consent-keys.json"
    )]
    ReceiptFile {
        /// Which.
        path: String,
    },
    /// Looked at, and not good.
    #[error("{bad} of {all} receipts are not genuine, or not by these keys")]
    ReceiptsBad {
        /// So many.
        bad: usize,
        /// Of so many.
        all: usize,
    },
    /// No such receiver of webhooks.
    #[error("there is no such receiver; 'veilcast webhook list' shows all")]
    WebhookUnknown,
    /// No receiver can be there, or no further one.
    #[error("{0}")]
    Webhook(String),
    /// Nobody answers in the data directory.
    #[error("no server runs on this data directory; start it with 'veilcast serve', or name another with --data-dir")]
    JournalServer,
    /// `journal = "off"`.
    #[error("this server keeps no session log, or has not begun it yet; see 'journal' in the settings")]
    JournalOff,
    /// An export, a witness, or the way to the server.
    #[error("cannot use {path}: {why}")]
    JournalFile {
        /// Which.
        path: String,
        /// The reason, in words.
        why: String,
    },
    /// `journal verify` found something.
    #[error("signs that the session log was tampered with, or kept for too long: {0}")]
    JournalWrong(usize),
    /// The directory for certificates by ACME.
    #[error("cannot use {path}: {}; make sure that it is a directory of the user who runs veilcast", words::reason(*.why))]
    CertificateCache {
        /// Where.
        path: String,
        /// The system's reason.
        why: io::ErrorKind,
    },
    /// `check --network` found something.
    #[error("{0} marked UNREACHABLE above; what to do stands beside each")]
    Unreachable(usize),
    /// The media plane.
    #[error(transparent)]
    Media(#[from] veilcast_shard::Error),
    /// The edge.
    #[error(transparent)]
    Gateway(#[from] veilcast_gateway::StartError),
    /// The system gives no threads or no timer.
    #[error("cannot start: {}; check the limits on threads and open files", words::reason(*.0))]
    Runtime(io::ErrorKind),
}

impl Failure {
    /// 2 for usage and configuration, 1 for everything refused.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 2,
            _ => 1,
        }
    }

    /// What to print.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Configuration(problems) => problems.iter().map(ToString::to_string).collect(),
            Self::Media(error) => vec![words::of_media(error)],
            Self::Records(error) => vec![words::of_records(error)],
            other => vec![other.to_string()],
        }
    }
}
