use super::*;
use crate::changes::fingerprint;
use std::collections::BTreeSet;

#[test]
fn every_row_says_everything() {
    for row in rows() {
        for text in [row.kind, row.what, row.why, row.until] {
            assert!(text.len() >= 3, "{row:?}");
        }
        for text in [row.what, row.why, row.until] {
            assert!(
                text.ends_with(['.', ')']) && text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()),
                "a sentence: {text}"
            );
        }
        if let Purpose::Asked(name) = row.purpose {
            assert!(!name.is_empty(), "{row:?}");
        }
    }
}

#[test]
fn a_browser_has_one_row_for_each_key() {
    let mut seen = BTreeSet::new();
    for row in rows().filter(|row| row.place.is_in_browser()) {
        assert!(seen.insert((row.place.name(), row.kind)), "{} twice", row.kind);
        assert!(!matches!(row.forget, Forget::Sweep(_)), "no statement reaches a browser");
    }
    assert!(row_of(Place::SessionStorage, "veilcast-invitation-abc").is_some_and(|row| row.about == About::Viewers));
    assert!(row_of(Place::Cookie, "veilcast-issuer").is_some() && row_of(Place::Cookie, "veilcast-issuer2").is_none());
    assert!(row_of(Place::LocalStorage, "veilcast-invitation-abc").is_none());
}

#[test]
fn tables_are_swept_by_sentences_that_name_them() {
    for row in rows() {
        match row.forget {
            Forget::Sweep(statement) => {
                assert!(row.place == Place::Table && statement.contains(&format!(" {} ", row.kind)), "{}", row.kind);
                assert!(row.longest.is_some() || statement.contains("'ended'"), "{}: how long at most?", row.kind);
                assert!(!statement.contains("?2") || row.longest.is_some(), "{}", row.kind);
            }
            Forget::Clock => assert!(row.longest.is_some(), "{}: a clock has a time", row.kind),
            Forget::End | Forget::Person => {}
        }
    }
}

/// Words and numbers do not say different things: the longest time stands in the words, unless an event's or a key's own end does.
#[test]
fn the_words_tell_the_longest_time() {
    let owner_decides =
        ["refresh_family", "invitation", "stream_key", "client_key", "revocation", "signing_key", "media"];
    for row in rows().filter(|row| !owner_decides.contains(&row.kind)) {
        let Some(longest) = row.longest else { continue };
        let said = [(86_400 * 365, "a year"), (86_400, "a day"), (86_400, "A day"), (3_600, "1 hour")];
        let spelled = [(86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds")];
        let plain = spelled.iter().any(|(unit, name)| {
            longest.is_multiple_of(*unit) && row.until.contains(&format!("{} {name}", longest / unit))
        });
        let named = said.iter().any(|(seconds, words)| longest == *seconds && row.until.contains(words));
        assert!(plain || named, "{}: {longest} s is not in: {}", row.kind, row.until);
    }
}

/// GDPR, article 21, and article 6(1)(f): what we claim an interest in says why it weighs more, and what objecting does.
#[test]
fn what_is_needed_is_argued_for() {
    for purpose in Purpose::NEEDED {
        assert!(!purpose.words().is_empty());
        assert_eq!(purpose.basis() == Basis::Interest, !purpose.objection().is_empty(), "{purpose:?}");
        assert_ne!(purpose.basis(), Basis::Consent, "{purpose:?} is not asked for");
    }
    assert_eq!(Purpose::Asked("chat").basis(), Basis::Consent);
    let names: BTreeSet<&str> = Purpose::NEEDED.iter().map(|purpose| purpose.name()).collect();
    assert_eq!(names.len(), Purpose::NEEDED.len());
}

#[test]
fn nothing_changes_without_a_version() {
    let last = CHANGES.last().expect("a first version");
    assert_eq!(
        last.of,
        fingerprint(),
        "What is kept has changed. If the last version in changes.rs was published, add one that says what is different, dated \
         today; then write there: of: {:#018x}",
        fingerprint()
    );
    for (before, after) in CHANGES.iter().zip(&CHANGES[1..]) {
        assert!(before.date <= after.date && before.of != after.of, "{} and {}", before.date, after.date);
    }
    for change in CHANGES {
        let date: Vec<&str> = change.date.split('-').collect();
        assert!(date.len() == 3 && change.date.len() == 10 && date.iter().all(|part| part.parse::<u32>().is_ok()));
        assert!(change.what.len() > 20);
    }
}
