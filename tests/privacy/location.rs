//! Somebody's place on the journey: shared as a cell, sent as what it must never be sent as, and found nowhere afterwards.

use super::journey::Told;
use super::scan::{Canary, found};
use h3o::{LatLng, Resolution};
use holder::client::{Client, Socket};
use holder::talk::agree;
use serde_json::json;

/// Ushuaia: where nobody tests by chance. The device alone knows it, in degrees.
pub(super) const LATITUDE: f64 = -54.801_912_3;
pub(super) const LONGITUDE: f64 = -68.302_951_7;

/// The cell around it at every resolution, the coarsest first.
pub(super) fn cells() -> Vec<u64> {
    let place = LatLng::new(LATITUDE, LONGITUDE).expect("is on earth");
    (0..=15).map(|digit| place.to_cell(Resolution::try_from(digit).expect("is one")).into()).collect()
}

/// A viewer agrees, shows their city, is refused with what is finer and with coordinates themselves, and stops.
pub(super) async fn shares(told: &mut Told, client: &Client, event: &str, viewer: &mut Socket, on_air: &mut Socket) {
    let texts = cells().into_iter().flat_map(|cell| [format!("{cell:x}"), cell.to_string()]);
    texts.for_each(|text| told.add("a cell", &text));
    told.add("coordinates", &format!("{LATITUDE},{LONGITUDE}"));
    agree(client, viewer, event, "location").await;
    let (city, precise) = (format!("{:x}", cells()[6]), format!("{:x}", cells()[9]));
    let coordinates = format!("{LATITUDE},{LONGITUDE}");
    for (precision, area) in [("city", &coordinates), ("precise", &precise), ("country", &city), ("city", &precise)] {
        viewer.say(&json!({ "type": "share-location", "precision": precision, "area": area })).await;
        viewer.until("fault").await;
    }
    let more = json!({ "type": "share-location", "precision": "city", "area": city, "latitude": LATITUDE });
    viewer.say(&more).await;
    viewer.until("fault").await;
    viewer.say(&json!({ "type": "share-location", "precision": "city", "area": city })).await;
    viewer.until("own-location").await;
    assert_eq!(on_air.until("locations").await["people"][0]["area"], json!(city));
    viewer.say(&json!({ "type": "withdraw-consent", "purpose": "location" })).await;
    on_air.until("retracted").await;
}

#[test]
fn coordinates_are_found_in_every_dress() {
    let canaries = [Canary::coordinates("a place", LATITUDE, LONGITUDE, &cells())];
    let mut dressed: Vec<Vec<u8>> = Vec::new();
    for digits in 3..=6 {
        dressed.push(format!("lat={LATITUDE:.digits$}").into_bytes());
        dressed.push(format!("lon={LONGITUDE:.digits$}").into_bytes());
    }
    for value in [LATITUDE, LONGITUDE] {
        dressed.extend([value.to_le_bytes().to_vec(), value.to_be_bytes().to_vec()]);
    }
    let (latitude, longitude) = (LATITUDE as f32, LONGITUDE as f32);
    dressed.push([latitude.to_le_bytes(), longitude.to_le_bytes()].concat());
    dressed.push([longitude.to_be_bytes(), latitude.to_be_bytes()].concat());
    for cell in cells().into_iter().skip(3) {
        dressed.extend([cell.to_le_bytes().to_vec(), cell.to_be_bytes().to_vec()]);
        dressed.extend([cell.to_string().into_bytes(), format!("{cell:x}").into_bytes()]);
    }
    for bytes in &dressed {
        let place = [b"x".as_slice(), bytes, b"y"].concat();
        assert_eq!(found(&canaries, &place), ["a place"], "{bytes:x?}");
    }
    assert!(found(&canaries, b"lat=-54.812, lon=-68.312, 861e15b77ffffff").is_empty());
}
