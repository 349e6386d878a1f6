use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// An SDP offer (RFC 8829).
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Chosen by the client; the answer repeats it.
    pub number: u32,
    /// The description. Its candidates and addresses are dropped unread: this server is ICE-lite and needs none.
    pub sdp: String,
    /// With the first offer of a media session: a proof of the token's key that names the offer's certificate
    /// (`dtls_fingerprint`). Later offers keep that certificate and need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub proof: Option<String>,
}

/// An SDP answer.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Answer {
    /// The offer's number.
    pub number: u32,
    /// The description.
    pub sdp: String,
}

/// What the stage carries.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct StageState {
    /// Sound, of anybody.
    pub audio: Activity,
    /// Picture, of anybody.
    pub video: Activity,
    /// Each broadcaster by place; places that are left out at the end are empty. A viewer's n-th section of a kind is for the
    /// n-th place: to see more places, it offers more sections. A section of a place that has become empty stays, and carries
    /// whoever has the place next.
    #[serde(default)]
    pub places: Vec<PlaceState>,
    /// By place: whose turn there it is, or was last. Another person's is another number, for as long as the event lasts; who comes back
    /// to a place of theirs keeps it. Whoever looks after the event says by it whom they have seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<u32>>"))]
    pub tenures: Vec<u32>,
}

/// What a place on stage carries.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PlaceState {
    /// Sound.
    pub audio: Activity,
    /// Picture.
    pub video: Activity,
}

/// The place of this socket's broadcaster.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct OwnPlace {
    /// From 0; `null` while it is not on air.
    pub place: Option<u8>,
}

/// Whether a track of the stage carries anything.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Nobody sends it.
    Absent,
    /// The broadcaster is there, but nothing has come for a while.
    Muted,
    /// It is on.
    Live,
}

/// What a viewer wants of the picture. Kept by the server for as long as the socket is open, over any number of media
/// sessions; a client that reconnects says it again.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct QualityWish {
    /// The best that it wants; its network may carry less.
    pub max: QualityCap,
}

/// The best picture that a viewer wants. Of a broadcaster with two layers, `medium` gets the lower one.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum QualityCap {
    /// None: sound only.
    Off,
    /// The lowest layer: a quarter of the width and height where the broadcaster sends three.
    Low,
    /// The middle layer: half of the width and height.
    Medium,
    /// Whatever its network carries, up to everything that the broadcaster sends. The wish of who has said none.
    High,
}

/// What a viewer gets of the pictures now.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct QualityState {
    /// The best of what arrives.
    pub video: Quality,
    /// What arrives, or arrived last, of each place; `null` where nothing has yet.
    #[serde(default)]
    pub places: Vec<Option<Quality>>,
}

/// How much of the picture a viewer gets. The only layer there is counts as `high`, two count as `low` and `high`.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// Nothing, as it asked.
    Off,
    /// Nothing for now: its network does not carry the least of it. Sound goes on, and the picture returns by itself.
    Paused,
    /// The lowest layer.
    Low,
    /// The middle layer.
    Medium,
    /// The best layer.
    High,
}

/// Which simulcast layers of a broadcaster anybody needs.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct LayerStates {
    /// Every layer that the answer accepted, in the order of the offer.
    pub layers: Vec<LayerState>,
}

/// Whether a simulcast layer is to be sent.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct LayerState {
    /// Its `a=rid` (RFC 8851).
    pub rid: String,
    /// False: nobody needs it, so it may rest. Said 5 s after the last viewer left it, and taken back at once when one comes.
    pub active: bool,
}

/// A track of the stage that this viewer's browser did not offer to decode.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Unplayable {
    /// The place on stage that sends it.
    #[serde(default)]
    pub place: u8,
    /// The codec's name, such as `H264`.
    pub codec: String,
    /// One sentence for the viewer.
    pub title: String,
}
