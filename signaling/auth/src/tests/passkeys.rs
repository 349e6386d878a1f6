//! Passkeys: first, further, at signing in and again.

use super::{Bench, ORIGIN, noon, seconds};
use crate::{Again, Answer, FactorError, Level, Question};
use holder::{AAGUID, Authenticator};
use serde_json::Value;
use veilcast_privacy::Secret;

fn answer(question: &Question, credential: Value) -> Answer<'_> {
    Answer { ceremony: question.ceremony.expose_text(), credential }
}

/// A first operator with a passkey called `Phone`, and the cookie of the session.
async fn set_up(bench: &Bench) -> (Authenticator, Secret) {
    let link = bench.issuer.setup_link_token(noon()).await.expect("no operator yet");
    let asked = bench.issuer.ask_first_passkey(link.expose_text(), noon()).await.expect("asked");
    let mut phone = Authenticator::new(ORIGIN);
    let made = phone.create(&asked.options);
    let session = bench.issuer.set_up_with_passkey(answer(&asked, made), "Phone", noon()).await.expect("set up");
    assert!(session.level == Level::Multi);
    (phone, session.cookie)
}

async fn sign_in(bench: &Bench, phone: &mut Authenticator) -> Result<Secret, FactorError> {
    let asked = bench.issuer.ask_passkey(noon()).expect("asked");
    let shown = phone.get(&asked.options);
    bench.issuer.sign_in_with_passkey(answer(&asked, shown), noon()).await.map(|session| session.cookie)
}

#[tokio::test]
async fn an_operator_needs_no_name_and_no_password() {
    let bench = Bench::new().await;
    let (mut phone, cookie) = set_up(&bench).await;
    let grant = bench.grant(&bench.page(&cookie), "admin", noon()).await;
    assert!(grant.require_step_up(noon()).is_ok());
    let again = sign_in(&bench, &mut phone).await.expect("signed in");
    let view = bench.issuer.account_view(&bench.person(&bench.page(&again), noon()).await, noon()).await;
    let view = view.expect("read");
    assert!(view.account.name.is_none() && view.factors.len() == 1 && view.factors[0].label == "Phone");
    assert_eq!(view.sessions.iter().map(|row| row.how.expose_text()).collect::<Vec<_>>(), ["Phone", "Phone"]);
    assert!(bench.files_lack(&AAGUID), "what make it is, is nowhere kept");
    assert!(bench.files_lack(b"Phone"), "what its person calls it is sealed");
}

#[tokio::test]
async fn what_is_asked_keeps_a_persons_secrets() {
    let bench = Bench::new().await;
    let link = bench.issuer.setup_link_token(noon()).await.expect("no operator yet");
    let asked = bench.issuer.ask_first_passkey(link.expose_text(), noon()).await.expect("asked");
    let options = &asked.options["publicKey"];
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["rp"]["id"], "localhost");
    let asked = bench.issuer.ask_passkey(noon()).expect("asked");
    assert_eq!(asked.options["publicKey"]["userVerification"], "required");
    assert_eq!(asked.options["publicKey"]["allowCredentials"], serde_json::json!([]), "whose is not known yet");
}

#[tokio::test]
async fn an_answer_counts_once_and_for_its_own_question() {
    let bench = Bench::new().await;
    let (mut phone, _) = set_up(&bench).await;
    let (one, other) = (bench.issuer.ask_passkey(noon()), bench.issuer.ask_passkey(noon()));
    let (one, other) = (one.expect("asked"), other.expect("asked"));
    let shown = phone.get(&one.options);
    let attempt = |question: &Question, now| {
        let (issuer, shown) = (bench.issuer.clone(), shown.clone());
        let ceremony = question.ceremony.clone();
        async move {
            let answer = Answer { ceremony: ceremony.expose_text(), credential: shown };
            issuer.sign_in_with_passkey(answer, now).await.map(drop)
        }
    };
    assert_eq!(attempt(&other, noon()).await, Err(FactorError::AnswerInvalid));
    assert_eq!(attempt(&one, noon()).await, Ok(()));
    assert_eq!(attempt(&one, noon()).await, Err(FactorError::AnswerInvalid), "a replay");
    let late = bench.issuer.ask_passkey(noon()).expect("asked");
    let shown = phone.get(&late.options);
    let late = bench.issuer.sign_in_with_passkey(answer(&late, shown), noon() + seconds(120)).await.map(drop);
    assert_eq!(late, Err(FactorError::AnswerInvalid));
}

#[tokio::test]
async fn strangers_take_no_questions_away() {
    let bench = Bench::new().await;
    let (mut phone, cookie) = set_up(&bench).await;
    let person = bench.person(&bench.page(&cookie), noon()).await;
    let again = bench.issuer.ask_again(&person, noon()).await.expect("asked");
    let more = bench.issuer.ask_new_passkey(&person, noon()).await.expect("asked");
    let open = bench.issuer.ask_passkey(noon()).expect("asked");
    for _ in 0..2_000 {
        bench.issuer.ask_passkey(noon()).expect("asked");
    }
    let shown = phone.get(&open.options);
    let mut other = shown.clone();
    other["response"]["signature"] = "AAAA".into();
    let wrong = bench.issuer.sign_in_with_passkey(answer(&open, other), noon()).await.map(drop);
    assert_eq!(wrong, Err(FactorError::AnswerInvalid));
    assert!(
        bench.issuer.sign_in_with_passkey(answer(&open, shown), noon()).await.is_ok(),
        "and a bad one spends nothing"
    );
    let shown = phone.get(&again.options);
    bench.issuer.step_up(&person, Again::Passkey(answer(&again, shown)), noon()).await.expect("recognised");
    let made = Authenticator::new(ORIGIN).create(&more.options);
    bench.issuer.add_passkey(&person, answer(&more, made), "Tablet", noon()).await.expect("added");
}

#[tokio::test]
async fn hostile_authenticators_are_refused() {
    let bench = Bench::new().await;
    let (mut phone, _) = set_up(&bench).await;
    phone.verifies = false;
    assert_eq!(sign_in(&bench, &mut phone).await.map(drop), Err(FactorError::AnswerInvalid), "nobody was verified");
    phone.verifies = true;
    phone.origin = "http://localhost.evil.example:8080".to_owned();
    assert_eq!(sign_in(&bench, &mut phone).await.map(drop), Err(FactorError::AnswerInvalid), "another page");
    phone.origin = ORIGIN.to_owned();
    let handle = [7; 16];
    phone.claim_handle(&handle);
    assert_eq!(sign_in(&bench, &mut phone).await.map(drop), Err(FactorError::AnswerInvalid), "another person");
    let mut stranger = Authenticator::new(ORIGIN);
    assert_eq!(sign_in(&bench, &mut stranger).await.map(drop), Err(FactorError::AnswerInvalid));
}

#[tokio::test]
async fn a_passkey_without_verification_is_not_enrolled() {
    let bench = Bench::new().await;
    let link = bench.issuer.setup_link_token(noon()).await.expect("no operator yet");
    let asked = bench.issuer.ask_first_passkey(link.expose_text(), noon()).await.expect("asked");
    let mut simple = Authenticator::new(ORIGIN);
    simple.verifies = false;
    let made = simple.create(&asked.options);
    let refused = bench.issuer.set_up_with_passkey(answer(&asked, made), "Key", noon()).await.map(drop);
    assert_eq!(refused, Err(FactorError::AnswerInvalid));
    assert!(!bench.issuer.ready().await.expect("read"), "the link is not used up");
}

#[tokio::test]
async fn stepping_up_counts_for_one_key_and_ten_minutes() {
    let bench = Bench::new().await;
    let (mut phone, cookie) = set_up(&bench).await;
    let (page, other) = (bench.page(&cookie), bench.page(&cookie));
    let later = noon() + seconds(601);
    assert!(bench.grant(&page, "admin", later).await.require_step_up(later).is_err(), "minute 11: the old auth_time");
    let person = bench.person(&page, later).await;
    let asked = bench.issuer.ask_again(&person, later).await.expect("asked");
    let shown = phone.get(&asked.options);
    let foreign = bench.person(&other, later).await;
    bench.issuer.step_up(&person, Again::Passkey(answer(&asked, shown)), later).await.expect("recognised");
    assert!(bench.grant(&page, "admin", later).await.require_step_up(later).is_ok());
    assert!(bench.grant(&other, "admin", later).await.require_step_up(later).is_err(), "another key of the session");
    drop(foreign);
    let end = later + seconds(600);
    assert!(bench.grant(&page, "admin", end).await.require_step_up(end).is_err(), "renewing is not being asked");
}

#[tokio::test]
async fn a_recovery_link_lets_its_person_in_and_everybody_else_out() {
    let bench = Bench::new().await;
    let (mut lost, cookie) = set_up(&bench).await;
    let link = bench.issuer.recovery_link_token(None, noon()).await.expect("written").expect("an operator");
    let asked = bench.issuer.ask_first_passkey(link.expose_text(), noon()).await.expect("asked");
    let mut new = Authenticator::new(ORIGIN);
    let made = new.create(&asked.options);
    bench.issuer.set_up_with_passkey(answer(&asked, made), "New phone", noon()).await.expect("recovered");
    assert!(sign_in(&bench, &mut new).await.is_ok());
    assert!(sign_in(&bench, &mut lost).await.is_err(), "whoever found it");
    assert!(bench.issuer.session(cookie.expose_text(), noon()).await.expect("read").is_none());
    let again = bench.issuer.ask_first_passkey(link.expose_text(), noon()).await.map(drop);
    assert_eq!(again, Err(FactorError::LinkInvalid));
}

#[tokio::test]
async fn an_address_in_numbers_has_no_passkeys() {
    for (address, has) in [
        ("http://localhost:8080", true),
        ("https://stage.example", true),
        ("http://127.0.0.1:8080", false),
        ("https://[2001:db8::1]", false),
    ] {
        assert_eq!(crate::passkey::site(address).is_some(), has, "{address}");
    }
}
