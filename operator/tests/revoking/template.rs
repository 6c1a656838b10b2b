//! The rule of the template lets through what the `revoker` acts on, and its role what it does.

use cognito_authorizer_operator::revoking::Notice;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

const TEMPLATE: &str = "template.yaml";

fn template() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(TEMPLATE)).unwrap()
}

/// The text of one resource.
fn resource(name: &str) -> String {
    let template = template();
    let rest = template.split_once(&format!("\n  {name}:\n")).unwrap_or_else(|| panic!("no {name}")).1;
    rest.lines().take_while(|line| line.is_empty() || line.starts_with("   ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_rule_names_the_operations_that_end_tokens() {
    let function = resource("RevokerFunction");
    let list = function.split_once("eventName:\n").unwrap().1;
    let rows = list.lines().map_while(|line| line.trim().strip_prefix("- "));
    let named: BTreeSet<_> = rows.map(str::to_owned).collect();
    assert_eq!(named, Notice::OPERATIONS.map(str::to_owned).into());
    for operation in named {
        let detail = json!({
            "eventSource": "cognito-idp.amazonaws.com",
            "eventName": operation,
            "eventTime": "2026-11-21T12:00:00Z",
            "additionalEventData": { "sub": "s" },
        });
        assert!(matches!(Notice::read(&json!({ "detail": detail })), Ok(Notice::SignedOut(_))), "{operation}");
    }
}

#[test]
fn each_function_may_do_what_it_does_and_nothing_else() {
    for (function, allowed) in [
        ("RevokerFunction", ["dynamodb:PutItem", "[kms:Decrypt, kms:GenerateDataKey]"].as_slice()),
        (
            "AuthorizerFunction",
            &[
                "dynamodb:BatchGetItem",
                "dynamodb:GetItem",
                "kms:Decrypt",
                "cognito-idp:AdminGetUser",
                "[verifiedpermissions:IsAuthorized, verifiedpermissions:IsAuthorizedWithToken]",
            ],
        ),
    ] {
        let text = resource(function);
        let actions: Vec<_> = text.lines().filter_map(|line| line.trim().strip_prefix("Action: ")).collect();
        assert_eq!(actions, allowed, "{function}");
        assert!(!text.contains("Resource: \"*\"") && !text.contains("Resource: '*'"), "{function}");
    }
}

#[test]
fn entries_end_by_their_own_date_and_the_table_can_be_restored() {
    let table = resource("RevocationsTable");
    for property in [
        "BillingMode: PAY_PER_REQUEST",
        "{ AttributeName: pk, KeyType: HASH }",
        "TimeToLiveSpecification: { AttributeName: expires_at, Enabled: true }",
        "PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }",
        "DeletionPolicy: Retain",
    ] {
        assert!(table.contains(property), "{property}");
    }
}
