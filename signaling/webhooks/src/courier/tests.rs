use super::*;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::UNIX_EPOCH;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use veilcast_outgoing::Found;
use veilcast_privacy::Redacted;
use veilcast_records::{Admission, Latency, NewEvent};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Names of this test and nothing else's.
struct Hosts;

impl Names for Hosts {
    fn find<'a>(&'a self, host: &'a str, port: u16) -> Found<'a> {
        let address = match host {
            "hooks.example" | "other.example" => "127.0.0.1",
            "private.example" => "10.1.2.3",
            "mapped.example" => "::ffff:127.0.0.2",
            "metadata.example" => "169.254.169.254",
            _ => return Box::pin(std::future::ready(Err(std::io::ErrorKind::NotFound.into()))),
        };
        let address = SocketAddr::new(address.parse().expect("an address"), port);
        Box::pin(std::future::ready(Ok(vec![address])))
    }
}

/// What a receiver got: header fields in lower case, and the body.
#[derive(Clone)]
struct Got {
    head: HashMap<String, String>,
    body: String,
}

/// A receiver behind TLS, which answers as it is told to.
struct Receiver {
    port: u16,
    root: Vec<u8>,
    got: Arc<Mutex<Vec<Got>>>,
    answer: Arc<Mutex<&'static str>>,
}

const TAKEN: &str = "HTTP/1.1 204 No Content\r\n\r\n";

impl Receiver {
    async fn start() -> Self {
        let (root_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
        let mut root = CertificateParams::new(Vec::new()).expect("no names");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = root.self_signed(&root_key).expect("is signed").pem();
        let leaf = CertificateParams::new(vec!["hooks.example".to_owned()]).expect("good names");
        let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).expect("is signed");
        let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = Arc::new(builder.with_single_cert(vec![leaf.der().clone()], private).expect("a pair"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("is bound").port();
        let (got, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(TAKEN)));
        let receiver = Self { port, root: pem.into_bytes(), got: got.clone(), answer: answer.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, got, answer) = (TlsAcceptor::from(config.clone()), got.clone(), answer.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let Some(one) = read(&mut stream).await else { return };
                    got.lock().expect("is whole").push(one);
                    let answer = *answer.lock().expect("is whole");
                    if answer.is_empty() {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                    // A client that has read enough hangs up.
                    _ = stream.write_all(answer.as_bytes()).await;
                    _ = stream.shutdown().await;
                });
            }
        });
        receiver
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/canary-path?token=canary", self.port)
    }

    fn answers(&self, answer: &'static str) {
        *self.answer.lock().expect("is whole") = answer;
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().expect("is whole").clone()
    }

    /// Waits for so many messages, and returns them.
    async fn wait(&self, count: usize) -> Vec<Got> {
        for _ in 0..600 {
            if self.got().len() >= count {
                return self.got();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} messages instead of {count}", self.got().len());
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Got> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
            let head: HashMap<String, String> =
                fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
            if head["content-length"].parse() == Ok(body.len()) {
                return Some(Got { head, body: body.to_owned() });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

struct Scene {
    receiver: Receiver,
    records: Records,
    security: Security,
    courier: Courier,
    directory: PathBuf,
}

impl Drop for Scene {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Scene {
    async fn new() -> Self {
        let receiver = Receiver::start().await;
        let name = format!("veilcast-webhooks-{}", base32(&random_bits().expect("randomness")));
        let directory = std::env::temp_dir().join(name);
        let records = Records::open(&directory).await.expect("opens");
        let security = Security::new().expect("randomness");
        let courier = courier(&records, &security, &receiver, &["127.0.0.1"]);
        Self { receiver, records, security, courier, directory }
    }

    async fn add(&self, url: &str, kinds: &[MessageKind]) -> (WebhookId, String) {
        let added = self.courier.add(url, kinds, None, YEAR, SystemTime::now()).await;
        let (id, secret) = added.unwrap_or_else(|error| panic!("{error}"));
        (id, secret.text().expose_text().to_owned())
    }

    async fn run(&self) -> tokio::task::JoinHandle<()> {
        let (courier, changes) = (self.courier.clone(), self.records.watch().await.expect("is watched"));
        tokio::spawn(async move { courier.run(changes).await })
    }

    async fn event(&self) -> EventId {
        let title = Redacted::new("canary-title".to_owned());
        let (admission, latency) = (Admission::Public, Latency::Interactive);
        let new = NewEvent { title, admission, listed: true, broadcasters: 1, latency };
        self.records.create_event(new, SystemTime::now()).await.expect("made")
    }

    async fn row(&self, id: &WebhookId) -> Webhook {
        self.records.webhook(id, SystemTime::now()).await.expect("read").expect("there")
    }

    /// Waits for the record of what came of a message.
    async fn outcome(&self, id: &WebhookId, expected: Outcome) -> Webhook {
        for _ in 0..600 {
            let row = self.row(id).await;
            if row.outcome.as_deref() == Some(expected.name()) {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{:?} instead of {expected:?}", self.row(id).await.outcome);
    }

    async fn test(&self, url: &str) -> Outcome {
        let (id, _) = self.add(url, &MessageKind::ALL).await;
        let outcome = self.courier.test(&id, SystemTime::now()).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(self.row(&id).await.outcome.as_deref(), Some(outcome.name()));
        outcome
    }
}

fn courier(records: &Records, security: &Security, receiver: &Receiver, allowed: &[&str]) -> Courier {
    let allowed = allowed.iter().map(|text| Network::parse(text).expect("a network")).collect();
    let settings = Settings { allowed, root: Some(receiver.root.clone()), names: Some(Arc::new(Hosts)) };
    Courier::new(records.clone(), security.clone(), settings).expect("is sound")
}

/// HMAC as RFC 2104 writes it, from nothing but a hash: another way than the one that signed.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |with: u8| (0..64).map(|at| key.get(at).unwrap_or(&0) ^ with).collect::<Vec<u8>>();
    let inner = digest(&SHA256, &[&padded(0x36), text].concat());
    digest(&SHA256, &[&padded(0x5c), inner.as_ref()].concat()).as_ref().to_vec()
}

/// As a receiver does it that has this one secret.
fn verifies(got: &Got, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
    let signed = format!("{}.{}.{}", got.head["webhook-id"], got.head["webhook-timestamp"], got.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac(&key, signed.as_bytes())));
    let sent = got.head["webhook-timestamp"].parse::<u64>().expect("a number");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    now.abs_diff(sent) < 300 && got.head["webhook-signature"].split(' ').any(|one| one == expected)
}

#[tokio::test]
async fn a_message_is_signed_and_says_what_it_may() {
    let scene = Scene::new().await;
    let event = scene.event().await;
    let (id, secret) = scene.add(&scene.receiver.url("hooks.example"), &[MessageKind::BroadcastLive]).await;
    let (other, _) = scene.add(&scene.receiver.url("hooks.example"), &[MessageKind::EventEnded]).await;
    let running = scene.run().await;
    scene.courier.announce(Happening::BroadcastLive(event), SystemTime::now());
    let [got] = &scene.receiver.wait(1).await[..] else { panic!("one message, and none to the other") };
    assert!(verifies(got, &secret) && !verifies(got, SigningSecret::new().expect("new").text().expose_text()));
    assert_eq!(
        (got.head["content-type"].as_str(), got.head["host"].starts_with("hooks.example:")),
        ("application/json", true)
    );
    assert!(got.head["webhook-id"].starts_with("msg_"));
    assert!(got.body.contains(&format!(r#""event":"{}""#, scene.courier.name_of(&id, &event))), "{}", got.body);
    assert!(got.body.starts_with(r#"{"type":"broadcast.live""#));
    let all = format!("{:?}{}", got.head, got.body);
    for canary in ["canary", event.as_str(), id.as_str(), secret.as_str()] {
        assert!(!all.contains(canary), "{canary}: {all}");
    }
    assert!(scene.courier.name_of(&id, &event) != scene.courier.name_of(&other, &event), "another name for each");
    let row = scene.outcome(&id, Outcome::Delivered).await;
    assert!(row.delivered.is_some() && scene.row(&other).await.tried.is_none());
    assert!(scene.records.webhook_messages().await.expect("read").is_empty(), "it is not kept");
    running.abort();
}

#[tokio::test]
async fn during_a_rotation_either_secret_will_do() {
    let scene = Scene::new().await;
    let (id, first) = scene.add(&scene.receiver.url("hooks.example"), &MessageKind::ALL).await;
    let second = scene.courier.rotate(&id, SystemTime::now()).await.expect("is there").text();
    let outcome = scene.courier.test(&id, SystemTime::now()).await.expect("is there");
    assert_eq!(outcome, Outcome::Delivered);
    let got = &scene.receiver.got()[0];
    assert!(verifies(got, &first) && verifies(got, second.expose_text()));
    let third = scene.courier.rotate(&id, SystemTime::now()).await.expect("is there").text();
    scene.courier.test(&id, SystemTime::now()).await.expect("is there");
    let got = &scene.receiver.got()[1];
    assert!(!verifies(got, &first) && verifies(got, second.expose_text()) && verifies(got, third.expose_text()));
}

/// THREATS row 39.
#[tokio::test]
async fn a_receiver_leads_nowhere_inside() {
    let scene = Scene::new().await;
    for host in ["private.example", "mapped.example", "metadata.example"] {
        assert_eq!(scene.test(&scene.receiver.url(host)).await, Outcome::Address, "{host}");
    }
    let raised: Vec<Kind> = std::iter::from_fn(|| scene.security.take()).map(|raised| raised.kind).collect();
    assert_eq!(raised, [Kind::AddressRefused; 3], "and the operator is told");
    for url in ["https://127.0.0.2/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/"] {
        let refused = scene.courier.add(url, &MessageKind::ALL, None, YEAR, SystemTime::now()).await.err();
        assert!(matches!(refused, Some(CourierError::Place(PlaceError::Inside))), "{url}");
    }
    // What the operator does not allow any more is not asked, whenever it was added.
    let (id, _) = scene.add(&scene.receiver.url("hooks.example"), &MessageKind::ALL).await;
    let strict = courier(&scene.records, &scene.security, &scene.receiver, &[]);
    assert_eq!(strict.test(&id, SystemTime::now()).await.expect("is there"), Outcome::Address);
    assert!(scene.receiver.got().is_empty(), "nobody was asked");
    assert_eq!(scene.courier.test(&id, SystemTime::now()).await.expect("is there"), Outcome::Delivered);
}

#[tokio::test]
async fn an_answer_is_its_status() {
    let scene = Scene::new().await;
    let url = scene.receiver.url("hooks.example");
    let (elsewhere, came) = (TcpListener::bind("127.0.0.1:0").await.expect("a port"), Arc::new(Mutex::new(0)));
    let location =
        format!("HTTP/1.1 307 Moved\r\nlocation: http://{}/\r\n\r\n", elsewhere.local_addr().expect("bound"));
    tokio::spawn({
        let came = came.clone();
        async move {
            while elsewhere.accept().await.is_ok() {
                *came.lock().expect("is whole") += 1;
            }
        }
    });
    let oversized = format!("HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n{}", "a".repeat(100_000));
    let endless_head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(5_000));
    for (answer, outcome) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", Outcome::Delivered),
        (String::leak(oversized), Outcome::Delivered),
        (String::leak(endless_head), Outcome::Unreachable),
        (String::leak(location), Outcome::Redirected),
        ("HTTP/1.1 404 Not Found\r\n\r\n", Outcome::Refused),
        ("HTTP/1.1 503 Busy\r\n\r\n", Outcome::Failing),
        ("no HTTP at all\r\n\r\n", Outcome::Unreachable),
    ] {
        scene.receiver.answers(answer);
        assert_eq!(scene.test(&url).await, outcome, "{}", &answer[..answer.len().min(40)]);
    }
    assert_eq!(*came.lock().expect("is whole"), 0, "a redirect is not followed");
    let before = scene.receiver.got().len();
    assert_eq!(scene.test(&scene.receiver.url("other.example")).await, Outcome::Certificate);
    assert_eq!(scene.test(&scene.receiver.url("nowhere.example")).await, Outcome::Unreachable);
    assert_eq!(scene.receiver.got().len(), before, "whoever cannot prove its name is sent nothing");
}

#[tokio::test]
async fn gone_is_gone() {
    let scene = Scene::new().await;
    let (id, _) = scene.add(&scene.receiver.url("hooks.example"), &MessageKind::ALL).await;
    scene.receiver.answers("HTTP/1.1 410 Gone\r\n\r\n");
    let running = scene.run().await;
    let event = scene.event().await;
    scene.courier.announce(Happening::BroadcastLive(event), SystemTime::now());
    let row = scene.outcome(&id, Outcome::Gone).await;
    assert!(row.ended && row.waiting == 0);
    scene.courier.announce(Happening::BroadcastOff(event), SystemTime::now());
    let tested = scene.courier.test(&id, SystemTime::now()).await.err();
    assert!(matches!(tested, Some(CourierError::Unknown)));
    let (_, _) = scene.add(&scene.receiver.url("hooks.example"), &[MessageKind::EventEnded]).await;
    scene.courier.announce(Happening::EventEnded(event), SystemTime::now());
    let kinds: Vec<bool> = scene.receiver.wait(2).await.iter().map(|got| got.body.contains("event.ended")).collect();
    assert_eq!(kinds, [false, true], "only another one hears of what came later");
    running.abort();
}

/// One that takes its time holds up nobody, and is waited for five seconds at most.
#[tokio::test]
async fn a_slow_receiver_stalls_nobody() {
    let scene = Scene::new().await;
    let quick = Receiver::start().await;
    scene.receiver.answers("");
    let (slow, _) = scene.add(&scene.receiver.url("hooks.example"), &MessageKind::ALL).await;
    let running = scene.run().await;
    let event = scene.event().await;
    scene.courier.announce(Happening::BroadcastLive(event), SystemTime::now());
    scene.receiver.wait(1).await;
    // The other one's authority is not trusted: it is heard of by that, while the slow one is still waited for.
    let (id, _) = scene.add(&quick.url("hooks.example"), &MessageKind::ALL).await;
    scene.courier.announce(Happening::BroadcastOff(event), SystemTime::now());
    scene.outcome(&id, Outcome::Certificate).await;
    assert!(scene.row(&slow).await.outcome.is_none(), "it is still waited for");
    let row = scene.outcome(&slow, Outcome::Unreachable).await;
    assert_eq!(row.waiting, 2, "both are sent again");
    running.abort();
}

/// Kept sealed, over a restart of ours, for a receiver that is away.
#[tokio::test]
async fn what_was_not_taken_is_sent_again_by_the_next_process() {
    let scene = Scene::new().await;
    let (id, secret) = scene.add(&scene.receiver.url("hooks.example"), &MessageKind::ALL).await;
    scene.receiver.answers("HTTP/1.1 500 Broken\r\n\r\n");
    let running = scene.run().await;
    let event = scene.event().await;
    scene.records.go_live(&event).await.expect("written");
    scene.outcome(&id, Outcome::Failing).await;
    running.abort();
    let first = &scene.receiver.wait(1).await[0];
    assert!(first.body.starts_with(r#"{"type":"event.started""#), "as the records say: {}", first.body);
    let [waiting] = &scene.records.webhook_messages().await.expect("read")[..] else { panic!("one waits") };
    assert_eq!(waiting.id, first.head["webhook-id"]);
    // As if its pause were over.
    scene.records.put_off_webhook_message(&waiting.id, SystemTime::now(), 1).await.expect("written");
    scene.receiver.answers(TAKEN);
    let next = courier(&scene.records, &scene.security, &scene.receiver, &["127.0.0.1"]);
    let changes = scene.records.watch().await.expect("is watched");
    let running = tokio::spawn(async move { next.run(changes).await });
    let second = &scene.receiver.wait(2).await[1];
    assert!(verifies(second, &secret) && second.body == first.body);
    assert_eq!(second.head["webhook-id"], first.head["webhook-id"], "by which a receiver knows it again");
    scene.outcome(&id, Outcome::Delivered).await;
    running.abort();
}
