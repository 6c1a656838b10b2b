//! A permit or a denial becomes what API Gateway expects: an IAM policy, a simple
//! response, or an invocation that fails.

use super::context::{ClaimSource, ContextMap, OMITTED_CLAIMS, Shape, fitted};
use super::event_kind::EventKind;
use super::method_arn::MethodArn;
use super::policy::{PolicyAnswer, PolicyDocument};
use crate::access::{Permit, TokenPermissions};
use crate::authorizer::DecisionRecord;
use crate::denial::{Class, Denial};
use crate::request::{MAX_RESOURCE_CHARACTERS, UnixSeconds};
use crate::token::Claims;
use aws_lambda_events::apigw::ApiGatewayV2CustomAuthorizerSimpleResponse;
use serde::Serialize;
use serde_json::{Map, Value};

type SimpleAnswer = ApiGatewayV2CustomAuthorizerSimpleResponse<Map<String, Value>>;

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
    #[must_use]
    pub fn by_policy(&self, kind: EventKind) -> bool {
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

/// What is answered, and what the log says of it.
#[derive(Debug)]
pub(super) struct Answered {
    /// A policy that covers a token may be unable to allow what was permitted.
    pub(super) ruling: Result<(), Denial>,
    pub(super) answer: Answer,
    /// The context keys that were left out since the answer would have been too large.
    pub(super) omitted_claims: Option<String>,
}

impl Answered {
    /// An invocation that fails, in the words for the denial.
    pub(super) fn failed(denial: Denial) -> Self {
        let answer = Answer::Failure { error_type: denial.code(), error_message: denial.description() };
        Self { ruling: Err(denial), answer, omitted_claims: None }
    }

    /// What API Gateway turns into a 401, and does not cache.
    fn unauthorized(denial: Denial) -> Self {
        let answer = Answer::Failure { error_type: "Unauthorized", error_message: "Unauthorized" };
        Self { ruling: Err(denial), answer, omitted_claims: None }
    }

    fn result(ruling: Result<(), Denial>, text: String, context: &Map<String, Value>) -> Self {
        let omitted = context.get(OMITTED_CLAIMS).and_then(Value::as_str);
        Self { ruling, answer: Answer::Result(text), omitted_claims: omitted.map(str::to_owned) }
    }

    /// Says in the log that the usage identifier key was left out, where it was.
    fn omitting(mut self, usage_key: UsageKey<'_>) -> Self {
        if usage_key == UsageKey::TooLong {
            let others = self.omitted_claims.map(|names| names + " ").unwrap_or_default();
            self.omitted_claims = Some(others + "usageIdentifierKey");
        }
        self
    }
}

/// Answers one request.
///
/// # Errors
/// [`Denial::Internal`] where no answer can be written.
pub(super) fn answer(
    ruling: Result<Permit, Denial>,
    record: &DecisionRecord,
    kind: EventKind,
    arn: &MethodArn<'_>,
    settings: &AnswerSettings,
) -> Result<Answered, Denial> {
    let denial = match ruling {
        Ok(permit) if settings.by_policy(kind) => return by_policy(Ok(&permit), record, kind, arn, settings),
        Ok(permit) => {
            let context = settings.context.of(permit.claims(), Shape::Nested);
            let mut answer = simple_answer(true, context);
            let text = within_limit(&mut answer, 0)?;
            return Ok(Answered::result(Ok(()), text, &answer.context));
        }
        Err(denial) => denial,
    };
    match (denial.class(), settings.unauthorized(kind)) {
        (Class::Unavailable, _) => Ok(Answered::failed(denial)),
        (Class::Unauthorized, Unauthorized::Error) => Ok(Answered::unauthorized(denial)),
        (Class::Unauthorized, Unauthorized::Deny) | (Class::Forbidden, _) if !settings.by_policy(kind) => {
            let mut answer = simple_answer(false, denial_context(&denial));
            let text = within_limit(&mut answer, 0)?;
            Ok(Answered::result(Err(denial), text, &answer.context))
        }
        // What may be right a moment later must not be kept as a denial of the token.
        (Class::Unauthorized, Unauthorized::Deny) if settings.covers_tokens && !is_final(&denial, record) => {
            Ok(Answered::unauthorized(denial))
        }
        (Class::Unauthorized, Unauthorized::Deny) | (Class::Forbidden, _) => {
            by_policy(Err(denial), record, kind, arn, settings)
        }
    }
}

/// A policy about this request, or, where the record has permissions of the token, about all that the token
/// may use.
fn by_policy(
    ruling: Result<&Permit, Denial>,
    record: &DecisionRecord,
    kind: EventKind,
    arn: &MethodArn<'_>,
    settings: &AnswerSettings,
) -> Result<Answered, Denial> {
    // A token that was revoked names somebody, but was not accepted.
    let claims = record
        .claims
        .as_deref()
        .filter(|_| ruling.as_ref().err().is_none_or(|denial| denial.class() == Class::Forbidden));
    let principal_id = claims.and_then(Claims::principal_id).unwrap_or(NOBODY);
    let (ruling, policy_document, context) = match (ruling, claims.zip(record.token_permissions.as_ref())) {
        (ruling, Some((claims, token_permissions))) => {
            return covering(ruling, token_permissions, claims, kind, arn, settings);
        }
        (Ok(permit), None) => {
            let claims = permit.claims();
            (Ok(()), PolicyDocument::allowing(arn, until(claims, settings)), settings.context.of(claims, Shape::Flat))
        }
        (Err(denial), None) => {
            let context = denial_context(&denial);
            let is_everywhere = is_final(&denial, record) || record.is_refused_everywhere;
            let policy = match settings.covers_tokens {
                true if is_everywhere => PolicyDocument::denying_everything(arn),
                true if !arn.can_be_exact() => return Ok(Answered::failed(denial)),
                _ => PolicyDocument::denying(arn),
            };
            (Err(denial), policy, context)
        }
    };
    let usage_key = match &ruling {
        Ok(()) => claims.map_or(UsageKey::Absent, |claims| UsageKey::of(claims, kind, settings)),
        Err(_) => UsageKey::Absent,
    };
    let usage_identifier_key = usage_key.text();
    let mut answer = PolicyAnswer { principal_id, policy_document, context, usage_identifier_key };
    let text = within_limit(&mut answer, 0)?;
    Ok(Answered::result(ruling, text, &answer.context).omitting(usage_key))
}

/// Whether a denial holds for all that the credential may ask for. Only a token's can: what names another credential need
/// not be what API Gateway keeps its answer under.
fn is_final(denial: &Denial, record: &DecisionRecord) -> bool {
    denial.is_final_for_the_token() && record.kind.is_none()
}

/// What names the caller's usage plan, on a REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UsageKey<'c> {
    /// Nothing does.
    Absent,
    /// The value of an API key.
    Text(&'c str),
    /// A claim with more characters than an API key may have.
    TooLong,
}

impl<'c> UsageKey<'c> {
    fn of(claims: &'c Claims, kind: EventKind, settings: &AnswerSettings) -> Self {
        match (&settings.usage_identifier_key, kind) {
            (Some(key), EventKind::RestToken | EventKind::RestRequest) => Self::bounded(key.text(claims)),
            _ => UsageKey::Absent,
        }
    }

    fn bounded(claim: Option<&'c str>) -> Self {
        match claim {
            None => UsageKey::Absent,
            Some(text) if text.chars().count() > MAX_API_KEY_CHARACTERS => UsageKey::TooLong,
            Some(text) => UsageKey::Text(text),
        }
    }

    fn text(self) -> Option<&'c str> {
        match self {
            UsageKey::Text(text) => Some(text),
            UsageKey::Absent | UsageKey::TooLong => None,
        }
    }
}

/// When an Allow ends, where it does.
fn until(claims: &Claims, settings: &AnswerSettings) -> Option<UnixSeconds> {
    settings.policies_expire.then(|| claims.expires())
}

/// A policy about all that the token may use. It is a function of the token alone, but for a
/// Deny of this request where it takes one.
fn covering(
    ruling: Result<&Permit, Denial>,
    token_permissions: &TokenPermissions,
    claims: &Claims,
    kind: EventKind,
    arn: &MethodArn<'_>,
    settings: &AnswerSettings,
) -> Result<Answered, Denial> {
    let principal_id = claims.principal_id().unwrap_or(NOBODY);
    let usage_key = UsageKey::of(claims, kind, settings);
    let usage_identifier_key = usage_key.text();
    let key_bytes = usage_identifier_key.map_or(Ok(0), |key| json(&key).map(|text| text.len() + USAGE_KEY_WORDS))?;
    let others = WORDS_BYTES + MIN_CONTEXT_BYTES + json(&principal_id)?.len() + key_bytes;
    let resources = token_permissions.resources(arn.before_method(), MAX_ANSWER_BYTES.saturating_sub(others))?;
    let leaves_out = resources.leaves_out;
    let policy = PolicyDocument::covering(resources, until(claims, settings));
    if !policy.fits(MAX_RESOURCE_CHARACTERS) {
        return Err(Denial::Internal("a Resource with more than 512 characters: shorten the routes"));
    }
    let is_allowed = policy.allows(arn);
    let is_denied = policy.denies(arn) || settings.implicit_deny && !is_allowed;
    let denial = match ruling {
        Ok(_) if is_allowed => None,
        Ok(_) if leaves_out => {
            Some(Denial::UnsafePath("no cached policy has room for this route and the token's claims"))
        }
        Ok(_) => Some(Denial::UnsafePath("no cached policy can tell it from other paths")),
        Err(denial) => Some(denial),
    };
    let context = settings.context.of(claims, Shape::Flat);
    let mut answer = PolicyAnswer { principal_id, policy_document: policy, context, usage_identifier_key };
    let mut text = within_limit(&mut answer, OWN_DENIAL_BYTES)?;
    // Where no Resource denies this request alone, nothing may be cached: an invocation that failed is not.
    if let Some(denial) = denial {
        if !is_denied {
            let Some(policy) = answer.policy_document.and_denying(arn) else { return Ok(Answered::failed(denial)) };
            answer.policy_document = policy;
            text = json(&answer)?;
            if text.len() > MAX_ANSWER_BYTES {
                return Ok(Answered::failed(denial));
            }
        }
        return Ok(Answered::result(Err(denial), text, &answer.context).omitting(usage_key));
    }
    Ok(Answered::result(Ok(()), text, &answer.context).omitting(usage_key))
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

/// An answer of whose context claims may be left out.
trait HasContext: Serialize {
    fn context(&mut self) -> &mut Map<String, Value>;
}

impl HasContext for PolicyAnswer<'_> {
    fn context(&mut self) -> &mut Map<String, Value> {
        &mut self.context
    }
}

impl HasContext for SimpleAnswer {
    fn context(&mut self) -> &mut Map<String, Value> {
        &mut self.context
    }
}

/// The answer as JSON, with what fits of its context beside so many bytes that are kept free.
/// API Gateway refuses a WebSocket authorizer's result of more than 8 KB, and says nothing of
/// the other kinds.
fn within_limit(answer: &mut impl HasContext, kept_free: usize) -> Result<String, Denial> {
    let text = json(answer)?;
    if text.len() + kept_free <= MAX_ANSWER_BYTES {
        return Ok(text);
    }
    let context = std::mem::take(answer.context());
    let room = MAX_ANSWER_BYTES.saturating_sub(text.len().saturating_sub(json(&context)?.len()));
    *answer.context() = fitted(context, room.saturating_sub(kept_free).max(room.min(MIN_CONTEXT_BYTES)));
    let text = json(answer)?;
    if text.len() > MAX_ANSWER_BYTES {
        return Err(Denial::Internal("the answer has more than 8 KB without its context"));
    }
    Ok(text)
}

fn json(value: &impl Serialize) -> Result<String, Denial> {
    serde_json::to_string(value).map_err(|_| Denial::Internal("the answer cannot be written"))
}

fn simple_answer(is_authorized: bool, context: Map<String, Value>) -> SimpleAnswer {
    SimpleAnswer::builder().is_authorized(is_authorized).context(context).build()
}

/// "8 KB" (API Gateway, WebSocket quotas: authorizer result size).
const MAX_ANSWER_BYTES: usize = 8 * 1024;

/// What a covering policy leaves to the context, whatever the token may use: with the words of
/// the answer and a `sub` of 255 characters it is the KB that the start keeps free. The
/// configuration refuses keys that would not fit.
pub const MIN_CONTEXT_BYTES: usize = 480;

/// `{"principalId":,"policyDocument":{"Version":"2012-10-17","Statement":[...]},"context":}`, with
/// two statements and a condition.
const WORDS_BYTES: usize = 284;

/// "The value is an alphanumeric string between 20 and 128 characters" (API Gateway, usage plans and API keys).
const MAX_API_KEY_CHARACTERS: usize = 128;

/// `,"usageIdentifierKey":`
const USAGE_KEY_WORDS: usize = 22;

/// The principal of a request without an accepted token, or of a token that names nobody.
const NOBODY: &str = "anonymous";

/// A Deny of a request that the policy does not deny anyway.
const OWN_DENIAL_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Covering;
    use crate::denial::Missed;
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

    fn told(denial: &Denial, record: &DecisionRecord, kind: EventKind, settings: &AnswerSettings) -> Told {
        let arn = MethodArn::parse(ARN).unwrap();
        let answered = answer(Err(denial.clone()), record, kind, &arn, settings).unwrap();
        assert_eq!(answered.ruling.as_ref(), Err(denial));
        let text = match answered.answer {
            Answer::Failure { error_type, error_message } => return Told::Failure(error_type, error_message),
            Answer::Result(text) => text,
        };
        let answer: Value = serde_json::from_str(&text).unwrap();
        if answer.get("policyDocument").is_none() {
            assert_eq!(answer["isAuthorized"], false);
            return Told::Simple(answer["context"].clone());
        }
        let denied = json!([{ "Action": ["execute-api:Invoke"], "Effect": "Deny", "Resource": [ARN] }]);
        assert_eq!(answer["policyDocument"], json!({ "Version": "2012-10-17", "Statement": denied }));
        assert_eq!(answer["context"]["reason"], denial.code());
        Told::Policy(answer["principalId"].clone())
    }

    /// Of a token that names `user-1`.
    fn with_claims() -> DecisionRecord {
        let expectations = Expectations {
            issuer: "https://issuer.example".into(),
            tenants: None,
            kind: IssuerKind::Oidc,
            algorithms: AlgorithmSet::of(&[]),
            client_ids: ClientIds::Unchecked,
            audience: Audience::OneOf(vec!["api".into()]),
            typ: None,
            claim_names: ClaimNames::default(),
            dpop: None,
            leeway: Duration::ZERO,
        };
        let body = br#"{"active":true,"exp":9,"aud":"api","sub":"user-1"}"#;
        let Some(Introspection::Active(token)) = Introspection::parse(body) else { panic!() };
        let claims =
            token.into_claims(&Arc::new(expectations), UnixSeconds::EPOCH, &crate::token::Sender::default()).unwrap();
        DecisionRecord { claims: Some(Arc::new(claims)), ..DecisionRecord::default() }
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
            assert_eq!(told(&Denial::TokenExpired, &DecisionRecord::default(), kind, &usual), as_usual, "{kind:?}");
            assert_eq!(told(&Denial::TokenExpired, &DecisionRecord::default(), kind, &turned), as_turned, "{kind:?}");
        }
    }

    #[test]
    fn what_is_forbidden_is_denied_and_what_is_undecided_fails() {
        let (usual, nobody) = (AnswerSettings::unless_configured(), DecisionRecord::default());
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
    fn a_usage_identifier_key_has_at_most_128_characters_and_the_log_says_which_was_left_out() {
        let (longest, longer) = ("\u{e9}".repeat(128), "k".repeat(129));
        assert_eq!(UsageKey::bounded(None), UsageKey::Absent);
        assert_eq!(UsageKey::bounded(Some("k")).text(), Some("k"));
        assert_eq!(UsageKey::bounded(Some(&longest)).text(), Some(longest.as_str()));
        assert_eq!(UsageKey::bounded(Some(&longer)).text(), None);
        for (usage_key, omitted, expected) in [
            (UsageKey::TooLong, None, Some("usageIdentifierKey")),
            (UsageKey::TooLong, Some("groups sub"), Some("groups sub usageIdentifierKey")),
            (UsageKey::Absent, Some("groups"), Some("groups")),
            (UsageKey::Text("k"), None, None),
        ] {
            let context = omitted.map(|omitted| (OMITTED_CLAIMS.to_owned(), json!(omitted))).into_iter().collect();
            let answered = Answered::result(Ok(()), String::new(), &context).omitting(usage_key);
            assert_eq!(answered.omitted_claims.as_deref(), expected, "{usage_key:?}");
        }
    }

    #[test]
    fn an_answer_has_at_most_8192_bytes() {
        let fits = |bytes: usize, kept_free: usize| {
            let context = Map::from_iter([("a".to_owned(), "a".repeat(bytes).into()), ("b".to_owned(), "b".into())]);
            let mut answer = simple_answer(true, context);
            let text = within_limit(&mut answer, kept_free).unwrap();
            assert!(text.len() <= 8192, "{}", text.len());
            answer.context.get(OMITTED_CLAIMS).is_none()
        };
        let others = r#"{"isAuthorized":true,"context":{"a":"","b":"b"}}"#.len();
        assert!(fits(8192 - others, 0) && !fits(8193 - others, 0) && !fits(20_000, 0));
        assert!(fits(8092 - others, 100) && !fits(8093 - others, 100));
    }

    #[test]
    fn the_words_of_a_covering_policy_are_counted() {
        let covering = Covering { allow: vec![String::new()], deny: vec![String::new()], leaves_out: false };
        let policy_document = PolicyDocument::covering(covering, UnixSeconds::new(4_000_000_000.0));
        let text =
            json(&PolicyAnswer { principal_id: "", policy_document, context: Map::new(), usage_identifier_key: None })
                .unwrap();
        // The principal's quotes, the two Resources' quotes and the context's braces are counted where they are.
        assert_eq!(text.len() - 2 - 4 - 2, WORDS_BYTES);
    }

    #[test]
    fn an_answer_that_is_too_large_without_a_context_is_none() {
        let arn = MethodArn::parse(ARN).unwrap();
        let text = |bytes: usize| {
            let (principal_id, policy_document) = ("a".repeat(bytes), PolicyDocument::denying(&arn));
            let context = Map::new();
            let mut answer =
                PolicyAnswer { principal_id: &principal_id, policy_document, context, usage_identifier_key: None };
            within_limit(&mut answer, 0)
        };
        assert!(text(7000).is_ok() && matches!(text(8192), Err(Denial::Internal(_))));
    }
}
