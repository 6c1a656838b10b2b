//! AWS's documented events of each version, and what is answered to them.
//!
//! `v1-schema` is the schema of the developer guide's page with the names of its types as values, `v1-empty` the test event of its
//! examples for version one, `v2-user` and `v2-hosted` those for version two. There is none for version three, of which the page
//! says that its events are those of version two: `v3-refresh` and `v3-machine` are made after it.
//!
//! After a change that is meant: `GOLDEN=write cargo test --test enriching`.

use crate::stage::{GET_ITEM, Stage, table, text};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use test_support::verdict;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/enriching")
}

fn read(name: &str) -> Value {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn stage() -> Stage {
    let stage = Stage::new(&std::fs::read_to_string(folder().join("enricher.yaml")).unwrap());
    let of_a_user = json!({ "tenant": text("acme"), "seats": { "N": "7" }, "more": text("x") });
    let of_a_client = json!({ "tenant": text("partner"), "seats": { "N": "1" } });
    stage.stub.answer(
        GET_ITEM,
        table(&[("user#a1b2c3d4-5678-90ab-cdef-EXAMPLE11111", of_a_user), ("client#1example23456789", of_a_client)]),
    );
    stage
}

const EVENTS: [&str; 6] = ["v1-empty", "v1-schema", "v2-hosted", "v2-user", "v3-machine", "v3-refresh"];

#[test]
fn each_documented_event_has_its_answer() {
    let stage = stage();
    for name in EVENTS {
        let event = read(&format!("events/{name}.json"));
        let text = match stage.function.send(&event.to_string()).1 {
            verdict::Answer::Response(text) | verdict::Answer::Error(text) => text,
        };
        let answer: Value = serde_json::from_str(&text).unwrap();
        if let Some(response) = answer.get("response") {
            // All but the response is the event, so that nothing that Cognito may add is lost.
            let mut event = event;
            event["response"] = response.clone();
            assert_eq!(answer, event, "{name}");
        }
        let golden = answer.get("response").cloned().unwrap_or(answer);
        let path = format!("events/{name}.answer.json");
        if std::env::var("GOLDEN").as_deref() == Ok("write") {
            std::fs::write(folder().join(&path), format!("{golden:#}\n")).unwrap();
        }
        assert_eq!(golden, read(&path), "{name}");
    }
}

#[test]
fn the_same_sign_in_has_the_same_answer_to_the_byte() {
    let event = read("events/v2-user.json").to_string();
    let answer = |stage: &Stage| match stage.function.send(&event).1 {
        verdict::Answer::Response(text) => text,
        verdict::Answer::Error(text) => panic!("{text}"),
    };
    let first = answer(&stage());
    let stage = stage();
    for _ in 0..20 {
        assert_eq!(answer(&stage), first);
    }
}

#[test]
fn every_event_of_the_folder_is_sent() {
    let files = std::fs::read_dir(folder().join("events")).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with(".answer.json"));
    names.sort();
    assert_eq!(names, EVENTS.map(|name| format!("{name}.json")));
}
