//! Somebody in a chat: a guest of a public event, who is asked and agrees on a page of the server's.

use crate::Holder;
use crate::client::{Client, Pass, Socket, send};
use crate::consent::choice;
use serde_json::{Value, json};
use std::sync::Arc;

/// A socket whose person has agreed to the chat.
pub struct Talker {
    /// Theirs.
    pub socket: Socket,
}

impl Talker {
    /// Comes to a public event from `client`'s address, and agrees.
    pub async fn come(client: &Client, event: &str) -> Self {
        let holder = Arc::new(Holder::new());
        let request = client.newcomer(&format!("/api/v1/events/{event}/guest"), &holder).await;
        let came = send(request).await.expect(200).json();
        let pass = Pass::bound(&holder, came["token"].as_str().unwrap_or_default());
        let mut socket = client.join(&pass).await;
        socket.until("welcome").await;
        agree(client, &mut socket, event, "chat").await;
        let mut talker = Self { socket };
        talker.news("end").await;
        talker
    }

    /// Says something.
    pub async fn say(&mut self, text: &str) {
        self.socket.say(&json!({ "type": "chat", "verb": "say", "text": text })).await;
    }

    /// Takes back everything.
    pub async fn withdraw(&mut self) {
        self.socket.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    }

    /// Waits for news of this kind.
    pub async fn news(&mut self, kind: &str) -> Value {
        loop {
            let heard = self.socket.until("chat").await;
            if heard["news"] == kind {
                return heard;
            }
        }
    }
}

/// The person is asked over their socket, and says yes on a page of the server's own origin. Returns the receipt.
pub async fn agree(client: &Client, socket: &mut Socket, event: &str, purpose: &str) -> String {
    socket.say(&json!({ "type": "request-consent", "purpose": purpose })).await;
    let question = socket.until("consent-question").await;
    let all = client.get("/api/v1/purposes").await.json();
    let terms = all["purposes"].as_array().and_then(|all| all.iter().find(|terms| terms["purpose"] == purpose));
    let choice = choice(event, &question, terms.expect("is asked for"), "given");
    let request = client.ask("POST", "/api/v1/consent").header("origin", client.address("").as_str());
    let statement = Holder::new().states(&choice).to_string();
    let reply = send(request.header("content-type", "application/json").body(statement)).await.expect(200).json();
    socket.until("consent").await;
    reply["receipt"].as_str().unwrap_or_default().to_owned()
}
