use thiserror::Error;

/// Whoever drives this had no randomness to give. Nothing has changed then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the operating system gave no randomness")]
pub struct NoRandomness;

/// The system's generator, as an argument.
pub trait Dice {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

impl<F: FnMut(&mut [u8]) -> Result<(), NoRandomness>> Dice for F {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self(bytes)
    }
}

pub(crate) fn bytes<const N: usize>(dice: &mut dyn Dice) -> Result<[u8; N], NoRandomness> {
    let mut drawn = [0; N];
    dice.fill(&mut drawn)?;
    Ok(drawn)
}

/// Each number below `bound` alike: what would favour the small ones is drawn again.
pub(crate) fn below(dice: &mut dyn Dice, bound: u64) -> Result<u64, NoRandomness> {
    let bound = bound.max(1);
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        let drawn = u64::from_le_bytes(bytes(dice)?);
        if drawn < fair {
            return Ok(drawn % bound);
        }
    }
}

/// Every order alike.
pub(crate) fn shuffle<T>(dice: &mut dyn Dice, items: &mut [T]) -> Result<(), NoRandomness> {
    for last in (1..items.len()).rev() {
        let chosen = below(dice, last as u64 + 1)?;
        items.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
    Ok(())
}
