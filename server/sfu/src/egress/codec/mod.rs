//! Numbers that a codec's own headers carry, so that what a viewer gets of several sources is one continuous line.
//!
//! Invariant: a packet's numbers depend on nothing but the packet and the [`Ranges`] as they were when its place was
//! first sent, so a retransmission says what the original said.
//!
//! Which gaps are closed is decided by what receivers do with the numbers. VP8 names no references: libwebrtc holds a
//! frame back while any picture number between it and its layer's last frame is missing, so a dropped frame's
//! PictureID is given to the next one. VP9 and the Dependency Descriptor name references by their distance (P_DIFF, the
//! position in the group of frames, `frame_diff`, `chain_diff`): there a dropped frame's number stays unused, which
//! harms nobody, while closing the gap would bend every reference across it.

mod descriptor;
mod picture;
mod ranges;

pub(crate) use descriptor::{Rewritten, rewrite};
pub(crate) use picture::{Head, MAX_HEAD, PictureNumbers};
pub(crate) use ranges::{Mapped, Numbers, Offsets, Origin, Ranges, SLOTS};
