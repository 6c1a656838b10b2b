//! Rules that serve the same requests, and whom one of them lets in and the other does not.

use super::judge::{Verdict, Witness};
use super::paths::{self, Segment};
use super::report::{Difference, Direction, Proof};
use super::terms::{Fact, Term, facts, terms};
use super::tokens::{Built, Mentioned, build};
use cognito_authorizer::access::Rule;
use cognito_authorizer::config::Config;
use cognito_authorizer::request::UnixSeconds;
use std::collections::{BTreeMap, BTreeSet};

/// Two configurations and a time.
#[derive(Clone, Copy)]
pub(super) struct Pair<'c> {
    pub(super) old: &'c Config,
    pub(super) new: &'c Config,
    pub(super) now: UnixSeconds,
}

/// A request of a kind.
#[derive(Clone, Debug)]
pub(super) struct Request {
    method: &'static str,
    segments: Vec<Segment>,
    /// What segments begin with that no key has.
    other: String,
}

/// The rules of both tables that serve some request, by their keys.
pub(super) type Served<'c> = (Option<&'c str>, Option<&'c str>);

/// What has become of the table.
pub(super) fn differences(pair: Pair<'_>) -> Vec<Difference> {
    let kinds = match kinds(pair) {
        Ok(kinds) => kinds,
        Err(paths::TooMany) => {
            return vec![Difference::undecided("routes", "the tables have more kinds of paths than are looked at")];
        }
    };
    let mut found = Vec::new();
    for ((old, new), requests) in &kinds {
        let rules = (rule(pair.old, *old), rule(pair.new, *new));
        if let (Some(one), Some(other)) = rules
            && asks_the_same(one, other)
        {
            continue;
        }
        let name = match (old, new) {
            (Some(old), Some(new)) if old == new => (*old).to_owned(),
            (Some(old), Some(new)) => format!("{old} -> {new}"),
            (Some(old), None) => format!("{old} -> no rule"),
            (None, Some(new)) => format!("no rule -> {new}"),
            (None, None) => continue,
        };
        let search = Search { pair, requests, undecided: BTreeSet::new() };
        found.extend(search.run(&name, rules));
    }
    found
}

/// Requests of every kind, by the rules that serve them.
pub(super) fn kinds<'c>(pair: Pair<'c>) -> Result<BTreeMap<Served<'c>, Vec<Request>>, paths::TooMany> {
    let keys = |config: &'c Config| config.rules().iter().map(|(_, rule)| &*rule.key);
    let mut kinds: BTreeMap<Served<'c>, Vec<Request>> = BTreeMap::new();
    let mut other = "x".to_owned();
    while keys(pair.old).chain(keys(pair.new)).any(|key| key.contains(&format!("/{other}"))) {
        other.push('x');
    }
    let mut add = |request: Request| {
        let witness = Witness::of(&request, &|_| None);
        let served = (witness.rule(pair.old), witness.rule(pair.new));
        let known = kinds.entry(served).or_default();
        if known.len() < MAX_REQUESTS {
            known.push(request);
        }
    };
    for segments in paths::kinds(keys(pair.old).chain(keys(pair.new)))? {
        for method in METHODS {
            add(Request { method, segments: segments.clone(), other: other.clone() });
        }
    }
    add(Request { method: "$connect", segments: Vec::new(), other: other.clone() });
    Ok(kinds)
}

fn rule<'c>(config: &'c Config, key: Option<&str>) -> Option<&'c Rule> {
    let key = key?;
    config.rules().iter().map(|(_, rule)| rule).find(|rule| &*rule.key == key)
}

fn asks_the_same(one: &Rule, other: &Rule) -> bool {
    let actions = |rule: &Rule| rule.cedar.as_ref().map(|cedar| cedar.actions());
    one.requirement == other.requirement
        && (one.introspect, one.report_only) == (other.introspect, other.report_only)
        && actions(one) == actions(other)
        && (one.key == other.key || !one.requirement.binds_path())
}

struct Search<'s> {
    pair: Pair<'s>,
    requests: &'s [Request],
    undecided: BTreeSet<String>,
}

impl Search<'_> {
    fn run(mut self, name: &str, (old, new): (Option<&Rule>, Option<&Rule>)) -> Vec<Difference> {
        let pair = self.pair;
        let (mut found, mut undecided) = (Vec::new(), BTreeSet::new());
        for (direction, lenient, strict, rule, other) in
            [(Direction::Widened, pair.new, pair.old, new, old), (Direction::Narrowed, pair.old, pair.new, old, new)]
        {
            let Some(rule) = rule else { continue };
            self.undecided.clear();
            match self.witness(lenient, strict, rule, other) {
                Some(witness) => {
                    let verdicts = [witness.judged_by(pair.old, pair.now), witness.judged_by(pair.new, pair.now)];
                    found.push(Difference::route(direction, name, Proof { witness, verdicts }));
                }
                None => undecided.append(&mut self.undecided),
            }
        }
        found.extend(undecided.iter().map(|why| Difference::undecided(name, why)));
        found
    }

    /// The smallest token and request that `lenient` lets in by this rule, and `strict` does not.
    fn witness(&mut self, lenient: &Config, strict: &Config, rule: &Rule, other: Option<&Rule>) -> Option<Witness> {
        let mut all = facts(&rule.requirement);
        all.extend(other.iter().flat_map(|other| facts(&other.requirement)));
        let mut mentioned = Mentioned::default();
        mentioned.add(&all);
        lenient
            .shared_expectations()
            .chain(strict.shared_expectations())
            .for_each(|issuer| mentioned.add_issuer(issuer));
        let alternatives: Vec<Term> = match (rule.report_only, terms(&rule.requirement)) {
            // It lets in whoever has a good token.
            (true, _) => vec![Vec::new()],
            (false, Ok(terms)) => terms,
            (false, Err(_)) => {
                self.undecided.insert("the rule has more alternatives than are looked at".to_owned());
                return None;
            }
        };
        let binds = rule.requirement.binds_path() || other.is_some_and(|other| other.requirement.binds_path());
        let requests = if binds { self.requests } else { self.requests.get(..1).unwrap_or_default() };
        if binds && self.requests.len() >= MAX_REQUESTS {
            self.undecided.insert("more kinds of paths have these two rules than are looked at".to_owned());
        }
        let mut weaker = None;
        for term in &alternatives {
            for request in requests {
                for values in values(request, rule, term, &all, &mut self.undecided) {
                    let parameter = |name: &str| {
                        let place = paths::place(&rule.key, name)?;
                        let segments = Witness::segments(request, &|place| values.get(&place).cloned());
                        let is_greedy = rule.key.contains(&format!("{{{name}+}}"));
                        if is_greedy { Some(segments.get(place..)?.join("/")) } else { segments.get(place).cloned() }
                    };
                    for issuer in lenient.shared_expectations() {
                        let built = build(term, issuer, &mentioned, &parameter, self.pair.now.as_f64());
                        let tokens = match built {
                            Built::Tokens(tokens) => tokens,
                            Built::Impossible => continue,
                            Built::Unknown(what) => {
                                self.undecided.insert(format!("it depends on {what}"));
                                continue;
                            }
                        };
                        for (claims, address) in tokens {
                            let mut witness = Witness::of(request, &|place| values.get(&place).cloned());
                            witness.claims = claims;
                            witness.address = address;
                            if witness.rule(lenient) != Some(&*rule.key) {
                                continue;
                            }
                            let [own, others] =
                                [lenient, strict].map(|config| witness.judged_by(config, self.pair.now));
                            // Of tokens that only one of them accepts another section speaks.
                            if matches!(own, Verdict::NotAccepted(_)) || matches!(others, Verdict::NotAccepted(_)) {
                                continue;
                            }
                            match (own.lets_in_more_than(&others), others.is_allowed()) {
                                (true, false) => return Some(witness),
                                (true, true) if weaker.is_none() => weaker = Some(witness),
                                (true, true) | (false, true) => {}
                                // The token should have met this alternative.
                                (false, false) => {
                                    if !own.is_allowed() {
                                        self.undecided.insert("a token that should meet the rule does not".to_owned());
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        weaker
    }
}

/// Values of path parameters, by their places: all distinct, all the same, and those that a claim is also compared with.
fn values(
    request: &Request,
    rule: &Rule,
    term: &Term,
    all: &[Fact],
    undecided: &mut BTreeSet<String>,
) -> Vec<BTreeMap<usize, String>> {
    let bound: BTreeSet<usize> = term
        .iter()
        .filter_map(|fact| if let Fact::Bound(_, name) = fact { paths::place(&rule.key, name) } else { None })
        .filter(|place| request.segments.get(*place) == Some(&Segment::Other))
        .collect();
    let mut found = vec![BTreeMap::new()];
    if bound.is_empty() {
        return found;
    }
    let mut literals: Vec<String> = vec![SHARED.to_owned()];
    for fact in all {
        if let Fact::Claim(_, value) = fact
            && let Some(text) = value.as_str()
            && is_segment(text)
            && !literals.iter().any(|known| known == text)
        {
            literals.push(text.to_owned());
        }
    }
    for place in bound {
        if found.len().saturating_mul(literals.len() + 1) > MAX_VALUES {
            undecided.insert("more values of path parameters than are looked at".to_owned());
            break;
        }
        let with = |known: &BTreeMap<usize, String>| {
            literals
                .iter()
                .map(|text| {
                    let mut more = known.clone();
                    more.insert(place, text.clone());
                    more
                })
                .collect::<Vec<_>>()
        };
        let more: Vec<_> = found.iter().flat_map(with).collect();
        found.extend(more);
    }
    found
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl Witness {
    pub(super) fn of(request: &Request, value: &dyn Fn(usize) -> Option<String>) -> Self {
        Self {
            claims: serde_json::Map::new(),
            method: request.method.to_owned(),
            path: format!("/{}", Self::segments(request, value).join("/")),
            address: None,
        }
    }

    /// The segments of the path; what no key has is `x1`, `x2` and so on.
    pub(super) fn segments(request: &Request, value: &dyn Fn(usize) -> Option<String>) -> Vec<String> {
        let segment = |(place, segment): (usize, &Segment)| match segment {
            Segment::Literal(text) => text.clone(),
            Segment::Other => value(place).unwrap_or_else(|| format!("{}{}", request.other, place + 1)),
        };
        request.segments.iter().enumerate().map(segment).collect()
    }
}

/// All that a key can name, and one that none can.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

const MAX_REQUESTS: usize = 64;

const MAX_VALUES: usize = 512;

/// The value of several parameters at once.
const SHARED: &str = "same";
