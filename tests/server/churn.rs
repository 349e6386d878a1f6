//! People come and go for as long as a server runs: what it holds of them must not grow (THREATS 25). `make test` runs this
//! for some seconds, `make soak` for ten minutes, with clients that vanish.

use super::bound::Bound;
use super::lifecycle::Page;
use super::process::{MACHINE, Server, until};
use super::wire::{Reply, SDP, ask};
use harness::Peer;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use veilcast_control::Setup;

/// Joins a second, and as many leaves.
const RATE: u32 = 20;
/// How long a viewer stays, to begin with; some stay twice as long.
const STAY: Duration = Duration::from_millis(800);
/// After so long without a check a session is over (RFC 7675), and a moment later it is cleared away.
const CONSENT: Duration = Duration::from_secs(35);

/// How much of it.
struct Scale {
    warm: Duration,
    churn: Duration,
    /// Opened and closed over `/ws`, every other of them without a goodbye.
    sockets: usize,
    /// Viewers that vanish.
    kills: u32,
}

impl Scale {
    fn told() -> Self {
        match std::env::var_os("SOAK") {
            Some(_) => {
                Self { warm: Duration::from_secs(60), churn: Duration::from_secs(540), sockets: 2_000, kills: 200 }
            }
            None => Self { warm: Duration::from_secs(5), churn: Duration::from_secs(12), sockets: 200, kills: 0 },
        }
    }
}

/// What a process holds.
#[derive(Clone, Copy)]
struct Held {
    kilobytes: u64,
    threads: u64,
    descriptors: usize,
}

impl Held {
    fn by(server: &Server) -> Self {
        let process = format!("/proc/{}", server.process.id());
        let status = std::fs::read_to_string(format!("{process}/status")).expect("it runs");
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("as proc(5) says");
            line.split_whitespace().find_map(|word| word.parse().ok()).expect("a number")
        };
        // The server lets nobody look into it but root; others see how many it had room for.
        let descriptors = std::fs::read_dir(format!("{process}/fd")).map(Iterator::count);
        let descriptors = descriptors.unwrap_or_else(|_| figure("FDSize:") as usize);
        Self { kilobytes: figure("VmRSS:"), threads: figure("Threads:"), descriptors }
    }
}

/// Shared by everybody in the event.
struct Event {
    server: Server,
    path: String,
    watch: String,
    /// Whoever opens a page; a whole audience may hold one key here.
    page: Bound,
    /// Sessions that have been, connected or not.
    joined: AtomicU32,
    connected: AtomicU32,
    /// Packets that viewers got.
    packets: AtomicUsize,
    seed: AtomicU32,
    /// As the broadcaster's page is told.
    viewers: AtomicU32,
    /// The sockets of those that went without a goodbye.
    vanished: tokio::sync::Mutex<Vec<UdpSocket>>,
}

/// A peer on a socket of its own.
struct Seat {
    peer: Peer,
    socket: UdpSocket,
    to: SocketAddr,
    location: String,
    token: String,
}

impl Seat {
    /// Posts an offer and connects.
    async fn take(event: &Event, path: &str, token: &str, direction: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let seed = event.seed.fetch_add(1, Ordering::Relaxed).into();
        let mut peer = Peer::new(socket.local_addr().expect("bound"), Setup::ActPass, seed);
        peer.repairs = false;
        let offer = harness::sdp_offer(&peer, direction);
        let request = ask(&event.server, "POST", path).bearer_auth(token).header("content-type", SDP).body(offer);
        let reply = Reply::of(request).await;
        let location = reply.location();
        event.joined.fetch_add(1, Ordering::Relaxed);
        let mut answer = harness::sdp_answer(&reply.body);
        answer.candidates.retain(|candidate| candidate.address.ip().is_loopback() && candidate.address.is_ipv4());
        let to = answer.candidates[0].address;
        peer.accept(&answer, Instant::now());
        let mut seat = Self { peer, socket, to, location, token: token.to_owned() };
        let until = Instant::now() + Duration::from_secs(20);
        while !seat.peer.connected {
            assert!(Instant::now() < until, "a peer does not connect");
            seat.listen(Duration::from_millis(20)).await;
        }
        event.connected.fetch_add(1, Ordering::Relaxed);
        seat
    }

    /// Sends what there is to send and takes what comes, for `time`.
    async fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        let mut buffer = [0; 2_048];
        loop {
            self.peer.advance(Instant::now());
            for bytes in self.peer.take_outbox() {
                self.socket.send_to(&bytes, self.to).await.expect("loopback takes it");
            }
            let now = Instant::now();
            let wake = self.peer.wake().unwrap_or(until).clamp(now, until.max(now));
            match tokio::time::timeout(wake.saturating_duration_since(now), self.socket.recv(&mut buffer)).await {
                Ok(received) => self.peer.receive(&buffer[..received.expect("loopback")], Instant::now()),
                Err(_) if Instant::now() >= until => return,
                Err(_) => {}
            }
        }
    }

    /// Leaves; and then there is no such session any more.
    async fn leave(self, server: &Server) {
        for expected in [200, 404] {
            let reply = Reply::of(ask(server, "DELETE", &self.location).bearer_auth(&self.token)).await;
            assert_eq!(reply.status, expected, "{}", reply.body);
        }
    }
}

async fn view(event: Arc<Event>, vanishes: bool, stay: Duration) {
    let mut seat = Seat::take(&event, &format!("/whep/{}", event.path), &event.watch, "recvonly").await;
    seat.listen(stay).await;
    event.packets.fetch_add(seat.peer.arrivals as usize, Ordering::Relaxed);
    if vanishes {
        // Whoever got its port would be sent what is still meant for it.
        event.vanished.lock().await.push(seat.socket);
    } else {
        seat.leave(&event.server).await;
    }
}

/// Broadcasts until it is told to stop, then leaves.
async fn broadcast(event: Arc<Event>, token: String, mut stop: tokio::sync::oneshot::Receiver<()>) {
    let mut seat = Seat::take(&event, &format!("/whip/{}", event.path), &token, "sendonly").await;
    let mut frames = 0_u32;
    while stop.try_recv().is_err() {
        let key = seat.peer.take_key_frame_due();
        seat.peer.send_video(frames.wrapping_mul(3_000), key, 2, 600);
        seat.peer.send_audio(frames.wrapping_mul(960));
        frames += 1;
        seat.listen(Duration::from_millis(33)).await;
    }
    seat.leave(&event.server).await;
}

/// Joins and leaves for `time`, with so many sockets and kills spread over it.
async fn churn(event: &Arc<Event>, time: Duration, sockets: usize, mut kills: u32, each: impl Fn(Duration)) {
    let begun = Instant::now();
    let rounds = (time.as_secs_f64() * f64::from(RATE)) as u32;
    let per_round = sockets.div_ceil(rounds.max(1) as usize);
    let (mut tasks, mut opened) = (JoinSet::new(), 0);
    for round in 0..rounds {
        let vanishes = kills > 0 && round % 8 == 0;
        kills -= u32::from(vanishes);
        tasks.spawn(view(Arc::clone(event), vanishes, STAY * (1 + round % 2)));
        for at in 0..per_round.min(sockets - opened) {
            let event = Arc::clone(event);
            let says_goodbye = (opened + at) % 2 == 0;
            tasks.spawn(async move {
                let (page, _) = Page::enter(&event.server, &event.page).await;
                if says_goodbye {
                    page.leave().await;
                }
            });
        }
        opened += per_round.min(sockets - opened);
        while let Some(done) = tasks.try_join_next() {
            done.expect("a viewer's task");
        }
        each(begun.elapsed());
        tokio::time::sleep((begun + time / rounds * (round + 1)).saturating_duration_since(Instant::now())).await;
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a viewer's task");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[expect(clippy::print_stdout, reason = "make soak shows the table")]
async fn nothing_grows_while_people_come_and_go() {
    let _alone = MACHINE.lock().await;
    let scale = Scale::told();
    let server = Server::start().await;
    let path = server.event();
    let (token, watch) = (server.token(&path, "broadcast"), server.token(&path, "watch"));
    let (page, _) = Page::enter(&server, &server.invited(&path, "broadcast").await).await;
    let invited = server.invited(&path, "watch").await;
    let event = Arc::new(Event {
        server,
        path,
        watch,
        page: invited,
        joined: AtomicU32::new(0),
        connected: AtomicU32::new(0),
        packets: AtomicUsize::new(0),
        seed: AtomicU32::new(1),
        viewers: AtomicU32::new(0),
        vanished: tokio::sync::Mutex::default(),
    });
    let audience = tokio::spawn(listen(Arc::clone(&event), page));
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let broadcaster = tokio::spawn(broadcast(Arc::clone(&event), token, stopped));
    let row = |when: &str| {
        let Held { kilobytes, threads, descriptors } = Held::by(&event.server);
        let joined = event.joined.load(Ordering::Relaxed);
        println!("{when:>12} {joined:>8} {:>9.1} {threads:>8} {descriptors:>12}", kilobytes as f64 / 1_024.0);
    };
    println!("{:>12} {:>8} {:>9} {:>8} {:>12}", "when", "joined", "RSS MiB", "threads", "descriptors");
    row("start");
    // Whatever is allocated once is allocated by then.
    churn(&event, scale.warm, scale.sockets / 4, 0, |_| {}).await;
    let before = nobody_left(&event).await;
    row("warm, empty");
    let next = AtomicU32::new(1);
    churn(&event, scale.churn, scale.sockets - scale.sockets / 4, scale.kills, |elapsed| {
        let minute = next.load(Ordering::Relaxed);
        if elapsed >= Duration::from_secs(60) * minute {
            row(&format!("{minute} min"));
            next.store(minute + 1, Ordering::Relaxed);
        }
    })
    .await;
    if scale.kills > 0 {
        tokio::time::sleep(CONSENT).await;
    }
    let after = nobody_left(&event).await;
    row("after, empty");
    stop.send(()).expect("it still broadcasts");
    broadcaster.await.expect("it leaves");
    audience.abort();

    let joined = event.joined.load(Ordering::Relaxed);
    assert_eq!(event.connected.load(Ordering::Relaxed), joined, "everybody who came connected");
    assert!(event.packets.load(Ordering::Relaxed) > joined as usize * 20, "and saw something");
    assert!(
        after.descriptors <= before.descriptors + 2,
        "{} descriptors, then {}",
        before.descriptors,
        after.descriptors
    );
    assert!(after.threads <= before.threads + 2, "{} threads, then {}", before.threads, after.threads);
    // An allocator's leftovers; a session that stayed would be ten times as much in so many joins.
    let growth = after.kilobytes.saturating_sub(before.kilobytes);
    assert!(growth < 4_096, "{growth} KiB more than before, after {joined} joins");
}

/// Keeps what the server says about how many watch.
async fn listen(event: Arc<Event>, mut page: Page) {
    loop {
        // Fewer than five are told as none.
        let viewers = page.hear("audience").await["viewers"].as_u64().unwrap_or(0);
        event.viewers.store(viewers as u32, Ordering::Relaxed);
    }
}

/// Waits until the server tells of no audience and connections have closed, and looks at what it holds.
async fn nobody_left(event: &Event) -> Held {
    until("the server knows of no audience", async || event.viewers.load(Ordering::Relaxed) == 0).await;
    let mut last = Held::by(&event.server);
    until("its descriptors are closed", async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = Held::by(&event.server);
        let settled = now.descriptors >= last.descriptors;
        last = now;
        settled
    })
    .await;
    last
}
