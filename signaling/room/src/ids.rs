/// A media session as its owner names it in WHIP and WHEP addresses: 128 random bits, so that it cannot be
/// guessed. The media plane knows the session by another name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// Wraps 128 bits of the operating system's randomness.
    pub const fn new(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// The bits, for the address that is told to the session's owner.
    pub const fn expose_bits(&self) -> &[u8; 16] {
        &self.0
    }
}

/// One WebSocket, numbered by the gateway for as long as it is open.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketId(pub u64);
