//! Random histories of people who come, move, stop and leave, against a naive model: lists, counted anew each time.

use super::*;

pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % sides
    }
}

/// Cities within a few regions, so that cells and regions are shared and left.
pub(super) fn somewhere(dice: &mut Dice) -> (f64, f64) {
    // Degrees of latitude; a city is some 0.06 of one, a region 0.4.
    (48.0 + dice.throw(6) as f64 * 0.06, 16.0 + dice.throw(4) as f64 * 0.1)
}

/// The same, with a city that most are in: a few others are left in its region.
fn crowded(dice: &mut Dice) -> (f64, f64) {
    if dice.throw(3) > 0 { (48.0, 16.0) } else { somewhere(dice) }
}

/// What the model knows of somebody.
#[derive(Clone)]
struct Known {
    area: Option<Area>,
    counts: bool,
    since: Instant,
}

/// The city cell's index without its two finest digits is the region's: written here with bits alone.
fn region_of(area: &str) -> String {
    let Ok(bits) = u64::from_str_radix(area, 16) else { return area.to_owned() };
    let digits = |from: u64| (from..=15).fold(0, |mask, digit| mask | 7 << ((15 - digit) * 3));
    format!("{:x}", bits & !(0xf << 52) | 4 << 52 | digits(5))
}

fn as_on_the_map(area: &str) -> String {
    let Ok(bits) = u64::from_str_radix(area, 16) else { return area.to_owned() };
    if bits >> 52 & 0xf == 9 { format!("{:x}", bits & !(0xf << 52) | 6 << 52 | 0o777_777_777) } else { area.to_owned() }
}

/// Whatever is shaded stands for five people or more whom the model knows to be there; nobody is in two of them; and where a cell is
/// told apart from its region, the people of the region whom nothing stands for are none.
fn check(map: &[(String, Shade)], people: &BTreeMap<u16, Known>, at_last: &BTreeMap<u16, String>, seed: u64) {
    let shaded: BTreeSet<&String> = map.iter().map(|(area, _)| area).collect();
    let mut in_area: BTreeMap<String, usize> = BTreeMap::new();
    let mut unseen: BTreeMap<String, usize> = BTreeMap::new();
    let mut apart: BTreeSet<String> = BTreeSet::new();
    for (number, known) in people {
        let Some(area) = known.area.filter(|_| known.counts) else { continue };
        let cell = as_on_the_map(&area.text());
        let whole = region_of(&cell);
        let Some(before) = at_last.get(number) else { continue };
        if region_of(before) != whole {
            continue;
        }
        if *before == cell && cell != whole && shaded.contains(&cell) {
            *in_area.entry(cell).or_default() += 1;
            apart.insert(whole);
        } else if shaded.contains(&whole) {
            *in_area.entry(whole).or_default() += 1;
        } else {
            *unseen.entry(whole).or_default() += 1;
        }
    }
    for area in &shaded {
        assert!(in_area.get(*area).copied().unwrap_or_default() >= 5, "seed {seed}: {area} stands for too few");
    }
    for whole in apart {
        assert_eq!(unseen.get(&whole), None, "seed {seed}: somebody is what is missing from {whole}");
    }
    for (whole, count) in unseen {
        assert!(count < 5, "seed {seed}: {count} people of {whole} are missing from the map");
    }
}

#[test]
fn random_histories_never_show_fewer_than_five() {
    let (mut maps, mut apart) = (0, 0);
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut town = Town::new();
        let mut people: BTreeMap<u16, Known> = BTreeMap::new();
        let mut at_last: BTreeMap<u16, String> = BTreeMap::new();
        for number in 10..50 {
            town.come(number, Role::Viewer);
            people.insert(number, Known { area: None, counts: dice.throw(5) > 0, since: town.now - AREA_REST });
        }
        // Everything is begun by the first who shares.
        let mut due: Option<Instant> = None;
        for _ in 0..150 {
            let number = 10 + dice.throw(40) as u16;
            let known = people.get_mut(&number).expect("is one");
            if dice.throw(4) == 0 {
                town.stop(number);
                known.area = None;
                // Whoever comes back has just come.
                at_last.remove(&number);
            } else {
                let at = crowded(&mut dice);
                let area = match (known.area, dice.throw(4)) {
                    (Some(old), _) if old.precision() == LocationPrecision::Region => region(at.0, at.1),
                    (Some(old), _) if old.precision() == LocationPrecision::Precise => precise(at.0, at.1),
                    (Some(_), _) => city(at.0, at.1),
                    (None, 0) => region(at.0, at.1),
                    (None, 1) => precise(at.0, at.1),
                    (None, _) => city(at.0, at.1),
                };
                if known.area.is_none() {
                    town.grant(number);
                }
                let may = town.now.duration_since(known.since) >= AREA_REST;
                let moved = known.area.is_none_or(|old| old != area);
                let shown = town.show(number, area, known.counts);
                assert_eq!(shown.is_ok(), may || !moved, "seed {seed}: {shown:?}");
                if shown.is_ok() && moved {
                    (known.area, known.since) = (Some(area), town.now);
                    due = due.or(Some(town.now + MAP_TICK));
                } else if known.area.is_none() {
                    town.stop(number);
                }
            }
            let end = town.now + SECOND * (1 + dice.throw(20) as u32);
            while let Some(tick) = due.filter(|tick| *tick <= end) {
                let left = tick.duration_since(town.now);
                town.pass(left);
                let map = town.map();
                check(&map, &people, &at_last, seed);
                maps += usize::from(!map.is_empty());
                apart += usize::from(map.iter().any(|(area, _)| region_of(area) != *area));
                let now = |(number, known): (&u16, &Known)| {
                    let area = known.area.filter(|_| known.counts)?;
                    Some((*number, as_on_the_map(&area.text())))
                };
                at_last = people.iter().filter_map(now).collect();
                due = Some(tick + MAP_TICK);
            }
            let left = end.duration_since(town.now);
            town.pass(left);
            let shown: BTreeSet<String> = people.values().filter_map(|known| Some(known.area?.text())).collect();
            let told: BTreeSet<String> = town.seen_by_host().into_iter().collect();
            assert!(told.is_subset(&shown), "seed {seed}: the host sees where nobody is");
            for screen in town.screens.values() {
                assert!(
                    screen.precisions.values().all(|all| all.len() == 1),
                    "seed {seed}: one person, two precisions"
                );
            }
            assert!(town.screen(VIEWER).people.is_empty());
        }
    }
    assert!(maps > 200 && apart > 20, "there was something to look at: {maps}, {apart}");
}
