//! The proofs of possession that this process has seen (RFC 9449 11.1): none is good twice.
//!
//! Room is bounded. Where there is too little, the oldest are forgotten, and from then on no proof counts that is as old as one
//! that was: a request made now is let in, and a replay never is.

use crate::denial::Denial;
use crate::lock::lock;
use crate::request::UnixSeconds;
use crate::token::KeyProof;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Mutex;

/// What was used, and is not too old yet to be used again.
pub struct UsedProofs {
    used: Mutex<Used>,
    most: usize,
}

#[derive(Default)]
struct Used {
    ids: HashSet<[u8; 32]>,
    // INVARIANT: the same ids, each with the end of its proof; of dates from 1970 on, the bits are in the dates' order.
    oldest_first: BTreeSet<(u64, [u8; 32])>,
    /// Proofs that end then or earlier do not count.
    forgotten: u64,
}

impl UsedProofs {
    /// Room for that many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { used: Mutex::default(), most }
    }

    /// Notes that a proof is used now.
    ///
    /// # Errors
    /// [`Denial::SenderNotProven`] where it was used before or may have been, [`Denial::Internal`] after a panic in here.
    pub fn take(&self, proof: &KeyProof, now: UnixSeconds) -> Result<(), Denial> {
        let (id, until) = (*proof.id(), bits(proof.until()));
        let mut used = lock(&self.used)?;
        used.remove_over(bits(now));
        if until <= used.forgotten {
            return Err(Denial::SenderNotProven("dpop: too many proofs to tell whether this one was used before"));
        }
        if !used.ids.insert(id) {
            return Err(KeyProof::USED_BEFORE);
        }
        used.oldest_first.insert((until, id));
        if used.ids.len() > self.most
            && let Some((until, id)) = used.oldest_first.pop_first()
        {
            used.ids.remove(&id);
            used.forgotten = used.forgotten.max(until);
        }
        Ok(())
    }
}

impl Used {
    /// Removes some that are too old to be used again: more than one for each that comes.
    fn remove_over(&mut self, now: u64) {
        for _ in 0..REMOVED_AT_ONCE {
            match self.oldest_first.first() {
                Some((until, _)) if *until <= now => {}
                Some(_) | None => return,
            }
            if let Some((_, id)) = self.oldest_first.pop_first() {
                self.ids.remove(&id);
            }
        }
    }
}

impl Default for UsedProofs {
    /// Of a minute with 750 requests a second: some 7 MB.
    fn default() -> Self {
        Self::new(50_000)
    }
}

impl fmt::Debug for UsedProofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UsedProofs")
    }
}

fn bits(date: UnixSeconds) -> u64 {
    date.as_f64().max(0.0).to_bits()
}

const REMOVED_AT_ONCE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(id: u8, until: f64) -> KeyProof {
        KeyProof::of([id; 32], at(until))
    }

    fn at(seconds: f64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    const BEFORE: Result<(), Denial> = Err(Denial::SenderNotProven("dpop: the proof was used before"));
    const UNKNOWN: Result<(), Denial> =
        Err(Denial::SenderNotProven("dpop: too many proofs to tell whether this one was used before"));

    #[test]
    fn a_proof_is_good_once() {
        let used = UsedProofs::default();
        assert_eq!(used.take(&proof(1, 100.0), at(50.0)), Ok(()));
        assert_eq!(used.take(&proof(1, 100.0), at(50.0)), BEFORE);
        // Another proof with the same key and `jti`.
        assert_eq!(used.take(&proof(1, 109.0), at(99.9)), BEFORE);
        assert_eq!(used.take(&proof(2, 100.0), at(99.9)), Ok(()));
        // One that is over takes no room; whether it is over is not looked at here.
        assert_eq!(used.take(&proof(3, 200.0), at(100.0)), Ok(()));
        assert_eq!(lock(&used.used).unwrap().ids.len(), 1);
    }

    #[test]
    fn what_was_forgotten_for_want_of_room_is_never_good_again() {
        let used = UsedProofs::new(2);
        for (id, until) in [(1, 101.0), (2, 102.0), (3, 103.0)] {
            assert_eq!(used.take(&proof(id, until), at(50.0)), Ok(()), "{id}");
        }
        assert_eq!(used.take(&proof(1, 101.0), at(50.0)), UNKNOWN);
        // As old as that, and never seen: nobody can tell.
        assert_eq!(used.take(&proof(4, 101.0), at(50.0)), UNKNOWN);
        assert_eq!(used.take(&proof(2, 102.0), at(50.0)), BEFORE);
        // The youngest are served all the time.
        for id in 5..=250 {
            let until = 100.0 + f64::from(id);
            assert_eq!(used.take(&proof(id, until), at(50.0)), Ok(()), "{id}");
            assert_ne!(used.take(&proof(id, until), at(50.0)), Ok(()), "{id}");
        }
        assert_eq!(lock(&used.used).unwrap().ids.len(), 2);
        // One that is older than all that are kept is let in once.
        let used = UsedProofs::new(1);
        assert_eq!(used.take(&proof(1, 200.0), at(50.0)), Ok(()));
        assert_eq!(used.take(&proof(2, 150.0), at(50.0)), Ok(()));
        assert_eq!(used.take(&proof(2, 150.0), at(50.0)), UNKNOWN);
    }

    #[test]
    fn after_a_panic_nothing_is_let_in() {
        let used = UsedProofs::default();
        crate::lock::poison(&used.used);
        assert_eq!(used.take(&proof(1, 100.0), at(50.0)), Err(Denial::Internal("a panic while a lock was held")));
    }
}
