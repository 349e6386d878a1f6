//! ffmpeg as a broadcaster by WHIP: it offers `a=setup:passive`, one candidate pair, and no key frames on request.

use super::peer::{Stream, view};
use super::process::{MACHINE, PATIENCE, Running, Server, until};
use super::wire::{broadcast, post};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The ffmpeg that `tests/tools/ffmpeg.sh` fetches.
fn ffmpeg() -> &'static PathBuf {
    static FFMPEG: OnceLock<PathBuf> = OnceLock::new();
    FFMPEG.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/ffmpeg.sh");
        let output = Command::new(script).output().expect("the script runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim_end())
    })
}

/// As in README.md, with test sources for twelve seconds.
fn publish(profile: &str, url: &str, token: &str) -> Command {
    let mut command = Command::new(ffmpeg());
    command.args(["-hide_banner", "-loglevel", "warning", "-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30"]);
    command.args(["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "12"]);
    command.args(["-c:v", "libx264", "-profile:v", profile, "-preset", "veryfast", "-tune", "zerolatency"]);
    command.args(["-pix_fmt", "yuv420p", "-bf", "0", "-g", "60", "-b:v", "1M"]);
    command.args(["-c:a", "libopus", "-ar", "48000", "-ac", "2", "-b:a", "64k"]);
    command.args(["-f", "whip", "-authorization", token, url]);
    command
}

/// `profile_idc` of the first sequence parameter set, alone in its packet or first in an aggregate (RFC 6184 sections
/// 5.6 and 5.7.1).
fn h264_profile(stream: &Stream) -> Option<u8> {
    let profile = |payload: &Vec<u8>| match payload.first()? & 0x1f {
        7 => payload.get(1).copied(),
        24 if payload.get(3)? & 0x1f == 7 => payload.get(4).copied(),
        _ => None,
    };
    stream.payloads.iter().find_map(profile)
}

async fn a_profile_is_seen(profile: &str, number: u8) {
    let _alone = MACHINE.lock().await;
    let server = Server::start().await;
    let event = server.event();
    let (key, watch) = (server.stream_key(&event), server.token(&event, "watch"));
    let early = view(&server, &event, &watch).await;
    let url = server.url(&format!("/whip/{event}"));
    let media = |viewer: &super::peer::Session| {
        viewer.received.video(|s| s.count() >= 30) && viewer.received.audio(|s| s.count() >= 30)
    };
    let start = || Running::start(publish(profile, &url, &key), &server.scratch, "ffmpeg");
    let mut process = start();
    // Once in a while this muxer leaves its socket blocking after the handshake and then sends a frame for each datagram
    // it receives, one a second; started again, the same key takes the stage over.
    let begun = Instant::now();
    while !media(&early) && begun.elapsed() < Duration::from_secs(8) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if !media(&early) {
        drop(process);
        process = start();
    }
    until("an early viewer sees and hears", async || media(&early)).await;
    let late = view(&server, &event, &watch).await;
    // Until its next key frame, which comes every two seconds.
    until("a late viewer sees and hears", async || media(&late)).await;
    assert!(process.ended().is_none(), "while it still runs: {}", process.err());
    for viewer in [&early, &late] {
        viewer.received.audio(|stream| assert_eq!(stream.codec, "audio/opus"));
        viewer.received.video(|stream| {
            assert_eq!((stream.codec.as_str(), h264_profile(stream)), ("video/H264", Some(number)));
            assert_eq!(stream.holes(), 0);
        });
    }
    assert_eq!(process.end_within(PATIENCE).await, 0, "{}", process.err());
    // It has left by DELETE: the stage is free for anybody at once.
    let next = post(&server, &format!("/whip/{event}"), &server.token(&event, "broadcast"), &broadcast()).await;
    assert_eq!(next.status, 201, "{}", next.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_publishes_h264_and_opus() {
    a_profile_is_seen("baseline", 66).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_publishes_the_high_profile_too() {
    a_profile_is_seen("high", 100).await;
}

#[tokio::test]
async fn ffmpeg_says_why_it_was_refused() {
    let server = Server::start().await;
    let event = server.event();
    let url = server.url(&format!("/whip/{event}"));
    let mut process = Running::start(publish("baseline", &url, "garbage"), &server.scratch, "ffmpeg");
    assert_ne!(process.end_within(PATIENCE).await, 0);
    assert!(process.err().contains("401"), "{}", process.err());
}
