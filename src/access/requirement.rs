//! What a route asks of a token. Absence never satisfies a check.

use super::observer::{Facts, Observer, Part, all, observed};
use super::path::SafePath;
use super::route::Parameter;
use super::source_ip::IpBlock;
use crate::denial::{Denial, Missed};
use crate::request::UnixSeconds;
use crate::token::{ClaimPath, Claims, CredentialKind};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Checks that must all hold; none at all means that any accepted token will do.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// In the order in which they are held against the claims.
    pub checks: Vec<Check>,
}

/// One thing asked of a token.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// One of these scopes.
    AnyScope(Vec<String>),
    /// All of these scopes.
    AllScopes(Vec<String>),
    /// One of these groups.
    AnyGroup(Vec<String>),
    /// All of these groups.
    AllGroups(Vec<String>),
    /// The claim equals, or as an array contains, one of the values.
    Claim {
        /// Where the token has it.
        path: ClaimPath,
        /// Never empty.
        one_of: Vec<ClaimValue>,
    },
    /// The token was issued to one of these clients.
    ClientIds(Vec<String>),
    /// The token was issued by one of these issuers.
    Issuers(Vec<String>),
    /// The token's `token_use` is one of these.
    TokenUse(Vec<String>),
    /// The credential is of one of these kinds.
    Credentials(Vec<CredentialKind>),
    /// The request comes from an address in one of these blocks.
    SourceIp(Vec<IpBlock>),
    /// The user authenticated no longer ago than this (RFC 9470).
    MaxAuthAge(Duration),
    /// One of these alternatives holds.
    Any(Vec<Requirement>),
    /// All of these hold.
    All(Vec<Requirement>),
}

/// What a claim is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimValue {
    /// A string, number or boolean, equal in type and value.
    Literal(Value),
    /// `{name}`: the value of that path parameter.
    Parameter(Parameter),
}

impl Requirement {
    /// A requirement that nobody meets.
    #[must_use]
    pub fn never() -> Self {
        Self { checks: vec![Check::Any(Vec::new())] }
    }

    /// Whether it asks for the time: then it holds now, and perhaps no more later.
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        self.has(&|check| matches!(check, Check::MaxAuthAge(_)))
    }

    /// Whether it asks for the request's address: then it holds for this request, and perhaps not for the next.
    #[must_use]
    pub fn depends_on_address(&self) -> bool {
        self.has(&|check| matches!(check, Check::SourceIp(_)))
    }

    /// Whether a claim must equal a path parameter.
    #[must_use]
    pub fn binds_path(&self) -> bool {
        let is_bound = |value: &ClaimValue| matches!(value, ClaimValue::Parameter(_));
        self.has(&|check| matches!(check, Check::Claim { one_of, .. } if one_of.iter().any(is_bound)))
    }

    /// Its checks, however deep, without the `any` and `all` that hold them.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Check> {
        self.checks.iter().flat_map(Check::leaves).collect()
    }

    /// The scopes that it speaks of.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<&str> {
        let mut scopes = BTreeSet::new();
        for check in self.leaves() {
            if let Check::AnyScope(named) | Check::AllScopes(named) = check {
                scopes.extend(named.iter().map(String::as_str));
            }
        }
        scopes
    }

    /// Whether one of its checks, however deep, is such a one.
    fn has(&self, is_such: &impl Fn(&Check) -> bool) -> bool {
        self.checks.iter().any(|check| {
            let (Check::Any(inner) | Check::All(inner)) = check else { return is_such(check) };
            inner.iter().any(|requirement| requirement.has(is_such))
        })
    }

    /// Holds every check against the facts.
    ///
    /// # Errors
    /// The denial of the first that does not hold.
    pub(super) fn hold<O: Observer>(&self, facts: &Facts<'_>, observer: &mut O) -> Result<(), Denial> {
        all(&self.checks, observer, |check, observer| check.hold(facts, observer))
    }

    /// The same, as a part of a check.
    fn hold_within<O: Observer>(&self, facts: &Facts<'_>, observer: &mut O) -> Result<(), Denial> {
        observed(observer, Part::Requirement(self), facts, |observer| self.hold(facts, observer))
    }
}

impl Check {
    fn leaves(&self) -> Vec<&Self> {
        match self {
            Check::Any(inner) | Check::All(inner) => inner.iter().flat_map(Requirement::leaves).collect(),
            Check::AnyScope(_)
            | Check::AllScopes(_)
            | Check::AnyGroup(_)
            | Check::AllGroups(_)
            | Check::Claim { .. }
            | Check::ClientIds(_)
            | Check::Issuers(_)
            | Check::TokenUse(_)
            | Check::Credentials(_)
            | Check::SourceIp(_)
            | Check::MaxAuthAge(_) => vec![self],
        }
    }

    /// Holds this one check against the facts.
    ///
    /// # Errors
    /// The denial that says what is missing.
    pub(super) fn hold<O: Observer>(&self, facts: &Facts<'_>, observer: &mut O) -> Result<(), Denial> {
        observed(observer, Part::Check(self), facts, |observer| self.judge(facts, observer))
    }

    fn judge<O: Observer>(&self, facts: &Facts<'_>, observer: &mut O) -> Result<(), Denial> {
        let claims = facts.claims;
        let scope = |scope: &String| claims.has_scope(scope);
        let group = |group: &String| claims.has_group(group);
        match self {
            Check::AnyScope(scopes) => ensure(scopes.iter().any(scope), || lacking_scope(scopes, claims)),
            Check::AllScopes(scopes) => ensure(holds_all(scopes, scope), || lacking_scope(scopes, claims)),
            Check::AnyGroup(groups) => ensure(groups.iter().any(group), || lacking_group(claims)),
            Check::AllGroups(groups) => ensure(holds_all(groups, group), || lacking_group(claims)),
            Check::Claim { path, one_of } => {
                let claim = claims.at(path);
                let is_held = one_of.iter().any(|value| value.is_held_by(claim, facts.path));
                ensure(is_held, || {
                    Denial::ClaimMismatch(missed(claim, |held| one_of.iter().any(|value| value.is_like(held))))
                })
            }
            Check::ClientIds(ids) => {
                let client = claims.client_id().and_then(Value::as_str);
                let detail = if client.is_some() {
                    "client_ids: another client"
                } else {
                    "client_ids: the token names no client"
                };
                ensure(is_one_of(ids, client), || Denial::ForbiddenFor(detail))
            }
            Check::Issuers(issuers) => {
                ensure(is_one_of(issuers, Some(claims.issuer())), || Denial::ForbiddenFor("issuers: another issuer"))
            }
            Check::TokenUse(uses) => {
                let token_use = claims.text("token_use");
                let detail =
                    if token_use.is_some() { "token_use: another value" } else { "token_use: the claim is missing" };
                ensure(is_one_of(uses, token_use), || Denial::ForbiddenFor(detail))
            }
            Check::Credentials(kinds) => {
                ensure(kinds.contains(&claims.credential()), || Denial::ForbiddenFor("credentials: another kind"))
            }
            Check::SourceIp(blocks) => {
                let detail = if facts.source_ip.is_some() {
                    "source_ip: another address"
                } else {
                    "source_ip: the event has no address"
                };
                let is_within = |address| blocks.iter().any(|block| block.contains(address));
                ensure(facts.source_ip.is_some_and(is_within), || Denial::ForbiddenFor(detail))
            }
            Check::MaxAuthAge(age) => {
                let recent = |authenticated: UnixSeconds| {
                    // A future date is doubt, not youth.
                    authenticated <= facts.now.plus(claims.leeway()) && authenticated.plus(*age) >= facts.now
                };
                ensure(claims.auth_time().is_some_and(recent), || Denial::AuthenticationTooOld)
            }
            Check::Any(alternatives) => hold_any(alternatives, facts, observer),
            // An empty list is no configuration, and would hold for everybody.
            Check::All(requirements) if requirements.is_empty() => Err(Denial::Forbidden),
            Check::All(requirements) => all(requirements, observer, |one, observer| one.hold_within(facts, observer)),
        }
    }
}

fn ensure(holds: bool, denial: impl FnOnce() -> Denial) -> Result<(), Denial> {
    if holds { Ok(()) } else { Err(denial()) }
}

/// All of a list that has at least one: "all of none" would hold for everybody.
fn holds_all(list: &[String], has: impl Fn(&String) -> bool) -> bool {
    !list.is_empty() && list.iter().all(has)
}

fn is_one_of(list: &[String], value: Option<&str>) -> bool {
    value.is_some_and(|value| list.iter().any(|one| one == value))
}

/// What there is in the place of what was asked for; `is_like` says whether a value has its type.
fn missed(claim: Option<&Value>, is_like: impl Fn(&Value) -> bool) -> Missed {
    let is_like = match claim {
        None | Some(Value::Null) => return Missed::Claim,
        Some(Value::Array(items)) => items.is_empty() || items.iter().any(is_like),
        Some(value) => is_like(value),
    };
    if is_like { Missed::Value } else { Missed::Type }
}

fn lacking_group(claims: &Claims) -> Denial {
    let missed = missed(claims.groups(), Value::is_string);
    // Entra ID's overage: more groups than the issuer puts into a token.
    let are_elsewhere = claims.get("_claim_names").is_some_and(|names| names.get("groups").is_some())
        || claims.get("hasgroups").is_some_and(|has| has == true || has == "true");
    let missed = if missed == Missed::Claim && are_elsewhere { Missed::Overage } else { missed };
    Denial::InsufficientGroup(missed)
}

fn lacking_scope(scopes: &[String], claims: &Claims) -> Denial {
    insufficient_scope(scopes, missed(claims.scope(), Value::is_string))
}

impl ClaimValue {
    /// Whether the claim has the type of this.
    fn is_like(&self, claim: &Value) -> bool {
        match self {
            ClaimValue::Literal(literal) => std::mem::discriminant(literal) == std::mem::discriminant(claim),
            ClaimValue::Parameter(_) => claim.is_string(),
        }
    }

    fn is_held_by(&self, claim: Option<&Value>, path: &SafePath<'_>) -> bool {
        let Some(claim) = claim else { return false };
        let is_equal = |claim: &Value| match self {
            ClaimValue::Literal(literal) => equal(claim, literal),
            ClaimValue::Parameter(parameter) => match (claim.as_str(), parameter.value(path)) {
                (Some(claim), Some(value)) => !claim.is_empty() && claim == value,
                _ => false,
            },
        };
        match claim.as_array() {
            Some(items) => items.iter().any(is_equal),
            None => is_equal(claim),
        }
    }
}

/// Equal in type and value; 1 and 1.0 are the same number.
pub(super) fn equal(claim: &Value, literal: &Value) -> bool {
    match (claim, literal) {
        (Value::Number(claim), Value::Number(literal)) => {
            // As floats, large neighbours are equal: beyond 2^53 only the same
            // spelling is the same number.
            let float =
                |number: &serde_json::Number| number.as_f64().filter(|float| float.abs() < 9_007_199_254_740_992.0);
            claim == literal || float(claim).is_some_and(|claim| Some(claim) == float(literal))
        }
        (Value::String(claim), Value::String(literal)) => claim == literal,
        (Value::Bool(claim), Value::Bool(literal)) => claim == literal,
        _ => false,
    }
}

fn hold_any<O: Observer>(alternatives: &[Requirement], facts: &Facts<'_>, observer: &mut O) -> Result<(), Denial> {
    let mut missed: Option<Denial> = None;
    let mut one_holds = false;
    for alternative in alternatives {
        match alternative.hold_within(facts, observer) {
            Ok(()) if !O::SEES_ALL => return Ok(()),
            Ok(()) => one_holds = true,
            Err(denial) => {
                missed = Some(match missed {
                    None => denial,
                    Some(earlier) => in_common(earlier, denial),
                });
            }
        }
    }
    if one_holds { Ok(()) } else { Err(missed.unwrap_or(Denial::Forbidden)) }
}

/// What two missed alternatives have in common: their reason, or just that it is forbidden.
fn in_common(one: Denial, other: Denial) -> Denial {
    match (one, other) {
        (Denial::InsufficientScope { needed: one, missed }, Denial::InsufficientScope { needed: other, .. }) => {
            let words = one.split(' ').map(str::to_owned);
            let more = other.split(' ').filter(|scope| !one.split(' ').any(|known| known == *scope)).map(str::to_owned);
            insufficient_scope(&words.chain(more).collect::<Vec<_>>(), missed)
        }
        (Denial::ForbiddenFor(one), Denial::ForbiddenFor(other)) if one != other => Denial::Forbidden,
        (one, other) if one.code() == other.code() => one,
        _ => Denial::Forbidden,
    }
}

fn insufficient_scope(scopes: &[String], missed: Missed) -> Denial {
    Denial::InsufficientScope { needed: scopes.join(" "), missed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{ISSUER, LEEWAY, all_of, at, bound, claim, claims, group, own, scope, texts};
    use serde_json::json;

    const NOW: f64 = 1_800_000_000.0;

    /// What a token with these claims lacks.
    fn lacks_at(path: &str, check: &Check, members: Value) -> Option<Denial> {
        lacks_from(None, path, check, members)
    }

    fn lacks_from(address: Option<&str>, path: &str, check: &Check, members: Value) -> Option<Denial> {
        let source_ip = address.map(|address| address.parse().unwrap());
        let facts = Facts { claims: &claims(members), path: &SafePath::parse(path).unwrap(), now: at(NOW), source_ip };
        check.hold(&facts, &mut ()).err()
    }

    fn lacks(check: &Check, members: Value) -> Option<Denial> {
        lacks_at("/", check, members)
    }

    fn needed_besides(scopes: &str) -> Option<Denial> {
        Some(Denial::InsufficientScope { needed: scopes.to_owned(), missed: Missed::Value })
    }

    fn aged(seconds: u64) -> Check {
        Check::MaxAuthAge(Duration::from_secs(seconds))
    }

    fn needed(scopes: &str) -> Option<Denial> {
        Some(Denial::InsufficientScope { needed: scopes.to_owned(), missed: Missed::Claim })
    }

    fn any(alternatives: &[Check]) -> Check {
        Check::Any(alternatives.iter().map(|check| all_of(std::slice::from_ref(check))).collect())
    }

    fn all(checks: &[Check]) -> Check {
        Check::All(checks.iter().map(|check| all_of(std::slice::from_ref(check))).collect())
    }

    #[test]
    fn one_of_a_list_or_all_of_it_and_none_of_nothing() {
        let [read, both, admin] =
            [json!({ "scope": "read" }), json!({ "scope": "read write" }), json!({ "groups": ["admin"] })];
        let scopes = || texts(&["read", "write"]);
        assert_eq!(lacks(&Check::AnyScope(scopes()), read.clone()), None);
        assert_eq!(lacks(&Check::AnyScope(scopes()), json!({})), needed("read write"));
        assert_eq!(lacks(&Check::AnyScope(Vec::new()), both.clone()), needed_besides(""));
        assert_eq!(lacks(&Check::AllScopes(scopes()), both.clone()), None);
        assert_eq!(lacks(&Check::AllScopes(scopes()), read), needed_besides("read write"));
        assert_eq!(lacks(&Check::AllScopes(Vec::new()), both), needed_besides(""));
        let groups = || texts(&["admin", "staff"]);
        assert_eq!(lacks(&Check::AnyGroup(groups()), admin.clone()), None);
        assert_eq!(lacks(&Check::AnyGroup(groups()), json!({})), Some(Denial::InsufficientGroup(Missed::Claim)));
        assert_eq!(lacks(&Check::AllGroups(groups()), json!({ "groups": ["staff", "admin"] })), None);
        assert_eq!(lacks(&Check::AllGroups(groups()), admin.clone()), Some(Denial::InsufficientGroup(Missed::Value)));
        assert_eq!(lacks(&Check::AllGroups(Vec::new()), admin), Some(Denial::InsufficientGroup(Missed::Value)));
    }

    #[test]
    fn client_issuer_and_use_are_one_of_those_named() {
        for (check, holds, misses) in [
            (Check::ClientIds(texts(&["a", "web"])), json!({ "client_id": "web" }), json!({ "client_id": "cli" })),
            (Check::TokenUse(texts(&["a", "access"])), json!({ "token_use": "access" }), json!({ "token_use": "id" })),
        ] {
            assert_eq!(lacks(&check, holds), None);
            let details = [misses, json!({})].map(|members| lacks(&check, members).unwrap());
            assert!(details.iter().all(|denial| matches!(denial, Denial::ForbiddenFor(_))), "{details:?}");
            assert_ne!(details[0], details[1]);
        }
        assert_eq!(lacks(&Check::Issuers(texts(&["https://a.example", ISSUER])), json!({})), None);
        let other = Check::Issuers(texts(&["https://a.example"]));
        assert_eq!(lacks(&other, json!({})), Some(Denial::ForbiddenFor("issuers: another issuer")));
    }

    #[test]
    fn a_credential_is_of_one_of_the_kinds() {
        // These claims were introspected.
        let kinds = |kinds: &[CredentialKind]| lacks(&Check::Credentials(kinds.to_vec()), json!({}));
        assert_eq!(kinds(&[CredentialKind::Jwt, CredentialKind::Opaque]), None);
        for others in [&[][..], &[CredentialKind::Jwt], &[CredentialKind::ApiKey, CredentialKind::Certificate]] {
            assert_eq!(kinds(others), Some(Denial::ForbiddenFor("credentials: another kind")), "{others:?}");
        }
    }

    #[test]
    fn a_request_comes_from_one_of_the_blocks_or_does_not_hold() {
        let blocks = ["192.0.2.0/24", "2001:db8::/32"].map(|block| IpBlock::parse(block).unwrap());
        let lacks = |address| lacks_from(address, "/", &Check::SourceIp(blocks.to_vec()), json!({}));
        for inside in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"] {
            assert_eq!(lacks(Some(inside)), None, "{inside}");
        }
        for outside in ["192.0.3.1", "2001:db9::1", "::1"] {
            assert_eq!(lacks(Some(outside)), Some(Denial::ForbiddenFor("source_ip: another address")), "{outside}");
        }
        assert_eq!(lacks(None), Some(Denial::ForbiddenFor("source_ip: the event has no address")));
        assert!(lacks_from(Some("192.0.2.1"), "/", &Check::SourceIp(Vec::new()), json!({})).is_some());
    }

    #[test]
    fn a_miss_says_whether_the_claim_is_missing_or_has_another_type_or_value() {
        use Missed::{Claim, Overage, Type, Value};
        let text = claim("c", &[json!("a"), json!("b")]);
        let number = claim("c", &[json!(1)]);
        for (check, members, missed) in [
            (&text, json!({}), Claim),
            (&text, json!({ "c": null }), Claim),
            (&text, json!({ "c": "x" }), Value),
            (&text, json!({ "c": [] }), Value),
            (&text, json!({ "c": [1, "x"] }), Value),
            (&text, json!({ "c": 7 }), Type),
            (&text, json!({ "c": [7] }), Type),
            (&text, json!({ "c": { "a": "a" } }), Type),
            (&number, json!({ "c": "1" }), Type),
            (&number, json!({ "c": 2 }), Value),
            (&own("GET /{id}", "id"), json!({ "sub": "x" }), Value),
        ] {
            assert_eq!(
                lacks_at("/a", check, members.clone()),
                Some(Denial::ClaimMismatch(missed)),
                "{check:?} {members}"
            );
        }
        for (members, missed) in [
            (json!({}), Claim),
            (json!({ "groups": "staff" }), Value),
            (json!({ "groups": [] }), Value),
            (json!({ "groups": 7 }), Type),
            (json!({ "groups": [{}] }), Type),
            (json!({ "_claim_names": { "groups": "src1" } }), Overage),
            (json!({ "_claim_names": { "roles": "src1" } }), Claim),
            (json!({ "_claim_names": "groups" }), Claim),
            (json!({ "hasgroups": true }), Overage),
            (json!({ "hasgroups": "true" }), Overage),
            (json!({ "hasgroups": false }), Claim),
            (json!({ "groups": ["staff"], "hasgroups": true }), Value),
        ] {
            let expected = Some(Denial::InsufficientGroup(missed));
            assert_eq!(lacks(&group("admin"), members.clone()), expected, "{members}");
        }
        for (members, missed) in
            [(json!({}), Claim), (json!({ "scope": "write" }), Value), (json!({ "scope": 7 }), Type)]
        {
            let expected = Some(Denial::InsufficientScope { needed: "read".into(), missed });
            assert_eq!(lacks(&scope("read"), members.clone()), expected, "{members}");
        }
    }

    #[test]
    fn who_signed_in_within_the_time_is_recent_and_nobody_else() {
        let is_recent = |auth_time: f64| lacks(&aged(60), json!({ "auth_time": auth_time })).is_none();
        let leeway = LEEWAY.as_secs_f64();
        assert!(is_recent(NOW) && is_recent(NOW - 60.0) && is_recent(NOW + leeway));
        assert!(!is_recent(NOW - 60.5) && !is_recent(NOW + leeway + 0.5));
        assert_eq!(lacks(&aged(60), json!({})), Some(Denial::AuthenticationTooOld));
    }

    #[test]
    fn a_claim_equals_a_literal_in_type_and_value_or_contains_it() {
        let equals =
            |held: Value, literal: Value| lacks(&claim("c", &[json!("-"), literal]), json!({ "c": held })).is_none();
        for (held, literal) in [
            (json!("a"), json!("a")),
            (json!(true), json!(true)),
            (json!(1), json!(1.0)),
            (json!(-1), json!(-1.0)),
            (json!(["b", "a"]), json!("a")),
            // The largest number of which a float knows all neighbours.
            (json!(9_007_199_254_740_991_u64), json!(9_007_199_254_740_991.0)),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_993_u64)),
        ] {
            assert!(equals(held.clone(), literal.clone()), "{held} {literal}");
        }
        for (held, literal) in [
            (json!("a"), json!("b")),
            (json!(true), json!(false)),
            (json!(1), json!(2)),
            (json!(1), json!("1")),
            (json!("true"), json!(true)),
            (json!([]), json!("a")),
            (json!([["a"]]), json!("a")),
            (json!(null), json!("a")),
            (json!(9_007_199_254_740_992_u64), json!(9_007_199_254_740_992.0)),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)),
            (json!(-9_007_199_254_740_993_i64), json!(-9_007_199_254_740_992_i64)),
        ] {
            assert!(!equals(held.clone(), literal.clone()), "{held} {literal}");
        }
        assert_eq!(lacks(&claim("c", &[json!("a")]), json!({})), Some(Denial::ClaimMismatch(Missed::Claim)));
    }

    #[test]
    fn a_claim_equals_a_parameter_where_both_are_there_and_not_empty() {
        let equals =
            |path: &str, id: Value| lacks_at(path, &bound("c", "GET /users/{id}", "id"), json!({ "c": id })).is_none();
        assert!(equals("/users/a", json!("a")) && equals("/users/a", json!(["b", "a"])));
        assert!(!equals("/users/a", json!("b")) && !equals("/users/7", json!(7)) && !equals("/users", json!("a")));
        let greedy = bound("c", "GET /{rest+}", "rest");
        assert_eq!(lacks_at("/a/b", &greedy, json!({ "c": "a/b" })), None);
        assert_eq!(lacks_at("/", &greedy, json!({ "c": "" })), Some(Denial::ClaimMismatch(Missed::Value)));
    }

    #[test]
    fn any_holds_where_one_does_and_all_where_each_does() {
        let both = json!({ "scope": "read", "groups": "admin" });
        for (check, members, expected) in [
            (any(&[scope("read"), group("admin")]), json!({ "groups": "admin" }), None),
            (any(&[scope("read"), group("admin")]), json!({}), Some(Denial::Forbidden)),
            (all(&[scope("read"), group("admin")]), both.clone(), None),
            (
                all(&[scope("read"), group("admin")]),
                json!({ "scope": "read" }),
                Some(Denial::InsufficientGroup(Missed::Claim)),
            ),
            (any(&[]), both.clone(), Some(Denial::Forbidden)),
            (all(&[]), both.clone(), Some(Denial::Forbidden)),
        ] {
            assert_eq!(lacks(&check, members), expected, "{check:?}");
        }
        let facts = Facts { claims: &claims(both), path: &SafePath::root(), now: at(NOW), source_ip: None };
        assert!(
            all_of(&[]).hold(&facts, &mut ()).is_ok()
                && all_of(&[scope("read"), group("admin")]).hold(&facts, &mut ()).is_ok()
        );
        assert!(all_of(&[scope("read"), scope("write")]).hold(&facts, &mut ()).is_err());
        assert!(Requirement::never().hold(&facts, &mut ()).is_err());
    }

    #[test]
    fn alternatives_that_are_all_missed_tell_what_they_have_in_common() {
        let scopes = |scopes: &[&str]| Check::AnyScope(texts(scopes));
        for (alternatives, expected) in [
            (vec![scopes(&["a", "b"]), scopes(&["b", "c"])], needed("a b c")),
            (vec![group("a"), group("b")], Some(Denial::InsufficientGroup(Missed::Claim))),
            (vec![group("a"), scopes(&["a"])], Some(Denial::Forbidden)),
            (vec![scopes(&["a"]), group("a")], Some(Denial::Forbidden)),
        ] {
            assert_eq!(lacks(&any(&alternatives), json!({})), expected, "{alternatives:?}");
        }
    }

    #[test]
    fn what_a_requirement_depends_on_is_found_however_deep() {
        let own = own("GET /users/{id}", "id");
        for (check, on_time, on_path) in [
            (scope("read"), false, false),
            (claim("tenant", &[json!("acme")]), false, false),
            (aged(60), true, false),
            (own.clone(), false, true),
            (any(&[scope("read"), all(&[aged(60)])]), true, false),
            (all(&[scope("read"), any(&[own])]), false, true),
            (any(&[scope("read")]), false, false),
        ] {
            let requirement = all_of(&[scope("write"), check]);
            let depends = (requirement.depends_on_time(), requirement.binds_path());
            assert_eq!(depends, (on_time, on_path), "{requirement:?}");
        }
        let empty = all_of(&[]);
        assert!(!empty.depends_on_time() && !empty.binds_path());
    }
}
