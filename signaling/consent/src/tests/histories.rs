//! Random histories of a few people against a naive model that shares nothing with the gate: it writes down who agreed to what
//! as a list, and reads that list backwards.

use super::*;
use std::collections::VecDeque;

const PEOPLE: u8 = 4;
const PURPOSES: [Purpose; 2] = [Purpose::Chat, Purpose::Location];

/// A small generator, so that a history can be told by its number (SplitMix64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % sides
    }
}

/// What happened, in the order in which it did; times are in seconds.
enum Fact {
    Granted { who: u8, purpose: Purpose, at: u64, lasting: Option<u64> },
    Ended { who: u8, purpose: Purpose },
    EndedAll { who: u8 },
    EventOver,
}

/// The naive model.
#[derive(Default)]
struct Oracle(Vec<Fact>);

impl Oracle {
    /// Where in the list the grant stands that holds now; an older one that has been replaced does not.
    fn grant(&self, who: u8, purpose: Purpose, now: u64) -> Option<usize> {
        for (at, fact) in self.0.iter().enumerate().rev() {
            match fact {
                Fact::Granted { who: by, purpose: what, at: since, lasting } if (*by, *what) == (who, purpose) => {
                    return lasting.is_none_or(|lasting| now < since + lasting).then_some(at);
                }
                Fact::Ended { who: by, purpose: what } if (*by, *what) == (who, purpose) => return None,
                Fact::EndedAll { who: by } if *by == who => return None,
                Fact::EventOver => return None,
                _ => {}
            }
        }
        None
    }
}

/// Something said, that waits to be written for somebody.
struct Waiting {
    licences: [Licence; 2],
    /// Author and recipient, and which grants of theirs it came under.
    grants: [(u8, usize); 2],
    purpose: Purpose,
}

/// Who decides what is handed over: the gate, or one that is bent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writer {
    Gate,
    /// What was permitted when it was said is written whenever its turn comes.
    NoCheck,
    /// Whether both have agreed now, if not then.
    NoGeneration,
    /// Whether both have agreed to something.
    WrongPurpose,
    /// Whether nobody has ended the grants, whatever the clock says.
    NoClock,
}

impl Writer {
    fn writes(self, ledger: &Ledger<u32>, waiting: &Waiting, now: Instant) -> bool {
        let both = |purpose| {
            let stands = |who| matches!(ledger.standing(&party(who), purpose, now), Standing::Granted { .. });
            waiting.grants.iter().all(|(who, _)| stands(*who))
        };
        match self {
            Self::Gate => Licence::while_all_stand(waiting.licences.iter(), now, || ()).is_some(),
            Self::NoCheck => true,
            Self::NoGeneration => both(waiting.purpose),
            Self::WrongPurpose => PURPOSES.into_iter().any(both),
            Self::NoClock => waiting.licences.iter().all(Licence::stands),
        }
    }
}

struct Scene {
    writer: Writer,
    ledger: Ledger<u32>,
    oracle: Oracle,
    queue: VecDeque<Waiting>,
    start: Instant,
    seconds: u64,
    written: u32,
    dropped: u32,
}

impl Scene {
    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.seconds)
    }

    fn step(&mut self, dice: &mut Dice) {
        let (who, purpose) = (dice.throw(PEOPLE.into()) as u8, PURPOSES[dice.throw(2) as usize]);
        match dice.throw(12) {
            0..=2 => {
                let lasting = (dice.throw(3) == 0).then(|| 1 + dice.throw(20));
                let decision = Decision::Grant { lasting: lasting.map(Duration::from_secs) };
                self.ledger.decide(&party(who), Choice { decision, ..yes(purpose) }, self.now()).expect("good");
                self.oracle.0.push(Fact::Granted { who, purpose, at: self.seconds, lasting });
            }
            3 => {
                self.ledger.withdraw(&EVENT, Pseudonym::new([who; 16]), purpose);
                self.oracle.0.push(Fact::Ended { who, purpose });
            }
            4 => {
                self.ledger.decide(&party(who), no(purpose), self.now()).expect("good");
                self.oracle.0.push(Fact::Ended { who, purpose });
            }
            5 if dice.throw(8) == 0 => {
                self.ledger.forget(&EVENT, Pseudonym::new([who; 16]));
                self.oracle.0.push(Fact::EndedAll { who });
            }
            6 if dice.throw(40) == 0 => {
                self.ledger.forget_event(&EVENT);
                self.oracle.0.push(Fact::EventOver);
            }
            7 => {
                self.seconds += dice.throw(6);
                // The clock is looked at later, as it is by whoever ticks.
                if dice.throw(2) == 0 {
                    self.ledger.tick(self.now());
                }
            }
            8..=9 => self.say(who, dice.throw(PEOPLE.into()) as u8, purpose),
            _ => self.write(),
        }
    }

    /// Somebody says something, and it waits for somebody else.
    fn say(&mut self, author: u8, recipient: u8, purpose: Purpose) {
        let (from, to) = (party(author), party(recipient));
        let licence = |party: &Party<u32>| match purpose {
            Purpose::Chat => {
                self.ledger.consent::<Chat>(party, self.now()).ok().map(|consent| consent.licence().clone())
            }
            _ => self.ledger.consent::<Location>(party, self.now()).ok().map(|consent| consent.licence().clone()),
        };
        let [said, heard] = [licence(&from), licence(&to)];
        let [may, hears] = [author, recipient].map(|who| self.oracle.grant(who, purpose, self.seconds));
        assert_eq!(
            (said.is_some(), heard.is_some()),
            (may.is_some(), hears.is_some()),
            "the gate and the model differ"
        );
        if let (Some(said), Some(heard), Some(may), Some(hears)) = (said, heard, may, hears) {
            let grants = [(author, may), (recipient, hears)];
            self.queue.push_back(Waiting { licences: [said, heard], grants, purpose });
        }
    }

    fn write(&mut self) {
        let Some(waiting) = self.queue.pop_front() else { return };
        let written = self.writer.writes(&self.ledger, &waiting, self.now());
        let Waiting { grants, purpose, .. } = waiting;
        let permitted = grants.iter().all(|(who, at)| self.oracle.grant(*who, purpose, self.seconds) == Some(*at));
        assert_eq!(written, permitted, "a delivery is forbidden, or a permitted one was lost");
        *if written { &mut self.written } else { &mut self.dropped } += 1;
    }
}

/// A history by its number; how much was written and dropped.
fn played(seed: u64, writer: Writer) -> (u32, u32) {
    let (ledger, oracle) = (Ledger::default(), Oracle::default());
    let (queue, start) = (VecDeque::new(), Instant::now());
    let mut scene = Scene { writer, ledger, oracle, queue, start, seconds: 0, written: 0, dropped: 0 };
    let mut dice = Dice(seed);
    for _ in 0..300 {
        scene.step(&mut dice);
    }
    (scene.written, scene.dropped)
}

#[test]
fn no_history_of_decisions_lets_anything_forbidden_through() {
    let (mut written, mut dropped) = (0, 0);
    for seed in 0..400 {
        let (now, then) = played(seed, Writer::Gate);
        (written, dropped) = (written + now, dropped + then);
    }
    assert!(
        written > 2_000 && dropped > 500,
        "histories in which something happens: {written} written, {dropped} dropped"
    );
}

/// The model finds each way in which a gate can be wrong; else it would prove nothing.
#[test]
fn the_model_objects_to_every_bent_gate() {
    for bent in [Writer::NoCheck, Writer::NoGeneration, Writer::WrongPurpose, Writer::NoClock] {
        let objects = |seed| std::panic::catch_unwind(|| played(seed, bent)).is_err();
        assert!((0..100).any(objects), "{bent:?}");
    }
}
