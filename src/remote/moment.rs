//! What time it is for things that age.

use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// A moment on two clocks. Of the steady one nobody can turn the hands; the wall
/// clock also counts while the machine sleeps. The later of the two tells an age,
/// so that neither can make old keys young.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) steady: Instant,
    wall: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// How long ago `earlier` was.
    pub(super) fn since(self, earlier: Moment) -> Duration {
        let steady = self.steady.saturating_duration_since(earlier.steady);
        steady.max(self.wall.duration_since(earlier.wall).unwrap_or_default())
    }
}
