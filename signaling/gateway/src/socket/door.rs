//! At the door of an event: who asks to be let in waits on a socket of their own, which is in no room.

use super::{Leaving, Member, Wire};
use crate::doorbell::Ringing;
use crate::fault::Problem;
use crate::session::Mail;
use axum::extract::ws::close_code;
use std::time::Duration;
use veilcast_auth::Reach;
use veilcast_protocol::{FaultCode, Knock, ServerMessage, Waiting};
use veilcast_room::{DoorName, Knocked, Knocker};

/// Whoever has heard nothing for so long asks anew, when somebody is there to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Asks, and waits for what is decided. Whoever need not ask, or was let in before, hears so at once.
pub(super) async fn wait(mut member: Member<'_>, knock: Knock, wire: &mut Wire, mail: Mail) -> Result<(), Leaving> {
    match begin(&member, knock) {
        Ok(None) => {
            wire.say(&ServerMessage::LetIn).await?;
            Err(Leaving(close_code::NORMAL))
        }
        Ok(Some(_ringing)) => {
            // Whoever was signed out while this began is not found by who puts them out.
            if let Err(problem) = member.app.confirm_sign_in(&member.access).await {
                wire.refuse(problem).await?;
                return Err(Leaving(close_code::POLICY));
            }
            let expires_in = super::left(member.access.until);
            wire.say(&ServerMessage::Waiting(Waiting { expires_in })).await?;
            member.knocks = true;
            member.listen(wire, mail).await
        }
        Err(problem) => {
            wire.refuse(problem).await?;
            Err(Leaving(close_code::POLICY))
        }
    }
}

/// `None`: nothing has to be decided.
fn begin(member: &Member<'_>, knock: Knock) -> Result<Option<Ringing>, Problem> {
    let Member { app, id, access, caller, .. } = member;
    if !access.asks {
        return Ok(None);
    }
    let unfit = || Problem::new(FaultCode::BadRequest).detail("name: 1 to 32 characters, all of which can be seen");
    let typed = knock.name.filter(|name| !name.trim().is_empty());
    let name = typed.map(|name| DoorName::parse(&name).ok_or_else(unfit)).transpose()?;
    let ringing = app.doorbell.ring(*caller)?;
    let knocker = Knocker { who: access.principal, name, signed_in: access.standing.reach == Reach::Account };
    match app.hub.with(|rooms, now| rooms.knock(&access.event.id, *id, knocker, now))? {
        Knocked::LetIn => Ok(None),
        Knocked::Waits => Ok(Some(ringing)),
    }
}
