//! Each case of docs/credentials.md, "API keys".

use serde_json::{Value, json};

use crate::PAGE;
use crate::api_keys::stage::{Key, LIVE, OPEN, Stage};
use crate::documented::Table;
use crate::events::{Kind, rest_request, rest_token};
use crate::stub::Answer;
use crate::stub::dynamodb::{CORAL, DYNAMODB, GET_ITEM, error, keys, reply};
use crate::tokens::{Token, now};
use crate::verdict::Verdict;

/// The table has this key's item; sends the key.
#[track_caller]
fn ask(stage: &Stage, key: &Key) -> Verdict {
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
    stage.ask_by_key(OPEN, &key.text)
}

#[test]
fn every_case_has_its_decision() {
    let stage = Stage::api_keys("", "");
    let table = Table::under(PAGE, "Every case of a key");
    let row = |row: &str, verdict: Verdict, expected: &str| table.check(row, &verdict, expected);
    let date = |seconds: i64| json!({ "N": (now() + seconds).to_string() });

    let good = Key::new();
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&good.item)));
    let key = good.text.as_str();
    let ask_with = |headers: Value| stage.ask(OPEN, headers);
    row("the key of its id", ask_with(json!({ "x-api-key": key })), "allow");
    row("the header's name in any case", ask_with(json!({ "X-API-Key": key })), "allow");
    row("the same key more than once", ask_with(json!({ "x-api-key": format!("{key}, {key}") })), "allow");
    let other = Key::new().text;
    row("two keys", ask_with(json!({ "x-api-key": format!("{key},{other}") })), "ambiguous_token");
    row("two keys", ask_with(json!({ "x-api-key": format!("{key},") })), "ambiguous_token");
    let mut twice = rest_request("GET", OPEN, json!({ "x-api-key": key }));
    twice["multiValueHeaders"] = json!({ "x-api-key": [key, other] });
    row("two keys", stage.function.ask(&twice), "ambiguous_token");
    let token = format!("Bearer {}", Token::access().text());
    row("a key and a token", ask_with(json!({ "x-api-key": key, "authorization": token })), "ambiguous_token");
    for empty in ["", "Bearer"] {
        let verdict = ask_with(json!({ "x-api-key": key, "authorization": empty }));
        row("a key and an empty Authorization header", verdict, "ambiguous_token");
    }
    row(
        "a token and an empty header for keys",
        ask_with(json!({ "x-api-key": "", "authorization": token })),
        "ambiguous_token",
    );
    row("an empty header", ask_with(json!({ "x-api-key": " " })), "missing_token");
    row("neither a key nor a token", ask_with(json!({})), "missing_token");
    row("a token alone", ask_with(json!({ "authorization": token })), "allow");
    row(
        "a key in the Authorization header",
        ask_with(json!({ "authorization": format!("Bearer {key}") })),
        "malformed_token",
    );
    row(
        "a TOKEN event's authorizationToken in the form of a key",
        stage.function.ask(&rest_token("GET", OPEN, key)),
        "allow",
    );
    let behind_bearer = rest_token("GET", OPEN, &format!("Bearer {key}"));
    row("the same behind Bearer", stage.function.ask(&behind_bearer), "allow");

    for text in ["x", "cak_1_2", &key[1..], &format!("{key}x"), &key.to_uppercase(), &"cak_".repeat(10_000), "Bearer x"]
    {
        row("a text of another form", ask_with(json!({ "x-api-key": text })), "invalid_key");
    }
    let mut typo = key.to_owned();
    let last = if typo.pop() == Some('0') { '1' } else { '0' };
    typo.push(last);
    row("a wrong checksum", ask_with(json!({ "x-api-key": typo })), "invalid_key");
    row("a wrong checksum", stage.function.ask(&rest_token("GET", OPEN, &typo)), "invalid_key");
    let reads = stage.reads();
    assert_eq!(reads, 1, "none of these is looked up but the good key, and that once");

    stage.stub.answer(GET_ITEM, keys(&[]));
    row("an id that the table does not have", ask(&stage, &Key { item: Key::new().item, ..Key::new() }), "invalid_key");
    let hash_of_another = Key::new().item["sha256"].clone();
    row("another secret than that of its id", ask(&stage, &Key::new().with("sha256", hash_of_another)), "invalid_key");
    row("disabled", ask(&stage, &Key::new().with("disabled", json!({ "BOOL": true }))), "invalid_key");
    row("disabled: false", ask(&stage, &Key::new().with("disabled", json!({ "BOOL": false }))), "allow");
    for name in ["not_after", "expires_at"] {
        row("not_after or expires_at reached", ask(&stage, &Key::new().with(name, date(0))), "invalid_key");
        row("not_after or expires_at reached", ask(&stage, &Key::new().with(name, date(-1))), "invalid_key");
        row("not_after or expires_at to come", ask(&stage, &Key::new().with(name, date(60))), "allow");
    }
    row("made in the future", ask(&stage, &Key::new().with("created_at", date(3600))), "token_not_yet_valid");
    let signs = |key: Key| key.with("algorithm", json!({ "S": "ed25519" })).with("public_key", json!({ "S": "k" }));
    row("the id of a key that signs requests", ask(&stage, &signs(Key::new().without("sha256"))), "invalid_key");
    row("both kinds of keys in one item", ask(&stage, &signs(Key::new())), "invalid_key");
    for (name, value) in [
        ("disabled", json!({ "S": "false" })),
        ("disabled", json!({ "N": "0" })),
        ("disabled", json!({ "NULL": true })),
        ("not_after", json!({ "S": "4102444800" })),
        ("not_after", json!({ "N": "1e300" })),
        ("not_after", json!({ "NULL": true })),
        ("expires_at", json!({ "S": "never" })),
        ("created_at", json!({ "S": "1" })),
        ("sha256", json!({ "S": "" })),
        ("sha256", json!({ "B": "AAAA" })),
        ("sub", json!({ "N": "1" })),
        ("sub", json!({ "S": "" })),
        ("scope", json!({ "N": "1" })),
        ("groups", json!({ "L": [{ "N": "1" }] })),
        ("usage_identifier_key", json!({ "BOOL": true })),
        ("claims", json!({ "S": "{}" })),
        ("pk", json!({ "S": "key#another" })),
    ] {
        let key = Key::new().with(name, value);
        stage.stub.answer(GET_ITEM, reply(200, &json!({ "Item": key.item })));
        row("an attribute of another type", stage.ask_by_key(OPEN, &key.text), "invalid_key");
    }
    row("neither sub nor client_id", ask(&stage, &Key::new().without("sub")), "invalid_key");
    for name in ["iss", "exp", "iat", "sub", "groups", "scope", "cnf", "auth_time"] {
        let claims = json!({ "M": { name: { "S": "x" } } });
        row("a reserved name in claims", ask(&stage, &Key::new().with("claims", claims)), "invalid_key");
    }

    for answer in [
        error(400, DYNAMODB, "ResourceNotFoundException"),
        error(400, CORAL, "AccessDeniedException"),
        error(400, DYNAMODB, "ProvisionedThroughputExceededException"),
        error(500, DYNAMODB, "InternalServerError"),
        Answer::Reset,
        Answer::HangUp,
        Answer::Noise,
        Answer::Hang,
    ] {
        stage.stub.answer(GET_ITEM, answer);
        row(
            "the table fails, throttles or does not answer",
            stage.ask_by_key(OPEN, &Key::new().text),
            "keys_unavailable",
        );
        // Nothing of an outage stays.
        let key = Key::new();
        table.cases.check("the table answers again", &ask(&stage, &key), "allow");
    }
}

#[test]
fn the_rules_of_the_routes_hold_for_keys_too() {
    let stage = Stage::api_keys("", "");
    let table = Table::under(PAGE, "What a key's record holds");
    let plan = |name: &str| json!({ "M": { "plan": { "S": name } } });
    let texts = |texts: &[&str]| json!({ "L": texts.iter().map(|text| json!({ "S": text })).collect::<Vec<_>>() });
    for (row, path, key, expected) in [
        ("a route that asks nothing", OPEN, Key::new(), "allow"),
        ("scope as a text", "/orders", Key::new().with("scope", json!({ "S": "a orders.read" })), "allow"),
        ("scope as a set or list", "/orders", Key::new().with("scope", json!({ "SS": ["orders.read"] })), "allow"),
        ("scope as a set or list", "/orders", Key::new().with("scope", texts(&["orders.read"])), "allow"),
        (
            "another scope, or none",
            "/orders",
            Key::new().with("scope", json!({ "S": "orders.write" })),
            "insufficient_scope",
        ),
        ("another scope, or none", "/orders", Key::new(), "insufficient_scope"),
        ("groups", "/partners", Key::new().with("groups", texts(&["partners", "x"])), "allow"),
        ("groups", "/partners", Key::new().with("groups", json!({ "S": "partners" })), "allow"),
        (
            "another group, or none",
            "/partners",
            Key::new().with("groups", json!({ "S": "partners x" })),
            "insufficient_group",
        ),
        ("another group, or none", "/partners", Key::new(), "insufficient_group"),
        ("a claim", "/plans", Key::new().with("claims", plan("gold")), "allow"),
        ("another value of it, or none", "/plans", Key::new().with("claims", plan("silver")), "claim_mismatch"),
        ("another value of it, or none", "/plans", Key::new(), "claim_mismatch"),
        ("max_auth_age: nobody signed in", "/fresh", Key::new(), "authentication_too_old"),
        ("credentials: [api_key]", "/by-key", Key::new(), "allow"),
        ("credentials: [jwt]", "/by-token", Key::new(), "forbidden"),
        ("introspect: the record is read anew", LIVE, Key::new(), "allow"),
        ("a path that no rule serves", "/nowhere", Key::new(), "no_route"),
    ] {
        stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
        table.check(row, &stage.ask_by_key(path, &key.text), expected);
    }
}

#[test]
fn a_key_is_taken_from_events_of_all_kinds() {
    let (stage, key) = (Stage::api_keys("", ""), Key::new());
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
    for kind in Kind::ALL {
        let verdict = stage.function.ask(&crate::api_keys::stage::event_with_key(kind, OPEN, &key.text));
        assert_eq!(verdict.outcome(), "allow", "{kind:?} {verdict}");
        let log = &verdict.log;
        let told = ["credential", "kid", "issuer", "principal_id"].map(|name| log[name].as_str().unwrap_or_default());
        assert_eq!(told, ["api_key", &key.id, "urn:api-keys", "partner-a"], "{log}");
    }
    assert_eq!(stage.reads(), 1);
}

#[test]
fn a_header_of_ones_own_choice_is_the_only_place() {
    let (stage, key) = (Stage::api_keys(", header: X-Partner-Key, issuer: 'https://keys.example.com'", ""), Key::new());
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
    let verdict = stage.ask(OPEN, json!({ "x-partner-key": key.text }));
    assert_eq!((verdict.outcome(), &verdict.log["issuer"]), ("allow", &json!("https://keys.example.com")));
    assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "missing_token");
}
