//! A permit or a denial becomes what API Gateway expects: an IAM policy, a simple
//! response, or an invocation that fails.
//!
//! `aws_lambda_events`' response types are not used to write: their defaults allow.

use super::context::{ContextMap, Shape};
use super::event::EventKind;
use super::method_arn::MethodArn;
use crate::access::Permit;
use crate::authorizer::Trail;
use crate::denial::{Class, Denial};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What is written back to the Lambda Runtime API.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// The function's result, as JSON.
    Result(String),
    /// The invocation fails, in fixed words.
    Failure {
        /// A reason code, or `Unauthorized`.
        error_type: &'static str,
        /// What API Gateway reads: `Unauthorized` is a 401, everything else a 500.
        error_message: &'static str,
    },
}

/// How the operator wants to be answered for.
#[derive(Clone, Debug)]
pub struct AnswerSettings {
    /// The context of allowed requests.
    pub context: ContextMap,
    /// HTTP API, payload format 2.0.
    pub http_response: HttpResponse,
    /// What a 401 looks like on an HTTP API.
    pub http_unauthorized: Unauthorized,
    /// What a 401 looks like on a REST or WebSocket API.
    pub rest_unauthorized: Unauthorized,
}

impl AnswerSettings {
    /// What holds where the configuration says nothing.
    #[must_use]
    pub fn unless_configured() -> Self {
        Self {
            context: ContextMap::default(),
            http_response: HttpResponse::Simple,
            http_unauthorized: Unauthorized::Deny,
            rest_unauthorized: Unauthorized::Error,
        }
    }

    /// Whether events of this kind are answered by a policy.
    pub(super) fn by_policy(&self, kind: EventKind) -> bool {
        match kind {
            EventKind::RestToken | EventKind::RestRequest | EventKind::Http1 | EventKind::WebSocket => true,
            EventKind::Http2 => self.http_response == HttpResponse::Policy,
        }
    }

    fn unauthorized(&self, kind: EventKind) -> Unauthorized {
        match kind {
            EventKind::RestToken | EventKind::RestRequest | EventKind::WebSocket => self.rest_unauthorized,
            EventKind::Http1 | EventKind::Http2 => self.http_unauthorized,
        }
    }
}

/// The two response formats of an HTTP API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpResponse {
    /// `isAuthorized`.
    Simple,
    /// An IAM policy.
    Policy,
}

/// What a request without a good token gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// A denial that says why: 403.
    Deny,
    /// A failed invocation with the message `Unauthorized`: 401 on REST.
    Error,
}

/// Answers one request.
pub(super) fn answer(
    ruling: &Result<Permit, Denial>,
    trail: &Trail,
    kind: EventKind,
    arn: &MethodArn<'_>,
    settings: &AnswerSettings,
) -> Result<Answer, Denial> {
    let by_policy = settings.by_policy(kind);
    let shape = if by_policy { Shape::Flat } else { Shape::Nested };
    let (effect, resource, context) = match ruling {
        Ok(permit) => (Effect::Allow, Cow::Borrowed(arn.exact()), settings.context.of(permit.claims(), shape)),
        Err(denial) => match (denial.class(), settings.unauthorized(kind)) {
            (Class::Unavailable, _) => return Ok(failure(denial)),
            (Class::Unauthorized, Unauthorized::Error) => {
                return Ok(Answer::Failure { error_type: "Unauthorized", error_message: "Unauthorized" });
            }
            (Class::Unauthorized, Unauthorized::Deny) | (Class::Forbidden, _) => {
                (Effect::Deny, arn.at_least(), denial_context(denial))
            }
        },
    };
    if by_policy {
        // A token that was revoked names somebody, but was not accepted.
        let accepted = !ruling.as_ref().is_err_and(|denial| denial.class() == Class::Unauthorized);
        let principal_id = trail.principal_id.as_deref().filter(|_| accepted).unwrap_or("anonymous");
        within_limit(&PolicyAnswer::new(principal_id, effect, resource, context))
    } else {
        within_limit(&SimpleAnswer { is_authorized: effect == Effect::Allow, context })
    }
}

/// The answer to what could not be decided.
pub(super) fn failure(denial: &Denial) -> Answer {
    Answer::Failure { error_type: denial.code(), error_message: denial.description() }
}

fn denial_context(denial: &Denial) -> Map<String, Value> {
    let mut context = Map::new();
    let mut say = |key: &str, words: &str| context.insert(key.to_owned(), Value::String(words.to_owned()));
    say("reason", denial.code());
    if let Some(error) = denial.oauth_error() {
        say("error", error);
    }
    say("error_description", denial.description());
    if let Denial::InsufficientScope { needed } = denial {
        say("scope", needed);
    }
    context
}

/// API Gateway refuses a WebSocket authorizer's result of more than 8 KB, and says
/// nothing of the other kinds. A context with claims left out could be read as a
/// user without them, so that a larger answer is none.
fn within_limit(answer: &impl Serialize) -> Result<Answer, Denial> {
    let text = serde_json::to_string(answer).map_err(|_| Denial::Internal("the answer cannot be written"))?;
    if text.len() > MAX_ANSWER_BYTES {
        return Err(Denial::Internal("the answer has more than 8 KB: map fewer or smaller claims in `context`"));
    }
    Ok(Answer::Result(text))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyAnswer<'a> {
    principal_id: &'a str,
    policy_document: PolicyDocument<'a>,
    context: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument<'a> {
    version: &'static str,
    statement: [Statement<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    action: &'static str,
    effect: Effect,
    resource: Cow<'a, str>,
}

impl<'a> PolicyAnswer<'a> {
    fn new(principal_id: &'a str, effect: Effect, resource: Cow<'a, str>, context: Map<String, Value>) -> Self {
        let statement = Statement { action: "execute-api:Invoke", effect, resource };
        let policy_document = PolicyDocument { version: "2012-10-17", statement: [statement] };
        Self { principal_id, policy_document, context }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SimpleAnswer {
    is_authorized: bool,
    context: Map<String, Value>,
}

/// "8 KB" (API Gateway, WebSocket quotas: authorizer result size).
const MAX_ANSWER_BYTES: usize = 8 * 1024;
