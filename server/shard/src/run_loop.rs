//! The one loop: inputs in, outputs out.

use crate::door::Door;
use crate::load::Meter;
use crate::rings::Rings;
use crate::socket::{BatchSocket, MediaSocket};
use crate::streams::{Event, Streams};
use std::io;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::sleep_until;
use veilcast_control::{Command, Report, SrtpProfile, Transport};
use veilcast_logs::Reason;
use veilcast_sfu::{Input, Output, Sfu, Tuple};

/// Receives of one wake-up before what they brought is sent on.
const MAX_RECEIVES: usize = 8;

/// What connections brought that is taken at one wake-up.
const MAX_EVENTS: usize = 64;

/// How long what was received may leave traces on the stack.
const TRACES: Duration = Duration::from_secs(1);

/// How soon a full ring is tried again.
const RETRY: Duration = Duration::from_millis(2);

/// Runs a shard until the control plane is gone.
pub(crate) fn run(
    (socket, listener): (MediaSocket, TcpListener),
    engine: Sfu,
    (rings, door): (Rings, Option<Door>),
    commands: Receiver<Command>,
    reports: Sender<Report>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let Ok(runtime) = runtime else {
        veilcast_logs::error!("a media thread has no runtime and stops");
        return;
    };
    runtime.block_on(async {
        match open(socket, listener, door.as_ref()) {
            Ok((socket, streams)) => {
                let meter = Meter::default();
                Shard { socket, streams, engine, rings, door, commands, reports, meter, wake: None, wipe: None }
                    .run()
                    .await;
            }
            Err(error) => {
                veilcast_logs::error!("a media socket cannot be used", reason = Reason::from(error.kind()));
            }
        }
    });
}

const fn name_of(profile: SrtpProfile) -> Reason {
    Reason::new(match profile {
        SrtpProfile::AeadAes256Gcm => "AeadAes256Gcm",
        SrtpProfile::AeadAes128Gcm => "AeadAes128Gcm",
        SrtpProfile::Aes128CmSha1_80 => "Aes128CmSha1_80",
    })
}

fn open(socket: MediaSocket, listener: TcpListener, door: Option<&Door>) -> io::Result<(BatchSocket, Streams)> {
    Ok((BatchSocket::new(socket)?, Streams::new(listener, door.map(Door::marks))?))
}

struct Shard {
    socket: BatchSocket,
    streams: Streams,
    engine: Sfu,
    rings: Rings,
    /// Where all shards are on one port.
    door: Option<Door>,
    commands: Receiver<Command>,
    reports: Sender<Report>,
    meter: Meter,
    wake: Option<Instant>,
    /// When this thread's stack is wiped: senders' addresses stand there, and nothing else may come for hours.
    wipe: Option<Instant>,
}

impl Shard {
    async fn run(mut self) {
        let bell = self.rings.bell();
        loop {
            let wake = self.wake();
            tokio::select! {
                readable = self.socket.readable() => match readable {
                    Ok(()) => self.drain_socket(),
                    Err(error) => {
                        veilcast_logs::error!("a media socket has failed", reason = Reason::from(error.kind()));
                        return;
                    }
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
            if self.wipe.is_some_and(|at| at <= Instant::now()) {
                self.wipe = None;
                veilcast_privacy::wipe_stack();
            }
            self.see_to_door();
            self.streams.tidy(&self.engine, Instant::now());
            self.pump().await;
        }
    }

    /// When to look again, if nothing comes before.
    fn wake(&self) -> Option<Instant> {
        // A ring that was full is tried again soon: its reader rings no bell.
        let retry = self.rings.is_clogged().then(|| Instant::now() + RETRY);
        let forgetting = self.door.as_ref().and_then(Door::wake);
        self.wake.into_iter().chain(retry).chain(self.streams.wake()).chain(forgetting).chain(self.wipe).min()
    }

    /// Takes what the other shards have put in.
    fn drain_rings(&mut self) {
        let now = Instant::now();
        while let Some(cast) = self.rings.receive() {
            self.engine.handle(Input::Cast(cast), now);
        }
        if let Some(door) = &mut self.door {
            door.sort(&mut self.engine, now);
        }
    }

    /// Takes what the socket holds as one batch.
    fn drain_socket(&mut self) {
        let Self { socket, engine, meter, door, wipe, .. } = self;
        wipe.get_or_insert_with(|| Instant::now() + TRACES);
        meter.woke();
        match door {
            None => receive(socket, |tuple, bytes, at| {
                meter.received(bytes.len());
                engine.handle(Input::Datagram { tuple, bytes }, at);
            }),
            Some(door) => receive(socket, |tuple, bytes, at| {
                meter.received(bytes.len());
                door.take(tuple, bytes, at, engine);
            }),
        }
    }

    /// Takes what connections have brought.
    fn drain_streams(&mut self, first: Event) {
        let now = Instant::now();
        self.wipe.get_or_insert(now + TRACES);
        self.take_event(first, now);
        for _ in 1..MAX_EVENTS {
            let Some(event) = self.streams.ready() else { break };
            self.take_event(event, now);
        }
    }

    fn take_event(&mut self, event: Event, now: Instant) {
        if let Some((owner, guest)) = self.streams.take(event, &mut self.engine, now)
            && let Some(door) = &mut self.door
        {
            door.hand_over(owner, guest, &mut self.engine);
        }
    }

    /// Welcomes connections from other shards, and lets those know of what has been sent to them.
    fn see_to_door(&mut self) {
        let Some(door) = &mut self.door else { return };
        let now = Instant::now();
        for guest in door.arrived() {
            self.streams.welcome(guest, &mut self.engine, now);
        }
        door.tidy(now);
    }

    /// Does everything the engine wants.
    async fn pump(&mut self) {
        let now = Instant::now();
        let (mut crossed, mut patience) = (false, None);
        loop {
            match self.engine.poll(now) {
                Output::Send(run) => {
                    // The other shards begin while this one sends.
                    if std::mem::take(&mut crossed) {
                        self.rings.ring_bells();
                    }
                    self.meter.sends(&run);
                    match run.tuple.transport {
                        Transport::Udp if self.socket.send(&run, &mut patience).await => {}
                        Transport::Udp => self.meter.drops(),
                        Transport::Tcp => self.streams.send(&run),
                    }
                }
                Output::Report(mut report) => {
                    if let Report::Figures(figures) = &mut report {
                        figures.load = self.meter.read();
                    }
                    if let Report::Connected { profile, .. } = &report {
                        veilcast_logs::debug!("a media session is protected", profile = name_of(*profile));
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

/// Takes what the socket holds.
fn receive(socket: &mut BatchSocket, mut each: impl FnMut(Tuple, &mut [u8], Instant)) {
    for _ in 0..MAX_RECEIVES {
        match socket.receive(&mut each) {
            Ok(true) => {}
            // An ICMP error of one peer must not stop the others.
            Ok(false) | Err(_) => break,
        }
    }
}
