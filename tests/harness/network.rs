use crate::Random;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What a path does to datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// One way.
    pub delay: Duration,
    /// Added at random, 0 to this; more than the spacing of packets reorders them.
    pub jitter: Duration,
    /// Probability that a datagram is lost.
    pub loss: f64,
    /// Probability that it arrives twice.
    pub duplication: f64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { delay: Duration::from_millis(10), jitter: Duration::ZERO, loss: 0.0, duplication: 0.0 }
    }
}

/// A datagram on its way.
pub struct Flight {
    /// Who sent it.
    pub from: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What stands in the way to one address: so many bits a second, and a queue before it.
struct Bottleneck {
    bps: u64,
    free: Instant,
}

/// What waits longer than this before a bottleneck is dropped.
const QUEUE: Duration = Duration::from_millis(300);

/// A seeded network. Paths have no limits of bandwidth but those that a test sets.
pub struct Network {
    /// Of every path.
    pub conditions: Conditions,
    random: Random,
    in_flight: BinaryHeap<Reverse<(Instant, u64)>>,
    flights: HashMap<u64, Flight>,
    next: u64,
    bottlenecks: HashMap<SocketAddr, Bottleneck>,
    /// Datagrams that were lost.
    pub lost: u64,
}

impl Network {
    /// A network whose chance comes from `seed`.
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Self {
            conditions,
            random: Random::new(seed),
            in_flight: BinaryHeap::new(),
            flights: HashMap::new(),
            next: 0,
            bottlenecks: HashMap::new(),
            lost: 0,
        }
    }

    /// Lets so many bits a second through to this address from now on.
    pub fn limit(&mut self, to: SocketAddr, bps: u64, now: Instant) {
        let free = self.bottlenecks.get(&to).map_or(now, |known| known.free.max(now));
        self.bottlenecks.insert(to, Bottleneck { bps, free });
    }

    /// When a datagram of this length has passed the bottleneck; `None` if the queue is full.
    fn pass(&mut self, to: SocketAddr, len: usize, now: Instant) -> Option<Instant> {
        let Some(bottleneck) = self.bottlenecks.get_mut(&to) else { return Some(now) };
        let begins = bottleneck.free.max(now);
        if begins > now + QUEUE {
            return None;
        }
        // Headers of UDP and IP are carried, too.
        bottleneck.free = begins + Duration::from_nanos((len as u64 + 28) * 8_000_000_000 / bottleneck.bps);
        Some(bottleneck.free)
    }

    /// Sends a datagram.
    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>, now: Instant) {
        let copies = if self.random.unit() < self.conditions.duplication { 2 } else { 1 };
        for _ in 0..copies {
            if self.random.unit() < self.conditions.loss {
                self.lost += 1;
                continue;
            }
            let Some(passed) = self.pass(to, bytes.len(), now) else {
                self.lost += 1;
                continue;
            };
            let at = passed + self.conditions.delay + self.conditions.jitter.mul_f64(self.random.unit());
            self.in_flight.push(Reverse((at, self.next)));
            self.flights.insert(self.next, Flight { from, to, bytes: bytes.clone() });
            self.next += 1;
        }
    }

    /// The next arrival up to `until`.
    pub fn arrive(&mut self, until: Instant) -> Option<(Instant, Flight)> {
        let Reverse((at, number)) = self.in_flight.peek().copied().filter(|Reverse((at, _))| *at <= until)?;
        self.in_flight.pop();
        Some((at, self.flights.remove(&number)?))
    }

    /// When the next datagram arrives.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.in_flight.peek().map(|Reverse((at, _))| *at)
    }
}
