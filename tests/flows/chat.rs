//! A chat message, from the question to the last screen: asked, agreed, said, heard by those who have agreed, taken back before
//! whatever waits; never on the disk, never in the log. On the real process, over sockets.

use crate::privacy::scan::{Canary, Sink, leaks};
use crate::server::process::{Scratch, Server};
use holder::Holder;
use holder::client::{Client, Pass, Socket, send};
use holder::talk::{Talker, agree};
use serde_json::{Value, json};
use std::sync::Arc;

const WORDS: &str = "Lapwing-words-of-one-evening";

async fn watch(client: &Client, event: &str) -> Socket {
    let holder = Arc::new(Holder::new());
    let came = send(client.newcomer(&format!("/api/v1/events/{event}/guest"), &holder).await).await.expect(200).json();
    let mut socket = client.join(&Pass::bound(&holder, came["token"].as_str().expect("a token"))).await;
    socket.until("welcome").await;
    socket
}

async fn act(socket: &mut Socket, mut verb: Value) {
    verb["type"] = json!("chat");
    socket.say(&verb).await;
}

/// Everything that was told up to now has been heard.
async fn in_step(socket: &mut Socket) {
    socket.say(&json!({ "type": "sync", "number": 77 })).await;
    while socket.until("synced").await["number"] != 77 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_goes_to_those_who_agreed_and_goes_from_them_again() {
    let server = Server::start_with(Scratch::new(), &["--log", "trace"]).await;
    let event = server.event();
    let at = |number: u8| Client::new(server.port, [127, 21, number, 1]);

    // Without consent there is no chat, and everything else.
    let mut ada = watch(&at(1), &event).await;
    act(&mut ada, json!({ "verb": "say", "text": WORDS })).await;
    assert_eq!(ada.until("fault").await["fault"]["code"], "consent-missing");
    agree(&at(1), &mut ada, &event, "chat").await;
    let mut bob = Talker::come(&at(2), &event).await;
    let mut silent = watch(&at(3), &event).await;

    act(&mut ada, json!({ "verb": "say", "text": WORDS })).await;
    let heard = bob.news("message").await;
    assert_eq!((&heard["text"], &heard["role"]), (&json!(WORDS), &json!("viewer")));
    let reply = json!({ "verb": "say", "text": "indeed", "reply": heard["id"] });
    act(&mut bob.socket, reply).await;
    in_step(&mut silent).await;
    assert!(!silent.heard.contains(WORDS) && !silent.heard.contains("indeed"), "{}", silent.heard);

    // Taken back: told before anything that waits, to whoever may show it; whoever comes later is told nothing of it.
    ada.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    let retracted = bob.socket.until("retracted").await;
    assert_eq!((&retracted["purpose"], &retracted["generation"]), (&json!("chat"), &heard["generation"]));
    act(&mut ada, json!({ "verb": "say", "text": WORDS })).await;
    assert_eq!(ada.until("fault").await["fault"]["code"], "consent-missing");
    let mut cleo = Talker::come(&at(4), &event).await;
    in_step(&mut cleo.socket).await;
    assert!(!cleo.socket.heard.contains(WORDS) && cleo.socket.heard.contains("indeed"), "{}", cleo.socket.heard);

    // Agreeing anew brings nothing back.
    agree(&at(1), &mut ada, &event, "chat").await;
    let length = bob.socket.heard.len();
    act(&mut ada, json!({ "verb": "say", "text": "something else" })).await;
    let again = loop {
        let message = bob.news("message").await;
        if message["text"] == "something else" {
            break message;
        }
    };
    // Numbers of grants are in no order, so that nobody counts by them who agreed when.
    assert_ne!(again["generation"], heard["generation"]);
    assert!(!bob.socket.heard[length..].contains(WORDS));

    let mut sinks = Sink::directory("the disk", server.scratch.path("").as_path());
    sinks.push(Sink::new("the log", [server.process.err()]));
    assert_eq!(leaks(&[Canary::guessable("a message", WORDS)], &sinks), [""; 0]);
}
