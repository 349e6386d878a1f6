//! Checking an export, with nothing else at hand: no key, no network, no server.

use crate::chain::{self, Cause, EpochRecord, Head, Heads, Root, Signed, Tombstone};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The minute in which something is due, and one more.
const GRACE: u64 = 120;

/// One sealed block of an export.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Block {
    /// Of which epoch.
    pub epoch: String,
    /// Counted from 0.
    pub number: u64,
    /// The chain's hash with it; hexadecimal.
    pub hash: String,
    /// The ciphertext; base64url.
    pub sealed: String,
}

/// Everything that can be taken away and checked elsewhere. It cannot be read: the key is not in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Export {
    /// What is public.
    #[serde(flatten)]
    pub heads: Heads,
    /// Of the open epoch; those of the others are gone.
    pub blocks: Vec<Block>,
}

impl Export {
    /// With the blocks of the open epoch, in order.
    pub fn new(heads: Heads, opening: &chain::Opening, sealed: &[Vec<u8>]) -> Self {
        let mut root = chain::start(opening);
        let blocks = (0..).zip(sealed).map(|(number, sealed)| {
            root = chain::next(&root, number, sealed);
            let (epoch, hash) = (opening.epoch.clone(), chain::hex(&root));
            Block { epoch, number, hash, sealed: URL_SAFE_NO_PAD.encode(sealed) }
        });
        let blocks = blocks.collect();
        Self { heads, blocks }
    }
}

/// What is wrong, or has to be told, of one epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// A statement is not signed by a key of this server that was good then.
    Unsigned(String),
    /// Two statements about an epoch contradict each other.
    Contradiction(String),
    /// A block is not what it was.
    Edited(String, u64),
    /// A block stands elsewhere than it did.
    Reordered(String, u64),
    /// So many blocks are missing.
    Truncated(String, u64),
    /// Something was added that nobody has signed.
    Added(String, u64),
    /// The tombstone was put up so many seconds before its time.
    Early(String, u64),
    /// So many seconds late, or it should have been there for so long.
    Late(String, u64),
    /// A restart ended it, so many seconds before its time. That happens; often, it is worth a question.
    Restarted(String, u64),
    /// A witness has seen an epoch that is not there.
    Missing(String),
    /// A witness has seen another chain.
    Forked(String),
}

impl Finding {
    /// Whether it means that something was tampered with or kept for too long.
    pub const fn is_wrong(&self) -> bool {
        !matches!(self, Self::Restarted(..))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(epoch) => write!(f, "epoch {epoch}: a statement has no good signature"),
            Self::Contradiction(epoch) => write!(f, "epoch {epoch}: its statements contradict each other"),
            Self::Edited(epoch, number) => write!(f, "epoch {epoch}: block {number} was changed"),
            Self::Reordered(epoch, number) => write!(f, "epoch {epoch}: block {number} is not in its place"),
            Self::Truncated(epoch, count) => write!(f, "epoch {epoch}: {count} blocks are missing at the end"),
            Self::Added(epoch, count) => write!(f, "epoch {epoch}: {count} blocks are there that nobody has signed"),
            Self::Early(epoch, by) => write!(f, "epoch {epoch}: its tombstone is {by} s early"),
            Self::Late(epoch, by) => write!(f, "epoch {epoch}: its tombstone is {by} s late"),
            Self::Restarted(epoch, by) => write!(f, "epoch {epoch}: a restart ended it {by} s before its time"),
            Self::Missing(epoch) => write!(f, "epoch {epoch}: a witness has seen it, and it is not here"),
            Self::Forked(epoch) => write!(f, "epoch {epoch}: a witness has seen another chain"),
        }
    }
}

/// Everything that is to be said of an export, against copies of the heads that others have kept. `now`, in seconds since 1970,
/// is the latest time by which the export is known to have been made; without it, only what the export says itself counts.
pub fn verify(export: &Export, witnesses: &[Heads], now: Option<u64>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let latest = export.heads.epochs.iter().map(|epoch| epoch.opening.body.begins).max().unwrap_or_default();
    for epoch in &export.heads.epochs {
        check_statements(export, epoch, &mut findings);
        let roots = check_blocks(export, epoch, &mut findings);
        check_time(epoch, latest.max(now.unwrap_or_default()), &mut findings);
        for witness in witnesses {
            let seen = witness.epochs.iter().filter(|seen| seen.opening.body.epoch == epoch.opening.body.epoch);
            seen.for_each(|seen| compare(export, epoch, seen, &roots, &mut findings));
        }
    }
    let unknown = |name: &String| export.heads.epochs.iter().all(|epoch| epoch.opening.body.epoch != *name);
    let seen = witnesses.iter().flat_map(|witness| &witness.epochs).map(|epoch| epoch.opening.body.epoch.clone());
    findings.extend(seen.filter(unknown).map(Finding::Missing));
    findings.dedup();
    findings
}

/// What is wrong with an export by single heads that others have, such as those in receipts.
pub fn verify_heads(export: &Export, seen: &[Signed<Head>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for head in seen {
        let Some(epoch) = export.heads.epochs.iter().find(|epoch| epoch.opening.body.epoch == head.body.epoch) else {
            findings.push(Finding::Missing(head.body.epoch.clone()));
            continue;
        };
        // What is wrong with the blocks themselves, `verify` says.
        let roots = check_blocks(export, epoch, &mut Vec::new());
        compare_head(export, epoch, head, &roots, &mut findings);
    }
    findings.dedup();
    findings
}

fn check_statements(export: &Export, epoch: &EpochRecord, findings: &mut Vec<Finding>) {
    let (heads, opening) = (&export.heads, &epoch.opening.body);
    let signed = heads.vouch_for(&epoch.opening)
        && epoch.head.as_ref().is_none_or(|head| heads.vouch_for(head))
        && epoch.tombstone.as_ref().is_none_or(|tombstone| heads.vouch_for(tombstone));
    if !signed {
        findings.push(Finding::Unsigned(opening.epoch.clone()));
    }
    let of_it = |head: &Head| head.epoch == opening.epoch && head.at >= opening.begins;
    let agrees = |tombstone: &Tombstone| {
        let times =
            (&tombstone.epoch, tombstone.begins, tombstone.ends) == (&opening.epoch, opening.begins, opening.ends);
        let last = epoch.head.as_ref().is_none_or(|head| {
            head.body.blocks <= tombstone.blocks
                && (head.body.blocks < tombstone.blocks || head.body.root == tombstone.root)
        });
        times && last
    };
    let fits = epoch.head.as_ref().is_none_or(|head| of_it(&head.body))
        && epoch.tombstone.as_ref().is_none_or(|tombstone| agrees(&tombstone.body));
    if !fits {
        findings.push(Finding::Contradiction(opening.epoch.clone()));
    }
}

/// Returns the chain's hash after each block.
fn check_blocks(export: &Export, epoch: &EpochRecord, findings: &mut Vec<Finding>) -> Vec<String> {
    let opening = &epoch.opening.body;
    let mut roots = vec![chain::hex(&chain::start(opening))];
    if epoch.tombstone.is_some() {
        return roots;
    }
    let name = &opening.epoch;
    let mut root: Root = chain::start(opening);
    let blocks = export.blocks.iter().filter(|block| block.epoch == *name);
    for (number, block) in (0..).zip(blocks) {
        if block.number != number {
            findings.push(Finding::Reordered(name.clone(), block.number));
            return roots;
        }
        let sealed = URL_SAFE_NO_PAD.decode(&block.sealed).unwrap_or_default();
        root = chain::next(&root, number, &sealed);
        if chain::hex(&root) != block.hash {
            findings.push(Finding::Edited(name.clone(), number));
            return roots;
        }
        roots.push(chain::hex(&root));
    }
    let there = roots.len() as u64 - 1;
    let Some(head) = epoch.head.as_ref().map(|head| &head.body) else { return roots };
    match head.blocks {
        said if said > there => findings.push(Finding::Truncated(name.clone(), said - there)),
        said if said < there => findings.push(Finding::Added(name.clone(), there - said)),
        // Whoever made up block and hash alike comes to another end than the one that was signed.
        _ if roots.last() != Some(&head.root) => findings.push(Finding::Edited(name.clone(), there.saturating_sub(1))),
        _ => {}
    }
    roots
}

fn check_time(epoch: &EpochRecord, known: u64, findings: &mut Vec<Finding>) {
    let opening = &epoch.opening.body;
    let name = || opening.epoch.clone();
    let said = epoch.head.as_ref().map_or(0, |head| head.body.at);
    let Some(tombstone) = epoch.tombstone.as_ref().map(|tombstone| &tombstone.body) else {
        let late = known.max(said).saturating_sub(opening.ends);
        if late > GRACE {
            findings.push(Finding::Late(name(), late));
        }
        return;
    };
    let (at, due) = (tombstone.at, opening.ends);
    match tombstone.cause {
        _ if at > due + GRACE => findings.push(Finding::Late(name(), at - due)),
        Cause::Restart if at < due => findings.push(Finding::Restarted(name(), due - at)),
        Cause::Schedule if at < due => findings.push(Finding::Early(name(), due - at)),
        _ => {}
    }
}

/// Against what somebody else has kept of an epoch. It counts only if it is ours: anybody can write a file.
fn compare(export: &Export, here: &EpochRecord, seen: &EpochRecord, roots: &[String], findings: &mut Vec<Finding>) {
    let name = || here.opening.body.epoch.clone();
    let heads = &export.heads;
    if heads.vouch_for(&seen.opening) && seen.opening.body != here.opening.body {
        findings.push(Finding::Forked(name()));
    }
    if let Some(head) = &seen.head {
        compare_head(export, here, head, roots, findings);
    }
    let genuine = seen.tombstone.as_ref().filter(|tombstone| heads.vouch_for(*tombstone));
    if genuine.is_some_and(|tombstone| here.tombstone.as_ref().map(|here| &here.body) != Some(&tombstone.body)) {
        findings.push(Finding::Forked(name()));
    }
}

/// Against how far somebody else knows an epoch to have been.
fn compare_head(
    export: &Export,
    here: &EpochRecord,
    seen: &Signed<Head>,
    roots: &[String],
    findings: &mut Vec<Finding>,
) {
    if !export.heads.vouch_for(seen) {
        return;
    }
    let (name, head) = (|| here.opening.body.epoch.clone(), &seen.body);
    match &here.tombstone {
        Some(tombstone) if tombstone.body.blocks < head.blocks => {
            findings.push(Finding::Truncated(name(), head.blocks - tombstone.body.blocks));
        }
        Some(tombstone) if tombstone.body.blocks == head.blocks && tombstone.body.root != head.root => {
            findings.push(Finding::Forked(name()));
        }
        Some(_) => {}
        None => match roots.get(usize::try_from(head.blocks).unwrap_or(usize::MAX)) {
            None => findings.push(Finding::Truncated(name(), head.blocks + 1 - roots.len() as u64)),
            Some(root) if *root != head.root => findings.push(Finding::Forked(name())),
            Some(_) => {}
        },
    }
}
