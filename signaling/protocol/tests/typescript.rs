//! The TypeScript types of `client-web/src/protocol` are these Rust types: this test fails when the committed
//! file is stale, and writes it anew when `VEILCAST_BLESS=1` is set.
#![cfg(feature = "typescript")]

use std::{fmt::Write, fs, path::Path};
use ts_rs::{Config, TS};
use veilcast_protocol as wire;

const TARGET: &str = "../../client-web/src/protocol/generated.ts";

#[test]
fn committed_types_are_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TARGET);
    let fresh = render();
    if std::env::var_os("VEILCAST_BLESS").is_some() {
        fs::write(&path, &fresh).expect("client-web/src/protocol is there and writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == fresh,
        "client-web/src/protocol/generated.ts is stale: run \
         VEILCAST_BLESS=1 cargo test --workspace --test typescript"
    );
}

/// One file rather than one per type: its readers want the wire at a glance.
fn render() -> String {
    let mut out = String::from("// Generated from signaling/protocol; changed there, never here.\n");
    let cfg = Config::new();
    event(&mut out, &cfg);
    session(&mut out, &cfg);
    oauth(&mut out, &cfg);
    account(&mut out, &cfg);
    webhooks(&mut out, &cfg);
    journal(&mut out, &cfg);
    privacy(&mut out, &cfg);
    constants(&mut out);
    out
}

fn journal(out: &mut String, cfg: &Config) {
    add::<wire::SessionLogEpoch>(out, cfg);
    add::<wire::SessionLogEntry>(out, cfg);
    add::<wire::SessionLog>(out, cfg);
    add::<wire::BreakGlassRequest>(out, cfg);
    add::<wire::BreakGlassList>(out, cfg);
    add::<wire::EventFigure>(out, cfg);
    add::<wire::EventFigures>(out, cfg);
}

fn event(out: &mut String, cfg: &Config) {
    add::<wire::EventState>(out, cfg);
    add::<wire::Admission>(out, cfg);
    add::<wire::Latency>(out, cfg);
    add::<wire::LocationPrecision>(out, cfg);
    add::<wire::LocationCap>(out, cfg);
    add::<wire::BreakGlass>(out, cfg);
    add::<wire::Purpose>(out, cfg);
    add::<wire::ConsentRequest>(out, cfg);
    add::<wire::ConsentQuestion>(out, cfg);
    add::<wire::ConsentWithdrawal>(out, cfg);
    add::<wire::ConsentStanding>(out, cfg);
    add::<wire::AddedPurpose>(out, cfg);
    add::<wire::PurposeState>(out, cfg);
    add::<wire::ConsentState>(out, cfg);
    add::<wire::Retraction>(out, cfg);
    add::<wire::Sync>(out, cfg);
    add::<wire::BreakGlassNotice>(out, cfg);
    add::<wire::PurposeTerms>(out, cfg);
    add::<wire::PurposeList>(out, cfg);
    add::<wire::ConsentChoice>(out, cfg);
    add::<wire::ConsentReceipt>(out, cfg);
    add::<wire::ConsentReceipts>(out, cfg);
    add::<wire::AccountReceipt>(out, cfg);
    add::<wire::AccountReceipts>(out, cfg);
    add::<wire::LocationShare>(out, cfg);
    add::<wire::OwnLocation>(out, cfg);
    add::<wire::LocatedPerson>(out, cfg);
    add::<wire::Locations>(out, cfg);
    add::<wire::LocationGone>(out, cfg);
    add::<wire::Shade>(out, cfg);
    add::<wire::MapArea>(out, cfg);
    add::<wire::LocationMap>(out, cfg);
    add::<wire::EventSummary>(out, cfg);
    add::<wire::EventList>(out, cfg);
    add::<wire::NewEvent>(out, cfg);
    add::<wire::EventChange>(out, cfg);
    add::<wire::Role>(out, cfg);
    add::<wire::TokenRequest>(out, cfg);
    add::<wire::EventToken>(out, cfg);
    add::<wire::NewInvitation>(out, cfg);
    add::<wire::Invitation>(out, cfg);
    add::<wire::InvitationSummary>(out, cfg);
    add::<wire::InvitationList>(out, cfg);
    add::<wire::JoinRequest>(out, cfg);
    add::<wire::NewStreamKey>(out, cfg);
    add::<wire::StreamKey>(out, cfg);
    add::<wire::StreamKeySummary>(out, cfg);
    add::<wire::StreamKeyList>(out, cfg);
    add::<wire::Removal>(out, cfg);
    add::<wire::TakenPlaces>(out, cfg);
    add::<wire::BanReach>(out, cfg);
    add::<wire::Ban>(out, cfg);
    add::<wire::BanList>(out, cfg);
    add::<wire::Knock>(out, cfg);
    add::<wire::Waiting>(out, cfg);
    add::<wire::KnockSummary>(out, cfg);
    add::<wire::KnockList>(out, cfg);
    add::<wire::KnockAnswer>(out, cfg);
    add::<wire::ClientScope>(out, cfg);
    add::<wire::NewClient>(out, cfg);
    add::<wire::NewClientKey>(out, cfg);
    add::<wire::RegisteredClient>(out, cfg);
    add::<wire::ClientKeySummary>(out, cfg);
    add::<wire::ClientSummary>(out, cfg);
    add::<wire::HeldStreamKey>(out, cfg);
    add::<wire::HeldWebhook>(out, cfg);
    add::<wire::ThirdParties>(out, cfg);
}

fn session(out: &mut String, cfg: &Config) {
    add::<wire::FaultCode>(out, cfg);
    add::<wire::Fault>(out, cfg);
    add::<wire::Challenge>(out, cfg);
    add::<wire::Hello>(out, cfg);
    add::<wire::Renewal>(out, cfg);
    add::<wire::Renewed>(out, cfg);
    add::<wire::Offer>(out, cfg);
    add::<wire::QualityCap>(out, cfg);
    add::<wire::QualityWish>(out, cfg);
    chat(out, cfg);
    add::<wire::ClientMessage>(out, cfg);
    add::<wire::Activity>(out, cfg);
    add::<wire::PlaceState>(out, cfg);
    add::<wire::StageState>(out, cfg);
    add::<wire::OwnPlace>(out, cfg);
    add::<wire::IceServer>(out, cfg);
    add::<wire::Welcome>(out, cfg);
    add::<wire::Answer>(out, cfg);
    add::<wire::Unplayable>(out, cfg);
    add::<wire::Quality>(out, cfg);
    add::<wire::QualityState>(out, cfg);
    add::<wire::LayerState>(out, cfg);
    add::<wire::LayerStates>(out, cfg);
    add::<wire::Audience>(out, cfg);
    add::<wire::AudienceHealth>(out, cfg);
    add::<wire::Ended>(out, cfg);
    add::<wire::Draining>(out, cfg);
    add::<wire::ServerMessage>(out, cfg);
}

fn chat(out: &mut String, cfg: &Config) {
    add::<wire::ChatReaction>(out, cfg);
    add::<wire::ChatRole>(out, cfg);
    add::<wire::ChatVerb>(out, cfg);
    add::<wire::ChatMessage>(out, cfg);
    add::<wire::ChatSum>(out, cfg);
    add::<wire::ChatSums>(out, cfg);
    add::<wire::ChatBoard>(out, cfg);
    add::<wire::ChatSelf>(out, cfg);
    add::<wire::ChatListed>(out, cfg);
    add::<wire::ChatNews>(out, cfg);
}

fn oauth(out: &mut String, cfg: &Config) {
    add::<wire::SignInProvider>(out, cfg);
    add::<wire::Instance>(out, cfg);
    add::<wire::ProviderChoice>(out, cfg);
    add::<wire::Departure>(out, cfg);
    add::<wire::Setup>(out, cfg);
    add::<wire::SignIn>(out, cfg);
    add::<wire::SignedIn>(out, cfg);
    add::<wire::PushedAuthorization>(out, cfg);
    add::<wire::AuthorizationRequest>(out, cfg);
    add::<wire::TokenResponse>(out, cfg);
}

fn webhooks(out: &mut String, cfg: &Config) {
    add::<wire::WebhookKind>(out, cfg);
    add::<wire::WebhookOutcome>(out, cfg);
    add::<wire::NewWebhook>(out, cfg);
    add::<wire::WebhookSecret>(out, cfg);
    add::<wire::WebhookSummary>(out, cfg);
    add::<wire::WebhookList>(out, cfg);
    add::<wire::WebhookTested>(out, cfg);
    add::<wire::WebhookEvent>(out, cfg);
    add::<wire::WebhookEventList>(out, cfg);
    add::<wire::SecurityKind>(out, cfg);
    add::<wire::SecurityEvent>(out, cfg);
    add::<wire::SecurityEventList>(out, cfg);
}

fn privacy(out: &mut String, cfg: &Config) {
    add::<wire::PrivacyPurpose>(out, cfg);
    add::<wire::PrivacyRow>(out, cfg);
    add::<wire::PrivacyChange>(out, cfg);
    add::<wire::PrivacyTable>(out, cfg);
}

fn account(out: &mut String, cfg: &Config) {
    add::<wire::AccountRole>(out, cfg);
    add::<wire::FactorKind>(out, cfg);
    add::<wire::Factor>(out, cfg);
    add::<wire::AccountSession>(out, cfg);
    add::<wire::Account>(out, cfg);
    add::<wire::ActivityKind>(out, cfg);
    add::<wire::AccountActivity>(out, cfg);
    add::<wire::ActivityList>(out, cfg);
    add::<wire::PasskeyQuestion>(out, cfg);
    add::<wire::PasskeyAnswer>(out, cfg);
    add::<wire::NewPasskey>(out, cfg);
    add::<wire::SetupPasskey>(out, cfg);
    add::<wire::TotpSecret>(out, cfg);
    add::<wire::NewTotp>(out, cfg);
    add::<wire::NewPassword>(out, cfg);
    add::<wire::FactorChange>(out, cfg);
    add::<wire::RecoveryCodes>(out, cfg);
    add::<wire::PasswordAgain>(out, cfg);
    add::<wire::RecoverySignIn>(out, cfg);
}

/// Values that the client's parsers need besides the types.
fn constants(out: &mut String) {
    out.push_str("\n/** Every fault code, for parsing. */\nexport const FAULT_CODES: readonly FaultCode[] = [\n");
    for code in wire::FaultCode::ALL {
        let _ = writeln!(out, "  \"{}\",", code.name());
    }
    out.push_str("];\n");
    let most = wire::MAX_BROADCASTERS;
    let _ = writeln!(
        out,
        "\n/** The most broadcasters that an event can have at once. */\nexport const MAX_BROADCASTERS = {most};"
    );
    let (text, name) = (wire::MAX_CHAT_TEXT, wire::MAX_CHAT_NAME);
    let _ = writeln!(out, "\n/** The longest message, in characters. */\nexport const MAX_CHAT_TEXT = {text};");
    let _ = writeln!(out, "\n/** The longest name, in characters. */\nexport const MAX_CHAT_NAME = {name};");
    let _ = writeln!(out, "\n/** The largest SDP body, in bytes. */\nexport const MAX_SDP = {};", wire::MAX_SDP);
}

fn add<T: TS>(out: &mut String, cfg: &Config) {
    out.push('\n');
    if let Some(docs) = T::docs() {
        out.push_str(docs.trim_end());
        out.push('\n');
    }
    let _ = writeln!(out, "export {}", T::decl(cfg));
}
