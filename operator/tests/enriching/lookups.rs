//! Items of a table: whose they are, and what it means when none comes.

use crate::stage::{CLIENT, GET_ITEM, SUB, Stage, machine, reply, table, text, user};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use test_support::stub::Answer;

fn config(more: &str) -> String {
    format!(
        "
lookup: {{ table: tenants, user_key: 'user#{{sub}}', client_key: 'client#{{client_id}}', timeout: 600ms{more} }}
claims: {{ tenant: {{ item: tenant }}, roles: {{ item: roles }} }}
"
    )
}

fn items() -> Answer {
    table(&[
        (&format!("user#{SUB}"), json!({ "tenant": text("acme"), "roles": { "SS": ["b", "a"] }, "other": text("x") })),
        (&format!("client#{CLIENT}"), json!({ "tenant": text("partner") })),
    ])
}

fn failures() -> Vec<(&'static str, Answer)> {
    let error = |status: u16, code: &str| -> Answer {
        let code = format!("com.amazonaws.dynamodb.v20120810#{code}");
        reply(status, &json!({ "__type": code, "message": "The words of DynamoDB" })).into()
    };
    vec![
        ("timed out", Answer::Hang),
        ("timed out", Answer::from(reply(200, &json!({}))).after(Duration::from_secs(3))),
        ("no connection", Answer::HangUp),
        ("AccessDeniedException", error(400, "AccessDeniedException")),
        ("ResourceNotFoundException", error(400, "ResourceNotFoundException")),
        ("ProvisionedThroughputExceededException", error(400, "ProvisionedThroughputExceededException")),
        ("InternalServerError", error(500, "InternalServerError")),
        ("an unknown error of DynamoDB", error(400, "SomethingElse")),
        ("the answer cannot be read", reply(200, &json!([])).into()),
        (
            "an attribute of the item has a type that no claim can have",
            reply(200, &json!({ "Item": { "tenant": { "B": "eA==" } } })).into(),
        ),
    ]
}

#[test]
fn a_user_has_the_item_of_the_sub_and_a_machine_client_that_of_its_id() {
    let stage = Stage::new(&config(""));
    stage.stub.answer(GET_ITEM, items());
    assert_eq!(stage.claims(&user(&[])), json!({ "roles": ["a", "b"], "tenant": "acme" }));
    assert_eq!(stage.claims(&machine()), json!({ "tenant": "partner" }));
    let mut another = user(&[]);
    another["request"]["userAttributes"]["sub"] = json!("somebody");
    assert_eq!(stage.claims(&another), json!({}));
    let lines = stage.log();
    let words: Vec<&Value> = lines.iter().map(|line| &line["lookup"]).filter(|word| !word.is_null()).collect();
    assert_eq!(words, ["found", "found", "no_item"]);
    assert!(lines.iter().any(|line| line["lookup_us"].is_u64()));
}

#[test]
fn a_failed_look_up_fails_the_sign_in() {
    for (why, answer) in failures() {
        let stage = Stage::new(&config(""));
        stage.stub.answer(GET_ITEM, answer);
        let started = Instant::now();
        stage.refuses(&user(&[]), "lookup_failed");
        assert!(started.elapsed() < Duration::from_secs(3), "{why}");
        stage.refuses(&machine(), "lookup_failed");
        stage.stub.answer(GET_ITEM, items());
        assert_eq!(stage.claims(&machine()), json!({ "tenant": "partner" }), "{why}");
        let lines = stage.log();
        let said: Vec<&Value> = lines.iter().filter(|line| line["message"] == "lookup_failed").collect();
        assert_eq!(said.len(), 2, "{lines:#?}");
        assert!(said.iter().all(|line| line["why"] == why), "{said:#?}");
    }
}

#[test]
fn with_on_failure_continue_tokens_are_made_without_the_item() {
    for (why, answer) in failures() {
        let stage = Stage::new(&config(", on_failure: continue"));
        stage.stub.answer(GET_ITEM, answer);
        assert_eq!(stage.claims(&user(&[])), json!({}), "{why}");
        let lines = stage.log();
        assert!(lines.iter().any(|line| line["message"] == "lookup_failed" && line["why"] == why), "{lines:#?}");
        assert!(lines.iter().any(|line| line["message"] == "enriched" && line["lookup"] == "failed"), "{lines:#?}");
    }
}

#[test]
fn a_required_claim_is_required_also_where_look_ups_may_fail() {
    let text = config(", on_failure: continue").replace("{ item: tenant }", "{ item: tenant, required: true }");
    let stage = Stage::new(&text);
    stage.stub.answer(GET_ITEM, Answer::HangUp);
    stage.refuses(&user(&[]), "claim_missing");
}

#[test]
fn an_event_without_what_the_key_is_made_of_is_a_failed_look_up() {
    let stage = Stage::new(&config(""));
    let mut nobody = user(&[]);
    for sub in [json!(null), json!("")] {
        nobody["request"]["userAttributes"]["sub"] = sub;
        stage.refuses(&nobody, "lookup_failed");
    }
    let mut no_client = machine();
    no_client["callerContext"] = json!({});
    stage.refuses(&no_client, "lookup_failed");
    let mut long = user(&[]);
    long["request"]["userAttributes"]["sub"] = json!("x".repeat(2044));
    stage.refuses(&long, "lookup_failed");
    assert_eq!(stage.stub.all_calls(), 0);
}

#[test]
fn who_has_no_key_is_not_looked_up() {
    let stage = Stage::new(
        "lookup: { table: tenants, user_key: 'user#{sub}' }\nclaims: { tenant: { item: tenant, required: true } }",
    );
    assert_eq!(stage.claims(&machine()), json!({}));
    assert_eq!(stage.stub.all_calls(), 0);
}

#[test]
fn a_look_up_that_breaks_once_is_made_again() {
    let stage = Stage::new(&config(""));
    stage.stub.answers(GET_ITEM, [Answer::HangUp, items()]);
    assert_eq!(stage.claims(&machine()), json!({ "tenant": "partner" }));
}
