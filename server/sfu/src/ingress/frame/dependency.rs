use super::FrameInfo;

/// The templates of the latest structure that a stream's Dependency Descriptors have carried
/// (RTP Payload Format For AV1, appendix A).
#[derive(Default)]
pub(crate) struct Templates {
    offset: u8,
    /// Spatial and temporal layer of each template.
    layers: Vec<(u8, u8)>,
}

/// The mandatory fields: start, end, template, frame number.
const MANDATORY: usize = 3;
const MAX_TEMPLATES: usize = 64;

impl Templates {
    /// Reads one descriptor, keeping the structure it may carry. `None` if it is malformed, or refers to a
    /// template of a structure that has not come.
    pub(crate) fn read(&mut self, descriptor: &[u8]) -> Option<FrameInfo> {
        let first = *descriptor.first()?;
        let template = first & 0x3f;
        let mut key = false;
        if descriptor.len() > MANDATORY {
            let mut bits = Bits { bytes: &descriptor[MANDATORY..], at: 0 };
            // template_dependency_structure_present_flag, then four other flags.
            key = bits.take(1)? == 1;
            bits.take(4)?;
            if key {
                self.read_structure(&mut bits)?;
            }
        }
        let index = usize::from(template.wrapping_sub(self.offset) & 0x3f);
        let (spatial, temporal) = *self.layers.get(index)?;
        Some(FrameInfo { key, start: first & 0x80 != 0, end: first & 0x40 != 0, spatial, temporal })
    }

    fn read_structure(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let offset = bits.take(6)?;
        let _decode_targets = bits.take(5)?;
        let (mut spatial, mut temporal) = (0_u8, 0_u8);
        let mut layers = Vec::with_capacity(8);
        loop {
            if layers.len() == MAX_TEMPLATES {
                return None;
            }
            layers.push((spatial, temporal));
            match bits.take(2)? {
                0 => {}
                1 => temporal += 1,
                2 => (spatial, temporal) = (spatial + 1, 0),
                _ => break,
            }
        }
        self.offset = offset;
        self.layers = layers;
        Some(())
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u8> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | (byte >> (7 - self.at % 8)) & 1;
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_come_from_the_structure_of_the_key_frame() {
        let mut templates = Templates::default();
        assert_eq!(templates.read(&[0xc1, 0, 1]), None, "no structure yet");
        // start+end, template 0, frame 1; structure flag; offset 0; decode targets 1; templates T0, T1, then end.
        let key = templates.read(&[0xc0, 0, 1, 0x80, 0x01, 0x70]).expect("well-formed");
        assert_eq!(key, FrameInfo { key: true, start: true, end: true, spatial: 0, temporal: 0 });
        let delta = templates.read(&[0x81, 0, 2]).expect("template 1 is known");
        assert_eq!(delta, FrameInfo { key: false, start: true, end: false, spatial: 0, temporal: 1 });
    }
}
