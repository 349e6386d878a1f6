//! `make bench BENCH=revocation`: how long after a call somebody who was put out still gets something, read where it arrives.
//!
//! A hundred people who were invited watch one broadcast, in turns over WHEP and over the WebSocket, each with a key, an address
//! and an invitation of their own. The first half is put out one by one: an operator revokes an invitation over REST. Then the
//! operator ends the event, and with it the other half at once.

use crate::people::{Seat, broadcast};
use crate::server::{HTTP, Server};
use crate::{Failure, quantile};
use futures_util::StreamExt;
use holder::Holder;
use holder::client::{Client, Pass, send};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

const VIEWERS: u8 = 100;
/// Joins a second.
const JOIN_RATE: u32 = 20;
/// What arrives later than this after the answer to the call is counted.
const AFTER: Duration = Duration::from_millis(250);
/// How long is listened after each call.
const LISTEN: Duration = Duration::from_millis(600);
const PASSWORD: &str = "a password for a minute";

/// Somebody who was invited, and what still comes.
struct Invited {
    invitation: String,
    seat: Seat,
    /// When messages came on the socket, for whoever has one.
    messages: Option<(Arc<Mutex<Vec<Instant>>>, AbortHandle)>,
}

/// What came after a call.
#[derive(Default)]
struct Late {
    /// From the sending of the call to the last packet or message of each person, goodbye included.
    last: Vec<Duration>,
    /// What came later than [`AFTER`].
    packets_after: usize,
}

pub(super) async fn run() -> Result<(), Failure> {
    let server = Server::start()?;
    server.ready().await?;
    let operator = Client::new(HTTP, [127, 0, 0, 1]);
    let link = server.command(&["setup"])?;
    let cookie = operator.set_up(link.rsplit('#').next().unwrap_or_default(), "Operator", PASSWORD).await;
    let admin = operator.operator(&cookie).await;
    let event = server.command(&["event", "create", "--title", "Revocation", "--public"])?;
    let sends = server.command(&["token", "--event", &event, "--scope", "broadcast"])?;
    let epoch = Instant::now();
    let post = async |offer| server.post(&format!("/whip/{event}"), &sends, offer).await;
    let broadcaster = broadcast(epoch, post).await?;

    let mut people = Vec::with_capacity(VIEWERS.into());
    for number in 0..VIEWERS {
        let begun = Instant::now();
        people.push(Invited::come((&operator, &admin), &event, number, epoch).await?);
        tokio::time::sleep((Duration::from_secs(1) / JOIN_RATE).saturating_sub(begun.elapsed())).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for person in &people {
        person.seat.watching.lock().await.arrivals = Some(Vec::new());
    }
    tokio::time::sleep(LISTEN).await;

    let path = format!("/api/v1/events/{event}");
    let (one_by_one, at_once) = people.split_at(usize::from(VIEWERS / 2));
    let mut by_invitation = Late::default();
    for person in one_by_one {
        let called = Instant::now();
        operator.delete(&format!("{path}/invitations/{}", person.invitation), &admin).await.expect(204);
        by_invitation.listen(called, std::slice::from_ref(person)).await?;
    }
    for person in at_once {
        let watching = person.seat.watching.lock().await;
        let latest = watching.arrivals.as_ref().and_then(|arrivals| arrivals.last());
        if latest.is_none_or(|at| at.elapsed() > Duration::from_secs(1)) {
            return Err("somebody was put out with the others".into());
        }
    }
    let mut by_event = Late::default();
    let called = Instant::now();
    operator.post(&format!("{path}/end"), Some(&admin), &json!({})).await.expect(200);
    by_event.listen(called, at_once).await?;
    broadcaster.abort();
    report(by_invitation, by_event)
}

impl Invited {
    async fn come(
        (operator, admin): (&Client, &Pass),
        event: &str,
        number: u8,
        epoch: Instant,
    ) -> Result<Self, Failure> {
        let path = format!("/api/v1/events/{event}");
        let wanted = json!({ "role": "viewer", "expires_in": 3_600 });
        let made = operator.post(&format!("{path}/invitations"), Some(admin), &wanted).await.expect(201).json();
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        let (page, holder) = (Client::new(HTTP, [127, 1, number, 1]), Arc::new(Holder::new()));
        let request = page.newcomer(&format!("{path}/join"), &holder).await.header("content-type", "application/json");
        let came = send(request.body(json!({ "invitation": text("code") }).to_string())).await.expect(200).json();
        let pass = Pass::bound(&holder, came["token"].as_str().unwrap_or_default());
        let (invitation, mut socket) = (text("id"), None);
        let seat = Seat::take(u64::from(number), epoch, async |offer| {
            if number.is_multiple_of(2) {
                return Ok(page.sdp(&format!("/whep/{event}"), Some(&pass), &offer).await.expect(201).body);
            }
            let socket = socket.insert(page.join(&pass).await);
            socket.offer(1, &offer).await;
            Ok(socket.until("answer").await["sdp"].as_str().unwrap_or_default().to_owned())
        })
        .await?;
        let messages = socket.map(|mut socket| {
            let times = Arc::<Mutex<Vec<Instant>>>::default();
            let notes = Arc::clone(&times);
            let hearing = tokio::spawn(async move {
                while let Some(Ok(_)) = socket.stream.next().await {
                    notes.lock().await.push(Instant::now());
                }
            });
            (times, hearing.abort_handle())
        });
        Ok(Self { invitation, seat, messages })
    }

    /// When packets and messages came from `since` on.
    async fn arrivals(&self, since: Instant) -> Vec<Instant> {
        let mut all = self.seat.watching.lock().await.arrivals.clone().unwrap_or_default();
        if let Some((messages, _)) = &self.messages {
            all.extend(messages.lock().await.iter());
        }
        all.retain(|at| *at >= since);
        all
    }
}

impl Drop for Invited {
    fn drop(&mut self) {
        self.messages.iter().for_each(|(_, hearing)| hearing.abort());
    }
}

impl Late {
    /// Listens after a call that was made just now, of which these were to be put out.
    async fn listen(&mut self, called: Instant, people: &[Invited]) -> Result<(), Failure> {
        let answered = Instant::now();
        tokio::time::sleep(LISTEN).await;
        for person in people {
            let arrivals = person.arrivals(called).await;
            let last = arrivals.iter().max().map_or(Duration::ZERO, |at| *at - called);
            self.last.push(last);
            self.packets_after += arrivals.iter().filter(|at| **at > answered + AFTER).count();
        }
        Ok(())
    }

    fn figures(&mut self) -> (f64, f64) {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        (millis(quantile(&mut self.last, 0.5)), millis(quantile(&mut self.last, 0.99)))
    }
}

fn report(mut by_invitation: Late, mut by_event: Late) -> Result<(), Failure> {
    let mut all = Late {
        last: [&by_invitation.last[..], &by_event.last[..]].concat(),
        packets_after: by_invitation.packets_after + by_event.packets_after,
    };
    println!("from a call to the last packet or message at whom it puts out, {VIEWERS} viewers");
    println!("{:>22} {:>8} {:>8} {:>8} {:>14}", "by", "people", "p50 ms", "p99 ms", "packets after");
    let mut rows = Vec::new();
    for (by, late) in
        [("a revoked invitation", &mut by_invitation), ("the event's end", &mut by_event), ("all", &mut all)]
    {
        let ((p50, p99), people, after) = (late.figures(), late.last.len(), late.packets_after);
        println!("{by:>22} {people:>8} {p50:>8.1} {p99:>8.1} {after:>14}");
        rows.push(json!({ "by": by, "viewers": people, "p50_ms": p50, "p99_ms": p99, "packets_after": after }));
    }
    let mut whole = rows.pop().unwrap_or_default();
    whole["rows"] = rows.into();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("revocation.json"), whole.to_string())?;
    Ok(())
}
