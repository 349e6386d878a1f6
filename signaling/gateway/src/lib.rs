//! The edge.

pub mod sdp;
