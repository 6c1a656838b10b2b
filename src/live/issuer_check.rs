//! Asks an issuer whether a token is still good, or what an opaque token says.

use super::cached_check::{Answered, CachedCheck, CheckSettings};
use super::caller::Caller;
use super::check_error::CheckError;
use super::cognito::CognitoDirectory;
use super::introspection::{AnswerText, IntrospectionEndpoint};
use super::memory::{Lasts, Memory};
use super::token_facts::TokenFacts;
use super::user_info::UserInfo;
use crate::bounded_store::{Limits, Weight};
use crate::denial::Denial;
use crate::http::RemoteCounts;
use crate::request::UnixSeconds;
use crate::substitute::{OUTAGE, Reply, Substitute};
use crate::token::{BearerToken, Claims, IntrospectedToken, Introspection, TokenDigest};
use std::sync::Arc;
use std::time::Duration;

/// How an issuer is asked.
#[derive(Debug)]
pub enum Method {
    /// Cognito's API.
    Cognito(CognitoDirectory),
    /// OpenID Connect's UserInfo endpoint.
    UserInfo(UserInfo),
    /// RFC 7662.
    Introspection(IntrospectionEndpoint),
}

/// One issuer that can be asked.
///
/// Anybody can send an opaque text, and some endpoints fail on some texts. Checks of opaque tokens
/// are kept apart from those of verified tokens, so that they cannot stop them.
#[derive(Debug)]
pub struct IssuerCheck {
    method: Method,
    settings: CheckSettings,
    /// A "yes" says when the token ends, if the issuer does.
    verified: Arc<CachedCheck<Option<UnixSeconds>>>,
    /// A "yes" is all that the issuer says of the token.
    opaque: Arc<CachedCheck<AnswerText>>,
    /// Whose tokens the opaque ones are that the issuer called active. Only used to attribute lost calls.
    callers: Memory<Caller>,
}

impl Method {
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

    /// Asks about a verified token; says when it ends, where the answer does.
    async fn ask(&self, token: &str, about: &TokenFacts, timeout: Duration) -> Result<Option<UnixSeconds>, CheckError> {
        match self {
            Method::Cognito(directory) => directory.ask(token, about, timeout).await.map(|()| None),
            Method::UserInfo(user_info) => user_info.ask(token, about, timeout).await.map(|()| None),
            Method::Introspection(endpoint) => endpoint.ask(token, about, timeout).await,
        }
    }

    /// Asks whose this opaque token is.
    async fn resolve(&self, token: &str, timeout: Duration) -> Result<AnswerText, CheckError> {
        match self {
            Method::Introspection(endpoint) => endpoint.resolve(token, timeout).await,
            Method::Cognito(_) | Method::UserInfo(_) => {
                Err(CheckError::Lasting(Denial::NotIntrospectable("an opaque token cannot be asked about here")))
            }
        }
    }
}

impl IssuerCheck {
    /// An issuer that is asked by `method`.
    #[must_use]
    pub fn new(method: Method, settings: CheckSettings, counts: &RemoteCounts) -> Arc<Self> {
        let unavailable = Denial::IntrospectionUnavailable;
        let verified = CachedCheck::new(settings, REMEMBERED, counts.introspections.clone(), unavailable);
        let opaque = CachedCheck::new(settings, REMEMBERED, counts.introspections.clone(), unavailable);
        Arc::new(Self { method, settings, verified, opaque, callers: Memory::new(REMEMBERED_CALLERS) })
    }

    /// Asks about a token that was verified.
    pub(super) async fn ask(
        self: &Arc<Self>,
        token: &BearerToken<'_>,
        claims: &Claims,
        now: UnixSeconds,
    ) -> Answered<Option<UnixSeconds>> {
        if let Err(denial) = self.method.can_ask_about(claims) {
            return Answered { result: Err(denial), remembered: false };
        }
        let question = || {
            let (check, token, about) = (Arc::clone(self), token.as_str().to_owned(), TokenFacts::of(claims, now));
            async move { check.method.ask(&token, &about, check.settings.timeout).await }
        };
        let expires = |outcome: &Result<Option<UnixSeconds>, CheckError>| match outcome {
            Ok(Some(told)) => earlier(*told, claims.expires()),
            // A server that has not heard of a new token yet calls it inactive, too.
            Err(_) if matches!(self.method, Method::Introspection(_)) => {
                earlier(now.plus(refusal_of(self.settings.cache)), claims.expires())
            }
            Ok(None) | Err(_) => claims.expires(),
        };
        self.verified.ask_once(*TokenDigest::of(token).as_bytes(), Caller::of(claims), question, expires, now).await
    }

    /// Asks whose this opaque token is.
    pub(super) async fn resolve(
        self: &Arc<Self>,
        token: &BearerToken<'_>,
        now: UnixSeconds,
    ) -> Answered<IntrospectedToken> {
        let question = || {
            let (check, token) = (Arc::clone(self), token.as_str().to_owned());
            async move { check.method.resolve(&token, check.settings.timeout).await }
        };
        let expires = |outcome: &Result<AnswerText, CheckError>| match outcome {
            // Without an end nothing is kept: such a token is refused anyway.
            Ok(told) => told.expires().unwrap_or(now),
            Err(_) => now.plus(refusal_of(self.settings.cache)),
        };
        let digest = TokenDigest::of(token);
        let caller = match self.callers.recall(digest.as_bytes(), now) {
            Ok(known) => known.unwrap_or(Caller::stranger(&digest)),
            Err(denial) => return Answered { result: Err(denial), remembered: false },
        };
        let Answered { result, remembered } =
            self.opaque.ask_once(*digest.as_bytes(), caller, question, expires, now).await;
        let result = result.and_then(|told| told.read());
        let result = result.and_then(|told| self.get_to_know(&digest, caller, &told, now).map(|()| told));
        Answered { result, remembered }
    }

    /// What would become of a question about a verified token if the issuer answered so.
    pub(super) fn answered_by(&self, substitute: &dyn Substitute, claims: &Claims) -> Answered<Option<UnixSeconds>> {
        let says = || match (substitute.issuer(), &self.method) {
            (Reply::Yes, _) => Ok(None),
            (Reply::Revoked, Method::Cognito(_)) => Err(Denial::TokenRevoked("Cognito says so")),
            (Reply::No | Reply::Revoked, _) => Err(Denial::TokenInactive("its issuer says so")),
            (Reply::Outage, _) => Err(Denial::IntrospectionUnavailable(OUTAGE.into())),
        };
        Answered { result: self.method.can_ask_about(claims).and_then(|()| says()), remembered: false }
    }

    /// What would become of a question about an opaque token if the issuer answered so.
    pub(super) fn resolved_by(
        &self,
        substitute: &dyn Substitute,
        token: &BearerToken<'_>,
    ) -> Answered<IntrospectedToken> {
        let unavailable = |why: &'static str| Err(Denial::IntrospectionUnavailable(why.into()));
        let result = match substitute.introspection(token.as_str()) {
            None => unavailable(OUTAGE),
            Some(body) => match Introspection::parse(body.as_bytes()) {
                Some(Introspection::Active(told)) => Ok(told),
                Some(Introspection::Inactive) => Err(Denial::TokenInactive("its issuer says so")),
                None => unavailable("an answer that makes no sense"),
            },
        };
        Answered { result, remembered: false }
    }

    /// Remembers whose token this is.
    fn get_to_know(
        &self,
        digest: &TokenDigest,
        caller: Caller,
        told: &IntrospectedToken,
        now: UnixSeconds,
    ) -> Result<(), Denial> {
        match (caller, Caller::of_introspected(told), told.expires()) {
            (Caller::Stranger(_), Some(caller), Some(expires)) => {
                let lasts = Lasts { for_at_most: Duration::MAX, expires };
                self.callers.remember(*digest.as_bytes(), caller, lasts, now)
            }
            _ => Ok(()),
        }
    }
}

impl Weight for Option<UnixSeconds> {
    fn bytes_elsewhere(&self) -> usize {
        0
    }
}

fn earlier(one: UnixSeconds, other: UnixSeconds) -> UnixSeconds {
    if one < other { one } else { other }
}

/// In each of the two checks. A refusal, or a "yes" about a verified token, takes less than half a KiB; an
/// opaque token's "yes" takes what the issuer says of it besides, 64 KiB at most.
pub(super) const REMEMBERED: Limits = Limits { entries: 10_000, bytes: 8 * 1024 * 1024 };

/// Of opaque tokens: less than half a KiB each.
const REMEMBERED_CALLERS: Limits = Limits { entries: 10_000, bytes: 4 * 1024 * 1024 };

/// How long what an introspection endpoint refused is not asked about again. Where no answer is to be
/// used twice, only so long that a client that tries again and again does not make each try a call.
fn refusal_of(cache: Duration) -> Duration {
    if cache.is_zero() { Duration::from_secs(5) } else { Duration::from_secs(60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As docs/live-checks.md says.
    #[test]
    fn a_refusal_of_an_endpoint_is_used_for_a_minute_and_without_a_cache_for_seconds() {
        for (cache, refusal) in [(0, 5_000), (1, 60_000), (5_000, 60_000), (3_600_000, 60_000)] {
            assert_eq!(refusal_of(Duration::from_millis(cache)), Duration::from_millis(refusal), "{cache}");
        }
    }
}
