use super::server::Running;
use super::{Bound, config, travel, until};
use crate::sdp::samples::{CHROMIUM, FFMPEG, FIREFOX};
use futures_util::{SinkExt, StreamExt};
use holder::{Holder, Making};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use veilcast_auth::Scope;
use veilcast_control::{Departure, Encoding, LayerDemand, Report, Stage, TrackState, VideoQuality};
use veilcast_records::EventId;

/// A page's socket, with whatever its person holds.
pub(super) struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    nonce: String,
    bound: Arc<Bound>,
}

impl Page {
    /// A socket of a stranger, who has heard the challenge.
    pub(super) async fn open(running: &Running) -> Self {
        Self::open_with(running, &[]).await
    }

    async fn open_with(running: &Running, headers: &[(&'static str, &'static str)]) -> Self {
        let mut request = format!("ws://{}/ws", running.address).into_client_request().expect("an address");
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        let (socket, _) = connect_async(request).await.expect("is upgraded");
        let bound = Arc::new(running.store.bound(Holder::new(), ""));
        let mut page = Self { socket, nonce: String::new(), bound };
        let challenge = page.expect("challenge").await;
        page.nonce = challenge["nonce"].as_str().expect("a nonce").to_owned();
        page
    }

    /// Somebody who was invited.
    pub(super) async fn join(running: &Running, event: EventId, scope: Scope) -> Self {
        Self::greet(running, running.store.invited(event, scope).await.into(), None).await
    }

    /// Somebody with a token, who has said nothing yet.
    pub(super) async fn meet(running: &Running, bound: Arc<Bound>) -> Self {
        Self { bound, ..Self::open(running).await }
    }

    pub(super) async fn greet(running: &Running, bound: Arc<Bound>, role: Option<&str>) -> Self {
        Self::meet(running, bound).await.greets(role).await
    }

    /// The same from a page of this origin, in a browser with Global Privacy Control.
    pub(super) async fn greet_signalling(running: &Running, bound: Arc<Bound>, origin: &'static str) -> Self {
        let page = Self { bound, ..Self::open_with(running, &[("sec-gpc", "1"), ("origin", origin)]).await };
        page.greets(None).await
    }

    /// From a page that sees the signal in a browser whose requests do not carry it.
    pub(super) async fn greet_seeing_the_signal(running: &Running, bound: Arc<Bound>) -> Self {
        Self::meet(running, bound).await.greets_with(json!({ "gpc": true })).await
    }

    async fn greets(self, role: Option<&str>) -> Self {
        self.greets_with(role.map_or(json!({}), |role| json!({ "role": role }))).await
    }

    async fn greets_with(self, more: Value) -> Self {
        let mut page = self;
        let mut hello = json!({ "type": "hello", "token": page.bound.token, "proof": page.proof().sign() });
        for (name, value) in more.as_object().into_iter().flatten() {
            hello[name] = value.clone();
        }
        page.say(&hello).await;
        page
    }

    pub(super) fn bound(&self) -> Arc<Bound> {
        Arc::clone(&self.bound)
    }

    /// A proof for this connection, to be completed.
    pub(super) fn proof(&self) -> Making<'_> {
        self.bound.proof("GET", "/ws").nonce(&self.nonce)
    }

    pub(super) async fn say(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).await.expect("is sent");
    }

    /// The connection below, for who reads it as it is.
    pub(super) fn connection(&mut self) -> &mut TcpStream {
        match self.socket.get_mut() {
            MaybeTlsStream::Plain(stream) => stream,
            _ => panic!("there is no TLS here"),
        }
    }

    /// Says goodbye, with a reason as in RFC 6455 section 7.4.1.
    pub(super) async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.send(Message::Close(Some(frame))).await.expect("is sent");
    }

    /// Says goodbye and reads on; whether the server has answered (RFC 6455 section 5.5.1).
    pub(super) async fn parts(&mut self) -> bool {
        self.close(1000).await;
        loop {
            let next = tokio::time::timeout(Duration::from_secs(8), self.socket.next()).await.expect("something comes");
            match next {
                Some(Ok(Message::Close(Some(frame)))) => return u16::from(frame.code) == 1000,
                Some(Ok(Message::Close(None)) | Err(_)) | None => return false,
                Some(Ok(_)) => {}
            }
        }
    }

    pub(super) async fn offer(&mut self, number: u32, sdp: &str) {
        let proof = self.proof().offer(sdp).sign();
        self.say(&json!({ "type": "offer", "number": number, "sdp": sdp, "proof": proof })).await;
    }

    /// The next message; `None` when the socket is closed.
    pub(super) async fn hear(&mut self) -> Option<Value> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(8), self.socket.next()).await.expect("something comes");
            match next {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("is JSON")),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message, which is of this kind. That a broadcaster is told its place in between is a test of its own.
    pub(super) async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let heard = self.hear().await.unwrap_or_else(|| panic!("{kind} was due, but the socket closed"));
            // So is what somebody hears of the chat who has agreed to it.
            if ["place", "chat"].iter().any(|other| heard["type"] == json!(other) && kind != *other) {
                continue;
            }
            assert_eq!(heard["type"], json!(kind), "{heard}");
            return heard;
        }
    }

    pub(super) async fn fault(&mut self, code: &str) {
        let heard = self.expect("fault").await;
        assert_eq!(heard["fault"]["code"], json!(code), "{heard}");
    }
}

/// Browsers count what ends otherwise as a failure, and tell the page so.
#[tokio::test]
async fn a_goodbye_is_answered_before_and_after_a_page_is_let_in() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    assert!(Page::open(&running).await.parts().await, "before it has said who it is");
    let mut player = Page::join(&running, event, Scope::Watch).await;
    player.expect("welcome").await;
    assert!(player.parts().await, "when it is in");
}

#[tokio::test]
async fn a_studio_and_a_player_hear_of_each_other() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut studio = Page::join(&running, event, Scope::Broadcast).await;
    let welcome = studio.expect("welcome").await;
    assert_eq!((&welcome["role"], &welcome["event"]["title"]), (&json!("broadcaster"), &json!("Rehearsal")));
    assert_eq!(studio.expect("audience").await["viewers"], json!(null), "fewer than five");
    studio.offer(7, FFMPEG).await;
    let answer = studio.expect("answer").await;
    assert!(answer["number"] == json!(7) && answer["sdp"].as_str().is_some_and(|sdp| sdp.contains("a=ice-lite")));
    running.media.connect_last().await;
    studio.expect("connected").await;

    let mut player = Page::join(&running, event, Scope::Watch).await;
    assert_eq!(player.expect("welcome").await["stage"]["video"], json!("absent"));
    player.offer(1, FIREFOX).await;
    player.expect("answer").await;
    running.media.connect_last().await;
    player.expect("connected").await;
    // One viewer is no news: the next that the studio hears is the stage.
    let stage = Stage { audio: TrackState::Live, video: TrackState::Muted };
    running.media.report(Report::Stage { room: running.media.last_room(), stage: vec![stage] }).await;
    assert_eq!(player.expect("stage").await["video"], json!("muted"));
    studio.expect("stage").await;
    let unplayable =
        Report::Unplayable { peer: running.media.last_peer(), place: 0, encoding: Encoding::Av1 { profile: 0 } };
    running.media.report(unplayable).await;
    assert_eq!(player.expect("unplayable").await["codec"], json!("AV1"));

    player.offer(2, FIREFOX).await;
    let second = player.expect("answer").await;
    assert!(second["sdp"].as_str().is_some_and(|sdp| sdp.contains(" 2 IN IP4 0.0.0.0")), "the version has grown");
    player.say(&json!({ "type": "leave" })).await;
    player.expect("disconnected").await;
    player.say(&json!({ "type": "leave" })).await;
    player.fault("session-unknown").await;

    running.store.records.end_event(&event).await.expect("ends");
    player.expect("ended").await;
    assert!(player.hear().await.is_none());
    studio.expect("ended").await;
    assert!(studio.hear().await.is_none());
}

#[tokio::test]
async fn quality_is_wished_for_and_layers_are_told() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut studio = Page::join(&running, event, Scope::Broadcast).await;
    studio.expect("welcome").await;
    studio.expect("audience").await;
    studio.offer(1, CHROMIUM).await;
    let answer = studio.expect("answer").await;
    assert!(answer["sdp"].as_str().is_some_and(|sdp| sdp.contains("a=simulcast:recv h;m;l\r\n")), "{answer}");
    let layer = |rid: &str, wanted| LayerDemand { rid: rid.to_owned(), wanted };
    let layers = vec![layer("h", true), layer("l", false)];
    running.media.report(Report::Layers { peer: running.media.last_peer(), layers }).await;
    let told = json!([{ "rid": "h", "active": true }, { "rid": "l", "active": false }]);
    assert_eq!(studio.expect("layers").await["layers"], told);
    studio.say(&json!({ "type": "quality", "max": "low" })).await;
    studio.fault("scope-missing").await;

    let mut player = Page::join(&running, event, Scope::Watch).await;
    player.expect("welcome").await;
    player.say(&json!({ "type": "quality", "max": "off" })).await;
    player.offer(1, FIREFOX).await;
    player.expect("answer").await;
    let paused = Report::Quality { peer: running.media.last_peer(), pictures: vec![Some(VideoQuality::Paused)] };
    running.media.report(paused).await;
    assert_eq!(player.expect("quality").await["video"], json!("paused"));
    player.say(&json!({ "type": "quality", "max": "high" })).await;
    let words = ["open", "admit broadcaster", "admit viewer", "cap off", "cap high"];
    until("the wish is passed on", async || running.media.words() == words).await;
    for nonsense in [json!({ "type": "quality", "max": "best" }), json!({ "type": "quality", "max": "low", "for": 1 })]
    {
        player.say(&nonsense).await;
        player.fault("bad-request").await;
    }
}

#[tokio::test]
async fn a_closed_page_takes_its_session_along_and_a_lost_one_says_why() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut player = Page::join(&running, event, Scope::Watch).await;
    player.expect("welcome").await;
    player.offer(1, FIREFOX).await;
    player.expect("answer").await;
    let gone = Report::Gone { peer: running.media.last_peer(), why: Departure::CertificateUnsupported };
    running.media.report(gone).await;
    assert_eq!(player.expect("disconnected").await["fault"]["code"], json!("certificate-unsupported"));
    player.offer(2, FIREFOX).await;
    player.expect("answer").await;
    drop(player);
    let words = ["open", "admit viewer", "admit viewer", "revoke", "close"];
    until("all is closed", async || running.media.words() == words).await;
}

#[tokio::test]
async fn a_second_studio_of_the_same_principal_takes_over() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let bound = Arc::new(running.store.invited(event, Scope::Broadcast).await);
    let mut pages = Vec::new();
    for _ in 0..2 {
        let mut page = Page::greet(&running, Arc::clone(&bound), None).await;
        page.expect("welcome").await;
        page.expect("audience").await;
        page.offer(1, FFMPEG).await;
        page.expect("answer").await;
        pages.push(page);
    }
    assert_eq!(pages[0].expect("disconnected").await["fault"]["code"], json!("replaced"));
    let mut other = Page::join(&running, event, Scope::Broadcast).await;
    other.expect("welcome").await;
    other.expect("audience").await;
    other.offer(1, FFMPEG).await;
    other.fault("broadcaster-present").await;
}

#[tokio::test]
async fn whoever_does_not_greet_is_told_and_let_go() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let ended = running.store.event(true).await;
    let late = running.store.invited(ended, Scope::Watch).await;
    running.store.records.end_event(&ended).await.expect("ends");
    Page::greet(&running, late.into(), None).await.fault("event-ended").await;
    let tool = running.store.bound(Holder::new(), &running.store.token(event, Scope::Watch));
    Page::greet(&running, tool.into(), None).await.fault("token-unbound").await;
    let forged = running.store.bound(Holder::new(), "forged");
    Page::greet(&running, forged.into(), None).await.fault("token-invalid").await;
    let token = running.store.invited(event, Scope::Watch).await.token;
    let stolen = running.store.bound(Holder::new(), &token);
    Page::greet(&running, stolen.into(), None).await.fault("proof-invalid").await;
    let greetings = [
        (json!({ "type": "leave" }), "token-missing"),
        (json!({ "type": "hello" }), "token-missing"),
        (json!({ "type": "hello", "token": token }), "token-missing"),
        (json!({ "type": "hello", "token": token, "proof": "" }), "proof-missing"),
        (json!({ "type": "hello", "token": token, "proof": "forged" }), "proof-invalid"),
    ];
    for (greeting, code) in greetings {
        let mut page = Page::open(&running).await;
        page.say(&greeting).await;
        page.fault(code).await;
        assert!(page.hear().await.is_none(), "{code}");
    }
    let mut silent = Page::open(&running).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    travel(Duration::from_secs(6)).await;
    silent.fault("token-missing").await;
    assert!(silent.hear().await.is_none());
}

/// A proof that was made for another server, brought here with headers that say we are that one (THREATS row 32).
#[tokio::test]
async fn a_socket_is_ours_whatever_its_headers_call_it() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    for headers in
        [&[][..], &[("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example"), ("host", "evil.example")]]
    {
        let bound = running.store.invited(event, Scope::Watch).await;
        let mut page = Page { bound: bound.into(), ..Page::open_with(&running, headers).await };
        let proof = page.proof().claim("htu", "https://evil.example/ws".into()).sign();
        page.say(&json!({ "type": "hello", "token": page.bound.token, "proof": proof })).await;
        page.fault("proof-invalid").await;
    }
}

#[tokio::test]
async fn nonsense_is_refused_and_too_much_of_it_ends_the_socket() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut page = Page::join(&running, event, Scope::Watch).await;
    page.expect("welcome").await;
    page.say(&json!({ "type": "shout", "text": "hey" })).await;
    page.fault("bad-request").await;
    page.say(&json!({ "type": "hello", "token": "again", "proof": "again" })).await;
    page.fault("bad-request").await;
    page.offer(1, "v=0").await;
    page.fault("sdp-invalid").await;
    page.offer(2, FIREFOX).await;
    page.expect("answer").await;
    for _ in 0..50 {
        page.say(&json!({ "type": "shout" })).await;
    }
    let mut last = Value::Null;
    while let Some(heard) = page.hear().await {
        last = heard;
    }
    assert_eq!(last["fault"]["code"], json!("too-many"));

    let mut page = Page::join(&running, event, Scope::Watch).await;
    page.expect("welcome").await;
    let huge = "x".repeat(150_000);
    page.offer(1, &huge).await;
    assert!(page.hear().await.is_none(), "over the limit of a message");
    let mut page = Page::join(&running, event, Scope::Watch).await;
    page.expect("welcome").await;
    page.socket.send(Message::binary(vec![1, 2, 3])).await.expect("is sent");
    assert!(page.hear().await.is_none());
}

#[tokio::test]
async fn a_lease_ends_with_its_token_unless_it_is_renewed() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let (mut kept, mut lapsed) =
        (Page::join(&running, event, Scope::Watch).await, Page::join(&running, event, Scope::Watch).await);
    for page in [&mut kept, &mut lapsed] {
        let left = page.expect("welcome").await["expires_in"].as_u64().expect("a number");
        assert!((290..=300).contains(&left), "{left}");
        page.offer(1, FIREFOX).await;
        page.expect("answer").await;
    }
    // The clock of timers alone moves: the same token is as good as a fresh one, and ends 300 s from then.
    let caps = || running.media.words().iter().filter(|word| word.starts_with("cap")).count();
    for step in 1..=17 {
        travel(Duration::from_secs(18)).await;
        let before = caps();
        // Whoever says nothing for a minute is closed for that.
        let speakers = if step < 16 { vec![&mut kept, &mut lapsed] } else { vec![&mut kept] };
        let heard = before + speakers.len();
        for page in speakers {
            page.say(&json!({ "type": "quality", "max": if step % 2 == 0 { "low" } else { "high" } })).await;
        }
        until("they are heard", async || caps() >= heard).await;
        // Answers pings as they come: a heap of answers to a socket that has closed would cut off what it said last.
        if step < 17 {
            _ = tokio::time::timeout(Duration::from_millis(5), lapsed.hear()).await;
        }
        if step == 13 {
            let renewal = json!({ "type": "renew", "token": kept.bound.token, "proof": kept.proof().sign() });
            kept.say(&renewal).await;
            assert!(kept.expect("renewed").await["expires_in"].as_u64().is_some_and(|left| left > 280));
            kept.say(&renewal).await;
            kept.fault("proof-invalid").await;
        }
    }
    lapsed.fault("token-expired").await;
    assert!(lapsed.hear().await.is_none());
    let words = running.media.words();
    assert_eq!(words.iter().filter(|word| *word == "revoke").count(), 1, "{words:?}");
    kept.say(&json!({ "type": "leave" })).await;
    kept.expect("disconnected").await;
}

#[tokio::test]
async fn a_renewal_is_for_the_same_person_event_and_key() {
    let running = Running::new(config()).await;
    let (event, other) = (running.store.event(true).await, running.store.event(true).await);
    let mut page = Page::join(&running, event, Scope::Watch).await;
    page.expect("welcome").await;
    let nonce = page.nonce.clone();
    let somebody = running.store.invited(event, Scope::Watch).await;
    let elsewhere = running.store.invited(other, Scope::Watch).await;
    for bound in [somebody, elsewhere] {
        let proof = bound.proof("GET", "/ws").nonce(&nonce).sign();
        page.say(&json!({ "type": "renew", "token": bound.token, "proof": proof })).await;
        page.fault("token-invalid").await;
    }
    let tool = running.store.token(event, Scope::Watch);
    let proof = page.bound.holder.proof("GET", "http://localhost:8080/ws").nonce(&nonce).token(&tool).sign();
    page.say(&json!({ "type": "renew", "token": tool, "proof": proof })).await;
    page.fault("token-unbound").await;
}

#[tokio::test]
async fn a_media_session_begins_with_a_proof_of_its_certificate() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut page = Page::join(&running, event, Scope::Watch).await;
    page.expect("welcome").await;
    page.say(&json!({ "type": "offer", "number": 1, "sdp": FIREFOX })).await;
    page.fault("proof-missing").await;
    let others = page.proof().offer(&FIREFOX.replace("sha-256 ", "sha-256 00:")).sign();
    let without = page.proof().sign();
    for proof in [others, without] {
        page.say(&json!({ "type": "offer", "number": 2, "sdp": FIREFOX, "proof": proof })).await;
        page.fault("proof-invalid").await;
    }
    // One section with another certificate is enough.
    let mixed = format!("{FIREFOX}a=fingerprint:sha-256 {}\r\n", ["00"; 32].join(":"));
    let proof = page.proof().offer(FIREFOX).sign();
    page.say(&json!({ "type": "offer", "number": 3, "sdp": mixed, "proof": proof })).await;
    page.fault("proof-invalid").await;
    page.offer(4, FIREFOX).await;
    page.expect("answer").await;
    page.say(&json!({ "type": "offer", "number": 5, "sdp": FIREFOX })).await;
    page.expect("answer").await;
    // That all of it is another one, the media plane sees.
    page.say(&json!({ "type": "offer", "number": 6, "sdp": mixed })).await;
    page.fault("proof-invalid").await;
    assert_eq!(running.media.words(), ["open", "admit viewer", "offer"]);
}

#[tokio::test]
async fn sockets_are_told_of_a_drain_and_closed() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut page = Page::join(&running, event, Scope::Watch).await;
    page.expect("welcome").await;
    let mut late = Page::open(&running).await;
    let begun = std::time::Instant::now();
    let watched = async {
        let wait = page.expect("draining").await["retry_after_ms"].as_u64().expect("a number");
        assert!((500..5_000).contains(&wait));
        late.say(&json!({ "type": "hello", "token": "any", "proof": "any" })).await;
        late.fault("draining").await;
        assert!(page.hear().await.is_none());
    };
    tokio::join!(running.gateway.drain(), watched);
    assert!(begun.elapsed() < Duration::from_secs(9));
}

#[tokio::test]
async fn a_socket_that_has_died_is_noticed() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut page = Page::join(&running, event, Scope::Watch).await;
    page.expect("welcome").await;
    until("the room is open", async || running.media.words() == ["open"]).await;
    // Nobody reads the pings, so no pong comes back.
    for _ in 0..4 {
        travel(Duration::from_secs(16)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    until("its room is closed", async || running.media.words() == ["open", "close"]).await;
}

/// Each offer is read here and answered by a shard; a stage of 16 may come and go all the same.
#[tokio::test]
async fn offers_have_a_limit_of_their_own() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut page = Page::join(&running, event, Scope::Watch).await;
    page.expect("welcome").await;
    let begun = std::time::Instant::now();
    let mut answered = 0;
    let refused = loop {
        page.offer(answered, FIREFOX).await;
        let heard = page.hear().await.expect("the socket stays");
        if heard["type"] == json!("fault") {
            break heard;
        }
        answered += 1;
    };
    assert_eq!((&refused["fault"]["code"], refused["fault"]["remedy"].is_string()), (&json!("too-many"), true));
    // A machine that is slow earns more meanwhile.
    let earned = u32::try_from(begun.elapsed().as_secs() / 2).expect("not that long");
    assert!((32..=33 + earned).contains(&answered), "{answered}");
    let asked = || running.media.words().iter().filter(|word| word.contains("offer") || word.contains("admit")).count();
    assert_eq!(asked(), answered as usize, "no shard heard of the others");
    travel(Duration::from_secs(2)).await;
    page.offer(40, FIREFOX).await;
    page.expect("answer").await;
}

/// What nobody has shown a token for waits where it came from, and what comes right behind a token is read.
#[tokio::test]
async fn before_hello_little_is_read() {
    let running = Running::new(config()).await;
    let event = running.store.event(true).await;
    let mut page = Page::open(&running).await;
    let long = "x".repeat(16 * 1024);
    page.say(&json!({ "type": "hello", "token": long, "proof": long })).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    travel(Duration::from_secs(6)).await;
    page.fault("token-missing").await;
    assert!(page.hear().await.is_none());

    let mut page = Page::join(&running, event, Scope::Watch).await;
    let padded = format!("{}{}", FIREFOX.trim_end(), "\r\na=x-more:0123456789".repeat(1_000));
    page.offer(1, &padded).await;
    page.expect("welcome").await;
    page.expect("answer").await;
}
