//! Chat over real sockets: asked, answered by a page of our own, said, moderated, and taken back.

use super::identifiers::strings;
use super::server::Running;
use super::sockets::Page;
use super::{Ask, ORIGIN, config, is};
use axum::http::StatusCode;
use holder::Holder;
use holder::consent::choice;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use veilcast_auth::Scope;

use veilcast_protocol::FaultCode;
use veilcast_records::EventId;
use veilcast_room::SocketId;

/// Somebody in a chat.
pub(super) struct Talker {
    pub(super) page: Page,
    event: EventId,
}

impl Talker {
    pub(super) async fn join(running: &Running, event: EventId, scope: Scope) -> Self {
        let mut page = Page::join(running, event, scope).await;
        page.expect("welcome").await;
        let mut talker = Self { page, event };
        if scope == Scope::Broadcast {
            talker.page.expect("audience").await;
        }
        talker.agree(running, "chat").await;
        talker
    }

    /// Is asked, and says yes on a page of the server's.
    async fn agree(&mut self, running: &Running, purpose: &str) {
        self.page.say(&json!({ "type": "request-consent", "purpose": purpose })).await;
        let question = self.page.expect("consent-question").await;
        let all = running.ask(Ask::new("GET", "/api/v1/purposes")).await.json();
        let terms = all["purposes"].as_array().and_then(|all| all.iter().find(|terms| terms["purpose"] == purpose));
        let choice = choice(self.event.as_str(), &question, terms.expect("is asked for"), "given");
        let ask = Ask::new("POST", "/api/v1/consent").header("origin", ORIGIN).json(&Holder::new().states(&choice));
        assert_eq!(running.ask(ask).await.status, StatusCode::OK);
        self.page.expect("consent").await;
        if purpose == "chat" {
            self.news("begin").await;
            while self.chat().await["news"] != json!("end") {}
        }
    }

    async fn act(&mut self, verb: Value) {
        let mut message = verb;
        message["type"] = json!("chat");
        self.page.say(&message).await;
    }

    async fn say(&mut self, text: &str) {
        self.act(json!({ "verb": "say", "text": text })).await;
    }

    async fn chat(&mut self) -> Value {
        self.page.expect("chat").await
    }

    /// The next news, which are of this kind. That somebody hears their own name in between is a test of its own.
    pub(super) async fn news(&mut self, kind: &str) -> Value {
        loop {
            let heard = self.chat().await;
            if heard["news"] == json!("own") && kind != "own" {
                continue;
            }
            assert_eq!(heard["news"], json!(kind), "{heard}");
            return heard;
        }
    }
}

#[tokio::test]
async fn a_message_needs_consent_and_reaches_those_who_gave_theirs() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut silent = Page::join(&running, event, Scope::Watch).await;
    silent.expect("welcome").await;
    silent.say(&json!({ "type": "chat", "verb": "say", "text": "hello" })).await;
    silent.fault("consent-missing").await;

    let mut ada = Talker::join(&running, event, Scope::Watch).await;
    let mut bob = Talker::join(&running, event, Scope::Broadcast).await;
    ada.act(json!({ "verb": "name", "name": "Ada" })).await;
    assert_eq!(ada.news("own").await["name"], json!("Ada"));
    ada.say("hello \u{202e}<b>all</b>").await;
    for talker in [&mut ada, &mut bob] {
        let said = talker.news("message").await;
        assert_eq!(
            (&said["text"], &said["name"], &said["role"]),
            (&json!("hello <b>all</b>"), &json!("Ada"), &json!("viewer"))
        );
    }
    bob.say("welcome").await;
    let said = ada.news("message").await;
    assert_eq!(said["role"], json!("host"));
    assert!(said["name"].as_str().is_some_and(|name| name.starts_with("Guest ")), "a name for who chose none");
    ada.act(json!({ "verb": "react", "message": said["id"], "reaction": "like", "on": true })).await;
    let sums = ada.news("sums").await;
    assert_eq!(sums["sums"], json!([{ "reaction": "like", "count": 1 }]));
    // Whoever has not agreed hears nothing of it: the next thing is what they ask for.
    silent.say(&json!({ "type": "request-consent", "purpose": "chat" })).await;
    silent.expect("consent-question").await;
}

/// One account at two events: nothing that others hear of it, or that it is told itself, is the same at both (THREATS row 34).
#[tokio::test]
async fn a_member_is_somebody_else_in_each_chat() {
    let running = Running::new(config()).await;
    let events = [running.store.event(true).await, running.store.event(true).await];
    // Bob comes first: what both have is nobody's.
    let mut words = Vec::new();
    for name in ["bob-canary-4711", "ada-canary-4711"] {
        for event in events {
            let mut listener = Talker::join(&running, event, Scope::Watch).await;
            let bound = running.member(event, name).await;
            let mut page = Page::greet(&running, bound.into(), None).await;
            let welcome = page.expect("welcome").await;
            let mut member = Talker { page, event };
            member.agree(&running, "chat").await;
            member.say("hello").await;
            let own = member.news("message").await;
            let said = listener.news("message").await;
            assert!(said["author"] == own["author"] && !said["author"].is_null());
            let heard = strings(&format!("{welcome} {own} {said} {}", said["author"]));
            words.push((said["author"].to_string(), heard));
        }
    }
    let [bob, bob_again, ada, ada_again] = &words[..] else { panic!("two visits of two") };
    let usual = bob.1.union(&bob_again.1).cloned().collect::<BTreeSet<_>>();
    let shared = ada.1.intersection(&ada_again.1).filter(|word| !usual.contains(*word)).collect::<Vec<_>>();
    assert_eq!(shared, Vec::<&String>::new());
    assert!(ada.0 != ada_again.0 && bob.0 != bob_again.0, "nobody is the same author twice");
    assert!(!words.iter().any(|(_, words)| words.iter().any(|word| word.contains("4711"))), "nobody is told the name");
}

#[tokio::test]
async fn a_withdrawal_is_told_before_whatever_waits() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut ada = Talker::join(&running, event, Scope::Watch).await;
    let mut bob = Talker::join(&running, event, Scope::Watch).await;
    ada.say("mine").await;
    let said = bob.news("message").await;
    ada.page.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    let retracted = bob.page.expect("retracted").await;
    assert_eq!((&retracted["purpose"], &retracted["generation"]), (&json!("chat"), &said["generation"]));
    let mut late = Talker::join(&running, event, Scope::Watch).await;
    bob.say("alone").await;
    assert_eq!(late.news("message").await["text"], json!("alone"), "nothing of hers came before");
}

#[tokio::test]
async fn a_ban_reaches_who_only_watches_and_takes_what_they_said() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut troll = Talker::join(&running, event, Scope::Watch).await;
    let mut bob = Talker::join(&running, event, Scope::Watch).await;
    let mut moderator = Talker::join(&running, event, Scope::Moderate).await;
    troll.say("rude").await;
    let said = bob.news("message").await;
    moderator.news("message").await;
    bob.act(json!({ "verb": "ban", "author": said["author"] })).await;
    bob.page.fault("scope-missing").await;
    bob.act(json!({ "verb": "remove", "message": said["id"] })).await;
    bob.page.fault("not-removable").await;
    moderator.act(json!({ "verb": "ban", "author": said["author"] })).await;
    let retracted = bob.page.expect("retracted").await;
    assert_eq!(retracted["generation"], said["generation"]);
    troll.news("message").await;
    troll.page.expect("retracted").await;
    troll.page.fault("banned").await;
    let bound = troll.page.bound();
    Page::greet(&running, bound, None).await.fault("banned").await;
    moderator.page.expect("retracted").await;
    moderator.act(json!({ "verb": "ban", "author": said["author"] })).await;
    moderator.page.fault("chat-gone").await;
}

/// Or a moderator who tries would learn who is there.
#[tokio::test]
async fn a_ban_of_who_wrote_and_left_is_like_that_of_who_stays() {
    let mut heard = Vec::new();
    for leaves in [false, true] {
        let running = Running::new(config()).await;
        let event = running.store.event(true).await;
        let mut troll = Talker::join(&running, event, Scope::Watch).await;
        let mut moderator = Talker::join(&running, event, Scope::Moderate).await;
        troll.say("rude").await;
        let said = moderator.news("message").await;
        let bound = troll.page.bound();
        if leaves {
            assert!(troll.page.parts().await);
            let left = async || running.gateway.app.hub.directory.socket_count() == 1;
            super::until("the moderator is alone", left).await;
        }
        moderator.act(json!({ "verb": "ban", "author": said["author"] })).await;
        let retracted = moderator.page.expect("retracted").await;
        assert_eq!(retracted["generation"], said["generation"]);
        moderator.act(json!({ "verb": "ban", "author": said["author"] })).await;
        moderator.page.fault("chat-gone").await;
        let bans = running.store.records.bans(&event).await.expect("are read");
        heard.push(bans.iter().map(|ban| ban.reach).collect::<Vec<_>>());
        Page::greet(&running, bound, None).await.fault("banned").await;
    }
    assert_eq!(heard[0], heard[1], "what it holds for is known of both");
}

#[tokio::test]
async fn every_refusal_says_what_it_is() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut ada = Talker::join(&running, event, Scope::Watch).await;
    let mut host = Talker::join(&running, event, Scope::Moderate).await;
    for (verb, code) in [
        (json!({ "verb": "say", "text": " \u{200b} " }), FaultCode::ChatText),
        (json!({ "verb": "name", "name": "Moderator" }), FaultCode::ChatName),
        (json!({ "verb": "say", "text": "x", "reply": "00000000000000ff" }), FaultCode::ChatGone),
        (json!({ "verb": "delete", "message": "zz" }), FaultCode::ChatGone),
        (json!({ "verb": "list-me", "name": "Ada" }), FaultCode::ConsentMissing),
        (json!({ "verb": "slow", "seconds": 5 }), FaultCode::NotRemovable),
        (json!({ "verb": "shout", "text": "x" }), FaultCode::BadRequest),
    ] {
        ada.act(verb).await;
        ada.page.fault(code.name()).await;
    }
    host.act(json!({ "verb": "slow", "seconds": 60 })).await;
    assert_eq!(ada.news("board").await["slow"], json!(60));
    ada.say("one").await;
    let author = ada.news("message").await["author"].clone();
    ada.say("two").await;
    ada.page.fault(FaultCode::ChatSlow.name()).await;
    host.act(json!({ "verb": "mute", "author": author, "on": true })).await;
    ada.news("removed").await;
    ada.say("three").await;
    ada.page.fault(FaultCode::ChatMuted.name()).await;
    ada.page.say(&json!({ "type": "sync", "number": 7 })).await;
    assert_eq!(ada.page.expect("synced").await["number"], json!(7));
    assert_eq!(is(429, "chat-slow"), (FaultCode::ChatSlow.text().0, FaultCode::ChatSlow.name().to_owned()));
}

/// As long as its socket has not been told, a client may go on talking.
#[tokio::test]
async fn who_is_out_says_and_moderates_nothing_more() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut ada = Talker::join(&running, event, Scope::Watch).await;
    let mut moderator = Talker::join(&running, event, Scope::Moderate).await;
    ada.agree(&running, "presence").await;
    ada.say("before").await;
    let said = moderator.news("message").await;
    ada.news("message").await;
    let hub = &running.gateway.app.hub;
    // They are numbered as they come.
    hub.with(|rooms, now| (0..8).for_each(|id| rooms.detach(SocketId(id), now)));
    for verb in [
        json!({ "verb": "say", "text": "after" }),
        json!({ "verb": "name", "name": "Ada" }),
        json!({ "verb": "delete", "message": said["id"] }),
        json!({ "verb": "react", "message": said["id"], "reaction": "like", "on": true }),
        json!({ "verb": "list-me", "name": "Ada" }),
    ] {
        ada.act(verb).await;
        ada.page.fault("access-revoked").await;
        moderator.act(json!({ "verb": "slow", "seconds": 60 })).await;
        moderator.page.fault("access-revoked").await;
    }
    for verb in ["remove", "pin"] {
        moderator.act(json!({ "verb": verb, "message": said["id"] })).await;
        moderator.page.fault("access-revoked").await;
    }
    for verb in [json!({ "verb": "mute", "on": true }), json!({ "verb": "ban" })] {
        let mut verb = verb;
        verb["author"] = said["author"].clone();
        moderator.act(verb).await;
        moderator.page.fault("access-revoked").await;
    }
}

#[tokio::test]
async fn an_event_that_a_command_ends_while_nobody_is_there_takes_everything_along() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut ada = Talker::join(&running, event, Scope::Watch).await;
    ada.say("mine").await;
    ada.news("message").await;
    drop(ada);
    let hub = &running.gateway.app.hub;
    super::until("nobody is there", async || !hub.with(|rooms, _| rooms.is_open(&event))).await;
    let known = || hub.gated(|ledger, rooms, _| (rooms.events_known().count(), ledger.events().count()));
    assert_eq!(known(), (1, 1), "what was said and agreed to stays for who comes later");
    running.store.records.end_event(&event).await.expect("ends");
    super::until("nothing is kept", async || known() == (0, 0)).await;
}

/// Two hundred sockets, of which some are written to while one of them withdraws: what is measured is read by the receivers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_take_part_and_one_withdrawal_reaches_all() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut ada = Talker::join(&running, event, Scope::Watch).await;
    let mut others = Vec::new();
    for _ in 0..200 {
        others.push(Talker::join(&running, event, Scope::Watch).await);
    }
    ada.say("hello").await;
    ada.news("message").await;
    // Whoever has not heard of it by then never does: a withdrawal overtakes.
    for other in &mut others {
        other.news("message").await;
    }
    let told = Instant::now();
    ada.page.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    let hears = others.into_iter().map(|mut talker| {
        tokio::spawn(async move {
            talker.page.expect("retracted").await;
            told.elapsed()
        })
    });
    let mut times = Vec::new();
    for task in hears.collect::<Vec<_>>() {
        times.push(task.await.expect("hears of it"));
    }
    times.sort();
    // The goal is 100 ms; a machine that does other things meanwhile must not fail this.
    assert!(times[197] < Duration::from_secs(2), "99 of 100 heard within {:?}", times[197]);
}
