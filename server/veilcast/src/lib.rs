//! The binary's inside: command line, configuration, and the wiring of both planes in one process.
//!
//! Invariant: every setting is parsed once, here, and knows where it came from; nothing further in reads the
//! environment, a file of settings or a flag.

mod accounts;
mod addresses;
mod cli;
mod clients;
mod commands;
mod config;
pub mod console;
mod failure;
mod issuer;
mod journal;
mod listen;
mod logging;
mod memory;
mod moment;
mod network;
mod receipts;
mod serve;
mod stream_keys;
mod webhooks;
mod words;

pub use cli::Cli;
pub use config::Problem;
pub use failure::Failure;

use cli::{
    AccountCommand, ClientCommand, Command, EventCommand, KeysCommand, ReceiptCommand, StreamKeyCommand, TokenCommand,
    TokenVerb, WebhookCommand,
};
use config::Sources;
use rustix::fs::Mode;
use tokio::runtime::Builder;

/// Runs one command to its end.
pub fn run(cli: Cli) -> Result<(), Failure> {
    logging::guard_panics();
    memory::keep_in();
    // Whatever is written here is this user's alone, also by crates that do not ask (an ACME account's key).
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    // Who is heard stands on the stacks of the threads that hear them, and a thread that waits may wait for hours.
    let threads =
        Builder::new_multi_thread().enable_all().on_thread_park(veilcast_privacy::wipe_stack_if_heard).build();
    let runtime = threads.map_err(|error| Failure::Runtime(error.kind()))?;
    let result = runtime.block_on(dispatch(cli.command));
    // What still runs are blocking threads without anything to save; `serve` has waited for the rest.
    runtime.shutdown_background();
    result
}

async fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(flags) => serve::run(&Sources::process(flags)?).await,
        Command::Check(arguments) => commands::check(&Sources::process(arguments.flags)?, arguments.network).await,
        Command::Event(command) => match command {
            EventCommand::Create(arguments) => commands::create_event(arguments).await,
            EventCommand::List(place) => commands::list_events(place).await,
            EventCommand::End(arguments) => commands::end_event(arguments).await,
        },
        Command::Invite(arguments) => commands::invite(arguments).await,
        Command::Token(TokenCommand { verb: Some(TokenVerb::Revoke(arguments)), .. }) => {
            issuer::revoke_token(arguments).await
        }
        Command::Token(TokenCommand { new, verb: None }) => issuer::token(new).await,
        Command::Keys(KeysCommand::Rotate(arguments)) => issuer::rotate(arguments).await,
        Command::StreamKey(command) => match command {
            StreamKeyCommand::Create(arguments) => stream_keys::create(arguments).await,
            StreamKeyCommand::List(arguments) => stream_keys::list(arguments).await,
            StreamKeyCommand::Revoke(arguments) => stream_keys::revoke(arguments).await,
        },
        Command::Account(AccountCommand::EndSessions(arguments)) => accounts::end_sessions(arguments).await,
        Command::Client(command) => match command {
            ClientCommand::Create(arguments) => clients::create(arguments).await,
            ClientCommand::List(arguments) => clients::list(arguments).await,
            ClientCommand::Revoke(arguments) => clients::revoke(arguments).await,
            ClientCommand::Rotate(arguments) => clients::rotate(arguments).await,
        },
        Command::Webhook(command) => match command {
            WebhookCommand::Add(arguments) => webhooks::add(arguments).await,
            WebhookCommand::List(place) => webhooks::list(place).await,
            WebhookCommand::Remove(arguments) => webhooks::remove(arguments).await,
            WebhookCommand::Rotate(arguments) => webhooks::rotate(arguments).await,
        },
        Command::Journal(command) => journal::run(command),
        Command::Receipt(ReceiptCommand::Verify(arguments)) => receipts::verify_receipts(&arguments),
        Command::Setup(arguments) => commands::setup(arguments).await,
    }
}
