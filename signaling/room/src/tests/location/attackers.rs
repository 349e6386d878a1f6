//! Simulated attackers: what each of them learns of one person among people who move. The device's part, which averaging and
//! border-crossing attack, is attacked in the client's tests.

use super::histories::{Dice, somewhere};
use super::*;

const RUNS: u64 = 100;

/// Everybody else in a run of a crowd: they share, move every now and then, stop and come back.
struct Crowd {
    town: Town,
    dice: Dice,
    people: std::ops::Range<u16>,
}

impl Crowd {
    fn new(seed: u64, people: u16) -> Self {
        let mut crowd = Self { town: Town::new(), dice: Dice(seed), people: 100..100 + people };
        for number in crowd.people.clone() {
            let at = somewhere(&mut crowd.dice);
            crowd.town.share(number, city(at.0, at.1), true);
        }
        crowd.live(12);
        crowd
    }

    /// So many ticks of moving about.
    fn live(&mut self, ticks: u32) {
        for _ in 0..ticks {
            for number in self.people.clone() {
                match self.dice.throw(40) {
                    0 => self.town.stop(number),
                    1 => self.town.grant(number),
                    2..6 => {
                        let at = somewhere(&mut self.dice);
                        // Too soon, or not shared at the moment: they stay as they are.
                        _ = self.town.show(number, city(at.0, at.1), true);
                    }
                    _ => {}
                }
            }
            self.town.pass(MAP_TICK);
        }
    }
}

/// Somebody who looks at the map as one person stops, or does not: does the person's area fade?
#[test]
fn differencing_by_leaving_tells_little() {
    let target = 9_000;
    let mut told = [0_u32; 2];
    for seed in 0..RUNS {
        for leaves in [false, true] {
            let mut crowd = Crowd::new(seed, 120);
            let at = somewhere(&mut crowd.dice);
            crowd.town.share(target, city(at.0, at.1), true);
            crowd.live(4);
            let fades = |before: &[(String, Shade)], after: &[(String, Shade)]| {
                let of = |map: &[(String, Shade)]| {
                    let areas = [city(at.0, at.1).text(), region(at.0, at.1).text()];
                    areas.map(|area| map.iter().find(|(known, _)| *known == area).map(|(_, shade)| *shade))
                };
                of(after) < of(before)
            };
            let before = crowd.town.map();
            if leaves {
                crowd.town.stop(target);
            }
            crowd.live(1);
            told[usize::from(leaves)] += u32::from(fades(&before, &crowd.town.map()));
        }
    }
    let rate = told.map(|count| f64::from(count) / RUNS as f64);
    let advantage = rate[1] - rate[0];
    println!(
        "leaving: the area fades in {:.1} % of runs if the person stops, {:.1} % if not: advantage {advantage:.3}",
        rate[1] * 100.0,
        rate[0] * 100.0
    );
    assert!(advantage < 0.15, "{advantage}");
}

/// Somebody who knows of everybody else in a cell, which no attacker should: at which crowds does one more person show?
#[test]
fn who_knows_all_others_learns_of_one_more_at_few_sizes_only() {
    let map_of = |count: u16| {
        let mut town = Town::new();
        for number in 0..count {
            town.share(10 + number, city(48.2, 16.4), true);
        }
        town.pass(MAP_TICK * 3);
        town.map()
    };
    let maps: Vec<_> = (0..=120).map(map_of).collect();
    let visible: Vec<usize> = (0..120).filter(|&others| maps[others] != maps[others + 1]).collect();
    println!("one more person shows with so many others in a cell: {visible:?}, of 120 sizes");
    assert_eq!(visible, [4, 19, 99], "four learn of a fifth; and where a shade begins");
}

/// Planted accounts in a cell: how many it takes to learn that somebody is there, and that no number of guests does.
#[test]
fn planted_people_learn_of_a_fifth_and_planted_guests_of_nobody() {
    let learns = |planted: u16, accounts: bool| {
        let map = |present: bool| {
            let mut town = Town::new();
            for number in 0..planted {
                town.share(100 + number, city(48.2, 16.4), accounts);
            }
            if present {
                town.share(10, city(48.2, 16.4), true);
            }
            town.pass(MAP_TICK * 4);
            town.map()
        };
        map(true) != map(false)
    };
    let accounts: Vec<u16> = (0..10).filter(|&planted| learns(planted, true)).collect();
    let guests: Vec<u16> = [1, 4, 5, 50, 500].into_iter().filter(|&planted| learns(planted, false)).collect();
    println!("planted accounts that learn whether somebody is there: {accounts:?}; planted guests: {guests:?}");
    assert_eq!(accounts, [4], "with fewer the cell stays closed, with more it is open anyway");
    assert!(guests.is_empty());
}

/// Four planted accounts search cell after cell, with every trick: stopping, agreeing anew, leaving, coming back.
#[test]
fn planted_people_search_slowly() {
    let mut town = Town::new();
    let planted = 100..104;
    planted.clone().for_each(|number| town.come(number, Role::Viewer));
    let mut dice = Dice(7);
    let mut searched = 0;
    for minute in 0..60 {
        for number in planted.clone() {
            match dice.throw(3) {
                0 => town.stop(number),
                1 => {
                    town.rooms.detach(SocketId(number.into()), town.now);
                    town.come(number, Role::Viewer);
                }
                _ => {}
            }
            town.grant(number);
            let next = city(48.0 + f64::from(minute) * 0.1, 16.0);
            searched += usize::from(town.show(number, next, true).is_ok());
        }
        town.pass(SECOND * 60);
    }
    println!("four planted accounts searched {} cells in an hour", searched / 4);
    assert!((40..=48).contains(&searched), "{searched}: twelve an hour for each");
}

/// One person at two precisions, seen by two recipients who put together what they see: the host's city, the viewers' map. The map
/// adds nothing to what the host has, because it is made of the same index.
#[test]
fn two_precisions_put_together_are_no_more_than_the_finer_one() {
    let (mut narrowed, mut shown) = (0, 0);
    for seed in 0..RUNS / 10 {
        let mut crowd = Crowd::new(seed, 150);
        let at = somewhere(&mut crowd.dice);
        crowd.town.share(9_000, precise(at.0, at.1), true);
        crowd.live(3);
        let map = crowd.town.map();
        for (_, area, _) in crowd.town.screen(HOST).people.values() {
            // An area of the map either holds all of what the host sees, or nothing of it.
            let host = u64::from_str_radix(area, 16).expect("is a cell");
            let host = h3o::CellIndex::try_from(host).expect("is a cell");
            for (other, _) in &map {
                let other =
                    h3o::CellIndex::try_from(u64::from_str_radix(other, 16).expect("is a cell")).expect("is one");
                let whole = host.parent(other.resolution()) == Some(other);
                let part = other.resolution() > host.resolution() && other.parent(host.resolution()) == Some(host);
                (shown, narrowed) = (shown + usize::from(whole), narrowed + usize::from(part));
            }
        }
    }
    println!(
        "two precisions: {shown} times a person was on both screens, {narrowed} times the map narrowed what the host saw"
    );
    assert!(shown > 0);
    assert_eq!(narrowed, 0);
}
