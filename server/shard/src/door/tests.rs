use super::*;
use std::time::Duration;
use veilcast_control::{PeerKey, Transport};
use veilcast_sfu::{Config, Shards};

struct Side {
    door: Door,
    engine: Sfu,
}

/// Doors between as many shards, with engines that have no sessions.
fn sides(count: usize, now: Instant) -> Vec<Side> {
    let bells: Vec<_> = (0..count).map(|_| Arc::new(Notify::new())).collect();
    let certificate = veilcast_sfu::generate_certificate().expect("there is randomness");
    let side = |(at, door)| {
        let config = Config {
            shard: ShardId(at),
            shards: Shards::first(count),
            candidates: Vec::new(),
            certificate: certificate.clone(),
            since_1970: Duration::ZERO,
            dtls_seed: Some(1),
        };
        Side { door, engine: Sfu::new(config, now).expect("the engine starts") }
    };
    (0..).zip(connect(&bells, now)).map(side).collect()
}

impl Side {
    fn take(&mut self, tuple: Tuple, bytes: &[u8], at: Instant) {
        self.door.take(tuple, &mut bytes.to_vec(), at, &mut self.engine);
    }

    fn hears_of(&mut self, from: u8, parcel: Parcel, now: Instant) {
        self.door.open(ShardId(from), parcel, &mut self.engine, now);
    }

    fn dropped(&self, noise: Noise) -> u64 {
        self.engine.counters().of(noise)
    }

    /// What has come from another shard.
    fn mail(&mut self, from: u8) -> Vec<Parcel> {
        std::iter::from_fn(|| self.door.post.receive(ShardId(from))).collect()
    }
}

fn path(port: u16) -> Tuple {
    Tuple { transport: Transport::Udp, remote: ([198, 51, 100, 1], port).into(), local: None }
}

fn vouch(tuple: Tuple) -> Parcel {
    Parcel::Vouch(Box::new(tuple), Claim { session: PeerKey(1), proved: true })
}

/// What names a session of a shard, and nothing else.
fn check(shard: u8) -> Vec<u8> {
    let name = format!("{}:xyz", mark(ShardId(shard), "abc"));
    let header = [&[0, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &[0, 6, 0, 8]].concat();
    [&header[..], name.as_bytes()].concat()
}

const RTP: [u8; 40] = [0x80; 40];

#[test]
fn a_claim_is_handed_on_and_teaches_nothing() {
    let now = Instant::now();
    let [mut here, mut there] = <[Side; 2]>::try_from(sides(2, now)).unwrap_or_else(|_| panic!("two"));
    here.take(path(1), &check(1), now);
    there.door.sort(&mut there.engine, now);
    assert_eq!(there.dropped(Noise::StunMalformed), 1, "the engine there looks at it");
    here.take(path(1), &RTP, now);
    here.take(path(1), &check(0), now);
    here.take(path(1), &check(7), now);
    assert_eq!((here.dropped(Noise::Unvalidated), here.dropped(Noise::StunMalformed)), (1, 2), "as without a door");
    assert!(there.mail(0).is_empty() && here.mail(1).is_empty());
    assert_eq!((here.engine.counters().total(), there.engine.counters().total()), (3, 1));
}

/// A peer speaks as soon as its check is answered; what its shard has put into the ring before that is read first.
#[test]
fn what_is_in_the_post_already_counts() {
    let now = Instant::now();
    let mut all = sides(2, now);
    all[1].door.post.send(ShardId(0), vouch(path(1)));
    all[0].take(path(1), &RTP, now);
    assert!(matches!(all[1].mail(0)[..], [Parcel::Datagram { .. }]) && all[0].engine.counters().total() == 0);
}

/// What a publisher's feedback is made of must not become the time of the detour.
#[test]
fn what_is_handed_on_keeps_its_time() {
    let now = Instant::now() + Duration::from_secs(60);
    let mut all = sides(2, now);
    all[0].hears_of(1, vouch(path(1)), now);
    let at = now - Duration::from_millis(137);
    all[0].take(path(1), &RTP, at);
    let mail = all[1].mail(0);
    let [Parcel::Datagram { tuple, bytes, at: received, asks: false }] = &mail[..] else { panic!("{}", mail.len()) };
    assert!(**tuple == path(1) && bytes[..] == RTP && *received == at);
    all[0].take(path(1), &[0x80; LONGEST + 1], now);
    assert!(all[1].mail(0).is_empty() && all[0].dropped(Noise::TooMany) == 1, "nothing longer than a packet");
}

/// Whoever floods with names that mean nothing fills half of the way; who has proved their path go by.
#[test]
fn a_flood_of_claims_leaves_room_for_sessions() {
    let now = Instant::now();
    let mut all = sides(2, now);
    all[0].hears_of(1, vouch(path(1)), now);
    let capacity = 4_096;
    (0..10_000).for_each(|port| all[0].take(path(10 + port), &check(1), now));
    assert_eq!(all[0].dropped(Noise::Crowded), 10_000 - capacity / 2);
    (0..capacity / 2).for_each(|_| all[0].take(path(1), &RTP, now));
    assert_eq!(all[0].dropped(Noise::Crowded), 10_000 - capacity / 2, "all of these went");
    all[0].take(path(1), &RTP, now);
    assert_eq!(all[0].dropped(Noise::Crowded), 10_001 - capacity / 2, "and the next is counted");
    let Side { door, engine } = &mut all[1];
    door.sort(engine, now);
    assert_eq!(engine.counters().total(), post::TURN as u64, "and taken in turns");
    all[0].take(path(10), &check(1), now);
    assert_eq!(all[0].dropped(Noise::Crowded), 10_002 - capacity / 2, "more than half is full still");
}

#[test]
fn a_path_has_one_owner_until_it_falls_silent() {
    let start = Instant::now();
    let mut all = sides(3, start);
    all[0].hears_of(1, vouch(path(1)), start);
    // A session on the third shard would have it, too.
    all[0].take(path(1), &check(2), start);
    all[0].take(path(1), &check(0), start);
    assert_eq!(all[0].dropped(Noise::TupleHeld), 2);
    all[0].hears_of(2, vouch(path(1)), start);
    assert!(
        matches!(all[2].mail(0)[..], [Parcel::Lost(ref tuple)] if **tuple == path(1)),
        "it is told that it has not"
    );
    assert!(all[1].mail(0).is_empty());

    let later = start + Duration::from_secs(8);
    all[0].take(path(1), &check(2), later);
    assert!(matches!(all[2].mail(0)[..], [Parcel::Datagram { .. }]), "nobody holds it any more");
    all[0].hears_of(2, vouch(path(1)), later);
    assert!(matches!(all[1].mail(0)[..], [Parcel::Lost(ref tuple)] if **tuple == path(1)), "its former owner is told");
    all[0].take(path(1), &RTP, later);
    assert!(matches!(all[2].mail(0)[..], [Parcel::Datagram { .. }]) && all[1].mail(0).is_empty());
}

/// Only its owner knows whether a session is over. It is asked, at most once a second or so, by who wants its path.
#[test]
fn an_owner_that_is_gone_gives_its_paths_up() {
    let start = Instant::now();
    let mut all = sides(3, start);
    all[0].hears_of(1, vouch(path(1)), start);
    all[0].take(path(1), &check(2), start + Duration::from_millis(900));
    assert!(all[1].mail(0).is_empty(), "it has just said so");
    let now = start + Duration::from_millis(1_100);
    all[0].take(path(1), &check(2), now);
    assert!(all[2].mail(0).is_empty());
    let asked = all[1].mail(0);
    assert!(matches!(asked[..], [Parcel::Ask(ref tuple)] if **tuple == path(1)));
    asked.into_iter().for_each(|parcel| all[1].hears_of(0, parcel, now));
    let answer = all[0].mail(1);
    assert!(matches!(answer[..], [Parcel::Free(_)]), "its engine knows of nobody");
    answer.into_iter().for_each(|parcel| all[0].hears_of(1, parcel, now));
    all[0].take(path(1), &check(2), now);
    assert!(matches!(all[2].mail(0)[..], [Parcel::Datagram { asks: true, .. }]));
}

/// As long as somebody sends, its shard is asked once a second whether it hears them; that keeps their path.
#[test]
fn who_sends_is_vouched_for_again() {
    let start = Instant::now();
    let mut all = sides(2, start);
    all[0].hears_of(1, vouch(path(1)), start);
    for (after, asks) in [(0, false), (999, false), (1_000, true), (6_000, true)] {
        all[0].take(path(1), &RTP, start + Duration::from_millis(after));
        let mail = all[1].mail(0);
        assert!(matches!(mail[..], [Parcel::Datagram { asks: said, .. }] if said == asks), "after {after} ms");
    }
    let now = start + Duration::from_secs(31);
    all[0].take(path(1), &RTP, now);
    assert!(all[1].mail(0).is_empty() && all[0].dropped(Noise::Unvalidated) == 1, "without consent it is nobody's");
    assert!(all[0].door.wake().is_some());
    all[0].door.tidy(now);
    all[0].door.tidy(now + Duration::from_secs(30));
    assert!(all[0].door.wake().is_none(), "nor is it remembered");
}
