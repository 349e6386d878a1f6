//! Several broadcasters in one event.

use super::*;
use veilcast_control::Part;

const CAROL: Pseudonym = Pseudonym::new([3; 16]);
const DAVE: Pseudonym = Pseudonym::new([4; 16]);

/// Where the sessions that were admitted since the last look are, by number.
fn parts(rooms: &mut Rooms<u32>) -> Vec<(u64, Part)> {
    let part = |output| match output {
        Output::Command(Command::Admit(admission)) => Some((admission.peer.0, admission.part)),
        _ => None,
    };
    std::iter::from_fn(|| rooms.poll()).filter_map(part).collect()
}

const fn at(place: u8) -> Part {
    Part::Broadcaster { place }
}

fn co_host(rooms: &mut Rooms<u32>, number: u8, principal: Pseudonym, now: Instant) -> Result<(), Refusal> {
    rooms.admit(Join { invited: true, ..join(number, Role::Broadcaster, principal, None) }, now)
}

fn broadcast(rooms: &mut Rooms<u32>, number: u8, principal: Pseudonym, now: Instant) -> Result<(), Refusal> {
    rooms.admit(join(number, Role::Broadcaster, principal, None), now)
}

#[test]
fn each_principal_has_a_place_until_all_are_taken() {
    let (mut rooms, now) = opened_for(3);
    for (number, principal) in [(1, ALICE), (2, BOB), (3, CAROL)] {
        broadcast(&mut rooms, number, principal, now).expect("there is room");
    }
    assert_eq!(parts(&mut rooms), [(1, at(0)), (2, at(1)), (3, at(2))]);
    assert_eq!(broadcast(&mut rooms, 4, DAVE, now), Err(Refusal::BroadcasterPresent));
    broadcast(&mut rooms, 5, BOB, now).expect("he replaces himself");
    assert_eq!(drained(&mut rooms), ["over 2", "revoke 2", "admit 5"]);
    assert!(rooms.peer_of(session(1), ALICE).is_ok() && rooms.peer_of(session(3), CAROL).is_ok(), "and nobody else");
    rooms.leave(session(1), ALICE, now).expect("it is hers");
    broadcast(&mut rooms, 6, DAVE, now).expect("a place is free");
    assert_eq!(parts(&mut rooms), [(6, at(0))]);
}

#[test]
fn who_comes_back_finds_the_place_it_had_unless_somebody_needed_it() {
    let (mut rooms, now) = opened_for(3);
    for (number, principal) in [(1, ALICE), (2, BOB), (3, CAROL)] {
        broadcast(&mut rooms, number, principal, now).expect("there is room");
    }
    rooms.leave(session(1), ALICE, now).expect("it is hers");
    rooms.handle(&gone(2, Departure::ConsentLost), now);
    parts(&mut rooms);
    broadcast(&mut rooms, 4, BOB, now).expect("there is room");
    broadcast(&mut rooms, 5, DAVE, now).expect("there is room");
    assert_eq!(parts(&mut rooms), [(4, at(1)), (5, at(0))]);
    rooms.leave(session(3), CAROL, now).expect("it is hers");
    parts(&mut rooms);
    broadcast(&mut rooms, 6, ALICE, now).expect("there is room");
    assert_eq!(parts(&mut rooms), [(6, at(2))]);
}

#[test]
fn a_refused_offer_frees_the_place() {
    let (mut rooms, now) = opened_for(2);
    broadcast(&mut rooms, 1, ALICE, now).expect("there is room");
    broadcast(&mut rooms, 2, BOB, now).expect("there is room");
    rooms.handle(&Report::Fault { peer: PeerKey(2), fault: MediaFault::CodecUnsupported }, now);
    broadcast(&mut rooms, 3, CAROL, now).expect("there is room again");
    assert_eq!(parts(&mut rooms), [(1, at(0)), (2, at(1)), (3, at(1))]);
}

#[test]
fn a_lower_limit_sends_nobody_away_and_a_higher_one_lets_in() {
    let (mut rooms, now) = opened_for(2);
    broadcast(&mut rooms, 1, ALICE, now).expect("there is room");
    broadcast(&mut rooms, 2, BOB, now).expect("there is room");
    rooms.set_broadcasters(&EVENT, 1);
    assert!(rooms.peer_of(session(2), BOB).is_ok());
    broadcast(&mut rooms, 3, BOB, now).expect("he has a place");
    rooms.leave(session(1), ALICE, now).expect("it is hers");
    assert_eq!(broadcast(&mut rooms, 4, CAROL, now), Err(Refusal::BroadcasterPresent), "one is on, one may be");
    rooms.set_broadcasters(&EVENT, 16);
    parts(&mut rooms);
    broadcast(&mut rooms, 5, CAROL, now).expect("there is room");
    assert_eq!(parts(&mut rooms), [(5, at(2))], "one that nobody has had");
}

#[test]
fn viewers_hear_of_the_stage_over_a_socket_alone() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).expect("it is open");
    rooms.admit(join(1, Role::Viewer, BOB, Some(1)), now).expect("viewers are welcome");
    rooms.admit(join(2, Role::Viewer, BOB, None), now).expect("viewers are welcome");
    let expected = [(1, Part::Viewer { informed: true }), (2, Part::Viewer { informed: false })];
    assert_eq!(parts(&mut rooms), expected);
}

#[test]
fn the_stage_is_told_by_place_and_as_a_whole() {
    let (mut rooms, _) = opened_for(2);
    rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).expect("it is open");
    let state = |audio, video| Stage { audio, video };
    use TrackState::{Absent, Live, Muted};
    let stage = vec![state(Muted, Absent), state(Absent, Live)];
    rooms.handle(&Report::Stage { room: ROOM, stage }, Instant::now());
    let Some(Output::Tell { message: ServerMessage::Stage(told), .. }) = rooms.poll() else { panic!("it is told") };
    assert_eq!((told.audio, told.video), (Activity::Muted, Activity::Live));
    let places: Vec<_> = told.places.iter().map(|place| (place.audio, place.video)).collect();
    assert_eq!(places, [(Activity::Muted, Activity::Absent), (Activity::Absent, Activity::Live)]);
    assert_eq!(rooms.attach(&EVENT, SocketId(2), Role::Viewer, BOB).expect("it is open"), told);
}

#[test]
fn every_page_of_a_broadcaster_knows_its_place() {
    let (mut rooms, now) = opened_for(2);
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
    rooms.attach(&EVENT, SocketId(2), Role::Broadcaster, BOB).expect("it is open");
    rooms.attach(&EVENT, SocketId(3), Role::Viewer, BOB).expect("it is open");
    broadcast(&mut rooms, 1, ALICE, now).expect("there is room");
    broadcast(&mut rooms, 2, BOB, now).expect("there is room");
    rooms.attach(&EVENT, SocketId(4), Role::Broadcaster, BOB).expect("it is open");
    rooms.leave(session(1), ALICE, now).expect("it is hers");
    let places: Vec<String> = drained(&mut rooms).into_iter().filter(|words| words.contains("place")).collect();
    assert_eq!(places, ["tell 1 place 0", "tell 2 place 1", "tell 4 place 1", "tell 1 place -"]);
}

#[test]
fn a_broadcaster_who_looks_on_is_not_one_of_the_audience() {
    let (mut rooms, now) = opened_for(2);
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
    drained(&mut rooms);
    for number in 1..=6 {
        let onlooker = Join { uncounted: true, ..join(number, Role::Viewer, ALICE, None) };
        rooms.admit(onlooker, now).expect("it may");
        rooms.handle(&connected(number.into()), now);
        let pictures = vec![Some(VideoQuality::Low)];
        rooms.handle(&Report::Quality { peer: PeerKey(number.into()), pictures }, now);
    }
    rooms.tick(now + Duration::from_secs(30));
    rooms.leave(session(1), ALICE, now).expect("it is hers");
    let told: Vec<String> = drained(&mut rooms).into_iter().filter(|words| words.starts_with("tell")).collect();
    assert_eq!(told, [""; 0]);
    for number in 20..=25 {
        rooms.admit(join(number, Role::Viewer, BOB, None), now).expect("viewers are welcome");
        rooms.handle(&connected(number.into()), now);
    }
    rooms.tick(now + Duration::from_secs(60));
    assert!(drained(&mut rooms).contains(&"tell 1 audience 5".to_owned()));
}

#[test]
fn nobody_on_stage_gets_back_what_it_sends() {
    let (mut rooms, now) = opened_for(2);
    let onlooker = |number, principal| Join { uncounted: true, ..join(number, Role::Viewer, principal, None) };
    rooms.admit(onlooker(1, ALICE), now).expect("it may");
    rooms.admit(onlooker(2, BOB), now).expect("it may");
    rooms.admit(join(3, Role::Viewer, ALICE, None), now).expect("viewers are welcome");
    broadcast(&mut rooms, 4, BOB, now).expect("there is room");
    broadcast(&mut rooms, 5, ALICE, now).expect("there is room");
    rooms.admit(onlooker(6, ALICE), now).expect("it may");
    rooms.leave(session(4), BOB, now).expect("it is his");
    let told: Vec<String> = drained(&mut rooms).into_iter().filter(|words| words.starts_with("leave out")).collect();
    let expected = ["leave out 2 Some(0)", "leave out 1 Some(1)", "leave out 6 Some(1)", "leave out 2 None"];
    assert_eq!(told, expected, "and whoever watches as one of the audience sees everybody");
}

#[test]
fn each_broadcaster_hears_how_its_own_picture_arrives() {
    let (mut rooms, now) = opened_for(2);
    for (socket, principal) in [(1, ALICE), (2, BOB), (3, CAROL)] {
        rooms.attach(&EVENT, SocketId(socket), Role::Broadcaster, principal).expect("it is open");
    }
    broadcast(&mut rooms, 1, ALICE, now).expect("there is room");
    broadcast(&mut rooms, 2, BOB, now).expect("there is room");
    for number in 10..=16 {
        rooms.admit(join(number, Role::Viewer, DAVE, None), now).expect("viewers are welcome");
        let pictures = vec![Some(VideoQuality::High), Some(VideoQuality::Paused)];
        rooms.handle(&Report::Quality { peer: PeerKey(number.into()), pictures }, now);
    }
    rooms.tick(now + Duration::from_secs(30));
    let mut told: Vec<String> = drained(&mut rooms).into_iter().filter(|words| words.contains("health")).collect();
    told.sort();
    let expected = ["tell 1 health 5+ <5 <5 <5 <5", "tell 2 health <5 <5 <5 <5 5+", "tell 3 health 5+ <5 <5 <5 <5"];
    assert_eq!(told, expected, "who is not on air hears of the first");
}

#[test]
fn a_viewer_is_told_of_every_picture_and_of_the_best() {
    let (mut rooms, now) = opened_for(2);
    rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).expect("it is open");
    rooms.admit(join(1, Role::Viewer, BOB, Some(1)), now).expect("viewers are welcome");
    drained(&mut rooms);
    let pictures = vec![Some(VideoQuality::Paused), None, Some(VideoQuality::Medium)];
    rooms.handle(&Report::Quality { peer: PeerKey(1), pictures }, now);
    let Some(Output::Tell { message: ServerMessage::Quality(told), .. }) = rooms.poll() else { panic!("it is told") };
    use veilcast_protocol::Quality::{Medium, Paused};
    assert_eq!((told.video, told.places), (Medium, vec![Some(Paused), None, Some(Medium)]));
}

/// Each time, every viewer of the event is told, and their tracks are pointed anew.
#[test]
fn a_place_is_not_taken_again_and_again() {
    let (mut rooms, mut now) = opened_for(2);
    broadcast(&mut rooms, 61, BOB, now).expect("there is room");
    let mut taken = 0;
    for number in 0..60 {
        taken += usize::from(broadcast(&mut rooms, number, ALICE, now).is_ok());
        rooms.leave(session(number), ALICE, now).ok();
    }
    assert_eq!((taken, broadcast(&mut rooms, 60, ALICE, now)), (8, Err(Refusal::TooMany)));
    broadcast(&mut rooms, 64, BOB, now).expect("another place is nobody's haste");
    now += Duration::from_secs(3);
    broadcast(&mut rooms, 62, ALICE, now).expect("she has waited");
    assert_eq!(broadcast(&mut rooms, 63, ALICE, now), Err(Refusal::TooMany));
}

/// Viewers call the first place the host's. Whoever was invited comes before, and while the host reloads.
#[test]
fn the_first_place_is_the_hosts() {
    let (mut rooms, now) = opened_for(3);
    co_host(&mut rooms, 1, BOB, now).expect("there is room");
    co_host(&mut rooms, 2, CAROL, now).expect("there is room");
    assert_eq!(co_host(&mut rooms, 3, DAVE, now), Err(Refusal::BroadcasterPresent), "the last is kept");
    broadcast(&mut rooms, 4, ALICE, now).expect("it is hers");
    assert_eq!(parts(&mut rooms), [(1, at(1)), (2, at(2)), (4, at(0))]);
    rooms.leave(session(4), ALICE, now).expect("it is hers");
    assert_eq!(co_host(&mut rooms, 5, DAVE, now), Err(Refusal::BroadcasterPresent), "she is reloading");
    rooms.leave(session(1), BOB, now).expect("it is his");
    parts(&mut rooms);
    co_host(&mut rooms, 6, DAVE, now).expect("there is room");
    broadcast(&mut rooms, 7, ALICE, now).expect("it is hers");
    assert_eq!(parts(&mut rooms), [(6, at(1)), (7, at(0))]);
    co_host(&mut rooms, 8, DAVE, now).expect("he replaces himself");
    assert_eq!(parts(&mut rooms), [(8, at(1))]);
}

/// Others of the operator's are not invited; they, too, leave a place alone that somebody may come back to.
#[test]
fn a_place_that_nobody_had_goes_first() {
    let (mut rooms, now) = opened_for(3);
    rooms.attach(&EVENT, SocketId(1), Role::Viewer, DAVE).expect("it is open");
    broadcast(&mut rooms, 1, ALICE, now).expect("there is room");
    rooms.leave(session(1), ALICE, now).expect("it is hers");
    broadcast(&mut rooms, 2, BOB, now).expect("there is room");
    broadcast(&mut rooms, 3, ALICE, now).expect("there is room");
    assert_eq!(parts(&mut rooms), [(1, at(0)), (2, at(1)), (3, at(0))]);
}

/// An operator may send somebody else to an event of one.
#[test]
fn a_stage_of_one_is_for_whoever_comes_until_the_host_has() {
    let (mut rooms, now) = opened_for(1);
    rooms.attach(&EVENT, SocketId(1), Role::Viewer, DAVE).expect("it is open");
    co_host(&mut rooms, 1, BOB, now).expect("there is room");
    rooms.leave(session(1), BOB, now).expect("it is his");
    broadcast(&mut rooms, 2, ALICE, now).expect("there is room");
    rooms.leave(session(2), ALICE, now).expect("it is hers");
    assert_eq!(co_host(&mut rooms, 3, BOB, now), Err(Refusal::BroadcasterPresent), "she may come back");
    broadcast(&mut rooms, 4, ALICE, now).expect("it is hers");
}

/// What was read before the room opened is mended by what was read after, and by nothing that is older than a change.
#[test]
fn a_limit_read_before_the_room_opened_does_not_stay() {
    let (mut rooms, now) = opened_for(1);
    rooms.confirm_broadcasters(&EVENT, 2);
    broadcast(&mut rooms, 1, ALICE, now).expect("there is room");
    broadcast(&mut rooms, 2, BOB, now).expect("there is room");
    rooms.set_broadcasters(&EVENT, 3);
    rooms.confirm_broadcasters(&EVENT, 2);
    broadcast(&mut rooms, 3, CAROL, now).expect("the change came after");
}
