//! Peers, a network and a clock for tests: everything that surrounds the engine, made of other people's protocol code.
//!
//! Invariant: the same seed gives the same run. Time passes only when a test says so.

mod light;
mod network;
mod nonces;
mod offers;
mod peer;
mod rtp;
mod sdp;
mod search;
mod silence;
mod world;

pub use light::LightViewer;
pub use network::{Conditions, Network};
pub use nonces::Nonces;
pub use offers::{
    audio, broadcast_offer, congestion_offer, simulcast_offer, stage_offer, video, watch_offer, with_extensions,
};
pub use peer::{Headers, Nomination, Peer, Received, SenderReport};
pub use rtp::{Extensions, Picture, Rtp, payload, read_vp8_picture, vp8_payload, vp8_picture};
pub use sdp::{sdp_answer, sdp_offer};
pub use search::holds;
pub use silence::{Ear, Line, Listener, Silence, personal};
pub use world::{PeerId, ROOM, World};

/// A small generator for tests (SplitMix64): fast, seeded, good enough to lose packets with.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// Starts from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..1`.
    pub const fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let bits = self.bits().to_le_bytes();
            chunk.copy_from_slice(&bits[..chunk.len()]);
        }
    }
}
