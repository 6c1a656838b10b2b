//! What came back for one event, held to what every answer must be, and the table that collects
//! the cases of a test.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{self, Display, Write};
use std::panic::Location;

use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerResponse, ApiGatewayV2CustomAuthorizerIamPolicyResponse,
    ApiGatewayV2CustomAuthorizerSimpleResponse,
};
use aws_lambda_events::iam::IamPolicyEffect;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The reason codes of the contract, by class.
pub const UNAUTHORIZED: [&str; 20] = [
    "missing_token",
    "ambiguous_token",
    "malformed_token",
    "token_too_large",
    "algorithm_not_allowed",
    "unknown_issuer",
    "unknown_key",
    "bad_signature",
    "token_expired",
    "token_not_yet_valid",
    "wrong_token_use",
    "wrong_client",
    "wrong_audience",
    "wrong_typ",
    "sender_not_proven",
    "invalid_key",
    "unknown_certificate",
    "malformed_claims",
    "token_revoked",
    "token_inactive",
];
pub const FORBIDDEN: [&str; 8] = [
    "no_route",
    "unsafe_path",
    "insufficient_scope",
    "insufficient_group",
    "claim_mismatch",
    "authentication_too_old",
    "not_introspectable",
    "forbidden",
];
pub const UNAVAILABLE: [&str; 7] = [
    "jwks_unavailable",
    "keys_unavailable",
    "introspection_unavailable",
    "permissions_unavailable",
    "revocations_unavailable",
    "malformed_event",
    "internal",
];

/// The body the function posted for an invocation.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To `/response`.
    Response(String),
    /// To `/error`.
    Error(String),
}

impl Answer {
    pub fn text(&self) -> &str {
        match self {
            Answer::Response(text) | Answer::Error(text) => text,
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap()
    }
}

/// An answer together with the decision log line that explains it.
#[derive(Debug)]
pub struct Verdict {
    pub request_id: String,
    pub answer: Answer,
    pub log: Value,
}

impl Verdict {
    /// Panics where the answer is not of a form that API Gateway takes, or where answer and log
    /// line tell different stories.
    #[track_caller]
    pub fn new(request_id: String, answer: Answer, log: Value) -> Verdict {
        let verdict = Verdict { request_id, answer, log };
        verdict.hold_to_the_contract();
        verdict
    }

    /// `allow`, or the reason code.
    pub fn outcome(&self) -> &str {
        match (self.log["decision"].as_str(), self.log["reason"].as_str()) {
            (Some("allow"), None) => "allow",
            (_, Some(reason)) => reason,
            (decision, None) => panic!("decision {decision:?} without a reason: {}", self.log),
        }
    }

    /// The answer to `/response`, as JSON.
    #[track_caller]
    pub fn response(&self) -> Value {
        assert!(matches!(self.answer, Answer::Response(_)), "the invocation failed: {self}");
        self.answer.json()
    }

    /// The context of the answer, or nothing.
    pub fn context(&self) -> Value {
        self.answer.json()["context"].clone()
    }

    /// The `Resource`s of a policy answer.
    #[track_caller]
    pub fn resources(&self) -> Vec<String> {
        let policy: ApiGatewayCustomAuthorizerResponse<Value> = serde_json::from_str(self.answer.text()).unwrap();
        policy.policy_document.statement.into_iter().flat_map(|statement| statement.resource).collect()
    }

    /// Whether the invocation failed with exactly `Unauthorized`.
    pub fn failed_as_unauthorized(&self) -> bool {
        matches!(self.answer, Answer::Error(_)) && self.answer.json()["errorMessage"] == "Unauthorized"
    }

    #[track_caller]
    fn hold_to_the_contract(&self) {
        let decision = self.log["decision"].as_str().unwrap_or_default();
        let reason = self.outcome();
        let class: &[&str] = match decision {
            "allow" => &["allow"],
            "unauthorized" => &UNAUTHORIZED,
            "forbidden" => &FORBIDDEN,
            "unavailable" => &UNAVAILABLE,
            other => panic!("no such decision: `{other}`"),
        };
        assert!(class.contains(&reason), "`{reason}` is no reason for `{decision}`");

        let json = self.answer.json();
        // What a claim holds inside itself is the token's; a simple answer hands it on as it is.
        let own = |key: &str| json.get(key).and_then(Value::as_object).into_iter().flat_map(Map::values);
        let ours = json.as_object().into_iter().flat_map(Map::values).chain(own("context"));
        assert!(ours.chain(own("policyDocument")).all(|value| !value.is_null()), "a null member: {json}");
        match &self.answer {
            Answer::Error(_) => {
                let members: Map<String, Value> = json.as_object().unwrap().clone();
                assert!(members["errorType"].as_str().is_some_and(|text| !text.is_empty()), "errorType: {json}");
                match decision {
                    "unauthorized" => assert_eq!(json["errorMessage"], "Unauthorized"),
                    "unavailable" => {
                        assert_eq!(json["errorType"], reason, "the error type is the reason code");
                        let message = json["errorMessage"].as_str().unwrap_or_default();
                        assert!(!message.is_empty() && message != "Unauthorized", "errorMessage: {json}");
                    }
                    _ => panic!("`{decision}` does not make an invocation fail: {json}"),
                }
            }
            Answer::Response(text) => {
                assert_ne!(decision, "unavailable", "an outage is no answer that may be cached: {json}");
                let allowed = if json.get("policyDocument").is_some() {
                    policy_allows(text, &json)
                } else {
                    simple_allows(text, &json)
                };
                assert_eq!(allowed, decision == "allow", "answer and log line disagree: {json} {}", self.log);
                if !allowed {
                    hold_denial_to_the_contract(&json, reason);
                }
            }
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · {}", self.outcome(), self.answer.text())
    }
}

/// A context value that a policy answer may hold.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Scalar {
    #[allow(dead_code, reason = "only the type matters")]
    Text(String),
    #[allow(dead_code, reason = "only the type matters")]
    Number(serde_json::Number),
    #[allow(dead_code, reason = "only the type matters")]
    Flag(bool),
}

impl serde::Serialize for Scalar {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        unreachable!("the response types ask for it; answers are only read")
    }
}

/// Reads a policy answer as API Gateway would, and with the types of `aws_lambda_events`. Those
/// types fail open (a statement without `Effect` is an `Allow`), so the raw JSON is held to its
/// form as well.
#[track_caller]
fn policy_allows(text: &str, json: &Value) -> bool {
    assert_members(json, &["principalId", "policyDocument"], &["context", "usageIdentifierKey"]);
    assert!(json["principalId"].as_str().is_some_and(|id| !id.is_empty()), "principalId: {json}");
    assert_members(&json["policyDocument"], &["Version", "Statement"], &[]);
    assert_eq!(json["policyDocument"]["Version"], "2012-10-17");
    for statement in json["policyDocument"]["Statement"].as_array().unwrap() {
        assert_members(statement, &["Action", "Effect", "Resource"], &[]);
        assert!(matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")), "Effect: {statement}");
    }
    assert_reserved_keys_absent(&json["context"]);

    let rest: ApiGatewayCustomAuthorizerResponse<Option<HashMap<String, Scalar>>> =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let http: ApiGatewayV2CustomAuthorizerIamPolicyResponse<Option<HashMap<String, Scalar>>> =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(rest.policy_document, http.policy_document);
    assert_eq!(rest.principal_id, http.principal_id);
    assert_eq!(rest.usage_identifier_key.as_deref(), json["usageIdentifierKey"].as_str());
    let statements = rest.policy_document.statement;
    assert!(!statements.is_empty(), "a policy that says nothing denies nothing");
    for statement in &statements {
        assert_eq!(statement.action, ["execute-api:Invoke"]);
        assert!(!statement.resource.is_empty(), "a statement about nothing");
        for resource in &statement.resource {
            assert!(resource.starts_with("arn:") && resource.contains(":execute-api:"), "no ARN: {resource}");
        }
    }
    let allows = statements.iter().any(|statement| statement.effect == IamPolicyEffect::Allow);
    let denies = statements.iter().any(|statement| statement.effect == IamPolicyEffect::Deny);
    assert!(allows != denies, "a policy that covers one request says one thing: {text}");
    allows
}

#[track_caller]
fn simple_allows(text: &str, json: &Value) -> bool {
    assert_members(json, &["isAuthorized"], &["context"]);
    assert_reserved_keys_absent(&json["context"]);
    let simple: ApiGatewayV2CustomAuthorizerSimpleResponse<Option<Map<String, Value>>> =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(json["isAuthorized"], simple.is_authorized);
    simple.is_authorized
}

#[track_caller]
fn hold_denial_to_the_contract(json: &Value, reason: &str) {
    let context = &json["context"];
    assert_members(context, &["reason", "error_description"], &["error", "scope"]);
    assert_eq!(context["reason"], reason);
    let error = context.get("error").map(|error| error.as_str().unwrap());
    let fits = match reason {
        "missing_token" => error.is_none(),
        "insufficient_scope" => error == Some("insufficient_scope"),
        "authentication_too_old" => error == Some("insufficient_user_authentication"),
        code if UNAUTHORIZED.contains(&code) => error == Some("invalid_token"),
        // The contract gives the words, and leaves open which of them goes with the other codes.
        _ => matches!(error, None | Some("insufficient_scope" | "insufficient_user_authentication")),
    };
    assert!(fits, "`error` for `{reason}`: {json}");
    assert_eq!(context.get("scope").is_some(), reason == "insufficient_scope", "`scope` for `{reason}`: {json}");
    let description = context["error_description"].as_str().unwrap();
    // RFC 6750, section 3: %x20-21 / %x23-5B / %x5D-7E.
    let speakable = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    assert!(!description.is_empty() && description.chars().all(speakable), "error_description: {description:?}");
    if UNAUTHORIZED.contains(&reason) {
        let principal = json.get("principalId");
        assert!(principal.is_none_or(|id| id == "anonymous"), "no token was accepted: {json}");
    }
}

#[track_caller]
fn assert_members(json: &Value, required: &[&str], optional: &[&str]) {
    let members = json.as_object().unwrap_or_else(|| panic!("not an object: {json}"));
    for name in required {
        assert!(members.contains_key(*name), "`{name}` is missing: {json}");
    }
    for name in members.keys() {
        assert!(required.contains(&name.as_str()) || optional.contains(&name.as_str()), "`{name}` is too much: {json}");
    }
}

#[track_caller]
fn assert_reserved_keys_absent(context: &Value) {
    for name in ["principalId", "integrationLatency", "claims"] {
        assert!(context.get(name).is_none(), "`{name}` is reserved: {context}");
    }
}

/// A table of cases. All of them are run; those that failed are told together when it is dropped.
#[derive(Default)]
pub struct Cases {
    failures: RefCell<Vec<String>>,
    run: Cell<usize>,
}

impl Cases {
    /// Expects `allow` or a reason code; a class (`401`, `403`, `500`) where the contract leaves the
    /// code open; alternatives are separated by `|`.
    #[track_caller]
    pub fn check(&self, what: impl Display, verdict: &Verdict, expected: &str) {
        let outcome = verdict.outcome();
        let fits = expected.split('|').any(|alternative| match alternative {
            "401" => UNAUTHORIZED.contains(&outcome),
            "403" => FORBIDDEN.contains(&outcome),
            "500" => UNAVAILABLE.contains(&outcome),
            "allow" => outcome == "allow",
            code => {
                let known = UNAUTHORIZED.iter().chain(&FORBIDDEN).chain(&UNAVAILABLE).any(|known| *known == code);
                assert!(known, "`{code}` is no code of the contract");
                outcome == code
            }
        });
        self.note(fits, || format!("{what}: expected {expected}, got {verdict}"));
    }

    /// Expects these two to be equal.
    #[track_caller]
    pub fn equal<T: fmt::Debug + PartialEq<U>, U: fmt::Debug>(&self, what: impl Display, got: T, expected: U) {
        self.note(got == expected, || format!("{what}: expected {expected:?}, got {got:?}"));
    }

    /// Expects this to be so.
    #[track_caller]
    pub fn is(&self, what: impl Display, so: bool) {
        self.note(so, || what.to_string());
    }

    #[track_caller]
    fn note(&self, fits: bool, describe: impl FnOnce() -> String) {
        self.run.set(self.run.get() + 1);
        if !fits {
            self.failures.borrow_mut().push(format!("{}: {}", Location::caller(), describe()));
        }
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        let failures = self.failures.borrow();
        if !failures.is_empty() && !std::thread::panicking() {
            let mut list = String::new();
            for failure in failures.iter() {
                let _ = write!(list, "\n  {failure}");
            }
            panic!("{} of {} cases failed:{list}", failures.len(), self.run.get());
        }
    }
}
