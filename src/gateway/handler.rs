//! One invocation: event, request, ruling, answer, one line in the log, and one more
//! with metrics where they are asked for. The only place that reads the clock.

use super::answer::{Answer, AnswerSettings, Answered, answer};
use super::event::Event;
use super::event_kind::EventKind;
use super::token_sources::{TokenSource, TokenSources};
use super::trace::trace_id;
use crate::access::{CacheKey, Observer, Permit};
use crate::authorizer::{Authorizer, DecisionRecord};
use crate::credentials::ApiKey;
use crate::denial::{Class, Denial};
use crate::metrics::{Invocation, Metrics};
use crate::request::{Credential, Request, UnixSeconds};
use crate::time::now;
use crate::token::{BearerToken, Claims, CredentialKind};
use futures_util::FutureExt;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Answers invocations. Shared by all that are in flight.
#[derive(Debug)]
pub struct Handler {
    authorizer: Authorizer,
    answers: AnswerSettings,
    token_sources: TokenSources,
    metrics: Option<Metrics>,
    cache_key: CacheKey,
    /// Whether an event has shown by now what its API's cache is keyed by.
    has_seen_sources: AtomicBool,
    with_details: bool,
    with_source_ip: bool,
    with_message: bool,
    api_key_header: Option<String>,
}

/// An event as it came; `None` where it was no JSON. Reading it never fails, so
/// that the answer to a malformed event is ours and does not quote it.
pub struct RawEvent(Option<Box<RawValue>>);

impl<'de> Deserialize<'de> for RawEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer).ok()))
    }
}

impl Handler {
    /// A handler for this authorizer.
    #[must_use]
    pub fn new(authorizer: Authorizer, answers: AnswerSettings, token_sources: TokenSources) -> Self {
        let (cache_key, with_details) = (authorizer.cache_key(), authorizer.asks_policies());
        let (with_source_ip, with_message) = (authorizer.asks_address(), authorizer.asks_message());
        let api_key_header = authorizer.api_key_header().map(str::to_owned);
        let has_seen_sources = AtomicBool::new(false);
        Self {
            authorizer,
            answers,
            token_sources,
            metrics: None,
            cache_key,
            has_seen_sources,
            with_details,
            with_source_ip,
            with_message,
            api_key_header,
        }
    }

    /// The same, with metrics in the log.
    #[must_use]
    pub fn with_metrics(self, metrics: Option<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Starts to fetch the issuers' keys, while the function starts.
    pub fn prefetch(&self) {
        self.authorizer.prefetch();
    }

    /// Answers one invocation, for `lambda_runtime`.
    ///
    /// # Errors
    /// The failures that the contract asks for: `Unauthorized`, and what could not be decided.
    pub async fn invoke(&self, event: LambdaEvent<RawEvent>) -> Result<Box<RawValue>, Diagnostic> {
        // What is no JSON is empty here, and no event either.
        let text = event.payload.0.as_deref().map_or("", RawValue::get);
        let lambda_runtime::Context { request_id, xray_trace_id, .. } = &event.context;
        match self.answer(text.as_bytes(), request_id, xray_trace_id.as_deref()).await {
            Answer::Result(text) => {
                RawValue::from_string(text).map_err(|_| diagnostic("internal", "the answer is no JSON"))
            }
            Answer::Failure { error_type, error_message } => Err(diagnostic(error_type, error_message)),
        }
    }

    /// Answers one invocation, whatever its event holds. `trace` is its header `Lambda-Runtime-Trace-Id`.
    pub async fn answer(&self, event: &[u8], request_id: &str, trace: Option<&str>) -> Answer {
        let started = Instant::now();
        let trace_id = trace.and_then(trace_id);
        let mut line = Line { request_id, trace_id, ..Line::default() };
        // A panic is a bug, and its answer is a denial: the process lives on.
        let outcome = AssertUnwindSafe(self.decide(event, now(), &mut line)).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_| Some(Answered::failed(Denial::Internal("a panic"))));
        let took = started.elapsed();
        let Some(answered) = outcome else {
            tracing::info!(message = "keep_warm", trace_id, duration_us = micros(took), request_id);
            return Answer::Result(KEEP_WARM.to_owned());
        };
        line.log(&answered, took);
        if let Some(metrics) = &self.metrics {
            let (decision, denial) = decision(&answered.ruling);
            let calls = self.authorizer.take_calls();
            let would_be_refused = line.would_be(&answered.ruling).is_some();
            let reason = denial.map(Denial::code);
            metrics.write(&Invocation { decision, reason, would_be_refused, took, calls }, SystemTime::now());
        }
        answered.answer
    }

    /// `None` where there is nothing to decide.
    async fn decide(&self, event: &[u8], now: Option<UnixSeconds>, line: &mut Line<'_>) -> Option<Answered> {
        let event = match Event::parse_or_ping(event) {
            Ok(Some(event)) => event,
            Ok(None) => {
                self.authorizer.fetch_due_keys().await;
                return None;
            }
            Err(denial) => return Some(Answered::failed(denial)),
        };
        line.event = Some(event.kind);
        let by_policy = self.answers.by_policy(event.kind);
        self.look_at_sources(&event, by_policy);
        let request = self.request(&event, by_policy);
        let ruling: Result<Permit, Denial> = match now {
            Some(now) => self.authorizer.authorize(&request, now, &mut line.record).await,
            None => Err(Denial::Internal("the clock is before 1970 or after 9999")),
        };
        line.would_be = ruling.as_ref().ok().and_then(Permit::would_be).cloned();
        let answered =
            answer(ruling, &line.record, event.kind, &event.arn, &self.answers).unwrap_or_else(Answered::failed);
        Some(answered)
    }

    /// Warns once of an HTTP API that would keep a simple answer under too short a key.
    /// Identity sources are an authorizer's setting: of several on one function, the first to ask tells.
    fn look_at_sources(&self, event: &Event<'_>, by_policy: bool) {
        if by_policy || self.has_seen_sources.swap(true, Ordering::Relaxed) {
            return;
        }
        let missing = event.missing_identity_sources(self.cache_key);
        if !missing.is_empty() {
            tracing::warn!(
                message = "identity_sources",
                missing_identity_sources = missing.join(", "),
                fix = "if the authorizer's results are cached, add these identity sources, or set its TTL to 0"
            );
        }
    }
}

impl Handler {
    /// What would become of an event, for `authctl`; `token` stands in for the one
    /// that the event carries. Nothing is answered and nothing is logged.
    ///
    /// # Errors
    /// The reason for "no".
    pub async fn explain(&self, event: &str, token: Option<&str>, record: &mut DecisionRecord) -> Result<(), Denial> {
        let event = Event::parse(event.as_bytes())?;
        let mut request = self.request(&event, self.answers.by_policy(event.kind));
        if let Some(token) = token {
            let is_key = self.api_key_header.is_some() && ApiKey::has_form(token);
            let token = vec![Credential(token.into())];
            (request.credentials, request.api_keys) = if is_key { (vec![], token) } else { (token, vec![]) };
        }
        let now = now().ok_or(Denial::Internal("the clock is before 1970 or after 9999"))?;
        self.authorizer.authorize(&request, now, record).await.map(drop)
    }

    fn request<'e>(&'e self, event: &'e Event<'_>, by_policy: bool) -> Request<'e> {
        let mut request = event.request(self.token_sources.of(event.kind), by_policy);
        if self.with_source_ip {
            request.source_ip = event.source_ip();
        }
        if self.with_message {
            request.message = Some(event.message());
        }
        if let Some(header) = &self.api_key_header {
            match key_in_token(&request, event.kind) {
                Some(key) => {
                    request.credentials.clear();
                    request.api_keys = vec![key];
                }
                None => request.api_keys = event.api_keys(header),
            }
        }
        if self.with_details {
            request.details = Some(event.details(self.token_sources.of(event.kind)));
        }
        request
    }
}

/// The API key that a TOKEN event carries in the place of a token, as itself or behind `Bearer`: which header that was, the
/// event does not tell.
fn key_in_token(request: &Request<'_>, kind: EventKind) -> Option<Credential<'static>> {
    if kind != EventKind::RestToken {
        return None;
    }
    let token = BearerToken::from_request(request).ok()?;
    ApiKey::has_form(token.as_str()).then(|| Credential(token.as_str().to_owned().into()))
}

impl Handler {
    /// What would be answered at that time, and all that was learned on the way, for `authctl`: the function's own steps.
    /// Nothing is logged. `observer` sees the rule held against the claims, where the token was accepted and a rule serves
    /// the path. `None` for an event that only keeps the function warm.
    pub async fn rehearse<O: Observer>(&self, event: &[u8], now: UnixSeconds, observer: &mut O) -> Option<Rehearsal> {
        let mut line = Line::default();
        let answered = self.decide(event, Some(now), &mut line).await?;
        let would_be = line.would_be(&answered.ruling).cloned();
        let Line { record, .. } = line;
        let Answered { ruling, answer, omitted_claims } = answered;
        let request = Event::parse(event).ok().map(|event| {
            let request = self.request(&event, self.answers.by_policy(event.kind));
            let rule = self.authorizer.rules().route(&request);
            if let (Ok(rule), Some(claims)) = (&rule, &record.claims) {
                // The verdict is the one above, by the same code.
                let _ = rule.authorize_before(Arc::clone(claims), now, observer);
            }
            let is_carried = |source: &&TokenSource| event.carries(source);
            RehearsedRequest {
                event: event.kind,
                method: request.method.to_owned(),
                path: request.path.to_owned(),
                carried_in: self.token_sources.of(event.kind).iter().filter(is_carried).cloned().collect(),
                route: rule.map(|rule| Arc::clone(rule.key())),
            }
        });
        Some(Rehearsal { answer, ruling, would_be, omitted_claims, record, request })
    }
}

/// What would become of an event.
#[derive(Debug)]
pub struct Rehearsal {
    /// What API Gateway would get.
    pub answer: Answer,
    /// Whether that lets the request in.
    pub ruling: Result<(), Denial>,
    /// Of a request that a rule lets in which only reports: why it would be refused.
    pub would_be: Option<Denial>,
    /// The context keys that were left out of the answer.
    pub omitted_claims: Option<String>,
    /// What was learned on the way.
    pub record: DecisionRecord,
    /// The request; `None` where the event is none of API Gateway's.
    pub request: Option<RehearsedRequest>,
}

/// What an event says of its request.
#[derive(Debug)]
pub struct RehearsedRequest {
    /// The kind of event.
    pub event: EventKind,
    /// The request's method, or `$connect`.
    pub method: String,
    /// The request's path.
    pub path: String,
    /// Which of the configured places carry something; a TOKEN event has no such places.
    pub carried_in: Vec<TokenSource>,
    /// The key of the rule that serves the path, whatever the token.
    pub route: Result<Arc<str>, Denial>,
}

fn diagnostic(error_type: &str, error_message: &str) -> Diagnostic {
    Diagnostic { error_type: error_type.to_owned(), error_message: error_message.to_owned() }
}

/// What the log says of one invocation.
#[derive(Default)]
struct Line<'i> {
    request_id: &'i str,
    trace_id: Option<&'i str>,
    event: Option<EventKind>,
    /// Why a rule that only reports would refuse the request.
    would_be: Option<Denial>,
    record: DecisionRecord,
}

impl Line<'_> {
    /// Of a request that was let in, why it would be refused.
    fn would_be(&self, ruling: &Result<(), Denial>) -> Option<&Denial> {
        self.would_be.as_ref().filter(|_| ruling.is_ok())
    }

    fn log(&self, answered: &Answered, took: Duration) {
        let (decision, denial) = decision(&answered.ruling);
        let would_be = self.would_be(&answered.ruling);
        let denial = denial.or(would_be);
        let record = &self.record;
        let claims = record.claims.as_deref();
        let credential =
            record.kind.or_else(|| claims.map(Claims::credential)).filter(|kind| *kind != CredentialKind::Jwt);
        tracing::info!(
            message = "decision",
            decision,
            would_be = would_be.map(|denial| class_name(denial.class())),
            reason = denial.map(Denial::code),
            detail = denial.and_then(Denial::detail),
            event = self.event.map(EventKind::name),
            route = record.route.as_deref(),
            issuer = record.issuer.as_deref(),
            client_id = claims.and_then(Claims::client_id).and_then(|id| id.as_str()),
            principal_id = claims.and_then(Claims::principal_id),
            kid = record.kid.as_deref(),
            jti = claims.and_then(|claims| claims.text("jti")),
            credential = credential.map(CredentialKind::name),
            omitted_claims = answered.omitted_claims.as_deref(),
            live_check = record.live_check.outcome(),
            live_check_us = record.live_check.microseconds(),
            policies = record.permissions.policies(),
            policy_errors = record.permissions.errors(),
            trace_id = self.trace_id,
            duration_us = micros(took),
            request_id = self.request_id,
        );
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// The answer to what keeps the function warm: neither a policy nor a simple answer.
const KEEP_WARM: &str = r#"{"keepWarm":true}"#;

fn decision(ruling: &Result<(), Denial>) -> (&'static str, Option<&Denial>) {
    match ruling {
        Ok(()) => ("allow", None),
        Err(denial) => (class_name(denial.class()), Some(denial)),
    }
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Unauthorized => "unauthorized",
        Class::Forbidden => "forbidden",
        Class::Unavailable => "unavailable",
    }
}
