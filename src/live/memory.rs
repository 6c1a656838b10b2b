//! Answers that may be used again: each for a while, and never past the token's end. Where there are
//! too many, the oldest go: forgetting one costs a question, never a wrong answer.

use crate::age_clock::AgeClock;
use crate::bounded_store::{BoundedStore, Limits, Weight};
use crate::denial::Denial;
use crate::lock::lock;
use crate::request::UnixSeconds;
use std::sync::Mutex;
use std::time::Duration;

/// All that an answer depends on, strongly hashed (SHA-256).
pub(crate) type Digest = [u8; 32];

/// Answers, by what they depend on. `Debug` shows none of them.
#[derive(Debug)]
pub(crate) struct Memory<V> {
    store: Mutex<BoundedStore<Digest, Remembered<V>>>,
}

/// How long an answer may be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lasts {
    /// From now on; zero: not at all.
    pub(crate) for_at_most: Duration,
    /// When the token ends, and with it all that is known of it.
    pub(crate) expires: UnixSeconds,
}

struct Remembered<V> {
    value: V,
    since: AgeClock,
    lasts: Lasts,
}

impl<V: Clone + Weight> Memory<V> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { store: Mutex::new(BoundedStore::new(limits)) }
    }

    /// The answer, where it may still be used.
    ///
    /// # Errors
    /// As [`lock`].
    pub(crate) fn recall(&self, key: &Digest, now: UnixSeconds) -> Result<Option<V>, Denial> {
        let store = lock(&self.store)?;
        let remembered = store.get(key).filter(|remembered| remembered.holds(now));
        Ok(remembered.map(|remembered| remembered.value.clone()))
    }

    /// Keeps an answer, in place of older ones where there are too many.
    ///
    /// # Errors
    /// As [`lock`].
    pub(crate) fn remember(&self, key: Digest, value: V, lasts: Lasts, now: UnixSeconds) -> Result<(), Denial> {
        if lasts.for_at_most.is_zero() || lasts.expires <= now {
            return Ok(());
        }
        let remembered = Remembered { value, since: AgeClock::now(), lasts };
        let forgotten = lock(&self.store)?.insert(key, remembered, |remembered| !remembered.holds(now));
        drop(forgotten);
        Ok(())
    }
}

impl<V> Remembered<V> {
    fn holds(&self, now: UnixSeconds) -> bool {
        now < self.lasts.expires && AgeClock::now().since(self.since) < self.lasts.for_at_most
    }
}

impl<V: Weight> Weight for Remembered<V> {
    fn bytes_elsewhere(&self) -> usize {
        self.value.bytes_elsewhere()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::introspection::AnswerText;
    use crate::live::issuer_check::REMEMBERED;

    const NO_BOUND: usize = 1 << 20;

    fn at(seconds: f64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn digest(number: u8) -> Digest {
        [number; 32]
    }

    fn until(expires: f64) -> Lasts {
        Lasts { for_at_most: Duration::MAX, expires: at(expires) }
    }

    fn known(memory: &Memory<&'static str>, now: f64) -> Vec<u8> {
        (0..=u8::MAX).filter(|number| memory.recall(&digest(*number), at(now)).unwrap().is_some()).collect()
    }

    fn size(memory: &Memory<&'static str>) -> usize {
        lock(&memory.store).unwrap().size().0
    }

    #[test]
    fn a_memory_whose_lock_a_panic_left_denies() {
        let memory = Memory::new(Limits { entries: 3, bytes: NO_BOUND });
        memory.remember(digest(1), "yes", until(9.0), at(1.0)).unwrap();
        crate::lock::poison(&memory.store);
        let denial = Denial::Internal("a panic while a lock was held");
        assert_eq!(memory.recall(&digest(1), at(1.0)), Err(denial.clone()));
        assert_eq!(memory.remember(digest(2), "yes", until(9.0), at(1.0)), Err(denial));
    }

    #[test]
    fn what_is_over_is_not_recalled_and_makes_room() {
        let memory = Memory::new(Limits { entries: 100, bytes: NO_BOUND });
        for (number, expires) in [(0, 5.0), (1, 5.0), (2, 9.0)] {
            memory.remember(digest(number), "yes", until(expires), at(1.0)).unwrap();
        }
        assert_eq!(known(&memory, 4.9), [0, 1, 2]);
        assert_eq!(known(&memory, 5.0), [2]);
        memory.remember(digest(3), "yes", until(9.0), at(5.0)).unwrap();
        assert_eq!((known(&memory, 5.0), size(&memory)), (vec![2, 3], 2));
        // What could not be recalled at all takes no place.
        memory.remember(digest(4), "yes", until(5.0), at(5.0)).unwrap();
        memory.remember(digest(5), "yes", Lasts { for_at_most: Duration::ZERO, expires: at(9.0) }, at(5.0)).unwrap();
        assert_eq!(size(&memory), 2);
    }

    /// As docs/live-checks.md says.
    #[test]
    fn of_small_answers_the_number_is_the_bound() {
        let each = BoundedStore::<Digest, Remembered<Result<AnswerText, Denial>>>::overhead();
        assert!((256..512).contains(&each), "{each}");
        assert!(each * REMEMBERED.entries <= REMEMBERED.bytes);
        assert_eq!(REMEMBERED.bytes / (each + 64 * 1024), 127);
        assert_eq!(REMEMBERED.bytes / (each + 1024) / 100, 58);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_be_used_for_so_long() {
        let memory = Memory::new(Limits { entries: 9, bytes: NO_BOUND });
        let lasts = Lasts { for_at_most: Duration::from_secs(5), expires: at(99.0) };
        memory.remember(digest(0), "yes", lasts, at(1.0)).unwrap();
        tokio::time::advance(Duration::from_millis(4_500)).await;
        assert_eq!(known(&memory, 1.0), [0]);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(known(&memory, 1.0), [0; 0]);
    }
}
