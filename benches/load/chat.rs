//! `make load CHAT=1 VIEWERS=n`: so many people in one chat, over real sockets of this process to the server's, on loopback.
//!
//! Some of them write, twenty messages a second in all; when each arrives is read at every receiver. Then some withdraw, one by one:
//! when every other screen has been told is read there, too, and whether anything of theirs came afterwards.

use crate::server::{HTTP, Server};
use crate::{Failure, quantile};
use futures_util::StreamExt;
use holder::client::Client;
use holder::talk::Talker;
use serde_json::json;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Messages a second, of all together.
const RATE: u32 = 20;
/// How long is measured.
const MEASURE: Duration = Duration::from_secs(15);
/// Who writes: each once in three seconds.
const AUTHORS: usize = 60;
/// Who withdraws.
const WITHDRAWALS: usize = 20;

/// What a receiver heard: kind, what about, when.
type Heard = Arc<Mutex<Vec<(Kind, u64, Instant)>>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Retracted,
}

pub(super) async fn run(viewers: usize) -> Result<(), Failure> {
    let server = Server::start()?;
    server.ready().await?;
    let event = server.command(&["event", "create", "--title", "Load", "--public"])?;
    println!("{viewers} people in a chat, {RATE} messages a second, {} s measured", MEASURE.as_secs());
    let idle = server.memory()?;
    let (mut authors, mut receivers) = (Vec::new(), Vec::new());
    for number in 0..viewers.max(AUTHORS + WITHDRAWALS) {
        // Each from a part of the network of its own, as far as there are some.
        let client = Client::new(HTTP, [127, 1 + (number / 200) as u8, (number % 200) as u8, 1]);
        let talker = Talker::come(&client, &event).await;
        let (heard, say) = receive(talker);
        receivers.push(heard);
        authors.push(say);
    }
    let memory = server.memory()?.saturating_sub(idle) / viewers.max(1);
    let (cpu, begun) = (server.cpu()?, Instant::now());
    let mut sent = Vec::new();
    for number in 0..RATE * MEASURE.as_secs() as u32 {
        tokio::time::sleep_until((begun + Duration::from_secs(1) * number / RATE).into()).await;
        sent.push(Instant::now());
        authors[number as usize % AUTHORS].send(Word::Say(number.into())).await?;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (cpu, took) = (server.cpu()? - cpu, begun.elapsed());
    let mut latencies = Vec::new();
    for heard in &receivers {
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = heard.iter().filter(|(kind, ..)| *kind == Kind::Message);
        latencies.extend(messages.filter_map(|(_, number, at)| Some(*at - *sent.get(*number as usize)?)));
    }
    let expected = sent.len() * receivers.len();

    let (mut withdrawals, mut afterwards) = (Vec::new(), 0);
    for (author, last) in authors.iter().take(WITHDRAWALS).zip(1_000_000..) {
        receivers.iter().for_each(|heard| heard.lock().unwrap_or_else(PoisonError::into_inner).clear());
        // Something of theirs is on its way to everybody when they take it back.
        author.send(Word::Say(last)).await?;
        let called = Instant::now();
        author.send(Word::Withdraw).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        for heard in &receivers {
            let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(told) = heard.iter().position(|(kind, ..)| *kind == Kind::Retracted) else { continue };
            withdrawals.push(heard[told].2 - called);
            afterwards += heard[told..].iter().filter(|(_, number, _)| *number == last).count();
        }
    }
    println!("{afterwards} messages of who had withdrawn came afterwards");
    if afterwards > 0 {
        return Err("what was taken back was delivered".into());
    }
    report(viewers, (&mut latencies, expected), &mut withdrawals, (cpu, took), memory)
}

fn report(
    viewers: usize,
    (latencies, expected): (&mut [Duration], usize),
    withdrawals: &mut [Duration],
    (cpu, took): (Duration, Duration),
    memory: usize,
) -> Result<(), Failure> {
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let [p50, p99] = [0.5, 0.99].map(|at| millis(quantile(latencies, at)));
    let [gone50, gone99] = [0.5, 0.99].map(|at| millis(quantile(withdrawals, at)));
    let cores = cpu.as_secs_f64() / took.as_secs_f64();
    println!("delivered {} of {expected}; p50 {p50:.1} ms, p99 {p99:.1} ms", latencies.len());
    println!("withdrawal read at {} receivers: p50 {gone50:.1} ms, p99 {gone99:.1} ms", withdrawals.len());
    println!("server: {cores:.2} cores, {:.1} KiB a person", memory as f64 / 1_024.0);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&directory)?;
    let figures = json!({
        "people": viewers, "delivered": latencies.len(), "expected": expected, "p50_ms": p50, "p99_ms": p99,
        "withdrawal_p50_ms": gone50, "withdrawal_p99_ms": gone99, "server_cores": cores,
    });
    std::fs::write(directory.join(format!("chat-{viewers}.json")), figures.to_string())?;
    Ok(())
}

/// What a person is told to do.
enum Word {
    Say(u64),
    Withdraw,
}

/// Notes what comes, and when. Messages are not parsed: the machine is the server's, too.
fn receive(mut talker: Talker) -> (Heard, tokio::sync::mpsc::Sender<Word>) {
    let heard = Heard::default();
    let (say, mut words) = tokio::sync::mpsc::channel(8);
    let notes = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                word = words.recv() => match word {
                    Some(Word::Say(number)) => talker.say(&format!("number {number} of many")).await,
                    Some(Word::Withdraw) => talker.withdraw().await,
                    None => return,
                },
                message = talker.socket.stream.next() => {
                    let Some(Ok(message)) = message else { return };
                    let (at, text) = (Instant::now(), message.into_text().unwrap_or_default());
                    let number = text.split("\"text\":\"number ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
                    let what = match number {
                        Some(number) => Some((Kind::Message, number)),
                        None => text.contains("\"retracted\"").then_some((Kind::Retracted, 0)),
                    };
                    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
                    notes.extend(what.map(|(kind, number)| (kind, number, at)));
                }
            }
        }
    });
    (heard, say)
}
