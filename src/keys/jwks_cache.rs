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

use super::jwks_source::Fetch;
use crate::age_clock::AgeClock;
use crate::denial::Denial;
use crate::http::{CallCounts, CallEnd, FetchError, RemoteCounts};
use crate::lock::lock;
use crate::token::{Algorithm, AlgorithmSet, KeySet, KeySetError, VerifyingKey};
use std::fmt;
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

struct Shared {
    /// `None`: the keys known from the start are all there will be.
    fetch: Option<Fetch>,
    algorithms: AlgorithmSet,
    settings: JwksSettings,
    issuer: Arc<str>,
    withdrawn: WithdrawnKeys,
    state: Mutex<State>,
    /// Not timed: a fetch in the background may last as long as the function is frozen.
    counts: CallCounts,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("issuer", &self.issuer).finish_non_exhaustive()
    }
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

type Outcome = Result<(), KeysError>;

/// Why a fetch brought no keys.
#[derive(Clone, Debug)]
enum KeysError {
    NotFetched(FetchError),
    NotUsable(KeySetError),
    Panicked,
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeysError::NotFetched(error) => error.fmt(f),
            KeysError::NotUsable(error) => error.fmt(f),
            KeysError::Panicked => f.write_str("a panic"),
        }
    }
}

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
        fetch: Option<Fetch>,
        algorithms: AlgorithmSet,
        settings: JwksSettings,
        known: Option<KeySet>,
        withdrawn: WithdrawnKeys,
        counts: &RemoteCounts,
    ) -> Self {
        let held = known.map(|keys| Held { keys: Arc::new(keys), since: AgeClock::now() });
        let state = Mutex::new(State { held, ..State::default() });
        let counts = counts.key_fetches.clone();
        Self { shared: Arc::new(Shared { fetch, algorithms, settings, issuer, withdrawn, state, counts }) }
    }

    /// Starts a fetch ahead of the first token, where nothing is held yet.
    pub fn prefetch(&self) {
        // Without its lock there are no keys, and each request says so.
        let Ok(mut state) = lock(&self.shared.state) else { return };
        if state.held.is_none() && state.in_flight.is_none() {
            self.shared.start_fetch(&mut state, Purpose::Refresh, AgeClock::now());
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
                None if is_due => match self.shared.join_or_fetch(&mut state, Purpose::Refresh, now) {
                    Some(Step::Wait { fetch, .. }) => Some(fetch),
                    Some(Step::Answer(_)) | None => None,
                },
                None => None,
            }
        };
        if let Some(mut fetch) = fetch {
            let deadline = now.steady + self.shared.settings.timeout;
            let _ = tokio::time::timeout_at(deadline, fetch.wait_for(Option::is_some)).await;
        }
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
                Ok(Ok(outcome)) => match outcome.clone().unwrap_or(Err(KeysError::Panicked)) {
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
                Ok(Err(_)) => Some(Failure { error: KeysError::Panicked, is_final: started_here }),
                Err(_) => Some(Failure { error: KeysError::NotFetched(FetchError::TimedOut), is_final: true }),
            };
        }
    }
}

/// A fetch that this request waited for in vain.
#[derive(Clone)]
struct Failure {
    error: KeysError,
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
        let fetchable = self.fetch.is_some();
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
        self.start_fetch(state, purpose, now).map(|fetch| Step::Wait { fetch, started_here: true })
    }

    /// Starts a fetch as a task of its own, so that it goes on when the request that wanted it is
    /// gone; `None` where nothing is ever fetched.
    fn start_fetch(
        self: &Arc<Self>,
        state: &mut State,
        purpose: Purpose,
        now: AgeClock,
    ) -> Option<watch::Receiver<Option<Outcome>>> {
        let fetch = Arc::clone(self.fetch.as_ref()?);
        if purpose == Purpose::UnknownKey {
            state.counted.push(Counted { started: now, failed: false });
        }
        let (sender, receiver) = watch::channel(None);
        state.in_flight = Some(receiver.clone());
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let _clear = ClearOnPanic(&shared);
            let fetched = fetch(shared.settings.timeout).await;
            let keys = fetched.map_err(KeysError::NotFetched).and_then(|document| shared.parse(&document));
            let outcome = shared.take(keys, purpose, now);
            let _ = sender.send(Some(outcome));
        });
        Some(receiver)
    }

    fn parse(&self, document: &[u8]) -> Result<KeySet, KeysError> {
        KeySet::parse(document, self.algorithms).map_err(KeysError::NotUsable)
    }

    /// Takes what a fetch brought; what it did not bring leaves the held keys alone.
    ///
    /// Keys are as old as the fetch that brought them: what was asked for before a freeze or a rotation may come long after it.
    fn take(&self, fetched: Result<KeySet, KeysError>, purpose: Purpose, started: AgeClock) -> Outcome {
        self.counts.count(if fetched.is_ok() { CallEnd::Answered } else { CallEnd::Failed }, None);
        // Whoever waits finds the lock as this does.
        let Ok(mut state) = lock(&self.state) else {
            return Err(KeysError::Panicked);
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

fn unavailable(error: KeysError) -> Denial {
    Denial::JwksUnavailable(error.to_string().into())
}

const MAX_COUNTED_PER_COOLDOWN: usize = 3;

/// Few are ever needed, since three lookups per cooldown are made; many requests
/// that share one of them may each have a `kid` of their own.
const MAX_LOOKED_UP: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::age_clock::set_ahead;
    use crate::lock::poison;
    use futures_util::{FutureExt, join};
    use tokio::time::{Instant, advance, sleep};

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);
    const MILLISECOND: Duration = Duration::from_millis(1);

    const SETTINGS: JwksSettings = JwksSettings {
        max_age: HOUR,
        cooldown: Duration::from_secs(10),
        timeout: Duration::from_secs(2),
        stale_if_error: Duration::from_secs(24 * 3600),
    };

    /// An issuer, which answers as the test says; time is tokio's and stands still until it is waited for.
    #[derive(Clone, Default)]
    struct Issuer(Arc<Mutex<Page>>);

    #[derive(Clone)]
    struct Page {
        answer: Result<&'static [&'static str], FetchError>,
        takes: Duration,
        panics: bool,
        fetches: usize,
    }

    impl Default for Page {
        fn default() -> Self {
            Self { answer: Ok(&["a"]), takes: Duration::ZERO, panics: false, fetches: 0 }
        }
    }

    impl Issuer {
        fn cache(&self, known: Option<&[&str]>, withdrawn: &[&str]) -> JwksCache {
            let known = known.map(|kids| KeySet::parse(&jwks(kids), algorithms()).unwrap());
            let withdrawn = WithdrawnKeys::new(withdrawn.iter().map(|kid| (*kid).to_owned()).collect());
            let page = Arc::clone(&self.0);
            let fetch: Fetch = Arc::new(move |_| {
                let page = {
                    let mut page = lock(&page).unwrap();
                    page.fetches += 1;
                    page.clone()
                };
                async move {
                    sleep(page.takes).await;
                    assert!(!page.panics, "as the test wants it");
                    page.answer.map(|kids| jwks(kids).into())
                }
                .boxed()
            });
            JwksCache::new("i".into(), Some(fetch), algorithms(), SETTINGS, known, withdrawn, &RemoteCounts::default())
        }

        fn set(&self, change: impl FnOnce(&mut Page)) {
            change(&mut lock(&self.0).unwrap());
        }

        fn publishes(&self, kids: &'static [&'static str]) {
            self.set(|page| page.answer = Ok(kids));
        }

        fn fails(&self) {
            self.set(|page| page.answer = Err(FetchError::Status(500)));
        }

        fn answers_after(&self, takes: Duration) {
            self.set(|page| page.takes = takes);
        }

        /// The fetches that were begun.
        async fn fetches(&self) -> usize {
            // Lets a fetch in the background begin.
            sleep(MILLISECOND).await;
            lock(&self.0).unwrap().fetches
        }
    }

    fn algorithms() -> AlgorithmSet {
        AlgorithmSet::of(&[Algorithm::EdDsa])
    }

    /// The key of RFC 8037, appendix A.2, under these names.
    fn jwks(kids: &[&str]) -> Vec<u8> {
        let key = |kid: &&str| {
            let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
            serde_json::json!({ "kid": kid, "kty": "OKP", "crv": "Ed25519", "x": x })
        };
        let keys: Vec<_> = kids.iter().map(key).collect();
        serde_json::json!({ "keys": keys }).to_string().into_bytes()
    }

    /// What a request for this key gets: `ok` or the denial, with its words.
    async fn ask(cache: &JwksCache, kid: &str) -> String {
        match cache.key(kid, Algorithm::EdDsa).await {
            Ok(_) => "ok".to_owned(),
            Err(Denial::UnknownKey) => "unknown".to_owned(),
            Err(Denial::JwksUnavailable(why)) => why.into_owned(),
            Err(denial) => format!("{denial:?}"),
        }
    }

    /// The same, and how long it took.
    async fn ask_timed(cache: &JwksCache, kid: &str) -> (String, Duration) {
        let started = Instant::now();
        (ask(cache, kid).await, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_come_at_once_share_one_fetch() {
        let (issuer, seconds) = (Issuer::default(), Duration::from_secs);
        issuer.answers_after(seconds(1));
        let cache = issuer.cache(None, &[]);
        let late = async {
            sleep(seconds(1) / 2).await;
            ask_timed(&cache, "a").await
        };
        let (first, second, late, unknown) = join!(ask_timed(&cache, "a"), ask(&cache, "a"), late, ask(&cache, "x"));
        assert_eq!((first, late), (("ok".into(), seconds(1)), ("ok".into(), seconds(1) / 2)));
        // The fetch that they waited for did not bring the last one's key: it needs no fetch of its own.
        assert_eq!((second.as_str(), unknown.as_str(), issuer.fetches().await), ("ok", "unknown", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_were_fetched_ahead_of_time_are_not_fetched_again() {
        let issuer = Issuer::default();
        let cache = issuer.cache(None, &[]);
        cache.prefetch();
        cache.prefetch();
        assert_eq!((issuer.fetches().await, ask(&cache, "a").await.as_str(), issuer.fetches().await), (1, "ok", 1));
        cache.prefetch();
        assert_eq!(issuer.fetches().await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rotation_is_followed_at_once() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a"]), &[]);
        issuer.publishes(&["b"]);
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("ok", 0));
        assert_eq!((ask(&cache, "b").await.as_str(), issuer.fetches().await), ("ok", 1));
        // The new set replaced the old one.
        assert_eq!(ask(&cache, "a").await, "unknown");
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_key_is_looked_up_once_per_cooldown() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a"]), &[]);
        advance(MILLISECOND).await;
        for (pause, fetches) in [
            (Duration::ZERO, 1),
            (Duration::ZERO, 1),
            (SETTINGS.cooldown - 10 * MILLISECOND, 1),
            (10 * MILLISECOND, 2),
            (Duration::ZERO, 2),
        ] {
            advance(pause).await;
            assert_eq!((ask(&cache, "x").await.as_str(), issuer.fetches().await), ("unknown", fetches), "{pause:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn unknown_keys_are_looked_up_three_times_per_cooldown_in_all() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a"]), &[]);
        advance(MILLISECOND).await;
        for (kid, fetches) in [("1", 1), ("2", 2), ("3", 3), ("4", 3), ("5", 3)] {
            assert_eq!((ask(&cache, kid).await.as_str(), issuer.fetches().await), ("unknown", fetches), "{kid}");
        }
        // A flood delays a rotation until the cooldown is over, and no known key at all.
        issuer.publishes(&["a", "b"]);
        assert_eq!((ask(&cache, "b").await.as_str(), ask(&cache, "a").await.as_str()), ("unknown", "ok"));
        advance(SETTINGS.cooldown).await;
        assert_eq!((ask(&cache, "b").await.as_str(), issuer.fetches().await), ("ok", 4));
    }

    #[tokio::test(start_paused = true)]
    async fn two_failed_fetches_do_not_keep_old_keys_in_use() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a"]), &[]);
        issuer.fails();
        advance(2 * HOUR).await;
        for kid in ["1", "2"] {
            assert_eq!(ask(&cache, kid).await, "status 500", "{kid}");
        }
        issuer.publishes(&["b"]);
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("unknown", 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_look_up_says_nothing_about_the_key() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a"]), &[]);
        advance(MILLISECOND).await;
        issuer.fails();
        assert_eq!(ask(&cache, "b").await, "status 500");
        issuer.publishes(&["a", "b"]);
        assert_eq!((ask(&cache, "b").await.as_str(), issuer.fetches().await), ("ok", 2));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_first_fetch_that_failed_each_request_tries_again_three_times_per_cooldown() {
        let issuer = Issuer::default();
        let cache = issuer.cache(None, &[]);
        issuer.fails();
        for fetches in 1..=3 {
            assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("status 500", fetches));
        }
        issuer.publishes(&["a"]);
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("recent fetches failed", 3));
        advance(SETTINGS.cooldown).await;
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("ok", 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_without_keys_is_a_failed_fetch_and_loses_no_keys() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a"]), &[]);
        advance(MILLISECOND).await;
        issuer.publishes(&[]);
        assert_eq!(ask(&cache, "b").await, "a JWK Set without keys");
        assert_eq!(ask(&cache, "a").await, "ok");
    }

    #[tokio::test(start_paused = true)]
    async fn old_keys_are_used_while_one_fetch_in_the_background_renews_them() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a"]), &[]);
        issuer.answers_after(MINUTE / 60);
        advance(HOUR - 2 * MILLISECOND).await;
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("ok", 0));
        advance(MILLISECOND).await;
        for _ in 0..3 {
            assert_eq!(ask_timed(&cache, "a").await, ("ok".into(), Duration::ZERO));
        }
        assert_eq!(issuer.fetches().await, 1);
        // Renewed, they are young again.
        advance(HOUR - MINUTE).await;
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("ok", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_its_issuer_withdrew_is_used_for_less_than_twice_max_age() {
        for (age, expected) in [
            (2 * HOUR - MILLISECOND, ("ok", Duration::ZERO)),
            (2 * HOUR, ("unknown", MINUTE / 60)),
            (23 * HOUR, ("unknown", MINUTE / 60)),
        ] {
            let issuer = Issuer::default();
            let cache = issuer.cache(Some(&["a"]), &[]);
            issuer.publishes(&["b"]);
            issuer.answers_after(MINUTE / 60);
            advance(age).await;
            assert_eq!(ask_timed(&cache, "a").await, (expected.0.to_owned(), expected.1), "{age:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keys_of_an_issuer_that_fails_are_used_until_stale_if_error() {
        for (age, expected) in
            [(2 * HOUR, "ok"), (SETTINGS.stale_if_error - MILLISECOND, "ok"), (SETTINGS.stale_if_error, "status 500")]
        {
            let issuer = Issuer::default();
            let cache = issuer.cache(Some(&["a"]), &[]);
            issuer.fails();
            advance(age).await;
            assert_eq!(ask(&cache, "a").await, expected, "{age:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_issuer_that_hangs_costs_a_request_the_timeout() {
        let issuer = Issuer::default();
        let cache = issuer.cache(None, &[]);
        issuer.answers_after(HOUR);
        assert_eq!(ask_timed(&cache, "a").await, ("timed out".into(), SETTINGS.timeout));
        assert_eq!(ask_timed(&cache, "a").await, ("timed out".into(), SETTINGS.timeout));
        assert_eq!(issuer.fetches().await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_died_in_a_freeze_is_made_again_by_the_request_that_waited_for_it() {
        let issuer = Issuer::default();
        let cache = issuer.cache(None, &[]);
        issuer.fails();
        issuer.answers_after(MINUTE / 60);
        cache.prefetch();
        assert_eq!(issuer.fetches().await, 1);
        // Thawed: what is under way fails, and the issuer is as well as ever.
        set_ahead(HOUR);
        issuer.publishes(&["a"]);
        issuer.answers_after(Duration::ZERO);
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("ok", 2));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_as_old_as_the_start_of_their_fetch_however_long_it_was_frozen() {
        for (frozen, fetches, waited) in
            [(HOUR - MINUTE, 1, Duration::ZERO), (HOUR, 2, Duration::ZERO), (2 * HOUR, 2, MINUTE / 60)]
        {
            let issuer = Issuer::default();
            let cache = issuer.cache(None, &[]);
            issuer.answers_after(MINUTE / 60);
            set_ahead(Duration::ZERO);
            let freeze = async {
                sleep(MILLISECOND).await;
                set_ahead(frozen);
            };
            cache.prefetch();
            freeze.await;
            sleep(MINUTE / 60).await;
            assert_eq!(ask_timed(&cache, "a").await, ("ok".into(), waited), "{frozen:?}");
            assert_eq!(issuer.fetches().await, fetches, "{frozen:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keys_age_while_the_process_is_frozen() {
        for (frozen, expected, fetches) in [(HOUR - MINUTE, "ok", 0), (HOUR, "ok", 1), (2 * HOUR, "unknown", 1)] {
            set_ahead(Duration::ZERO);
            let issuer = Issuer::default();
            let cache = issuer.cache(Some(&["a"]), &[]);
            issuer.publishes(&["b"]);
            set_ahead(frozen);
            let answer = ask(&cache, "a").await;
            assert_eq!((answer.as_str(), issuer.fetches().await), (expected, fetches), "{frozen:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_panics_holds_up_nobody() {
        let issuer = Issuer::default();
        let cache = issuer.cache(None, &[]);
        issuer.set(|page| page.panics = true);
        assert_eq!(ask_timed(&cache, "a").await, ("a panic".into(), Duration::ZERO));
        issuer.set(|page| page.panics = false);
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("ok", 2));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_are_due_are_fetched_and_waited_for() {
        for (known, age, missing_too, fetches) in [
            (true, HOUR - MILLISECOND, true, 0),
            (true, HOUR, false, 1),
            (false, Duration::ZERO, false, 0),
            (false, Duration::ZERO, true, 1),
        ] {
            let issuer = Issuer::default();
            let cache = issuer.cache(known.then_some(&["a"]), &[]);
            issuer.answers_after(MINUTE / 60);
            advance(age).await;
            let started = Instant::now();
            cache.fetch_due(missing_too).await;
            let waited = if fetches == 0 { Duration::ZERO } else { MINUTE / 60 };
            assert_eq!((started.elapsed(), issuer.fetches().await), (waited, fetches), "{known} {age:?} {missing_too}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_the_configuration_withdraws_is_unknown_and_never_fetched_for() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a", "b"]), &["b", "c", "A", "a "]);
        issuer.publishes(&["a", "b", "c"]);
        advance(3 * HOUR).await;
        for kid in ["b", "c"] {
            assert_eq!((ask(&cache, kid).await.as_str(), issuer.fetches().await), ("unknown", 0), "{kid}");
        }
        assert_eq!((ask(&cache, "a").await.as_str(), issuer.fetches().await), ("ok", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_from_a_file_are_all_there_will_be() {
        let known = KeySet::parse(&jwks(&["a"]), algorithms()).unwrap();
        let (withdrawn, counts) = (WithdrawnKeys::default(), RemoteCounts::default());
        let cache = JwksCache::new("i".into(), None, algorithms(), SETTINGS, Some(known), withdrawn, &counts);
        advance(100 * HOUR).await;
        cache.prefetch();
        cache.fetch_due(true).await;
        assert_eq!((ask(&cache, "a").await.as_str(), ask(&cache, "b").await.as_str()), ("ok", "unknown"));
        assert_eq!(counts.take().key_fetches.made, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_whose_lock_a_panic_left_verify_nothing() {
        let issuer = Issuer::default();
        let cache = issuer.cache(Some(&["a"]), &[]);
        assert_eq!(ask(&cache, "a").await, "ok");
        poison(&cache.shared.state);
        assert_eq!(ask(&cache, "a").await, r#"Internal("a panic while a lock was held")"#);
    }
}
