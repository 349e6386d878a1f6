//! `check --network`: what of a server will not be reachable, and why.

use super::process::{Done, Scratch, Server, command, finish, free_port, until};
use std::net::{TcpListener, UdpSocket};
use veilcast_records::DataLock;

/// A configuration that keeps nobody out, on ports of its own, and what else a test wants.
fn check(more: &[&str]) -> Done {
    let scratch = Scratch::new();
    let none = scratch.write("none.toml", "");
    let (listen, media) = (format!("127.0.0.1:{}", free_port()), free_port().to_string());
    let data = scratch.path("data");
    let mut command = command(["check", "--network", "--config"]);
    command.arg(none);
    if !more.contains(&"--data-dir") {
        command.arg("--data-dir").arg(data);
    }
    for (flag, value) in [
        ("--listen", listen.as_str()),
        ("--media-port", &media),
        ("--shards", "1"),
        ("--public-url", "https://live.example.org"),
        ("--trusted-proxy", "127.0.0.1"),
        ("--media-address", "203.0.113.5"),
    ] {
        if !more.contains(&flag) {
            command.args([flag, value]);
        }
    }
    finish(command.args(more))
}

#[track_caller]
fn keeps_out(done: &Done, words: &[&str]) {
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    let paragraph = done.out.split("UNREACHABLE: ").skip(1).find(|found| words.iter().all(|word| found.contains(word)));
    let paragraph = paragraph.unwrap_or_else(|| panic!("{words:?} is not in:\n{}", done.out));
    assert!(paragraph.contains("\n  why: ") && paragraph.contains("\n  do:  "), "{paragraph}");
}

#[test]
fn a_server_behind_one_to_one_translation_is_fine() {
    let done = check(&[]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("candidate: 203.0.113.5:"), "{}", done.out);
    assert!(done.out.contains("note: 203.0.113.5 is on no interface of this machine"), "{}", done.out);
    assert!(done.out.contains("getent ahosts live.example.org"), "{}", done.out);
    assert!(!done.out.contains("UNREACHABLE"), "{}", done.out);
}

#[test]
fn private_candidates_are_told() {
    keeps_out(&check(&["--media-address", "192.168.1.4,fd00::4"]), &["192.168.1.4 fd00::4", "--media-address PUBLIC"]);
    keeps_out(&check(&["--media-address", "100.64.0.9"]), &["none of which leads here"]);
    let mapped = check(&["--media-public-port", "3479"]);
    assert!(mapped.code == 0 && mapped.out.contains("candidate: 203.0.113.5:3479\n"), "{}", mapped.out);
    let both = check(&["--media-address", "203.0.113.5,2001:db8::5"]);
    assert!(both.code == 0 && !both.out.contains("IPv6 only"), "{}", both.out);
}

#[test]
fn pages_that_nobody_else_opens_are_told() {
    keeps_out(&check(&["--public-url", "http://localhost:8080"]), &["this machine to everybody"]);
    keeps_out(&check(&["--trusted-proxy", ""]), &["the pages are served on 127.0.0.1", "--trusted-proxy"]);
}

#[test]
fn ports_that_are_taken_are_told() {
    let (media, pages) = (free_port(), free_port());
    let udp = UdpSocket::bind(("0.0.0.0", media)).expect("a free port");
    keeps_out(&check(&["--media-port", &media.to_string()]), &[&format!("UDP port {media}"), "something else uses it"]);
    drop(udp);
    let tcp = TcpListener::bind(("127.0.0.1", pages)).expect("a free port");
    keeps_out(&check(&["--listen", &format!("127.0.0.1:{pages}")]), &[&format!("TCP port {pages}")]);
    drop(tcp);
}

#[test]
fn one_port_of_several_shards_is_told_as_one() {
    let media = free_port();
    let port = media.to_string();
    let words = |more: &[&str]| {
        let done = check(&[&["--media-port", port.as_str(), "--shards", "3"], more].concat());
        assert_eq!(done.code, 0, "{}{}", done.out, done.err);
        (done.out, done.err)
    };
    let (several, _) = words(&[]);
    let range = format!("have it pass UDP {media}-{} to this machine", media + 2);
    assert!(several.contains(&range), "{several}");
    let (one, said) = words(&["--media-shared-port"]);
    assert!(one.contains(&format!("have it pass UDP {media} to this machine")), "{one}");
    assert!(said.contains(&format!("Media: UDP and TCP port {media}.\n")), "{said}");
    let next = UdpSocket::bind(("0.0.0.0", media + 2)).expect("a free port");
    words(&["--media-shared-port"]);
    keeps_out(&check(&["--media-port", &port, "--shards", "3"]), &[&format!("UDP port {}", media + 2)]);
    drop(next);
}

#[test]
fn a_running_servers_own_ports_are_no_finding() {
    let scratch = Scratch::new();
    let _lock = DataLock::acquire(&scratch.path("data")).expect("a scratch directory");
    let media = free_port();
    let _udp = UdpSocket::bind(("0.0.0.0", media)).expect("a free port");
    let data = scratch.path("data").display().to_string();
    let done = check(&["--media-port", &media.to_string(), "--data-dir", &data]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("a server runs on these records"), "{}", done.out);
}

/// Everybody behind a proxy that is not named is one network to the server, and whoever makes such headers up is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_named_is_told_of_once_it_has_been_seen() {
    for (flags, unknown) in [(&[][..], true), (&["--trusted-proxy", "127.0.0.1"][..], false)] {
        let server = Server::start_with(Scratch::new(), flags).await;
        let told = || server.run(&["check"]).err.contains("forwarded headers");
        assert!(!told(), "nobody has come");
        let request = reqwest::Client::new().get(server.url("/healthz")).header("x-forwarded-for", "198.51.100.0");
        assert_eq!(request.send().await.expect("an answer").status(), 200);
        if unknown {
            until("it is told", async || told()).await;
        } else {
            assert!(!told(), "it is named");
        }
    }
}
