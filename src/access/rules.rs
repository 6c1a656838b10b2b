//! The route table: finds the rule of a request and holds the claims against it.

use super::coverage::{Coverage, Inexpressible, RouteOfTable, Served, Standing, Surplus, served};
use super::path::SafePath;
use super::permit::{Permit, Ruling, UngrantedPermit};
use super::policy_question::{CedarRule, PolicyQuestion};
use super::requirement::{Facts, Requirement};
use super::route::{LetterCase, Method, RouteIndex, RouteKey};
use crate::denial::Denial;
use crate::request::{MAX_RESOURCE_CHARACTERS, Request, UnixSeconds};
use crate::token::Claims;
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
}

/// The whole table; a request that no rule serves is denied.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    routes: Vec<RouteKey>,
    index: RouteIndex,
    letter_case: LetterCase,
    coverage: Option<Coverage>,
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
    pub fn cover(&mut self, implicit_deny: bool) -> Result<Vec<Surplus>, Vec<Inexpressible>> {
        let (coverage, surplus) = self.coverage(implicit_deny)?;
        self.coverage = Some(coverage);
        Ok(surplus)
    }

    /// What [`Rules::cover`] would say.
    ///
    /// # Errors
    /// Why the table cannot be written as IAM policies.
    pub fn could_cover(&self, implicit_deny: bool) -> Result<Vec<Surplus>, Vec<Inexpressible>> {
        self.coverage(implicit_deny).map(|(_, surplus)| surplus)
    }

    fn coverage(&self, implicit_deny: bool) -> Result<(Coverage, Vec<Surplus>), Vec<Inexpressible>> {
        if self.letter_case == LetterCase::Ignored {
            return Err(vec![Inexpressible::LetterCase]);
        }
        let table = self.iter().map(|(route, rule)| RouteOfTable {
            key: &rule.key,
            route,
            requirement: &rule.requirement,
            answers_for_itself: rule.answers_for_itself(),
        });
        Coverage::new(&table.collect::<Vec<_>>(), implicit_deny)
    }

    /// By route of an API, which rules serve the requests that it gets; `None` where a
    /// path has too many segments to tell.
    #[must_use]
    pub fn serving(&self, api: &[&RouteKey]) -> Option<Vec<Served>> {
        served(&self.routes.iter().collect::<Vec<_>>(), api, self.letter_case)
    }

    /// The positions of an API's routes that get requests which no rule serves, and
    /// which policies that cover tokens allow while they are cached.
    #[must_use]
    pub fn opened_by_caching(&self, api: &[&RouteKey]) -> Vec<usize> {
        self.coverage.as_ref().map_or_else(Vec::new, |coverage| coverage.opened(api))
    }

    /// Whether any rule asks the Cedar policies.
    #[must_use]
    pub fn ask_policies(&self) -> bool {
        self.rules.iter().any(|rule| rule.cedar.is_some())
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
        let (path, other_readings, position) = if request.method == "$connect" {
            (SafePath::root(), Vec::new(), self.index.connect())
        } else {
            // API Gateway lets unusual methods through; they stand in the ARN.
            if !request.method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return Err(Denial::UnsafePath("a method with other than letters"));
            }
            let method = Method::parse(request.method);
            let path = SafePath::parse(request.path)?;
            let position = self.index.find(method, &path, self.letter_case);
            let mut readings = path.other_readings();
            let has_another_rule = |reading: &SafePath<'_>| {
                let other = self.index.find(method, reading, self.letter_case);
                other.is_some() && other != position
            };
            if position.is_some() && readings.iter().any(has_another_rule) {
                return Err(Denial::UnsafePath("another reading of it has another rule"));
            }
            if self.letter_case == LetterCase::Ignored {
                let in_lower_case = |path: &SafePath<'a>| path.in_case(self.letter_case);
                readings =
                    [&path].into_iter().chain(&readings).flat_map(|path| [path.clone(), in_lower_case(path)]).collect();
            }
            (path, readings, position)
        };
        let rule = position.and_then(|position| self.rules.get(position)).ok_or(Denial::NoRoute)?;
        Ok(MatchedRule { rule, path, other_readings })
    }

    /// What the token may use of the whole API, where the answer to this request is to
    /// say so: policies cover tokens, and neither the rule nor the token asks for more
    /// than token and path.
    ///
    /// # Errors
    /// [`Denial::Internal`] where no policy can say it.
    pub fn standing(&self, claims: &Claims, rule: Option<&MatchedRule<'_>>) -> Result<Option<Standing>, Denial> {
        let Some(coverage) = &self.coverage else { return Ok(None) };
        if claims.are_sender_bound() || rule.is_some_and(|matched| matched.rule.answers_for_itself()) {
            return Ok(None);
        }
        coverage.standing(claims).map(Some)
    }
}

impl Rule {
    /// Whether it depends on more than token and path, so that an answer holds for its
    /// own request alone.
    #[must_use]
    pub fn answers_for_itself(&self) -> bool {
        self.introspect || self.cedar.is_some() || self.requirement.depends_on_time()
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
        for path in [&self.path].into_iter().chain(&self.other_readings) {
            self.rule.requirement.hold(&Facts { claims: &claims, path, now })?;
        }
        let permit = Permit::new(claims);
        Ok(match self.rule.cedar {
            Some(_) => Ruling::PermitIfGranted(UngrantedPermit::new(permit, self.rule.introspect)),
            None => Ruling::without_policies(permit, self.rule.introspect),
        })
    }

    /// What the Cedar policies are asked of a request by this method, where the rule
    /// asks them; all of it must be granted: a backend may take the path in another way.
    #[must_use]
    pub fn policy_questions(&self, method: &str) -> Vec<PolicyQuestion<'_>> {
        let Some(cedar) = &self.rule.cedar else { return Vec::new() };
        let mut questions = vec![cedar.question(method, &self.path)];
        for path in &self.other_readings {
            let question = cedar.question(method, path);
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
        questions
    }
}
