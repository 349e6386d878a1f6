//! From an offer to an answer (RFC 3264, RFC 8829 section 5.3): a pure function of the offer and the room's policy.

use crate::peer::MAX_PLACES;
use veilcast_control::{
    AnswerSection, Codec, Direction, Encoding, Extension, ExtensionKind, H264Profile, MediaFault, MediaKind,
    MediaSection, Offer, OutgoingTrack, Role, RoomSettings,
};

/// Sections that an offer may have. A page that needs more does not talk to this server.
const MAX_SECTIONS: usize = 64;

/// Simulcast layers of one picture that are taken. Browsers send up to three.
const MAX_LAYERS: usize = 4;

/// Decides every section of an offer. `track` gives a viewer's tracks their numbers.
pub(crate) fn answer(
    offer: &Offer,
    role: Role,
    settings: &RoomSettings,
    track: impl Fn(MediaKind, usize) -> OutgoingTrack,
) -> Result<Vec<AnswerSection>, MediaFault> {
    if offer.media.len() > MAX_SECTIONS {
        return Err(MediaFault::TooMany);
    }
    let mut sections: Vec<AnswerSection> = Vec::with_capacity(offer.media.len());
    for section in &offer.media {
        // The n-th of a kind is a viewer's n-th track of it, whatever became of those before; a broadcaster has one of each.
        let earlier = || sections.iter().filter(|earlier| earlier.kind == section.kind);
        let place = earlier().count();
        let accepted = match role {
            _ if section.kind == MediaKind::Other => None,
            Role::Broadcaster if earlier().any(|earlier| earlier.accepted) => None,
            Role::Broadcaster => incoming(section, settings),
            Role::Viewer if place >= MAX_PLACES => None,
            Role::Viewer if section.direction == Direction::Inactive => resting(section),
            Role::Viewer => outgoing(section, settings, place, &track),
        };
        sections.push(accepted.unwrap_or_else(|| refused(section)));
    }
    if role == Role::Broadcaster || has_transport_numbers(offer) {
        sections.iter_mut().flat_map(|section| &mut section.codecs).for_each(|codec| codec.feedback.ccfb = false);
    }
    if sections.iter().any(|section| section.accepted) { Ok(sections) } else { Err(MediaFault::CodecUnsupported) }
}

/// Whether the peer tells of arrivals by transport-wide numbers. One kind of feedback is enough (RFC 8888 section 6), and of
/// the two this is known to more receivers, tells times four times as finely, and in every probe of every packet's fate.
fn has_transport_numbers(offer: &Offer) -> bool {
    let numbered = |section: &MediaSection| {
        section.extensions.iter().any(|extension| extension.kind == ExtensionKind::TransportCc)
    };
    let tells = |section: &MediaSection| section.codecs.iter().any(|codec| codec.feedback.transport_cc);
    offer.media.iter().any(|section| numbered(section) && tells(section))
}

fn refused(section: &MediaSection) -> AnswerSection {
    AnswerSection {
        mid: section.mid.clone(),
        kind: section.kind,
        accepted: false,
        direction: Direction::Inactive,
        codecs: section.codecs.iter().take(1).cloned().collect(),
        extensions: Vec::new(),
        rids: Vec::new(),
        sends: None,
    }
}

/// What a broadcaster sends: one codec, so that everybody gets the same.
fn incoming(section: &MediaSection, settings: &RoomSettings) -> Option<AnswerSection> {
    if !matches!(section.direction, Direction::SendOnly | Direction::SendRecv) {
        return None;
    }
    let codec = preferred(section, settings)?;
    // Without the extension nobody could tell the layers apart.
    let names_layers = section.extensions.iter().any(|extension| extension.kind == ExtensionKind::Rid);
    let simulcast = section.kind == MediaKind::Video && names_layers && (2..=MAX_LAYERS).contains(&section.rids.len());
    Some(AnswerSection {
        mid: section.mid.clone(),
        kind: section.kind,
        accepted: true,
        direction: Direction::RecvOnly,
        codecs: vec![codec.clone()],
        extensions: keep(section, |kind| {
            use ExtensionKind as E;
            match kind {
                E::AudioLevel => !settings.private,
                E::Mid
                | E::TransportCc
                | E::AbsSendTime
                | E::DependencyDescriptor
                | E::ColorSpace
                | E::VideoContentType => true,
                E::Rid | E::RepairedRid => simulcast,
                E::PlayoutDelay => false,
            }
        }),
        rids: if simulcast { section.rids.clone() } else { Vec::new() },
        sends: None,
    })
}

fn preferred<'a>(section: &'a MediaSection, settings: &RoomSettings) -> Option<&'a Codec> {
    let mut of_kind = section.codecs.iter().filter(|codec| codec.encoding.kind() == section.kind);
    match section.kind {
        MediaKind::Video => settings
            .video_preference
            .iter()
            .find_map(|wanted| of_kind.clone().find(|codec| codec.encoding == *wanted))
            .or_else(|| of_kind.next()),
        _ => of_kind.next(),
    }
}

/// What a viewer receives: every codec that both sides know, so that the broadcaster may change without a new offer.
fn outgoing(
    section: &MediaSection,
    settings: &RoomSettings,
    place: usize,
    track: &impl Fn(MediaKind, usize) -> OutgoingTrack,
) -> Option<AnswerSection> {
    if !matches!(section.direction, Direction::RecvOnly | Direction::SendRecv) {
        return None;
    }
    let codecs: Vec<Codec> =
        section.codecs.iter().filter(|codec| codec.encoding.kind() == section.kind).cloned().collect();
    let repeats = codecs.iter().any(|codec| codec.rtx.is_some());
    let OutgoingTrack { ssrc, rtx_ssrc, cname } = track(section.kind, place);
    (!codecs.is_empty()).then(|| AnswerSection {
        mid: section.mid.clone(),
        kind: section.kind,
        accepted: true,
        direction: Direction::SendOnly,
        codecs,
        extensions: keep(section, |kind| {
            use ExtensionKind as E;
            match kind {
                E::AudioLevel => !settings.private,
                E::Rid | E::RepairedRid => false,
                _ => true,
            }
        }),
        rids: Vec::new(),
        sends: Some(OutgoingTrack { ssrc, rtx_ssrc: rtx_ssrc.filter(|_| repeats), cname }),
    })
}

/// RFC 3264 section 6.1: what is offered inactive is answered so. A refusal would end the section for good, and it is only
/// that its viewer does not want this place now.
fn resting(section: &MediaSection) -> Option<AnswerSection> {
    let codecs: Vec<Codec> =
        section.codecs.iter().filter(|codec| codec.encoding.kind() == section.kind).cloned().collect();
    (!codecs.is_empty()).then(|| AnswerSection { accepted: true, codecs, ..refused(section) })
}

fn keep(section: &MediaSection, take: impl Fn(ExtensionKind) -> bool) -> Vec<Extension> {
    section.extensions.iter().filter(|extension| extension.id != 0 && take(extension.kind)).copied().collect()
}

/// Whether a decoder for `decoder` also plays `stream` (RFC 6184 section 8.1: a profile plays its subsets).
pub(crate) fn plays(decoder: Encoding, stream: Encoding) -> bool {
    let (
        Encoding::H264 { packetization_mode: takes, profile: of_decoder },
        Encoding::H264 { packetization_mode: sends, profile: of_stream },
    ) = (decoder, stream)
    else {
        return decoder == stream;
    };
    use H264Profile::{Baseline, ConstrainedBaseline, ConstrainedHigh, High, Main};
    let subset = match of_stream {
        ConstrainedBaseline => matches!(of_decoder, ConstrainedBaseline | Baseline | Main | ConstrainedHigh | High),
        // Encoders that say Baseline do not use what only Baseline has; browsers treat the two alike.
        Baseline => matches!(of_decoder, Baseline | ConstrainedBaseline | Main | High),
        Main => matches!(of_decoder, Main | High),
        ConstrainedHigh => matches!(of_decoder, ConstrainedHigh | High),
        other => other == of_decoder,
    };
    takes >= sends && subset
}

#[cfg(test)]
mod tests {
    use super::*;
    use veilcast_control::{Feedback, Fingerprint, HashFunction, IceCredentials, Setup};
    use veilcast_privacy::Secret;

    const CONSTRAINED_BASELINE: Encoding =
        Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline };
    const HIGH: Encoding = Encoding::H264 { packetization_mode: 1, profile: H264Profile::High };

    /// What is answered to a section with these ways to tell of arrivals.
    fn taken(role: Role, extension: bool, transport_cc: bool, ccfb: bool) -> Feedback {
        let feedback = Feedback { transport_cc, ccfb, ..Feedback::default() };
        let vp8 = Codec {
            payload_type: 96,
            encoding: Encoding::Vp8,
            rtx: None,
            red: None,
            feedback,
            parameters: String::new(),
        };
        let section = MediaSection {
            mid: "0".to_owned(),
            kind: MediaKind::Video,
            direction: Direction::SendRecv,
            codecs: vec![vp8],
            extensions: extension
                .then_some(Extension { id: 3, kind: ExtensionKind::TransportCc })
                .into_iter()
                .collect(),
            rids: Vec::new(),
            ssrcs: Vec::new(),
            retransmission_ssrcs: Vec::new(),
        };
        let ice = IceCredentials { ufrag: "abcd".to_owned(), password: Secret::new([b'p'; 22]) };
        let fingerprint = Fingerprint { function: HashFunction::Sha256, value: vec![0; 32] };
        let offer = Offer { ice, fingerprint, setup: Setup::ActPass, media: vec![section] };
        let track = |_, _| OutgoingTrack { ssrc: 1, rtx_ssrc: None, cname: String::new() };
        let sections = answer(&offer, role, &RoomSettings::default(), track).expect("there is a codec");
        sections[0].codecs[0].feedback
    }

    #[test]
    fn a_viewer_tells_of_arrivals_in_one_way() {
        for (extension, transport_cc, ccfb, expected) in [
            (true, true, true, false),
            (false, true, true, true),
            (true, false, true, true),
            (false, false, true, true),
            (false, false, false, false),
        ] {
            assert_eq!(taken(Role::Viewer, extension, transport_cc, ccfb).ccfb, expected);
        }
        assert!(!taken(Role::Broadcaster, false, false, true).ccfb, "we do not write it");
    }

    #[test]
    fn a_profile_plays_its_subsets_only() {
        assert!(plays(HIGH, CONSTRAINED_BASELINE) && !plays(CONSTRAINED_BASELINE, HIGH));
        assert!(!plays(Encoding::H264 { packetization_mode: 0, profile: H264Profile::High }, HIGH));
        assert!(plays(Encoding::Vp8, Encoding::Vp8) && !plays(Encoding::Vp8, HIGH));
        assert!(!plays(Encoding::Vp9 { profile: 0 }, Encoding::Vp9 { profile: 2 }));
    }
}
