//! Veilcast.
