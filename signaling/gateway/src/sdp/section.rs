use super::codec::{Format, add_feedback, codecs};
use super::error::{SdpError, SdpReason};
use super::lines::{Line, is_token};
use super::transport::Transport;
use veilcast_control::{Direction, Extension, ExtensionKind, Feedback, MediaKind, MediaSection};

/// Chromium lists 28 for video with every codec and its retransmissions.
const MAX_FORMATS: usize = 64;
/// Chromium lists 12; simulcast of three layers with retransmissions has six SSRCs.
const MAX_IDS: usize = 64;
/// RFC 8853 knows no bound; three layers are usual.
const MAX_RIDS: usize = 8;
/// A mid or rid must fit a one-byte header extension (RFC 8285 section 4.2).
const MAX_ID: usize = 16;

/// One `m=` section while its lines are read.
pub(super) struct Section<'a> {
    pub(super) line: usize,
    /// Media type and protocol as offered, for a section that is answered with port 0 as well.
    pub(super) media: &'a str,
    pub(super) protocol: &'a str,
    pub(super) first_format: &'a str,
    port_zero: bool,
    bundle_only: bool,
    pub(super) mid: Option<&'a str>,
    pub(super) transport: Transport,
    pub(super) simulcast: bool,
    pub(super) reduced_size: bool,
    pub(super) allow_mixed: bool,
    pub(super) direction: Option<Direction>,
    pub(super) extensions: Vec<Extension>,
    formats: Vec<Format<'a>>,
    wildcard: Feedback,
    rids: Vec<String>,
    ssrcs: Vec<u32>,
    pairs: Vec<(u32, u32)>,
}

impl<'a> Section<'a> {
    /// Begins a section at its `m=` line (RFC 8866 section 5.14).
    pub(super) fn begin(line: &Line<'a>) -> Result<Self, SdpError> {
        let malformed = line.fault(SdpReason::MediaMalformed);
        let mut words = line.value.split_ascii_whitespace();
        let media = words.next().filter(|word| is_token(word)).ok_or(malformed)?;
        let port = words.next().ok_or(malformed)?;
        let protocol = words.next().filter(|word| word.split('/').all(is_token)).ok_or(malformed)?;
        let list: Vec<&str> = words.collect();
        let first_format = list.first().copied().filter(|word| is_token(word)).ok_or(malformed)?;
        if list.len() > MAX_FORMATS {
            return Err(line.fault(SdpReason::TooManyFormats));
        }
        let number = port.split_once('/').map_or(port, |(number, _)| number);
        let mut section = Self {
            line: line.number,
            media,
            protocol,
            first_format,
            port_zero: number.parse::<u16>().map_err(|_| malformed)? == 0,
            bundle_only: false,
            mid: None,
            transport: Transport::default(),
            simulcast: false,
            reduced_size: false,
            allow_mixed: false,
            direction: None,
            extensions: Vec::new(),
            formats: Vec::new(),
            wildcard: Feedback::default(),
            rids: Vec::new(),
            ssrcs: Vec::new(),
            pairs: Vec::new(),
        };
        if section.kind() != MediaKind::Other {
            section.formats = formats(line, &list)?;
        }
        Ok(section)
    }

    /// Audio and video over SRTP with feedback; everything else is answered with port 0.
    pub(super) fn kind(&self) -> MediaKind {
        // RFC 8829 section 5.1.2: every profile of this family means the same over DTLS.
        let srtp =
            matches!(self.protocol, "UDP/TLS/RTP/SAVPF" | "TCP/DTLS/RTP/SAVPF" | "RTP/SAVPF" | "UDP/TLS/RTP/SAVP");
        match self.media {
            "audio" if srtp => MediaKind::Audio,
            "video" if srtp => MediaKind::Video,
            _ => MediaKind::Other,
        }
    }

    /// Port 0 without `a=bundle-only` switches a section off (RFC 3264 section 8.2, RFC 8843 section 6).
    pub(super) fn is_off(&self) -> bool {
        self.port_zero && !self.bundle_only
    }

    /// Takes one attribute of the section.
    pub(super) fn take(&mut self, line: &Line<'a>, name: &str, value: &'a str) -> Result<(), SdpError> {
        match name {
            "mid" => self.take_mid(line, value),
            "bundle-only" => on(&mut self.bundle_only),
            "simulcast" => on(&mut self.simulcast),
            "rtcp-rsize" => on(&mut self.reduced_size),
            "extmap-allow-mixed" => on(&mut self.allow_mixed),
            "sendrecv" | "sendonly" | "recvonly" | "inactive" => {
                self.direction = direction(name);
                Ok(())
            }
            // What follows concerns RTP alone; another kind of section gives these names no meaning here.
            _ if self.kind() == MediaKind::Other => Ok(()),
            "rtpmap" => self.take_rtpmap(line, value),
            "fmtp" => self.take_fmtp(line, value),
            "rtcp-fb" => self.take_feedback(value),
            "extmap" => take_extension(&mut self.extensions, line, value),
            "rid" => self.take_rid(line, value),
            "ssrc" => self.take_ssrc(line, value),
            "ssrc-group" => self.take_group(line, value),
            _ => self.transport.take(line, name, value),
        }
    }

    fn take_mid(&mut self, line: &Line<'a>, value: &'a str) -> Result<(), SdpError> {
        if value.len() > MAX_ID || !is_token(value) || self.mid.is_some() {
            return Err(line.fault(SdpReason::MidInvalid));
        }
        self.mid = Some(value);
        Ok(())
    }

    fn take_rtpmap(&mut self, line: &Line<'a>, value: &'a str) -> Result<(), SdpError> {
        let malformed = line.fault(SdpReason::RtpmapMalformed);
        let (payload_type, map) = value.split_once(' ').ok_or(malformed)?;
        let payload_type: u8 = payload_type.parse().map_err(|_| malformed)?;
        let mut parts = map.trim().splitn(3, '/');
        let name = parts.next().filter(|name| is_token(name)).ok_or(malformed)?;
        let clock_rate = parts.next().and_then(|rate| rate.trim().parse().ok()).ok_or(malformed)?;
        let channels = parts.next().map_or(Ok(1), |text| text.trim().parse().map_err(|_| malformed))?;
        if let Some(format) = self.formats.iter_mut().find(|format| format.payload_type == payload_type) {
            (format.name, format.clock_rate, format.channels) = (name, clock_rate, channels);
        }
        Ok(())
    }

    fn take_fmtp(&mut self, line: &Line<'a>, value: &'a str) -> Result<(), SdpError> {
        let malformed = line.fault(SdpReason::FmtpMalformed);
        let (payload_type, parameters) = value.split_once(' ').ok_or(malformed)?;
        let payload_type: u8 = payload_type.parse().map_err(|_| malformed)?;
        if let Some(format) = self.formats.iter_mut().find(|format| format.payload_type == payload_type) {
            format.parameters = parameters.trim();
        }
        Ok(())
    }

    /// Feedback of a kind or for a payload type that is not known is no mistake (RFC 4585 section 4.2).
    fn take_feedback(&mut self, value: &str) -> Result<(), SdpError> {
        let Some((target, rest)) = value.split_once(' ') else { return Ok(()) };
        if target == "*" {
            add_feedback(&mut self.wildcard, rest);
        } else if let Ok(payload_type) = target.parse::<u8>() {
            let format = self.formats.iter_mut().find(|format| format.payload_type == payload_type);
            format.into_iter().for_each(|format| add_feedback(&mut format.feedback, rest));
        }
        Ok(())
    }

    /// Only what the peer sends: it receives what we choose to send (RFC 8851 section 4).
    fn take_rid(&mut self, line: &Line<'a>, value: &str) -> Result<(), SdpError> {
        let malformed = line.fault(SdpReason::RidMalformed);
        let mut words = value.split_ascii_whitespace();
        let id = words.next().ok_or(malformed)?;
        let well_formed = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if id.len() > MAX_ID || !well_formed {
            return Err(malformed);
        }
        if words.next() != Some("send") || self.rids.iter().any(|known| known == id) {
            return Ok(());
        }
        if self.rids.len() == MAX_RIDS {
            return Err(line.fault(SdpReason::TooManyIds));
        }
        self.rids.push(id.to_owned());
        Ok(())
    }

    /// `a=ssrc:NUMBER attribute` (RFC 5576 section 4.1); only the number matters, CNAME and msid are not kept.
    fn take_ssrc(&mut self, line: &Line<'a>, value: &str) -> Result<(), SdpError> {
        let number = value.split_ascii_whitespace().next().and_then(|text| text.parse().ok());
        let ssrc: u32 = number.ok_or(line.fault(SdpReason::SsrcMalformed))?;
        if self.ssrcs.contains(&ssrc) {
            return Ok(());
        }
        if self.ssrcs.len() == MAX_IDS {
            return Err(line.fault(SdpReason::TooManyIds));
        }
        self.ssrcs.push(ssrc);
        Ok(())
    }

    /// `a=ssrc-group:FID media retransmission` (RFC 5576 section 4.2, RFC 4588 section 8.3); other groups say
    /// nothing that matters here.
    fn take_group(&mut self, line: &Line<'a>, value: &str) -> Result<(), SdpError> {
        let mut words = value.split_ascii_whitespace();
        if words.next() != Some("FID") {
            return Ok(());
        }
        let numbers: Option<Vec<u32>> = words.map(|word| word.parse().ok()).collect();
        let Some([media, repair]) = numbers.as_deref().and_then(|all| <[u32; 2]>::try_from(all).ok()) else {
            return Err(line.fault(SdpReason::SsrcMalformed));
        };
        if self.pairs.len() == MAX_IDS {
            return Err(line.fault(SdpReason::TooManyIds));
        }
        self.pairs.push((media, repair));
        Ok(())
    }

    /// What the media plane needs of it. A section that is off or outside the bundle is of no kind we carry,
    /// so that it is answered with port 0.
    pub(super) fn finish(mut self, bundled: bool) -> MediaSection {
        let kind = if bundled { self.kind() } else { MediaKind::Other };
        for format in &mut self.formats {
            merge(&mut format.feedback, self.wildcard);
        }
        let carried = kind != MediaKind::Other;
        let repairs: Vec<u32> = self.pairs.iter().map(|(_, repair)| *repair).collect();
        self.ssrcs.retain(|ssrc| !repairs.contains(ssrc));
        MediaSection {
            mid: self.mid.unwrap_or_default().to_owned(),
            kind,
            // RFC 8866 section 6.7: without the attribute, sendrecv.
            direction: self.direction.unwrap_or(Direction::SendRecv),
            codecs: if carried { codecs(kind, &self.formats) } else { Vec::new() },
            extensions: if carried { self.extensions } else { Vec::new() },
            rids: if carried { self.rids } else { Vec::new() },
            ssrcs: if carried { self.ssrcs } else { Vec::new() },
            retransmission_ssrcs: if carried { self.pairs } else { Vec::new() },
        }
    }
}

fn on(flag: &mut bool) -> Result<(), SdpError> {
    *flag = true;
    Ok(())
}

fn formats<'a>(line: &Line<'a>, list: &[&str]) -> Result<Vec<Format<'a>>, SdpError> {
    let mut formats: Vec<Format<'a>> = Vec::with_capacity(list.len());
    for word in list {
        let number = word.parse::<u8>().ok().filter(|number| *number < 128);
        let payload_type = number.ok_or(line.fault(SdpReason::FormatMalformed))?;
        if formats.iter().any(|format| format.payload_type == payload_type) {
            return Err(line.fault(SdpReason::FormatMalformed));
        }
        formats.push(Format { payload_type, ..Format::default() });
    }
    Ok(formats)
}

pub(super) fn direction(name: &str) -> Option<Direction> {
    match name {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    }
}

/// `a=extmap:ID[/direction] URI [attributes]` (RFC 8285 section 5). Unknown meanings are left out; so are numbers
/// above 255, which only ask the answerer to choose one (section 6).
pub(super) fn take_extension(known: &mut Vec<Extension>, line: &Line<'_>, value: &str) -> Result<(), SdpError> {
    let malformed = line.fault(SdpReason::ExtmapMalformed);
    let mut words = value.split_ascii_whitespace();
    let (id, uri) = words.next().zip(words.next()).ok_or(malformed)?;
    let id = id.split_once('/').map_or(id, |(id, _)| id);
    let id: u32 = id.parse().map_err(|_| malformed)?;
    let (Ok(id @ 1..), Some(kind)) = (u8::try_from(id), ExtensionKind::from_uri(uri)) else { return Ok(()) };
    if known.iter().any(|other| other.id == id || other.kind == kind) {
        return Ok(());
    }
    known.push(Extension { id, kind });
    Ok(())
}

fn merge(feedback: &mut Feedback, more: Feedback) {
    feedback.nack |= more.nack;
    feedback.pli |= more.pli;
    feedback.fir |= more.fir;
    feedback.transport_cc |= more.transport_cc;
    feedback.ccfb |= more.ccfb;
}
