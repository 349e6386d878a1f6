//! The part of the journey that programs of integrators, receivers of webhooks and pages that stay signed in have.

use super::journey::{TITLE, Told};
use holder::Holder;
use holder::client::{Client, Pass, Reply, send};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

const RECEIVER: &str = "Sandpiper-hook-path";
const LABEL: &str = "Turnstone-Platform";
const OWNER: &str = "Redshank-Department";
const SUBJECT: &str = "Oystercatcher-4711";
const FORM: &str = "application/x-www-form-urlencoded";

/// The refresh token that an answer of the token endpoint sets.
fn refresh_of(reply: &Reply) -> String {
    let cookies = reply.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value);
    let found = cookies.filter_map(|value| value.split(';').next()?.strip_prefix("veilcast-refresh=")).next();
    found.expect("a refresh cookie").to_owned()
}

/// A page renews what it got by `exchanged`, and then somebody tries the same with another key.
pub(super) async fn stays_signed_in(page: &Client, exchanged: &Reply, holder: &Holder, told: &mut Told) {
    let first = refresh_of(exchanged);
    told.add("refresh token", &first);
    let refresh = async |cookie: &str, holder: &Holder| {
        let request = page.newcomer("/oauth/token", holder).await.header("content-type", FORM);
        let request = request.header("cookie", format!("veilcast-refresh={cookie}"));
        send(request.body("grant_type=refresh_token&client_id=veilcast-web&scope=admin")).await
    };
    let renewed = refresh(&first, holder).await.expect(200);
    told.token("renewed token", renewed.json()["access_token"].as_str().expect("a token"));
    told.add("next refresh token", &refresh_of(&renewed));
    refresh("no-such-family-at-all.no-such-token", &Holder::new()).await.expect(400);
    let pushed =
        page.ask("POST", "/oauth/par").header("content-type", FORM).body("client_id=veilcast-web&state=Whimbrel-state");
    told.add("state", "Whimbrel-state");
    assert_eq!(send(pushed).await.status, 400, "most of it is missing");
}

/// A receiver of webhooks, and a program that lets somebody in.
pub(super) async fn partners(operator: &Client, port: u16, told: &mut Told) {
    for (name, text) in
        [("receiver", RECEIVER), ("program's label", LABEL), ("program's owner", OWNER), ("subject", SUBJECT)]
    {
        told.add(name, text);
    }
    let operators = told.admin.clone();
    let hook = |url: String| json!({ "url": url, "owner": OWNER, "kinds": ["event.started", "event.ended"], "expires_in": 86_400 });
    let path = "/api/v1/webhooks";
    operator.post(path, Some(&operators), &hook(format!("https://10.0.0.1/{RECEIVER}"))).await.expect(400);
    let url = format!("https://hooks.invalid/{RECEIVER}");
    let made = operator.post(path, Some(&operators), &hook(url)).await.expect(201).json();
    told.add("webhook secret", &made["secret"].as_str().expect("a secret")[6..]);
    let (key, scopes) = (Holder::new(), ["events:read", "events:manage", "grants:issue"]);
    let new = json!({ "label": LABEL, "owner": OWNER, "scopes": scopes, "keys": key.jwk(), "expires_in": 86_400 });
    let id = operator.post("/api/v1/clients", Some(&operators), &new).await.expect(201).json()["id"].clone();
    let program = program(operator, port, (&id, &key), told).await;
    let made = operator.post("/api/v1/events", Some(&program), &json!({ "title": TITLE })).await.expect(201).json();
    let event = format!("/api/v1/events/{}", made["id"].as_str().expect("an id"));
    let grant = json!({ "role": "viewer", "subject": SUBJECT, "expires_in": 600 });
    let grant = operator.post(&format!("{event}/grants"), Some(&program), &grant).await.expect(201).json();
    told.add("grant", grant["code"].as_str().expect("a code"));
    for (holder, status) in [(Holder::new(), 200), (Holder::new(), 403)] {
        let request = operator.newcomer(&format!("{event}/join"), &holder).await;
        let request = request.header("content-type", "application/json");
        let joined = send(request.body(json!({ "invitation": grant["code"] }).to_string())).await.expect(status);
        if status == 200 {
            told.token("granted token", joined.json()["token"].as_str().expect("a token"));
        }
    }
    let whose = json!({ "subject": SUBJECT });
    operator.post(&format!("{event}/subjects/grants"), Some(&program), &whose).await.expect(200);
    operator.post(&format!("{event}/subjects/revoke"), Some(&program), &whose).await.expect(204);
    operator.post(&format!("{event}/end"), Some(&program), &json!({})).await.expect(200);
}

/// A program's token, for an assertion that is good once.
async fn program(client: &Client, port: u16, (id, key): (&Value, &Holder), told: &mut Told) -> Pass {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (address, jti) = (format!("http://localhost:{port}"), "Dunlin-assertion-of-one-use");
    let claims = json!({ "iss": id, "sub": id, "aud": address, "iat": now, "exp": now + 30, "jti": jti });
    let assertion = key.sign(&json!({ "alg": "ES256", "typ": "JWT" }), &claims);
    told.token("assertion", &assertion);
    told.add("assertion's id", jti);
    let form = format!(
        "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type\
         %3Ajwt-bearer&client_assertion={assertion}"
    );
    let holder = Arc::new(Holder::new());
    let ask = async || {
        let request = client.newcomer("/oauth/token", &holder).await.header("content-type", FORM);
        send(request.body(form.clone())).await
    };
    let token = ask().await.expect(200).json()["access_token"].as_str().expect("a token").to_owned();
    ask().await.expect(400);
    told.token("program's token", &token);
    Pass::bound(&holder, &token)
}
