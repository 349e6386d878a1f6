use crate::routing::{LayerKey, Layers, Track};
use veilcast_control::VideoCap;

/// What a viewer is to be shown of a track.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Choice {
    /// What it would be shown if everything came: a layer that is wished for does not rest.
    pub(crate) wish: LayerKey,
    /// The best that comes, up to the wish.
    pub(crate) target: LayerKey,
}

/// Chooses a layer of a track; `None` if the viewer wants none or nothing has come.
pub(crate) fn choose(track: &Track, layers: &Layers, cap: VideoCap) -> Option<Choice> {
    let highest = match cap {
        VideoCap::Off => return None,
        VideoCap::Low => 0,
        // Of two layers the lower: a phone that asks for less is to get less.
        VideoCap::Medium => (track.slots.len() - 1) / 2,
        VideoCap::High => track.slots.len() - 1,
    };
    let known: Vec<LayerKey> = track.slots[..=highest].iter().filter_map(|slot| slot.layer).collect();
    let comes = |key: &&LayerKey| layers.get(key).is_some_and(|layer| layer.live);
    // Before the lowest has come, whatever has.
    let wish = known.last().copied().or_else(|| track.layers().next())?;
    let target = known.iter().rev().find(comes).or(known.first()).copied().unwrap_or(wish);
    Some(Choice { wish, target })
}
