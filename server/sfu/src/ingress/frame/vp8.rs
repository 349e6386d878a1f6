use super::FrameInfo;

/// Reads the VP8 payload descriptor (RFC 7741 section 4.2) and the frame tag's first bit.
pub(super) fn classify(payload: &[u8]) -> Option<FrameInfo> {
    let first = *payload.first()?;
    // S bit, and partition 0.
    let start = first & 0x10 != 0 && first & 0x07 == 0;
    let mut at = 1;
    let mut temporal = 0;
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
            temporal = *payload.get(at)? >> 6;
            at += 1;
        }
    }
    // RFC 7741 section 4.3: P is clear in the first byte of a key frame.
    let key = start && *payload.get(at)? & 0x01 == 0;
    Some(FrameInfo { key, start, end: false, spatial: 0, temporal })
}
