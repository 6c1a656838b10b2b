//! The keys of one issuer, fetched when a token asks for them and kept.
//!
//! - Younger than `max_age`, keys are used as they are.
//! - Older, they are used while they are fetched again in the background.
//! - From twice `max_age` on, the fetch is waited for, so that a withdrawn key dies
//!   as long as the endpoint answers. Where it does not answer, keys are used until
//!   `stale_if_error` after the last good fetch.
//! - An unknown `kid` is looked up at once, but each at most once per `cooldown`
//!   and all together at most three times, failed fetches of any kind included: a
//!   stray token does not hold up a real rotation, a flood costs nothing, and a
//!   dead endpoint is not hammered. Fetches for age are held up by failed ones
//!   alone. A failed fetch says nothing about a `kid`.
//! - Requests that need a fetch share one.
//! - A `kid` that the configuration withdraws is unknown, whoever brings it, and nothing is fetched for it.
//!
//! A Lambda function is frozen between invocations: a fetch that was under way may
//! fail on thawing through nobody's fault. A request that waited for such a fetch
//! starts one of its own.

use super::jwks_source::JwksSource;
use crate::age_clock::AgeClock;
use crate::denial::Denial;
use crate::http::{CallCounts, CallEnd, FetchError, HttpsClient, RemoteCalls};
use crate::lock::lock;
use crate::token::{Algorithm, AlgorithmSet, KeySet, VerifyingKey};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// How long keys are kept and how often they may be asked for.
#[derive(Clone, Copy, Debug)]
pub struct JwksSettings {
    /// From this age on keys are fetched anew.
    pub max_age: Duration,
    /// The span in which lookups of unknown keys are counted.
    pub cooldown: Duration,
    /// How long a fetch may take in all.
    pub timeout: Duration,
    /// How long after the last good fetch keys are still used.
    pub stale_if_error: Duration,
}

/// `kid`s that verify nothing any more, of whatever issuer.
#[derive(Clone, Debug, Default)]
pub struct WithdrawnKeys(Arc<[String]>);

impl WithdrawnKeys {
    /// These.
    #[must_use]
    pub fn new(kids: Vec<String>) -> Self {
        Self(kids.into())
    }

    fn contain(&self, kid: &str) -> bool {
        self.0.iter().any(|withdrawn| withdrawn == kid)
    }
}

/// The keys of one issuer. Cloning shares them.
#[derive(Clone, Debug)]
pub struct JwksCache {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: JwksSource,
    algorithms: AlgorithmSet,
    settings: JwksSettings,
    https: Arc<HttpsClient>,
    issuer: Arc<str>,
    withdrawn: WithdrawnKeys,
    state: Mutex<State>,
    /// Not timed: a fetch in the background may last as long as the function is frozen.
    counts: CallCounts,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    in_flight: Option<watch::Receiver<Option<Outcome>>>,
    /// Lookups of unknown keys, and other fetches that failed, within the cooldown.
    counted: Vec<Counted>,
    /// The unknown keys that a good fetch did not bring, within the cooldown.
    looked_up: Vec<(Box<str>, AgeClock)>,
}

/// A fetch that counts towards the limit.
#[derive(Clone, Copy, Debug)]
struct Counted {
    started: AgeClock,
    failed: bool,
}

#[derive(Clone, Debug)]
struct Held {
    keys: Arc<KeySet>,
    since: AgeClock,
}

type Outcome = Result<(), FetchError>;

/// Why a fetch is made: what it counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Refresh,
    UnknownKey,
}

/// What is to be done for one request, decided under the lock.
enum Step {
    Answer(Result<Arc<VerifyingKey>, Denial>),
    Wait { fetch: watch::Receiver<Option<Outcome>>, started_here: bool },
}

impl JwksCache {
    /// A cache that holds `known` from the start, or nothing.
    #[must_use]
    pub fn new(
        issuer: Arc<str>,
        source: JwksSource,
        algorithms: AlgorithmSet,
        settings: JwksSettings,
        https: Arc<HttpsClient>,
        known: Option<KeySet>,
        withdrawn: WithdrawnKeys,
    ) -> Self {
        let held = known.map(|keys| Held { keys: Arc::new(keys), since: AgeClock::now() });
        let state = Mutex::new(State { held, ..State::default() });
        let counts = CallCounts::default();
        Self { shared: Arc::new(Shared { source, algorithms, settings, https, issuer, withdrawn, state, counts }) }
    }

    /// Starts a fetch ahead of the first token, where nothing is held yet.
    pub fn prefetch(&self) {
        // Without its lock there are no keys, and each request says so.
        let Ok(mut state) = lock(&self.shared.state) else { return };
        if state.held.is_none() && self.shared.source != JwksSource::None {
            self.shared.fetch(&mut state, Purpose::Refresh, AgeClock::now());
        }
    }

    /// Fetches keys that are as old as `max_age`, or, where asked for, `missing_too`, and waits for that and for a fetch
    /// under way. A fetch that fails shows in the log, and to the request that needs a key.
    pub async fn fetch_due(&self, missing_too: bool) {
        let now = AgeClock::now();
        let fetch = {
            let Ok(mut state) = lock(&self.shared.state) else { return };
            let is_old = |held: &Held| now.since(held.since) >= self.shared.settings.max_age;
            let is_due = state.held.as_ref().map_or(missing_too, is_old);
            match state.in_flight.clone() {
                Some(fetch) => Some(fetch),
                None if is_due && self.shared.source != JwksSource::None => {
                    match self.shared.join_or_fetch(&mut state, Purpose::Refresh, now) {
                        Some(Step::Wait { fetch, .. }) => Some(fetch),
                        Some(Step::Answer(_)) | None => None,
                    }
                }
                None => None,
            }
        };
        if let Some(mut fetch) = fetch {
            let deadline = now.steady + self.shared.settings.timeout;
            let _ = tokio::time::timeout_at(deadline, fetch.wait_for(Option::is_some)).await;
        }
    }

    /// Adds the fetches that ended since this was asked last.
    pub fn take_calls(&self, calls: &mut RemoteCalls) {
        calls.key_fetches.add(self.shared.counts.take());
    }

    /// The key of that id for that algorithm.
    ///
    /// # Errors
    /// [`Denial::UnknownKey`] where the issuer has none, [`Denial::JwksUnavailable`]
    /// where that cannot be found out within the time-out.
    pub async fn key(&self, kid: &str, algorithm: Algorithm) -> Result<Arc<VerifyingKey>, Denial> {
        // Every key comes from here, also for tokens that were verified before.
        if self.shared.withdrawn.contain(kid) {
            return Err(Denial::UnknownKey);
        }
        let arrived = AgeClock::now();
        let deadline = arrived.steady + self.shared.settings.timeout;
        let mut failure = None;
        loop {
            let (mut fetch, started_here) = match self.shared.step(kid, algorithm, arrived, failure) {
                Step::Answer(answer) => return answer,
                Step::Wait { fetch, started_here } => (fetch, started_here),
            };
            failure = match tokio::time::timeout_at(deadline, fetch.wait_for(Option::is_some)).await {
                Ok(Ok(outcome)) => match outcome.clone().unwrap_or(Err(FetchError::Connection)) {
                    Ok(()) => None,
                    // A fetch from before this request may have failed because the
                    // function was frozen meanwhile: it is tried again, if there is
                    // time enough. One that is begun and left to hang would only take
                    // the next request's time.
                    Err(error) => {
                        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
                        let is_final = started_here || left < self.shared.settings.timeout / 2;
                        Some(Failure { error, is_final })
                    }
                },
                // The fetching task is gone (it panicked), which must not hang us.
                Ok(Err(_)) => Some(Failure { error: FetchError::Connection, is_final: started_here }),
                Err(_) => Some(Failure { error: FetchError::TimedOut, is_final: true }),
            };
        }
    }
}

/// A fetch that this request waited for in vain.
#[derive(Clone)]
struct Failure {
    error: FetchError,
    /// Whether to leave it at that.
    is_final: bool,
}

impl Shared {
    /// Decides what a request for a key gets, or waits for.
    fn step(self: &Arc<Self>, kid: &str, algorithm: Algorithm, arrived: AgeClock, failure: Option<Failure>) -> Step {
        let now = AgeClock::now();
        let mut state = match lock(&self.state) {
            Ok(state) => state,
            Err(denial) => return Step::Answer(Err(denial)),
        };
        let age = state.held.as_ref().map(|held| now.since(held.since));
        let found = state.held.as_ref().and_then(|held| held.keys.find(kid, algorithm)).cloned();
        let JwksSettings { max_age, stale_if_error, .. } = self.settings;
        let fetchable = self.source != JwksSource::None;
        let usable = age.is_some_and(|age| !fetchable || age < max_age || age < stale_if_error);
        let failed = failure.filter(|failure| failure.is_final);

        if let Some(key) = found.filter(|_| usable) {
            let Some(age) = age else { return Step::Answer(Err(Denial::Internal("keys without an age"))) };
            if !fetchable || age < max_age {
                return Step::Answer(Ok(key));
            }
            let must_wait = age >= max_age.saturating_mul(2) || age >= stale_if_error;
            let fetch = if failed.is_some() { None } else { self.join_or_fetch(&mut state, Purpose::Refresh, now) };
            return match fetch {
                Some(wait) if must_wait => wait,
                _ => Step::Answer(Ok(key)),
            };
        }
        if usable && (!fetchable || state.is_known_to_be_unknown(kid, arrived, now, self.settings.cooldown)) {
            return Step::Answer(Err(Denial::UnknownKey));
        }
        if let Some(failure) = failed {
            return Step::Answer(Err(unavailable(failure.error)));
        }
        let purpose = if usable { Purpose::UnknownKey } else { Purpose::Refresh };
        match self.join_or_fetch(&mut state, purpose, now) {
            Some(wait) => wait,
            // Three lookups within the cooldown. Where the last word was a good
            // fetch, it did not bring this key; where it was a failure, nobody knows.
            None if usable && state.last_word_was_good() => Step::Answer(Err(Denial::UnknownKey)),
            None => Step::Answer(Err(Denial::JwksUnavailable("recent fetches failed".into()))),
        }
    }

    fn join_or_fetch(self: &Arc<Self>, state: &mut State, purpose: Purpose, now: AgeClock) -> Option<Step> {
        if let Some(fetch) = &state.in_flight {
            return Some(Step::Wait { fetch: fetch.clone(), started_here: false });
        }
        state.counted.retain(|counted| now.since(counted.started) < self.settings.cooldown);
        // A flood of unknown keys must not keep old keys from being fetched anew:
        // what holds that up is failure alone.
        let counted = match purpose {
            Purpose::UnknownKey => state.counted.len(),
            Purpose::Refresh => state.counted.iter().filter(|counted| counted.failed).count(),
        };
        if counted >= MAX_COUNTED_PER_COOLDOWN {
            return None;
        }
        Some(Step::Wait { fetch: self.fetch(state, purpose, now), started_here: true })
    }

    /// Starts a fetch as a task of its own, so that it goes on when the request
    /// that wanted it is gone.
    fn fetch(self: &Arc<Self>, state: &mut State, purpose: Purpose, now: AgeClock) -> watch::Receiver<Option<Outcome>> {
        if purpose == Purpose::UnknownKey {
            state.counted.push(Counted { started: now, failed: false });
        }
        let (sender, receiver) = watch::channel(None);
        state.in_flight = Some(receiver.clone());
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let _clear = ClearOnPanic(&shared);
            let fetched = shared.source.fetch(&shared.https, shared.settings.timeout).await;
            let outcome = shared.take(fetched.and_then(|document| shared.parse(&document)), purpose, now);
            let _ = sender.send(Some(outcome));
        });
        receiver
    }

    fn parse(&self, document: &[u8]) -> Result<KeySet, FetchError> {
        KeySet::parse(document, self.algorithms).map_err(FetchError::KeySet)
    }

    /// Takes what a fetch brought; what it did not bring leaves the held keys alone.
    ///
    /// Keys are as old as the fetch that brought them: what was asked for before a freeze or a rotation may come long after it.
    fn take(&self, fetched: Result<KeySet, FetchError>, purpose: Purpose, started: AgeClock) -> Outcome {
        self.counts.count(if fetched.is_ok() { CallEnd::Answered } else { CallEnd::Failed }, None);
        // Whoever waits finds the lock as this does.
        let Ok(mut state) = lock(&self.state) else {
            return Err(FetchError::Unusable("a panic while a lock was held"));
        };
        state.in_flight = None;
        match fetched {
            Ok(keys) => {
                tracing::info!(message = "jwks_fetched", issuer = &*self.issuer);
                state.held = Some(Held { keys: Arc::new(keys), since: started });
                Ok(())
            }
            Err(error) => {
                tracing::warn!(message = "jwks_fetch_failed", issuer = &*self.issuer, error = %error);
                // A lookup was counted when it started.
                if purpose == Purpose::UnknownKey {
                    state.counted.pop();
                }
                state.counted.push(Counted { started, failed: true });
                Err(error)
            }
        }
    }
}

impl State {
    /// Whether a good fetch within the cooldown, or one that was started since the
    /// request arrived, did not bring this key; remembers the latter.
    fn is_known_to_be_unknown(&mut self, kid: &str, arrived: AgeClock, now: AgeClock, cooldown: Duration) -> bool {
        self.looked_up.retain(|(_, moment)| now.since(*moment) < cooldown);
        if self.looked_up.iter().any(|(known, _)| **known == *kid) {
            return true;
        }
        let fetched_since = self.held.as_ref().is_some_and(|held| held.since.steady >= arrived.steady);
        if fetched_since && self.looked_up.len() < MAX_LOOKED_UP {
            self.looked_up.push((kid.into(), now));
        }
        fetched_since
    }

    /// Whether no fetch has failed since the last good one.
    fn last_word_was_good(&self) -> bool {
        let failed_since = |held: &Held| self.counted.iter().any(|c| c.failed && c.started.steady > held.since.steady);
        self.held.as_ref().is_some_and(|held| !failed_since(held))
    }
}

/// Clears the fetch in flight if its task panics, so that the next request starts another.
struct ClearOnPanic<'a>(&'a Shared);

impl Drop for ClearOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(mut state) = lock(&self.0.state)
        {
            state.in_flight = None;
        }
    }
}

fn unavailable(error: FetchError) -> Denial {
    Denial::JwksUnavailable(error.to_string().into())
}

const MAX_COUNTED_PER_COOLDOWN: usize = 3;

/// Few are ever needed, since three lookups per cooldown are made; many requests
/// that share one of them may each have a `kid` of their own.
const MAX_LOOKED_UP: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(withdrawn: &[&str]) -> JwksCache {
        let settings = JwksSettings {
            max_age: Duration::from_secs(3600),
            cooldown: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            stale_if_error: Duration::from_secs(3600),
        };
        let (algorithms, https) = (AlgorithmSet::of(&[Algorithm::EdDsa]), Arc::default());
        // RFC 8037, appendix A.2.
        let set = br#"{"keys":[
            {"kid":"a","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            {"kid":"b","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let known = KeySet::parse(set, algorithms).unwrap();
        let withdrawn = WithdrawnKeys::new(withdrawn.iter().map(|kid| (*kid).to_owned()).collect());
        JwksCache::new("i".into(), JwksSource::None, algorithms, settings, https, Some(known), withdrawn)
    }

    async fn denial(cache: &JwksCache, kid: &str) -> Option<Denial> {
        cache.key(kid, Algorithm::EdDsa).await.err()
    }

    #[tokio::test]
    async fn a_withdrawn_kid_is_unknown_and_only_that_very_one() {
        let cache = cache(&["b", "A", "a "]);
        for (kid, expected) in [("a", None), ("b", Some(Denial::UnknownKey)), ("c", Some(Denial::UnknownKey))] {
            assert_eq!(denial(&cache, kid).await, expected, "{kid}");
        }
    }

    #[tokio::test]
    async fn keys_whose_lock_a_panic_left_verify_nothing() {
        let cache = cache(&[]);
        assert_eq!(denial(&cache, "a").await, None);
        crate::lock::poison(&cache.shared.state);
        assert_eq!(denial(&cache, "a").await, Some(Denial::Internal("a panic while a lock was held")));
    }
}
