use super::{FrameInfo, TOP_TEMPORAL};

/// Reads the VP9 payload descriptor (RFC 9628 section 4.2).
pub(super) fn classify(payload: &[u8]) -> Option<FrameInfo> {
    let first = *payload.first()?;
    let bit = |mask: u8| first & mask != 0;
    let (has_picture_id, predicted, has_layers) = (bit(0x80), bit(0x40), bit(0x20));
    let (start, end, lone) = (bit(0x08), bit(0x04), bit(0x01));
    let mut at = 1;
    if has_picture_id {
        at += if *payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    let (mut spatial, mut temporal, mut switches) = (0, 0, false);
    if has_layers {
        let layers = *payload.get(at)?;
        temporal = layers >> 5;
        switches = layers & 0x10 != 0;
        spatial = (layers >> 1) & 0x07;
    }
    // The RFC has U speak of the layers above the picture's own; senders set it on pictures that refer to the base
    // layer only. Both hold for the base layer, and for a step into the picture's own layer with such senders.
    let (switch_from, switch_to) = match (predicted, switches, temporal) {
        (false, ..) | (true, true, 0) => (0, TOP_TEMPORAL),
        (true, true, _) => (temporal - 1, temporal),
        _ => (0, 0),
    };
    Some(FrameInfo {
        key: !predicted,
        start,
        end,
        spatial,
        temporal,
        switch_from,
        switch_to,
        lone,
        ..FrameInfo::default()
    })
}
