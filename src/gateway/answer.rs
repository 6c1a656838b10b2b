//! A permit or a denial becomes what API Gateway expects: an IAM policy, a simple
//! response, or an invocation that fails.

use super::context::{ClaimSource, ContextMap, Shape};
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
    /// What a REST API with usage plans knows the caller by (`usageIdentifierKey`).
    pub usage_identifier_key: Option<ClaimSource>,
    /// Whether an Allow ends with its token, by a condition.
    pub policies_expire: bool,
    /// Whether silence is a denial, since nothing else allows.
    pub implicit_deny: bool,
    /// Whether policies cover tokens, so that API Gateway keeps them for every route.
    pub covers_tokens: bool,
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
            usage_identifier_key: None,
            policies_expire: false,
            implicit_deny: false,
            covers_tokens: false,
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
            true => by_policy(Ok(&permit), trail, kind, arn, settings),
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
            (Class::Unauthorized, Unauthorized::Error) => Ok((Err(denial), unauthorized())),
            (Class::Unauthorized, Unauthorized::Deny) | (Class::Forbidden, _) => match settings.by_policy(kind) {
                // What may be right a moment later must not be kept as a denial of the token.
                true if settings.covers_tokens
                    && denial.class() == Class::Unauthorized
                    && !denial.is_final_for_the_token() =>
                {
                    Ok((Err(denial), unauthorized()))
                }
                true => by_policy(Err(denial), trail, kind, arn, settings),
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
    kind: EventKind,
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
            let is_allowed = policy.allows(arn);
            let is_denied = policy.denies(arn) || settings.implicit_deny && !is_allowed;
            let denial = match ruling {
                Ok(_) if is_allowed => None,
                Ok(_) => Some(Denial::UnsafePath("no cached policy can tell it from other paths")),
                Err(denial) => Some(denial),
            };
            let (ruling, policy) = match denial {
                None => (Ok(()), policy),
                Some(denial) if is_denied => (Err(denial), policy),
                Some(denial) => match policy.and_denying(arn) {
                    Some(policy) => (Err(denial), policy),
                    None => return Ok(not_to_be_kept(denial)),
                },
            };
            (ruling, policy, settings.context.of(claims, Shape::Flat))
        }
        (Ok(permit), None) => {
            let claims = permit.claims();
            (Ok(()), PolicyDocument::allowing(arn, until(claims)), settings.context.of(claims, Shape::Flat))
        }
        (Err(denial), None) => {
            let context = denial_context(&denial);
            let is_everywhere = denial.is_final_for_the_token() || trail.is_refused_everywhere;
            let policy = match settings.covers_tokens {
                true if is_everywhere => PolicyDocument::denying_everything(arn),
                true if !arn.can_be_exact() => return Ok(not_to_be_kept(denial)),
                _ => PolicyDocument::denying(arn),
            };
            (Err(denial), policy, context)
        }
    };
    let principal_id = claims.and_then(Claims::principal_id).unwrap_or("anonymous");
    // A policy that is kept for other requests allows some of them, whatever this one gets.
    let usage_identifier_key = match (&settings.usage_identifier_key, kind) {
        (Some(key), EventKind::RestToken | EventKind::RestRequest) if ruling.is_ok() || trail.standing.is_some() => {
            claims.and_then(|claims| key.text(claims))
        }
        _ => None,
    };
    let answer = within_limit(&PolicyAnswer { principal_id, policy_document, context, usage_identifier_key })?;
    Ok((ruling, answer))
}

/// A denial that no policy can say without denying other requests too: API Gateway does
/// not cache an invocation that failed.
fn not_to_be_kept(denial: Denial) -> (Result<(), Denial>, Answer) {
    let answer = failure(&denial);
    (Err(denial), answer)
}

/// What API Gateway turns into a 401, and does not cache.
fn unauthorized() -> Answer {
    Answer::Failure { error_type: "Unauthorized", error_message: "Unauthorized" }
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
    if let Denial::InsufficientScope { needed, .. } = denial {
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
    use crate::denial::Missed;
    use crate::request::UnixSeconds;
    use crate::token::{AlgorithmSet, Audience, ClaimNames, ClientIds, Expectations, Introspection, IssuerKind};
    use serde_json::json;
    use std::sync::Arc;
    use std::time::Duration;

    const ARN: &str = "arn:aws:execute-api:us-east-1:1:a/b/GET/request";
    const KINDS: [EventKind; 5] =
        [EventKind::RestToken, EventKind::RestRequest, EventKind::WebSocket, EventKind::Http1, EventKind::Http2];

    #[derive(Debug, PartialEq)]
    enum Told {
        Failure(&'static str, &'static str),
        Simple(Value),
        Policy(Value),
    }

    fn told(denial: &Denial, trail: &Trail, kind: EventKind, settings: &AnswerSettings) -> Told {
        let arn = MethodArn::parse(ARN).unwrap();
        let (ruling, answer) = answer(Err(denial.clone()), trail, kind, &arn, settings).unwrap();
        assert_eq!(ruling.as_ref(), Err(denial));
        let text = match answer {
            Answer::Failure { error_type, error_message } => return Told::Failure(error_type, error_message),
            Answer::Result(text) => text,
        };
        let answer: Value = serde_json::from_str(&text).unwrap();
        if answer.get("policyDocument").is_none() {
            assert_eq!(answer["isAuthorized"], false);
            return Told::Simple(answer["context"].clone());
        }
        let denied = json!([{ "Action": "execute-api:Invoke", "Effect": "Deny", "Resource": ARN }]);
        assert_eq!(answer["policyDocument"], json!({ "Version": "2012-10-17", "Statement": denied }));
        assert_eq!(answer["context"]["reason"], denial.code());
        Told::Policy(answer["principalId"].clone())
    }

    /// Of a token that names `user-1`.
    fn with_claims() -> Trail {
        let expectations = Expectations {
            issuer: "https://issuer.example".into(),
            tenants: None,
            kind: IssuerKind::Oidc,
            algorithms: AlgorithmSet::of(&[]),
            client_ids: ClientIds::Unchecked,
            audience: Audience::OneOf(vec!["api".into()]),
            typ: None,
            claim_names: ClaimNames::default(),
            leeway: Duration::ZERO,
        };
        let body = br#"{"active":true,"exp":9,"aud":"api","sub":"user-1"}"#;
        let Some(Introspection::Active(token)) = Introspection::parse(body) else { panic!() };
        let claims = token.into_claims(&Arc::new(expectations), UnixSeconds::EPOCH, None).unwrap();
        Trail { claims: Some(Arc::new(claims)), ..Trail::default() }
    }

    #[test]
    fn without_a_good_token_an_answer_is_as_the_kind_of_api_is_configured() {
        let usual = AnswerSettings::unless_configured();
        assert!(!usual.policies_expire && usual.context == ContextMap::default());
        let turned = AnswerSettings {
            http_response: HttpResponse::Policy,
            http_unauthorized: Unauthorized::Error,
            rest_unauthorized: Unauthorized::Deny,
            ..usual.clone()
        };
        let simple = json!({
            "reason": "token_expired", "error": "invalid_token", "error_description": "The access token expired",
        });
        for kind in KINDS {
            let (as_usual, as_turned) = match kind {
                EventKind::RestToken | EventKind::RestRequest | EventKind::WebSocket => {
                    (Told::Failure("Unauthorized", "Unauthorized"), Told::Policy(json!("anonymous")))
                }
                EventKind::Http1 => (Told::Policy(json!("anonymous")), Told::Failure("Unauthorized", "Unauthorized")),
                EventKind::Http2 => (Told::Simple(simple.clone()), Told::Failure("Unauthorized", "Unauthorized")),
            };
            assert_eq!(told(&Denial::TokenExpired, &Trail::default(), kind, &usual), as_usual, "{kind:?}");
            assert_eq!(told(&Denial::TokenExpired, &Trail::default(), kind, &turned), as_turned, "{kind:?}");
        }
    }

    #[test]
    fn what_is_forbidden_is_denied_and_what_is_undecided_fails() {
        let (usual, nobody) = (AnswerSettings::unless_configured(), Trail::default());
        let scope = Denial::InsufficientScope { needed: "a b".into(), missed: Missed::Value };
        let simple = json!({
            "reason": "insufficient_scope",
            "error": "insufficient_scope",
            "error_description": "The access token lacks a required scope",
            "scope": "a b",
        });
        let failure = Told::Failure("internal", "The authorizer could not decide");
        for kind in KINDS {
            let denied = match kind {
                EventKind::Http2 => Told::Simple(simple.clone()),
                EventKind::RestToken | EventKind::RestRequest | EventKind::WebSocket | EventKind::Http1 => {
                    Told::Policy(json!("anonymous"))
                }
            };
            assert_eq!(told(&scope, &nobody, kind, &usual), denied, "{kind:?}");
            assert_eq!(told(&Denial::Internal("x"), &nobody, kind, &usual), failure, "{kind:?}");
        }
        let error = AnswerSettings { http_unauthorized: Unauthorized::Error, ..usual };
        assert_eq!(told(&scope, &nobody, EventKind::Http2, &error), Told::Simple(simple));
    }

    #[test]
    fn a_policy_names_whose_token_was_accepted_and_nobody_else() {
        let settings = AnswerSettings { rest_unauthorized: Unauthorized::Deny, ..AnswerSettings::unless_configured() };
        let principal = |denial: Denial| told(&denial, &with_claims(), EventKind::RestToken, &settings);
        assert_eq!(principal(Denial::Forbidden), Told::Policy(json!("user-1")));
        assert_eq!(principal(Denial::TokenRevoked("x")), Told::Policy(json!("anonymous")));
        assert_eq!(principal(Denial::TokenInactive("x")), Told::Policy(json!("anonymous")));
    }

    #[test]
    fn an_answer_has_at_most_8192_bytes() {
        // With its quotes.
        let text = |bytes: usize| within_limit(&"a".repeat(bytes - 2));
        assert!(matches!(text(8192), Ok(Answer::Result(text)) if text.len() == 8192));
        assert!(matches!(text(8193), Err(Denial::Internal(_))));
        assert!(matches!(text(20_000), Err(Denial::Internal(_))));
    }
}
