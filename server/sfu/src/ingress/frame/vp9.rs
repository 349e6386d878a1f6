use super::FrameInfo;

/// Reads the VP9 payload descriptor (RFC 9628 section 4.2).
pub(super) fn classify(payload: &[u8]) -> Option<FrameInfo> {
    let first = *payload.first()?;
    let bit = |mask: u8| first & mask != 0;
    let (has_picture_id, predicted, has_layers) = (bit(0x80), bit(0x40), bit(0x20));
    let (start, end) = (bit(0x08), bit(0x04));
    let mut at = 1;
    if has_picture_id {
        at += if *payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    let (mut spatial, mut temporal) = (0, 0);
    if has_layers {
        let layers = *payload.get(at)?;
        temporal = layers >> 5;
        spatial = (layers >> 1) & 0x07;
    }
    Some(FrameInfo { key: !predicted, start, end, spatial, temporal })
}
