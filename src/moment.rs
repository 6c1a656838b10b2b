//! What time it is for things that age.

use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// A moment on two clocks. Of the steady one nobody can turn the hands; the wall
/// clock also counts while the machine sleeps. The later of the two tells an age,
/// so that neither can make old keys young.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) steady: Instant,
    wall: SystemTime,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// How long ago `earlier` was.
    pub(crate) fn since(self, earlier: Moment) -> Duration {
        let steady = self.steady.saturating_duration_since(earlier.steady);
        steady.max(self.wall.duration_since(earlier.wall).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_clock_that_is_put_back_makes_nothing_younger() {
        let earlier = Moment::now();
        let now = Moment { steady: earlier.steady + HOUR, wall: earlier.wall - 24 * HOUR };
        assert_eq!(now.since(earlier), HOUR);
        // And where it is put right again, nothing is older for having been there.
        let later = Moment { steady: now.steady + HOUR, wall: earlier.wall + 2 * HOUR };
        assert_eq!(later.since(earlier), 2 * HOUR);
    }

    #[test]
    fn a_clock_that_jumps_ahead_makes_things_older() {
        let earlier = Moment::now();
        let now = Moment { steady: earlier.steady, wall: earlier.wall + 24 * HOUR };
        assert_eq!(now.since(earlier), 24 * HOUR);
    }

    #[test]
    fn a_frozen_process_ages_by_whichever_clock_went_on() {
        let earlier = Moment::now();
        assert_eq!(Moment { steady: earlier.steady + HOUR, wall: earlier.wall }.since(earlier), HOUR);
        assert_eq!(Moment { steady: earlier.steady, wall: earlier.wall + HOUR }.since(earlier), HOUR);
        assert_eq!(earlier.since(earlier), Duration::ZERO);
    }
}
