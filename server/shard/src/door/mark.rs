//! The number of a shard in the user name of its sessions, so that a check can be brought to the right one.

use veilcast_sfu::{ShardId, Shards, named_ufrag};

/// One for each shard that there can be, of what a user name may consist of (RFC 8839 section 5.4, `ice-char`).
const ALPHABET: &[u8; Shards::MAX] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A user name fragment with the mark of its shard before it.
pub(crate) fn mark(shard: ShardId, ufrag: &str) -> String {
    let mark = char::from(ALPHABET[usize::from(shard.0) % ALPHABET.len()]);
    format!("{mark}{ufrag}")
}

/// Tells which shard a check is meant for.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    own: ShardId,
    shards: Shards,
}

impl Marks {
    /// Those of `count` shards, each from its own side.
    pub(super) fn all(count: usize) -> impl Iterator<Item = Self> {
        let shards = Shards::first(count);
        shards.iter().map(move |own| Self { own, shards })
    }

    /// The shard itself.
    pub(super) const fn own(self) -> ShardId {
        self.own
    }

    /// All but the shard itself.
    pub(super) fn others(self) -> impl Iterator<Item = ShardId> {
        self.shards.iter().filter(move |shard| *shard != self.own)
    }

    /// The shard that a check names, itself or another; whether that is true, only that shard can tell.
    pub(super) fn owner(self, datagram: &[u8]) -> Option<ShardId> {
        let first = named_ufrag(datagram)?.first()?;
        let number = ALPHABET.iter().position(|mark| mark == first)?;
        self.shards.iter().find(|shard| usize::from(shard.0) == number)
    }

    /// Another shard that a check names.
    pub(crate) fn elsewhere(self, datagram: &[u8]) -> Option<ShardId> {
        self.owner(datagram).filter(|owner| *owner != self.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A binding request with nothing but a user name, of eight bytes.
    fn check(local: &str) -> Vec<u8> {
        let name = format!("{local}:abcd");
        assert_eq!(name.len() % 4, 0, "no padding is needed");
        let header = [&[0, 1][..], &(name.len() as u16 + 4).to_be_bytes(), &[0x21, 0x12, 0xa4, 0x42], &[7; 12]];
        [&header.concat()[..], &[0, 6], &(name.len() as u16).to_be_bytes(), name.as_bytes()].concat()
    }

    #[test]
    fn every_shard_finds_its_mark_and_no_other_has_it() {
        let marks: Vec<String> = Shards::first(64).iter().map(|shard| mark(shard, "xy")).collect();
        for (count, own) in [(2, 0), (3, 2), (64, 63)] {
            let of = Marks::all(count).nth(own).expect("there is one");
            for (number, ufrag) in marks.iter().enumerate() {
                let named = of.owner(&check(ufrag)).map(|shard| usize::from(shard.0));
                assert_eq!(named, (number < count).then_some(number));
                assert_eq!(of.elsewhere(&check(ufrag)).is_some(), number < count && number != own);
            }
            assert_eq!((of.others().count(), usize::from(of.own().0)), (count - 1, own));
        }
        let of = Marks::all(64).next().expect("there is one");
        assert!(of.owner(&check("-xy")).is_none() && of.owner(&[0x80, 96, 0, 0]).is_none());
    }
}
