//! Makes one kind of check: within a deadline, once for all requests that ask about the same
//! token or key at the same time, and not again while the answer may be used.
//!
//! Each has its own breaker, memory and checks under way, so that what happens to one stops no
//! other.

use super::breaker::Breaker;
use super::caller::Caller;
use super::check_error::CheckError;
use super::memory::{Digest, Lasts, Memory};
use crate::bounded_store::{Limits, Weight};
use crate::denial::Denial;
use crate::http::{CallCounts, Outage};
use crate::lock::lock;
use crate::request::UnixSeconds;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a check may take, and how long its "yes" may be used.
#[derive(Clone, Copy, Debug)]
pub struct CheckSettings {
    /// For one check, retries included.
    pub timeout: Duration,
    /// Zero: every request asks.
    pub cache: Duration,
}

/// The result of a check.
pub(super) struct Answered<T> {
    pub(super) result: Result<T, Denial>,
    pub(super) remembered: bool,
}

/// Checks of one kind, and their answers. `T` is what a "yes" says.
pub(super) struct CachedCheck<T> {
    settings: CheckSettings,
    breaker: Breaker,
    memory: Memory<Result<T, Denial>>,
    under_way: Mutex<HashMap<Digest, Flight<T>>>,
    /// What an outage of this check is to a request.
    unavailable: fn(Cow<'static, str>) -> Denial,
}

type Flight<T> = Shared<BoxFuture<'static, Result<T, CheckError>>>;

impl<T: Clone + Weight + Send + Sync + 'static> CachedCheck<T> {
    pub(super) fn new(
        settings: CheckSettings,
        limits: Limits,
        counts: CallCounts,
        unavailable: fn(Cow<'static, str>) -> Denial,
    ) -> Arc<Self> {
        let (memory, under_way) = (Memory::new(limits), Mutex::default());
        Arc::new(Self { settings, breaker: Breaker::new(counts), memory, under_way, unavailable })
    }

    /// What is known, where it may still be used.
    pub(super) fn recall(&self, key: &Digest, now: UnixSeconds) -> Result<Option<Result<T, Denial>>, Denial> {
        self.memory.recall(key, now)
    }

    /// Asks about a token or a key, where nothing is known of it.
    pub(super) async fn ask_once<Q>(
        self: &Arc<Self>,
        key: Digest,
        caller: Caller,
        question: impl FnOnce() -> Q,
        expires: impl FnOnce(&Result<T, CheckError>) -> UnixSeconds,
        now: UnixSeconds,
    ) -> Answered<T>
    where
        Q: Future<Output = Result<T, CheckError>> + Send + 'static,
    {
        match self.memory.recall(&key, now) {
            Ok(Some(result)) => return Answered { result, remembered: true },
            Ok(None) => {}
            Err(denial) => return Answered { result: Err(denial), remembered: false },
        }
        Answered { result: self.ask_anew(key, caller, question, expires, now).await, remembered: false }
    }

    /// Asks, whatever is known. Requests that ask at the same time share one call.
    pub(super) async fn ask_anew<Q>(
        self: &Arc<Self>,
        key: Digest,
        caller: Caller,
        question: impl FnOnce() -> Q,
        expires: impl FnOnce(&Result<T, CheckError>) -> UnixSeconds,
        now: UnixSeconds,
    ) -> Result<T, Denial>
    where
        Q: Future<Output = Result<T, CheckError>> + Send + 'static,
    {
        let flight = self.join_or_ask(key, caller, question)?;
        let outcome = flight.clone().await;
        // The first request to wake up removes the flight, unless another has taken its place.
        lock(&self.under_way)?.retain(|other, held| other != &key || !held.ptr_eq(&flight));
        let expires = expires(&outcome);
        self.remember(key, outcome, expires, now)
    }

    fn join_or_ask<Q>(
        self: &Arc<Self>,
        key: Digest,
        caller: Caller,
        question: impl FnOnce() -> Q,
    ) -> Result<Flight<T>, Denial>
    where
        Q: Future<Output = Result<T, CheckError>> + Send + 'static,
    {
        let mut under_way = lock(&self.under_way)?;
        if let Some(flight) = under_way.get(&key) {
            return Ok(flight.clone());
        }
        let (check, question) = (Arc::clone(self), question());
        // Otherwise a panic would repeat in each request that joins the flight.
        let guarded = async move { AssertUnwindSafe(check.ask_now(caller, question)).catch_unwind().await };
        let panicked = |_| Err(CheckError::Outage(Outage::answered("a panic")));
        let flight = guarded.map(move |outcome| outcome.unwrap_or_else(panicked)).boxed().shared();
        under_way.insert(key, flight.clone());
        Ok(flight)
    }

    async fn ask_now(
        &self,
        caller: Caller,
        question: impl Future<Output = Result<T, CheckError>>,
    ) -> Result<T, CheckError> {
        // The breaker sees outages alone: a "no" is an answer.
        let call = async {
            match question.await {
                Err(CheckError::Outage(outage)) => Err(outage),
                answer => Ok(answer),
            }
        };
        self.breaker
            .call(caller, self.settings.timeout, call)
            .await
            .unwrap_or_else(|outage| Err(CheckError::Outage(outage)))
    }

    fn remember(
        &self,
        key: Digest,
        outcome: Result<T, CheckError>,
        expires: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<T, Denial> {
        let (result, for_at_most) = match outcome {
            Ok(yes) => (Ok(yes), self.settings.cache),
            Err(CheckError::Lasting(denial)) => (Err(denial), Duration::MAX),
            Err(CheckError::Passing(denial)) => (Err(denial), self.settings.cache),
            Err(CheckError::Outage(outage)) => return Err((self.unavailable)(outage.why)),
        };
        self.memory.remember(key, result.clone(), Lasts { for_at_most, expires }, now)?;
        result
    }
}

impl<T: Weight> Weight for Result<T, Denial> {
    fn bytes_elsewhere(&self) -> usize {
        // Refusals that are remembered are fixed texts.
        self.as_ref().map_or(0, Weight::bytes_elsewhere)
    }
}

impl<T> fmt::Debug for CachedCheck<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedCheck").field("settings", &self.settings).finish_non_exhaustive()
    }
}
