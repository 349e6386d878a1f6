//! The door of an event: how many wait, who counts as one, what a decision leaves behind.

use super::*;
use crate::{DoorName, Knocked, Knocker};

fn knocker(who: Pseudonym, name: &str) -> Knocker {
    Knocker { who, name: DoorName::parse(name), signed_in: false }
}

fn somebody(number: u16) -> Pseudonym {
    let [high, low] = number.to_be_bytes();
    Pseudonym::new([9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, high, low])
}

#[test]
fn who_waits_is_in_no_room_and_hears_one_answer_on_every_page() {
    let (mut rooms, now) = (Rooms::default(), Instant::now());
    for (socket, name) in [(1, "Alice"), (2, "")] {
        assert_eq!(rooms.knock(&EVENT, SocketId(socket), knocker(ALICE, name), now), Ok(Knocked::Waits));
    }
    assert_eq!(rooms.knock(&EVENT, SocketId(3), knocker(BOB, ""), now), Ok(Knocked::Waits));
    let later = now + Duration::from_secs(150);
    let told: Vec<_> =
        rooms.at_door(&EVENT, later).into_iter().map(|knock| (knock.number, knock.name, knock.minutes)).collect();
    assert_eq!(told, [(1, Some("Alice".to_owned()), 2), (2, None, 2)]);
    assert!(drained(&mut rooms).is_empty() && rooms.was_let_in(&EVENT, ALICE).is_none());
    assert_eq!(rooms.answer_knock(&EVENT, 1, true), Ok(true));
    assert_eq!(drained(&mut rooms), ["tell 1 let in", "tell 2 let in"]);
    assert_eq!(rooms.answer_knock(&EVENT, 1, false), Ok(false), "decided");
    assert_eq!((rooms.was_let_in(&EVENT, ALICE), rooms.was_let_in(&EVENT, BOB)), (Some(true), None));
    assert!(rooms.was_let_in(&2, ALICE).is_none(), "another event");
    rooms.detach(SocketId(3), later);
    assert!(rooms.at_door(&EVENT, later).is_empty() && rooms.answer_knock(&EVENT, 2, true) == Ok(false), "gone");
}

#[test]
fn a_door_is_bounded_and_ends_with_the_event() {
    let (mut rooms, now) = (Rooms::default(), Instant::now());
    for number in 0..200 {
        let asked = rooms.knock(&EVENT, SocketId(number.into()), knocker(somebody(number), ""), now);
        assert_eq!(asked, Ok(Knocked::Waits));
    }
    assert_eq!(rooms.knock(&EVENT, SocketId(500), knocker(ALICE, ""), now), Err(Refusal::TooMany));
    assert_eq!(rooms.knock(&2, SocketId(501), knocker(ALICE, ""), now), Ok(Knocked::Waits), "another event's door");
    for page in 0..3 {
        assert!(rooms.knock(&EVENT, SocketId(600 + page), knocker(somebody(0), ""), now).is_ok());
    }
    assert_eq!(
        rooms.knock(&EVENT, SocketId(700), knocker(somebody(0), ""), now),
        Err(Refusal::TooMany),
        "page after page"
    );
    assert_eq!(rooms.answer_knock(&EVENT, 1, true), Ok(true));
    drained(&mut rooms);
    rooms.end(&EVENT);
    let words = drained(&mut rooms);
    assert!(words.len() == 199 && words.iter().all(|word| word.ends_with("ended")), "{words:?}");
    assert!(rooms.was_let_in(&EVENT, somebody(0)).is_none(), "what was decided is over, too");
    assert_eq!(rooms.knock(&EVENT, SocketId(800), knocker(BOB, ""), now), Err(Refusal::Ended));
    assert!(rooms.events_known().eq([&2]));
}

#[test]
fn who_is_put_out_hears_so_at_the_door_too() {
    let (mut rooms, now) = (Rooms::default(), Instant::now());
    for (socket, who) in [(1, ALICE), (2, BOB)] {
        rooms.knock(&EVENT, SocketId(socket), knocker(who, ""), now).expect("there is room");
    }
    rooms.put_out(&[SocketId(1)], &[], now);
    rooms.expel(&HashSet::from([BOB]), now);
    assert_eq!(drained(&mut rooms), ["overtake 1 fault access-revoked", "overtake 2 fault access-revoked"]);
    assert!(rooms.at_door(&EVENT, now).is_empty());
    assert_eq!(rooms.knock(&EVENT, SocketId(3), knocker(BOB, ""), now), Err(Refusal::Expelled));
}

#[test]
fn names_stay_in_their_line() {
    for fit in ["Zoë 🎈", "Zoe\u{308}", "Nguye\u{302}\u{303}n", "שָׁלוֹם"] {
        assert!(DoorName::parse(fit).is_some(), "{fit}");
    }
    for unfit in [
        "z\u{300}\u{301}\u{302}\u{316}",
        "\u{301}Ada",
        "A \u{301}da",
        "A\u{13430}da",
        "A\u{1bca0}da",
        "A\u{200d}da",
        "A\u{e0041}da",
    ] {
        assert!(DoorName::parse(unfit).is_none(), "{unfit:?}");
    }
}

#[test]
fn what_is_decided_is_decided_once_and_for_this_event() {
    let (mut rooms, now) = (Rooms::default(), Instant::now());
    for (event, socket, who) in [(EVENT, 1, ALICE), (2, 2, BOB)] {
        assert_eq!(rooms.knock(&event, SocketId(socket), knocker(who, ""), now), Ok(Knocked::Waits));
    }
    assert_eq!(rooms.answer_knock(&2, 1, false), Ok(true), "each event has its own numbers");
    assert_eq!(rooms.was_let_in(&EVENT, ALICE), None);
    drained(&mut rooms);
    assert_eq!(rooms.answer_knock(&EVENT, 1, false), Ok(true));
    assert_eq!(rooms.answer_knock(&EVENT, 2, true), Ok(false), "nobody has that number");
    assert_eq!(drained(&mut rooms), ["tell 1 fault turned-away"], "on the socket that asked");
    assert_eq!(rooms.knock(&EVENT, SocketId(3), knocker(ALICE, ""), now), Err(Refusal::TurnedAway));
    assert_eq!(rooms.answer_knock(&EVENT, 1, true), Ok(true), "after all");
    assert_eq!(rooms.answer_knock(&EVENT, 1, false), Ok(false), "who is in is put out, not turned away");
    assert_eq!(rooms.was_let_in(&EVENT, ALICE), Some(true));
    assert_eq!(rooms.knock(&EVENT, SocketId(4), knocker(ALICE, ""), now), Ok(Knocked::LetIn));
}

#[test]
fn nobody_knocks_while_the_server_leaves() {
    let (mut rooms, now) = (Rooms::default(), Instant::now());
    rooms.knock(&EVENT, SocketId(1), knocker(ALICE, ""), now).expect("there is room");
    rooms.drain(|| 7);
    assert!(drained(&mut rooms).iter().any(|word| word.starts_with("tell 1 drain")), "who waits is told");
    assert_eq!(rooms.knock(&EVENT, SocketId(2), knocker(BOB, ""), now), Err(Refusal::Draining));
}
