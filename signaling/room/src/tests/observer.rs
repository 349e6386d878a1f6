//! Somebody who looks at everything that an event tells of its people: how many, how they fare, what is said and by whom; as its host, as
//! one of the chat and as one who only watches, all at once, with the time of everything to the second. Who of two people left? Did
//! anybody?

use super::*;
use crate::{ChatAct, Fresh, Voice};
use veilcast_consent::{
    Analytics, Asked, Chat, Choice, Decision, Ledger, Location, Party, Personalisation, Presence, Purpose, Terms,
};
use veilcast_protocol::{BanReach, ChatReaction};

const HOST: u8 = 1;
const READER: u8 = 2;
const WATCHER: u8 = 3;
/// The two whom the observer wonders about; everybody else has a number above theirs.
const PAIR: [u8; 2] = [20, 21];

struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What the observer has heard, and when.
#[derive(PartialEq, Eq)]
struct Heard {
    second: u64,
    socket: u64,
    message: String,
}

struct Hall {
    rooms: Rooms<u32>,
    ledger: Ledger<u32>,
    start: Instant,
    second: u64,
    number: u64,
    here: Vec<u8>,
    heard: Vec<Heard>,
}

fn party(who: u8) -> Party<u32> {
    Party { event: EVENT, subject: Pseudonym::new([who; 16]), signal: false, asks_nothing: false }
}

impl Hall {
    fn new() -> Self {
        let (rooms, start) = opened();
        let (ledger, here, heard) = (Ledger::default(), Vec::new(), Vec::new());
        let mut hall = Self { rooms, ledger, start, second: 0, number: 0, here, heard };
        for (who, role) in [(HOST, Role::Broadcaster), (READER, Role::Viewer), (WATCHER, Role::Viewer)] {
            let subject = Pseudonym::new([who; 16]);
            hall.rooms.attach(&EVENT, SocketId(who.into()), role, subject).expect("is open");
        }
        hall.talks(HOST);
        hall.talks(READER);
        hall
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.second)
    }

    fn come(&mut self, who: u8, quality: VideoQuality) {
        let (now, subject) = (self.now(), Pseudonym::new([who; 16]));
        self.rooms.attach(&EVENT, SocketId(who.into()), Role::Viewer, subject).expect("is open");
        self.rooms.admit(join(who, Role::Viewer, subject, Some(who.into())), now).expect("viewers are welcome");
        self.rooms.handle(&connected(who.into()), now);
        self.rooms.handle(&Report::Quality { peer: PeerKey(who.into()), pictures: vec![Some(quality)] }, now);
        self.here.push(who);
    }

    /// Numbers of grants are drawn anew in each run: they are called by the order in which they are heard.
    fn rename(&mut self) {
        let mut known: Vec<String> = Vec::new();
        for heard in &mut self.heard {
            let mut parts = heard.message.split("\"generation\":");
            let mut renamed = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
                let (number, rest) = part.split_at(digits);
                let at = known.iter().position(|other| other == number).unwrap_or_else(|| {
                    known.push(number.to_owned());
                    known.len() - 1
                });
                renamed += &format!("\"generation\":{at}{rest}");
            }
            heard.message = renamed;
        }
    }

    fn go(&mut self, who: u8) {
        self.rooms.detach(SocketId(who.into()), self.now());
        self.here.retain(|one| *one != who);
    }

    fn agrees<P: Asked>(&mut self, who: u8) {
        let (version, decision) = (Terms::of(P::PURPOSE).version, Decision::Grant { lasting: None });
        let choice = Choice { purpose: P::PURPOSE, version, decision, despite_signal: false, key: [0; 32] };
        self.ledger.decide(&party(who), choice, self.now()).expect("good");
        let party = party(who);
        let consent = self.ledger.consent::<P>(&party, self.now()).expect("granted");
        self.rooms.permit(SocketId(who.into()), &consent);
    }

    fn talks(&mut self, who: u8) {
        self.agrees::<Chat>(who);
        let party = party(who);
        let consent = self.ledger.consent::<Chat>(&party, self.now()).expect("granted");
        self.rooms.show_chat(SocketId(who.into()), &consent);
    }

    fn agrees_to_all(&mut self, who: u8) {
        self.talks(who);
        self.agrees::<Presence>(who);
        self.agrees::<Location>(who);
        self.agrees::<Analytics>(who);
        self.agrees::<Personalisation>(who);
    }

    fn withdraws_all(&mut self, who: u8) {
        let subject = Pseudonym::new([who; 16]);
        let all = [Purpose::Chat, Purpose::Presence, Purpose::Location, Purpose::Analytics, Purpose::Personalisation];
        for purpose in all {
            let ended = self.ledger.withdraw(&EVENT, subject, purpose).expect("granted");
            self.rooms.retract(&EVENT, subject, purpose, ended.generation);
        }
    }

    fn say(&mut self, who: u8) -> u64 {
        self.number += 1;
        let (party, now, number) = (party(who), self.now(), self.number);
        let Ok(consent) = self.ledger.consent::<Chat>(&party, now) else { return number };
        let fresh = Fresh { message: number, author: 1_000 + u64::from(who), reach: BanReach::Guest };
        _ = self.rooms.say(&consent, Voice::Viewer, fresh, ("a word", None), now);
        number
    }

    /// A second passes, and the observer hears what is told.
    fn pass(&mut self) {
        self.listen();
        self.second += 1;
        self.rooms.tick(self.now());
        self.listen();
    }

    fn listen(&mut self) {
        while let Some(output) = self.rooms.poll() {
            match output {
                Output::Tell { socket, message } | Output::Overtake { socket, message } => self.hear(socket, &message),
                Output::Share(shared) => shared.to.iter().for_each(|(socket, _)| self.hear(*socket, &shared.message)),
                Output::Lot(lot) => {
                    let to = lot.to.iter().flat_map(|(socket, _)| lot.pieces.iter().map(|piece| (*socket, piece)));
                    to.for_each(|(socket, piece)| self.hear(socket, &piece.message));
                }
                _ => {}
            }
        }
    }

    /// Sums are told a second later.
    fn react(&mut self, who: u8, message: u64) {
        let (party, now) = (party(who), self.now());
        let consent = self.ledger.consent::<Chat>(&party, now).expect("granted");
        self.rooms.react(&consent, (message, ChatReaction::Like, true), now).expect("is there");
    }

    fn hear(&mut self, SocketId(socket): SocketId, message: &ServerMessage) {
        if socket <= WATCHER.into() {
            let message = serde_json::to_string(message).expect("JSON");
            self.heard.push(Heard { second: self.second, socket, message });
        }
    }

    /// Everything that the observer can do to learn of an author: answer, react, silence.
    fn try_out(&mut self, messages: [u64; 2]) {
        let (party, now) = (party(READER), self.now());
        let consent = self.ledger.consent::<Chat>(&party, now).expect("granted");
        for (message, author) in messages.into_iter().zip(PAIR) {
            self.number += 1;
            let fresh = Fresh { message: self.number, author: 1_000 + u64::from(READER), reach: BanReach::Guest };
            let answered = self.rooms.say(&consent, Voice::Viewer, fresh, ("and you?", Some(message)), now);
            let what = (message, ChatReaction::Like, true);
            let reacted = self.rooms.react(&consent, what, now);
            let act = ChatAct::Mute(1_000 + u64::from(author), true);
            let muted = self.rooms.moderate(&EVENT, Voice::Host, act, now);
            let message = format!("{answered:?} {reacted:?} {muted:?}");
            self.heard.push(Heard { second: self.second, socket: 0, message });
        }
    }
}

/// What decides a run, beside its number.
struct Story {
    leaves: Option<u8>,
    qualities: [VideoQuality; 2],
}

/// Minutes of people who come, talk and go; and when one of the pair left, if so.
fn watched(seed: u64, story: &Story) -> (Hall, u64) {
    let (mut hall, mut dice) = (Hall::new(), Dice(seed));
    let messages = [0, 1].map(|at| {
        hall.come(PAIR[at], story.qualities[at]);
        hall.talks(PAIR[at]);
        hall.say(PAIR[at])
    });
    let crowd = 22 + dice.throw(120) as u8;
    let when = 150 + dice.throw(30);
    for second in 0..260 {
        let who = 22 + dice.throw(u64::from(crowd - 21)) as u8;
        let quality = [VideoQuality::High, VideoQuality::Medium, VideoQuality::Low][dice.throw(3) as usize];
        let goes = second > 90 && dice.throw(8) == 0;
        let speaks = dice.throw(20) == 0;
        match hall.here.contains(&who) {
            false if second <= 90 || dice.throw(4) == 0 => hall.come(who, quality),
            true if goes => hall.go(who),
            true if speaks => {
                hall.talks(who);
                hall.say(who);
            }
            _ => {}
        }
        if second == when
            && let Some(leaves) = story.leaves
        {
            hall.go(leaves);
        }
        hall.pass();
    }
    hall.try_out(messages);
    hall.pass();
    // Each socket has an order of its own, and no other.
    hall.heard.sort_by_key(|heard| (heard.second, heard.socket));
    hall.rename();
    (hall, when)
}

/// Who of two left is in nothing that anybody hears, at no time, whatever anybody tries.
#[test]
fn who_of_two_left_is_told_by_nothing() {
    let mut figures = 0;
    for seed in 0..30 {
        let heard = PAIR
            .map(|leaves| watched(seed, &Story { leaves: Some(leaves), qualities: [VideoQuality::High; 2] }).0.heard);
        let [one, other] = &heard;
        for (one, other) in one.iter().zip(other) {
            assert!(one == other, "seed {seed}: after {} s {} or {}", one.second, one.message, other.message);
        }
        assert_eq!(one.len(), other.len(), "seed {seed}");
        figures += one.iter().filter(|heard| heard.message.contains("\"audience\"")).count();
    }
    assert!(figures > 100, "there was something to look at: {figures}");
}

/// Nor who of two takes everything back that they have agreed to, of whom nobody has seen anything; nor that anybody does. Whoever was
/// seen is cleared from the screens.
#[test]
fn who_was_not_seen_takes_back_what_they_agreed_to_unnoticed() {
    let heard = |takes_back: Option<u8>, speaks: bool| {
        let mut hall = Hall::new();
        hall.agrees_to_all(HOST);
        hall.agrees_to_all(READER);
        for who in PAIR {
            hall.come(who, VideoQuality::High);
            hall.agrees_to_all(who);
            if speaks {
                hall.say(who);
            }
        }
        let message = hall.say(HOST);
        for second in 0..90 {
            if second == 40 {
                // Who looks for somebody to go has sums wait at that moment.
                hall.react(READER, message);
                takes_back.into_iter().for_each(|who| hall.withdraws_all(who));
            }
            hall.pass();
        }
        // Each socket has an order of its own, and no other.
        hall.heard.sort_by_key(|heard| (heard.second, heard.socket));
        hall.rename();
        hall.heard
    };
    let stays = heard(None, false);
    assert!(!stays.is_empty());
    for who in PAIR {
        let heard = heard(Some(who), false);
        let differs = heard.iter().zip(&stays).find(|(one, other)| one != other);
        let told = differs.map(|(one, _)| (one.second, one.socket, one.message.as_str()));
        assert!(heard == stays, "{who}: {told:?}, {} messages for {}", heard.len(), stays.len());
    }
    let cleared = |heard: &[Heard]| heard.iter().filter(|heard| heard.message.contains("\"retracted\"")).count();
    assert_eq!(cleared(&heard(Some(PAIR[0]), true)), 2, "the host's screen and the reader's");
}

/// The number in the latest message of a kind up to a time.
fn figure(heard: &[Heard], kind: &str, name: &str, until: u64) -> u64 {
    let of_kind = |heard: &&Heard| heard.second <= until && heard.message.contains(&format!("\"type\":\"{kind}\""));
    let last = heard.iter().rfind(of_kind).map(|heard| heard.message.as_str());
    let value: serde_json::Value = serde_json::from_str(last.unwrap_or("{}")).expect("JSON");
    value[name].as_u64().unwrap_or(0)
}

/// By the figures of the next tick, when somebody left or stayed; and when one of two left whose pictures the observer knows.
#[test]
#[expect(clippy::print_stdout, reason = "what an observer learns is printed, beside being bounded")]
fn figures_tell_little_of_one_person() {
    const RUNS: u64 = 100;
    let qualities = [VideoQuality::High, VideoQuality::Low];
    let (mut fell, mut right) = ([0_u64; 2], 0.0);
    for seed in 0..RUNS {
        let falls = |leaves: Option<u8>, kind: &str, name: &str| {
            let (hall, when) = watched(seed, &Story { leaves, qualities });
            figure(&hall.heard, kind, name, when + 31) < figure(&hall.heard, kind, name, when)
        };
        for (at, leaves) in [None, Some(PAIR[0])].into_iter().enumerate() {
            fell[at] += u64::from(falls(leaves, "audience", "viewers"));
        }
        let leaves = PAIR[(seed % 2) as usize];
        let [high, low] = ["high", "low"].map(|name| falls(Some(leaves), "health", name));
        right += match (high, low) {
            (true, false) => f64::from(u8::from(leaves == PAIR[0])),
            (false, true) => f64::from(u8::from(leaves == PAIR[1])),
            _ => 0.5,
        };
    }
    let rate = fell.map(|count| count as f64 / RUNS as f64);
    let right = right / RUNS as f64;
    println!(
        "the audience's figure falls in {:.1} % of runs if somebody leaves, {:.1} % if not; who of two with known pictures left \
         is guessed right in {:.1} %",
        rate[1] * 100.0,
        rate[0] * 100.0,
        right * 100.0
    );
    // A step is of five people at least, so one of them shows at most once in five times.
    assert!(rate[1] - rate[0] < 0.2, "{rate:?}");
    assert!((right - 0.5).abs() < 0.1, "{right}");
}
