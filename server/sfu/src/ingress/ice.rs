//! ICE-lite (RFC 8445 section 2.5): answers authenticated checks, remembers which tuples passed, and notices when
//! they stop (RFC 7675).
//!
//! A check says who sent it, not that anybody reads what is sent back: its source address can be forged, by the peer itself
//! or by whoever has recorded it. So media goes only where somebody has shown to read what arrives there: by finishing a
//! handshake whose flights went there alone, or by answering a check of ours, whose transaction nobody else can know. Of
//! the two the second is more than a lite agent must do, and every full agent answers (RFC 8445 section 7.3).

use crate::Tuple;
use crate::ingress::proof::{self, Response};
use rtc_crypto::RTCCryptoProvider;
use rtc_stun::attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc_stun::xoraddr::XorMappedAddress;
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{IceCredentials, Seed, Transport};

/// A path without an authenticated check for this long has no consent any more (RFC 7675 section 5.1).
pub const CONSENT_LIFETIME: Duration = Duration::from_secs(30);

/// Checks are small; a larger one is not read. The usual path MTU less headers.
const MAX_CHECK: usize = 1_280;

/// Tuples of one peer that may be valid at once: two interfaces, IPv4 and IPv6, and a few moves between networks.
const MAX_TUPLES: usize = 8;

/// Whoever was heard on a tuple within this time keeps it: longer than the 6 s that may lie between two checks
/// (RFC 7675 section 5.1), short enough for a page that reloads and comes back from the same port.
pub const TUPLE_HOLD: Duration = Duration::from_secs(7);

/// Between two checks of ours on one path. Each follows a packet from there that has authenticated, so that what is sent
/// to an address that nobody has answered from stays within three times what came from it.
const BETWEEN_PROOFS: Duration = Duration::from_millis(100);

const HEADER_SIZE: usize = 20;

const INTEGRITY_SIZE: usize = 20;

/// A well-formed binding request, not yet authenticated.
pub(crate) struct Request {
    message: Message,
    local: String,
    remote: String,
}

impl Request {
    /// Reads a request. `None`: not a binding request with a user name, integrity and fingerprint.
    pub(crate) fn parse(datagram: &[u8]) -> Option<Self> {
        let message = read(datagram).filter(|message| message.typ == BINDING_REQUEST)?;
        FINGERPRINT.check(&message).ok()?;
        let username = String::from_utf8(message.get(ATTR_USERNAME).ok()?).ok()?;
        let (local, remote) = username.split_once(':')?;
        Some(Self { local: local.to_owned(), remote: remote.to_owned(), message })
    }

    /// Our user name fragment: whose check this claims to be.
    pub(crate) fn local_ufrag(&self) -> &str {
        &self.local
    }
}

/// Our user name fragment in what looks like a binding request (RFC 8489 sections 5 and 14.3, RFC 8445 section 7.2.2): whose
/// check it claims to be, without a look at whether that is true.
pub fn named_ufrag(datagram: &[u8]) -> Option<&[u8]> {
    if !datagram.starts_with(&[0, 1]) || datagram.len() > MAX_CHECK || !is_framed(datagram) {
        return None;
    }
    let mut attributes = datagram.get(HEADER_SIZE..)?;
    while let [kind_high, kind_low, high, low, rest @ ..] = attributes {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        if AttrType(u16::from_be_bytes([*kind_high, *kind_low])) == ATTR_USERNAME {
            let name = rest.get(..len)?;
            return name.iter().position(|byte| *byte == b':').map(|end| &name[..end]);
        }
        attributes = rest.get(len.next_multiple_of(4)..)?;
    }
    None
}

/// A small message with an integrity of the right length.
pub(super) fn read(datagram: &[u8]) -> Option<Message> {
    if datagram.len() > MAX_CHECK || !is_framed(datagram) {
        return None;
    }
    let mut message = Message::new();
    message.unmarshal_binary(datagram).ok()?;
    (message.get(ATTR_MESSAGE_INTEGRITY).ok()?.len() == INTEGRITY_SIZE).then_some(message)
}

/// The header's length covers the datagram exactly, so that nothing is read behind the message.
fn is_framed(datagram: &[u8]) -> bool {
    datagram
        .get(2..4)
        .is_some_and(|len| usize::from(u16::from_be_bytes([len[0], len[1]])) + HEADER_SIZE == datagram.len())
}

/// Whether the check nominates its path. What stands behind the integrity is anybody's (RFC 8489 section 14.5).
fn nominates(message: &Message) -> bool {
    let attributes = message.attributes.0.iter().map(|attribute| attribute.typ);
    attributes.take_while(|kind| *kind != ATTR_MESSAGE_INTEGRITY).any(|kind| kind == ATTR_USE_CANDIDATE)
}

/// A tuple that a check has come by.
struct Path {
    tuple: Tuple,
    heard: Instant,
    /// Somebody there reads what is sent there.
    proved: bool,
    /// The check of ours that is to show it, and when it was sent last.
    proof: Option<(TransactionId, Instant)>,
}

/// The ICE side of one peer.
pub(crate) struct Agent {
    crypto: Arc<dyn RTCCryptoProvider>,
    local: IceCredentials,
    remote: IceCredentials,
    /// The credentials before a restart stay good until the new ones have carried a check.
    previous: Option<(IceCredentials, IceCredentials)>,
    valid: Vec<Path>,
    selected: Option<Tuple>,
    /// What the peer has nominated and has not shown to be its own yet.
    pending: Option<Tuple>,
    /// Paths that were asked for a proof.
    asked: u32,
    /// The last authenticated packet, on whatever tuple.
    heard: Instant,
}

/// What an authenticated check changed.
#[derive(Default)]
pub(crate) struct Checked {
    /// The response to send to where the check came from.
    pub(crate) response: Vec<u8>,
    /// A tuple that had to make room.
    pub(crate) dropped: Option<Tuple>,
    /// The credentials before a restart have become void.
    pub(crate) retired_ufrag: Option<String>,
}

impl Agent {
    pub(crate) fn new(
        crypto: Arc<dyn RTCCryptoProvider>,
        local: IceCredentials,
        remote: IceCredentials,
        now: Instant,
    ) -> Self {
        Self {
            crypto,
            local,
            remote,
            previous: None,
            valid: Vec::new(),
            selected: None,
            pending: None,
            asked: 0,
            heard: now,
        }
    }

    pub(crate) const fn local(&self) -> &IceCredentials {
        &self.local
    }

    pub(crate) const fn remote(&self) -> &IceCredentials {
        &self.remote
    }

    /// Where to send. `None`: nobody has shown yet to be anywhere.
    pub(crate) const fn selected(&self) -> Option<Tuple> {
        self.selected
    }

    /// Tuples that have passed a check.
    pub(crate) fn tuples(&self) -> impl Iterator<Item = Tuple> + '_ {
        self.valid.iter().map(|path| path.tuple)
    }

    /// Our user name fragments, by which its checks are found.
    pub(crate) fn local_ufrags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.local).chain(self.previous.iter().map(|(local, _)| local)).map(|ice| ice.ufrag.as_str())
    }

    /// Whether the peer was heard on this tuple lately. A check can be sent from anywhere in somebody else's name, so
    /// that another session's check takes the tuple of nobody who is using it.
    pub(crate) fn holds(&self, tuple: Tuple, now: Instant) -> bool {
        self.heard_on(tuple).is_some_and(|heard| now.saturating_duration_since(heard) < TUPLE_HOLD)
    }

    /// New credentials on both sides (RFC 8445 section 9). Returns a fragment that is void at once.
    pub(crate) fn restart(&mut self, local: IceCredentials, remote: IceCredentials) -> Option<String> {
        let old = (std::mem::replace(&mut self.local, local), std::mem::replace(&mut self.remote, remote));
        self.previous.replace(old).map(|(local, _)| local.ufrag)
    }

    /// Authenticates a request; `None` if it is not the peer's.
    pub(crate) fn check(&mut self, mut request: Request, tuple: Tuple, now: Instant) -> Option<Checked> {
        let current = request.local == self.local.ufrag && request.remote == self.remote.ufrag;
        let password = if current {
            &self.local.password
        } else {
            let (local, remote) = self.previous.as_ref()?;
            if request.local != local.ufrag || request.remote != remote.ufrag {
                return None;
            }
            &local.password
        };
        MessageIntegrity::check(&mut request.message, password.expose_secret(), self.crypto.crypto()).ok()?;
        let response = self.respond(&request.message, tuple, password.expose_secret())?;

        self.heard = now;
        let mut checked = Checked { response, ..Checked::default() };
        if current {
            checked.retired_ufrag = self.previous.take().map(|(local, _)| local.ufrag);
        }
        self.admit(tuple, now, &mut checked);
        // The controlling side nominates (RFC 8445 section 7.3.1.5).
        if nominates(&request.message) {
            self.pending = Some(tuple);
        }
        self.select(tuple);
        Some(checked)
    }

    /// Sends where the peer wants it, once that is proved; before it wants anything, any path that is proved will do.
    fn select(&mut self, tuple: Tuple) {
        if !self.is_proved(tuple) || (self.selected.is_some() && self.pending != Some(tuple)) {
            return;
        }
        self.selected = Some(tuple);
        self.pending = self.pending.filter(|pending| *pending != tuple);
    }

    /// Whether somebody on a path has shown to read what is sent there.
    pub(crate) fn is_proved(&self, tuple: Tuple) -> bool {
        self.valid.iter().any(|path| path.tuple == tuple && path.proved)
    }

    /// Notes that somebody on a path reads what is sent there.
    pub(crate) fn prove(&mut self, tuple: Tuple) {
        if let Some(path) = self.valid.iter_mut().find(|path| path.tuple == tuple) {
            path.proved = true;
            self.select(tuple);
        }
    }

    /// A check of ours for a path that a packet has just come by. `None`: it is proved, or was asked a moment ago.
    pub(crate) fn ask(&mut self, tuple: Tuple, seed: &Seed, now: Instant) -> Option<Vec<u8>> {
        let path = self.valid.iter_mut().find(|path| path.tuple == tuple && !path.proved)?;
        if path.proof.is_some_and(|(_, at)| now < at + BETWEEN_PROOFS) {
            return None;
        }
        let transaction = match path.proof {
            Some((transaction, _)) => transaction,
            None => {
                self.asked = self.asked.wrapping_add(1);
                proof::transaction(seed, self.asked)
            }
        };
        path.proof = Some((transaction, now));
        // Until the peer has used the credentials of a restart, it may not know them.
        let (local, remote) = match &self.previous {
            Some((local, remote)) => (local, remote),
            None => (&self.local, &self.remote),
        };
        proof::request(transaction, local, remote, self.crypto.crypto())
    }

    /// Takes an answer to a check of ours; false if it is none. It must come from where the check went (RFC 8445 section
    /// 7.2.5.2.1).
    pub(crate) fn answered(&mut self, mut response: Response, tuple: Tuple, now: Instant) -> bool {
        let asked = |path: &Path| path.tuple == tuple && path.proof.is_some_and(|(id, _)| id == response.transaction());
        if !self.valid.iter().any(asked) {
            return false;
        }
        let crypto = self.crypto.crypto();
        let remotes = std::iter::once(&self.remote).chain(self.previous.iter().map(|(_, remote)| remote));
        let authentic = remotes.map(|remote| &remote.password).any(|password| response.is_by(password, crypto));
        if authentic {
            self.heard(tuple, now);
            self.prove(tuple);
        }
        authentic
    }

    fn admit(&mut self, tuple: Tuple, now: Instant, checked: &mut Checked) {
        if let Some(path) = self.valid.iter_mut().find(|path| path.tuple == tuple) {
            path.heard = now;
            return;
        }
        if self.valid.len() == MAX_TUPLES {
            let spare = (0..MAX_TUPLES).filter(|at| Some(self.valid[*at].tuple) != self.selected);
            let oldest = spare.min_by_key(|at| (self.valid[*at].proved, self.valid[*at].heard)).unwrap_or(0);
            checked.dropped = Some(self.valid.swap_remove(oldest).tuple);
        }
        // Whoever completes TCP's handshake reads what is sent (RFC 9293 section 3.5).
        let proved = tuple.transport == Transport::Tcp;
        self.valid.push(Path { tuple, heard: now, proved, proof: None });
    }

    fn respond(&self, request: &Message, tuple: Tuple, password: &[u8]) -> Option<Vec<u8>> {
        let mut response = Message::new();
        response.transaction_id = request.transaction_id;
        response.set_type(BINDING_SUCCESS);
        response.write_header();
        let mapped = XorMappedAddress { ip: tuple.remote.ip(), port: tuple.remote.port() };
        mapped.add_to(&mut response).ok()?;
        MessageIntegrity::new_raw_integrity_with_provider(password, self.crypto.crypto()).add_to(&mut response).ok()?;
        FINGERPRINT.add_to(&mut response).ok()?;
        Some(response.raw)
    }

    /// Notes that a packet of this session has authenticated: that, too, shows that the peer is there. Whether the path it
    /// came by is still to be proved.
    pub(crate) fn heard(&mut self, tuple: Tuple, now: Instant) -> bool {
        self.heard = now;
        let path = self.valid.iter_mut().find(|path| path.tuple == tuple);
        path.is_some_and(|path| {
            path.heard = now;
            !path.proved
        })
    }

    /// Gives a tuple up to another session. Nothing is sent there any more in the name of this one.
    pub(crate) fn lose(&mut self, tuple: Tuple) {
        self.valid.retain(|path| path.tuple != tuple);
        self.pending = self.pending.filter(|pending| *pending != tuple);
        if self.selected == Some(tuple) {
            self.selected = self.latest().map(|(tuple, _)| tuple);
        }
    }

    /// The path that was heard last, of those where somebody reads what is sent.
    fn latest(&self) -> Option<(Tuple, Instant)> {
        let proved = self.valid.iter().filter(|path| path.proved);
        proved.max_by_key(|path| path.heard).map(|path| (path.tuple, path.heard))
    }

    fn heard_on(&self, tuple: Tuple) -> Option<Instant> {
        self.valid.iter().find(|path| path.tuple == tuple).map(|path| path.heard)
    }

    /// When consent to send to the selected tuple runs out unless something is heard from there. Consent belongs to a
    /// tuple (RFC 7675 section 5.1): what is heard from elsewhere does not make a stranger go on receiving.
    pub(crate) fn expires(&self) -> Instant {
        self.selected.and_then(|tuple| self.heard_on(tuple)).unwrap_or(self.heard) + CONSENT_LIFETIME
    }

    /// Turns from a selected tuple that has fallen silent to the one that was heard last; false if all are silent.
    pub(crate) fn fall_back(&mut self, now: Instant) -> bool {
        let Some((tuple, _)) = self.latest().filter(|(_, heard)| *heard + CONSENT_LIFETIME > now) else { return false };
        self.selected = Some(tuple);
        true
    }
}
