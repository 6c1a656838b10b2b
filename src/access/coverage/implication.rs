//! Which requirements follow from which: whether a token can satisfy one route and
//! miss another.
//!
//! A requirement only ever asks that something *is* there (a scope, a group, a claim's
//! value): it never holds for less and fails for more. So it is an "or" of terms, each
//! a set of facts, and it implies another exactly where every one of its terms, on its
//! own, satisfies the other.

use crate::access::requirement::{Check, ClaimValue, Requirement, equal};
use crate::access::route::Parameter;
use serde_json::Value;

/// Something that a token has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fact<'r> {
    Scope(&'r str),
    Group(&'r str),
    Claim(&'r str, &'r Value),
    /// The claim equals the path parameter.
    Bound(&'r str, &'r Parameter),
    Client(&'r str),
    Issuer(&'r str),
    TokenUse(&'r str),
}

/// Facts that together satisfy a requirement.
pub(super) type Term<'r> = Vec<Fact<'r>>;

/// A requirement as terms, one of which must hold; `None` where there would be more
/// than [`MAX_TERMS`], which is to be taken as "anything".
pub(super) fn terms(requirement: &Requirement) -> Option<Vec<Term<'_>>> {
    let mut all = vec![Vec::new()];
    for check in &requirement.checks {
        all = both(&all, &check_terms(check)?)?;
    }
    Some(all)
}

fn check_terms(check: &Check) -> Option<Vec<Term<'_>>> {
    fn each<'r, T>(list: &'r [T], fact: impl Fn(&'r T) -> Fact<'r>) -> Vec<Term<'r>> {
        list.iter().map(|item| vec![fact(item)]).collect()
    }
    Some(match check {
        Check::AnyScope(scopes) => each(scopes, |scope| Fact::Scope(scope)),
        Check::AnyGroup(groups) => each(groups, |group| Fact::Group(group)),
        Check::AllScopes(scopes) | Check::AllGroups(scopes) if scopes.is_empty() => Vec::new(),
        Check::AllScopes(scopes) => vec![scopes.iter().map(|scope| Fact::Scope(scope)).collect()],
        Check::AllGroups(groups) => vec![groups.iter().map(|group| Fact::Group(group)).collect()],
        Check::Claim { name, one_of } => each(one_of, |value| match value {
            ClaimValue::Literal(literal) => Fact::Claim(name, literal),
            ClaimValue::Parameter(parameter) => Fact::Bound(name, parameter),
        }),
        Check::ClientIds(ids) => each(ids, |id| Fact::Client(id)),
        Check::Issuers(issuers) => each(issuers, |issuer| Fact::Issuer(issuer)),
        Check::TokenUse(uses) => each(uses, |one| Fact::TokenUse(one)),
        // It depends on the time; such routes are answered for their own ARN alone.
        Check::MaxAuthAge(_) => Vec::new(),
        Check::Any(alternatives) => {
            let mut any = Vec::new();
            for alternative in alternatives {
                any.extend(terms(alternative)?);
            }
            (any.len() <= MAX_TERMS).then_some(any)?
        }
        Check::All(requirements) if requirements.is_empty() => Vec::new(),
        Check::All(requirements) => {
            let mut all = vec![Vec::new()];
            for requirement in requirements {
                all = both(&all, &terms(requirement)?)?;
            }
            all
        }
    })
}

/// One term of each side at once, without those that no token can have.
fn both<'r>(left: &[Term<'r>], right: &[Term<'r>]) -> Option<Vec<Term<'r>>> {
    let mut product = Vec::new();
    for one in left {
        for other in right {
            let mut term = one.clone();
            term.extend(other.iter().filter(|fact| !one.contains(fact)));
            if !is_contradictory(&term) {
                product.push(term);
            }
        }
    }
    (product.len() <= MAX_TERMS).then_some(product)
}

/// A token has one client, one issuer and one use.
fn is_contradictory(term: &[Fact<'_>]) -> bool {
    let two = |kind: fn(&Fact<'_>) -> bool| term.iter().filter(|fact| kind(fact)).count() > 1;
    two(|fact| matches!(fact, Fact::Client(_)))
        || two(|fact| matches!(fact, Fact::Issuer(_)))
        || two(|fact| matches!(fact, Fact::TokenUse(_)))
}

/// On which paths a requirement is to be satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paths {
    /// On all: a claim that is bound to a parameter satisfies nothing.
    All,
    /// On those that have the token's claims in the places of parameters.
    OfItsClaims,
}

/// Whether a token of which no more than `term` is known satisfies the requirement.
pub(super) fn satisfies(term: &[Fact<'_>], requirement: &Requirement, paths: Paths) -> bool {
    requirement.checks.iter().all(|check| satisfies_check(term, check, paths))
}

fn satisfies_check(term: &[Fact<'_>], check: &Check, paths: Paths) -> bool {
    let scope = |scope: &String| term.contains(&Fact::Scope(scope));
    let group = |group: &String| term.contains(&Fact::Group(group));
    match check {
        Check::AnyScope(scopes) => scopes.iter().any(scope),
        Check::AllScopes(scopes) => !scopes.is_empty() && scopes.iter().all(scope),
        Check::AnyGroup(groups) => groups.iter().any(group),
        Check::AllGroups(groups) => !groups.is_empty() && groups.iter().all(group),
        Check::Claim { name, one_of } => one_of.iter().any(|value| match value {
            ClaimValue::Literal(literal) => term
                .iter()
                .any(|fact| matches!(fact, Fact::Claim(known, value) if known == name && equal(value, literal))),
            ClaimValue::Parameter(_) => {
                paths == Paths::OfItsClaims
                    && term.iter().any(|fact| matches!(fact, Fact::Bound(known, _) if known == name))
            }
        }),
        Check::ClientIds(ids) => ids.iter().any(|id| term.contains(&Fact::Client(id))),
        Check::Issuers(issuers) => issuers.iter().any(|issuer| term.contains(&Fact::Issuer(issuer))),
        Check::TokenUse(uses) => uses.iter().any(|one| term.contains(&Fact::TokenUse(one))),
        Check::MaxAuthAge(_) => false,
        Check::Any(alternatives) => alternatives.iter().any(|alternative| satisfies(term, alternative, paths)),
        Check::All(requirements) => {
            !requirements.is_empty() && requirements.iter().all(|each| satisfies(term, each, paths))
        }
    }
}

const MAX_TERMS: usize = 256;
