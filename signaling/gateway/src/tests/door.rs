//! The door of an event whose host lets people in one by one: who waits there, who decides, and how long that holds.

use super::server::Running;
use super::sockets::Page;
use super::{Ask, Bench, Bound, Reply, config, is, travel};
use crate::sdp::samples::FIREFOX;
use axum::http::StatusCode;
use holder::Holder;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use veilcast_auth::Scope;
use veilcast_protocol::FaultCode;
use veilcast_records::EventId;
use veilcast_room::{Knocker, SocketId};

fn at(event: EventId, rest: &str) -> String {
    format!("/api/v1/events/{event}/{rest}")
}

impl Page {
    async fn knock(running: &Running, bound: Arc<Bound>, name: Option<&str>) -> Self {
        let mut page = Self::meet(running, bound).await;
        let knock = name.map_or(json!({}), |name| json!({ "name": name }));
        let (token, proof) = (page.bound().token.clone(), page.proof().sign());
        page.say(&json!({ "type": "hello", "token": token, "proof": proof, "knock": knock })).await;
        page
    }

    async fn is_over(&mut self) -> bool {
        self.hear().await.is_none()
    }
}

/// An event with a door, and a moderator of it.
struct Scene {
    running: Running,
    event: EventId,
    moderator: Bound,
}

impl Scene {
    async fn new() -> Self {
        let running = Running::new(config()).await;
        let event = running.store.event_with_door().await;
        let moderator = running.store.invited(event, Scope::Moderate).await;
        Self { running, event, moderator }
    }

    async fn guest(&self) -> Arc<Bound> {
        Arc::new(self.running.store.guest(self.event).await)
    }

    async fn knocks(&self) -> Value {
        let reply = self.running.ask(Ask::new("GET", &at(self.event, "knocks")).by(&self.moderator)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        reply.json()["knocks"].clone()
    }

    async fn decide(&self, by: &Bound, number: u32, let_in: bool) -> Reply {
        let path = at(self.event, &format!("knocks/{number}"));
        self.running.ask(Ask::new("POST", &path).by(by).json(&json!({ "let_in": let_in }))).await
    }

    async fn watch(&self, page: &Bound) -> Reply {
        self.running.ask(Ask::new("POST", &format!("/whep/{}", self.event)).offered_by(page, FIREFOX)).await
    }
}

#[tokio::test]
async fn a_guest_waits_outside_and_is_let_in_for_as_long_as_the_event_lasts() {
    let scene = Scene::new().await;
    let guest = scene.guest().await;
    let refused = async |path: &str| scene.running.ask(Ask::new("GET", path).by(&guest)).await;
    let reply = refused(&format!("/api/v1/events/{}", scene.event)).await;
    assert_eq!(reply.fault(), is(403, "event-approval"));
    assert!(!reply.body.contains("Rehearsal"), "not even the title");
    assert_eq!(scene.watch(&guest).await.fault(), is(403, "event-approval"), "programs hear why");
    let mut uninvited = Page::greet(&scene.running, Arc::clone(&guest), None).await;
    uninvited.fault("event-approval").await;

    let mut page = Page::knock(&scene.running, Arc::clone(&guest), Some("  Ada ")).await;
    assert!(page.expect("waiting").await["expires_in"].as_u64().is_some_and(|left| left > 200));
    assert_eq!(
        scene.knocks().await,
        json!([{ "number": 1, "name": "Ada", "signed_in": false, "minutes": 0, "turned_away": false }])
    );
    page.offer(1, FIREFOX).await;
    page.fault("event-approval").await;
    assert!(scene.running.media.words().is_empty(), "no room is open, and no media");
    assert_eq!(scene.decide(&scene.moderator, 1, true).await.status, StatusCode::NO_CONTENT);
    page.expect("let-in").await;
    assert!(page.is_over().await);
    assert_eq!(scene.knocks().await, json!([]));
    assert_eq!(
        scene.decide(&scene.moderator, 1, false).await.fault(),
        is(409, "nobody-knocks"),
        "a second moderator is late"
    );

    // Over reconnects, and a token that was given anew to the same key; not for another key.
    let ask = Ask::new("POST", &at(scene.event, "guest")).new_to(&scene.running.store, &guest.holder);
    let renewed = scene.running.ask(ask).await.json()["token"].as_str().expect("a token").to_owned();
    let path = format!("/whep/{}", scene.event);
    let nonce = scene.running.store.issuer.nonce(std::time::SystemTime::now());
    let proof = guest.holder.proof("POST", &format!("{}{path}", super::ORIGIN)).nonce(&nonce).token(&renewed);
    let ask = Ask::new("POST", &path).header("dpop", &proof.offer(FIREFOX).sign());
    let ask = ask.header("authorization", &format!("DPoP {renewed}")).sdp(FIREFOX);
    assert_eq!(scene.running.ask(ask).await.status, StatusCode::CREATED);
    let mut player = Page::greet(&scene.running, Arc::clone(&guest), None).await;
    assert_eq!(player.expect("welcome").await["event"]["title"], json!("Rehearsal"));
    let mut again = Page::knock(&scene.running, guest, None).await;
    again.expect("let-in").await;
    assert_eq!(scene.watch(&*scene.guest().await).await.fault(), is(403, "event-approval"));
}

#[tokio::test]
async fn who_is_turned_away_hears_so_each_time_and_may_be_let_in_after_all() {
    let scene = Scene::new().await;
    let guest = scene.guest().await;
    let mut page = Page::knock(&scene.running, Arc::clone(&guest), Some("Eve")).await;
    page.expect("waiting").await;
    let mut tab = Page::knock(&scene.running, Arc::clone(&guest), None).await;
    tab.expect("waiting").await;
    assert_eq!(scene.knocks().await.as_array().map(Vec::len), Some(1), "one person, two pages");
    assert_eq!(scene.decide(&scene.moderator, 1, false).await.status, StatusCode::NO_CONTENT);
    for page in [&mut page, &mut tab] {
        page.fault("turned-away").await;
        assert!(page.is_over().await);
    }
    Page::knock(&scene.running, Arc::clone(&guest), None).await.fault("turned-away").await;
    assert_eq!(scene.watch(&guest).await.fault(), is(403, "turned-away"));
    let away = json!([{ "number": 1, "signed_in": false, "minutes": 0, "turned_away": true }]);
    assert_eq!(scene.knocks().await, away, "the name is forgotten");
    assert_eq!(scene.decide(&scene.moderator, 1, true).await.status, StatusCode::NO_CONTENT);
    assert_eq!(scene.watch(&guest).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn whoever_gives_up_or_waits_too_long_is_forgotten() {
    let scene = Scene::new().await;
    let mut page = Page::knock(&scene.running, scene.guest().await, None).await;
    page.expect("waiting").await;
    drop(page);
    super::until("nobody waits", async || scene.knocks().await == json!([])).await;
    let mut lapsed = Page::knock(&scene.running, scene.guest().await, None).await;
    lapsed.expect("waiting").await;
    let second = scene.knocks().await;
    assert_eq!(second[0]["number"], json!(2), "no number is given twice");
    // A token's life without a renewal.
    for _ in 0..6 {
        travel(Duration::from_secs(55)).await;
        _ = tokio::time::timeout(Duration::from_millis(20), lapsed.hear()).await;
    }
    super::until("nobody waits", async || scene.knocks().await == json!([])).await;
}

#[tokio::test]
async fn nobody_waits_for_longer_than_half_an_hour() {
    let scene = Scene::new().await;
    let mut page = Page::knock(&scene.running, scene.guest().await, None).await;
    page.expect("waiting").await;
    for turn in 0..40 {
        if turn % 4 == 0 {
            let renewal = json!({ "type": "renew", "token": page.bound().token.clone(), "proof": page.proof().sign() });
            page.say(&renewal).await;
            page.expect("renewed").await;
        }
        travel(Duration::from_secs(50)).await;
        if let Ok(heard) = tokio::time::timeout(Duration::from_millis(20), page.hear()).await {
            assert_eq!(heard.expect("says why")["fault"]["code"], json!("knock-unanswered"));
            assert!((35..=37).contains(&turn), "{turn} times 50 s");
            return;
        }
    }
    panic!("waits for ever");
}

#[tokio::test]
async fn names_are_short_and_can_be_seen() {
    let scene = Scene::new().await;
    for bad in ["a\u{202e}b", "a\nb", "\u{200b}", "a\u{2066}b", "x\u{feff}", &"n".repeat(33)] {
        let mut page = Page::knock(&scene.running, scene.guest().await, Some(bad)).await;
        page.fault("bad-request").await;
        assert!(page.is_over().await);
    }
    assert_eq!(scene.knocks().await, json!([]));
    for (good, shown) in [("Zoë 🎈", json!("Zoë 🎈")), ("   ", Value::Null)] {
        let mut page = Page::knock(&scene.running, scene.guest().await, Some(good)).await;
        page.expect("waiting").await;
        assert_eq!(
            scene.knocks().await.as_array().and_then(|all| all.last()).map(|last| last["name"].clone()),
            Some(shown)
        );
        // Kept until the list was read.
        drop(page);
    }
}

#[tokio::test]
async fn invited_people_and_whoever_decides_do_not_ask() {
    let scene = Scene::new().await;
    for scope in [Scope::Watch, Scope::Broadcast, Scope::Moderate] {
        let invited = Arc::new(scene.running.store.invited(scene.event, scope).await);
        Page::knock(&scene.running, Arc::clone(&invited), None).await.expect("let-in").await;
        Page::greet(&scene.running, invited, None).await.expect("welcome").await;
    }
    let tool = scene.running.store.token(scene.event, Scope::Watch);
    let watch = Ask::new("POST", &format!("/whep/{}", scene.event)).token(&tool).sdp(FIREFOX);
    assert_eq!(scene.running.ask(watch).await.status, StatusCode::CREATED, "an operator has made it");
    let mut page = Page::knock(&scene.running, scene.guest().await, None).await;
    page.expect("waiting").await;
    let (cohost, host) =
        (scene.running.store.invited(scene.event, Scope::Broadcast).await, scene.running.store.host(scene.event).await);
    let viewer = scene.running.store.invited(scene.event, Scope::Watch).await;
    assert_eq!(scene.decide(&viewer, 1, true).await.fault(), is(403, "scope-missing"));
    assert_eq!(scene.decide(&cohost, 99, true).await.fault(), is(409, "nobody-knocks"));
    assert_eq!(scene.decide(&host, 1, true).await.status, StatusCode::NO_CONTENT);
    page.expect("let-in").await;
}

/// Deciding is for whoever looks after this event, and for as long as they do.
#[tokio::test]
async fn who_looks_after_another_event_or_no_longer_decides_nothing() {
    let scene = Scene::new().await;
    let store = &scene.running.store;
    let mut page = Page::knock(&scene.running, scene.guest().await, None).await;
    page.expect("waiting").await;
    let renewal = json!({ "type": "renew", "token": page.bound().token.clone(), "proof": page.proof().sign() });
    page.say(&renewal).await;
    assert!(page.expect("renewed").await["expires_in"].as_u64().is_some_and(|left| left > 200), "and goes on waiting");
    let elsewhere = store.event_with_door().await;
    let (now, holder) = (std::time::SystemTime::now(), Holder::new());
    let invitation = store.issuer.invite(&scene.event, Scope::Moderate, super::HOUR, now).await.expect("is made");
    let (code, key) = (invitation.code.expose_text(), store.key_of(&holder));
    let token = store.issuer.accept_invitation(&scene.event, code, key, now).await.expect("is accepted");
    let former = store.bound(holder, token.token.expose_text());
    assert_eq!(scene.decide(&former, 99, true).await.fault(), is(409, "nobody-knocks"));
    store.issuer.revoke_invitation(&scene.event, &invitation.id, now).await.expect("is revoked");
    let (moderator, broadcaster) =
        (store.invited(elsewhere, Scope::Moderate).await, store.invited(elsewhere, Scope::Broadcast).await);
    for other in [moderator, broadcaster, former] {
        let list = Ask::new("GET", &at(scene.event, "knocks")).by(&other);
        assert_eq!(scene.running.ask(list).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(scene.decide(&other, 1, true).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(scene.knocks().await.as_array().map(Vec::len), Some(1), "still waits");
}

#[tokio::test]
async fn an_event_that_ends_closes_its_door_and_forgets_what_was_decided() {
    let scene = Scene::new().await;
    let (waits, known) = (scene.guest().await, scene.guest().await);
    let mut page = Page::knock(&scene.running, Arc::clone(&known), None).await;
    page.expect("waiting").await;
    scene.decide(&scene.moderator, 1, true).await;
    let mut page = Page::knock(&scene.running, waits, None).await;
    page.expect("waiting").await;
    // As a command line does it: nobody tells this process.
    scene.running.store.records.end_event(&scene.event).await.expect("ends");
    page.expect("ended").await;
    assert!(page.is_over().await);
    let hub = &scene.running.gateway.app.hub;
    assert_eq!(hub.with(|rooms, _| rooms.events_known().count()), 0);
    Page::knock(&scene.running, known, None).await.fault("event-ended").await;
    let late = scene.decide(&scene.moderator, 2, true).await;
    assert_eq!(late.fault(), is(FaultCode::EventEnded.text().0, "event-ended"), "nobody is let in to what is over");
}

#[tokio::test]
async fn a_members_decision_is_of_the_account_and_a_ban_holds_all_the_same() {
    let bench = Bench::new().await;
    let (event, admin) = (bench.store.event_with_door().await, bench.admin().await);
    let come = async || {
        let account = bench.member().await;
        let ask = Ask::new("POST", &at(event, "token")).by(&account).json(&json!({ "role": "viewer" }));
        let reply = bench.ask(ask).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        bench.store.bound(account.holder, reply.json()["token"].as_str().expect("a token"))
    };
    let (laptop, phone) = (come().await, come().await);
    let watch = async |by: &Bound| bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(by, FIREFOX)).await;
    assert_eq!(watch(&phone).await.fault(), is(403, "event-approval"));
    let who = bench.grant(&laptop).await.expect("is good").principal.pseudonym();
    let knocker = Knocker { who, name: None, signed_in: true };
    assert!(bench.app.hub.with(|rooms, now| rooms.knock(&event, SocketId(7), knocker, now)).is_ok());
    let listed = bench.ask(Ask::new("GET", &at(event, "knocks")).by(&admin)).await;
    assert_eq!(listed.json()["knocks"][0]["signed_in"], json!(true));
    assert!(!listed.body.contains("Ada"), "an account's name is nobody's business");
    let yes = Ask::new("POST", &at(event, "knocks/1")).by(&admin).json(&json!({ "let_in": true }));
    assert_eq!(bench.ask(yes).await.status, StatusCode::NO_CONTENT);
    for device in [&laptop, &phone] {
        assert_eq!(watch(device).await.status, StatusCode::CREATED);
    }
    assert_eq!(bench.keep_out(event, &laptop).await, "account");
    assert_eq!(watch(&phone).await.fault(), is(403, "banned"), "letting somebody in lifts no ban");
    let own = bench.own(admin, event.as_str(), "viewer").await;
    assert_eq!(watch(&own).await.status, StatusCode::CREATED, "an operator lets in, and asks nobody");
}

#[tokio::test]
async fn a_program_chooses_the_admission() {
    let bench = Bench::new().await;
    let admin = bench.admin().await;
    let wanted = json!({ "title": "Talk", "admission": "approval" });
    let made = bench.ask(Ask::new("POST", "/api/v1/events").by(&admin).json(&wanted)).await;
    assert_eq!(made.json()["admission"], json!("approval"), "{}", made.body);
    let id: EventId = made.json()["id"].as_str().expect("an id").parse().expect("an id");
    let stranger = bench.ask(Ask::new("GET", at(id, "").trim_end_matches('/'))).await;
    assert_eq!(stranger.fault(), is(403, "event-approval"));
    assert_eq!(
        bench.ask(Ask::new("POST", &at(id, "guest")).newcomer(&bench, &Holder::new())).await.status,
        StatusCode::OK
    );
}
