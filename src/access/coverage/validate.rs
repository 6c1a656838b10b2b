//! What can be said of a table before any token has come: whether every token's policy
//! is right on every route, and what such policies allow beyond the table.

use super::implication::{Fact, Paths, implies, satisfies, terms};
use super::partition::{Partition, TooDeep};
use super::plan::{Bound, Flaw, Holding, Plan};
use super::precedence::{TwoReadings, two_readings};
use super::resources::{MAX_POLICY_BYTES, PREFIX_CHARACTERS, Resources};
use super::symbols;
use super::{Coverage, RouteOfTable, place_of};
use crate::access::requirement::Requirement;
use crate::access::route::LetterCase;
use crate::token::ClaimPath;
use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;

/// Why a table cannot be written as IAM policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inexpressible {
    /// No statement denies one route's requests and lets another's pass.
    Conflict {
        /// The key of the route that some tokens may not use.
        denied: String,
        /// The key of the route that the same tokens may use; the same key where a claim
        /// is bound to a path parameter.
        allowed: String,
        /// A request of the first.
        example: String,
        /// Whether `implicit_deny` would do.
        silence_would_do: bool,
    },
    /// A policy would be too large.
    TooLarge {
        /// How many Resources it would have.
        resources: usize,
        /// How many bytes it would have.
        bytes: usize,
    },
    /// IAM tells letters apart by case.
    LetterCase,
    /// API Gateway runs, or may run, another route than the one whose rule the policy is made of, and a token may
    /// satisfy that rule and miss the other.
    RunsAnotherRoute(TwoReadings),
    /// A route with too many segments.
    TooDeep {
        /// Its key.
        route: String,
    },
}

/// A request that no route of the table owns, and that cached policies cannot but allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverAllow {
    /// The key of the route whose Resource reaches too far.
    pub route: String,
    /// Such a request.
    pub example: String,
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { denied, allowed, example, silence_would_do: true } if denied == allowed => write!(
                f,
                "`{denied}` binds a claim to a path parameter: what it denies (`{example}`) can only be left out of a \
                 policy, which a resource policy that allows would turn into a pass. Set `policy.implicit_deny: true` \
                 if the API has no such resource policy, or use `covers: request`"
            ),
            Self::Conflict { denied, allowed, example, silence_would_do: true } => write!(
                f,
                "a token that may use `{allowed}` and not `{denied}` can only be kept from the latter (`{example}`) by \
                 silence: an explicit Deny would cover the former too, since IAM's `*` crosses `/`, and a resource policy \
                 that allows would turn silence into a pass. Set `policy.implicit_deny: true` if the API has no such \
                 resource policy, ask of `{allowed}` all that `{denied}` asks, or use `covers: request`"
            ),
            Self::Conflict { denied, allowed, example, silence_would_do: false } if denied == allowed => write!(
                f,
                "no IAM policy allows what a token may use of `{denied}` and keeps the rest of it out (`{example}`): IAM's \
                 `*` crosses `/`. Bind the claim to a parameter that is one segment, or use `covers: request`"
            ),
            Self::Conflict { denied, allowed, example, silence_would_do: false } => write!(
                f,
                "no IAM policy allows all of `{allowed}` and keeps `{denied}` out (`{example}`): IAM's `*` crosses `/`. \
                 Ask of `{allowed}` all that `{denied}` asks, give one of them another path, or use `covers: request`"
            ),
            Self::TooLarge { resources, bytes } => write!(
                f,
                "a token's policy would have {resources} Resources of {bytes} bytes in all, with {PREFIX_CHARACTERS} of each \
                 for the ARN before the method; API Gateway takes {MAX_POLICY_BYTES} beside the context. Use `{{name+}}` \
                 routes in the place of many, or named methods in the place of ANY (which is seven), or `covers: request`"
            ),
            Self::LetterCase => f.write_str(
                "with `case_insensitive_paths` no policy is right on every path, since IAM tells upper case from lower: \
                 use `covers: request`",
            ),
            Self::RunsAnotherRoute(readings) => {
                let TwoReadings { by_table, by_gateway, .. } = readings;
                write!(
                    f,
                    "{readings}: a cached policy would allow it to a token that may use `{by_table}` and not \
                     `{by_gateway}`. Add a route for such paths to the table and to the API, ask of `{by_table}` all that \
                     `{by_gateway}` asks, or use `covers: request`"
                )
            }
            Self::TooDeep { route } => write!(f, "`{route}` has too many segments for `covers: token`: at most 62"),
        }
    }
}

impl fmt::Display for OverAllow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cached policies that allow `{}` also allow `{}`, which no route of the table owns: the table must name \
             every route of the API",
            self.route, self.example
        )
    }
}

/// The pairs of rules of which API Gateway may run the second one's route where policies allow by the first, and a
/// token may satisfy the first and miss the second.
pub(in crate::access) fn run_elsewhere(table: &[RouteOfTable<'_>]) -> Vec<Inexpressible> {
    let may_miss = |picked: usize, other: usize| match (table.get(picked), table.get(other)) {
        // Policies allow nothing of a route that is answered for its own ARN alone.
        (Some(picked), Some(other)) => {
            !picked.answers_for_itself
                && (other.answers_for_itself || !implies(picked.requirement, other.requirement, Paths::Same))
        }
        _ => true,
    };
    let keys: Vec<_> = table.iter().map(|route| route.route).collect();
    // What is too deep to compare is refused by itself.
    let found = two_readings(&keys, LetterCase::Distinguished, may_miss).unwrap_or_default().into_iter();
    let key = |position: usize| table.get(position).map_or_else(String::new, |route| route.key.to_owned());
    let told = found.map(|(by_table, by_gateway, example, is_documented)| {
        let (by_table, by_gateway) = (key(by_table), key(by_gateway));
        Inexpressible::RunsAnotherRoute(TwoReadings { by_table, by_gateway, example, is_documented })
    });
    told.collect()
}

impl Coverage {
    /// Prepares the table, and finds out whether its policies are right for every token.
    ///
    /// # Errors
    /// All [`Inexpressible`] that were found, a pair of routes once.
    pub(in crate::access) fn new(
        table: &[RouteOfTable<'_>],
        implicit_deny: bool,
    ) -> Result<(Self, Vec<OverAllow>), Vec<Inexpressible>> {
        let keys: Vec<_> = table.iter().map(|route| route.route).collect();
        let key = |rule: usize| table.get(rule).map_or_else(String::new, |route| route.key.to_owned());
        let partition =
            Partition::new(&keys).map_err(|TooDeep(rule)| vec![Inexpressible::TooDeep { route: key(rule) }])?;
        let (classes, requirements) = classes(table);
        let coverage = Self { partition, classes, requirements, implicit_deny, compiled: Mutex::new(HashMap::new()) };
        let mut faults = Vec::new();
        let over_allow = coverage.plan(&coverage.most(None, Paths::All)).over_allow();
        let over_allow =
            over_allow.map(|flaw| OverAllow { route: key(flaw.allowed), example: coverage.example(&flaw) });
        // The routes that are answered for their own ARN alone are missed by who has everything.
        let every = coverage.requirements.iter().enumerate().map(|(class, missed)| (Some(class), Some(missed)));
        for (class, missed, paths) in [(None, None)].into_iter().chain(every).flat_map(worst) {
            let plan = coverage.plan(&coverage.most(missed, paths));
            let of_class = |rule: usize| coverage.classes.get(rule) == Some(&class);
            let of_silence = plan.flaw(of_class, true);
            let silence_would_do = of_silence.is_none();
            if let Some(flaw) = of_silence.or_else(|| plan.flaw(of_class, implicit_deny)) {
                let fault = coverage.conflict(&flaw, key, silence_would_do);
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            } else if faults.is_empty() {
                faults.extend(coverage.too_large(plan, key));
            }
        }
        // Who has nothing is denied most.
        if faults.is_empty() {
            faults.extend(coverage.too_large(coverage.plan(&coverage.least()), key));
        }
        match faults.is_empty() {
            true => Ok((coverage, over_allow.into_iter().collect())),
            false => Err(faults),
        }
    }

    pub(super) fn plan(&self, held: &[Holding]) -> Plan<'_> {
        Plan::new(&self.partition, &self.of_rules(held))
    }

    /// The most that a token can hold: all that it can have, or, where it is to miss a
    /// requirement, all that does not imply that.
    pub(super) fn most(&self, missed: Option<&Requirement>, paths: Paths) -> Vec<Holding> {
        // Equal claims have equal values.
        let mut claims: Vec<&ClaimPath> = Vec::new();
        self.requirements.iter().map(|requirement| most_of(requirement, missed, paths, &mut claims)).collect()
    }

    /// The least that a token can hold: what asks for nothing.
    fn least(&self) -> Vec<Holding> {
        let asks_for_nothing = |requirement: &Requirement| {
            terms(requirement).is_some_and(|terms| terms.iter().any(|term| term.is_empty()))
        };
        let holding = |requirement| match asks_for_nothing(requirement) {
            true => Holding::Everywhere,
            false => Holding::Where(Vec::new()),
        };
        self.requirements.iter().map(holding).collect()
    }

    fn example(&self, flaw: &Flaw) -> String {
        self.partition.symbols.example(flaw.method, &flaw.segments)
    }

    fn conflict(&self, flaw: &Flaw, key: impl Fn(usize) -> String, silence_would_do: bool) -> Inexpressible {
        Inexpressible::Conflict {
            denied: key(flaw.denied.unwrap_or(flaw.allowed)),
            allowed: key(flaw.allowed),
            example: self.example(flaw),
            silence_would_do,
        }
    }

    /// Why there is no room for a plan, or what is denied for want of room.
    fn too_large(&self, mut plan: Plan<'_>, key: impl Fn(usize) -> String) -> Option<Inexpressible> {
        plan.compact();
        let resources = Resources::new(&self.partition, &plan);
        let bytes = resources.planned_bytes();
        let count = resources.allow.len() + resources.deny.len();
        let too_large = (bytes > MAX_POLICY_BYTES).then_some(Inexpressible::TooLarge { resources: count, bytes });
        too_large.or_else(|| Some(self.conflict(resources.in_the_way.as_ref()?, key, false)))
    }
}

/// The ways to miss a requirement. Where it binds a claim to a path, a token misses it on
/// other users' paths, or also on its own.
fn worst(
    (class, missed): (Option<usize>, Option<&Requirement>),
) -> impl Iterator<Item = (Option<usize>, Option<&Requirement>, Paths)> {
    let on_its_own = missed.is_some_and(Requirement::binds_path).then_some(Paths::OfItsClaims);
    [Paths::All].into_iter().chain(on_its_own).map(move |paths| (class, missed, paths))
}

/// The most that a token can hold of one requirement while it misses another.
fn most_of<'r>(
    requirement: &'r Requirement,
    missed: Option<&Requirement>,
    paths: Paths,
    claims: &mut Vec<&'r ClaimPath>,
) -> Holding {
    let Some(terms) = terms(requirement) else { return Holding::Everywhere };
    let mut bounds = Vec::new();
    for term in terms.iter().filter(|term| missed.is_none_or(|missed| !satisfies(term, missed, paths))) {
        let mut bound: Bound = Vec::new();
        for fact in term {
            if let Fact::Bound(claim, parameter) = fact {
                bound.push((parameter.index(), vec![symbols::value(place_of(claim, claims))]));
            }
        }
        if bound.is_empty() {
            return Holding::Everywhere;
        }
        bounds.push(bound);
    }
    Holding::Where(bounds)
}

/// Each requirement once, and by rule which it is.
fn classes(table: &[RouteOfTable<'_>]) -> (Vec<Option<usize>>, Vec<Requirement>) {
    let mut requirements: Vec<Requirement> = Vec::new();
    let class = |route: &RouteOfTable<'_>| {
        if route.answers_for_itself {
            return None;
        }
        Some(place_of(route.requirement, &mut requirements))
    };
    let classes = table.iter().map(class).collect();
    (classes, requirements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{group, own, rule, scope, table};
    use crate::access::requirement::Check;
    use crate::access::route::LetterCase;
    use crate::access::rules::Rule;
    use std::time::Duration;

    fn could_cover(rules: Vec<Rule>, implicit_deny: bool) -> Result<Vec<OverAllow>, Vec<Inexpressible>> {
        table(LetterCase::Distinguished, rules).could_cover(implicit_deny)
    }

    /// Denied, allowed and an example, for each conflict; whether silence would do for all of them.
    #[track_caller]
    fn refused(rules: Vec<Rule>, implicit_deny: bool, expected: &[(&str, &str, &str)], silence: bool) {
        let conflict = |(denied, allowed, example): &(&str, &str, &str)| Inexpressible::Conflict {
            denied: (*denied).to_owned(),
            allowed: (*allowed).to_owned(),
            example: (*example).to_owned(),
            silence_would_do: silence,
        };
        let mut found = could_cover(rules, implicit_deny).unwrap_err();
        found.retain(|fault| !matches!(fault, Inexpressible::RunsAnotherRoute(_)));
        assert_eq!(found, expected.iter().map(conflict).collect::<Vec<_>>());
    }

    fn aged() -> Check {
        Check::MaxAuthAge(Duration::from_secs(60))
    }

    #[test]
    fn conflicts_are_told_with_both_routes_and_a_request() {
        let bound = || vec![rule("GET /users/{id}", &[own("GET /users/{id}", "id")])];
        refused(bound(), false, &[("GET /users/{id}", "GET /users/{id}", "GET /users/x")], true);
        assert_eq!(could_cover(bound(), true), Ok(Vec::new()));
        let around = || vec![rule("GET /u/{id}", &[scope("s")]), rule("GET /u/{id}/orders", &[scope("r")])];
        refused(around(), false, &[("GET /u/{id}", "GET /u/{id}/orders", "GET /u/x")], true);
        assert!(could_cover(around(), true).is_ok());
        let timed = || vec![rule("GET /a/{x}", &[aged()]), rule("GET /a/b", &[])];
        refused(timed(), false, &[("GET /a/{x}", "GET /a/b", "GET /a/x")], true);
        assert_eq!(could_cover(timed(), true), Ok(Vec::new()));
        let within = || vec![rule("GET /a/{x}/b/{y+}", &[]), rule("GET /a/{x}/{z}/b/c", &[scope("s")])];
        for implicit_deny in [false, true] {
            let found = [("GET /a/{x}/{z}/b/c", "GET /a/{x}/b/{y+}", "GET /a/x/x/b/c")];
            refused(within(), implicit_deny, &found, false);
        }
    }

    #[test]
    fn a_table_is_refused_where_api_gateway_runs_a_route_that_the_token_may_miss() {
        let [admin, any] = ["GET /{tenant}/admin", "GET /public/{proxy+}"];
        let live = |rule: Rule| Rule { introspect: true, ..rule };
        let runs = |by_table: &str, by_gateway: &str, example: &str, is_documented| {
            let [by_table, by_gateway, example] = [by_table, by_gateway, example].map(str::to_owned);
            Some(Inexpressible::RunsAnotherRoute(TwoReadings { by_table, by_gateway, example, is_documented }))
        };
        let public_admin = || runs(any, admin, "GET /public/admin", true);
        for (rules, expected) in [
            (vec![rule(admin, &[group("admin")]), rule(any, &[])], public_admin()),
            (vec![rule(admin, &[group("a"), scope("s")]), rule(any, &[scope("s")])], public_admin()),
            (vec![live(rule(admin, &[])), rule(any, &[])], public_admin()),
            (vec![rule(admin, &[aged()]), rule(any, &[])], public_admin()),
            (vec![rule(admin, &[own(admin, "tenant")]), rule(any, &[])], public_admin()),
            (
                vec![rule("GET /a/{x}", &[]), rule("GET /{y}/b", &[group("a")])],
                runs("GET /a/{x}", "GET /{y}/b", "GET /a/b", false),
            ),
            // Who may use the path's rule may use the other.
            (vec![rule(admin, &[scope("s")]), rule(any, &[group("a"), scope("s")])], None),
            (vec![rule(admin, &[]), rule(any, &[group("a")])], None),
            // The same part of the path, by another name.
            (
                vec![
                    rule("GET /{r}/{t}/x", &[own("GET /{r}/{t}/x", "t")]),
                    rule("GET /a/{u}/{p+}", &[own("GET /a/{u}/{p+}", "u")]),
                ],
                None,
            ),
            (
                vec![
                    rule("GET /{r}/{t}/x", &[own("GET /{r}/{t}/x", "r")]),
                    rule("GET /a/{u}/{p+}", &[own("GET /a/{u}/{p+}", "u")]),
                ],
                runs("GET /a/{u}/{p+}", "GET /{r}/{t}/x", "GET /a/x/x", true),
            ),
            // No policy allows the path's rule.
            (vec![rule(admin, &[group("a")]), live(rule(any, &[]))], None),
            // Both orders pick the route that is written out.
            (vec![rule(admin, &[group("a")]), rule(any, &[]), rule("GET /public/admin", &[])], None),
            (vec![rule(admin, &[group("a")]), rule("POST /public/{proxy+}", &[])], None),
        ] {
            let keys: Vec<String> = rules.iter().map(|rule| rule.key.to_string()).collect();
            let found = could_cover(rules, true).err().unwrap_or_default();
            let found = found.into_iter().find(|fault| matches!(fault, Inexpressible::RunsAnotherRoute(_)));
            assert_eq!(found, expected, "{keys:?}");
        }
        assert_eq!(
            public_admin().unwrap().to_string(),
            "for `GET /public/admin` the table picks `GET /public/{proxy+}` and API Gateway runs `GET /{tenant}/admin`: a \
             cached policy would allow it to a token that may use `GET /public/{proxy+}` and not `GET /{tenant}/admin`. Add \
             a route for such paths to the table and to the API, ask of `GET /public/{proxy+}` all that `GET \
             /{tenant}/admin` asks, or use `covers: request`"
        );
    }

    #[test]
    fn each_conflict_is_told_once_and_all_of_them_are() {
        let of = |name: &str, checks: [&[Check]; 2]| {
            let [outer, inner] = checks;
            vec![rule(&format!("GET /{name}/{{id}}"), outer), rule(&format!("GET /{name}/{{id}}/x"), inner)]
        };
        let [s, t, r] = ["s", "t", "r"].map(|one| [scope(one)]);
        let both = || of("a", [&s, &r]).into_iter().chain(of("b", [&t, &r])).collect::<Vec<_>>();
        refused(
            both(),
            false,
            &[("GET /a/{id}", "GET /a/{id}/x", "GET /a/x"), ("GET /b/{id}", "GET /b/{id}/x", "GET /b/x")],
            true,
        );
        assert!(could_cover(both(), true).is_ok());
        // Who misses the one misses the other too.
        let nested = of("b", [&[s[0].clone(), t[0].clone()], &r]).into_iter().chain(of("a", [&s, &r]));
        refused(
            nested.collect(),
            false,
            &[("GET /b/{id}", "GET /b/{id}/x", "GET /b/x"), ("GET /a/{id}", "GET /a/{id}/x", "GET /a/x")],
            true,
        );
    }

    #[test]
    fn who_has_what_a_route_asks_has_what_it_implies() {
        // Nobody has `admin` and not the other.
        let nested = |outer: &[Check], inner: &[Check]| vec![rule("GET /u/{id}", outer), rule("GET /u/{id}/x", inner)];
        assert!(could_cover(nested(&[scope("r")], &[scope("r"), group("admin")]), false).is_ok());
        assert!(could_cover(nested(&[scope("r"), group("admin")], &[scope("r")]), false).is_err());
        assert!(could_cover(nested(&[], &[scope("r")]), false).is_ok());
        assert!(could_cover(nested(&[scope("r")], &[scope("r")]), false).is_ok());
    }

    #[test]
    fn the_request_that_caching_opens_is_told() {
        let over_allow = |rules| could_cover(rules, false).unwrap();
        let open = over_allow(vec![rule("GET /a/{x}", &[]), rule("GET /a/{x}/b", &[scope("r")])]);
        let [only] = &open[..] else { panic!("{open:?}") };
        assert_eq!((&*only.route, &*only.example), ("GET /a/{x}", "GET /a/x/x"));
        assert!(only.to_string().contains("`GET /a/{x}` also allow `GET /a/x/x`"), "{only}");
        assert_eq!(over_allow(vec![rule("GET /a/{x}", &[])]), []);
        assert_eq!(over_allow(vec![rule("GET /a", &[]), rule("GET /a/{x+}", &[])]), []);
    }

    #[test]
    fn a_policy_may_be_as_large_as_api_gateway_takes_and_no_larger() {
        let named = |last: usize| {
            let mut rules: Vec<Rule> = (10..52).map(|name| rule(&format!("GET /{name}"), &[])).collect();
            rules.push(rule(&format!("GET /{}", "x".repeat(last)), &[]));
            could_cover(rules, false)
        };
        // 43 routes, each with and without a slash behind it, and eight Resources of unsafe paths: 7,168 bytes.
        assert_eq!(named(47), Ok(Vec::new()));
        assert_eq!(named(48), Err(vec![Inexpressible::TooLarge { resources: 94, bytes: 7170 }]));
    }

    #[test]
    fn a_claim_s_value_is_as_long_as_a_uuid() {
        let of = |count: usize| {
            let route = |number: usize| format!("GET /{number}/{{id}}");
            let own = |number: usize| rule(&route(number), &[own(&route(number), "id")]);
            could_cover((10..10 + count).map(own).collect(), true)
        };
        assert_eq!(of(15), Ok(Vec::new()));
        assert_eq!(of(43), Err(vec![Inexpressible::TooLarge { resources: 180, bytes: 16667 }]));
    }

    #[test]
    fn a_route_may_have_62_segments() {
        let of = |segments: usize| could_cover(vec![rule(&format!("GET {}", "/a".repeat(segments)), &[])], false);
        assert_eq!(of(62), Ok(Vec::new()));
        let Err(faults) = of(63) else { panic!() };
        assert_eq!(faults, [Inexpressible::TooDeep { route: format!("GET {}", "/a".repeat(63)) }]);
    }

    #[test]
    fn what_is_refused_is_told_with_what_would_do() {
        let conflict = |denied: &str, silence_would_do| {
            let [denied, allowed, example] = [denied, "GET /b", "GET /x"].map(str::to_owned);
            Inexpressible::Conflict { denied, allowed, example, silence_would_do }.to_string()
        };
        for (text, says, is_silent_on) in [
            (conflict("GET /b", true), "binds a claim to a path parameter", "ask of"),
            (conflict("GET /a", true), "a token that may use `GET /b` and not `GET /a`", "binds"),
            (conflict("GET /b", false), "Bind the claim to a parameter that is one segment", "implicit_deny"),
            (conflict("GET /a", false), "Ask of `GET /b` all that `GET /a` asks", "implicit_deny"),
            (Inexpressible::LetterCase.to_string(), "case_insensitive_paths", "implicit_deny"),
            (
                Inexpressible::TooDeep { route: "GET /a".to_owned() }.to_string(),
                "`GET /a` has too many",
                "implicit_deny",
            ),
            (
                Inexpressible::TooLarge { resources: 95, bytes: 7170 }.to_string(),
                "95 Resources of 7170 bytes",
                "implicit_deny",
            ),
        ] {
            assert!(text.contains(says) && !text.contains(is_silent_on), "{text}");
        }
    }
}
