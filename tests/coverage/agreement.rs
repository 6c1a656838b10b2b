//! The rules, and the policies that are answered for them, agree: for random tables, tokens and requests.

use crate::iam::{Call, Outcome, fits};
use crate::model::{self, Verdict};
use crate::readings;
use crate::stage::{Answer, CLIENT, Credential, Kind, PolicyAnswer, Stage, arn, now};
use crate::tables::{self, Ask, Key, Route, Segment, Settings, Table, Token};
use cognito_authorizer::config::Faults;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

/// What a policy that is cached may do on a path that belongs to no route of the table.
///
/// "A path that belongs to no route is denied wherever IAM can say so; where it cannot (`GET /users/{id}` beside `GET
/// /users/{id}/orders`: IAM's `*` crosses `/`), the start says so once, since the table must then name every route of the
/// API."
#[derive(Clone, Copy, PartialEq)]
enum NoRoute {
    /// Never allowed.
    #[allow(dead_code, reason = "the other way to read the sentence above")]
    Denied,
    /// Allowed only where two routes that this token may use overlap, seen as IAM's wildcards.
    AllowedWhereRoutesOverlap,
}
const NO_ROUTE: NoRoute = NoRoute::AllowedWhereRoutesOverlap;

/// A table, who asks, and what for. The first few requests are sent; what is answered is held against all of them.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) table: Table,
    pub(crate) tokens: Vec<Token>,
    pub(crate) seeds: Vec<tables::Seed>,
    pub(crate) kind: usize,
}

pub(crate) const SENT: usize = 4;
/// About as many as there are: some tables are refused, some requests are answered for themselves.
const CASES_OF_A_TABLE: usize = 150;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) tables: usize,
    pub(crate) refused: usize,
    pub(crate) cases: usize,
    pub(crate) allowed: usize,
    pub(crate) explicit: usize,
    pub(crate) own: usize,
    pub(crate) overlaps: usize,
    /// Requests of which API Gateway may run another route than the table's.
    pub(crate) run_elsewhere: usize,
    pub(crate) beyond_colons: usize,
    pub(crate) failed: usize,
}

#[test]
fn what_a_policy_says_later_is_what_the_rules_say() {
    let tally = run(&scenario(tables::table().boxed()), check);
    println!("{tally:?}");
    let accepted = tally.tables - tally.refused;
    assert!(accepted * 5 >= tally.tables, "{accepted} of {} tables were accepted: too few to prove much", tally.tables);
    assert!(tally.allowed * 20 >= tally.cases, "hardly anything is allowed");
    assert!(tally.explicit * 20 >= tally.cases, "hardly anything is denied");
}

#[test]
fn what_a_policy_allows_is_allowed_by_the_route_that_api_gateway_runs() {
    let tally = run(&scenario(tables::crossing_table().boxed()), check);
    println!("{tally:?}");
    assert!(tally.run_elsewhere * 1000 >= tally.cases, "API Gateway hardly ever runs another route: {tally:?}");
}

#[test]
fn what_is_answered_for_one_request_is_what_the_rules_say() {
    let tally = run(&scenario(tables::table().boxed()), check_single);
    println!("{tally:?}");
    assert!(tally.allowed * 10 >= tally.cases, "hardly anything is allowed");
    assert!(tally.explicit * 10 >= tally.cases, "hardly anything is denied");
}

/// Runs a property on as many scenarios as `COVERAGE_CASES` asks for.
pub(crate) fn run(
    strategy: &impl Strategy<Value = Scenario>,
    property: impl Fn(&Scenario, &mut Tally) -> Result<(), String>,
) -> Tally {
    let cases =
        std::env::var("COVERAGE_CASES").map_or(60_000, |cases| cases.parse().expect("COVERAGE_CASES is a number"));
    let seed = match std::env::var("COVERAGE_SEED").as_deref() {
        Err(_) => 0,
        Ok("random") => u64::from(std::process::id()) ^ u64::try_from(now()).unwrap().rotate_left(32),
        Ok(seed) => seed.parse().expect("COVERAGE_SEED is a number, or `random`"),
    };
    println!("COVERAGE_CASES={cases} COVERAGE_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(usize::max(1, cases / CASES_OF_A_TABLE)).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let tally = RefCell::new(Tally::default());
    let outcome =
        runner.run(strategy, |scenario| property(&scenario, &mut tally.borrow_mut()).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => tally.into_inner(),
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("given up: {reason}"),
    }
}

pub(crate) fn scenario(table: BoxedStrategy<Table>) -> impl Strategy<Value = Scenario> {
    (table, vec(tables::token(), 2), vec(tables::seed(), 32), 0..Kind::ALL.len())
        .prop_map(|(table, tokens, seeds, kind)| Scenario { table, tokens, seeds, kind })
}

/// All that must hold of one table.
pub(crate) fn check(scenario: &Scenario, tally: &mut Tally) -> Result<(), String> {
    if !scenario.table.settings.covers_token {
        return Ok(());
    }
    tally.tables += 1;
    let table = &scenario.table;
    let stage = match Stage::start(table) {
        Ok(stage) => stage,
        Err(faults) => {
            tally.refused += 1;
            return names_two_routes(table, &faults);
        }
    };
    for token in &scenario.tokens {
        let (credential, asks) = (Credential::of(token), asks(scenario, token));
        let on = Held {
            table,
            token,
            credential: &credential,
            kind: kind(scenario, token),
            asks: &asks,
            sent: SENT,
            readings: RefCell::default(),
        };
        on.covers_the_token(&stage, tally)?;
    }
    Ok(())
}

/// The other setting: each answer speaks of its own request, as the model judges it.
fn check_single(scenario: &Scenario, tally: &mut Tally) -> Result<(), String> {
    let settings = Settings { covers_token: false, ..scenario.table.settings.clone() };
    let table = &Table { settings, ..scenario.table.clone() };
    let stage = Stage::start(table)
        .map_err(|faults| format!("the generator made a table that is no table:\n{}\n{faults}", table.yaml()))?;
    for token in &scenario.tokens {
        let (credential, asks) = (Credential::of(token), asks(scenario, token));
        let on = Held {
            table,
            token,
            credential: &credential,
            kind: kind(scenario, token),
            asks: &asks,
            sent: SENT,
            readings: RefCell::default(),
        };
        for ask in &asks {
            tally.cases += 1;
            let answer = stage.ask(on.kind, ask, &credential).map_err(|wrong| on.report(ask, &wrong, None))?;
            on.speaks_of_its_own(ask, &answer)?;
            match on.judge(ask) {
                Verdict::Allowed(_) => tally.allowed += 1,
                Verdict::Denied(_) => tally.explicit += 1,
                Verdict::Unsafe | Verdict::NoRoute => {}
            }
        }
        on.bad_tokens_learn_nothing(&stage)?;
    }
    Ok(())
}

pub(crate) fn asks(scenario: &Scenario, token: &Token) -> Vec<Ask> {
    scenario.seeds.iter().map(|seed| seed.ask(&scenario.table, token)).collect()
}

/// A TOKEN event and one of payload format 1.0 carry no certificate.
pub(crate) fn kind(scenario: &Scenario, token: &Token) -> Kind {
    let kind = Kind::ALL[scenario.kind % Kind::ALL.len()];
    if token.is_bound && kind != Kind::Http2 { Kind::RestRequest } else { kind }
}

/// A table that is refused is told which two of its routes cannot stand together, or what would have to be stated.
fn names_two_routes(table: &Table, faults: &Faults) -> Result<(), String> {
    for fault in &faults.0 {
        let text = fault.to_string();
        let is_named = |route: &&Route| {
            let key = route.key_text();
            text.contains(&format!("`{key}`")) || fault.place == format!("routes.{key}")
        };
        let named: Vec<&Route> = table.routes.iter().filter(is_named).collect();
        // One user's place and another's are of one route.
        let is_enough = match named[..] {
            [] => text.contains("API Gateway takes 7168 beside the context"),
            [one] => one.needs.asks_for_sub(),
            _ => true,
        };
        if !is_enough {
            return Err(format!("refused without the two routes named:\n{}\n{text}", table.yaml()));
        }
    }
    Ok(())
}

/// One token held against one table.
pub(crate) struct Held<'a> {
    pub(crate) table: &'a Table,
    pub(crate) token: &'a Token,
    pub(crate) credential: &'a Credential,
    pub(crate) kind: Kind,
    pub(crate) asks: &'a [Ask],
    /// How many of them are sent.
    pub(crate) sent: usize,
    /// The verdicts on the other readings of what was asked, once they are known.
    pub(crate) readings: RefCell<HashMap<Ask, Rc<[Verdict<'a>]>>>,
}

impl Held<'_> {
    pub(crate) fn judge(&self, ask: &Ask) -> Verdict<'_> {
        model::judge(self.table, self.token, ask)
    }

    /// The policy for a token: one and the same whatever is asked, and right wherever it is held against.
    pub(crate) fn covers_the_token(&self, stage: &Stage, tally: &mut Tally) -> Result<(), String> {
        // Of HTTP routes, and of `$connect`: no API has both.
        let mut first: [Option<(&Ask, Box<PolicyAnswer>)>; 2] = [None, None];
        for ask in self.asks.iter().step_by((self.asks.len() / self.sent).max(1)) {
            let wrong = |wrong: &str, answer: Option<&PolicyAnswer>| Err(self.report(ask, wrong, answer));
            let answer = match stage.ask(self.kind, ask, self.credential) {
                // Nothing is cached where a Deny of the request would match others too.
                Ok(Answer::Failed(reason)) => match self.judge(ask) {
                    Verdict::Unsafe if reason == "unsafe_path" && has_wildcards(ask) => continue,
                    _ => return wrong(&format!("the invocation failed: {reason}"), None),
                },
                Ok(answer) => answer,
                Err(reason) => return wrong(&reason, None),
            };
            let verdict = self.judge(ask);
            let is_own = self.token.is_bound || verdict.route().is_some_and(Route::is_own);
            // What has another reading may be refused before it is known whose route it is on.
            if is_own && self.has_another_reading(ask) {
                match answer {
                    Answer::Policy(answer) if !verdict.is_allowed() && at(&answer, ask, now()) == Outcome::Allow => {
                        return wrong("the answer to a request that is denied allows it", Some(&answer));
                    }
                    Answer::Policy(_) | Answer::Unauthorized | Answer::Failed(_) => continue,
                }
            }
            if is_own {
                tally.own += 1;
                self.speaks_of_its_own(ask, &answer)?;
                continue;
            }
            let Answer::Policy(answer) = answer else { return wrong("a good token is unauthorized", None) };
            match at(&answer, ask, now()) {
                Outcome::Allow if !verdict.is_allowed() => {
                    return wrong("the answer to a request that is denied allows it", Some(&answer));
                }
                Outcome::ImplicitDeny if !verdict.is_allowed() && !self.table.settings.implicit_deny => {
                    return wrong("the answer to a request that is denied is silent about it", Some(&answer));
                }
                Outcome::Allow | Outcome::ExplicitDeny | Outcome::ImplicitDeny => {}
            }
            let place = usize::from(*ask == Ask::Connect);
            // Where IAM cannot say that what is asked for is denied, the answer has one more Deny: it is judged by itself.
            // So it has for a path with an escape, of which IAM and the rules need not agree.
            let has_escape = matches!(ask, Ask::Http(_, path) if path.contains('%'));
            let is_plain = verdict.route().is_some() && !self.has_another_reading(ask) && !has_escape;
            match &first[place] {
                Some((_, first)) if first.value == answer.value => {
                    tally.cases += self.asks.len();
                    continue;
                }
                Some((other, _)) if is_plain => {
                    return wrong(&format!("the answer to {other:?} was another for the same token"), Some(&answer));
                }
                _ => {}
            }
            for reason in ["reason", "error", "error_description"] {
                if answer.context.contains_key(reason) {
                    return wrong(&format!("{reason} in a context that is cached for the token"), Some(&answer));
                }
            }
            if answer.principal != self.principal() {
                return wrong("the principal is another", Some(&answer));
            }
            for later in self.asks {
                tally.cases += 1;
                self.is_right_later(ask, &answer, later, tally)?;
                self.is_allowed_when_asked(stage, &answer, later, tally)?;
            }
            if is_plain {
                first[place] = Some((ask, answer));
            }
        }
        self.bad_tokens_learn_nothing(stage)
    }

    /// One policy held against one later request.
    fn is_right_later(&self, ask: &Ask, answer: &PolicyAnswer, later: &Ask, tally: &mut Tally) -> Result<(), String> {
        let outcome = at(answer, later, now());
        let verdict = self.judge(later);
        let wrong = |wrong: &str| {
            Err(self.report(
                ask,
                &format!("held against {later:?}: {verdict:?}, the policy says {outcome:?}: {wrong}"),
                Some(answer),
            ))
        };
        let path = if let Ask::Http(_, path) = later { path } else { "" };
        // What a route of the table writes out is never denied as another name of a stricter one.
        let is_odd = !verdict.route().is_some_and(is_written_out) && self.is_odd_to_a_policy(path, answer);
        // "On every safe path (here: also without `%`)"; and a path parameter (`;`), which some backends take off, is denied
        // wherever a literal that is stricter somewhere stands before it.
        let may_be_refused = path.contains(['%', ';', '#']) || self.has_another_reading(later) || is_odd;
        // A policy for HTTP routes need not speak of `$connect`, nor the other way round.
        let same_api = (*ask == Ask::Connect) == (*later == Ask::Connect);
        let is_allowed = outcome == Outcome::Allow;
        match outcome {
            Outcome::Allow => tally.allowed += 1,
            Outcome::ExplicitDeny => tally.explicit += 1,
            Outcome::ImplicitDeny => {}
        }
        if is_allowed
            && self.table.settings.expires_with_token
            && at(answer, later, self.credential.exp) == Outcome::Allow
        {
            return wrong("and still says so when the token has expired");
        }
        let is_sayable = iam_can_say(path, answer);
        // Other forms of letters are listed for one reading alone.
        if path.contains(':') && is_sayable && !has_other_letters(path) {
            let within_colons = answer.policy.evaluate_within_colons(Call { arn: &arn(later), now: now() });
            tally.beyond_colons += 1;
            let must_not = match verdict {
                Verdict::Unsafe | Verdict::Denied(_) => true,
                Verdict::Allowed(_) => self.has_a_stricter_reading(later),
                Verdict::NoRoute => false,
            };
            if must_not && within_colons == Outcome::Allow {
                return wrong("it is allowed where wildcards end at colons");
            }
        }
        match verdict {
            Verdict::Unsafe if is_allowed && is_sayable => wrong("an unsafe path is denied where IAM can say it"),
            Verdict::Allowed(_) if is_allowed && is_sayable && self.has_a_stricter_reading(later) => {
                wrong("a backend can read it as a path that is denied")
            }
            Verdict::Unsafe => Ok(()),
            Verdict::NoRoute if is_allowed => {
                tally.overlaps += 1;
                match NO_ROUTE {
                    NoRoute::AllowedWhereRoutesOverlap if self.is_between_routes(later) => Ok(()),
                    NoRoute::AllowedWhereRoutesOverlap | NoRoute::Denied => {
                        wrong("no route serves it, and IAM can say so")
                    }
                }
            }
            Verdict::NoRoute => Ok(()),
            Verdict::Allowed(route) if route.is_own() => match is_allowed {
                true => wrong("what only a live check may allow is cached"),
                false => Ok(()),
            },
            Verdict::Allowed(_) if may_be_refused || !same_api => Ok(()),
            // What cannot be written for one route costs that route.
            Verdict::Allowed(route)
                if !is_allowed
                    && route.needs.asks_for_sub()
                    && (self.is_too_long_for_a_policy() || self.is_named_like_a_route()) =>
            {
                tally.failed += 1;
                Ok(())
            }
            Verdict::Allowed(_) if !is_allowed => wrong("the rules allow it"),
            Verdict::Allowed(_) => Ok(()),
            Verdict::Denied(_) if is_allowed => wrong("the rules deny it"),
            Verdict::Denied(route) => {
                let may_be_silent = self.table.settings.implicit_deny || may_be_refused || !same_api || route.is_own();
                match outcome == Outcome::ImplicitDeny && !may_be_silent {
                    true => wrong("the rules deny it, and silence is not enough"),
                    false => Ok(()),
                }
            }
        }
    }

    /// What a policy allows later is allowed when it is asked, with the event naming the route that API Gateway runs.
    fn is_allowed_when_asked(
        &self,
        stage: &Stage,
        answer: &PolicyAnswer,
        later: &Ask,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let own = self.judge(later).route();
        let others = model::gateway_routes(self.table, later).into_iter();
        for route in others.filter(|route| own.is_some_and(|own| own.key != route.key)) {
            if at(answer, later, now()) != Outcome::Allow {
                return Ok(());
            }
            tally.run_elsewhere += 1;
            for kind in [Kind::RestRequest, Kind::Http2] {
                match stage.ask_of_route(kind, later, self.credential, route) {
                    Ok(Answer::Policy(asked)) if at(&asked, later, now()) == Outcome::Allow => {}
                    asked => {
                        let wrong = format!(
                            "{later:?} is allowed, and not when an event names `{}`: {asked:?}",
                            route.key_text()
                        );
                        return Err(self.report(later, &wrong, Some(answer)));
                    }
                }
            }
        }
        Ok(())
    }

    /// The answer speaks of the one request, and rightly.
    fn speaks_of_its_own(&self, ask: &Ask, answer: &Answer) -> Result<(), String> {
        let verdict = self.judge(ask);
        let answer = match answer {
            Answer::Policy(answer) => answer,
            // A WebSocket event carries no certificate here.
            Answer::Unauthorized if self.token.is_bound && *ask == Ask::Connect => return Ok(()),
            Answer::Unauthorized => return Err(self.report(ask, "a good token is unauthorized", None)),
            Answer::Failed(reason) => return Err(self.report(ask, &format!("the invocation failed: {reason}"), None)),
        };
        let wrong = |wrong: &str| Err(self.report(ask, wrong, Some(answer)));
        if self.token.is_bound && *ask == Ask::Connect {
            return if answer.policy.has_allow() { wrong("a bound token without its certificate") } else { Ok(()) };
        }
        if answer.principal != self.principal() {
            return wrong("the principal is another");
        }
        let has_reason = answer.context.contains_key("reason");
        match (verdict, at(answer, ask, now())) {
            // What cannot be written as a Resource need not be told apart from silence.
            (Verdict::Unsafe, outcome) if outcome != Outcome::Allow && !answer.policy.has_allow() => return Ok(()),
            (Verdict::Allowed(_), Outcome::Allow) if !has_reason => {}
            (Verdict::Allowed(_), Outcome::ExplicitDeny) if has_reason && self.has_another_reading(ask) => {}
            (Verdict::NoRoute | Verdict::Denied(_), Outcome::ExplicitDeny) if has_reason => {}
            (_, outcome) => return wrong(&format!("{outcome:?} where the rules say {verdict:?}, reason {has_reason}")),
        }
        match answer.policy.resources().all(|resource| resource == arn(ask)) {
            true => Ok(()),
            false => wrong("it speaks of other requests"),
        }
    }

    /// A 401 that is answered with a policy is of nobody. It speaks of its own request alone, or, where policies cover
    /// tokens, of all requests, and then only if the token is bad for good.
    fn bad_tokens_learn_nothing(&self, stage: &Stage) -> Result<(), String> {
        let Some(ask) = self.asks.iter().find(|ask| **ask != Ask::Connect) else { return Ok(()) };
        let settings = &self.table.settings;
        for (what, credential, is_final) in self.credential.spoilt() {
            let is_kept = settings.denies_unauthorized && (is_final || !settings.covers_token);
            let answer = match stage.ask(self.kind, ask, &credential).map_err(|wrong| self.report(ask, &wrong, None))? {
                Answer::Policy(answer) if is_kept => answer,
                Answer::Unauthorized if !is_kept => continue,
                answer => return Err(self.report(ask, &format!("{what}: {answer:?}"), None)),
            };
            let wrong = |wrong: &str| Err(self.report(ask, &format!("{what}: {wrong}"), Some(&answer)));
            if answer.principal != "anonymous" || answer.policy.has_allow() || answer.context.contains_key("sub") {
                return wrong("a bad token gets more than a Deny for nobody");
            }
            if settings.covers_token {
                match self.asks.iter().find(|later| at(&answer, later, now()) != Outcome::ExplicitDeny) {
                    Some(later) => return wrong(&format!("it does not deny {later:?}")),
                    None => continue,
                }
            }
            if matches!(self.judge(ask), Verdict::Unsafe) {
                continue;
            }
            if at(&answer, ask, now()) != Outcome::ExplicitDeny {
                return wrong("its own request is not denied");
            }
            if self.asks.iter().any(|later| later != ask && at(&answer, later, now()) != Outcome::ImplicitDeny) {
                return wrong("it speaks of other requests");
            }
        }
        Ok(())
    }

    /// Some methods and a claim of hundreds of characters are more than 8 KB, or more than a Resource may have: the route
    /// is denied.
    fn is_too_long_for_a_policy(&self) -> bool {
        let is_long = self.token.sub.as_ref().is_some_and(|sub| sub.len() > 300);
        is_long && self.table.routes.iter().any(|route| route.needs.asks_for_sub())
    }

    /// Who is called like a segment of a route may have a place within it that no policy can tell from the others'. The
    /// start cannot foresee such names; the route is denied.
    fn is_named_like_a_route(&self) -> bool {
        let is_named = |segment: &Segment| {
            let sub = self.token.sub.as_deref().unwrap_or_default();
            matches!(segment, Segment::Literal(name) if sub.split('/').any(|part| part == *name))
        };
        let is_bound = self.table.routes.iter().any(|route| route.needs.asks_for_sub());
        is_bound
            && self.table.routes.iter().any(|route| match &route.key {
                Key::Path(_, segments) => segments.iter().any(is_named),
                Key::Connect | Key::Default => false,
            })
    }

    fn principal(&self) -> &str {
        self.token.sub.as_deref().filter(|sub| !sub.is_empty()).unwrap_or(CLIENT)
    }

    /// Whether a backend could read the path so that it serves the request under another route, or for another user.
    pub(crate) fn has_another_reading(&self, ask: &Ask) -> bool {
        let seen = |verdict: Verdict<'_>| (verdict.route().map(Route::key_text), verdict.is_allowed());
        let first = seen(self.judge(ask));
        self.readings(ask).iter().any(|verdict| seen(*verdict) != first)
    }

    /// Whether a backend could read it so that it serves it under a route that is denied to this token.
    fn has_a_stricter_reading(&self, ask: &Ask) -> bool {
        self.readings(ask).iter().any(|verdict| matches!(verdict, Verdict::Denied(_)))
    }

    fn readings(&self, ask: &Ask) -> Rc<[Verdict<'_>]> {
        let mut known = self.readings.borrow_mut();
        let verdicts = || readings::verdicts(self.table, self.token, ask).into();
        Rc::clone(known.entry(ask.clone()).or_insert_with(verdicts))
    }

    /// Whether a Deny of what is unsafe, or of what some backends take for a denied route, reaches a bit further than that.
    fn is_odd_to_a_policy(&self, path: &str, answer: &PolicyAnswer) -> bool {
        let names = self.table.routes.iter().filter_map(|route| match &route.key {
            Key::Path(_, segments) => Some(segments),
            Key::Connect | Key::Default => None,
        });
        let mut names = names.flatten().filter_map(|segment| match segment {
            Segment::Literal(name) => Some(*name),
            Segment::Parameter(_) | Segment::Greedy(_) => None,
        });
        let starts_oddly = |segment: &str| [" ", ". ", ".. "].iter().any(|start| segment.starts_with(start));
        let beyond_a_colon = path.split_once(':').is_some_and(|(_, rest)| rest.contains("/.") || rest.contains("/ "));
        let has_room_for_each = !answer.policy.resources().any(|resource| resource.ends_with("/* *"));
        let is_within_reach = |name: &str| {
            let begins = |after: &str| path.contains(&format!("/{name}{after}"));
            begins(".") || begins(" ")
        };
        path.split('/').any(starts_oddly)
            || beyond_a_colon
            || path.contains([
                '\u{a0}', '\u{3000}', '\u{ff0e}', '\u{2024}', '\u{2025}', '\u{fe52}', '\u{ff0f}', '\u{ff3c}',
            ])
            || names.any(is_within_reach)
            || !has_room_for_each && (path.contains(' ') || path.contains("./"))
    }

    /// Whether the request lies where a route that this token may use, seen as a wildcard, overlaps another such route
    /// of more segments, or the same one where it is greedy: to deny what lies between would be to deny the other.
    fn is_between_routes(&self, ask: &Ask) -> bool {
        let Ask::Http(method, path) = ask else { return false };
        let path = format!("{method}{path}");
        let usable = |route: &&Route| !route.is_own() && (model::might_hold(&route.needs, self.token));
        let is_greedy = |segments: &[Segment]| matches!(segments.last(), Some(Segment::Greedy(_)));
        let depth = |segments: &[Segment]| if is_greedy(segments) { usize::MAX } else { segments.len() };
        let patterns: Vec<(usize, String)> = self
            .table
            .routes
            .iter()
            .filter(usable)
            .filter_map(|route| match &route.key {
                Key::Path(named, segments) if named.is_none_or(|named| named == *method) => {
                    Some((depth(segments), wildcard(method, segments)))
                }
                _ => None,
            })
            .collect();
        patterns.iter().any(|(length, pattern)| {
            (fits(pattern, &path) || fits(&format!("{pattern}/"), &path))
                && patterns.iter().any(|(other_length, other)| {
                    (other_length > length || *other_length == usize::MAX) && overlap(pattern, other)
                })
        })
    }

    pub(crate) fn report(&self, ask: &Ask, wrong: &str, answer: Option<&PolicyAnswer>) -> String {
        let mut report = format!("\n{wrong}\n\n{}claims:  {}\n", self.table.yaml(), self.credential.claims);
        writeln!(report, "asked:   {:?} {ask:?}\nby model {:?}", self.kind, self.judge(ask)).unwrap();
        if let Some(answer) = answer {
            writeln!(report, "answer:  {:#}", answer.value).unwrap();
        }
        report
    }
}

fn at(answer: &PolicyAnswer, ask: &Ask, now: i64) -> Outcome {
    answer.policy.evaluate(Call { arn: &arn(ask), now })
}

/// Whether IAM would read something of the request as a wildcard or a variable, or could not take it for its length.
fn has_wildcards(ask: &Ask) -> bool {
    let arn = arn(ask);
    arn.contains(['*', '?']) || arn.contains("${") || arn.contains(char::is_control) || arn.chars().count() > 512
}

/// "as far as IAM can say it": not wildcards and variables as text, control characters, and escapes that mean nothing. Of
/// other forms of letters the policy may have a list.
fn iam_can_say(path: &str, answer: &PolicyAnswer) -> bool {
    let mut text = path.to_owned();
    while let Some(deeper) = model::unescaped(&text).filter(|deeper| *deeper != text) {
        text = deeper;
    }
    let is_sayable = model::unescaped(path).is_some()
        && !text.contains(['*', '?'])
        && !text.contains("${")
        && !path.contains(char::is_control)
        && format!("GET{path}").len() < 400;
    let has = |end: &str| answer.policy.resources().any(|resource| resource.ends_with(end));
    let has_other_forms = has("/*\u{3000}*") && (!path.contains('%') || has("/*%E3%80%80*") || has("/*%*"));
    let is_listed = |c: char| has_other_forms && "\u{a0}\u{3000}\u{ff0e}".contains(c);
    is_sayable && text.chars().all(|c| c.is_ascii() || is_listed(c))
}

/// Whether a route has one path, without parameters.
fn is_written_out(route: &Route) -> bool {
    let is_literal = |segment: &Segment| matches!(segment, Segment::Literal(_));
    matches!(&route.key, Key::Path(_, segments) if segments.iter().all(is_literal))
}

fn has_other_letters(path: &str) -> bool {
    !path.is_ascii() || model::unescaped(path).is_some_and(|text| !text.is_ascii())
}

/// A route as IAM's wildcards see it.
fn wildcard(method: &str, segments: &[Segment]) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Literal(name) => format!("/{name}"),
        Segment::Parameter(_) | Segment::Greedy(_) => "/?*".to_owned(),
    };
    let path: String = segments.iter().map(segment).collect();
    format!("{method}{}", if path.is_empty() { "/" } else { &path })
}

/// Whether some text fits both patterns.
fn overlap(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    // reachable[i][j]: the first i and j of the patterns can stand for the same text.
    let mut reachable = vec![vec![false; other.len() + 1]; one.len() + 1];
    reachable[0][0] = true;
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            let star = |pattern: &[char], place: usize| place > 0 && pattern[place - 1] == '*';
            let skips_one = i > 0 && one[i - 1] == '*' && reachable[i - 1][j];
            let skips_other = j > 0 && other[j - 1] == '*' && reachable[i][j - 1];
            let one_takes = star(&one, i) && j > 0 && reachable[i][j - 1];
            let other_takes = star(&other, j) && i > 0 && reachable[i - 1][j];
            let both = i > 0 && j > 0 && reachable[i - 1][j - 1] && {
                let (a, b) = (one[i - 1], other[j - 1]);
                a == b || a == '?' || b == '?'
            };
            reachable[i][j] |= skips_one || skips_other || one_takes || other_takes || both;
        }
    }
    reachable[one.len()][other.len()]
}

#[test]
fn patterns_overlap_where_a_text_fits_both() {
    for (one, other, expected) in [
        ("a", "a", true),
        ("a", "b", false),
        ("?*", "a/b", true),
        ("?*", "", false),
        ("a/?*", "?*/b", true),
        ("a/?*", "b/?*", false),
        ("a/?*", "a", false),
        ("a/?*/c", "a/b/?*", true),
        ("*a", "b*", true),
    ] {
        assert_eq!(overlap(one, other), expected, "{one} {other}");
        assert_eq!(overlap(other, one), expected, "{other} {one}");
    }
}
