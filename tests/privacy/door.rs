//! The part of the journey that somebody has who is let in by hand, and somebody who is not.

use super::journey::{TITLE, Told};
use holder::Holder;
use holder::client::{Client, Pass, send};
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "Dotterel-Visitor";
const HIDDEN: &str = "Bittern\u{202e}Visitor";
const AT: [u8; 4] = [127, 88, 99, 111];

pub(super) async fn at_the_door(operator: &Client, port: u16, told: &mut Told) {
    for (name, text) in [("visitor's name", NAME), ("hidden name", HIDDEN), ("visitor at", "127.88.99.111")] {
        told.add(name, text);
    }
    let admin = told.admin.clone();
    let new = json!({ "title": TITLE, "admission": "approval" });
    let made = operator.post("/api/v1/events", Some(&admin), &new).await.expect(201).json();
    let event = format!("/api/v1/events/{}", made["id"].as_str().expect("an id"));
    let visitor = Client::new(port, AT);
    for (number, let_in, heard) in [(1, true, "let-in"), (2, false, "fault")] {
        let holder = Arc::new(Holder::new());
        let token = send(visitor.newcomer(&format!("{event}/guest"), &holder).await).await.expect(200).json();
        let pass = Pass::bound(&holder, token["token"].as_str().expect("a token"));
        told.token("visitor's token", &pass.token);
        visitor.knock(&pass, HIDDEN).await.until("fault").await;
        let mut page = visitor.knock(&pass, NAME).await;
        page.until("waiting").await;
        let waiting = operator.get_as(&format!("{event}/knocks"), &admin).await.expect(200);
        assert!(waiting.body.contains(NAME), "whoever decides sees it: {}", waiting.body);
        let answer = json!({ "let_in": let_in });
        operator.post(&format!("{event}/knocks/{number}"), Some(&admin), &answer).await.expect(204);
        page.until(heard).await;
        operator.post(&format!("{event}/knocks/9"), Some(&admin), &answer).await.expect(409);
    }
    operator.post(&format!("{event}/end"), Some(&admin), &json!({})).await.expect(200);
}
