//! The `revoker` as Lambda runs it: events of CloudTrail in, entries in the table out.

use crate::emf::Emf;
use crate::ministack::{MiniStack, TABLE};
use crate::runtime_api::{Function, Setup};
use crate::stub::{PUT_ITEM, Stub};
use crate::verdict::Answer;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const PROGRAM: &str = env!("CARGO_BIN_EXE_revoker");
const POOL: &str = "us-east-1_AbCdEf123";
const SUB: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
const OLDER: &str =
    "sub#https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123#11111111-aaaa-4bbb-8ccc-000000000001";
const NEWER: &str =
    "sub#https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123#11111111-aaaa-4bbb-8ccc-000000000001";
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
const A_DAY_AND_A_MINUTE: i64 = 24 * 60 * 60 + 60;

/// What EventBridge sends for a call of an operator, `seconds` ago.
fn event(operation: &str, seconds: u64) -> (Value, i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = i64::try_from(now.as_secs() - seconds).unwrap();
    let time = aws_sdk_dynamodb::primitives::DateTime::from_secs(at);
    let event = json!({
        "version": "0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.cognito-idp",
        "region": "us-east-1",
        "detail": {
            "eventSource": "cognito-idp.amazonaws.com",
            "eventName": operation,
            "eventTime": time.to_string(),
            "eventID": "b9b5a2f0-9c0e-4f0c-8d05-6f4f6b7c2d10",
            "userIdentity": { "type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/support/ada" },
            "sourceIPAddress": "192.0.2.99",
            "requestParameters": { "userPoolId": POOL, "username": "rita@example.com" },
            "additionalEventData": { "sub": SUB },
            "eventType": "AwsApiCall",
        },
    });
    (event, at)
}

fn start(environment: Vec<(String, String)>, pools: &str) -> Function {
    let setup = Setup::bare().program(PROGRAM).env("USER_POOL_IDS", pools);
    environment.iter().fold(setup, |setup, (name, value)| setup.env(name, value)).start()
}

#[track_caller]
fn succeeds(function: &Function, event: &Value) {
    let (_, answer) = function.send(&event.to_string());
    assert!(matches!(answer, Answer::Response(_)), "{answer:?}");
}

#[track_caller]
fn fails(function: &Function, event: &Value, message: &str) {
    match function.send(&event.to_string()) {
        (_, Answer::Error(text)) => {
            let error: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(error["errorType"], "not_revoked");
            assert!(error["errorMessage"].as_str().unwrap().contains(message), "{text}");
        }
        (_, Answer::Response(text)) => panic!("it succeeded: {text}"),
    }
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn a_sign_out_becomes_an_entry_under_both_issuers_once_or_often() {
    let ministack = MiniStack::start().await;
    let function = start(ministack.environment(), "");
    let (first, at) = event("AdminUserGlobalSignOut", 300);
    for _ in 0..2 {
        succeeds(&function, &first);
        for pk in [OLDER, NEWER] {
            assert_eq!(ministack.date(pk, "not_before").await, Some(at));
            assert_eq!(ministack.date(pk, "expires_at").await, Some(at + A_DAY_AND_A_MINUTE));
            assert_eq!(ministack.date(pk, "revoked_at").await, Some(at));
        }
    }
    let item = ministack.item(OLDER).await.unwrap();
    assert_eq!(item["revoked_by"].as_s().unwrap(), "revoker");
    let reason = item["reason"].as_s().unwrap();
    assert_eq!(reason, "AdminUserGlobalSignOut (CloudTrail event b9b5a2f0-9c0e-4f0c-8d05-6f4f6b7c2d10)");

    // Later ones move it on; one that comes late does not move it back.
    let (later, later_at) = event("AdminDisableUser", 10);
    succeeds(&function, &later);
    succeeds(&function, &first);
    assert_eq!(ministack.date(OLDER, "not_before").await, Some(later_at));
    assert_eq!(ministack.date(OLDER, "expires_at").await, Some(later_at + A_DAY_AND_A_MINUTE));

    // An event whose tokens have all expired, out of the dead-letter queue, writes nothing.
    let (mut old, _) = event("AdminDisableUser", 3 * 24 * 60 * 60);
    old["detail"]["additionalEventData"]["sub"] = json!("another");
    succeeds(&function, &old);
    assert_eq!(ministack.count().await, 2);

    // The log names the user by `sub` alone, and nobody else.
    let said = function.everything_said().join("\n");
    assert!(said.contains(SUB) && said.contains("\"operation\":\"AdminDisableUser\""), "{said}");
    for personal in ["rita", "ada", "192.0.2.99"] {
        assert!(!said.contains(personal), "{said}");
    }
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn a_users_own_sign_out_is_meant_for_the_configured_pools() {
    let ministack = MiniStack::start().await;
    let (mut own, _) = event("GlobalSignOut", 5);
    own["detail"]["requestParameters"] = json!({ "accessToken": HIDDEN });
    own["detail"]["userIdentity"] = json!({ "type": "Unknown", "principalId": "Anonymous" });

    let function = start(ministack.environment(), "");
    fails(&function, &own, "the event names no user pool, and USER_POOL_IDS is empty");
    assert_eq!(ministack.count().await, 0);

    let function = start(ministack.environment(), &format!("{POOL}, us-east-1_Other"));
    succeeds(&function, &own);
    assert_eq!(ministack.count().await, 4);
    assert!(ministack.item(OLDER).await.is_some() && ministack.item(NEWER).await.is_some());

    // What happens in another pool is none of its business.
    let (mut elsewhere, _) = event("AdminDeleteUser", 5);
    elsewhere["detail"]["requestParameters"]["userPoolId"] = json!("us-east-1_Third");
    succeeds(&function, &elsewhere);
    assert_eq!(ministack.count().await, 4);
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn further_issuers_have_entries_too() {
    let ministack = MiniStack::start().await;
    let mut environment = ministack.environment();
    environment.push(("REVOKER_ISSUERS".into(), "https://replica.example".into()));
    succeeds(&start(environment, POOL), &event("DeleteUser", 5).0);
    assert_eq!(ministack.count().await, 3);
    assert!(ministack.item(&format!("sub#https://replica.example#{SUB}")).await.is_some());
}

#[test]
fn what_does_not_reach_the_table_fails_and_the_next_event_is_heard() {
    let stub = Stub::start();
    let function = start(stub.environment(), POOL);
    let (event, _) = event("AdminDisableUser", 5);
    stub.fail(PUT_ITEM, "AccessDeniedException", "not authorized to perform: dynamodb:PutItem");
    fails(&function, &event, "PutItem: AccessDeniedException: not authorized");
    stub.fail(PUT_ITEM, "ResourceNotFoundException", "Requested resource not found");
    fails(&function, &event, "ResourceNotFoundException");
    let mut nobody = event.clone();
    nobody["detail"]["additionalEventData"] = json!({ "sub": HIDDEN });
    fails(&function, &nobody, "an event of AdminDisableUser without additionalEventData.sub");
    // A condition that fails without an item to show is no success either.
    stub.fail(PUT_ITEM, "ConditionalCheckFailedException", "The conditional request failed");
    fails(&function, &event, "changed by others");
    stub.answer(PUT_ITEM, 200, json!({}));
    succeeds(&function, &event);
    // Nothing else was asked for: its role allows nothing else.
    assert_eq!(stub.count(), stub.requests(PUT_ITEM).len());
}

#[test]
fn entries_that_are_written_are_counted_where_a_namespace_is_set() {
    let stub = Stub::start();
    let environment = |namespace: &str| {
        let mut environment = stub.environment();
        environment.push(("METRICS_NAMESPACE".into(), namespace.into()));
        environment
    };
    let (event, _) = event("AdminDisableUser", 5);
    for quiet in [start(stub.environment(), POOL), start(environment(""), POOL)] {
        succeeds(&quiet, &event);
        quiet.end();
        assert!(!quiet.everything_said().join("").contains("_aws"));
    }

    let function = start(environment("Shop/Authorizer"), POOL);
    // Two entries; then none, since nothing is written, and nothing is said of it; then two again.
    succeeds(&function, &event);
    stub.fail(PUT_ITEM, "AccessDeniedException", "not authorized to perform: dynamodb:PutItem");
    fails(&function, &event, "AccessDeniedException");
    stub.answer(PUT_ITEM, 200, json!({}));
    succeeds(&function, &event);
    function.end();
    let lines = function.metric_lines(2);
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        let emf = Emf::parse(&line);
        assert_eq!((emf.namespace.as_str(), emf.values("RevocationsWritten")), ("Shop/Authorizer", &[2.0][..]));
        assert!(emf.labels.is_empty() && emf.metrics.len() == 1 && !line.contains(SUB));
    }
}

#[test]
fn what_ends_no_tokens_is_left_alone() {
    let stub = Stub::start();
    let function = start(stub.environment(), POOL);
    let mut failed = event("AdminDisableUser", 5).0;
    failed["detail"]["errorCode"] = json!("UserNotFoundException");
    for event in [failed, event("AdminEnableUser", 5).0, event("RevokeToken", 5).0, json!({}), json!(null)] {
        succeeds(&function, &event);
    }
    assert_eq!(stub.count(), 0);
}

#[test]
fn without_a_table_or_with_a_pool_that_is_none_it_does_not_start() {
    let bare = || Setup::bare().program(PROGRAM);
    let refused = bare().refused().expect("it must not start");
    assert!(!refused.status.success() && refused.output.contains("REVOCATIONS_TABLE is not set"), "{}", refused.output);
    let refused = bare().env("REVOCATIONS_TABLE", TABLE).env("USER_POOL_IDS", "nonsense").refused().expect("nor here");
    assert!(refused.output.contains("`nonsense` is no user pool's id"), "{}", refused.output);
    let refused = bare().env("METRICS_NAMESPACE", "AWS/Lambda").refused().expect("nor here");
    assert!(refused.output.contains("METRICS_NAMESPACE"), "{}", refused.output);
}
