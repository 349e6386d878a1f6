//! The one loop: inputs in, outputs out.

use crate::socket::{BatchSocket, MediaSocket};
use std::time::Instant;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::sleep_until;
use veilcast_control::{Command, Report};
use veilcast_sfu::{Input, Output, Sfu};

/// Receives of one wake-up before what they brought is sent on.
const MAX_RECEIVES: usize = 8;

/// Runs a shard until the control plane is gone.
pub(crate) fn run(socket: MediaSocket, engine: Sfu, commands: Receiver<Command>, reports: Sender<Report>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let Ok(runtime) = runtime else {
        tracing::error!("a media thread has no runtime and stops");
        return;
    };
    runtime.block_on(async {
        match BatchSocket::new(socket) {
            Ok(socket) => Shard { socket, engine, commands, reports, wake: None }.run().await,
            Err(error) => tracing::error!(kind = ?error.kind(), "a media socket cannot be used"),
        }
    });
}

struct Shard {
    socket: BatchSocket,
    engine: Sfu,
    commands: Receiver<Command>,
    reports: Sender<Report>,
    wake: Option<Instant>,
}

impl Shard {
    async fn run(mut self) {
        loop {
            let wake = self.wake;
            tokio::select! {
                readable = self.socket.readable() => match readable {
                    Ok(()) => self.drain_socket(),
                    Err(error) => return tracing::error!(kind = ?error.kind(), "a media socket has failed"),
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.engine.handle(Input::Command(command), Instant::now()),
                    None => return,
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now).into()), if wake.is_some() => {
                    self.engine.handle(Input::Timeout, Instant::now());
                }
            }
            self.pump().await;
        }
    }

    /// Takes what the socket holds as one batch.
    fn drain_socket(&mut self) {
        let Self { socket, engine, .. } = self;
        for _ in 0..MAX_RECEIVES {
            let now = Instant::now();
            match socket.receive(|tuple, bytes| engine.handle(Input::Datagram { tuple, bytes }, now)) {
                Ok(true) => {}
                // An ICMP error of one peer must not stop the others.
                Ok(false) | Err(_) => break,
            }
        }
    }

    /// Does everything the engine wants.
    async fn pump(&mut self) {
        let now = Instant::now();
        loop {
            match self.engine.poll(now) {
                Output::Send(run) => self.socket.send(&run).await,
                Output::Report(report) => {
                    if let Report::Connected { profile, .. } = &report {
                        tracing::debug!(?profile, "a media session is protected");
                    }
                    if self.reports.send(report).await.is_err() {
                        return;
                    }
                }
                Output::Batch(..) => {}
                Output::Wake(at) => {
                    self.wake = at;
                    return;
                }
            }
        }
    }
}
