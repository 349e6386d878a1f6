//! Asked on a page of ours, answered with a signature, taken back with one word.

use super::server::Running;
use super::sockets::Page;
use super::{Ask, Bound, ORIGIN, config, is};
use holder::Holder;
use holder::consent::choice;
use serde_json::{Value, json};
use std::time::SystemTime;
use veilcast_auth::Scope;
use veilcast_consent::{Event, Keys, verify};
use veilcast_records::{AccountId, Admission, EventId, Latency, NewEvent, NewIdentity, NewReceipt, Planned, Role};

/// Somebody in an event, and the key that they sign their choices with.
pub(super) struct Person {
    pub(super) page: Page,
    pub(super) key: Holder,
    event: EventId,
}

impl Person {
    pub(super) async fn new(running: &Running, event: EventId) -> Self {
        let mut page = Page::join(running, event, Scope::Watch).await;
        page.expect("welcome").await;
        Self { page, key: Holder::new(), event }
    }

    /// Somebody who has an account.
    async fn signed_in(running: &Running, event: EventId, name: &str) -> Self {
        let mut page = Page::greet(running, running.member(event, name).await.into(), None).await;
        page.expect("welcome").await;
        Self { page, key: Holder::new(), event }
    }

    pub(super) async fn asked(&mut self, purpose: &str) -> Value {
        self.page.say(&json!({ "type": "request-consent", "purpose": purpose })).await;
        loop {
            // Of an answer before, its person is told.
            let heard = self.page.hear().await.expect("a question");
            if heard["type"] == "consent-question" {
                return heard;
            }
            assert!(["consent", "chat", "retracted"].iter().any(|kind| heard["type"] == *kind), "{heard}");
        }
    }

    pub(super) async fn chooses(&mut self, running: &Running, purpose: &str, decision: &str) -> String {
        let question = self.asked(purpose).await;
        let choice = choice(self.event.as_str(), &question, &terms(running, purpose).await, decision);
        let reply = running.ask(answer(&self.key.states(&choice))).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["receipt"].as_str().expect("a receipt").to_owned()
    }
}

pub(super) fn answer(statement: &Value) -> Ask {
    Ask::new("POST", "/api/v1/consent").header("origin", ORIGIN).json(statement)
}

pub(super) async fn terms(running: &Running, purpose: &str) -> Value {
    let list = running.ask(Ask::new("GET", "/api/v1/purposes")).await.json();
    let all = list["purposes"].as_array().expect("a list");
    all.iter().find(|terms| terms["purpose"] == purpose).expect("is asked for").clone()
}

pub(super) async fn keys(running: &Running) -> Keys {
    let set = running.ask(Ask::new("GET", "/.well-known/consent-keys.json")).await;
    serde_json::from_str(&set.body).expect("keys")
}

pub(super) fn standing<'a>(state: &'a Value, purpose: &str) -> &'a str {
    let all = state["purposes"].as_array().expect("a list");
    let found = all.iter().find(|state| state["purpose"] == purpose).expect("is listed");
    found["standing"].as_str().expect("a word")
}

#[tokio::test]
async fn a_choice_is_signed_by_both_and_told_to_every_page_of_its_person() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    let mut second = Page::greet(&running, person.page.bound(), None).await;
    second.expect("welcome").await;
    let mut other = Person::new(&running, event).await;

    let receipt = person.chooses(&running, "chat", "given").await;
    for page in [&mut person.page, &mut second] {
        let state = page.expect("consent").await;
        assert_eq!((standing(&state, "chat"), standing(&state, "personalisation")), ("granted", "open"));
    }
    let verified = verify(&receipt, &keys(&running).await);
    assert!(verified.is_good());
    let said = verified.receipt.expect("read");
    assert_eq!((&*said.event, &*said.purpose, &*said.pii_controller), (event.as_str(), "chat", ORIGIN));

    // Whoever comes back finds what they decided; nobody else does.
    let mut third = Page::greet(&running, person.page.bound(), None).await;
    third.expect("welcome").await;
    assert_eq!(standing(&third.expect("consent").await, "chat"), "granted");

    person.page.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    // Own words of another page are cleared, too.
    for page in [&mut second, &mut third] {
        assert_eq!(page.expect("retracted").await["purpose"], "chat");
        assert_eq!(standing(&page.expect("consent").await, "chat"), "refused");
    }
    let mut heard = Vec::new();
    while heard.len() < 3 {
        let message = person.page.hear().await.expect("something");
        if message["type"] != "chat" {
            heard.push(message);
        }
    }
    let of = |kind: &str| heard.iter().find(|message| message["type"] == kind).expect("was told");
    assert_eq!(standing(of("consent"), "chat"), "refused");
    let verified = verify(of("consent-receipt")["receipt"].as_str().expect("a receipt"), &keys(&running).await);
    assert!(verified.is_good(), "a withdrawal has its receipt");
    assert!(of("retracted")["generation"].is_u64());
    other.page.say(&json!({ "type": "request-consent", "purpose": "chat" })).await;
    other.page.expect("consent-question").await;
}

#[tokio::test]
async fn a_question_is_good_once_for_its_purpose_its_event_and_its_time() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    let chat = terms(&running, "chat").await;
    let question = person.asked("chat").await;
    let good = choice(event.as_str(), &question, &chat, "given");
    let changed = |name: &str, value: Value| {
        let mut choice = good.clone();
        choice[name] = value;
        choice
    };
    let refused = async |choice: Value| running.ask(answer(&person.key.states(&choice))).await.fault();
    assert_eq!(refused(changed("version", json!(99))).await, is(409, "consent-outdated"));
    assert_eq!(refused(changed("notice", json!("other words"))).await, is(409, "consent-outdated"));
    assert_eq!(refused(changed("decision", json!("withdrawn"))).await, is(400, "statement-invalid"));
    assert_eq!(refused(good.clone()).await, is(409, "question-unknown"), "it was answered, however wrongly");

    let question = person.asked("chat").await;
    let location = choice(event.as_str(), &question, &terms(&running, "personalisation").await, "given");
    assert_eq!(running.ask(answer(&person.key.states(&location))).await.fault(), is(409, "question-unknown"));
    let question = person.asked("chat").await;
    let elsewhere = choice("another", &question, &chat, "given");
    assert_eq!(running.ask(answer(&person.key.states(&elsewhere))).await.fault(), is(409, "question-unknown"));

    let question = person.asked("chat").await;
    let late = choice(event.as_str(), &question, &chat, "given");
    drop(person.page);
    super::until("the socket is gone", async || running.gateway.app.hub.directory.socket_count() == 0).await;
    assert_eq!(running.ask(answer(&person.key.states(&late))).await.fault(), is(409, "question-unknown"));
}

/// The page that embeds the player can say everything over the socket, ask for the question and read it. It cannot answer.
#[tokio::test]
async fn a_page_of_another_origin_consents_for_nobody() {
    let allowed = "https://embedder.example";
    let running = Running::new(crate::config::Config { allowed_origins: vec![allowed.to_owned()], ..config() }).await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    let question = person.asked("chat").await;
    let choice = choice(event.as_str(), &question, &terms(&running, "chat").await, "given");
    let statement = person.key.states(&choice);
    let foreign = |origin: &str| Ask::new("POST", "/api/v1/consent").header("origin", origin).json(&statement);
    assert_eq!(running.ask(foreign(allowed)).await.status, 403, "though it may embed the player");
    assert_eq!(running.ask(foreign("https://elsewhere.example")).await.status, 403);
    assert_eq!(running.ask(foreign("null")).await.status, 403, "a sandboxed frame");
    let without = Ask::new("POST", "/api/v1/consent").json(&statement);
    assert_eq!(running.ask(without).await.fault(), is(403, "origin-foreign"));
    for attempt in [
        json!({ "type": "consent", "purpose": "chat", "granted": true }),
        json!({ "type": "request-consent", "purpose": "chat", "granted": true }),
    ] {
        person.page.say(&attempt).await;
        assert_eq!(person.page.expect("fault").await["fault"]["code"], "bad-request");
    }
    assert_eq!(
        running.ask(answer(&statement)).await.status,
        200,
        "the question was still open: nothing had answered it"
    );
}

#[tokio::test]
async fn receipts_are_shown_to_whoever_has_the_key() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    person.chooses(&running, "chat", "refused").await;
    person.chooses(&running, "personalisation", "given").await;
    let list = async |key: &Holder| {
        let ask = Ask::new("GET", "/api/v1/consent/receipts").new_to(&running.store, key);
        running.ask(ask).await.json()["receipts"].as_array().map(Vec::len)
    };
    assert_eq!(list(&person.key).await, Some(2));
    assert_eq!(list(&Holder::new()).await, Some(0));
    assert_eq!(running.ask(Ask::new("GET", "/api/v1/consent/receipts")).await.status, 401);
}

/// Without an account a page that is loaded again is somebody else: the key of the receipts is what is left of who agreed.
#[tokio::test]
async fn whoever_has_left_takes_back_what_they_signed_with_its_key() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let (mut left, mut stays) = (Person::new(&running, event).await, Person::new(&running, event).await);
    left.chooses(&running, "chat", "given").await;
    left.chooses(&running, "analytics", "refused").await;
    stays.chooses(&running, "chat", "given").await;
    left.page.say(&json!({ "type": "chat", "verb": "say", "text": "too much" })).await;
    while stays.page.hear().await.expect("a message")["news"] != "message" {}
    assert!(left.page.parts().await);
    super::until("they have left", async || running.gateway.app.hub.directory.socket_count() == 1).await;

    let path = |event: &str| format!("/api/v1/consent/grants/{event}");
    let takes_back = async |key: &Holder, event: &str| {
        running.ask(Ask::new("DELETE", &path(event)).new_to(&running.store, key)).await.json()["receipts"].clone()
    };
    assert_eq!(takes_back(&Holder::new(), event.as_str()).await, json!([]), "another key");
    let elsewhere = running.store.event(true).await;
    assert_eq!(takes_back(&left.key, elsewhere.as_str()).await, json!([]), "another event");
    assert_eq!(running.ask(Ask::new("DELETE", &path(event.as_str()))).await.status, 401, "no key");
    let receipts = takes_back(&left.key, event.as_str()).await;
    assert_eq!(stays.page.expect("retracted").await["purpose"], "chat", "the first that anybody hears of it");
    assert_eq!(receipts.as_array().map(Vec::len), Some(1), "nothing is taken back of what was refused");
    let verified = verify(receipts[0].as_str().expect("a receipt"), &keys(&running).await);
    assert!(verified.is_good() && verified.receipt.is_some_and(|said| said.event_state == Event::Withdrawn));
    assert_eq!(takes_back(&left.key, event.as_str()).await, json!([]), "it is done");
}

#[tokio::test]
async fn an_account_sees_every_receipt_of_its_own_and_nobody_elses() {
    const PATH: &str = "/api/v1/account/receipts";
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut ada = Person::signed_in(&running, event, "ada").await;
    let mut bob = Person::signed_in(&running, event, "bob").await;
    let mut guest = Person::new(&running, event).await;
    ada.chooses(&running, "chat", "given").await;
    ada.chooses(&running, "personalisation", "refused").await;
    bob.chooses(&running, "chat", "refused").await;
    guest.chooses(&running, "chat", "given").await;
    ada.page.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    while ada.page.hear().await.expect("a receipt")["type"] != "consent-receipt" {}

    let (of_ada, of_bob) = (running.signed_in("ada").await, running.signed_in("bob").await);
    let asks = async |page: &Bound, query: &str| {
        let proof = page.proof("GET", PATH).sign();
        running.ask(Ask::new("GET", &format!("{PATH}{query}")).shown(page, &proof)).await
    };
    let told = asks(&of_ada, "").await;
    assert_eq!(told.header("cache-control"), "no-store");
    let told = told.json();
    let keys = keys(&running).await;
    let receipts = told["receipts"].as_array().expect("a list");
    let read = receipts.iter().map(|kept| {
        let verified = verify(kept["receipt"].as_str().expect("a receipt"), &keys);
        assert!(verified.is_good());
        let receipt = verified.receipt.expect("is read");
        assert_eq!((kept["id"].as_str(), &*receipt.event), (Some(&*receipt.record_id), event.as_str()));
        let kept = kept["kept_until"].as_u64().expect("a time") - receipt.event_time;
        assert!((730 * 86_400..=730 * 86_400 + 60).contains(&kept), "two years: {kept}");
        (receipt.purpose, receipt.event_state, receipt.turn)
    });
    let read: Vec<_> = read.collect();
    let chose = |purpose: &str, state, turn| (purpose.to_owned(), state, turn);
    let (given, refused, withdrawn) = (Event::Given, Event::Refused, Event::Withdrawn);
    assert_eq!(read, [chose("chat", withdrawn, 3), chose("personalisation", refused, 2), chose("chat", given, 1)]);
    assert_eq!(told["more"], false);
    let theirs = asks(&of_bob, "").await.json();
    assert_eq!(theirs["receipts"].as_array().map(Vec::len), Some(1));

    // A part that begins at one of hers; what is somebody else's leads nowhere.
    let id = |told: &Value, at: usize| format!("?before={}", told["receipts"][at]["id"].as_str().expect("a name"));
    assert_eq!(asks(&of_ada, &id(&told, 1)).await.json()["receipts"][0]["id"], told["receipts"][2]["id"]);
    assert_eq!(asks(&of_bob, &id(&told, 0)).await.json()["receipts"], json!([]));
    assert_eq!(asks(&of_ada, "?account=bob").await.fault(), is(400, "bad-request"));
    assert_eq!(running.ask(Ask::new("GET", PATH)).await.fault(), is(401, "token-missing"));
    let key_alone = Ask::new("GET", PATH).new_to(&running.store, &ada.key);
    assert_eq!(
        running.ask(key_alone).await.fault(),
        is(401, "token-missing"),
        "the key of the receipts is another way"
    );
    let bearer = Ask::new("GET", PATH).token(&of_ada.token);
    assert_eq!(running.ask(bearer).await.status, 401, "a copy of her token");
    let watching = running.member(event, "ada").await;
    assert_eq!(asks(&watching, "").await.fault(), is(403, "scope-missing"), "a pass to an event");

    let account = running.store.records.erase_account(&account_of(&running, "ada").await).await;
    account.expect("is erased");
    assert_eq!(
        running.ask(Ask::new("GET", "/api/v1/consent/receipts").new_to(&running.store, &ada.key)).await.json()["receipts"],
        json!([])
    );
}

#[tokio::test]
async fn more_receipts_than_are_told_at_once_come_in_parts() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let account = account_of(&running, "ada").await;
    for number in 0..101 {
        let (id, text) = (format!("r{number}"), "a receipt");
        let new = NewReceipt { id: &id, event: &event, account: Some(&account), key: &[1; 32], text };
        running.store.records.put_receipt(&new, SystemTime::now()).await.expect("is kept");
    }
    let page = running.signed_in("ada").await;
    let part = async |query: &str| {
        let proof = page.proof("GET", "/api/v1/account/receipts").sign();
        let ask = Ask::new("GET", &format!("/api/v1/account/receipts{query}"));
        let told = running.ask(ask.shown(&page, &proof)).await.json();
        let ids: Vec<_> = told["receipts"].as_array().expect("a list").iter().map(|kept| kept["id"].clone()).collect();
        (ids, told["more"] == true)
    };
    let (first, more) = part("").await;
    assert_eq!((first.len(), &first[0], &first[99], more), (100, &json!("r100"), &json!("r1"), true));
    assert_eq!(part("?before=r1").await, (vec![json!("r0")], false));
}

async fn account_of(running: &Running, name: &str) -> AccountId {
    let identity = NewIdentity { issuer: "https://id.example", subject: name, session: None, role: Role::Member };
    running.store.records.recognise_identity(&identity, SystemTime::now()).await.expect("is known").account
}

#[tokio::test]
async fn the_question_may_be_framed_by_whoever_may_embed_the_player_and_nothing_else_may() {
    let allowed = "https://embedder.example";
    let open = Running::new(crate::config::Config { allowed_origins: vec![allowed.to_owned()], ..config() }).await;
    let closed = Running::new(crate::config::Config { allowed_origins: Vec::new(), ..config() }).await;
    let policy = async |running: &Running, path: &str| {
        let reply = running.ask(Ask::new("GET", path)).await;
        assert_eq!(reply.status, 200);
        let framing =
            reply.header("content-security-policy").split("; ").find(|part| part.starts_with("frame-ancestors"));
        (framing.expect("is said").to_owned(), reply.header("x-frame-options").to_owned())
    };
    assert_eq!(policy(&open, "/consent").await, (format!("frame-ancestors {allowed}"), String::new()));
    assert_eq!(policy(&closed, "/consent").await, ("frame-ancestors 'none'".to_owned(), String::new()));
    for path in ["/", "/watch/x", "/studio", "/privacy"] {
        assert_eq!(policy(&open, path).await, ("frame-ancestors 'none'".to_owned(), "DENY".to_owned()));
    }
}

#[tokio::test]
async fn an_event_that_asks_nothing_asks_nobody() {
    let running = Running::new(config()).await;
    let title = veilcast_privacy::Redacted::new("Silent".to_owned());
    let new =
        NewEvent { title, admission: Admission::Public, listed: false, broadcasters: 1, latency: Latency::default() };
    let planned = Planned { asks_nothing: true, ..Planned::default() };
    let event = running.store.records.plan_event(new, &planned, SystemTime::now()).await.expect("is made");
    let shown = running.ask(Ask::new("GET", &format!("/api/v1/events/{event}"))).await.json();
    assert_eq!(shown["asks_nothing"], true);
    for scope in [Scope::Watch, Scope::Broadcast] {
        let mut page = Page::join(&running, event, scope).await;
        page.expect("welcome").await;
        for purpose in ["chat", "presence", "location", "analytics", "personalisation"] {
            page.say(&json!({ "type": "request-consent", "purpose": purpose })).await;
            let heard = loop {
                let heard = page.hear().await.expect("an answer");
                if heard["type"] == "fault" {
                    break heard;
                }
            };
            assert_eq!(heard["fault"]["code"], "consent-left-out", "{purpose}: {heard}");
        }
    }
}

/// Whoever comes as guest after guest cannot fill an event's ledger from one network. What was asked of nobody is not counted, so that
/// nobody can use up what is left for the others of their network; nor is what somebody takes back.
#[tokio::test]
async fn one_network_answers_so_often_and_no_more() {
    let running = Running::new(config()).await;
    let (app, event) = (&running.gateway.app, running.store.event(true).await);
    let mut person = Person::new(&running, event).await;
    let hall = [203, 0, 113, 7];
    let tag = app.prefixes.tag(hall.into());
    for _ in 0..2_998 {
        assert!(app.choices.spend(tag).is_ok());
    }
    let chat = terms(&running, "chat").await;
    let made_up = json!({ "question": "AAAAAAAAAAAAAAAAAAAAAA" });
    for _ in 0..3 {
        let empty = running.ask(answer(&json!({ "statement": "" })).from(hall)).await;
        assert_eq!(empty.fault(), is(400, "statement-invalid"));
        let unasked = Holder::new().states(&choice(event.as_str(), &made_up, &chat, "given"));
        assert_eq!(running.ask(answer(&unasked).from(hall)).await.fault(), is(409, "question-unknown"));
    }
    for decision in ["given", "given", "refused"] {
        let question = person.asked("chat").await;
        let statement = person.key.states(&choice(event.as_str(), &question, &chat, decision));
        let reply = running.ask(answer(&statement).from(hall)).await;
        if decision == "given" {
            assert_eq!(reply.status, 200, "{}", reply.body);
            continue;
        }
        assert_eq!(reply.fault(), is(429, "too-many"));
        assert!(reply.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=600).contains(&seconds)));
        person.page.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
        while person.page.hear().await.expect("a receipt")["type"] != "consent-receipt" {}
        let elsewhere = running.ask(answer(&statement).from([198, 51, 100, 7])).await;
        assert_eq!(elsewhere.status, 200, "the question waits, and others are not held up: {}", elsewhere.body);
    }
}

/// Else a handful of connections would have the server tell each of them whatever any of them says.
#[tokio::test]
async fn taking_back_what_was_not_granted_is_told_to_nobody_else() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut person = Person::new(&running, event).await;
    let mut second = Page::greet(&running, person.page.bound(), None).await;
    second.expect("welcome").await;
    person.page.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    assert_eq!(standing(&person.page.expect("consent").await, "chat"), "open");
    second.say(&json!({ "type": "request-consent", "purpose": "chat" })).await;
    assert_eq!(second.hear().await.expect("an answer")["type"], "consent-question", "and nothing before it");
}

/// What a socket asked goes with it.
#[tokio::test]
async fn a_question_waits_no_longer_than_its_page() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let questions = &running.gateway.app.questions;
    let (mut leaves, mut stays) = (Person::new(&running, event).await, Person::new(&running, event).await);
    for person in [&mut leaves, &mut stays] {
        for purpose in ["chat", "chat", "presence"] {
            person.asked(purpose).await;
        }
    }
    assert_eq!(questions.count(), 4, "the later question for a purpose is in place of the earlier");
    assert!(leaves.page.parts().await);
    super::until("what was asked of whoever left is forgotten", async || questions.count() == 2).await;
}
