//! The clock that tells how old something is.

use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// A reading of two clocks. Nobody can set the steady one; the wall clock also runs while the
/// process is frozen. The greater of the two differences is the age, so that neither clock can
/// make old keys young.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgeClock {
    pub(crate) steady: Instant,
    wall: SystemTime,
}

impl AgeClock {
    pub(crate) fn now() -> Self {
        Self { steady: Instant::now(), wall: wall_clock() }
    }

    /// The time since `earlier`.
    pub(crate) fn since(self, earlier: AgeClock) -> Duration {
        let steady = self.steady.saturating_duration_since(earlier.steady);
        steady.max(self.wall.duration_since(earlier.wall).unwrap_or_default())
    }
}

#[cfg(not(test))]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// In unit tests the wall clock goes with tokio's, which a test can stop and advance, and is as far
/// ahead of it as the test says. So no test depends on how fast the machine is.
#[cfg(test)]
fn wall_clock() -> SystemTime {
    let year = Duration::from_secs(365 * 24 * 3600);
    SystemTime::UNIX_EPOCH + 50 * year + START.elapsed() + AHEAD.get()
}

/// Sets this thread's wall clock ahead, as it is after a freeze, in which the steady one stood still.
#[cfg(test)]
pub(crate) fn set_ahead(by: Duration) {
    AHEAD.set(by);
}

#[cfg(test)]
static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

#[cfg(test)]
thread_local! {
    static AHEAD: std::cell::Cell<Duration> = const { std::cell::Cell::new(Duration::ZERO) };
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_clock_that_is_put_back_makes_nothing_younger() {
        let earlier = AgeClock::now();
        let now = AgeClock { steady: earlier.steady + HOUR, wall: earlier.wall - 24 * HOUR };
        assert_eq!(now.since(earlier), HOUR);
        // And where it is put right again, nothing is older for having been there.
        let later = AgeClock { steady: now.steady + HOUR, wall: earlier.wall + 2 * HOUR };
        assert_eq!(later.since(earlier), 2 * HOUR);
    }

    #[test]
    fn a_clock_that_jumps_ahead_makes_things_older() {
        let earlier = AgeClock::now();
        let now = AgeClock { steady: earlier.steady, wall: earlier.wall + 24 * HOUR };
        assert_eq!(now.since(earlier), 24 * HOUR);
    }

    #[test]
    fn a_frozen_process_ages_by_whichever_clock_went_on() {
        let earlier = AgeClock::now();
        assert_eq!(AgeClock { steady: earlier.steady + HOUR, wall: earlier.wall }.since(earlier), HOUR);
        assert_eq!(AgeClock { steady: earlier.steady, wall: earlier.wall + HOUR }.since(earlier), HOUR);
        assert_eq!(earlier.since(earlier), Duration::ZERO);
    }
}
