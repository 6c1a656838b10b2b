//! Keeps a dead endpoint from making each request wait the full time-out.
//!
//! Only lost calls count: no connection, a connection that broke, or no answer in time. An answer never counts, however
//! odd: it came at once, and one caller's token may have brought it about. A token may also make
//! an endpoint hang, so that the breaker knows whose calls were lost:
//!
//! - After three lost calls in a row, a caller's own calls pause for a while, then one tries.
//! - After lost calls of three different callers, and no answer to anybody in between, everybody's calls pause for a while.
//!   Afterwards two callers more must lose a call until they pause again: no caller alone can stop another.
//! - A stranger, who can send any number of tokens, counts for nobody else. A connection that could not be made counts
//!   whoever asked, since nothing of the token was sent yet.

use super::caller::Caller;
use crate::age_clock::AgeClock;
use crate::http::{CallCounts, CallEnd, Kind, Outage};
use crate::lock::lock;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: Mutex<State>,
    counts: CallCounts,
}

#[derive(Debug, Default)]
struct State {
    /// The callers whose last calls were lost.
    callers: HashMap<Caller, Losses>,
    /// Who lost a call since the endpoint answered last, each caller once.
    witnesses: Vec<Witness>,
    /// When the last of them came.
    since: Option<AgeClock>,
}

#[derive(Clone, Copy, Debug)]
struct Losses {
    in_a_row: u32,
    /// When the last one came, or the last try began.
    since: AgeClock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Witness {
    Caller(Caller),
    /// No caller can have brought it about.
    Endpoint,
}

impl Breaker {
    /// Counts its calls in `counts`.
    pub(crate) fn new(counts: CallCounts) -> Self {
        Self { state: Mutex::default(), counts }
    }

    /// Makes a call within `timeout`, or none while this caller's calls, or everybody's, pause.
    ///
    /// # Errors
    /// The call's [`Outage`]s, also in what else it returns.
    pub(crate) async fn call<T>(
        &self,
        caller: Caller,
        timeout: Duration,
        call: impl Future<Output = Result<T, Outage>>,
    ) -> Result<T, Outage> {
        self.admit(caller)?;
        let started = Instant::now();
        // Most calls have the same deadline themselves, and know what they were waiting for.
        let outcome = tokio::time::timeout(timeout + GRACE, call).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Outage::lost("timed out")));
        let end = match &outcome {
            Ok(_) => CallEnd::Answered,
            Err(outage) if outage.kind == Kind::Throttled => CallEnd::Throttled,
            Err(_) => CallEnd::Failed,
        };
        self.counts.count(end, Some(started.elapsed()));
        let mut state = lock(&self.state).map_err(poisoned)?;
        match outcome.as_ref().map_err(|outage| outage.kind) {
            Ok(_) | Err(Kind::Answered | Kind::Throttled) => state.answered(caller),
            Err(Kind::Lost) => state.lost(caller, Witness::Caller(caller), AgeClock::now()),
            Err(Kind::Unreachable) => state.lost(caller, Witness::Endpoint, AgeClock::now()),
        }
        drop(state);
        outcome
    }

    fn admit(&self, caller: Caller) -> Result<(), Outage> {
        let mut state = lock(&self.state).map_err(poisoned)?;
        let now = AgeClock::now();
        if state.witnesses.len() >= WITNESSES_TO_PAUSE {
            if state.since.is_some_and(|since| now.since(since) < PAUSE) {
                return Err(Outage::answered("nobody answered lately"));
            }
            let earlier = state.witnesses.len() - 1;
            state.witnesses.drain(..earlier);
        }
        if let Some(losses) = state.callers.get_mut(&caller)
            && losses.in_a_row >= LOSSES_TO_PAUSE
        {
            if now.since(losses.since) < PAUSE {
                return Err(Outage::answered("nobody answered this caller lately"));
            }
            // This request tries; the caller's others that come within another pause do not.
            losses.since = now;
        }
        Ok(())
    }
}

impl State {
    fn answered(&mut self, caller: Caller) {
        self.witnesses.clear();
        self.callers.remove(&caller);
    }

    fn lost(&mut self, caller: Caller, witness: Witness, now: AgeClock) {
        let in_a_row = self.callers.get(&caller).map_or(1, |losses| losses.in_a_row.saturating_add(1));
        if self.callers.len() >= MAX_CALLERS && !self.callers.contains_key(&caller) {
            // Who is forgotten waits once more for nothing, and costs nobody else anything.
            let oldest = self.callers.iter().min_by_key(|(_, losses)| losses.since.steady).map(|(caller, _)| *caller);
            oldest.map(|oldest| self.callers.remove(&oldest));
        }
        self.callers.insert(caller, Losses { in_a_row, since: now });
        let counts = match witness {
            Witness::Caller(Caller::Stranger(_)) => false,
            Witness::Caller(Caller::Principal(_)) => !self.witnesses.contains(&witness),
            Witness::Endpoint => true,
        };
        if counts && self.witnesses.len() < WITNESSES_TO_PAUSE {
            self.witnesses.push(witness);
            self.since = Some(now);
        }
    }
}

fn poisoned(_: crate::denial::Denial) -> Outage {
    Outage::answered("a panic while a lock was held")
}

const LOSSES_TO_PAUSE: u32 = 3;

const WITNESSES_TO_PAUSE: usize = 3;

const PAUSE: Duration = Duration::from_secs(2);

const GRACE: Duration = Duration::from_millis(20);

/// Callers whose calls are lost at the same time. Some 100 bytes each.
const MAX_CALLERS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::poison;

    const fn principal(number: u8) -> Caller {
        Caller::Principal([number; 32])
    }

    const fn stranger(number: u8) -> Caller {
        Caller::Stranger([number; 32])
    }

    const ANN: Caller = principal(1);
    const BEN: Caller = principal(2);

    const EVERYBODY_PAUSES: &str = "nobody answered lately";
    const CALLER_PAUSES: &str = "nobody answered this caller lately";

    async fn call(breaker: &Breaker, caller: Caller, outcome: Result<(), Outage>) -> Result<(), String> {
        let call = breaker.call(caller, Duration::from_secs(1), async { outcome });
        call.await.map_err(|outage| outage.why.into_owned())
    }

    async fn lose(breaker: &Breaker, caller: Caller) -> String {
        call(breaker, caller, Err(Outage::lost("reset"))).await.unwrap_err()
    }

    async fn fail_to_connect(breaker: &Breaker, caller: Caller) -> String {
        call(breaker, caller, Err(Outage::unreachable("refused"))).await.unwrap_err()
    }

    async fn pause() {
        tokio::time::advance(PAUSE).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_pauses_after_three_lost_calls_and_then_tries_once() {
        let breaker = Breaker::default();
        for _ in 0..3 {
            assert_eq!(lose(&breaker, ANN).await, "reset");
        }
        assert_eq!(call(&breaker, ANN, Ok(())).await, Err(CALLER_PAUSES.into()));
        pause().await;
        assert_eq!(lose(&breaker, ANN).await, "reset");
        assert_eq!(call(&breaker, ANN, Ok(())).await, Err(CALLER_PAUSES.into()));
        pause().await;
        assert_eq!(call(&breaker, ANN, Ok(())).await, Ok(()));
        assert_eq!(call(&breaker, ANN, Ok(())).await, Ok(()));
        // Only what was really asked is counted.
        let calls = breaker.counts.take();
        assert_eq!((calls.made, calls.failed, calls.throttled, calls.took.len()), (6, 4, 0, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn while_a_caller_tries_its_other_calls_still_pause() {
        let breaker = Breaker::default();
        for _ in 0..3 {
            lose(&breaker, ANN).await;
        }
        pause().await;
        let hanging = breaker.call::<()>(ANN, Duration::from_secs(1), std::future::pending());
        let other = async { call(&breaker, ANN, Ok(())).await };
        let (tried, refused) = futures_util::join!(hanging, other);
        assert_eq!(tried.unwrap_err().why, "timed out");
        assert_eq!(refused, Err(CALLER_PAUSES.into()));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_that_one_caller_does_pauses_another() {
        for outage in [Outage::answered("nonsense"), Outage::throttled(), Outage::lost("reset")] {
            let breaker = Breaker::default();
            for _ in 0..100 {
                let _ = call(&breaker, ANN, Err(outage.clone())).await;
                tokio::time::advance(PAUSE / 7).await;
            }
            let what = format!("{outage:?}");
            // Even where the other one has lost calls, too.
            assert_eq!(lose(&breaker, BEN).await, "reset", "{what}");
            assert_eq!(lose(&breaker, BEN).await, "reset", "{what}");
            assert_eq!(lose(&breaker, ANN).await.contains("lately"), outage.kind == Kind::Lost, "{what}");
            assert_eq!(call(&breaker, BEN, Ok(())).await, Ok(()), "{what}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_strangers_pauses_nobody_but_themselves() {
        let breaker = Breaker::default();
        for number in 0..u8::MAX {
            for _ in 0..3 {
                assert_eq!(lose(&breaker, stranger(number)).await, "reset");
            }
            assert_eq!(lose(&breaker, stranger(number)).await, CALLER_PAUSES);
        }
        assert_eq!(call(&breaker, stranger(u8::MAX), Ok(())).await, Ok(()));
        assert_eq!(call(&breaker, ANN, Ok(())).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_pauses_after_lost_calls_of_three_callers() {
        let breaker = Breaker::default();
        for number in 1..=3 {
            assert_eq!(lose(&breaker, principal(number)).await, "reset");
        }
        for caller in [principal(4), principal(1), stranger(1)] {
            assert_eq!(call(&breaker, caller, Ok(())).await, Err(EVERYBODY_PAUSES.into()));
        }
        pause().await;
        assert_eq!(call(&breaker, principal(4), Ok(())).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn no_caller_alone_makes_everybody_pause_again() {
        for again in 1..=4 {
            let breaker = Breaker::default();
            for number in 1..=3 {
                lose(&breaker, principal(number)).await;
            }
            pause().await;
            for _ in 0..3 {
                assert_eq!(lose(&breaker, principal(again)).await, "reset");
                tokio::time::advance(PAUSE).await;
            }
            assert_eq!(call(&breaker, principal(5), Ok(())).await, Ok(()), "{again}");
        }
        // Two others do, where nobody was answered.
        let breaker = Breaker::default();
        for number in 1..=3 {
            lose(&breaker, principal(number)).await;
        }
        pause().await;
        for number in 4..=5 {
            assert_eq!(lose(&breaker, principal(number)).await, "reset");
        }
        assert_eq!(call(&breaker, principal(6), Ok(())).await, Err(EVERYBODY_PAUSES.into()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_anybody_shows_that_the_endpoint_lives() {
        for answer in [Ok(()), Err(Outage::answered("nonsense")), Err(Outage::throttled())] {
            let breaker = Breaker::default();
            for number in 1..=30 {
                assert_eq!(lose(&breaker, principal(number)).await, "reset");
                if number % 2 == 0 {
                    let _ = call(&breaker, ANN, answer.clone()).await;
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_cannot_be_reached_pauses_everybody_whoever_asked() {
        for callers in [[ANN, ANN, ANN], [stranger(1), stranger(2), stranger(3)]] {
            let breaker = Breaker::default();
            for caller in callers {
                assert_eq!(fail_to_connect(&breaker, caller).await, "refused");
            }
            assert_eq!(call(&breaker, BEN, Ok(())).await, Err(EVERYBODY_PAUSES.into()));
            pause().await;
            assert_eq!(call(&breaker, BEN, Ok(())).await, Ok(()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_open_nothing_and_a_hang_does() {
        let breaker = Breaker::default();
        for _ in 0..9 {
            assert_eq!(call(&breaker, ANN, Err(Outage::throttled())).await, Err("throttled".into()));
            assert_eq!(call(&breaker, ANN, Err(Outage::answered("odd"))).await, Err("odd".into()));
        }
        let calls = breaker.counts.take();
        assert_eq!((calls.made, calls.failed, calls.throttled), (18, 18, 9));
        for _ in 0..3 {
            let hang = breaker.call::<()>(ANN, Duration::from_secs(1), std::future::pending()).await;
            assert_eq!(hang.unwrap_err().why, "timed out");
        }
        assert_eq!(call(&breaker, ANN, Ok(())).await, Err(CALLER_PAUSES.into()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_callers_that_are_remembered_are_bounded() {
        let breaker = Breaker::default();
        let caller = |number: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_le_bytes());
            Caller::Stranger(bytes)
        };
        for number in 0..1000 {
            for _ in 0..3 {
                lose(&breaker, caller(number)).await;
            }
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let sizes = lock(&breaker.state).map(|state| (state.callers.len(), state.witnesses.len()));
        assert_eq!(sizes, Ok((MAX_CALLERS, 0)));
        // The oldest were forgotten.
        assert_eq!(lose(&breaker, caller(999)).await, CALLER_PAUSES);
        assert_eq!(lose(&breaker, caller(0)).await, "reset");
    }

    #[tokio::test(start_paused = true)]
    async fn a_breaker_whose_lock_a_panic_left_lets_no_call_through() {
        let breaker = Breaker::default();
        poison(&breaker.state);
        assert_eq!(call(&breaker, ANN, Ok(())).await, Err("a panic while a lock was held".into()));
        assert_eq!(breaker.counts.take().made, 0);
    }
}
