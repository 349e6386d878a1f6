//! Carries messages from what happens here to whoever is to be told, over restarts of both sides.

use crate::queue::{Attempt, Next, Queue};
use crate::secret::SigningSecret;
use crate::send::Sender;
use crate::{Happening, Message, MessageKind, Outcome, Place, PlaceError};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use veilcast_logs::Reason;
use veilcast_outgoing::{Failure, Names, Network, Outgoing, Reach};
use veilcast_privacy::Secret;
use veilcast_records::{
    Error, EventId, EventNews, NewWebhook, Records, WaitingMessage, Webhook, WebhookId, base32, random_bits,
};
use veilcast_security::{Kind, Security};

/// Things that happened and are not written down yet. Writing one takes milliseconds.
const BACKLOG: usize = 1_024;

/// Without anything due: how often what is too old is looked for.
const ROUND: Duration = Duration::from_secs(60);

/// After the records could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// Where receivers may be, and whom to trust there.
#[derive(Clone, Default)]
pub struct Settings {
    /// Networks such as `10.0.0.0/8` beside the public Internet.
    pub allowed: Vec<Network>,
    /// A PEM certificate to trust beside the public ones.
    pub root: Option<Vec<u8>>,
    /// Asked in place of the system's resolver.
    pub names: Option<Arc<dyn Names>>,
}

/// Why a receiver is not there.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// Its address cannot be one.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// There are too many already.
    #[error("there are {} receivers already; remove one that is not needed", veilcast_records::MAX_WEBHOOKS)]
    TooMany,
    /// There is no such receiver.
    #[error("there is no such receiver")]
    Unknown,
    /// The records cannot be read or written.
    #[error(transparent)]
    Records(#[from] Error),
}

/// Tells receivers. Cheap to clone; one of them [runs](Courier::run).
#[derive(Clone)]
pub struct Courier(Arc<Inner>);

struct Inner {
    records: Records,
    security: Security,
    sender: Sender,
    happened: mpsc::Sender<(Happening, SystemTime)>,
    inbox: tokio::sync::Mutex<mpsc::Receiver<(Happening, SystemTime)>>,
}

impl Courier {
    /// With these settings; their root may be no certificate.
    pub fn new(records: Records, security: Security, settings: Settings) -> Result<Self, Failure> {
        let Settings { allowed, root, names } = settings;
        let outgoing = Outgoing::new(root.as_deref())?;
        let outgoing = match names {
            Some(names) => outgoing.with_names(names),
            None => outgoing,
        };
        let sender = Sender::new(outgoing, Reach::new(allowed));
        let (happened, inbox) = mpsc::channel(BACKLOG);
        let inbox = tokio::sync::Mutex::new(inbox);
        Ok(Self(Arc::new(Inner { records, security, sender, happened, inbox })))
    }

    /// Makes a receiver known that hears of `kinds` for `life`, and its secret. `owner`: whom to ask about it.
    pub async fn add(
        &self,
        url: &str,
        kinds: &[MessageKind],
        owner: Option<&str>,
        life: Duration,
        now: SystemTime,
    ) -> Result<(WebhookId, SigningSecret), CourierError> {
        let url = self.0.sender.place(url)?.text();
        let secret = SigningSecret::new()?;
        let kinds: Vec<&str> = MessageKind::ALL.iter().filter(|kind| kinds.contains(kind)).map(|k| k.name()).collect();
        let (kinds, expires) = (kinds.join(" "), now + life);
        let new = NewWebhook { url: &url, secret: secret.bytes(), kinds: &kinds, expires, owner };
        let id = self.0.records.put_webhook(&new, now).await?.ok_or(CourierError::TooMany)?;
        Ok((id, secret))
    }

    /// Gives a receiver another secret. For a day, both sign.
    pub async fn rotate(&self, id: &WebhookId, now: SystemTime) -> Result<SigningSecret, CourierError> {
        let secret = SigningSecret::new()?;
        let done = self.0.records.rotate_webhook(id, secret.bytes(), now).await?;
        done.then_some(secret).ok_or(CourierError::Unknown)
    }

    /// Sends a receiver a message that says nothing, at once and once, and tells what came of it.
    pub async fn test(&self, id: &WebhookId, now: SystemTime) -> Result<Outcome, CourierError> {
        let webhook = self.0.records.webhook(id, now).await?.filter(|webhook| !webhook.ended);
        let webhook = webhook.ok_or(CourierError::Unknown)?;
        let body = Message::Test {}.body(now).map_err(|_| Error::Sealed)?;
        let outcome = self.0.sender.send(&webhook, &message_id()?, body, now).await;
        self.0.note(id, outcome, now).await?;
        Ok(outcome)
    }

    /// What a receiver knows an event by.
    pub fn name_of(&self, id: &WebhookId, event: &EventId) -> String {
        self.0.name_of(id, event)
    }

    /// Where a receiver is, without what may be secret of it.
    pub fn origin_of(&self, webhook: &Webhook) -> String {
        origin_of(webhook)
    }

    /// Has everybody told who wants to hear of it. Never waits: where more happens than can be written down, it is not told.
    pub fn announce(&self, happening: Happening, now: SystemTime) {
        if self.0.happened.try_send((happening, now)).is_err() {
            veilcast_logs::warn!("more happens than receivers of webhooks can be told");
        }
    }

    /// Delivers until the end of `changes`. One at a time; another one waits.
    pub async fn run(&self, mut changes: watch::Receiver<u64>) {
        let mut inbox = self.0.inbox.lock().await;
        let mut round = Round { inner: self.0.clone(), queue: Queue::default(), sending: JoinSet::new() };
        while let Err(error) = round.load().await {
            let reason = Reason::from(&error);
            veilcast_logs::error!(
                "what waits for receivers of webhooks could not be read; trying again",
                reason = reason
            );
            tokio::time::sleep(PAUSE).await;
        }
        loop {
            round.start(SystemTime::now());
            let until_next = round.until_next(SystemTime::now());
            let result = tokio::select! {
                happened = inbox.recv() => match happened {
                    Some((happening, at)) => round.tell(happening, at).await,
                    None => return,
                },
                changed = changes.changed() => match changed {
                    Ok(()) => round.follow().await,
                    Err(_) => return,
                },
                Some(done) = round.sending.join_next() => match done {
                    Ok((attempt, outcome)) => round.finish(attempt, outcome, SystemTime::now()).await,
                    Err(_) => Ok(()),
                },
                () = tokio::time::sleep(until_next) => round.forget(SystemTime::now()).await,
            };
            if let Err(error) = result {
                let reason = Reason::from(&error);
                veilcast_logs::error!("the records of webhooks could not be read or written", reason = reason);
            }
        }
    }
}

/// Scheme, host and port of a receiver.
fn origin_of(webhook: &Webhook) -> String {
    // It was let in by the settings of that time; here it is only shown.
    let everywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|text| Network::parse(text)).collect();
    Place::parse(webhook.url.expose_text(), &Reach::new(everywhere))
        .map_or_else(|_| String::new(), |place| place.origin())
}

fn message_id() -> Result<String, Error> {
    Ok(format!("msg_{}", base32(&random_bits()?)))
}

impl Inner {
    fn name_of(&self, id: &WebhookId, event: &EventId) -> String {
        base32(&self.records.webhook_subject(id, event))
    }

    async fn note(&self, id: &WebhookId, outcome: Outcome, now: SystemTime) -> Result<(), Error> {
        match outcome {
            Outcome::Address => self.security.raise_about(Kind::AddressRefused, id.as_str().as_bytes(), None, now),
            Outcome::Gone => self.records.end_webhook(id, now).await?,
            _ => {}
        }
        let delivered = outcome == Outcome::Delivered;
        self.records.note_webhook_outcome(id, outcome.name(), delivered, now).await
    }

    /// One attempt with what stands in the records now: the receiver may have another secret since, or be gone.
    async fn attempt(&self, attempt: &Attempt, now: SystemTime) -> Result<Option<Outcome>, Error> {
        let webhook = self.records.webhook(&attempt.webhook, now).await?.filter(|webhook| !webhook.ended);
        let body = self.records.webhook_message(&attempt.id).await?;
        let (Some(webhook), Some(body)) = (webhook, body) else { return Ok(None) };
        let outcome = self.sender.send(&webhook, &attempt.id, body.expose_secret().to_vec(), now).await;
        self.note(&attempt.webhook, outcome, now).await?;
        Ok(Some(outcome))
    }
}

/// What the running courier has in hand.
struct Round {
    inner: Arc<Inner>,
    queue: Queue,
    sending: JoinSet<(Attempt, Option<Outcome>)>,
}

impl Round {
    /// What an earlier process has left.
    async fn load(&mut self) -> Result<(), Error> {
        for message in self.inner.records.webhook_messages().await? {
            self.queue.add(&message);
        }
        self.follow().await
    }

    fn until_next(&self, now: SystemTime) -> Duration {
        let next = self.queue.next().map(|next| next.duration_since(now).unwrap_or_default());
        next.unwrap_or(ROUND).min(ROUND)
    }

    /// Sends what is due, each receiver's in a task of its own.
    fn start(&mut self, now: SystemTime) {
        for attempt in self.queue.start(now) {
            let inner = self.inner.clone();
            self.sending.spawn(async move {
                let outcome = inner.attempt(&attempt, now).await.unwrap_or_else(|error| {
                    let reason = Reason::from(&error);
                    veilcast_logs::error!("a message to a receiver of webhooks could not be read", reason = reason);
                    Some(Outcome::Failing)
                });
                (attempt, outcome)
            });
        }
    }

    async fn finish(&mut self, attempt: Attempt, outcome: Option<Outcome>, now: SystemTime) -> Result<(), Error> {
        let taken = matches!(outcome, None | Some(Outcome::Delivered | Outcome::Gone));
        let chance = u32::from_be_bytes(random_bits()?);
        match self.queue.finish(&attempt, taken, now, chance) {
            Next::Done if outcome == Some(Outcome::Delivered) => {
                self.inner.records.webhook_message_was_taken(&attempt.id).await
            }
            Next::Done => self.inner.records.remove_webhook_message(&attempt.id).await,
            Next::Again { due, attempts } => {
                self.inner.records.put_off_webhook_message(&attempt.id, due, attempts).await
            }
        }
    }

    /// Writes down what everybody who wants to hear of it is to be told.
    async fn tell(&mut self, happening: Happening, at: SystemTime) -> Result<(), Error> {
        for webhook in self.inner.records.webhooks(at).await? {
            let wants = webhook.kinds.split(' ').any(|kind| kind == happening.kind().name());
            if wants && !webhook.ended {
                let message = happening.told(|event| self.inner.name_of(&webhook.id, event));
                self.put(webhook.id, &message, at).await?;
            }
        }
        Ok(())
    }

    async fn put(&mut self, webhook: WebhookId, message: &Message, at: SystemTime) -> Result<(), Error> {
        let body = Secret::new(message.body(at).map_err(|_| Error::Sealed)?);
        let waiting = WaitingMessage { id: message_id()?, webhook, made: at, due: at, attempts: 0 };
        let surplus = self.queue.add(&waiting);
        self.inner.records.put_webhook_message(&waiting, &body, surplus.as_deref()).await.map(drop)
    }

    /// Looks at what any process has changed: what became of events, and who is to be told.
    async fn follow(&mut self) -> Result<(), Error> {
        let (records, now) = (self.inner.records.clone(), SystemTime::now());
        let news = records.event_news().await?;
        for one in &news {
            if let Some(happening) = happening_of(one) {
                self.tell(happening, one.at).await?;
            }
        }
        records.forget_event_news(&news).await?;
        let receivers: HashSet<WebhookId> =
            records.webhooks(now).await?.into_iter().map(|webhook| webhook.id).collect();
        self.queue.keep(&receivers);
        Ok(())
    }

    async fn forget(&mut self, now: SystemTime) -> Result<(), Error> {
        for id in self.queue.forget(now) {
            self.inner.records.remove_webhook_message(&id).await?;
        }
        Ok(())
    }
}

fn happening_of(news: &EventNews) -> Option<Happening> {
    match MessageKind::parse(&news.kind)? {
        MessageKind::EventStarted => Some(Happening::EventStarted(news.event)),
        MessageKind::EventEnded => Some(Happening::EventEnded(news.event)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
