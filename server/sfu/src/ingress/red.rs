use std::ops::Range;

/// Blocks that are looked through. Browsers send one or two of redundancy; nine cover what Opus can use.
const MAX_BLOCKS: usize = 32;

/// Payload type and place of the primary block of an `audio/red` payload (RFC 2198 section 3), for viewers who did not
/// take RED. `None` if it is malformed or has no primary data.
pub(crate) fn primary(payload: &[u8]) -> Option<(u8, Range<usize>)> {
    let (mut at, mut redundant) = (0, 0);
    for _ in 0..MAX_BLOCKS {
        let first = *payload.get(at)?;
        // The last header is one byte: F clear and the payload type. Its block is what remains after the others'.
        if first & 0x80 == 0 {
            let start = at + 1 + redundant;
            return (start < payload.len()).then_some((first & 0x7f, start..payload.len()));
        }
        // F, payload type, 14 bits of timestamp offset, 10 bits of length.
        redundant += usize::from(u16::from_be_bytes([*payload.get(at + 2)?, *payload.get(at + 3)?]) & 0x3ff);
        at += 4;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_block_is_what_follows_the_redundancy() {
        assert_eq!(primary(&[111, 1, 2, 3]), Some((111, 1..4)), "none redundant");
        // One block of two bytes, 960 ticks earlier.
        let payload = [0x80 | 111, 0x0f, 0x00, 2, 111, 9, 9, 1, 2, 3];
        assert_eq!(primary(&payload), Some((111, 7..10)));
        // Two blocks, of 1 and 513 bytes.
        let mut long = vec![0x80 | 111, 0x1e, 0x00, 1, 0x80 | 110, 0x0f, 0x02, 0x01, 111];
        long.resize(9 + 1 + 513, 0);
        assert_eq!(primary(&long), None, "no primary data");
        long.push(7);
        assert_eq!(primary(&long), Some((111, 523..524)));
    }

    #[test]
    fn nothing_makes_it_panic_or_reach_outside() {
        assert_eq!(primary(&[]), None);
        assert_eq!(primary(&[0x80]), None);
        assert_eq!(primary(&[0xff; 400]), None, "headers without end");
        let mut state = 3_u64;
        for round in 0..50_000 {
            let payload: Vec<u8> = (0..round % 60)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect();
            if let Some((_, range)) = primary(&payload) {
                assert!(!payload[range].is_empty());
            }
        }
    }
}
