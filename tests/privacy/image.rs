//! What is in the server's memory after an account was erased and an event has ended: nothing of either.
//!
//! The server lets nobody look into it. Whoever made the user namespace that a process was started in may all the same, so the
//! server is started in one, as an ordinary user can.

use super::journey::{self, Server};
use super::planes::Scratch;
use super::scan::{Canary, found};
use crate::server::process::{binary, free_port};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use veilcast_records::Records;

const PATIENCE: Duration = Duration::from_secs(30);

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Every byte that the process can write to, and what its map calls each part.
fn image(process: &Process) -> Vec<(String, Vec<u8>)> {
    let folder = format!("/proc/{}", process.0.id());
    let maps = fs::read_to_string(format!("{folder}/maps")).expect("the image can be read: this needs user namespaces");
    let memory = File::open(format!("{folder}/mem")).expect("the image can be read: this needs user namespaces");
    let mut parts = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let range = line.split(' ').next().and_then(|range| range.split_once('-')).expect("as proc(5) says");
        let parse = |text: &str| u64::from_str_radix(text, 16).expect("as proc(5) says");
        let (mut at, end) = (parse(range.0), parse(range.1));
        let mut page = vec![0; 1 << 20];
        let mut bytes = Vec::new();
        while at < end {
            let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(page.len());
            // A mapping may have gone since, and a guard page cannot be read.
            let Ok(read @ 1..) = memory.read_at(&mut page[..most], at) else { break };
            bytes.extend_from_slice(&page[..read]);
            at += read as u64;
        }
        parts.push((line.to_owned(), bytes));
    }
    parts
}

/// What is found, and where.
fn seen(canaries: &[Canary], process: &Process) -> Vec<String> {
    let parts = image(process);
    let lines = parts
        .iter()
        .flat_map(|(part, bytes)| found(canaries, bytes).into_iter().map(move |name| format!("{name} in {part}")));
    lines.collect()
}

/// The first line of standard output: the link of the first start.
fn first_line(process: &mut Process) -> String {
    let mut line = Vec::new();
    let out = process.0.stdout.as_mut().expect("is a pipe");
    let mut byte = [0];
    while out.read(&mut byte).expect("is read") == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    String::from_utf8(line).expect("text")
}

/// Waits until what is looked for is there, or is not.
async fn until(what: &str, mut look: impl FnMut() -> Vec<String>, there: bool) {
    let begun = Instant::now();
    loop {
        let seen = look();
        if seen.is_empty() != there {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {seen:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_is_in_no_memory() {
    let scratch = Scratch::new();
    let (data, media_port) = (scratch.path().join("data"), free_port());
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--"]).arg(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "trace", "--media-address", "127.0.0.1"]);
    command.args(["--media-port", &media_port.to_string()]).arg("--data-dir").arg(&data);
    command.env_remove("RUST_LOG").current_dir(scratch.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = Process(command.spawn().expect("unshare of util-linux is there"));
    let line = first_line(&mut process);
    let (url, token) = line.split_once("/setup#").expect("the setup link: the server started");
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let server = Server { port, media_port, setup_token: token.to_owned() };
    let told = journey::travel(&server).await;
    journey::end(&server, &told).await;
    let records = Records::open(&data).await.expect("opens");
    let account = records.first_operator().await.expect("read").expect("was made");
    records.erase_account(&account).await.expect("is erased");
    records.close().await;

    // Something that is there now, in the buffer of a request that has not come to its end, shows that the search finds.
    let open = [Canary::new("half a request", "Kittiwake-In-Half-A-Request")];
    let mut half = TcpStream::connect(("127.0.0.1", port)).expect("is open");
    half.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Bird: Kittiwake-In-Half-A-Request\r\n").expect("is sent");
    until("a request under way is found", || seen(&open, &process), true).await;
    drop(half);
    until("it is gone with its connection", || seen(&open, &process), false).await;

    let canaries = told.canaries();
    until("what was erased", || seen(&canaries, &process), false).await;
}

/// core(5), prctl(2): neither a dump nor a look inside, for others of the same user.
#[test]
fn nobody_dumps_the_server() {
    let scratch = Scratch::new();
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--media-port", &free_port().to_string()]);
    command.args(["--media-address", "127.0.0.1", "--data-dir"]).arg(scratch.path().join("data"));
    command.current_dir(scratch.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = Process(command.spawn().expect("the binary starts"));
    first_line(&mut process);
    let folder = format!("/proc/{}", process.0.id());
    let limits = fs::read_to_string(format!("{folder}/limits")).unwrap_or_default();
    if let Some(line) = limits.lines().find(|line| line.starts_with("Max core file size")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[4..6], ["0", "0"], "{line}");
    }
    // Whoever may not do everything may not look inside either, though it is their own process.
    let mut look = Command::new("setpriv");
    look.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "cat", &format!("{folder}/environ")]);
    let looked = look.output().expect("setpriv of util-linux is there");
    assert!(!looked.status.success(), "the same user reads its memory's beginning");
    let mut own = Command::new("setpriv");
    own.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "cat", "/proc/self/environ"]);
    assert!(own.output().expect("runs").status.success(), "the look itself is possible");
}
