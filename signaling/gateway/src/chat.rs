//! What somebody does in a chat, over their socket: what it takes is looked at here, and done by the room.

use crate::app::App;
use crate::fault::Problem;
use crate::random;
use crate::session::{Access, Rank};
use veilcast_auth::EventId;
use veilcast_consent::{Chat, Party, Presence, Withheld};
use veilcast_control::Role;
use veilcast_protocol::{ChatVerb, FaultCode};
use veilcast_room::{ChatAct, ChatRefusal, Fresh, Rooms, SocketId, Voice};

/// Who does it, and where from.
pub(crate) struct Doer<'a> {
    pub(crate) socket: SocketId,
    pub(crate) party: &'a Party<EventId>,
    pub(crate) access: &'a Access,
}

impl Doer<'_> {
    /// Whether they are still in: who was put out says nothing more, however much of it waits to be read here.
    fn is_in(&self, rooms: &Rooms<EventId>) -> Result<(), Problem> {
        if rooms.is_in(self.socket) { Ok(()) } else { Err(Problem::new(FaultCode::AccessRevoked)) }
    }

    /// What they are in the chat. A broadcaster stays one while they look on.
    const fn voice(&self) -> Voice {
        match self.access.standing.rank {
            Rank::Operator => Voice::Operator,
            Rank::Moderator => Voice::Moderator,
            Rank::Person if matches!(self.access.role, Role::Broadcaster) || self.access.uncounted => Voice::Host,
            Rank::Person => Voice::Viewer,
        }
    }

    /// What they may do to what others say: who was invited to somebody else's stage does nothing there.
    const fn authority(&self) -> Voice {
        match self.voice() {
            Voice::Host if self.access.invited => Voice::Viewer,
            voice => voice,
        }
    }

    fn fresh(&self) -> Result<Fresh, Problem> {
        let reach = crate::moderation::on_the_wire(self.access.standing.reach);
        Ok(Fresh { message: random::number()?, author: random::number()?, reach })
    }
}

impl App {
    /// Does what somebody wants to do in a chat.
    pub(crate) async fn chat(&self, doer: &Doer<'_>, verb: ChatVerb) -> Result<(), Problem> {
        match verb {
            ChatVerb::Say { text, reply } => self.say(doer, &text, reply.as_deref()),
            ChatVerb::Name { name } => self.call(doer, &name),
            ChatVerb::Delete { message } => self.unsay(doer, number(&message)?),
            ChatVerb::React { message, reaction, on } => self.react(doer, (number(&message)?, reaction, on)),
            ChatVerb::ListMe { name } => self.list(doer, &name),
            ChatVerb::Remove { message } => self.act(doer, ChatAct::Remove(number(&message)?)),
            ChatVerb::Mute { author, on } => self.act(doer, ChatAct::Mute(number(&author)?, on)),
            ChatVerb::Pin { message } => self.act(doer, ChatAct::Pin(message.as_deref().map(number).transpose()?)),
            ChatVerb::Slow { seconds } => self.act(doer, ChatAct::Slow(seconds)),
            ChatVerb::Ban { author } => self.ban_author(doer, number(&author)?).await,
        }
    }

    fn say(&self, doer: &Doer<'_>, text: &str, reply: Option<&str>) -> Result<(), Problem> {
        let (fresh, reply) = (doer.fresh()?, reply.map(number).transpose()?);
        self.hub.gated(|ledger, rooms, now| {
            doer.is_in(rooms)?;
            let consent = ledger.consent::<Chat>(doer.party, now)?;
            Ok(rooms.say(&consent, doer.voice(), fresh, (text, reply), now)?)
        })
    }

    fn call(&self, doer: &Doer<'_>, name: &str) -> Result<(), Problem> {
        let fresh = doer.fresh()?;
        self.hub.gated(|ledger, rooms, now| {
            doer.is_in(rooms)?;
            let consent = ledger.consent::<Chat>(doer.party, now)?;
            Ok(rooms.call(&consent, doer.voice(), fresh, name, now)?)
        })
    }

    fn unsay(&self, doer: &Doer<'_>, message: u64) -> Result<(), Problem> {
        self.hub.gated(|ledger, rooms, now| {
            doer.is_in(rooms)?;
            let consent = ledger.consent::<Chat>(doer.party, now)?;
            Ok(rooms.unsay(&consent, message)?)
        })
    }

    fn react(&self, doer: &Doer<'_>, what: (u64, veilcast_protocol::ChatReaction, bool)) -> Result<(), Problem> {
        self.hub.gated(|ledger, rooms, now| {
            doer.is_in(rooms)?;
            let consent = ledger.consent::<Chat>(doer.party, now)?;
            Ok(rooms.react(&consent, what, now)?)
        })
    }

    fn list(&self, doer: &Doer<'_>, name: &str) -> Result<(), Problem> {
        self.hub.gated(|ledger, rooms, now| {
            doer.is_in(rooms)?;
            let consent = ledger.consent::<Presence>(doer.party, now)?;
            Ok(rooms.list(&consent, doer.voice(), name, now)?)
        })
    }

    fn act(&self, doer: &Doer<'_>, act: ChatAct) -> Result<(), Problem> {
        let authority = doer.authority();
        self.hub.with(|rooms, now| {
            doer.is_in(rooms)?;
            Ok(rooms.moderate(&doer.party.event, authority, act, now)?)
        })
    }

    /// Puts an author out for good: they need not be on stage.
    async fn ban_author(&self, doer: &Doer<'_>, author: u64) -> Result<(), Problem> {
        let rank = doer.access.standing.rank;
        if rank < Rank::Moderator {
            return Err(Problem::new(FaultCode::ScopeMissing));
        }
        let event = &doer.party.event;
        let (who, reach) = self.hub.with(|rooms, _| {
            doer.is_in(rooms)?;
            Ok::<_, Problem>(rooms.author(event, doer.voice(), author)?)
        })?;
        self.keep_out_author(rank, event, who, reach).await
    }
}

/// A message or an author as a client names it.
fn number(name: &str) -> Result<u64, Problem> {
    u64::from_str_radix(name, 16).map_err(|_| Problem::new(FaultCode::ChatGone))
}

impl From<Withheld> for Problem {
    fn from(withheld: Withheld) -> Self {
        Self::new(match withheld {
            Withheld::NotGranted => FaultCode::ConsentMissing,
            Withheld::Signal => FaultCode::ConsentSignal,
            Withheld::NotHere => FaultCode::ConsentLeftOut,
        })
    }
}

impl From<ChatRefusal> for Problem {
    fn from(refusal: ChatRefusal) -> Self {
        match refusal {
            ChatRefusal::Muted => Self::new(FaultCode::ChatMuted),
            ChatRefusal::Slow(wait) => {
                let detail = format!("the next one is taken in {} s", wait.as_secs() + 1);
                Self::new(FaultCode::ChatSlow).detail(detail).retry_after(wait)
            }
            ChatRefusal::Gone => Self::new(FaultCode::ChatGone),
            ChatRefusal::Text => Self::new(FaultCode::ChatText),
            ChatRefusal::Name => Self::new(FaultCode::ChatName),
            ChatRefusal::NotYours => Self::new(FaultCode::NotRemovable),
        }
    }
}
