//! Starts, asks and stops the debug binary.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// What happens within milliseconds on an idle machine may take this long on a busy one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// The binary under test, which `cargo build --workspace` puts beside the directory of this test's executable.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let here = std::env::current_exe().expect("a test knows where it is");
        let path = here.parent().and_then(Path::parent).expect("in target/debug/deps").join("veilcast");
        assert!(path.is_file(), "{} is missing: run cargo build --workspace", path.display());
        if let Some(newer) = newer_source(&path) {
            panic!("{} is older than {newer}: run cargo build --workspace", path.display());
        }
        path
    })
}

/// A source file that changed after the binary was made. Cargo lists what went into it in a file beside it.
fn newer_source(binary: &Path) -> Option<String> {
    let list = fs::read_to_string(binary.with_extension("d")).ok()?;
    let built = fs::metadata(binary).and_then(|file| file.modified()).ok()?;
    let (_, sources) = list.split_once(": ")?;
    let changed = |path: &&str| fs::metadata(path).and_then(|file| file.modified()).is_ok_and(|time| time > built);
    sources.split_whitespace().find(changed).map(str::to_owned)
}

/// A directory that is gone at the end of the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("veilcast-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        // Of an earlier run with the same process id.
        _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a scratch directory");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a scratch file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// A port that is free for TCP and UDP, below those that the system hands out by itself: between this look and the
/// server's nobody else gets it by chance. The next few above it are left free, too: a second shard takes one.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 100) as u16 * 100;
    for _ in 0..10_000 {
        let port = 20_000 + (start + NEXT.fetch_add(4, Ordering::Relaxed)) % 10_000;
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let udp = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port)).or_else(|_| UdpSocket::bind(("0.0.0.0", port)));
        if tcp.is_ok() && udp.is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// What a finished command left behind.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// The value that a successful command printed: one line, nothing else.
    pub(crate) fn value(&self) -> &str {
        assert_eq!(self.code, 0, "{}", self.err);
        let value = self.out.strip_suffix('\n').expect("a line");
        assert!(!value.is_empty() && !value.contains('\n'), "one line: {value}");
        value
    }

    /// The only line of a refusal, which ended with `code` and printed no value.
    pub(crate) fn refusal(&self, code: i32) -> &str {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.err);
        let line = self.err.strip_suffix('\n').expect("a line");
        assert!(!line.contains('\n'), "one line says it: {line}");
        line.strip_prefix("veilcast: ").unwrap_or_else(|| panic!("says who speaks: {line}"))
    }
}

/// `veilcast` without anything of the developer's environment.
pub(crate) fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Where no veilcast.toml lies.
    command.current_dir(std::env::temp_dir());
    command
}

/// Runs a command to its end.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Done {
    finish(&mut command(arguments))
}

/// Runs a prepared command to its end; one that does not end is killed and fails the test.
pub(crate) fn finish(command: &mut Command) -> Done {
    let mut child = command.spawn().expect("the binary runs");
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("a child of ours").is_none() {
        if Instant::now() > deadline {
            _ = child.kill();
            let output = child.wait_with_output().expect("a child of ours");
            panic!("did not end: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(POLL);
    }
    let output = child.wait_with_output().expect("a child of ours");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Done { code: output.status.code().expect("not killed"), out: text(output.stdout), err: text(output.stderr) }
}

/// A command as a user without privileges: permissions do not stop the superuser. Such a user cannot reach into
/// every home, so the binary is copied for it.
pub(crate) fn unprivileged(scratch: &Scratch, arguments: &[&str]) -> Command {
    const NOBODY: u32 = 65_534;
    let copy = scratch.path("veilcast");
    fs::copy(binary(), &copy).expect("a copy");
    let mut command = Command::new(copy);
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.current_dir(std::env::temp_dir());
    if is_superuser() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

pub(crate) fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

/// A process that is ended, by its id, when the test is over.
pub(crate) struct Running {
    child: Child,
    out: File,
    err: File,
}

impl Running {
    /// Starts `command` with its output in two files of `scratch`.
    pub(crate) fn start(mut command: Command, scratch: &Scratch, name: &str) -> Self {
        let file = |suffix| {
            let path = scratch.path(&format!("{name}.{suffix}"));
            File::options().create(true).truncate(true).read(true).write(true).open(path).expect("a scratch file")
        };
        let (out, err) = (file("out"), file("err"));
        let copy = |file: &File| file.try_clone().expect("a file handle");
        let child = command.stdin(Stdio::null()).stdout(copy(&out)).stderr(copy(&err)).spawn();
        let missing = |error| {
            let program = command.get_program().display().to_string();
            panic!("{program} does not start ({error}); tests/tools/system.sh installs what the tests need")
        };
        Self { child: child.unwrap_or_else(missing), out, err }
    }

    /// Its id, to look at it in `/proc`.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn out(&self) -> String {
        whole(&self.out)
    }

    pub(crate) fn err(&self) -> String {
        whole(&self.err)
    }

    /// The exit status, once there is one.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process id");
        kill_process(pid, signal).expect("a child of ours");
    }

    /// Waits for `word` on standard error.
    pub(crate) async fn says(&mut self, word: &str) {
        until(&format!("it says '{word}'"), async || {
            let ended = self.ended().is_some();
            let said = self.err().contains(word);
            assert!(said || !ended, "it ended instead: {}", self.err());
            said
        })
        .await;
    }

    /// Waits for its end, at most `limit`, and returns the exit code.
    pub(crate) async fn end_within(&mut self, limit: Duration) -> i32 {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                return status.code().unwrap_or_else(|| panic!("{status}: {}", self.err()));
            }
            assert!(Instant::now() < deadline, "still runs after {limit:?}: {}", self.err());
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "a failed test shows what its processes said")]
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what it said\n{}", self.err());
        }
    }
}

/// Everything in a file, also when its directory is gone.
fn whole(file: &File) -> String {
    let mut bytes = vec![0; file.metadata().map_or(0, |file| file.len() as usize)];
    let len = file.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..len]).into_owned()
}

/// A server on a data directory of its own.
pub(crate) struct Server {
    // First, so that it has ended when its directory goes.
    pub(crate) process: Running,
    pub(crate) scratch: Scratch,
    pub(crate) port: u16,
    pub(crate) media_port: u16,
}

impl Server {
    /// Plain HTTP on loopback, up and ready.
    pub(crate) async fn start() -> Self {
        Self::start_with(Scratch::new(), &[]).await
    }

    /// The same with more flags, on a prepared directory.
    pub(crate) async fn start_with(scratch: Scratch, flags: &[&str]) -> Self {
        let mut server = Self::with(scratch, flags);
        server.process.says("Veilcast is at").await;
        until("it is ready", async || {
            reqwest::get(server.url("/readyz")).await.is_ok_and(|reply| reply.status() == 200)
        })
        .await;
        server
    }

    /// With more flags, on a prepared directory, as far as the process is started.
    pub(crate) fn with(scratch: Scratch, flags: &[&str]) -> Self {
        Self::on(scratch, free_port(), flags)
    }

    /// The same on a certain port.
    pub(crate) fn on(scratch: Scratch, port: u16, flags: &[&str]) -> Self {
        let media_port = free_port();
        let mut command = command(["serve"]);
        command.arg("--data-dir").arg(scratch.path("data")).args(["--media-address", "127.0.0.1"]);
        command.args(["--listen", &format!("127.0.0.1:{port}"), "--media-port", &media_port.to_string()]);
        // Two shards whatever the machine has: events span both here as they do elsewhere.
        if !flags.contains(&"--shards") {
            command.args(["--shards", "2"]);
        }
        command.args(flags);
        let process = Running::start(command, &scratch, "serve");
        Self { scratch, process, port, media_port }
    }

    /// Stops the process and starts it again on the same directory.
    pub(crate) async fn restart(self, flags: &[&str]) -> Self {
        let Self { scratch, mut process, port, .. } = self;
        process.signal(Signal::TERM);
        assert_eq!(process.end_within(PATIENCE).await, 0);
        Self::on(scratch, port, flags)
    }

    /// What the link of the first start ends with.
    pub(crate) async fn setup_token(&self) -> String {
        let token = || self.process.out().split_once("/setup#").map(|(_, rest)| rest.to_owned());
        until("it prints the setup link", async || token().is_some_and(|rest| rest.contains('\n'))).await;
        token().and_then(|rest| Some(rest.lines().next()?.to_owned())).expect("is there")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn data(&self) -> String {
        self.scratch.path("data").display().to_string()
    }

    /// A command on this server's records.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        run(arguments.iter().copied().chain(["--data-dir", &self.data()]))
    }

    pub(crate) fn event(&self) -> String {
        self.run(&["event", "create", "--title", "Rehearsal", "--public"]).value().to_owned()
    }

    /// An event that so many may broadcast to at once.
    pub(crate) fn event_of(&self, broadcasters: u8) -> String {
        let create = ["event", "create", "--title", "Panel", "--public", "--broadcasters"];
        let count = broadcasters.to_string();
        self.run(&[&create[..], &[&count]].concat()).value().to_owned()
    }

    pub(crate) fn token(&self, event: &str, scope: &str) -> String {
        self.run(&["token", "--event", event, "--scope", scope]).value().to_owned()
    }

    pub(crate) fn end(&self, event: &str) {
        let done = self.run(&["event", "end", event]);
        assert_eq!(done.code, 0, "{}", done.err);
    }
}

/// Waits until `done`.
pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done().await {
        assert!(Instant::now() < deadline, "did not happen: {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// Taken by tests that need most of the machine or measure it, one at a time.
pub(crate) static MACHINE: Mutex<()> = Mutex::const_new(());

/// Shows that something takes at most `limit`: the best of three counts, because a busy machine may stop us, too.
pub(crate) async fn within(limit: Duration, mut measure: impl AsyncFnMut() -> Duration) {
    let _alone = MACHINE.lock().await;
    let mut measured = Vec::new();
    for _ in 0..3 {
        measured.push(measure().await);
        if measured.iter().any(|time| *time <= limit) {
            return;
        }
    }
    panic!("{measured:?}, and {limit:?} is the limit");
}
