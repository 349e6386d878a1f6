//! Invitations: one person each, withdrawn at once.

use super::{Bench, noon, seconds};
use crate::{InvitationError, Scope, TokenError};
use holder::Holder;
use veilcast_privacy::Redacted;
use veilcast_records::{Admission, EventId, Latency, NewEvent};

async fn event(bench: &Bench) -> EventId {
    let title = Redacted::new("Rehearsal".to_owned());
    let new = NewEvent {
        title,
        admission: Admission::Invitation,
        listed: false,
        broadcasters: 2,
        latency: Latency::Interactive,
    };
    bench.records.create_event(new, noon()).await.expect("is made")
}

#[tokio::test]
async fn whoever_comes_first_is_invited() {
    let bench = Bench::new().await;
    let (event, other) = (event(&bench).await, event(&bench).await);
    let made = bench.issuer.invite(&event, Scope::Broadcast, seconds(3_600), noon()).await.expect("is made");
    let (first, second) = (Holder::new(), Holder::new());
    let accept = async |event: &EventId, code: &str, holder: &Holder, after: u64| {
        let now = noon() + seconds(after);
        bench.issuer.accept_invitation(event, code, bench.key_of(holder), now).await
    };
    let code = made.code.expose_text();
    assert!(accept(&other, code, &first, 0).await.err() == Some(InvitationError::Invalid), "of another event");
    assert!(accept(&event, "guessed", &first, 0).await.err() == Some(InvitationError::Invalid));
    let token = accept(&event, code, &first, 0).await.expect("is accepted");
    let grant = bench.bound(&first, token.token.expose_text(), noon()).await.expect("valid");
    assert!(grant.for_event(&event) == Ok(Scope::Broadcast) && grant.invited);
    assert!(bench.bound(&second, token.token.expose_text(), noon()).await.is_err(), "bound to its key");
    assert!(accept(&event, code, &second, 0).await.err() == Some(InvitationError::Used));
    let again = accept(&event, code, &first, 200).await.expect("the same key comes again");
    let renewed = bench.bound(&first, again.token.expose_text(), noon()).await.expect("valid");
    assert!(renewed.principal == grant.principal);
    // No token outlives its invitation by more than the rounding of its row.
    let last = accept(&event, code, &first, 3_590).await.expect("is accepted");
    assert!(last.expires_in <= seconds(70), "{:?}", last.expires_in);
    assert!(accept(&event, code, &first, 3_661).await.err() == Some(InvitationError::Invalid));
}

#[tokio::test]
async fn a_revoked_invitation_takes_its_tokens_along() {
    let bench = Bench::new().await;
    let (event, other) = (event(&bench).await, event(&bench).await);
    let invite = async || bench.issuer.invite(&event, Scope::Watch, seconds(3_600), noon()).await.expect("is made");
    let (revoked, kept) = (invite().await, invite().await);
    let (him, her) = (Holder::new(), Holder::new());
    let accept = async |code: &str, holder: &Holder| {
        let token = bench.issuer.accept_invitation(&event, code, bench.key_of(holder), noon()).await;
        token.map(|token| token.token.expose_text().to_owned())
    };
    let his = accept(revoked.code.expose_text(), &him).await.expect("is accepted");
    let hers = accept(kept.code.expose_text(), &her).await.expect("is accepted");
    let principal = bench.bound(&him, &his, noon()).await.expect("valid").principal;
    let nothing = bench.issuer.revoke_invitation(&other, &revoked.id, noon()).await.expect("read");
    assert!(nothing.is_none(), "not by way of another event");
    let out = bench.issuer.revoke_invitation(&event, &revoked.id, noon()).await.expect("written");
    assert!(out == Some(principal), "whose sessions are to end");
    assert!(bench.bound(&him, &his, noon()).await.err() == Some(TokenError::Invalid));
    assert!(accept(revoked.code.expose_text(), &him).await.err() == Some(InvitationError::Invalid));
    assert!(bench.bound(&her, &hers, noon()).await.is_ok(), "nobody else suffers");
    // Swept no sooner than the last of his tokens is refused by its age.
    bench.records.forget(noon() + seconds(299)).await.expect("swept");
    assert!(bench.bound(&him, &his, noon() + seconds(299)).await.err() == Some(TokenError::Invalid));
}
