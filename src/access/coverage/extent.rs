//! Where on its route a requirement holds for a token: everywhere, nowhere, or where
//! path parameters have the values of its claims.

use crate::access::path::SafePath;
use crate::access::requirement::{Check, ClaimValue, Facts, Requirement};
use crate::access::route::Parameter;
use crate::request::UnixSeconds;
use crate::token::Claims;
use serde_json::Value;

/// The paths of a route on which a token's claims satisfy its requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of them.
    Everywhere,
    /// Those that agree with one of these; none at all where there is none.
    Where(Vec<Binding>),
}

/// Values of path parameters, one each, by their place in the path.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Binding(pub(super) Vec<(Parameter, String)>);

/// The extent of a requirement; `None` where it would be more than [`MAX_BINDINGS`]
/// bindings. What depends on the time holds nowhere.
pub(super) fn of(requirement: &Requirement, claims: &Claims) -> Option<Extent> {
    let extents = requirement.checks.iter().map(|check| of_check(check, claims));
    extents.into_iter().try_fold(Extent::Everywhere, |all, extent| all.and(extent?))
}

fn of_check(check: &Check, claims: &Claims) -> Option<Extent> {
    match check {
        Check::Claim { name, one_of } => {
            let bound = one_of.iter().filter_map(|value| match value {
                ClaimValue::Parameter(parameter) => Some(parameter),
                ClaimValue::Literal(_) => None,
            });
            let texts: Vec<&str> = match claims.get(name) {
                Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
                claim => claim.and_then(Value::as_str).into_iter().collect(),
            };
            let bindings = bound.flat_map(|parameter| {
                let values = texts.iter().filter(|text| !text.is_empty());
                values.map(|text| Binding(vec![(parameter.clone(), (*text).to_owned())]))
            });
            plain(check, claims).or(Extent::Where(bindings.take(MAX_BINDINGS + 1).collect()))
        }
        Check::Any(alternatives) => {
            let extents = alternatives.iter().map(|alternative| of(alternative, claims));
            extents.into_iter().try_fold(Extent::nowhere(), |any, extent| any.or(extent?))
        }
        Check::All(requirements) if !requirements.is_empty() => {
            let extents = requirements.iter().map(|requirement| of(requirement, claims));
            extents.into_iter().try_fold(Extent::Everywhere, |all, extent| all.and(extent?))
        }
        Check::MaxAuthAge(_) => Some(Extent::nowhere()),
        Check::AnyScope(_)
        | Check::AllScopes(_)
        | Check::AnyGroup(_)
        | Check::AllGroups(_)
        | Check::ClientIds(_)
        | Check::Issuers(_)
        | Check::TokenUse(_)
        | Check::All(_) => Some(plain(check, claims)),
    }
}

/// A check of the claims alone: on a path without segments, no parameter has a value.
fn plain(check: &Check, claims: &Claims) -> Extent {
    let facts = Facts { claims, path: &SafePath::root(), now: UnixSeconds::EPOCH };
    if check.hold(&facts).is_ok() { Extent::Everywhere } else { Extent::nowhere() }
}

impl Extent {
    pub(super) fn nowhere() -> Self {
        Extent::Where(Vec::new())
    }

    fn or(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Extent::Where(mut one), Extent::Where(other)) => {
                one.extend(other);
                (one.len() <= MAX_BINDINGS).then_some(Extent::Where(one))
            }
            _ => Some(Extent::Everywhere),
        }
    }

    fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Extent::Everywhere, extent) | (extent, Extent::Everywhere) => Some(extent),
            (Extent::Where(one), Extent::Where(other)) => {
                let pairs = one.iter().flat_map(|left| other.iter().map(move |right| left.with(right)));
                let both: Vec<Binding> = pairs.flatten().collect();
                (both.len() <= MAX_BINDINGS).then_some(Extent::Where(both))
            }
        }
    }
}

impl Binding {
    /// Both at once; `None` where they want different values for one parameter.
    fn with(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        for (parameter, value) in &other.0 {
            match both.0.iter().find(|(known, _)| known == parameter) {
                Some((_, known)) if known != value => return None,
                Some(_) => {}
                None => both.0.push((parameter.clone(), value.clone())),
            }
        }
        Some(both)
    }
}

/// A policy that named more would pass 8 KB.
const MAX_BINDINGS: usize = 64;
