//! Identifiers in addresses: whatever is put in their place leads nowhere (THREATS 23).

use super::offers::Endpoint;
use super::planes::Planes;
use harness::Random;
use holder::client::{Client, Pass};
use veilcast_auth::Scope;

/// Ways out of a directory, out of a line, out of a string, and names of what lies around.
const PIECES: [&str; 34] = [
    "..",
    "%2e%2e",
    "%2E.",
    "..%2f",
    "..%5c",
    "%252e%252e%252f",
    "%c0%ae%c0%ae",
    "%ef%bc%8f",
    "/",
    "//",
    "%2f",
    "\\",
    "%5c",
    "%00",
    "%0d%0a",
    "%0d%0aSet-Cookie:%20x=y",
    "%0aX-Leak:%20y",
    ";",
    "..;",
    "?",
    "&",
    "%",
    "%zz",
    "%ff",
    "*",
    "~",
    "etc/passwd",
    "Cargo.toml",
    "records.db",
    "keys.db",
    "index.html",
    ".git/config",
    "assets",
    "C:",
];

/// What no answer holds: parts of files that lie near, and headers that a line break would have made.
const BETRAYALS: [&str; 7] =
    ["root:x:", "[package]", "[workspace", "SQLite format 3", "\r\nset-cookie: x=y", "\r\nx-leak", "[core]"];

fn betrayed(reply: &str) -> Option<&'static str> {
    let lower = reply.to_lowercase();
    BETRAYALS.into_iter().find(|text| lower.contains(&text.to_lowercase()))
}

fn status(reply: &str) -> u16 {
    reply.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// One to four pieces, between them at times the beginning of what is true.
fn nonsense(random: &mut Random, truth: &str) -> String {
    let mut text = String::new();
    for _ in 0..=random.bits() % 4 {
        match random.bits() % 5 {
            0 => text.push_str(&truth[..random.bits() as usize % truth.len()]),
            1 => text.push_str(&format!("%{:02x}", random.bits() as u8)),
            _ => text.push_str(PIECES[random.bits() as usize % PIECES.len()]),
        }
    }
    text
}

/// An identifier that begins, ends or looks like a true one.
fn neighbours(truth: &str) -> Vec<String> {
    let mut found = vec![
        truth.to_uppercase(),
        format!("{truth}a"),
        format!("{truth}%00"),
        format!("{truth}%20"),
        format!("%20{truth}"),
        format!("{truth}%0d%0a"),
        format!("{truth}%2f.."),
        format!("{truth}%2f"),
        format!("a{truth}"),
        format!("{truth}={truth}"),
        format!("{truth}%3d"),
        format!("{truth}*"),
    ];
    found.extend((0..truth.len()).map(|len| truth[..len].to_owned()));
    // The last characters of base32 and base64 carry spare bits, which must not be spare names.
    for last in "abcdefghijklmnopqrstuvwxyz234567ABCDEFGHIJKLMNOPQRSTUVWXYZ0189-_".chars() {
        found.push(format!("{}{last}", &truth[..truth.len() - 1]));
    }
    found.retain(|text| text != truth);
    found
}

struct Target {
    method: &'static str,
    path: String,
    truth: String,
    headers: String,
    body: String,
}

struct Place {
    planes: Planes,
    client: Client,
}

impl Place {
    async fn ask(&self, target: &Target, identifier: &str) -> String {
        let Target { method, path, headers, body, .. } = target;
        let path = path.replace("{}", identifier);
        let (host, length) = (format!("localhost:{}", self.planes.port), body.len());
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n");
        self.client.raw(format!("{head}{headers}\r\n{body}").as_bytes()).await
    }
}

async fn place() -> (Place, Vec<Target>) {
    let planes = Planes::start().await;
    let event = planes.event("Rehearsal", true).await;
    let (send, watch) = (planes.tool(event, Scope::Broadcast), planes.tool(event, Scope::Watch));
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    let offer = Endpoint::new(81).broadcast();
    let made = client.sdp(&format!("/whip/{event}"), Some(&send), &offer).await.expect(201);
    let session = made.header("location").rsplit('/').next().unwrap_or_default().to_owned();
    let bearer = |pass: &Pass| format!("Authorization: Bearer {}\r\n", pass.token);
    let sdp = |token: &Pass| format!("{}Content-Type: application/sdp\r\n", bearer(token));
    let target = |method, path: String, truth: &str, headers: String, body: &str| Target {
        method,
        path,
        truth: truth.to_owned(),
        headers,
        body: body.to_owned(),
    };
    let id = event.to_string();
    let fragment = format!("{}Content-Type: application/trickle-ice-sdpfrag\r\nIf-Match: *\r\n", bearer(&send));
    let targets = vec![
        target("POST", "/whip/{}".to_owned(), &id, sdp(&send), &offer),
        target("POST", "/whep/{}".to_owned(), &id, sdp(&watch), &Endpoint::new(82).watch()),
        target("DELETE", format!("/whip/{id}/{{}}"), &session, bearer(&send), ""),
        target("DELETE", format!("/whip/{{}}/{session}"), &id, bearer(&send), ""),
        target("PATCH", format!("/whip/{id}/{{}}"), &session, fragment, "a=ice-ufrag:none\r\n"),
        target("GET", "/api/v1/events/{}".to_owned(), &id, String::new(), ""),
        target("POST", "/api/v1/events/{}/guest".to_owned(), &id, String::new(), ""),
        target("POST", "/api/v1/events/{}/end".to_owned(), &id, bearer(&send), ""),
        target("GET", "/assets/{}".to_owned(), "index", String::new(), ""),
        target("GET", "/{}".to_owned(), "assets", String::new(), ""),
        target("GET", "/problems/{}".to_owned(), "bad-request", String::new(), ""),
    ];
    (Place { planes, client }, targets)
}

/// Neither an answer with something in it, nor a server in trouble.
fn is_nothing(status: u16) -> bool {
    matches!(status, 400 | 401 | 404 | 405)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_leads_nowhere() {
    let (place, targets) = place().await;
    let mut random = Random::new(0x23);
    for target in &targets {
        for _ in 0..60 {
            let identifier = nonsense(&mut random, &target.truth);
            // A home page with a query, a path that ends where it began: addresses of their own.
            let path = target.path.replace("{}", &identifier);
            if is_an_address_of_its_own(&path) {
                continue;
            }
            let reply = place.ask(target, &identifier).await;
            assert!(is_nothing(status(&reply)), "{} {path}: {reply}", target.method);
            assert_eq!(betrayed(&reply), None, "{} {path}: {reply}", target.method);
            // What is no HTTP never reaches the gateway; it is refused without a word.
            let wordless = reply.ends_with("\r\n\r\n");
            assert!(wordless || reply.contains("application/problem+json"), "{} {path}: {reply}", target.method);
        }
    }
    assert_eq!(status(&place.ask(&targets[5], &targets[5].truth).await), 200, "the true one leads somewhere");
    assert_eq!(betrayed("HTTP/1.1 200 OK\r\nset-cookie: x=y\r\n"), Some("\r\nset-cookie: x=y"));
    place.planes.stop().await;
}

/// What a query or an empty piece leaves of the path is a page.
fn is_an_address_of_its_own(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    matches!(path, "/" | "/index.html")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neighbours_of_a_name_are_other_names() {
    let (place, targets) = place().await;
    for target in targets.iter().take(8) {
        for identifier in neighbours(&target.truth) {
            let reply = place.ask(target, &identifier).await;
            assert!(is_nothing(status(&reply)), "{} {} {identifier}: {reply}", target.method, target.path);
        }
    }
    // None of them has ended the event or the session.
    assert_eq!(status(&place.ask(&targets[5], &targets[5].truth).await), 200);
    assert_eq!(
        status(&place.ask(&targets[4], &targets[4].truth).await),
        400,
        "a PATCH without credentials, but of a session"
    );
    assert_eq!(status(&place.ask(&targets[2], &targets[2].truth).await), 200, "it was there to be deleted");
    place.planes.stop().await;
}

#[tokio::test]
async fn long_addresses_are_refused() {
    let (place, targets) = place().await;
    for length in [1_000, 10_000, 60_000, 200_000] {
        let reply = place.ask(&targets[9], &"a".repeat(length)).await;
        assert!(matches!(status(&reply), 404 | 414 | 431 | 400), "{length}: {}", &reply[..reply.len().min(200)]);
    }
    place.planes.stop().await;
}
