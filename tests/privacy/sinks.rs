//! One evening in a chat with places shown, on the real process; and every place where a word, a name or an area could come to
//! light for whom it is not.

use super::chat::{NAME, TEXT, act, news};
use super::journey::{OPERATOR, PASSWORD, TITLE};
use super::location::{LATITUDE, LONGITUDE, cells};
use super::scan::{Canary, Sink, leaks};
use crate::server::process::{Scratch, Server, free_port, until};
use crate::server::webhooks::receive;
use holder::Holder;
use holder::client::{Client, Pass, Socket, send};
use holder::talk::{Talker, agree};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;

const AUTHOR_AT: [u8; 4] = [127, 61, 72, 83];

/// The event, and what it takes to look after it.
struct Evening {
    server: Server,
    operator: Client,
    admin: Pass,
    event: String,
    /// What was answered that was no success.
    errors: Vec<String>,
}

impl Evening {
    async fn begin(scratch: Scratch, config: &str) -> Self {
        let server = Server::start_with(scratch, &["--config", config, "--log", "trace"]).await;
        let operator = Client::new(server.port, [127, 0, 0, 1]);
        let token = server.setup_token().await;
        let cookie = operator.set_up(&token, OPERATOR, PASSWORD).await;
        let admin = operator.operator(&cookie).await;
        let mut evening = Self { server, operator, admin, event: String::new(), errors: Vec::new() };
        evening.event = evening.create().await;
        evening
    }

    async fn create(&self) -> String {
        let cap = json!({ "finest": "city", "minutes": 60 });
        let new = json!({ "title": TITLE, "admission": "public", "listed": false, "location": cap });
        let made = self.operator.post("/api/v1/events", Some(&self.admin), &new).await.expect(201).json();
        made["id"].as_str().expect("an id").to_owned()
    }

    async fn host(&self) -> Socket {
        let wanted = json!({ "role": "broadcaster" });
        let path = format!("/api/v1/events/{}/token", self.event);
        let token = self.operator.post(&path, Some(&self.admin), &wanted).await.expect(200).json();
        let pass = self.admin.with(token["token"].as_str().expect("a token"));
        let mut socket = self.operator.join(&pass).await;
        socket.until("welcome").await;
        socket
    }

    fn client(&self, number: u8) -> Client {
        Client::new(self.server.port, [127, 62, number, 1])
    }

    /// Somebody who watches and has agreed to nothing.
    async fn watcher(&self, number: u8) -> Socket {
        let (client, holder) = (self.client(number), Arc::new(Holder::new()));
        let request = client.newcomer(&format!("/api/v1/events/{}/guest", self.event), &holder).await;
        let came = send(request).await.expect(200).json();
        let mut socket = client.join(&Pass::bound(&holder, came["token"].as_str().expect("a token"))).await;
        socket.until("welcome").await;
        socket
    }

    async fn talker(&self, number: u8) -> Socket {
        Talker::come(&self.client(number), &self.event).await.socket
    }

    /// Whatever this person does here is refused.
    async fn refused(&mut self, person: &mut Socket, message: Value) {
        person.say(&message).await;
        self.errors.push(person.until("fault").await.to_string());
    }

    /// Requests that come to nothing, full of what must not be repeated.
    async fn wrong_requests(&mut self) {
        let client = Client::new(self.server.port, AUTHOR_AT);
        let event = &self.event;
        let cell = format!("{:x}", cells()[6]);
        let bodies = [
            json!({ "text": TEXT, "name": NAME, "area": cell, "latitude": LATITUDE, "longitude": LONGITUDE }),
            json!({ "token": TEXT, "name": NAME, "title": cell }),
            json!(format!("{TEXT} {NAME} {cell} {LATITUDE},{LONGITUDE}")),
        ];
        for path in ["/api/v1/consent", "/api/v1/events", "/api/v1/setup", "/oauth/sign-in", "/oauth/token"] {
            for body in &bodies {
                let reply = client.post(path, None, body).await;
                assert!((400..500).contains(&reply.status), "{path}: {}", reply.status);
                self.errors.push(reply.everything());
            }
        }
        for path in
            [format!("/api/v1/events/{event}/{cell}"), format!("/watch/{cell}/{NAME}"), format!("/api/v1/{NAME}")]
        {
            self.errors.push(client.get(&path).await.everything());
        }
    }
}

/// Everything before has been heard: what is told to a socket keeps its order.
async fn in_step(socket: &mut Socket) {
    socket.say(&json!({ "type": "sync", "number": 4_711 })).await;
    while socket.until("synced").await["number"] != 4_711 {}
}

/// What came over a socket, a message a piece.
fn frames(name: &str, socket: &Socket) -> Sink {
    Sink::new(format!("frames of {name}"), socket.heard.lines())
}

/// What stands in a sink for certain is found there: none is empty, or looked for in the wrong place.
fn every_sink_is_read(event: &str, sinks: &[Sink]) {
    let there = [
        ("frames of another event", "\"welcome\""),
        ("frames of", event),
        ("the figures", "veilcast_datagrams_total"),
        ("errors", "\"fault\":{"),
        ("errors", "problem+json"),
        ("webhooks", "webhook-signature"),
        ("webhooks", "event.ended"),
        ("standard output", "http://localhost"),
        ("standard error", "There is no operator yet"),
        ("the records", "CREATE TABLE"),
    ];
    for (name, text) in there {
        let found = leaks(&[Canary::new("it", text)], sinks);
        assert!(found.iter().any(|found| found.starts_with(&format!("it in {name}"))), "{text} in {name}: {found:?}");
    }
    let known = |sink: &Sink| there.iter().any(|(name, _)| sink.name.starts_with(name));
    assert!(sinks.iter().all(known), "each has something that stands in it");
}

/// One leak in each, beside what is really there.
fn each_planted_leak_is_named(canaries: &[Canary], sinks: &mut [Sink]) {
    for sink in sinks {
        sink.pieces.push(format!("{{\"x\":\"{TEXT}\"}}").into_bytes());
        assert_eq!(leaks(canaries, std::slice::from_ref(sink)), [format!("a text in {}", sink.name)]);
        sink.pieces.pop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_said_or_shown_comes_to_light_for_others() {
    let (scratch, receiver_port) = (Scratch::new(), free_port());
    let config = scratch.write("veilcast.toml", "webhook_allow = [\"127.0.0.0/8\"]\n").display().to_string();
    let mut evening = Evening::begin(scratch, &config).await;
    let taken = receive(receiver_port);
    let url = format!("http://127.0.0.1:{receiver_port}/hook");
    evening.server.run(&["webhook", "add", "--url", &url, "--config", &config]).value();
    let said = [Canary::guessable("a text", TEXT), Canary::guessable("a name", NAME)];
    let place = || Canary::coordinates("a place", LATITUDE, LONGITUDE, &cells());
    let shown = [place()];
    let all = [Canary::guessable("a text", TEXT), Canary::guessable("a name", NAME), place()];

    // Who hears, who does not, and who no longer does.
    let mut host = evening.host().await;
    let mut reader = evening.talker(1).await;
    let mut watcher = evening.watcher(2).await;
    let mut left = evening.talker(3).await;
    left.say(&json!({ "type": "withdraw-consent", "purpose": "chat" })).await;
    left.until("consent").await;
    let elsewhere = evening.create().await;
    let mut abroad = Talker::come(&evening.client(4), &elsewhere).await.socket;
    let mut sharer = evening.watcher(5).await;
    agree(&evening.client(5), &mut sharer, &evening.event, "location").await;

    let client = Client::new(evening.server.port, AUTHOR_AT);
    let mut author = Talker::come(&client, &evening.event).await.socket;
    act(&mut author, json!({ "verb": "name", "name": NAME })).await;
    act(&mut author, json!({ "verb": "say", "text": TEXT })).await;
    let message = news(&mut reader, "message").await;
    act(&mut author, json!({ "verb": "say", "text": TEXT, "reply": message["id"] })).await;
    act(&mut host, json!({ "verb": "pin", "message": message["id"] })).await;
    act(&mut reader, json!({ "verb": "react", "message": message["id"], "reaction": "like", "on": true })).await;
    news(&mut author, "sums").await;
    agree(&client, &mut author, &evening.event, "location").await;
    let (city, precise) = (format!("{:x}", cells()[6]), format!("{:x}", cells()[9]));
    author.say(&json!({ "type": "share-location", "precision": "city", "area": city })).await;
    assert_eq!(host.until("locations").await["people"][0]["area"], json!(city));
    for wrong in [
        json!({ "type": "chat", "verb": "say", "text": TEXT.repeat(30) }),
        json!({ "type": "chat", "verb": "name", "name": format!("{NAME}\u{202e}{NAME}") }),
        json!({ "type": "chat", "verb": "react", "message": TEXT, "reaction": "like", "on": true }),
        json!({ "type": "share-location", "precision": "precise", "area": precise }),
        json!({ "type": "share-location", "precision": "city", "area": format!("{LATITUDE},{LONGITUDE}") }),
        json!({ "type": NAME, "text": TEXT }),
    ] {
        evening.refused(&mut author, wrong).await;
    }
    evening.wrong_requests().await;
    for socket in [&mut host, &mut reader, &mut watcher, &mut left, &mut abroad, &mut sharer] {
        in_step(socket).await;
    }
    // The search finds what people are meant to hear, and names who heard it.
    let heard = leaks(&all, &[frames("the reader", &reader), frames("the host", &host)]);
    assert_eq!(
        heard,
        ["a text in frames of the reader", "a name in frames of the reader", "a place in frames of the host"]
    );

    // Taken back: whoever comes now, and whoever comes back, is told nothing.
    for (purpose, hears) in [("chat", &mut reader), ("location", &mut host)] {
        author.say(&json!({ "type": "withdraw-consent", "purpose": purpose })).await;
        hears.until("retracted").await;
    }
    let mut late = evening.talker(6).await;
    let mut host_again = evening.host().await;
    for socket in [&mut late, &mut host_again] {
        in_step(socket).await;
    }
    let figures = evening.operator.get("/metrics").await.expect(200).everything();
    let path = format!("/api/v1/events/{}/end", evening.event);
    evening.operator.post(&path, Some(&evening.admin), &json!({})).await.expect(200);
    until("the receiver is told", async || {
        taken.lock().expect("whole").iter().any(|told| told.contains("event.ended"))
    })
    .await;
    let hooks = taken.lock().expect("whole").clone();

    let nobody_hears = [&watcher, &left, &abroad, &sharer, &late, &host_again];
    let names =
        ["a watcher", "who has withdrawn", "another event", "who shows a place", "who came late", "the next host"];
    let mut sinks: Vec<Sink> = names.iter().zip(nobody_hears).map(|(name, socket)| frames(name, socket)).collect();
    sinks.push(Sink::new("the figures", [figures]));
    sinks.push(Sink::new("errors", std::mem::take(&mut evening.errors)));
    sinks.push(Sink::new("webhooks", hooks));
    sinks.push(Sink::new("standard output", [evening.server.process.out()]));
    sinks.push(Sink::new("standard error", [evening.server.process.err()]));
    sinks.extend(Sink::directory("the records", evening.server.data().as_ref()));
    assert_eq!(leaks(&all, &sinks), [""; 0]);
    assert_eq!(leaks(&shown, &[frames("the reader", &reader)]), [""; 0], "viewers see no place of a viewer");
    assert_eq!(leaks(&said, &[frames("the host", &host)]), [""; 0], "a host who takes no part hears nothing");
    every_sink_is_read(&evening.event, &sinks);
    each_planted_leak_is_named(&said, &mut sinks);
    let address = [Canary::address("an address", IpAddr::from(AUTHOR_AT))];
    sinks.extend([frames("the reader", &reader), frames("the host", &host), frames("the author", &author)]);
    assert_eq!(leaks(&address, &sinks), [""; 0]);
}
