use super::*;
use crate::egress::codec::picture::tests::Random;
use std::collections::{BTreeMap, HashMap};
use veilcast_control::Encoding;

const ALL: Scale = Scale::ALL;

fn up_to(temporal: u8) -> Scale {
    Scale { spatial: 7, temporal }
}

/// A VP8 packet's numbers, as its payload would say them.
fn vp8(picture: u16, tl0: u8, key: u8) -> Numbers {
    let [high, low] = (picture | 0x8000).to_be_bytes();
    let payload = [0x90, 0xf0, high, low, tl0, 0x20 | key & 0x1f, 0];
    Numbers { picture: PictureNumbers::read(Encoding::Vp8, &payload), frame: None }
}

fn vp9(picture: u16, tl0: u8, frame: u16) -> Numbers {
    let [high, low] = (picture | 0x8000).to_be_bytes();
    let payload = [0xa8, high, low, 0, tl0, 0];
    Numbers { picture: PictureNumbers::read(Encoding::Vp9 { profile: 0 }, &payload), frame: Some(frame) }
}

/// PictureID, TL0PICIDX and KEYIDX as they go out.
fn out(numbers: &Numbers, mapped: Mapped) -> (u16, u8, u8) {
    let Numbers { picture, .. } = numbers;
    let offsets = mapped.offsets;
    (
        picture.picture().expect("has one").wrapping_add(offsets.picture) & picture.picture_mask(),
        picture.tl0().expect("has one").wrapping_add(offsets.tl0),
        picture.key().unwrap_or(0).wrapping_add(offsets.key) & 0x1f,
    )
}

#[test]
fn it_is_small() {
    assert!(size_of::<Ranges>() <= 96, "{}", size_of::<Ranges>());
    assert!(size_of::<Earlier>() <= 384, "{}", size_of::<Earlier>());
    assert!(size_of::<Numbering>() <= 16);
    assert!(size_of::<Numbers>() <= 12);
    assert!(size_of::<Mapped>() <= 16, "{}", size_of::<Mapped>());
    let mut line = Ranges::new(5);
    line.enter(1, &Numbers::default(), ALL);
    line.forward(1, &Numbers::default());
    assert!(line.earlier.is_none(), "a line that never changed costs nothing more");
}

#[test]
fn a_new_source_goes_on_by_one_in_every_number() {
    let mut line = Ranges::new(100);
    let first = vp8(0x7ffe, 250, 31);
    assert_eq!(line.enter(7, &first, ALL), 0);
    let sent = line.forward(7, &first).expect("entered");
    assert_eq!((sent.index, out(&first, sent)), (100, (0x7ffe, 250, 31)), "its own numbers, where nothing came before");
    let second = vp8(0x7fff, 251, 31);
    line.forward(8, &second).expect("follows");
    // Another source, with numbers of its own; then back.
    let other = vp8(9, 3, 4);
    assert_eq!(line.enter(0, &other, ALL), 1);
    let sent = line.forward(0, &other).expect("entered");
    assert_eq!((sent.index, out(&other, sent)), (102, (0, 252, 0)));
    let back = vp8(20, 255, 2);
    assert_eq!(line.enter(50, &back, ALL), 2);
    let sent = line.forward(50, &back).expect("entered");
    assert_eq!((sent.index, out(&back, sent)), (103, (1, 253, 1)));
    assert_eq!(line.forward(49, &back), None, "from before the entry");
    // Repeats reach all of them.
    let origin = |index| line.origin(index).map(|origin| (origin.slot, origin.sequence));
    assert_eq!(
        [100, 101, 102, 103, 104, 99].map(origin),
        [Some((0, 7)), Some((0, 8)), Some((1, 0)), Some((2, 50)), None, None]
    );
}

#[test]
fn a_slot_that_is_used_again_answers_for_its_new_source_only() {
    let mut line = Ranges::new(0);
    for source in 0..9_u64 {
        assert_eq!(line.enter(source * 1_000, &Numbers::default(), ALL), (source % 4) as u8);
        line.forward(source * 1_000, &Numbers::default());
    }
    let sources: Vec<_> = (0..9).map(|index| line.origin(index).map(|origin| origin.sequence)).collect();
    assert_eq!(sources, [None, None, None, None, None, Some(5_000), Some(6_000), Some(7_000), Some(8_000)]);
    line.leave();
    assert_eq!(line.forward(8_001, &Numbers::default()), None);
    assert_eq!(line.origin(8).map(|origin| origin.sequence), Some(8_000));
    assert_eq!(line.next(), 9);
}

#[test]
fn widths_meet_in_the_narrower_one() {
    let mut line = Ranges::new(0);
    let wide = vp8(0x1ffe, 1, 1);
    line.enter(0, &wide, ALL);
    line.forward(0, &wide);
    let narrow = |picture: u8| Numbers {
        picture: PictureNumbers::read(Encoding::Vp8, &[0x90, 0xc0, picture, 0, 0]),
        frame: None,
    };
    line.enter(10, &narrow(5), ALL);
    for step in 0..300_u16 {
        let numbers = narrow((5 + step) as u8 & 0x7f);
        let sent = line.forward(10 + u64::from(step), &numbers).expect("entered");
        let number = numbers.picture.picture().expect("has one").wrapping_add(sent.offsets.picture) & 0x7f;
        assert_eq!(number, (0x1fff + step) & 0x7f);
    }
    // All 300 have been counted: a wide source goes on after them.
    line.enter(5, &wide, ALL);
    let sent = line.forward(5, &wide).expect("entered");
    assert_eq!(out(&wide, sent).0, (0x1fff + 300) & 0x7fff);
}

#[test]
fn vp9_and_dependency_descriptors_keep_the_gaps_of_dropped_frames() {
    let mut line = Ranges::new(0);
    for picture in 0..8_u16 {
        let numbers = vp9(100 + picture, picture as u8 / 2, 500 + picture);
        let temporal = (picture % 2) as u8;
        if picture == 0 {
            line.enter(0, &numbers, up_to(0));
        }
        if temporal == 1 {
            line.drop_packet(picture.into(), picture.into(), temporal, &numbers);
            continue;
        }
        let sent = line.forward(picture.into(), &numbers).expect("entered");
        assert_eq!((sent.index, sent.offsets), (u64::from(picture) / 2, Offsets::default()));
    }
}

#[test]
fn a_dropped_base_frame_that_nobody_needs_takes_its_index_with_it() {
    let mut line = Ranges::new(0);
    line.enter(0, &vp8(1, 1, 1), ALL);
    line.forward(0, &vp8(1, 1, 1));
    line.drop_packet(1, 1, 0, &vp8(2, 2, 1));
    line.drop_packet(2, 1, 0, &vp8(2, 2, 1));
    let numbers = vp8(3, 2, 1);
    assert_eq!(out(&numbers, line.forward(3, &numbers).expect("entered")), (2, 1, 1), "refers to the frame before");
    let numbers = vp8(4, 3, 1);
    assert_eq!(out(&numbers, line.forward(4, &numbers).expect("entered")), (3, 2, 1));
}

#[test]
fn what_is_missing_amid_a_dropped_frame_is_dropped_and_what_comes_late_stays_a_gap() {
    let numbers = |picture| vp8(picture, 0, 0);
    let mut line = Ranges::new(10);
    line.enter(0, &numbers(0), up_to(0));
    line.forward(0, &numbers(0));
    // Frame 1 is 1 to 4; of these 2 is late and 4 as well.
    line.drop_packet(1, 7, 1, &numbers(1));
    line.drop_packet(3, 7, 1, &numbers(1));
    let sent = line.forward(5, &numbers(2)).expect("entered");
    assert_eq!((sent.index, out(&numbers(2), sent).0), (12, 1), "4 could have been of frame 2");
    line.drop_packet(4, 7, 1, &numbers(1));
    assert_eq!(line.forward(2, &numbers(1)), None);
    let late = line.lookup(4).expect("has a place");
    assert_eq!((late.index, late.scale.temporal), (11, 0), "and its layer says that it is not to be sent");
    assert_eq!(line.forward(6, &numbers(3)).map(|sent| sent.index), Some(13));
    // A frame that has gone out in part is cut, but keeps its number.
    line.drop_packet(7, 9, 0, &numbers(3));
    let sent = line.forward(8, &numbers(4)).expect("entered");
    assert_eq!((sent.index, out(&numbers(4), sent).0), (14, 3));
}

#[test]
fn a_range_that_lasts_for_ever_is_still_found() {
    let mut line = Ranges::new(0);
    line.enter(0, &Numbers::default(), ALL);
    line.forward(0, &Numbers::default());
    let mut sequence = 0;
    for _ in 0..40 {
        sequence += 1 << 28;
        assert_eq!(line.forward(sequence, &Numbers::default()).map(|sent| sent.index), Some(sequence));
        assert_eq!(line.lookup(sequence - 5_000).map(|sent| sent.index), Some(sequence - 5_000));
        assert_eq!(line.origin(sequence - 5_000).map(|origin| origin.sequence), Some(sequence - 5_000));
    }
}

/// A packet of a made-up source.
#[derive(Clone, Copy)]
struct Sent {
    sequence: u64,
    timestamp: u32,
    temporal: u8,
    is_first: bool,
    numbers: Numbers,
}

/// VP8 in three temporal layers (0 2 1 2), frames of one to four packets.
fn source(random: &mut Random, frames: usize) -> Vec<Sent> {
    let mut sequence = random.below(100_000) as u64;
    let (mut picture, mut tl0, key) = (random.below(0x8000) as u16, random.below(256) as u8, random.below(32) as u8);
    let mut packets = Vec::new();
    for frame in 0..frames {
        let temporal = [0, 2, 1, 2][frame % 4];
        if temporal == 0 {
            tl0 = tl0.wrapping_add(1);
        }
        for packet in 0..=random.below(4) {
            packets.push(Sent {
                sequence,
                timestamp: 3_000 * frame as u32,
                temporal,
                is_first: packet == 0,
                numbers: vp8(picture, tl0, key),
            });
            sequence += 1;
        }
        picture = (picture + 1) & 0x7fff;
    }
    packets
}

#[test]
fn in_order_and_without_loss_there_is_no_gap() {
    let mut random = Random(11);
    for _ in 0..200 {
        let mut line = Ranges::new(random.below(1 << 15) as u64);
        let (mut last, mut wanted) = (None::<(u64, u16, u8, bool)>, up_to(2));
        for _ in 0..4 {
            let frames = random.below(40) + 1;
            let packets = source(&mut random, frames);
            line.enter(packets[0].sequence, &packets[0].numbers, wanted);
            for Sent { sequence, timestamp, temporal, is_first, numbers } in packets {
                if is_first && temporal == 0 && random.below(3) == 0 {
                    wanted = up_to(random.below(3) as u8);
                }
                if is_first && temporal == 0 {
                    line.turn(sequence, wanted);
                }
                if temporal > wanted.temporal {
                    line.drop_packet(sequence, timestamp, temporal, &numbers);
                    continue;
                }
                let mapped = line.forward(sequence, &numbers).expect("within");
                assert_eq!(mapped.scale, wanted);
                let (picture, tl0, _) = out(&numbers, mapped);
                if let Some((index, last_picture, last_tl0, _)) = last {
                    assert_eq!(mapped.index, index + 1);
                    assert_eq!(picture, last_picture.wrapping_add(u16::from(is_first)) & 0x7fff);
                    assert_eq!(tl0, last_tl0.wrapping_add(u8::from(is_first && temporal == 0)));
                }
                last = Some((mapped.index, picture, tl0, true));
                assert_eq!(line.next(), mapped.index + 1);
            }
        }
    }
}

/// Loses, delays and doubles packets.
fn disturb(random: &mut Random, packets: Vec<Sent>) -> Vec<Sent> {
    let mut arriving = BTreeMap::new();
    for (at, packet) in packets.into_iter().enumerate() {
        // The entry is the first to come: the line begins with it.
        let (lost, late) =
            if at == 0 { (false, 0) } else { (random.below(20) == 0, random.below(8) / 7 * random.below(30)) };
        for copy in 0..1 + usize::from(at > 0 && random.below(15) == 0) {
            if !lost {
                arriving.insert((at + if at == 0 { 0 } else { late + copy * random.below(9) }, at, copy), packet);
            }
        }
    }
    arriving.into_values().collect()
}

#[test]
fn whatever_the_network_does_numbers_are_unique_ordered_and_repeatable() {
    let mut random = Random(12);
    for round in 0..300_u64 {
        let mut line = Ranges::new(random.below(1 << 15) as u64);
        // What went out as which number, and the last few to be asked for again.
        let mut sent: HashMap<u64, (u8, u64, Mapped)> = HashMap::new();
        for _ in 0..4 {
            let packets = source(&mut random, 60);
            let whole = packets.clone();
            let wanted = up_to(random.below(3) as u8);
            let slot = line.enter(packets[0].sequence, &packets[0].numbers, wanted);
            let mut here: BTreeMap<u64, u64> = BTreeMap::new();
            for Sent { sequence, timestamp, temporal, numbers, .. } in disturb(&mut random, packets) {
                if temporal > wanted.temporal {
                    line.drop_packet(sequence, timestamp, temporal, &numbers);
                    continue;
                }
                // Whatever is within the layers has a place, however late, as long as the ranges reach back to it.
                let Some(mapped) = line.forward(sequence, &numbers) else {
                    panic!("round {round}: {sequence} has no place")
                };
                let before = sent.insert(mapped.index, (slot, sequence, mapped));
                assert!(before.is_none_or(|before| before == (slot, sequence, mapped)), "round {round}");
                here.insert(sequence, mapped.index);
                let origin = line.origin(mapped.index).expect("just sent");
                assert_eq!((origin.slot, origin.sequence, origin.mapped), (slot, sequence, mapped));
            }
            // In order of the source, the line's numbers rise, by no more than the source's and by no less than what
            // was kept: gaps upstream stay gaps.
            for ((from, first), (to, second)) in here.iter().zip(here.iter().skip(1)) {
                let kept = whole.iter().filter(|packet| packet.temporal <= wanted.temporal);
                let kept = kept.filter(|packet| (*from + 1..=*to).contains(&packet.sequence)).count() as u64;
                assert!((kept..=to - from).contains(&(second - first)), "round {round}");
            }
        }
        // The most recent can all be repeated as they were.
        let mut recent: Vec<_> = sent.into_iter().collect();
        recent.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
        for (index, (slot, sequence, mapped)) in recent.into_iter().take(20) {
            assert_eq!(line.origin(index), Some(Origin { slot, sequence, mapped }));
        }
    }
}

#[test]
fn nonsense_does_not_make_it_panic() {
    let mut random = Random(13);
    let mut line = Ranges::new(0);
    let mut base = 0_u64;
    for _ in 0..200_000 {
        base = base.wrapping_add(random.below(3) as u64) + if random.below(1_000) == 0 { 1 << 40 } else { 0 };
        let sequence = (base + random.below(70_000) as u64).saturating_sub(35_000);
        let numbers = if random.below(2) == 0 {
            vp8(random.below(0x8000) as u16, random.below(256) as u8, 0)
        } else {
            vp9(random.below(0x8000) as u16, random.below(256) as u8, random.below(0x1_0000) as u16)
        };
        match random.below(8) {
            0 => drop(line.enter(sequence, &numbers, up_to(1))),
            1 if random.below(9) == 0 => line.leave(),
            2 => line.turn(sequence, up_to(random.below(3) as u8)),
            3 | 4 => line.drop_packet(sequence, random.below(3) as u32, random.below(3) as u8, &numbers),
            5 => drop(line.origin(line.next().wrapping_sub(random.below(200) as u64))),
            _ => drop(line.forward(sequence, &numbers)),
        }
    }
}
