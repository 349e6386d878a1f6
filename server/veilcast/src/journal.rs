//! `veilcast journal`: the session log, read from the running server, taken away, and checked without it.

use crate::cli::Place;
use crate::config::{Config, Sources};
use crate::receipts::heads_in;
use crate::{Failure, console, words};
use clap::{Args, Subcommand};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use veilcast_journal::{Export, Heads, verify as check, verify_heads};
use veilcast_privacy::CoarseTime;
use veilcast_webhooks::timestamp;

/// In the data directory, where the server listens.
const SOCKET: &str = "journal.sock";
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    /// Show what was written last; every operator's account says that somebody did
    Tail(TailArguments),
    /// Print the session log as it is, sealed, with everything that it takes to check it
    Export(ExportArguments),
    /// Check an export: was anything changed, put in another place, cut off, or kept for too long?
    Verify(VerifyArguments),
}

#[derive(Args)]
pub(crate) struct TailArguments {
    #[command(flatten)]
    place: Place,
    /// So many lines
    #[arg(long, short = 'n', default_value_t = 100)]
    lines: u32,
}

#[derive(Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// What 'veilcast journal export' printed
    #[arg(value_name = "FILE")]
    export: PathBuf,
    /// What somebody has kept of /.well-known/veilcast-heads.json; may be given again
    #[arg(long, value_name = "FILE")]
    heads: Vec<PathBuf>,
    /// Saved receipts of consent, which say how far the session log was; may be given again
    #[arg(long, value_name = "FILE")]
    receipts: Vec<PathBuf>,
}

/// Settings of the session log.
#[derive(Args, Clone, Default)]
pub(crate) struct JournalFlags {
    /// Session log of the last hours: memory, disk or off [default: memory]
    #[arg(long, value_name = "WHERE")]
    pub(crate) journal: Option<String>,
    /// How long the session log's key lives, 1m to 7d [default: 24h]
    #[arg(long, value_name = "TIME")]
    pub(crate) journal_epoch: Option<String>,
    /// File for that key, outside the data directory and every backup; with --journal disk
    #[arg(long, value_name = "FILE")]
    pub(crate) journal_key_file: Option<String>,
}

/// `veilcast journal …`
pub(crate) fn run(command: JournalCommand) -> Result<(), Failure> {
    match command {
        JournalCommand::Tail(arguments) => tail(arguments),
        JournalCommand::Export(arguments) => export(arguments),
        JournalCommand::Verify(arguments) => verify(&arguments),
    }
}

fn tail(arguments: TailArguments) -> Result<(), Failure> {
    let text = ask(arguments.place, &format!("tail {}", arguments.lines))?;
    for line in text.lines() {
        // Time, event, who, what.
        let mut parts = line.splitn(4, ' ');
        let at = parts.next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        let rest: Vec<&str> = parts.collect();
        console::value(&format!("{}\t{}", timestamp(CoarseTime::from_unix(at)), rest.join("\t")));
    }
    if text.is_empty() {
        console::say("Nothing is written in this epoch yet. A line takes five people or more, and up to an hour.");
    }
    Ok(())
}

fn export(arguments: ExportArguments) -> Result<(), Failure> {
    console::value(ask(arguments.place, "export")?.trim_end());
    console::say(
        "It can be checked with 'veilcast journal verify FILE'. Nobody can read what is sealed in it once its epoch is over.",
    );
    Ok(())
}

fn verify(arguments: &VerifyArguments) -> Result<(), Failure> {
    let export: Export = read(&arguments.export)?;
    let witnesses: Vec<Heads> = arguments.heads.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let seen = arguments.receipts.iter().map(|path| heads_in(path)).collect::<Result<Vec<_>, _>>()?.concat();
    let findings = [check(&export, &witnesses, None), verify_heads(&export, &seen)].concat();
    for finding in &findings {
        console::value(&finding.to_string());
    }
    let wrong = findings.iter().filter(|finding| finding.is_wrong()).count();
    if wrong > 0 {
        return Err(Failure::JournalWrong(wrong));
    }
    let (epochs, blocks) = (export.heads.epochs.len(), export.blocks.len());
    let witnessed = match witnesses.len() + seen.len() {
        0 => "No witness was asked: give what others have kept of the heads with --heads, or receipts with --receipts."
            .to_owned(),
        count => format!("It agrees with {count} of what others have kept."),
    };
    console::say(&format!("Nothing is wrong with {epochs} epochs and {blocks} blocks. {witnessed}"));
    console::say("That no other copy was made cannot be shown by anybody.");
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let unreadable = |why: String| Failure::JournalFile { path: path.display().to_string(), why };
    let text = fs::read_to_string(path).map_err(|error| unreadable(words::reason(error.kind())))?;
    serde_json::from_str(&text).map_err(|_| unreadable("it is neither an export nor a list of heads".to_owned()))
}

/// Asks the server that runs on this data directory.
fn ask(place: Place, question: &str) -> Result<String, Failure> {
    let directory = Config::data_dir(&Sources::place(place)?).map_err(Failure::Configuration)?;
    let answer = talk(&directory.join(SOCKET), question).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => Failure::JournalServer,
        kind => Failure::JournalFile { path: directory.join(SOCKET).display().to_string(), why: words::reason(kind) },
    })?;
    answer.strip_prefix("ok\n").map(str::to_owned).ok_or(Failure::JournalOff)
}

fn talk(path: &Path, question: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(question.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
