//! The whole of it on simulated links: estimate, choice and pacing, in virtual time and with seeded chance.

use super::budget::{self, Choice, Layer, Situation, Steady};
use super::estimate::{Estimator, Probe};
use super::pace::Pacer;
use crate::feedback::transport::Arrivals;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A broadcast in three layers with two temporal layers each, and its sound: 100 bytes each 20 ms.
const LAYERS: [[u32; 2]; 3] = [[90_000, 150_000], [300_000, 500_000], [1_500_000, 2_500_000]];
const AUDIO: u32 = 40_000;
const TOP: Choice = Choice::Layer { index: 2, temporal: 1 };
const PACKET: usize = 1_200;

/// A link with one queue at its entrance, and chance.
#[derive(Clone, Copy)]
struct Path {
    /// Capacity in bit/s from each second on.
    steps: &'static [(u64, u64)],
    /// What the queue holds, in milliseconds at the capacity of the moment.
    queue_ms: u64,
    /// Each way.
    delay_ms: u64,
    /// Uniform, both ways around the delay; packets stay in order unless told otherwise.
    jitter_ms: u64,
    /// Jitter overtakes.
    reorders: bool,
    /// In thousandths, both ways.
    loss: u64,
    feedback_ms: u64,
    /// Seconds in which no feedback comes through.
    deaf: (u64, u64),
    /// How much faster the receiver's clock goes, in millionths.
    drift: u64,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            steps: &[(0, 4_000_000)],
            queue_ms: 400,
            delay_ms: 20,
            jitter_ms: 0,
            reorders: false,
            loss: 0,
            feedback_ms: 50,
            deaf: (0, 0),
            drift: 0,
        }
    }
}

impl Path {
    fn capacity(&self, micros: u64) -> u64 {
        let past = self.steps.iter().take_while(|(from, _)| from * 1_000_000 <= micros);
        past.last().map_or(0, |(_, capacity)| *capacity)
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

/// What one 100 ms of a run was like.
struct Moment {
    at_ms: u64,
    estimate: u32,
    choice: Choice,
    /// The longest that a packet queued.
    queue_ms: u64,
    /// Bytes that arrived.
    bytes: u64,
}

struct Simulation {
    path: Path,
    random: Random,
    start: Instant,
    estimator: Estimator,
    steady: Steady,
    pacer: Pacer,
    number: u16,
    /// Sizes of packets that wait for the pacer.
    waiting: VecDeque<usize>,
    probe: Option<(Probe, u32, u64)>,
    link_free: u64,
    last_arrival: u64,
    /// Packets on their way: arrival and number.
    flying: VecDeque<(u64, u16, usize)>,
    arrivals: Arrivals,
    /// Feedback on its way back.
    returning: VecDeque<(u64, Vec<u8>)>,
    key_frame: bool,
    changes: u32,
    queue_ms: u64,
    bytes: u64,
    padding: u64,
}

impl Simulation {
    fn new(path: Path, seed: u64) -> Self {
        let start = Instant::now();
        Self {
            path,
            random: Random(seed),
            start,
            estimator: Estimator::new(1_000_000, start),
            steady: Steady::default(),
            pacer: Pacer::new(1_000_000, start),
            number: 65_000,
            waiting: VecDeque::new(),
            probe: None,
            link_free: 0,
            last_arrival: 0,
            flying: VecDeque::new(),
            arrivals: Arrivals::new(start),
            returning: VecDeque::new(),
            key_frame: true,
            changes: 0,
            queue_ms: 0,
            bytes: 0,
            padding: 0,
        }
    }

    fn run(&mut self, seconds: u64) -> Vec<Moment> {
        let mut moments = Vec::new();
        for at_ms in 0..seconds * 1_000 {
            self.step(at_ms);
            if at_ms % 100 == 99 {
                moments.push(Moment {
                    at_ms,
                    estimate: self.estimator.estimate_bps(),
                    choice: self.steady.choice,
                    queue_ms: std::mem::take(&mut self.queue_ms),
                    bytes: std::mem::take(&mut self.bytes),
                });
            }
        }
        moments
    }

    fn step(&mut self, at_ms: u64) {
        let micros = at_ms * 1_000;
        let now = self.start + Duration::from_micros(micros);
        self.receive(micros, at_ms);
        while self.returning.front().is_some_and(|(at, _)| *at <= micros) {
            if let Some((_, body)) = self.returning.pop_front() {
                self.estimator.feedback(&body, now);
            }
        }
        if self.estimator.wake().is_some_and(|at| at <= now) {
            self.estimator.timeout(now);
        }
        self.choose(now);
        self.produce(at_ms, now, micros);
        self.pace(now, micros);
        self.send_probe(now, micros);
    }

    fn choose(&mut self, now: Instant) {
        let layers = [0, 1, 2].map(|index| Layer { index, cumulated: &LAYERS[usize::from(index)] });
        let (estimate, proved) = (self.estimator.estimate_bps(), self.estimator.proved_bps());
        let situation = Situation { estimate, proved, reserved: AUDIO, layers: &layers, cap: 2 };
        let before = self.steady.choice;
        self.steady = budget::choose(self.steady, &situation, now);
        if before != self.steady.choice {
            self.changes += 1;
            self.key_frame = true;
        }
        let sending = match self.steady.choice {
            Choice::Paused => AUDIO,
            Choice::Layer { index, temporal } => LAYERS[usize::from(index)][usize::from(temporal)] + AUDIO,
        };
        self.pacer.adjust(estimate, sending, now);
        if self.probe.is_none()
            && let Some(goal) = budget::goal(self.steady.choice, &situation)
            && let Some(probe) = self.estimator.wants_probe(now, goal)
        {
            self.probe = Some((probe, 0, 0));
        }
    }

    /// Sound each 20 ms; a frame each 33 ms, in runs of up to four packets 5 ms apart.
    fn produce(&mut self, at_ms: u64, now: Instant, micros: u64) {
        if at_ms.is_multiple_of(20) {
            self.pacer.spend(100, now);
            self.transmit(&[100], now, micros);
        }
        let Choice::Layer { index, temporal } = self.steady.choice else {
            self.waiting.clear();
            return;
        };
        if !at_ms.is_multiple_of(33) {
            return;
        }
        let mean = u64::from(LAYERS[usize::from(index)][usize::from(temporal)]) * 33 / 8_000;
        let mut size = mean * (75 + self.random.below(50)) / 100;
        if std::mem::take(&mut self.key_frame) {
            size = mean * 5;
        }
        let mut left = size as usize;
        while left > 0 {
            self.waiting.push_back(left.min(PACKET));
            left = left.saturating_sub(PACKET);
        }
    }

    fn pace(&mut self, now: Instant, micros: u64) {
        if !(micros / 1_000).is_multiple_of(5) {
            return;
        }
        let run: Vec<usize> = self.waiting.iter().copied().take(4).collect();
        if !run.is_empty() && self.pacer.take(run.iter().sum(), now).is_ok() {
            self.waiting.drain(..run.len());
            self.transmit(&run, now, micros);
        }
    }

    fn send_probe(&mut self, now: Instant, micros: u64) {
        let Some((probe, sent, due)) = self.probe else { return };
        if sent >= probe.bytes {
            self.probe = None;
            return;
        }
        if micros < due {
            return;
        }
        // What media has not used since the last run is padding.
        let packets = (probe.run_bytes() as usize).div_ceil(PACKET);
        let size = probe.run_bytes() as usize / packets;
        self.padding += (packets * size) as u64;
        self.transmit(&vec![size; packets], now, micros);
        if let Some((_, _, due)) = &mut self.probe {
            *due = micros + Probe::GAP.as_micros() as u64;
        }
    }

    /// A run leaves at once; the link takes its packets one by one.
    fn transmit(&mut self, run: &[usize], now: Instant, micros: u64) {
        let bytes: usize = run.iter().sum();
        let cluster = self.probe.as_mut().map(|(probe, sent, _)| {
            *sent += bytes as u32;
            probe.cluster
        });
        self.estimator.sent(self.number, run.len() as u8, bytes as u32, cluster, now);
        for size in run {
            let number = self.number;
            self.number = number.wrapping_add(1);
            let capacity = self.path.capacity(micros);
            let queued = self.link_free.saturating_sub(micros);
            if queued > self.path.queue_ms * 1_000 || self.random.below(1_000) < self.path.loss {
                continue;
            }
            self.queue_ms = self.queue_ms.max(queued / 1_000);
            self.link_free = self.link_free.max(micros) + *size as u64 * 8 * 1_000_000 / capacity;
            let jitter = self.random.below(2_000 * self.path.jitter_ms + 1);
            let arrival = self.link_free + self.path.delay_ms * 1_000 + jitter - self.path.jitter_ms * 1_000;
            self.last_arrival = if self.path.reorders { arrival } else { self.last_arrival.max(arrival) };
            let later = self.flying.iter().rev().take_while(|(at, ..)| *at > self.last_arrival).count();
            self.flying.insert(self.flying.len() - later, (self.last_arrival, number, *size));
        }
    }

    fn receive(&mut self, micros: u64, at_ms: u64) {
        while self.flying.front().is_some_and(|(at, ..)| *at <= micros) {
            if let Some((at, number, size)) = self.flying.pop_front() {
                let clock = at + at * self.path.drift / 1_000_000;
                self.arrivals.note(number, self.start + Duration::from_micros(clock));
                self.bytes += size as u64;
            }
        }
        if at_ms.is_multiple_of(self.path.feedback_ms)
            && let Some(body) = self.arrivals.take()
            && self.random.below(1_000) >= self.path.loss
            && !(self.path.deaf.0 * 1_000..self.path.deaf.1 * 1_000).contains(&at_ms)
        {
            self.returning.push_back((micros + self.path.delay_ms * 1_000, body));
        }
    }
}

/// What a stretch of a run was like.
struct Summary {
    lowest: u32,
    mean: u32,
    highest: u32,
    queue_p95: u64,
    queue_max: u64,
    received: u64,
    /// Share of the time in hundredths on the top layer, and without a picture.
    top: usize,
    paused: usize,
}

fn summary(moments: &[Moment], from: u64, to: u64) -> Summary {
    let part: Vec<&Moment> = moments.iter().filter(|moment| (from..to).contains(&(moment.at_ms / 1_000))).collect();
    let estimates = || part.iter().map(|moment| moment.estimate);
    let mut queues: Vec<u64> = part.iter().map(|moment| moment.queue_ms).collect();
    queues.sort_unstable();
    let share =
        |choice: fn(Choice) -> bool| part.iter().filter(|moment| choice(moment.choice)).count() * 100 / part.len();
    Summary {
        lowest: estimates().min().unwrap_or(0),
        mean: (estimates().map(u64::from).sum::<u64>() / part.len() as u64) as u32,
        highest: estimates().max().unwrap_or(0),
        queue_p95: queues[queues.len() * 95 / 100],
        queue_max: queues[queues.len() - 1],
        received: part.iter().map(|moment| moment.bytes).sum::<u64>() * 80 / part.len() as u64,
        top: share(|choice| choice == TOP),
        paused: share(|choice| choice == Choice::Paused),
    }
}

#[expect(clippy::print_stdout, reason = "the table is for who asks for it with --nocapture")]
fn show(name: &str, simulation: &Simulation, summary: &Summary) {
    println!(
        "{name:<34} estimate {:>5} {:>5} {:>5} kbit/s  received {:>5}  queue p95 {:>3} max {:>3} ms  top {:>3} %  paused {:>2} %  changes {:>2}  padding {:>4} kB",
        summary.lowest / 1_000,
        summary.mean / 1_000,
        summary.highest / 1_000,
        summary.received / 1_000,
        summary.queue_p95,
        summary.queue_max,
        summary.top,
        summary.paused,
        simulation.changes,
        simulation.padding / 1_000,
    );
}

/// Runs a path with several seeds and shows the stretch of each.
fn each(name: &str, path: Path, seconds: u64, from: u64, check: impl Fn(&Summary, &Simulation, &[Moment])) {
    for seed in 1..=5 {
        let mut simulation = Simulation::new(path, seed);
        let moments = simulation.run(seconds);
        let summary = summary(&moments, from, seconds);
        show(&format!("{name} #{seed}"), &simulation, &summary);
        check(&summary, &simulation, &moments);
    }
}

fn first_top(moments: &[Moment], from: u64) -> Option<u64> {
    moments.iter().find(|moment| moment.at_ms >= from * 1_000 && moment.choice == TOP).map(|moment| moment.at_ms)
}

#[test]
fn a_good_path_is_found_within_two_seconds_and_kept() {
    each("4 Mbit/s", Path::default(), 60, 5, |summary, simulation, moments| {
        assert!(first_top(moments, 0).is_some_and(|at| at < 2_000));
        assert_eq!((summary.top, summary.paused), (100, 0));
        assert!(summary.queue_p95 < 30 && simulation.changes <= 4);
    });
}

/// It returns in different moments between two probes.
const FALLS: [[(u64, u64); 3]; 6] =
    [falls_until(55), falls_until(56), falls_until(57), falls_until(58), falls_until(59), falls_until(60)];

const fn falls_until(second: u64) -> [(u64, u64); 3] {
    [(0, 4_000_000), (20, 600_000), (second, 4_000_000)]
}

#[test]
fn bandwidth_that_falls_and_returns() {
    for (seed, steps) in (1..).zip(&FALLS) {
        let returns = steps[2].0;
        let mut simulation = Simulation::new(Path { steps, ..Path::default() }, seed);
        let moments = simulation.run(90);
        let (fall, low) = (summary(&moments, 20, 25), summary(&moments, 25, returns));
        let high = summary(&moments, returns + 8, 90);
        show(&format!("4 -> 0.6 (20 to 25 s) #{seed}"), &simulation, &fall);
        show(&format!("4 -> 0.6 (25 to {returns} s) #{seed}"), &simulation, &low);
        show(&format!("  -> 4 Mbit/s (8 s later) #{seed}"), &simulation, &high);
        let full =
            moments.iter().filter(|moment| (20_000..returns * 1_000).contains(&moment.at_ms) && moment.queue_ms > 200);
        let full = full.count() * 100;
        let back = first_top(&moments, returns).map(|at| at - returns * 1_000);
        #[expect(clippy::print_stdout, reason = "part of the table")]
        {
            println!("    more than 200 ms queued for {full} ms, back on top after {back:?} ms");
        }
        assert!(full <= 1_000);
        assert!(back.is_some_and(|back| back < 8_000));
        assert!(low.lowest > 200_000 && low.highest < 800_000);
        assert!(low.queue_p95 < 150 && low.paused == 0);
        assert_eq!(high.top, 100);
    }
}

#[test]
fn a_tenth_lost_by_chance_starves_nobody() {
    each("4 Mbit/s, 10 % lost", Path { loss: 100, ..Path::default() }, 90, 30, |summary, _, _| {
        assert!(summary.lowest > 1_000_000 && summary.paused == 0);
    });
}

#[test]
fn a_policed_rate_is_respected() {
    // A queue of one run only: what is too much is lost, not late.
    let path = Path { steps: &[(0, 1_000_000)], queue_ms: 40, ..Path::default() };
    each("1 Mbit/s policed", path, 90, 30, |summary, _, _| {
        assert!(summary.lowest > 250_000 && summary.highest < 1_700_000 && summary.paused == 0);
    });
}

#[test]
fn a_round_trip_of_a_second_is_stable() {
    each("4 Mbit/s, 1,000 ms", Path { delay_ms: 500, ..Path::default() }, 90, 30, |summary, simulation, _| {
        assert!(summary.lowest > 2_500_000 && summary.top == 100);
        assert!(simulation.changes <= 5);
    });
    let path = Path { delay_ms: 500, steps: &[(0, 600_000)], ..Path::default() };
    each("0.6 Mbit/s, 1,000 ms", path, 90, 30, |summary, _, _| {
        assert!(summary.lowest > 150_000 && summary.highest < 900_000 && summary.paused == 0);
    });
}

#[test]
fn jitter_is_not_congestion() {
    each("4 Mbit/s, +-20 ms", Path { jitter_ms: 20, ..Path::default() }, 90, 20, |summary, _, _| {
        assert!(summary.lowest > 1_500_000 && summary.paused == 0);
    });
    let path = Path { jitter_ms: 20, steps: &[(0, 600_000)], ..Path::default() };
    each("0.6 Mbit/s, +-20 ms", path, 90, 20, |summary, _, _| {
        assert!(summary.lowest > 100_000 && summary.paused == 0);
    });
}

#[test]
fn narrow_paths_get_what_they_carry() {
    each("0.3 Mbit/s", Path { steps: &[(0, 300_000)], ..Path::default() }, 90, 20, |summary, _, _| {
        assert!(summary.paused == 0 && summary.highest < 450_000);
    });
    each("0.1 Mbit/s", Path { steps: &[(0, 100_000)], ..Path::default() }, 90, 30, |summary, _, _| {
        assert!(summary.paused > 50 && summary.highest < 200_000);
    });
}

#[test]
fn a_path_that_carried_next_to_nothing_is_found_again() {
    let path = Path { steps: &[(0, 4_000_000), (20, 100_000), (50, 4_000_000)], ..Path::default() };
    each("4 -> 0.1 -> 4 Mbit/s", path, 80, 60, |summary, _, moments| {
        let back = first_top(moments, 50).map(|at| at - 50_000);
        assert!(back.is_some_and(|back| back < 8_000), "{back:?}");
        assert_eq!(summary.top, 100);
    });
}

#[test]
fn seldom_feedback_and_packets_out_of_order_do_no_harm() {
    each("4 Mbit/s, feedback each 250 ms", Path { feedback_ms: 250, ..Path::default() }, 60, 15, |summary, _, _| {
        assert_eq!((summary.top, summary.paused), (100, 0));
    });
    let path = Path { jitter_ms: 5, reorders: true, ..Path::default() };
    each("4 Mbit/s, out of order", path, 60, 15, |summary, _, _| {
        assert_eq!((summary.top, summary.paused), (100, 0));
    });
}

#[test]
fn steps_in_all_directions_are_followed() {
    let path = Path {
        steps: &[(0, 2_000_000), (15, 300_000), (30, 6_000_000), (45, 800_000), (60, 3_500_000), (75, 200_000)],
        jitter_ms: 5,
        loss: 10,
        feedback_ms: 100,
        ..Path::default()
    };
    for seed in 1..=5 {
        let mut simulation = Simulation::new(path, seed);
        let moments = simulation.run(90);
        for (from, capacity) in path.steps {
            // What it has settled to.
            let part = summary(&moments, from + 8, from + 15);
            show(&format!("{capacity} of many steps #{seed}"), &simulation, &part);
            assert!(u64::from(part.mean) < capacity * 3 / 2 && part.paused == 0);
            assert!(part.received > 90_000 && part.queue_p95 < 250);
        }
    }
}

#[test]
fn an_hour_with_a_clock_that_drifts() {
    let path = Path { drift: 100, ..Path::default() };
    let mut simulation = Simulation::new(path, 1);
    let moments = simulation.run(3_600);
    let summary = summary(&moments, 10, 3_600);
    show("an hour, drift of 100 ppm", &simulation, &summary);
    assert_eq!((summary.top, summary.paused), (100, 0));
}

#[test]
fn feedback_that_fails_for_a_while_costs_quality_for_a_while() {
    each("no feedback for 6 s", Path { deaf: (20, 26), ..Path::default() }, 50, 34, |summary, _, moments| {
        let deaf: Vec<u32> =
            moments.iter().filter(|moment| moment.at_ms / 1_000 == 25).map(|moment| moment.estimate).collect();
        assert!(deaf.iter().all(|estimate| (500_000..2_500_000).contains(estimate)), "carefully lower: {deaf:?}");
        assert_eq!((summary.top, summary.paused), (100, 0));
    });
}
