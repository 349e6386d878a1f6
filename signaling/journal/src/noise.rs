//! Discrete Laplace noise, exactly: whole numbers and coins, no floating point whose last bits would tell the true value
//! (Mironov 2012). The method is that of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020),
//! algorithms 1 and 2.

use crate::dice::{Dice, NoRandomness, below};

/// A whole number `n` with probability proportional to `exp(-|n| / scale)`.
pub(crate) fn discrete_laplace(scale: u64, dice: &mut dyn Dice) -> Result<i64, NoRandomness> {
    loop {
        let within = below(dice, scale)?;
        if !happens_exp(within, scale, dice)? {
            continue;
        }
        let mut steps: u64 = 0;
        // exp(-1) each time; sixty-four of them do not happen in the life of a star.
        while steps < 64 && happens_exp(1, 1, dice)? {
            steps += 1;
        }
        let size = i64::try_from(within + scale * steps).unwrap_or(i64::MAX);
        let negative = below(dice, 2)? == 1;
        // Otherwise zero would come twice as often.
        if negative && size == 0 {
            continue;
        }
        return Ok(if negative { -size } else { size });
    }
}

/// True with probability `exp(-part / whole)`, for `part` not above `whole`.
fn happens_exp(part: u64, whole: u64, dice: &mut dyn Dice) -> Result<bool, NoRandomness> {
    let mut round: u64 = 1;
    // Von Neumann: the first round that fails is an odd one with just that probability.
    while below(dice, whole.saturating_mul(round))? < part {
        round += 1;
    }
    Ok(round % 2 == 1)
}
