//! A person's own account over HTTP: with a passkey from the first start, asked again, and thrown out.

use super::rest::code_of;
use super::{Ask, Bench, Bound, ORIGIN, Reply, is};
use axum::http::StatusCode;
use holder::{Authenticator, Holder};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use veilcast_auth::{Level, STEP_UP_AGE, acr};

impl Bench {
    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask(Ask::new("POST", path).json(body)).await
    }

    async fn post_by(&self, page: &Bound, path: &str, body: &Value) -> Reply {
        self.ask(Ask::new("POST", path).by(page).json(body)).await
    }

    /// The first operator, with a passkey, and the session's cookie.
    async fn first_start(&self) -> (Authenticator, String) {
        let link = self.store.issuer.setup_link_token(SystemTime::now()).await.expect("there is no operator");
        let asked = self.post("/api/v1/setup/passkey/start", &json!({ "token": link.expose_text() })).await.json();
        let mut phone = Authenticator::new(ORIGIN);
        let credential = phone.create(&asked["options"]);
        let made = json!({ "ceremony": asked["ceremony"], "credential": credential, "label": "Phone" });
        (phone, cookie(&self.post("/api/v1/setup/passkey", &made).await))
    }

    /// A page of the session: a key and an operator's token.
    async fn page(&self, cookie: &str) -> Bound {
        let (code, holder) = (code_of(&self.authorize(cookie).await), Holder::new());
        let token = self.exchange(&code, &holder).await.json();
        self.store.bound(holder, token["access_token"].as_str().expect("a token"))
    }

    /// The page with its next token.
    async fn renewed(&self, page: Bound, cookie: &str) -> Bound {
        let code = code_of(&self.authorize(cookie).await);
        let token = self.exchange(&code, &page.holder).await.json();
        self.store.bound(page.holder, token["access_token"].as_str().expect("a token"))
    }

    /// Answers a passkey's question at these two addresses.
    async fn answer(&self, page: Option<&Bound>, phone: &mut Authenticator, start: &str, path: &str) -> Reply {
        let by = |ask: Ask| match page {
            Some(page) => ask.by(page),
            None => ask,
        };
        let asked = self.ask(by(Ask::new("POST", start))).await.json();
        let answer = json!({ "ceremony": asked["ceremony"], "credential": phone.get(&asked["options"]) });
        self.ask(by(Ask::new("POST", path)).json(&answer)).await
    }
}

fn cookie(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn from_the_first_start_to_a_stream_key_with_a_passkey() {
    let bench = Bench::new().await;
    let (mut phone, _) = bench.first_start().await;
    let signed_in = bench.answer(None, &mut phone, "/oauth/sign-in/passkey/start", "/oauth/sign-in/passkey").await;
    let page = bench.page(&cookie(&signed_in)).await;
    let event = bench.store.event(false).await;
    let made = bench.post_by(&page, &format!("/api/v1/events/{event}/stream-keys"), &json!({ "expires_in": 60 })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let account = bench.ask(Ask::new("GET", "/api/v1/account").by(&page)).await.json();
    assert_eq!((&account["role"], &account["name"]), (&json!("operator"), &Value::Null));
    assert_eq!(account["factors"][0]["label"], "Phone");
    let current = account["sessions"].as_array().expect("a list").iter().filter(|row| row["current"] == true).count();
    assert_eq!(current, 1);
}

#[tokio::test]
async fn who_was_not_asked_lately_is_asked_and_goes_on() {
    let bench = Bench::new().await;
    let (mut phone, _) = bench.first_start().await;
    let (records, issuer) = (&bench.store.records, &bench.store.issuer);
    let account = records.first_operator().await.expect("read").expect("there");
    // Eleven minutes ago.
    let then = SystemTime::now() - STEP_UP_AGE - Duration::from_secs(60);
    let session = issuer.open_session(&account, "Phone", Level::Multi, then).await.expect("opened");
    let cookie = format!("veilcast-issuer={}", session.cookie.expose_text());
    let page = bench.page(&cookie).await;
    let event = bench.store.event(false).await;
    let (path, body) = (format!("/api/v1/events/{event}/stream-keys"), json!({ "expires_in": 60 }));
    let refused = bench.post_by(&page, &path, &body).await;
    assert_eq!(refused.fault(), is(401, "step-up-required"));
    let challenge = refused.header("www-authenticate");
    let (class, age) = (acr(Level::Multi), STEP_UP_AGE.as_secs());
    for part in [
        "DPoP error=\"insufficient_user_authentication\"".to_owned(),
        format!("acr_values=\"{class}\""),
        format!("max_age=\"{age}\""),
    ] {
        assert!(challenge.contains(&part), "{part}");
    }
    let enrol = bench.ask(Ask::new("POST", "/api/v1/account/passkeys/start").by(&page)).await;
    assert_eq!(enrol.fault(), is(401, "step-up-required"), "a stolen session enrols nothing");
    let page = bench.renewed(page, &cookie).await;
    assert_eq!(
        bench.post_by(&page, &path, &body).await.fault(),
        is(401, "step-up-required"),
        "a fresh token, an old time"
    );
    let (start, end) = ("/api/v1/account/step-up/start", "/api/v1/account/step-up/passkey");
    assert_eq!(bench.answer(Some(&page), &mut phone, start, end).await.status, StatusCode::NO_CONTENT);
    let other = bench.page(&cookie).await;
    assert_eq!(bench.post_by(&other, &path, &body).await.fault(), is(401, "step-up-required"), "another key");
    let page = bench.renewed(page, &cookie).await;
    assert_eq!(bench.post_by(&page, &path, &body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn this_was_not_me_ends_every_session_at_once() {
    let bench = Bench::new().await;
    let (mut phone, first) = bench.first_start().await;
    let page = bench.page(&first).await;
    let second = bench.answer(None, &mut phone, "/oauth/sign-in/passkey/start", "/oauth/sign-in/passkey").await;
    let stranger = bench.page(&cookie(&second)).await;
    let told = bench.ask(Ask::new("GET", "/api/v1/account/activity").by(&page)).await.json();
    assert_eq!((&told["activity"][0]["kind"], &told["activity"][0]["label"]), (&json!("sign-in"), &json!("Phone")));
    let id = told["activity"][0]["id"].as_str().expect("an id");
    let done = bench.ask(Ask::new("POST", &format!("/api/v1/account/activity/{id}/not-me")).by(&page)).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT);
    for thrown_out in [&stranger, &page] {
        let refused = bench.ask(Ask::new("GET", "/api/v1/account").by(thrown_out)).await;
        assert_eq!(refused.fault(), is(401, "token-invalid"));
    }
}

#[tokio::test]
async fn guessing_at_one_account_ends_wherever_it_comes_from() {
    let bench = Bench::new().await;
    bench.operator().await;
    let guess = async |name: &str, network: u8| {
        let body = json!({ "name": name, "password": "wrong horse battery" });
        let reply = bench.ask(Ask::new("POST", "/oauth/sign-in").from([10, 9, network, 1]).json(&body)).await;
        reply.fault().1
    };
    // One account that is there and one that is not: the same is said of both.
    for name in ["somebody", "nobody"] {
        for network in 0..10 {
            assert_eq!(guess(name, network).await, "sign-in-failed");
        }
        assert_eq!(guess(&name.to_uppercase(), 99).await, "too-many");
    }
    let right = json!({ "name": "somebody", "password": "correct horse battery" });
    assert_eq!(bench.post("/oauth/sign-in", &right).await.fault().1, "too-many");
}

#[tokio::test]
async fn a_recovery_code_is_for_whoever_has_no_password() {
    let bench = Bench::new().await;
    let (_, first) = bench.first_start().await;
    let page = bench.page(&first).await;
    let made = bench.ask(Ask::new("POST", "/api/v1/account/recovery-codes").by(&page)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let code = json!({ "code": made.json()["codes"][3] });
    assert_eq!(bench.post("/oauth/sign-in/recovery", &code).await.status, StatusCode::OK);
    assert_eq!(bench.post("/oauth/sign-in/recovery", &code).await.fault(), is(401, "sign-in-failed"));
    let instance = bench.ask(Ask::new("GET", "/api/v1/instance")).await.json();
    assert_eq!(instance, json!({ "ready": true, "providers": [], "passkeys": true }));
}

#[tokio::test]
async fn who_may_speak_at_an_event_is_decided_by_somebody_who_was_just_recognised() {
    let bench = Bench::new().await;
    // A name and a password: one factor.
    let admin = bench.admin().await;
    let event = bench.store.event(false).await;
    let (path, invitations) = (format!("/api/v1/events/{event}"), format!("/api/v1/events/{event}/invitations"));
    let invite =
        async |role: &str| bench.post_by(&admin, &invitations, &json!({ "role": role, "expires_in": 60 })).await;
    assert_eq!(invite("viewer").await.status, StatusCode::CREATED);
    assert_eq!(invite("broadcaster").await.fault(), is(401, "step-up-required"));
    let change = Ask::new("PATCH", &path).by(&admin).json(&json!({ "broadcasters": 3 }));
    assert_eq!(bench.ask(change).await.fault(), is(401, "step-up-required"));
    let made = bench.post_by(&admin, "/api/v1/events", &json!({ "title": "Talk" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "making one is not asked about");
    let ended = bench.ask(Ask::new("POST", &format!("{path}/end")).by(&admin)).await;
    assert_eq!(ended.status, StatusCode::OK, "nor is ending one");
}

#[tokio::test]
async fn names_that_are_taken_are_told_a_few_times_an_hour() {
    let bench = Bench::new().await;
    bench.operator().await;
    let member = bench.member().await;
    let name = async |name: &str, network: u8| {
        let body = json!({ "name": name, "password": "kettle velvet orbit" });
        let ask = Ask::new("POST", "/api/v1/account/password").by(&member).from([10, 8, network, 1]);
        bench.ask(ask.json(&body)).await
    };
    for network in 0..5 {
        assert_eq!(name("somebody", network).await.fault(), is(400, "bad-request"));
    }
    for taken_or_free in ["somebody", "wanda"] {
        let refused = name(taken_or_free, 99).await;
        assert_eq!(refused.fault(), is(429, "too-many"), "{taken_or_free}: neither is told");
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|wait| (3_500..=3_600).contains(&wait)));
    }
}

#[tokio::test]
async fn taken_names_count_against_the_network_that_asks() {
    let bench = Bench::new().await;
    bench.operator().await;
    let member = bench.member().await;
    let body = json!({ "name": "somebody", "password": "kettle velvet orbit" });
    let ask = Ask::new("POST", "/api/v1/account/password").by(&member).from([10, 7, 1, 1]);
    assert_eq!(bench.ask(ask.json(&body)).await.fault(), is(400, "bad-request"));
    let wrong = json!({ "name": "nobody", "password": "wrong horse battery" });
    let mut said = Vec::new();
    for number in 0..30 {
        // Of as many accounts: each of those has a count of its own.
        let wrong = json!({ "name": format!("nobody{number}"), "password": wrong["password"] });
        let guess = Ask::new("POST", "/oauth/sign-in").from([10, 7, 1, 1]);
        said.push(bench.ask(guess.json(&wrong)).await.fault().1);
    }
    assert_eq!((said[28].as_str(), said[29].as_str()), ("sign-in-failed", "too-many"));
}
