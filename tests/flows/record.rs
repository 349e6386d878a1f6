//! A log record, from what somebody did to its end: six people come, the minute writes it down under names that mean nothing, whoever
//! runs the server reads and takes it away, a witness checks it, and after the epoch nobody can read it.

use crate::privacy::media::Wired;
use crate::privacy::scan::{Canary, Sink, leaks};
use crate::server::process::{Done, Server, command, finish, until};
use holder::Holder;
use holder::client::{Client, Pass, Socket, send};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One more than the fewest of whom anything is written.
const PEOPLE: u8 = 6;
const NAME: &str = "Kittiwake of Quinces";

/// Somebody who watches: a page and a player, each of an address of theirs.
struct Viewer {
    address: [u8; 4],
    token: String,
    socket: Socket,
    _player: Wired,
}

impl Viewer {
    async fn come(server: &Server, event: &str, number: u8) -> Self {
        let address = [127, 24, number, 1];
        let (page, holder) = (Client::new(server.port, address), Arc::new(Holder::new()));
        let came = page.newcomer(&format!("/api/v1/events/{event}/guest"), &holder).await;
        let token = send(came).await.expect(200).json()["token"].as_str().expect("a token").to_owned();
        let mut socket = page.join(&Pass::bound(&holder, &token)).await;
        socket.until("welcome").await;
        let mut player = Wired::new(address, 60 + u64::from(number)).await;
        let offer = player.endpoint(60 + number).watch();
        socket.offer(1, &offer).await;
        player.accept(socket.until("answer").await["sdp"].as_str().expect("an answer"));
        player.run(|peer| peer.connected).await;
        socket.until("connected").await;
        Self { address, token, socket, _player: player }
    }
}

/// Lines of the log about an event, as `veilcast journal tail` prints them.
fn lines(server: &Server, event: &str) -> Vec<String> {
    let tail = server.run(&["journal", "tail", "-n", "200"]);
    tail.out.lines().filter(|line| line.contains(event)).map(str::to_owned).collect()
}

fn until_next_minute() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Duration::from_secs(60 - now.as_secs() % 60)
}

fn verify(export: &Path, witness: &Path) -> Done {
    let mut verify = command(["journal", "verify"]);
    verify.arg(export).arg("--heads").arg(witness);
    finish(&mut verify)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_is_written_of_enough_people_and_forgotten() {
    let server = Server::start().await;
    until("it can be asked", async || server.run(&["journal", "tail"]).code == 0).await;
    let (event, quiet) = (server.event(), server.event());
    // All of it within one minute of the world's clock.
    if until_next_minute() < Duration::from_secs(25) {
        tokio::time::sleep(until_next_minute()).await;
    }
    let mut viewers = Vec::new();
    for number in 1..=PEOPLE {
        viewers.push(Viewer::come(&server, &event, number).await);
    }
    // Fewer than five are nobody: of this event nothing is written while it lasts.
    let alone = Viewer::come(&server, &quiet, 100).await;
    for viewer in &mut viewers {
        // A fault that is noted, with words that are not.
        viewer.socket.say(&json!({ "type": "chat", "verb": "name", "name": NAME })).await;
        viewer.socket.until("fault").await;
    }
    assert_eq!(lines(&server, &event), [""; 0], "nothing before the minute is over");

    tokio::time::sleep(until_next_minute()).await;
    until("the minute is written", async || lines(&server, &event).len() >= usize::from(PEOPLE)).await;
    let written = lines(&server, &event);
    let fields: Vec<Vec<&str>> = written.iter().map(|line| line.split_whitespace().collect()).collect();
    let people: BTreeSet<&str> = fields.iter().map(|line| line[2]).collect();
    assert_eq!((people.len(), fields.len()), (PEOPLE.into(), PEOPLE.into()), "one fact of each: {written:?}");
    assert!(fields.iter().all(|line| line[3] == "joined"), "the earliest: {written:?}");
    assert!(fields.iter().all(|line| line[0].ends_with(":00Z")), "{written:?}");
    assert_eq!(lines(&server, &quiet), [""; 0]);

    let export = server.run(&["journal", "export"]).out;
    let heads = Client::new(server.port, [127, 0, 0, 1]).get("/.well-known/veilcast-heads.json").await.expect(200).body;
    let seen = server.scratch.write("seen.json", &heads);
    let good = verify(&server.scratch.write("export.json", &export), &seen);
    assert_eq!(good.code, 0, "{}{}", good.out, good.err);
    // Nothing of anybody is in what is read or taken away; what is taken away does not even say what happened.
    let mut canaries = vec![Canary::guessable("a name", NAME)];
    canaries.extend(viewers.iter().map(|viewer| Canary::address("an address", IpAddr::from(viewer.address))));
    canaries.extend(viewers.iter().map(|viewer| Canary::new("a token", &viewer.token)));
    let log = || [Sink::new("the log", [written.join("\n")]), Sink::new("the export", [export.clone()])];
    assert_eq!(leaks(&canaries, &log()), [""; 0]);
    let mut planted = log();
    planted[0].pieces.push(format!("{} {event} {NAME} joined", 0).into_bytes());
    assert_eq!(leaks(&canaries, &planted), ["a name in the log"]);
    assert!(!export.contains("joined") && !export.contains(people.first().expect("somebody")), "sealed");

    // The key was in memory alone: after a restart nobody reads it, and the end of the epoch stands signed.
    drop((viewers, alone));
    let mut server = server.restart(&[]).await;
    server.process.says("Veilcast is at").await;
    until("another epoch", async || server.run(&["journal", "tail"]).code == 0).await;
    assert_eq!(lines(&server, &event), [""; 0]);
    let export = server.run(&["journal", "export"]).out;
    let known: Value = serde_json::from_str(&export).expect("JSON");
    assert!(known.to_string().contains("\"cause\":\"restart\""), "{known}");
    let good = verify(&server.scratch.write("later.json", &export), &seen);
    assert_eq!(good.code, 0, "{}{}", good.out, good.err);
}
