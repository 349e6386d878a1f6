//! The one loop: inputs in, outputs out.

use crate::load::Meter;
use crate::rings::Rings;
use crate::socket::{BatchSocket, MediaSocket};
use crate::streams::{Event, Streams};
use std::io;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::sleep_until;
use veilcast_control::{Command, Report, Transport};
use veilcast_sfu::{Input, Output, Sfu};

/// Receives of one wake-up before what they brought is sent on.
const MAX_RECEIVES: usize = 8;

/// What connections brought that is taken at one wake-up.
const MAX_EVENTS: usize = 64;

/// How soon a full ring is tried again.
const RETRY: Duration = Duration::from_millis(2);

/// Runs a shard until the control plane is gone.
pub(crate) fn run(
    (socket, listener): (MediaSocket, TcpListener),
    engine: Sfu,
    rings: Rings,
    commands: Receiver<Command>,
    reports: Sender<Report>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let Ok(runtime) = runtime else {
        tracing::error!("a media thread has no runtime and stops");
        return;
    };
    runtime.block_on(async {
        match open(socket, listener) {
            Ok((socket, streams)) => {
                let meter = Meter::default();
                Shard { socket, streams, engine, rings, commands, reports, meter, wake: None }.run().await;
            }
            Err(error) => tracing::error!(kind = ?error.kind(), "a media socket cannot be used"),
        }
    });
}

fn open(socket: MediaSocket, listener: TcpListener) -> io::Result<(BatchSocket, Streams)> {
    Ok((BatchSocket::new(socket)?, Streams::new(listener)?))
}

struct Shard {
    socket: BatchSocket,
    streams: Streams,
    engine: Sfu,
    rings: Rings,
    commands: Receiver<Command>,
    reports: Sender<Report>,
    meter: Meter,
    wake: Option<Instant>,
}

impl Shard {
    async fn run(mut self) {
        let bell = self.rings.bell();
        loop {
            let wake = self.wake();
            tokio::select! {
                readable = self.socket.readable() => match readable {
                    Ok(()) => self.drain_socket(),
                    Err(error) => return tracing::error!(kind = ?error.kind(), "a media socket has failed"),
                },
                Some(event) = self.streams.next() => self.drain_streams(event),
                () = bell.notified() => self.drain_rings(),
                command = self.commands.recv() => match command {
                    Some(command) => self.engine.handle(Input::Command(command), Instant::now()),
                    None => return,
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now).into()), if wake.is_some() => {
                    self.engine.handle(Input::Timeout, Instant::now());
                }
            }
            self.streams.tidy(&self.engine, Instant::now());
            self.pump().await;
        }
    }

    /// When to look again, if nothing comes before.
    fn wake(&self) -> Option<Instant> {
        // A ring that was full is tried again soon: its reader rings no bell.
        let retry = self.rings.is_clogged().then(|| Instant::now() + RETRY);
        self.wake.into_iter().chain(retry).chain(self.streams.wake()).min()
    }

    /// Takes what the other shards have put in.
    fn drain_rings(&mut self) {
        let now = Instant::now();
        while let Some(cast) = self.rings.receive() {
            self.engine.handle(Input::Cast(cast), now);
        }
    }

    /// Takes what the socket holds as one batch.
    fn drain_socket(&mut self) {
        let Self { socket, engine, meter, .. } = self;
        meter.woke();
        for _ in 0..MAX_RECEIVES {
            let each = |tuple, bytes: &mut [u8], at| {
                meter.received(bytes.len());
                engine.handle(Input::Datagram { tuple, bytes }, at);
            };
            match socket.receive(each) {
                Ok(true) => {}
                // An ICMP error of one peer must not stop the others.
                Ok(false) | Err(_) => break,
            }
        }
    }

    /// Takes what connections have brought.
    fn drain_streams(&mut self, first: Event) {
        let now = Instant::now();
        self.streams.take(first, &mut self.engine, now);
        for _ in 1..MAX_EVENTS {
            let Some(event) = self.streams.ready() else { break };
            self.streams.take(event, &mut self.engine, now);
        }
    }

    /// Does everything the engine wants.
    async fn pump(&mut self) {
        let now = Instant::now();
        let mut crossed = false;
        loop {
            match self.engine.poll(now) {
                Output::Send(run) => {
                    // The other shards begin while this one sends.
                    if std::mem::take(&mut crossed) {
                        self.rings.ring_bells();
                    }
                    self.meter.sends(&run);
                    match run.tuple.transport {
                        Transport::Udp => self.socket.send(&run).await,
                        Transport::Tcp => self.streams.send(&run),
                    }
                }
                Output::Report(mut report) => {
                    if let Report::Figures(figures) = &mut report {
                        figures.load = self.meter.read();
                    }
                    if let Report::Connected { profile, .. } = &report {
                        tracing::debug!(?profile, "a media session is protected");
                    }
                    if self.reports.send(report).await.is_err() {
                        return;
                    }
                }
                Output::Batch(..) => {}
                Output::Cast(to, cast) => {
                    self.rings.send(to, cast);
                    crossed = true;
                }
                Output::Wake(at) => {
                    self.wake = at;
                    self.rings.ring_bells();
                    return;
                }
            }
        }
    }
}
