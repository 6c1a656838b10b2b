//! What a check comes to where it is not a "yes".

use crate::denial::Denial;
use crate::http::Outage;

/// Anything but a clear "yes".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// About the token itself: it stays so.
    Lasting(Denial),
    /// About its user as of now.
    Passing(Denial),
    /// Nothing was learned.
    Outage(Outage),
}
