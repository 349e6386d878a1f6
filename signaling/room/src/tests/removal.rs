//! Whom a moderator puts out: anybody of the room, of this room alone, for now or for good.

use super::*;
use crate::Removal;

const OTHER: u32 = 2;

/// Alice is on air by her socket and watches over WHEP; Bob has but a socket; Alice has a socket at another event, too.
fn scene() -> (Rooms<u32>, Instant) {
    let (mut rooms, now) = opened_for(2);
    rooms.open(&OTHER, RoomKey(78), RoomSettings::default(), 1).expect("it is new");
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("is open");
    rooms.admit(join(1, Role::Broadcaster, ALICE, Some(1)), now).expect("there is room");
    rooms.admit(join(3, Role::Viewer, ALICE, None), now).expect("there is room");
    rooms.attach(&EVENT, SocketId(2), Role::Viewer, BOB).expect("is open");
    rooms.attach(&OTHER, SocketId(4), Role::Viewer, ALICE).expect("is open");
    drained(&mut rooms);
    (rooms, now)
}

#[test]
fn a_place_on_stage_is_somebodys_while_they_are_on_air() {
    let (mut rooms, now) = scene();
    assert!(rooms.at_place(&EVENT, 0) == Some((ALICE, 1)));
    for (event, place) in [(EVENT, 1), (EVENT, 15), (EVENT, 255), (OTHER, 0), (9, 0)] {
        assert!(rooms.at_place(&event, place).is_none(), "{event} {place}");
    }
    rooms.leave(session(1), ALICE, now).expect("hers");
    assert!(rooms.at_place(&EVENT, 0).is_none(), "a place that is only kept for her");
}

#[test]
fn who_is_removed_is_out_of_this_event_at_once_and_may_come_back() {
    let (mut rooms, now) = scene();
    assert!(rooms.expel_from(&EVENT, ALICE, Removal::ForNow, now));
    let words = drained(&mut rooms);
    for due in ["revoke 1", "revoke 3", "tell 1 disconnected removed", "overtake 1 fault removed"] {
        assert!(words.contains(&due.to_owned()), "{due}: {words:?}");
    }
    assert!(
        !words
            .iter()
            .any(|word| word.starts_with("overtake 2") || word.starts_with("tell 4") || word.starts_with("overtake 4")),
        "{words:?}"
    );
    assert!(rooms.attach(&EVENT, SocketId(5), Role::Broadcaster, ALICE).is_ok());
    assert!(rooms.admit(join(6, Role::Broadcaster, ALICE, Some(5)), now).is_ok());
    assert!(!rooms.expel_from(&EVENT, Pseudonym::new([9; 16]), Removal::ForNow, now), "nobody");
}

#[test]
fn who_is_kept_out_gets_in_by_no_join_that_was_under_way() {
    let (mut rooms, now) = scene();
    assert!(rooms.expel_from(&EVENT, BOB, Removal::ForGood, now), "a socket is enough");
    let words = drained(&mut rooms);
    assert!(words.contains(&"overtake 2 fault banned".to_owned()), "{words:?}");
    assert!(!words.iter().any(|word| word.starts_with("overtake 1") || word.starts_with("revoke")), "{words:?}");
    assert_eq!(rooms.attach(&EVENT, SocketId(5), Role::Viewer, BOB), Err(Refusal::Expelled));
    assert_eq!(rooms.admit(join(6, Role::Viewer, BOB, None), now), Err(Refusal::Expelled));
    assert!(!rooms.expel_from(&9, BOB, Removal::ForGood, now), "a room that is not open");
}

#[test]
fn a_place_that_changes_hands_has_another_number() {
    let (mut rooms, now) = opened_for(1);
    rooms.attach(&EVENT, SocketId(9), Role::Viewer, BOB).expect("is open");
    let tenures = |rooms: &mut Rooms<u32>| {
        let stages = std::iter::from_fn(|| rooms.poll()).filter_map(|output| match output {
            Output::Tell { message: ServerMessage::Stage(stage), .. } => Some(stage.tenures),
            _ => None,
        });
        stages.last()
    };
    let live = vec![Stage { audio: TrackState::Live, video: TrackState::Live }];
    rooms.admit(join(1, Role::Broadcaster, ALICE, None), now).expect("there is room");
    rooms.handle(&Report::Stage { room: ROOM, stage: live }, now);
    assert_eq!(tenures(&mut rooms), Some(vec![1]));
    rooms.admit(join(2, Role::Broadcaster, ALICE, None), now).expect("she loads the page again");
    assert_eq!((tenures(&mut rooms), rooms.at_place(&EVENT, 0) == Some((ALICE, 1))), (None, true));
    rooms.leave(session(2), ALICE, now).expect("hers");
    rooms.admit(join(3, Role::Broadcaster, BOB, None), now).expect("there is room");
    assert_eq!(tenures(&mut rooms), Some(vec![2]), "told, whatever the media plane says of the stage");
    rooms.leave(session(3), BOB, now).expect("his");
    rooms.detach(SocketId(9), now);
    rooms.open(&EVENT, RoomKey(79), RoomSettings::default(), 1).expect("it has closed");
    rooms.admit(join(4, Role::Broadcaster, ALICE, None), now).expect("there is room");
    assert!(rooms.at_place(&EVENT, 0) == Some((ALICE, 3)), "in no room of the event again");
}
