//! Asks an issuer whether a token still stands: within a deadline, once for all
//! requests that ask about the same token at the same time, and not again for what
//! cannot change.

use super::breaker::{Breaker, Outage};
use super::cognito::CognitoDirectory;
use super::introspection::IntrospectionEndpoint;
use super::memory::{Digest, Lasts, Memory};
use super::tally::Calls;
use super::user_info::UserInfo;
use crate::denial::Denial;
use crate::request::UnixSeconds;
use crate::token::{BearerToken, Claims, IntrospectedToken};
use aws_lc_rs::digest::{SHA256, digest};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use serde_json::Value;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How an issuer can be asked.
#[derive(Debug)]
pub enum Method {
    /// Cognito's API.
    Cognito(CognitoDirectory),
    /// OpenID Connect's UserInfo endpoint.
    UserInfo(UserInfo),
    /// RFC 7662.
    Introspection(IntrospectionEndpoint),
}

/// How long an inquiry may take, and how long its "yes" may be used.
#[derive(Clone, Copy, Debug)]
pub struct InquirySettings {
    /// For one inquiry, retries included.
    pub timeout: Duration,
    /// Zero: every request asks.
    pub cache: Duration,
}

/// One issuer that can be asked.
#[derive(Debug)]
pub struct Inquiry {
    method: Method,
    settings: InquirySettings,
    breaker: Breaker,
    memory: Memory<Result<Yes, Denial>>,
    under_way: Mutex<HashMap<Digest, Flight>>,
}

/// A token that is asked about.
struct Question {
    token: String,
    /// What it says; `None` for an opaque one.
    about: Option<TokenFacts>,
}

/// What a verified token says, for the answer to be held against.
pub(super) struct TokenFacts {
    pub(super) issuer: String,
    pub(super) subject: Option<String>,
    pub(super) username: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) audience: Option<Value>,
    /// What binds it to its sender.
    pub(super) confirmation: Option<Value>,
    /// Now, as far as the issuer's clock may be ahead.
    pub(super) latest: UnixSeconds,
    /// Whether it has the scope that a UserInfo endpoint asks for.
    pub(super) has_openid: bool,
    pub(super) now: UnixSeconds,
}

/// Anything but a clear "yes".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// About the token itself: it stays so.
    Lasting(Denial),
    /// About its user as of now.
    Passing(Denial),
    /// Nothing was learned.
    Outage(Outage),
}

/// What became of a question.
pub(super) struct Answered<T> {
    pub(super) result: Result<T, Denial>,
    pub(super) remembered: bool,
}

/// A "yes", with what the issuer said of the token where it says anything: all
/// there is to know of an opaque one.
type Yes = Option<IntrospectedToken>;
type Flight = Shared<BoxFuture<'static, Result<Yes, Doubt>>>;

impl Method {
    /// Its name in the configuration and in the log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Method::Cognito(directory) => directory.method().name(),
            Method::UserInfo(_) => "user_info",
            Method::Introspection(_) => "introspection",
        }
    }

    /// Whether a token of this kind can be asked about at all.
    fn can_ask_about(&self, claims: &Claims) -> Result<(), Denial> {
        let takes_id_tokens = match self {
            Method::Cognito(directory) => directory.method().takes_id_tokens(),
            Method::UserInfo(_) => false,
            Method::Introspection(_) => true,
        };
        if claims.is_cognito_id_token() && !takes_id_tokens {
            return Err(Denial::NotIntrospectable("an ID token cannot be asked about"));
        }
        Ok(())
    }

    async fn ask(&self, question: &Question, timeout: Duration) -> Result<Yes, Doubt> {
        let token = &question.token;
        match (self, &question.about) {
            (Method::Cognito(directory), Some(about)) => directory.ask(token, about, timeout).await.map(|()| None),
            (Method::UserInfo(user_info), Some(about)) => user_info.ask(token, about, timeout).await.map(|()| None),
            (Method::Introspection(endpoint), Some(about)) => endpoint.ask(token, about, timeout).await.map(Some),
            (Method::Introspection(endpoint), None) => endpoint.resolve(token, timeout).await.map(Some),
            (Method::Cognito(_) | Method::UserInfo(_), None) => {
                Err(Doubt::Lasting(Denial::NotIntrospectable("an opaque token cannot be asked about here")))
            }
        }
    }
}

impl Inquiry {
    /// An issuer that is asked by `method`.
    #[must_use]
    pub fn new(method: Method, settings: InquirySettings) -> Arc<Self> {
        let (memory, under_way) = (Memory::default(), Mutex::default());
        Arc::new(Self { method, settings, breaker: Breaker::default(), memory, under_way })
    }

    /// The way it asks, for the log.
    pub(super) fn name(&self) -> &'static str {
        self.method.name()
    }

    pub(super) fn take_calls(&self) -> Calls {
        self.breaker.take_calls()
    }

    /// Asks about a token that was verified.
    pub(super) async fn ask(
        self: &Arc<Self>,
        token: &BearerToken<'_>,
        claims: &Claims,
        now: UnixSeconds,
    ) -> Answered<Yes> {
        if let Err(denial) = self.method.can_ask_about(claims) {
            return Answered { result: Err(denial), remembered: false };
        }
        let about = || Some(TokenFacts::of(claims, now));
        let told = |outcome: &Result<Yes, Doubt>| outcome.as_ref().ok()?.as_ref()?.expires();
        let expires = |outcome: &Result<Yes, Doubt>| {
            told(outcome).map_or(claims.expires(), |told| earlier(told, claims.expires()))
        };
        self.ask_once(token, about, expires, now).await
    }

    /// Asks whose this opaque token is.
    pub(super) async fn resolve(
        self: &Arc<Self>,
        token: &BearerToken<'_>,
        now: UnixSeconds,
    ) -> Answered<IntrospectedToken> {
        let refusal_until = now.plus(OPAQUE_REFUSAL);
        let expires = |outcome: &Result<Yes, Doubt>| match outcome {
            // Without an end nothing is kept: such a token is refused anyway.
            Ok(token) => token.as_ref().and_then(IntrospectedToken::expires).unwrap_or(now),
            Err(_) => refusal_until,
        };
        let answered = self.ask_once(token, || None, expires, now).await;
        let no_claims = Denial::Internal("an introspection without claims");
        Answered { result: answered.result.and_then(|yes| yes.ok_or(no_claims)), remembered: answered.remembered }
    }

    async fn ask_once(
        self: &Arc<Self>,
        token: &BearerToken<'_>,
        about: impl FnOnce() -> Option<TokenFacts>,
        expires: impl FnOnce(&Result<Yes, Doubt>) -> UnixSeconds,
        now: UnixSeconds,
    ) -> Answered<Yes> {
        let key = digest_of(token);
        if let Some(result) = self.memory.recall(&key, now) {
            return Answered { result, remembered: true };
        }
        let flight = self.join_or_ask(key.clone(), || Question { token: token.as_str().to_owned(), about: about() });
        let outcome = flight.clone().await;
        // The first to wake up clears the place; a flight that came after is another.
        lock(&self.under_way).retain(|other, held| other != &key || !held.ptr_eq(&flight));
        let expires = expires(&outcome);
        Answered { result: self.remember(key, outcome, expires, now), remembered: false }
    }

    fn join_or_ask(self: &Arc<Self>, key: Digest, question: impl FnOnce() -> Question) -> Flight {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.get(&key) {
            return flight.clone();
        }
        let (inquiry, question) = (Arc::clone(self), question());
        // A flight that panicked would do so for each who joins it.
        let guarded = async move { AssertUnwindSafe(inquiry.ask_now(&question)).catch_unwind().await };
        let panicked = |_| Err(Doubt::Outage(Outage::dead("a panic")));
        let flight = guarded.map(move |outcome| outcome.unwrap_or_else(panicked)).boxed().shared();
        under_way.insert(key, flight.clone());
        flight
    }

    async fn ask_now(&self, question: &Question) -> Result<Yes, Doubt> {
        let timeout = self.settings.timeout;
        // The breaker sees outages alone: a "no" is an answer.
        let call = async {
            match self.method.ask(question, timeout).await {
                Err(Doubt::Outage(outage)) => Err(outage),
                answer => Ok(answer),
            }
        };
        self.breaker.call(timeout, call).await.unwrap_or_else(|outage| Err(Doubt::Outage(outage)))
    }

    fn remember(
        &self,
        key: Digest,
        outcome: Result<Yes, Doubt>,
        expires: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<Yes, Denial> {
        let (result, for_at_most) = match outcome {
            Ok(yes) => (Ok(yes), self.settings.cache),
            Err(Doubt::Lasting(denial)) => (Err(denial), Duration::MAX),
            Err(Doubt::Passing(denial)) => (Err(denial), self.settings.cache),
            Err(Doubt::Outage(outage)) => return Err(Denial::IntrospectionUnavailable(outage.why)),
        };
        // What an issuer said of a token may be large; a refusal is not.
        let most = if matches!(result, Ok(Some(_))) { MAX_REMEMBERED_CLAIMS } else { MAX_REMEMBERED };
        self.memory.remember(key, result.clone(), Lasts { for_at_most, expires }, most, now);
        result
    }
}

impl TokenFacts {
    fn of(claims: &Claims, now: UnixSeconds) -> Self {
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            issuer: claims.issuer().to_owned(),
            subject: claims.subject().map(str::to_owned),
            username: text(claims.username()),
            client_id: text(claims.client_id()),
            audience: claims.get("aud").cloned(),
            confirmation: claims.get("cnf").cloned(),
            latest: now.plus(claims.leeway()),
            has_openid: claims.has_scope("openid"),
            now,
        }
    }
}

fn earlier(one: UnixSeconds, other: UnixSeconds) -> UnixSeconds {
    if one < other { one } else { other }
}

/// All of the token, strongly: a part or a weak hash would let one token pass for another.
fn digest_of(token: &BearerToken<'_>) -> Digest {
    digest(&SHA256, token.as_str().as_bytes()).as_ref().into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Some 100 bytes each.
const MAX_REMEMBERED: usize = 10_000;

/// Some KiB each, 64 at worst.
const MAX_REMEMBERED_CLAIMS: usize = 500;

/// How long an opaque token that was called inactive is not asked about again; its
/// `exp` is not known.
const OPAQUE_REFUSAL: Duration = Duration::from_secs(60);
