//! EventBridge's "AWS API Call via CloudTrail" for Cognito: which of them end a user's
//! tokens, and whose.
//!
//! What such an event carries, by AWS's documentation ("Amazon Cognito logging in AWS
//! CloudTrail") and by events that were published:
//!
//! - `additionalEventData.sub`, never the user's name, in requests about one user;
//! - `requestParameters.userPoolId` where the request has one: the `Admin` operations.
//!   `GlobalSignOut` and `DeleteUser` are asked with a token, which is hidden, and name no pool;
//! - `errorCode` in calls that failed. It can also be there and empty.

use cognito_authorizer::live::UserPool;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::time::parse_rfc3339;
use serde_json::Value;
use std::fmt;

/// What an event means.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// All tokens that a user holds are to be refused.
    SignedOut(SignOut),
    /// Nothing; why.
    Irrelevant(&'static str),
}

/// The end of a user's tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct SignOut {
    /// The operation.
    pub operation: &'static str,
    /// The event's own id.
    pub event_id: String,
    /// The pool, where the event names it.
    pub pool: Option<UserPool>,
    /// The user's `sub`.
    pub subject: String,
    /// When.
    pub at: UnixSeconds,
}

/// A successful sign-out of which something is missing that must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableEvent {
    /// The operation.
    pub operation: &'static str,
    /// What is missing.
    pub missing: &'static str,
}

impl fmt::Display for UnreadableEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an event of {} without {}", self.operation, self.missing)
    }
}

impl std::error::Error for UnreadableEvent {}

impl Notice {
    /// The operations after which Cognito itself takes none of the user's tokens any more.
    ///
    /// `RevokeToken` is not among them: it ends one sign-in, and its event names the user
    /// alone. `AdminRevokeUserSession` is in no published model of the API so far; listening
    /// for it costs nothing.
    pub const OPERATIONS: [&str; 6] = [
        "AdminDeleteUser",
        "AdminDisableUser",
        "AdminRevokeUserSession",
        "AdminUserGlobalSignOut",
        "DeleteUser",
        "GlobalSignOut",
    ];

    /// Reads an event.
    ///
    /// # Errors
    /// [`UnreadableEvent`]: a user signed out whose tokens would go on.
    pub fn read(event: &Value) -> Result<Self, UnreadableEvent> {
        let text = |pointer: &str| {
            let text = event.pointer(pointer).and_then(Value::as_str);
            text.filter(|text| !text.is_empty() && *text != HIDDEN)
        };
        if text("/detail/eventSource") != Some("cognito-idp.amazonaws.com") {
            return Ok(Notice::Irrelevant("not an event of Cognito user pools"));
        }
        let named = text("/detail/eventName");
        let Some(operation) = Self::OPERATIONS.into_iter().find(|operation| named == Some(operation)) else {
            return Ok(Notice::Irrelevant("an operation that ends no user's tokens"));
        };
        if text("/detail/errorCode").is_some() {
            return Ok(Notice::Irrelevant("the call failed"));
        }
        let missing = |missing| UnreadableEvent { operation, missing };
        let at = text("/detail/eventTime").or_else(|| text("/time")).and_then(parse_rfc3339);
        let pool =
            text("/detail/requestParameters/userPoolId").or_else(|| text("/detail/additionalEventData/userPoolId"));
        Ok(Notice::SignedOut(SignOut {
            operation,
            event_id: text("/detail/eventID").unwrap_or_default().to_owned(),
            pool: pool.and_then(UserPool::parse),
            subject: text("/detail/additionalEventData/sub").ok_or(missing("additionalEventData.sub"))?.to_owned(),
            at: at.ok_or(missing("eventTime"))?,
        }))
    }
}

/// What Cognito writes in place of what it keeps to itself.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The fields of an event that an operator's call gives: their names and values
    /// as in AWS's example events and in the types that AWS's own samples read them by.
    fn of_an_operator(operation: &str) -> Value {
        json!({
            "version": "0",
            "id": "36eb8523-97d0-4518-b33d-ee3579ff19f0",
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws.cognito-idp",
            "account": "123456789012",
            "time": "2026-11-21T12:00:07Z",
            "region": "us-east-1",
            "resources": [],
            "detail": {
                "eventVersion": "1.11",
                "userIdentity": {
                    "type": "AssumedRole",
                    "arn": "arn:aws:sts::123456789012:assumed-role/support/ada",
                    "accountId": "123456789012",
                },
                "eventTime": "2026-11-21T12:00:07Z",
                "eventSource": "cognito-idp.amazonaws.com",
                "eventName": operation,
                "awsRegion": "us-east-1",
                "sourceIPAddress": "192.0.2.1",
                "userAgent": "aws-cli/2",
                "requestParameters": { "userPoolId": "us-east-1_AbCdEf123", "username": HIDDEN },
                "responseElements": null,
                "additionalEventData": { "sub": "11111111-aaaa-4bbb-8ccc-000000000001" },
                "requestID": "f5c9f0a4-0f25-4e2d-9f0a-6f1f1c0a7d51",
                "eventID": "b9b5a2f0-9c0e-4f0c-8d05-6f4f6b7c2d10",
                "readOnly": false,
                "eventType": "AwsApiCall",
                "managementEvent": true,
                "recipientAccountId": "123456789012",
                "eventCategory": "Management",
            },
        })
    }

    /// A call that a user's own token allows names neither an identity nor a pool.
    fn of_a_user(operation: &str) -> Value {
        let mut event = of_an_operator(operation);
        event["detail"]["userIdentity"] = json!({ "type": "Unknown", "principalId": "Anonymous" });
        event["detail"]["requestParameters"] = json!({ "accessToken": HIDDEN });
        event
    }

    fn signed_out(event: &Value) -> SignOut {
        match Notice::read(event) {
            Ok(Notice::SignedOut(sign_out)) => sign_out,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_operators_call_tells_pool_user_and_time() {
        for operation in ["AdminUserGlobalSignOut", "AdminDisableUser", "AdminDeleteUser", "AdminRevokeUserSession"] {
            let expected = SignOut {
                operation,
                event_id: "b9b5a2f0-9c0e-4f0c-8d05-6f4f6b7c2d10".into(),
                pool: UserPool::parse("us-east-1_AbCdEf123"),
                subject: "11111111-aaaa-4bbb-8ccc-000000000001".into(),
                at: parse_rfc3339("2026-11-21T12:00:07Z").unwrap(),
            };
            assert_eq!(signed_out(&of_an_operator(operation)), expected);
        }
    }

    #[test]
    fn a_users_own_call_tells_no_pool() {
        for operation in ["GlobalSignOut", "DeleteUser"] {
            assert_eq!(signed_out(&of_a_user(operation)).pool, None);
        }
    }

    #[test]
    fn other_operations_and_failed_calls_end_nothing() {
        for operation in ["AdminEnableUser", "RevokeToken", "GetUser", "InitiateAuth", "globalsignout", ""] {
            assert!(matches!(Notice::read(&of_an_operator(operation)), Ok(Notice::Irrelevant(_))), "{operation}");
        }
        let mut failed = of_an_operator("AdminDisableUser");
        failed["detail"]["errorCode"] = json!("UserNotFoundException");
        assert_eq!(Notice::read(&failed), Ok(Notice::Irrelevant("the call failed")));
        // A refused call has no parameters at all.
        failed["detail"]["errorCode"] = json!("AccessDenied");
        failed["detail"]["requestParameters"] = Value::Null;
        failed["detail"]["additionalEventData"] = Value::Null;
        assert_eq!(Notice::read(&failed), Ok(Notice::Irrelevant("the call failed")));
        let mut other = of_an_operator("DeleteUser");
        other["detail"]["eventSource"] = json!("iam.amazonaws.com");
        assert!(matches!(Notice::read(&other), Ok(Notice::Irrelevant(_))));
        for nonsense in [json!(null), json!([]), json!({}), json!({ "detail": 7 })] {
            assert!(matches!(Notice::read(&nonsense), Ok(Notice::Irrelevant(_))), "{nonsense}");
        }
    }

    #[test]
    fn an_empty_error_code_is_no_failure() {
        for code in [json!(""), json!(null)] {
            let mut event = of_an_operator("AdminDisableUser");
            event["detail"]["errorCode"] = code;
            signed_out(&event);
        }
    }

    #[test]
    fn a_sign_out_that_names_no_user_is_a_fault() {
        for sub in [json!(null), json!(""), json!(HIDDEN), json!(7)] {
            let mut event = of_an_operator("AdminDisableUser");
            event["detail"]["additionalEventData"]["sub"] = sub;
            let fault = Notice::read(&event).unwrap_err();
            assert_eq!(fault.to_string(), "an event of AdminDisableUser without additionalEventData.sub");
        }
    }

    #[test]
    fn the_envelopes_time_stands_in_for_the_events() {
        let mut event = of_an_operator("AdminDisableUser");
        event["detail"].as_object_mut().unwrap().remove("eventTime");
        assert_eq!(signed_out(&event).at, parse_rfc3339("2026-11-21T12:00:07Z").unwrap());
        event.as_object_mut().unwrap().remove("time");
        assert_eq!(Notice::read(&event).unwrap_err().missing, "eventTime");
    }
}
