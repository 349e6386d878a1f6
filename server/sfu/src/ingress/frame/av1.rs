use super::FrameInfo;

/// Reads the AV1 aggregation header (RTP Payload Format For AV1, section 4.4): N marks the first packet of a
/// coded video sequence, which begins with a key frame.
pub(super) fn classify(payload: &[u8]) -> Option<FrameInfo> {
    let first = *payload.first()?;
    let new_sequence = first & 0x08 != 0;
    let continues = first & 0x80 != 0;
    Some(FrameInfo { key: new_sequence, start: new_sequence || !continues, ..FrameInfo::default() })
}
