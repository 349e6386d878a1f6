use super::*;
use veilcast_control::H264Profile;

const H264: Encoding = Encoding::H264 { packetization_mode: 1, profile: H264Profile::ConstrainedBaseline };

fn entry(encoding: Encoding, payload: &[u8]) -> bool {
    Classifier::default().classify(encoding, false, None, payload).is_entry()
}

#[test]
fn entries_are_found_in_every_codec() {
    // VP8: descriptor with 15-bit picture id and TL0PICIDX/TID, then the frame tag.
    assert!(entry(Encoding::Vp8, &[0x90, 0xe0, 0x81, 0x02, 0x03, 0x20, 0x10, 0, 0, 0x9d]));
    assert!(!entry(Encoding::Vp8, &[0x90, 0xe0, 0x81, 0x02, 0x03, 0x20, 0x11, 0, 0]), "delta frame");
    assert!(!entry(Encoding::Vp8, &[0x80, 0xe0, 0x81, 0x02, 0x03, 0x20, 0x10]), "not the frame's first packet");
    // VP9: I and B set, P clear; then with P set.
    assert!(entry(Encoding::Vp9 { profile: 0 }, &[0x88, 0x81, 0x02, 0xff]));
    assert!(!entry(Encoding::Vp9 { profile: 0 }, &[0xc8, 0x81, 0x02, 0xff]));
    // H.264: STAP-A with SPS, single SPS, FU-A that starts an IDR.
    assert!(entry(H264, &[24, 0, 2, 0x67, 1, 0, 1, 0x68]));
    assert!(entry(H264, &[0x67, 0x42]));
    assert!(entry(H264, &[0x7c, 0x85, 1]));
    assert!(!entry(H264, &[0x7c, 0x05, 1]), "FU-A in the middle");
    assert!(!entry(H264, &[0x41, 1]));
    // AV1: N set.
    assert!(entry(Encoding::Av1 { profile: 0 }, &[0x18, 0x0a]));
    assert!(!entry(Encoding::Av1 { profile: 0 }, &[0x10, 0x0a]));
}

#[test]
fn h264_that_repeats_its_parameter_sets_is_entered_at_them_only() {
    let mut classifier = Classifier::default();
    assert!(classifier.classify(H264, false, None, &[24, 0, 2, 0x67, 1]).is_entry());
    assert!(!classifier.classify(H264, false, None, &[0x7c, 0x85, 1]).is_entry());
}

#[test]
fn no_payload_makes_it_panic() {
    let mut state = 9_u64;
    let mut classifier = Classifier::default();
    for round in 0..50_000_usize {
        let bytes: Vec<u8> = (0..round % 40)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        for encoding in [Encoding::Vp8, Encoding::Vp9 { profile: 0 }, H264, Encoding::Av1 { profile: 0 }] {
            classifier.classify(encoding, false, None, &bytes);
            classifier.classify(encoding, true, Some(&bytes), &bytes);
        }
    }
}

#[test]
fn vp8_says_where_its_temporal_layers_can_be_entered() {
    let info = |payload: &[u8]| Classifier::default().classify(Encoding::Vp8, false, None, payload);
    let points = |payload: &[u8]| {
        let info = info(payload);
        (info.temporal, info.switch_from, info.switch_to, info.discardable)
    };
    assert_eq!(points(&[0x90, 0xe0, 0x81, 2, 3, 0x20, 0x10]), (0, 0, TOP_TEMPORAL, false), "key frame");
    assert_eq!(points(&[0x90, 0xe0, 0x81, 2, 3, 0x60, 0x11]), (1, 0, 1, false), "Y");
    assert_eq!(points(&[0xb0, 0xe0, 0x81, 2, 3, 0xa0, 0x11]), (2, 1, 2, true), "Y and N");
    assert_eq!(points(&[0x90, 0xe0, 0x81, 2, 3, 0x80, 0x11]), (2, 0, 0, false));
    assert_eq!(points(&[0x90, 0xd0, 0x81, 2, 3, 0xff, 0x11]).0, 0, "KEYIDX without TID");
}

#[test]
fn vp9_says_where_its_layers_can_be_entered() {
    let info = |payload: &[u8]| Classifier::default().classify(Encoding::Vp9 { profile: 0 }, false, None, payload);
    let points = |payload: &[u8]| {
        let info = info(payload);
        (info.spatial, info.temporal, info.switch_from, info.switch_to, info.lone)
    };
    assert_eq!(points(&[0xa8, 0x81, 2, 0x00, 3, 0]), (0, 0, 0, TOP_TEMPORAL, false), "not predicted");
    assert_eq!(points(&[0xe9, 0x81, 2, 0x10, 3, 0]), (0, 0, 0, TOP_TEMPORAL, true), "U on the base layer, Z");
    assert_eq!(points(&[0xe8, 0x81, 2, 0x52, 3, 0]), (1, 2, 1, 2, false), "U on a layer above");
    assert_eq!(points(&[0xe8, 0x81, 2, 0x44, 3, 0]), (2, 2, 0, 0, false));
}

#[test]
fn layers_change_where_the_stream_allows_it() {
    let (low, high) = (Scale::default(), Scale { spatial: 2, temporal: 2 });
    let picture = FrameInfo { start: true, ..FrameInfo::default() };
    let entry = FrameInfo { key: true, ..picture };
    assert_eq!(entry.turn(low, high), high);
    assert_eq!(picture.turn(low, high), low);
    assert_eq!(picture.turn(high, low), low, "down at any picture");
    assert_eq!(FrameInfo { start: false, ..picture }.turn(high, low), high, "but not within one");
    assert_eq!(FrameInfo { spatial: 1, ..picture }.turn(high, low), high);
    let step = FrameInfo { temporal: 1, switch_from: 0, switch_to: 1, ..picture };
    assert_eq!(step.turn(low, high), Scale { spatial: 0, temporal: 1 });
    let step = FrameInfo { temporal: 2, switch_from: 1, switch_to: 2, ..picture };
    assert_eq!(step.turn(low, high), low, "the layer between was not forwarded");
    assert_eq!(step.turn(Scale { spatial: 0, temporal: 1 }, Scale::ALL), Scale { spatial: 0, temporal: 2 });
}

#[test]
fn layers_are_known_from_what_has_come() {
    let mut classifier = Classifier::default();
    let mut take = |payload: &[u8]| {
        classifier.classify(Encoding::Vp8, false, None, payload);
        classifier.layers()
    };
    assert_eq!(take(&[0x90, 0xe0, 0x81, 2, 3, 0x20, 0x10]), Scale::default());
    assert_eq!(take(&[0x90, 0xe0, 0x81, 3, 3, 0xa0, 0x11]).temporal, 2);
    assert_eq!(take(&[0x90, 0xe0, 0x81, 4, 4, 0x20, 0x10]).temporal, 2, "a key frame does not end them");
    assert_eq!(take(&[0x90, 0xe0, 0x81, 5, 5, 0x20, 0x10]).temporal, 0, "a period without does");
    classifier.classify(Encoding::Av1 { profile: 0 }, false, Some(&dependency_vectors::l3t3_key()), &[0x18, 0x0a]);
    assert_eq!(classifier.layers(), Scale { spatial: 2, temporal: 2 });
    assert_eq!(classifier.targets().mask(Scale::default()), Some(1));
}
