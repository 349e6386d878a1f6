//! A chat among a few people, by the words that reach their sockets.

use super::*;
use crate::{ChatAct, ChatRefusal, Fresh, Voice};
use veilcast_consent::{Chat, Choice, Decision, Ledger, Licence, Party, Presence, Purpose, Terms};
use veilcast_protocol::{BanReach, ChatNews, ChatReaction, ChatRole, ChatSum};

const SECOND: Duration = Duration::from_secs(1);

/// What a screen of ours would show.
#[derive(Default)]
struct Screen {
    /// By id: author, name, text, generation, what it answers.
    messages: Vec<(String, String, String, String, u32, Option<String>)>,
    roles: Vec<ChatRole>,
    sums: Vec<(String, Vec<ChatSum>)>,
    pinned: Option<String>,
    slow: u32,
    listed: Vec<String>,
    own: Option<String>,
    begun: usize,
}

impl Screen {
    fn texts(&self) -> Vec<&str> {
        self.messages.iter().map(|message| message.3.as_str()).collect()
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Retracted(retraction) => self.messages.retain(|message| message.4 != retraction.generation),
            ServerMessage::Chat(news) => self.hear(news),
            _ => {}
        }
    }

    fn hear(&mut self, news: ChatNews) {
        match news {
            ChatNews::Begin => *self = Self { begun: self.begun + 1, ..Self::default() },
            ChatNews::Message(said) => {
                self.roles.push(said.role);
                self.messages.push((said.id, said.author, said.name, said.text, said.generation, said.reply));
            }
            ChatNews::Removed { messages } => self.messages.retain(|message| !messages.contains(&message.0)),
            ChatNews::Sums(sums) => self.sums.push((sums.message, sums.sums)),
            ChatNews::Board(board) => (self.pinned, self.slow) = (board.pinned, board.slow),
            ChatNews::Own(own) => self.own = Some(own.name),
            ChatNews::End => {}
            ChatNews::Listed { people } => self.listed = people.into_iter().map(|person| person.name).collect(),
        }
    }
}

/// People 1, 2 and so on, each with the socket of their number.
struct Hall {
    rooms: Rooms<u32>,
    ledger: Ledger<u32>,
    now: Instant,
    number: u64,
    screens: Vec<Screen>,
}

fn party(who: u8) -> Party<u32> {
    Party { event: EVENT, subject: Pseudonym::new([who; 16]), signal: false, asks_nothing: false }
}

impl Hall {
    fn of(people: u8) -> Self {
        let (rooms, now) = opened();
        let screens = (0..=people).map(|_| Screen::default()).collect();
        let mut hall = Self { rooms, ledger: Ledger::default(), now, number: 100, screens };
        for who in 1..=people {
            hall.come(who);
            hall.grant(who, Purpose::Chat);
        }
        hall
    }

    fn come(&mut self, who: u8) {
        let (socket, subject) = (SocketId(who.into()), Pseudonym::new([who; 16]));
        self.rooms.attach(&EVENT, socket, Role::Viewer, subject).expect("it is open");
    }

    fn grant(&mut self, who: u8, purpose: Purpose) {
        let (version, decision) = (Terms::of(purpose).version, Decision::Grant { lasting: None });
        let choice = Choice { purpose, version, decision, despite_signal: false, key: [0; 32] };
        self.ledger.decide(&party(who), choice, self.now).expect("good");
        let (party, socket) = (party(who), SocketId(who.into()));
        if purpose == Purpose::Presence {
            let consent = self.ledger.consent::<Presence>(&party, self.now).expect("granted");
            self.rooms.permit(socket, &consent);
            self.rooms.show_listing(socket, &consent);
        } else {
            let consent = self.ledger.consent::<Chat>(&party, self.now).expect("granted");
            self.rooms.permit(socket, &consent);
            self.rooms.show_chat(socket, &consent);
        }
        self.deliver();
    }

    fn withdraw(&mut self, who: u8, purpose: Purpose) {
        let subject = Pseudonym::new([who; 16]);
        let ended = self.ledger.withdraw(&EVENT, subject, purpose).expect("granted before");
        self.rooms.retract(&EVENT, subject, purpose, ended.generation);
        self.rooms.forbid(SocketId(who.into()), purpose);
        self.deliver();
    }

    fn with<R>(
        &mut self,
        who: u8,
        act: impl FnOnce(&mut Rooms<u32>, &veilcast_consent::Consent<'_, u32, Chat>) -> R,
    ) -> R {
        let party = party(who);
        let consent = self.ledger.consent::<Chat>(&party, self.now).expect("granted");
        let done = act(&mut self.rooms, &consent);
        self.deliver();
        done
    }

    fn say_as(&mut self, who: u8, voice: Voice, text: &str, reply: Option<u64>) -> Result<u64, ChatRefusal> {
        self.number += 1;
        let (id, now) = (self.number, self.now);
        let fresh = Fresh { message: id, author: 1_000 + id, reach: BanReach::Guest };
        self.with(who, |rooms, consent| rooms.say(consent, voice, fresh, (text, reply), now)).map(|()| id)
    }

    fn say(&mut self, who: u8, text: &str) -> Result<u64, ChatRefusal> {
        self.say_as(who, Voice::Viewer, text, None)
    }

    fn call(&mut self, who: u8, name: &str) -> Result<(), ChatRefusal> {
        let (now, fresh) = (self.now, Fresh { message: 0, author: 2_000 + u64::from(who), reach: BanReach::Guest });
        self.with(who, |rooms, consent| rooms.call(consent, Voice::Viewer, fresh, name, now))
    }

    fn react(&mut self, who: u8, id: u64, reaction: ChatReaction) -> Result<(), ChatRefusal> {
        let now = self.now;
        self.with(who, |rooms, consent| rooms.react(consent, (id, reaction, true), now))
    }

    fn moderate(&mut self, voice: Voice, act: ChatAct) -> Result<(), ChatRefusal> {
        let done = self.rooms.moderate(&EVENT, voice, act, self.now);
        self.deliver();
        done
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.rooms.tick(self.now);
        self.deliver();
    }

    /// Hands over everything that waits, as a socket does: each while everybody's grant stands.
    fn deliver(&mut self) -> usize {
        let mut count = 0;
        while let Some(output) = self.rooms.poll() {
            count += 1;
            match output {
                Output::Tell { socket, message } | Output::Overtake { socket, message } => self.show(socket, message),
                Output::Share(shared) => {
                    for (socket, to) in &shared.to {
                        let by = shared.by.iter().chain(to);
                        if Licence::while_all_stand(by, self.now, || ()).is_some() {
                            self.show(*socket, copied(&shared.message));
                        }
                    }
                }
                Output::Lot(lot) => {
                    for (socket, to) in &lot.to {
                        for piece in &lot.pieces {
                            if Licence::while_all_stand(piece.by.iter().chain([to]), self.now, || ()).is_some() {
                                self.show(*socket, copied(&piece.message));
                            }
                        }
                    }
                }
                _ => count -= 1,
            }
        }
        count
    }

    fn show(&mut self, socket: SocketId, message: ServerMessage) {
        let screen = self.screens.get_mut(socket.0 as usize);
        screen.into_iter().for_each(|screen| screen.take(copied(&message)));
    }

    fn author(&self, on: usize, text: &str) -> u64 {
        let message = self.screens[on].messages.iter().find(|message| message.3 == text).expect("it is there");
        u64::from_str_radix(&message.1, 16).expect("a number")
    }
}

/// By way of the wire, as it reaches a screen.
fn copied(message: &ServerMessage) -> ServerMessage {
    serde_json::from_str(&serde_json::to_string(message).expect("JSON")).expect("JSON")
}

#[test]
fn what_is_said_reaches_those_who_take_part_and_nobody_else() {
    let mut hall = Hall::of(2);
    hall.screens.push(Screen::default());
    hall.come(3);
    hall.call(1, "Ada").expect("free");
    let first = hall.say(1, "hello \u{202e}there").expect("good");
    hall.say_as(2, Voice::Host, "welcome", Some(first)).expect("good");
    for on in [1, 2] {
        assert_eq!(hall.screens[on].texts(), ["hello there", "welcome"]);
        assert_eq!(hall.screens[on].messages[0].2, "Ada");
        assert_eq!(hall.screens[on].roles, [ChatRole::Viewer, ChatRole::Host], "whatever they call themselves");
        assert_eq!(hall.screens[on].messages[1].5.as_deref(), Some(hall.screens[on].messages[0].0.as_str()));
    }
    assert!(hall.screens[3].texts().is_empty() && hall.screens[3].begun == 0);
    hall.grant(3, Purpose::Chat);
    assert_eq!((hall.screens[3].texts().len(), hall.screens[3].begun), (2, 1), "and later what is there");
}

#[test]
fn a_withdrawal_takes_everything_in_whatever_form() {
    let mut hall = Hall::of(3);
    let hers = hall.say(1, "hers").expect("good");
    hall.say_as(2, Voice::Viewer, "an answer", Some(hers)).expect("good");
    let his = hall.say(2, "his").expect("good");
    hall.react(1, his, ChatReaction::Like).expect("good");
    hall.react(3, his, ChatReaction::Like).expect("good");
    hall.moderate(Voice::Host, ChatAct::Pin(Some(hers))).expect("it is there");
    hall.wait(SECOND);
    assert_eq!(hall.screens[3].sums.last().expect("told").1, [ChatSum { reaction: ChatReaction::Like, count: 2 }]);
    assert!(hall.screens[3].pinned.is_some());
    hall.withdraw(1, Purpose::Chat);
    assert_eq!(hall.screens[3].texts(), ["an answer", "his"]);
    assert_eq!(hall.screens[3].sums.last().expect("told").1, [ChatSum { reaction: ChatReaction::Like, count: 1 }]);
    assert_eq!(hall.screens[3].pinned, None);
    assert_eq!(hall.say_as(2, Voice::Viewer, "again", Some(hers)), Err(ChatRefusal::Gone));
    hall.screens.push(Screen::default());
    hall.come(4);
    hall.grant(4, Purpose::Chat);
    let late = &hall.screens[4];
    assert_eq!(late.texts(), ["an answer", "his"]);
    assert!(late.messages.iter().all(|message| message.5.is_none()), "nothing points at what is gone");
    assert_eq!(late.pinned, None);
    hall.grant(1, Purpose::Chat);
    hall.wait(SECOND * 10);
    hall.say(1, "back").expect("good");
    assert_eq!(hall.screens[4].texts(), ["an answer", "his", "back"], "what is gone stays gone");
}

#[test]
fn who_comes_back_is_somebody_else_and_a_mute_holds_all_the_same() {
    let mut hall = Hall::of(2);
    hall.call(1, "Ada").expect("free");
    hall.say(1, "one").expect("good");
    let before = hall.author(2, "one");
    hall.withdraw(1, Purpose::Chat);
    hall.call(2, "Ada").expect("nobody else goes by it");
    hall.grant(1, Purpose::Chat);
    hall.wait(SECOND * 10);
    hall.say(1, "two").expect("good");
    let after = hall.author(2, "two");
    assert_ne!(before, after);
    hall.moderate(Voice::Moderator, ChatAct::Mute(after, true)).expect("she is there");
    assert!(hall.screens[2].texts().is_empty(), "what she said goes");
    hall.withdraw(1, Purpose::Chat);
    hall.grant(1, Purpose::Chat);
    hall.wait(SECOND * 10);
    assert_eq!(hall.say(1, "three"), Err(ChatRefusal::Muted));
}

#[test]
fn nobody_goes_by_a_name_that_can_be_taken_for_anothers() {
    let mut hall = Hall::of(3);
    hall.call(1, "Alice").expect("free");
    hall.call(2, "AІice").expect("with a number");
    assert_eq!(hall.screens[2].own.as_deref(), Some("AІice 2"));
    assert_eq!(hall.call(3, "The Moderator"), Err(ChatRefusal::Name));
    hall.call(1, "Ada").expect("free");
    hall.call(3, "alice").expect("with a number");
    assert_eq!(hall.screens[3].own.as_deref(), Some("alice 3"), "messages under the older name still stand");
    for name in ["Eve", "Eva", "Evi"] {
        _ = hall.call(3, name);
    }
    assert_eq!(hall.call(3, "Evo"), Err(ChatRefusal::Name), "a name is not changed all the time");
}

#[test]
fn everybody_has_a_pace() {
    let mut hall = Hall::of(2);
    let sent = (0..20).filter(|turn| hall.say(1, &format!("{turn}")).is_ok()).count();
    assert_eq!(sent, 5);
    hall.moderate(Voice::Host, ChatAct::Slow(10)).expect("she may");
    assert_eq!(hall.screens[2].slow, 10);
    hall.say(2, "first").expect("his first");
    hall.wait(SECOND * 9);
    assert_eq!(hall.say(2, "too soon"), Err(ChatRefusal::Slow(SECOND)));
    hall.say_as(2, Voice::Moderator, "a moderator may", None).expect("they do not wait");
    assert_eq!(hall.moderate(Voice::Viewer, ChatAct::Slow(0)), Err(ChatRefusal::NotYours));
    hall.moderate(Voice::Host, ChatAct::Slow(0)).expect("she may");

    let message = hall.say(2, "what do you think?").expect("good");
    let reacted = (0..20).filter(|_| hall.react(1, message, ChatReaction::Like).is_ok()).count();
    assert_eq!(reacted, 10);
    hall.wait(SECOND);
    let reacted = (0..20).filter(|_| hall.react(1, message, ChatReaction::Like).is_ok()).count();
    assert_eq!(reacted, 2, "two a second");
}

/// Nobody could read more, and every message goes to everybody.
#[test]
fn all_of_them_together_have_one() {
    let mut hall = Hall::of(100);
    let said = |hall: &mut Hall| (1..=100).filter(|who| hall.say(*who, "hello").is_ok()).count();
    assert_eq!(said(&mut hall), 50);
    hall.wait(SECOND);
    assert_eq!(said(&mut hall), 25);
}

#[test]
fn a_crowd_is_slowed_down_and_nobody_is_one_alone() {
    let mut hall = Hall::of(30);
    for turn in 0..200 {
        _ = hall.say(1, &format!("{turn}"));
    }
    hall.wait(SECOND * 5);
    assert_eq!(hall.screens[2].slow, 0, "one person, by however many sockets");
    hall.wait(SECOND * 10);
    for who in 1..=30 {
        (0..5).for_each(|turn| _ = hall.say(who, &format!("{turn}")));
    }
    hall.wait(SECOND * 5);
    assert_eq!(hall.screens[2].slow, 5, "by itself");
    hall.wait(SECOND * 5);
    assert_eq!(hall.screens[2].slow, 0, "and back");
    let author = hall.author(2, "0");
    hall.moderate(Voice::Moderator, ChatAct::Mute(author, true)).expect("is there");
}

#[test]
fn a_mute_holds_for_hosts_too() {
    let mut hall = Hall::of(2);
    hall.say_as(1, Voice::Host, "one", None).expect("good");
    let author = hall.author(2, "one");
    assert_eq!(hall.moderate(Voice::Host, ChatAct::Mute(author, true)), Err(ChatRefusal::NotYours));
    hall.moderate(Voice::Moderator, ChatAct::Mute(author, true)).expect("stands higher");
    assert_eq!(hall.say_as(1, Voice::Host, "two", None), Err(ChatRefusal::Muted));
    hall.moderate(Voice::Moderator, ChatAct::Mute(author, false)).expect("and back");
    hall.say_as(1, Voice::Host, "three", None).expect("good");
}

#[test]
fn names_are_not_tried_one_after_the_other() {
    let mut hall = Hall::of(2);
    hall.call(1, "Ada").expect("free");
    hall.grant(2, Purpose::Presence);
    let mut tried = |name: &str| {
        let party = party(2);
        let consent = hall.ledger.consent::<Presence>(&party, hall.now).expect("granted");
        hall.rooms.list(&consent, Voice::Viewer, name, hall.now)
    };
    for _ in 0..6 {
        assert_eq!(tried("Ada"), Err(ChatRefusal::Name), "somebody goes by it");
    }
    assert_eq!(tried("Eve"), Err(ChatRefusal::Slow(SECOND * 30)));
    assert_eq!(hall.call(2, "Eve"), Err(ChatRefusal::Slow(SECOND * 30)), "here neither");
    hall.say(2, "a stand-in costs nothing").expect("good");
    hall.wait(SECOND * 30);
    hall.call(2, "Eve").expect("after a while");
}

#[test]
fn who_looks_after_the_event_removes_and_nobody_removes_them() {
    let mut hall = Hall::of(3);
    let host = hall.say_as(1, Voice::Host, "host", None).expect("good");
    let other = hall.say(2, "other").expect("good");
    let own = hall.say(3, "own").expect("good");
    assert_eq!(hall.moderate(Voice::Viewer, ChatAct::Remove(other)), Err(ChatRefusal::NotYours));
    assert_eq!(hall.moderate(Voice::Host, ChatAct::Remove(host)), Err(ChatRefusal::NotYours), "hers is hers to delete");
    hall.moderate(Voice::Host, ChatAct::Remove(other)).expect("she may");
    assert_eq!(hall.with(2, |rooms, consent| rooms.unsay(consent, own)), Err(ChatRefusal::NotYours));
    hall.with(3, |rooms, consent| rooms.unsay(consent, own)).expect("it is theirs");
    assert_eq!(hall.screens[2].texts(), ["host"]);
    let author = hall.author(2, "host");
    assert_eq!(hall.rooms.author(&EVENT, Voice::Host, author).err(), Some(ChatRefusal::NotYours));
    assert!(hall.rooms.author(&EVENT, Voice::Moderator, author) == Ok((Pseudonym::new([1; 16]), BanReach::Guest)));
}

#[test]
fn nothing_tells_that_an_author_has_left() {
    let mut hall = Hall::of(3);
    hall.say(1, "hello").expect("good");
    hall.rooms.detach(SocketId(1), hall.now);
    assert_eq!(hall.deliver(), 0);
    hall.wait(SECOND * 60);
    assert_eq!(hall.screens[2].texts(), ["hello"], "as of somebody who is silent");
}

#[test]
fn a_chat_is_bounded_and_goes_by_itself() {
    let mut hall = Hall::of(2);
    let pinned = hall.say_as(1, Voice::Host, "pinned", None).expect("good");
    hall.moderate(Voice::Host, ChatAct::Pin(Some(pinned))).expect("there");
    for turn in 0..300 {
        hall.wait(SECOND * 2);
        hall.say_as(1, Voice::Host, &format!("{turn}"), None).expect("good");
    }
    hall.screens.push(Screen::default());
    hall.come(3);
    hall.grant(3, Purpose::Chat);
    let late = hall.screens[3].texts();
    assert_eq!((late.len(), late[0], late[50]), (51, "pinned", "299"), "what is pinned stays");
    assert_eq!(hall.rooms.chats[&EVENT].said_count(), 200);
    hall.wait(SECOND * 4 * 3_600);
    assert!(hall.rooms.chats.is_empty() && hall.screens[3].texts().is_empty(), "four hours at most");
    hall.say(2, "later").expect("good");
    hall.rooms.end(&EVENT);
    assert!(hall.rooms.chats.is_empty());
}

#[test]
fn names_appear_in_the_list_on_the_tick_and_leave_it_at_once() {
    let mut hall = Hall::of(3);
    for who in [1, 2] {
        hall.grant(who, Purpose::Presence);
        let party = party(who);
        let consent = hall.ledger.consent::<Presence>(&party, hall.now).expect("granted");
        let name = ["", "Ada", "Bob"][usize::from(who)];
        hall.rooms.list(&consent, Voice::Viewer, name, hall.now).expect("free");
        hall.deliver();
    }
    assert!(hall.screens[1].listed.is_empty(), "not yet");
    hall.wait(SECOND * 30);
    assert_eq!(hall.screens[1].listed, ["Ada", "Bob"]);
    assert!(hall.screens[3].listed.is_empty(), "who is not listed sees no list");
    hall.withdraw(2, Purpose::Presence);
    assert_eq!(hall.screens[1].listed, ["Ada"], "at once");
    hall.grant(2, Purpose::Presence);
    assert_eq!(hall.screens[2].listed, ["Ada"]);
    hall.rooms.detach(SocketId(1), hall.now);
    assert_eq!(hall.deliver(), 0, "nobody is told");
    hall.wait(SECOND * 30);
    assert!(hall.screens[2].listed.is_empty());
}
