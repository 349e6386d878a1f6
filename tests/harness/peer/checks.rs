//! Connectivity checks (RFC 8445 section 7.2), honest and forged.

use super::Peer;
use rtc_stun::attributes::{ATTR_ICE_CONTROLLED, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc_stun::xoraddr::XorMappedAddress;
use std::time::Instant;

/// Where in a check USE-CANDIDATE stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nomination {
    /// Before the integrity, where the peer itself writes it.
    Signed,
    /// Behind the integrity, where anybody on the path can write it.
    Appended,
    /// Nowhere.
    Absent,
}

impl Peer {
    /// Sends a check at once.
    pub fn check(&mut self) {
        let Some(password) = self.server_password() else { return };
        let check = self.forge_check(Nomination::Signed, &password);
        self.outbox.push(check);
    }

    /// The password that the server's checks are made with.
    pub fn server_password(&self) -> Option<Vec<u8>> {
        self.server.as_ref().map(|server| server.ice.password.expose_secret().to_vec())
    }

    /// A check of this session that nominates as told, made with this password.
    pub fn forge_check(&mut self, nomination: Nomination, password: &[u8]) -> Vec<u8> {
        let server = self.server.as_ref().expect("accept an answer first");
        let mut id = [0; 12];
        self.random.fill(&mut id);
        let mut message = Message::new();
        message.set_type(BINDING_REQUEST);
        message.transaction_id = TransactionId(id);
        message.write_header();
        message.add(ATTR_USERNAME, format!("{}:{}", server.ice.ufrag, self.ice.ufrag).as_bytes());
        message.add(ATTR_PRIORITY, &[0x6e, 0, 0, 1]);
        if nomination == Nomination::Signed {
            message.add(ATTR_USE_CANDIDATE, &[]);
        }
        MessageIntegrity::new_raw_integrity_with_provider(password, self.crypto.crypto())
            .add_to(&mut message)
            .expect("no fingerprint yet");
        if nomination == Nomination::Appended {
            message.add(ATTR_USE_CANDIDATE, &[]);
        }
        FINGERPRINT.add_to(&mut message).expect("it always fits");
        message.raw
    }

    pub(super) fn checked(&mut self, bytes: &[u8], now: Instant) {
        let mut message = Message::new();
        message.unmarshal_binary(bytes).expect("the server's STUN is well-formed");
        if message.typ == BINDING_REQUEST {
            return self.answer_check(message);
        }
        if message.typ != BINDING_SUCCESS {
            return;
        }
        let server = self.server.as_ref().expect("only checks are answered");
        let password = server.ice.password.expose_secret();
        MessageIntegrity::check(&mut message, password, self.crypto.crypto()).expect("the answer is authentic");
        if !self.connected && self.dtls_wake.is_none() {
            // The first validated pair starts DTLS.
            if let Some(dtls) = &mut self.dtls {
                let _ = dtls.handle_timeout(now);
            }
            self.drain_dtls();
        }
    }
    /// Answers the server's own check, as whoever is not lite does (RFC 8445 section 7.3).
    fn answer_check(&mut self, mut request: Message) {
        let server = self.server.as_ref().expect("only who has answered sends checks");
        let name = request.get(ATTR_USERNAME).expect("a check has a user name");
        if !self.answers_checks || name != format!("{}:{}", self.ice.ufrag, server.ice.ufrag).as_bytes() {
            return;
        }
        let own = self.ice.password.expose_secret();
        MessageIntegrity::check(&mut request, own, self.crypto.crypto()).expect("the server's check is authentic");
        assert!(request.contains(ATTR_PRIORITY) && request.contains(ATTR_ICE_CONTROLLED));
        self.questions += 1;
        let answer = self.forge_answer(request.transaction_id.0);
        self.outbox.push(answer);
    }

    /// An answer of this session to a check of the server's, whether there was one or not.
    pub fn forge_answer(&self, transaction: [u8; 12]) -> Vec<u8> {
        let server = self.server.as_ref().expect("accept an answer first");
        let mut response = Message::new();
        response.transaction_id = TransactionId(transaction);
        response.set_type(BINDING_SUCCESS);
        response.write_header();
        XorMappedAddress { ip: server.address.ip(), port: server.address.port() }
            .add_to(&mut response)
            .expect("it always fits");
        MessageIntegrity::new_raw_integrity_with_provider(self.ice.password.expose_secret(), self.crypto.crypto())
            .add_to(&mut response)
            .expect("no fingerprint yet");
        FINGERPRINT.add_to(&mut response).expect("it always fits");
        response.raw
    }
}
