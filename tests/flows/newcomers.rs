//! Who comes later: from what is kept since the last key frame, without asking the broadcaster for another.

use harness::{Conditions, World};
use std::time::Duration;

#[test]
fn a_newcomer_begins_at_once_and_is_soon_where_the_others_are() {
    let mut world = World::new(31, Conditions { delay: Duration::from_millis(5), ..Conditions::default() });
    let (broadcaster, early) = (world.broadcaster(), world.viewer());
    world.run(Duration::from_secs(1));
    let epoch = world.now;
    // The broadcast begins with a key frame; the newcomer joins a while after it.
    world.broadcast(broadcaster, epoch, Duration::from_millis(1_500));
    let asked = world.peers[broadcaster].key_frame_requests;
    let late = world.viewer();
    let joined = world.now;
    world.broadcast(broadcaster, epoch, Duration::from_millis(1_800));
    assert_eq!(world.peers[broadcaster].key_frame_requests, asked, "nobody had to be asked");
    let video = world.peers[late].video();
    let first = video.first().expect("it is shown something");
    assert!(first.at < joined + Duration::from_millis(150), "{:?}", first.at - joined);
    assert!(first.packet.payload[0] & 0x10 != 0 && first.packet.payload[1] & 1 == 0, "beginning with a key frame");
    assert_eq!(world.peers[late].missing(1), Vec::<u64>::new());

    // The same frame at the same time, a second after its first.
    let settled = first.at + Duration::from_secs(1);
    let label = |payload: &[u8]| payload[2..10].to_vec();
    let mut compared = 0;
    for received in video.iter().filter(|received| received.at >= settled) {
        let same = world.peers[early]
            .video()
            .into_iter()
            .find(|other| label(&other.packet.payload) == label(&received.packet.payload));
        let other = same.expect("the early viewer got it, too");
        let apart = received.at.max(other.at) - received.at.min(other.at);
        assert!(apart < Duration::from_millis(10), "{apart:?}");
        compared += 1;
    }
    assert!(compared > 50, "{compared}");

    // Its time never runs backwards, is pressed together first, and runs at its pace then.
    let mut frames: Vec<(u32, std::time::Instant)> = Vec::new();
    for received in &video {
        if frames.last().is_none_or(|(timestamp, _)| *timestamp != received.packet.timestamp) {
            frames.push((received.packet.timestamp, received.at));
        }
    }
    let steps: Vec<i32> = frames.windows(2).map(|pair| pair[1].0.wrapping_sub(pair[0].0).cast_signed()).collect();
    assert!(steps.iter().all(|step| *step > 0), "{steps:?}");
    assert!(steps[..5].iter().all(|step| *step < 2_000), "{:?}", &steps[..5]);
    assert!(
        steps[steps.len() - 20..].iter().all(|step| (2_900..3_100).contains(step)),
        "{:?}",
        &steps[steps.len() - 20..]
    );
}

#[test]
fn what_is_too_long_ago_is_asked_for_once_for_all() {
    let mut world = World::new(32, Conditions { delay: Duration::from_millis(5), ..Conditions::default() });
    let broadcaster = world.broadcaster();
    world.viewer();
    world.run(Duration::from_secs(1));
    let epoch = world.now;
    world.broadcast(broadcaster, epoch, Duration::from_secs(6));
    let asked = world.peers[broadcaster].key_frame_requests;
    let crowd: Vec<usize> = (0..100)
        .map(|_| {
            let viewer = world.viewer();
            world.broadcast(broadcaster, epoch, Duration::from_millis(20));
            viewer
        })
        .collect();
    world.broadcast(broadcaster, epoch, Duration::from_secs(1));
    let more = world.peers[broadcaster].key_frame_requests - asked;
    assert!(more <= 2, "{more} key frames for a hundred joins in two seconds");
    for viewer in crowd {
        assert!(world.peers[viewer].video().len() > 50);
        assert_eq!(world.peers[viewer].missing(1), Vec::<u64>::new());
    }
}
