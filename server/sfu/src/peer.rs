//! One peer's session: how it is reached and trusted, and which side of the room it is on.

use crate::Tuple;
use crate::egress::{ExtensionIds, SubscriberIx};
use crate::feedback::transport::Arrivals;
use crate::ingress::dtls::Association;
use crate::ingress::ice::Agent;
use crate::ingress::stream::Stream;
use crate::routing::RoomIx;
use crate::selection::Patience;
use crate::slots::Ix;
use crate::srtp::{SrtpReceiver, SrtpSender};
use aws_lc_rs::digest;
use std::time::{Duration, Instant};
use veilcast_control::{Codec, Feedback, Fingerprint, MediaKind, PeerKey, Role, Seed};

pub(crate) type PeerIx = Ix<Peer>;

/// ICE and DTLS together may take this long; a browser gives up by then, too.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A session.
pub(crate) struct Peer {
    pub(crate) key: PeerKey,
    pub(crate) room: RoomIx,
    pub(crate) role: Role,
    pub(crate) seed: Seed,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) ice: Agent,
    pub(crate) dtls: Association,
    pub(crate) flights: Flights,
    pub(crate) receiver: Option<SrtpReceiver>,
    pub(crate) side: Side,
    pub(crate) admitted: Instant,
    /// When its timers want to be looked at.
    pub(crate) wake: Option<Instant>,
    pub(crate) next_report: Instant,
}

/// Where the flights of a handshake have gone.
#[derive(Clone, Copy, Default)]
pub(crate) enum Flights {
    /// There were none.
    #[default]
    Nowhere,
    /// All of them.
    Here(Tuple),
    /// The last one. Others went elsewhere: that it was read proves nothing of either.
    Lately(Tuple),
}

impl Flights {
    /// A flight went there.
    pub(crate) fn went(&mut self, tuple: Tuple) {
        *self = match *self {
            Self::Nowhere => Self::Here(tuple),
            Self::Here(before) if before == tuple => *self,
            Self::Here(_) | Self::Lately(_) => Self::Lately(tuple),
        };
    }

    /// Where the last one went, and where it is repeated.
    pub(crate) const fn last(self) -> Option<Tuple> {
        match self {
            Self::Nowhere => None,
            Self::Here(tuple) | Self::Lately(tuple) => Some(tuple),
        }
    }
}

/// Which side of the room a peer is on.
pub(crate) enum Side {
    Broadcaster(Box<Publisher>),
    Viewer(SubscriberIx),
}

/// What receiving from a broadcaster needs.
pub(crate) struct Publisher {
    pub(crate) place: usize,
    /// Protects the feedback to it.
    pub(crate) sender: Option<SrtpSender>,
    /// Our SSRC in that feedback.
    pub(crate) ssrc: u32,
    pub(crate) sections: Vec<Section>,
    pub(crate) streams: Vec<Stream>,
    pub(crate) arrivals: Arrivals,
    /// When the next transport-wide feedback is due; `None` while nothing has arrived.
    pub(crate) next_feedback: Option<Instant>,
    pub(crate) intra_requests: u8,
    /// How often its layers may begin under another SSRC: each time, every viewer and every shard is told.
    pub(crate) patience: Patience,
}

/// A media section that a broadcaster sends in.
pub(crate) struct Section {
    pub(crate) kind: MediaKind,
    pub(crate) mid: Box<[u8]>,
    /// Its simulcast layers, in the order of the offer; none without simulcast.
    pub(crate) rids: Vec<String>,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) ids: ExtensionIds,
    pub(crate) ssrcs: Vec<u32>,
    pub(crate) retransmission_ssrcs: Vec<(u32, u32)>,
}

/// The form that a codec's payload comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// A retransmission (RFC 4588).
    Repeat,
    /// Behind copies of what came before (RFC 2198).
    Redundant,
}

impl Section {
    /// Whether it asks for and takes this feedback.
    pub(crate) fn feedback(&self) -> Feedback {
        self.codecs.first().map(|codec| codec.feedback).unwrap_or_default()
    }

    /// What a payload type of this section stands for, and in what form.
    pub(crate) fn payload_type(&self, number: u8) -> Option<(&Codec, Form)> {
        self.codecs.iter().find_map(|codec| match number {
            n if n == codec.payload_type => Some((codec, Form::Plain)),
            n if Some(n) == codec.rtx => Some((codec, Form::Repeat)),
            n if Some(n) == codec.red => Some((codec, Form::Redundant)),
            _ => None,
        })
    }
}

impl Publisher {
    /// The section that a new SSRC belongs to: by MID, else by `a=ssrc`, else by payload type (RFC 8843 section 9.2).
    pub(crate) fn section_of(&self, mid: Option<&[u8]>, ssrc: u32, payload_type: u8) -> Option<usize> {
        let find = |matches: &dyn Fn(&Section) -> bool| self.sections.iter().position(matches);
        match mid {
            Some(mid) => find(&|section| *section.mid == *mid),
            None => find(&|section| {
                section.ssrcs.contains(&ssrc) || section.retransmission_ssrcs.iter().any(|(_, rtx)| *rtx == ssrc)
            })
            .or_else(|| find(&|section| section.payload_type(payload_type).is_some())),
        }
    }

    /// What it takes of feedback on its tracks of a kind.
    pub(crate) fn feedback(&self, kind: MediaKind) -> Feedback {
        self.sections.iter().find(|section| section.kind == kind).map(Section::feedback).unwrap_or_default()
    }

    /// The number of an extension, where any section has it: in a bundle they are the same in all (RFC 8843 section 9.3).
    pub(crate) fn id(&self, of: impl Fn(&ExtensionIds) -> u8) -> u8 {
        self.sections.iter().map(|section| of(&section.ids)).find(|id| *id != 0).unwrap_or(0)
    }
}

/// 32 bits that belong to `use_of` in this session.
pub(crate) fn draw(seed: &Seed, use_of: &str) -> u32 {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(seed.0.expose_secret());
    context.update(use_of.as_bytes());
    let hash = context.finish();
    let bytes = hash.as_ref();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The sources of a session that share its keys, told apart by the lowest bits of their SSRCs: two with one SSRC would
/// share their nonces (RFC 7714 section 8.4). None is 0, which some feedback uses for "none".
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// Sound to a viewer, or our reports to a broadcaster: a session has one or the other.
    AudioOrFeedback = 1,
    Video = 2,
    VideoRepeats = 3,
}

/// Broadcasters of one room that a viewer can be shown at once.
pub(crate) const MAX_PLACES: usize = veilcast_control::MAX_PLACES as usize;

/// The SSRC of one of our sources in this session, for what comes from a place on stage.
pub(crate) fn draw_ssrc(seed: &Seed, source: Source, place: usize) -> u32 {
    let own = (place % MAX_PLACES) as u32 * 4 + source as u32;
    draw(seed, "ssrc") & !(4 * MAX_PLACES as u32 - 1) | own
}
