//! What does not fit: THREATS.md rows 15, 33 and 39, at the provider's door.

use super::super::wire::is;
use super::realm::client;
use super::realm::{Person, Realm, pair, serve};
use holder::Holder;
use serde_json::json;

const REFUSED: &str = "/signed-in?fault=provider-refused";

fn with(address: &str, name: &str, value: Option<&str>) -> String {
    let (base, query) = address.split_once('?').expect("a query");
    let kept = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).map(str::to_owned);
    let added = value.map(|value| format!("{name}={value}"));
    format!("{base}?{}", kept.chain(added).collect::<Vec<_>>().join("&"))
}

#[tokio::test]
async fn an_answer_is_one_browsers_from_that_provider_and_good_once() {
    let (realm, server) = pair("").await;
    let holder = Holder::new();
    let left = async || {
        let mut person = Person::new();
        let address = person.leave(&server).await;
        let back = person.say(&realm, &address, "login=ada").await;
        (person, back)
    };
    for (name, value) in [
        ("state", Some("forged")),
        ("state", None),
        ("code", Some("forged")),
        ("code", None),
        ("iss", Some("https%3A%2F%2Felsewhere.example")),
        ("iss", None),
        ("error", Some("server_error")),
    ] {
        let (mut person, back) = left().await;
        assert_eq!(person.come_back(&with(&back, name, value)).await, REFUSED, "{name} {value:?}");
        assert!(person.token(&server, &holder, "account").await.is_err());
        if name != "state" {
            assert_eq!(person.come_back(&back).await, REFUSED, "{name} {value:?}: it was spent");
        }
    }
    let (mut person, back) = left().await;
    assert_eq!(Person::new().come_back(&back).await, REFUSED, "another browser");
    assert_eq!(person.come_back(&back).await, REFUSED, "and spent by it");
    let (mut person, back) = left().await;
    assert_eq!(person.come_back(&back).await, "/signed-in");
    assert_eq!(person.come_back(&back).await, REFUSED, "replayed");
    // Somebody else's code, in a sign-in of one's own: PKCE and the nonce belong to another.
    let ((_, theirs), (mut own, mine)) = (left().await, left().await);
    let code = theirs.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code");
    assert_eq!(own.come_back(&with(&mine, "code", Some(code))).await, REFUSED);
    let mut person = Person::new();
    let address = person.leave(&server).await;
    let back = person.say(&realm, &address, "cancel=1").await;
    assert_eq!(person.come_back(&back).await, "/signed-in?fault=provider-cancelled");
}

#[tokio::test]
async fn another_provider_s_answer_is_not_this_one_s() {
    let port = super::super::process::free_port();
    let honest = Realm::open(&json!({ "clients": [client(port)] })).await;
    let other = Realm::open(&json!({ "clients": [client(port)] })).await;
    let settings = format!("{}{}", honest.settings(""), other.settings("").replace("University", "Academy"));
    let server = serve(port, &settings).await;
    let mut person = Person::new();
    let address = person.leave(&server).await;
    assert!(address.contains("callback%2F0"), "{address}");
    let back = person.say(&honest, &address, "login=ada").await;
    for elsewhere in ["/callback/1?", "/callback/x?", "/callback/9?"] {
        let mut person = Person::new();
        let address = person.leave(&server).await;
        let back = person.say(&honest, &address, "login=ada").await;
        assert_eq!(person.come_back(&back.replace("/callback/0?", elsewhere)).await, REFUSED, "{elsewhere}");
        assert_eq!(person.come_back(&back).await, REFUSED, "it was spent");
    }
    assert_eq!(person.come_back(&back).await, "/signed-in");
}

/// A provider that does not say in its answers whose they are: the address alone tells, and a code is for nobody else to see.
#[tokio::test]
async fn a_code_goes_to_no_provider_but_its_own() {
    let port = super::super::process::free_port();
    let silent = json!({ "clients": [client(port)], "lacks": "authorization_response_iss_parameter_supported" });
    let (honest, other) = (Realm::open(&silent).await, Realm::open(&silent).await);
    let settings = format!("{}{}", honest.settings(""), other.settings("").replace("University", "Academy"));
    let server = serve(port, &settings).await;
    for (number, lands) in [(1, REFUSED), (0, "/signed-in")] {
        let mut person = Person::new();
        let address = person.leave(&server).await;
        let back = with(&person.say(&honest, &address, "login=ada").await, "iss", None);
        assert_eq!(person.come_back(&back.replace("/callback/0?", &format!("/callback/{number}?"))).await, lands);
    }
    let asked = async |realm: &Realm| realm.tell("requests", &json!({})).await.to_string().contains("\"/token\"");
    assert!(asked(&honest).await && !asked(&other).await, "whoever was not asked hears of no code");
}

#[tokio::test]
async fn a_provider_that_fails_lets_nobody_in_and_recovers() {
    let (realm, server) = pair("").await;
    realm.down(true).await;
    assert_eq!(Person::new().start(&server).await.fault(), is(503, "provider-unavailable"));
    realm.down(false).await;

    let (realm, server) = pair("").await;
    let mut person = Person::new();
    let address = person.leave(&server).await;
    let back = person.say(&realm, &address, "login=ada").await;
    realm.tell("redirect", &json!({ "to": format!("{}/elsewhere", realm.issuer) })).await;
    assert_eq!(person.come_back(&back).await, "/signed-in?fault=provider-unavailable", "redirects are not followed");
    let asked = realm.tell("requests", &json!({})).await.to_string();
    assert!(!asked.contains("/elsewhere"), "nobody went there");
    realm.tell("redirect", &json!({ "to": null })).await;
    // By now it signs with another key, which nobody here has seen.
    realm.tell("rotate", &json!({ "withdraw": true })).await;
    assert_eq!(Person::new().sign_in(&realm, &server, "login=ada").await, "/signed-in");
}

#[tokio::test]
async fn what_a_provider_names_elsewhere_is_not_asked() {
    // A name for this machine that is not the issuer's: other hosts have to be configured.
    let port = super::super::process::free_port();
    let realm = Realm::open(&json!({ "clients": [client(port)] })).await;
    let other = realm.issuer.replace("localhost", "127.0.0.1");
    let settings = realm.settings("").replace(&realm.issuer, &other);
    let server = serve(port, &settings).await;
    assert_eq!(Person::new().start(&server).await.fault(), is(503, "provider-unavailable"));
}
