//! What keeps a server from starting: one line each, and nobody else is disturbed.

use super::process::{Done, Scratch, Server, finish, free_port, is_superuser, run, unprivileged};
use std::fs;
use std::net::{Ipv6Addr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn serve(data: &Path, port: u16, media_port: u16) -> Done {
    let listen = format!("127.0.0.1:{port}");
    let data = data.display().to_string();
    run(["serve", "--listen", &listen, "--media-port", &media_port.to_string(), "--data-dir", &data])
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("one's own file");
}

#[test]
fn a_taken_port_is_named_with_its_flag() {
    let scratch = Scratch::new();
    let (port, media_port) = (free_port(), free_port());
    let held = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    let done = serve(&scratch.path("data"), port, media_port);
    let line = done.refusal(1);
    assert!(line.contains(&format!("port {port}")) && line.contains("--listen"), "{line}");
    assert!(line.contains("something else uses it") && !line.contains("os error"), "{line}");
    drop(held);
    let _held = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, media_port)).expect("a free port");
    let done = serve(&scratch.path("data"), port, media_port);
    let line = done.refusal(1);
    assert!(line.contains(&format!("port {media_port}")) && line.contains("--media-port"), "{line}");
    assert!(line.contains("something else uses it") && !line.contains("os error"), "{line}");
}

/// The kernel shares a port among all that ask for it and have one user.
#[tokio::test]
async fn a_shared_port_is_not_shared_with_another_server() {
    let scratch = Scratch::new();
    let server = Server::start_with(Scratch::new(), &["--media-shared-port"]).await;
    let (listen, media) = (format!("127.0.0.1:{}", free_port()), server.media_port.to_string());
    let data = scratch.path("data").display().to_string();
    let common = ["serve", "--shards", "2", "--listen", &listen, "--media-port", &media, "--data-dir", &data];
    for shared in [&["--media-shared-port"][..], &[]] {
        let done = run([&common[..], shared].concat());
        let line = done.refusal(1);
        assert!(line.contains(&format!("UDP port {media}")) && line.contains("something else uses it"), "{line}");
    }
}

#[tokio::test]
async fn one_server_a_directory() {
    let server = Server::start().await;
    let done = serve(&server.scratch.path("data"), free_port(), free_port());
    let code = done.code;
    let line = done.refusal(code);
    assert!(code != 0 && line.contains("another veilcast is serving from") && line.contains(&server.data()), "{line}");
    let ready = reqwest::get(server.url("/readyz")).await.expect("an answer");
    assert_eq!(ready.status(), 200, "the first one goes on");
    server.event();
}

#[tokio::test]
async fn what_is_written_is_for_its_user_only() {
    let server = Server::start().await;
    let data = server.scratch.path("data");
    assert_eq!(mode(&data), 0o700);
    for entry in fs::read_dir(&data).expect("one's own directory") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn records_that_others_can_read_are_refused() {
    let scratch = Scratch::new();
    let data = scratch.path("data");
    let path = data.display().to_string();
    run(["event", "create", "--title", "Rehearsal", "--data-dir", &path]).value();
    for (file, open, closed) in [(data.join("keys.db"), 0o644, 0o600), (data.clone(), 0o755, 0o700)] {
        set_mode(&file, open);
        for done in [serve(&data, free_port(), free_port()), run(["event", "list", "--data-dir", &path])] {
            let code = done.code;
            let line = done.refusal(code);
            let remedy = format!("chmod {closed:o} {}", file.display());
            assert!(code != 0 && line.contains(&format!("mode {open:o}")) && line.contains(&remedy), "{line}");
        }
        set_mode(&file, closed);
    }
    assert_eq!(run(["event", "list", "--data-dir", &path]).code, 0);
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let scratch = Scratch::new();
    let file = scratch.write("file", "");
    let done = serve(&file, free_port(), free_port());
    let code = done.code;
    assert!(code != 0 && done.refusal(code).contains("--data-dir"), "{}", done.err);

    let closed = scratch.path("closed");
    fs::create_dir(&closed).expect("a directory");
    set_mode(&closed, if is_superuser() { 0o700 } else { 0o000 });
    let path = closed.display().to_string();
    for arguments in [vec!["event", "list"], vec!["serve", "--listen", "127.0.0.1:0"]] {
        let done = finish(&mut unprivileged(&scratch, &[&arguments[..], &["--data-dir", &path]].concat()));
        let code = done.code;
        let line = done.refusal(code);
        assert!(code != 0 && line.contains(&path) && line.contains("permission denied"), "{line}");
    }
    set_mode(&closed, 0o700);
}
