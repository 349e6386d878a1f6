//! The DTLS side of one peer: who it is (RFC 8122) and which keys protect its media (RFC 5764).

use crate::peer::CONNECT_TIMEOUT;
use aws_lc_rs::digest;
use dimpl::{Config, Dtls, DtlsCertificate, Error, Output, SecurityError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{Departure, Fingerprint, HashFunction, Setup, SrtpProfile};
use zeroize::Zeroizing;

/// A handshake with three fragmented flights takes under 8 KiB; retransmissions on a bad network a few times that.
const MAX_HANDSHAKE_BYTES: usize = 64 * 1024;

/// The configuration that all peers share: building one runs self-tests that take a millisecond.
pub(crate) fn config(seed: Option<u64>) -> Result<Arc<Config>, Error> {
    let builder = Config::builder()
        // The tuple is validated by ICE already; a cookie would cost another round trip.
        .use_server_cookie(false)
        .require_client_certificate(true)
        // Twice as long each time: for as long as the handshake may last. The peer may have no network for a while.
        .flight_start_rto(Duration::from_millis(100))
        .flight_retries(8)
        .handshake_timeout(CONNECT_TIMEOUT)
        .mtu(1_200);
    let builder = match seed {
        Some(seed) => builder.dangerously_set_rng_seed(seed),
        None => builder,
    };
    builder.build().map(Arc::new)
}

/// SHA-256 of our certificate, as the answer announces it.
pub(crate) fn fingerprint(certificate: &DtlsCertificate) -> Fingerprint {
    Fingerprint { function: HashFunction::Sha256, value: certificate.fingerprint() }
}

/// What a step of the handshake brought.
pub(crate) enum Progress {
    /// The keys, from a peer whose certificate is the announced one.
    Keys { profile: SrtpProfile, material: Zeroizing<Vec<u8>> },
    /// The session is over.
    Over(Departure),
}

/// One DTLS association.
pub(crate) struct Association {
    dtls: Dtls,
    expected: Fingerprint,
    is_client: bool,
    verified: bool,
    established: bool,
    received: usize,
    wake: Option<Instant>,
}

impl Association {
    pub(crate) fn new(
        config: Arc<Config>,
        certificate: DtlsCertificate,
        ours: Setup,
        expected: Fingerprint,
        now: Instant,
    ) -> Self {
        // DTLS 1.2 until the library's 1.3 server picks the SRTP profile by its own order: with 1.3, browsers
        // would land on a profile six times as costly.
        let mut dtls = Dtls::new_12(config, certificate, now);
        let is_client = ours == Setup::Active;
        dtls.set_active(is_client);
        Self { dtls, expected, is_client, verified: false, established: false, received: 0, wake: None }
    }

    /// Whether we are the client, whose side keys are exported first.
    pub(crate) const fn is_client(&self) -> bool {
        self.is_client
    }

    pub(crate) const fn is_established(&self) -> bool {
        self.established
    }

    /// When [`Self::advance`] wants to be called.
    pub(crate) const fn wake(&self) -> Option<Instant> {
        self.wake
    }

    /// Takes a datagram from a validated tuple.
    pub(crate) fn receive(&mut self, datagram: &[u8], now: Instant, send: &mut Vec<Vec<u8>>) -> Option<Progress> {
        if !self.established {
            self.received += datagram.len();
            if self.received > MAX_HANDSHAKE_BYTES {
                return Some(Progress::Over(Departure::HandshakeFailed));
            }
        }
        let result = self.dtls.handle_timeout(now).and_then(|()| self.dtls.handle_packet(datagram));
        self.after(result, send)
    }

    /// Lets time pass; the first call of a client sends the ClientHello.
    pub(crate) fn advance(&mut self, now: Instant, send: &mut Vec<Vec<u8>>) -> Option<Progress> {
        let result = self.dtls.handle_timeout(now);
        self.after(result, send)
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, send: &mut Vec<Vec<u8>>) {
        if self.established && self.dtls.close().is_ok() {
            self.drain(send);
        }
    }

    fn after(&mut self, result: Result<(), Error>, send: &mut Vec<Vec<u8>>) -> Option<Progress> {
        // Also after a failure: an alert may be waiting.
        let progress = self.drain(send);
        match result {
            Ok(()) => progress,
            Err(_) if self.established => None,
            Err(error) => Some(Progress::Over(blame(&error))),
        }
    }

    fn drain(&mut self, send: &mut Vec<Vec<u8>>) -> Option<Progress> {
        let mut progress = None;
        let mut buffer = [0; 2_048];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => send.push(packet.to_vec()),
                Output::PeerCert(der) => match self.verify(der) {
                    Ok(()) => self.verified = true,
                    Err(departure) => return Some(Progress::Over(departure)),
                },
                // Once: keys that came again would begin their indices anew.
                Output::KeyingMaterial(material, profile) if self.verified && !self.established => {
                    let material = Zeroizing::new(material.to_vec());
                    self.established = true;
                    progress = Some(match profile_of(profile) {
                        Some(profile) => Progress::Keys { profile, material },
                        None => Progress::Over(Departure::HandshakeFailed),
                    });
                }
                Output::CloseNotify => progress = Some(Progress::Over(Departure::Closed)),
                Output::Timeout(at) => {
                    self.wake = Some(at);
                    return progress;
                }
                // A record larger than the buffer cannot be: the MTU is below its size.
                Output::BufferTooSmall { .. } => return Some(Progress::Over(Departure::Internal)),
                _ => {}
            }
        }
    }

    fn verify(&self, der: &[u8]) -> Result<(), Departure> {
        let algorithm = match self.expected.function {
            HashFunction::Sha256 => &digest::SHA256,
            HashFunction::Sha384 => &digest::SHA384,
            HashFunction::Sha512 => &digest::SHA512,
        };
        if digest::digest(algorithm, der).as_ref() == self.expected.value {
            Ok(())
        } else {
            Err(Departure::FingerprintMismatch)
        }
    }
}

fn profile_of(profile: dimpl::SrtpProfile) -> Option<SrtpProfile> {
    match profile {
        dimpl::SrtpProfile::AEAD_AES_256_GCM => Some(SrtpProfile::AeadAes256Gcm),
        dimpl::SrtpProfile::AEAD_AES_128_GCM => Some(SrtpProfile::AeadAes128Gcm),
        dimpl::SrtpProfile::AES128_CM_SHA1_80 => Some(SrtpProfile::Aes128CmSha1_80),
        _ => None,
    }
}

/// Whose fault a failed handshake is, as far as the peer can mend it.
const fn blame(error: &Error) -> Departure {
    match error {
        // An RSA peer has no suite or signature in common with us.
        Error::CertificateError(_)
        | Error::CryptoError(_)
        | Error::SecurityError(
            SecurityError::NoMutuallyAcceptableCipherSuite
            | SecurityError::NoCommonCipherSuite
            | SecurityError::UnsupportedSignatureScheme(_),
        ) => Departure::CertificateUnsupported,
        _ => Departure::HandshakeFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a handshake to its end; how often the server takes keys. What the client sends passes through `on_the_way`.
    fn keys_taken(has_keys_already: bool, on_the_way: fn(&mut [u8])) -> usize {
        let now = Instant::now();
        let certificate = crate::generate_certificate().expect("there is randomness");
        let make = |seed, ours| {
            let (config, expected) = (config(Some(seed)).expect("the defaults are valid"), fingerprint(&certificate));
            Association::new(config, certificate.clone(), ours, expected, now)
        };
        let (mut client, mut server) = (make(1, Setup::Active), make(2, Setup::Passive));
        server.established = has_keys_already;
        let (mut to_server, mut to_client, mut taken) = (Vec::new(), Vec::new(), 0);
        client.advance(now, &mut to_server);
        while !to_server.is_empty() {
            for mut datagram in to_server.drain(..) {
                on_the_way(&mut datagram);
                let progress = server.receive(&datagram, now, &mut to_client);
                taken += usize::from(matches!(progress, Some(Progress::Keys { .. })));
            }
            for datagram in to_client.drain(..) {
                client.receive(&datagram, now, &mut to_server);
            }
        }
        taken
    }

    /// Damages the last byte of what is encrypted: the Finished (RFC 6347 section 4.1: 22 is a handshake, then version,
    /// epoch, number, length).
    fn damage_finished(datagram: &mut [u8]) {
        let mut rest = datagram;
        while let Some((head, tail)) = rest.split_at_mut_checked(13) {
            let len = usize::from(u16::from_be_bytes([head[11], head[12]])).min(tail.len());
            let (record, next) = tail.split_at_mut(len);
            if let (22, [0, 1], Some(last)) = (head[0], &head[3..5], record.last_mut()) {
                *last ^= 1;
            }
            rest = next;
        }
    }

    #[test]
    fn a_damaged_finished_brings_no_keys() {
        assert_eq!(keys_taken(false, damage_finished), 0);
    }

    /// The library reports keys once in a session, today. Taken twice they would begin their indices anew.
    #[test]
    fn who_has_keys_takes_no_others() {
        assert_eq!((keys_taken(false, |_| {}), keys_taken(true, |_| {})), (1, 0));
    }
}
