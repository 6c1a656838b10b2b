//! Which routes, and which branches of their requirements, tests reach: that let in, and that refuse.

use super::engine::Judgement;
use super::tree::check_text;
use cognito_authorizer::access::{Check, Facts, Observer, Part, Requirement, Rule, Rules};
use cognito_authorizer::denial::Denial;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What tests reached.
#[derive(Debug, Default)]
pub struct Coverage {
    reached: BTreeMap<Branch, Reached>,
    /// Where the rule that is being held is.
    place: Vec<usize>,
    /// How many parts of each open part began.
    counts: Vec<usize>,
    rule: Option<Arc<str>>,
}

/// A route, and a place in its requirement; the empty place is the route itself.
type Branch = (Arc<str>, Vec<usize>);

#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    held: bool,
    missed: bool,
}

/// A branch that no test takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The route's key.
    pub route: String,
    /// The part of its requirement; `None`: the route as a whole.
    pub part: Option<String>,
    /// Whether it is the way in that no test takes, or the refusal.
    pub missing: Side,
}

/// One of the two ways that a branch can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It holds, and lets in.
    Allow,
    /// It does not hold, and refuses.
    Refusal,
}

impl Side {
    /// Its name, for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Side::Allow => "allow",
            Side::Refusal => "refusal",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gap { route, part, missing } = self;
        match (part, missing) {
            (None, Side::Allow) => write!(f, "{route}: nobody is let in"),
            (None, Side::Refusal) => write!(f, "{route}: nobody is refused"),
            (Some(part), Side::Allow) => write!(f, "{route}: `{part}` never holds"),
            (Some(part), Side::Refusal) => write!(f, "{route}: `{part}` never refuses"),
        }
    }
}

impl Observer for Coverage {
    /// Only what was needed for the decision was reached.
    const SEES_ALL: bool = false;

    fn begin(&mut self, part: Part<'_>, _: &Facts<'_>) {
        if let Part::Rule(rule, _) = part {
            self.rule = Some(Arc::clone(&rule.key));
            self.place.clear();
            self.counts = vec![0];
            return;
        }
        let index = self.counts.last_mut().map_or(0, |count| {
            *count += 1;
            *count - 1
        });
        self.place.push(index);
        self.counts.push(0);
    }

    fn end(&mut self, held: Result<(), &Denial>) {
        let (Some(rule), false) = (&self.rule, self.place.is_empty()) else { return };
        let reached = self.reached.entry((Arc::clone(rule), self.place.clone())).or_default();
        reached.held |= held.is_ok();
        reached.missed |= held.is_err();
        self.place.pop();
        self.counts.pop();
    }
}

impl Coverage {
    /// Takes note of what became of a request.
    pub fn note(&mut self, judgement: &Judgement) {
        let Some(route) = judgement.route() else { return };
        let is_let_in = judgement.denial().is_none();
        let reached = self.reached.entry((Arc::clone(route), Vec::new())).or_default();
        reached.held |= is_let_in;
        // Of a rule that only reports, what it would refuse counts.
        reached.missed |= !is_let_in || judgement.rehearsal.would_be.is_some();
        for (asked, place) in
            [(judgement.rehearsal.record.live_check.outcome().is_some(), LIVE), (was_asked(judgement), CEDAR)]
        {
            if asked {
                let refusals: &[&str] = if place == LIVE { &LIVE_REFUSALS } else { &CEDAR_REFUSALS };
                let reached = self.reached.entry((Arc::clone(route), vec![place])).or_default();
                reached.held |= is_let_in;
                reached.missed |= refusals.contains(&judgement.outcome());
            }
        }
    }

    /// How many branches there are, and those that no test takes.
    #[must_use]
    pub fn gaps(&self, rules: &Rules) -> (usize, Vec<Gap>) {
        let mut all = Vec::new();
        for (_, rule) in rules.iter() {
            all.extend(branches(rule));
        }
        let mut gaps = Vec::new();
        for (branch, part) in &all {
            let reached = self.reached.get(branch).copied().unwrap_or_default();
            let gap = |missing| Gap { route: branch.0.to_string(), part: part.clone(), missing };
            gaps.extend((!reached.held).then(|| gap(Side::Allow)));
            gaps.extend((!reached.missed).then(|| gap(Side::Refusal)));
        }
        // Where nobody asks for a route, its branches say nothing more.
        let unasked: BTreeSet<String> = rules
            .iter()
            .map(|(_, rule)| (Arc::clone(&rule.key), Vec::new()))
            .filter(|branch| !self.reached.contains_key(branch))
            .map(|(key, _)| key.to_string())
            .collect();
        gaps.retain(|gap| gap.part.is_none() || !unasked.contains(&gap.route));
        (all.len() * 2, gaps)
    }
}

fn was_asked(judgement: &Judgement) -> bool {
    judgement.rehearsal.record.permissions.verdict.is_some()
}

/// All branches of a rule, with what they ask.
fn branches(rule: &Rule) -> Vec<(Branch, Option<String>)> {
    let mut found = vec![((Arc::clone(&rule.key), Vec::new()), None)];
    of_requirement(&rule.key, &rule.requirement, &mut Vec::new(), &mut found);
    if rule.introspect {
        found.push(((Arc::clone(&rule.key), vec![LIVE]), Some("introspect".to_owned())));
    }
    if rule.cedar.is_some() {
        found.push(((Arc::clone(&rule.key), vec![CEDAR]), Some("cedar".to_owned())));
    }
    found
}

fn of_requirement(
    key: &Arc<str>,
    requirement: &Requirement,
    place: &mut Vec<usize>,
    found: &mut Vec<(Branch, Option<String>)>,
) {
    for (index, check) in requirement.checks.iter().enumerate() {
        place.push(index);
        // What an `any` or `all` comes to shows in the route, and in its parts.
        if let Check::Any(parts) | Check::All(parts) = check {
            for (index, part) in parts.iter().enumerate() {
                place.push(index);
                of_requirement(key, part, place, found);
                place.pop();
            }
        } else {
            found.push(((Arc::clone(key), place.clone()), Some(check_text(check))));
        }
        place.pop();
    }
}

/// Places that no part of a requirement has.
const LIVE: usize = usize::MAX;
const CEDAR: usize = usize::MAX - 1;

const LIVE_REFUSALS: [&str; 5] =
    ["token_revoked", "token_inactive", "not_introspectable", "introspection_unavailable", "revocations_unavailable"];

const CEDAR_REFUSALS: [&str; 2] = ["forbidden", "permissions_unavailable"];
