use std::hash::{BuildHasher, RandomState};

/// Numbers of grants in one event: each comes once, and none tells how many there were before it. They stand beside everything that is
/// said under a grant, and counting them would tell who agreed, when and how many.
#[derive(Default)]
pub(crate) struct Numbers {
    key: RandomState,
    drawn: u32,
}

impl Numbers {
    /// Another one. Never 0, which is the number of a refusal.
    pub(crate) fn draw(&mut self) -> u32 {
        loop {
            let number = self.permuted(self.drawn);
            self.drawn = self.drawn.wrapping_add(1);
            if number != 0 {
                return number;
            }
        }
    }

    /// A permutation of all numbers: four rounds of a Feistel network (Luby and Rackoff 1988) over SipHash with random keys.
    fn permuted(&self, number: u32) -> u32 {
        let (mut left, mut right) = ((number >> 16) as u16, number as u16);
        for round in 0..4_u8 {
            (left, right) = (right, left ^ self.key.hash_one((round, right)) as u16);
        }
        (u32::from(left) << 16) | u32::from(right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_number_comes_twice_and_none_tells_how_many_there_were() {
        let mut numbers = Numbers::default();
        let drawn: Vec<u32> = (0..20_000).map(|_| numbers.draw()).collect();
        assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
        assert!(!drawn.contains(&0));
        let rising = drawn.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((9_000..11_000).contains(&rising), "{rising} of 20,000 are larger than the one before");
        let low = drawn.iter().filter(|number| **number < u32::MAX / 2).count();
        assert!((9_000..11_000).contains(&low), "{low} of 20,000 are in the lower half");
        let mut others = Numbers::default();
        assert!(drawn[..8].iter().any(|number| *number != others.draw()), "another event has another order");
    }
}
