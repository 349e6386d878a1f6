//! RTCP both ways: what viewers ask for, what broadcasters are asked for, and the reports that keep audio and
//! video together (RFC 3550, RFC 4585, transport-wide congestion control).

pub(crate) mod arrived;
pub(crate) mod congestion;
pub(crate) mod reports;
pub(crate) mod rtcp;
pub(crate) mod transport;
