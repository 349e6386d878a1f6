use crate::ingress::frame::Scale;
use crate::routing::{Layer, LayerKey, Layers, Track};
use crate::selection::budget::{self, Choice};
use crate::selection::rate::{SPATIAL, TEMPORAL};
use veilcast_control::VideoCap;

/// Offers of one track at most: negotiation takes no more simulcast layers, and more spatial layers count as the last.
const MOST: usize = SPATIAL;

/// What there is of a track to choose from, from the lowest on: its simulcast layers, or the spatial layers of its only one
/// (SVC).
pub(crate) struct Offers {
    all: [Option<Offer>; MOST],
}

/// One of them.
#[derive(Clone, Copy)]
pub(crate) struct Offer {
    pub(crate) key: LayerKey,
    /// Its packets come.
    pub(crate) comes: bool,
    /// Spatial layer, where there is a choice of these.
    spatial: Option<u8>,
    /// Bit/s up to and including each temporal layer.
    cumulated: [u32; TEMPORAL],
    temporals: usize,
}

impl Offers {
    pub(crate) fn of(track: &Track, layers: &Layers) -> Self {
        let mut all = [None; MOST];
        let known = || track.layers().filter_map(|key| Some((key, layers.get(&key)?)));
        let spatials = known().next().filter(|_| !track.is_simulcast()).map_or(1, |(_, layer)| layer.rate.spatials());
        if let (Some((key, layer)), 2..) = (known().next(), spatials) {
            for (spatial, place) in all.iter_mut().enumerate().take(spatials) {
                let top = spatial + 1 == spatials;
                *place =
                    Some(Offer::new(key, layer, spatial, Some(if top { Scale::ALL.spatial } else { spatial as u8 })));
            }
        } else {
            for ((key, layer), place) in known().zip(&mut all) {
                *place = Some(Offer::new(key, layer, SPATIAL - 1, None));
            }
        }
        Self { all }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Offer> {
        self.all.iter().flatten()
    }

    pub(crate) fn at(&self, index: usize) -> Option<&Offer> {
        self.all.get(index)?.as_ref()
    }

    /// Those up to `index`, from the highest on.
    pub(crate) fn down_from(&self, index: usize) -> impl Iterator<Item = &Offer> {
        self.all.iter().take(index + 1).rev().flatten()
    }

    /// Bit/s of the least.
    pub(crate) fn floor(&self) -> u32 {
        self.at(0).map_or(0, Offer::bps)
    }

    /// As the budget wants them.
    pub(crate) fn budgets(&self) -> [budget::Layer<'_>; MOST] {
        std::array::from_fn(|index| {
            let cumulated = self.at(index).map_or(&[][..], |offer| &offer.cumulated[..offer.temporals]);
            budget::Layer { index: index as u8, cumulated }
        })
    }

    /// The highest that a viewer wants.
    pub(crate) fn cap(&self, cap: VideoCap) -> u8 {
        let count = self.iter().count() as u8;
        match cap {
            VideoCap::Off | VideoCap::Low => 0,
            // Of two the lower: who asks for less is to get less.
            VideoCap::Medium => count.saturating_sub(1) / 2,
            VideoCap::High => count.saturating_sub(1),
        }
    }
}

impl Offer {
    fn new(key: LayerKey, layer: &Layer, up_to: usize, spatial: Option<u8>) -> Self {
        let cumulated = layer.rate.cumulated(up_to);
        let temporals = cumulated.iter().position(|bps| *bps == cumulated[TEMPORAL - 1]).unwrap_or(0) + 1;
        Self { key, comes: layer.live, spatial, cumulated, temporals }
    }

    /// Bit/s of all of it.
    pub(crate) const fn bps(&self) -> u32 {
        self.cumulated[TEMPORAL - 1]
    }

    /// What of the path it takes under a choice that led to it: all of it, unless fewer frames were chosen.
    pub(crate) fn takes(&self, choice: Choice) -> u32 {
        match choice {
            Choice::Layer { temporal, .. } => self.cumulated[usize::from(temporal).min(TEMPORAL - 1)],
            Choice::Paused => self.bps(),
        }
    }

    /// What to forward of it, up to a temporal layer.
    pub(crate) fn scale(&self, temporal: usize) -> Scale {
        let whole = temporal + 1 >= self.temporals;
        Scale {
            spatial: self.spatial.unwrap_or(Scale::ALL.spatial),
            temporal: if whole { Scale::ALL.temporal } else { temporal as u8 },
        }
    }
}
