//! Who looks on while a rule is held against a token's claims: `authctl explain` and its like. The function has nobody look
//! on: with `()` as the observer all of it compiles to nothing.

use super::path::SafePath;
use super::requirement::{Check, Requirement};
use super::route::Parameter;
use super::rules::Rule;
use crate::denial::Denial;
use crate::request::UnixSeconds;
use crate::token::Claims;
use core::net::IpAddr;
use std::borrow::Cow;

/// Looks on. What it sees never changes what is decided.
pub trait Observer {
    /// Whether to go on after the check that decides, so that every check is seen. The decision is that of the first.
    const SEES_ALL: bool;

    /// A part is about to be held against the facts; its own parts come before its end.
    fn begin(&mut self, part: Part<'_>, facts: &Facts<'_>);

    /// The part that began last, and has not ended yet, came to this.
    fn end(&mut self, held: Result<(), &Denial>);
}

/// A part of what is asked.
#[derive(Clone, Copy, Debug)]
pub enum Part<'p> {
    /// A rule's whole requirement.
    Rule(&'p Rule, Role),
    /// One alternative of an `any`, or one member of an `all`.
    Requirement(&'p Requirement),
    /// One check.
    Check(&'p Check),
}

/// Why a rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It serves the path.
    Serves,
    /// It serves the path as a backend may read it.
    ServesAnotherReading,
    /// It serves what some backends see of the path.
    ServesABeginning,
    /// API Gateway runs its route.
    RunByTheGateway,
}

/// What the checks are held against.
pub struct Facts<'a> {
    pub(super) claims: &'a Claims,
    pub(super) path: &'a SafePath<'a>,
    pub(super) now: UnixSeconds,
    pub(super) source_ip: Option<IpAddr>,
}

impl std::fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts").finish_non_exhaustive()
    }
}

impl Facts<'_> {
    /// The token's claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.claims
    }

    /// The segments of the path, decoded.
    #[must_use]
    pub fn segments(&self) -> &[Cow<'_, str>] {
        self.path.segments()
    }

    /// The value of a path parameter.
    #[must_use]
    pub fn parameter(&self, parameter: &Parameter) -> Option<Cow<'_, str>> {
        parameter.value(self.path)
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> UnixSeconds {
        self.now
    }

    /// The request's address, where a rule asks for it and the event has it.
    #[must_use]
    pub fn source_ip(&self) -> Option<IpAddr> {
        self.source_ip
    }
}

/// Nobody looks on.
impl Observer for () {
    const SEES_ALL: bool = false;

    fn begin(&mut self, _: Part<'_>, _: &Facts<'_>) {}

    fn end(&mut self, _: Result<(), &Denial>) {}
}

/// Makes a check and has it seen.
pub(super) fn observed<O: Observer>(
    observer: &mut O,
    part: Part<'_>,
    facts: &Facts<'_>,
    check: impl FnOnce(&mut O) -> Result<(), Denial>,
) -> Result<(), Denial> {
    observer.begin(part, facts);
    let held = check(observer);
    observer.end(held.as_ref().copied());
    held
}

/// Holds all of these; the denial is that of the first that does not hold.
pub(super) fn all<T, O: Observer>(
    parts: &[T],
    observer: &mut O,
    mut hold: impl FnMut(&T, &mut O) -> Result<(), Denial>,
) -> Result<(), Denial> {
    let mut held = Ok(());
    for part in parts {
        let next = hold(part, observer);
        held = held.and(next);
        if held.is_err() && !O::SEES_ALL {
            break;
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{all_of, at, claim, claims, group, own, scope};
    use proptest::prelude::*;
    use serde_json::json;

    /// Sees all, and how deep.
    #[derive(Default)]
    struct Seen {
        open: usize,
        checks: usize,
    }

    impl Observer for Seen {
        const SEES_ALL: bool = true;

        fn begin(&mut self, part: Part<'_>, _: &Facts<'_>) {
            self.open += 1;
            self.checks += usize::from(matches!(part, Part::Check(_)));
        }

        fn end(&mut self, _: Result<(), &Denial>) {
            self.open -= 1;
        }
    }

    fn checks() -> impl Strategy<Value = Check> {
        let leaf = prop_oneof![
            Just(scope("a")),
            Just(scope("b")),
            Just(group("g")),
            Just(group("h")),
            Just(claim("c", &[json!(1)])),
            Just(claim("d", &[json!("x")])),
            Just(own("GET /{p}", "p")),
        ];
        leaf.prop_recursive(3, 24, 3, |inner| {
            let requirement = || prop::collection::vec(inner.clone(), 0..3).prop_map(|checks| all_of(&checks));
            prop_oneof![
                prop::collection::vec(requirement(), 0..3).prop_map(Check::Any),
                prop::collection::vec(requirement(), 0..3).prop_map(Check::All),
            ]
        })
    }

    fn count(checks: &[Check]) -> usize {
        let within = |requirements: &[Requirement]| requirements.iter().map(|one| count(&one.checks)).sum::<usize>();
        let of = |check: &Check| if let Check::Any(inner) | Check::All(inner) = check { 1 + within(inner) } else { 1 };
        checks.iter().map(of).sum()
    }

    proptest! {
        #[test]
        fn whoever_looks_on_changes_nothing_and_sees_every_check(
            checks in prop::collection::vec(checks(), 0..4),
            scopes in prop::sample::subsequence(vec!["a", "b"], 0..=2),
            groups in prop::sample::subsequence(vec!["g", "h"], 0..=2),
            sub in prop::sample::select(vec!["u", "v"]),
            c in prop::sample::select(vec![json!(1), json!(2), json!(null)]),
        ) {
            let members = json!({ "scope": scopes.join(" "), "groups": groups, "sub": sub, "c": c, "d": "x" });
            let claims = claims(members);
            let path = SafePath::parse("/u").unwrap();
            let facts = Facts { claims: &claims, path: &path, now: at(1.0), source_ip: None };
            let requirement = all_of(&checks);
            let mut seen = Seen::default();
            prop_assert_eq!(requirement.hold(&facts, &mut ()), requirement.hold(&facts, &mut seen));
            prop_assert_eq!((seen.open, seen.checks), (0, count(&checks)));
        }
    }
}
