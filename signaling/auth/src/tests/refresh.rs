//! What keeps a page signed in: a refresh token, its key, and what becomes of copies.

use super::{Bench, ORIGIN, Page, noon, seconds};
use crate::{Again, Grant, Issuer, RefreshError, Scope, Thumbprint, TokenError, Tokens};
use holder::Holder;
use std::time::SystemTime;
use veilcast_privacy::Secret;
use veilcast_records::{ActivityKind, Level, Records};

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

/// What a page holds after a renewal, or why there is none.
type Renewed = Result<Tokens, &'static str>;

impl Bench {
    async fn renew(&self, token: &Secret, key: Thumbprint, now: SystemTime) -> Renewed {
        self.renew_as(token, Scope::Admin, key, now).await
    }

    async fn renew_as(&self, token: &Secret, scope: Scope, key: Thumbprint, now: SystemTime) -> Renewed {
        self.issuer.refresh(token.expose_text(), scope, key, now).await.map_err(|error| match error {
            RefreshError::Invalid => "invalid",
            RefreshError::ScopeRefused(_) => "scope",
            RefreshError::Unavailable => "unavailable",
        })
    }

    async fn reads(&self, page: &Page, tokens: &Tokens, now: SystemTime) -> Result<Grant, TokenError> {
        self.bound(&page.holder, tokens.access.token.expose_text(), now).await
    }

    async fn told(&self, kind: ActivityKind) -> usize {
        let ada = self.records.first_operator().await.expect("read").expect("there");
        let told = self.records.activity(&ada).await.expect("read");
        told.iter().filter(|entry| entry.kind == kind).count()
    }
}

/// Ada's page at noon: its key, and what it got for its code.
async fn page() -> (Bench, Page, Thumbprint, Tokens) {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let key = bench.key_of(&page.holder);
    let tokens = bench.tokens(&page, "admin", noon()).await;
    (bench, page, key, tokens)
}

fn error(renewed: Renewed) -> Option<&'static str> {
    renewed.err()
}

#[tokio::test]
async fn a_page_renews_and_every_refresh_token_is_another_one() {
    let (bench, page, key, first) = page().await;
    let mut held = first.refresh.value;
    let mut seen = vec![held.expose_text().to_owned()];
    for number in 1..=20 {
        let now = noon() + seconds(number * 3 * MINUTE);
        let tokens = bench.renew(&held, key, now).await.expect("renewed");
        let grant = bench.reads(&page, &tokens, now).await.expect("a good token");
        assert!(grant.scope == Scope::Admin && grant.key == Some(key));
        held = tokens.refresh.value;
        assert!(!seen.contains(&held.expose_text().to_owned()));
        seen.push(held.expose_text().to_owned());
    }
    for token in &seen {
        let secret = token.split('.').nth(1).expect("two parts");
        assert!(bench.files_lack(secret.as_bytes()), "digests alone are kept");
    }
}

#[tokio::test]
async fn a_refresh_at_minute_eleven_does_not_step_up() {
    let (bench, page, key, first) = page().await;
    let ada = bench.records.first_operator().await.expect("read").expect("there");
    let session = bench.issuer.open_session(&ada, "Phone", Level::Multi, noon()).await.expect("opened");
    let page = Page { cookie: session.cookie, holder: page.holder };
    let strong = bench.tokens(&page, "admin", noon()).await;
    drop(first);
    let grant = bench.reads(&page, &strong, noon()).await.expect("a good token");
    assert!(grant.require_step_up(noon()).is_ok());
    let nine = noon() + seconds(9 * MINUTE);
    let renewed = bench.renew(&strong.refresh.value, key, nine).await.expect("renewed");
    let grant = bench.reads(&page, &renewed, nine).await.expect("a good token");
    assert!(grant.require_step_up(nine).is_ok(), "it is not forgotten, either");
    let eleven = noon() + seconds(11 * MINUTE);
    let renewed = bench.renew(&renewed.refresh.value, key, eleven).await.expect("renewed");
    let grant = bench.reads(&page, &renewed, eleven).await.expect("a good token");
    assert_eq!(grant.require_step_up(eleven), Err(TokenError::StepUpRequired));
    assert!(grant.recognised.is_some_and(|recognised| recognised.at == noon() && recognised.level == Level::Multi));
}

#[tokio::test]
async fn being_asked_again_counts_for_the_key_that_asked_and_its_next_token() {
    let (bench, page, key, first) = page().await;
    let now = noon() + seconds(HOUR);
    let first = bench.renew(&first.refresh.value, key, now).await.expect("renewed");
    let grant = bench.reads(&page, &first, now).await.expect("a good token");
    let person = bench.issuer.person(&grant, now).await.expect("signed in");
    let again = Again::Password { password: Secret::new(super::PASSWORD), code: None };
    bench.issuer.step_up(&person, again, now).await.expect("recognised");
    let next = bench.renew(&first.refresh.value, key, now).await.expect("renewed");
    let at = |grant: Grant| grant.recognised.expect("signed in").at;
    assert!(at(bench.reads(&page, &next, now).await.expect("a good token")) == now);
    let other = bench.page(&page.cookie);
    let elsewhere = bench.tokens(&other, "admin", now).await;
    assert!(at(bench.reads(&other, &elsewhere, now).await.expect("a good token")) == noon(), "another key's");
}

#[tokio::test]
async fn two_tabs_or_a_lost_answer_get_the_same_successor_for_ten_seconds() {
    let (bench, page, key, first) = page().await;
    let now = noon() + seconds(3 * MINUTE);
    let run = |after: u64| bench.renew(&first.refresh.value, key, now + seconds(after));
    let (one, two) = tokio::join!(run(0), run(0));
    let (one, two) = (one.expect("renewed"), two.expect("renewed"));
    let lost = run(10).await.expect("renewed");
    for tokens in [&two, &lost] {
        assert_eq!(tokens.refresh.value.expose_text(), one.refresh.value.expose_text());
    }
    assert!(one.access.token.expose_text() != two.access.token.expose_text(), "each tab has its own access token");
    assert!(bench.reads(&page, &lost, now + seconds(10)).await.is_ok());
    let next = bench.renew(&lost.refresh.value, key, now + seconds(11)).await;
    assert!(next.is_ok(), "the family goes on");
    assert_eq!(bench.told(ActivityKind::RefreshCopied).await, 0);
}

#[tokio::test]
async fn a_replay_after_ten_seconds_ends_the_session() {
    let (bench, page, key, first) = page().await;
    let now = noon() + seconds(3 * MINUTE);
    let next = bench.renew(&first.refresh.value, key, now).await.expect("renewed");
    let late = now + seconds(11);
    assert!(bench.reads(&page, &next, late).await.is_ok());
    assert_eq!(error(bench.renew(&first.refresh.value, key, late).await), Some("invalid"));
    assert_eq!(bench.reads(&page, &next, late).await.err(), Some(TokenError::Invalid), "its tokens end with it");
    assert_eq!(error(bench.renew(&next.refresh.value, key, late).await), Some("invalid"), "the family is over");
    assert_eq!(bench.told(ActivityKind::RefreshCopied).await, 1, "and its person is told, once");
}

#[tokio::test]
async fn any_older_token_ends_the_session_too() {
    let (bench, _, key, first) = page().await;
    let now = noon() + seconds(3 * MINUTE);
    let second = bench.renew(&first.refresh.value, key, now).await.expect("renewed");
    bench.renew(&second.refresh.value, key, now + seconds(5)).await.expect("renewed");
    assert_eq!(error(bench.renew(&first.refresh.value, key, now + seconds(9)).await), Some("invalid"));
    assert_eq!(bench.told(ActivityKind::RefreshCopied).await, 1);
}

#[tokio::test]
async fn another_key_ends_the_session() {
    let (bench, page, key, first) = page().await;
    let thief = bench.key_of(&Holder::new());
    assert_eq!(error(bench.renew(&first.refresh.value, thief, noon()).await), Some("invalid"));
    assert_eq!(error(bench.renew(&first.refresh.value, key, noon()).await), Some("invalid"));
    assert_eq!(bench.reads(&page, &first, noon()).await.err(), Some(TokenError::Invalid));
    assert_eq!(bench.told(ActivityKind::RefreshCopied).await, 1);
}

#[tokio::test]
async fn what_was_never_a_token_ends_nothing() {
    let (bench, page, key, first) = page().await;
    let real = first.refresh.value.expose_text().to_owned();
    let (family, secret) = real.split_once('.').expect("two parts");
    let cases = [
        String::new(),
        ".".to_owned(),
        secret.to_owned(),
        format!("{family}{secret}"),
        format!("{}.{secret}", "a".repeat(26)),
        format!("{real}A"),
        format!("{}é", &real[..real.len() - 2]),
    ];
    for text in cases {
        assert_eq!(error(bench.renew(&Secret::from(text), key, noon()).await), Some("invalid"));
    }
    assert!(bench.reads(&page, &first, noon()).await.is_ok());
    assert!(bench.renew(&first.refresh.value, key, noon()).await.is_ok());
}

#[tokio::test]
async fn a_session_in_use_lasts_thirty_days_and_one_that_is_not_twelve_hours() {
    let (bench, page, key, first) = page().await;
    let other = bench.page(&page.cookie);
    let unused = bench.tokens(&other, "admin", noon()).await;
    let mut held = first.refresh.value;
    let mut last = 0;
    for hour in (11..).step_by(11) {
        let now = noon() + seconds(hour * HOUR);
        match bench.renew(&held, key, now).await {
            Ok(tokens) => {
                assert!(bench.reads(&page, &tokens, now).await.is_ok(), "hour {hour}");
                held = tokens.refresh.value;
            }
            Err(_) => break,
        }
        last = hour;
    }
    assert_eq!(last, 30 * 24 - 5, "the last multiple of eleven hours in thirty days");
    drop(unused);
    let (bench, _, key, first) = self::page().await;
    let late = noon() + seconds(12 * HOUR);
    assert_eq!(error(bench.renew(&first.refresh.value, key, late).await), Some("invalid"));
    assert_eq!(bench.told(ActivityKind::RefreshCopied).await, 0, "nobody did anything wrong");
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let (bench, page, key, first) = page().await;
    let now = noon() + seconds(3 * MINUTE);
    let next = bench.renew(&first.refresh.value, key, now).await.expect("renewed");
    let records = Records::open(&bench.directory).await.expect("opens");
    let issuer = Issuer::open(records, ORIGIN, now).await.expect("opens");
    let again = issuer.refresh(first.refresh.value.expose_text(), Scope::Admin, key, now + seconds(5)).await;
    let Ok(again) = again else { panic!("the same successor") };
    assert_eq!(again.refresh.value.expose_text(), next.refresh.value.expose_text());
    let further = issuer.refresh(next.refresh.value.expose_text(), Scope::Account, key, now + seconds(60)).await;
    assert!(further.is_ok_and(|tokens| tokens.access.scope == Scope::Account));
    assert!(bench.reads(&page, &next, now).await.is_ok());
}

#[tokio::test]
async fn a_member_is_refused_what_is_the_operators_and_goes_on() {
    let bench = Bench::new().await;
    let eve = bench.records.create_account(veilcast_records::Role::Member, None, noon()).await.expect("made");
    let session = bench.issuer.open_session(&eve, "Phone", Level::Multi, noon()).await.expect("opened");
    let page = bench.page(&session.cookie);
    let key = bench.key_of(&page.holder);
    let first = bench.tokens(&page, "account", noon()).await;
    let refused = bench.issuer.refresh(first.refresh.value.expose_text(), Scope::Admin, key, noon()).await;
    let Err(RefreshError::ScopeRefused(next)) = refused else { panic!("no operator") };
    assert!(bench.renew_as(&next.value, Scope::Account, key, noon() + seconds(60)).await.is_ok());
}

#[tokio::test]
async fn signing_out_and_revoking_end_it() {
    let (bench, page, key, first) = page().await;
    bench.issuer.sign_out(page.cookie.expose_text()).await.expect("written");
    assert_eq!(error(bench.renew(&first.refresh.value, key, noon()).await), Some("invalid"));
    assert_eq!(bench.told(ActivityKind::RefreshCopied).await, 0);
    let (bench, page, key, first) = self::page().await;
    assert!(bench.issuer.revoke_refresh(first.refresh.value.expose_text()).await.expect("written"));
    assert!(!bench.issuer.revoke_refresh(first.refresh.value.expose_text()).await.expect("written"));
    assert_eq!(error(bench.renew(&first.refresh.value, key, noon()).await), Some("invalid"));
    assert_eq!(bench.reads(&page, &first, noon()).await.err(), Some(TokenError::Invalid));
}
