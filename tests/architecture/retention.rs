//! What the server holds in memory has a row in the table of retention.

use super::{nothing, texts};
use std::collections::BTreeSet;
use veilcast_retention::{Place, rows};

/// Source files whose types keep something for longer than a request, and the rows that say so. Of a type that keeps nothing of
/// anybody the row is empty.
const HOLDERS: [(&str, &str); 50] = [
    ("server/sfu/src/lib.rs", "media-session"),
    ("server/sfu/src/casts.rs", "media"),
    ("server/sfu/src/fanout.rs", "media"),
    ("server/sfu/src/egress/history.rs", "media"),
    ("server/sfu/src/feedback/transport.rs", "media-session"),
    ("server/sfu/src/routing/layer.rs", "media-session"),
    ("server/shard/src/door/paths.rs", "address"),
    ("server/shard/src/streams/mod.rs", "address"),
    ("server/shard/src/rings.rs", "media"),
    ("server/shard/src/placement.rs", "media-session"),
    ("signaling/room/src/rooms.rs", "presence"),
    ("signaling/room/src/audience.rs", "figures"),
    ("signaling/room/src/door.rs", "door"),
    ("signaling/room/src/chat/mod.rs", "chat"),
    ("signaling/room/src/chat/people.rs", "chat"),
    ("signaling/room/src/listing.rs", "listing"),
    ("signaling/room/src/location/map.rs", "areas"),
    ("signaling/room/src/location/share.rs", "areas"),
    ("signaling/gateway/src/doorbell.rs", "door"),
    ("signaling/consent/src/ledger.rs", "choices"),
    ("signaling/gateway/src/consent.rs", "choices"),
    ("signaling/gateway/src/edge/throttle.rs", "failures"),
    ("signaling/gateway/src/edge/prefix.rs", "failures"),
    ("signaling/gateway/src/listen.rs", "failures"),
    ("signaling/gateway/src/metrics/gauges.rs", "figures"),
    ("signaling/gateway/src/session/directory.rs", "presence"),
    ("signaling/auth/src/token.rs", "guest-pass"),
    ("signaling/auth/src/authorize.rs", "sign-in-under-way"),
    ("signaling/auth/src/pushed.rs", "sign-in-under-way"),
    ("signaling/auth/src/ceremony.rs", "sign-in-under-way"),
    ("signaling/auth/src/open_question.rs", "sign-in-under-way"),
    ("signaling/auth/src/shares.rs", "sign-in-under-way"),
    ("signaling/auth/src/provider/pending.rs", "sign-in-under-way"),
    ("signaling/auth/src/second_try.rs", "codes-tried"),
    ("signaling/auth/src/name_try.rs", "codes-tried"),
    ("signaling/auth/src/replay.rs", "proofs"),
    ("signaling/auth/src/assertion.rs", "programs-proofs"),
    ("signaling/auth/src/provider/opaque.rs", "providers"),
    ("signaling/auth/src/provider/logout.rs", "providers"),
    ("signaling/security/src/lib.rs", "signs"),
    ("signaling/security/src/windows.rs", "signs"),
    ("signaling/webhooks/src/queue.rs", "messages-out"),
    ("signaling/journal/src/hold.rs", "session-log"),
    ("signaling/journal/src/state.rs", "session-log"),
    ("signaling/journal/src/glass.rs", "break-glass"),
    ("signaling/journal/src/analytics.rs", "event-figures"),
    ("signaling/gateway/src/journal/figures.rs", "event-figures"),
    // Settings, which name nobody.
    ("server/veilcast/src/config/provider.rs", ""),
    ("server/veilcast/src/config/purpose.rs", ""),
    // A list of words that make poor passwords.
    ("signaling/auth/src/common.rs", ""),
];

/// What holds many of something.
const COLLECTIONS: [&str; 6] = ["HashMap<", "BTreeMap<", "DashMap<", "VecDeque<", "HashSet<", "BTreeSet<"];

/// Whether a type or a static of this file has a collection in it. Tests stand at the end of a file.
fn holds(text: &str) -> bool {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let types = text.split("\n\n").flat_map(|part| {
        let begins = |line: &&str| {
            let line =
                line.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ").trim_start_matches("pub ");
            line.starts_with("struct ")
                || line.starts_with("enum ")
                || line.starts_with("static ")
                || line.starts_with("type ")
        };
        part.lines().skip_while(move |line| !begins(line)).take_while(|line| *line != "}")
    });
    let mut types = types.filter(|line| !line.trim_start().starts_with("//"));
    // What borrows keeps nothing.
    types.any(|line| COLLECTIONS.iter().any(|name| line.contains(name)) && !line.contains('&'))
}

fn is_source(path: &str) -> bool {
    let product = ["signaling/", "server/sfu/", "server/shard/", "server/veilcast/"];
    product.iter().any(|part| path.starts_with(part))
        && path.ends_with(".rs")
        && !path.contains("/tests")
        && !path.ends_with("/fuzz.rs")
}

#[test]
fn whatever_is_held_in_memory_has_a_row() {
    let found: BTreeSet<String> =
        texts().into_iter().filter(|(path, text)| is_source(path) && holds(text)).map(|(path, _)| path).collect();
    let known: BTreeSet<&str> = HOLDERS.iter().map(|(path, _)| *path).collect();
    let new = found.iter().filter(|path| !known.contains(path.as_str()));
    nothing(
        "a row in signaling/retention/src/memory.rs for what these keep, and the file in this test's table",
        &new.cloned().collect::<Vec<_>>(),
    );
    let missing = known.iter().filter(|path| !super::root().join(path).is_file());
    nothing("files that are gone", &missing.map(|path| (*path).to_owned()).collect::<Vec<_>>());
}

#[test]
fn rows_and_holders_know_each_other() {
    let rows: BTreeSet<&str> = rows().filter(|row| row.place == Place::Memory).map(|row| row.kind).collect();
    let held: BTreeSet<&str> = HOLDERS.iter().map(|(_, kind)| *kind).filter(|kind| !kind.is_empty()).collect();
    assert_eq!(rows, held, "rows of memory on the left, what this test's table names on the right");
}

#[test]
fn a_type_that_keeps_something_is_seen() {
    assert!(holds(
        "use x;\n\n/// Why.\npub(crate) struct Track {\n    /// HashMap\n    seen: HashMap<Cell, Instant>,\n}\n"
    ));
    assert!(holds("static CELLS: LazyLock<Mutex<BTreeSet<Cell>>> = LazyLock::new(Mutex::default);\n"));
    assert!(!holds(
        "struct Plain {\n    /// Not a HashMap<K, V>.\n    one: u8,\n}\n\nfn f() {\n    let all: HashMap<u8, u8>;\n}\n"
    ));
    assert!(!holds("struct A(u8);\n\n#[cfg(test)]\nmod tests {\n    struct B(VecDeque<u8>);\n}\n"));
    assert!(!holds("struct View<'a> {\n    all: &'a HashMap<u8, u8>,\n}\n"));
}
