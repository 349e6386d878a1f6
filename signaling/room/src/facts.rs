//! What of all this the session log may know.

use crate::rooms::Session;
use crate::{Output, Rooms};
use std::hash::Hash;
use veilcast_control::VideoQuality;
use veilcast_journal::{Attributes, Bucket, Fact, Leaving, Word};
use veilcast_privacy::Pseudonym;
use veilcast_protocol::FaultCode;

impl<E: Clone + Eq + Hash> Rooms<E> {
    /// Media of a session flows for the first time.
    pub(crate) fn note_joined(&mut self, session: crate::SessionId) {
        let Some(session) = self.sessions.get(&session).filter(|session| !session.looks_on()) else { return };
        let fact = Fact::Joined(session.attributes());
        let (event, who) = (session.event.clone(), session.principal);
        self.emit(Output::Fact { event, who, fact });
    }

    /// What is so of somebody at this moment, as if it had just come to be.
    pub fn present_facts(&self, event: &E, who: Pseudonym) -> Vec<Fact> {
        let sessions = self.rooms.get(event).map(|room| &room.sessions).into_iter().flatten();
        let theirs = sessions.filter_map(|id| self.sessions.get(id)).filter(|session| session.principal == who);
        let on = theirs.filter(|session| session.connected && !session.looks_on());
        on.map(|session| Fact::Joined(session.attributes())).collect()
    }

    /// A session is over. One that never was on, or is a broadcaster's look at the others, was nobody's coming either.
    pub(crate) fn note_left(&mut self, session: &Session<E>, why: Leaving) {
        if session.connected && !session.looks_on() {
            let (event, who) = (session.event.clone(), session.principal);
            self.emit(Output::Fact { event, who, fact: Fact::Left(why) });
        }
    }

    /// The picture arrives otherwise than before.
    pub(crate) fn note_bucket(&mut self, session: crate::SessionId, before: Option<Bucket>) {
        let Some(session) = self.sessions.get(&session) else { return };
        let attributes = session.attributes();
        if attributes.quality != before {
            let (event, who) = (session.event.clone(), session.principal);
            self.emit(Output::Fact { event, who, fact: Fact::Quality(attributes) });
        }
    }

    /// Somebody was told that their line is gone, or what else went wrong with it.
    pub(crate) fn note_fault(&mut self, session: &Session<E>, code: FaultCode) {
        if let Some(code) = Word::new(code.name()) {
            let (event, who) = (session.event.clone(), session.principal);
            self.emit(Output::Fact { event, who, fact: Fact::Fault(code) });
        }
    }
}

impl<E> Session<E> {
    /// How the best of the pictures arrives.
    pub(crate) fn bucket(&self) -> Option<Bucket> {
        self.pictures.iter().flatten().max().map(|best| match best {
            VideoQuality::High => Bucket::High,
            VideoQuality::Medium => Bucket::Medium,
            VideoQuality::Low => Bucket::Low,
            VideoQuality::Off => Bucket::SoundOnly,
            VideoQuality::Paused => Bucket::Paused,
        })
    }

    fn attributes(&self) -> Attributes {
        // Nobody is asked for their country.
        Attributes { family: self.family, quality: self.bucket() }
    }
}

/// Why a session ends that this side ends.
pub(crate) const fn leaving(why: Option<FaultCode>) -> Leaving {
    match why {
        None | Some(FaultCode::Replaced) => Leaving::OwnWill,
        Some(FaultCode::AccessRevoked | FaultCode::Removed | FaultCode::Banned | FaultCode::TokenExpired) => {
            Leaving::PutOut
        }
        Some(FaultCode::ConnectionLost | FaultCode::ConnectionFailed) => Leaving::LineLost,
        Some(_) => Leaving::Fault,
    }
}
