//! Offers as the control plane hands them over.

use veilcast_control::{
    Codec, Direction, Encoding, Extension, ExtensionKind, Feedback, Fingerprint, IceCredentials, MediaKind,
    MediaSection, Offer, Setup,
};

/// Extension numbers that all test peers use.
pub(crate) const MID: u8 = 1;
pub(crate) const TRANSPORT_CC: u8 = 3;
pub(crate) const RID: u8 = 4;
pub(crate) const REPAIRED_RID: u8 = 5;

/// An audio section with Opus as 111.
pub fn audio(direction: Direction) -> MediaSection {
    section("0", MediaKind::Audio, direction, vec![codec(Encoding::Opus, 111, None)])
}

/// A video section with these encodings as 96, 98, …, each with retransmission as the odd number behind it.
pub fn video(direction: Direction, encodings: &[Encoding]) -> MediaSection {
    let codecs =
        encodings.iter().zip((96..).step_by(2)).map(|(encoding, number)| codec(*encoding, number, Some(number + 1)));
    section("1", MediaKind::Video, direction, codecs.collect())
}

/// The section with these header extensions instead of MID as 1 and transport-cc as 3.
pub fn with_extensions(section: MediaSection, extensions: &[(u8, ExtensionKind)]) -> MediaSection {
    let extensions = extensions.iter().map(|(id, kind)| Extension { id: *id, kind: *kind }).collect();
    MediaSection { extensions, ..section }
}

/// What a broadcaster with VP8 offers.
pub fn broadcast_offer(ice: IceCredentials, fingerprint: Fingerprint, setup: Setup) -> Offer {
    let media = vec![audio(Direction::SendOnly), video(Direction::SendOnly, &[Encoding::Vp8])];
    Offer { ice, fingerprint, setup, media }
}

/// What a broadcaster offers that sends VP8 in layers of these names.
pub fn simulcast_offer(rids: &[&str]) -> impl FnOnce(IceCredentials, Fingerprint, Setup) -> Offer + use<> {
    let rids: Vec<String> = rids.iter().map(|rid| (*rid).to_owned()).collect();
    move |ice, fingerprint, setup| {
        let mut video = video(Direction::SendOnly, &[Encoding::Vp8]);
        video.rids = rids;
        video.extensions.push(Extension { id: RID, kind: ExtensionKind::Rid });
        video.extensions.push(Extension { id: REPAIRED_RID, kind: ExtensionKind::RepairedRid });
        Offer { ice, fingerprint, setup, media: vec![audio(Direction::SendOnly), video] }
    }
}

/// What a viewer with VP8 offers.
pub fn watch_offer(ice: IceCredentials, fingerprint: Fingerprint, setup: Setup) -> Offer {
    let media = vec![audio(Direction::RecvOnly), video(Direction::RecvOnly, &[Encoding::Vp8])];
    Offer { ice, fingerprint, setup, media }
}

/// What a viewer with VP8 offers that tells of arrivals as RFC 8888 says, and in no other way.
pub fn congestion_offer(ice: IceCredentials, fingerprint: Fingerprint, setup: Setup) -> Offer {
    let mut offer = watch_offer(ice, fingerprint, setup);
    for section in &mut offer.media {
        section.extensions.retain(|extension| extension.kind != ExtensionKind::TransportCc);
        let told = |codec: &mut Codec| (codec.feedback.transport_cc, codec.feedback.ccfb) = (false, true);
        section.codecs.iter_mut().for_each(told);
    }
    offer
}

/// What a viewer with VP8 offers that wants so many places: sound and picture of each, in turn.
pub fn stage_offer(places: usize) -> impl FnOnce(IceCredentials, Fingerprint, Setup) -> Offer {
    move |ice, fingerprint, setup| {
        let place = || [audio(Direction::RecvOnly), video(Direction::RecvOnly, &[Encoding::Vp8])];
        let sections = (0..places).flat_map(|_| place()).enumerate();
        let media = sections.map(|(mid, section)| MediaSection { mid: mid.to_string(), ..section }).collect();
        Offer { ice, fingerprint, setup, media }
    }
}

fn codec(encoding: Encoding, payload_type: u8, rtx: Option<u8>) -> Codec {
    let video = encoding.kind() == MediaKind::Video;
    let feedback = Feedback { nack: video, pli: video, fir: video, transport_cc: true, ccfb: false };
    Codec { payload_type, encoding, rtx, red: None, feedback, parameters: String::new() }
}

fn section(mid: &str, kind: MediaKind, direction: Direction, codecs: Vec<Codec>) -> MediaSection {
    MediaSection {
        mid: mid.to_owned(),
        kind,
        direction,
        codecs,
        extensions: vec![
            Extension { id: MID, kind: ExtensionKind::Mid },
            Extension { id: TRANSPORT_CC, kind: ExtensionKind::TransportCc },
        ],
        rids: Vec::new(),
        ssrcs: Vec::new(),
        retransmission_ssrcs: Vec::new(),
    }
}
