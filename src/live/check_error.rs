//! What a check returns in place of "yes".

use crate::denial::Denial;
use crate::http::Outage;

/// Why a check did not say "yes".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CheckError {
    /// A "no" about the token itself, which cannot change.
    Lasting(Denial),
    /// A "no" about its user, as of now.
    Passing(Denial),
    /// No answer, or none that says anything.
    Outage(Outage),
}
