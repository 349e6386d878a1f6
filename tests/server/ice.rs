//! Servers for ICE (RFC 9725 section 4.6): told to whoever is let in and to nobody else, and by default there are none.

use super::lifecycle::Page;
use super::process::{Done, Scratch, Server, command, finish, run};
use super::wire::{Reply, ask, broadcast, is, post, watch};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const CREDENTIAL: &str = "canary+of/the=relay";

const FILE: &str = r#"
ice_server = [
    "stun:stun.example.org:3478",
    { url = "turn:turn.example.org:3478?transport=udp", username = "stage", credential = "canary+of/the=relay" },
    { url = "turns:[2001:db8::7]:5349?transport=tcp", username = "stage", credential = "canary+of/the=relay" },
]
"#;

const LINKS: [&str; 3] = [
    r#"<stun:stun.example.org:3478>; rel="ice-server""#,
    r#"<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; username="stage"; credential="canary+of/the=relay"; credential-type="password""#,
    r#"<turns:[2001:db8::7]:5349?transport=tcp>; rel="ice-server"; username="stage"; credential="canary+of/the=relay"; credential-type="password""#,
];

#[tokio::test]
async fn they_are_told_to_whoever_is_let_in() {
    let scratch = Scratch::new();
    let file = scratch.write("veilcast.toml", FILE).display().to_string();
    let server = Server::start_with(scratch, &["--config", &file, "--log", "trace"]).await;
    let event = server.event();
    let (send, see) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    for (path, token, offer) in [("whip", &send, broadcast()), ("whep", &see, watch())] {
        let path = format!("/{path}/{event}");
        let made = post(&server, &path, token, &offer).await;
        assert_eq!((made.status, made.all("link")), (201, LINKS.to_vec()), "{}", made.body);
        // OPTIONS needs no token, so it tells nobody: the RFC permits it there, and advises against it.
        for asked in [path.clone(), made.location()] {
            let options = Reply::of(ask(&server, "OPTIONS", &asked)).await;
            assert_eq!((options.status, options.all("link")), (204, vec![]));
        }
        let refused = post(&server, &path, "no token", &offer).await;
        assert_eq!((refused.fault(), refused.all("link")), (is(401, "token-invalid"), vec![]));
    }
    for role in ["broadcast", "watch"] {
        let (_page, welcome) = Page::enter(&server, &server.invited(&event, role).await).await;
        let relay = |url| json!({ "url": url, "username": "stage", "credential": CREDENTIAL });
        let told = json!([
            { "url": "stun:stun.example.org:3478" },
            relay("turn:turn.example.org:3478?transport=udp"),
            relay("turns:[2001:db8::7]:5349?transport=tcp"),
        ]);
        assert_eq!(welcome["ice_servers"], told);
    }
    assert!(!server.process.err().contains(CREDENTIAL), "it is in the log");
}

#[tokio::test]
async fn by_default_nobody_hears_of_a_third_party() {
    let server = Server::start().await;
    let event = server.event();
    let (send, see) = (server.token(&event, "broadcast"), server.token(&event, "watch"));
    for (path, token, offer) in [("whip", &send, broadcast()), ("whep", &see, watch())] {
        assert!(post(&server, &format!("/{path}/{event}"), token, &offer).await.all("link").is_empty());
        let role = if path == "whip" { "broadcast" } else { "watch" };
        assert_eq!(Page::enter(&server, &server.invited(&event, role).await).await.1["ice_servers"], json!([]));
    }
}

fn check(scratch: &Scratch, text: &str) -> Done {
    let file = scratch.write("ice.toml", text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("one's own file");
    finish(command(["check", "--config"]).arg(file))
}

#[test]
fn mistakes_have_line_and_remedy_and_credentials_stay_unsaid() {
    let scratch = Scratch::new();
    for (text, words) in [
        ("\nice_server = \"stun.example.org\"\n", &["ice.toml line 2, ice_server: ", "stun:HOST:PORT"][..]),
        ("ice_server = [\n  \"stun:a.example\",\n  \"stun:b.example:0\",\n]\n", &["line 3, ", "'stun:b.example:0'"]),
        ("ice_server = 3478\n", &["line 1, ", "takes text"]),
        ("ice_server = [\"turn:a.example\"]\n", &["line 1, ", "needs username and credential"]),
        ("ice_server = [\"turn:me:hush@a.example\"]\n", &["line 1, ", "names a user"]),
        (
            "\n[[ice_server]]\nurl = \"turn:a.example\"\nusername = \"me\"\npasword = \"hush\"\n",
            &["line 5, ice_server: ", "unknown key pasword", "credential"],
        ),
        (
            "ice_server = { url = \"stun:a.example\", username = \"me\", credential = \"hush\" }\n",
            &["line 1, ", "remove them"],
        ),
        (
            "ice_server = { url = \"turn:a.example\", username = \"me\", credential = \"hush \\u00e9\" }\n",
            &["line 1, ", "ASCII"],
        ),
        ("ice_server = { url = \"turn:a.example\", username = \"me\", credential = 7 }\n", &["credential takes text"]),
        ("ice_server = { url = \"turn:a.example\", secret = \"hush\" }\n", &["line 1, ", "32 or more"]),
        ("ice_server = { url = \"stun:a.example\", secret = \"hush\" }\n", &["line 1, ", "takes no secret"]),
        (
            "ice_server = { url = \"turn:a.example\", username = \"me\", secret = \"hush\" }\n",
            &["line 1, ", "in place of username"],
        ),
        ("ice_server = { username = \"me\", credential = \"hush\" }\n", &["line 1, ", "stun:HOST:PORT"]),
    ] {
        let done = check(&scratch, text);
        let line = done.refusal(2);
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
        assert!(!line.contains("hush"), "{line}");
    }
    let flag = run(["check", "--ice-server", "turn:a.example?transport=udp"]);
    let line = flag.refusal(2);
    assert!(line.starts_with("--ice-server: ") && line.contains("in the file"), "{line}");
    let variable = finish(command(["check"]).env("VEILCAST_ICE_SERVER", "stun:a.example,stun:b.example:x"));
    let line = variable.refusal(2);
    assert!(line.starts_with("VEILCAST_ICE_SERVER: 'stun:b.example:x'"), "{line}");
}

#[test]
fn a_good_setting_is_counted_and_an_open_file_warned_of() {
    let scratch = Scratch::new();
    let done = check(&scratch, FILE);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("ICE servers told to everybody who is let in: 3."), "{}", done.err);
    assert!(!done.err.contains("warning") && !done.err.contains(CREDENTIAL), "{}", done.err);
    let file = scratch.path("ice.toml");
    // A flag replaces the file's whole list.
    let flags = ["--ice-server", "stun:a.example", "--ice-server", "stun:b.example"];
    let fewer = finish(command(["check", "--config"]).arg(&file).args(flags));
    assert!(fewer.err.contains("let in: 2."), "{}", fewer.err);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("one's own file");
    let open = finish(command(["check", "--config"]).arg(&file));
    assert_eq!(open.code, 0, "{}", open.err);
    assert!(open.err.contains("warning: ") && open.err.contains("chmod o-rwx"), "{}", open.err);
    assert!(run(["check"]).err.lines().all(|line| !line.contains("ICE")), "by default there is nothing to say");
}
