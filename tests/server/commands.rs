//! The commands that work on the records, before a server has run, while one runs, and when they are refused.

use super::process::{Done, Scratch, Server, command, finish, run};

fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
}

fn is_setup_link(text: &str, origin: &str) -> bool {
    let token = text.strip_prefix(&format!("{origin}/setup#"));
    token.is_some_and(|token| {
        token.len() == 43 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    })
}

#[test]
fn events_are_made_listed_and_ended_without_a_server() {
    let scratch = Scratch::new();
    let data = scratch.path("data").display().to_string();
    let ask = |arguments: &[&str]| run(arguments.iter().copied().chain(["--data-dir", &data]));
    let none = ask(&["event", "list"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert!(none.err.contains("event create"), "{}", none.err);
    assert!(none.err.starts_with(&format!("Made the data directory {data}.")), "{}", none.err);

    let made = ask(&["event", "create", "--title", "Rehearsal — part 1", "--public", "--listed"]);
    let id = made.value();
    assert!(is_id(id), "{id}");
    assert!(made.err.contains(&format!("http://localhost:8080/watch/{id}")), "{}", made.err);
    assert!(!made.err.contains("Made the data directory"), "it is there: {}", made.err);
    let quiet = ask(&["event", "create", "--title", "Board", "--latency", "balanced"]);
    let lines = ask(&["event", "list"]).out;
    let expected = format!(
        "{}\tscheduled\tinvitation\tunlisted\tBoard\n{id}\tscheduled\tpublic\tlisted\tRehearsal — part 1\n",
        quiet.value()
    );
    assert_eq!(lines, expected, "newest first, separated by tabs");

    let token = ask(&["token", "--event", id, "--scope", "watch"]);
    assert_eq!(token.value().split('.').count(), 3, "a JWT");
    for said in ["The event has ended.", "The event had ended before."] {
        let done = ask(&["event", "end", id]);
        assert_eq!((done.code, done.out.as_str(), done.err.trim_end()), (0, "", said));
    }
    assert!(ask(&["event", "list"]).out.contains(&format!("{id}\tended\t")));
    assert!(ask(&["token", "--event", id, "--scope", "watch"]).refusal(1).contains("has ended"));
}

/// In the wrong place a command would seem to forget everything, so it names the directory that it made there.
#[test]
fn a_data_directory_made_by_the_way_is_named() {
    let scratch = Scratch::new();
    let here = scratch.path("").canonicalize().expect("it exists");
    let create = || {
        let mut command = command(["event", "create", "--title", "Rehearsal"]);
        finish(command.current_dir(&here))
    };
    let (first, second) = (create(), create());
    assert!(is_id(first.value()) && is_id(second.value()));
    let place = here.join("data").display().to_string();
    assert!(first.err.starts_with(&format!("Made the data directory {place}.")), "{}", first.err);
    assert!(first.err.contains("--data-dir") && !second.err.contains(&place), "{}", second.err);
}

#[test]
fn what_cannot_be_done_is_refused_with_its_code() {
    let scratch = Scratch::new();
    let data = scratch.path("data").display().to_string();
    let ask = |arguments: &[&str]| run(arguments.iter().copied().chain(["--data-dir", &data]));
    let unknown = "a".repeat(26);
    let made = ask(&["event", "create", "--title", "Rehearsal"]);
    let id = made.value();
    for arguments in [vec!["token", "--event", &unknown, "--scope", "watch"], vec!["event", "end", &unknown]] {
        assert!(ask(&arguments).refusal(1).contains("there is no such event"));
    }
    for title in ["", &"x".repeat(121), "two\nlines"] {
        assert!(ask(&["event", "create", "--title", title]).refusal(1).contains("1 to 120 characters"));
    }
    for whose in [vec!["--name", "nobody"], vec!["--provider", "https://id.example", "--subject", "nobody"]] {
        let arguments = [vec!["account", "end-sessions"], whose].concat();
        assert!(ask(&arguments).refusal(1).contains("there is no such account"));
    }
    let usage: [&[&str]; 14] = [
        &["account", "end-sessions"],
        &["account", "end-sessions", "--provider", "https://id.example"],
        &["account", "end-sessions", "--name", "ada", "--provider", "https://id.example", "--subject", "a"],
        &["token", "--event", id, "--scope", "moderate"],
        &["token", "--event", "short", "--scope", "watch"],
        &["token", "--event", id, "--scope", "admin"],
        &["token", "--event", id],
        &["token", "--event", id, "--scope", "watch", "--ttl", "0s"],
        &["token", "--event", id, "--scope", "watch", "--ttl", "31d"],
        &["token", "--event", id, "--scope", "watch", "--ttl", "soon"],
        &["event", "create"],
        &["event", "remove"],
        &["serve", "--lisen", "127.0.0.1:1"],
        &["sing"],
    ];
    for arguments in usage {
        let Done { code, out, err } = ask(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.starts_with("error: "), "{err}");
    }
}

#[test]
fn help_is_on_standard_output() {
    let help = run(["--help"]);
    assert!(help.code == 0 && help.out.contains("Usage: veilcast") && help.err.is_empty());
    let version = run(["--version"]);
    assert_eq!(version.value(), concat!("veilcast ", env!("CARGO_PKG_VERSION")));
    for command in ["serve", "event", "invite", "stream-key", "account", "token", "setup", "check"] {
        let help = run([command, "--help"]);
        assert!(help.code == 0 && help.out.contains(&format!("Usage: veilcast {command}")), "{}", help.err);
    }
}

#[tokio::test]
async fn commands_and_a_server_share_the_records() {
    let scratch = Scratch::new();
    let data = scratch.path("data").display().to_string();
    let early = run(["event", "create", "--title", "Early", "--public", "--data-dir", &data]);
    let mut server = Server::with(scratch, &[]);
    server.process.says("Open this link").await;
    let origin = format!("http://localhost:{}", server.port);
    let first = server.process.out();
    assert!(is_setup_link(first.trim_end(), &origin) && first.ends_with('\n'), "one line: {first}");

    let late = server.run(&["event", "create", "--title", "Late", "--public"]);
    assert!(late.err.contains(&format!("{origin}/watch/{}", late.value())), "links lead to the server: {}", late.err);
    for id in [early.value(), late.value()] {
        let event = reqwest::get(server.url(&format!("/api/v1/events/{id}"))).await.expect("an answer");
        assert_eq!(event.status(), 200);
    }
    let link = server.run(&["setup"]);
    let moderator = server.run(&["invite", "--event", late.value(), "--role", "moderate"]);
    assert!(moderator.value().starts_with(&format!("{origin}/watch/{}#invitation=", late.value())));
    assert!(is_setup_link(link.value(), &origin) && link.value() != first.trim_end(), "a fresh one each time");
}

#[tokio::test]
async fn nothing_that_is_secret_is_printed_or_stored_in_clear() {
    let mut server = Server::with(Scratch::new(), &["--log", "trace"]);
    server.process.says("Open this link").await;
    let title = "Canary-Ostrich-7391";
    let made = server.run(&["event", "create", "--title", title, "--public"]);
    let event = made.value();
    let (broadcast, watch) = (server.token(event, "broadcast"), server.token(event, "watch"));
    super::wire::post(&server, &format!("/whip/{event}"), &broadcast, &super::wire::broadcast()).await.location();
    super::wire::post(&server, &format!("/whep/{event}"), &watch, &super::wire::watch()).await.location();
    let link = server.process.out();
    let setup = link.trim_end().rsplit('#').next().expect("a token").to_owned();
    let secrets = [title, &broadcast, &watch, &setup, super::wire::PASSWORD, super::wire::UFRAG];
    let log = server.process.err();
    for (number, secret) in secrets.iter().enumerate() {
        assert!(!log.contains(secret), "secret {number} is in the log");
    }
    for entry in std::fs::read_dir(server.data()).expect("the data directory") {
        let entry = entry.expect("an entry");
        // The way in to the session log is a socket.
        if !entry.path().is_file() {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("a file");
        for (number, secret) in secrets.iter().enumerate() {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "secret {number} is in {}", entry.path().display());
        }
    }
}
