use super::FrameInfo;

const IDR: u8 = 5;
const SPS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// Reads NAL unit headers (RFC 6184 section 5).
///
/// A decoder needs the parameter sets before the picture. Once a stream has carried a sequence parameter set,
/// it is entered at those; a stream that keeps them out of band is entered at its IDR slices.
#[derive(Default)]
pub(super) struct ParameterSets {
    in_band: bool,
}

impl ParameterSets {
    pub(super) fn classify(&mut self, payload: &[u8]) -> Option<FrameInfo> {
        let (has_sps, starts_idr, in_idr) = match *payload.first()? & 0x1f {
            STAP_A => aggregated(&payload[1..]),
            FU_A => {
                let header = *payload.get(1)?;
                let (starts, idr) = (header & 0x80 != 0, header & 0x1f == IDR);
                (false, starts && idr, idr)
            }
            kind => (kind == SPS, kind == IDR, kind == IDR),
        };
        self.in_band |= has_sps;
        let start = has_sps || (starts_idr && !self.in_band);
        Some(FrameInfo { key: has_sps || in_idr, start, ..FrameInfo::default() })
    }
}

/// Units of a STAP-A: whether one is a parameter set, whether one is an IDR slice.
fn aggregated(mut rest: &[u8]) -> (bool, bool, bool) {
    let (mut sps, mut idr) = (false, false);
    while let [high, low, unit @ ..] = rest {
        let Some(header) = unit.first() else { break };
        sps |= header & 0x1f == SPS;
        idr |= header & 0x1f == IDR;
        rest = unit.get(usize::from(u16::from_be_bytes([*high, *low]))..).unwrap_or_default();
    }
    (sps, idr, idr)
}
