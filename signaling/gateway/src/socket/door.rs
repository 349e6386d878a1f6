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
pub(crate) const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Asks, and waits for what is decided. Whoever need not ask, or was let in before, hears so at once.
pub(super) async fn wait(mut member: Member<'_>, knock: Knock, wire: &mut Wire, mail: Mail) -> Result<(), Leaving> {
    match ask(&member, knock).await {
        Ok(None) => {
            wire.say(&ServerMessage::LetIn).await?;
            Err(Leaving::With(close_code::NORMAL))
        }
        Ok(Some(_ringing)) => {
            let expires_in = super::left(member.access.until);
            wire.say(&ServerMessage::Waiting(Waiting { expires_in })).await?;
            member.knocks = true;
            member.listen(wire, mail).await
        }
        Err(problem) => {
            wire.refuse(problem).await?;
            Err(Leaving::With(close_code::POLICY))
        }
    }
}

async fn ask(member: &Member<'_>, knock: Knock) -> Result<Option<Ringing>, Problem> {
    let ringing = begin(member, knock)?;
    if ringing.is_some() {
        // Whoever was signed out while this began is not found by who puts them out.
        member.app.confirm_sign_in(&member.access).await?;
    }
    Ok(ringing)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Bench;
    use std::sync::Arc;
    use std::time::SystemTime;
    use veilcast_auth::{Challenge, Expiry, Freshness, Party, Target};

    /// The token is looked at, then revoked, and only then its holder stands at the door: nobody who puts people out has found them.
    #[tokio::test]
    async fn who_is_put_out_while_they_come_to_the_door_does_not_wait_there() {
        let bench = Bench::new().await;
        let event = bench.store.event_with_door().await;
        let guest = bench.store.guest(event).await;
        let (proof, now) = (guest.proof("GET", "/").sign(), SystemTime::now());
        let target = Target { method: "GET", path: "/", freshness: Freshness::Nonce, party: Party::default() };
        let issuer = &bench.store.issuer;
        let verified = issuer.verify_bound(&guest.token, &proof, &target, now, Expiry::Enforced).await;
        let Ok((grant, _)) = verified else { panic!("a good proof") };
        let Ok(access) = bench.app.permitted(&grant, &event).await else { panic!("may ask") };
        let party = veilcast_consent::Party { event, subject: access.principal, signal: false, asks_nothing: false };
        let challenge = Challenge::new().expect("there is randomness");
        let id = bench.app.hub.number_socket();
        let member = Member::new(
            &bench.app,
            id,
            access,
            Arc::new(party),
            veilcast_privacy::Secret::from(String::new()),
            challenge,
            None,
        );
        issuer.revoke(&grant).await.expect("is revoked");
        let asked = ask(&member, Knock { name: None }).await;
        assert_eq!(asked.err().map(|problem| problem.fault.code), Some(FaultCode::AccessRevoked));
    }
}
