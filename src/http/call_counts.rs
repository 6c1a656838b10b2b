//! Counts calls over the network, until the counts are taken for the metrics.
//!
//! Whoever makes a call counts it once, when it ends, however many requests wait for it.

use crate::lock::lock;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallEnd {
    /// With an answer, "no" included.
    Answered,
    /// Without an answer.
    Failed,
    /// Without an answer, since too many were asked for.
    Throttled,
}

/// The calls since the counts were taken last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// All of them.
    pub made: u64,
    /// Those that brought no answer, throttled ones included.
    pub failed: u64,
    /// Those that were throttled.
    pub throttled: u64,
    /// How long they took, where that was measured: of the first [`MAX_TIMED`].
    pub took: Vec<Duration>,
}

/// All calls of an authorizer since the counts were taken last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteCalls {
    /// Fetches of issuers' keys.
    pub key_fetches: Calls,
    /// Live checks at issuers.
    pub introspections: Calls,
    /// Live checks in the table of revocations.
    pub revocation_checks: Calls,
    /// Reads of the table of keys.
    pub key_reads: Calls,
}

/// The counts of an authorizer. Cloning shares them: all issuers count in the same place, so that
/// taking the counts costs the same for one issuer and for hundreds.
#[derive(Clone, Debug, Default)]
pub struct RemoteCounts {
    /// Fetches of issuers' keys.
    pub(crate) key_fetches: CallCounts,
    /// Live checks at issuers.
    pub(crate) introspections: CallCounts,
    /// Live checks in the table of revocations.
    pub(crate) revocation_checks: CallCounts,
    /// Reads of the table of keys.
    pub(crate) key_reads: CallCounts,
}

impl RemoteCounts {
    /// The calls that ended since the counts were taken last.
    pub(crate) fn take(&self) -> RemoteCalls {
        RemoteCalls {
            key_fetches: self.key_fetches.take(),
            introspections: self.introspections.take(),
            revocation_checks: self.revocation_checks.take(),
            key_reads: self.key_reads.take(),
        }
    }
}

/// Counts of one kind of call. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallCounts(Arc<Mutex<Calls>>);

impl CallCounts {
    pub(crate) fn count(&self, end: CallEnd, took: Option<Duration>) {
        // A count that is lost changes no decision.
        let Ok(mut calls) = lock(&self.0) else { return };
        calls.made = calls.made.saturating_add(1);
        calls.failed = calls.failed.saturating_add(u64::from(end != CallEnd::Answered));
        calls.throttled = calls.throttled.saturating_add(u64::from(end == CallEnd::Throttled));
        // Without metrics nobody takes them.
        let has_room = calls.took.len() < MAX_TIMED;
        calls.took.extend(took.filter(|_| has_room));
    }

    pub(crate) fn take(&self) -> Calls {
        lock(&self.0).map(|mut calls| std::mem::take(&mut *calls)).unwrap_or_default()
    }
}

/// CloudWatch takes as many values of one metric in a line of the log.
pub const MAX_TIMED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_were_taken_start_again_at_zero() {
        let counts = CallCounts::default();
        counts.count(CallEnd::Answered, Some(Duration::from_millis(3)));
        counts.count(CallEnd::Failed, None);
        counts.count(CallEnd::Throttled, Some(Duration::from_millis(1)));
        let took = vec![Duration::from_millis(3), Duration::from_millis(1)];
        assert_eq!(counts.take(), Calls { made: 3, failed: 2, throttled: 1, took });
        assert_eq!(counts.take(), Calls::default());
    }

    #[test]
    fn all_who_share_counts_count_in_one_place() {
        let counts = RemoteCounts::default();
        for _ in 0..2 {
            counts.clone().key_fetches.count(CallEnd::Answered, None);
        }
        counts.clone().revocation_checks.count(CallEnd::Failed, None);
        let calls = counts.take();
        assert_eq!((calls.key_fetches.made, calls.introspections.made, calls.revocation_checks.failed), (2, 0, 1));
        assert_eq!(counts.take(), RemoteCalls::default());
    }

    #[test]
    fn times_that_nobody_takes_are_bounded() {
        let counts = CallCounts::default();
        for _ in 0..=MAX_TIMED {
            counts.count(CallEnd::Answered, Some(Duration::ZERO));
        }
        let calls = counts.take();
        assert_eq!((calls.made, calls.took.len()), (101, 100));
    }
}
