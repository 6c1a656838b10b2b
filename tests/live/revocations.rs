//! The table of revocations in DynamoDB.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::{Credentials, LIVE, OPEN, Rows, Stage, WITH_TABLE, WITH_TABLE_ALWAYS, claim, fresh, pool, token};
use crate::stub::Answer;
use crate::stub::dynamodb::{
    BATCH_GET_ITEM, CORAL, DYNAMODB, TABLE, asked_for, busy, error, half_busy, item, reply, request_json, table,
    with_number,
};
use crate::tokens::{CLIENT, ISSUER, READER_SUB, Token, WRITER_SUB, now};
use crate::verdict::Cases;

const JTI: &str = "c0ffee00-0000-4000-8000-000000000003";
const ORIGIN_JTI: &str = "c0ffee00-0000-4000-8000-000000000001";

/// All that could name `Token::access()`.
fn keys() -> [String; 4] {
    [
        format!("jti#{JTI}"),
        format!("origin_jti#{ORIGIN_JTI}"),
        format!("sub#{ISSUER}#{READER_SUB}"),
        format!("client#{ISSUER}#{CLIENT}"),
    ]
}

/// A table of its own vouches: no issuer is asked.
fn stage() -> Stage {
    Stage::pool("", WITH_TABLE)
}

#[test]
fn every_answer_has_its_decision() {
    let rows = Rows::new("Revocation table", stage(), BATCH_GET_ITEM, table(&[]), || Token::access().text());
    let by_jti = || item(&keys()[0]);
    let numbered = |name: &str, value: i64| table(&[with_number(by_jti(), name, value)]);
    let issued = now() - 60;
    let issued_then = Token::access().claim("iat", json!(issued)).text();

    rows.row("no item", table(&[]), "allow");
    for (name, key) in ["jti", "origin_jti", "sub", "client"].into_iter().zip(keys()) {
        rows.row(&format!("an item for the {name}"), table(&[item(&key)]), "token_revoked");
    }
    rows.row("items for others", table(&others()), "allow");
    let both = |not_before: i64, expires_at: i64| {
        table(&[with_number(with_number(by_jti(), "not_before", not_before), "expires_at", expires_at)])
    };
    for (row, answer, expected) in [
        ("not_before after iat", numbered("not_before", issued + 1), "token_revoked"),
        ("not_before after iat", numbered("not_before", now() + 3600), "token_revoked"),
        ("not_before equal to iat", numbered("not_before", issued), "token_revoked"),
        ("not_before before iat", numbered("not_before", issued - 1), "allow"),
        ("expires_at to come", numbered("expires_at", now() + 60), "token_revoked"),
        ("expires_at over", numbered("expires_at", now()), "allow"),
        ("expires_at over", numbered("expires_at", now() - 86_400), "allow"),
        ("not_before after iat, expires_at over", both(issued + 1, now() - 1), "allow"),
        ("not_before before iat, expires_at to come", both(issued - 1, now() + 60), "allow"),
    ] {
        rows.row_of(row, &issued_then, answer, expected);
    }
    let undated = Token::access().without("iat").text();
    rows.row_of("not_before, and a token without iat", &undated, numbered("not_before", 1), "token_revoked");
    for odd in [json!({ "S": "1" }), json!({ "NULL": true }), json!({ "N": "never" }), json!({ "L": [] })] {
        for name in ["not_before", "expires_at"] {
            let mut broken = by_jti();
            broken[name] = odd.clone();
            rows.row("not_before or expires_at that is no number", table(&[broken]), "token_revoked");
        }
    }
    let spares = with_number(item(&keys()[2]), "not_before", issued - 1);
    let (refuses, over) = (item(&keys()[3]), with_number(item(&keys()[3]), "expires_at", now() - 1));
    let (one_of_two, none_of_two) = (table(&[spares.clone(), refuses]), table(&[spares, over]));
    rows.row_of("of several items one that refuses", &issued_then, one_of_two, "token_revoked");
    rows.row_of("several items, none of which refuses", &issued_then, none_of_two, "allow");

    let text = || Token::access().text();
    let (clean, found) = ("keys left unprocessed, then read: no item", "keys left unprocessed, then read: an item");
    rows.rows_of(clean, &text(), [busy(), busy(), table(&[])], "allow");
    rows.rows_of(found, &text(), [busy(), busy(), table(&[by_jti()])], "token_revoked");
    for items in keys().map(|key| [item(&key)]) {
        let answers = [half_busy(&items), half_busy(&items), table(&items)];
        rows.rows_of(found, &text(), answers, "token_revoked");
    }
    rows.row("keys left unprocessed to the end", busy(), "revocations_unavailable");

    let throttles = "ProvisionedThroughputExceededException and other throttles";
    let ours = "ResourceNotFoundException, AccessDeniedException and what else is our own fault";
    let unknown = "any other error, or one without a name";
    for (row, answer) in [
        (throttles, error(400, DYNAMODB, "ProvisionedThroughputExceededException")),
        (throttles, error(400, DYNAMODB, "RequestLimitExceeded")),
        (throttles, error(400, CORAL, "ThrottlingException")),
        (ours, error(400, DYNAMODB, "ResourceNotFoundException")),
        (ours, error(400, CORAL, "AccessDeniedException")),
        (ours, error(400, CORAL, "UnrecognizedClientException")),
        (ours, error(400, CORAL, "ExpiredTokenException")),
        (ours, error(400, CORAL, "ValidationException")),
        (ours, error(400, CORAL, "MissingAuthenticationTokenException")),
        ("InternalServerError, 503", error(500, DYNAMODB, "InternalServerError")),
        ("InternalServerError, 503", error(503, CORAL, "ServiceUnavailable")),
        (unknown, error(400, DYNAMODB, "SomethingNewException")),
        (unknown, Answer::from(reply(400, &json!({})))),
    ] {
        rows.row(row, answer, "revocations_unavailable");
    }
    // An answer that does not say what it found has found nothing out.
    for answer in [
        json!({}),
        json!({ "UnprocessedKeys": {} }),
        json!({ "Responses": {} }),
        json!({ "Responses": null }),
        json!({ "Responses": { "another": [] } }),
    ] {
        rows.row("200 without the table in it", reply(200, &answer), "revocations_unavailable");
    }

    let nameless = fresh(Token::access()).without("jti").without("origin_jti").without("sub");
    rows.row_of("a token that names its client alone", &nameless.text(), table(&[]), "allow");
}

#[test]
fn an_identifier_that_is_no_text_is_no_way_past_the_table() {
    const OIDC: &str = "https://login.example.com";
    let stage = Stage::start(&format!(
        "issuers:
  - oidc: {{ issuer: {OIDC}, audience: \"api://orders\", jwks_uri: \"KEYS\" }}
  - cognito: {{ user_pool_id: us-east-1_AbCdEf123, client_ids: \"*\", token_use: [access, id], jwks_uri: \"KEYS\" }}
routes: {{ GET /items: {{}}, GET /admin: {{ introspect: true }} }}
{WITH_TABLE_ALWAYS}"
    ));
    let keys = |id: &str| {
        let by_issuer = [OIDC, ISSUER].map(|issuer| [format!("sub#{issuer}#{id}"), format!("client#{issuer}#{id}")]);
        [[format!("jti#{id}"), format!("origin_jti#{id}")], by_issuer[0].clone(), by_issuer[1].clone()].concat()
    };
    let revoked: Vec<Value> =
        ["42", "null", "true", "[\"42\"]", ""].iter().flat_map(|id| keys(id)).map(|pk| item(&pk)).collect();
    stage.stub.answer(BATCH_GET_ITEM, table(&revoked));
    let cases = Cases::default();
    for path in [OPEN, LIVE] {
        cases.check("a token that is not revoked", &stage.ask(path, &Token::oidc(OIDC).text()), "allow");
        for (token, client) in [
            (Token::oidc(OIDC), "azp"),
            (Token::oidc(OIDC), "client_id"),
            (Token::access(), "client_id"),
            (Token::machine(), "client_id"),
            (Token::id(), "aud"),
        ] {
            for (name, code) in [
                ("sub", "malformed_claims"),
                ("jti", "malformed_claims"),
                ("origin_jti", "malformed_claims"),
                (client, "wrong_client"),
            ] {
                let with = |value: Value| stage.ask(path, &token.clone().claim(name, value).text());
                cases.check(format!("{path} {name}: \"42\""), &with(json!("42")), "token_revoked");
                for value in [json!(42), json!(true), json!(["42"]), json!({}), json!("")] {
                    cases.check(format!("{path} {name}: {value}"), &with(value.clone()), code);
                }
                // Where no client is asked for, a null names none and hides none.
                let is_oidc = claim(&token, "iss") == OIDC;
                let null = if is_oidc && name == client { "allow" } else { code };
                cases.check(format!("{path} {name}: null"), &with(json!(null)), null);
            }
        }
    }
}

/// Items that are about somebody else, however much they look alike.
fn others() -> Vec<Value> {
    [
        format!("jti#{ORIGIN_JTI}"),
        format!("origin_jti#{JTI}"),
        format!("sub#{ISSUER}#{WRITER_SUB}"),
        format!("sub#https://login.example.com#{READER_SUB}"),
        format!("client#{ISSUER}#other-client"),
        format!("client#https://login.example.com#{CLIENT}"),
        format!("sub#{READER_SUB}"),
        READER_SUB.to_owned(),
        "jti#".to_owned(),
    ]
    .iter()
    .map(|key| item(key))
    .collect()
}

#[test]
fn one_consistent_batch_read_asks_for_all_that_could_name_the_token() {
    let stage = stage();
    assert_eq!(stage.ask_live(&Token::access()).outcome(), "allow");
    assert_eq!(stage.stub.calls(BATCH_GET_ITEM), 1);
    let request = stage.stub.last_request(BATCH_GET_ITEM);
    assert_eq!(request.header("x-amz-target"), Some("DynamoDB_20120810.BatchGetItem"));
    let authorization = request.header("authorization").expect("it is signed");
    assert!(authorization.contains("/us-east-1/dynamodb/aws4_request"), "{authorization}");
    let json = request_json(&request);
    assert_eq!(json["RequestItems"].as_object().unwrap().keys().collect::<Vec<_>>(), [TABLE]);
    assert_eq!(json["RequestItems"][TABLE]["ConsistentRead"], true);
    let mut asked = asked_for(&request);
    asked.sort();
    let mut expected = keys();
    expected.sort();
    assert_eq!(asked, expected);
}

#[test]
fn an_id_token_is_looked_up_by_the_client_in_its_aud() {
    let stage = stage();
    assert_eq!(stage.ask_live(&Token::id()).outcome(), "allow");
    let asked = asked_for(&stage.stub.last_request(BATCH_GET_ITEM));
    assert!(asked.contains(&format!("client#{ISSUER}#{CLIENT}")), "{asked:?}");
    assert_eq!(asked.len(), 4, "{asked:?}");
}

#[test]
fn unprocessed_keys_are_asked_for_again_and_those_alone() {
    let stage = stage();
    stage.stub.answers(BATCH_GET_ITEM, [half_busy(&[]), half_busy(&[]), table(&[])]);
    assert_eq!(stage.ask_live(&Token::access()).outcome(), "allow");
    let asked: Vec<Vec<String>> =
        stage.stub.requests(BATCH_GET_ITEM).iter().map(|request| asked_for(request)).collect();
    assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [4, 3, 2]);
    assert!(asked[0][1..] == asked[1] && asked[1][1..] == asked[2], "{asked:?}");
    for request in stage.stub.requests(BATCH_GET_ITEM) {
        assert_eq!(request_json(&request)["RequestItems"][TABLE]["ConsistentRead"], true);
    }
}

#[test]
fn a_busy_table_is_not_hammered() {
    let stage = stage();
    stage.stub.answer(BATCH_GET_ITEM, busy());
    let verdict = stage.ask_live(&Token::access());
    assert_eq!(verdict.outcome(), "revocations_unavailable");
    // The pauses double: a few calls fit into two seconds, not hundreds.
    let calls = stage.stub.calls(BATCH_GET_ITEM);
    assert!((4..=12).contains(&calls), "{calls} calls");
}

#[test]
fn a_table_for_all_routes_is_asked_on_all_of_them() {
    let stage = Stage::pool("", WITH_TABLE_ALWAYS);
    let cases = Cases::default();
    for path in [OPEN, LIVE] {
        stage.stub.answer(BATCH_GET_ITEM, table(&[]));
        let (verdict, calls) = stage.calls_of(BATCH_GET_ITEM, |stage| stage.ask(path, &token().text()));
        cases.check(path, &verdict, "allow");
        cases.equal(format!("{path}: calls"), calls, 1);
        stage.stub.answer(BATCH_GET_ITEM, table(&[item(&keys()[2])]));
        cases.check(format!("{path}: revoked"), &stage.ask(path, &token().text()), "token_revoked");
        stage.stub.answer(BATCH_GET_ITEM, error(400, CORAL, "AccessDeniedException"));
        cases.check(format!("{path}: an outage"), &stage.ask(path, &token().text()), "revocations_unavailable");
    }
    // What is refused anyway is not looked up.
    stage.stub.answer(BATCH_GET_ITEM, table(&[]));
    for (what, path, token) in [
        ("no scope", "/reports", token()),
        ("no route", "/nowhere", token()),
        ("expired", OPEN, token().claim("exp", json!(now() - 600))),
    ] {
        let (_, calls) = stage.calls_of(BATCH_GET_ITEM, |stage| stage.ask(path, &token.text()));
        cases.equal(format!("{what}: calls"), calls, 0);
    }
}

#[test]
fn by_default_the_table_is_for_live_routes_alone() {
    for section in [WITH_TABLE, "\nrevocations: { table: revocations, check: introspected }\n"] {
        let stage = Stage::pool("", section);
        stage.stub.answer(BATCH_GET_ITEM, table(&[item(&keys()[2])]));
        assert_eq!(stage.ask(OPEN, &token().text()).outcome(), "allow");
        assert_eq!(stage.stub.all_calls(), 0);
        assert_eq!(stage.ask(LIVE, &token().text()).outcome(), "token_revoked");
    }
}

#[test]
fn a_revocation_holds_from_the_next_request_on_whatever_is_cached() {
    let stage = Stage::pool("{ method: get_user, cache: 1h }", WITH_TABLE);
    let token = token();
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    stage.stub.answer(BATCH_GET_ITEM, table(&[item(&keys()[1])]));
    assert_eq!(stage.ask_live(&token).outcome(), "token_revoked");
    // And its end too: nothing of the table is remembered.
    stage.stub.answer(BATCH_GET_ITEM, table(&[]));
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    assert_eq!(stage.stub.calls(BATCH_GET_ITEM), 3);
}

#[test]
fn an_item_ends_at_its_second_and_not_when_it_is_deleted() {
    let stage = stage();
    let end = now() + 3;
    stage.stub.answer(BATCH_GET_ITEM, table(&[with_number(item(&keys()[0]), "expires_at", end)]));
    assert_eq!(stage.ask_live(&Token::access()).outcome(), "token_revoked");
    while now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(stage.ask_live(&Token::access()).outcome(), "allow");
}

#[test]
fn a_token_that_nothing_could_name_is_not_introspectable() {
    let stage = Stage::start(
        "issuers: [{ oidc: { issuer: https://login.example.com, audience: \"api://orders\", jwks_uri: \"KEYS\" } }]
routes: { GET /admin: { introspect: true } }
revocations: { table: revocations }
",
    );
    let nameless = Token::oidc("https://login.example.com").without("sub").without("azp").without("jti");
    assert_eq!(stage.ask_live(&nameless).outcome(), "not_introspectable");
    assert_eq!(stage.stub.calls(BATCH_GET_ITEM), 0);
    let sub = nameless.claim("sub", json!("user-7"));
    assert_eq!(stage.ask_live(&sub).outcome(), "allow");
    assert_eq!(asked_for(&stage.stub.last_request(BATCH_GET_ITEM)), ["sub#https://login.example.com#user-7"]);
}

#[test]
fn without_credentials_nothing_is_known() {
    let stage = Stage::start_with(&pool("", WITH_TABLE), Credentials::None, &[]);
    assert_eq!(stage.ask(LIVE, &token().text()).outcome(), "revocations_unavailable");
    assert_eq!(stage.stub.calls(BATCH_GET_ITEM), 0);
}

#[test]
fn the_tables_name_comes_from_the_configuration() {
    let stage = Stage::pool("", "\nrevocations: { table: another-table }\n");
    let elsewhere = json!({ "Responses": { "another-table": [item("jti#x")] }, "UnprocessedKeys": {} });
    stage.stub.answer(BATCH_GET_ITEM, Answer::from(reply(200, &elsewhere)));
    // DynamoDB sends what was asked for; that it was found is enough.
    assert_eq!(stage.ask_live(&Token::access()).outcome(), "token_revoked");
    let json = request_json(&stage.stub.last_request(BATCH_GET_ITEM));
    assert_eq!(json["RequestItems"].as_object().unwrap().keys().collect::<Vec<_>>(), ["another-table"]);
}
