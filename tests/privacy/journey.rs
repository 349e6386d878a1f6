//! Everything that people do with a server, the wrong things included, told with canaries.

use super::chat;
use super::door;
use super::location;
use super::media::Wired;
use super::offers::Endpoint;
use super::partners;
use super::scan::Canary;
use futures_util::SinkExt;
use holder::client::{Client, Pass, send};
use holder::operator::{VERIFIER, issuer_cookie};
use holder::{Authenticator, Holder};
use serde_json::json;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Message;

pub(super) const OPERATOR: &str = "Quillfeather-Operator";
pub(super) const PASSWORD: &str = "correct-Zanzibar-battery";
const WRONG_PASSWORD: &str = "wrong-Timbuktu-battery";
const WRONG_OPERATOR: &str = "Nightjar-Stranger";
pub(super) const TITLE: &str = "Harvest Moon Séance";
/// Whatever proves something and is no token: each has its canary, and a planted leak of each is found.
pub(super) const SECRETS: [&str; 11] = [
    "refresh token",
    "next refresh token",
    "pushed request",
    "assertion",
    "webhook secret",
    "subject",
    "grant",
    "recovery code",
    "app's secret",
    "invitation",
    "visitor's name",
];
const LABEL: &str = "Merganser-Phone";
const CREW: &str = "Garganey-Crew";
const SHORT: &str = "Ptarmigan";

/// Whose packets and requests come from where: 127.0.0.0/8 is all loopback.
const OPERATOR_AT: [u8; 4] = [127, 44, 55, 66];
const VIEWER_AT: [u8; 4] = [127, 77, 88, 99];
const STRANGER_AT: [u8; 4] = [127, 111, 122, 133];
const SOURCES: [(&str, [u8; 4]); 3] =
    [("operator at", OPERATOR_AT), ("viewer at", VIEWER_AT), ("stranger at", STRANGER_AT)];

/// What people choose, say or are called: a plain digest of it would do to find them.
const GUESSABLE: [&str; 14] = [
    "operator",
    "password",
    "wrong password",
    "wrong operator",
    "title",
    "label",
    "stream key's owner",
    "program's label",
    "program's owner",
    "subject",
    "visitor's name",
    "chat text",
    "chat name",
    "a cell",
];

/// A server under observation.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) media_port: u16,
    pub(super) setup_token: String,
}

/// What was said and given on the way. No log and no file may repeat it.
pub(super) struct Told {
    texts: Vec<(&'static str, String)>,
    /// The event, so that somebody else can end it.
    pub(super) event: String,
    pub(super) admin: Pass,
}

impl Told {
    /// Everything, in every form.
    pub(super) fn canaries(&self) -> Vec<Canary> {
        let addresses = SOURCES.iter().map(|(name, at)| Canary::address(name, (*at).into()));
        let place = Canary::coordinates("a place", location::LATITUDE, location::LONGITUDE, &location::cells());
        let text = |(name, text): &(&'static str, String)| {
            if GUESSABLE.contains(name) { Canary::guessable(name, text) } else { Canary::new(name, text) }
        };
        self.texts.iter().map(text).chain([place]).chain(addresses).collect()
    }

    pub(super) fn texts(&self) -> &[(&'static str, String)] {
        &self.texts
    }

    pub(super) fn add(&mut self, name: &'static str, text: &str) {
        self.texts.push((name, text.to_owned()));
    }

    fn endpoint(&mut self, endpoint: &Endpoint) {
        self.texts.extend(endpoint.secrets().map(|(name, text)| (name, text.to_owned())));
    }

    /// A token, and its signature alone: claims could be written down without it and it without them.
    pub(super) fn token(&mut self, name: &'static str, token: &str) {
        self.add(name, token);
        self.add("signature", token.rsplit('.').next().unwrap_or_default());
    }
}

/// From an empty server to a broadcast that somebody watches.
pub(super) async fn travel(server: &Server) -> Told {
    let mut told = Told { texts: Vec::new(), event: String::new(), admin: Pass::tool("") };
    for (name, text) in [
        ("operator", OPERATOR),
        ("password", PASSWORD),
        ("wrong password", WRONG_PASSWORD),
        ("wrong operator", WRONG_OPERATOR),
        ("title", TITLE),
        ("short password", SHORT),
        ("code verifier", VERIFIER),
    ] {
        told.add(name, text);
    }
    for (name, source) in SOURCES {
        told.add(name, &Ipv4Addr::from(source).to_string());
    }
    let operator = Client::new(server.port, OPERATOR_AT);
    sign_up(&operator, server, &mut told).await;
    let (broadcast, watch) = create(&operator, &mut told).await;
    sockets(server, &mut told, &broadcast, &watch).await;
    endpoints(server, &mut told, &broadcast, &watch).await;
    media(server, &mut told, &broadcast, &watch).await;
    noise(server, &told).await;
    told
}

async fn sign_up(operator: &Client, server: &Server, told: &mut Told) {
    let setup = |token: &str, password: &str| json!({ "token": token, "name": OPERATOR, "password": password });
    let path = "/api/v1/setup";
    operator.post(path, None, &setup("no-such-token-at-all", PASSWORD)).await.expect(403);
    operator.post(path, None, &setup(&server.setup_token, SHORT)).await.expect(400);
    let opened = operator.post(path, None, &setup(&server.setup_token, PASSWORD)).await.expect(200);
    told.add("setup cookie", issuer_cookie(&opened));
    operator.post(path, None, &setup(&server.setup_token, PASSWORD)).await.expect(403);
    let sign_in = |name: &str, password: &str| json!({ "name": name, "password": password });
    operator.post("/oauth/sign-in", None, &sign_in(OPERATOR, WRONG_PASSWORD)).await.expect(401);
    operator.post("/oauth/sign-in", None, &sign_in(WRONG_OPERATOR, PASSWORD)).await.expect(401);
    let opened = operator.post("/oauth/sign-in", None, &sign_in(OPERATOR, PASSWORD)).await.expect(200);
    let cookie = issuer_cookie(&opened).to_owned();
    told.add("cookie", &cookie);
    // Used once, used again, and used by somebody who has not signed in.
    let reference = operator.push().await;
    told.add("pushed request", reference.rsplit(':').next().unwrap_or_default());
    operator.authorize_pushed(&cookie, &reference).await.expect(303);
    assert!(!operator.authorize_pushed(&cookie, &reference).await.header("location").contains("code="), "once");
    // A code that is used twice takes back what it gave (RFC 6749 section 4.1.2); then once more, as it should be.
    let code = operator.authorize(&cookie).await;
    told.add("used code", &code);
    let holder = Arc::new(Holder::new());
    let taken = operator.exchange(&code, &holder).await.expect(200).json();
    told.token("admin token, taken back", taken["access_token"].as_str().expect("a token"));
    operator.exchange(&code, &holder).await.expect(400);
    let code = operator.authorize(&cookie).await;
    told.add("code", &code);
    let exchanged = operator.exchange(&code, &holder).await.expect(200);
    told.admin = Pass::bound(&holder, exchanged.json()["access_token"].as_str().expect("a token"));
    told.token("admin token", &told.admin.token.clone());
    partners::stays_signed_in(operator, &exchanged, &holder, told).await;
    factors(operator, server.port, told).await;
    // The next token of the same key says that its person was recognised by the passkey.
    let code = operator.authorize(&cookie).await;
    told.add("code", &code);
    let admin = operator.exchange(&code, &holder).await.expect(200).json();
    told.admin = Pass::bound(&holder, admin["access_token"].as_str().expect("a token"));
    told.token("admin token, stepped up", &told.admin.token.clone());
    more_factors(operator, told).await;
    partners::partners(operator, server.port, told).await;
    door::at_the_door(operator, server.port, told).await;
}

/// A passkey: made, shown, and shown wrongly.
async fn factors(operator: &Client, port: u16, told: &mut Told) {
    let operators = told.admin.clone();
    let mut phone = Authenticator::new(&format!("http://localhost:{port}"));
    let path = "/api/v1/account/passkeys";
    let asked = operator.post(&format!("{path}/start"), Some(&operators), &json!({})).await.expect(200).json();
    let credential = phone.create(&asked["options"]);
    told.add("credential id", credential["id"].as_str().expect("an id"));
    told.add("user handle", asked["options"]["publicKey"]["user"]["id"].as_str().expect("an id"));
    told.add("ceremony", asked["ceremony"].as_str().expect("a name"));
    told.add("label", LABEL);
    let new = json!({ "ceremony": asked["ceremony"], "credential": credential, "label": LABEL });
    operator.post(path, Some(&operators), &new).await.expect(201);
    operator.post(path, Some(&operators), &new).await.expect(403);
    let path = "/oauth/sign-in/passkey";
    for (origin, status) in [("http://localhost.evil.example".to_owned(), 403), (phone.origin.clone(), 200)] {
        let asked = operator.post(&format!("{path}/start"), None, &json!({})).await.expect(200).json();
        phone.origin = origin;
        let shown = json!({ "ceremony": asked["ceremony"], "credential": phone.get(&asked["options"]) });
        let reply = operator.post(path, None, &shown).await.expect(status);
        if status == 200 {
            told.add("cookie by passkey", issuer_cookie(&reply));
        }
    }
}

/// An app, recovery codes, and what happened until now.
async fn more_factors(operator: &Client, told: &mut Told) {
    let operators = told.admin.clone();
    let admin = Some(&operators);
    let path = "/api/v1/account";
    let offered = operator.post(&format!("{path}/totp/start"), admin, &json!({})).await.expect(200).json();
    told.add("app's secret", offered["secret"].as_str().expect("a secret"));
    let wrong = json!({ "ceremony": offered["ceremony"], "code": "no code", "label": LABEL });
    operator.post(&format!("{path}/totp"), admin, &wrong).await.expect(403);
    let codes = operator.post(&format!("{path}/recovery-codes"), admin, &json!({})).await.expect(201).json();
    let code = codes["codes"][0].as_str().expect("a code");
    told.add("recovery code", code);
    operator.post("/oauth/sign-in/recovery", None, &json!({ "code": code })).await.expect(401);
    let sign_in = json!({ "name": OPERATOR, "password": PASSWORD, "code": code });
    let opened = operator.post("/oauth/sign-in", None, &sign_in).await.expect(200);
    told.add("cookie by recovery code", issuer_cookie(&opened));
    operator.post("/oauth/sign-in", None, &sign_in).await.expect(401);
}

/// An event, with the operator's own token to broadcast and a guest's to watch.
async fn create(operator: &Client, told: &mut Told) -> (Pass, Pass) {
    let operators = told.admin.clone();
    let admin = Some(&operators);
    let cap = json!({ "finest": "city", "minutes": 60 });
    let new = json!({ "title": TITLE, "admission": "public", "listed": false, "location": cap });
    operator.post("/api/v1/events", None, &new).await.expect(401);
    operator.post("/api/v1/events", Some(&Pass::tool("eyJhbGciOiJub25lIn0.e30.")), &new).await.expect(401);
    let long = json!({ "title": TITLE.repeat(20), "admission": "public" });
    operator.post("/api/v1/events", admin, &long).await.expect(400);
    let made = operator.post("/api/v1/events", admin, &new).await.expect(201).json();
    told.event = made["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/events/{}", told.event);
    operator.get(&path).await.expect(200);
    let wanted = json!({ "role": "broadcaster" });
    let broadcast = operator.post(&format!("{path}/token"), admin, &wanted).await.expect(200).json();
    let watch = guest(operator, &path).await;
    let broadcast = operators.with(broadcast["token"].as_str().expect("a token"));
    told.token("broadcaster's token", &broadcast.token);
    told.token("guest's token", &watch.token);
    let wanted = json!({ "role": "viewer", "expires_in": 600 });
    let made = operator.post(&format!("{path}/invitations"), admin, &wanted).await.expect(201).json();
    let code = made["code"].as_str().expect("a code");
    told.add("invitation", code);
    for (holder, status) in [(Holder::new(), 200), (Holder::new(), 403)] {
        let request =
            operator.newcomer(&format!("{path}/join"), &holder).await.header("content-type", "application/json");
        let joined = send(request.body(json!({ "invitation": code }).to_string())).await.expect(status);
        if status == 200 {
            told.token("invited person's token", joined.json()["token"].as_str().expect("a token"));
        }
    }
    stream_key(operator, &format!("{path}/stream-keys"), told).await;
    (broadcast, watch)
}

/// A program's key, used well and in every wrong way.
async fn stream_key(operator: &Client, path: &str, told: &mut Told) {
    let wanted = json!({ "expires_in": 3_600, "owner": CREW });
    told.add("stream key's owner", CREW);
    let made = operator.post(path, Some(&told.admin), &wanted).await.expect(201).json();
    let key = made["key"].as_str().expect("a key");
    told.add("stream key", key);
    told.add("stream key without its prefix", &key[3..]);
    let (program, encoder) = (Pass::tool(key), Endpoint::new(13));
    told.endpoint(&encoder);
    let (whip, whep) = (format!("/whip/{}", told.event), format!("/whep/{}", told.event));
    operator.sdp(&whip, Some(&program), "v=0").await.expect(400);
    operator.sdp(&whip, Some(&Pass::tool(&format!("{key}x"))), &encoder.broadcast()).await.expect(401);
    operator.sdp(&whep, Some(&program), &encoder.watch()).await.expect(401);
    operator.post(path, Some(&program), &json!({ "expires_in": 60 })).await.expect(401);
    let made = operator.sdp(&whip, Some(&program), &encoder.broadcast()).await.expect(201);
    operator.delete(made.header("location"), &program).await.expect(200);
}

/// A guest of the event at this path.
async fn guest(client: &Client, path: &str) -> Pass {
    let holder = Arc::new(Holder::new());
    let token = send(client.newcomer(&format!("{path}/guest"), &holder).await).await.expect(200).json();
    Pass::bound(&holder, token["token"].as_str().expect("a token"))
}

/// `/ws`, in every tone.
async fn sockets(server: &Server, told: &mut Told, broadcast: &Pass, watch: &Pass) {
    let (studio, player) = (Endpoint::new(11), Endpoint::new(12));
    told.endpoint(&studio);
    told.endpoint(&player);
    let viewer = Client::new(server.port, VIEWER_AT);
    let bent = watch.with(&format!("{}x", watch.token));
    let mut broken = viewer.join(&bent).await;
    broken.until("fault").await;
    let mut wordless = viewer.socket(None).await.expect("is upgraded");
    wordless.say(&json!({ "type": "hello", "token": watch.token, "name": OPERATOR })).await;
    wordless.until("fault").await;
    let mut on_air = Client::new(server.port, OPERATOR_AT).join(broadcast).await;
    on_air.until("welcome").await;
    let mut watching = viewer.join(watch).await;
    watching.until("welcome").await;
    watching.offer(1, &player.watch().replace("a=mid:1", "a=mid:0")).await;
    watching.until("fault").await;
    watching.say(&json!({ "type": "chat", "text": TITLE })).await;
    watching.until("fault").await;
    let event = told.event.clone();
    location::shares(told, &viewer, &event, &mut watching, &mut on_air).await;
    chat::talks(told, &viewer, &event, &mut watching).await;
    on_air.offer(1, &studio.broadcast()).await;
    on_air.until("answer").await;
    watching.offer(2, &player.watch()).await;
    watching.until("answer").await;
    watching.offer(3, &player.watch()).await;
    watching.until("answer").await;
    watching.say(&json!({ "type": "leave" })).await;
    let page = Message::binary(studio.broadcast().into_bytes());
    watching.stream.send(page).await.expect("is sent");
    while watching.hear().await.is_some() {}
}

/// WHIP and WHEP, every verb.
async fn endpoints(server: &Server, told: &mut Told, broadcast: &Pass, watch: &Pass) {
    let (encoder, player) = (Endpoint::new(21), Endpoint::new(22));
    told.endpoint(&encoder);
    told.endpoint(&player);
    let client = Client::new(server.port, OPERATOR_AT);
    let whip = format!("/whip/{}", told.event);
    let bad = encoder.broadcast().replace("a=rtcp-mux\r\n", "");
    client.sdp(&whip, Some(broadcast), &bad).await.expect(400);
    client.sdp(&whip, Some(watch), &encoder.broadcast()).await.expect(403);
    client.sdp(&whip, None, &encoder.broadcast()).await.expect(401);
    let codec = encoder.broadcast().replace("opus", "speex").replace("VP8", "theora");
    client.sdp(&whip, Some(broadcast), &codec).await.expect(406);
    let made = client.sdp(&whip, Some(broadcast), &encoder.broadcast()).await.expect(201);
    let (session, tag) = (made.header("location").to_owned(), made.header("etag").to_owned());
    told.add("session", session.rsplit('/').next().unwrap_or_default());
    client.patch(&session, broadcast, "\"another\"", &encoder.fragment(&encoder.ufrag)).await.expect(412);
    client.patch(&session, broadcast, &tag, &encoder.fragment(&encoder.ufrag)).await.expect(204);
    client.patch(&session, broadcast, "*", &encoder.fragment("renewed21")).await.expect(200);
    client.patch(&session, broadcast, "*", "a=ice-pwd:short\r\n").await.expect(400);
    client.delete(&session, watch).await.expect(404);
    let viewer = Client::new(server.port, VIEWER_AT);
    let whep = format!("/whep/{}", told.event);
    let watching = viewer.sdp(&whep, Some(watch), &player.watch()).await.expect(201);
    told.add("session", watching.header("location").rsplit('/').next().unwrap_or_default());
    viewer.delete(watching.header("location"), watch).await.expect(200);
    client.delete(&session, broadcast).await.expect(200);
}

/// Packets that are sent, forwarded and received.
async fn media(server: &Server, told: &mut Told, broadcast: &Pass, watch: &Pass) {
    let (mut studio, mut player) = (Wired::new(OPERATOR_AT, 31).await, Wired::new(VIEWER_AT, 32).await);
    let (sending, watching) = (studio.endpoint(31), player.endpoint(32));
    told.endpoint(&sending);
    told.endpoint(&watching);
    let mut on_air = Client::new(server.port, OPERATOR_AT).join(broadcast).await;
    on_air.offer(1, &sending.broadcast()).await;
    studio.accept(on_air.until("answer").await["sdp"].as_str().expect("an answer"));
    studio.run(|peer| peer.connected).await;
    on_air.until("connected").await;
    let mut screen = Client::new(server.port, VIEWER_AT).join(watch).await;
    screen.offer(1, &watching.watch()).await;
    player.accept(screen.until("answer").await["sdp"].as_str().expect("an answer"));
    player.run(|peer| peer.connected).await;
    screen.until("connected").await;
    for frame in 0..200 {
        studio.peer.send_video(frame * 3_000, true, 2, 500);
        studio.peer.send_audio(frame * 960);
        studio.flush().await;
        if !player.peer.video().is_empty() {
            break;
        }
        let until = std::time::Instant::now() + std::time::Duration::from_millis(20);
        player.run(|peer| !peer.video().is_empty() || std::time::Instant::now() >= until).await;
    }
    assert!(!player.peer.video().is_empty(), "the picture arrives");
}

/// What the internet sends to every open port.
async fn noise(server: &Server, told: &Told) {
    let socket = UdpSocket::bind((Ipv4Addr::from(STRANGER_AT), 0)).expect("loopback has it");
    let (_, password) = told.texts.iter().find(|(name, _)| *name == "ICE password").expect("was told");
    for first in [0_u8, 1, 22, 128, 255] {
        let mut bytes = vec![first; 20];
        bytes.extend_from_slice(password.as_bytes());
        socket.send_to(&bytes, (Ipv4Addr::LOCALHOST, server.media_port)).expect("is sent");
    }
    let stranger = Client::new(server.port, STRANGER_AT);
    for bytes in [
        format!("GET /{OPERATOR} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nForwarded: for=192.0.2.9\r\n\r\n"),
        format!("GET /{TITLE} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("{OPERATOR}\r\n\r\n"),
        format!("POST /oauth/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: {OPERATOR}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{OPERATOR}\0: {PASSWORD}\r\n\r\n"),
    ] {
        stranger.raw(bytes.as_bytes()).await;
    }
}

/// The end of the event, heard by somebody who watches.
pub(super) async fn end(server: &Server, told: &Told) {
    let client = Client::new(server.port, OPERATOR_AT);
    let path = format!("/api/v1/events/{}", told.event);
    let guest = guest(&client, &path).await;
    let mut watching = Client::new(server.port, VIEWER_AT).join(&guest).await;
    watching.until("welcome").await;
    client.post(&format!("{path}/end"), Some(&told.admin), &json!({})).await.expect(200);
    watching.until("ended").await;
    client.sdp(&format!("/whep/{}", told.event), Some(&guest), "v=0").await.expect(410);
    send(client.ask("POST", "/oauth/sign-out").header("cookie", "veilcast-issuer=none")).await.expect(204);
}
