use crate::{Purpose, rows};

/// A version of what is kept and why.
#[derive(Debug)]
pub struct Change {
    /// The day from which it holds, as in RFC 3339.
    pub date: &'static str,
    /// What is different from before, in a sentence or two, for people.
    pub what: &'static str,
    /// The versions of what is asked for that it comes with: a change of a question is a change of this table.
    pub asked: &'static [(&'static str, u32)],
    /// A fingerprint of all rows and of what is needed, so that nothing changes without a version: [`fingerprint`].
    pub of: u64,
}

/// For so long every page tells what changed, to everybody, since nobody's last visit is recorded. What a browser keeps of
/// us without being asked lives for 31 days at most: who stays away for longer comes back as a stranger, whom the date at the foot of each page tells.
pub const NOTICE_DAYS: u32 = 31;

/// Every version, the oldest first. Add one at the end when rows change; while it is not published, change the last.
pub const CHANGES: &[Change] = &[Change {
    date: "2026-11-22",
    what: "The first version of this table: everything that is kept on this server’s disk, in its memory and in your browser.",
    asked: &[("chat", 1), ("presence", 1), ("location", 1), ("analytics", 1), ("personalisation", 1)],
    of: 0x1dde_5553_8e9d_6670,
}];

/// The number of the present version.
pub const fn version() -> u32 {
    CHANGES.len() as u32
}

/// FNV-1a, which is enough to notice a change of one's own.
#[cfg_attr(not(test), expect(dead_code, reason = "the test that compares it prints it"))]
pub(crate) fn fingerprint() -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for row in rows() {
        for text in [row.kind, row.place.name(), row.about.name(), row.what, row.why, row.until, row.purpose.name()] {
            take(text);
        }
        take(&row.longest.map(|seconds| seconds.to_string()).unwrap_or_default());
    }
    for purpose in Purpose::NEEDED {
        let (version, since) = purpose.version();
        let texts =
            [purpose.name(), purpose.words(), purpose.who(), purpose.basis().name(), purpose.objection(), since];
        take(&version.to_string());
        for text in texts {
            take(text);
        }
    }
    hash
}
