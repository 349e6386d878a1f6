//! `veilcast token` and `veilcast keys`: what the issuer has signed, and what it signs with.

use crate::cli::{RevokeTokenArguments, RotateArguments, TokenArguments};
use crate::commands::Office;
use crate::{Failure, console, words};
use std::time::SystemTime;
use veilcast_auth::KEY_ANNOUNCED;

/// `veilcast token`
pub(crate) async fn token(arguments: TokenArguments) -> Result<(), Failure> {
    // The command line lets neither be missing where no verb follows.
    let (Some(event), Some(scope)) = (arguments.event, arguments.scope) else { return Err(Failure::EventUnknown) };
    let office = Office::open(arguments.place).await?;
    let event = office.open_event(&event).await?;
    let now = SystemTime::now();
    let issuer = office.issuer(now).await?;
    let life = arguments.ttl.unwrap_or_else(|| scope.default_life());
    let token = issuer.tool_token(event.id, scope.scope(), life, now)?;
    console::value(token.token.expose_text());
    console::say(&format!("To revoke it: veilcast token revoke {}", token.id));
    Ok(())
}

/// `veilcast token revoke`
pub(crate) async fn revoke_token(arguments: RevokeTokenArguments) -> Result<(), Failure> {
    let now = SystemTime::now();
    let issuer = Office::open(arguments.place).await?.issuer(now).await?;
    if !issuer.revoke_by_id(&arguments.id, now).await? {
        return Err(Failure::TokenIdInvalid);
    }
    console::say("The token is revoked. Whoever came by it is out.");
    Ok(())
}

/// `veilcast keys rotate`
pub(crate) async fn rotate(arguments: RotateArguments) -> Result<(), Failure> {
    let now = SystemTime::now();
    let issuer = Office::open(arguments.place).await?.issuer(now).await?;
    if arguments.now {
        issuer.withdraw_keys(now).await?;
        console::say(
            "Another key signs from now on, and what any key before it has signed is refused. Pages renew by themselves; tokens of \
             'veilcast token' have to be made anew.",
        );
    } else if issuer.turn_keys(now).await? {
        let wait = words::of_span(KEY_ANNOUNCED);
        console::say(&format!("Another key is published and signs in {wait}. Nobody is put out."));
    } else {
        console::say("Another key is published already and is about to sign.");
    }
    Ok(())
}
