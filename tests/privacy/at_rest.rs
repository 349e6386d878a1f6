//! The real binary at its most talkative: nothing of a journey is in its output or in any byte of its files.

use super::journey::{self, Server};
use super::planes::Scratch;
use super::scan::{Canary, found, found_in_directory};
use crate::server::process::free_port;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// The binary as a person starts it.
struct Process {
    child: Child,
    scratch: Scratch,
    media_port: u16,
}

impl Process {
    fn start() -> Self {
        let here = std::env::current_exe().expect("a test knows where it is");
        let binary = here.parent().and_then(Path::parent).expect("in target/debug/deps").join("veilcast");
        assert!(binary.is_file(), "{} is missing: run cargo build --workspace", binary.display());
        let scratch = Scratch::new();
        let file = |name: &str| File::create(scratch.path().join(name)).expect("a scratch file");
        let media_port = free_port();
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "trace", "--media-address", "127.0.0.1"]);
        command.args(["--media-port", &media_port.to_string()]).arg("--data-dir").arg(scratch.path().join("data"));
        let temporary = scratch.path().join("temporary");
        fs::create_dir(&temporary).expect("is made");
        command
            .env_clear()
            .env("TMPDIR", temporary)
            .current_dir(scratch.path())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        let child = command.spawn().expect("the binary starts");
        Self { child, scratch, media_port }
    }

    fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    fn output(&self, name: &str) -> String {
        fs::read_to_string(self.scratch.path().join(name)).expect("its output")
    }

    /// Where it serves, from the one line that it prints.
    async fn server(&mut self) -> Server {
        let begun = Instant::now();
        loop {
            let stdout = self.output("stdout");
            if let Some((line, _)) = stdout.split_once('\n') {
                let (url, token) = line.split_once("/setup#").expect("the setup link");
                let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
                return Server { port, media_port: self.media_port, setup_token: token.to_owned() };
            }
            let ended = self.child.try_wait().expect("is ours");
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "does not serve: {}", self.output("stderr"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(&mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, Signal::TERM).expect("is ours");
        let begun = Instant::now();
        while self.child.try_wait().expect("is ours").is_none() {
            assert!(begun.elapsed() < PATIENCE, "does not stop");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_is_written_down() {
    let mut process = Process::start();
    let server = process.server().await;
    let told = journey::travel(&server).await;
    let mut canaries = told.canaries();
    let none: Vec<String> = Vec::new();
    // Where it writes, where it could put something for a moment, and its output.
    let everywhere = process.scratch.path().to_owned();
    assert_eq!(found_in_directory(&canaries, &everywhere), none, "while it runs, journals included");
    journey::end(&server, &told).await;
    process.stop().await;
    assert_eq!(found_in_directory(&canaries, &everywhere), none, "after it stopped");
    assert_eq!(found(&canaries, process.output("stdout").as_bytes()), [""; 0]);
    // The link is for whoever started the server; the log is for everybody who may read logs.
    canaries.push(Canary::new("setup token", &server.setup_token));
    let stderr = process.output("stderr");
    assert_eq!(found(&canaries, stderr.as_bytes()), [""; 0], "{stderr}");
    assert_eq!(found_in_directory(&canaries, &process.data()), none);
    only_our_own_lines(&stderr);
    planted_leaks_are_found(&canaries, &process.data(), &server);
    every_secret_would_be_found(&canaries, told.texts(), &process.data());
}

/// Every logged line is of a crate of ours, whatever the filter: others tell addresses and frames.
fn only_our_own_lines(stderr: &str) {
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
    let logged = stderr.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let logged = words.next().is_some_and(|level| levels.contains(&level));
        // A request's lines begin with its route.
        words.find(|word| !word.starts_with("request{route=")).filter(|_| logged)
    });
    let targets: Vec<&str> = logged.collect();
    assert!(targets.iter().any(|target| target.starts_with("veilcast_shard")), "trace is on: {stderr}");
    assert!(targets.iter().all(|target| target.starts_with("veilcast")), "{targets:?}");
}

fn planted_leaks_are_found(canaries: &[Canary], data: &Path, server: &Server) {
    fs::write(data.join("cache.bin"), [&[0, 255][..], journey::TITLE.as_bytes(), &[7]].concat()).expect("is written");
    assert_eq!(found_in_directory(canaries, data), ["title in cache.bin"]);
    fs::remove_file(data.join("cache.bin")).expect("was there");
    fs::create_dir(data.join("deeper")).expect("is made");
    fs::write(data.join("deeper/log"), format!("setup {} used", server.setup_token)).expect("is written");
    assert_eq!(found_in_directory(canaries, data), ["setup token in log"]);
    fs::write(data.join("deeper").join(journey::OPERATOR), "").expect("is written");
    assert_eq!(found_in_directory(canaries, data).len(), 2, "names of files are read, too");
}

/// Each in a file of its own, as it is or in the middle of something encoded: the search names it.
fn every_secret_would_be_found(canaries: &[Canary], told: &[(&'static str, String)], data: &Path) {
    let place = data.join("planted");
    fs::create_dir(&place).expect("is made");
    for (name, text) in told {
        let encoded = URL_SAFE_NO_PAD.encode(format!("{{\"x\":\"{text}\"}}"));
        for (file, leak) in [("plain", format!("\0{text}\0")), ("encoded", encoded)] {
            let path = place.join(file);
            fs::write(&path, leak).expect("is written");
            let found = found_in_directory(canaries, &place);
            assert!(found.contains(&format!("{name} in {file}")), "{name} was not found: {found:?}");
            fs::remove_file(path).expect("was there");
        }
    }
    for name in journey::SECRETS {
        assert!(told.iter().any(|(told, _)| told == &name), "the journey has no {name}");
    }
}
