//! How a person is asked, answers, and takes it back.
//!
//! A page that embeds the player can speak through its socket, so nothing that is said there grants anything: a socket only asks for
//! a question. The answer comes from a page of this server's own origin, which browsers vouch for by `Origin`.

use crate::app::App;
use crate::credentials::Credentials;
use crate::edge::PrefixTag;
use crate::extract::{EventPath, JsonBody};
use crate::fault::Problem;
use crate::methods::only;
use crate::random;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::DashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_auth::{EventId, LocationCap};
use veilcast_consent::{
    Analytics, Asked, Chat, Choice, Consent, Decision, Ended, Event, Ledger, Location, Missing, Party, Personalisation,
    Presence, Purpose, Receipt, ReceiptError, Refused, Standing, Statement, Terms,
};
use veilcast_journal::Decision as Noted;
use veilcast_privacy::Pseudonym;
use veilcast_protocol::{
    AddedPurpose, ConsentChoice, ConsentQuestion, ConsentReceipt, ConsentReceipts, ConsentRequest, ConsentStanding,
    ConsentState, FaultCode, PurposeList, PurposeState, PurposeTerms,
};
use veilcast_room::{Removal, Rooms, SocketId, purpose_on_the_wire};

/// Somebody reads before they answer.
const GOOD_FOR: Duration = Duration::from_secs(600);
/// How often questions are looked at that nobody answers.
const STALE: Duration = Duration::from_secs(10);
/// A grant lasts no longer than an event does.
const LONGEST: u32 = 24 * 3_600;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/purposes", only(get(purposes), "GET"))
        .route("/api/v1/consent", only(post(choose), "POST"))
        .route("/api/v1/consent/grants/{id}", only(delete(take_back), "DELETE"))
}

/// Questions that wait for an answer.
#[derive(Default)]
pub(crate) struct Questions {
    /// By the name that whoever asks was given.
    open: DashMap<String, Question>,
    /// What each socket has asked last.
    names: DashMap<SocketId, BTreeMap<Purpose, String>>,
}

struct Question {
    party: Arc<Party<EventId>>,
    purpose: Purpose,
    /// A grant lasts no longer, in seconds.
    longest: Option<u32>,
    /// Asked by the person's own wish, against their browser's privacy signal.
    despite_signal: bool,
    asked: Instant,
}

impl Questions {
    /// Keeps a question; an older one of the same socket for the same purpose is void.
    fn ask(&self, socket: SocketId, name: String, question: Question) {
        let mut names = self.names.entry(socket).or_default();
        if let Some(before) = names.insert(question.purpose, name.clone()) {
            self.open.remove(&before);
        }
        self.open.insert(name, question);
    }

    /// Whether an answer is for a question that waits.
    fn has(&self, name: &str, fits: impl FnOnce(&Question) -> bool) -> bool {
        self.open.get(name).is_some_and(|question| question.is_good() && fits(&question))
    }

    /// Takes the question that an answer is for: it is good once.
    fn take(&self, name: &str) -> Result<Question, Problem> {
        let taken = self.open.remove(name).map(|(_, question)| question);
        taken.filter(Question::is_good).ok_or(Problem::new(FaultCode::QuestionUnknown))
    }

    /// A socket is gone, and what it asked.
    pub(crate) fn forget(&self, socket: SocketId) {
        let names = self.names.remove(&socket).map(|(_, names)| names);
        names.into_iter().flat_map(BTreeMap::into_values).for_each(|name| _ = self.open.remove(&name));
    }

    /// Forgets what nobody answers any more, now and then.
    pub(crate) async fn forget_on_a_clock(&self) {
        let mut ticks = tokio::time::interval(STALE);
        loop {
            ticks.tick().await;
            self.open.retain(|_, question| question.is_good());
        }
    }
}

#[cfg(test)]
impl Questions {
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }
}

impl Question {
    fn is_good(&self) -> bool {
        self.asked.elapsed() < GOOD_FOR
    }
}

/// What is asked for, in the words that a person sees.
async fn purposes(State(app): State<Arc<App>>) -> Json<PurposeList> {
    Json(PurposeList { purposes: app.purposes.all().map(told).collect() })
}

fn told(purpose: Purpose) -> PurposeTerms {
    let terms = Terms::of(purpose);
    PurposeTerms {
        purpose: purpose_on_the_wire(purpose),
        version: terms.version,
        since: terms.since.to_owned(),
        title: terms.title.to_owned(),
        what: terms.what.to_owned(),
        who: terms.who.to_owned(),
        how_long: terms.how_long.to_owned(),
        refusing: terms.refusing.to_owned(),
        remains: terms.remains.map(str::to_owned),
        yields_to_signal: purpose.yields_to_signal(),
    }
}

/// Takes an answer. The origin was compared before: here it only has to be there, since every browser sends one.
async fn choose(
    State(app): State<Arc<App>>,
    caller: Option<Extension<PrefixTag>>,
    headers: HeaderMap,
    JsonBody(choice): JsonBody<ConsentChoice>,
) -> Result<Json<ConsentReceipt>, Problem> {
    if !headers.contains_key(ORIGIN) {
        return Err(Problem::new(FaultCode::OriginForeign));
    }
    let statement = Statement::read(&choice.statement)?;
    let purpose = statement.purpose(&app.purposes)?;
    let signed = &statement.choice;
    let fits = |question: &Question| question.purpose == purpose && question.party.event.as_str() == signed.event;
    if !app.questions.has(&signed.question, fits) {
        return Err(Problem::new(FaultCode::QuestionUnknown));
    }
    let (version, key) = (signed.version, statement.key);
    // Only what was asked of somebody here counts: whoever makes up answers takes nothing from the others of their network.
    let decide = || {
        let Question { party, longest, despite_signal, .. } = app.questions.take(&signed.question)?;
        let decision = match signed.decision {
            Event::Given => Decision::Grant { lasting: lasting(signed.lasting, longest)? },
            Event::Refused => Decision::Refuse,
            Event::Withdrawn => return Err(Problem::new(FaultCode::StatementInvalid).detail("withdrawn")),
        };
        let place = app.decide(&party, Choice { purpose, version, decision, despite_signal, key })?;
        Ok((party, place))
    };
    let (party, place) = match caller {
        Some(Extension(caller)) => app.choices.spend_on(caller, decide)?,
        None => decide()?,
    };
    match app.write_receipt(&party, |missing| Receipt::of(&statement, missing), place, &key).await {
        Ok(receipt) => Ok(Json(ConsentReceipt { receipt })),
        // What nobody could prove later does not stand.
        Err(problem) => {
            app.withdraw(&party, purpose);
            Err(problem)
        }
    }
}

/// Takes back what was agreed to with the key of the proof that comes along (RFC 9449): whoever has closed the page and kept its
/// receipts still can. Tells the receipts of that; none where nothing stood any more.
async fn take_back(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    EventPath(event): EventPath,
) -> Result<Json<ConsentReceipts>, Problem> {
    let key = app.newcomer(&credentials)?.key;
    let mut receipts = Vec::new();
    for (subject, purpose) in app.hub.gated(|ledger, _, _| ledger.signed_with(&event, key.bits())) {
        let party = Party { event, subject, signal: false, asks_nothing: false };
        receipts.extend(app.withdraw_with_receipt(&party, purpose).await?);
    }
    Ok(Json(ConsentReceipts { receipts }))
}

/// How long a grant is to last: as long as was signed, so that no receipt says more or less than what holds.
fn lasting(signed: Option<u32>, longest: Option<u32>) -> Result<Option<Duration>, Problem> {
    let fits = match (signed, longest) {
        (None, longest) => longest.is_none(),
        (Some(seconds), longest) => (1..=longest.unwrap_or(LONGEST)).contains(&seconds),
    };
    let wrong = || Problem::new(FaultCode::StatementInvalid).detail("lasting");
    let seconds = fits.then_some(signed).ok_or_else(wrong)?;
    Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
}

impl App {
    /// A question for somebody who is on a socket.
    pub(crate) fn question_for(
        &self,
        socket: SocketId,
        party: &Arc<Party<EventId>>,
        ConsentRequest { purpose, despite_signal }: ConsentRequest,
        location: LocationCap,
    ) -> Result<ConsentQuestion, Problem> {
        if party.asks_nothing {
            return Err(Problem::new(FaultCode::ConsentLeftOut));
        }
        let asked_for = self.parsed(&purpose)?;
        let against = party.signal && asked_for.yields_to_signal();
        if against && !despite_signal {
            return Err(Problem::new(FaultCode::ConsentSignal));
        }
        let of_location = asked_for == Purpose::Location;
        let longest = if of_location { Some(crate::location::longest(location)?) } else { None };
        let name = URL_SAFE_NO_PAD.encode(random::bytes::<16>()?);
        let (party, asked) = (party.clone(), Instant::now());
        let question = Question { party, purpose: asked_for, longest, despite_signal: against, asked };
        self.questions.ask(socket, name.clone(), question);
        Ok(ConsentQuestion { question: name, purpose, longest, despite_signal: against })
    }

    pub(crate) fn parsed(&self, purpose: &veilcast_protocol::Purpose) -> Result<Purpose, Problem> {
        Ok(match purpose {
            veilcast_protocol::Purpose::Chat => Purpose::Chat,
            veilcast_protocol::Purpose::Presence => Purpose::Presence,
            veilcast_protocol::Purpose::Location => Purpose::Location,
            veilcast_protocol::Purpose::Analytics => Purpose::Analytics,
            veilcast_protocol::Purpose::Personalisation => Purpose::Personalisation,
            veilcast_protocol::Purpose::Added(name) => {
                self.purposes.named(name).ok_or(Problem::new(FaultCode::PurposeUnknown))?
            }
        })
    }

    /// Takes what somebody chose, and tells every socket of theirs. Returns the number of the grant, 0 of a refusal, and which choice of
    /// theirs it is.
    fn decide(&self, party: &Party<EventId>, choice: Choice) -> Result<(u32, u32), Problem> {
        self.hub.gated(|ledger, rooms, now| {
            let ended = ledger.decide(party, choice, now)?;
            let noted = match choice.decision {
                Decision::Grant { .. } => Noted::Granted,
                Decision::Refuse => Noted::Refused,
            };
            self.hub.journal.consent_changed(&party.event, &party.subject, choice.purpose, noted);
            if let Some(ended) = ended {
                rooms.retract(&party.event, party.subject, choice.purpose, ended.generation);
            }
            self.hub.follow_consent(ledger, rooms, &party.event, party.subject, now);
            let number = match ledger.standing(party, choice.purpose, now) {
                Standing::Granted { generation, .. } => generation,
                _ => 0,
            };
            Ok((number, ledger.turns(party)))
        })
    }

    /// Takes a grant back for somebody. When this returns, nothing is handed over under it any more.
    pub(crate) fn withdraw(&self, party: &Party<EventId>, purpose: Purpose) -> Option<Ended> {
        self.hub.gated(|ledger, rooms, now| {
            let ended = ledger.withdraw(&party.event, party.subject, purpose);
            if let Some(ended) = ended {
                rooms.retract(&party.event, party.subject, purpose, ended.generation);
                self.hub.journal.consent_changed(&party.event, &party.subject, purpose, Noted::Withdrawn);
                self.hub.follow_consent(ledger, rooms, &party.event, party.subject, now);
            }
            ended
        })
    }

    /// How somebody stands now.
    pub(crate) fn consent_state(&self, party: &Party<EventId>) -> ConsentState {
        self.hub.gated(|ledger, _, now| consent_state(ledger, party, now))
    }

    /// The same, with a receipt of it; none where nothing was granted. The grant has ended before this is polled a second time.
    pub(crate) async fn withdraw_with_receipt(
        &self,
        party: &Party<EventId>,
        purpose: Purpose,
    ) -> Result<Option<String>, Problem> {
        let Some(ended) = self.withdraw(party, purpose) else { return Ok(None) };
        let event = party.event.as_str();
        let write = |missing: &Missing<'_>| Receipt::of_withdrawal(&ended.key, event, Terms::of(purpose), missing);
        self.write_receipt(party, write, (ended.generation, ended.turn), &ended.key).await.map(Some)
    }

    /// A socket of somebody who may have decided before: it begins with that.
    pub(crate) fn introduce(&self, socket: SocketId, party: &Arc<Party<EventId>>) {
        self.hub.directory.introduce(socket, party.clone());
        self.hub.gated(|ledger, rooms, now| {
            // Whoever has decided nothing yet finds nothing new, but for what the server asks beside what every page knows.
            let open = |purpose| ledger.standing(party, purpose, now) == Standing::Open;
            if ledger.purposes().added().next().is_some() || !ledger.purposes().all().all(open) {
                follow(ledger, rooms, socket, party, now);
            }
            if ledger.standing(party, Purpose::Analytics, now) != Standing::Open {
                self.hub.settle_figures(ledger, rooms, &party.event, party.subject, now);
            }
            rooms.confirm_area(socket, now);
        });
    }
}

impl crate::session::Hub {
    /// Grants that end by themselves.
    pub(crate) fn end_expired_grants(&self) {
        self.gated(|ledger, rooms, now| {
            for lapsed in ledger.tick(now) {
                rooms.retract(&lapsed.event, lapsed.subject(), lapsed.purpose, lapsed.generation);
                self.journal.consent_changed(&lapsed.event, &lapsed.subject(), lapsed.purpose, Noted::Withdrawn);
                self.follow_consent(ledger, rooms, &lapsed.event, lapsed.subject(), now);
            }
        });
    }

    /// Puts somebody out of an event, and ends what they have agreed to there: what they said goes with them.
    pub(crate) fn expel_from(&self, event: &EventId, who: Pseudonym, removal: Removal) {
        self.gated(|ledger, rooms, now| {
            for (purpose, generation) in ledger.forget(event, who) {
                rooms.retract(event, who, purpose, generation);
            }
            self.journal.figures.uncount(event, &who);
            rooms.expel_from(event, who, removal, now);
        });
    }

    fn follow_consent(
        &self,
        ledger: &Ledger<EventId>,
        rooms: &mut Rooms<EventId>,
        event: &EventId,
        subject: Pseudonym,
        now: Instant,
    ) {
        for (socket, party) in self.directory.parties_of(event, subject) {
            follow(ledger, rooms, socket, &party, now);
        }
        self.settle_figures(ledger, rooms, event, subject, now);
    }

    /// Counts somebody towards an event's figures while they agree by every one of their connections: with Global Privacy Control on
    /// one of them, they do not.
    fn settle_figures(
        &self,
        ledger: &Ledger<EventId>,
        rooms: &Rooms<EventId>,
        event: &EventId,
        subject: Pseudonym,
        now: Instant,
    ) {
        let parties = self.directory.parties_of(event, subject);
        let consents: Result<Vec<_>, _> =
            parties.iter().map(|(_, party)| ledger.consent::<Analytics>(party, now)).collect();
        match consents.unwrap_or_default().first() {
            Some(consent) => self.journal.figures.count_from_now(consent, &rooms.present_facts(event, subject)),
            None => self.journal.figures.uncount(event, &subject),
        }
    }
}

/// Has a socket get what its person has agreed to, and tells it how they stand.
fn follow(
    ledger: &Ledger<EventId>,
    rooms: &mut Rooms<EventId>,
    socket: SocketId,
    party: &Party<EventId>,
    now: Instant,
) {
    let joined = permit::<Chat>(ledger, rooms, socket, party, now);
    let listed = permit::<Presence>(ledger, rooms, socket, party, now);
    permit::<Location>(ledger, rooms, socket, party, now);
    permit::<Analytics>(ledger, rooms, socket, party, now);
    permit::<Personalisation>(ledger, rooms, socket, party, now);
    rooms.tell_consent(socket, consent_state(ledger, party, now));
    // A grant that is new to this socket begins with what is there.
    if let Some(consent) = joined {
        rooms.show_chat(socket, &consent);
    }
    if let Some(consent) = listed {
        rooms.show_listing(socket, &consent);
    }
}

fn consent_state(ledger: &Ledger<EventId>, party: &Party<EventId>, now: Instant) -> ConsentState {
    let state = |purpose| state(purpose, ledger.standing(party, purpose, now), now);
    ConsentState { purposes: ledger.purposes().all().map(state).collect() }
}

/// The consent, where it is another than before.
fn permit<'s, P: Asked>(
    ledger: &'s Ledger<EventId>,
    rooms: &mut Rooms<EventId>,
    socket: SocketId,
    party: &'s Party<EventId>,
    now: Instant,
) -> Option<Consent<'s, EventId, P>> {
    match ledger.consent::<P>(party, now) {
        Ok(consent) => rooms.permit(socket, &consent).then_some(consent),
        Err(_) => {
            rooms.forbid(socket, P::PURPOSE);
            None
        }
    }
}

fn state(purpose: Purpose, standing: Standing, now: Instant) -> PurposeState {
    let (standing, generation, until) = match standing {
        Standing::Open => (ConsentStanding::Open, None, None),
        Standing::Changed => (ConsentStanding::Changed, None, None),
        Standing::Refused => (ConsentStanding::Refused, None, None),
        Standing::Suspended => (ConsentStanding::Suspended, None, None),
        Standing::LeftOut => (ConsentStanding::LeftOut, None, None),
        Standing::Granted { generation, until } => (ConsentStanding::Granted, Some(generation), until),
    };
    let expires_in = until.map(|until| crate::events::seconds(until.saturating_duration_since(now)));
    let added = matches!(purpose, Purpose::Added(_)).then(|| AddedPurpose {
        title: Terms::of(purpose).title.to_owned(),
        yields_to_signal: purpose.yields_to_signal(),
    });
    PurposeState { purpose: purpose_on_the_wire(purpose), standing, generation, expires_in, added }
}

impl From<ReceiptError> for Problem {
    fn from(error: ReceiptError) -> Self {
        Self::new(match error {
            ReceiptError::Statement => FaultCode::StatementInvalid,
            ReceiptError::OtherWords => FaultCode::ConsentOutdated,
            ReceiptError::Key => FaultCode::Internal,
        })
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::new(match refused {
            Refused::Outdated => FaultCode::ConsentOutdated,
            Refused::Signal => FaultCode::ConsentSignal,
            Refused::NotHere => FaultCode::ConsentLeftOut,
            Refused::TooOften => FaultCode::ConsentTooOften,
            Refused::Full => FaultCode::ConsentFull,
        })
    }
}
