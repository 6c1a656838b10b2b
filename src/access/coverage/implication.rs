//! Which requirements follow from which: whether a token can satisfy one route and
//! miss another.
//!
//! A requirement only ever asks that something *is* there (a scope, a group, a claim's
//! value): it never holds for less and fails for more. So it is an "or" of terms, each
//! a set of facts, and it implies another exactly where every one of its terms, on its
//! own, satisfies the other.

use crate::access::requirement::{Check, ClaimValue, Requirement, equal};
use crate::access::route::Parameter;
use crate::token::{ClaimPath, CredentialKind};
use serde_json::Value;

/// Something that a token has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fact<'r> {
    Scope(&'r str),
    Group(&'r str),
    Claim(&'r ClaimPath, &'r Value),
    /// The claim equals the path parameter.
    Bound(&'r ClaimPath, &'r Parameter),
    Client(&'r str),
    Issuer(&'r str),
    TokenUse(&'r str),
    Credential(CredentialKind),
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
        Check::Claim { path, one_of } => each(one_of, |value| match value {
            ClaimValue::Literal(literal) => Fact::Claim(path, literal),
            ClaimValue::Parameter(parameter) => Fact::Bound(path, parameter),
        }),
        Check::ClientIds(ids) => each(ids, |id| Fact::Client(id)),
        Check::Issuers(issuers) => each(issuers, |issuer| Fact::Issuer(issuer)),
        Check::TokenUse(uses) => each(uses, |one| Fact::TokenUse(one)),
        Check::Credentials(kinds) => kinds.iter().map(|kind| vec![Fact::Credential(*kind)]).collect(),
        // Such routes are answered for their own ARN alone.
        Check::MaxAuthAge(_) | Check::SourceIp(_) => Vec::new(),
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

/// A token has one client, one issuer, one use and one kind.
fn is_contradictory(term: &[Fact<'_>]) -> bool {
    let two = |kind: fn(&Fact<'_>) -> bool| term.iter().filter(|fact| kind(fact)).count() > 1;
    two(|fact| matches!(fact, Fact::Client(_)))
        || two(|fact| matches!(fact, Fact::Issuer(_)))
        || two(|fact| matches!(fact, Fact::TokenUse(_)))
        || two(|fact| matches!(fact, Fact::Credential(_)))
}

/// On which paths a requirement is to be satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paths {
    /// On all: a claim that is bound to a parameter satisfies nothing.
    All,
    /// On those that have the token's claims in the places of parameters.
    OfItsClaims,
    /// On the one path on which the token has the facts.
    Same,
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
        Check::Claim { path, one_of } => one_of.iter().any(|value| match value {
            ClaimValue::Literal(literal) => term
                .iter()
                .any(|fact| matches!(fact, Fact::Claim(known, value) if *known == path && equal(value, literal))),
            ClaimValue::Parameter(parameter) => term.iter().any(|fact| match (fact, paths) {
                (Fact::Bound(known, _), Paths::OfItsClaims) => *known == path,
                (Fact::Bound(known, bound), Paths::Same) => *known == path && bound.is_in_the_place_of(parameter),
                _ => false,
            }),
        }),
        Check::ClientIds(ids) => ids.iter().any(|id| term.contains(&Fact::Client(id))),
        Check::Issuers(issuers) => issuers.iter().any(|issuer| term.contains(&Fact::Issuer(issuer))),
        Check::TokenUse(uses) => uses.iter().any(|one| term.contains(&Fact::TokenUse(one))),
        Check::Credentials(kinds) => kinds.iter().any(|kind| term.contains(&Fact::Credential(*kind))),
        Check::MaxAuthAge(_) | Check::SourceIp(_) => false,
        Check::Any(alternatives) => alternatives.iter().any(|alternative| satisfies(term, alternative, paths)),
        Check::All(requirements) => {
            !requirements.is_empty() && requirements.iter().all(|each| satisfies(term, each, paths))
        }
    }
}

/// Whether each token that satisfies the one satisfies the other.
pub(super) fn implies(one: &Requirement, other: &Requirement, paths: Paths) -> bool {
    terms(one).is_some_and(|terms| terms.iter().all(|term| satisfies(term, other, paths)))
}

const MAX_TERMS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{all_of, claim, group, own, scope, texts};
    use serde_json::json;
    use std::time::Duration;

    fn any(alternatives: &[Check]) -> Check {
        Check::Any(alternatives.iter().map(|check| all_of(std::slice::from_ref(check))).collect())
    }

    fn all(checks: &[Check]) -> Check {
        Check::All(checks.iter().map(|check| all_of(std::slice::from_ref(check))).collect())
    }

    fn implies(one: &[Check], other: &[Check], paths: Paths) -> bool {
        super::implies(&all_of(one), &all_of(other), paths)
    }

    #[track_caller]
    fn check(one: &[Check], other: &[Check], expected: bool) {
        assert_eq!(implies(one, other, Paths::All), expected, "{one:?} {other:?}");
    }

    #[test]
    fn a_requirement_implies_what_each_of_its_ways_satisfies() {
        let own = || own("GET /{id}", "id");
        let clients = |ids: &[&str]| Check::ClientIds(texts(ids));
        let issuers = |issuers: &[&str]| Check::Issuers(texts(issuers));
        let uses = |uses: &[&str]| Check::TokenUse(texts(uses));
        let scopes = |scopes: &[&str]| Check::AnyScope(texts(scopes));
        let all_scopes = |scopes: &[&str]| Check::AllScopes(texts(scopes));
        let groups = |groups: &[&str]| Check::AnyGroup(texts(groups));
        let all_groups = |groups: &[&str]| Check::AllGroups(texts(groups));
        let is = |value| claim("tenant", &[value]);
        for (one, other, expected) in [
            (scope("a"), scopes(&["a", "b"]), true),
            (scopes(&["a", "b"]), scope("a"), false),
            (all_scopes(&["a", "b"]), scope("b"), true),
            (all_scopes(&["a", "b"]), all_scopes(&["b"]), true),
            (all_scopes(&["a"]), all_scopes(&["a", "b"]), false),
            (group("a"), scope("a"), false),
            (scope("a"), group("a"), false),
            (group("a"), groups(&["b", "a"]), true),
            (groups(&["a", "b"]), group("a"), false),
            (all_groups(&["a", "b"]), group("a"), true),
            (all_groups(&["a", "b"]), all_groups(&["a"]), true),
            (all_groups(&["a"]), all_groups(&["a", "b"]), false),
            (is(json!(1)), is(json!(1.0)), true),
            (is(json!(1)), is(json!("1")), false),
            (is(json!("a")), claim("other", &[json!("a")]), false),
            (is(json!("a")), claim("tenant", &[json!("b"), json!("a")]), true),
            (clients(&["a"]), clients(&["b", "a"]), true),
            (clients(&["a", "b"]), clients(&["a"]), false),
            (issuers(&["a"]), issuers(&["a", "b"]), true),
            (issuers(&["a", "b"]), issuers(&["a"]), false),
            (uses(&["id"]), uses(&["access", "id"]), true),
            (uses(&["id"]), uses(&["access"]), false),
            (any(&[scope("a"), scope("b")]), scopes(&["a", "b"]), true),
            (any(&[scope("a"), group("b")]), scopes(&["a", "b"]), false),
            (scope("a"), any(&[group("a"), scope("a")]), true),
            (scope("a"), any(&[group("a"), scope("b")]), false),
            (all(&[scope("a"), group("b")]), group("b"), true),
            (all(&[scope("a"), group("b")]), scope("b"), false),
            (scope("a"), all(&[scope("a"), group("b")]), false),
            (all_scopes(&["a", "b"]), all(&[scope("a"), scope("b")]), true),
            // What holds for nobody implies all, and is implied by nothing that somebody may have.
            (all_scopes(&[]), scope("a"), true),
            (all_groups(&[]), scope("a"), true),
            (all(&[]), scope("a"), true),
            (any(&[]), scope("a"), true),
            (scope("a"), all_scopes(&[]), false),
            (scope("a"), all_groups(&[]), false),
            (scope("a"), all(&[]), false),
            (scope("a"), any(&[]), false),
            (Check::MaxAuthAge(Duration::from_secs(1)), scope("a"), true),
            (scope("a"), Check::MaxAuthAge(Duration::from_secs(1)), false),
            (own(), scope("a"), false),
            (scope("a"), own(), false),
        ] {
            check(&[one], &[other], expected);
        }
        check(&[scope("a"), group("b")], &[group("b")], true);
        check(&[scope("a")], &[scope("a"), group("b")], false);
        check(&[], &[scope("a")], false);
        check(&[scope("a")], &[], true);
        check(&[], &[], true);
    }

    #[test]
    fn a_token_has_one_client_one_issuer_and_one_use_and_many_of_the_rest() {
        for (two, is_possible) in [
            ([Check::ClientIds(texts(&["a"])), Check::ClientIds(texts(&["b"]))], false),
            ([Check::Issuers(texts(&["a"])), Check::Issuers(texts(&["b"]))], false),
            ([Check::TokenUse(texts(&["a"])), Check::TokenUse(texts(&["b"]))], false),
            ([Check::ClientIds(texts(&["a"])), Check::ClientIds(texts(&["a"]))], true),
            ([Check::ClientIds(texts(&["a"])), Check::Issuers(texts(&["a"]))], true),
            ([Check::Issuers(texts(&["a"])), Check::TokenUse(texts(&["a"]))], true),
            ([scope("a"), scope("b")], true),
            ([group("a"), group("b")], true),
        ] {
            assert_eq!(terms(&all_of(&two)).unwrap().len(), usize::from(is_possible), "{two:?}");
        }
    }

    #[test]
    fn a_bound_claim_is_satisfied_on_the_paths_of_the_token_s_claims_alone() {
        let [by_id, by_name] = [own("GET /{id}", "id"), own("GET /{x}/{name}", "name")];
        let other = crate::access::examples::bound("tenant", "GET /{id}", "id");
        let on =
            |one: &Check, other: &Check, paths| implies(std::slice::from_ref(one), std::slice::from_ref(other), paths);
        assert!(!on(&by_id, &by_id, Paths::All) && !on(&by_id, &by_name, Paths::All));
        assert!(on(&by_id, &by_id, Paths::OfItsClaims) && on(&by_id, &by_name, Paths::OfItsClaims));
        assert!(!on(&by_id, &other, Paths::OfItsClaims) && !on(&scope("a"), &by_id, Paths::OfItsClaims));
    }

    #[test]
    fn a_requirement_of_too_many_ways_has_none_that_are_known() {
        let scopes = |count: usize| Check::AnyScope((0..count).map(|number| format!("s{number}")).collect());
        let groups = |count: usize| Check::AnyGroup((0..count).map(|number| format!("g{number}")).collect());
        let count = |checks: &[Check]| terms(&all_of(checks)).map(|terms| terms.len());
        assert_eq!(count(&[scopes(256)]), Some(256));
        assert_eq!(count(&[scopes(257)]), None);
        assert_eq!(count(&[scopes(16), groups(16)]), Some(256));
        assert_eq!(count(&[scopes(16), groups(17)]), None);
        assert_eq!(count(&[any(&[scopes(128), groups(128)])]), Some(256));
        assert_eq!(count(&[any(&[scopes(128), groups(129)])]), None);
        // However many there are, none of a token with two clients counts.
        let client = |id: &str| Check::ClientIds(texts(&[id]));
        let too_many = any(&[scopes(128), groups(129)]);
        assert_eq!(count(&[all(&[client("a"), client("b")]), too_many]), None);
    }
}
