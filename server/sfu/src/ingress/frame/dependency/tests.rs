use super::*;

/// One template: layers, indications, frame differences, chain differences.
type Made<'a> = (u8, u8, &'a str, &'a [u32], &'a [u32]);

/// Bits as text.
#[derive(Default)]
struct Text(String);

impl Text {
    fn put(&mut self, value: u32, count: usize) {
        (0..count).rev().for_each(|bit| self.0.push(if value >> bit & 1 == 1 { '1' } else { '0' }));
    }

    /// The AV1 specification's `ns(n)`, by its own words.
    fn put_below(&mut self, value: u32, values: u32) {
        let mut width = 0;
        while values >> width != 0 {
            width += 1;
        }
        let short = (1 << width) - values;
        if value < short {
            self.put(value, width - 1);
        } else {
            self.put((value + short) >> 1, width - 1);
            self.put((value + short) & 1, 1);
        }
    }

    fn bytes(mut self) -> Vec<u8> {
        while !self.0.len().is_multiple_of(8) {
            self.0.push('0');
        }
        self.0.as_bytes().chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | (bit & 1))).collect()
    }
}

/// The first packet of frame 1, of template 0, with this structure: numbers from 0, a chain for each target as told.
fn structure(templates: &[Made<'_>], protected_by: &[u32], chains: u32, sizes: &[(u32, u32)]) -> Vec<u8> {
    let mut text = Text::default();
    let targets = protected_by.len();
    text.put(0b10_000000, 8);
    text.put(1, 16);
    text.put(0b10000, 5);
    text.put(0, 6);
    text.put(targets as u32 - 1, 5);
    for (at, template) in templates.iter().enumerate() {
        text.put(
            match templates.get(at + 1) {
                None => 3,
                Some(next) if next.0 > template.0 => 2,
                Some(next) if next.1 > template.1 => 1,
                _ => 0,
            },
            2,
        );
    }
    for indication in templates.iter().flat_map(|template| template.2.chars()) {
        text.put("-DSR".find(indication).expect("one of the four") as u32, 2);
    }
    for template in templates {
        for diff in template.3 {
            text.put(0b1_0000 | (diff - 1), 5);
        }
        text.put(0, 1);
    }
    text.put_below(chains, targets as u32 + 1);
    if chains > 0 {
        protected_by.iter().for_each(|chain| text.put_below(*chain, chains));
        templates.iter().flat_map(|template| template.4).for_each(|diff| text.put(*diff, 4));
    }
    text.put(u32::from(!sizes.is_empty()), 1);
    for (width, height) in sizes {
        text.put(width - 1, 16);
        text.put(height - 1, 16);
    }
    text.bytes()
}

/// Three temporal layers.
pub(crate) fn l1t3() -> Vec<u8> {
    let templates: [Made<'_>; 5] = [
        (0, 0, "SSS", &[], &[0]),
        (0, 0, "SSS", &[4], &[4]),
        (0, 1, "-DS", &[2], &[2]),
        (0, 2, "--D", &[1], &[1]),
        (0, 2, "--D", &[1], &[3]),
    ];
    structure(&templates, &[0, 0, 0], 1, &[])
}

/// Two spatial layers, the upper referring to the lower in every picture.
pub(crate) fn l2t1() -> Vec<u8> {
    let templates: [Made<'_>; 4] = [
        (0, 0, "SS", &[], &[0, 0]),
        (0, 0, "SR", &[2], &[2, 1]),
        (1, 0, "-S", &[1], &[1, 1]),
        (1, 0, "-R", &[2, 1], &[1, 1]),
    ];
    structure(&templates, &[0, 1], 2, &[(320, 180), (640, 360)])
}

/// Three spatial layers that meet in key pictures only, three temporal layers each.
pub(crate) fn l3t3_key() -> Vec<u8> {
    let templates: [Made<'_>; 12] = [
        (0, 0, "SSSSSSSSS", &[], &[0, 0, 0]),
        (0, 0, "SSS------", &[12], &[12, 11, 10]),
        (0, 1, "-DS------", &[6], &[6, 5, 4]),
        (0, 2, "--D------", &[3], &[3, 2, 1]),
        (1, 0, "---SSSSSS", &[1], &[1, 1, 1]),
        (1, 0, "---SSS---", &[12], &[1, 12, 11]),
        (1, 1, "----DS---", &[6], &[7, 6, 5]),
        (1, 2, "-----D---", &[3], &[4, 3, 2]),
        (2, 0, "------SSS", &[1], &[2, 1, 1]),
        (2, 0, "------SSS", &[12], &[2, 1, 12]),
        (2, 1, "-------DS", &[6], &[8, 7, 6]),
        (2, 2, "--------D", &[3], &[5, 4, 3]),
    ];
    structure(&templates, &[0, 0, 0, 1, 1, 1, 2, 2, 2], 3, &[(320, 180), (640, 360), (1_280, 720)])
}

fn layers(spatial: u8, temporal: u8) -> Scale {
    Scale { spatial, temporal }
}

#[test]
fn three_temporal_layers() {
    let mut templates = Templates::default();
    assert_eq!(templates.read(&[0xc1, 0, 1]), None, "no structure yet");
    let key = templates.read(&l1t3()).expect("well-formed");
    assert!(key.is_entry() && !key.end && !key.discardable && !key.lone);
    assert_eq!((key.switch_from, key.switch_to), (0, TOP_TEMPORAL));
    assert!(templates.read(&[0x40, 0, 1]).expect("rest of the key frame").key);
    assert!(!templates.read(&[0x80, 0, 2]).expect("another frame").key, "no structure, so nobody can enter here");
    let base = templates.read(&[0xc1, 0, 5]).expect("known template");
    assert_eq!((base.key, base.temporal, base.switch_from, base.switch_to), (false, 0, 0, 2));
    let middle = templates.read(&[0xc2, 0, 3]).expect("known template");
    assert_eq!((middle.temporal, middle.switch_from, middle.switch_to, middle.discardable), (1, 1, 2, false));
    let top = templates.read(&[0xc3, 0, 2]).expect("known template");
    assert_eq!((top.temporal, top.switch_to, top.discardable), (2, 0, true));
    assert_eq!(templates.read(&[0xc5, 0, 2]), None, "there are five");
    let targets = templates.targets();
    assert_eq!([0, 1, 2].map(|temporal| targets.mask(layers(0, temporal))), [Some(0b001), Some(0b011), None]);
    assert_eq!(templates.layers(), Some(layers(0, 2)));
}

#[test]
fn two_spatial_layers() {
    let mut templates = Templates::default();
    let key = templates.descriptor(&l2t1()).expect("well-formed");
    assert!(key.structure && key.start && !key.end && key.reach == 0 && key.chain_diffs() == [0, 0]);
    assert_eq!([0, 1].map(|target| key.indications.of(target)), [Indication::Switch; 2]);
    let upper = templates.descriptor(&[0xc3, 0, 4]).expect("known template");
    assert_eq!((upper.layers, upper.reach, upper.chain_diffs()), (layers(1, 0), 2, [1_u8, 1].as_slice()));
    assert_eq!([0, 1].map(|target| upper.indications.of(target)), [Indication::NotPresent, Indication::Required]);
    let lower = templates.read(&[0xc1, 0, 3]).expect("known template");
    assert!(!lower.lone, "the upper layer refers to it");
    assert!(lower.ends_picture(false, 0) && !lower.ends_picture(false, 1) && lower.ends_picture(true, 1));
    assert!(templates.read(&[0xc3, 0, 4]).expect("known template").ends_picture(false, 1));
    assert_eq!(templates.targets().mask(layers(0, 7)), Some(0b01));
    assert_eq!(templates.targets().mask(layers(7, 0)), None);
}

#[test]
fn three_layers_that_meet_in_key_pictures() {
    let mut templates = Templates::default();
    let key = templates.read(&l3t3_key()).expect("well-formed");
    assert!(key.is_entry() && !key.lone);
    let lower = templates.read(&[0x81, 0, 13]).expect("known template");
    assert!(lower.lone && !lower.key, "between key pictures the layers above do without");
    assert!(lower.is_within(layers(0, 0), true) && lower.is_within(layers(1, 0), false));
    assert!(!lower.is_within(layers(1, 0), true));
    assert!(!templates.read(&[0x84, 0, 2]).expect("known template").lone, "the key picture's middle");
    let top = templates.read(&[0x8b, 0, 12]).expect("known template");
    assert_eq!((top.scale(), top.lone, top.discardable), (layers(2, 2), false, true));
    let mask = |spatial, temporal| templates.targets().mask(layers(spatial, temporal));
    assert_eq!([mask(0, 2), mask(1, 1), mask(2, 2)], [Some(0b000_000_111), Some(0b000_011_011), None]);
}

#[test]
fn custom_fields_and_masks_are_read() {
    let mut templates = Templates::default();
    templates.read(&l1t3()).expect("well-formed");
    let mut text = Text::default();
    text.put(0b11_000001, 8);
    text.put(777, 16);
    text.put(0b01111, 5);
    text.put(0b011, 3);
    // Indications - D S, differences 2 and 300, chain 9.
    text.put(0b00_01_10, 6);
    text.put(0b01_0001, 6);
    text.put(0b11, 2);
    text.put(299, 12);
    text.put(0, 2);
    text.put(9, 8);
    let custom = templates.descriptor(&text.bytes()).expect("well-formed");
    assert_eq!((custom.frame, custom.reach, custom.chain_diffs()), (777, 300, [9_u8].as_slice()));
    assert_eq!(
        [0, 1, 2].map(|target| custom.indications.of(target)),
        [Indication::NotPresent, Indication::Discardable, Indication::Switch]
    );
    assert_eq!(custom.mask, MaskPlace { at: 29, targets: 3, present: true });
    assert_eq!(templates.layers(), Some(layers(0, 1)), "the top target is switched off");
    templates.read(&[0xc1, 0, 9]).expect("known template");
    assert_eq!(templates.layers(), Some(layers(0, 1)), "until another mask");
    templates.read(&l1t3()).expect("well-formed");
    assert_eq!(templates.layers(), Some(layers(0, 2)), "or a structure");
}

#[test]
fn a_malformed_structure_changes_nothing() {
    let mut templates = Templates::default();
    templates.read(&l1t3()).expect("well-formed");
    let other = l3t3_key();
    // The last byte holds nothing but padding or the end of a size.
    for len in 0..other.len() - 1 {
        let cut = templates.descriptor(&other[..len]);
        assert!(cut.is_none_or(|cut| !cut.structure), "{len} of {}", other.len());
        assert_eq!(templates.targets().count, 3);
    }
    // Scale beyond the format's.
    let mut text = Text::default();
    text.put(0x80_0001, 24);
    text.put(0b10000, 5);
    text.put(0, 11);
    (0..8).for_each(|_| text.put(1, 2));
    text.put(3, 2);
    (0..9).for_each(|_| text.put(0, 32));
    assert_eq!(templates.read(&text.bytes()), None);
}

#[test]
fn nothing_makes_it_panic() {
    let mut random = 9_u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize
    };
    let vectors = [l1t3(), l2t1(), l3t3_key()];
    let mut templates = Templates::default();
    for round in 0..200_000 {
        // Good ones with a few bits changed reach deeper than noise.
        let mut bytes =
            if round % 2 == 0 { vectors[next() % 3].clone() } else { (0..next() % 80).map(|_| next() as u8).collect() };
        for _ in 0..next() % 4 {
            let bit = next() % (bytes.len().max(1) * 8);
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
        bytes.truncate(if next() % 4 == 0 { next() % 40 } else { usize::MAX });
        if let Some(info) = templates.read(&bytes) {
            assert!(usize::from(info.mask.at) <= bytes.len() * 8 && info.spatial <= MAX_SPATIAL);
        }
    }
}
