//! A receiver of webhooks that is away, on the real process and over a restart; and what `docs/webhooks.md` tells receivers to do.

use super::process::{Scratch, Server, free_port, run, until};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

const DOCUMENT: &str = include_str!("../../docs/webhooks.md");

/// The first block of that language in the documentation.
fn block(language: &str) -> &'static str {
    let begin = format!("```{language}\n");
    DOCUMENT.split(&begin).nth(1).and_then(|rest| rest.split("```").next()).expect("the document has one")
}

/// What came in: whole requests.
pub(crate) fn receive(port: u16) -> Arc<Mutex<Vec<String>>> {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("it is free");
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = taken.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut buffer = [0; 4_096];
            while !is_whole(&String::from_utf8_lossy(&request)) {
                match stream.read(&mut buffer) {
                    Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
                    _ => break,
                }
            }
            kept.lock().expect("is whole").push(String::from_utf8_lossy(&request).into_owned());
            // Whoever has heard enough hangs up.
            _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    taken
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()) == Some(body.len())
}

/// What a program prints that is handed secret and request.
fn verdict(mut program: Command, secret: &str, request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").expect("a request");
    let headers: serde_json::Map<String, serde_json::Value> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.into()))
        .collect();
    let input = serde_json::json!([secret, headers, body]).to_string();
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("is read");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// By the documentation's own examples, which know nothing of our code.
fn verdicts(secret: &str, request: &str) -> [String; 2] {
    let read = "import { readFileSync } from 'node:fs';\nconsole.log(verify(...JSON.parse(readFileSync(0, 'utf8'))));";
    let script = format!("{}{read}", block("js"));
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", &script]);
    let script = format!("{}\nimport json, sys\nprint(str(verify(*json.load(sys.stdin))).lower())", block("python"));
    let mut python = Command::new("python3");
    python.args(["-c", &script]);
    [verdict(node, secret, request), verdict(python, secret, request)]
}

#[tokio::test]
async fn a_receiver_that_was_away_is_told_after_a_restart() {
    let (scratch, port) = (Scratch::new(), free_port());
    let file = scratch.write("veilcast.toml", "webhook_allow = [\"127.0.0.0/8\"]\n").display().to_string();
    let flags = ["--config", &file, "--log", "trace"];
    let server = Server::start_with(scratch, &flags).await;
    let url = format!("http://127.0.0.1:{port}/canary-path");
    let added = server.run(&["webhook", "add", "--url", &url, "--config", &file]);
    let secret = added.value().to_owned();
    assert!(secret.starts_with("whsec_"));
    let event = server.run(&["event", "create", "--title", "Canary concert"]).value().to_owned();
    server.end(&event);
    let list = || server.run(&["webhook", "list", "--config", &file]).value().to_owned();
    until("nobody was there", async || list().contains("unreachable\t1 waiting")).await;
    let line = list();
    assert!(line.contains(&format!("\thttp://127.0.0.1:{port}\t")) && !line.contains("canary"), "{line}");
    let first_log = server.process.err();
    let server = server.restart(&flags).await;
    let taken = receive(port);
    until("it is told", async || !taken.lock().expect("is whole").is_empty()).await;
    let request = taken.lock().expect("is whole")[0].clone();
    assert!(request.starts_with("POST /canary-path HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(r#"{"type":"event.ended","data":{"event":""#), "{request}");
    assert!(!request.contains("Canary") && !request.contains(&event) && !request.contains(&secret), "{request}");
    assert_eq!(verdicts(&secret, &request), ["true", "true"]);
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(verdicts(other, &request), ["false", "false"], "and the examples tell");
    assert_eq!(verdicts(&secret, &request.replace("event.ended", "event.start")), ["false", "false"]);
    let id = line.split('\t').next().expect("an id");
    let delivered = || server.run(&["webhook", "list", "--config", &file]).value().contains("delivered\t0 waiting");
    until("it is noted", async || delivered()).await;
    let rotated = server.run(&["webhook", "rotate", id, "--config", &file]);
    assert_ne!(rotated.value(), secret);
    assert_eq!(server.run(&["webhook", "remove", id]).code, 0);
    assert!(server.run(&["webhook", "remove", id]).refusal(1).contains("veilcast webhook list"));
    for log in [first_log, server.process.err()] {
        for canary in ["canary", "Canary", &secret[6..], &port.to_string()] {
            assert!(!log.contains(canary), "the log says {canary}");
        }
    }
}

#[test]
fn what_is_no_receiver_is_refused_in_one_line() {
    let scratch = Scratch::new();
    let data = scratch.path("data").display().to_string();
    let add = |more: &[&str]| run([&["webhook", "add", "--data-dir", &data], more].concat());
    // The first command says that it has made the directory.
    run(["event", "list", "--data-dir", &data]);
    for (url, word) in [
        ("http://hooks.example/", "https://"),
        ("https://canary@hooks.example/", "https://"),
        ("http://127.0.0.1/", "https://"),
        ("https://127.0.0.1/", "webhook_allow"),
        ("https://[::ffff:10.0.0.1]/", "webhook_allow"),
    ] {
        let refused = add(&["--url", url]);
        assert!(refused.code == 1 && refused.out.is_empty() && refused.err.contains(word), "{url}: {}", refused.err);
        assert!(!refused.err.contains("canary"), "{}", refused.err);
    }
    let unknown = add(&["--url", "https://hooks.example/", "--kind", "message.text"]);
    assert!(unknown.code == 2 && unknown.err.contains("event.started, event.ended"), "{}", unknown.err);
    let file = scratch.write("wrong.toml", "webhook_allow = [\"10.0.0.0/33\"]\n").display().to_string();
    let wrong = run(["check", "--config", &file, "--data-dir", &data]);
    assert!(wrong.code == 2 && wrong.err.contains("is not an address or range"), "{}", wrong.err);
    let root = format!("webhook_root = \"{file}\"\n");
    let file = scratch.write("root.toml", &root).display().to_string();
    let wrong = run(["check", "--config", &file, "--data-dir", &data]);
    assert!(wrong.code == 2 && wrong.err.contains("webhook_root holds no certificate"), "{}", wrong.err);
}

/// The catalogue is the enum's, and the thresholds are the code's.
#[test]
fn the_documentation_names_every_message_and_every_sign() {
    let rows = |text: &'static str| -> Vec<Vec<&'static str>> {
        let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
        text.lines().filter(|line| line.starts_with("| `")).map(cells).collect()
    };
    let part = |heading: &str| {
        let rest = DOCUMENT.split(&format!("## {heading}\n")).nth(1).expect("a part");
        rest.split("\n## ").next().unwrap_or_default()
    };
    let named: Vec<&str> = rows(part("Messages")).iter().filter(|row| row[0] != "`type`").map(|row| row[0]).collect();
    let mut known: Vec<String> =
        veilcast_webhooks::MessageKind::ALL.iter().map(|kind| format!("`{}`", kind.name())).collect();
    known.push("`webhook.test`".to_owned());
    assert_eq!(named, known);
    let told: Vec<(&str, &str)> =
        rows(part("Security events")).iter().filter(|row| row[0] != "`kind`").map(|row| (row[0], row[2])).collect();
    for (kind, (name, from)) in veilcast_security::Kind::ALL.into_iter().zip(&told) {
        let minutes = kind.window().as_secs() / 60;
        let window = if minutes == 60 { "1 h".to_owned() } else { format!("{minutes} min") };
        let threshold = kind.threshold();
        let expected = if threshold == 1 { "1".to_owned() } else { format!("{threshold} in {window}") };
        assert_eq!((*name, *from), (format!("`{}`", kind.name()).as_str(), expected.as_str()));
    }
    assert_eq!(told.len(), veilcast_security::Kind::ALL.len());
}
