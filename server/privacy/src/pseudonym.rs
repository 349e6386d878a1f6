/// A name without a person: 128 bits that mean something to one use only.
///
/// Made by a keyed function or at random, never from an address, and different for every use, so that
/// two sinks have nothing to compare.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pseudonym([u8; 16]);

impl Pseudonym {
    /// Wraps 128 bits that came from a keyed function or from the operating system's randomness.
    pub const fn new(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// The bits, for the one sink that this pseudonym is for.
    pub const fn expose_bits(&self) -> &[u8; 16] {
        &self.0
    }
}
