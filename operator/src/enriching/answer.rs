//! The changes as Cognito reads them: the event, whole, with its `response` filled in.

use super::changes::{Changes, TokenChanges};
use super::sign_in::{SignIn, Version};
use aws_lambda_events::event::cognito::{
    ClaimsAndScopeOverrideDetailsV2, ClaimsOverrideDetails, CognitoAccessTokenGenerationV2, CognitoIdTokenGenerationV2,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The response to an event of that version.
pub(super) fn response(sign_in: &SignIn<'_>, changes: Changes) -> serde_json::Result<Value> {
    let (name, mut details) = match sign_in.version {
        Version::V1 => ("claimsOverrideDetails", version_one(changes.id)?),
        Version::V2 | Version::V3 => ("claimsAndScopeOverrideDetails", versions_two_and_three(changes)?),
    };
    if let Value::Object(details) = &mut details {
        // The library writes empty groups where there is nothing to say, and of those Cognito makes an end of the user's groups.
        match sign_in.group_configuration() {
            Some(groups) => details.insert(GROUPS.to_owned(), Value::Object(groups.clone())),
            None => details.remove(GROUPS),
        };
    }
    Ok(json!({ name: sorted(details) }))
}

/// ID tokens alone, and texts alone.
fn version_one(id: TokenChanges) -> serde_json::Result<Value> {
    let mut details = ClaimsOverrideDetails::default();
    details.claims_to_add_or_override = id.claims.into_iter().map(|(name, value)| (name, text(value))).collect();
    details.claims_to_suppress = id.suppressed_claims.into_iter().collect();
    serde_json::to_value(details)
}

fn versions_two_and_three(Changes { access, id }: Changes) -> serde_json::Result<Value> {
    let mut of_id = CognitoIdTokenGenerationV2::default();
    of_id.claims_to_add_or_override = id.claims.into_iter().collect();
    of_id.claims_to_suppress = id.suppressed_claims.into_iter().collect();
    let mut of_access = CognitoAccessTokenGenerationV2::default();
    of_access.claims_to_add_or_override = access.claims.into_iter().collect();
    of_access.claims_to_suppress = access.suppressed_claims.into_iter().collect();
    of_access.scopes_to_add = access.scopes.into_iter().collect();
    of_access.scopes_to_suppress = access.suppressed_scopes.into_iter().collect();
    let mut details = ClaimsAndScopeOverrideDetailsV2::default();
    details.id_token_generation = Some(of_id);
    details.access_token_generation = Some(of_access);
    serde_json::to_value(details)
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    }
}

/// The library's maps have no order, and serde_json keeps what it gets.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

const GROUPS: &str = "groupOverrideDetails";

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lambda_events::event::cognito::{CognitoEventUserPoolsPreTokenGen, CognitoEventUserPoolsPreTokenGenV2};

    fn event(version: &str) -> Value {
        json!({
            "version": version, "triggerSource": "TokenGeneration_Authentication", "callerContext": {},
            "request": {
                "scopes": [],
                "groupConfiguration": { "groupsToOverride": ["a"], "iamRolesToOverride": ["r"], "preferredRole": ["r"] },
            },
            "response": {},
        })
    }

    fn response_to(event: &Value) -> Value {
        response(&SignIn::read(event).unwrap(), Changes::default()).unwrap()
    }

    #[test]
    fn groups_are_given_back_as_they_came_and_never_emptied() {
        for (version, name) in [("1", "claimsOverrideDetails"), ("2", "claimsAndScopeOverrideDetails")] {
            let mut event = event(version);
            assert_eq!(response_to(&event)[name][GROUPS], event["request"]["groupConfiguration"]);
            for nothing in [json!({}), json!(null)] {
                event["request"]["groupConfiguration"] = nothing;
                assert_eq!(response_to(&event)[name].get(GROUPS), None);
            }
        }
        // What the library alone would say.
        let details = serde_json::to_value(ClaimsAndScopeOverrideDetailsV2::default()).unwrap();
        assert_eq!(details[GROUPS]["groupsToOverride"], json!([]));
    }

    #[test]
    fn values_of_version_one_are_texts() {
        for (value, expected) in [
            (json!("a"), "a"),
            (json!(7), "7"),
            (json!(true), "true"),
            (json!(["a", 1]), "[\"a\",1]"),
            (json!({ "b": 1 }), "{\"b\":1}"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    /// Why events are not read with the library's types. Where this fails, the library may have been mended: look again.
    #[test]
    fn the_librarys_types_refuse_what_aws_documents() {
        let reads = |event: &Value| serde_json::from_value::<CognitoEventUserPoolsPreTokenGenV2>(event.clone()).is_ok();
        let mut documented = event("2");
        assert!(!reads(&documented), "`preferredRole` is a list in AWS's sample");
        documented["request"]["groupConfiguration"]["preferredRole"] = json!("r");
        assert!(reads(&documented));
        let mut empty = documented.clone();
        empty["request"]["groupConfiguration"] = json!({});
        assert!(!reads(&empty));
        let mut of_a_machine = documented.clone();
        of_a_machine["triggerSource"] = json!("TokenGeneration_ClientCredentials");
        assert!(!reads(&of_a_machine));
        // And they forget what they do not know.
        documented["later"] = json!(1);
        let kept: CognitoEventUserPoolsPreTokenGen = serde_json::from_value(documented).unwrap();
        assert_eq!(serde_json::to_value(kept).unwrap().get("later"), None);
    }
}
