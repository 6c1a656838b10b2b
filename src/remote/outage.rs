//! Why a call over the network brought nothing to go by.

use std::borrow::Cow;

/// Why nothing was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outage {
    /// For the operator; never a value from a request.
    pub(super) why: Cow<'static, str>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An answer, but not one that tells anything.
    Answered,
    /// An answer: more was asked than may be.
    Throttled,
    /// The connection broke, or no answer came in time.
    Lost,
    /// There was no connection.
    Unreachable,
}

impl Outage {
    /// An answer that tells nothing, or no call at all.
    pub(super) fn answered(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), kind: Kind::Answered }
    }

    /// The answer that too much was asked.
    pub(super) fn throttled() -> Self {
        Self { why: "throttled".into(), kind: Kind::Throttled }
    }

    /// A question was sent, and no answer came.
    pub(super) fn lost(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), kind: Kind::Lost }
    }

    /// No question could be sent.
    pub(super) fn unreachable(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), kind: Kind::Unreachable }
    }
}
