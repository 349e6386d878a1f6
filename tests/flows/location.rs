//! A place, from the question to the broadcaster's view: agreed to for a time, shown as a cell, seen by the broadcaster alone, and gone
//! with one word. On the real process, over sockets.

use crate::privacy::scan::{Canary, Sink, leaks};
use crate::server::process::{Scratch, Server};
use h3o::{LatLng, Resolution};
use holder::Holder;
use holder::client::{Client, Pass, Socket, send};
use holder::talk::agree;
use serde_json::json;
use std::sync::Arc;

const OPERATOR: &str = "Plover-Operator";
const PASSWORD: &str = "a-Password-of-Plovers";
/// Tórshavn: the device alone knows it.
const PLACE: (f64, f64) = (62.011_73, -6.767_91);

fn cell(resolution: Resolution) -> u64 {
    LatLng::new(PLACE.0, PLACE.1).expect("is on earth").to_cell(resolution).into()
}

async fn guest(client: &Client, event: &str) -> Socket {
    let holder = Arc::new(Holder::new());
    let came = send(client.newcomer(&format!("/api/v1/events/{event}/guest"), &holder).await).await.expect(200).json();
    let mut socket = client.join(&Pass::bound(&holder, came["token"].as_str().expect("a token"))).await;
    socket.until("welcome").await;
    socket
}

async fn show(socket: &mut Socket, precision: &str, resolution: Resolution) {
    let area = format!("{:x}", cell(resolution));
    socket.say(&json!({ "type": "share-location", "precision": precision, "area": area })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_is_shown_as_a_cell_to_the_broadcaster_until_its_person_stops() {
    let server = Server::start_with(Scratch::new(), &["--log", "trace"]).await;
    let operator = Client::new(server.port, [127, 22, 1, 1]);
    let token = server.setup_token().await;
    let cookie = operator.set_up(&token, OPERATOR, PASSWORD).await;
    let admin = operator.operator(&cookie).await;
    let cap = json!({ "finest": "city", "minutes": 60 });
    let new = json!({ "title": "Rehearsal", "admission": "public", "listed": true, "location": cap });
    let made = operator.post("/api/v1/events", Some(&admin), &new).await.expect(201).json();
    let event = made["id"].as_str().expect("an id");
    let wanted = json!({ "role": "broadcaster" });
    let token = operator.post(&format!("/api/v1/events/{event}/token"), Some(&admin), &wanted).await.expect(200).json();
    let mut host = operator.join(&admin.with(token["token"].as_str().expect("a token"))).await;
    host.until("welcome").await;

    let at = |number: u8| Client::new(server.port, [127, 22, number, 1]);
    let (mut ada, mut bob) = (guest(&at(2), event).await, guest(&at(3), event).await);
    let refused = async |socket: &mut Socket, code: &str| {
        assert_eq!(socket.until("fault").await["fault"]["code"], code);
    };
    show(&mut ada, "city", Resolution::Six).await;
    refused(&mut ada, "consent-missing").await;
    agree(&at(2), &mut ada, event, "location").await;
    agree(&at(3), &mut bob, event, "location").await;
    show(&mut ada, "precise", Resolution::Nine).await;
    refused(&mut ada, "location-too-fine").await;
    show(&mut ada, "city", Resolution::Nine).await;
    refused(&mut ada, "location-invalid").await;
    show(&mut ada, "city", Resolution::Six).await;
    let city = format!("{:x}", cell(Resolution::Six));
    assert_eq!(ada.until("own-location").await["area"], json!(city));
    let seen = host.until("locations").await;
    let people = seen["people"].as_array().expect("a list");
    assert_eq!((people.len(), &people[0]["area"], &people[0]["precision"]), (1, &json!(city), &json!("city")));
    show(&mut ada, "region", Resolution::Four).await;
    refused(&mut ada, "location-fixed").await;

    // One word, and it is gone from the one view that showed it. Another viewer, who shares as well, never saw it.
    ada.say(&json!({ "type": "withdraw-consent", "purpose": "location" })).await;
    let retracted = host.until("retracted").await;
    assert_eq!((&retracted["purpose"], &retracted["generation"]), (&json!("location"), &people[0]["generation"]));
    show(&mut ada, "city", Resolution::Six).await;
    refused(&mut ada, "consent-missing").await;
    bob.say(&json!({ "type": "sync", "number": 77 })).await;
    bob.until("synced").await;
    let cells: Vec<u64> = (0..=15).map(|digit| cell(Resolution::try_from(digit).expect("is one"))).collect();
    let canaries = [Canary::coordinates("a place", PLACE.0, PLACE.1, &cells)];
    let mut sinks = Sink::directory("the disk", server.scratch.path("").as_path());
    sinks.push(Sink::new("the log", [server.process.err()]));
    sinks.push(Sink::new("another viewer", [bob.heard.clone()]));
    assert_eq!(leaks(&canaries, &sinks), [""; 0]);
    assert_eq!(
        leaks(&canaries, &[Sink::new("the host", [host.heard.clone()])]),
        ["a place in the host"],
        "the search works"
    );
}
