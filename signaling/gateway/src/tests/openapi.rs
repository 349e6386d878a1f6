//! The description of what programs may ask is true: of every such address, and of nothing else.

use super::routes::{Who, table};
use super::{Ask, Bench};
use axum::http::StatusCode;
use serde_json::Value;
use std::collections::BTreeSet;

/// Besides what a program's token opens: how it gets one, and what the page of one of its people asks.
const BESIDES: [(&str, &str); 2] = [("POST", "/oauth/token"), ("POST", "/api/v1/events/{id}/join")];

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

async fn description() -> Value {
    let reply = Bench::new().await.ask(Ask::new("GET", "/api/openapi.json")).await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/json"));
    reply.json()
}

/// Method, path and what is said of it.
fn operations(api: &Value) -> Vec<(String, String, &Value)> {
    let paths = api["paths"].as_object().expect("paths").iter();
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<(String, String)> {
        let methods = item.as_object().expect("a path item").keys().filter(|key| METHODS.contains(&key.as_str()));
        methods.map(|method| (method.clone(), path.clone())).collect()
    };
    let all = paths.flat_map(of_path);
    all.map(|(method, path)| (method.to_uppercase(), path.clone(), &api["paths"][path.as_str()][method.as_str()]))
        .collect()
}

#[tokio::test]
async fn what_programs_may_ask_is_described_and_nothing_else() {
    let api = description().await;
    let described: BTreeSet<_> = operations(&api).into_iter().map(|(method, path, _)| (method, path)).collect();
    let own = |(method, path): (&str, &str)| (method.to_owned(), path.to_owned());
    let mut expected: BTreeSet<_> = BESIDES.into_iter().map(own).collect();
    let rows = table().into_iter().filter(|(_, path, _, who)| who.contains(&Who::Program) || path.contains("/grants/"));
    expected.extend(rows.map(|(method, path, _, _)| own((method, path))));
    assert_eq!(described, expected);
}

#[tokio::test]
async fn it_is_whole() {
    let api = description().await;
    assert!(api["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")), "{}", api["openapi"]);
    assert!(api["info"]["title"].is_string() && api["info"]["version"].is_string());
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&api) {
        let what = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{what} has no id"));
        assert!(ids.insert(id), "{id} twice");
        assert!(operation["summary"].is_string(), "{what}");
        // OpenAPI 3.1 section 4.8.9: every name in the path is a parameter, and no other is.
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let named: BTreeSet<_> =
            parameters.iter().filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
        let in_path: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(named, in_path, "{what}");
        for parameter in &parameters {
            assert!(parameter["in"] != "path" || parameter["required"] == true, "{what}");
            assert!(parameter["schema"].is_object(), "{what} {parameter}");
        }
        let responses = operation["responses"].as_object().unwrap_or_else(|| panic!("{what}"));
        assert!(responses.values().all(|response| response["description"].is_string()), "{what}");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{what}");
        if path != "/api/v1/instance" {
            let fault = responses["default"]["content"].as_object().and_then(|content| content.values().next());
            assert_eq!(
                fault.map(|one| &one["schema"]["$ref"]),
                Some(&Value::from("#/components/schemas/Fault")),
                "{what}"
            );
        }
        let security = operation["security"].as_array().unwrap_or_else(|| panic!("{what} says nothing of tokens"));
        let known = &api["components"]["securitySchemes"];
        assert!(
            security.iter().flat_map(|one| one.as_object().expect("one").keys()).all(|name| known[name].is_object())
        );
    }
}

#[tokio::test]
async fn what_it_points_at_is_there() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let api = description().await;
    let mut found = Vec::new();
    references(&api, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let place = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} is elsewhere"));
        assert!(api.pointer(place).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_schemas_are_those_of_the_code() {
    let api = description().await;
    let schemas = &api["components"]["schemas"];
    let codes: BTreeSet<_> =
        schemas["FaultCode"]["enum"].as_array().expect("codes").iter().filter_map(Value::as_str).collect();
    let known: BTreeSet<_> = veilcast_protocol::FaultCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(codes, known);
    // What the code answers has exactly the members that are described.
    let fault =
        serde_json::to_value(veilcast_protocol::Fault::new(veilcast_protocol::FaultCode::Internal)).expect("JSON");
    let described: BTreeSet<_> =
        schemas["Fault"]["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let sent: BTreeSet<_> = fault.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(sent, described);
    let event = serde_json::json!({ "title": "Lecture" });
    let bench = Bench::new().await;
    let admin = bench.admin().await;
    let made = bench.ask(Ask::new("POST", "/api/v1/events").by(&admin).json(&event)).await.json();
    let described: BTreeSet<_> =
        schemas["EventSummary"]["properties"].as_object().expect("properties").keys().cloned().collect();
    // What is mostly not there is left out.
    let sent = made.as_object().expect("an object").keys().cloned().chain(["break_glass".to_owned()]);
    assert_eq!(sent.collect::<BTreeSet<_>>(), described);
    let required = schemas["NewEvent"]["required"].as_array().expect("a list");
    assert_eq!(required, &[Value::from("title")]);
}
