//! The gate as the compiler sees it: a consent lasts as long as nobody can take it back, is for one purpose, and is made in one place.

use super::compile::Compiler;

const PRELUDE: &str = "use std::time::Instant;
use veilcast_consent::{Asked, Chat, Choice, Consent, Ledger, Licence, Location, Party, Presence, Purpose};
use veilcast_room::{Fresh, Rooms, Showing, SocketId, Voice};
type E = u32;
struct Session { kept: Option<Consent<'static, E, Chat>> }
struct Lent<'s> { kept: Option<Consent<'s, E, Chat>> }
fn hold<T>(_: &T) {}";

/// What a gateway does: asks the gate, and lets the room act at once.
const GOOD: &str = "
let consent = ledger.consent::<Chat>(party, now).unwrap();
rooms.permit(SocketId(1), &consent);
_ = rooms.say(&consent, Voice::Viewer, fresh, (\"text\", None), now);
let kept: Licence = consent.licence().clone();
ledger.withdraw(&party.event, party.subject, Purpose::Chat);
let location = ledger.consent::<Location>(party, now).unwrap();
_ = rooms.show_area(SocketId(1), &location, showing, now);
let presence = ledger.consent::<Presence>(party, now).unwrap();
_ = rooms.list(&presence, Voice::Viewer, \"name\", now);
hold(&kept);";

/// Ways to have it longer, elsewhere, for something else or without asking; and the compiler's word on each.
const BAD: [(&str, &str); 21] = [
    // Across a withdrawal, by whatever way a grant ends.
    (
        "let consent = ledger.consent::<Chat>(party, now); ledger.withdraw(&1, party.subject, Purpose::Chat); hold(&consent);",
        "E0502",
    ),
    ("let consent = ledger.consent::<Chat>(party, now); ledger.decide(party, choice, now); hold(&consent);", "E0502"),
    ("let consent = ledger.consent::<Chat>(party, now); ledger.tick(now); hold(&consent);", "E0502"),
    ("let consent = ledger.consent::<Chat>(party, now); ledger.forget(&1, party.subject); hold(&consent);", "E0502"),
    ("let consent = ledger.consent::<Chat>(party, now); ledger.forget_event(&1); hold(&consent);", "E0502"),
    // In what outlives the ledger's loan.
    ("session.kept = ledger.consent::<Chat>(party, now).ok();", "must outlive `'static`"),
    ("let lent = Lent { kept: ledger.consent::<Chat>(party, now).ok() }; ledger.tick(now); hold(&lent);", "E0502"),
    ("let mut all = Vec::new(); all.push(ledger.consent::<Chat>(party, now)); ledger.tick(now); hold(&all);", "E0502"),
    (
        "let when = { let own = Ledger::<E>::default(); own.consent::<Chat>(party, now) }; hold(&when);",
        "`own` does not live long enough",
    ),
    // Beyond the session that it is of.
    (
        "let when = { let own = Party { event: 1, subject: party.subject, signal: false, asks_nothing: false }; ledger.consent::<Chat>(&own, now) }; hold(&when);",
        "`own` does not live long enough",
    ),
    // With somebody else: a thread, a task, whatever runs later.
    (
        "let consent = ledger.consent::<Chat>(party, now).unwrap(); std::thread::spawn(move || hold(&consent));",
        "borrowed data escapes outside of function",
    ),
    (
        "let consent = ledger.consent::<Chat>(party, now).unwrap(); let task: Box<dyn Future<Output = ()> + 'static> = Box::new(async move { hold(&consent) });",
        "must outlive `'static`",
    ),
    (
        "let consent = ledger.consent::<Chat>(party, now).unwrap(); let more: Consent<'_, E, Chat> = consent.clone();",
        "no method named `clone`",
    ),
    // Made without asking.
    (
        "let licence = ledger.consent::<Chat>(party, now).unwrap().licence().clone(); let made = Consent::<E, Location> { party, licence: &licence, purpose: Default::default() };",
        "E0451",
    ),
    ("enum Mine {} impl Asked for Mine { const PURPOSE: Purpose = Purpose::Chat; }", "Sealed"),
    // For something else.
    (
        "let other = ledger.consent::<Location>(party, now).unwrap(); _ = rooms.say(&other, Voice::Viewer, fresh, (\"text\", None), now);",
        "expected `&Consent<'_, u32, Chat>`, found `&Consent<'_, u32, Location>`",
    ),
    (
        "let other = ledger.consent::<Presence>(party, now).unwrap(); rooms.show_chat(SocketId(1), &other);",
        "expected `&Consent<'_, u32, Chat>`, found `&Consent<'_, u32, Presence>`",
    ),
    (
        "let other = ledger.consent::<Chat>(party, now).unwrap(); _ = rooms.show_area(SocketId(1), &other, showing, now);",
        "expected `&Consent<'_, u32, Location>`, found `&Consent<'_, u32, Chat>`",
    ),
    (
        "let other = ledger.consent::<Chat>(party, now).unwrap(); _ = rooms.list(&other, Voice::Viewer, \"name\", now);",
        "expected `&Consent<'_, u32, Presence>`, found `&Consent<'_, u32, Chat>`",
    ),
    (
        "let other = ledger.consent::<Chat>(party, now).unwrap(); let bent: Consent<'_, E, Location> = other;",
        "expected `Consent<'_, u32, Location>`, found `Consent<'_, u32, Chat>`",
    ),
    // What is kept beside what was said is no consent.
    (
        "let kept = ledger.consent::<Chat>(party, now).unwrap().licence().clone(); _ = rooms.say(&kept, Voice::Viewer, fresh, (\"text\", None), now);",
        "found `&Licence`",
    ),
];

fn function(body: &str) -> String {
    format!(
        "fn act(ledger: &mut Ledger<E>, rooms: &mut Rooms<E>, party: &Party<E>, session: &mut Session, showing: &Showing, \
         choice: Choice, fresh: Fresh, now: Instant) {{ {body} }}"
    )
}

#[test]
fn a_consent_that_could_be_kept_or_bent_does_not_compile() {
    let compiler = Compiler::new(&["veilcast_consent", "veilcast_room"], PRELUDE, &function(GOOD));
    compiler.refuses(BAD.iter().map(|(body, says)| (function(body), *says)));
}
