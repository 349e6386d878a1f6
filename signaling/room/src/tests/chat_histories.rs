//! Random histories of a few people through the rooms, with what is told waiting in queues, against a naive model that shares
//! nothing with the gate or the chat: a list of what happened, read backwards.

use super::*;
use crate::{ChatAct, Fresh, Voice};
use std::collections::{HashMap, VecDeque};
use veilcast_consent::{Asked, Chat, Choice, Decision, Ledger, Licence, Party, Presence, Purpose, Standing, Terms};
use veilcast_protocol::{BanReach, ChatNews, ChatReaction, ConsentState};

const PEOPLE: u8 = 4;
/// Everybody has two.
const SOCKETS: u8 = 2 * PEOPLE;

struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What happened, in the order in which it did; times are in seconds.
enum Fact {
    Granted { who: u8, purpose: Purpose, at: u64, lasting: Option<u64>, number: u32 },
    Ended { who: u8, purpose: Purpose },
    Said { who: u8, text: String, id: u64 },
    Reacted { who: u8, message: u64 },
    Listed { who: u8, name: String },
}

#[derive(Default)]
struct Oracle(Vec<Fact>);

impl Oracle {
    /// Which of somebody's grants held before the fact at `before`.
    fn grant_at(&self, who: u8, purpose: Purpose, now: u64, before: usize) -> Option<usize> {
        for (at, fact) in self.0[..before].iter().enumerate().rev() {
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

    fn grant(&self, who: u8, purpose: Purpose, now: u64) -> Option<usize> {
        self.grant_at(who, purpose, now, self.0.len())
    }

    /// The number that a grant was given, which no other one has.
    fn generation(&self, grant: usize) -> u32 {
        let numbers = || {
            self.0.iter().filter_map(|fact| if let Fact::Granted { number, .. } = fact { Some(*number) } else { None })
        };
        let Fact::Granted { number, .. } = &self.0[grant] else { panic!("it is one") };
        assert_eq!(numbers().filter(|other| other == number).count(), 1);
        *number
    }

    /// Whose grant has a number, and for what.
    fn of(&self, generation: u32) -> (u8, Purpose) {
        let found = self.0.iter().find_map(|fact| match fact {
            Fact::Granted { who, purpose, number, .. } if *number == generation => Some((*who, *purpose)),
            _ => None,
        });
        found.expect("it is one")
    }

    /// The grant that something happened under is the one that holds now.
    fn still(&self, at: usize, who: u8, purpose: Purpose, now: u64) -> bool {
        let holds = self.grant(who, purpose, now);
        // Whatever was done, was done under the latest grant before it.
        let granted = |fact: &Fact| matches!(fact, Fact::Granted { who: by, purpose: what, .. } if (*by, *what) == (who, purpose));
        holds.is_some() && holds == self.0[..at].iter().rposition(granted)
    }

    fn may_show(&self, id: u64, now: u64) -> Option<(&str, u32)> {
        self.0.iter().enumerate().find_map(|(at, fact)| match fact {
            Fact::Said { who, text, id: said } if *said == id => {
                let grant =
                    self.still(at, *who, Purpose::Chat, now).then(|| self.grant(*who, Purpose::Chat, now))??;
                Some((text.as_str(), self.generation(grant)))
            }
            _ => None,
        })
    }

    /// At most so many can be in the sums of a message: those who have reacted under a grant that holds.
    fn most_reactions(&self, message: u64, now: u64) -> u32 {
        let mut who_reacted: Vec<u8> = Vec::new();
        for (at, fact) in self.0.iter().enumerate() {
            if let Fact::Reacted { who, message: to } = fact
                && *to == message
                && self.still(at, *who, Purpose::Chat, now)
                && !who_reacted.contains(who)
            {
                who_reacted.push(*who);
            }
        }
        who_reacted.len() as u32
    }

    fn may_list(&self, name: &str, now: u64) -> bool {
        let is = |(at, fact): (usize, &Fact)| matches!(fact, Fact::Listed { who, name: listed } if listed == name && self.still(at, *who, Purpose::Presence, now));
        self.0.iter().enumerate().any(is)
    }
}

/// One thing that waits for a socket.
struct Waiting {
    licences: Option<Vec<Licence>>,
    message: String,
}

/// What a gate that is wrong looks at when something is handed over.
#[derive(Clone, Copy, Debug)]
enum Bent {
    /// At nothing.
    NoCheck,
    /// Whether those it is of agree now.
    NoGeneration,
    /// Whether they agree to something else.
    WrongPurpose,
}

struct Scene {
    bent: Option<Bent>,
    rooms: Rooms<u32>,
    ledger: Ledger<u32>,
    oracle: Oracle,
    queues: HashMap<u64, VecDeque<Waiting>>,
    /// Messages on the screens of our client, by id and generation.
    screens: HashMap<u64, HashMap<String, u32>>,
    ended: HashMap<u64, Vec<u32>>,
    start: Instant,
    seconds: u64,
    number: u64,
    shown: u32,
    dropped: u32,
}

const fn owner(socket: u64) -> u8 {
    (socket % PEOPLE as u64) as u8
}

fn party(who: u8) -> Party<u32> {
    Party { event: EVENT, subject: Pseudonym::new([who + 1; 16]), signal: false, asks_nothing: false }
}

impl Scene {
    fn new(bent: Option<Bent>) -> Self {
        let (rooms, start) = opened();
        Self {
            bent,
            rooms,
            ledger: Ledger::default(),
            oracle: Oracle::default(),
            queues: HashMap::new(),
            screens: HashMap::new(),
            ended: HashMap::new(),
            start,
            seconds: 0,
            number: 0,
            shown: 0,
            dropped: 0,
        }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.seconds)
    }

    fn step(&mut self, dice: &mut Dice) {
        let who = dice.throw(PEOPLE.into()) as u8;
        let purpose = if dice.throw(3) == 0 { Purpose::Presence } else { Purpose::Chat };
        match dice.throw(20) {
            0..=2 => self.decide(who, purpose, Some((dice.throw(4) == 0).then(|| 1 + dice.throw(20)))),
            3 => self.decide(who, purpose, None),
            4 => self.withdraw(who, purpose),
            5 => self.pass(dice.throw(8)),
            6 => self.come_or_go(dice.throw(SOCKETS.into())),
            7..=9 => self.say(who, dice),
            10 => self.react(who, dice),
            11 => {
                let id = 1 + dice.throw(self.number + 1);
                _ = self.rooms.moderate(&EVENT, Voice::Host, ChatAct::Pin(Some(id)), self.now());
            }
            12 => self.list(who),
            _ => {}
        }
        self.collect();
        for _ in 0..dice.throw(12) {
            self.write(dice.throw(SOCKETS.into()));
        }
    }

    fn decide(&mut self, who: u8, purpose: Purpose, lasting: Option<Option<u64>>) {
        let decision = match lasting {
            Some(lasting) => Decision::Grant { lasting: lasting.map(Duration::from_secs) },
            None => Decision::Refuse,
        };
        let choice =
            Choice { purpose, version: Terms::of(purpose).version, decision, despite_signal: false, key: [0; 32] };
        let ended = self.ledger.decide(&party(who), choice, self.now()).expect("good");
        if let Some(ended) = ended {
            self.rooms.retract(&EVENT, party(who).subject, purpose, ended.generation);
        }
        self.oracle.0.push(match lasting {
            Some(lasting) => {
                Fact::Granted { who, purpose, at: self.seconds, lasting, number: self.number(who, purpose) }
            }
            None => Fact::Ended { who, purpose },
        });
        self.follow(who);
    }

    fn number(&self, who: u8, purpose: Purpose) -> u32 {
        let standing = self.ledger.standing(&party(who), purpose, self.now());
        let Standing::Granted { generation, .. } = standing else { panic!("just granted") };
        generation
    }

    fn withdraw(&mut self, who: u8, purpose: Purpose) {
        if let Some(ended) = self.ledger.withdraw(&EVENT, party(who).subject, purpose) {
            self.rooms.retract(&EVENT, party(who).subject, purpose, ended.generation);
        }
        self.oracle.0.push(Fact::Ended { who, purpose });
        self.follow(who);
    }

    fn pass(&mut self, seconds: u64) {
        self.seconds += seconds;
        for lapsed in self.ledger.tick(self.now()) {
            self.rooms.retract(&EVENT, lapsed.subject(), lapsed.purpose, lapsed.generation);
        }
        (0..PEOPLE).for_each(|who| self.follow(who));
        self.rooms.tick(self.now());
    }

    /// As the gateway does whenever somebody's standing may have changed.
    fn follow(&mut self, who: u8) {
        for socket in (0..u64::from(SOCKETS)).filter(|socket| owner(*socket) == who) {
            let (party, now) = (party(who), self.now());
            match self.ledger.consent::<Chat>(&party, now) {
                Ok(consent) if self.rooms.permit(SocketId(socket), &consent) => {
                    self.rooms.show_chat(SocketId(socket), &consent);
                }
                Ok(_) => {}
                Err(_) => {
                    self.rooms.forbid(SocketId(socket), Chat::PURPOSE);
                    // Without a consent of one's own there is nothing to show.
                    self.rooms.tell_consent(SocketId(socket), ConsentState { purposes: Vec::new() });
                }
            }
            match self.ledger.consent::<Presence>(&party, now) {
                Ok(consent) if self.rooms.permit(SocketId(socket), &consent) => {
                    self.rooms.show_listing(SocketId(socket), &consent);
                }
                Ok(_) => {}
                Err(_) => self.rooms.forbid(SocketId(socket), Presence::PURPOSE),
            }
        }
    }

    fn come_or_go(&mut self, socket: u64) {
        let who = owner(socket);
        if self.queues.remove(&socket).is_some() {
            self.screens.remove(&socket);
            self.rooms.detach(SocketId(socket), self.now());
            return;
        }
        _ = self.rooms.open(&EVENT, ROOM, RoomSettings::default(), 1);
        let subject = party(who).subject;
        self.rooms.attach(&EVENT, SocketId(socket), Role::Viewer, subject).expect("it is open");
        self.queues.insert(socket, VecDeque::new());
        self.screens.insert(socket, HashMap::new());
        self.ended.insert(socket, Vec::new());
        self.follow(who);
    }

    fn say(&mut self, who: u8, dice: &mut Dice) {
        let (party, now) = (party(who), self.now());
        let consent = self.ledger.consent::<Chat>(&party, now);
        let may = self.oracle.grant(who, Purpose::Chat, self.seconds).is_some();
        assert_eq!(consent.is_ok(), may, "the gate and the model differ");
        let Ok(consent) = consent else { return };
        self.number += 1;
        let (id, text) = (self.number, format!("message {}", self.number));
        let reply = (dice.throw(2) == 0).then(|| 1 + dice.throw(self.number));
        let fresh = Fresh { message: id, author: 10_000 + id, reach: BanReach::Guest };
        if self.rooms.say(&consent, Voice::Viewer, fresh, (&text, reply), now).is_ok() {
            self.oracle.0.push(Fact::Said { who, text, id });
        }
    }

    fn react(&mut self, who: u8, dice: &mut Dice) {
        let (party, now, id) = (party(who), self.now(), 1 + dice.throw(self.number + 1));
        let Ok(consent) = self.ledger.consent::<Chat>(&party, now) else { return };
        let what = (id, ChatReaction::Like, dice.throw(4) > 0);
        if self.rooms.react(&consent, what, now).is_ok() && what.2 {
            self.oracle.0.push(Fact::Reacted { who, message: id });
        }
    }

    fn list(&mut self, who: u8) {
        let (party, now) = (party(who), self.now());
        self.number += 1;
        let name = format!("Person {}", self.number);
        let Ok(consent) = self.ledger.consent::<Presence>(&party, now) else { return };
        if self.rooms.list(&consent, Voice::Viewer, &name, now).is_ok() {
            self.oracle.0.push(Fact::Listed { who, name });
        }
    }

    /// Puts what the rooms tell into the queues, as the directory does.
    fn collect(&mut self) {
        let text = |message: &ServerMessage| serde_json::to_string(message).expect("JSON");
        while let Some(output) = self.rooms.poll() {
            match output {
                Output::Tell { socket, message } => {
                    let queue = self.queues.get_mut(&socket.0);
                    queue
                        .into_iter()
                        .for_each(|queue| queue.push_back(Waiting { licences: None, message: text(&message) }));
                }
                Output::Overtake { socket, message } => {
                    let waiting = Waiting { licences: None, message: text(&message) };
                    let Some(queue) = self.queues.get_mut(&socket.0) else { continue };
                    // Behind what overtook before it, which has no licences either.
                    let at = queue.iter().position(|waiting| waiting.licences.is_some()).unwrap_or(queue.len());
                    queue.insert(at, waiting);
                }
                Output::Share(shared) => {
                    for (socket, to) in shared.to {
                        let licences = Some(shared.by.iter().cloned().chain(to).collect());
                        let waiting = Waiting { licences, message: text(&shared.message) };
                        self.queues.get_mut(&socket.0).expect("it is open").push_back(waiting);
                    }
                }
                Output::Lot(lot) => {
                    for (socket, to) in lot.to {
                        for piece in &lot.pieces {
                            let licences = Some(piece.by.iter().cloned().chain([to.clone()]).collect());
                            let waiting = Waiting { licences, message: text(&piece.message) };
                            self.queues.get_mut(&socket.0).expect("it is open").push_back(waiting);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether what came under these grants may go; a bent scene looks at something else.
    fn writes(&self, licences: &[Licence]) -> bool {
        let each = |other: fn(Purpose) -> Purpose| {
            licences.iter().all(|licence| {
                let (who, purpose) = self.oracle.of(licence.generation());
                let standing = self.ledger.standing(&party(who), other(purpose), self.now());
                matches!(standing, Standing::Granted { .. })
            })
        };
        match self.bent {
            None => Licence::while_all_stand(licences.iter(), self.now(), || ()).is_some(),
            Some(Bent::NoCheck) => true,
            Some(Bent::NoGeneration) => each(|purpose| purpose),
            Some(Bent::WrongPurpose) => {
                each(|purpose| if purpose == Purpose::Chat { Purpose::Presence } else { Purpose::Chat })
            }
        }
    }

    /// Hands over the next thing that waits for a socket, if it may go.
    fn write(&mut self, socket: u64) {
        let Some(waiting) = self.queues.get_mut(&socket).and_then(VecDeque::pop_front) else { return };
        if let Some(licences) = &waiting.licences
            && !self.writes(licences)
        {
            self.dropped += 1;
            return;
        }
        let message: ServerMessage = serde_json::from_str(&waiting.message).expect("JSON");
        match message {
            ServerMessage::Chat(news) => self.read(socket, news),
            ServerMessage::Retracted(retraction) => {
                let screen = self.screens.get_mut(&socket).expect("it is open");
                screen.retain(|_, generation| *generation != retraction.generation);
                self.ended.get_mut(&socket).expect("it is open").push(retraction.generation);
            }
            ServerMessage::Consent(_) => self.screens.get_mut(&socket).expect("it is open").clear(),
            _ => {}
        }
    }

    /// What reaches somebody is permitted, now.
    fn read(&mut self, socket: u64, news: ChatNews) {
        let (reader, now) = (owner(socket), self.seconds);
        let hears = |purpose| self.oracle.grant(reader, purpose, now).is_some();
        let number = |id: &str| u64::from_str_radix(id, 16).expect("a number");
        match news {
            ChatNews::Message(said) => {
                assert!(hears(Purpose::Chat), "a forbidden delivery: the reader takes no part");
                let permitted = self.oracle.may_show(number(&said.id), now);
                assert_eq!(permitted, Some((said.text.as_str(), said.generation)), "a forbidden delivery");
                assert!(!self.ended[&socket].contains(&said.generation), "a client would have dropped it");
                self.screens.get_mut(&socket).expect("it is open").insert(said.id, said.generation);
                self.shown += 1;
            }
            ChatNews::Sums(sums) => {
                assert!(hears(Purpose::Chat) && self.oracle.may_show(number(&sums.message), now).is_some());
                let most = self.oracle.most_reactions(number(&sums.message), now);
                assert!(sums.sums.iter().all(|sum| sum.count <= most), "a forbidden reaction");
            }
            ChatNews::Board(board) => {
                assert!(hears(Purpose::Chat));
                let pinned = board.pinned.as_deref().map(number);
                assert!(pinned.is_none_or(|id| self.oracle.may_show(id, now).is_some()), "a forbidden pin");
            }
            ChatNews::Listed { people } => {
                assert!(hears(Purpose::Presence), "a forbidden list");
                assert!(people.iter().all(|person| self.oracle.may_list(&person.name, now)), "a forbidden name");
            }
            ChatNews::Begin => self.screens.get_mut(&socket).expect("it is open").clear(),
            _ => {}
        }
    }

    /// When everything has been handed over, every screen shows what it may.
    fn settle(&mut self) {
        self.collect();
        for socket in 0..u64::from(SOCKETS) {
            while self.queues.get(&socket).is_some_and(|queue| !queue.is_empty()) {
                self.write(socket);
            }
            let Some(screen) = self.screens.get(&socket) else { continue };
            for id in screen.keys() {
                let id = u64::from_str_radix(id, 16).expect("a number");
                assert!(self.oracle.may_show(id, self.seconds).is_some(), "it stayed on a screen");
            }
            if self.oracle.grant(owner(socket), Purpose::Chat, self.seconds).is_some() {
                let said = self
                    .oracle
                    .0
                    .iter()
                    .filter_map(|fact| if let Fact::Said { id, .. } = fact { Some(*id) } else { None });
                let may: Vec<u64> = said.filter(|id| self.oracle.may_show(*id, self.seconds).is_some()).collect();
                // Who comes later is told the latest fifty.
                let told = may.iter().rev().take(50).filter(|id| screen.contains_key(&format!("{id:016x}"))).count();
                assert_eq!(told, may.len().min(50), "a permitted message was lost");
            }
        }
    }
}

/// A history by its number; how much was shown and dropped.
fn played(seed: u64, bent: Option<Bent>) -> (u32, u32) {
    let (mut scene, mut dice) = (Scene::new(bent), Dice(seed));
    for step in 0..300 {
        scene.step(&mut dice);
        if step % 100 == 99 {
            scene.settle();
        }
    }
    (scene.shown, scene.dropped)
}

#[test]
fn no_history_lets_anything_forbidden_through() {
    let (mut shown, mut dropped) = (0, 0);
    for seed in 0..200 {
        let (now, then) = played(seed, None);
        (shown, dropped) = (shown + now, dropped + then);
    }
    assert!(shown > 3_000 && dropped > 1_000, "histories in which something happens: {shown} shown, {dropped} dropped");
}

/// The model finds each way in which a gate can be wrong; else it would prove nothing.
#[test]
fn the_model_objects_to_every_bent_gate() {
    for bent in [Bent::NoCheck, Bent::NoGeneration, Bent::WrongPurpose] {
        let objects = |seed| std::panic::catch_unwind(|| played(seed, Some(bent))).is_err();
        assert!((0..100).any(objects), "{bent:?}");
    }
}
