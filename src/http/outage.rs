//! Why a call over the network brought nothing to go by.

use std::borrow::Cow;

/// Why nothing was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// For the operator; never a value from a request.
    pub(crate) why: Cow<'static, str>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    pub(crate) fn answered(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), kind: Kind::Answered }
    }

    /// The answer that too much was asked.
    pub(crate) fn throttled() -> Self {
        Self { why: "throttled".into(), kind: Kind::Throttled }
    }

    /// A question was sent, and no answer came.
    pub(crate) fn lost(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), kind: Kind::Lost }
    }

    /// No question could be sent.
    pub(crate) fn unreachable(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), kind: Kind::Unreachable }
    }
}
