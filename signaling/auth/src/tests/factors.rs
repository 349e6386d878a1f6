//! What an account is recognised by, and who may change that.

use super::{Bench, ORIGIN, PASSWORD, Page, noon, seconds};
use crate::{Again, Answer, FactorError, Level, Scope, SetupError, SignInError, TokenError, TotpOffer};
use holder::Authenticator;
use std::time::{SystemTime, UNIX_EPOCH};
use totp_rs::{Algorithm, Builder};
use veilcast_privacy::Secret;

/// What an app shows that has this secret.
fn code(offer: &TotpOffer, now: SystemTime) -> String {
    let secret = totp_rs::Secret::try_from_base32(offer.secret.expose_text()).expect("base32");
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30);
    let app = builder.with_secret(secret).build().expect("as every app has it");
    app.generate(now.duration_since(UNIX_EPOCH).expect("later").as_secs()).to_string()
}

async fn add_passkey(bench: &Bench, page: &Page, now: SystemTime) -> Result<Authenticator, FactorError> {
    let person = bench.person(page, now).await;
    let asked = bench.issuer.ask_new_passkey(&person, now).await?;
    let mut device = Authenticator::new(ORIGIN);
    let credential = device.create(&asked.options);
    let answer = Answer { ceremony: asked.ceremony.expose_text(), credential };
    bench.issuer.add_passkey(&person, answer, "Phone", now).await.map(|()| device)
}

async fn add_app(bench: &Bench, page: &Page, now: SystemTime) -> TotpOffer {
    let person = bench.person(page, now).await;
    let offer = bench.issuer.offer_totp(&person, now).await.expect("offered");
    let shown = code(&offer, now);
    let added = bench.issuer.add_totp(&person, offer.ceremony.expose_text(), &shown, "App", now).await;
    added.expect("the code fits");
    offer
}

#[test]
fn rfc_6238_appendix_b() {
    let secret = totp_rs::Secret::new(Box::new(*b"12345678901234567890"));
    let secret = Secret::from(secret.to_base32());
    for (at, expected) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
        let now = UNIX_EPOCH + seconds(at);
        assert!(crate::totp::enrol(&secret, expected, "App", now).is_ok(), "{expected}");
        assert!(crate::totp::enrol(&secret, "000000", "App", now).is_err());
    }
}

#[tokio::test]
async fn a_first_factor_needs_a_fresh_sign_in_and_a_second_one_the_first() {
    let bench = Bench::new().await;
    let (page, stale) = (bench.ada().await, noon() + seconds(300));
    assert_eq!(add_passkey(&bench, &page, stale).await.err(), Some(FactorError::StepUpRequired), "a stolen session");
    let bench = Bench::new().await;
    let page = bench.ada().await;
    add_passkey(&bench, &page, noon()).await.expect("fresh");
    let thief = bench.page(&page.cookie);
    let second = add_passkey(&bench, &thief, noon() + seconds(60)).await.err();
    assert_eq!(second, Some(FactorError::StepUpRequired), "fresh is no longer enough: there is a factor to be shown");
    let password = bench.person(&thief, noon()).await;
    let set = bench.issuer.set_password(&password, None, Secret::new("kettle velvet orbit"), noon()).await.err();
    assert_eq!(set, Some(FactorError::StepUpRequired));
    add_passkey(&bench, &page, noon() + seconds(60)).await.expect("making the first was being recognised by it");
}

#[tokio::test]
async fn a_password_alone_leads_no_further_than_to_a_first_factor() {
    let bench = Bench::new().await;
    let account = bench.records.create_account(crate::Role::Member, None, noon()).await.expect("made");
    let session = bench.issuer.open_session(&account, "A provider", Level::Single, noon()).await.expect("opened");
    let page = bench.page(&session.cookie);
    let person = bench.person(&page, noon()).await;
    bench.issuer.set_password(&person, Some("eve"), Secret::new(PASSWORD), noon()).await.expect("fresh");
    let later = noon() + seconds(3600);
    let grant = bench.grant(&page, "account", later).await;
    assert_eq!(grant.require_step_up(later), Err(TokenError::StepUpRequired));
    let again = |password: &'static str| Again::Password { password: Secret::new(password), code: None };
    let person = bench.person(&page, later).await;
    assert_eq!(bench.issuer.step_up(&person, again("wrong"), later).await, Err(FactorError::AnswerInvalid));
    bench.issuer.step_up(&person, again(PASSWORD), later).await.expect("recognised");
    let grant = bench.grant(&page, "account", later).await;
    assert_eq!(grant.require_step_up(later), Err(TokenError::StepUpRequired), "one factor");
    add_passkey(&bench, &page, later).await.expect("fresh again");
    let grant = bench.grant(&page, "account", later).await;
    assert!(grant.require_step_up(later).is_ok());
    let person = bench.person(&page, later).await;
    let fallback = bench.issuer.step_up(&person, again(PASSWORD), later).await;
    assert_eq!(fallback, Err(FactorError::AnswerInvalid), "no way around the passkey");
}

/// An operator's factors begin with a link of the command line: whoever learns the password later has the password.
#[tokio::test]
async fn an_operators_password_alone_leads_to_nothing_once_its_link_is_old() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let later = noon() + seconds(400);
    let thief = bench.issuer.sign_in("ada", Secret::new(PASSWORD), None, later).await.expect("the password leaked");
    let thief = bench.page(&thief.cookie);
    assert_eq!(add_passkey(&bench, &thief, later).await.err(), Some(FactorError::StepUpRequired), "just signed in");
    let person = bench.person(&thief, later).await;
    assert_eq!(bench.issuer.offer_totp(&person, later).await.err(), Some(FactorError::StepUpRequired));
    let set = bench.issuer.set_password(&person, None, Secret::new("kettle velvet orbit"), later).await.err();
    assert_eq!(set, Some(FactorError::StepUpRequired), "another password would be a new one");
    let person = bench.person(&page, later).await;
    let again = Again::Password { password: Secret::new(PASSWORD), code: None };
    bench.issuer.step_up(&person, again, later).await.expect("recognised");
    assert_eq!(add_passkey(&bench, &page, later).await.err(), Some(FactorError::StepUpRequired), "shown again");
    let link = bench.issuer.recovery_link_token(None, later).await.expect("made").expect("an operator");
    let session = bench.issuer.complete_setup(link.expose_text(), "Ada", Secret::new(PASSWORD), later).await;
    let page = bench.page(&session.expect("let in").cookie);
    add_passkey(&bench, &page, later).await.expect("the link is fresh");
}

#[tokio::test]
async fn a_code_of_an_app_is_good_once() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let offer = add_app(&bench, &page, noon()).await;
    let sign_in = |shown: Option<String>, now| {
        let issuer = bench.issuer.clone();
        async move { issuer.sign_in("ada", Secret::new(PASSWORD), shown.as_deref(), now).await }
    };
    assert_eq!(sign_in(None, noon()).await.err(), Some(SignInError::CodeMissing));
    let enrolled = Some(code(&offer, noon()));
    assert_eq!(sign_in(enrolled, noon()).await.err(), Some(SignInError::Failed), "used up by setting up");
    let next = noon() + seconds(60);
    let shown = Some(code(&offer, next));
    let session = sign_in(shown.clone(), next).await.expect("signed in");
    assert!(session.level == Level::Multi);
    assert_eq!(sign_in(shown, next).await.err(), Some(SignInError::Failed), "a replay");
    let wrong = issuer_says(&bench, "wrong horse battery", &code(&offer, next + seconds(60)), next).await;
    assert_eq!(wrong, Some(SignInError::Failed));
}

async fn issuer_says(bench: &Bench, password: &str, code: &str, now: SystemTime) -> Option<SignInError> {
    bench.issuer.sign_in("ada", Secret::new(password), Some(code), now).await.err()
}

#[tokio::test]
async fn a_recovery_code_is_good_once() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let person = bench.person(&page, noon()).await;
    assert_eq!(bench.issuer.renew_recovery_codes(&person, noon()).await.err(), Some(FactorError::StepUpRequired));
    add_app(&bench, &page, noon()).await;
    let person = bench.person(&page, noon()).await;
    let codes = bench.issuer.renew_recovery_codes(&person, noon()).await.expect("made");
    assert_eq!(codes.len(), 10);
    assert!(bench.files_lack(codes[0].expose_text().as_bytes()));
    let spoken = codes[0].expose_text().to_uppercase();
    let alone = bench.issuer.sign_in_with_recovery_code(&spoken, noon()).await.err();
    assert_eq!(alone, Some(SignInError::Failed), "it does not stand for the password");
    assert_eq!(issuer_says(&bench, "wrong horse battery", &spoken, noon()).await, Some(SignInError::Failed));
    assert_eq!(issuer_says(&bench, PASSWORD, &spoken, noon()).await, None);
    assert_eq!(issuer_says(&bench, PASSWORD, &spoken, noon()).await, Some(SignInError::Failed), "a second time");
    bench.issuer.renew_recovery_codes(&person, noon()).await.expect("made");
    let old = issuer_says(&bench, PASSWORD, codes[1].expose_text(), noon()).await;
    assert_eq!(old, Some(SignInError::Failed), "replaced");
}

#[tokio::test]
async fn the_last_way_in_stays() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let mut phone = add_passkey(&bench, &page, noon()).await.expect("fresh");
    let person = bench.person(&page, noon()).await;
    let held = bench.issuer.account_view(&person, noon()).await.expect("read").factors;
    let (password, passkey) = (&held[0].id, &held[1].id);
    bench.issuer.remove_factor(&person, password, noon()).await.expect("a passkey is left");
    assert_eq!(bench.issuer.remove_factor(&person, passkey, noon()).await, Err(FactorError::Last));
    bench.issuer.rename_factor(&person, passkey, "Old phone", noon()).await.expect("renamed");
    let view = bench.issuer.account_view(&person, noon()).await.expect("read");
    assert_eq!(view.factors[0].label, "Old phone");
    let asked = bench.issuer.ask_passkey(noon()).expect("asked");
    let credential = phone.get(&asked.options);
    let answer = Answer { ceremony: asked.ceremony.expose_text(), credential };
    assert!(bench.issuer.sign_in_with_passkey(answer, noon()).await.is_ok(), "another label, the same key");
    assert!(bench.issuer.sign_in("Ada", Secret::new(PASSWORD), None, noon()).await.is_err());
}

#[tokio::test]
async fn a_stranger_is_thrown_out_with_everybody() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let thief = bench.issuer.sign_in("ada", Secret::new(PASSWORD), None, noon()).await.expect("the password leaked");
    let thief = bench.page(&thief.cookie);
    let stolen = bench.grant(&thief, "admin", noon()).await;
    let own = bench.issuer.own_token(&stolen, super::event("a"), Scope::Broadcast, noon()).await.expect("minted").token;
    let person = bench.person(&page, noon()).await;
    let told = bench.issuer.activity(&person).await.expect("read");
    bench.issuer.was_not_me(&person, &told[0].id, noon()).await.expect("noted");
    assert!(bench.issuer.person(&stolen, noon()).await.err() == Some(TokenError::Invalid));
    assert!(bench.bound(&thief.holder, own.expose_text(), noon()).await.err() == Some(TokenError::Invalid));
    assert!(bench.issuer.session(page.cookie.expose_text(), noon()).await.expect("read").is_none());
}

#[tokio::test]
async fn a_member_administers_nothing() {
    let bench = Bench::new().await;
    let account = bench.records.create_account(crate::Role::Member, None, noon()).await.expect("made");
    let session = bench.issuer.open_session(&account, "A provider", Level::Single, noon()).await.expect("opened");
    let page = bench.page(&session.cookie);
    let grant = bench.grant(&page, "account", noon()).await;
    assert!(grant.require(Scope::Admin).is_err() && bench.issuer.person(&grant, noon()).await.is_ok());
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let request = crate::AuthorizationRequest {
        response_type: "code",
        client_id: crate::CLIENT_WEB,
        redirect_uri: "http://localhost:8080/callback",
        code_challenge: challenge,
        code_challenge_method: "S256",
        scope: "admin",
        key: None,
    };
    let refused = bench.issuer.authorize(page.cookie.expose_text(), &request, noon()).await.err();
    assert_eq!(refused, Some(crate::AuthorizeError::ScopeRefused));
}

/// A provider that answers without asking would make whoever has the browser an operator for good.
#[tokio::test]
async fn an_operator_by_a_provider_alone_makes_no_first_factor() {
    for (role, expected) in [(crate::Role::Operator, Some(FactorError::StepUpRequired)), (crate::Role::Member, None)] {
        let bench = Bench::new().await;
        let account = bench.records.create_account(role, None, noon()).await.expect("made");
        let session = bench.issuer.open_session(&account, "A provider", Level::Single, noon()).await.expect("opened");
        let made = add_passkey(&bench, &bench.page(&session.cookie), noon()).await;
        assert_eq!(made.err(), expected);
    }
}

#[tokio::test]
async fn who_changes_how_they_are_recognised_is_alone_afterwards() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let others = async || {
        let session = bench.issuer.sign_in("ada", Secret::new(PASSWORD), None, noon()).await.expect("signed in");
        bench.page(&session.cookie)
    };
    let is_open =
        async |page: &Page| bench.issuer.session(page.cookie.expose_text(), noon()).await.expect("read").is_some();
    let thief = others().await;
    let person = bench.person(&page, noon()).await;
    bench.issuer.set_password(&person, None, Secret::new(PASSWORD), noon()).await.expect("fresh");
    assert!(is_open(&page).await && !is_open(&thief).await, "another password");
    let thief = others().await;
    add_app(&bench, &page, noon()).await;
    assert!(is_open(&page).await && !is_open(&thief).await, "an app");
    add_passkey(&bench, &page, noon()).await.expect("stepped up by the app");
    let person = bench.person(&page, noon()).await;
    let held = bench.records.factors(&person.account).await.expect("read");
    let app = held.iter().find(|factor| factor.kind == crate::FactorKind::Totp).expect("the app");
    let thief = bench.issuer.open_session(&person.account, "Thief", Level::Multi, noon()).await.expect("opened");
    let thief = bench.page(&thief.cookie);
    bench.issuer.remove_factor(&person, &app.id, noon()).await.expect("removed");
    assert!(is_open(&page).await && !is_open(&thief).await, "one less");
}

/// Between the look at a password and the session there is a queue, in which a recovery may overtake.
#[tokio::test]
async fn a_sign_in_on_its_way_does_not_outlive_its_factor() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let person = bench.person(&page, noon()).await;
    let [seen] = &bench.records.factors(&person.account).await.expect("read")[..] else { panic!("one password") };
    let open = async || bench.issuer.open_session_by(seen, "Password", Level::Single, noon()).await.expect("asked");
    assert!(open().await.is_some());
    bench.issuer.set_password(&person, None, Secret::new(PASSWORD), noon()).await.expect("the same again");
    assert!(open().await.is_none());
}

#[tokio::test]
async fn a_common_password_is_refused() {
    let bench = Bench::new().await;
    let link = bench.issuer.setup_link_token(noon()).await.expect("a link");
    let made = bench.issuer.complete_setup(link.expose_text(), "Ada", Secret::new("Password12345!"), noon()).await;
    assert_eq!(made.err(), Some(SetupError::PasswordCommon));
}

async fn told(bench: &Bench, page: &Page, now: SystemTime) -> Vec<&'static str> {
    let told = bench.issuer.activity(&bench.person(page, now).await).await.expect("read");
    told.iter().map(|entry| entry.kind.name()).filter(|kind| kind.starts_with("code-")).collect()
}

#[tokio::test]
async fn whoever_has_the_password_guesses_twenty_codes_a_day() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let offer = add_app(&bench, &page, noon()).await;
    let codes = bench.issuer.renew_recovery_codes(&bench.person(&page, noon()).await, noon()).await.expect("made");
    let begin = noon() + seconds(3600);
    assert_eq!(issuer_says(&bench, "wrong horse battery", "000000", begin).await, Some(SignInError::Failed));
    let first = code(&offer, begin);
    assert_eq!(issuer_says(&bench, PASSWORD, &first, begin).await, None, "a right one is not counted");
    for _ in 0..19 {
        assert_eq!(issuer_says(&bench, PASSWORD, &first, begin).await, Some(SignInError::Failed));
    }
    let person = bench.person(&page, begin).await;
    let again = |shown: String, now| {
        let (issuer, person) = (bench.issuer.clone(), &person);
        async move {
            let again = Again::Password { password: Secret::new(PASSWORD), code: Some(&shown) };
            issuer.step_up(person, again, now).await
        }
    };
    assert_eq!(again(first.clone(), begin).await, Err(FactorError::AnswerInvalid), "wherever it is tried");
    assert_eq!(told(&bench, &page, begin).await, ["code-wrong"; 20]);
    let (late, end) = (begin + seconds(86_399), begin + seconds(86_400));
    let right = code(&offer, late);
    assert_eq!(issuer_says(&bench, PASSWORD, &right, late).await, Some(SignInError::CodesSpent(seconds(1))));
    let written = codes[0].expose_text();
    assert_eq!(issuer_says(&bench, PASSWORD, written, late).await, Some(SignInError::CodesSpent(seconds(1))));
    assert_eq!(again(right, late).await, Err(FactorError::CodesSpent(seconds(1))));
    assert_eq!(issuer_says(&bench, "wrong horse battery", "000000", late).await, Some(SignInError::Failed));
    assert_eq!(issuer_says(&bench, PASSWORD, &code(&offer, end), end).await, None, "a day later");
}

#[tokio::test]
async fn codes_that_are_tried_at_once_all_count() {
    let bench = Bench::new().await;
    let account = bench.records.create_account(crate::Role::Member, None, noon()).await.expect("made");
    for _ in 0..20 {
        let waiting = bench.issuer.try_code(&account, noon(), std::future::pending::<Result<(), FactorError>>());
        assert!(tokio::time::timeout(std::time::Duration::ZERO, waiting).await.is_err());
    }
    let right = bench.issuer.try_code(&account, noon(), async { Ok(()) }).await;
    assert_eq!(right, Err(FactorError::CodesSpent(seconds(86_400))));
}

#[tokio::test]
async fn a_password_that_no_code_follows_is_told_once_an_hour() {
    let bench = Bench::new().await;
    let page = bench.ada().await;
    let offer = add_app(&bench, &page, noon()).await;
    let ask = async |now| bench.issuer.sign_in("ada", Secret::new(PASSWORD), None, now).await.err();
    let hour = noon() + seconds(3600);
    assert_eq!(ask(hour).await, Some(SignInError::CodeMissing));
    assert_eq!(issuer_says(&bench, PASSWORD, &code(&offer, hour), hour).await, None);
    let sweep = async |after| bench.issuer.forget(hour + seconds(after)).await.expect("swept");
    sweep(600).await;
    assert!(told(&bench, &page, hour).await.is_empty(), "as the page does it");
    for after in [1000, 1000, 1700] {
        assert_eq!(ask(hour + seconds(after)).await, Some(SignInError::CodeMissing));
    }
    sweep(2299).await;
    assert!(told(&bench, &page, hour).await.is_empty(), "the code may still come");
    sweep(2300).await;
    assert_eq!(ask(hour + seconds(2400)).await, Some(SignInError::CodeMissing));
    sweep(5899).await;
    assert_eq!(told(&bench, &page, hour).await, ["code-missing"]);
    sweep(5900).await;
    sweep(12_000).await;
    assert_eq!(told(&bench, &page, hour).await, ["code-missing"; 2], "the next hour's");
    let mine = code(&offer, hour + seconds(12_000));
    assert_eq!(issuer_says(&bench, PASSWORD, &mine, hour + seconds(12_000)).await, None, "it costs no try");
}
