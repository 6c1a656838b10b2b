//! A permit or a denial becomes what API Gateway expects: an IAM policy, a simple
//! response, or an invocation that fails.

use super::context::{ContextMap, Shape};
use super::event::EventKind;
use super::method_arn::MethodArn;
use super::policy::{PolicyAnswer, PolicyDocument};
use crate::access::Permit;
use crate::authorizer::Trail;
use crate::denial::{Class, Denial};
use crate::request::MAX_RESOURCE_CHARACTERS;
use crate::token::Claims;
use serde::Serialize;
use serde_json::{Map, Value};

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
    /// Whether an Allow ends with its token, by a condition.
    pub policies_expire: bool,
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
            policies_expire: false,
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

/// Answers one request, and says what was answered: a policy that covers a token may
/// be unable to allow what was permitted.
pub(super) fn answer(
    ruling: Result<Permit, Denial>,
    trail: &Trail,
    kind: EventKind,
    arn: &MethodArn<'_>,
    settings: &AnswerSettings,
) -> Result<(Result<(), Denial>, Answer), Denial> {
    match ruling {
        Ok(permit) => match settings.by_policy(kind) {
            true => by_policy(Ok(&permit), trail, arn, settings),
            false => {
                let context = settings.context.of(permit.claims(), Shape::Nested);
                Ok((Ok(()), within_limit(&SimpleAnswer { is_authorized: true, context })?))
            }
        },
        Err(denial) => match (denial.class(), settings.unauthorized(kind)) {
            (Class::Unavailable, _) => {
                let answer = failure(&denial);
                Ok((Err(denial), answer))
            }
            (Class::Unauthorized, Unauthorized::Error) => {
                let answer = Answer::Failure { error_type: "Unauthorized", error_message: "Unauthorized" };
                Ok((Err(denial), answer))
            }
            (Class::Unauthorized, Unauthorized::Deny) | (Class::Forbidden, _) => match settings.by_policy(kind) {
                true => by_policy(Err(denial), trail, arn, settings),
                false => {
                    let context = denial_context(&denial);
                    let answer = within_limit(&SimpleAnswer { is_authorized: false, context })?;
                    Ok((Err(denial), answer))
                }
            },
        },
    }
}

/// A policy about this request, or, where there is a standing, about all that the token
/// may use.
fn by_policy(
    ruling: Result<&Permit, Denial>,
    trail: &Trail,
    arn: &MethodArn<'_>,
    settings: &AnswerSettings,
) -> Result<(Result<(), Denial>, Answer), Denial> {
    // A token that was revoked names somebody, but was not accepted.
    let claims = trail
        .claims
        .as_deref()
        .filter(|_| ruling.as_ref().err().is_none_or(|denial| denial.class() == Class::Forbidden));
    let until = |claims: &Claims| settings.policies_expire.then(|| claims.expires());
    let (ruling, policy_document, context) = match (ruling, claims.zip(trail.standing.as_ref())) {
        (ruling, Some((claims, standing))) => {
            let policy = PolicyDocument::covering(standing, arn, until(claims));
            if !policy.fits(MAX_RESOURCE_CHARACTERS) {
                return Err(Denial::Internal("a Resource with more than 512 characters: shorten the routes"));
            }
            let (ruling, policy) = match (ruling, policy.allows(arn)) {
                (Ok(_), true) => (Ok(()), policy),
                (Ok(_), false) => (Err(Denial::UnsafePath("no cached policy can tell it from other paths")), policy),
                (Err(denial), false) => (Err(denial), policy),
                (Err(denial), true) => (Err(denial), policy.and_denying(arn)),
            };
            (ruling, policy, settings.context.of(claims, Shape::Flat))
        }
        (Ok(permit), None) => {
            let claims = permit.claims();
            (Ok(()), PolicyDocument::allowing(arn, until(claims)), settings.context.of(claims, Shape::Flat))
        }
        (Err(denial), None) => {
            let context = denial_context(&denial);
            (Err(denial), PolicyDocument::denying(arn), context)
        }
    };
    let principal_id = claims.and_then(Claims::principal_id).unwrap_or("anonymous");
    let answer = within_limit(&PolicyAnswer { principal_id, policy_document, context })?;
    Ok((ruling, answer))
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SimpleAnswer {
    is_authorized: bool,
    context: Map<String, Value>,
}

/// "8 KB" (API Gateway, WebSocket quotas: authorizer result size).
const MAX_ANSWER_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_at_most_8192_bytes() {
        // With its quotes.
        let text = |bytes: usize| within_limit(&"a".repeat(bytes - 2));
        assert!(matches!(text(8192), Ok(Answer::Result(text)) if text.len() == 8192));
        assert!(matches!(text(8193), Err(Denial::Internal(_))));
        assert!(matches!(text(20_000), Err(Denial::Internal(_))));
    }
}
