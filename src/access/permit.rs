//! The proof that a rule holds.

use crate::denial::Denial;
use crate::token::Claims;
use std::sync::Arc;

/// A request that may pass: its claims satisfied the rule of its route, live
/// checks included.
///
/// Its fields are private and it is made in one place, where a rule has been held
/// against the claims, so that nothing else can become an Allow.
#[derive(Debug)]
pub struct Permit {
    claims: Arc<Claims>,
    /// Why the request would be refused, if its rule did more than report.
    would_be: Option<Denial>,
}

/// A request whose claims satisfy the rule, which also asks for a live check.
#[derive(Debug)]
pub struct PendingPermit(Permit);

/// What a rule says of a token's claims.
#[derive(Debug)]
pub enum Ruling {
    /// No Cedar policies have to be asked.
    Granted(GrantedRuling),
    /// The Cedar policies have to grant it first.
    AskPolicies(UngrantedPermit),
}

/// What is left to do where no Cedar policies have to be asked any more.
#[derive(Debug)]
pub enum GrantedRuling {
    /// The request may pass.
    Permit(Permit),
    /// The request may pass once a live check vouches for the token.
    PermitIfLive(PendingPermit),
}

/// A request whose claims satisfy the rule, which also asks the Cedar policies.
#[derive(Debug)]
pub struct UngrantedPermit {
    permit: Permit,
    introspect: bool,
}

/// The proof that a live check vouched for a token just now.
#[derive(Debug)]
pub struct Live(());

/// The proof that every check that the configuration asks of accepted tokens vouched for
/// one just now. What an answer says of other requests than its own is made from it.
#[derive(Debug)]
pub struct Vouched(());

/// The proof that the Cedar policies grant this request.
#[derive(Debug)]
pub struct Granted(());

impl Permit {
    pub(super) fn new(claims: Arc<Claims>) -> Self {
        Self { claims, would_be: None }
    }

    /// A permit although a rule does not hold: that rule only reports.
    pub(super) fn in_report_only(claims: Arc<Claims>, would_be: Denial) -> Self {
        Self { claims, would_be: Some(would_be) }
    }

    /// Why the request would be refused, if its rule did more than report.
    #[must_use]
    pub fn would_be(&self) -> Option<&Denial> {
        self.would_be.as_ref()
    }

    /// The claims that were judged.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl PendingPermit {
    /// The claims that were judged.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// Turns into a permit, given the proof.
    #[must_use]
    pub fn confirm(self, _proof: Live) -> Permit {
        self.0
    }
}

impl UngrantedPermit {
    pub(super) fn new(permit: Permit, introspect: bool) -> Self {
        Self { permit, introspect }
    }

    /// The claims that were judged.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.permit.claims
    }

    /// What is left to ask, given the proof.
    #[must_use]
    pub fn confirm(self, _proof: Granted) -> GrantedRuling {
        GrantedRuling::new(self.permit, self.introspect)
    }
}

impl GrantedRuling {
    pub(super) fn new(permit: Permit, introspect: bool) -> Self {
        if introspect { Self::PermitIfLive(PendingPermit(permit)) } else { Self::Permit(permit) }
    }
}

impl Granted {
    /// States that the policies allow a request and that none that forbids it was
    /// left out of account. Only `permissions/verdict.rs` may say so.
    pub(crate) fn assertion() -> Self {
        Self(())
    }
}

impl Vouched {
    /// States that all checks of accepted tokens agreed, or that none is configured. Only
    /// `live/live_check.rs` may say so; `make layers` holds it to that.
    pub(crate) fn assertion() -> Self {
        Self(())
    }
}

impl Live {
    /// States that every live check that is configured for a token agreed. Only
    /// `live/live_check.rs` may say so; `make layers` holds it to that.
    pub(crate) fn assertion() -> Self {
        Self(())
    }
}
