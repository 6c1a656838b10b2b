//! What is added, what is not, and which sign-ins fail.

use crate::stage::{GET_ITEM, Stage, machine, reply, table, text, user};
use serde_json::{Value, json};

#[test]
fn claims_come_from_attributes_groups_and_metadata() {
    let stage = Stage::new(
        "
claims:
  plan: { attribute: custom:plan }
  level: { by_group: { gold: 3, silver: 2 } }
  tenant: { group_prefix: tenant- }
  device: { client_metadata: device }
  nothing: { attribute: custom:none }
",
    );
    let mut event = user(&["silver", "tenant-b", "gold", "tenant-a", "tenant-"]);
    event["request"]["clientMetadata"] = json!({ "device": "phone" });
    // The first group of the file counts, whatever the event's order.
    let expected = json!({ "device": "phone", "level": 3, "plan": "secret-value", "tenant": ["a", "b"] });
    assert_eq!(stage.claims(&event), expected);
    assert_eq!(stage.claims(&user(&[])), json!({ "plan": "secret-value" }));
    assert_eq!(stage.stub.all_calls(), 0);
    let lines = stage.log();
    let line = lines.iter().find(|line| line["message"] == "enriched").unwrap();
    assert_eq!(line["access_claims"], "device level plan tenant");
    assert_eq!((&line["version"], &line["trigger"]), (&json!("V2_0"), &json!("TokenGeneration_HostedAuth")));
}

#[test]
fn each_token_gets_what_is_meant_for_it() {
    let stage = Stage::new(
        "claims: { a: { group_prefix: x }, b: { group_prefix: x, tokens: id }, c: { group_prefix: x, tokens: [access, id] } }",
    );
    let changes = stage.changes(&user(&["xy"]));
    let names = |token: &str| {
        changes[token]["claimsToAddOrOverride"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!((names("accessTokenGeneration").as_str(), names("idTokenGeneration").as_str()), ("a c", "b c"));
}

#[test]
fn a_scope_that_is_suppressed_is_added_by_nobody() {
    let stage = Stage::new(
        "
scopes:
  - { group: editors, add: [write, read] }
  - { group: guests, suppress: [write, admin] }
  - { not_group: admins, suppress: admin }
",
    );
    let scopes = |event: &Value| {
        let access = stage.changes(event)["accessTokenGeneration"].clone();
        (access["scopesToAdd"].clone(), access["scopesToSuppress"].clone())
    };
    for (groups, add, suppress) in [
        (&["editors", "admins"][..], json!(["read", "write"]), json!([])),
        (&["editors"], json!(["read", "write"]), json!(["admin"])),
        (&["editors", "guests"], json!(["read"]), json!(["admin", "write"])),
        (&["Editors"], json!([]), json!(["admin"])),
        (&[], json!([]), json!(["admin"])),
    ] {
        assert_eq!(scopes(&user(groups)), (add, suppress), "{groups:?}");
    }
    // Rules of groups are about users.
    assert_eq!(scopes(&machine()), (json!([]), json!([])));
}

#[test]
fn a_required_claim_without_a_value_fails_the_sign_in_of_whom_it_is_about() {
    let stage = Stage::new("claims: { tenant: { group_prefix: tenant-, required: true } }");
    stage.refuses(&user(&["other"]), "claim_missing");
    stage.refuses(&user(&["tenant-"]), "claim_missing");
    assert_eq!(stage.claims(&user(&["tenant-a"])), json!({ "tenant": ["a"] }));
    assert_eq!(stage.claims(&machine()), json!({}));
    assert!(stage.log().iter().any(|line| line["reason"] == "claim_missing"));
}

#[test]
fn an_attribute_never_stands_in_for_a_claim_that_has_no_value() {
    let stage = Stage::new(
        "lookup: { table: tenants, user_key: 'user#{sub}' }\nclaims: { profile: { item: profile, tokens: id } }",
    );
    stage.stub.answer(GET_ITEM, table(&[]));
    let changes = stage.changes(&user(&[]));
    assert_eq!(changes["idTokenGeneration"]["claimsToSuppress"], json!(["profile"]));
    let mut without = user(&[]);
    without["request"]["userAttributes"].as_object_mut().unwrap().remove("profile");
    assert_eq!(stage.changes(&without)["idTokenGeneration"]["claimsToSuppress"], json!([]));
}

#[test]
fn more_than_the_limits_is_refused_and_never_cut() {
    let stage = Stage::new("claims: { a: { attribute: custom:plan }, b: { group_prefix: x } }\nlimits: { claims: 1 }");
    stage.refuses(&user(&["xy"]), "too_large");
    assert_eq!(stage.claims(&user(&[])), json!({ "a": "secret-value" }));

    // {"a":"..."} and the scope with its separator.
    let stage =
        Stage::new("claims: { a: { attribute: custom:plan } }\nscopes: [{ group: g, add: s }]\nlimits: { bytes: 100 }");
    let with = |length: usize, groups: &[&str]| {
        let mut event = user(groups);
        event["request"]["userAttributes"]["custom:plan"] = json!("x".repeat(length));
        event
    };
    assert!(stage.claims(&with(92, &[])).is_object());
    stage.refuses(&with(93, &[]), "too_large");
    assert!(stage.claims(&with(90, &["g"])).is_object());
    stage.refuses(&with(91, &["g"]), "too_large");
    assert!(stage.log().iter().any(|line| line["detail"] == "more bytes than `limits.bytes`"));
}

#[test]
fn an_event_of_version_one_says_that_the_access_token_stays_as_it_is() {
    let stage = Stage::new(
        "claims: { a: { group_prefix: x, tokens: [access, id] } }\nscopes: [{ group: g, add: s }, { group: guests, suppress: s }]",
    );
    let version_one = |groups: &[&str]| {
        let mut event = user(groups);
        event["version"] = json!("1");
        event["request"].as_object_mut().unwrap().remove("scopes");
        event["response"] = json!({ "claimsOverrideDetails": null });
        event
    };
    let answer = stage.answer(&version_one(&["xy", "g"]));
    assert_eq!(
        answer["response"],
        json!({ "claimsOverrideDetails": {
            "claimsToAddOrOverride": { "a": "[\"y\"]" },
            "claimsToSuppress": [],
            "groupOverrideDetails": { "groupsToOverride": ["xy", "g"], "iamRolesToOverride": [], "preferredRole": null },
        } })
    );
    stage.answer(&version_one(&[]));
    // A scope that must go would stay.
    stage.refuses(&version_one(&["guests"]), "version_too_low");
    let lines = stage.log();
    let said: Vec<_> = lines.iter().filter_map(|line| line["access_token"].as_str()).collect();
    assert_eq!(said.len(), 2, "{lines:#?}");
    assert!(said[0].starts_with("unchanged: V1_0 changes ID tokens alone") && said[1] == "unchanged", "{said:?}");
}

#[test]
fn what_cognito_does_not_send_is_refused_and_the_next_event_is_answered() {
    let stage = Stage::new("claims: { a: { attribute: custom:plan } }");
    for event in [json!({}), json!(null), json!([]), json!("x"), json!({ "version": "2" })] {
        stage.refuses(&event, "malformed_event");
    }
    let mut of_another_type = user(&[]);
    of_another_type["request"]["userAttributes"]["custom:plan"] = json!({ "a": 1 });
    stage.refuses(&of_another_type, "malformed_event");
    let mut unknown = user(&[]);
    unknown["later"] = json!({ "member": [1] });
    assert_eq!(stage.answer(&unknown)["later"], unknown["later"]);
}

#[test]
fn nothing_personal_is_in_the_log_or_in_an_error() {
    let stage = Stage::new(
        "
lookup: { table: tenants, user_key: 'user#{sub}' }
claims: { tenant: { item: tenant }, plan: { attribute: custom:plan, required: true } }
",
    );
    stage.stub.answer(GET_ITEM, table(&[(&format!("user#{}", crate::stage::SUB), json!({ "tenant": text("acme") }))]));
    assert_eq!(stage.claims(&user(&[])), json!({ "plan": "secret-value", "tenant": "acme" }));
    let words = json!({ "__type": "com.amazonaws.dynamodb.v20120810#ValidationException", "message": "rita at acme" });
    stage.stub.answer(GET_ITEM, reply(400, &words));
    stage.refuses(&user(&[]), "lookup_failed");
    let mut without = user(&[]);
    without["request"]["userAttributes"] = json!({ "sub": crate::stage::SUB });
    stage.stub.answer(GET_ITEM, table(&[]));
    stage.refuses(&without, "claim_missing");
    assert!(stage.log().iter().any(|line| line["why"] == "ValidationException"));
}
