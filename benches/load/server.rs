//! The server under load: the release build, as a process of its own.

use crate::Failure;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(super) const HTTP: u16 = 18_080;
const MEDIA: u16 = 18_000;

pub(super) struct Server {
    child: Child,
    data: PathBuf,
    binary: PathBuf,
    client: reqwest::Client,
}

impl Server {
    pub(super) fn start() -> Result<Self, Failure> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let binary = root.join("target/release/veilcast");
        if !binary.exists() {
            return Err("target/release/veilcast is missing: run `make build` first".into());
        }
        let data = std::env::temp_dir().join(format!("veilcast-load-{}", std::process::id()));
        let child = Command::new(&binary)
            .args(["serve", "--listen", &format!("127.0.0.1:{HTTP}"), "--media-port", &MEDIA.to_string()])
            .args(["--media-address", "127.0.0.1", "--data-dir"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, data, binary, client: reqwest::Client::new() })
    }

    pub(super) async fn ready(&self) -> Result<(), Failure> {
        for _ in 0..100 {
            let answer = self.client.get(format!("http://localhost:{HTTP}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the server is not ready after five seconds; is its port taken?".into())
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = Command::new(&self.binary).args(arguments).arg("--data-dir").arg(&self.data).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    pub(super) async fn post(&self, path: &str, token: &str, sdp: String) -> Result<String, Failure> {
        let request = self.client.post(format!("http://localhost:{HTTP}{path}")).bearer_auth(token);
        let answer = request.header("content-type", "application/sdp").body(sdp).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if status.as_u16() == 201 { Ok(text) } else { Err(format!("{status}: {text}").into()) }
    }

    /// CPU time of all its threads so far.
    pub(super) fn cpu(&self) -> Result<Duration, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        // Fields 14 and 15 of proc(5), in hundredths of a second.
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory, in bytes.
    pub(super) fn memory(&self) -> Result<usize, Failure> {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id()))?;
        Ok(statm.split(' ').nth(1).unwrap_or("0").parse::<usize>()? * 4_096)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
