use crate::ingress::frame::MaskPlace;
use crate::ingress::frame::bits::Bits;

/// What an element of the two-byte form can hold (RFC 8285 section 4.3).
const MAX: usize = 255;
/// Start, end, template, frame number; then five flags, the second of which announces the mask.
const MANDATORY_BITS: usize = 24;
const FLAG_BITS: usize = 5;
const MASK_FLAG: u32 = 0b0_1000;

/// A descriptor as one viewer gets it.
pub(crate) struct Rewritten {
    bytes: [u8; MAX],
    len: u8,
}

impl Rewritten {
    /// The descriptor; empty if there was none.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Writes a Dependency Descriptor (RTP Payload Format For AV1, appendix A.8) with another frame number and, if there is
/// `mask` to say, with the decode targets that this viewer gets: no more than the sender names itself. `place` is where
/// the packet was found to have its mask.
///
/// A mask that has no room is left out: it saves a receiver from expecting what will not come, and nothing else.
pub(crate) fn rewrite(descriptor: &[u8], place: MaskPlace, frame: u16, mask: Option<u32>) -> Rewritten {
    let mask = mask.filter(|_| place.targets > 0);
    if let Some(rewritten) = mask.and_then(|mask| with_mask(descriptor, place, frame, mask)) {
        return rewritten;
    }
    let mut out = Rewritten { bytes: [0; MAX], len: 0 };
    if let Some(copy) = out.bytes.get_mut(..descriptor.len()) {
        copy.copy_from_slice(descriptor);
        if let Some(number) = copy.get_mut(1..3) {
            number.copy_from_slice(&frame.to_be_bytes());
        }
        out.len = descriptor.len() as u8;
    }
    out
}

fn with_mask(descriptor: &[u8], place: MaskPlace, frame: u16, mask: u32) -> Option<Rewritten> {
    let targets = u32::from(place.targets);
    let mut from = Bits::new(descriptor);
    let mut to = BitWriter { out: Rewritten { bytes: [0; MAX], len: 0 }, at: 0 };
    to.put(from.take(8)?, 8)?;
    from.take(16)?;
    to.put(u32::from(frame), 16)?;
    if place.at == 0 {
        to.put(MASK_FLAG, FLAG_BITS as u32)?;
        to.put(mask, targets)?;
        return Some(to.out);
    }
    to.put(from.take(FLAG_BITS as u32)? | MASK_FLAG, FLAG_BITS as u32)?;
    let structure = usize::from(place.at).checked_sub(MANDATORY_BITS + FLAG_BITS)?;
    to.copy(&mut from, structure)?;
    let theirs = if place.present { from.take(targets)? } else { u32::MAX };
    to.put(mask & theirs, targets)?;
    let rest = from.left();
    to.copy(&mut from, rest)?;
    Some(to.out)
}

struct BitWriter {
    out: Rewritten,
    at: usize,
}

impl BitWriter {
    /// Appends the low `count` bits, at most 32; `None` if there is no room.
    fn put(&mut self, value: u32, count: u32) -> Option<()> {
        let end = self.at + count as usize;
        let bytes = self.out.bytes.get_mut(self.at / 8..end.div_ceil(8))?;
        let unused = end.next_multiple_of(8) - end;
        let mut window = (u64::from(value) & ((1 << count) - 1)) << unused;
        for byte in bytes.iter_mut().rev() {
            *byte |= window as u8;
            window >>= 8;
        }
        self.at = end;
        self.out.len = end.div_ceil(8) as u8;
        Some(())
    }

    fn copy(&mut self, from: &mut Bits<'_>, mut count: usize) -> Option<()> {
        while count > 0 {
            let chunk = count.min(32) as u32;
            self.put(from.take(chunk)?, chunk)?;
            count -= chunk as usize;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::codec::picture::tests::Random;
    use crate::ingress::frame::dependency_vectors::{l1t3, l2t1, l3t3_key};
    use crate::ingress::frame::{Scale, Templates};

    #[test]
    fn only_the_frame_number_changes_where_all_is_forwarded() {
        for descriptor in [l1t3(), l2t1(), l3t3_key(), vec![0x81, 0, 9]] {
            let out = rewrite(&descriptor, MaskPlace::default(), 0xabcd, None);
            assert_eq!((out.bytes()[0], &out.bytes()[3..]), (descriptor[0], &descriptor[3..]));
            assert_eq!(out.bytes()[1..3], [0xab, 0xcd]);
        }
        assert!(rewrite(&[], MaskPlace::default(), 1, Some(1)).bytes().is_empty());
        assert!(rewrite(&[0; 300], MaskPlace::default(), 1, None).bytes().is_empty(), "longer than an element can be");
    }

    #[test]
    fn a_mask_is_put_in_and_all_else_stays() {
        for (key, targets) in [(l1t3(), 3), (l2t1(), 2), (l3t3_key(), 9)] {
            let (mut theirs, mut ours) = (Templates::default(), Templates::default());
            let mask = 0b01_u32;
            // Key frame with structure; then bare, with custom fields, and with a mask of the sender's own.
            let custom = vec![0x80, 0, 3, 0b0001_0010, 0b0110_0000];
            for descriptor in [key, vec![0x80, 0, 2], custom, vec![0x80, 0, 4, 0b0100_0111, 0xff]] {
                let Some(before) = theirs.descriptor(&descriptor) else { panic!("a vector is malformed") };
                let out = rewrite(&descriptor, before.mask, before.frame + 7, Some(mask));
                let after = ours.descriptor(out.bytes()).expect("still well-formed");
                assert_eq!((after.frame, after.mask.targets, after.mask.present), (before.frame + 7, targets, true));
                let expected = crate::ingress::frame::MaskPlace { at: before.mask.at.max(29), ..after.mask };
                assert_eq!(after, {
                    let mut same = before;
                    same.frame += 7;
                    same.mask = expected;
                    same
                });
                assert_eq!(ours.layers(), Some(Scale::default()), "only the lowest target is active");
                // Rewriting what was rewritten changes nothing.
                let again = rewrite(out.bytes(), after.mask, after.frame, Some(mask));
                assert_eq!(again.bytes(), out.bytes());
            }
            assert_eq!(ours.targets(), theirs.targets());
        }
    }

    #[test]
    fn one_byte_is_enough_for_three_targets() {
        let mut templates = Templates::default();
        templates.descriptor(&l1t3()).expect("well-formed");
        let place = templates.descriptor(&[0x82, 0, 9]).expect("known template").mask;
        // No extended fields so far: 01000, then targets 0 and 1.
        assert_eq!(rewrite(&[0x82, 0, 9], place, 10, Some(0b011)).bytes(), [0x82, 0, 10, 0b0100_0011]);
    }

    #[test]
    fn a_full_descriptor_goes_without_and_nothing_makes_it_panic() {
        let full = [0; MAX];
        let place = MaskPlace { at: 29, targets: 8, present: false };
        assert_eq!(rewrite(&full, place, 0x101, Some(1)).bytes()[..4], [0, 1, 1, 0]);
        let mut random = Random(5);
        for round in 0..100_000 {
            let bytes = random.bytes(round % 70);
            let place = MaskPlace {
                at: random.below(600) as u16,
                targets: random.below(33) as u8,
                present: random.below(2) == 1,
            };
            let out = rewrite(&bytes, place, round as u16, Some(random.below(1 << 31) as u32));
            assert!(out.bytes().len() <= bytes.len() + 5);
        }
    }
}
