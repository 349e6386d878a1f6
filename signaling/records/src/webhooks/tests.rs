use super::*;
use crate::store::tests::Scratch;
use crate::{Admission, Latency, NewEvent};
use std::time::UNIX_EPOCH;
use veilcast_privacy::Redacted;

const DAY: Duration = Duration::from_secs(86_400);

fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

async fn put(records: &Records, life: Duration) -> WebhookId {
    let (url, secret) = (Secret::new("https://hooks.example/canary"), Secret::new("first-canary"));
    let new = NewWebhook {
        url: &url,
        secret: &secret,
        kinds: "event.started",
        expires: noon() + life,
        owner: Some("Canary office"),
    };
    records.put_webhook(&new, noon()).await.expect("written").expect("there is room")
}

fn message(webhook: &WebhookId, id: &str) -> WaitingMessage {
    WaitingMessage { id: id.to_owned(), webhook: webhook.clone(), made: noon(), due: noon() + DAY / 2, attempts: 3 }
}

async fn seen(records: &Records, id: &WebhookId, now: SystemTime) -> Option<Webhook> {
    records.webhook(id, now).await.expect("read")
}

#[tokio::test]
async fn a_receiver_is_sealed_and_ends() {
    let place = Scratch::new("webhook");
    let records = Records::open(place.path()).await.expect("opens");
    let (id, other) = (put(&records, 2 * DAY).await, put(&records, DAY).await);
    let row = seen(&records, &id, noon()).await.expect("there");
    assert_eq!((row.url.expose_text(), row.kinds.as_str()), ("https://hooks.example/canary", "event.started"));
    assert!(row.former.is_none() && row.delivered.is_none() && !row.ended && row.waiting == 0);
    assert_eq!(records.webhooks(noon() + DAY).await.expect("read").len(), 1);
    assert_eq!(records.forget(noon() + DAY).await.expect("swept"), 1);
    assert!(seen(&records, &other, noon()).await.is_none() && seen(&records, &id, noon() + 2 * DAY).await.is_none());
    records.put_webhook_message(&message(&id, "one"), &Secret::new("{canary}"), None).await.expect("written");
    records.close().await;
    for file in std::fs::read_dir(place.path()).expect("the directory") {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
        assert!(!bytes.windows(5).any(|part| part == b"anary"), "nothing of it is in plain sight");
    }
}

#[tokio::test]
async fn one_that_takes_nothing_for_ninety_days_ends() {
    let place = Scratch::new("webhook-unused");
    let records = Records::open(place.path()).await.expect("opens");
    let (used, unused) = (put(&records, 365 * DAY).await, put(&records, 365 * DAY).await);
    records.note_webhook_outcome(&used, "delivered", true, noon() + DAY).await.expect("written");
    records.note_webhook_outcome(&unused, "unreachable", false, noon()).await.expect("written");
    assert_eq!(records.forget(noon() + 90 * DAY - DAY / 24).await.expect("swept"), 0);
    assert_eq!(records.forget(noon() + 90 * DAY).await.expect("swept"), 1);
    assert!(seen(&records, &unused, noon()).await.is_none());
    let row = seen(&records, &used, noon() + 90 * DAY).await.expect("each message moves it");
    assert_eq!(row.ends(), noon() + 91 * DAY);
    assert!(seen(&records, &used, noon() + 91 * DAY).await.is_none());
}

#[tokio::test]
async fn what_a_receiver_took_is_counted() {
    let place = Scratch::new("webhook-taken");
    let records = Records::open(place.path()).await.expect("opens");
    let (id, other) = (put(&records, DAY).await, put(&records, DAY).await);
    for name in ["one", "two", "three"] {
        records.put_webhook_message(&message(&id, name), &Secret::new("{}"), None).await.expect("written");
    }
    records.webhook_message_was_taken("one").await.expect("written");
    records.webhook_message_was_taken("one").await.expect("written");
    records.webhook_message_was_taken("two").await.expect("written");
    records.remove_webhook_message("three").await.expect("written");
    let row = seen(&records, &id, noon()).await.expect("there");
    assert_eq!((row.taken, row.waiting), (2, 0));
    assert_eq!(row.owner.as_ref().map(|owner| owner.expose_redacted().as_str()), Some("Canary office"));
    assert_eq!(seen(&records, &other, noon()).await.expect("there").taken, 0);
}

#[tokio::test]
async fn one_that_is_gone_is_shown_for_a_month() {
    let place = Scratch::new("webhook-gone");
    let records = Records::open(place.path()).await.expect("opens");
    let id = put(&records, 365 * DAY).await;
    assert!(records.put_webhook_message(&message(&id, "one"), &Secret::new("{}"), None).await.expect("written"));
    records.end_webhook(&id, noon()).await.expect("written");
    let row = seen(&records, &id, noon()).await.expect("there");
    assert!(row.ended && row.waiting == 0);
    assert!(!records.put_webhook_message(&message(&id, "two"), &Secret::new("{}"), None).await.expect("read"));
    assert!(!records.rotate_webhook(&id, &Secret::new("x"), noon()).await.expect("read"));
    assert_eq!(records.forget(noon() + 30 * DAY).await.expect("swept"), 1);
}

#[tokio::test]
async fn two_secrets_overlap_for_a_day() {
    let place = Scratch::new("webhook-rotation");
    let records = Records::open(place.path()).await.expect("opens");
    let id = put(&records, 365 * DAY).await;
    assert!(records.rotate_webhook(&id, &Secret::new("second"), noon()).await.expect("written"));
    let secrets = async |now| {
        let row = seen(&records, &id, now).await.expect("there");
        (row.secret.expose_text().to_owned(), row.former.map(|former| former.expose_text().to_owned()))
    };
    let second = || "second".to_owned();
    assert_eq!(secrets(noon() + DAY - DAY / 24).await, (second(), Some("first-canary".to_owned())));
    assert_eq!(secrets(noon() + DAY).await, (second(), None));
    assert_eq!(records.forget(noon() + DAY).await.expect("swept"), 1, "and is gone from the file");
    assert_eq!(secrets(noon()).await, (second(), None));
    assert!(!records.rotate_webhook(&WebhookId::new("nobody"), &Secret::new("x"), noon()).await.expect("read"));
}

#[tokio::test]
async fn what_waits_is_there_after_a_restart_for_a_day() {
    let place = Scratch::new("webhook-message");
    let records = Records::open(place.path()).await.expect("opens");
    let id = put(&records, 365 * DAY).await;
    let body = Secret::new("{\"type\":\"x\"}");
    assert!(records.put_webhook_message(&message(&id, "one"), &body, None).await.expect("written"));
    assert!(records.put_webhook_message(&message(&id, "two"), &body, Some("one")).await.expect("written"));
    assert_eq!(seen(&records, &id, noon()).await.map(|row| (row.dropped, row.waiting)), Some((1, 1)));
    records.put_off_webhook_message("two", noon() + DAY, 4).await.expect("written");
    records.close().await;
    let records = Records::open(place.path()).await.expect("opens again");
    let [waiting] = &records.webhook_messages().await.expect("read")[..] else { panic!("one message") };
    assert!(waiting.id == "two" && waiting.webhook == id && waiting.attempts == 4 && waiting.due == noon() + DAY);
    let held = records.webhook_message("two").await.expect("read").expect("there");
    assert_eq!(held.expose_text(), body.expose_text());
    assert!(records.webhook_message("one").await.expect("read").is_none());
    assert_eq!(records.forget(noon() + DAY - DAY / 24).await.expect("swept"), 0);
    assert_eq!(records.forget(noon() + DAY).await.expect("swept"), 1);
    records.put_webhook_message(&message(&id, "three"), &body, None).await.expect("written");
    records.remove_webhook(&id).await.expect("written");
    assert!(records.webhook_messages().await.expect("read").is_empty(), "nothing waits for nobody");
}

#[tokio::test]
async fn there_is_room_for_so_many() {
    let place = Scratch::new("webhook-room");
    let records = Records::open(place.path()).await.expect("opens");
    for _ in 0..MAX_WEBHOOKS {
        put(&records, DAY).await;
    }
    let (url, secret) = (Secret::new("u"), Secret::new("s"));
    let new = NewWebhook { url: &url, secret: &secret, kinds: "", expires: noon() + DAY, owner: None };
    assert!(records.put_webhook(&new, noon()).await.expect("read").is_none());
}

/// Whichever process did it, and once.
#[tokio::test]
async fn what_becomes_of_an_event_is_told_if_anybody_listens() {
    let place = Scratch::new("webhook-news");
    let records = Records::open(place.path()).await.expect("opens");
    let command = Records::open(place.path()).await.expect("opens beside it");
    let event = async || {
        let title = Redacted::new("Canary".to_owned());
        let (admission, latency) = (Admission::Public, Latency::Interactive);
        let new = NewEvent { title, admission, listed: true, broadcasters: 1, latency };
        records.create_event(new, noon()).await.expect("made")
    };
    let unheard = event().await;
    assert!(records.go_live(&unheard).await.expect("written"));
    assert!(records.event_news().await.expect("read").is_empty(), "nobody listens");
    put(&records, 400 * DAY).await;
    let heard = event().await;
    records.go_live(&heard).await.expect("written");
    records.go_live(&heard).await.expect("is live already");
    command.end_event(&heard).await.expect("written");
    command.end_event(&heard).await.expect("has ended already");
    command.end_event(&unheard).await.expect("written");
    let news = records.event_news().await.expect("read");
    let told: Vec<_> = news.iter().map(|one| (one.kind.as_str(), one.event == heard)).collect();
    assert_eq!(told, [("event.started", true), ("event.ended", true), ("event.ended", false)]);
    assert!(news.iter().all(|one| unix(one.at) % 60 == 0));
    let later = event().await;
    records.go_live(&later).await.expect("written");
    records.forget_event_news(&news).await.expect("written");
    let [left] = &records.event_news().await.expect("read")[..] else { panic!("one") };
    assert!(left.event == later, "what came meanwhile is not lost");
    assert_eq!(records.forget(SystemTime::now() + DAY).await.expect("swept"), 1);
    // The same name is told to nobody else.
    let (one, other) = (WebhookId::new("one"), WebhookId::new("other"));
    let name = records.webhook_subject(&one, &heard);
    assert!(name == records.webhook_subject(&one, &heard) && name != records.webhook_subject(&other, &heard));
    assert!(name != records.webhook_subject(&one, &unheard) && base32(&name) != heard.as_str());
}
