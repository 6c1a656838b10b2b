//! Answers that may be used again: each for a while, and never past the token's end.

use super::moment::Moment;
use crate::request::UnixSeconds;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// All that an answer depends on, strongly hashed.
pub(super) type Digest = Box<[u8]>;

/// What was answered, by what it depends on. Its `Debug` shows none of it.
pub(super) struct Memory<V>(Mutex<HashMap<Digest, Remembered<V>>>);

struct Remembered<V> {
    value: V,
    since: Moment,
    lasts: Lasts,
}

/// How long an answer may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lasts {
    /// From now on; zero: not at all.
    pub(super) for_at_most: Duration,
    /// When the token ends, and with it all that is known of it.
    pub(super) expires: UnixSeconds,
}

impl<V: Clone> Memory<V> {
    pub(super) fn recall(&self, key: &Digest, now: UnixSeconds) -> Option<V> {
        let known = self.lock();
        let remembered = known.get(key)?;
        remembered.holds(now).then(|| remembered.value.clone())
    }

    /// Keeps an answer, beside fewer than `most` others.
    pub(super) fn remember(&self, key: Digest, value: V, lasts: Lasts, most: usize, now: UnixSeconds) {
        if lasts.for_at_most.is_zero() {
            return;
        }
        let mut known = self.lock();
        if known.len() >= most {
            known.retain(|_, remembered| remembered.holds(now));
        }
        // Still full: forgetting costs questions, never a wrong answer.
        if known.len() >= most {
            known.clear();
        }
        known.insert(key, Remembered { value, since: Moment::now(), lasts });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Remembered<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Remembered<V> {
    fn holds(&self, now: UnixSeconds) -> bool {
        now < self.lasts.expires && Moment::now().since(self.since) < self.lasts.for_at_most
    }
}

impl<V> Default for Memory<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V> std::fmt::Debug for Memory<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}
