//! Programs of integrators over HTTP: their tokens, their own events, their own people.

use super::{Ask, Bench, Bound, HOUR, ORIGIN, Reply, is, until};
use crate::sdp::samples::{FFMPEG, FIREFOX};
use axum::http::StatusCode;
use holder::Holder;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use veilcast_auth::{ClientId, Registration, Rights};
use veilcast_privacy::Redacted;
use veilcast_records::{Admission, Latency, NewEvent, Planned, base32, random_bits};

pub(super) const ALL: &str = "events:read events:manage grants:issue";

/// Somebody's back end.
pub(super) struct Program {
    pub(super) id: ClientId,
    key: Holder,
}

impl Program {
    fn assertion(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (id, jti) = (self.id.as_str(), base32(&random_bits().expect("randomness")));
        let claims = json!({ "iss": id, "sub": id, "aud": ORIGIN, "iat": now, "exp": now + 30, "jti": jti });
        self.key.sign(&json!({ "alg": "ES256", "typ": "JWT" }), &claims)
    }

    fn form(&self, scope: &str) -> String {
        let (assertion, scope) = (self.assertion(), scope.replace(' ', "+"));
        format!(
            "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type\
             %3Ajwt-bearer&client_assertion={assertion}&scope={scope}"
        )
    }
}

impl Bench {
    pub(super) async fn program(&self) -> Program {
        let key = Holder::new();
        let rights = Rights::parse(ALL).expect("rights");
        let keys = key.jwk().to_string();
        let registration = Registration { label: "LMS", owner: "IT", rights, keys: &keys, life: 24 * HOUR };
        let id = self.store.issuer.register_client(&registration, SystemTime::now()).await.expect("registered");
        Program { id, key }
    }

    async fn client_token(&self, holder: &Holder, form: String) -> Reply {
        let kind = "application/x-www-form-urlencoded";
        self.ask(Ask::new("POST", "/oauth/token").newcomer(self, holder).body(kind, form)).await
    }

    pub(super) async fn token_of(&self, program: &Program, scope: &str) -> Bound {
        let holder = Holder::new();
        let token = self.client_token(&holder, program.form(scope)).await;
        assert_eq!(token.status, StatusCode::OK, "{}", token.body);
        self.store.bound(holder, token.json()["access_token"].as_str().expect("a token"))
    }

    async fn create(&self, by: &Bound, path: &str, body: &Value) -> Reply {
        self.ask(Ask::new("POST", path).by(by).json(body)).await
    }

    /// An event of the program that this token is of.
    pub(super) async fn event_by(&self, by: &Bound) -> String {
        let made = self.create(by, "/api/v1/events", &json!({ "title": "Lecture", "broadcasters": 2 })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    pub(super) async fn granted(&self, by: &Bound, event: &str, role: &str, subject: &str) -> (String, Bound) {
        let wish = json!({ "role": role, "subject": subject, "expires_in": 3_600 });
        let made = self.create(by, &format!("/api/v1/events/{event}/grants"), &wish).await;
        assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"), "{}", made.body);
        let grant = made.json();
        let page = self.joined(event, &grant["code"]).await.unwrap_or_else(|reply| panic!("{}", reply.body));
        (grant["id"].as_str().expect("an id").to_owned(), page)
    }

    async fn joined(&self, event: &str, code: &Value) -> Result<Bound, Reply> {
        let holder = Holder::new();
        let join = Ask::new("POST", &format!("/api/v1/events/{event}/join")).newcomer(self, &holder);
        let joined = self.ask(join.json(&json!({ "invitation": code }))).await;
        match joined.status {
            StatusCode::OK => Ok(self.store.bound(holder, joined.json()["token"].as_str().expect("a token"))),
            _ => Err(joined),
        }
    }

    async fn read(&self, by: &Bound, path: &str) -> Reply {
        self.ask(Ask::new("GET", path).by(by)).await
    }

    async fn remove(&self, by: &Bound, path: &str) -> Reply {
        self.ask(Ask::new("DELETE", path).by(by)).await
    }
}

#[tokio::test]
async fn a_program_gets_a_bound_token_and_nothing_else_will_do() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let holder = Holder::new();
    let reply = bench.client_token(&holder, program.form("events:manage")).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let answer = reply.json();
    let expected = (&json!("DPoP"), &json!(300), &json!("events:manage"));
    assert_eq!((&answer["token_type"], &answer["expires_in"], &answer["scope"]), expected);

    let token = answer["access_token"].as_str().expect("a token");
    let bound = bench.store.bound(holder, token);
    assert_eq!(bench.read(&bound, "/api/v1/events").await.fault(), is(403, "scope-missing"), "not even reading");
    bench.event_by(&bound).await;
    let unbound = Ask::new("GET", "/api/v1/events").token(token);
    assert_eq!(bench.ask(unbound).await.fault(), is(401, "proof-missing"), "a copied token is worth nothing");

    let kind = "application/x-www-form-urlencoded";
    let ask = |form: String| Ask::new("POST", "/oauth/token").newcomer(&bench, &Holder::new()).body(kind, form);
    let form = program.form("");
    assert_eq!(bench.ask(ask(form.clone())).await.status, StatusCode::OK);
    let stale = Ask::new("POST", "/oauth/token").body(kind, program.form(""));
    let cases = [
        (ask(form), "invalid_client", "client-refused"),
        (ask(program.form("").replace("jwt-bearer", "saml2-bearer")), "invalid_client", "client-refused"),
        (ask(program.form("").replace("client_assertion=", "client_secret=")), "invalid_client", "client-refused"),
        (ask(program.form("admin")), "invalid_scope", "scope-missing"),
        (stale, "invalid_dpop_proof", "proof-missing"),
    ];
    for (number, (ask, error, code)) in cases.into_iter().enumerate() {
        let refused = bench.ask(ask).await;
        let body = refused.json();
        assert_eq!(
            (refused.status.as_u16(), &body["error"], &body["code"]),
            (400, &json!(error), &json!(code)),
            "{number}"
        );
    }
    let foreign = ask(program.form("")).header("origin", "https://friend.example");
    assert_eq!(bench.ask(foreign).await.fault(), is(403, "origin-refused"), "no page is a program");
}

#[tokio::test]
async fn a_proof_that_has_to_be_made_again_does_not_use_the_assertion_up() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let (holder, form, kind) = (Holder::new(), program.form(""), "application/x-www-form-urlencoded");
    let proof = holder.proof("POST", &format!("{ORIGIN}/oauth/token")).sign();
    let first = Ask::new("POST", "/oauth/token").header("dpop", &proof).body(kind, form.clone());
    assert_eq!(bench.ask(first).await.json()["error"], json!("use_dpop_nonce"));
    assert_eq!(bench.client_token(&holder, form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_program_sees_and_touches_its_own_events_alone() {
    let bench = Bench::new().await;
    let (one, other) = (bench.program().await, bench.program().await);
    let (one, other, admin) = (bench.token_of(&one, ALL).await, bench.token_of(&other, ALL).await, bench.admin().await);
    let at = 1_900_000_050_u64;
    let wish = json!({ "title": "Lecture", "admission": "public", "listed": true, "starts_at": at });
    let made = bench.create(&one, "/api/v1/events", &wish).await.json();
    assert_eq!((&made["starts_at"], &made["state"]), (&json!(at - 30), &json!("scheduled")), "to the minute");
    let event = made["id"].as_str().expect("an id").to_owned();
    let operators = bench.store.event(true).await.to_string();
    let listed = async |by: &Bound| -> Vec<Value> {
        let list = bench.read(by, "/api/v1/events").await.json();
        list["events"].as_array().expect("a list").iter().map(|event| event["id"].clone()).collect()
    };
    assert_eq!(listed(&one).await, [json!(event)]);
    assert!(listed(&other).await.is_empty(), "not even what is on the home page");
    assert_eq!(listed(&admin).await.len(), 2);

    let path = format!("/api/v1/events/{event}");
    let change = json!({ "broadcasters": 3, "starts_at": at + 60 });
    let grant = json!({ "role": "viewer", "subject": "7", "expires_in": 60 });
    for theirs in [&path, &format!("/api/v1/events/{operators}"), &format!("/api/v1/events/{}", "a".repeat(26))] {
        let grants = format!("{theirs}/grants");
        let asks = [
            Ask::new("GET", theirs).by(&other),
            Ask::new("PATCH", theirs).by(&other).json(&change),
            Ask::new("POST", &format!("{theirs}/end")).by(&other),
            Ask::new("GET", &grants).by(&other),
            Ask::new("POST", &grants).by(&other).json(&grant),
            Ask::new("DELETE", &format!("{grants}/{}", "a".repeat(26))).by(&other),
            Ask::new("POST", &format!("{theirs}/subjects/revoke")).by(&other).json(&json!({ "subject": "7" })),
            Ask::new("POST", &format!("{theirs}/subjects/grants")).by(&other).json(&json!({ "subject": "7" })),
        ];
        for (number, ask) in asks.into_iter().enumerate() {
            assert_eq!(bench.ask(ask).await.fault(), is(404, "event-unknown"), "{theirs} {number}");
        }
    }
    let changed = bench.ask(Ask::new("PATCH", &path).by(&one).json(&change)).await.json();
    assert_eq!((&changed["broadcasters"], &changed["starts_at"]), (&json!(3), &json!(at + 30)));
    let far = json!({ "title": "Far", "starts_at": u64::MAX });
    assert_eq!(bench.create(&one, "/api/v1/events", &far).await.fault(), is(400, "bad-request"));
    assert_eq!(bench.read(&one, &path).await.status, StatusCode::OK);
    let ended = bench.ask(Ask::new("POST", &format!("{path}/end")).by(&one)).await;
    assert_eq!(ended.json()["state"], json!("ended"));
    assert_eq!(bench.create(&one, &format!("{path}/grants"), &grant).await.fault(), is(410, "event-ended"));
}

#[tokio::test]
async fn what_a_program_does_not_have_the_scope_for_it_does_not_do() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let event = bench.event_by(&bench.token_of(&program, ALL).await).await;
    let path = format!("/api/v1/events/{event}");
    let (grants, end) = (format!("{path}/grants"), format!("{path}/end"));
    let grant = json!({ "role": "viewer", "subject": "7", "expires_in": 60 });
    let (title, more) = (json!({ "title": "More" }), json!({ "broadcasters": 2 }));
    let seven = json!({ "subject": "7" });
    let needs = [
        ("events:read", "GET", "/api/v1/events", None),
        ("events:read", "GET", &path, None),
        ("events:read", "GET", &grants, None),
        ("events:manage", "POST", "/api/v1/events", Some(&title)),
        ("events:manage", "PATCH", &path, Some(&more)),
        ("grants:issue", "POST", &grants, Some(&grant)),
        ("grants:issue", "POST", &format!("{path}/subjects/revoke"), Some(&seven)),
        ("events:read", "POST", &format!("{path}/subjects/grants"), Some(&seven)),
        ("events:manage", "POST", &end, None),
    ];
    for scope in ["events:read", "events:manage", "grants:issue"] {
        let by = bench.token_of(&program, scope).await;
        for (needed, method, path, body) in needs {
            let ask = Ask::new(method, path).by(&by);
            let reply = bench
                .ask(match body {
                    Some(body) => ask.json(body),
                    None => ask,
                })
                .await;
            match needed == scope {
                true => {
                    assert!(reply.status.is_success() || reply.status == 410, "{scope} {method} {path}: {}", reply.body)
                }
                false => assert_eq!(reply.fault(), is(403, "scope-missing"), "{scope} {method} {path}"),
            }
        }
    }
}

#[tokio::test]
async fn its_own_people_come_by_grants_and_go_when_these_are_withdrawn() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let by = bench.token_of(&program, ALL).await;
    let event = bench.event_by(&by).await;
    let (grants, whip) = (format!("/api/v1/events/{event}/grants"), format!("/whip/{event}"));
    let wish = json!({ "role": "viewer", "subject": "person-7", "expires_in": 60 });
    let code = bench.create(&by, &grants, &wish).await.json()["code"].clone();
    bench.joined(&event, &code).await.unwrap_or_else(|reply| panic!("{}", reply.body));
    let second = bench.joined(&event, &code).await.err().expect("another key");
    assert_eq!(second.fault(), is(403, "invitation-used"));

    let (first, host) = bench.granted(&by, &event, "broadcaster", "person-7").await;
    let on_air = bench.ask(Ask::new("POST", &whip).offered_by(&host, FFMPEG)).await;
    assert_eq!(on_air.status, StatusCode::CREATED, "{}", on_air.body);
    let end = bench.ask(Ask::new("POST", &format!("/api/v1/events/{event}/end")).by(&host)).await;
    assert_eq!(end.fault(), is(403, "scope-missing"), "the program's to end");
    let (_, again) = bench.granted(&by, &event, "broadcaster", "person-7").await;
    let taken = bench.ask(Ask::new("POST", &whip).offered_by(&again, FFMPEG)).await;
    assert_eq!(taken.status, StatusCode::CREATED, "a page that was loaded again takes over: {}", taken.body);
    let (_, viewer) = bench.granted(&by, &event, "viewer", "person-8").await;
    let watching = bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(&viewer, FIREFOX)).await;
    assert_eq!(watching.status, StatusCode::CREATED, "{}", watching.body);

    let list = bench.read(&by, &grants).await.json();
    assert!(list["grants"].as_array().is_some_and(|all| all.len() == 4) && !list.to_string().contains("person-7"));
    let subjects = format!("/api/v1/events/{event}/subjects");
    let own = bench.create(&by, &format!("{subjects}/grants"), &json!({ "subject": "person-7" })).await.json();
    assert_eq!(own["grants"].as_array().map(Vec::len), Some(3));

    let nothing = bench.remove(&by, &format!("{grants}/{}", "a".repeat(26))).await;
    assert_eq!(nothing.fault(), is(404, "not-found"));
    let before = bench.media.words().len();
    assert_eq!(bench.remove(&by, &format!("{grants}/{first}")).await.status, StatusCode::NO_CONTENT);
    until("they are off air", async || bench.media.words()[before..].iter().any(|word| word == "revoke")).await;
    let stolen = bench.ask(Ask::new("POST", &whip).offered_by(&host, FFMPEG)).await;
    assert_eq!(stolen.fault(), is(401, "token-invalid"), "at once");
    let (everything, person) = (format!("{subjects}/revoke"), json!({ "subject": "person-8" }));
    let before = bench.media.words().len();
    assert_eq!(bench.create(&by, &everything, &person).await.status, StatusCode::NO_CONTENT);
    // Whoever follows the records would find it out a moment later, too.
    assert!(bench.app.hub.with(|rooms, _| rooms.open_events().next().is_none()), "out before the answer");
    until("they see nothing", async || bench.media.words()[before..].iter().any(|word| word == "revoke")).await;
    let watch = bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(&viewer, FIREFOX)).await;
    assert_eq!(watch.fault(), is(401, "token-invalid"));
    assert_eq!(
        bench.create(&by, &everything, &person).await.status,
        StatusCode::NO_CONTENT,
        "nothing is left to withdraw"
    );
    let (_, back) = bench.granted(&by, &event, "viewer", "person-8").await;
    let watching = bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(&back, FIREFOX)).await;
    assert_eq!(watching.status, StatusCode::CREATED, "let in again: {}", watching.body);
}

#[tokio::test]
async fn an_operator_registers_reviews_and_revokes_programs() {
    let bench = Bench::new().await;
    let sure = bench.stepped_up().await;
    let key = Holder::new();
    let wish = json!({ "label": "LMS", "owner": "IT", "scopes": ["events:manage", "grants:issue"], "keys": key.jwk(), "expires_in": 7_776_000 });
    let made = bench.create(&sure, "/api/v1/clients", &wish).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let program = Program { id: ClientId::new(made.json()["id"].as_str().expect("an id")), key };
    for (name, value) in [
        ("expires_in", json!(31_536_001)),
        ("scopes", json!([])),
        ("keys", json!({ "kty": "oct", "k": "x" })),
        ("label", json!("")),
    ] {
        let mut wrong = wish.clone();
        wrong[name] = value;
        assert_eq!(bench.create(&sure, "/api/v1/clients", &wrong).await.fault(), is(400, "bad-request"), "{name}");
    }
    let by = bench.token_of(&program, "").await;
    let event = bench.event_by(&by).await;
    let (_, viewer) = bench.granted(&by, &event, "viewer", "person-7").await;
    let review = bench.read(&sure, "/api/v1/third-parties").await.json();
    let row = &review["clients"][0];
    assert_eq!((&row["events"], &row["grants"], &row["soon"]), (&json!(1), &json!(1), &json!(false)), "{row}");
    assert!(row["last_used"].is_u64() && row["keys"][0]["thumbprint"].as_str().is_some_and(|text| text.len() == 43));
    assert!(!review.to_string().contains("person-7"));

    let mut short = wish.clone();
    (short["keys"], short["expires_in"]) = (Holder::new().jwk(), json!(14 * 24 * 3_600));
    assert_eq!(bench.create(&sure, "/api/v1/clients", &short).await.status, StatusCode::CREATED);
    let ending = bench.read(&sure, "/api/v1/third-parties").await.json()["clients"][1].clone();
    assert_eq!((&ending["soon"], &ending["idle"]), (&json!(true), &json!(false)), "announced beforehand");

    let place = format!("/api/v1/clients/{}", program.id.as_str());
    let fresh = json!({ "key": Holder::new().jwk(), "overlap": 0 });
    assert_eq!(bench.create(&sure, &format!("{place}/keys"), &fresh).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.read(&by, &format!("/api/v1/events/{event}/grants")).await.fault(), is(401, "token-invalid"));
    let revoke = Ask::new("DELETE", &format!("{place}?grants=true"));
    let proof = sure.proof("DELETE", &place).sign();
    assert_eq!(bench.ask(revoke.shown(&sure, &proof)).await.status, StatusCode::NO_CONTENT);
    let watch = bench.ask(Ask::new("POST", &format!("/whep/{event}")).offered_by(&viewer, FIREFOX)).await;
    assert_eq!(watch.fault(), is(401, "token-invalid"), "and whoever came by it");
    assert_eq!(bench.remove(&sure, &place).await.fault(), is(404, "not-found"));
    assert_eq!(
        bench.read(&sure, &format!("/api/v1/events/{event}")).await.status,
        StatusCode::OK,
        "what it made stays"
    );
}

#[tokio::test]
async fn whoever_was_not_asked_again_changes_nothing_about_programs() {
    let bench = Bench::new().await;
    let (admin, program) = (bench.admin().await, bench.program().await);
    let place = format!("/api/v1/clients/{}", program.id.as_str());
    let key = Holder::new().jwk();
    let wish = json!({ "label": "LMS", "owner": "IT", "scopes": ["events:read"], "keys": key, "expires_in": 3_600 });
    let fresh = json!({ "key": key, "overlap": 0 });
    let asks = [
        Ask::new("POST", "/api/v1/clients").by(&admin).json(&wish),
        Ask::new("POST", &format!("{place}/keys")).by(&admin).json(&fresh),
        Ask::new("DELETE", &place).by(&admin),
    ];
    for ask in asks {
        assert_eq!(bench.ask(ask).await.fault(), is(401, "step-up-required"));
    }
    let listed = bench.read(&admin, "/api/v1/third-parties").await.json();
    assert_eq!(listed["clients"].as_array().map(Vec::len), Some(1), "looking is free");
}

#[tokio::test]
async fn a_program_out_of_hand_is_stopped() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let by = bench.token_of(&program, ALL).await;
    let first = bench.event_by(&by).await;
    for _ in 1..1_000 {
        let title = Redacted::new("Lecture".to_owned());
        let new = NewEvent {
            title,
            admission: Admission::Invitation,
            listed: false,
            broadcasters: 1,
            latency: Latency::Interactive,
        };
        let planned = Planned { client: Some(&program.id), ..Planned::default() };
        bench.store.records.plan_event(new, &planned, SystemTime::now()).await.expect("is made");
    }
    let more = json!({ "title": "One more" });
    assert_eq!(bench.create(&by, "/api/v1/events", &more).await.fault(), is(429, "too-many"));
    bench.ask(Ask::new("POST", &format!("/api/v1/events/{first}/end")).by(&by)).await;
    bench.event_by(&by).await;
}

/// A ban is of the person whom the program means, not of the grant by which they came.
#[tokio::test]
async fn who_is_kept_out_gets_in_by_no_other_grant() {
    let bench = Bench::new().await;
    let (program, operator) = (bench.token_of(&bench.program().await, ALL).await, bench.stepped_up().await);
    let event = bench.event_by(&program).await;
    let (_, page) = bench.granted(&program, &event, "broadcaster", "eve").await;
    let whip = format!("/whip/{event}");
    let proof = page.proof("POST", &whip).offer(FFMPEG).sign();
    assert_eq!(bench.ask(Ask::new("POST", &whip).shown(&page, &proof).sdp(FFMPEG)).await.status, StatusCode::CREATED);
    let bans = format!("/api/v1/events/{event}/bans");
    let ban = bench.create(&operator, &bans, &json!({ "place": 0, "tenure": 1 })).await.json();
    let join = async |role: &str, subject: &str| {
        let wish = json!({ "role": role, "subject": subject, "expires_in": 3_600 });
        let made = bench.create(&program, &format!("/api/v1/events/{event}/grants"), &wish).await.json();
        bench.joined(&event, &made["code"]).await
    };
    let refused = async |role: &str| join(role, "eve").await.map_or_else(|reply| reply.fault(), |_| is(200, "joined"));
    assert_eq!(refused("broadcaster").await, is(403, "banned"));
    assert_eq!(refused("viewer").await, is(403, "banned"), "in another role");
    let subject = format!("/api/v1/events/{event}/subjects/revoke");
    assert!(bench.create(&program, &subject, &json!({ "subject": "eve" })).await.status.is_success());
    assert_eq!(refused("viewer").await, is(403, "banned"), "withdrawn and granted anew");
    assert!(join("viewer", "adam").await.is_ok(), "nobody else");
    let lift = format!("{bans}/{}", ban["id"].as_str().expect("an id"));
    assert_eq!(bench.remove(&operator, &lift).await.status, StatusCode::NO_CONTENT);
    assert!(join("viewer", "eve").await.is_ok(), "let back in");
}

#[tokio::test]
async fn what_locations_may_be_asked_for_is_the_operators_to_say() {
    let bench = Bench::new().await;
    let program = bench.token_of(&bench.program().await, ALL).await;
    let event = bench.event_by(&program).await;
    let cap = json!({ "finest": "precise", "minutes": 60 });
    let new = bench.create(&program, "/api/v1/events", &json!({ "title": "Lecture", "location": cap })).await;
    assert_eq!(new.fault(), is(403, "scope-missing"));
    let change = Ask::new("PATCH", &format!("/api/v1/events/{event}")).by(&program).json(&json!({ "location": cap }));
    assert_eq!(bench.ask(change).await.fault(), is(403, "scope-missing"));
}

#[tokio::test]
async fn grants_of_a_program_that_has_gone_can_still_be_withdrawn() {
    let bench = Bench::new().await;
    let program = bench.program().await;
    let token = bench.token_of(&program, ALL).await;
    let event = bench.event_by(&token).await;
    bench.granted(&token, &event, "viewer", "eve").await;
    let revoke = async |grants| {
        let out = bench.store.issuer.revoke_client(&program.id, grants, SystemTime::now()).await.expect("is written");
        out.map(|out| out.len())
    };
    assert_eq!(revoke(false).await, Some(0));
    assert_eq!(revoke(true).await, Some(1));
    assert_eq!(revoke(true).await, None, "nothing is left of it");
}
