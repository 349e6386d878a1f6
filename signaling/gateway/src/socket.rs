//! `/ws`: a token first, then offers and notices for as long as the socket is open.

use crate::app::App;
use crate::config::IceServer;
use crate::edge::{Allowance, PrefixTag};
use crate::fault::Problem;
use crate::random;
use crate::sdp::Origin;
use crate::session::{Access, Mail, SocketGone};
use axum::extract::State;
use axum::extract::rejection::ExtensionRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, Sleep, interval_at, sleep, timeout};
use veilcast_control::{Role, VideoCap};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{
    Answer, ClientMessage, FaultCode, Hello, MAX_MESSAGE, Offer, QualityCap, QualityWish, ServerMessage, StageState,
    Welcome,
};
use veilcast_room::SocketId;

/// A page sends its token as soon as the socket opens.
const HELLO: Duration = Duration::from_secs(5);
/// A token has less than 4 KiB, and a frame and its envelope some bytes.
const HELLO_BYTES: usize = 8 * 1024;
/// Set apart for as long as a socket is open, and filled with zeros for every read. An offer takes more for a moment.
const READ_BUFFER: usize = 4 * 1024;
/// Three pings fit into the time after which a silent socket counts as lost; proxies often cut at 60 s too.
const PING: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(60);
/// A client that does not take a message for this long takes none.
const SEND: Duration = Duration::from_secs(10);
/// A page offers once for itself and again when others come and go: all 16 places of a stage at once, and as much again
/// for a network that changes meanwhile. Each offer is read here and answered by a shard.
const OFFERS: u32 = 32;
/// What earns one more.
const BETWEEN_OFFERS: Duration = Duration::from_secs(2);
/// Fifty messages in ten seconds come from no page of ours.
const BURST: u32 = 50;
const BURST_TIME: Duration = Duration::from_secs(10);

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/ws", crate::methods::only(axum::routing::get(upgrade), "GET"))
}

async fn upgrade(
    State(app): State<Arc<App>>,
    caller: Result<Extension<PrefixTag>, ExtensionRejection>,
    allowance: Option<Extension<Allowance>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return Problem::new(FaultCode::BadRequest).detail("this address takes WebSockets").into_response();
    };
    let caller = caller.ok().map(|Extension(caller)| caller);
    let allowance = allowance.map(|Extension(allowance)| allowance).unwrap_or_default();
    // Whoever has shown no token yet makes nobody keep more than one.
    allowance.limit(HELLO_BYTES);
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).read_buffer_size(READ_BUFFER);
    upgrade.on_upgrade(move |socket| async move {
        let mut wire = Wire { socket, allowance };
        if let Err(Leaving(code)) = serve(&app, &mut wire, caller).await {
            wire.close(code).await;
        }
    })
}

/// Why a socket is closed, as a close code (RFC 6455 section 7.4.1).
struct Leaving(u16);

impl From<SocketGone> for Leaving {
    fn from(_: SocketGone) -> Self {
        Self(close_code::AGAIN)
    }
}

/// The socket, sending with a limit on time.
struct Wire {
    socket: WebSocket,
    allowance: Allowance,
}

impl Wire {
    async fn say(&mut self, message: &ServerMessage) -> Result<(), Leaving> {
        let text = serde_json::to_string(message).map_err(|_| Leaving(close_code::ERROR))?;
        self.send(Message::text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Leaving> {
        match timeout(SEND, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Leaving(close_code::AWAY)),
        }
    }

    async fn refuse(&mut self, problem: Problem) -> Result<(), Leaving> {
        self.say(&ServerMessage::Fault { fault: problem.fault }).await
    }

    async fn close(mut self, code: u16) {
        let frame = CloseFrame { code, reason: "".into() };
        _ = timeout(SEND, self.socket.send(Message::Close(Some(frame)))).await;
    }
}

async fn serve(app: &Arc<App>, wire: &mut Wire, caller: Option<PrefixTag>) -> Result<(), Leaving> {
    let access = match greet(app, wire).await {
        Ok(access) => access,
        Err(problem) => {
            let problem = match caller {
                Some(caller) if problem.is_failure() => app.throttle.count(caller, problem),
                _ => problem,
            };
            wire.refuse(problem).await?;
            return Err(Leaving(close_code::POLICY));
        }
    };
    wire.allowance.lift();
    let id = app.hub.number_socket();
    let mail = app.hub.directory.add_socket(id);
    // From here on, whatever ends this function takes the socket and its session out of the room.
    let _present = Present { app, id };
    let stage = match attach(app, &access, id).await {
        Ok(stage) => stage,
        Err(problem) => {
            wire.refuse(problem).await?;
            return Err(Leaving(close_code::AGAIN));
        }
    };
    let event = crate::events::summary(&access.event);
    let role = match access.role {
        Role::Broadcaster => veilcast_protocol::Role::Broadcaster,
        Role::Viewer => veilcast_protocol::Role::Viewer,
    };
    // Without randomness nobody would have got this far.
    let ice_servers = app.ice_servers().map_err(|_| Leaving(close_code::ERROR))?.iter().map(told).collect();
    wire.say(&ServerMessage::Welcome(Welcome { role, event, stage, ice_servers })).await?;
    let mut member =
        Member { app, id, access, caller, origin: None, offers: Offers::new(), messages: 0, since: Instant::now() };
    member.listen(wire, mail).await
}

/// Enters the room of its event; what its stage carries now.
async fn attach(app: &App, access: &Access, id: SocketId) -> Result<StageState, Problem> {
    let opened = app.open_room(&access.event)?;
    let stage = app.hub.with(|rooms, _| rooms.attach(&access.event.id, id, access.role, access.principal))?;
    if opened {
        app.look_again(&access.event.id).await?;
    }
    Ok(stage)
}

/// An ICE server as somebody who has been let in may know it.
fn told(server: &IceServer) -> veilcast_protocol::IceServer {
    let credential = server.credential.as_ref().map(|secret| secret.expose_text().to_owned());
    veilcast_protocol::IceServer { url: server.url.clone(), username: server.username.clone(), credential }
}

/// Waits for `hello` and checks its token.
async fn greet(app: &App, wire: &mut Wire) -> Result<Access, Problem> {
    let missing = || Problem::new(FaultCode::TokenMissing).detail("the first message is 'hello' with a token");
    let received = timeout(HELLO, wire.socket.recv()).await;
    let Ok(Some(Ok(Message::Text(text)))) = received else { return Err(missing()) };
    let Ok(ClientMessage::Hello(Hello { token, role })) = serde_json::from_str(&text) else { return Err(missing()) };
    let token = veilcast_privacy::Secret::from(token);
    if app.is_draining() {
        return Err(Problem::new(FaultCode::Draining));
    }
    let grant = app.issuer.verify(token.expose_text(), SystemTime::now()).await?;
    let event = grant.event.ok_or(Problem::new(FaultCode::ScopeMissing))?;
    let access = app.access_of(&grant, &event).await?;
    match role {
        None => Ok(access),
        Some(veilcast_protocol::Role::Broadcaster) => access.coming_as(Role::Broadcaster),
        Some(veilcast_protocol::Role::Viewer) => access.coming_as(Role::Viewer),
    }
}

/// How often a socket may offer: [`OFFERS`] at once, then one every [`BETWEEN_OFFERS`].
struct Offers {
    /// When all of them are there again.
    rested: Instant,
}

impl Offers {
    fn new() -> Self {
        Self { rested: Instant::now() }
    }

    /// Takes one, or says how long until there is one.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let due = self.rested.checked_sub(BETWEEN_OFFERS * (OFFERS - 1)).unwrap_or(now);
        if due > now {
            return Err(due - now);
        }
        self.rested = self.rested.max(now) + BETWEEN_OFFERS;
        Ok(())
    }
}

/// Takes the socket out when it goes, however it goes.
struct Present<'a> {
    app: &'a App,
    id: SocketId,
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.app.hub.directory.remove_socket(self.id);
        self.app.hub.with(|rooms, now| rooms.detach(self.id, now));
    }
}

/// Somebody in an event.
struct Member<'a> {
    app: &'a App,
    id: SocketId,
    access: Access,
    caller: Option<PrefixTag>,
    /// Of the media session's answers.
    origin: Option<Origin>,
    offers: Offers,
    messages: u32,
    since: Instant,
}

impl Member<'_> {
    /// The socket's loop: messages in, notices out, a ping now and then, until one of them ends it.
    async fn listen(&mut self, wire: &mut Wire, mut mail: Mail) -> Result<(), Leaving> {
        let mut pings = interval_at(Instant::now() + PING, PING);
        let mut idle = pin!(sleep(IDLE));
        let mut closing = pin!(sleep(Duration::MAX));
        loop {
            tokio::select! {
                received = wire.socket.recv() => {
                    idle.as_mut().reset(Instant::now() + IDLE);
                    match received {
                        Some(Ok(message)) => self.hear(wire, message).await?,
                        Some(Err(_)) | None => return Ok(()),
                    }
                }
                notice = mail.recv() => {
                    let notice = notice.ok_or(SocketGone)?;
                    wire.say(&notice).await?;
                    after(&notice, closing.as_mut())?;
                }
                _ = pings.tick() => wire.send(Message::Ping(Vec::new().into())).await?,
                () = &mut idle => return Err(Leaving(close_code::AWAY)),
                () = &mut closing => return Err(Leaving(close_code::RESTART)),
            }
        }
    }

    async fn hear(&mut self, wire: &mut Wire, message: Message) -> Result<(), Leaving> {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return self.count_message(wire).await,
            Message::Close(_) => return Err(Leaving(close_code::NORMAL)),
            Message::Binary(_) => return Err(Leaving(close_code::UNSUPPORTED)),
        };
        self.count_message(wire).await?;
        let outcome = match serde_json::from_str(&text) {
            Ok(ClientMessage::Offer(offer)) => self.offer(wire, offer).await?,
            Ok(ClientMessage::Quality(wish)) => self.wish(wish),
            Ok(ClientMessage::Leave) => self.leave(),
            Ok(ClientMessage::Hello(_)) => Err(Problem::new(FaultCode::BadRequest).detail("'hello' comes once")),
            Err(_) => Err(Problem::new(FaultCode::BadRequest).detail("no such message")),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(problem) => wire.refuse(self.counted(problem)).await,
        }
    }

    async fn count_message(&mut self, wire: &mut Wire) -> Result<(), Leaving> {
        if self.since.elapsed() > BURST_TIME {
            (self.messages, self.since) = (0, Instant::now());
        }
        self.messages += 1;
        if self.messages <= BURST {
            return Ok(());
        }
        wire.refuse(Problem::new(FaultCode::TooMany)).await?;
        Err(Leaving(close_code::POLICY))
    }

    fn counted(&self, problem: Problem) -> Problem {
        match self.caller {
            Some(caller) if problem.is_failure() => self.app.throttle.count(caller, problem),
            _ => problem,
        }
    }

    /// Starts a media session with the first offer and renegotiates with later ones.
    async fn offer(&mut self, wire: &mut Wire, offer: Offer) -> Result<Result<(), Problem>, Leaving> {
        match self.answer(&offer.sdp).await {
            Ok(sdp) => wire.say(&ServerMessage::Answer(Answer { number: offer.number, sdp })).await.map(Ok),
            Err(problem) => Ok(Err(problem)),
        }
    }

    async fn answer(&mut self, sdp: &str) -> Result<String, Problem> {
        if self.access.expires <= SystemTime::now() {
            return Err(Problem::new(FaultCode::TokenExpired));
        }
        if let Err(wait) = self.offers.take(Instant::now()) {
            let detail = format!("the next offer is read in {} s", wait.as_secs() + 1);
            return Err(Problem::new(FaultCode::TooMany).detail(detail).retry_after(wait));
        }
        let principal: Pseudonym = self.access.principal;
        let current = self.app.hub.with(|rooms, _| rooms.session_of(self.id));
        let answered = match (current, self.origin) {
            (Some(session), Some(origin)) => {
                let next = Origin { version: origin.version.wrapping_add(1), ..origin };
                self.origin = Some(next);
                self.app.renegotiate(session, principal, sdp, next).await?
            }
            _ => {
                let origin = Origin { session: random::number()?, version: 1 };
                self.origin = Some(origin);
                self.app.join(&self.access, random::session()?, Some(self.id), sdp, origin).await?
            }
        };
        Ok(answered.text)
    }

    /// Limits the picture, now or for the session to come.
    fn wish(&self, wish: QualityWish) -> Result<(), Problem> {
        let cap = match wish.max {
            QualityCap::Off => VideoCap::Off,
            QualityCap::Low => VideoCap::Low,
            QualityCap::Medium => VideoCap::Medium,
            QualityCap::High => VideoCap::High,
        };
        Ok(self.app.hub.with(|rooms, _| rooms.wish(self.id, cap))?)
    }

    /// Ends the media session; a socket without one has nothing to leave.
    fn leave(&self) -> Result<(), Problem> {
        match self.app.hub.with(|rooms, _| rooms.session_of(self.id)) {
            Some(session) => self.app.leave(session, self.access.principal),
            None => Err(Problem::new(FaultCode::SessionUnknown)),
        }
    }
}

/// Some notices are the last, or nearly.
fn after(notice: &ServerMessage, mut closing: std::pin::Pin<&mut Sleep>) -> Result<(), Leaving> {
    match notice {
        ServerMessage::Ended(_) => Err(Leaving(close_code::NORMAL)),
        ServerMessage::Draining(draining) => {
            let wait = Duration::from_millis(draining.retry_after_ms.into());
            closing.as_mut().reset(Instant::now() + wait);
            Ok(())
        }
        _ => Ok(()),
    }
}
