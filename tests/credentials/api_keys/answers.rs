//! What follows from an accepted key: answers, caches, live checks, revocations.

use serde_json::{Value, json};

use crate::api_keys::stage::{Key, LIVE, OPEN, Stage, api_keys};
use crate::events::{Kind, http_2, rest_request, rest_token};
use crate::stub::dynamodb::DYNAMODB;
use crate::stub::dynamodb::{BATCH_GET_ITEM, GET_ITEM, asked_for, error, item, keys, table, with_number};
use crate::tokens::now;
use crate::verdict::Verdict;

fn stage_with(key: &Key, settings: &str, rest: &str) -> Stage {
    let stage = Stage::api_keys(settings, rest);
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
    stage
}

fn resources_by_effect(verdict: &Verdict, effect: &str) -> Vec<String> {
    let answer = verdict.answer.json();
    let statements = answer["policyDocument"]["Statement"].as_array().unwrap().iter();
    let resources = statements.filter(|statement| statement["Effect"] == effect);
    resources
        .flat_map(|statement| statement["Resource"].as_array().unwrap().clone())
        .map(|resource| resource.to_string())
        .collect()
}

#[test]
fn the_backend_reads_the_records_claims() {
    let groups = json!({ "SS": ["partners", "eu"] });
    let claims = json!({ "M": { "plan": { "S": "gold" }, "seats": { "N": "3" } } });
    let key = Key::new().with("groups", groups).with("scope", json!({ "S": "a b" })).with("claims", claims);
    let key = key.with("client_id", json!({ "S": "acme" }));
    let context = "context: { sub: sub, scope: scope, groups: groups, client_id: client_id, plan: plan, seats: seats, iss: iss, exp: exp }";
    let stage = stage_with(&key, "", context);
    let context = stage.ask_by_key(OPEN, &key.text).context();
    let expected = json!({
        "sub": "partner-a", "scope": "a b", "groups": ["partners", "eu"], "client_id": "acme", "plan": "gold", "seats": 3,
        "iss": "urn:api-keys",
    });
    assert_eq!(context, expected);
}

#[test]
fn a_rest_answer_names_the_usage_plans_key_at_its_top() {
    let key = Key::new().with("usage_identifier_key", json!({ "S": "plan-key-of-partner-a-0123456789" }));
    let stage = stage_with(&key, "", "rest_api: { usage_identifier_key: usage_identifier_key }");
    let headers = json!({ "x-api-key": key.text });
    let verdict = stage.function.ask(&rest_request("GET", OPEN, headers.clone()));
    assert_eq!(verdict.response()["usageIdentifierKey"], "plan-key-of-partner-a-0123456789");
    let verdict = stage.function.ask(&rest_token("GET", OPEN, &key.text));
    assert_eq!(verdict.response()["usageIdentifierKey"], "plan-key-of-partner-a-0123456789");
    assert_eq!(stage.function.ask(&http_2("GET", OPEN, headers)).response().get("usageIdentifierKey"), None);
}

#[test]
fn a_policy_that_covers_tokens_covers_keys_and_an_invalid_key_is_never_denied_everywhere() {
    let key = Key::new().with("scope", json!({ "S": "orders.read" }));
    let routes = "
routes:
  GET /items: {}
  GET /orders: { any_scope: [orders.read] }
  GET /partners: { any_group: [partners] }
policy: { covers: token }
rest_api: { unauthorized: deny }
";
    let stage = Stage::start(&api_keys(""), routes);
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
    let ask = |key: &str| {
        let (answer, log) = stage.function.ask_unjudged(&rest_request("GET", OPEN, json!({ "x-api-key": key })));
        (answer, log["reason"].clone())
    };
    let (answer, reason) = ask(&key.text);
    assert_eq!(reason, Value::Null);
    let verdict = Verdict { request_id: String::new(), answer, log: Value::Null };
    let (allowed, denied) = (resources_by_effect(&verdict, "Allow"), resources_by_effect(&verdict, "Deny"));
    let names = |resources: &[String], path: &str| resources.iter().any(|resource| resource.contains(path));
    assert!(
        names(&allowed, "/GET/items") && names(&allowed, "/GET/orders") && !names(&allowed, "/GET/partners"),
        "{allowed:?}"
    );
    assert!(names(&denied, "/partners"), "{denied:?}");
    // API Gateway keeps a policy for this key; a failed invocation it does not keep.
    for text in [Key::new().text, "cak_nonsense".to_owned(), key.text.replace("cak_", "cax_")] {
        let (answer, reason) = ask(&text);
        assert_eq!(reason, "invalid_key");
        assert_eq!(answer.json()["errorMessage"], "Unauthorized", "{answer:?}");
    }
    stage.stub.answer(GET_ITEM, error(500, DYNAMODB, "InternalServerError"));
    let (answer, reason) = ask(&Key::new().text);
    assert_eq!((reason, &answer.json()["errorType"]), (json!("keys_unavailable"), &json!("keys_unavailable")));
}

#[test]
fn introspect_reads_the_record_anew_and_other_routes_do_not() {
    let key = Key::new();
    let stage = stage_with(&key, "", "");
    let ask = |path: &str| stage.ask_by_key(path, &key.text);
    assert_eq!((ask(OPEN).outcome(), ask(OPEN).outcome(), stage.reads()), ("allow", "allow", 1));
    let verdict = ask(LIVE);
    assert_eq!((verdict.outcome(), stage.reads(), &verdict.log["live_check"]), ("allow", 2, &json!("good")));

    let disabled = Key { item: key.item.clone(), id: key.id.clone(), text: key.text.clone() };
    let disabled = disabled.with("disabled", json!({ "BOOL": true }));
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&disabled.item)));
    assert_eq!((ask(OPEN).outcome(), stage.reads()), ("allow", 2), "within `cache`");
    let verdict = ask(LIVE);
    assert_eq!((verdict.outcome(), &verdict.log["live_check"]), ("invalid_key", &json!("invalid_key")));
    assert_eq!(ask(OPEN).outcome(), "invalid_key", "what was read anew is remembered");
}

#[test]
fn introspect_refuses_a_request_whose_record_says_something_else_by_now() {
    for (name, value) in [
        ("groups", json!({ "S": "admins" })),
        ("sub", json!({ "S": "partner-b" })),
        ("sha256", Key::new().item["sha256"].clone()),
    ] {
        let key = Key::new();
        let stage = stage_with(&key, "", "");
        assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "allow");
        let text = key.text.clone();
        let changed = key.with(name, value);
        stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&changed.item)));
        assert_eq!(stage.ask_by_key(LIVE, &text).outcome(), "invalid_key", "{name}");
    }
    let key = Key::new();
    let stage = stage_with(&key, "", "");
    assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "allow");
    stage.stub.answer(GET_ITEM, keys(&[]));
    assert_eq!(stage.ask_by_key(LIVE, &key.text).outcome(), "invalid_key", "the item is gone");

    let key = Key::new();
    let stage = stage_with(&key, "", "");
    assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "allow");
    stage.stub.answer(GET_ITEM, error(500, DYNAMODB, "InternalServerError"));
    assert_eq!(stage.ask_by_key(LIVE, &key.text).outcome(), "keys_unavailable");
}

#[test]
fn a_subject_a_client_and_nobody_elses_tokens_are_revoked_by_the_table_of_revocations() {
    let key = Key::new().with("client_id", json!({ "S": "acme" }));
    let stage = stage_with(&key, "", "revocations: { table: revocations, check: all }");
    let ask = || stage.ask_by_key(OPEN, &key.text);
    assert_eq!(ask().outcome(), "allow");
    let expected = ["sub#urn:api-keys#partner-a", "client#urn:api-keys#acme"];
    assert_eq!(asked_for(&stage.stub.last_request(BATCH_GET_ITEM)), expected);
    for pk in expected {
        stage.stub.answer(BATCH_GET_ITEM, table(&[item(pk)]));
        assert_eq!(ask().outcome(), "token_revoked", "{pk}");
        // The key was made at 1763726400: `created_at` is its `iat`.
        for (not_before, outcome) in [(1_763_726_400, "token_revoked"), (1_763_726_399, "allow")] {
            stage.stub.answer(BATCH_GET_ITEM, table(&[with_number(item(pk), "not_before", not_before)]));
            assert_eq!(ask().outcome(), outcome, "{pk} {not_before}");
        }
    }
    stage.stub.answer(BATCH_GET_ITEM, error(500, DYNAMODB, "InternalServerError"));
    assert_eq!(ask().outcome(), "revocations_unavailable");
}

#[test]
fn the_end_of_a_key_is_its_exp() {
    let end = now() + 600;
    let key = Key::new().with("not_after", json!({ "N": end.to_string() }));
    let stage = stage_with(&key, "", "context: { exp: exp }");
    let verdict = stage.function.ask(&rest_request("GET", OPEN, json!({ "x-api-key": key.text })));
    assert_eq!(verdict.context()["exp"], end);
}

#[test]
fn without_keys_in_the_configuration_a_key_counts_for_nothing() {
    let stage = Stage::start("", "routes: { GET /items: {}, $connect: {} }");
    let key = Key::new();
    for kind in Kind::ALL {
        let verdict = stage.function.ask(&crate::api_keys::stage::event_with_key(kind, OPEN, &key.text));
        let expected = if kind == Kind::RestToken { "malformed_token" } else { "missing_token" };
        assert_eq!(verdict.outcome(), expected, "{kind:?}");
    }
    assert_eq!(stage.stub.all_calls(), 0);
}
