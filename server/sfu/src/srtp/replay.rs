/// Which of the last 128 indices have been seen (RFC 3711 section 3.3.2).
#[derive(Default, Clone)]
pub(super) struct ReplayWindow {
    highest: Option<u64>,
    seen: u128,
}

impl ReplayWindow {
    /// Whether `index` is neither seen nor too old.
    pub(super) fn is_new(&self, index: u64) -> bool {
        match self.highest {
            None => true,
            Some(highest) if index > highest => true,
            Some(highest) => {
                let age = highest - index;
                age < 128 && self.seen & (1 << age) == 0
            }
        }
    }

    /// Marks `index` as seen. Only for packets that have authenticated.
    pub(super) fn mark(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => self.seen |= 1_u128.checked_shl((highest - index) as u32).unwrap_or(0),
            Some(highest) => {
                let step = (index - highest).min(128) as u32;
                self.seen = self.seen.checked_shl(step).unwrap_or(0) | 1;
                self.highest = Some(index);
            }
            None => {
                self.seen = 1;
                self.highest = Some(index);
            }
        }
    }

    /// The greatest index that has authenticated.
    pub(super) const fn highest(&self) -> Option<u64> {
        self.highest
    }
}

/// The index of a 16-bit sequence number, nearest to the greatest so far (RFC 3711 section 3.3.1).
pub(crate) const fn extend_sequence(highest: Option<u64>, sequence: u16) -> u64 {
    let Some(highest) = highest else { return sequence as u64 };
    let step = sequence.wrapping_sub(highest as u16) as i16 as i64;
    match highest.checked_add_signed(step) {
        Some(index) => index,
        None => sequence as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_passes_once_and_old_ones_never() {
        let mut window = ReplayWindow::default();
        for index in [5, 3, 4, 200, 199, 73, 330] {
            assert!(window.is_new(index), "{index}");
            window.mark(index);
            assert!(!window.is_new(index), "{index}");
        }
        assert!(!window.is_new(330 - 128));
        assert!(window.is_new(330 - 127));
    }

    #[test]
    fn sequence_numbers_extend_across_every_wrap() {
        assert_eq!(extend_sequence(None, 7), 7);
        assert_eq!(extend_sequence(Some(0xffff), 0), 0x1_0000);
        assert_eq!(extend_sequence(Some(0x1_0000), 0xffff), 0xffff);
        assert_eq!(extend_sequence(Some(0x1_fff0), 0x0005), 0x2_0005);
        assert_eq!(extend_sequence(Some(3), 0xfffe), 0xfffe, "nothing lies before the first cycle");
    }
}
