//! The real media plane on real sockets, with peers that connect over loopback: each viewer has a port of its own.

use crate::broadcast::Broadcaster;
use crate::drain::{Drain, Seat};
use crate::{Failure, cpu, heap};
use harness::{LightViewer, Peer, Random};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use veilcast_control::{
    Admission, Answer, Command, IceCredentials, PeerKey, Report, Role, RoomKey, RoomSettings, Seed, Setup,
};
use veilcast_privacy::Secret;

const ROOM: RoomKey = RoomKey(1);
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Viewers whose packets are opened to see how long they took; opening all would measure the viewers.
const SAMPLES: usize = 16;

/// What is under way when a broadcaster stops has arrived after this, and the shards sleep.
const SETTLE: Duration = Duration::from_millis(150);

/// The running media plane and everybody connected to it.
pub(crate) struct Plane {
    commands: tokio::sync::mpsc::Sender<Command>,
    reports: mpsc::Receiver<Report>,
    threads: BTreeSet<u32>,
    broadcaster: Option<Broadcaster>,
    /// What each viewer proves its consent with, and the socket it does so on.
    guests: Vec<(Peer, UdpSocket)>,
    pub(crate) samples: Vec<Arc<Mutex<LightViewer>>>,
    pub(crate) drain: Drain,
    epoch: Instant,
    random: Random,
    next_key: u64,
}

/// What one spell on air took.
#[derive(Clone, Copy)]
pub(crate) struct Spell {
    /// RTP packets that viewers received.
    pub(crate) packets: u64,
    /// Those that should have arrived and did not.
    pub(crate) lost: u64,
    /// CPU time of all shards.
    pub(crate) cpu: Duration,
    /// Packets that a probe received, and the system calls that sent them.
    pub(crate) probed: (u64, u64),
}

impl Spell {
    pub(crate) fn nanos_per_packet(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.packets.max(1) as f64
    }
}

impl Plane {
    /// Starts so many shards and opens the one room.
    pub(crate) fn start(shards: usize) -> Result<Self, Failure> {
        let before = cpu::shard_threads()?;
        let config = veilcast_shard::Config {
            first_port: free_ports(shards)?,
            shared_port: false,
            shards,
            addresses: vec![LOCALHOST],
            advertised_port: None,
        };
        let (started, start) = mpsc::channel();
        let (reporter, reports) = mpsc::channel();
        std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            let mut group = heap::group();
            let _ours = group.enter();
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                let mut running = match veilcast_shard::start(&config) {
                    Ok(running) => running,
                    Err(error) => return drop(started.send(Err(Failure::from(error)))),
                };
                if started.send(Ok(running.commands)).is_err() {
                    return;
                }
                while let Some(report) = running.reports.recv().await {
                    if reporter.send(report).is_err() {
                        return;
                    }
                }
            });
        })?;
        let commands = start.recv()??;
        commands.blocking_send(Command::Open { room: ROOM, settings: RoomSettings::default() })?;
        // The threads have their names a moment after they exist.
        std::thread::sleep(SETTLE);
        let threads: BTreeSet<u32> = cpu::shard_threads()?.difference(&before).copied().collect();
        if threads.len() != shards {
            return Err(format!("{} threads run {shards} shards", threads.len()).into());
        }
        Ok(Self {
            commands,
            reports,
            threads,
            broadcaster: None,
            guests: Vec::new(),
            samples: Vec::new(),
            drain: Drain::start()?,
            epoch: Instant::now(),
            random: Random::new(1),
            next_key: 1,
        })
    }

    /// Lets the broadcaster in and puts it on air.
    pub(crate) fn broadcast(&mut self) -> Result<(), Failure> {
        let (peer, socket, _) = self.connect(Role::Broadcaster)?;
        let broadcaster = Broadcaster::start(peer, socket, self.epoch)?;
        broadcaster.set_on_air(true);
        self.broadcaster = Some(broadcaster);
        Ok(())
    }

    /// Lets a broadcaster in that is the caller's to run.
    pub(crate) fn studio(&mut self) -> Result<(Peer, UdpSocket), Failure> {
        let (peer, socket, _) = self.connect(Role::Broadcaster)?;
        Ok((peer, socket))
    }

    /// RTP packets that viewers have received so far, and the CPU time of all shards.
    pub(crate) fn spent(&self) -> Result<(u64, Duration), Failure> {
        Ok((self.drain.tally().packets, cpu::of(&self.threads)?))
    }

    /// Lets so many viewers in, some of them samples. All get media in the end.
    pub(crate) fn seat(&mut self, viewers: usize) -> Result<(), Failure> {
        let every = viewers.div_ceil(SAMPLES);
        for number in 0..viewers {
            let (mut peer, socket, answer) = self.connect(Role::Viewer)?;
            let mut seat = Seat::Plain;
            if number % every == 0 {
                // The sample gives everything up but watching; its consent is another peer's task from now on.
                let mut twin = Peer::new(peer.address, Setup::ActPass, self.random.bits());
                twin.ice = peer.ice.clone();
                twin.accept(&answer, Instant::now());
                let light = std::mem::replace(&mut peer, twin).into_light(self.epoch).ok_or("not connected")?;
                let light = Arc::new(Mutex::new(light));
                self.samples.push(Arc::clone(&light));
                seat = Seat::Sample(light);
            }
            self.drain.add(socket.try_clone()?, seat)?;
            self.guests.push((peer, socket));
            if number % 256 == 255 {
                self.consent()?;
            }
        }
        Ok(())
    }

    /// Lets one more viewer in, who sees how many packets a system call sent.
    pub(crate) fn seat_probe(&mut self) -> Result<(), Failure> {
        let (peer, socket, _) = self.connect(Role::Viewer)?;
        self.drain.add(socket.try_clone()?, Seat::Probe)?;
        self.guests.push((peer, socket));
        Ok(())
    }

    /// Opens so many drained sockets that nobody watches on.
    pub(crate) fn sockets(&self, count: usize) -> Result<Vec<SocketAddr>, Failure> {
        let open = |_| {
            let socket = UdpSocket::bind((LOCALHOST, 0))?;
            let address = socket.local_addr()?;
            self.drain.add(socket, Seat::Plain)?;
            Ok(address)
        };
        (0..count).map(open).collect()
    }

    /// Where the viewers are.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.guests.iter().map(|(peer, _)| peer.address).collect()
    }

    /// Has every viewer prove that it still wants to watch (RFC 7675). To be called every ten seconds.
    pub(crate) fn consent(&mut self) -> Result<(), Failure> {
        for (peer, socket) in &mut self.guests {
            peer.check();
            flush(peer, socket)?;
        }
        Ok(())
    }

    /// Takes the broadcaster off the air and waits until all is quiet.
    pub(crate) fn silence(&self) {
        if let Some(broadcaster) = &self.broadcaster {
            broadcaster.set_on_air(false);
        }
        std::thread::sleep(SETTLE);
    }

    /// See [`Broadcaster::feedback_jitter`].
    pub(crate) fn feedback_jitter(&self) -> Duration {
        self.broadcaster.as_ref().map(Broadcaster::feedback_jitter).unwrap_or_default()
    }

    /// Broadcasts for so long, from silence to silence.
    pub(crate) fn air(&mut self, duration: Duration) -> Result<Spell, Failure> {
        // What they reported meanwhile is of no interest.
        while self.reports.try_recv().is_ok() {}
        let broadcaster = self.broadcaster.as_ref().ok_or("nobody broadcasts")?;
        let (cpu, tally, sent) = (cpu::of(&self.threads)?, self.drain.tally(), broadcaster.packets());
        broadcaster.set_on_air(true);
        std::thread::sleep(duration);
        self.silence();
        let broadcaster = self.broadcaster.as_ref().ok_or("nobody broadcasts")?;
        let came = self.drain.tally().since(tally);
        let expected = (broadcaster.packets() - sent) * self.guests.len() as u64;
        Ok(Spell {
            packets: came.packets,
            lost: expected.saturating_sub(came.packets),
            cpu: cpu::of(&self.threads)? - cpu,
            probed: (came.probed, came.probed_runs),
        })
    }

    /// Admits a peer and takes ICE and DTLS to their end.
    fn connect(&mut self, role: Role) -> Result<(Peer, UdpSocket, Answer), Failure> {
        let socket = UdpSocket::bind((LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(20)))?;
        let mut peer = Peer::new(socket.local_addr()?, Setup::ActPass, self.random.bits());
        let answer = self.admit(&peer, role)?;
        peer.accept(&answer, Instant::now());
        let until = Instant::now() + Duration::from_secs(10);
        let mut buffer = [0; 2_048];
        while !peer.connected {
            if Instant::now() > until {
                return Err("a peer did not connect within 10 s".into());
            }
            peer.advance(Instant::now());
            flush(&mut peer, &socket)?;
            if let Ok(len) = socket.recv(&mut buffer) {
                peer.receive(&buffer[..len], Instant::now());
            }
        }
        flush(&mut peer, &socket)?;
        Ok((peer, socket, answer))
    }

    fn admit(&mut self, peer: &Peer, role: Role) -> Result<Answer, Failure> {
        let key = PeerKey(self.next_key);
        self.next_key += 1;
        let bits = [self.random.bits(), self.random.bits(), self.random.bits()];
        let (ice, fingerprint) = (&peer.ice, peer.fingerprint());
        let command = heap::as_server(|| {
            let offer = if role == Role::Broadcaster { harness::broadcast_offer } else { harness::watch_offer };
            let ours = IceCredentials {
                ufrag: format!("{:016x}", bits[0]),
                password: Secret::new(format!("{:016x}{:016x}", bits[1], bits[2]).into_bytes()),
            };
            let theirs = IceCredentials {
                ufrag: ice.ufrag.as_str().to_owned(),
                password: Secret::new(ice.password.expose_secret()),
            };
            Command::Admit(Box::new(Admission {
                room: ROOM,
                peer: key,
                part: role.into(),
                ice: ours,
                seed: Seed(Secret::new(bits[0].to_be_bytes())),
                offer: offer(theirs, fingerprint, Setup::ActPass),
            }))
        });
        self.commands.blocking_send(command)?;
        loop {
            match self.reports.recv_timeout(Duration::from_secs(10))? {
                Report::Answer { peer, answer } if peer == key => return Ok(*answer),
                Report::Fault { peer, fault } if peer == key => return Err(format!("refused: {fault:?}").into()),
                _ => {}
            }
        }
    }
}

fn flush(peer: &mut Peer, socket: &UdpSocket) -> Result<(), Failure> {
    let to = peer.server_address().ok_or("not answered")?;
    for bytes in peer.take_outbox() {
        socket.send_to(&bytes, to)?;
    }
    Ok(())
}

/// The first of so many neighbouring ports that are free now.
fn free_ports(count: usize) -> Result<u16, Failure> {
    for _ in 0..100 {
        let first = UdpSocket::bind((LOCALHOST, 0))?.local_addr()?.port();
        let is_free = |port| UdpSocket::bind((LOCALHOST, port)).is_ok() && TcpListener::bind((LOCALHOST, port)).is_ok();
        let free = |number| first.checked_add(number).is_some_and(is_free);
        if (0..count as u16).all(free) {
            return Ok(first);
        }
    }
    Err("there are no neighbouring free ports".into())
}
