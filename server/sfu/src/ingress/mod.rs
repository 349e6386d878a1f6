//! From datagrams to packets of a track: which kind (RFC 7983), whose (ICE), opened (DTLS, SRTP), what frame.
//!
//! Invariant: only a tuple that has passed an authenticated check reaches DTLS, RTP or RTCP code.

pub(crate) mod demux;
pub(crate) mod dtls;
pub(crate) mod frame;
pub(crate) mod ice;
pub(crate) mod proof;
pub(crate) mod red;
pub(crate) mod rtp;
pub(crate) mod stream;
