//! Random histories of people who agree, show where they are, move, stop, run out of time, come and go, with what is told waiting in
//! queues; against a naive model that shares nothing with the gate or the shares: a list of what happened, read backwards.

use super::histories::{Dice, somewhere};
use super::*;
use std::collections::{HashMap, VecDeque};
use veilcast_consent::{Standing, Terms};

/// Too few for an area of the map, whatever they do.
const PEOPLE: u16 = 6;
const HOSTS: u16 = 2;

/// What happened, in the order in which it did; times are in seconds.
enum Fact {
    Granted { who: u16, purpose: Purpose, at: u64, lasting: Option<u64>, number: u32 },
    Ended { who: u16, purpose: Purpose },
    Shown { who: u16, area: String },
    Left { who: u16 },
}

#[derive(Default)]
struct Oracle(Vec<Fact>);

impl Oracle {
    /// Where in the list somebody's grant stands that holds now.
    fn grant(&self, who: u16, purpose: Purpose, now: u64) -> Option<usize> {
        for (at, fact) in self.0.iter().enumerate().rev() {
            match fact {
                Fact::Granted { who: by, purpose: what, at: since, lasting, .. } if (*by, *what) == (who, purpose) => {
                    return lasting.is_none_or(|lasting| now < since + lasting).then_some(at);
                }
                Fact::Ended { who: by, purpose: what } if (*by, *what) == (who, purpose) => return None,
                _ => {}
            }
        }
        None
    }

    /// Whose place may be shown under the grant that was given this number: its person, if it holds.
    fn person(&self, generation: u32, now: u64) -> Option<u16> {
        let given = |fact: &Fact| matches!(fact, Fact::Granted { number, .. } if *number == generation);
        let mut grants = self.0.iter().enumerate().filter(|(_, fact)| given(fact));
        let (at, fact) = grants.next()?;
        assert!(grants.next().is_none(), "no number comes twice");
        let Fact::Granted { who, purpose: Purpose::Location, .. } = fact else { return None };
        (self.grant(*who, Purpose::Location, now) == Some(at)).then_some(*who)
    }

    /// Places that somebody has shown under the grant that holds now, the latest last.
    fn shown(&self, who: u16, now: u64) -> Vec<&str> {
        let Some(since) = self.grant(who, Purpose::Location, now) else { return Vec::new() };
        let shown = self.0[since..].iter().filter_map(|fact| match fact {
            Fact::Shown { who: by, area } if *by == who => Some(area.as_str()),
            _ => None,
        });
        shown.collect()
    }

    /// They have been here since they showed it.
    fn stayed(&self, who: u16) -> bool {
        let last = |is: fn(&Fact, u16) -> bool| self.0.iter().rposition(|fact| is(fact, who));
        let shown = last(|fact, who| matches!(fact, Fact::Shown { who: by, .. } if *by == who));
        shown > last(|fact, who| matches!(fact, Fact::Left { who: by } if *by == who))
    }
}

struct Waiting {
    by: Vec<Licence>,
    urgent: bool,
    message: String,
}

struct Scene {
    rooms: Rooms<u32>,
    ledger: Ledger<u32>,
    oracle: Oracle,
    queues: HashMap<u16, VecDeque<Waiting>>,
    /// Whose place each screen of our client shows, by generation.
    screens: HashMap<u16, BTreeMap<u32, String>>,
    ended: HashMap<u16, Vec<u32>>,
    start: Instant,
    seconds: u64,
    shown: u32,
    dropped: u32,
}

const fn is_host(who: u16) -> bool {
    who < HOSTS
}

impl Scene {
    fn new() -> Self {
        let (rooms, start) = opened();
        Self {
            rooms,
            ledger: Ledger::default(),
            oracle: Oracle::default(),
            queues: HashMap::new(),
            screens: HashMap::new(),
            ended: HashMap::new(),
            start,
            seconds: 0,
            shown: 0,
            dropped: 0,
        }
    }

    fn now(&self) -> Instant {
        self.start + SECOND * self.seconds as u32
    }

    fn step(&mut self, dice: &mut Dice) {
        let number = dice.throw(PEOPLE.into()) as u16;
        let purpose = if dice.throw(4) == 0 { Purpose::Chat } else { Purpose::Location };
        match dice.throw(16) {
            0..=1 => self.decide(number, purpose, Some((dice.throw(3) == 0).then(|| 1 + dice.throw(400)))),
            2 => self.decide(number, purpose, None),
            3 => self.withdraw(number, purpose),
            4 => self.pass(dice.throw(5)),
            5 => self.pass(dice.throw(200)),
            6..=7 => self.come_or_go(number),
            8..=13 => self.show(number, dice),
            _ => {}
        }
        self.collect();
        for _ in 0..dice.throw(8) {
            self.write(dice.throw(PEOPLE.into()) as u16);
        }
    }

    fn decide(&mut self, number: u16, purpose: Purpose, lasting: Option<Option<u64>>) {
        let decision = match lasting {
            Some(lasting) => Decision::Grant { lasting: lasting.map(Duration::from_secs) },
            None => Decision::Refuse,
        };
        let version = Terms::of(purpose).version;
        let choice = Choice { purpose, version, decision, despite_signal: false, key: [0; 32] };
        let ended = self.ledger.decide(&party(number), choice, self.now()).expect("fewer than anybody may make");
        if let Some(ended) = ended {
            self.rooms.retract(&EVENT, who(number), purpose, ended.generation);
        }
        self.oracle.0.push(match lasting {
            Some(lasting) => {
                Fact::Granted { who: number, purpose, at: self.seconds, lasting, number: self.given(number, purpose) }
            }
            None => Fact::Ended { who: number, purpose },
        });
    }

    fn given(&self, number: u16, purpose: Purpose) -> u32 {
        let standing = self.ledger.standing(&party(number), purpose, self.now());
        let Standing::Granted { generation, .. } = standing else { panic!("just granted") };
        generation
    }

    fn withdraw(&mut self, number: u16, purpose: Purpose) {
        if let Some(ended) = self.ledger.withdraw(&EVENT, who(number), purpose) {
            self.rooms.retract(&EVENT, who(number), purpose, ended.generation);
        }
        self.oracle.0.push(Fact::Ended { who: number, purpose });
    }

    /// Second by second, as a server's clock does.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.seconds += 1;
            for lapsed in self.ledger.tick(self.now()) {
                self.rooms.retract(&EVENT, lapsed.subject(), lapsed.purpose, lapsed.generation);
            }
            self.rooms.tick(self.now());
        }
    }

    fn come_or_go(&mut self, number: u16) {
        if self.queues.remove(&number).is_some() {
            self.rooms.detach(SocketId(number.into()), self.now());
            self.oracle.0.push(Fact::Left { who: number });
            return;
        }
        let role = if is_host(number) { Role::Broadcaster } else { Role::Viewer };
        _ = self.rooms.open(&EVENT, ROOM, veilcast_control::RoomSettings::default(), 1);
        self.queues.insert(number, VecDeque::new());
        self.screens.insert(number, BTreeMap::new());
        self.ended.insert(number, Vec::new());
        self.rooms.attach(&EVENT, SocketId(number.into()), role, who(number)).expect("is open");
    }

    fn show(&mut self, number: u16, dice: &mut Dice) {
        let (party, now, at) = (party(number), self.now(), somewhere(dice));
        let area = match dice.throw(3) {
            0 => region(at.0, at.1),
            1 if !is_host(number) => precise(at.0, at.1),
            _ => city(at.0, at.1),
        };
        let consent = self.ledger.consent::<Location>(&party, now);
        let may = self.oracle.grant(number, Purpose::Location, self.seconds).is_some();
        assert_eq!(consent.is_ok(), may, "the gate and the model differ");
        let Ok(consent) = consent else { return };
        let showing = Showing { area, finest: LocationPrecision::Precise, counts: true };
        if self.rooms.show_area(SocketId(number.into()), &consent, &showing, now).is_ok() {
            self.oracle.0.push(Fact::Shown { who: number, area: area.text() });
        }
    }

    /// Puts what the rooms tell into the queues, as the directory does.
    fn collect(&mut self) {
        while let Some(output) = self.rooms.poll() {
            match output {
                Output::Tell { socket, message } => self.enqueue(socket, Vec::new(), false, &message),
                Output::Overtake { socket, message } => self.enqueue(socket, Vec::new(), true, &message),
                Output::Share(shared) => {
                    for (socket, to) in shared.to {
                        let by = shared.by.iter().cloned().chain(to).collect();
                        self.enqueue(socket, by, false, &shared.message);
                    }
                }
                _ => {}
            }
        }
    }

    fn enqueue(&mut self, socket: SocketId, by: Vec<Licence>, urgent: bool, message: &ServerMessage) {
        let Some(queue) = self.queues.get_mut(&(socket.0 as u16)) else { return };
        let message = serde_json::to_string(message).expect("JSON");
        let at = queue.iter().position(|waiting| urgent && !waiting.urgent).unwrap_or(queue.len());
        queue.insert(at, Waiting { by, urgent, message });
    }

    /// Hands over the next thing that waits for a socket, if it may go.
    fn write(&mut self, reader: u16) {
        let Some(waiting) = self.queues.get_mut(&reader).and_then(VecDeque::pop_front) else { return };
        if !waiting.by.is_empty() && Licence::while_all_stand(waiting.by.iter(), self.now(), || ()).is_none() {
            self.dropped += 1;
            return;
        }
        let screen = self.screens.get_mut(&reader).expect("is open");
        match serde_json::from_str(&waiting.message).expect("JSON") {
            ServerMessage::Locations(locations) => {
                for seen in locations.people {
                    let person = self.oracle.person(seen.generation, self.seconds);
                    let person = person.expect("a forbidden delivery: nobody agrees to this any more");
                    assert!(is_host(reader) || is_host(person), "a forbidden delivery: viewers see no viewer");
                    let areas = self.oracle.shown(person, self.seconds);
                    assert!(areas.contains(&seen.area.as_str()), "a forbidden delivery: {} is of before", seen.area);
                    assert!(!self.ended[&reader].contains(&seen.generation), "a client would have dropped it");
                    screen.insert(seen.generation, seen.area);
                    self.shown += 1;
                }
            }
            ServerMessage::OwnLocation(own) => {
                assert_eq!(self.oracle.person(own.generation, self.seconds), Some(reader), "a forbidden delivery");
            }
            ServerMessage::LocationMap(map) => assert!(map.areas.is_empty(), "a forbidden map"),
            ServerMessage::Retracted(ended) => {
                screen.remove(&ended.generation);
                self.ended.get_mut(&reader).expect("is open").push(ended.generation);
            }
            ServerMessage::LocationGone(gone) => _ = screen.remove(&gone.generation),
            _ => {}
        }
    }

    /// Half a minute later everything has been handed over, and every screen shows what it should.
    fn settle(&mut self) {
        for _ in 0..2 {
            for reader in 0..PEOPLE {
                self.collect();
                while self.queues.get(&reader).is_some_and(|queue| !queue.is_empty()) {
                    self.write(reader);
                }
            }
            self.pass(31);
        }
        self.collect();
        for reader in 0..PEOPLE {
            while self.queues.get(&reader).is_some_and(|queue| !queue.is_empty()) {
                self.write(reader);
            }
            if !self.queues.contains_key(&reader) {
                continue;
            }
            let screen = &self.screens[&reader];
            for generation in screen.keys() {
                assert!(self.oracle.person(*generation, self.seconds).is_some(), "it stayed on a screen");
            }
            for person in (0..PEOPLE).filter(|person| is_host(reader) || is_host(*person)) {
                let shown = self.oracle.shown(person, self.seconds);
                if let Some(area) = shown.last().filter(|_| self.oracle.stayed(person)) {
                    assert!(screen.values().any(|seen| seen == area), "a permitted place was lost");
                }
            }
        }
    }
}

#[test]
fn no_history_shows_a_place_to_whom_it_is_not_for() {
    let (mut shown, mut dropped) = (0, 0);
    for seed in 0..120 {
        let (mut scene, mut dice) = (Scene::new(), Dice(seed));
        (0..PEOPLE).for_each(|number| scene.come_or_go(number));
        for step in 0..300 {
            scene.step(&mut dice);
            if step % 100 == 99 {
                scene.settle();
            }
        }
        (shown, dropped) = (shown + scene.shown, dropped + scene.dropped);
    }
    assert!(shown > 3_000 && dropped > 300, "histories in which something happens: {shown} shown, {dropped} dropped");
}
