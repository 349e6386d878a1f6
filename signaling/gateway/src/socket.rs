//! `/ws`: a challenge, a token with its proof, then offers and notices until the lease ends.

mod door;
mod wire;

pub(crate) use door::PATIENCE;

use crate::app::App;
use crate::chat::Doer;
use crate::config::IceServer;
use crate::edge::{Allowance, PrefixTag};
use crate::fault::Problem;
use crate::journal::family;
use crate::random;
use crate::sdp::Origin;
use crate::session::{Access, Letter, Mail, SocketGone, same_certificate};
use axum::extract::State;
use axum::extract::rejection::ExtensionRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, Sleep, interval_at, sleep, sleep_until, timeout};
use veilcast_auth::{Challenge, EventId, Expiry, Freshness, Target};
use veilcast_consent::Party;
use veilcast_control::{Role, VideoCap};
use veilcast_journal::Family;
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_protocol::{
    Answer, ClientMessage, ConsentReceipt, ConsentRequest, EventSummary, FaultCode, Hello, Knock, Offer, Purpose,
    QualityCap, QualityWish, Renewal, Renewed, ServerMessage, StageState, Welcome,
};
use veilcast_room::SocketId;
use wire::{Turn, Wire};

/// A page sends its token as soon as the socket opens.
const HELLO: Duration = Duration::from_secs(5);
/// A token has less than 4 KiB, and a frame and its envelope some bytes.
const HELLO_BYTES: usize = 8 * 1024;
/// Set apart for as long as a socket is open, and filled with zeros for every read. An offer takes more for a moment.
const READ_BUFFER: usize = 4 * 1024;
/// Three pings fit into the time after which a silent socket counts as lost; proxies often cut at 60 s too.
const PING: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(60);
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
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return Problem::new(FaultCode::BadRequest).detail("this address takes WebSockets").into_response();
    };
    let family = family(&headers);
    let caller = caller.ok().map(|Extension(caller)| caller);
    let allowance = allowance.map(|Extension(allowance)| allowance).unwrap_or_default();
    // Whoever has shown no token yet makes nobody keep more than one.
    allowance.limit(HELLO_BYTES);
    // Global Privacy Control (https://www.w3.org/TR/gpc/): the only value is 1.
    let signal = headers.get("sec-gpc").is_some_and(|value| value == "1");
    let own_page =
        headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).is_some_and(|origin| app.origins.is_own(origin));
    let page = Page { caller, family, signal, own_page };
    wire::limited(upgrade).on_upgrade(move |socket| async move {
        let mut wire = Wire::new(socket, allowance);
        if let Err(Leaving::With(code)) = serve(&app, &mut wire, page).await {
            wire.close(code).await;
        }
    })
}

/// Why a socket is closed.
enum Leaving {
    /// With a close code (RFC 6455 section 7.4.1).
    With(u16),
    /// Without a word: none reaches the client, or what is left of the last one must not.
    Cut,
}

impl From<SocketGone> for Leaving {
    fn from(_: SocketGone) -> Self {
        Self::With(close_code::AGAIN)
    }
}

/// What the handshake tells of who comes.
struct Page {
    caller: Option<PrefixTag>,
    family: Family,
    /// It came with Global Privacy Control.
    signal: bool,
    /// It is one of the server's own.
    own_page: bool,
}

async fn serve(app: &Arc<App>, wire: &mut Wire, page: Page) -> Result<(), Leaving> {
    let Page { caller, family, signal, own_page } = page;
    let Ok(challenge) = Challenge::new() else { return Err(Leaving::With(close_code::ERROR)) };
    let nonce = challenge.nonce().to_owned();
    wire.say(&ServerMessage::Challenge(veilcast_protocol::Challenge { nonce })).await?;
    let Arrival { access, token, knock, gpc } = match greet(app, wire, &challenge).await {
        Ok(greeted) => greeted,
        Err(problem) => {
            let problem = match caller {
                Some(caller) if problem.is_failure() => app.throttle.count(caller, problem),
                _ => problem,
            };
            wire.refuse(problem).await?;
            return Err(Leaving::With(close_code::POLICY));
        }
    };
    let access = Access { family, ..access };
    wire.allowance.lift();
    let id = app.hub.number_socket();
    let mail = app.hub.directory.add_socket(id);
    app.hub.directory.lease(id, &access);
    // From here on, whatever ends this function takes the socket and its session out of the room.
    let _present = Present { app, id };
    let (event, asks_nothing) = (access.event.id, access.event.asks_nothing);
    let party = Party { event, subject: access.principal, signal: signal || gpc, asks_nothing };
    let party = Arc::new(party);
    if let Some(knock) = knock {
        let member = Member::new(app, id, access, party, token, challenge, caller);
        return door::wait(member, knock, wire, mail).await;
    }
    let stage = match attach(app, &access, id).await {
        Ok(stage) => stage,
        Err(problem) => {
            wire.refuse(problem).await?;
            return Err(Leaving::With(close_code::AGAIN));
        }
    };
    let break_glass = app.break_glass_at(&access.event.id);
    let event = EventSummary { break_glass, ..crate::events::summary(&access.event) };
    let role = match access.role {
        Role::Broadcaster => veilcast_protocol::Role::Broadcaster,
        Role::Viewer if access.moderates => veilcast_protocol::Role::Moderator,
        Role::Viewer => veilcast_protocol::Role::Viewer,
    };
    // Without randomness nobody would have got this far.
    let ice_servers = app.ice_servers().map_err(|_| Leaving::With(close_code::ERROR))?.iter().map(told).collect();
    let expires_in = left(access.until);
    wire.say(&ServerMessage::Welcome(Welcome { role, event, stage, ice_servers, expires_in })).await?;
    app.introduce(id, &party);
    let member = Member::new(app, id, access, party, token, challenge, caller);
    Member { own_page, ..member }.listen(wire, mail).await
}

/// Enters the room of its event; what its stage carries now.
async fn attach(app: &App, access: &Access, id: SocketId) -> Result<StageState, Problem> {
    let opened = app.open_room(&access.event)?;
    let stage = app.hub.with(|rooms, _| rooms.attach(&access.event.id, id, access.role, access.principal))?;
    if opened {
        app.look_again(&access.event.id).await?;
    }
    app.confirm_sign_in(access).await?;
    Ok(stage)
}

/// An ICE server as somebody who has been let in may know it.
fn told(server: &IceServer) -> veilcast_protocol::IceServer {
    let credential = server.credential.as_ref().map(|secret| secret.expose_text().to_owned());
    veilcast_protocol::IceServer { url: server.url.clone(), username: server.username.clone(), credential }
}

/// Until then, in whole seconds.
fn left(until: Instant) -> u32 {
    crate::events::seconds(until.saturating_duration_since(Instant::now()))
}

/// What every proof on a socket is about.
const fn target(challenge: &Challenge) -> Target<'_> {
    Target {
        method: "GET",
        path: "/ws",
        freshness: Freshness::Challenge(challenge),
        party: veilcast_auth::Party([0; 16]),
    }
}

/// Somebody whose token is good.
struct Arrival {
    access: Access,
    token: Secret,
    /// They only ask to be let in.
    knock: Option<Knock>,
    /// Their page sees Global Privacy Control.
    gpc: bool,
}

/// Waits for `hello` and checks its token and its proof.
async fn greet(app: &App, wire: &mut Wire, challenge: &Challenge) -> Result<Arrival, Problem> {
    let missing =
        || Problem::new(FaultCode::TokenMissing).detail("the first message is 'hello' with a token and a proof");
    let received = timeout(HELLO, wire.recv()).await;
    let Ok(Some(Message::Text(text))) = received else { return Err(missing()) };
    let Ok(ClientMessage::Hello(Hello { token, proof, role, knock, gpc })) = serde_json::from_str(&text) else {
        return Err(missing());
    };
    let (token, proof) = (Secret::from(token), Secret::from(proof));
    if app.is_draining() {
        return Err(Problem::new(FaultCode::Draining));
    }
    let access = app.access_over(&token, &proof, challenge, knock.is_some()).await?;
    let access = match role {
        None => access,
        Some(veilcast_protocol::Role::Broadcaster) => access.coming_as(Role::Broadcaster)?,
        Some(veilcast_protocol::Role::Viewer) => access.coming_as(Role::Viewer)?,
        Some(veilcast_protocol::Role::Moderator) if access.moderates => access,
        Some(veilcast_protocol::Role::Moderator) => return Err(Problem::new(FaultCode::ScopeMissing)),
    };
    Ok(Arrival { access, token, knock, gpc })
}

impl App {
    /// What a token that came over a socket permits, to whoever is in, or asks to be let in.
    async fn access_over(
        &self,
        token: &Secret,
        proof: &Secret,
        challenge: &Challenge,
        knocks: bool,
    ) -> Result<Access, Problem> {
        let (token, proof, target) = (token.expose_text(), proof.expose_text(), target(challenge));
        let (grant, _) = self.issuer.verify_bound(token, proof, &target, SystemTime::now(), Expiry::Enforced).await?;
        let event = grant.event.ok_or(Problem::new(FaultCode::ScopeMissing))?;
        if knocks { self.permitted(&grant, &event).await } else { self.access_of(&grant, &event).await }
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
        self.app.questions.forget(self.id);
        self.app.hub.with(|rooms, now| rooms.detach(self.id, now));
    }
}

/// Somebody in an event.
struct Member<'a> {
    app: &'a App,
    id: SocketId,
    access: Access,
    party: Arc<Party<EventId>>,
    /// The token in use.
    token: Secret,
    challenge: Challenge,
    caller: Option<PrefixTag>,
    /// Of the media session's answers.
    origin: Option<Origin>,
    offers: Offers,
    messages: u32,
    since: Instant,
    /// At the door, which is all that this socket is for.
    knocks: bool,
    /// One of the server's own pages: a person's choices are looked after here.
    own_page: bool,
}

impl<'a> Member<'a> {
    fn new(
        app: &'a App,
        id: SocketId,
        access: Access,
        party: Arc<Party<EventId>>,
        token: Secret,
        challenge: Challenge,
        caller: Option<PrefixTag>,
    ) -> Self {
        let (offers, since) = (Offers::new(), Instant::now());
        let (origin, messages, knocks, own_page) = (None, 0, false, false);
        Self { app, id, access, party, token, challenge, caller, origin, offers, messages, since, knocks, own_page }
    }

    /// The socket's loop: messages in, notices out, a ping now and then, until one of them ends it.
    async fn listen(&mut self, wire: &mut Wire, mut mail: Mail) -> Result<(), Leaving> {
        let mut pings = interval_at(Instant::now() + PING, PING);
        let mut idle = pin!(sleep(IDLE));
        let mut closing = pin!(sleep(Duration::MAX));
        let mut lapse = pin!(sleep_until(self.access.until));
        let mut patience = pin!(sleep(if self.knocks { door::PATIENCE } else { Duration::MAX }));
        loop {
            tokio::select! {
                turn = wire.turn() => match turn? {
                    Turn::Heard(message) => {
                        idle.as_mut().reset(Instant::now() + IDLE);
                        let Some(message) = message else { return Ok(()) };
                        self.hear(wire, message).await?;
                        lapse.as_mut().reset(self.access.until);
                    }
                    Turn::Written => {}
                },
                letter = mail.recv(), if !wire.is_busy() => match letter.ok_or(SocketGone)? {
                    Letter::Message(notice) => {
                        wire.tell(&notice).await?;
                        after(&notice, closing.as_mut())?;
                    }
                    Letter::Shared(frame) => wire.share(frame).await?,
                },
                _ = pings.tick(), if !wire.is_busy() => wire.ping().await?,
                () = &mut idle => return Err(Leaving::With(close_code::AWAY)),
                () = &mut closing => return Err(Leaving::With(close_code::RESTART)),
                () = &mut patience => {
                    wire.refuse(Problem::new(FaultCode::KnockUnanswered)).await?;
                    return Err(Leaving::With(close_code::POLICY));
                }
                () = &mut lapse => {
                    // First out, then told: a client that does not listen must not stay for that.
                    self.app.hub.with(|rooms, now| rooms.detach(self.id, now));
                    wire.refuse(Problem::new(FaultCode::TokenExpired)).await?;
                    return Err(Leaving::With(close_code::POLICY));
                }
            }
        }
    }

    async fn hear(&mut self, wire: &mut Wire, message: Message) -> Result<(), Leaving> {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return self.count_message(wire).await,
            Message::Close(frame) => {
                // So says a browser whose page is left or loaded again (RFC 6455 section 7.4.1); a page that only connects anew does not.
                if frame.is_some_and(|frame| frame.code == close_code::AWAY) {
                    self.app.end_showing_with(&self.party);
                }
                return Err(Leaving::With(close_code::NORMAL));
            }
            Message::Binary(_) => return Err(Leaving::With(close_code::UNSUPPORTED)),
        };
        self.count_message(wire).await?;
        let outcome = match serde_json::from_str(&text) {
            Ok(ClientMessage::Renew(renewal)) => self.renew(wire, renewal).await?,
            Ok(_) if self.knocks => Err(Problem::new(FaultCode::EventApproval)),
            Ok(ClientMessage::Offer(offer)) => self.offer(wire, offer).await?,
            Ok(ClientMessage::Quality(wish)) => self.wish(wish),
            Ok(ClientMessage::RequestConsent(request)) => self.request_consent(wire, request).await?,
            Ok(ClientMessage::WithdrawConsent(withdrawal)) => self.withdraw(wire, withdrawal.purpose).await?,
            Ok(ClientMessage::Sync(sync)) => {
                self.app.hub.with(|rooms, _| rooms.sync(self.id, sync));
                Ok(())
            }
            Ok(ClientMessage::Chat(verb)) => {
                let doer = Doer { socket: self.id, party: &self.party, access: &self.access };
                self.app.chat(&doer, verb).await
            }
            Ok(ClientMessage::ShareLocation(share)) => self.app.show_area(self.id, &self.access, &self.party, &share),
            Ok(ClientMessage::Leave) => self.leave(),
            Ok(ClientMessage::Hello(_)) => Err(Problem::new(FaultCode::BadRequest).detail("'hello' comes once")),
            Err(_) => Err(Problem::new(FaultCode::BadRequest).detail("no such message")),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(problem) => {
                self.app.hub.journal.note_fault(&self.access.event.id, &self.access.principal, problem.fault.code);
                wire.refuse(self.counted(problem)).await
            }
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
        Err(Leaving::With(close_code::POLICY))
    }

    fn counted(&self, problem: Problem) -> Problem {
        match self.caller {
            Some(caller) if problem.is_failure() => self.app.throttle.count(caller, problem),
            _ => problem,
        }
    }

    /// Starts a media session with the first offer and renegotiates with later ones.
    async fn offer(&mut self, wire: &mut Wire, offer: Offer) -> Result<Result<(), Problem>, Leaving> {
        let proof = offer.proof.map(Secret::from);
        match self.answer(&offer.sdp, proof.as_ref()).await {
            Ok(sdp) => wire.say(&ServerMessage::Answer(Answer { number: offer.number, sdp })).await.map(Ok),
            Err(problem) => Ok(Err(problem)),
        }
    }

    async fn answer(&mut self, sdp: &str, proof: Option<&Secret>) -> Result<String, Problem> {
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
                self.prove_certificate(proof, sdp)?;
                let origin = Origin { session: random::number()?, version: 1 };
                self.origin = Some(origin);
                self.app.join(&self.access, random::session()?, Some(self.id), sdp, origin).await?
            }
        };
        Ok(answered.text)
    }

    /// A media session begins with a proof for the certificate that it will show; the media plane holds it to that.
    fn prove_certificate(&self, proof: Option<&Secret>, sdp: &str) -> Result<(), Problem> {
        let proof =
            proof.ok_or(Problem::new(FaultCode::ProofMissing).detail("the first offer of a session has one"))?;
        let (proof, token) = (proof.expose_text(), self.token.expose_text());
        let proof = self.app.issuer.prove_with(proof, token, &target(&self.challenge), SystemTime::now())?;
        if Some(proof.key) == self.access.key {
            same_certificate(&proof, sdp)
        } else {
            Err(Problem::new(FaultCode::ProofInvalid))
        }
    }

    /// Goes on with a fresh token for the same subject, event, role and key.
    async fn renew(&mut self, wire: &mut Wire, renewal: Renewal) -> Result<Result<(), Problem>, Leaving> {
        let (token, proof) = (Secret::from(renewal.token), Secret::from(renewal.proof));
        let fresh = match self.app.access_over(&token, &proof, &self.challenge, self.knocks).await {
            Ok(fresh) => fresh,
            Err(problem) => return Ok(Err(problem)),
        };
        let own = &self.access;
        let same_role = own.role == fresh.role || own.uncounted && fresh.role == Role::Broadcaster;
        let same = own.principal == fresh.principal && own.event.id == fresh.event.id && own.key == fresh.key;
        if !same || !same_role {
            return Ok(Err(Problem::new(FaultCode::TokenInvalid)));
        }
        if token.expose_text() != self.token.expose_text() {
            // A broadcast of days would fill it.
            self.challenge.forget();
        }
        self.app.hub.directory.lease(self.id, &fresh);
        (self.access.until, self.access.location, self.token) = (fresh.until, fresh.location, token);
        self.app.hold_to_cap(&self.party, fresh.location);
        let expires_in = left(fresh.until);
        wire.say(&ServerMessage::Renewed(Renewed { expires_in })).await.map(Ok)
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

    async fn request_consent(&self, wire: &mut Wire, asked: ConsentRequest) -> Result<Result<(), Problem>, Leaving> {
        let asked = ConsentRequest { despite_signal: asked.despite_signal && self.own_page, ..asked };
        match self.app.question_for(self.id, &self.party, asked, self.access.location) {
            Ok(question) => wire.say(&ServerMessage::ConsentQuestion(question)).await.map(Ok),
            Err(problem) => Ok(Err(problem)),
        }
    }

    async fn withdraw(&self, wire: &mut Wire, purpose: Purpose) -> Result<Result<(), Problem>, Leaving> {
        let purpose = match self.app.parsed(&purpose) {
            Ok(purpose) => purpose,
            Err(problem) => return Ok(Err(problem)),
        };
        match self.app.withdraw_with_receipt(&self.party, purpose).await {
            Ok(Some(receipt)) => wire.say(&ServerMessage::ConsentReceipt(ConsentReceipt { receipt })).await.map(Ok),
            // Nothing has changed for anybody: only this page hears how it stands.
            Ok(None) => wire.say(&ServerMessage::Consent(self.app.consent_state(&self.party))).await.map(Ok),
            Err(problem) => Ok(Err(problem)),
        }
    }

    /// Ends the media session; a socket without one has nothing to leave.
    fn leave(&self) -> Result<(), Problem> {
        match self.app.hub.with(|rooms, _| rooms.session_of(self.id)) {
            Some(session) => self.app.leave(session, self.access.principal),
            None => Err(Problem::new(FaultCode::SessionUnknown)),
        }
    }
}

/// What somebody hears who was put out.
const fn is_last(code: FaultCode) -> bool {
    matches!(code, FaultCode::AccessRevoked | FaultCode::Removed | FaultCode::Banned | FaultCode::TurnedAway)
}

/// Some notices are the last, or nearly.
fn after(notice: &ServerMessage, mut closing: std::pin::Pin<&mut Sleep>) -> Result<(), Leaving> {
    match notice {
        ServerMessage::Ended(_) | ServerMessage::LetIn => Err(Leaving::With(close_code::NORMAL)),
        ServerMessage::Fault { fault } if is_last(fault.code) => Err(Leaving::With(close_code::POLICY)),
        ServerMessage::Draining(draining) => {
            let wait = Duration::from_millis(draining.retry_after_ms.into());
            closing.as_mut().reset(Instant::now() + wait);
            Ok(())
        }
        _ => Ok(()),
    }
}
