//! The proof that a rule holds.

use crate::token::Claims;
use std::sync::Arc;

/// A request that may pass: its claims satisfied the rule of its route.
///
/// Its fields are private and it is made in one place, where a rule has been held
/// against the claims, so that nothing else can become an Allow.
#[derive(Debug)]
pub struct Permit {
    claims: Claims,
    route: Arc<str>,
}

impl Permit {
    pub(super) fn new(claims: Claims, route: Arc<str>) -> Self {
        Self { claims, route }
    }

    /// The claims that were judged.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The key of the rule that held.
    #[must_use]
    pub fn route(&self) -> &Arc<str> {
        &self.route
    }
}
