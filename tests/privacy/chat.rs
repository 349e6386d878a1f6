//! Somebody's words and names on the journey: said, answered, refused, taken back, and left standing until the event ends.

use super::journey::Told;
use holder::client::{Client, Socket};
use holder::talk::agree;
use serde_json::{Value, json};

pub(super) const TEXT: &str = "Phalarope/Says: Séance \"at nine\"";
pub(super) const NAME: &str = "Phalarope Séraphine";
const LISTED: &str = "Sanderling Éponine";

/// The next thing of this kind that happens in the chat.
pub(super) async fn news(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let heard = socket.until("chat").await;
        if heard["news"] == kind {
            return heard;
        }
    }
}

/// Does something in the chat.
pub(super) async fn act(socket: &mut Socket, mut verb: Value) {
    verb["type"] = json!("chat");
    socket.say(&verb).await;
}

pub(super) async fn talks(told: &mut Told, client: &Client, event: &str, person: &mut Socket) {
    for (name, text) in [("chat text", TEXT), ("chat name", NAME), ("listed name", LISTED)] {
        told.add(name, text);
    }
    act(person, json!({ "verb": "say", "text": TEXT })).await;
    person.until("fault").await;
    agree(client, person, event, "chat").await;
    agree(client, person, event, "presence").await;
    act(person, json!({ "verb": "name", "name": format!("{NAME} of the Operators") })).await;
    person.until("fault").await;
    act(person, json!({ "verb": "name", "name": NAME })).await;
    act(person, json!({ "verb": "list-me", "name": LISTED })).await;
    act(person, json!({ "verb": "say", "text": TEXT.repeat(30) })).await;
    person.until("fault").await;
    act(person, json!({ "verb": "say", "text": TEXT })).await;
    let said = news(person, "message").await["id"].clone();
    act(person, json!({ "verb": "say", "text": format!("{TEXT}, again"), "reply": said })).await;
    let again = news(person, "message").await["id"].clone();
    act(person, json!({ "verb": "react", "message": said, "reaction": "wow", "on": true })).await;
    news(person, "sums").await;
    act(person, json!({ "verb": "delete", "message": again })).await;
    news(person, "removed").await;
    act(person, json!({ "verb": "delete", "message": TEXT })).await;
    person.until("fault").await;
}
