//! `authctl key`: what it prints, what it writes, and what it never shows.

use crate::authctl::{Authctl, PROGRAM, Run};
use crate::ministack::MiniStack;
use crate::stub::{PUT_ITEM, Stub};
use aws_sdk_dynamodb::types::AttributeValue;
use cognito_authorizer::credentials::ApiKey;
use cognito_authorizer::live::{KeyId, KeyRecord};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

const GET_ITEM: &str = "DynamoDB_20120810.GetItem";
const SCAN: &str = "DynamoDB_20120810.Scan";
const UPDATE_ITEM: &str = "DynamoDB_20120810.UpdateItem";
const TRANSACT: &str = "DynamoDB_20120810.TransactWriteItems";

const ID: &str = "0123456789ABCDEF";
const HASH: &str = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";
const KEY: &str = "cak_0123456789ABCDEF_GHIJKLMNOPQRSTUVWXYZabcdefghijklesA8sU";

fn stage() -> (Stub, Authctl) {
    let stub = Stub::start();
    let mut authctl = Authctl::with(stub.environment()).env("KEYS_TABLE", "keys");
    for secret in [HASH, KEY, &KEY[21..], "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"] {
        authctl.never_shows(secret);
    }
    (stub, authctl)
}

/// The key on the first line.
fn printed(run: &Run) -> String {
    run.stdout.lines().next().unwrap().to_owned()
}

fn item() -> Value {
    json!({
        "pk": { "S": format!("key#{ID}") },
        "sha256": { "S": HASH },
        "sub": { "S": "partner-a" },
        "groups": { "SS": ["partners"] },
        "claims": { "M": { "plan": { "S": "gold" } } },
        "created_at": { "N": "1763726400" },
    })
}

#[test]
fn a_key_is_printed_once_and_only_its_hash_is_written() {
    let (stub, authctl) = stage();
    let arguments = [
        "key",
        "create",
        "--sub",
        "partner-a",
        "--scope",
        "a",
        "--scope",
        "b c",
        "--group",
        "partners",
        "--claim",
        "plan=gold",
        "--usage-identifier-key",
        "plan-key-0123456789",
        "--not-after",
        "90d",
    ];
    let run = authctl.does(&arguments, "", &["shown this once", "valid until"]);
    let text = printed(&run);
    let key = ApiKey::parse(&text).unwrap();
    let [request] = stub.requests(PUT_ITEM).try_into().unwrap();
    assert!(!request.to_string().contains(&text));
    assert_eq!(request["ConditionExpression"], "attribute_not_exists(pk)");
    let item = &request["Item"];
    let hash: String = key.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    let (created, end) = (number(&item["created_at"]), number(&item["not_after"]));
    assert_eq!(end - created, 90 * 86_400);
    let expected = json!({
        "pk": { "S": format!("key#{}", key.id()) },
        "sha256": { "S": hash },
        "sub": { "S": "partner-a" },
        "scope": { "S": "a b c" },
        "groups": { "SS": ["partners"] },
        "claims": { "M": { "plan": { "S": "gold" } } },
        "usage_identifier_key": { "S": "plan-key-0123456789" },
        "created_at": item["created_at"],
        "not_after": item["not_after"],
        "expires_at": { "N": (end + 30 * 86_400).to_string() },
    });
    assert_eq!(item, &expected);
    assert_eq!(stub.count(), 1);
}

fn number(value: &Value) -> i64 {
    value["N"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_prefix_of_ones_own_begins_the_key() {
    let (_stub, authctl) = stage();
    let run = authctl.does(&["key", "create", "--client-id", "acme", "--prefix", "acme2"], "", &["acme2_"]);
    assert!(ApiKey::parse(&printed(&run)).is_ok());
    authctl.fails(&["key", "create", "--sub", "a", "--prefix", "Acme"], "", "--prefix must be");
}

#[test]
fn what_the_authorizer_would_refuse_is_not_written() {
    let (stub, authctl) = stage();
    for (arguments, complaint) in [
        (&["--sub", "a", "--claim", "exp=1"] as &[&str], "`claims` has a name that is reserved"),
        (&["--sub", ""], "`sub` is not a text, or empty"),
        (&["--sub", "a", "--claim", "x=1", "--claim", "x=2"], "--claim names a claim twice"),
        (&["--sub", "a", "--claim", "x"], "must be NAME=VALUE"),
        (&["--sub", "a", "--not-after", "2020-01-01T00:00:00Z"], "--not-after is in the past"),
        (&["--sub", "a", "--not-after", "soon"], "must be a time such as"),
        (&["--group", "g"], "required"),
    ] {
        let run = authctl.fails(&[&["key", "create"], arguments].concat(), "", complaint);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
    assert_eq!(stub.count(), 0);
}

#[test]
fn a_key_that_may_not_be_in_the_table_is_not_printed() {
    let (stub, authctl) = stage();
    stub.fail(PUT_ITEM, "AccessDeniedException", "no");
    let run = authctl.fails(&["key", "create", "--sub", "a"], "", "no key was made: PutItem: AccessDeniedException");
    assert_eq!(run.stdout, "");
    let authctl = Authctl::with(stub.environment());
    authctl.fails(&["key", "create", "--sub", "a"], "", "no table: give --table or KEYS_TABLE");
}

#[test]
fn a_list_and_a_record_show_everything_but_the_hash() {
    let (stub, authctl) = stage();
    let mut over = item();
    over["pk"] = json!({ "S": "key#over" });
    over["not_after"] = json!({ "N": "1763726401" });
    let mut broken = item();
    broken["pk"] = json!({ "S": "key#broken\u{1b}[2J" });
    broken["disabled"] = json!({ "S": HASH });
    let signs = json!({
        "pk": { "S": "key#signs" }, "algorithm": { "S": "ed25519" }, "public_key": { "S": "k" }, "sub": { "S": "b" },
    });
    let other = json!({ "pk": { "S": "jti#x" } });
    stub.answer(SCAN, 200, json!({ "Items": [item(), over, broken, signs, other], "Count": 5, "ScannedCount": 5 }));
    let run = authctl.does(&["key", "list"], "", &[
        "0123456789ABCDEF\n    API key: the key is valid, made 2025-11-21T12:00:00Z\n    groups: [\"partners\"]\n    sub: partner-a\n",
        "over\n    API key: the key has expired",
        "cannot be read, and allows nothing",
        "signs\n    signs requests by ed25519: the key is valid",
        "2 valid, 2 not",
    ]);
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains("jti#"), "{}", run.stdout);
    stub.answer(GET_ITEM, 200, json!({ "Item": item() }));
    authctl.does(&["key", "show", ID], "", &["plan: gold", "sub: partner-a"]);
    stub.answer(GET_ITEM, 200, json!({}));
    authctl.fails(&["key", "show", ID], "", "the table has no key of that id");
}

#[test]
fn a_whole_key_in_place_of_its_id_is_neither_taken_nor_repeated() {
    let (stub, authctl) = stage();
    for what in ["show", "disable", "rotate"] {
        authctl.fails(&["key", what, KEY], "", "this is a whole key: give its id");
    }
    authctl.fails(&["key", "list", KEY], "", "unexpected argument");
    authctl.fails(&["key", KEY], "", "unrecognized subcommand");
    authctl.fails(&["key", "show", "a#b"], "", "an id has 1 to 128 visible characters");
    assert_eq!(stub.count(), 0);
}

#[test]
fn disabling_a_key_that_is_not_there_makes_none() {
    let (stub, authctl) = stage();
    authctl.does(&["key", "disable", ID], "", &["0123456789ABCDEF is disabled"]);
    let [request] = stub.requests(UPDATE_ITEM).try_into().unwrap();
    assert_eq!(request["ConditionExpression"], "attribute_exists(pk)");
    assert_eq!(request["Key"], json!({ "pk": { "S": format!("key#{ID}") } }));
    stub.fail(UPDATE_ITEM, "ConditionalCheckFailedException", "The conditional request failed");
    authctl.fails(&["key", "disable", ID], "", "the table has no key of that id");
}

#[test]
fn rotation_makes_a_second_key_with_the_same_record_and_ends_the_first_in_one_transaction() {
    let (stub, authctl) = stage();
    stub.answer(GET_ITEM, 200, json!({ "Item": item() }));
    let run = authctl.does(&["key", "rotate", ID, "--overlap", "7d"], "", &["0123456789ABCDEF is valid until"]);
    let text = printed(&run);
    let key = ApiKey::parse(&text).unwrap();
    let [request] = stub.requests(TRANSACT).try_into().unwrap();
    assert!(!request.to_string().contains(&text));
    let (put, update) = (&request["TransactItems"][0]["Put"], &request["TransactItems"][1]["Update"]);
    let mut expected = item();
    let hash: String = key.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    expected["pk"] = json!({ "S": format!("key#{}", key.id()) });
    expected["sha256"] = json!({ "S": hash });
    expected["created_at"] = put["Item"]["created_at"].clone();
    assert_eq!(put["Item"], expected);
    let values = &update["ExpressionAttributeValues"];
    assert_eq!(number(&values[":not_after"]) - number(&expected["created_at"]), 7 * 86_400);
    assert_eq!(values[":sha256"], json!({ "S": HASH }));
    assert_eq!(update["ConditionExpression"], "sha256 = :sha256");
    stub.fail(TRANSACT, "TransactionCanceledException", "one of them");
    let run = authctl.fails(&["key", "rotate", ID], "", "nothing was changed: TransactWriteItems");
    assert_eq!(run.stdout, "");
}

#[test]
fn a_key_that_is_not_valid_or_no_api_key_is_not_rotated() {
    let (stub, authctl) = stage();
    let with = |name: &str, value: Value| {
        let mut item = item();
        item[name] = value;
        json!({ "Item": item })
    };
    let signs =
        json!({ "Item": { "pk": { "S": format!("key#{ID}") }, "algorithm": { "S": "ed25519" }, "sub": { "S": "b" } } });
    let ends = |at: f64| json!({ "N": format!("{at:.0}") });
    let now = cognito_authorizer::time::now().unwrap().as_f64().floor();
    for (answer, complaint) in [
        (json!({}), "the table has no key of that id"),
        (with("disabled", json!({ "BOOL": true })), "the key is disabled: make a new one"),
        (with("not_after", ends(now - 1.0)), "the key has expired: make a new one"),
        (with("not_after", ends(now + 3600.0)), "the new key would end no later than the old one"),
        (with("disabled", json!({ "N": "0" })), "the authorizer could not read it: `disabled` is not a boolean"),
        (signs, "the key of signed requests, not an API key"),
    ] {
        stub.answer(GET_ITEM, 200, answer);
        authctl.fails(&["key", "rotate", ID], "", complaint);
    }
    assert!(stub.requests(TRANSACT).is_empty());
    stub.answer(GET_ITEM, 200, with("not_after", ends(now + 3600.0)));
    authctl.does(&["key", "rotate", ID, "--not-after", "365d"], "", &["is valid until"]);
    let [request] = stub.requests(TRANSACT).try_into().unwrap();
    let old = number(&request["TransactItems"][1]["Update"]["ExpressionAttributeValues"][":not_after"]);
    assert!(old <= now as i64 + 3600, "the first key's own end stays where it is earlier: {old}");
}

/// What the page shows, against a table of DynamoDB's.
#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn the_life_of_a_key_in_a_real_table() {
    let ministack = MiniStack::start().await;
    let authctl = Authctl::with(ministack.environment()).env("KEYS_TABLE", crate::ministack::TABLE);
    let create = ["key", "create", "--sub", "partner-a", "--group", "partners", "--claim", "plan=gold"];
    let first = printed(&authctl.does(&create, "", &[]));
    let first = ApiKey::parse(&first).unwrap();
    let record = record(&ministack, first.id()).await;
    assert_eq!((record.fault(cognito_authorizer::time::now().unwrap()), record.is_disabled()), (None, false));
    authctl.does(&["key", "show", first.id()], "", &["plan: gold"]);
    let second = printed(&authctl.does(&["key", "rotate", first.id(), "--overlap", "7d"], "", &[]));
    let second = ApiKey::parse(&second).unwrap();
    let (old, new) = (self::record(&ministack, first.id()).await, self::record(&ministack, second.id()).await);
    assert!(old.not_after().is_some() && new.not_after().is_none());
    assert_eq!(old.claims(), new.claims());
    authctl.does(&["key", "disable", first.id()], "", &[]);
    assert!(self::record(&ministack, first.id()).await.is_disabled());
    authctl.does(&["key", "list"], "", &["1 valid, 1 not", "the key is disabled"]);
    authctl.fails(&["key", "disable", "nobody"], "", "the table has no key of that id");
}

/// The page's ```sh block, against a table of DynamoDB's.
#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn the_commands_of_the_page_work_as_they_are_written_there() {
    let page = include_str!("../../../docs/credentials.md");
    let section = page.split_once("\n### Keys with authctl\n").unwrap().1.split("\n### ").next().unwrap();
    let script = section.split_once("\n```sh\n").unwrap().1.split("\n```").next().unwrap();
    let ministack = MiniStack::start().await;
    let authctl = Authctl::with(ministack.environment()).env("KEYS_TABLE", crate::ministack::TABLE);
    let key = printed(&authctl.does(&["key", "create", "--sub", "partner-a"], "", &[]));
    let output = Command::new("/bin/sh")
        .args(["-euc", script])
        .env_clear()
        .envs(ministack.environment())
        .env("PATH", Path::new(PROGRAM).parent().unwrap())
        .env("KEYS_TABLE", crate::ministack::TABLE)
        .env("KEY_ID", ApiKey::parse(&key).unwrap().id())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{}{complaint}", String::from_utf8_lossy(&output.stdout));
}

async fn record(ministack: &MiniStack, id: &str) -> KeyRecord {
    let id = KeyId::parse(id).unwrap();
    let item: HashMap<String, AttributeValue> = ministack.item(&id.partition_key()).await.unwrap();
    KeyRecord::read(id, &item).unwrap()
}
