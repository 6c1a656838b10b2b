//! Answers that may be used again: each for a while, and never past the token's end.
//! Space is bounded by number and by bytes, and the oldest go first: forgetting costs
//! questions, never a wrong answer.

use crate::age_clock::AgeClock;
use crate::denial::Denial;
use crate::lock::lock;
use crate::request::UnixSeconds;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

/// All that an answer depends on, strongly hashed.
pub(crate) type Digest = Box<[u8]>;

/// What was answered, by what it depends on. Its `Debug` shows none of it.
pub(crate) struct Memory<V> {
    store: Mutex<Store<V>>,
    limits: Limits,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Answers.
    pub(crate) answers: usize,
    /// Bytes of memory that they take, about.
    pub(crate) bytes: usize,
}

/// What takes memory beside its own place.
pub(crate) trait Weight {
    /// Bytes behind its pointers.
    fn bytes_elsewhere(&self) -> usize;
}

/// How long an answer may be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lasts {
    /// From now on; zero: not at all.
    pub(crate) for_at_most: Duration,
    /// When the token ends, and with it all that is known of it.
    pub(crate) expires: UnixSeconds,
}

struct Store<V> {
    known: HashMap<Digest, Remembered<V>>,
    // INVARIANT: the key of each entry in `known` stands here once, by its number, and no other.
    oldest_first: BTreeMap<u64, Digest>,
    next_number: u64,
    bytes: usize,
}

struct Remembered<V> {
    value: V,
    since: AgeClock,
    lasts: Lasts,
    number: u64,
    bytes: usize,
}

impl<V: Clone + Weight> Memory<V> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { store: Mutex::default(), limits }
    }

    /// What was answered, where it may still be used.
    ///
    /// # Errors
    /// As [`lock`].
    pub(crate) fn recall(&self, key: &[u8], now: UnixSeconds) -> Result<Option<V>, Denial> {
        let store = lock(&self.store)?;
        let remembered = store.known.get(key).filter(|remembered| remembered.holds(now));
        Ok(remembered.map(|remembered| remembered.value.clone()))
    }

    /// Keeps an answer, in place of older ones where there are too many.
    ///
    /// # Errors
    /// As [`lock`].
    pub(crate) fn remember(&self, key: Digest, value: V, lasts: Lasts, now: UnixSeconds) -> Result<(), Denial> {
        let bytes = overhead::<V>() + value.bytes_elsewhere();
        if lasts.for_at_most.is_zero() || lasts.expires <= now || bytes > self.limits.bytes {
            return Ok(());
        }
        let mut store = lock(&self.store)?;
        store.insert(key, value, lasts, bytes);
        // One comes, so that two that are over can go: their number falls.
        for _ in 0..2 {
            store.forget_oldest(|oldest| !oldest.holds(now));
        }
        while store.known.len() > self.limits.answers || store.bytes > self.limits.bytes {
            if !store.forget_oldest(|_| true) {
                break;
            }
        }
        Ok(())
    }
}

impl<V> Store<V> {
    fn insert(&mut self, key: Digest, value: V, lasts: Lasts, bytes: usize) {
        let number = self.next_number;
        self.next_number += 1;
        self.bytes += bytes;
        self.oldest_first.insert(number, key.clone());
        let earlier = self.known.insert(key, Remembered { value, since: AgeClock::now(), lasts, number, bytes });
        if let Some(earlier) = earlier {
            self.oldest_first.remove(&earlier.number);
            self.bytes -= earlier.bytes;
        }
    }

    /// Forgets the oldest answer if it may go, and says whether it did.
    fn forget_oldest(&mut self, may_go: impl FnOnce(&Remembered<V>) -> bool) -> bool {
        let Some(oldest) = self.oldest_first.first_entry() else { return false };
        if !self.known.get(oldest.get()).is_none_or(may_go) {
            return false;
        }
        if let Some(forgotten) = self.known.remove(&oldest.remove()) {
            self.bytes -= forgotten.bytes;
        }
        true
    }
}

impl<V> Remembered<V> {
    fn holds(&self, now: UnixSeconds) -> bool {
        now < self.lasts.expires && AgeClock::now().since(self.since) < self.lasts.for_at_most
    }
}

impl<V> Default for Store<V> {
    fn default() -> Self {
        Self { known: HashMap::new(), oldest_first: BTreeMap::new(), next_number: 0, bytes: 0 }
    }
}

impl<V> std::fmt::Debug for Memory<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Of each answer: its entry and its place among the others, twice for a table that has
/// just grown, both digests (SHA-256), and what three allocations take beside what they hold.
const fn overhead<V>() -> usize {
    2 * (size_of::<Remembered<V>>() + 2 * size_of::<Digest>() + size_of::<u64>()) + 2 * 32 + 3 * 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::introspection::AnswerText;
    use crate::live::issuer_check::REMEMBERED;

    impl Weight for &'static str {
        fn bytes_elsewhere(&self) -> usize {
            self.len()
        }
    }

    const NO_BOUND: usize = 1 << 20;

    fn at(seconds: f64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn digest(number: u8) -> Digest {
        Box::new([number; 32])
    }

    fn until(expires: f64) -> Lasts {
        Lasts { for_at_most: Duration::MAX, expires: at(expires) }
    }

    fn known(memory: &Memory<&'static str>, now: f64) -> Vec<u8> {
        (0..=u8::MAX).filter(|number| memory.recall(&digest(*number), at(now)).unwrap().is_some()).collect()
    }

    fn size(memory: &Memory<&'static str>) -> (usize, usize) {
        let store = lock(&memory.store).unwrap();
        assert_eq!(store.known.len(), store.oldest_first.len());
        assert_eq!(store.bytes, store.known.values().map(|remembered| remembered.bytes).sum::<usize>());
        (store.known.len(), store.bytes)
    }

    #[test]
    fn a_memory_whose_lock_a_panic_left_denies() {
        let memory = Memory::new(Limits { answers: 3, bytes: NO_BOUND });
        memory.remember(digest(1), "yes", until(9.0), at(1.0)).unwrap();
        crate::lock::poison(&memory.store);
        let denial = Denial::Internal("a panic while a lock was held");
        assert_eq!(memory.recall(&digest(1), at(1.0)), Err(denial.clone()));
        assert_eq!(memory.remember(digest(2), "yes", until(9.0), at(1.0)), Err(denial));
    }

    #[test]
    fn the_oldest_go_first_where_there_are_too_many() {
        let memory = Memory::new(Limits { answers: 3, bytes: NO_BOUND });
        for number in 0..100 {
            memory.remember(digest(number), "yes", until(9.0), at(1.0)).unwrap();
            assert!(size(&memory).0 <= 3);
        }
        assert_eq!(known(&memory, 1.0), [97, 98, 99]);
        // What was asked anew is the youngest, and takes no second place.
        memory.remember(digest(97), "no", until(9.0), at(1.0)).unwrap();
        assert_eq!((known(&memory, 1.0), size(&memory).0), (vec![97, 98, 99], 3));
        assert_eq!(memory.recall(&digest(97), at(1.0)).unwrap(), Some("no"));
        memory.remember(digest(100), "yes", until(9.0), at(1.0)).unwrap();
        assert_eq!(known(&memory, 1.0), [97, 99, 100]);
    }

    #[test]
    fn bytes_are_bounded_too_and_counted_to_the_last() {
        let one = overhead::<&'static str>() + 100;
        let hundred: &'static str = "x".repeat(100).leak();
        let memory = Memory::new(Limits { answers: 100, bytes: 3 * one });
        for number in 0..10 {
            memory.remember(digest(number), hundred, until(9.0), at(1.0)).unwrap();
        }
        assert_eq!((known(&memory, 1.0), size(&memory)), (vec![7, 8, 9], (3, 3 * one)));
        // One that is larger than all of the space is not kept, and pushes nothing out.
        memory.remember(digest(200), "x".repeat(3 * one).leak(), until(9.0), at(1.0)).unwrap();
        assert_eq!(known(&memory, 1.0), [7, 8, 9]);
        // The same again, with less to say.
        memory.remember(digest(7), "", until(9.0), at(1.0)).unwrap();
        assert_eq!((known(&memory, 1.0), size(&memory)), (vec![7, 8, 9], (3, 3 * one - 100)));
        memory.remember(digest(10), "x".repeat(200).leak(), until(9.0), at(1.0)).unwrap();
        assert_eq!((known(&memory, 1.0), size(&memory)), (vec![7, 9, 10], (3, 3 * one)));
    }

    #[test]
    fn what_is_over_is_not_recalled_and_makes_room() {
        let memory = Memory::new(Limits { answers: 100, bytes: NO_BOUND });
        for (number, expires) in [(0, 5.0), (1, 5.0), (2, 9.0)] {
            memory.remember(digest(number), "yes", until(expires), at(1.0)).unwrap();
        }
        assert_eq!(known(&memory, 4.9), [0, 1, 2]);
        assert_eq!(known(&memory, 5.0), [2]);
        memory.remember(digest(3), "yes", until(9.0), at(5.0)).unwrap();
        assert_eq!((known(&memory, 5.0), size(&memory).0), (vec![2, 3], 2));
        // What could not be recalled at all takes no place.
        memory.remember(digest(4), "yes", until(5.0), at(5.0)).unwrap();
        memory.remember(digest(5), "yes", Lasts { for_at_most: Duration::ZERO, expires: at(9.0) }, at(5.0)).unwrap();
        assert_eq!(size(&memory).0, 2);
    }

    /// As docs/live-checks.md says.
    #[test]
    fn of_small_answers_the_number_is_the_bound() {
        let each = overhead::<Result<AnswerText, Denial>>();
        assert!((256..512).contains(&each), "{each}");
        assert!(each * REMEMBERED.answers <= REMEMBERED.bytes);
        assert_eq!(REMEMBERED.bytes / (each + 64 * 1024), 127);
        assert_eq!(REMEMBERED.bytes / (each + 1024) / 100, 58);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_be_used_for_so_long() {
        let memory = Memory::new(Limits { answers: 9, bytes: NO_BOUND });
        let lasts = Lasts { for_at_most: Duration::from_secs(5), expires: at(99.0) };
        memory.remember(digest(0), "yes", lasts, at(1.0)).unwrap();
        tokio::time::advance(Duration::from_millis(4_500)).await;
        assert_eq!(known(&memory, 1.0), [0]);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(known(&memory, 1.0), [0; 0]);
    }
}
