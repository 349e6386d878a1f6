use crate::negotiate::plays;
use veilcast_control::{Codec, Encoding};

/// A viewer's payload types by what they carry.
#[derive(Clone, Default)]
pub(crate) struct PayloadTypes(Vec<PayloadType>);

#[derive(Clone, Copy)]
pub(crate) struct PayloadType {
    pub(crate) encoding: Encoding,
    pub(crate) number: u8,
    pub(crate) rtx: Option<u8>,
    pub(crate) red: Option<u8>,
}

impl PayloadTypes {
    pub(crate) fn new(codecs: &[Codec]) -> Self {
        let payload_type = |codec: &Codec| PayloadType {
            encoding: codec.encoding,
            number: codec.payload_type,
            rtx: codec.rtx,
            red: codec.red,
        };
        Self(codecs.iter().map(payload_type).collect())
    }

    /// Any that carries retransmissions.
    pub(crate) fn any_rtx(&self) -> Option<u8> {
        self.0.iter().find_map(|known| known.rtx)
    }

    /// The payload type that plays `stream`: its own, else one whose decoder also plays it.
    pub(crate) fn find(&self, stream: Encoding) -> Option<PayloadType> {
        let exact = self.0.iter().find(|known| known.encoding == stream);
        exact.or_else(|| self.0.iter().find(|known| plays(known.encoding, stream))).copied()
    }
}
