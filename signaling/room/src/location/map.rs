use super::{Area, MAP_LEAST};
use std::collections::BTreeMap;
use veilcast_protocol::Shade;

/// The map as of one tick: what is shaded, and how.
pub(crate) type Shaded = BTreeMap<Area, Shade>;

/// Where somebody was who counts, at the last tick and at this one.
#[derive(Clone, Copy)]
pub(crate) struct Stay {
    pub(crate) before: Option<Area>,
    pub(crate) now: Area,
}

/// What viewers see. Counted is whoever was in the same area at the last tick already, so that nobody is seen to arrive in it; each
/// once: in a country, in a region, or in a cell of one. A cell is told apart from its region only where that leaves nobody or five
/// more in the rest of it, which is then shaded for these alone; else all of them are shaded as one.
pub(crate) fn shade(stays: &[Stay], before: &Shaded) -> Shaded {
    let mut regions: BTreeMap<Area, Region> = BTreeMap::new();
    for stay in stays {
        let whole = stay.now.region();
        if stay.before.map(Area::region) == Some(whole) {
            regions.entry(whole).or_default().add(stay);
        }
    }
    let parts = regions.into_iter().flat_map(|(whole, region)| region.parts(whole));
    parts.map(|(area, count)| (area, strength(count, before.get(&area).copied()))).collect()
}

/// Those in one region, or in one country.
#[derive(Default)]
struct Region {
    all: usize,
    /// Those who were in the same cell of it before.
    cells: BTreeMap<Area, usize>,
}

impl Region {
    fn add(&mut self, stay: &Stay) {
        self.all += 1;
        if stay.before == Some(stay.now) && stay.now.region() != stay.now {
            *self.cells.entry(stay.now).or_default() += 1;
        }
    }

    /// What of it is shaded, with how many people each.
    fn parts(self, whole: Area) -> Vec<(Area, usize)> {
        let mut parts: Vec<_> = self.cells.into_iter().filter(|(_, count)| *count >= MAP_LEAST).collect();
        let rest = self.all - parts.iter().map(|(_, count)| count).sum::<usize>();
        if rest >= MAP_LEAST {
            parts.push((whole, rest));
        } else if rest > 0 || parts.is_empty() {
            // One by one, the few in the rest of it could be told by what is missing.
            parts = if self.all >= MAP_LEAST { vec![(whole, self.all)] } else { Vec::new() };
        }
        parts
    }
}

/// A shade is left only well below where it begins, so that one person who comes and goes does not switch it.
fn strength(count: usize, before: Option<Shade>) -> Shade {
    let least = |shade: Shade, begins: usize| if before >= Some(shade) { begins - begins / 4 } else { begins };
    match count {
        many if many >= least(Shade::Strong, 100) => Shade::Strong,
        some if some >= least(Shade::Medium, 20) => Shade::Medium,
        _ => Shade::Light,
    }
}
