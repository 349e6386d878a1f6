use super::error::{SdpError, SdpReason};
use super::lines::{Line, lines};
use super::section::{Section, direction, take_extension};
use super::transport::Transport;
use veilcast_control::{Direction, Extension, MediaKind, Offer};

/// A bundle of one broadcaster has two or three; a viewer's page never more than a handful.
const MAX_SECTIONS: usize = 64;

/// An offer for the media plane, and what its answer's text has to repeat.
pub struct ParsedOffer {
    /// For the media plane.
    pub offer: Offer,
    /// For the answer's text.
    pub shape: OfferShape,
}

/// The parts of an offer that only the answer's text needs.
pub struct OfferShape {
    pub(super) sections: Vec<SectionShape>,
    /// RFC 8285 section 6: repeated only if offered.
    pub(super) allow_mixed: bool,
    /// A single section may come without a group; its answer then has none either.
    pub(super) grouped: bool,
}

/// How one section was introduced.
pub(super) struct SectionShape {
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) first_format: String,
    pub(super) simulcast: bool,
    /// RFC 5506 section 5: repeated only if offered.
    pub(super) reduced_size: bool,
}

/// What stands before the first `m=` line and applies to sections that say nothing themselves.
#[derive(Default)]
struct Session<'a> {
    bundle: Option<Vec<&'a str>>,
    transport: Transport,
    extensions: Vec<Extension>,
    direction: Option<Direction>,
    allow_mixed: bool,
}

impl<'a> Session<'a> {
    fn take(&mut self, line: &Line<'a>) -> Result<(), SdpError> {
        let Some((name, value)) = line.attribute() else { return Ok(()) };
        match name {
            "group" => self.take_group(value),
            "extmap" => take_extension(&mut self.extensions, line, value)?,
            "extmap-allow-mixed" => self.allow_mixed = true,
            "sendrecv" | "sendonly" | "recvonly" | "inactive" => self.direction = direction(name),
            _ => self.transport.take(line, name, value)?,
        }
        Ok(())
    }

    /// Of several groups the first counts: one bundle is all this server carries.
    fn take_group(&mut self, value: &'a str) {
        let mut words = value.split_ascii_whitespace();
        if words.next() == Some("BUNDLE") && self.bundle.is_none() {
            self.bundle = Some(words.take(MAX_SECTIONS).collect());
        }
    }
}

/// Reads an offer. What it does not know it skips; what it needs and does not find is an error.
pub fn parse_offer(text: &str) -> Result<ParsedOffer, SdpError> {
    let lines = lines(text)?;
    let (session, mut sections) = split(&lines)?;
    check_mids(&sections)?;
    let bundled = bundled(&session, &sections)?;
    let tagged = tagged(&session, &sections, &bundled)?;
    let transport = sections[tagged].transport.complete(&session.transport, sections[tagged].line)?;
    let shape = OfferShape {
        allow_mixed: session.allow_mixed || sections.iter().any(|section| section.allow_mixed),
        grouped: session.bundle.is_some(),
        sections: sections.iter().map(SectionShape::of).collect(),
    };
    for section in &mut sections {
        section.direction = section.direction.or(session.direction);
        if section.extensions.is_empty() {
            section.extensions.clone_from(&session.extensions);
        }
    }
    let media = sections.into_iter().zip(bundled).map(|(section, bundled)| section.finish(bundled)).collect();
    let offer = Offer { ice: transport.ice, fingerprint: transport.fingerprint, setup: transport.setup, media };
    Ok(ParsedOffer { offer, shape })
}

impl SectionShape {
    fn of(section: &Section<'_>) -> Self {
        Self {
            media: section.media.to_owned(),
            protocol: section.protocol.to_owned(),
            first_format: section.first_format.to_owned(),
            simulcast: section.simulcast,
            reduced_size: section.reduced_size,
        }
    }
}

/// Sorts lines into the session's and each section's. Lines with another letter than `v`, `m` and `a` (among
/// them `o=` and `c=`, which carry addresses) are dropped here; so are `a=candidate` and `a=rtcp`, which no arm takes.
fn split<'a>(lines: &[Line<'a>]) -> Result<(Session<'a>, Vec<Section<'a>>), SdpError> {
    let versioned = lines.first().is_some_and(|line| line.letter == b'v' && line.value.trim() == "0");
    if !versioned {
        return Err(SdpError::at(1, SdpReason::VersionMissing));
    }
    let mut session = Session::default();
    let mut sections: Vec<Section<'a>> = Vec::new();
    for line in lines {
        if line.letter == b'm' {
            if sections.len() == MAX_SECTIONS {
                return Err(line.fault(SdpReason::TooManySections));
            }
            sections.push(Section::begin(line)?);
        } else if let Some(section) = sections.last_mut() {
            if let Some((name, value)) = line.attribute() {
                section.take(line, name, value)?;
            }
        } else {
            session.take(line)?;
        }
    }
    if sections.is_empty() {
        return Err(SdpError::at(1, SdpReason::NoSections));
    }
    Ok((session, sections))
}

fn check_mids(sections: &[Section<'_>]) -> Result<(), SdpError> {
    for (index, section) in sections.iter().enumerate() {
        let repeated = section.mid.is_some() && sections[..index].iter().any(|other| other.mid == section.mid);
        if repeated {
            return Err(SdpError::at(section.line, SdpReason::MidInvalid));
        }
    }
    Ok(())
}

/// Which sections share the one transport (RFC 8843). Without a group, a single section stands for itself.
fn bundled(session: &Session<'_>, sections: &[Section<'_>]) -> Result<Vec<bool>, SdpError> {
    match &session.bundle {
        Some(mids) => {
            let inside = |section: &Section<'_>| section.mid.is_some_and(|mid| mids.contains(&mid));
            Ok(sections.iter().map(|section| !section.is_off() && inside(section)).collect())
        }
        None if sections.len() == 1 => Ok(vec![!sections[0].is_off()]),
        None => Err(SdpError::at(sections[0].line, SdpReason::BundleMissing)),
    }
}

/// The section whose transport counts: the first of the group that can be accepted (RFC 8843 section 7.2).
fn tagged(session: &Session<'_>, sections: &[Section<'_>], bundled: &[bool]) -> Result<usize, SdpError> {
    let usable = |index: &usize| bundled[*index] && sections[*index].kind() != MediaKind::Other;
    let by_group = session.bundle.iter().flatten().filter_map(|mid| {
        let index = sections.iter().position(|section| section.mid == Some(mid))?;
        usable(&index).then_some(index)
    });
    let first = by_group.into_iter().next().or_else(|| (0..sections.len()).find(usable));
    let nothing = sections.iter().all(|section| section.kind() == MediaKind::Other);
    let reason = if nothing { SdpReason::NoSections } else { SdpReason::BundleMissing };
    first.ok_or(SdpError::at(sections[0].line, reason))
}
