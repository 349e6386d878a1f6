mod event;

use crate::journal::{JournalCommand, JournalFlags};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use veilcast_auth::{LONGEST_TOKEN, Rights, Scope};
use veilcast_records::EventId;
use veilcast_webhooks::MessageKind;

pub(crate) use event::{EndArguments, NewEventArguments};

/// Live streaming with privacy built in.
///
/// Settings come from flags, then from VEILCAST_* in the environment, then from veilcast.toml, then from defaults.
#[derive(Parser)]
#[command(name = "veilcast", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Flags),
    /// Create, list and end events
    #[command(subcommand)]
    Event(EventCommand),
    /// Print an invitation to one event: a link for one person, whoever opens it first
    Invite(InviteArguments),
    /// Make, list and revoke keys for programs such as OBS that broadcast to one event
    #[command(subcommand)]
    StreamKey(StreamKeyCommand),
    /// Register, list, revoke programs of integrators, and give them other keys
    #[command(subcommand)]
    Client(ClientCommand),
    /// Look after accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// Add, list and remove servers that are told what happens here
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Print an access token for one event, for a script, or revoke one
    Token(TokenCommand),
    /// Change the keys that sign access tokens
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Read, take away and check the session log
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Look at receipts of consent
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Print a one-time link that creates the operator's account, or lets a locked-out operator in again
    Setup(SetupArguments),
    /// Explain what is wrong with the configuration, and where
    Check(CheckArguments),
}

#[derive(Subcommand)]
pub(crate) enum EventCommand {
    /// Create an event and print its id
    Create(NewEventArguments),
    /// List all events, newest first: id, state, admission, title
    List(Place),
    /// End an event for good
    End(EndArguments),
}

#[derive(Subcommand)]
pub(crate) enum StreamKeyCommand {
    /// Make a key and print it, this once
    Create(NewStreamKeyArguments),
    /// List an event's keys: id, end, last use, owner
    List(StreamKeysArguments),
    /// Revoke a key; whoever broadcasts with it is off air at once
    Revoke(RevokeStreamKeyArguments),
}

#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    /// Add a receiver and print its secret, this once
    Add(NewWebhookArguments),
    /// List the receivers: id, address without its path, end, last message, what waits, what it took, owner
    List(Place),
    /// Remove a receiver and whatever waits for it
    Remove(WebhookArguments),
    /// Give a receiver another secret and print it, this once; for a day, messages are signed with both
    Rotate(WebhookArguments),
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct TokenCommand {
    #[command(flatten)]
    pub(crate) new: TokenArguments,
    #[command(subcommand)]
    pub(crate) verb: Option<TokenVerb>,
}

#[derive(Subcommand)]
pub(crate) enum TokenVerb {
    /// Revoke a token; whoever came by it is out at once
    Revoke(RevokeTokenArguments),
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Let another key sign: published at once, in use an hour later. This happens by itself every 90 days
    Rotate(RotateArguments),
}

#[derive(Subcommand)]
pub(crate) enum ReceiptCommand {
    /// Say whether receipts are genuine, and what they are about; needs no network and no server
    Verify(VerifyReceiptArguments),
}

#[derive(Args)]
pub(crate) struct VerifyReceiptArguments {
    /// What 'Save the receipt' has saved, or a file with a receipt on each line
    pub(crate) receipts: PathBuf,
    /// The server's public keys, saved from its address /.well-known/consent-keys.json
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Sign somebody out everywhere; whatever they have open is over at once
    EndSessions(EndSessionsArguments),
}

#[derive(Args)]
pub(crate) struct EndSessionsArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Whose, by sign-in name
    #[arg(long, value_name = "NAME", required_unless_present = "provider")]
    pub(crate) name: Option<String>,
    /// Whose, by where they sign in: the provider's issuer, with --subject
    #[arg(long, value_name = "URL", requires = "subject", conflicts_with = "name")]
    pub(crate) provider: Option<String>,
    /// Their name at the provider: the claim sub
    #[arg(long, value_name = "SUB", requires = "provider")]
    pub(crate) subject: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum ClientCommand {
    /// Register a program and print its id; without --key, also a private key, this once
    Create(NewClientArguments),
    /// List programs: id, label, owner, scopes, end, last use, events made, grants issued
    List(ListClientsArguments),
    /// Revoke a program; its tokens are refused at once
    Revoke(RevokeClientArguments),
    /// Give a program another key; without --key, make one and print its private half, this once
    Rotate(RotateClientArguments),
}

/// Where the records are; all that a command besides `serve` needs to know.
#[derive(Args, Clone, Default)]
pub(crate) struct Place {
    /// Configuration file [default: ./veilcast.toml, else /etc/veilcast/veilcast.toml, if there]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of the records [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
}

#[derive(Args)]
pub(crate) struct SetupArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// For an operator who lost everything: whoever opens the link makes a new way to sign in, and every older one is gone
    #[arg(long)]
    pub(crate) recover: bool,
    /// Which operator to recover, by sign-in name [default: the first]
    #[arg(long, value_name = "NAME", requires = "recover")]
    pub(crate) name: Option<String>,
}

/// Every setting as a flag. Values are parsed with those of the other sources, so that all are refused alike.
#[derive(Args, Clone, Default)]
pub(crate) struct Flags {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Address and port of the pages and the API [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// UDP and TCP port of the first media shard; shard N uses this plus N [default: 10000]
    #[arg(long, value_name = "PORT")]
    pub(crate) media_port: Option<String>,
    /// Addresses at which browsers reach the media ports [default: those of this machine]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) media_address: Vec<String>,
    /// First media port as browsers see it, where a port mapping lies between [default: --media-port]
    #[arg(long, value_name = "PORT")]
    pub(crate) media_public_port: Option<String>,
    /// All media shards on --media-port, so that a firewall needs to open one [default: false, a port for each]
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) media_shared_port: Option<String>,
    /// Threads that move media, each with a port of its own unless they share one [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<String>,
    /// The one origin of pages, links and tokens [default on loopback: http://localhost:PORT]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Certificate chain, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<String>,
    /// Its private key, PEM, readable by this user only
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<String>,
    /// Get certificates by ACME from this directory, for instance https://acme-v02.api.letsencrypt.org/directory
    #[arg(long, value_name = "URL")]
    pub(crate) acme_directory: Option<String>,
    /// Host names of the certificate
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) acme_domain: Vec<String>,
    /// Whom the certificate authority may write to, as mailto:NAME@HOST
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub(crate) acme_contact: Vec<String>,
    /// Certificate authority that the ACME directory itself is trusted by, PEM, where that is not a public one
    #[arg(long, value_name = "FILE")]
    pub(crate) acme_root: Option<String>,
    /// Reverse proxies whose Forwarded headers are believed, as addresses or ADDRESS/BITS
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<String>,
    /// Further origins whose pages may embed the client, like https://www.example.org
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) allowed_origin: Vec<String>,
    /// STUN servers told to players and broadcasters, like stun:HOST:PORT; TURN servers stand in the file, with their
    /// credentials [default: none]
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub(crate) ice_server: Vec<String>,
    /// File with a token of 32 characters or more that lets its holder read /metrics from elsewhere [default: none, this
    /// machine only]
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics_token_file: Option<String>,
    /// Networks beside the public Internet in which receivers of webhooks may stand, as addresses or ADDRESS/BITS [default: none]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) webhook_allow: Vec<String>,
    /// Certificate authority that receivers of webhooks are trusted by beside the public ones, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) webhook_root: Option<String>,
    #[command(flatten)]
    pub(crate) journal: JournalFlags,
    /// What to log, for instance info or veilcast_gateway=debug [default: info]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

#[derive(Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// Look at this machine's network, too: what will not be reachable, and why. Sends nothing
    #[arg(long)]
    pub(crate) network: bool,
}

#[derive(Args)]
pub(crate) struct InviteArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The event's id
    #[arg(long, value_name = "ID")]
    pub(crate) event: EventId,
    /// What the person may do
    #[arg(long, value_enum)]
    pub(crate) role: InvitedTo,
    /// How long it is valid, like 90s, 10m, 12h, 7d [default: 12h]
    #[arg(long, value_name = "TIME", value_parser = parse_life)]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The event's id
    #[arg(long, value_name = "ID", required = true)]
    pub(crate) event: Option<EventId>,
    /// What the token permits
    #[arg(long, value_enum, required = true)]
    pub(crate) scope: Option<TokenScope>,
    /// How long it is valid, like 90s, 10m, 12h, 7d [default: 12h for broadcast, 1h for watch]
    #[arg(long, value_name = "TIME", value_parser = parse_life)]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct RevokeTokenArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The token's id, as it was printed with the token
    #[arg(value_name = "TOKEN-ID")]
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct RotateArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The present key was stolen: refuse whatever it has signed
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Args)]
pub(crate) struct NewStreamKeyArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The event's id
    #[arg(long, value_name = "ID")]
    pub(crate) event: EventId,
    /// How long it is valid, like 12h, 7d, 365d; the event's end and 90 days without use end it, too [default: 30d]
    #[arg(long, value_name = "TIME", value_parser = parse_key_life)]
    pub(crate) ttl: Option<Duration>,
    /// Whom to ask about it, 1 to 64 characters
    #[arg(long, value_name = "TEXT")]
    pub(crate) owner: Option<String>,
}

#[derive(Args)]
pub(crate) struct StreamKeysArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The event's id
    #[arg(long, value_name = "ID")]
    pub(crate) event: EventId,
}

#[derive(Args)]
pub(crate) struct RevokeStreamKeyArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The event's id
    #[arg(long, value_name = "ID")]
    pub(crate) event: EventId,
    /// The key's id, as the list shows it
    #[arg(long, value_name = "KEYID")]
    pub(crate) id: String,
}

#[derive(Args)]
pub(crate) struct NewWebhookArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Its address, https://…
    #[arg(long)]
    pub(crate) url: String,
    /// What it is told, like event.started,event.ended [default: everything]
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = parse_kind)]
    pub(crate) kind: Vec<MessageKind>,
    /// How long it is told, like 30d; a year at most, and 90 days after the last message that it took [default: 365d]
    #[arg(long, value_name = "TIME", value_parser = parse_key_life)]
    pub(crate) ttl: Option<Duration>,
    /// Whom to ask about it, 1 to 64 characters
    #[arg(long, value_name = "TEXT")]
    pub(crate) owner: Option<String>,
}

#[derive(Args)]
pub(crate) struct WebhookArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The receiver's id, as the list shows it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

fn parse_kind(text: &str) -> Result<MessageKind, String> {
    MessageKind::parse(text).ok_or_else(|| {
        let known: Vec<&str> = MessageKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("the kinds are {}", known.join(", "))
    })
}

#[derive(Args)]
pub(crate) struct NewClientArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// What you call it, 1 to 64 characters
    #[arg(long)]
    pub(crate) label: String,
    /// Whom to ask about it, 1 to 64 characters
    #[arg(long)]
    pub(crate) owner: String,
    /// What it may do, separated by commas: events:read, events:manage, grants:issue
    #[arg(long, value_name = "SCOPES", value_parser = parse_rights)]
    pub(crate) scope: Rights,
    /// File with its public key as JWK, or a JWK set: P-256 or Ed25519 [default: a key is made]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// How long it is registered, like 30d, 365d; 90 days without use end it, too [default: 90d]
    #[arg(long, value_name = "TIME", value_parser = parse_key_life)]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct ListClientsArguments {
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args)]
pub(crate) struct RevokeClientArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The program's id, as the list shows it
    #[arg(long, value_name = "CLIENTID")]
    pub(crate) id: String,
    /// Put out whoever came by one of its grants, too
    #[arg(long)]
    pub(crate) grants: bool,
}

#[derive(Args)]
pub(crate) struct RotateClientArguments {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The program's id, as the list shows it
    #[arg(long, value_name = "CLIENTID")]
    pub(crate) id: String,
    /// File with the new public key as JWK [default: a key is made]
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// How long the older keys still count, at most 7d [default: they end at once]
    #[arg(long, value_name = "TIME", value_parser = parse_overlap)]
    pub(crate) overlap: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenScope {
    /// Send to the event
    Broadcast,
    /// Watch the event
    Watch,
}

impl TokenScope {
    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::Broadcast => Scope::Broadcast,
            Self::Watch => Scope::Watch,
        }
    }

    /// A broadcast is set up on the morning of a long day; a viewer's link should not outlive the event by much.
    pub(crate) const fn default_life(self) -> Duration {
        match self {
            Self::Broadcast => Duration::from_secs(12 * 3600),
            Self::Watch => Duration::from_secs(3600),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InvitedTo {
    /// Send to the event
    Broadcast,
    /// Watch the event
    Watch,
    /// Watch the event, remove people from it and keep them out
    Moderate,
}

impl InvitedTo {
    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::Broadcast => Scope::Broadcast,
            Self::Watch => Scope::Watch,
            Self::Moderate => Scope::Moderate,
        }
    }
}

/// Days. So long does a key stay that has signed a token.
const LONGEST_LIFE: u64 = LONGEST_TOKEN.as_secs() / (24 * 3600);

/// Days. A stream key can be revoked; a year is as long as anybody remembers what it was for.
const LONGEST_KEY_LIFE: u64 = 365;

fn parse_life(text: &str) -> Result<Duration, String> {
    parse_time(text, LONGEST_LIFE)
}

fn parse_key_life(text: &str) -> Result<Duration, String> {
    parse_time(text, LONGEST_KEY_LIFE)
}

/// Days. Enough to roll a key out.
const LONGEST_OVERLAP: u64 = 7;

fn parse_overlap(text: &str) -> Result<Duration, String> {
    parse_time(text, LONGEST_OVERLAP)
}

fn parse_rights(text: &str) -> Result<Rights, String> {
    let rights = Rights::parse(&text.replace(',', " "));
    rights.ok_or_else(|| {
        "write some of events:read, events:manage and grants:issue, each once, with commas between".to_owned()
    })
}

pub(crate) fn parse_time(text: &str, most_days: u64) -> Result<Duration, String> {
    let wrong = || "write a whole number and s, m, h or d, like 10m".to_owned();
    let unit = match text.bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => 24 * 3600,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match count.checked_mul(unit) {
        Some(0) => Err("what is valid for no time helps nobody".to_owned()),
        Some(seconds) if seconds <= most_days * 24 * 3600 => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("{most_days}d is the longest")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_token_is_made_or_revoked() {
        let parse = |words: &str| Cli::try_parse_from(words.split(' ')).map(|cli| cli.command);
        let (event, made) = ("e".repeat(26), "veilcast token --data-dir d --scope watch --event");
        let Ok(Command::Token(made)) = parse(&format!("{made} {event}")) else { panic!("as before") };
        assert!(made.new.event.is_some() && made.new.scope.is_some() && made.verb.is_none());
        let Ok(Command::Token(revoked)) = parse("veilcast token revoke x --data-dir d") else { panic!("a verb") };
        assert!(revoked.verb.is_some());
        for wrong in ["veilcast token", "veilcast token --scope watch", "veilcast token revoke"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lives() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(parse_life(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "m", "10", "1.5h", "-1m", "0s", "31d", "99999999999999999999d", "10é", "é"] {
            assert!(parse_life(text).is_err(), "{text}");
        }
        assert_eq!(parse_key_life("365d"), Ok(Duration::from_secs(31_536_000)));
        assert!(parse_key_life("366d").is_err() && parse_key_life("0s").is_err());
    }
}
