//! The commands about accounts. They show nothing of anybody.

use crate::cli::EndSessionsArguments;
use crate::commands::Office;
use crate::{Failure, console};
use veilcast_privacy::Redacted;

/// `veilcast account end-sessions`
pub(crate) async fn end_sessions(arguments: EndSessionsArguments) -> Result<(), Failure> {
    let EndSessionsArguments { place, name, provider, subject } = arguments;
    let office = Office::open(place).await?;
    let records = office.records();
    let account = match (name.map(Redacted::new), provider, subject.map(Redacted::new)) {
        (Some(name), _, _) => records.account_by_name(name.expose_redacted().trim()).await?,
        (None, Some(issuer), Some(subject)) => records.account_of_identity(&issuer, subject.expose_redacted()).await?,
        _ => None,
    };
    records.end_sessions(&account.ok_or(Failure::AccountUnknown)?).await?;
    console::say("They are signed out everywhere. Signing in again works as before.");
    Ok(())
}
