//! A requirement as alternatives, each a list of facts that are enough for it.
//!
//! A requirement asks only that things be there: who meets it goes on to meet it with more. So a rule lets in somebody
//! whom another refuses if and only if it does so for one of these lists with nothing beside it.

use cognito_authorizer::access::{Check, ClaimValue, IpBlock, Requirement};
use cognito_authorizer::token::{ClaimPath, CredentialKind};
use serde_json::Value;
use std::time::Duration;

/// Something that is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fact {
    Scope(String),
    Group(String),
    /// The claim is this value, or a list with it.
    Claim(ClaimPath, Value),
    /// The same, for the value of a path parameter.
    Bound(ClaimPath, String),
    Client(Vec<String>),
    Issuer(Vec<String>),
    TokenUse(Vec<String>),
    Credential(Vec<CredentialKind>),
    Address(Vec<IpBlock>),
    Age(Duration),
}

/// Facts that are enough.
pub(super) type Term = Vec<Fact>;

/// More alternatives than are looked at.
#[derive(Debug)]
pub(super) struct TooMany;

/// The alternatives, the shortest first.
///
/// # Errors
/// [`TooMany`].
pub(super) fn terms(requirement: &Requirement) -> Result<Vec<Term>, TooMany> {
    let mut terms = of_all(requirement.checks.iter().map(of_check))?;
    terms.sort_by_key(Vec::len);
    Ok(terms)
}

fn of_check(check: &Check) -> Result<Vec<Term>, TooMany> {
    let each = |facts: Vec<Fact>| Ok(facts.into_iter().map(|fact| vec![fact]).collect());
    let together = |facts: Vec<Fact>| Ok(if facts.is_empty() { Vec::new() } else { vec![facts] });
    match check {
        Check::AnyScope(names) => each(names.iter().cloned().map(Fact::Scope).collect()),
        Check::AllScopes(names) => together(names.iter().cloned().map(Fact::Scope).collect()),
        Check::AnyGroup(names) => each(names.iter().cloned().map(Fact::Group).collect()),
        Check::AllGroups(names) => together(names.iter().cloned().map(Fact::Group).collect()),
        Check::Claim { path, one_of } => each(
            one_of
                .iter()
                .map(|value| match value {
                    ClaimValue::Literal(value) => Fact::Claim(path.clone(), value.clone()),
                    ClaimValue::Parameter(parameter) => Fact::Bound(path.clone(), parameter.name.clone()),
                })
                .collect(),
        ),
        Check::ClientIds(ids) => each(vec![Fact::Client(ids.clone())]),
        Check::Issuers(names) => each(vec![Fact::Issuer(names.clone())]),
        Check::TokenUse(uses) => each(vec![Fact::TokenUse(uses.clone())]),
        Check::Credentials(kinds) => each(vec![Fact::Credential(kinds.clone())]),
        Check::SourceIp(blocks) => each(vec![Fact::Address(blocks.clone())]),
        Check::MaxAuthAge(age) => each(vec![Fact::Age(*age)]),
        Check::Any(alternatives) => {
            let mut found = Vec::new();
            for alternative in alternatives {
                found.extend(terms(alternative)?);
                check_count(found.len())?;
            }
            Ok(found)
        }
        Check::All(requirements) if requirements.is_empty() => Ok(Vec::new()),
        Check::All(requirements) => of_all(requirements.iter().map(terms)),
    }
}

/// One alternative of each, in every combination.
fn of_all(parts: impl Iterator<Item = Result<Vec<Term>, TooMany>>) -> Result<Vec<Term>, TooMany> {
    let mut terms: Vec<Term> = vec![Vec::new()];
    for part in parts {
        let part = part?;
        check_count(terms.len().saturating_mul(part.len()))?;
        let with = |term: &Term| {
            let facts = |more: &Term| {
                let mut facts = term.clone();
                facts.extend(more.iter().filter(|fact| !term.contains(fact)).cloned());
                facts
            };
            part.iter().map(facts).collect::<Vec<_>>()
        };
        terms = terms.iter().flat_map(with).collect();
    }
    Ok(terms)
}

fn check_count(count: usize) -> Result<(), TooMany> {
    if count > MAX_TERMS { Err(TooMany) } else { Ok(()) }
}

/// Every fact that a requirement speaks of.
pub(super) fn facts(requirement: &Requirement) -> Vec<Fact> {
    requirement.leaves().into_iter().flat_map(|check| of_check(check).into_iter().flatten().flatten()).collect()
}

const MAX_TERMS: usize = 10_000;
