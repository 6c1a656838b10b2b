//! The route table: finds the rule of a request and holds the claims against it.

use super::contenders::{Contender, lost_by};
use super::coverage::{
    Coverage, Inexpressible, OverAllow, RouteOfTable, Served, TwoReadings, UnvouchedPermissions, run_elsewhere, served,
    two_readings,
};
use super::observer::{Facts, Observer, Part, Role, observed};
use super::path::{SafePath, check_count};
use super::permit::{GrantedRuling, Permit, Ruling, UngrantedPermit};
use super::policy_question::{CedarRule, PolicyQuestion};
use super::requirement::Requirement;
use super::route::{LetterCase, Method, RouteIndex, RouteKey};
use crate::denial::Denial;
use crate::request::{GatewayRoute, MAX_RESOURCE_CHARACTERS, Request, UnixSeconds};
use crate::token::Claims;
use core::net::IpAddr;
use std::sync::Arc;

/// A route and what it asks of a token.
#[derive(Debug)]
pub struct Rule {
    /// The key as the configuration has it.
    pub key: Arc<str>,
    /// What must hold.
    pub requirement: Requirement,
    /// What the Cedar policies are asked, where they are: after the requirement holds.
    pub cedar: Option<CedarRule>,
    /// Whether a live check must also vouch for the token, asked when all else holds.
    pub introspect: bool,
    /// Whether a miss is let in and told, instead of refused. Never of a rule that asks others.
    pub report_only: bool,
}

/// The whole table; a request that no rule serves is denied.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    routes: Vec<RouteKey>,
    index: RouteIndex,
    letter_case: LetterCase,
    coverage: Option<Arc<Coverage>>,
}

/// Two keys mean the same route.
#[derive(Debug)]
pub struct DuplicateRoute {
    /// The key that came first.
    pub earlier: Arc<str>,
}

impl Rules {
    /// An empty table, for backends that tell the letters of a path apart by case or do not.
    #[must_use]
    pub fn new(letter_case: LetterCase) -> Self {
        Self { rules: Vec::new(), routes: Vec::new(), index: RouteIndex::default(), letter_case, coverage: None }
    }

    /// Adds a rule.
    ///
    /// # Errors
    /// [`DuplicateRoute`] where a rule for the same route is there already.
    pub fn insert(&mut self, route: RouteKey, rule: Rule) -> Result<(), DuplicateRoute> {
        match self.index.insert(&route, self.letter_case, self.rules.len()) {
            Ok(()) => {
                self.rules.push(rule);
                self.routes.push(route);
                Ok(())
            }
            Err(earlier) => {
                let earlier =
                    self.rules.get(earlier).map_or_else(|| Arc::clone(&rule.key), |rule| Arc::clone(&rule.key));
                Err(DuplicateRoute { earlier })
            }
        }
    }

    /// Whether policies speak of all that a token may use.
    #[must_use]
    pub fn covers_tokens(&self) -> bool {
        self.coverage.is_some()
    }

    /// The rules, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&RouteKey, &Rule)> {
        self.routes.iter().zip(&self.rules)
    }

    /// Prepares policies that stay right while they are cached. `implicit_deny` states
    /// that silence is a denial: no resource policy of the API allows.
    ///
    /// # Errors
    /// Why the table cannot be written as IAM policies.
    pub fn cover(&mut self, implicit_deny: bool) -> Result<Vec<OverAllow>, Vec<Inexpressible>> {
        let (coverage, over_allow) = self.coverage(implicit_deny)?;
        self.coverage = Some(Arc::new(coverage));
        Ok(over_allow)
    }

    /// What [`Rules::cover`] would say.
    ///
    /// # Errors
    /// Why the table cannot be written as IAM policies.
    pub fn could_cover(&self, implicit_deny: bool) -> Result<Vec<OverAllow>, Vec<Inexpressible>> {
        self.coverage(implicit_deny).map(|(_, over_allow)| over_allow)
    }

    fn coverage(&self, implicit_deny: bool) -> Result<(Coverage, Vec<OverAllow>), Vec<Inexpressible>> {
        if self.letter_case == LetterCase::Ignored {
            return Err(vec![Inexpressible::LetterCase]);
        }
        let table = self.iter().map(|(route, rule)| RouteOfTable {
            key: &rule.key,
            route,
            requirement: &rule.requirement,
            answers_for_itself: rule.answers_for_itself(),
        });
        let table: Vec<RouteOfTable<'_>> = table.collect();
        let elsewhere = run_elsewhere(&table);
        match Coverage::new(&table, implicit_deny) {
            Ok(found) if elsewhere.is_empty() => Ok(found),
            Ok(_) => Err(elsewhere),
            Err(faults) => Err(faults.into_iter().chain(elsewhere).collect()),
        }
    }

    /// By route of an API, which rules serve the requests that it gets; `None` where a
    /// path has too many segments to tell.
    #[must_use]
    pub fn serving(&self, api: &[&RouteKey]) -> Option<Vec<Served>> {
        served(&self.routes.iter().collect::<Vec<_>>(), api, self.letter_case)
    }

    /// The pairs of rules that ask different things and of which API Gateway may run the other one.
    #[must_use]
    pub fn two_readings(&self) -> Vec<TwoReadings> {
        let differ = |one: usize, other: usize| match (self.rules.get(one), self.rules.get(other)) {
            (Some(one), Some(other)) => !one.asks_the_same(other),
            _ => true,
        };
        let routes: Vec<&RouteKey> = self.routes.iter().collect();
        let key = |position: usize| self.rules.get(position).map_or_else(String::new, |rule| rule.key.to_string());
        let found = two_readings(&routes, self.letter_case, differ).unwrap_or_default().into_iter();
        let told = found.map(|(by_table, by_gateway, example, is_documented)| TwoReadings {
            by_table: key(by_table),
            by_gateway: key(by_gateway),
            example,
            is_documented,
        });
        told.collect()
    }

    /// The positions of an API's routes that get requests which no rule serves, and
    /// which policies that cover tokens allow while they are cached.
    #[must_use]
    pub fn exposed_by_caching(&self, api: &[&RouteKey]) -> Vec<usize> {
        self.coverage.as_ref().map_or_else(Vec::new, |coverage| coverage.exposed(api))
    }

    /// The routes that have this path and do not serve it, each with the reason; nothing of a path that is not safe.
    #[must_use]
    pub fn contenders(&self, method: &str, path: &str) -> Vec<Contender> {
        let Ok(path) = SafePath::parse(path) else { return Vec::new() };
        let method = Method::parse(method);
        let winner = self.index.find(method, &path, self.letter_case);
        let winning = winner.and_then(|position| self.routes.get(position));
        let others = self.iter().enumerate().filter(|(position, _)| Some(*position) != winner);
        let contender = |route, rule: &Rule| {
            let lost_by = lost_by(winning, route, method, &path, self.letter_case)?;
            Some(Contender { key: rule.key.to_string(), lost_by })
        };
        others.filter_map(|(_, (route, rule))| contender(route, rule)).collect()
    }

    /// Whether any rule asks the Cedar policies.
    #[must_use]
    pub fn ask_policies(&self) -> bool {
        self.rules.iter().any(|rule| rule.cedar.is_some())
    }

    /// Whether any rule asks for the address of the request.
    #[must_use]
    pub fn ask_address(&self) -> bool {
        self.rules.iter().any(|rule| rule.requirement.depends_on_address())
    }

    /// Finds the rule that serves a request.
    ///
    /// # Errors
    /// [`Denial::UnsafePath`] for a path, method or ARN that could be read in
    /// two ways, [`Denial::NoRoute`].
    pub fn route<'a>(&'a self, request: &'a Request<'_>) -> Result<MatchedRule<'a>, Denial> {
        if request.resource_characters.is_some_and(|characters| characters > MAX_RESOURCE_CHARACTERS) {
            return Err(Denial::UnsafePath("an ARN too long for a policy"));
        }
        let method = Method::parse(request.method);
        let path = if request.method == "$connect" {
            SafePath::root()
        } else {
            // API Gateway lets unusual methods through; they stand in the ARN.
            if !request.method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return Err(Denial::UnsafePath("a method with other than letters"));
            }
            SafePath::parse(request.path)?
        };
        let is_connect = request.method == "$connect";
        let position = if is_connect { self.index.connect() } else { self.index.find(method, &path, self.letter_case) };
        let rule = position.and_then(|position| self.rules.get(position)).ok_or(Denial::NoRoute)?;
        let mut before_fragments = path.before_fragments()?;
        let mut other_readings = path.other_readings().to_vec();
        if self.letter_case == LetterCase::Ignored && !is_connect {
            let in_lower_case = |path: &SafePath<'a>| path.in_case(self.letter_case);
            let lower: Vec<_> = [&path].into_iter().chain(&other_readings).map(in_lower_case).collect();
            other_readings.extend(lower);
            let lower: Vec<_> = before_fragments.iter().map(in_lower_case).collect();
            before_fragments.extend(lower);
        }
        let mut count = other_readings.len() + before_fragments.len();
        check_count(count)?;
        let mut otherwise = self.of_paths(method, &other_readings, position);
        let own = [&path].into_iter().chain(&other_readings);
        self.add_formats(method, own, position, &mut count, &mut otherwise)?;
        if otherwise.iter().any(|(other, _)| other.asks_others()) {
            return Err(Denial::UnsafePath(ANOTHER_RULE));
        }
        let mut also_required = self.of_paths(method, &before_fragments, None);
        self.add_formats(method, before_fragments.iter(), position, &mut count, &mut also_required)?;
        if also_required.iter().any(|(other, _)| other.asks_others() && !std::ptr::eq(*other, rule)) {
            return Err(Denial::UnsafePath("a part of it has a rule that asks others"));
        }
        let gateway_rule = match &request.gateway_route {
            Some(named) if !is_named(&rule.key, named, request.method) => {
                let readings = [&path].into_iter().chain(&other_readings).chain(&before_fragments);
                self.of_gateway(named, method, rule, readings)
            }
            Some(_) | None => None,
        };
        let source_ip = request.source_ip;
        Ok(MatchedRule { rule, path, other_readings, otherwise, also_required, gateway_rule, source_ip })
    }

    /// The rule of the route that API Gateway runs, where the table has one and it is not `rule`, with the paths
    /// that it is held against.
    fn of_gateway<'a, 'p>(
        &'a self,
        named: &GatewayRoute<'_>,
        method: Option<Method>,
        rule: &Rule,
        readings: impl Iterator<Item = &'p SafePath<'a>>,
    ) -> Option<GatewayRule<'a>>
    where
        'a: 'p,
    {
        let route = match &*named.path {
            "$default" => RouteKey::Default,
            // What is no route key is no key of the table either.
            path => RouteKey::parse(&format!("ANY {path}")).ok()?,
        };
        let method = named.method.as_deref().and_then(Method::parse).or(method);
        let position = self.index.of_path(&route, method, self.letter_case)?;
        let (other, route) = (self.rules.get(position)?, self.routes.get(position)?);
        if std::ptr::eq(other, rule) {
            return None;
        }
        // A path that is not the route's has none of its parameters.
        let mut are_its_own = true;
        let of_route = |path: &SafePath<'a>| {
            let is_its_own = route.has_path(path, self.letter_case);
            are_its_own &= is_its_own;
            if is_its_own { path.clone() } else { SafePath::root() }
        };
        let paths = readings.map(of_route).collect();
        Some(GatewayRule { rule: other, paths, are_its_own })
    }

    /// The rules of these paths, but for one.
    fn of_paths<'a>(
        &'a self,
        method: Option<Method>,
        paths: &[SafePath<'a>],
        except: Option<usize>,
    ) -> Vec<(&'a Rule, SafePath<'a>)> {
        let rule = |path| {
            let position = self.index.find(method, path, self.letter_case);
            position.filter(|position| Some(*position) != except).and_then(|position| self.rules.get(position))
        };
        paths.iter().filter_map(|path| Some((rule(path)?, path.clone()))).collect()
    }

    /// Adds the rules of these paths without what may be a format, but for one rule, unless a
    /// route is written with the format. `count` is how many other paths the request has.
    fn add_formats<'a: 'p, 'p>(
        &'a self,
        method: Option<Method>,
        paths: impl Iterator<Item = &'p SafePath<'a>>,
        except: Option<usize>,
        count: &mut usize,
        found: &mut Vec<(&'a Rule, SafePath<'a>)>,
    ) -> Result<(), Denial> {
        let position = |path: &SafePath<'_>| self.index.find(method, path, self.letter_case);
        for path in paths.filter(|path| path.may_have_format()) {
            let key = position(path).and_then(|position| self.routes.get(position));
            if key.is_some_and(|key| key.names_last_segment(path)) {
                continue;
            }
            path.without_format(|name| {
                let other = position(name).filter(|position| Some(*position) != except);
                if let Some(other) = other.and_then(|position| self.rules.get(position))
                    && !found.iter().any(|(_, known)| known.segments() == name.segments())
                {
                    *count += 1;
                    check_count(*count)?;
                    found.push((other, name.to_owned_text()));
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// What the token may use of the whole API, where the answer to this request is to
    /// say so: policies cover tokens, and neither the rule nor the token asks for more
    /// than token and path.
    #[must_use]
    pub fn token_permissions(
        &self,
        claims: &Arc<Claims>,
        rule: Option<&MatchedRule<'_>>,
    ) -> Option<UnvouchedPermissions> {
        let coverage = self.coverage.as_ref()?;
        let is_own =
            claims.are_sender_bound() || rule.is_some_and(|matched| matched.rules().any(Rule::answers_for_itself));
        (!is_own).then(|| UnvouchedPermissions::new(coverage, claims))
    }
}

/// Whether the text of the rule's key is the one that API Gateway names, for this method.
fn is_named(key: &str, named: &GatewayRoute<'_>, request_method: &str) -> bool {
    let (method, path) = key.split_once(' ').map_or((None, key), |(method, path)| (Some(method), path));
    let is_of_request = |named: &str| named == "ANY" || named == request_method;
    path == named.path && (method.is_none() || named.method.as_deref().is_none_or(is_of_request))
}

impl Rule {
    /// Whether it depends on more than token and path, so that an answer holds for its
    /// own request alone.
    #[must_use]
    pub fn answers_for_itself(&self) -> bool {
        let depends = self.requirement.depends_on_time() || self.requirement.depends_on_address();
        self.asks_others() || self.report_only || depends
    }

    /// What becomes of a miss: a rule that only reports lets it in, and the first such miss is what would be the reason.
    fn let_in_or(&self, held: Result<(), Denial>, would_be: &mut Option<Denial>) -> Result<(), Denial> {
        match held {
            Err(denial) if self.report_only => {
                would_be.get_or_insert(denial);
                Ok(())
            }
            held => held,
        }
    }

    /// Whether it makes no difference which of the two serves a request.
    fn asks_the_same(&self, other: &Self) -> bool {
        self.requirement == other.requirement
            && !self.requirement.binds_path()
            && (self.introspect, self.report_only) == (other.introspect, other.report_only)
            && self.cedar.is_none()
            && other.cedar.is_none()
    }

    /// Whether it holds only if somebody else agrees.
    fn asks_others(&self) -> bool {
        self.introspect || self.cedar.is_some()
    }
}

/// The rule that serves a request, not yet held against anybody's claims.
#[derive(Debug)]
pub struct MatchedRule<'a> {
    rule: &'a Rule,
    path: SafePath<'a>,
    /// What some backends take the path for: a claim that must equal a part of the path
    /// must equal that too.
    other_readings: Vec<SafePath<'a>>,
    /// The rules of other readings: they must hold too.
    otherwise: Vec<(&'a Rule, SafePath<'a>)>,
    /// Rules that must hold as well, since some backends see only the path's beginning.
    also_required: Vec<(&'a Rule, SafePath<'a>)>,
    /// It must hold as well.
    gateway_rule: Option<GatewayRule<'a>>,
    source_ip: Option<IpAddr>,
}

/// The rule of the route that API Gateway runs, where it is not the path's.
#[derive(Debug)]
struct GatewayRule<'a> {
    rule: &'a Rule,
    /// The paths that it is held against.
    paths: Vec<SafePath<'a>>,
    /// Whether its route has each of them. Else the Cedar policies would see it without its parameters.
    are_its_own: bool,
}

impl MatchedRule<'_> {
    /// The rule's key.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.rule.key
    }

    /// Holds the claims against the rule.
    ///
    /// # Errors
    /// The denial of the first check that does not hold.
    pub fn authorize(&self, claims: Arc<Claims>, now: UnixSeconds) -> Result<Ruling, Denial> {
        self.authorize_before(claims, now, &mut ())
    }

    /// The same, while somebody looks on.
    ///
    /// # Errors
    /// As [`Self::authorize`].
    pub fn authorize_before<O: Observer>(
        &self,
        claims: Arc<Claims>,
        now: UnixSeconds,
        observer: &mut O,
    ) -> Result<Ruling, Denial> {
        let hold = |rule: &Rule, role, path, observer: &mut O| {
            let facts = Facts { claims: &claims, path, now, source_ip: self.source_ip };
            observed(observer, Part::Rule(rule, role), &facts, |observer| rule.requirement.hold(&facts, observer))
        };
        let mut would_be = None;
        for (rule, path) in &self.otherwise {
            let held = hold(rule, Role::ServesAnotherReading, path, observer);
            held.map_err(|_| Denial::UnsafePath(ANOTHER_RULE))?;
        }
        for path in [&self.path].into_iter().chain(&self.other_readings) {
            self.rule.let_in_or(hold(self.rule, Role::Serves, path, observer), &mut would_be)?;
        }
        for (rule, path) in &self.also_required {
            rule.let_in_or(hold(rule, Role::ServesABeginning, path, observer), &mut would_be)?;
        }
        if let Some(GatewayRule { rule, paths, are_its_own }) = &self.gateway_rule {
            let can_be_asked = rule.cedar.is_none() || *are_its_own;
            let mut of_gateway = |path| hold(rule, Role::RunByTheGateway, path, observer).is_ok();
            let holds = can_be_asked && paths.iter().all(&mut of_gateway);
            let held = if holds { Ok(()) } else { Err(Denial::ForbiddenFor(GATEWAY_ROUTE)) };
            rule.let_in_or(held, &mut would_be)?;
        }
        let permit = match would_be {
            None => Permit::new(claims),
            Some(denial) => Permit::in_report_only(claims, denial),
        };
        let introspect = self.rules().any(|rule| rule.introspect);
        Ok(match self.rules().any(|rule| rule.cedar.is_some()) {
            true => Ruling::AskPolicies(UngrantedPermit::new(permit, introspect)),
            false => Ruling::Granted(GrantedRuling::new(permit, introspect)),
        })
    }

    /// The path's rule, and that of the route that API Gateway runs.
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        [self.rule].into_iter().chain(self.gateway_rule.as_ref().map(|gateway| gateway.rule))
    }

    /// What the Cedar policies are asked of a request by this method, where a rule
    /// asks them; all of it must be granted: a backend may take the path in another way.
    /// With each question, the denial where it is not granted.
    #[must_use]
    pub fn policy_questions(&self, method: &str) -> Vec<(PolicyQuestion<'_>, Denial)> {
        let own = [&self.path].into_iter().chain(&self.other_readings);
        let own = own.map(|path| (self.rule, path, Denial::Forbidden));
        let before_fragments = self.also_required.iter().map(|(rule, path)| (*rule, path, Denial::Forbidden));
        let of_gateway = self.gateway_rule.iter().flat_map(|gateway| {
            gateway.paths.iter().map(|path| (gateway.rule, path, Denial::ForbiddenFor(GATEWAY_ROUTE)))
        });
        let mut questions: Vec<(PolicyQuestion<'_>, Denial)> = Vec::new();
        for (rule, path, denial) in own.chain(before_fragments).chain(of_gateway) {
            if let Some(question) = rule.cedar.as_ref().map(|cedar| cedar.question(method, path))
                && !questions.iter().any(|(known, _)| *known == question)
            {
                questions.push((question, denial));
            }
        }
        questions
    }
}

const GATEWAY_ROUTE: &str = "gateway route";

const ANOTHER_RULE: &str = "another reading of it has another rule";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{at, claims, group, key, own, request, rule, table, texts};
    use crate::access::path::MAX_READINGS;
    use crate::access::permit::Granted;
    use crate::access::requirement::Check;
    use crate::access::source_ip::IpBlock;
    use crate::denial::Missed;
    use crate::request::MAX_RESOURCE_CHARACTERS;
    use serde_json::json;
    use std::time::Duration;

    fn of(rules: impl IntoIterator<Item = Rule>) -> Rules {
        table(LetterCase::Distinguished, rules)
    }

    fn asking(rule: Rule) -> Rule {
        Rule { cedar: Some(CedarRule::named("publish".to_owned(), &key(&rule.key))), ..rule }
    }

    fn aged() -> Check {
        Check::MaxAuthAge(Duration::from_secs(60))
    }

    #[test]
    fn a_table_covers_tokens_once_it_is_prepared_to() {
        let mut rules = of([rule("GET /{x}", &[]), rule("GET /{x}/a", &[])]);
        let over_allow = rules.could_cover(false).unwrap();
        assert_eq!(over_allow.iter().map(|over_allow| &*over_allow.route).collect::<Vec<_>>(), ["GET /{x}"]);
        assert!(!rules.covers_tokens());
        assert_eq!(rules.cover(false), Ok(over_allow));
        assert!(rules.covers_tokens());
    }

    #[test]
    fn no_policy_covers_tokens_where_letter_case_is_ignored() {
        let mut rules = table(LetterCase::Ignored, [rule("GET /a", &[])]);
        assert_eq!(rules.could_cover(true), Err(vec![Inexpressible::LetterCase]));
        assert_eq!(rules.cover(true), Err(vec![Inexpressible::LetterCase]));
        assert!(!rules.covers_tokens());
    }

    #[test]
    fn an_api_is_told_which_rules_serve_it() {
        let rules = of([rule("GET /a", &[]), rule("GET /b", &[])]);
        let served = rules.serving(&[&key("GET /b"), &key("GET /c")]).unwrap();
        assert_eq!(served.iter().map(|served| served.rules.clone()).collect::<Vec<_>>(), [vec![1], vec![]]);
    }

    #[test]
    fn policies_are_asked_where_some_rule_does() {
        assert!(!of([rule("GET /a", &[])]).ask_policies());
        assert!(of([rule("GET /a", &[]), asking(rule("GET /b", &[]))]).ask_policies());
    }

    #[test]
    fn a_resource_is_as_long_as_a_policy_takes_and_no_longer() {
        let rules = of([rule("GET /a", &[])]);
        let is_served =
            |resource_characters| rules.route(&Request { resource_characters, ..request("GET", "/a") }).is_ok();
        assert!(is_served(None) && is_served(Some(MAX_RESOURCE_CHARACTERS)));
        assert!(!is_served(Some(MAX_RESOURCE_CHARACTERS + 1)));
    }

    #[test]
    fn a_claim_is_the_path_parameter_in_every_case_that_a_backend_may_take_it_in() {
        let checks = [own("GET /users/{id}", "id")];
        let holds = |case, sub: &str, path: &str| {
            let rules = table(case, [rule("GET /users/{id}", &checks)]);
            let request = request("GET", path);
            let matched = rules.route(&request).unwrap();
            matched.authorize(claims(json!({ "sub": sub })), at(0.0)).is_ok()
        };
        assert!(holds(LetterCase::Distinguished, "Bob", "/users/Bob"));
        assert!(!holds(LetterCase::Distinguished, "bob", "/users/Bob"));
        assert!(holds(LetterCase::Ignored, "bob", "/users/bob"));
        assert!(!holds(LetterCase::Ignored, "Bob", "/users/Bob"));
        assert!(!holds(LetterCase::Ignored, "bob", "/users/Bob"));
        assert!(!holds(LetterCase::Ignored, "Bob;x", "/users/Bob;x"));
    }

    #[test]
    fn the_rule_of_every_reading_must_hold() {
        let rules = of([
            rule("GET /a", &[group("admin")]),
            rule("GET /{x}", &[]),
            rule("GET /a/{x}", &[group("admin")]),
            rule("GET /{x}/{y}", &[]),
            rule("GET /caf\u{e9}", &[group("admin")]),
            rule("GET /f.json", &[]),
            rule("GET /f", &[group("admin")]),
        ]);
        let ruling = |path: &str, groups: &[&str]| {
            let request = request("GET", path);
            let matched = rules.route(&request)?;
            matched.authorize(claims(json!({ "groups": groups })), at(0.0)).map(drop)
        };
        for path in [
            "/a;b",
            "/%2561",
            "/a.",
            "/a..",
            "/a%20",
            "/%20a",
            "/a\u{a0}",
            "/a%E3%80%80",
            "/\u{ff41}",
            "/%EF%BD%81",
            "/a.json",
            "/a.tar.gz",
            "/a.json;b",
            "/a.json.",
            "/a.jso\u{ff4e}",
            "/\u{24d0}",
            "/a\u{37e}x",
            "/a%CD%BEx",
            "/a\u{37e}x/b",
            "/\u{ff05}61",
            "/a./b",
            "/a%20/b",
            "/\u{ff41}/b.c",
            "/cafe\u{301}",
            "/cafe\u{301}.json",
            "/f.xml",
            "/f.json.gz",
        ] {
            assert_eq!(ruling(path, &[]), Err(Denial::UnsafePath(ANOTHER_RULE)), "{path}");
            assert_eq!(ruling(path, &["admin"]), Ok(()), "{path}");
        }
        for path in [
            "/b;a",
            "/b%20",
            "/b.",
            "/b.json",
            "/aa.json",
            "/a.json/b",
            "/x/a.json",
            "/f.json",
            "/f.json/",
            "/\u{ff42}",
            "/.a",
        ] {
            assert_eq!(ruling(path, &[]), Ok(()), "{path}");
        }
        // What no rule serves under another reading is denied there anyway.
        assert!(of([rule("GET /{x}/a;b", &[])]).route(&request("GET", "/c/a;b")).is_ok());
        assert_eq!(rules.route(&request("POST", "/a.json")).err(), Some(Denial::NoRoute));
    }

    #[test]
    fn no_request_stands_for_more_paths_than_the_limit() {
        let admin = ["GET /admin", "GET /a", "GET /a/b", "GET /b"];
        let others = ["GET /{x}", "GET /{x}/{y}", "GET /f/{p+}", "$default"];
        let all = admin.map(|key| rule(key, &[group("admin")])).into_iter().chain(others.map(|key| rule(key, &[])));
        let rules: Vec<Rule> = all.collect();
        let of_pieces = |pieces: &[&str], seed: usize| -> String {
            let mut state = seed;
            let mut piece = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                pieces[(state >> 33) % pieces.len()]
            };
            (0..1 + seed % 40).map(|_| piece()).collect()
        };
        let pieces =
            ["a", ".", "%2561", ";b", "%20", "\u{ff41}", "%23", "#", "%253b", "\u{37e}", "e\u{301}", "/b", "A"];
        let published = [
            format!("/a%2561;{}\u{ff41}%23b%23c%23d", "a.".repeat(4_300)),
            format!("/a%2561;{}\u{ff41}%23b%23c%23d", "a.".repeat(900)),
            format!("/a%2561;{}\u{ff41}%23b%23c%23d", "a.".repeat(30)),
            format!("/ a%252561;b. ;{}\u{ff41} .;%23b;%23c.%23d%2523 ", "a.".repeat(170)),
            format!("/a{}", "#".repeat(2_000)),
            format!("/{}", "a.".repeat(1_000)),
        ];
        let paths = published.into_iter().chain((0..3_000).map(|seed| format!("/a{}", of_pieces(&pieces, seed))));
        let paths: Vec<String> = paths.collect();
        for case in [LetterCase::Distinguished, LetterCase::Ignored] {
            let rules = table(
                case,
                rules.iter().map(|one| Rule { requirement: one.requirement.clone(), ..rule(&one.key, &[]) }),
            );
            let (mut served, mut refused, mut most) = (0, 0, 0);
            for path in &paths {
                let request = request("GET", path);
                let Ok(matched) = rules.route(&request) else {
                    refused += 1;
                    continue;
                };
                let named = matched.otherwise.iter().chain(&matched.also_required).map(|(_, path)| path);
                let mut distinct: Vec<_> = matched.other_readings.iter().chain(named).map(SafePath::segments).collect();
                distinct.sort_unstable();
                distinct.dedup();
                most = most.max(distinct.len());
                served += 1;
            }
            assert!(most <= MAX_READINGS && most > 16, "{case:?}: {most}");
            assert!(served > 100 && refused > 100, "{case:?}: {served} {refused}");
        }
    }

    #[test]
    fn paths_that_stand_for_too_many_others_are_refused_and_names_with_dots_are_not() {
        let rules = of([rule("GET /{x}", &[]), rule("GET /admin", &[group("admin")]), rule("GET /f/{p+}", &[])]);
        let routed = |path: &str| rules.route(&request("GET", path)).map(drop);
        for (path, detail) in [
            (format!("/a%2561;{}\u{ff41}%23b%23c%23d", "a.".repeat(4_300)), "a path of more than 2,048 bytes"),
            (format!("/a%2561;{}\u{ff41}%23b%23c%23d", "a.".repeat(900)), "too many dots"),
            (format!("/ a%252561;b. ;{}\u{ff41} .;%23b;%23c.%23d%2523 ", "a.".repeat(170)), "too many readings"),
            (format!("/{}a", "a.".repeat(65)), "too many dots"),
        ] {
            assert_eq!(routed(&path), Err(Denial::UnsafePath(detail)), "{path}");
        }
        let address = format!("/f/{}ip6.arpa", "0.".repeat(32));
        for path in ["/report.v1.2.3.csv", "/2.16.840.1.113883.4.642.3.1", "/f/a.b@example.com", &*address] {
            assert_eq!(routed(path), Ok(()), "{path}");
        }
        let written_out = format!("/{}a", "a.".repeat(65));
        let rules = of([rule(&format!("GET {written_out}"), &[])]);
        assert!(rules.route(&request("GET", &written_out)).is_ok());
    }

    #[test]
    fn a_plain_path_has_no_other_paths() {
        let rules = of([rule("GET /users/{id}", &[]), rule("GET /{p+}", &[])]);
        let request = request("GET", "/users/a.b-c");
        let matched = rules.route(&request).unwrap();
        let capacities =
            (matched.other_readings.capacity(), matched.otherwise.capacity(), matched.also_required.capacity());
        assert_eq!(capacities, (0, 0, 0));
    }

    #[test]
    fn a_claim_is_the_path_parameter_in_every_normal_form_and_a_dot_in_it_is_no_format() {
        let rules = of([rule("GET /users/{id}", &[own("GET /users/{id}", "id")])]);
        let holds = |sub: &str, path: &str| {
            let request = request("GET", path);
            rules.route(&request).and_then(|matched| matched.authorize(claims(json!({ "sub": sub })), at(0.0))).is_ok()
        };
        for (sub, path, expected) in [
            ("Kate", "/users/Kate", true),
            ("caf\u{e9}", "/users/caf\u{e9}", true),
            ("a.b@example.com", "/users/a.b@example.com", true),
            ("alice.json", "/users/alice.json", true),
            ("alice", "/users/alice.json", false),
            ("\u{212a}ate", "/users/\u{212a}ate", false),
            ("\u{212a}ate", "/users/%E2%84%AAate", false),
            ("Kate", "/users/\u{212a}ate", false),
            ("cafe\u{301}", "/users/cafe\u{301}", false),
            ("kate\u{37e}", "/users/kate\u{37e}", false),
            ("\u{ff4b}ate", "/users/\u{ff4b}ate", false),
        ] {
            assert_eq!(holds(sub, path), expected, "{sub} {path}");
        }
    }

    #[test]
    fn a_reading_whose_rule_asks_others_is_refused() {
        let rules = of([Rule { introspect: true, ..rule("GET /a", &[]) }, rule("GET /{x}", &[])]);
        for path in ["/a;b", "/a.json", "/a."] {
            assert_eq!(rules.route(&request("GET", path)).err(), Some(Denial::UnsafePath(ANOTHER_RULE)), "{path}");
        }
    }

    /// What becomes of a reader's request for `path`, where the event names this route.
    #[track_caller]
    fn by_gateway(
        rules: &Rules,
        path: &str,
        method: Option<&str>,
        named: &str,
        members: serde_json::Value,
    ) -> Result<(), Denial> {
        let gateway_route = Some(GatewayRoute { method: method.map(Into::into), path: named.into() });
        let request = Request { gateway_route, ..request("GET", path) };
        rules.route(&request).and_then(|matched| matched.authorize(claims(members), at(0.0)).map(drop))
    }

    #[test]
    fn the_rule_of_the_route_that_api_gateway_runs_must_hold_as_well() {
        let rules = of([
            rule("GET /{tenant}/admin", &[group("admin")]),
            rule("GET /public/{proxy+}", &[]),
            rule("POST /public/{proxy+}", &[group("writer")]),
            rule("ANY /any/{x}", &[group("any")]),
            rule("$default", &[group("default")]),
        ]);
        let refused = Err(Denial::ForbiddenFor("gateway route"));
        for (path, method, named, groups, expected) in [
            ("/public/admin", Some("GET"), "/{tenant}/admin", "reader", refused.clone()),
            ("/public/admin", Some("GET"), "/{tenant}/admin", "admin", Ok(())),
            ("/public/admin", Some("GET"), "/{t}/admin/", "reader", refused.clone()),
            ("/public/admin", None, "/{tenant}/admin", "reader", refused.clone()),
            ("/public/admin", Some("ANY"), "/{tenant}/admin", "reader", refused.clone()),
            ("/public/admin", Some("PURGE"), "/{tenant}/admin", "reader", refused.clone()),
            ("/public/admin", Some("GET"), "/public/{proxy+}", "reader", Ok(())),
            ("/public/admin", Some("GET"), "/public/{p+}", "reader", Ok(())),
            ("/public/admin", Some("ANY"), "/public/{proxy+}", "reader", Ok(())),
            // The other method's rule is another rule.
            ("/public/admin", Some("POST"), "/public/{proxy+}", "reader", refused.clone()),
            ("/public/admin", Some("POST"), "/public/{proxy+}", "writer", Ok(())),
            ("/public/x", Some("GET"), "/any/{x}", "reader", refused.clone()),
            ("/public/x", Some("ANY"), "/any/{x}", "any", Ok(())),
            ("/public/x", None, "$default", "reader", refused.clone()),
            ("/public/x", None, "$default", "default", Ok(())),
            // A slash at the end: the table's route, and the API's `$default`.
            ("/any/x/", None, "$default", "any", refused),
            ("/any/x/", Some("GET"), "/any/{x}", "any", Ok(())),
            // No route of the table.
            ("/public/x", Some("GET"), "/public/x", "reader", Ok(())),
            ("/public/x", Some("GET"), "/{proxy+}", "reader", Ok(())),
            ("/public/x", None, "$connect", "reader", Ok(())),
        ] {
            let members = json!({ "groups": [groups] });
            assert_eq!(
                by_gateway(&rules, path, method, named, members),
                expected,
                "{path} {method:?} {named} {groups}"
            );
        }
    }

    #[test]
    fn pairs_that_api_gateway_may_read_otherwise_are_named_where_they_ask_different_things() {
        let pairs = |one: &[Check], other: &[Check]| {
            let rules = of([rule("GET /a/{p+}", one), rule("GET /{x}/b", other)]);
            rules.two_readings().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let told = "for `GET /a/b` the table picks `GET /a/{p+}` and API Gateway runs `GET /{x}/b`";
        assert_eq!(pairs(&[], &[group("a")]), [told]);
        assert_eq!(pairs(&[group("a")], &[group("a")]), [""; 0]);
        assert_eq!(pairs(&[own("GET /{p+}", "p")], &[own("GET /{p+}", "p")]), [told]);
        let live = |introspect| Rule { introspect, ..rule("GET /{x}/b", &[]) };
        for (other, count) in [(live(false), 0), (live(true), 1), (asking(live(false)), 1)] {
            assert_eq!(of([rule("GET /a/{p+}", &[]), other]).two_readings().len(), count);
        }
        let rules = of([rule("GET /a/{x}", &[group("a")]), rule("GET /{x}/b", &[])]);
        let told = "for `GET /a/b` the table picks `GET /a/{x}` and API Gateway may run `GET /{x}/b`";
        assert_eq!(rules.two_readings().iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
    }

    #[test]
    fn odd_names_of_a_route_name_none() {
        let rules = of([rule("GET /a", &[]), rule("GET /{x}/{y}", &[group("admin")])]);
        for named in [
            "",
            "/",
            " ",
            "a",
            "/a//b",
            "/../a",
            "/{x",
            "/{x+}/{y}",
            "/{x}/{x}",
            "/%2e",
            "/\u{0}",
            "*",
            "$",
            "$defaul",
            "/${x}",
            "/a b",
            "\u{1f980}",
        ] {
            for method in [None, Some(""), Some("get"), Some("GET /a"), Some("\u{0}")] {
                assert_eq!(by_gateway(&rules, "/a", method, named, json!({})), Ok(()), "{named:?} {method:?}");
            }
        }
        let long = format!("/{}", "{x}/".repeat(100_000));
        assert_eq!(by_gateway(&rules, "/a", None, &long, json!({})), Ok(()));
    }

    #[test]
    fn the_rule_that_api_gateway_runs_reads_parameters_by_its_own_path() {
        let checks = [own("GET /{user}/files", "user")];
        let rules = of([rule("GET /{user}/files", &checks), rule("GET /alice/{p+}", &[])]);
        let holds = |path, sub| by_gateway(&rules, path, Some("GET"), "/{user}/files", json!({ "sub": sub })).is_ok();
        assert!(holds("/alice/files", "alice"));
        assert!(!holds("/alice/files", "bob"));
        // A path that is none of that route's has no such parameter.
        assert!(!holds("/alice/other", "alice") && !holds("/alice/files/x", "alice"));
        // Every reading must hold.
        assert!(!holds("/alice;x/files", "alice;x") && !holds("/alice;x/files", "alice"));
        let greedy = [own("GET /{all+}", "all")];
        let rules = of([rule("GET /{all+}", &greedy), rule("GET /", &[])]);
        assert!(by_gateway(&rules, "/", Some("GET"), "/{all+}", json!({ "sub": "a" })).is_err());
    }

    #[test]
    fn a_fragment_is_no_part_of_the_path_for_the_rule_that_api_gateway_runs() {
        let checks = [own("GET /{user}/files", "user")];
        let rules = of([rule("GET /{user}/files", &checks), rule("GET /{a}/{p+}", &[])]);
        let holds = |path, named, sub| by_gateway(&rules, path, Some("GET"), named, json!({ "sub": sub })).is_ok();
        assert!(holds("/alice/files%23x", "/{a}/{p+}", "alice"));
        assert!(!holds("/alice/files%23x", "/{user}/files", "alice"));
        assert!(!holds("/alice/files%23x", "/{a}/{p+}", "bob"));
    }

    #[test]
    fn a_rule_that_asks_others_is_asked_where_api_gateway_runs_its_route() {
        let live = |key: &str| Rule { introspect: true, ..rule(key, &[]) };
        let rules = of([
            live("GET /{x}/live"),
            asking(rule("GET /{x}/cedar", &[])),
            rule("GET /a/{p+}", &[]),
            asking(rule("GET /b/{p+}", &[])),
            live("GET /c/{p+}"),
            asking(rule("$default", &[])),
        ]);
        let judged = |path: &str, named: &str| {
            let gateway_route = Some(GatewayRoute { method: None, path: named.to_owned().into() });
            let request = Request { gateway_route, ..request("GET", path) };
            let matched = rules.route(&request).unwrap();
            let unless_granted: Vec<Denial> =
                matched.policy_questions("GET").into_iter().map(|(_, denial)| denial).collect();
            match matched.authorize(claims(json!({})), at(0.0))? {
                Ruling::Granted(GrantedRuling::Permit(_)) => Ok((unless_granted, false)),
                Ruling::Granted(GrantedRuling::PermitIfLive(_)) => Ok((unless_granted, true)),
                Ruling::AskPolicies(pending) => {
                    let is_live = matches!(pending.confirm(Granted::assertion()), GrantedRuling::PermitIfLive(_));
                    assert!(!unless_granted.is_empty());
                    Ok((unless_granted, is_live))
                }
            }
        };
        let gateway = Denial::ForbiddenFor("gateway route");
        for (path, named, expected) in [
            ("/a/x", "/a/{p+}", Ok((vec![], false))),
            ("/a/live", "/{x}/live", Ok((vec![], true))),
            ("/a/b", "/{x}/live", Ok((vec![], true))),
            ("/a/cedar", "/{x}/cedar", Ok((vec![gateway.clone()], false))),
            ("/a/b", "$default", Ok((vec![gateway.clone()], false))),
            ("/b/cedar", "/{x}/cedar", Ok((vec![Denial::Forbidden, gateway.clone()], false))),
            ("/b/live", "/{x}/live", Ok((vec![Denial::Forbidden], true))),
            ("/c/cedar", "/{x}/cedar", Ok((vec![gateway.clone()], true))),
            // The policies would see the path without the parameters of that route.
            ("/a/b", "/{x}/cedar", Err(gateway.clone())),
            ("/a/cedar%23x", "/{x}/cedar", Err(gateway)),
        ] {
            assert_eq!(judged(path, named), expected, "{path} {named}");
        }
    }

    #[test]
    fn a_request_whose_other_rule_asks_others_is_answered_for_itself() {
        let mut rules = of([rule("GET /a/x", &[]), Rule { introspect: true, ..rule("GET /a/{p+}", &[]) }]);
        rules.cover(true).unwrap();
        for (named, is_covering) in [("/a/x", true), ("/a/{p+}", false)] {
            let gateway_route = Some(GatewayRoute { method: None, path: named.into() });
            let request = Request { gateway_route, ..request("GET", "/a/x") };
            let matched = rules.route(&request).unwrap();
            assert_eq!(rules.token_permissions(&claims(json!({})), Some(&matched)).is_some(), is_covering, "{named}");
        }
    }

    #[test]
    fn a_rule_that_only_reports_lets_a_miss_in_and_says_what_would_be() {
        let reporting = |key: &str, checks: &[Check]| Rule { report_only: true, ..rule(key, checks) };
        let rules = of([
            reporting("GET /a", &[group("admin")]),
            rule("GET /b", &[group("admin")]),
            rule("GET /{x}/b", &[group("admin")]),
            reporting("GET /c/{x}", &[group("admin")]),
            rule("GET /d/{x}", &[]),
        ]);
        let ruled = |path: &str, gateway: Option<&str>, members: serde_json::Value| {
            let gateway_route = gateway.map(|path| GatewayRoute { method: None, path: path.into() });
            let request = Request { gateway_route, ..request("GET", path) };
            match rules.route(&request)?.authorize(claims(members), at(0.0))? {
                Ruling::Granted(GrantedRuling::Permit(permit)) => Ok(permit.would_be().cloned()),
                ruling @ (Ruling::Granted(_) | Ruling::AskPolicies(_)) => panic!("{ruling:?}"),
            }
        };
        let missing = Denial::InsufficientGroup(Missed::Claim);
        let gateway = Denial::ForbiddenFor("gateway route");
        for (path, named, expected) in [
            ("/a", None, Ok(Some(missing.clone()))),
            ("/b", None, Err(missing.clone())),
            ("/nowhere", None, Err(Denial::NoRoute)),
            // Each rule counts for itself.
            ("/a", Some("/b"), Err(gateway.clone())),
            ("/c/b", Some("/{x}/b"), Err(gateway.clone())),
            ("/b", Some("/a"), Err(missing.clone())),
            ("/d/b", Some("/c/{x}"), Ok(Some(gateway))),
            ("/c/b%23x", None, Ok(Some(missing.clone()))),
        ] {
            assert_eq!(ruled(path, named, json!({})), expected, "{path} {named:?}");
            let admin = ruled(path, named, json!({ "groups": ["admin"] }));
            assert_eq!(admin, if path == "/nowhere" { Err(Denial::NoRoute) } else { Ok(None) }, "{path} {named:?}");
        }
    }

    #[test]
    fn a_rule_answers_for_itself_where_it_asks_for_more_than_token_and_path() {
        assert!(!rule("GET /a", &[group("admin")]).answers_for_itself());
        assert!(Rule { introspect: true, ..rule("GET /a", &[]) }.answers_for_itself());
        assert!(asking(rule("GET /a", &[])).answers_for_itself());
        assert!(rule("GET /a", &[aged()]).answers_for_itself());
        let from_anywhere = Check::SourceIp(vec![IpBlock::parse("::/0").unwrap()]);
        assert!(rule("GET /a", &[from_anywhere]).answers_for_itself());
        assert!(Rule { report_only: true, ..rule("GET /a", &[]) }.answers_for_itself());
    }

    #[test]
    fn the_permissions_are_told_where_token_and_path_decide() {
        let mut rules = of([
            rule("GET /a", &[]),
            rule("GET /aged", &[aged()]),
            Rule { introspect: true, ..rule("GET /live", &[]) },
        ]);
        let has_permissions = |rules: &Rules, path: &str, members| {
            let request = request("GET", path);
            let matched = rules.route(&request).ok();
            rules.token_permissions(&claims(members), matched.as_ref()).is_some()
        };
        assert!(!has_permissions(&rules, "/a", json!({})));
        rules.cover(false).unwrap();
        assert!(has_permissions(&rules, "/a", json!({})) && has_permissions(&rules, "/nowhere", json!({})));
        assert!(!has_permissions(&rules, "/aged", json!({})) && !has_permissions(&rules, "/live", json!({})));
    }

    #[test]
    fn what_is_asked_of_the_policies_is_asked_of_every_reading_once() {
        let route = |key_text: &str| {
            let cedar = CedarRule::of_route(&key(key_text));
            of([Rule { cedar, ..rule(key_text, &[]) }])
        };
        let values = |path: &str| {
            let rules = route("GET /users/{id}");
            let request = request("GET", path);
            let matched = rules.route(&request).unwrap();
            let questions = matched.policy_questions("GET");
            assert!(questions.iter().all(|(question, _)| question.action == "get /users/{id}"));
            let value = |(question, _): &(PolicyQuestion<'_>, Denial)| question.path_parameters[0].1.to_string();
            questions.iter().map(value).collect::<Vec<_>>()
        };
        assert_eq!(values("/users/a"), texts(&["a"]));
        assert_eq!(values("/users/a;b"), texts(&["a;b", "a"]));
        assert_eq!(values("/users/%2561"), texts(&["%61", "a"]));
        assert_eq!(values("/users/a%23b"), texts(&["a#b", "a"]));
        assert_eq!(values("/users/a#b;c"), texts(&["a#b;c", "a#b", "a"]));
        assert_eq!(values("/users/\u{212a}"), texts(&["\u{212a}", "K"]));
        assert_eq!(values("/users/a\u{37e}"), texts(&["a\u{37e}", "a;", "a"]));
        assert_eq!(values("/users/a.json"), texts(&["a.json"]));
        let silent = of([rule("GET /a", &[])]);
        assert_eq!(silent.route(&request("GET", "/a")).unwrap().policy_questions("GET"), []);
    }
}
