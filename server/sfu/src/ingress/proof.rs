//! Checks of our own, which ask whether somebody on a path reads what is sent there.

use crate::ingress::ice::read;
use aws_lc_rs::digest;
use rtc_crypto::RTCCrypto;
use rtc_stun::attributes::{ATTR_ICE_CONTROLLED, ATTR_PRIORITY, ATTR_USERNAME};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use veilcast_control::{IceCredentials, Seed};
use veilcast_privacy::Secret;

/// Of a peer-reflexive candidate (RFC 8445 section 5.1.2.2), which is what a check says it could find. Nobody pairs by it.
const PRIORITY: [u8; 4] = [0x6e, 0xff, 0xff, 0xff];

/// The session's transaction of this number. The peer knows its passwords and could answer unseen for somebody else; what
/// it cannot know is what was asked there.
pub(super) fn transaction(seed: &Seed, number: u32) -> TransactionId {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(seed.0.expose_secret());
    context.update(b"proof of a path");
    context.update(&number.to_be_bytes());
    let hash = context.finish();
    let mut id = [0; 12];
    id.copy_from_slice(&hash.as_ref()[..12]);
    TransactionId(id)
}

/// A check (RFC 8445 section 7.2.2). It nominates nothing: the peer controls.
pub(super) fn request(
    transaction: TransactionId,
    local: &IceCredentials,
    remote: &IceCredentials,
    crypto: &dyn RTCCrypto,
) -> Option<Vec<u8>> {
    let mut message = Message::new();
    message.transaction_id = transaction;
    message.set_type(BINDING_REQUEST);
    message.write_header();
    message.add(ATTR_USERNAME, format!("{}:{}", remote.ufrag, local.ufrag).as_bytes());
    message.add(ATTR_PRIORITY, &PRIORITY);
    // Settles a conflict of roles (RFC 8445 section 7.3.1.1), of which there is none with a lite side; any number will do.
    message.add(ATTR_ICE_CONTROLLED, &transaction.0[..8]);
    let password = remote.password.expose_secret();
    MessageIntegrity::new_raw_integrity_with_provider(password, crypto).add_to(&mut message).ok()?;
    FINGERPRINT.add_to(&mut message).ok()?;
    Some(message.raw)
}

/// A well-formed answer to a check, not yet authenticated.
pub(crate) struct Response(Message);

impl Response {
    /// Reads an answer. `None`: not a success with integrity.
    pub(crate) fn parse(datagram: &[u8]) -> Option<Self> {
        read(datagram).filter(|message| message.typ == BINDING_SUCCESS).map(Self)
    }

    /// Which check it answers.
    pub(super) fn transaction(&self) -> TransactionId {
        self.0.transaction_id
    }

    /// Whether it was made with this password: that of who was asked (RFC 8489 section 9.1.3).
    pub(crate) fn is_by(&mut self, password: &Secret, crypto: &dyn RTCCrypto) -> bool {
        MessageIntegrity::check(&mut self.0, password.expose_secret(), crypto).is_ok()
    }
}
