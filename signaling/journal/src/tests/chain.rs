use super::{Bench, DAY, at, signer};
use crate::chain::Statement;
use crate::{Error, Export, Finding, Heads, Journal, Kept, KeyFile, Signed, Signer, lost, verify, verify_heads};
use veilcast_privacy::Secret;

fn busy(seed: u64) -> Bench {
    let mut bench = Bench::new(seed);
    for minute in 0..10 {
        (0..6).for_each(|who| bench.join('a', who + minute));
        bench.tick();
    }
    bench
}

fn export(bench: &Bench) -> Export {
    Export::new(bench.heads.clone(), &bench.journal.opening().body, bench.journal.blocks())
}

fn name(bench: &Bench) -> String {
    bench.journal.opening().body.epoch.clone()
}

/// Says something else under the same key, as an operator could.
fn forge<T: Statement>(body: T) -> Signed<T> {
    signer().sign(body)
}

#[test]
fn a_whole_export_has_nothing_wrong() {
    let mut bench = busy(1);
    assert_eq!(verify(&export(&bench), std::slice::from_ref(&bench.heads), None), []);
    let text = serde_json::to_string(&export(&bench)).expect("JSON");
    assert_eq!(verify(&serde_json::from_str(&text).expect("JSON"), &[], None), [], "and comes back from a file");
    let early = bench.heads.clone();
    while bench.heads.epochs.len() < 2 {
        bench.tick();
    }
    bench.tick();
    assert_eq!(verify(&export(&bench), &[early, bench.heads.clone()], None), [], "the day after, too");
}

#[test]
fn an_edit_is_seen() {
    let bench = busy(1);
    let mut changed = export(&bench);
    changed.blocks[4].sealed = changed.blocks[5].sealed.clone();
    assert_eq!(verify(&changed, &[], None), [Finding::Edited(name(&bench), 4)]);
    // Whoever makes up the hashes as well comes to another end.
    let mut sealed = bench.journal.blocks().to_vec();
    sealed[4][100] ^= 1;
    let rehashed = Export::new(bench.heads.clone(), &bench.journal.opening().body, &sealed);
    assert!(matches!(verify(&rehashed, &[], None)[..], [Finding::Edited(..)]));
}

#[test]
fn another_order_is_seen() {
    let bench = busy(1);
    let mut changed = export(&bench);
    changed.blocks.swap(2, 7);
    assert_eq!(verify(&changed, &[], None), [Finding::Reordered(name(&bench), 7)]);
}

#[test]
fn a_cut_is_seen_even_if_it_is_signed_anew() {
    let bench = busy(1);
    let mut cut = export(&bench);
    cut.blocks.truncate(7);
    assert_eq!(verify(&cut, &[], None), [Finding::Truncated(name(&bench), 3)]);
    // The operator has the key, and signs a head for what is left: only a witness knows better.
    let mut head = bench.heads.epochs[0].head.clone().expect("a head").body;
    (head.blocks, head.root) = (7, cut.blocks[6].hash.clone());
    cut.heads.epochs[0].head = Some(forge(head));
    assert_eq!(verify(&cut, &[], None), []);
    assert_eq!(verify(&cut, std::slice::from_ref(&bench.heads), None), [Finding::Truncated(name(&bench), 3)]);
    let mut grown = export(&bench);
    grown.heads.epochs[0].head = cut.heads.epochs[0].head.clone();
    assert_eq!(verify(&grown, &[], None), [Finding::Added(name(&bench), 3)]);
}

#[test]
fn another_history_is_seen_by_a_witness() {
    let bench = busy(1);
    let mut sealed = bench.journal.blocks().to_vec();
    sealed[3][50] ^= 1;
    let mut other = Export::new(bench.heads.clone(), &bench.journal.opening().body, &sealed);
    let mut head = bench.heads.epochs[0].head.clone().expect("a head").body;
    head.root = other.blocks.last().expect("blocks").hash.clone();
    other.heads.epochs[0].head = Some(forge(head));
    assert_eq!(verify(&other, &[], None), []);
    assert_eq!(verify(&other, std::slice::from_ref(&bench.heads), None), [Finding::Forked(name(&bench))]);
    let mut gone = export(&bench);
    gone.heads.epochs.clear();
    assert_eq!(verify(&gone, std::slice::from_ref(&bench.heads), None), [Finding::Missing(name(&bench))]);
}

#[test]
fn a_head_in_a_receipt_is_a_witness_too() {
    let mut bench = busy(1);
    let seen = [bench.journal.head().clone()];
    (0..3).for_each(|_| bench.tick());
    assert_eq!(verify_heads(&export(&bench), &seen), [], "the log has grown since");
    // Cut off and signed anew.
    let (mut cut, first) = (export(&bench), name(&bench));
    cut.blocks.truncate(7);
    let mut head = seen[0].body.clone();
    (head.blocks, head.root) = (7, cut.blocks[6].hash.clone());
    cut.heads.epochs[0].head = Some(forge(head));
    assert_eq!(
        (verify(&cut, &[], None), verify_heads(&cut, &seen)),
        (vec![], vec![Finding::Truncated(first.clone(), 3)])
    );
    let mut other = seen.clone();
    other[0] = forge(crate::Head { root: "00".repeat(32), ..seen[0].body.clone() });
    assert_eq!(verify_heads(&export(&bench), &other), [Finding::Forked(first.clone())]);
    other[0].body.blocks += 50;
    assert_eq!(verify_heads(&export(&bench), &other), [], "nobody here has signed that");
    let mut gone = export(&bench);
    gone.heads.epochs.clear();
    assert_eq!(verify_heads(&gone, &seen), [Finding::Missing(first)]);
}

fn next_day() -> Bench {
    let mut bench = busy(1);
    while bench.heads.epochs.len() < 2 {
        bench.tick();
    }
    bench
}

#[test]
fn a_tombstone_before_or_after_its_time_is_seen() {
    let bench = next_day();
    let first = bench.heads.epochs[1].opening.body.epoch.clone();
    let with = |at: u64, cause: crate::Cause| {
        let mut changed = export(&bench);
        let mut tombstone = changed.heads.epochs[1].tombstone.clone().expect("a tombstone").body;
        (tombstone.at, tombstone.cause) = (at, cause);
        changed.heads.epochs[1].tombstone = Some(forge(tombstone));
        verify(&changed, &[], None)
    };
    let due = bench.heads.epochs[1].opening.body.ends;
    assert_eq!(with(due, crate::Cause::Schedule), []);
    assert_eq!(with(due - 3_600, crate::Cause::Schedule), [Finding::Early(first.clone(), 3_600)]);
    assert_eq!(with(due + 3_600, crate::Cause::Schedule), [Finding::Late(first.clone(), 3_600)]);
    let restarted = with(due - 3_600, crate::Cause::Restart);
    assert!(restarted == [Finding::Restarted(first.clone(), 3_600)] && !restarted[0].is_wrong(), "told, and no fault");
    assert_eq!(with(due + 3_600, crate::Cause::Restart), [Finding::Late(first.clone(), 3_600)]);
    let mut missing = export(&bench);
    missing.heads.epochs[1].tombstone = None;
    assert!(verify(&missing, &[], None).contains(&Finding::Truncated(first.clone(), 1_439)), "kept, and not shown");
    assert_eq!(verify(&export(&busy(1)), &[], Some(due + 3_600)), [Finding::Late(first, 3_600)], "never put up");
}

#[test]
fn a_strangers_signature_or_one_out_of_time_is_none() {
    let bench = busy(1);
    let stranger = Signer::new(&Secret::new([8; 32]), at(0), at(1)).expect("32 bytes");
    let mut forged = export(&bench);
    forged.heads.epochs[0].opening = stranger.sign(bench.journal.opening().body.clone());
    assert_eq!(verify(&forged, &[], None), [Finding::Unsigned(name(&bench))]);
    let mut spent = export(&bench);
    spent.heads.keys[0].until = super::NOON + 60;
    assert_eq!(verify(&spent, &[], None), [Finding::Unsigned(name(&bench))], "its head is later than its key");
    let mut moved = export(&bench);
    moved.heads.epochs[0].opening.body.ends += 86_400;
    assert!(verify(&moved, &[], None).contains(&Finding::Unsigned(name(&bench))), "the schedule is signed");
    // A witness's file can be made up by anybody: what nobody here has signed accuses nobody.
    let mut liar: Heads = bench.heads.clone();
    liar.epochs[0].head.as_mut().expect("a head").body.blocks += 5;
    assert_eq!(verify(&export(&bench), &[liar], None), []);
}

fn six_came() -> Bench {
    let mut bench = Bench::new(3);
    (0..6).for_each(|who| bench.join('a', who));
    bench.tick();
    bench
}

#[test]
fn an_epoch_goes_on_after_a_restart_with_its_key() {
    let mut bench = six_came();
    assert!(KeyFile::parse(&bench.key).expect("a key file").epoch == name(&bench));
    let before = bench.lines();
    bench.restart();
    assert_eq!(bench.lines(), before);
    (0..6).for_each(|who| bench.leave('a', who));
    bench.tick();
    let aliases = |lines: &[String]| -> std::collections::BTreeSet<String> {
        lines.iter().map(|line| line.split(' ').nth(2).expect("an alias").to_owned()).collect()
    };
    let lines = bench.lines();
    assert_eq!(aliases(&lines[..6]), aliases(&lines[6..]), "the same people");
    assert_ne!(lines[5].split(' ').nth(2), lines[6].split(' ').nth(2), "not next to themselves over the restart");
    assert_eq!(verify(&export(&bench), &[], None).first(), None);
}

#[test]
fn what_is_not_whole_or_over_is_not_gone_on_with() {
    let bench = six_came();
    let fails = |change: fn(&mut Kept), now| {
        let mut kept = bench.kept();
        change(&mut kept);
        Journal::resume(DAY, signer(), kept, now).err()
    };
    assert_eq!(fails(|_| {}, at(24 * 60)), Some(Error::Over));
    assert_eq!(fails(|kept| kept.blocks.clear(), at(5)), Some(Error::Broken));
    assert_eq!(fails(|kept| kept.blocks[0][40] ^= 1, at(5)), Some(Error::Broken));
    assert_eq!(
        fails(|kept| kept.key = crate::EpochKey::from_bytes(&[1; 32]).expect("a key"), at(5)),
        Some(Error::Broken)
    );
    assert_eq!(fails(|kept| kept.blocks.push(vec![0; 2_048]), at(5)), None, "one that nobody has heard of is let go");
    for bad in ["", "veilcast-journal-key-1\nabc\n00\n", "other\nabc\n"] {
        assert!(KeyFile::parse(&Secret::from(bad.to_owned())).is_none());
    }
}

#[test]
fn an_epoch_without_its_key_gets_a_tombstone_that_says_so() {
    let mut bench = busy(1);
    let stone = lost(&signer(), &bench.journal.opening().body, Some(&bench.journal.head().body), at(11));
    bench.heads.epochs[0].tombstone = Some(stone);
    let findings = verify(&export(&bench), &[], None);
    assert!(matches!(findings[..], [Finding::Restarted(_, left)] if left == 86_400 - 660), "{findings:?}");
}
