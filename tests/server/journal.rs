//! The session log of the real process: on a disk, over restarts, and what is left of it to check.

use super::process::{Done, Scratch, Server, command, finish, until};
use super::wire::ask;
use holder::client::Client;
use holder::talk::{Talker, agree};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

async fn heads(server: &Server) -> String {
    let reply = ask(server, "GET", "/.well-known/veilcast-heads.json").send().await.expect("an answer");
    reply.text().await.expect("text")
}

fn verify(export: &Path, witness: &Path, receipts: &Path) -> Done {
    let mut verify = command(["journal", "verify"]);
    verify.arg(export).arg("--heads").arg(witness).arg("--receipts").arg(receipts);
    finish(&mut verify)
}

/// Somebody at an event agrees to be counted. Returns the receipt.
async fn receipt(server: &Server, event: &str) -> String {
    let client = Client::new(server.port, [127, 0, 0, 1]);
    let mut talker = Talker::come(&client, event).await;
    agree(&client, &mut talker.socket, event, "analytics").await
}

/// What the minutes bring is shown by the gateway's own tests, whose clock can be moved.
#[tokio::test]
async fn a_disk_journal_outlives_a_restart_with_its_key_and_none_without() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    fs::create_dir(&run).expect("made");
    let key = run.join("journal.key");
    let key_path = key.display().to_string();
    let flags = ["--journal", "disk", "--journal-key-file", &key_path, "--journal-epoch", "7d"];
    let server = Server::start_with(scratch, &flags).await;
    let event = server.event();
    until("the log begins", async || key.exists()).await;
    let first_key = fs::read(&key).expect("is there");
    let epoch = String::from_utf8_lossy(&first_key).lines().nth(1).expect("an epoch").to_owned();
    let blocks = server.scratch.path("data").join("journal").join(format!("{epoch}.blocks"));
    assert!(blocks.is_file(), "on the disk");
    until("it can be asked", async || server.run(&["journal", "tail"]).code == 0).await;
    let receipt = receipt(&server, &event).await;
    let (receipts, seen) = (server.scratch.write("receipts", &receipt), heads(&server).await);
    let seen = server.scratch.write("seen.json", &seen);

    let mut server = server.restart(&flags).await;
    server.process.says("Veilcast is at").await;
    until("it goes on", async || server.run(&["journal", "tail"]).code == 0).await;
    assert!(fs::read(&key).expect("is there") == first_key && blocks.is_file());
    assert!(!heads(&server).await.contains("\"tombstone\""));

    fs::remove_file(&key).expect("was there");
    let mut server = server.restart(&flags).await;
    server.process.says("Veilcast is at").await;
    until("another begins", async || key.exists()).await;
    assert!(!blocks.exists() && fs::read(&key).expect("is there") != first_key);
    until("it can be asked", async || server.run(&["journal", "export"]).code == 0).await;

    let (export, keys) = (server.run(&["journal", "export"]), ask(&server, "GET", "/.well-known/consent-keys.json"));
    let keys = keys.send().await.expect("an answer").text().await.expect("text");
    let mut look = command(["receipt", "verify"]);
    look.arg(&receipts).arg("--keys").arg(server.scratch.write("keys.json", &keys));
    let look = finish(&mut look);
    assert!(look.code == 0 && look.out.contains(&format!(" blocks in epoch {epoch}")), "{}", look.out);
    let good = verify(&server.scratch.write("export.json", &export.out), &seen, &receipts);
    assert_eq!(good.code, 0, "{}{}", good.out, good.err);
    assert!(good.out.contains(&format!("epoch {epoch}: a restart ended it")), "{}", good.out);
    assert!(good.err.contains("Nothing is wrong with 2 epochs") && good.err.contains("with 2 of"), "{}", good.err);
    assert!(good.err.contains("cannot be shown"), "{}", good.err);
    // As if its time had come, if the signature let it be changed.
    let bent = export.out.replacen("\"cause\":\"restart\"", "\"cause\":\"schedule\"", 1);
    let bad = verify(&server.scratch.write("bent.json", &bent), &seen, &receipts);
    let unsigned = format!("epoch {epoch}: a statement has no good signature");
    assert!(bad.code == 1 && bad.out.contains(&unsigned), "{}", bad.out);
    let heads: Value = serde_json::from_str(&export.out).expect("JSON");
    let hidden = json!({ "keys": heads["keys"], "epochs": [heads["epochs"][0]], "blocks": heads["blocks"] });
    let bad = verify(&server.scratch.write("hidden.json", &hidden.to_string()), &nobody_has_seen(&server), &receipts);
    assert!(bad.code == 1 && bad.out.contains("a witness has seen it, and it is not here"), "{}", bad.out);
}

/// A witness who has seen nothing.
fn nobody_has_seen(server: &Server) -> PathBuf {
    server.scratch.write("nothing.json", "{\"keys\":[],\"epochs\":[]}")
}

#[test]
fn what_the_server_has_written_is_shown_with_its_time() {
    let scratch = Scratch::new();
    let data = scratch.path("data");
    fs::DirBuilder::new().mode(0o700).create(&data).expect("made");
    let door = UnixListener::bind(data.join("journal.sock")).expect("is free");
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = door.accept().expect("somebody asks");
        let mut question = String::new();
        stream.read_to_string(&mut question).expect("text");
        stream.write_all(b"ok\n1763820000 someevent 0123 fault sdp-invalid\n").expect("is heard");
        question
    });
    let data = data.display().to_string();
    let tail = finish(&mut command(["journal", "tail", "-n", "7", "--data-dir", &data]));
    assert_eq!((tail.code, tail.out.as_str()), (0, "2025-11-22T14:00:00Z\tsomeevent\t0123\tfault sdp-invalid\n"));
    assert_eq!(asked.join().expect("was asked"), "tail 7");
}

#[test]
fn what_cannot_be_kept_or_read_is_said() {
    let scratch = Scratch::new();
    let data = scratch.path("data").display().to_string();
    let within = scratch.path("data").join("key").display().to_string();
    fs::DirBuilder::new().mode(0o700).create(scratch.path("data")).expect("made");
    let check = |flags: &[&str]| finish(command(["check", "--data-dir", &data]).args(flags));
    assert!(check(&["--journal", "disk"]).refusal(2).contains("--journal-key-file"));
    assert!(
        check(&["--journal", "disk", "--journal-key-file", &within]).refusal(2).contains("lies in the data directory")
    );
    assert!(check(&["--journal-key-file", "/nowhere/key"]).refusal(2).contains("no directory"));
    assert!(check(&["--journal", "paper"]).refusal(2).contains("none of memory, disk and off"));
    assert!(check(&["--journal-epoch", "8d"]).refusal(2).contains("7d is the longest"));
    let nobody = finish(&mut command(["journal", "tail", "--data-dir", &data]));
    assert!(nobody.refusal(1).contains("no server runs on this data directory"));
}
