//! Who looks after an event: what they may, whom they put out, how far that reaches, and who gets back in.

use super::server::Running;
use super::sockets::Page;
use super::{Ask, Bench, Bound, Reply, config, is};
use crate::sdp::samples::{FFMPEG, FIREFOX};
use crate::session::Rank;
use axum::http::StatusCode;
use holder::Holder;
use serde_json::{Value, json};
use std::sync::Arc;
use veilcast_auth::{Scope, TokenError};
use veilcast_protocol::FaultCode;
use veilcast_records::{Admission, EventId, Latency, NewEvent};

fn at(event: EventId, rest: &str) -> String {
    format!("/api/v1/events/{event}/{rest}")
}

fn place(number: u8) -> Value {
    turn(number, number + 1)
}

/// On a stage that nobody has left yet, the n-th place is the n-th turn.
fn turn(place: u8, tenure: u8) -> Value {
    json!({ "place": place, "tenure": tenure })
}

/// A host and an invited co-host on air, with a moderator who watches.
struct Scene {
    running: Running,
    event: EventId,
    host: Page,
    cohost: Page,
    code: String,
    moderator: Page,
}

impl Scene {
    async fn new() -> Self {
        let running = Running::new(config()).await;
        let event = running.store.event_of(false, 3).await;
        let host = on_air(&running, running.store.host(event).await.into()).await;
        let (cohost, code) = running.store.invited_by_code(event, Scope::Broadcast).await;
        let cohost = on_air(&running, cohost.into()).await;
        let mut moderator = Page::join(&running, event, Scope::Moderate).await;
        assert_eq!(moderator.expect("welcome").await["role"], json!("moderator"));
        Self { running, event, host, cohost, code, moderator }
    }

    async fn post(&self, by: &Bound, rest: &str, body: &Value) -> Reply {
        self.running.ask(Ask::new("POST", &at(self.event, rest)).by(by).json(body)).await
    }

    /// Comes again by the invitation, in the browser that used it.
    async fn join_again(&self) -> Reply {
        let ask = Ask::new("POST", &at(self.event, "join")).new_to(&self.running.store, &self.cohost.bound().holder);
        self.running.ask(ask.json(&json!({ "invitation": self.code }))).await
    }
}

async fn on_air(running: &Running, bound: Arc<Bound>) -> Page {
    let mut studio = Page::greet(running, bound, None).await;
    studio.expect("welcome").await;
    studio.expect("audience").await;
    studio.offer(1, FFMPEG).await;
    studio.expect("answer").await;
    studio
}

/// Waits for the goodbye of somebody who was put out.
async fn put_out(page: &mut Page, code: &str) {
    loop {
        let heard = page.hear().await.unwrap_or_else(|| panic!("{code} was due"));
        if heard["type"] == json!("fault") {
            assert_eq!(heard["fault"]["code"], json!(code));
            assert!(page.hear().await.is_none(), "the socket closes");
            return;
        }
    }
}

#[tokio::test]
async fn only_an_operator_who_was_asked_again_makes_a_moderator() {
    let bench = Bench::new().await;
    let (stepped, admin) = (bench.stepped_up().await, bench.other_operator().await);
    let event = bench.store.event(false).await;
    let wanted = json!({ "role": "moderator", "expires_in": 600 });
    let invite = async |by: &Bound| bench.ask(Ask::new("POST", &at(event, "invitations")).by(by).json(&wanted)).await;
    assert_eq!(invite(&admin).await.fault(), is(401, "step-up-required"));
    let made = invite(&stepped).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let listed = bench.ask(Ask::new("GET", &at(event, "invitations")).by(&admin)).await.json();
    assert_eq!(listed["invitations"][0]["role"], json!("moderator"));
    let holder = Holder::new();
    let join = Ask::new("POST", &at(event, "join")).newcomer(&bench, &holder);
    let token = bench.ask(join.json(&json!({ "invitation": made.json()["code"] }))).await.json();
    let moderator = bench.store.bound(holder, token["token"].as_str().expect("a token"));
    let watch = Ask::new("POST", &format!("/whep/{event}")).offered_by(&moderator, FIREFOX);
    assert_eq!(bench.ask(watch).await.status, StatusCode::CREATED, "watches like a viewer");
    let publish = Ask::new("POST", &format!("/whip/{event}")).offered_by(&moderator, FFMPEG);
    assert_eq!(bench.ask(publish).await.fault(), is(403, "scope-missing"));
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_and_may_come_back() {
    let mut scene = Scene::new().await;
    let moderator = scene.moderator.bound();
    assert_eq!(scene.post(&moderator, "removals", &place(2)).await.fault(), is(409, "place-empty"));
    let ask = Ask::new("GET", &at(scene.event, "stage")).by(&moderator);
    let taken = json!({ "places": [place(0), place(1)] });
    assert_eq!(scene.running.ask(ask).await.json(), taken);
    for verb in ["removals", "bans"] {
        let before = scene.post(&moderator, verb, &turn(1, 1)).await;
        assert_eq!(before.fault(), is(409, "place-changed"), "whom they have seen is not there any more");
    }
    let removed = scene.post(&moderator, "removals", &place(1)).await;
    assert_eq!((removed.status, removed.body.as_str()), (StatusCode::NO_CONTENT, ""));
    put_out(&mut scene.cohost, "removed").await;
    let back = on_air(&scene.running, scene.cohost.bound()).await;
    assert_eq!(scene.join_again().await.status, StatusCode::OK);
    assert_eq!(
        scene.running.ask(Ask::new("GET", &at(scene.event, "bans")).by(&moderator)).await.json()["bans"],
        json!([])
    );
    drop(back);
}

#[tokio::test]
async fn who_is_kept_out_stays_out_until_somebody_lets_them_back_in() {
    let mut scene = Scene::new().await;
    let (event, moderator, his) = (scene.event, scene.moderator.bound(), scene.cohost.bound());
    let banned = scene.post(&moderator, "bans", &place(1)).await;
    assert_eq!(banned.status, StatusCode::CREATED, "{}", banned.body);
    let ban = banned.json();
    assert_eq!(ban["holds_for"], json!("invitation"));
    assert!(ban["title"].as_str().is_some_and(|text| text.contains("invitation")) && ban["remedy"].is_string());
    assert_eq!(ban["made"].as_u64().map(|made| made % 60), Some(0), "to the minute");
    put_out(&mut scene.cohost, "banned").await;

    // By the token, by a fresh one, in every way in.
    let running = &scene.running;
    Page::greet(running, Arc::clone(&his), None).await.fault("banned").await;
    Page::greet(running, Arc::clone(&his), Some("viewer")).await.fault("banned").await;
    let publish = || Ask::new("POST", &format!("/whip/{event}")).offered_by(&his, FFMPEG);
    assert_eq!(running.ask(publish()).await.fault(), is(403, "banned"));
    assert_eq!(
        running.ask(Ask::new("GET", &format!("/api/v1/events/{event}")).by(&his)).await.fault(),
        is(403, "banned")
    );
    assert_eq!(scene.join_again().await.fault(), is(403, "banned"));

    // Nobody else hears anything: the next that they hear is what they asked for.
    scene.host.say(&json!({ "type": "leave" })).await;
    loop {
        let heard = scene.host.hear().await.expect("the host stays");
        assert!(["audience", "disconnected", "place"].contains(&heard["type"].as_str().expect("a type")), "{heard}");
        if heard["type"] == json!("disconnected") {
            break;
        }
    }
    let another = running.store.invited(event, Scope::Broadcast).await;
    on_air(running, another.into()).await;

    let list = async |by: &Bound| running.ask(Ask::new("GET", &at(event, "bans")).by(by)).await;
    assert_eq!(list(&moderator).await.json(), json!({ "bans": [ban] }));
    let lift =
        async |by: &Bound, id: &str| running.ask(Ask::new("DELETE", &at(event, &format!("bans/{id}"))).by(by)).await;
    let id = ban["id"].as_str().expect("an id");
    assert_eq!(lift(&scene.host.bound(), id).await.fault(), is(403, "scope-missing"));
    assert_eq!(lift(&moderator, &"a".repeat(26)).await.fault(), is(404, "not-found"));
    assert_eq!(lift(&moderator, id).await.status, StatusCode::NO_CONTENT);
    assert_eq!(list(&moderator).await.json(), json!({ "bans": [] }));
    assert_eq!(scene.join_again().await.status, StatusCode::OK);
    // What was on its way when they were put out has arrived by now.
    running.gateway.app.hub.with(|rooms, now| rooms.forget_expelled(now + std::time::Duration::from_secs(10)));
    on_air(running, his).await;
}

#[tokio::test]
async fn nobody_puts_out_who_stands_as_high() {
    let bench = Bench::new().await;
    let operator = bench.stepped_up().await;
    let event = bench.store.event_of(false, 3).await;
    let moderator = bench.store.invited(event, Scope::Moderate).await;
    let elsewhere = bench.store.invited(bench.store.event(false).await, Scope::Moderate).await;
    let viewer = bench.store.invited(event, Scope::Watch).await;
    let own = Ask::new("POST", &at(event, "token")).by(&operator).json(&json!({ "role": "broadcaster" }));
    let own = bench.ask(own).await.json()["token"].as_str().expect("a token").to_owned();
    let studio = bench.store.bound(operator.holder, &own);
    let publish = Ask::new("POST", &format!("/whip/{event}")).offered_by(&studio, FFMPEG);
    assert_eq!(bench.ask(publish).await.status, StatusCode::CREATED);
    for verb in ["removals", "bans"] {
        let ask = |by: &Bound| Ask::new("POST", &at(event, verb)).by(by).json(&place(0));
        assert_eq!(bench.ask(ask(&moderator)).await.fault(), is(403, "not-removable"), "an operator");
        assert_eq!(bench.ask(ask(&elsewhere)).await.fault(), is(401, "token-invalid"), "another event's");
        assert_eq!(bench.ask(ask(&viewer)).await.fault(), is(403, "scope-missing"));
    }
    let watch = Ask::new("POST", &format!("/whep/{event}")).offered_by(&moderator, FIREFOX);
    assert_eq!(bench.ask(watch).await.status, StatusCode::CREATED);
    let target = bench.grant(&moderator).await.expect("is good").principal.pseudonym();
    let by = async |rank| bench.app.keep_out(rank, &event, target).await.err().map(|problem| problem.fault.code);
    assert_eq!(by(Rank::Moderator).await, Some(FaultCode::NotRemovable), "each other");
    assert_eq!(by(Rank::Operator).await, None);
    assert_eq!(bench.grant(&moderator).await.err(), Some(TokenError::Banned), "and looks after nothing any more");
}

impl Bench {
    pub(super) async fn grant(&self, page: &Bound) -> Result<veilcast_auth::Grant, TokenError> {
        let target = veilcast_auth::Target {
            method: "GET",
            path: "/",
            freshness: veilcast_auth::Freshness::Nonce,
            party: veilcast_auth::Party::default(),
        };
        let (proof, now) = (page.proof("GET", "/").sign(), std::time::SystemTime::now());
        let expiry = veilcast_auth::Expiry::Enforced;
        self.store.issuer.verify_bound(&page.token, &proof, &target, now, expiry).await.map(|(grant, _)| grant)
    }

    /// Keeps out whoever shows this, who watches or broadcasts; what it holds for.
    pub(super) async fn keep_out(&self, event: EventId, page: &Bound) -> &'static str {
        let who = self.grant(page).await.expect("is good").principal.pseudonym();
        let made = self.app.keep_out(Rank::Moderator, &event, who).await;
        made.unwrap_or_else(|problem| panic!("{:?}", problem.fault)).reach.name()
    }
}

#[tokio::test]
async fn a_members_ban_is_of_the_account_on_every_device_and_in_no_other_event() {
    let bench = Bench::new().await;
    let [here, there] = [bench.for_members().await, bench.for_members().await];
    let come = async |event: EventId| {
        let account = bench.member().await;
        let ask = Ask::new("POST", &at(event, "token")).by(&account).json(&json!({ "role": "viewer" }));
        let reply = bench.ask(ask).await;
        let token =
            if reply.status == StatusCode::OK { reply.json()["token"].as_str().map(str::to_owned) } else { None };
        token.map(|token| bench.store.bound(account.holder, &token)).ok_or_else(|| reply.fault())
    };
    let (Ok(laptop), Ok(phone)) = (come(here).await, come(here).await) else { panic!("lets members in") };
    for device in [&laptop, &phone] {
        let watch = Ask::new("POST", &format!("/whep/{here}")).offered_by(device, FIREFOX);
        assert_eq!(bench.ask(watch).await.status, StatusCode::CREATED);
    }
    let before = bench.media.words().len();
    assert_eq!(bench.keep_out(here, &laptop).await, "account");
    super::until("both are out", async || {
        bench.media.words()[before..].iter().filter(|word| *word == "revoke").count() == 2
    })
    .await;
    for device in [&laptop, &phone] {
        let again = Ask::new("POST", &format!("/whep/{here}")).offered_by(device, FIREFOX);
        assert_eq!(bench.ask(again).await.fault(), is(403, "banned"));
    }
    assert_eq!(come(here).await.err(), Some(is(403, "banned")), "a third device, signed in just now");
    assert!(come(there).await.is_ok(), "another event");
}

impl Bench {
    async fn for_members(&self) -> EventId {
        let title = veilcast_privacy::Redacted::new("Rehearsal".to_owned());
        let (admission, latency) = (Admission::SignIn, Latency::Interactive);
        let new = NewEvent { title, admission, listed: false, broadcasters: 1, latency };
        self.store.records.create_event(new, std::time::SystemTime::now()).await.expect("is made")
    }
}

#[tokio::test]
async fn a_guests_ban_is_of_that_key_and_says_so() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let guest = bench.store.guest(event).await;
    let watch = Ask::new("POST", &format!("/whep/{event}")).offered_by(&guest, FIREFOX);
    assert_eq!(bench.ask(watch).await.status, StatusCode::CREATED);
    assert_eq!(bench.keep_out(event, &guest).await, "guest");
    let come = async |holder: &Holder| bench.ask(Ask::new("POST", &at(event, "guest")).newcomer(&bench, holder)).await;
    assert_eq!(come(&guest.holder).await.fault(), is(403, "banned"), "with the same key");
    assert_eq!(come(&Holder::new()).await.status, StatusCode::OK, "nobody can tell that it is the same person");
    let admin = bench.admin().await;
    let ban = &bench.ask(Ask::new("GET", &at(event, "bans")).by(&admin)).await.json()["bans"][0];
    assert!(ban["title"].as_str().is_some_and(|text| text.contains("come back as another guest")), "{ban}");
    let remedy = ban["remedy"].as_str().expect("what works instead");
    assert!(remedy.contains("signs in") && remedy.contains("invitation"), "{remedy}");
}

#[tokio::test]
async fn programs_are_put_out_by_what_they_came_with() {
    let bench = Bench::new().await;
    let admin = bench.admin().await;
    let event = bench.store.event_of(false, 3).await;
    let (key, token) = (bench.store.stream_key(event).await, bench.store.token(event, Scope::Broadcast));
    let publish =
        async |shown: &str| bench.ask(Ask::new("POST", &format!("/whip/{event}")).token(shown).sdp(FFMPEG)).await;
    for (shown, reach, tenure) in [(&key, "stream-key", 1), (&token, "token", 2)] {
        assert_eq!(publish(shown).await.status, StatusCode::CREATED);
        let banned = bench.ask(Ask::new("POST", &at(event, "bans")).by(&admin).json(&turn(0, tenure))).await;
        assert_eq!(banned.json()["holds_for"], json!(reach));
        assert_eq!(publish(shown).await.fault(), is(403, "banned"));
    }
    let other = bench.store.stream_key(event).await;
    assert_eq!(publish(&other).await.status, StatusCode::CREATED, "another key");
    bench.store.records.end_event(&event).await.expect("ends");
    for verb in ["removals", "bans"] {
        let late = bench.ask(Ask::new("POST", &at(event, verb)).by(&admin).json(&place(0))).await;
        assert_eq!(late.fault(), is(410, "event-ended"));
    }
}
