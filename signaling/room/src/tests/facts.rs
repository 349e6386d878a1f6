//! What the session log hears of.

use super::*;
use crate::Removal;

/// Facts and ends alone.
fn heard(rooms: &mut Rooms<u32>) -> Vec<String> {
    let told = std::iter::from_fn(|| rooms.poll());
    told.filter(|output| matches!(output, Output::Fact { .. } | Output::Ended(_)))
        .map(|output| words(&output))
        .collect()
}

fn joined(who: u8, quality: &str) -> String {
    format!("fact of {who}: Joined(Attributes {{ family: Firefox, quality: {quality} }})")
}

#[test]
fn a_coming_is_noted_when_media_flows_and_a_going_with_its_class() {
    let (mut rooms, now) = opened();
    for (number, who) in [(1, ALICE), (2, BOB)] {
        rooms.admit(join(number, Role::Viewer, who, None), now).expect("viewers are welcome");
    }
    assert_eq!(heard(&mut rooms), [""; 0], "nobody is there yet");
    let (alice, bob) = (ALICE.expose_bits()[0], BOB.expose_bits()[0]);
    rooms.handle(&connected(1), now);
    rooms.handle(&connected(1), now);
    rooms.handle(&connected(2), now);
    assert_eq!(heard(&mut rooms), [joined(alice, "None"), joined(bob, "None")]);
    assert_eq!(rooms.present_facts(&EVENT, ALICE).len(), 1);
    rooms.handle(&gone(1, Departure::ConsentLost), now);
    assert_eq!((rooms.present_facts(&EVENT, ALICE).len(), rooms.present_facts(&EVENT, BOB).len()), (0, 1));
    let lost = format!("fact of {alice}: Left(LineLost)");
    let told = heard(&mut rooms);
    assert!(told.len() == 2 && told[0].starts_with(&format!("fact of {alice}: Fault(")) && told[1] == lost, "{told:?}");
    rooms.leave(session(2), BOB, now).expect("is there");
    assert_eq!(heard(&mut rooms), [format!("fact of {bob}: Left(OwnWill)")]);
}

#[test]
fn a_picture_is_noted_by_its_class_and_when_that_changes() {
    let (mut rooms, now) = opened();
    rooms.admit(join(1, Role::Viewer, BOB, None), now).expect("viewers are welcome");
    rooms.handle(&connected(1), now);
    heard(&mut rooms);
    let mut told = |pictures: Vec<Option<VideoQuality>>| {
        rooms.handle(&Report::Quality { peer: PeerKey(1), pictures }, now);
        heard(&mut rooms).len()
    };
    assert_eq!(told(vec![Some(VideoQuality::High)]), 1);
    assert_eq!(told(vec![Some(VideoQuality::High), Some(VideoQuality::Low)]), 0, "the best is the same");
    assert_eq!(told(vec![Some(VideoQuality::Off)]), 1);
}

#[test]
fn whoever_is_put_out_or_outlives_the_event_is_told_apart() {
    let (mut rooms, now) = opened();
    for (number, who) in [(1, ALICE), (2, BOB)] {
        rooms.admit(join(number, Role::Viewer, who, None), now).expect("viewers are welcome");
        rooms.handle(&connected(number.into()), now);
    }
    heard(&mut rooms);
    rooms.expel_from(&EVENT, ALICE, Removal::ForNow, now);
    assert_eq!(heard(&mut rooms), [format!("fact of {}: Left(PutOut)", ALICE.expose_bits()[0])]);
    rooms.end(&EVENT);
    let left = format!("fact of {}: Left(EventEnded)", BOB.expose_bits()[0]);
    assert_eq!(heard(&mut rooms), [left, format!("ended {EVENT}")]);
    rooms.end(&EVENT);
    assert_eq!(heard(&mut rooms), [format!("ended {EVENT}")], "also where nobody was left");
}

#[test]
fn a_broadcasters_look_at_the_others_is_nobodys_coming() {
    let (mut rooms, now) = opened();
    rooms.admit(Join { uncounted: true, ..join(1, Role::Viewer, BOB, None) }, now).expect("is let in");
    rooms.handle(&connected(1), now);
    rooms.leave(session(1), BOB, now).expect("is there");
    assert_eq!(heard(&mut rooms), [""; 0]);
}
