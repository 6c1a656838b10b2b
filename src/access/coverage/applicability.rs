//! Where on its route a requirement holds for a token: everywhere, nowhere, or where
//! path parameters have the values of its claims.

use crate::access::observer::Facts;
use crate::access::path::SafePath;
use crate::access::requirement::{Check, ClaimValue, Requirement};
use crate::access::route::Parameter;
use crate::request::UnixSeconds;
use crate::token::Claims;
use serde_json::Value;

/// The paths of a route on which a token's claims satisfy its requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Applicability {
    /// All of them.
    Everywhere,
    /// Those that agree with one of these; none at all where there is none.
    Where(Vec<Binding>),
}

/// Values of path parameters, one each, by their place in the path.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Binding(pub(super) Vec<(Parameter, String)>);

/// The applicability of a requirement; `None` where it would be more than [`MAX_BINDINGS`]
/// bindings. What depends on the time holds nowhere.
pub(super) fn of(requirement: &Requirement, claims: &Claims) -> Option<Applicability> {
    all(requirement.checks.iter().map(|check| of_check(check, claims)))
}

/// Where all of them hold: nowhere where one holds nowhere, however many bindings others have.
fn all(branches: impl Iterator<Item = Option<Applicability>>) -> Option<Applicability> {
    let branches: Vec<_> = branches.collect();
    match branches.contains(&Some(Applicability::nowhere())) {
        true => Some(Applicability::nowhere()),
        false => branches.into_iter().try_fold(Applicability::Everywhere, |all, applicability| all.and(applicability?)),
    }
}

fn of_check(check: &Check, claims: &Claims) -> Option<Applicability> {
    match check {
        Check::Claim { path, one_of } => {
            let bound = one_of.iter().filter_map(|value| match value {
                ClaimValue::Parameter(parameter) => Some(parameter),
                ClaimValue::Literal(_) => None,
            });
            let texts: Vec<&str> = match claims.at(path) {
                Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
                claim => claim.and_then(Value::as_str).into_iter().collect(),
            };
            let bindings = bound.flat_map(|parameter| {
                let values = texts.iter().filter(|text| !text.is_empty());
                values.map(|text| Binding(vec![(parameter.clone(), (*text).to_owned())]))
            });
            plain(check, claims).or(Applicability::Where(bindings.take(MAX_BINDINGS + 1).collect()))
        }
        Check::Any(alternatives) => {
            let branches: Vec<_> = alternatives.iter().map(|alternative| of(alternative, claims)).collect();
            // Whoever may pass everywhere needs no bindings, however many there would be.
            match branches.contains(&Some(Applicability::Everywhere)) {
                true => Some(Applicability::Everywhere),
                false => {
                    branches.into_iter().try_fold(Applicability::nowhere(), |any, applicability| any.or(applicability?))
                }
            }
        }
        Check::All(requirements) if !requirements.is_empty() => {
            all(requirements.iter().map(|requirement| of(requirement, claims)))
        }
        Check::MaxAuthAge(_) | Check::SourceIp(_) => Some(Applicability::nowhere()),
        Check::AnyScope(_)
        | Check::AllScopes(_)
        | Check::AnyGroup(_)
        | Check::AllGroups(_)
        | Check::ClientIds(_)
        | Check::Issuers(_)
        | Check::TokenUse(_)
        | Check::Credentials(_)
        | Check::All(_) => Some(plain(check, claims)),
    }
}

/// A check of the claims alone: on a path without segments, no parameter has a value.
fn plain(check: &Check, claims: &Claims) -> Applicability {
    let facts = Facts { claims, path: &SafePath::root(), now: UnixSeconds::EPOCH, source_ip: None };
    if check.hold(&facts, &mut ()).is_ok() { Applicability::Everywhere } else { Applicability::nowhere() }
}

impl Applicability {
    pub(super) fn nowhere() -> Self {
        Applicability::Where(Vec::new())
    }

    fn or(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Applicability::Where(mut one), Applicability::Where(other)) => {
                one.extend(other);
                (one.len() <= MAX_BINDINGS).then_some(Applicability::Where(one))
            }
            _ => Some(Applicability::Everywhere),
        }
    }

    fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Applicability::Everywhere, applicability) | (applicability, Applicability::Everywhere) => {
                Some(applicability)
            }
            (Applicability::Where(one), Applicability::Where(other)) => {
                let pairs = one.iter().flat_map(|left| other.iter().map(move |right| left.with(right)));
                let both: Vec<Binding> = pairs.flatten().collect();
                (both.len() <= MAX_BINDINGS).then_some(Applicability::Where(both))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{all_of, bound, claim, claims, group, key, scope};
    use serde_json::json;
    use std::time::Duration;

    const ROUTE: &str = "GET /{x}/{y}";

    fn x(claim: &str) -> Check {
        bound(claim, ROUTE, "x")
    }

    fn y(claim: &str) -> Check {
        bound(claim, ROUTE, "y")
    }

    fn any(alternatives: &[Check]) -> Check {
        Check::Any(alternatives.iter().map(|check| all_of(std::slice::from_ref(check))).collect())
    }

    fn all(checks: &[Check]) -> Check {
        Check::All(checks.iter().map(|check| all_of(std::slice::from_ref(check))).collect())
    }

    fn applicability(checks: &[Check], members: Value) -> Option<Applicability> {
        of(&all_of(checks), &claims(members))
    }

    /// Bindings by the names of parameters.
    fn only(bindings: &[&[(&str, &str)]]) -> Option<Applicability> {
        let binding = |binding: &&[(&str, &str)]| {
            let parameters = key(ROUTE).parameters();
            let named = |name: &str| parameters.iter().find(|parameter| parameter.name == name).unwrap().clone();
            Binding(binding.iter().map(|(name, value)| (named(name), (*value).to_owned())).collect())
        };
        Some(Applicability::Where(bindings.iter().map(binding).collect()))
    }

    fn numbered(count: usize) -> Value {
        (0..count).map(|number| Value::String(number.to_string())).collect()
    }

    /// How many bindings there are; `None` where they are too many.
    fn count(checks: &[Check], members: Value) -> Option<usize> {
        applicability(checks, members).map(|applicability| match applicability {
            Applicability::Where(bindings) => bindings.len(),
            Applicability::Everywhere => panic!("everywhere"),
        })
    }

    #[test]
    fn what_asks_for_no_parameter_holds_everywhere_or_nowhere() {
        let everywhere = Some(Applicability::Everywhere);
        let nowhere = || Some(Applicability::nowhere());
        assert_eq!(applicability(&[], json!({})), everywhere);
        assert_eq!(applicability(&[scope("r"), group("a")], json!({ "scope": "r", "groups": "a" })), everywhere);
        assert_eq!(applicability(&[scope("r"), group("a")], json!({ "scope": "r" })), nowhere());
        assert_eq!(applicability(&[any(&[scope("r"), group("a")])], json!({ "scope": "r" })), everywhere);
        assert_eq!(applicability(&[any(&[scope("r"), group("a")])], json!({})), nowhere());
        assert_eq!(
            applicability(&[all(&[scope("r"), group("a")])], json!({ "scope": "r", "groups": "a" })),
            everywhere
        );
        assert_eq!(applicability(&[all(&[scope("r"), group("a")])], json!({ "groups": "a" })), nowhere());
        assert_eq!(applicability(&[all(&[])], json!({})), nowhere());
        assert_eq!(applicability(&[any(&[])], json!({})), nowhere());
        let aged = Check::MaxAuthAge(Duration::from_secs(60));
        assert_eq!(applicability(&[aged], json!({ "auth_time": 0 })), nowhere());
    }

    #[test]
    fn a_bound_claim_holds_where_the_parameter_has_its_value() {
        assert_eq!(applicability(&[x("sub")], json!({ "sub": "a" })), only(&[&[("x", "a")]]));
        assert_eq!(applicability(&[x("c")], json!({ "c": ["a", 7, "", "b"] })), only(&[&[("x", "a")], &[("x", "b")]]));
        for none in [json!(""), json!(7), json!([]), json!(null)] {
            assert_eq!(applicability(&[x("c")], json!({ "c": none })), only(&[]));
        }
        assert_eq!(applicability(&[x("c")], json!({})), only(&[]));
        let Check::Claim { path, mut one_of } = x("c") else { panic!() };
        let Check::Claim { one_of: literal, .. } = claim("c", &[json!("a")]) else { panic!() };
        one_of.extend(literal);
        let either = Check::Claim { path, one_of };
        assert_eq!(applicability(std::slice::from_ref(&either), json!({ "c": "a" })), Some(Applicability::Everywhere));
        assert_eq!(applicability(&[either], json!({ "c": "b" })), only(&[&[("x", "b")]]));
        // The empty rest of the root is no value.
        assert_eq!(applicability(&[bound("c", "GET /{rest+}", "rest")], json!({ "c": "" })), only(&[]));
    }

    #[test]
    fn checks_hold_together_where_each_does_and_alternatives_where_one_does() {
        let token = || json!({ "sub": "a", "tenant": "b", "scope": "r" });
        assert_eq!(applicability(&[x("sub"), scope("r")], token()), only(&[&[("x", "a")]]));
        assert_eq!(applicability(&[x("sub"), scope("w")], token()), only(&[]));
        assert_eq!(applicability(&[x("sub"), y("tenant")], token()), only(&[&[("x", "a"), ("y", "b")]]));
        assert_eq!(applicability(&[x("sub"), x("sub")], token()), only(&[&[("x", "a")]]));
        assert_eq!(applicability(&[x("sub"), x("tenant")], token()), only(&[]));
        assert_eq!(applicability(&[any(&[x("sub"), y("tenant")])], token()), only(&[&[("x", "a")], &[("y", "b")]]));
        assert_eq!(applicability(&[any(&[x("sub"), scope("r")])], token()), Some(Applicability::Everywhere));
        assert_eq!(applicability(&[any(&[scope("w"), x("sub")])], token()), only(&[&[("x", "a")]]));
        assert_eq!(applicability(&[all(&[x("sub"), y("tenant")])], token()), only(&[&[("x", "a"), ("y", "b")]]));
        // All of three agree, or none does.
        let three = |third: &str| {
            applicability(&[x("sub"), y("tenant"), y("third")], json!({ "sub": "a", "tenant": "b", "third": third }))
        };
        assert_eq!(three("b"), only(&[&[("x", "a"), ("y", "b")]]));
        assert_eq!(three("a"), only(&[]));
    }

    #[test]
    fn more_bindings_than_a_policy_takes_are_none() {
        assert_eq!(count(&[x("ids")], json!({ "ids": numbered(64) })), Some(64));
        assert_eq!(count(&[x("ids")], json!({ "ids": numbered(65) })), None);
        assert_eq!(count(&[x("ids")], json!({ "ids": numbered(90) })), None);
        let two = |ids, tenant| json!({ "ids": numbered(ids), "tenant": numbered(tenant) });
        assert_eq!(count(&[any(&[x("ids"), y("tenant")])], two(32, 32)), Some(64));
        assert_eq!(count(&[any(&[x("ids"), y("tenant")])], two(32, 33)), None);
        assert_eq!(count(&[x("ids"), y("tenant")], two(8, 8)), Some(64));
        assert_eq!(count(&[x("ids"), y("tenant")], two(5, 13)), None);
        assert_eq!(count(&[all(&[x("ids"), y("tenant")])], two(5, 13)), None);
        // Those that contradict each other are not counted.
        assert_eq!(count(&[x("ids"), x("tenant")], two(64, 10)), Some(10));
    }
}
