use super::Offsets;
use veilcast_control::Encoding;

const WIDE: u16 = 0x7fff;
const NARROW: u16 = 0x7f;
/// KEYIDX is five bits.
const KEY_INDEX: u8 = 0x1f;

/// The numbers in a payload descriptor and where they stand. The descriptor is clear even where frames are encrypted
/// end to end, so it is read once as the packet comes in and patched for every viewer.
///
/// A PictureID keeps the width that its sender gave it and is reduced to it, so the descriptor keeps its length. Where
/// sources of both widths meet, the number may jump; there is always a key frame there, which refers to nothing and at
/// which libwebrtc's frame buffer starts afresh when the number is lower. Browsers send 15 bits. libwebrtc takes 7 bits
/// for 15 with high bits of zero and loses its references where they wrap; it would do so without us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PictureNumbers {
    picture: u16,
    tl0: u8,
    key: u8,
    /// Places in the payload, none of which can be its first byte; 0 where there is no such number.
    picture_at: u8,
    tl0_at: u8,
    key_at: u8,
    flags: u8,
}

const IS_WIDE: u8 = 1;
const CLOSES_GAPS: u8 = 2;

impl PictureNumbers {
    /// Reads a payload; nothing is found in codecs without such numbers and in malformed descriptors.
    pub(crate) fn read(encoding: Encoding, payload: &[u8]) -> Self {
        let numbers = match encoding {
            Encoding::Vp8 => Self::read_vp8(payload),
            Encoding::Vp9 { .. } => Self::read_vp9(payload),
            _ => None,
        };
        numbers.unwrap_or_default()
    }

    /// RFC 7741 section 4.2.
    fn read_vp8(payload: &[u8]) -> Option<Self> {
        let mut numbers = Self { flags: CLOSES_GAPS, ..Self::default() };
        if payload.first()? & 0x80 == 0 {
            return Some(numbers);
        }
        let extension = *payload.get(1)?;
        let mut at = 2;
        if extension & 0x80 != 0 {
            numbers.read_picture(payload, &mut at)?;
        }
        if extension & 0x40 != 0 {
            numbers.read_tl0(payload, &mut at)?;
        }
        // KEYIDX shares its byte with TID and Y, and means something where K is set.
        if extension & 0x10 != 0 {
            numbers.key = payload.get(at)? & KEY_INDEX;
            numbers.key_at = at as u8;
        }
        Some(numbers)
    }

    /// RFC 9628 section 4.2.
    fn read_vp9(payload: &[u8]) -> Option<Self> {
        let mut numbers = Self::default();
        let first = *payload.first()?;
        let mut at = 1;
        if first & 0x80 != 0 {
            numbers.read_picture(payload, &mut at)?;
        }
        // TL0PICIDX follows the layer indices in non-flexible mode.
        if first & 0x30 == 0x20 {
            at += 1;
            numbers.read_tl0(payload, &mut at)?;
        }
        Some(numbers)
    }

    fn read_picture(&mut self, payload: &[u8], at: &mut usize) -> Option<()> {
        let first = *payload.get(*at)?;
        self.picture_at = *at as u8;
        if first & 0x80 == 0 {
            self.picture = u16::from(first);
            *at += 1;
        } else {
            self.picture = u16::from_be_bytes([first, *payload.get(*at + 1)?]) & WIDE;
            self.flags |= IS_WIDE;
            *at += 2;
        }
        Some(())
    }

    fn read_tl0(&mut self, payload: &[u8], at: &mut usize) -> Option<()> {
        self.tl0 = *payload.get(*at)?;
        self.tl0_at = *at as u8;
        *at += 1;
        Some(())
    }

    /// PictureID, in its own width.
    pub(super) const fn picture(&self) -> Option<u16> {
        if self.picture_at == 0 { None } else { Some(self.picture) }
    }

    pub(super) const fn tl0(&self) -> Option<u8> {
        if self.tl0_at == 0 { None } else { Some(self.tl0) }
    }

    pub(super) const fn key(&self) -> Option<u8> {
        if self.key_at == 0 { None } else { Some(self.key) }
    }

    /// The bits that a PictureID of this packet has.
    pub(super) const fn picture_mask(&self) -> u16 {
        if self.flags & IS_WIDE != 0 { WIDE } else { NARROW }
    }

    /// Whether the PictureID of a dropped frame is given to the next.
    pub(super) const fn closes_gaps(&self) -> bool {
        self.flags & CLOSES_GAPS != 0
    }

    /// The beginning of `payload`, from which this was read, with the numbers moved by `offsets`. As long as it was.
    pub(crate) fn patch(&self, payload: &[u8], offsets: Offsets) -> Head {
        let mut head = Head::default();
        let end = [self.key_at, self.tl0_at, self.picture_at + (self.flags & IS_WIDE)].into_iter().max().unwrap_or(0);
        let len = usize::from(end) + 1;
        let (true, Some(from), Some(to)) = (end != 0, payload.get(..len), head.bytes.get_mut(..len)) else {
            return head;
        };
        to.copy_from_slice(from);
        head.len = len as u8;
        let at = usize::from(self.picture_at);
        let picture = self.picture.wrapping_add(offsets.picture) & self.picture_mask();
        match (self.picture_at, self.flags & IS_WIDE) {
            (0, _) => {}
            (_, 0) => head.bytes[at] = picture as u8,
            _ => head.bytes[at..at + 2].copy_from_slice(&(picture | 0x8000).to_be_bytes()),
        }
        if self.tl0_at != 0 {
            head.bytes[usize::from(self.tl0_at)] = self.tl0.wrapping_add(offsets.tl0);
        }
        if self.key_at != 0 {
            let byte = &mut head.bytes[usize::from(self.key_at)];
            *byte = *byte & !KEY_INDEX | self.key.wrapping_add(offsets.key) & KEY_INDEX;
        }
        head
    }
}

/// The longest [`Head`]: VP8's two flag bytes, PictureID of two, TL0PICIDX, KEYIDX.
pub(crate) const MAX_HEAD: usize = 6;

/// The changed beginning of a payload: what to send in place of as many of its bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Head {
    bytes: [u8; MAX_HEAD],
    len: u8,
}

impl Head {
    /// The bytes; empty if nothing changes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Seeded: a failure can be repeated.
    pub(crate) struct Random(pub(crate) u64);

    impl Random {
        pub(crate) fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % limit
        }

        pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
            (0..len).map(|_| self.below(256) as u8).collect()
        }
    }

    const VP9: Encoding = Encoding::Vp9 { profile: 0 };
    const MOVED: Offsets = Offsets { picture: 0x7ffe, frame: 0, tl0: 3, key: 2 };

    fn patched(encoding: Encoding, payload: &[u8]) -> Vec<u8> {
        let head = PictureNumbers::read(encoding, payload).patch(payload, MOVED);
        [head.bytes(), &payload[head.bytes().len()..]].concat()
    }

    #[test]
    fn vp8_numbers_move_and_the_rest_stays() {
        let numbers = PictureNumbers::read(Encoding::Vp8, &[0x90, 0xf0, 0x81, 0x02, 0xff, 0x7e, 0x10]);
        assert_eq!((numbers.picture(), numbers.tl0(), numbers.key()), (Some(0x102), Some(0xff), Some(0x1e)));
        // TID and Y (0x60) stay, KEYIDX wraps in five bits.
        assert_eq!(
            patched(Encoding::Vp8, &[0x90, 0xf0, 0x81, 0x02, 0xff, 0x7e, 0x10, 5]),
            [0x90, 0xf0, 0x81, 0x00, 0x02, 0x60, 0x10, 5]
        );
        // Seven bits stay seven bits.
        assert_eq!(patched(Encoding::Vp8, &[0x90, 0xc0, 0x01, 0x05, 9]), [0x90, 0xc0, 0x7f, 0x08, 9]);
        // TID without KEYIDX; no extension at all.
        assert_eq!(patched(Encoding::Vp8, &[0x90, 0x20, 0x5e, 9]), [0x90, 0x20, 0x5e, 9]);
        assert_eq!(patched(Encoding::Vp8, &[0x10, 0x80, 1]), [0x10, 0x80, 1]);
    }

    #[test]
    fn vp9_numbers_move_and_the_rest_stays() {
        assert_eq!(patched(VP9, &[0xa8, 0x80, 0x01, 0x12, 0xfe, 7]), [0xa8, 0xff, 0xff, 0x12, 0x01, 7]);
        assert_eq!(patched(VP9, &[0x88, 0x7f, 7]), [0x88, 0x7d, 7]);
        // Flexible mode: reference distances follow the layers, and stay.
        assert_eq!(patched(VP9, &[0xf8, 0x80, 0x05, 0x12, 0x02, 7]), [0xf8, 0x80, 0x03, 0x12, 0x02, 7]);
        // No PictureID.
        assert_eq!(patched(VP9, &[0x28, 0x12, 0xfe, 7]), [0x28, 0x12, 0x01, 7]);
        assert_eq!(patched(Encoding::Opus, &[0xff; 8]), [0xff; 8]);
    }

    #[test]
    fn it_is_small_and_no_payload_makes_it_panic() {
        assert!(size_of::<PictureNumbers>() <= 8);
        assert!(size_of::<Head>() <= 8);
        let mut random = Random(1);
        for round in 0..100_000 {
            let payload = random.bytes(round % 9);
            for encoding in [Encoding::Vp8, VP9] {
                let numbers = PictureNumbers::read(encoding, &payload);
                let patched = patched(encoding, &payload);
                assert_eq!(patched.len(), payload.len());
                let again = PictureNumbers::read(encoding, &patched);
                let expected = numbers.picture().map(|number| number.wrapping_add(0x7ffe) & numbers.picture_mask());
                assert_eq!(again.picture(), expected);
                assert_eq!(again.tl0(), numbers.tl0().map(|number| number.wrapping_add(3)));
                assert_eq!(again.key(), numbers.key().map(|number| (number + 2) & 0x1f));
                // Those of another packet do no harm.
                let other = random.bytes(round % 7);
                assert!(numbers.patch(&other, MOVED).bytes().len() <= other.len());
            }
        }
    }
}
