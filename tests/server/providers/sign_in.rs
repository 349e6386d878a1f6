use super::super::wire::{Reply, SDP, ask, broadcast, is, watch};
use super::realm::{Person, SECRET, claims, event_token, has, pair, traces};
use holder::Holder;
use reqwest::Client;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

fn token_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let answer: Value = serde_json::from_str(&reply.body).expect("JSON");
    answer["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn somebody_signs_in_elsewhere_watches_and_is_out_when_signed_out_there() {
    let (realm, server) = pair("").await;
    let create = |title: &str, flags: &[&str]| {
        let begin = ["event", "create", "--title", title];
        server.run(&[&begin[..], flags].concat()).value().to_owned()
    };
    let (one, two) = (create("One", &["--sign-in"]), create("Two", &["--sign-in"]));
    let (public, private) = (create("Public", &["--public"]), create("Private", &[]));
    let guest = Reply::of(ask(&server, "POST", &format!("/api/v1/events/{one}/guest"))).await;
    assert_eq!(guest.fault(), is(403, "event-sign-in"));
    assert_eq!(
        Reply::of(ask(&server, "GET", &format!("/api/v1/events/{one}"))).await.fault(),
        is(403, "event-sign-in")
    );
    let instance = Reply::of(ask(&server, "GET", "/api/v1/instance")).await.body;
    assert!(instance.contains("\"providers\":[{\"number\":0,\"name\":\"Test University\"}]"), "{instance}");

    let (mut ada, holder) = (Person::new(), Holder::new());
    assert_eq!(ada.sign_in(&realm, &server, "login=canary-ada").await, "/signed-in");
    let session = ada.cookie(&server, "veilcast-issuer").expect("the issuer's cookie").to_owned();
    let account = ada.token(&server, &holder, "account").await.expect("a token");
    let to = ada.token(&server, &holder, "admin").await.expect_err("no operator");
    assert!(to.contains("error=access_denied"), "{to}");
    let token = token_of(&event_token(&server, &holder, &account, &one, "viewer").await);
    assert_eq!(event_token(&server, &holder, &account, &one, "broadcaster").await.fault(), is(403, "scope-missing"));
    assert_eq!(event_token(&server, &holder, &account, &private, "viewer").await.fault(), is(403, "event-private"));
    let elsewhere = token_of(&event_token(&server, &holder, &account, &two, "viewer").await);
    let subjects = [&token, &elsewhere, &account].map(|token| claims(token)["sub"].clone());
    assert!(subjects[0] != subjects[1] && subjects[1] != subjects[2] && subjects[0] != subjects[2], "{subjects:?}");
    token_of(&event_token(&server, &holder, &account, &public, "viewer").await);

    let whep = format!("/whep/{one}");
    let watching = async || {
        let proof = holder.proof("POST", &server.public(&whep)).nonce(&server.nonce().await).token(&token);
        let request = ask(&server, "POST", &whep).header("authorization", format!("DPoP {token}"));
        let request = request.header("dpop", proof.offer(&watch()).sign());
        Reply::of(request.header("content-type", SDP).body(watch())).await
    };
    let place = watching().await.location();

    // The same person again, in another browser: one account, whose sessions end together.
    let mut again = Person::new();
    assert_eq!(again.sign_in(&realm, &server, "login=canary-ada").await, "/signed-in");
    let other = again.token(&server, &Holder::new(), "account").await.expect("a token");
    assert_eq!(claims(&other)["sub"], claims(&account)["sub"]);
    let mut eve = Person::new();
    assert_eq!(eve.sign_in(&realm, &server, "login=canary-eve").await, "/signed-in");

    let said = realm.tell("logout", &json!({ "sub": "canary-ada" })).await;
    assert_eq!(said, json!({ "said": ["ok"] }));
    assert_eq!(event_token(&server, &holder, &account, &one, "viewer").await.fault(), is(401, "token-invalid"));
    assert_eq!(watching().await.fault(), is(401, "token-invalid"));
    let left = ask(&server, "DELETE", &place).header("authorization", format!("DPoP {token}"));
    let proof = holder.proof("DELETE", &server.public(&place)).nonce(&server.nonce().await).token(&token).sign();
    assert_eq!(Reply::of(left.header("dpop", proof)).await.fault(), is(404, "session-unknown"), "it has ended");
    assert!(ada.token(&server, &holder, "account").await.expect_err("signed out").contains("/sign-in"));
    assert!(again.token(&server, &holder, "account").await.is_err(), "everywhere");
    assert!(eve.token(&server, &holder, "account").await.is_ok(), "nobody else");
    // Who was signed out may sign in again, at once.
    assert_eq!(ada.sign_in(&realm, &server, "login=canary-ada").await, "/signed-in");
    let account = ada.token(&server, &holder, "account").await.expect("a token");
    token_of(&event_token(&server, &holder, &account, &one, "viewer").await);

    let all = traces(&server);
    for secret in ["canary-ada", "canary-eve", SECRET, &session, &account, &realm.issuer] {
        assert!(!has(&all, secret), "{secret} is kept or said");
    }
}

#[tokio::test]
async fn a_logout_token_ends_what_it_is_about_once() {
    let (realm, server) = pair("").await;
    let (mut ada, holder) = (Person::new(), Holder::new());
    ada.sign_in(&realm, &server, "login=ada").await;
    let tell = async |token: &str| {
        let request = Client::new().post(server.url("/oauth/provider/logout")).header("content-type", FORM);
        Reply::of(request.body(format!("logout_token={token}"))).await.status
    };
    let about_ada = json!({ "sub": "ada" });
    for (claims, header) in [
        (json!({ "sub": "ada", "nonce": "n" }), json!({})),
        (json!({ "sub": "ada", "events": {} }), json!({})),
        (json!({ "sub": "ada", "aud": "another" }), json!({})),
        (json!({ "sub": "ada", "iss": "https://elsewhere.example" }), json!({})),
        (json!({ "sub": "ada", "iat": 1_000_000_000 }), json!({})),
        (json!({ "sub": "ada", "exp": 1_000_000_000 }), json!({})),
        (about_ada.clone(), json!({ "kid": "unknown" })),
        (about_ada.clone(), json!({ "alg": "none" })),
        (about_ada.clone(), json!({ "alg": "HS256" })),
        (about_ada.clone(), json!({ "typ": "at+jwt" })),
        (json!({}), json!({})),
    ] {
        assert_eq!(tell(&realm.mint(&claims, &header).await).await, 400, "{claims} {header}");
    }
    assert_eq!(tell("").await, 400);
    assert!(ada.token(&server, &holder, "account").await.is_ok(), "nothing of it ended anything");
    let good = realm.mint(&about_ada, &json!({})).await;
    let mut forged = good.clone();
    forged.replace_range(good.len() - 8.., "AAAAAAAA");
    assert_eq!(tell(&forged).await, 400);
    assert_eq!(tell(&good).await, 200);
    assert!(ada.token(&server, &holder, "account").await.is_err());
    ada.sign_in(&realm, &server, "login=ada").await;
    assert_eq!(tell(&good).await, 400, "heard before");
    assert!(ada.token(&server, &holder, "account").await.is_ok());
    assert_eq!(tell(&realm.mint(&json!({ "sub": "stranger" }), &json!({})).await).await, 200, "nothing to end");
    // Some say only which session of theirs has ended.
    assert_eq!(tell(&realm.mint(&json!({ "sid": "made-up" }), &json!({})).await).await, 200);
    assert!(ada.token(&server, &holder, "account").await.is_ok());
    let session = realm.tell("sid", &json!({})).await;
    assert!(session["sid"].is_string(), "{session}");
    assert_eq!(tell(&realm.mint(&session, &json!({})).await).await, 200);
    assert!(ada.token(&server, &holder, "account").await.is_err());
}

#[tokio::test]
async fn roles_and_factors_follow_the_settings_and_nothing_else() {
    let rules = "roles = [{ claim = \"groups\", value = \"boss-group\", role = \"operator\" }, \
                 { claim = \"groups\", value = \"ada-group\", role = \"member\" }]\nscopes = [\"groups\"]\n\
                 acr = [\"urn:test:mfa\"]";
    let (realm, server) = pair(rules).await;
    let holder = Holder::new();
    let signed = async |form: &str| {
        let mut person = Person::new();
        let landed = person.sign_in(&realm, &server, form).await;
        (person, landed)
    };
    let (mut boss, landed) = signed("login=boss&acr=urn:test:mfa").await;
    assert_eq!(landed, "/signed-in");
    let admin = boss.token(&server, &holder, "admin").await.expect("an operator");
    let said = claims(&admin);
    assert_eq!(said["acr"], "urn:veilcast:acr:mfa", "mapped, asked for, and auth_time came: {said}");
    let (mut ada, landed) = signed("login=ada").await;
    assert_eq!(landed, "/signed-in");
    assert!(ada.token(&server, &holder, "admin").await.is_err());
    let said = claims(&ada.token(&server, &holder, "account").await.expect("a member"));
    assert_eq!(said["acr"], "urn:veilcast:acr:single", "{said}");
    let (mut stranger, landed) = signed("login=stranger").await;
    assert_eq!(landed, "/signed-in?fault=provider-not-admitted");
    assert!(stranger.token(&server, &holder, "account").await.is_err());
}

#[tokio::test]
async fn a_role_that_is_withdrawn_there_is_withdrawn_here() {
    let rules = "roles = [{ claim = \"groups\", value = \"boss-group\", role = \"operator\" }, \
                 { claim = \"groups\", value = \"ada-group\", role = \"member\" }]\nscopes = [\"groups\"]";
    let (realm, server) = pair(rules).await;
    let holder = Holder::new();
    let event = server.run(&["event", "create", "--title", "One", "--sign-in"]).value().to_owned();
    let says = async |sub: &str, groups: &[&str]| realm.tell("groups", &json!({ "sub": sub, "groups": groups })).await;
    let signed = async |login: &str| {
        let mut person = Person::new();
        let landed = person.sign_in(&realm, &server, &format!("login={login}")).await;
        (person, landed)
    };
    for (login, groups, lands) in
        [("boss", &["ada-group"][..], "/signed-in"), ("chief", &[], "/signed-in?fault=provider-not-admitted")]
    {
        says(login, &["boss-group"]).await;
        let (mut boss, landed) = signed(login).await;
        assert_eq!(landed, "/signed-in");
        let admin = boss.token(&server, &holder, "admin").await.expect("an operator");
        let token = token_of(&event_token(&server, &holder, &admin, &event, "broadcaster").await);
        let whip = format!("/whip/{event}");
        let proof = holder.proof("POST", &server.public(&whip)).nonce(&server.nonce().await).token(&token);
        let request = ask(&server, "POST", &whip).header("authorization", format!("DPoP {token}"));
        let request = request.header("dpop", proof.offer(&broadcast()).sign());
        let place = Reply::of(request.header("content-type", SDP).body(broadcast())).await.location();
        says(login, groups).await;
        assert_eq!(signed(login).await.1, lands);
        assert!(boss.token(&server, &holder, "admin").await.expect_err("signed out").contains("/sign-in"));
        let refused = event_token(&server, &holder, &admin, &event, "broadcaster").await;
        assert_eq!(refused.fault(), is(401, "token-invalid"));
        let proof = holder.proof("DELETE", &server.public(&place)).nonce(&server.nonce().await).token(&token).sign();
        let left = ask(&server, "DELETE", &place).header("authorization", format!("DPoP {token}"));
        assert_eq!(Reply::of(left.header("dpop", proof)).await.fault(), is(404, "session-unknown"), "put out");
    }
}

#[tokio::test]
async fn an_unmapped_acr_counts_for_nothing() {
    let (realm, server) = pair("").await;
    let (mut person, holder) = (Person::new(), Holder::new());
    assert_eq!(person.sign_in(&realm, &server, "login=ada&acr=urn:test:mfa").await, "/signed-in");
    let said = claims(&person.token(&server, &holder, "account").await.expect("a token"));
    assert_eq!(said["acr"], "urn:veilcast:acr:single");
}
