/// Reads bits, most significant first.
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bits have been read.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// How many bits are left.
    pub(crate) const fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    /// The next `count` bits, at most 32; `None` if there are not as many.
    pub(crate) fn take(&mut self, count: u32) -> Option<u32> {
        debug_assert!(count <= 32);
        let (first, skip) = (self.at / 8, self.at % 8);
        let end = self.at + count as usize;
        let mut window = 0_u64;
        for byte in self.bytes.get(first..end.div_ceil(8))? {
            window = window << 8 | u64::from(*byte);
        }
        let unread = end.next_multiple_of(8) - end;
        debug_assert!(skip + count as usize + unread <= 40);
        self.at = end;
        Some((window >> unread & ((1 << count) - 1)) as u32)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// A number below `values`, in the fewest bits (`ns(n)` of the AV1 specification, section 4.10.7).
    pub(crate) fn below(&mut self, values: u32) -> Option<u32> {
        let width = values.checked_ilog2()? + 1;
        let short = (1 << width) - values;
        let value = self.take(width - 1)?;
        if value < short {
            return Some(value);
        }
        Some((value << 1) - short + self.take(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_any_width_and_end() {
        let mut bits = Bits::new(&[0b1010_0101, 0xff, 0x00, 0xff, 0x80]);
        assert_eq!(bits.take(3), Some(0b101));
        assert_eq!(bits.take(32), Some(0b0010_1111_1111_1000_0000_0111_1111_1100));
        assert_eq!((bits.position(), bits.left()), (35, 5));
        assert_eq!(bits.take(6), None);
        assert_eq!(bits.take(5), Some(0));
        assert_eq!(bits.take(0), Some(0));
        assert_eq!(bits.take(1), None);
    }

    #[test]
    fn numbers_below_five_take_two_or_three_bits() {
        // The table of the specification's example: 0, 1, 2 in two bits, 3 and 4 in three.
        let mut bits = Bits::new(&[0b0001_1011, 0b0111_0000]);
        assert_eq!([(); 5].map(|()| bits.below(5)), [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(bits.position(), 12);
        assert_eq!(bits.below(1), Some(0), "no bits at all");
        assert_eq!(bits.below(0), None);
    }
}
