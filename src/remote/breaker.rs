//! Keeps a dead endpoint from making each request wait the full time-out.
//!
//! After three outages in a row it answers for a while that nobody answers, then
//! lets one request try. A throttled answer is no such outage: it came at once, and
//! one user's burst must not shut out the others.

use super::lock;
use super::moment::Moment;
use super::tally::{CallEnd, Calls, Tally};
use std::borrow::Cow;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Why nothing was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outage {
    /// For the operator; never a value from a request.
    pub(super) why: Cow<'static, str>,
    /// Whether the endpoint itself seems to be dead.
    pub(super) dead: bool,
    /// Whether more was asked than may be.
    pub(super) throttled: bool,
}

impl Outage {
    pub(super) fn dead(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), dead: true, throttled: false }
    }

    pub(super) fn alive(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), dead: false, throttled: false }
    }

    pub(super) fn throttled() -> Self {
        Self { why: "throttled".into(), dead: false, throttled: true }
    }
}

#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
    tally: Tally,
}

#[derive(Debug, Default)]
struct State {
    failures_in_a_row: u32,
    /// When the last failure came, or the last try began.
    since: Option<Moment>,
}

impl Breaker {
    /// Makes a call within `timeout`, or none while the endpoint is held to be dead.
    ///
    /// # Errors
    /// The call's [`Outage`]s, also in what else it returns.
    pub(super) async fn call<T>(
        &self,
        timeout: Duration,
        call: impl Future<Output = Result<T, Outage>>,
    ) -> Result<T, Outage> {
        self.admit()?;
        let started = Instant::now();
        let outcome = tokio::time::timeout(timeout, call).await.unwrap_or_else(|_| Err(Outage::dead("timed out")));
        let end = match &outcome {
            Ok(_) => CallEnd::Answered,
            Err(outage) if outage.throttled => CallEnd::Throttled,
            Err(_) => CallEnd::Failed,
        };
        self.tally.count(end, Some(started.elapsed()));
        let mut state = lock(&self.state);
        match &outcome {
            Err(outage) if outage.dead => {
                state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
                state.since = Some(Moment::now());
            }
            Ok(_) | Err(_) => *state = State::default(),
        }
        outcome
    }

    /// The calls that were made since this was asked last.
    pub(super) fn take_calls(&self) -> Calls {
        self.tally.take()
    }

    fn admit(&self) -> Result<(), Outage> {
        let mut state = lock(&self.state);
        if state.failures_in_a_row < FAILURES_TO_OPEN {
            return Ok(());
        }
        let now = Moment::now();
        if state.since.is_some_and(|since| now.since(since) < PAUSE) {
            return Err(Outage::alive("nobody answered lately"));
        }
        // This request tries; those that come within another pause do not.
        state.since = Some(now);
        Ok(())
    }
}

const FAILURES_TO_OPEN: u32 = 3;

const PAUSE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    async fn call(breaker: &Breaker, outcome: Result<(), Outage>) -> Result<(), String> {
        breaker.call(Duration::from_secs(1), async { outcome }).await.map_err(|outage| outage.why.into_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_three_outages_and_lets_one_try_after_a_pause() {
        let breaker = Breaker::default();
        for _ in 0..3 {
            assert_eq!(call(&breaker, Err(Outage::dead("reset"))).await, Err("reset".into()));
        }
        assert_eq!(call(&breaker, Ok(())).await, Err("nobody answered lately".into()));
        tokio::time::advance(PAUSE).await;
        assert_eq!(call(&breaker, Err(Outage::dead("reset"))).await, Err("reset".into()));
        assert_eq!(call(&breaker, Ok(())).await, Err("nobody answered lately".into()));
        tokio::time::advance(PAUSE).await;
        assert_eq!(call(&breaker, Ok(())).await, Ok(()));
        assert_eq!(call(&breaker, Ok(())).await, Ok(()));
        // Only what was really asked is counted.
        let calls = breaker.take_calls();
        assert_eq!((calls.made, calls.failed, calls.throttled, calls.took.len()), (6, 4, 0, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_does_not_open_it_and_a_hang_does() {
        let breaker = Breaker::default();
        for _ in 0..9 {
            assert_eq!(call(&breaker, Err(Outage::throttled())).await, Err("throttled".into()));
        }
        let calls = breaker.take_calls();
        assert_eq!((calls.made, calls.failed, calls.throttled), (9, 9, 9));
        for _ in 0..3 {
            let hang = breaker.call::<()>(Duration::from_secs(1), std::future::pending()).await;
            assert_eq!(hang.unwrap_err().why, "timed out");
        }
        assert_eq!(call(&breaker, Ok(())).await, Err("nobody answered lately".into()));
    }
}
