//! Why no tokens are issued.

use std::fmt;

/// Why a sign-in fails. Cognito shows the error's message to whoever signs in: the details are the log's alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The event is none of this trigger, or lacks what it must have.
    MalformedEvent(&'static str),
    /// The item could not be looked up or read, and `on_failure` is `refuse`.
    LookupFailed,
    /// A required claim has no value.
    ClaimMissing,
    /// More would be added than the limits allow.
    TooLarge(&'static str),
    /// The scopes that the configuration suppresses would stay: an event of version one cannot change them.
    VersionTooLow,
}

impl Refusal {
    /// Its stable name, for the log and the error's type.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Refusal::ClaimMissing => "claim_missing",
            Refusal::LookupFailed => "lookup_failed",
            Refusal::MalformedEvent(_) => "malformed_event",
            Refusal::TooLarge(_) => "too_large",
            Refusal::VersionTooLow => "version_too_low",
        }
    }

    /// What the operator should know beside the code.
    #[must_use]
    pub fn detail(self) -> Option<&'static str> {
        match self {
            Refusal::MalformedEvent(detail) | Refusal::TooLarge(detail) => Some(detail),
            Refusal::VersionTooLow => Some("V1_0 cannot suppress scopes: set LambdaVersion to V2_0 or V3_0"),
            Refusal::ClaimMissing | Refusal::LookupFailed => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tokens could not be made")
    }
}

impl std::error::Error for Refusal {}
