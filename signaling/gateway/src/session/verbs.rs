use super::directory::Reply;
use super::standing::Standing;
use crate::app::App;
use crate::fault::Problem;
use crate::random;
use crate::sdp::{OfferShape, Origin, parse_offer, write_answer};
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use veilcast_auth::{EventId, Grant, IssuerSessionId, LocationCap, Proof, Reach, Scope, Thumbprint, Ticket};
use veilcast_control::{Answer, IceCredentials, PeerKey, PlayoutDelay, Role, RoomSettings};
use veilcast_journal::Family;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::FaultCode;
use veilcast_records::{Admission, Event, EventState, Latency};
use veilcast_room::{Join, Restart, SessionId, SocketId};

/// The media plane answers within milliseconds; whoever has waited this long is better served by an error.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A permission for one event, checked: what is left of a token after admission.
pub(crate) struct Access {
    pub(crate) event: Event,
    pub(crate) role: Role,
    /// A broadcaster who was invited to somebody else's stage.
    pub(crate) invited: bool,
    /// A viewer that is not one of the audience: a broadcaster who looks at the others.
    pub(crate) uncounted: bool,
    pub(crate) principal: Pseudonym,
    /// What it comes with; programs say nothing that is looked at.
    pub(crate) family: Family,
    pub(crate) standing: Standing,
    /// It has to be let in by hand, where the event has that.
    pub(crate) asks: bool,
    /// It comes to look after the event.
    pub(crate) moderates: bool,
    /// The most that its holder can agree to of where they are.
    pub(crate) location: LocationCap,
    /// Whose key the token is bound to; `None` for a program's.
    pub(crate) key: Option<Thumbprint>,
    /// What the token permits ends then.
    pub(crate) until: Instant,
    /// The sign-in that the token came of, and ends with.
    pub(crate) signed_in: Option<IssuerSessionId>,
    /// The token itself.
    pub(crate) ticket: Ticket,
}

impl Access {
    /// Comes as less than the token permits: a broadcaster may look on.
    pub(crate) fn coming_as(self, role: Role) -> Result<Self, Problem> {
        match (self.role, role) {
            (Role::Broadcaster, Role::Viewer) => Ok(Self { role, uncounted: true, ..self }),
            (own, wanted) if own == wanted => Ok(self),
            _ => Err(Problem::new(FaultCode::ScopeMissing)),
        }
    }
}

/// An answered offer.
pub(crate) struct Answered {
    pub(crate) answer: Box<Answer>,
    pub(crate) shape: OfferShape,
    pub(crate) text: String,
    pub(crate) remote_ufrag: String,
}

/// When a grant ends, on the clock of timers.
pub(crate) fn end_of(grant: &Grant) -> Instant {
    Instant::now() + grant.expires.duration_since(SystemTime::now()).unwrap_or_default()
}

/// The certificate of an offer is the one that its sender has proven the key for: whoever changes the offer on its way cannot
/// put another into its place. Every `a=fingerprint` counts.
pub(crate) fn same_certificate(proof: &Proof, sdp: &str) -> Result<(), Problem> {
    let proven = proof.dtls_fingerprint.as_deref().ok_or(Problem::new(FaultCode::ProofInvalid))?;
    // An offer without any is refused by its parser.
    let same = certificates(sdp).all(|value| value.eq_ignore_ascii_case(proven));
    if same { Ok(()) } else { Err(Problem::new(FaultCode::ProofInvalid).detail("dtls_fingerprint")) }
}

/// A later offer has one certificate in all its sections; that it is the session's is for the media plane to see, which has that.
fn one_certificate(sdp: &str) -> Result<(), Problem> {
    let mut all = certificates(sdp);
    let first = all.next().unwrap_or_default();
    let same = all.all(|value| value.eq_ignore_ascii_case(first));
    if same { Ok(()) } else { Err(Problem::new(FaultCode::ProofInvalid).detail("dtls_fingerprint")) }
}

fn certificates(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.lines().filter_map(|line| line.strip_prefix("a=fingerprint:")).map(str::trim)
}

/// Whether a token only lets its holder ask. Whoever was invited, by a program or by its key, was let in by that; an operator lets in.
fn asks(grant: &Grant, row: &Event) -> bool {
    let anybodys = matches!(grant.reach, Reach::Guest | Reach::Account);
    row.admission == Admission::Approval && anybodys && grant.scope == Scope::Watch && !grant.operator
}

/// What a scope permits in a room.
pub(crate) const fn permission(scope: Scope) -> Option<Role> {
    match scope {
        Scope::Broadcast => Some(Role::Broadcaster),
        Scope::Watch | Scope::Moderate => Some(Role::Viewer),
        Scope::Admin | Scope::Account | Scope::Program(_) => None,
    }
}

impl App {
    /// Turns a grant into a permission for `event`. An event that does not exist is told apart only for
    /// holders of a genuine token; a genuine token for another event is as good as none.
    pub(crate) async fn access_of(&self, grant: &Grant, event: &EventId) -> Result<Access, Problem> {
        let access = self.permitted(grant, event).await?;
        self.let_in(grant, &access.event)?;
        Ok(access)
    }

    /// The same of somebody who may have to be let in by hand yet.
    pub(crate) async fn permitted(&self, grant: &Grant, event: &EventId) -> Result<Access, Problem> {
        let row = self.records.event(event).await?.ok_or(Problem::new(FaultCode::EventUnknown))?;
        let scope = self.in_event(grant, event)?;
        let role = permission(scope).ok_or(Problem::new(FaultCode::ScopeMissing))?;
        if row.state == EventState::Ended {
            return Err(Problem::new(FaultCode::EventEnded));
        }
        let principal = grant.principal.pseudonym();
        let (invited, key, until) = (grant.invited, grant.key, end_of(grant));
        let signed_in = grant.recognised.as_ref().map(|recognised| recognised.session.clone());
        let (standing, moderates, ticket) = (Standing::of(grant), scope == Scope::Moderate, grant.ticket());
        let (asks, uncounted, location) = (asks(grant, &row), false, grant.location);
        let family = Family::Program;
        let event = row;
        Ok(Access {
            event,
            role,
            invited,
            uncounted,
            principal,
            family,
            standing,
            asks,
            moderates,
            location,
            key,
            until,
            signed_in,
            ticket,
        })
    }

    /// Refuses whom an event's host has to let in, and has not.
    pub(crate) fn let_in(&self, grant: &Grant, row: &Event) -> Result<(), Problem> {
        if !asks(grant, row) {
            return Ok(());
        }
        match self.hub.with(|rooms, _| rooms.was_let_in(&row.id, grant.principal.pseudonym())) {
            Some(true) => Ok(()),
            Some(false) => Err(Problem::new(FaultCode::TurnedAway)),
            None => Err(Problem::new(FaultCode::EventApproval)),
        }
    }

    /// Looks once more whether the token and the sign-in that somebody has come by last: what ended after the token was looked at and before
    /// they were in would not be found when others are put out.
    pub(crate) async fn confirm_sign_in(&self, access: &Access) -> Result<(), Problem> {
        if self.issuer.is_over(&access.ticket).await? {
            return Err(Problem::new(FaultCode::AccessRevoked));
        }
        let Some(session) = &access.signed_in else { return Ok(()) };
        match self.records.session_by_id(session, SystemTime::now()).await? {
            Some(_) => Ok(()),
            None => Err(Problem::new(FaultCode::AccessRevoked)),
        }
    }

    /// Opens the event's room if it is not open; whether it was not.
    pub(crate) fn open_room(&self, event: &Event) -> Result<bool, Problem> {
        // What reveals speech is dropped unless everybody may listen anyway.
        let playout_delay = match event.latency {
            Latency::Interactive => PlayoutDelay::INTERACTIVE,
            Latency::Balanced => PlayoutDelay::BALANCED,
        };
        let settings =
            RoomSettings { private: event.admission != Admission::Public, playout_delay, ..RoomSettings::default() };
        let key = random::room()?;
        Ok(self.hub.with(|rooms, _| rooms.open(&event.id, key, settings, event.broadcasters))?)
    }

    /// Looks at an event again whose room has just been opened: what changed after it was read and before there was a room,
    /// nobody has told the room. Whoever opened it is in by now, so that it stays open.
    pub(crate) async fn look_again(&self, event: &EventId) -> Result<(), Problem> {
        match self.records.event(event).await? {
            Some(row) if row.state != EventState::Ended => {
                self.hub.with(|rooms, _| rooms.confirm_broadcasters(event, row.broadcasters));
                Ok(())
            }
            _ => {
                self.hub.end(event);
                Err(Problem::new(FaultCode::EventEnded))
            }
        }
    }

    /// Admits a new session with its first offer and waits for the answer.
    pub(crate) async fn join(
        &self,
        access: &Access,
        session: SessionId,
        socket: Option<SocketId>,
        sdp: &str,
        origin: Origin,
    ) -> Result<Answered, Problem> {
        if self.hub.is_overloaded() {
            return Err(Problem::new(FaultCode::TooMany));
        }
        let parsed = parse_offer(sdp)?;
        let remote_ufrag = parsed.offer.ice.ufrag.clone();
        self.note_join(access.principal, access.event.id);
        let opened = self.open_room(&access.event)?;
        let peer = random::peer()?;
        let join = Join {
            event: access.event.id,
            session,
            peer,
            role: access.role,
            principal: access.principal,
            family: access.family,
            invited: access.invited,
            uncounted: access.uncounted,
            socket,
            ice: random::ice()?,
            seed: random::seed()?,
            offer: parsed.offer,
        };
        let reply = self.hub.directory.expect(peer).ok_or(Problem::new(FaultCode::Internal))?;
        let mut guard = Joining { app: self, session, peer, principal: access.principal, settled: false };
        self.hub.with(|rooms, now| rooms.admit(join, now))?;
        if opened {
            self.look_again(&access.event.id).await?;
        }
        let answer = self.answer(reply).await?;
        guard.settled = true;
        let text = write_answer(&answer, &parsed.shape, origin);
        Ok(Answered { answer, shape: parsed.shape, text, remote_ufrag })
    }

    /// Offers again in an established session and waits for the answer.
    pub(crate) async fn renegotiate(
        &self,
        session: SessionId,
        principal: Pseudonym,
        sdp: &str,
        origin: Origin,
    ) -> Result<Answered, Problem> {
        if self.hub.is_overloaded() {
            return Err(Problem::new(FaultCode::TooMany));
        }
        one_certificate(sdp)?;
        let parsed = parse_offer(sdp)?;
        let remote_ufrag = parsed.offer.ice.ufrag.clone();
        let fresh = random::ice()?;
        let reply = self.ask(session, principal, |rooms| rooms.renegotiate(session, principal, parsed.offer, fresh))?;
        let answer = self.answer(reply).await?;
        let text = write_answer(&answer, &parsed.shape, origin);
        Ok(Answered { answer, shape: parsed.shape, text, remote_ufrag })
    }

    /// Restarts ICE and returns our new credentials as the media plane uses them.
    pub(crate) async fn restart(
        &self,
        session: SessionId,
        principal: Pseudonym,
        remote: IceCredentials,
    ) -> Result<IceCredentials, Problem> {
        if self.hub.is_overloaded() {
            return Err(Problem::new(FaultCode::TooMany));
        }
        let restart = Restart { remote, local: random::ice()? };
        let reply = self.ask(session, principal, |rooms| rooms.restart(session, principal, restart))?;
        match wait(reply).await? {
            Reply::Restarted(local) => Ok(local),
            Reply::Fault(fault) => Err(fault.into()),
            Reply::Answer(_) | Reply::Gone => Err(Problem::new(FaultCode::SessionUnknown)),
        }
    }

    /// Ends a session for its owner.
    pub(crate) fn leave(&self, session: SessionId, principal: Pseudonym) -> Result<(), Problem> {
        Ok(self.hub.with(|rooms, now| rooms.leave(session, principal, now))?)
    }

    /// Changes how many may broadcast to an event at once.
    pub(crate) async fn set_broadcasters(&self, event: &EventId, limit: u8) -> Result<bool, Problem> {
        let changed = self.records.set_broadcasters(event, limit).await?;
        self.hub.with(|rooms, _| rooms.set_broadcasters(event, limit));
        Ok(changed)
    }

    /// Ends an event for everybody.
    pub(crate) async fn end(&self, event: &EventId) -> Result<(), Problem> {
        self.records.end_event(event).await?;
        self.hub.end(event);
        Ok(())
    }

    /// Sends a command of an established session. One at a time: a second one would take the first one's reply.
    fn ask(
        &self,
        session: SessionId,
        principal: Pseudonym,
        act: impl FnOnce(&mut veilcast_room::Rooms<EventId>) -> Result<(), veilcast_room::Refusal>,
    ) -> Result<oneshot::Receiver<Reply>, Problem> {
        self.hub.with(|rooms, _| {
            let peer = rooms.peer_of(session, principal)?;
            let reply = self.hub.directory.expect(peer).ok_or(Problem::new(FaultCode::PreconditionFailed))?;
            act(rooms).inspect_err(|_| self.hub.directory.stop_expecting(peer))?;
            Ok(reply)
        })
    }

    async fn answer(&self, reply: oneshot::Receiver<Reply>) -> Result<Box<Answer>, Problem> {
        match wait(reply).await? {
            Reply::Answer(answer) => Ok(answer),
            Reply::Fault(fault) => Err(fault.into()),
            Reply::Restarted(_) | Reply::Gone => Err(Problem::new(FaultCode::SessionUnknown)),
        }
    }
}

async fn wait(reply: oneshot::Receiver<Reply>) -> Result<Reply, Problem> {
    match timeout(ANSWER_TIMEOUT, reply).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(_)) => Err(Problem::new(FaultCode::SessionUnknown)),
        Err(_) => {
            veilcast_logs::error!("the media plane did not answer in time");
            Err(Problem::new(FaultCode::Internal))
        }
    }
}

/// Takes a session back whose answer nobody received: a refusal, a timeout, or a client that hung up and whose
/// request was dropped.
struct Joining<'a> {
    app: &'a App,
    session: SessionId,
    peer: PeerKey,
    principal: Pseudonym,
    settled: bool,
}

impl Drop for Joining<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.app.hub.directory.forget_peer(self.peer);
            // Refused admissions have left no session; then there is nothing to end.
            _ = self.app.leave(self.session, self.principal);
        }
    }
}
