/// The highest temporal layer that any of the formats can name: three bits.
pub(crate) const TOP_TEMPORAL: u8 = 7;

/// A spatial and a temporal layer, or all layers up to these.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Scale {
    /// Spatial layer, 0 the lowest.
    pub(crate) spatial: u8,
    /// Temporal layer, 0 the lowest.
    pub(crate) temporal: u8,
}

impl Scale {
    /// Whatever there is.
    pub(crate) const ALL: Self = Self { spatial: 7, temporal: TOP_TEMPORAL };

    /// The higher of both, each dimension for itself.
    pub(crate) fn max_each(self, other: Self) -> Self {
        Self { spatial: self.spatial.max(other.spatial), temporal: self.temporal.max(other.temporal) }
    }
}
