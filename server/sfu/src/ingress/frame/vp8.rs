use super::{FrameInfo, TOP_TEMPORAL};

/// Reads the VP8 payload descriptor (RFC 7741 section 4.2) and the frame tag's first bit.
pub(super) fn classify(payload: &[u8]) -> Option<FrameInfo> {
    let first = *payload.first()?;
    // S bit, and partition 0.
    let start = first & 0x10 != 0 && first & 0x07 == 0;
    let discardable = first & 0x20 != 0;
    let mut at = 1;
    let (mut temporal, mut synchronises) = (0, false);
    if first & 0x80 != 0 {
        let extension = *payload.get(at)?;
        at += 1;
        if extension & 0x80 != 0 {
            // PictureID: 7 or 15 bits.
            at += if *payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        if extension & 0x40 != 0 {
            at += 1;
        }
        if extension & 0x30 != 0 {
            let layer = *payload.get(at)?;
            at += 1;
            // TID and Y mean something where the T bit is set.
            if extension & 0x20 != 0 {
                temporal = layer >> 6;
                synchronises = layer & 0x20 != 0;
            }
        }
    }
    // RFC 7741 section 4.3: P is clear in the first byte of a key frame.
    let key = start && *payload.get(at)? & 0x01 == 0;
    // With Y, the frame refers to the base layer only, so that its own layer can be entered here; one between the base
    // and it could still refer to what was not forwarded.
    let (switch_from, switch_to) = match (key, synchronises) {
        (true, _) => (0, TOP_TEMPORAL),
        (false, true) => (temporal.saturating_sub(1), temporal),
        _ => (0, 0),
    };
    Some(FrameInfo { key, start, temporal, switch_from, switch_to, discardable, ..FrameInfo::default() })
}
