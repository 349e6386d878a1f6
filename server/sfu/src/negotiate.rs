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
    if sections.iter().any(|section| section.accepted) { Ok(sections) } else { Err(MediaFault::CodecUnsupported) }
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

    const CONSTRAINED_BASELINE: Encoding =
        Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline };
    const HIGH: Encoding = Encoding::H264 { packetization_mode: 1, profile: H264Profile::High };

    #[test]
    fn a_profile_plays_its_subsets_only() {
        assert!(plays(HIGH, CONSTRAINED_BASELINE) && !plays(CONSTRAINED_BASELINE, HIGH));
        assert!(!plays(Encoding::H264 { packetization_mode: 0, profile: H264Profile::High }, HIGH));
        assert!(plays(Encoding::Vp8, Encoding::Vp8) && !plays(Encoding::Vp8, HIGH));
        assert!(!plays(Encoding::Vp9 { profile: 0 }, Encoding::Vp9 { profile: 2 }));
    }
}
