//! The one way to take a lock.

use crate::denial::Denial;
use std::sync::{Mutex, MutexGuard};

/// Takes a lock. A panic while it was held may have left half a change, so that from then on every
/// request that needs it is denied.
///
/// # Errors
/// [`Denial::Internal`] after a panic while the lock was held.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, Denial> {
    mutex.lock().map_err(|_| Denial::Internal("a panic while a lock was held"))
}

/// Leaves a lock as a panic does.
#[cfg(test)]
pub(crate) fn poison<T: Send>(mutex: &Mutex<T>) {
    let panicked = std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _held = mutex.lock();
            std::panic::resume_unwind(Box::new("while the lock is held"));
        });
        holder.join().is_err()
    });
    assert!(panicked);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_panic_while_it_was_held_a_lock_is_a_denial() {
        let mutex = Mutex::new(7);
        assert_eq!(lock(&mutex).map(|held| *held), Ok(7));
        poison(&mutex);
        for _ in 0..2 {
            assert_eq!(lock(&mutex).map(|held| *held), Err(Denial::Internal("a panic while a lock was held")));
        }
    }
}
