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

/// Whether a person's city, or the region around it, is paler on the second map.
fn fades(at: (f64, f64), before: &[(String, Shade)], after: &[(String, Shade)]) -> bool {
    let of = |map: &[(String, Shade)]| {
        let areas = [city(at.0, at.1).text(), region(at.0, at.1).text()];
        areas.map(|area| map.iter().find(|(known, _)| *known == area).map(|(_, shade)| *shade))
    };
    of(after) < of(before)
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
            let before = crowd.town.map();
            if leaves {
                crowd.town.stop(target);
            }
            crowd.live(1);
            told[usize::from(leaves)] += u32::from(fades(at, &before, &crowd.town.map()));
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

/// The same person at two events whose maps somebody puts together, stopping at both at once, or at neither.
#[test]
fn differencing_two_events_tells_little_more() {
    let target = 9_000;
    let mut told = [0_u32; 2];
    for seed in 0..RUNS / 2 {
        for leaves in [false, true] {
            let mut crowds = [Crowd::new(seed, 120), Crowd::new(seed + RUNS, 120)];
            let at = somewhere(&mut crowds[0].dice);
            let before = crowds.each_mut().map(|crowd| {
                crowd.town.share(target, city(at.0, at.1), true);
                crowd.live(4);
                crowd.town.map()
            });
            let mut faded = false;
            for (crowd, before) in crowds.iter_mut().zip(&before) {
                if leaves {
                    crowd.town.stop(target);
                }
                crowd.live(1);
                faded |= fades(at, before, &crowd.town.map());
            }
            told[usize::from(leaves)] += u32::from(faded);
        }
    }
    let [stays, leaves] = told.map(|count| f64::from(count) / (RUNS / 2) as f64);
    let advantage = leaves - stays;
    println!(
        "two events: an area fades in {leaves:.2} of runs if the person stops, {stays:.2} if not: advantage {advantage:.3}"
    );
    assert!(advantage < 0.25, "{advantage}");
}

/// Who broadcasts two events and sees the same people at both wonders who is who. What is told of a person, and in which order, says
/// nothing; where they are does, as far as few others are there, and more with each move: docs/location.md says so.
#[test]
fn two_events_put_together_tie_people_by_place_alone() {
    const PEOPLE: usize = 60;
    let (mut by_order, mut by_place, mut by_moves, mut crowded) = (0.0, 0.0, 0.0, 0.0);
    for seed in 0..RUNS / 10 {
        let mut dice = Dice(seed);
        let mut towns = [Town::new(), Town::new()];
        // Nobody comes to both in the same order.
        let mut orders = [0, 1].map(|_| (0..PEOPLE).collect::<Vec<_>>());
        for order in &mut orders {
            (1..PEOPLE).rev().for_each(|last| order.swap(last, dice.throw(last as u64 + 1) as usize));
        }
        let mut places: Vec<_> = (0..PEOPLE).map(|_| somewhere(&mut dice)).collect();
        for ((town, order), first) in towns.iter_mut().zip(&orders).zip([1_000, 3_000]) {
            for &person in order {
                town.share(first + person as u16, city(places[person].0, places[person].1), true);
            }
        }
        let mut paths = [0, 1].map(|_| vec![Vec::new(); PEOPLE]);
        for hour in 0..3 {
            for (at, (town, first)) in towns.iter_mut().zip([1_000, 3_000]).enumerate() {
                town.pass(SECOND * 600);
                for person in 0..PEOPLE {
                    let place = city(places[person].0, places[person].1);
                    if hour > 0 {
                        // Each page notices in its own time.
                        town.pass(SECOND * dice.throw(3) as u32);
                        town.show(first + person as u16, place, true).expect("after ten minutes");
                    }
                    paths[at][person].push(place.text());
                }
            }
            if hour == 0 {
                let seen = towns.each_mut().map(|town| {
                    let people = &town.screen(HOST).people;
                    people.iter().map(|(number, (_, area, _))| (*number, area.clone())).collect::<Vec<_>>()
                });
                let shared = seen[0].iter().filter(|(number, _)| seen[1].iter().any(|(other, _)| number == other));
                assert_eq!(shared.count(), 0, "nobody has a number twice");
                // By rank among the numbers, as who comes first would have the lowest.
                let numbers = |town: &Town, first: u16| {
                    let number = |person: u16| {
                        town.ledger
                            .consent::<Location>(&party(first + person), town.now)
                            .map(|consent| consent.licence().generation())
                            .expect("granted")
                    };
                    let mut ranked: Vec<_> = (0..PEOPLE as u16).map(|person| (number(person), person)).collect();
                    ranked.sort_unstable();
                    ranked.into_iter().map(|(_, person)| person).collect::<Vec<_>>()
                };
                let ranked = [numbers(&towns[0], 1_000), numbers(&towns[1], 3_000)];
                by_order += ranked[0].iter().zip(&ranked[1]).filter(|(one, other)| one == other).count() as f64;
            }
            places.iter_mut().for_each(|place| *place = somewhere(&mut dice));
        }
        for person in 0..PEOPLE {
            let alike = |hours: usize| {
                let same = |other: &&Vec<String>| other[..hours] == paths[0][person][..hours];
                paths[1].iter().filter(same).count() as f64
            };
            (by_place, by_moves, crowded) = (by_place + 1.0 / alike(1), by_moves + 1.0 / alike(3), crowded + alike(1));
        }
    }
    let all = RUNS as f64 / 10.0 * PEOPLE as f64;
    let [order, place, moves, others] = [by_order, by_place, by_moves, crowded].map(|sum| sum / all);
    println!(
        "two events: tied by their numbers {:.1} %, by one place {:.1} % (as many are there as {others:.1}), after two moves {:.1} %",
        order * 100.0,
        place * 100.0,
        moves * 100.0
    );
    assert!(order < 3.0 / PEOPLE as f64, "{order}: chance is one in {PEOPLE}");
    assert!(place < 0.6 && moves > place, "{place} {moves}");
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
