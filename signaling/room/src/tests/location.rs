//! Who sees where people are, and when; with the ledger that the gate of consent is made of.

use super::*;
use crate::{AREA_REST, Area, MAP_TICK, Showing, Unshown};
use h3o::{LatLng, Resolution};
use std::collections::{BTreeMap, BTreeSet};
use veilcast_consent::{Choice, Decision, Ledger, Licence, Location, Party, Purpose};
use veilcast_protocol::{LocationPrecision, Shade};

#[expect(clippy::print_stdout, reason = "what an attacker learns is printed, beside being bounded")]
mod attackers;
mod deliveries;
mod histories;

const HOST: u16 = 0;
/// Somebody who shares nothing.
const VIEWER: u16 = 1;

/// A cell of a resolution at a place.
fn cell(resolution: Resolution, latitude: f64, longitude: f64) -> String {
    LatLng::new(latitude, longitude).expect("is on earth").to_cell(resolution).to_string()
}

fn city(latitude: f64, longitude: f64) -> Area {
    parsed(LocationPrecision::City, &cell(Resolution::Six, latitude, longitude))
}

fn region(latitude: f64, longitude: f64) -> Area {
    parsed(LocationPrecision::Region, &cell(Resolution::Four, latitude, longitude))
}

fn precise(latitude: f64, longitude: f64) -> Area {
    parsed(LocationPrecision::Precise, &cell(Resolution::Nine, latitude, longitude))
}

fn parsed(precision: LocationPrecision, text: &str) -> Area {
    Area::parse(precision, text).expect("is one")
}

/// What one socket's screen shows.
#[derive(Default)]
struct Screen {
    people: BTreeMap<u32, (LocationPrecision, String, bool)>,
    /// Every precision at which each was ever shown here.
    precisions: BTreeMap<u32, BTreeSet<String>>,
    map: BTreeMap<String, Shade>,
    own: Option<String>,
    retracted: Vec<u32>,
}

impl Screen {
    fn hear(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::Locations(locations) => {
                for person in &locations.people {
                    let precision = format!("{:?}", person.precision);
                    self.precisions.entry(person.generation).or_default().insert(precision);
                    let seen = (person.precision, person.area.clone(), person.broadcaster);
                    self.people.insert(person.generation, seen);
                }
            }
            ServerMessage::LocationGone(gone) => _ = self.people.remove(&gone.generation),
            ServerMessage::Retracted(ended) => {
                self.people.remove(&ended.generation);
                self.retracted.push(ended.generation);
            }
            ServerMessage::LocationMap(map) => {
                self.map = map.areas.iter().map(|area| (area.area.clone(), area.shade)).collect();
            }
            ServerMessage::OwnLocation(own) => self.own = Some(own.area.clone()),
            _ => {}
        }
    }
}

/// An event with a host, a viewer who only looks, and whoever comes. Person `n` has socket `n`.
struct Town {
    rooms: Rooms<u32>,
    ledger: Ledger<u32>,
    now: Instant,
    screens: BTreeMap<u16, Screen>,
}

impl Town {
    fn new() -> Self {
        let (rooms, now) = opened();
        let mut town = Self { rooms, ledger: Ledger::default(), now, screens: BTreeMap::new() };
        town.come(HOST, Role::Broadcaster);
        town.come(VIEWER, Role::Viewer);
        town
    }

    fn come(&mut self, number: u16, role: Role) {
        self.rooms.attach(&EVENT, SocketId(number.into()), role, who(number)).expect("is open");
        self.settle();
    }

    fn decide(&mut self, number: u16, decision: Decision) -> Option<u32> {
        let choice = Choice { purpose: Purpose::Location, version: 1, decision, despite_signal: false, key: [0; 32] };
        let ended = self.ledger.decide(&party(number), choice, self.now).expect("is asked");
        let ended = ended.map(|ended| ended.generation);
        if let Some(generation) = ended {
            self.rooms.retract(&EVENT, who(number), Purpose::Location, generation);
        }
        ended
    }

    fn grant(&mut self, number: u16) {
        self.decide(number, Decision::Grant { lasting: None });
    }

    fn stop(&mut self, number: u16) {
        if let Some(ended) = self.ledger.withdraw(&EVENT, who(number), Purpose::Location) {
            self.rooms.retract(&EVENT, who(number), Purpose::Location, ended.generation);
        }
    }

    fn show(&mut self, number: u16, area: Area, counts: bool) -> Result<(), Unshown> {
        self.show_up_to(number, area, counts, LocationPrecision::Precise)
    }

    fn show_up_to(&mut self, number: u16, area: Area, counts: bool, finest: LocationPrecision) -> Result<(), Unshown> {
        let party = party(number);
        let consent = self.ledger.consent::<Location>(&party, self.now).map_err(|_| Unshown::NotTheirs)?;
        self.rooms.show_area(SocketId(number.into()), &consent, &Showing { area, finest, counts }, self.now)
    }

    /// Somebody comes, agrees and shows where they are.
    fn share(&mut self, number: u16, area: Area, counts: bool) {
        self.come(number, Role::Viewer);
        self.grant(number);
        self.show(number, area, counts).expect("is shown");
    }

    /// Time passes, with everything that is due on the way, and every screen gets what is handed over.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.rooms.next_wakeup().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.rooms.tick(self.now);
            self.settle();
        }
        self.now = end;
    }

    /// Hands over what waits, as sockets do: urgent things first, and what people show only while their consent stands.
    fn settle(&mut self) {
        let (mut urgent, mut rest) = (Vec::new(), Vec::new());
        while let Some(output) = self.rooms.poll() {
            match output {
                Output::Overtake { .. } => urgent.push(output),
                output => rest.push(output),
            }
        }
        for output in urgent.into_iter().chain(rest) {
            match output {
                Output::Overtake { socket, message } | Output::Tell { socket, message } => self.hear(socket, &message),
                Output::Share(shared) => {
                    for (socket, to) in &shared.to {
                        assert!(to.is_none(), "who looks needs no consent");
                        Licence::while_all_stand(shared.by.iter(), self.now, || self.hear(*socket, &shared.message));
                    }
                }
                _ => {}
            }
        }
    }

    fn hear(&mut self, socket: SocketId, message: &ServerMessage) {
        self.screens.entry(socket.0 as u16).or_default().hear(message);
    }

    fn screen(&mut self, number: u16) -> &Screen {
        self.settle();
        self.screens.entry(number).or_default()
    }

    fn seen_by_host(&mut self) -> Vec<String> {
        self.screen(HOST).people.values().map(|(_, area, _)| area.clone()).collect()
    }

    /// The map that viewers see, each area with the first letter of its shade.
    fn map(&mut self) -> Vec<(String, Shade)> {
        self.screen(VIEWER).map.iter().map(|(area, shade)| (area.clone(), *shade)).collect()
    }
}

fn who(number: u16) -> Pseudonym {
    let mut bits = [9; 16];
    bits[..2].copy_from_slice(&number.to_le_bytes());
    Pseudonym::new(bits)
}

fn party(number: u16) -> Party<u32> {
    Party { event: EVENT, subject: who(number), signal: false, asks_nothing: false }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_area_has_one_of_four_sizes_and_one_spelling() {
    use LocationPrecision::{City, Country, None, Precise, Region};
    let (four, six, nine) =
        (cell(Resolution::Four, 48.2, 16.4), cell(Resolution::Six, 48.2, 16.4), cell(Resolution::Nine, 48.2, 16.4));
    for (precision, text) in [(Country, "AT"), (Country, "XK"), (Region, &four), (City, &six), (Precise, &nine)] {
        let area = parsed(precision, text);
        assert!(area.text() == text && area.precision() == precision);
        for other in [None, Country, Region, City, Precise] {
            assert_eq!(Area::parse(other, text).is_some(), other == precision, "{text} as {other:?}");
        }
    }
    let finer = cell(Resolution::Ten, 48.2, 16.4);
    let upper = six.to_uppercase();
    let bad =
        ["", "AA", "at", "A", "ATT", "A ", "  ", "ÅT", &finer, &upper, "0", "ffffffffffffffff", "861e15b8fffffff "];
    for text in bad {
        for precision in [None, Country, Region, City, Precise] {
            assert!(Area::parse(precision, text).is_none(), "{text:?} as {precision:?}");
        }
    }
    // The bits of a cell without what makes it one: another mode, a base cell beyond the last, a digit that is no direction.
    let valid = u64::from_str_radix(&six, 16).expect("hexadecimal");
    let bits = valid;
    for bits in [bits | 1 << 63, bits & !(0xf << 59), bits | 0x7f << 45, bits | 7 << 42, bits & !7] {
        assert!(Area::parse(City, &format!("{bits:x}")).is_none(), "{bits:x}");
    }
}

#[test]
fn the_host_sees_everybody_and_a_stop_clears_it_before_anything_else() {
    let mut town = Town::new();
    town.share(10, city(48.2, 16.4), false);
    town.share(11, region(47.1, 15.4), true);
    town.pass(SECOND);
    assert_eq!(town.seen_by_host().len(), 2);
    assert_eq!(town.screens[&10].own, Some(city(48.2, 16.4).text()));
    assert!(town.screen(VIEWER).people.is_empty() && town.screen(11).people.is_empty());
    town.stop(10);
    let Some(Output::Overtake { socket, message }) = town.rooms.poll() else { panic!("before whatever waits") };
    town.hear(socket, &message);
    town.settle();
    town.stop(11);
    assert!(town.seen_by_host().is_empty());
    assert!(town.rooms.shown_precision(&EVENT, who(10)).is_none(), "nor is the area kept");
    assert!(town.screen(VIEWER).retracted.is_empty(), "who looks is not told that somebody stopped");
    assert_eq!(town.screen(11).retracted.len(), 1, "nor is who shares, but of themselves");
}

/// A change is told to every page of its person, and what is no change only to the page that says it.
#[test]
fn an_area_is_confirmed_to_whom_it_is_news() {
    const SECOND_PAGE: u16 = 1_000;
    let mut town = Town::new();
    town.share(10, city(48.2, 16.4), true);
    town.rooms.attach(&EVENT, SocketId(SECOND_PAGE.into()), Role::Viewer, who(10)).expect("is open");
    town.settle();
    town.screens.entry(10).or_default().own = None;
    town.show(10, city(48.2, 16.4), true).expect("no change");
    town.settle();
    assert!(town.screen(10).own.is_some() && town.screen(SECOND_PAGE).own.is_none());
    town.rooms.confirm_area(SocketId(SECOND_PAGE.into()), town.now);
    town.settle();
    let own = |town: &mut Town| [10, SECOND_PAGE].map(|page| town.screen(page).own.clone());
    assert_eq!(own(&mut town), [(); 2].map(|()| Some(city(48.2, 16.4).text())), "as a page that has just come");
    town.pass(AREA_REST);
    town.show(10, city(48.9, 16.4), true).expect("a change");
    town.settle();
    assert_eq!(own(&mut town), [(); 2].map(|()| Some(city(48.9, 16.4).text())));
}

#[test]
fn what_waits_is_not_written_once_somebody_has_stopped() {
    let mut town = Town::new();
    town.share(10, city(48.2, 16.4), true);
    town.now += SECOND;
    town.rooms.tick(town.now);
    let Some(Output::Share(shared)) = town.rooms.poll().and_then(|first| match first {
        Output::Share(shared) if matches!(shared.message, ServerMessage::OwnLocation(_)) => town.rooms.poll(),
        other => Some(other),
    }) else {
        panic!("it waits for the host");
    };
    assert!(Licence::while_all_stand(shared.by.iter(), town.now, || ()).is_some());
    town.stop(10);
    assert!(Licence::while_all_stand(shared.by.iter(), town.now, || ()).is_none());
    town.pass(MAP_TICK);
    assert!(town.seen_by_host().is_empty());
}

#[test]
fn areas_follow_each_other_slowly_and_stopping_in_between_does_not_help() {
    let mut town = Town::new();
    town.share(10, city(48.2, 16.4), true);
    town.pass(AREA_REST - SECOND);
    assert_eq!(town.show(10, city(48.3, 16.4), true), Err(Unshown::TooSoon { wait: SECOND }));
    assert_eq!(town.show(10, city(48.2, 16.4), true), Ok(()), "the same again is no change");
    town.pass(SECOND);
    assert_eq!(town.show(10, city(48.3, 16.4), true), Ok(()));
    town.pass(SECOND);
    town.stop(10);
    town.grant(10);
    let wait = AREA_REST - SECOND;
    assert_eq!(town.show(10, city(48.2, 16.4), true), Err(Unshown::TooSoon { wait }));
    assert!(town.seen_by_host().is_empty());
    town.rooms.detach(SocketId(10), town.now);
    town.come(10, Role::Viewer);
    assert_eq!(town.show(10, city(48.2, 16.4), true), Err(Unshown::TooSoon { wait }));
    town.pass(wait);
    assert_eq!(town.show(10, city(48.2, 16.4), true), Ok(()));
}

#[test]
fn one_consent_is_for_one_precision() {
    let mut town = Town::new();
    town.share(10, region(48.2, 16.4), true);
    town.pass(AREA_REST);
    assert_eq!(town.show(10, city(48.2, 16.4), true), Err(Unshown::Fixed));
    town.grant(10);
    assert!(town.seen_by_host().is_empty(), "another grant ends what came under the first");
    assert_eq!(town.show(10, city(48.2, 16.4), true), Ok(()));
}

#[test]
fn what_a_token_permits_is_the_finest() {
    use LocationPrecision::{City, Country, None, Precise, Region};
    let areas = [parsed(Country, "AT"), region(48.2, 16.4), city(48.2, 16.4), precise(48.2, 16.4)];
    for (finest, allowed) in [(None, 0), (Country, 1), (Region, 2), (City, 3), (Precise, 4)] {
        for (at, area) in areas.into_iter().enumerate() {
            let mut town = Town::new();
            town.come(10, Role::Viewer);
            town.grant(10);
            let expected = if at < allowed { Ok(()) } else { Err(Unshown::TooFine) };
            assert_eq!(town.show_up_to(10, area, true, finest), expected, "{at} up to {finest:?}");
        }
    }
}

#[test]
fn nobody_is_shown_without_their_own_consent() {
    let mut town = Town::new();
    town.come(10, Role::Viewer);
    town.come(11, Role::Viewer);
    assert_eq!(town.show(10, city(48.2, 16.4), true), Err(Unshown::NotTheirs));
    town.grant(10);
    let party = party(10);
    let consent = town.ledger.consent::<Location>(&party, town.now).expect("was given");
    let showing = Showing { area: city(48.2, 16.4), finest: LocationPrecision::City, counts: true };
    for socket in [11, 99] {
        let shown = town.rooms.show_area(SocketId(socket), &consent, &showing, town.now);
        assert_eq!(shown, Err(Unshown::NotTheirs), "over socket {socket}");
    }
}

#[test]
fn a_broadcasters_place_is_everybodys_to_see_and_never_precise() {
    let mut town = Town::new();
    town.grant(HOST);
    assert_eq!(town.show(HOST, precise(48.2, 16.4), true), Err(Unshown::TooFine));
    assert_eq!(town.show(HOST, city(48.2, 16.4), true), Ok(()));
    town.pass(SECOND);
    town.come(12, Role::Viewer);
    for number in [VIEWER, 12] {
        let seen: Vec<_> = town.screen(number).people.values().cloned().collect();
        assert_eq!(seen, [(LocationPrecision::City, city(48.2, 16.4).text(), true)], "{number}");
    }
    town.stop(HOST);
    assert!(town.screen(VIEWER).people.is_empty() && town.screen(12).people.is_empty());
}

#[test]
fn who_has_left_is_gone_in_a_minute_and_who_is_put_out_at_once() {
    let mut town = Town::new();
    town.share(10, city(48.2, 16.4), true);
    town.share(11, city(48.2, 16.4), true);
    town.pass(SECOND);
    town.rooms.detach(SocketId(10), town.now);
    town.pass(MAP_TICK);
    assert_eq!(town.seen_by_host().len(), 2, "a reload is none of anybody's business");
    town.rooms.expel_from(&EVENT, who(11), crate::Removal::ForNow, town.now);
    assert_eq!(town.seen_by_host().len(), 1);
    town.pass(Duration::from_secs(90));
    assert_eq!(town.seen_by_host().len(), 0);
    assert!(town.screen(VIEWER).retracted.is_empty());
}

#[test]
fn five_people_who_have_signed_in_make_a_cell_and_guests_none() {
    let mut town = Town::new();
    for number in 10..14 {
        town.share(number, city(48.2, 16.4), true);
    }
    for number in 100..200 {
        town.share(number, city(48.2, 16.4), false);
    }
    town.pass(MAP_TICK * 4);
    assert_eq!(town.map(), []);
    assert_eq!(town.seen_by_host().len(), 104, "the host sees guests as well");
    town.share(14, city(48.2, 16.4), true);
    town.pass(MAP_TICK);
    assert_eq!(town.map(), [], "one tick is not enough");
    town.pass(MAP_TICK);
    assert_eq!(town.map(), [(city(48.2, 16.4).text(), Shade::Light)]);
    town.stop(12);
    town.settle();
    assert_eq!(town.map().len(), 1, "until the next tick");
    town.pass(MAP_TICK);
    assert_eq!(town.map(), []);
}

#[test]
fn a_grant_that_has_just_ended_holds_up_the_map_of_nobody_else() {
    let mut town = Town::new();
    for number in 10..16 {
        town.share(number, city(48.2, 16.4), true);
    }
    town.pass(MAP_TICK * 2);
    for number in 20..25 {
        town.share(number, city(47.1, 15.4), true);
    }
    town.pass(MAP_TICK);
    let (first, second) = ((city(48.2, 16.4).text(), Shade::Light), (city(47.1, 15.4).text(), Shade::Light));
    assert_eq!(town.map(), std::slice::from_ref(&first));
    // The ledger knows already, and the room is told in a moment.
    town.ledger.withdraw(&EVENT, who(10), Purpose::Location).expect("was given");
    town.pass(MAP_TICK);
    let mut both = [first, second];
    both.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(town.map(), both);
}

/// Two cities of one region.
fn neighbours() -> (Area, Area) {
    let one = city(48.2, 16.4);
    let near = (1..40).map(|step| city(48.2 + f64::from(step) * 0.01, 16.4));
    let other = near.into_iter().find(|area| *area != one && area.region() == one.region());
    (one, other.expect("a region has 49 cities"))
}

#[test]
fn a_cell_is_told_apart_only_where_nobody_or_five_are_left_in_its_region() {
    let ((one, other), light) = (neighbours(), Shade::Light);
    let whole = one.region();
    let (a, b, w) = (one.text(), other.text(), whole.text());
    let cases = [
        (4, 0, 0, Vec::new()),
        (5, 0, 0, vec![(&a, light)]),
        (6, 3, 0, vec![(&w, light)]),
        (5, 5, 0, vec![(&a, light), (&b, light)]),
        (5, 5, 1, vec![(&w, light)]),
        (5, 4, 1, vec![(&a, light), (&w, light)]),
        (4, 4, 0, vec![(&w, light)]),
        (2, 2, 0, Vec::new()),
    ];
    for (ones, others, wholes, expected) in cases {
        let mut town = Town::new();
        let areas = [(one, ones), (other, others), (whole, wholes)];
        let all = areas.into_iter().flat_map(|(area, count)| std::iter::repeat_n(area, count));
        (10..).zip(all).for_each(|(number, area)| town.share(number, area, true));
        town.pass(MAP_TICK * 3);
        let mut expected: Vec<_> = expected.into_iter().map(|(area, shade)| (area.clone(), shade)).collect();
        expected.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(town.map(), expected, "{ones}, {others}, {wholes}");
    }
}

#[test]
fn a_host_who_looks_on_sees_people_and_not_the_map() {
    let mut town = Town::new();
    town.rooms.attach(&EVENT, SocketId(7), Role::Viewer, who(HOST)).expect("is open");
    for number in 10..16 {
        town.share(number, city(48.2, 16.4), true);
    }
    town.pass(MAP_TICK * 3);
    assert_eq!(town.map().len(), 1);
    assert!(town.screen(HOST).map.is_empty() && town.screen(7).map.is_empty());
}

#[test]
fn a_map_is_drawn_at_its_pace_whoever_comes_and_goes() {
    let mut town = Town::new();
    town.share(10, city(48.2, 16.4), true);
    let first = town.rooms.maps.front().map(|(due, _)| *due).expect("is due");
    for number in 11..40 {
        town.pass(SECOND * 7);
        town.share(number, city(48.2, 16.4), true);
        if number % 3 == 0 {
            town.stop(number - 1);
        }
        let due = town.rooms.maps.front().map(|(due, _)| *due).expect("is due");
        assert_eq!(due.duration_since(first).as_millis() % MAP_TICK.as_millis(), 0);
        assert_eq!(town.rooms.maps.len(), 1);
    }
}

#[test]
fn nothing_of_a_room_outlives_it() {
    let mut town = Town::new();
    town.share(10, city(48.2, 16.4), true);
    for socket in [HOST, VIEWER, 10] {
        town.rooms.detach(SocketId(socket.into()), town.now);
    }
    assert!(!town.rooms.is_open(&EVENT));
    town.pass(MAP_TICK * 2);
    assert!(town.rooms.maps.is_empty() && town.rooms.showings.is_empty() && town.rooms.next_wakeup().is_none());
}

#[test]
fn thousands_are_told_in_as_many_messages_as_may_wait_for_a_socket() {
    let mut town = Town::new();
    for number in 10..2_010 {
        town.share(number, city(48.2, 16.4), true);
    }
    town.settle();
    town.now += MAP_TICK;
    town.rooms.tick(town.now);
    let to_host = std::iter::from_fn(|| town.rooms.poll()).filter(
        |output| matches!(output, Output::Share(shared) if shared.to.iter().any(|(socket, _)| socket.0 == u64::from(HOST))),
    );
    let count = to_host.count();
    assert!((32..=64).contains(&count), "{count}");
}
