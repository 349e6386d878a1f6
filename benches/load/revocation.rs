//! `make bench BENCH=revocation`: how long after a call somebody who was put out still gets something, read where it arrives.
//!
//! A hundred people who were invited watch one broadcast, in turns over WHEP and over the WebSocket, each with a key, an address
//! and an invitation of their own. The first half is put out one by one: an operator revokes an invitation over REST. Co-hosts, who
//! have a place on stage and look on, are kept out one by one by a ban. Somebody who watches on many devices with one account is signed
//! out of all of them at once by a command. Then the operator ends the event, and with it the other half at once.

use crate::people::{Seat, broadcast};
use crate::server::{HTTP, Server};
use crate::{Failure, quantile};
use futures_util::StreamExt;
use harness::Peer;
use holder::Holder;
use holder::client::{Client, Pass, Socket, send};
use holder::operator::issuer_cookie;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use veilcast_control::Setup;

const VIEWERS: u8 = 100;
/// All places on stage but the host's.
const COHOSTS: u8 = 15;
/// Of one account.
const DEVICES: u8 = 20;
/// Joins a second.
const JOIN_RATE: u32 = 20;
/// What arrives later than this after the answer to the call is counted.
const AFTER: Duration = Duration::from_millis(250);
/// How long is listened after each call.
const LISTEN: Duration = Duration::from_millis(600);
const PASSWORD: &str = "a password for a minute";
const NAME: &str = "Operator";

/// Somebody who watches, and what still comes.
struct Person {
    /// What is revoked of theirs, where it is their invitation.
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
    let cookie = operator.set_up(link.rsplit('#').next().unwrap_or_default(), NAME, PASSWORD).await;
    let admin = operator.operator(&cookie).await;
    let event = server.command(&["event", "create", "--title", "Revocation", "--public", "--broadcasters", "16"])?;
    let sends = server.command(&["token", "--event", &event, "--scope", "broadcast"])?;
    let epoch = Instant::now();
    let post = async |offer| server.post(&format!("/whip/{event}"), &sends, offer).await;
    let broadcaster = broadcast(epoch, post).await?;

    let mut people = Vec::with_capacity(VIEWERS.into());
    for number in 0..VIEWERS {
        let begun = Instant::now();
        people.push(Person::come((&operator, &admin), &event, number, epoch).await?);
        tokio::time::sleep((Duration::from_secs(1) / JOIN_RATE).saturating_sub(begun.elapsed())).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    begin_to_note(&people).await;

    let path = format!("/api/v1/events/{event}");
    let (one_by_one, at_once) = people.split_at(usize::from(VIEWERS / 2));
    let mut by_invitation = Late::default();
    for person in one_by_one {
        let called = Instant::now();
        operator.delete(&format!("{path}/invitations/{}", person.invitation), &admin).await.expect(204);
        by_invitation.listen(called, std::slice::from_ref(person)).await?;
    }
    let by_ban = bans(&server, (&operator, &admin), &event, epoch).await?;
    let by_account = account(&server, &event, epoch).await?;
    // Everybody who was signed in with that account is out, so is the operator.
    let admin = operator.operator(&sign_in(&operator).await).await;
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
    report([
        ("a revoked invitation", by_invitation),
        ("a moderator's ban", by_ban),
        ("an account's end", by_account),
        ("the event's end", by_event),
    ])
}

/// From here on, what comes is noted.
async fn begin_to_note(people: &[Person]) {
    for person in people {
        person.seat.watching.lock().await.arrivals = Some(Vec::new());
    }
    tokio::time::sleep(LISTEN).await;
}

/// Co-hosts come, look on, and are kept out one by one.
async fn bans(
    server: &Server,
    (operator, admin): (&Client, &Pass),
    event: &str,
    epoch: Instant,
) -> Result<Late, Failure> {
    let mut cohosts = Vec::with_capacity(COHOSTS.into());
    for number in 0..COHOSTS {
        let link = server.command(&["invite", "--event", event, "--role", "broadcast"])?;
        let (page, pass) = invited(event, link.rsplit('=').next().unwrap_or_default(), VIEWERS + number).await;
        let seed = 10_000 + u64::from(number);
        let stage = harness::sdp_offer(&Peer::new(([127, 0, 0, 1], 9).into(), Setup::ActPass, seed), "sendonly");
        page.sdp(&format!("/whip/{event}"), Some(&pass), &stage).await.expect(201);
        let socket = page.join_as(&pass, Some("viewer")).await;
        cohosts.push(Person::over(socket, String::new(), u64::from(VIEWERS + number), epoch).await?);
    }
    begin_to_note(&cohosts).await;
    let stage = operator.get_as(&format!("/api/v1/events/{event}/stage"), admin).await.expect(200).json();
    let mut late = Late::default();
    for (place, cohost) in (1_u64..).zip(&cohosts) {
        let called = Instant::now();
        let path = format!("/api/v1/events/{event}/bans");
        let body = json!({ "place": place, "tenure": tenure_at(&stage, place) });
        operator.post(&path, Some(admin), &body).await.expect(201);
        late.listen(called, std::slice::from_ref(cohost)).await?;
    }
    Ok(late)
}

/// Whose turn it is there.
fn tenure_at(stage: &serde_json::Value, place: u64) -> &serde_json::Value {
    let places = stage["places"].as_array().into_iter().flatten();
    places.filter(|taken| taken["place"] == json!(place)).map(|taken| &taken["tenure"]).next().unwrap_or(stage)
}

/// Somebody watches on many devices, and is signed out of all of them.
async fn account(server: &Server, event: &str, epoch: Instant) -> Result<Late, Failure> {
    let mut devices = Vec::with_capacity(DEVICES.into());
    for number in 0..DEVICES {
        let page = Client::new(HTTP, [127, 2, number, 1]);
        let own = page.operator(&sign_in(&page).await).await;
        let path = format!("/api/v1/events/{event}/token");
        let token = page.post(&path, Some(&own), &json!({ "role": "viewer" })).await.expect(200).json();
        let pass = own.with(token["token"].as_str().unwrap_or_default());
        let number = u64::from(VIEWERS + COHOSTS + number);
        devices.push(match number.is_multiple_of(2) {
            true => Person::over_whep((&page, &pass), event, String::new(), number, epoch).await?,
            false => Person::over(page.join(&pass).await, String::new(), number, epoch).await?,
        });
    }
    begin_to_note(&devices).await;
    let (mut late, called) = (Late::default(), Instant::now());
    server.command(&["account", "end-sessions", "--name", NAME])?;
    late.listen(called, &devices).await?;
    Ok(late)
}

async fn sign_in(page: &Client) -> String {
    let reply = page.post("/oauth/sign-in", None, &json!({ "name": NAME, "password": PASSWORD })).await.expect(200);
    issuer_cookie(&reply).to_owned()
}

/// Somebody with an address and a key of their own, who has come by an invitation.
async fn invited(event: &str, code: &str, number: u8) -> (Client, Pass) {
    let path = format!("/api/v1/events/{event}");
    let (page, holder) = (Client::new(HTTP, [127, 1, number, 1]), Arc::new(Holder::new()));
    let request = page.newcomer(&format!("{path}/join"), &holder).await.header("content-type", "application/json");
    let came = send(request.body(json!({ "invitation": code }).to_string())).await.expect(200).json();
    let pass = Pass::bound(&holder, came["token"].as_str().unwrap_or_default());
    (page, pass)
}

impl Person {
    /// Somebody who was invited: every second one over WHEP.
    async fn come(
        (operator, admin): (&Client, &Pass),
        event: &str,
        number: u8,
        epoch: Instant,
    ) -> Result<Self, Failure> {
        let wanted = json!({ "role": "viewer", "expires_in": 3_600 });
        let path = format!("/api/v1/events/{event}/invitations");
        let made = operator.post(&path, Some(admin), &wanted).await.expect(201).json();
        let invitation = made["id"].as_str().unwrap_or_default().to_owned();
        let (page, pass) = invited(event, made["code"].as_str().unwrap_or_default(), number).await;
        if number.is_multiple_of(2) {
            return Self::over_whep((&page, &pass), event, invitation, number.into(), epoch).await;
        }
        Self::over(page.join(&pass).await, invitation, number.into(), epoch).await
    }

    async fn over_whep(
        (page, pass): (&Client, &Pass),
        event: &str,
        invitation: String,
        number: u64,
        epoch: Instant,
    ) -> Result<Self, Failure> {
        let post =
            async |offer: String| Ok(page.sdp(&format!("/whep/{event}"), Some(pass), &offer).await.expect(201).body);
        Ok(Self { invitation, seat: Seat::take(number, epoch, post).await?, messages: None })
    }

    async fn over(mut socket: Socket, invitation: String, number: u64, epoch: Instant) -> Result<Self, Failure> {
        let offer = async |offer: String| {
            socket.offer(1, &offer).await;
            Ok(socket.until("answer").await["sdp"].as_str().unwrap_or_default().to_owned())
        };
        let seat = Seat::take(number, epoch, offer).await?;
        let times = Arc::<Mutex<Vec<Instant>>>::default();
        let notes = Arc::clone(&times);
        let hearing = tokio::spawn(async move {
            while let Some(Ok(_)) = socket.stream.next().await {
                notes.lock().await.push(Instant::now());
            }
        });
        Ok(Self { invitation, seat, messages: Some((times, hearing.abort_handle())) })
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

impl Drop for Person {
    fn drop(&mut self) {
        self.messages.iter().for_each(|(_, hearing)| hearing.abort());
    }
}

impl Late {
    /// Listens after a call that was made just now, of which these were to be put out.
    async fn listen(&mut self, called: Instant, people: &[Person]) -> Result<(), Failure> {
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

fn report(mut ways: [(&'static str, Late); 4]) -> Result<(), Failure> {
    let mut all = Late {
        last: ways.iter().flat_map(|(_, late)| late.last.iter().copied()).collect(),
        packets_after: ways.iter().map(|(_, late)| late.packets_after).sum(),
    };
    println!("from a call to the last packet or message at whom it puts out, {} viewers", all.last.len());
    println!("{:>22} {:>8} {:>8} {:>8} {:>14}", "by", "people", "p50 ms", "p99 ms", "packets after");
    let mut rows = Vec::new();
    for (by, late) in ways.iter_mut().map(|(by, late)| (*by, late)).chain([("all", &mut all)]) {
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
