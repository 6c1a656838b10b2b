//! Claims and tables for the tests of this layer.

use super::requirement::{Check, ClaimValue, Requirement};
use super::route::{LetterCase, RouteKey};
use super::rules::{Rule, Rules};
use crate::request::{Request, UnixSeconds};
use crate::token::{
    AlgorithmSet, Audience, ClaimNames, ClaimPath, Claims, ClientIds, Expectations, Introspection, IssuerKind,
    MappedList,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) const ISSUER: &str = "https://issuer.example";

pub(super) const LEEWAY: Duration = Duration::from_secs(5);

pub(super) fn at(seconds: f64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

/// A good token with these claims.
pub(super) fn claims(members: Value) -> Arc<Claims> {
    let mut answer = json!({ "active": true, "aud": "api", "exp": 9e9 });
    answer.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let Some(Introspection::Active(token)) = Introspection::parse(answer.to_string().as_bytes()) else { panic!() };
    let expectations = Expectations {
        issuer: ISSUER.into(),
        tenants: None,
        kind: IssuerKind::Oidc,
        algorithms: AlgorithmSet::of(&[]),
        client_ids: ClientIds::Unchecked,
        audience: Audience::OneOf(vec!["api".to_owned()]),
        typ: None,
        claim_names: ClaimNames {
            groups: Some(MappedList { path: ClaimPath::member("groups"), form: None }),
            ..ClaimNames::default()
        },
        dpop: None,
        leeway: LEEWAY,
    };
    Arc::new(token.into_claims(&Arc::new(expectations), UnixSeconds::EPOCH, &crate::token::Sender::default()).unwrap())
}

pub(super) fn key(key: &str) -> RouteKey {
    RouteKey::parse(key).unwrap()
}

pub(super) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn scope(scope: &str) -> Check {
    Check::AnyScope(texts(&[scope]))
}

pub(super) fn group(group: &str) -> Check {
    Check::AnyGroup(texts(&[group]))
}

pub(super) fn claim(name: &str, one_of: &[Value]) -> Check {
    Check::Claim {
        path: ClaimPath::parse(name).unwrap(),
        one_of: one_of.iter().cloned().map(ClaimValue::Literal).collect(),
    }
}

/// `sub` is the value of that parameter of the key.
pub(super) fn own(route: &str, parameter: &str) -> Check {
    bound("sub", route, parameter)
}

pub(super) fn bound(name: &str, route: &str, parameter: &str) -> Check {
    let parameter = key(route).parameters().into_iter().find(|known| known.name == parameter).unwrap();
    Check::Claim { path: ClaimPath::parse(name).unwrap(), one_of: vec![ClaimValue::Parameter(parameter)] }
}

pub(super) fn all_of(checks: &[Check]) -> Requirement {
    Requirement { checks: checks.to_vec() }
}

pub(super) fn rule(route: &str, checks: &[Check]) -> Rule {
    Rule { key: route.into(), requirement: all_of(checks), cedar: None, introspect: false, report_only: false }
}

pub(super) fn table(case: LetterCase, rules: impl IntoIterator<Item = Rule>) -> Rules {
    let mut table = Rules::new(case);
    for rule in rules {
        table.insert(key(&rule.key), rule).unwrap();
    }
    table
}

pub(super) fn request<'a>(method: &'a str, path: &'a str) -> Request<'a> {
    Request::new(method, path, Vec::new())
}
