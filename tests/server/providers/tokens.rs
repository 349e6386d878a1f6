//! Resource-server mode: a provider's access tokens, of every kind that providers issue, against every profile.

use super::super::process::{Scratch, free_port};
use super::super::wire::{Reply, SDP, ask, is, post, watch};
use super::realm::{Person, Realm, SECRET, base64url, client, event_token, serve};
use holder::Holder;
use reqwest::Client;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use veilcast_auth::{
    Asking, Binding, ClaimRule, EventId, Federation, Freshness, Issuer, Party, Profile, ProviderMode, ProviderSettings,
    Reach, Requirement, Scope, SigningAlgorithm, Target, TokenError, TokenForm, TokenType,
};
use veilcast_privacy::{Redacted, Secret};
use veilcast_records::{Admission, Latency, NewEvent, Records};

const KINDS: [&str; 4] = ["urn:test:at", "urn:test:jwt", "urn:test:untyped", "urn:test:opaque"];
const PUBLIC: &str = "http://localhost:8080";
const MINUTE: Duration = Duration::from_secs(60);

/// An instance without its edge: the profile alone is the subject.
struct Instance {
    issuer: Issuer,
    records: Records,
    _scratch: Scratch,
}

fn profile(realm: &Realm, kind: &str) -> Profile {
    let jwt = |typ| TokenForm::Jwt { typ, algorithms: vec![SigningAlgorithm::parse("ES256").expect("is known")] };
    let form = match kind {
        "urn:test:at" => jwt(TokenType::AccessToken),
        "urn:test:jwt" => jwt(TokenType::Jwt),
        "urn:test:untyped" => jwt(TokenType::Absent),
        _ => TokenForm::Opaque { endpoint: format!("{}/token/introspection", realm.issuer) },
    };
    let (requirement, binding) = (Requirement::Scope("live:watch".to_owned()), Binding::Bearer);
    Profile { form, audience: vec![kind.to_owned()], requirement, event_claim: None, scope: Scope::Watch, binding }
}

impl Instance {
    async fn new(realm: &Realm, profile: Profile) -> Self {
        let scratch = Scratch::new();
        let records = Records::open(&scratch.path("data")).await.expect("opens");
        let settings = ProviderSettings {
            issuer: realm.issuer.clone(),
            hosts: Vec::new(),
            root: None,
            client_id: "veilcast".to_owned(),
            client_secret: Some(Secret::new(SECRET)),
            mode: ProviderMode::ResourceServer(profile),
        };
        let federation = Federation::new(&[settings]).expect("is sound");
        let issuer = Issuer::open_with(records.clone(), PUBLIC, federation, SystemTime::now()).await.expect("opens");
        Self { issuer, records, _scratch: scratch }
    }

    async fn event(&self, admission: Admission) -> EventId {
        let title = Redacted::new("Rehearsal".to_owned());
        let new = NewEvent { title, admission, listed: false, broadcasters: 1, latency: Latency::Interactive };
        self.records.create_event(new, SystemTime::now()).await.expect("is made")
    }

    async fn shown(&self, token: &str, event: &EventId, now: SystemTime) -> Result<Scope, TokenError> {
        let asking = Asking { party: Party::default(), allowed: true };
        self.issuer.verify_foreign_tool(token, event, asking, now).await.map(|grant| grant.scope)
    }
}

/// A realm with a program that gets tokens for itself, and an app that people sign in to.
async fn realm(options: Value) -> Realm {
    let machine = json!({
        "client_id": "machine", "client_secret": SECRET, "redirect_uris": [], "response_types": [],
        "grant_types": ["client_credentials"],
    });
    let mut all = json!({ "clients": [client(8_080), machine] });
    for (name, value) in options.as_object().expect("members") {
        all[name] = value.clone();
    }
    Realm::open(&all).await
}

async fn ask_for(realm: &Realm, name: &str, form: String, holder: Option<&Holder>) -> Value {
    let address = format!("{}/token", realm.issuer);
    let mut request = Client::new().post(&address).basic_auth(name, Some(SECRET)).body(form);
    request = request.header("content-type", "application/x-www-form-urlencoded");
    if let Some(holder) = holder {
        request = request.header("dpop", holder.proof("POST", &address).sign());
    }
    let reply = Reply::of(request).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    serde_json::from_str(&reply.body).expect("JSON")
}

/// A program's access token for a resource.
async fn access(realm: &Realm, kind: &str, scope: &str, holder: Option<&Holder>) -> String {
    let form = format!("grant_type=client_credentials&resource={kind}&scope={scope}");
    let answer = ask_for(realm, "machine", form, holder).await;
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// An ID token and an access token of somebody who signs in to an app.
async fn id_token(realm: &Realm, kind: &str) -> (String, String) {
    let (mut person, callback) = (Person::new(), "http://localhost:8080/oauth/provider/callback/0");
    let challenge =
        base64url(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, "v".repeat(43).as_bytes()).as_ref());
    let address = format!(
        "{}/auth?response_type=code&client_id=veilcast&redirect_uri={callback}&scope=openid+live:watch&resource={kind}\
         &nonce=n&state=s&code_challenge={challenge}&code_challenge_method=S256",
        realm.issuer
    );
    let back = person.say(realm, &address, "login=ada").await;
    let code = back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code");
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={callback}&code_verifier={}&resource={kind}",
        "v".repeat(43)
    );
    let answer = ask_for(realm, "veilcast", form, None).await;
    let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
    (text("id_token"), text("access_token"))
}

#[tokio::test]
async fn each_profile_takes_its_own_kind_of_token_and_no_other() {
    let realm = realm(json!({})).await;
    let now = SystemTime::now();
    let mut tokens = Vec::new();
    for kind in KINDS {
        tokens.push((kind, access(&realm, kind, "live:watch", None).await));
    }
    let (id, persons) = id_token(&realm, "urn:test:at").await;
    for kind in KINDS {
        let instance = Instance::new(&realm, profile(&realm, kind)).await;
        let event = instance.event(Admission::SignIn).await;
        for (own, token) in &tokens {
            let shown = instance.shown(token, &event, now).await;
            let expected = if *own == kind { Ok(Scope::Watch) } else { Err(TokenError::Invalid) };
            assert_eq!(shown, expected, "a token of {own} where {kind} is stated");
        }
        assert_eq!(instance.shown(&id, &event, now).await, Err(TokenError::Invalid), "an ID token at {kind}");
        let expected = if kind == "urn:test:at" { Ok(Scope::Watch) } else { Err(TokenError::Invalid) };
        assert_eq!(instance.shown(&persons, &event, now).await, expected, "a person's");
        let other = access(&realm, kind, "live:other", None).await;
        assert_eq!(instance.shown(&other, &event, now).await, Err(TokenError::ScopeMissing));
        let private = instance.event(Admission::Invitation).await;
        let (_, good) = tokens.iter().find(|(own, _)| *own == kind).expect("is there");
        assert_eq!(instance.shown(good, &private, now).await, Err(TokenError::ScopeMissing), "for whoever was invited");
        assert_eq!(instance.shown(good, &event, now + 20 * MINUTE).await, Err(TokenError::Invalid), "past its end");
        let told = tokens.iter().all(|(_, token)| instance.issuer.is_foreign(token) || kind != "urn:test:opaque");
        assert!(told, "what cannot be read is asked about");
    }
}

#[tokio::test]
async fn what_could_be_an_id_token_is_refused_whatever_else_fits() {
    let realm = realm(json!({})).await;
    // An audience that is the client's name is what makes an ID token look right.
    for audience in ["urn:test:jwt", "veilcast"] {
        let stated = Profile { audience: vec![audience.to_owned()], ..profile(&realm, "urn:test:jwt") };
        let instance = Instance::new(&realm, stated).await;
        let event = instance.event(Admission::Public).await;
        let shown = async |changes: Value, header: Value| {
            let mut claims = json!({ "aud": audience, "sub": "ada", "scope": "live:watch" });
            for (name, value) in changes.as_object().expect("members") {
                claims[name] = value.clone();
            }
            let token = realm.tell("logout-token", &json!({ "claims": claims, "header": header, "bare": true })).await;
            instance.shown(token["token"].as_str().expect("a token"), &event, SystemTime::now()).await
        };
        let jwt = || json!({ "typ": "JWT" });
        let usual = if audience == "veilcast" { Err(TokenError::Invalid) } else { Ok(Scope::Watch) };
        assert_eq!(shown(json!({}), jwt()).await, usual);
        assert_eq!(shown(json!({ "typ": "Bearer" }), jwt()).await, usual);
        for changes in [
            json!({ "nonce": "n" }),
            json!({ "at_hash": "h" }),
            json!({ "c_hash": "h" }),
            json!({ "typ": "ID" }),
            json!({ "typ": "Refresh" }),
            json!({ "aud": [audience, "veilcast"] }),
            json!({ "aud": ["another"] }),
            json!({ "iss": "https://elsewhere.example" }),
            json!({ "sub": null }),
            json!({ "exp": null }),
            json!({ "exp": 1_000_000_000 }),
            json!({ "nbf": 4_000_000_000_u64 }),
            json!({ "cnf": { "jkt": "x" } }),
        ] {
            assert_eq!(shown(changes.clone(), jwt()).await, Err(TokenError::Invalid), "{changes}");
        }
        for header in [
            json!({ "typ": "at+jwt" }),
            json!({ "typ": null }),
            json!({ "typ": "JWT", "alg": "none" }),
            json!({ "typ": "JWT", "alg": "HS256" }),
            json!({ "typ": "JWT", "alg": "RS256" }),
            json!({ "typ": "JWT", "kid": "made-up" }),
            json!({ "typ": "JWT", "jku": "http://localhost:1/keys" }),
            json!({ "typ": "JWT", "crit": ["exp"] }),
        ] {
            assert_eq!(shown(json!({}), header.clone()).await, Err(TokenError::Invalid), "{header}");
        }
    }
}

#[tokio::test]
async fn keys_come_and_go_and_the_last_ones_serve_for_a_day() {
    let realm = realm(json!({})).await;
    let instance = Instance::new(&realm, profile(&realm, "urn:test:at")).await;
    let event = instance.event(Admission::Public).await;
    // An hour is the life of what the clock below travels through.
    let token = async || {
        let claims = json!({ "aud": "urn:test:at", "sub": "a", "scope": "live:watch", "exp": 4_000_000_000_u64 });
        let given = json!({ "claims": claims, "header": { "typ": "at+jwt" }, "bare": true });
        realm.tell("logout-token", &given).await["token"].as_str().expect("a token").to_owned()
    };
    let (old, now) = (token().await, SystemTime::now());
    let shown = async |token: &str, after: Duration| instance.shown(token, &event, now + after).await;
    assert_eq!(shown(&old, Duration::ZERO).await, Ok(Scope::Watch));
    realm.tell("rotate", &json!({})).await;
    let new = token().await;
    assert_eq!(shown(&new, MINUTE).await, Ok(Scope::Watch), "an unknown key is asked for");
    assert_eq!(shown(&old, MINUTE).await, Ok(Scope::Watch), "the old one is still published");
    realm.tell("rotate", &json!({ "withdraw": true })).await;
    assert_eq!(shown(&new, 5 * MINUTE).await, Ok(Scope::Watch));
    assert_eq!(shown(&new, 11 * MINUTE).await, Err(TokenError::Invalid), "withdrawn");
    let newest = token().await;
    assert_eq!(shown(&newest, 11 * MINUTE).await, Ok(Scope::Watch));
    realm.down(true).await;
    assert_eq!(shown(&newest, 23 * 60 * MINUTE).await, Ok(Scope::Watch), "while the provider is down");
    assert_eq!(shown(&newest, 25 * 60 * MINUTE).await, Err(TokenError::ProviderUnavailable));
    realm.down(false).await;
    realm.tell("redirect", &json!({ "to": format!("{}/elsewhere", realm.issuer) })).await;
    assert_eq!(shown(&newest, 26 * 60 * MINUTE).await, Err(TokenError::ProviderUnavailable), "no redirect");
    realm.tell("redirect", &json!({ "to": null })).await;
    assert_eq!(shown(&newest, 27 * 60 * MINUTE).await, Ok(Scope::Watch), "and back again");
}

#[tokio::test]
async fn an_opaque_token_is_asked_about_once_a_minute() {
    let realm = realm(json!({})).await;
    let instance = Instance::new(&realm, profile(&realm, "urn:test:opaque")).await;
    let event = instance.event(Admission::Public).await;
    let (token, now) = (access(&realm, "urn:test:opaque", "live:watch", None).await, SystemTime::now());
    let asked = async || {
        let requests = realm.tell("requests", &json!({})).await;
        requests.as_array().expect("a list").iter().filter(|one| one["path"] == "/token/introspection").count()
    };
    for _ in 0..3 {
        assert_eq!(instance.shown(&token, &event, now).await, Ok(Scope::Watch));
        assert_eq!(instance.shown("made-up", &event, now).await, Err(TokenError::Invalid));
    }
    assert_eq!(asked().await, 2, "once for each");
    let form = format!("token={token}");
    let revoke = Client::new().post(format!("{}/token/revocation", realm.issuer)).basic_auth("machine", Some(SECRET));
    let revoked = revoke.header("content-type", "application/x-www-form-urlencoded").body(form);
    assert_eq!(Reply::of(revoked).await.status, 200);
    assert_eq!(instance.shown(&token, &event, now + MINUTE - Duration::from_secs(1)).await, Ok(Scope::Watch));
    assert_eq!(instance.shown(&token, &event, now + MINUTE).await, Err(TokenError::Invalid), "revoked there");
    realm.down(true).await;
    assert_eq!(instance.shown(&token, &event, now + 3 * MINUTE).await, Err(TokenError::ProviderUnavailable));
}

#[tokio::test]
async fn nobody_is_asked_about_what_cannot_be_good() {
    let realm = realm(json!({ "dpop": true })).await;
    let asked = async || {
        let requests = realm.tell("requests", &json!({})).await;
        requests.as_array().expect("a list").iter().filter(|one| one["path"] == "/token/introspection").count()
    };
    let now = SystemTime::now();
    let bearer = Instance::new(&realm, profile(&realm, "urn:test:opaque")).await;
    let event = bearer.event(Admission::Public).await;
    let path = format!("/whep/{event}");
    let target = Target { method: "POST", path: &path, freshness: Freshness::Nonce, party: Party::default() };
    let shown = bearer.issuer.verify_foreign_bound("made-up", &event, "no proof", &target, true, now).await;
    assert_eq!(shown.err(), Some(TokenError::Unbound), "the wrong scheme");
    let asking = Asking { party: Party::default(), allowed: false };
    let refused = bearer.issuer.verify_foreign_tool("made-up", &event, asking, now).await;
    assert_eq!(refused.err(), Some(TokenError::Busy), "too many failures");
    let bound = Profile { binding: Binding::Dpop, ..profile(&realm, "urn:test:opaque") };
    let bound = Instance::new(&realm, bound).await;
    assert_eq!(bound.shown("made-up", &event, now).await, Err(TokenError::ProofMissing), "the wrong scheme");
    let shown = bound.issuer.verify_foreign_bound("made-up", &event, "no proof", &target, true, now).await;
    assert_eq!(shown.err(), Some(TokenError::ProofInvalid), "no proof");
    assert_eq!(asked().await, 0);
    // What is known already is no question.
    let token = access(&realm, "urn:test:opaque", "live:watch", None).await;
    assert_eq!(bearer.shown(&token, &event, now).await, Ok(Scope::Watch));
    assert!(bearer.issuer.verify_foreign_tool(&token, &event, asking, now).await.is_ok());
    assert_eq!(asked().await, 1);
}

#[tokio::test]
async fn a_foreign_token_is_revoked_by_its_holder_and_by_itself() {
    let realm = realm(json!({})).await;
    let instance = Instance::new(&realm, profile(&realm, "urn:test:at")).await;
    let (one, two) = (instance.event(Admission::Public).await, instance.event(Admission::Public).await);
    let (now, asking) = (SystemTime::now(), Asking { party: Party::default(), allowed: true });
    let token = access(&realm, "urn:test:at", "live:watch", None).await;
    let grant = instance.issuer.verify_foreign_tool(&token, &one, asking, now).await.expect("is good");
    let subject = veilcast_records::base32(grant.principal.pseudonym().expose_bits());
    instance.records.revoke(&subject, now + 60 * MINUTE).await.expect("written");
    let fresh = access(&realm, "urn:test:at", "live:watch", None).await;
    for token in [&token, &fresh] {
        assert_eq!(instance.shown(token, &one, now).await, Err(TokenError::Invalid));
        assert_eq!(instance.shown(token, &two, now).await, Ok(Scope::Watch), "elsewhere it is somebody else");
    }
    instance.issuer.revoke(&grant).await.expect("written");
    assert_eq!(instance.shown(&token, &two, now).await, Err(TokenError::Invalid));
    assert_eq!(instance.shown(&fresh, &two, now).await, Ok(Scope::Watch));
}

#[tokio::test]
async fn whom_an_event_keeps_out_comes_in_by_no_token_of_their_provider() {
    let realm = realm(json!({})).await;
    let instance = Instance::new(&realm, profile(&realm, "urn:test:at")).await;
    let (here, there) = (instance.event(Admission::Public).await, instance.event(Admission::Public).await);
    let (now, asking) = (SystemTime::now(), Asking { party: Party::default(), allowed: true });
    let token = access(&realm, "urn:test:at", "live:watch", None).await;
    let grant = instance.issuer.verify_foreign_tool(&token, &here, asking, now).await.expect("is good");
    let who = grant.principal.pseudonym();
    let ban = instance.records.ban(&here, who.expose_bits(), grant.reach, now).await.expect("written");
    let fresh = access(&realm, "urn:test:at", "live:watch", None).await;
    for token in [&token, &fresh] {
        assert_eq!(instance.shown(token, &here, now).await, Err(TokenError::Banned));
        assert_eq!(instance.shown(token, &there, now).await, Ok(Scope::Watch), "in no other event");
    }
    assert_eq!(grant.reach, Reach::Provider);
    assert!(instance.records.lift_ban(&here, &ban.id).await.expect("written"));
    assert_eq!(instance.shown(&fresh, &here, now).await, Ok(Scope::Watch));
}

#[tokio::test]
async fn a_bound_token_needs_its_key_and_a_claim_names_its_event() {
    let realm = realm(json!({ "dpop": true })).await;
    let requirement = Requirement::Claim(ClaimRule { name: "client_id".to_owned(), value: "machine".to_owned() });
    let stated = Profile { binding: Binding::Dpop, requirement, ..profile(&realm, "urn:test:at") };
    let instance = Instance::new(&realm, stated.clone()).await;
    let (holder, now) = (Holder::new(), SystemTime::now());
    let token = access(&realm, "urn:test:at", "live:watch", Some(&holder)).await;
    let event = instance.event(Admission::Public).await;
    let path = format!("/whep/{event}");
    let shown = async |instance: &Instance, token: &str, holder: &Holder, event: &EventId| {
        let target = Target { method: "POST", path: &path, freshness: Freshness::Nonce, party: Party::default() };
        let proof = holder.proof("POST", &format!("{PUBLIC}{path}")).nonce(&instance.issuer.nonce(now)).token(token);
        let verified = instance.issuer.verify_foreign_bound(token, event, &proof.sign(), &target, true, now).await;
        verified.map(|(grant, _)| (grant.scope, grant.invited))
    };
    assert_eq!(shown(&instance, &token, &holder, &event).await, Ok((Scope::Watch, true)));
    assert_eq!(shown(&instance, &token, &Holder::new(), &event).await, Err(TokenError::ProofInvalid));
    assert_eq!(instance.shown(&token, &event, now).await, Err(TokenError::ProofMissing), "as Bearer");
    let free = access(&realm, "urn:test:at", "live:watch", None).await;
    assert_eq!(shown(&instance, &free, &holder, &event).await, Err(TokenError::Invalid), "bound to nothing");

    let named = Profile { event_claim: Some("event".to_owned()), scope: Scope::Broadcast, ..stated };
    let instance = Instance::new(&realm, named).await;
    let (own, other) = (instance.event(Admission::Invitation).await, instance.event(Admission::Public).await);
    assert_eq!(shown(&instance, &token, &holder, &own).await, Err(TokenError::Invalid), "it names none");
    let jwk_thumbprint = super::realm::claims(&token)["cnf"].clone();
    let claims = json!({
        "aud": "urn:test:at", "sub": "a", "client_id": "machine", "event": [own.as_str()], "cnf": jwk_thumbprint,
    });
    let given = json!({ "claims": claims, "header": { "typ": "at+jwt" }, "bare": true });
    let told = realm.tell("logout-token", &given).await;
    let token = told["token"].as_str().expect("a token");
    assert_eq!(shown(&instance, token, &holder, &own).await, Ok((Scope::Broadcast, true)));
    assert_eq!(shown(&instance, token, &holder, &other).await, Err(TokenError::Invalid));
}

#[tokio::test]
async fn a_server_takes_them_where_it_says_and_nowhere_else() {
    let realm = realm(json!({ "dpop": true })).await;
    let table = |binding: &str, kind: &str| {
        format!(
            "[[provider]]\nmode = \"resource-server\"\nissuer = \"{}\"\nclient_id = \"veilcast\"\ntyp = \"at+jwt\"\n\
             algs = [\"ES256\"]\naudience = \"{kind}\"\nscope = \"live:watch\"\nbinding = \"{binding}\"\n",
            realm.issuer
        )
    };
    let server = serve(free_port(), &table("bearer", "urn:test:at")).await;
    let event = server.run(&["event", "create", "--title", "Talk", "--sign-in"]).value().to_owned();
    let (whep, token) = (format!("/whep/{event}"), access(&realm, "urn:test:at", "live:watch", None).await);
    let place = post(&server, &whep, &token, &watch()).await.location();
    let other = access(&realm, "urn:test:at", "live:watch", None).await;
    assert_eq!(
        super::super::wire::delete(&server, &place, &other).await.status,
        200,
        "the same program, a fresh token"
    );
    assert_eq!(post(&server, &format!("/whip/{event}"), &token, &watch()).await.fault(), is(403, "scope-missing"));
    let from_page = ask(&server, "POST", &whep).bearer_auth(&token).header("origin", server.public(""));
    let from_page = Reply::of(from_page.header("content-type", SDP).body(watch())).await;
    assert_eq!(from_page.fault(), is(401, "token-unbound"));
    for (method, path) in [
        ("GET", "/api/v1/events".to_owned()),
        ("GET", format!("/api/v1/events/{event}")),
        ("POST", format!("/api/v1/events/{event}/end")),
        ("GET", format!("/api/v1/events/{event}/invitations")),
    ] {
        let refused = Reply::of(ask(&server, method, &path).bearer_auth(&token)).await;
        assert!(matches!(refused.status, 401 | 403), "{method} {path}: {}", refused.status);
    }
    let bound = serve(free_port(), &table("dpop", "urn:test:at")).await;
    let event = bound.run(&["event", "create", "--title", "Talk", "--sign-in"]).value().to_owned();
    let holder = Holder::new();
    let token = access(&realm, "urn:test:at", "live:watch", Some(&holder)).await;
    let exchanged = event_token(&bound, &holder, &token, &event, "viewer").await;
    assert_eq!(exchanged.status, 200, "{}", exchanged.body);
    assert_eq!(event_token(&bound, &holder, &token, &event, "broadcaster").await.fault(), is(403, "scope-missing"));
    assert_eq!(event_token(&bound, &Holder::new(), &token, &event, "viewer").await.fault(), is(401, "proof-invalid"));
    assert_eq!(post(&bound, &format!("/whep/{event}"), &token, &watch()).await.fault(), is(401, "proof-missing"));
    let told = super::realm::claims(
        serde_json::from_str::<Value>(&exchanged.body).expect("JSON")["token"].as_str().expect("a token"),
    );
    assert_eq!((told["scope"].as_str(), told["event"].as_str()), (Some("event:watch"), Some(event.as_str())));
    assert!(!bound.process.err().contains(&token) && !bound.process.err().contains(&realm.issuer));
}
