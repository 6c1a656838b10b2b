//! The route table laid out for the compiler: which requests each route really owns,
//! and every IAM pattern that may be of use. It depends on the table alone and is made
//! once, at start.

use super::pattern::{METHOD, Pattern, Step, meet, word};
use super::symbols::Symbols;
use crate::access::route::{Method, RouteKey, Segment};
use std::collections::HashMap;

/// The methods that are served by the same routes: what holds for one of them holds
/// for the others.
#[derive(Debug)]
pub(super) struct Group {
    /// As they stand in an ARN; `$connect` is one of its own.
    pub(super) methods: Vec<&'static str>,
}

/// What one route owns of one group.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The position of its rule.
    pub(super) rule: usize,
    /// The position of its group.
    pub(super) group: usize,
    /// The requests that its key matches.
    pub(super) pattern: Pattern,
    /// Of these, the ones that go to a more specific route, by their patterns.
    pub(super) above: Vec<Pattern>,
    /// The glob for all that it owns that takes in the least of what others own: a
    /// `{name+}` whose shorter paths go to other routes starts where those end.
    pub(super) narrowest: Pattern,
}

/// A pattern that can be written as the Resource of a statement: literals and `?*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Glob {
    /// The group whose methods are spelled out; `None` where the pattern starts with a
    /// wildcard that stands for any method, and crosses into the path.
    pub(super) group: Option<usize>,
    pub(super) pattern: Pattern,
}

/// A pattern that may be denied.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) glob: Glob,
    /// The cells that own some of its requests.
    pub(super) hits: Vec<usize>,
    /// The cells whose own pattern, as IAM must write it, reaches too deep, where this
    /// one denies what is too deep.
    pub(super) guards: Vec<usize>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Partition {
    pub(super) symbols: Symbols,
    pub(super) groups: Vec<Group>,
    pub(super) cells: Vec<Cell>,
    /// How many steps the longest route has.
    pub(super) deepest: usize,
    /// The broader ones first.
    pub(super) candidates: Vec<Candidate>,
}

/// The position of a rule whose path has too many segments.
pub(super) struct TooDeep(pub(super) usize);

impl Partition {
    pub(super) fn new(keys: &[&RouteKey]) -> Result<Self, TooDeep> {
        let mut partition = Self::default();
        for (methods, rules) in served_alike(keys) {
            let group = partition.groups.len();
            partition.groups.push(Group { methods });
            let mut ranked = Vec::new();
            for rule in rules {
                let key = keys.get(rule).ok_or(TooDeep(rule))?;
                for pattern in patterns(key, &mut partition.symbols).ok_or(TooDeep(rule))? {
                    ranked.push((matches!(key, RouteKey::Default), pattern, rule));
                }
            }
            // The most specific first: a literal before `{name}` before `{name+}`, from the left.
            ranked.sort_by_key(|(is_default, pattern, _)| (*is_default, specificity(pattern)));
            let mut earlier: Vec<Pattern> = Vec::new();
            for (_, pattern, rule) in ranked {
                partition.cells.extend(Cell::new(rule, group, pattern.clone(), &earlier));
                earlier.push(pattern);
            }
        }
        partition.deepest = partition.cells.iter().map(|cell| cell.pattern.steps().len()).max().unwrap_or(0);
        partition.candidates = partition.candidates();
        Ok(partition)
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut guarded: HashMap<Glob, Vec<usize>> = HashMap::new();
        for (index, cell) in self.cells.iter().enumerate() {
            for pattern in
                [as_glob(&cell.pattern), cell.narrowest.clone()].into_iter().chain(within_prefixes(&cell.pattern))
            {
                for glob in with_and_without_method(cell.group, pattern) {
                    guarded.entry(glob).or_default();
                }
            }
            for pattern in too_deep(&cell.pattern, self.deepest) {
                for glob in with_and_without_method(cell.group, pattern) {
                    guarded.entry(glob).or_default().push(index);
                }
            }
        }
        let candidates = guarded.into_iter().map(|(glob, guards)| {
            let cells = self.cells.iter().enumerate();
            let hits = cells.filter(|(_, cell)| glob.reaches(cell.group) && cell.owns_some_of(&glob.pattern));
            let hits = hits.map(|(index, _)| index).collect();
            Candidate { glob, hits, guards }
        });
        let mut candidates: Vec<Candidate> = candidates.collect();
        // What contains another pattern has no more steps, and of as many no more literals.
        candidates.sort_by(|one, other| one.glob.breadth().cmp(&other.glob.breadth()));
        candidates
    }
}

/// The pattern for the group's methods, and for any method.
fn with_and_without_method(group: usize, pattern: Pattern) -> impl Iterator<Item = Glob> {
    let mut steps = pattern.steps().to_vec();
    if let Some(method) = steps.first_mut() {
        *method = Step::More;
    }
    let any_method = Pattern::new(steps).map(|pattern| Glob { group: None, pattern });
    [Glob { group: Some(group), pattern }].into_iter().chain(any_method)
}

impl Cell {
    /// `None` where more specific routes own everything that the pattern matches.
    pub(super) fn new(rule: usize, group: usize, pattern: Pattern, above: &[Pattern]) -> Option<Self> {
        let above: Vec<Pattern> = above.iter().filter(|above| meet(above, &pattern)).cloned().collect();
        word(&[&pattern], &above)?;
        let narrowest = narrowest(&pattern, &above);
        Some(Self { rule, group, pattern, above, narrowest })
    }

    /// Whether it owns one of these requests.
    pub(super) fn owns_some_of(&self, pattern: &Pattern) -> bool {
        let above = || self.above.iter().filter(|above| meet(above, pattern));
        let is_owned = || above().next().is_none() || word(&[pattern, &self.pattern], above()).is_some();
        meet(pattern, &self.pattern) && is_owned()
    }
}

fn narrowest(pattern: &Pattern, above: &[Pattern]) -> Pattern {
    let widest = as_glob(pattern);
    let Some((Step::More, prefix)) = pattern.steps().split_last() else { return widest };
    let deepest = above.iter().map(|pattern| pattern.steps().len()).max().unwrap_or(0);
    for length in 1..=(deepest + 1).saturating_sub(prefix.len()).max(1) {
        let of_length = |step| prefix.iter().copied().chain(std::iter::repeat_n(step, length)).collect();
        let Some(exactly) = Pattern::new(of_length(Step::One)) else { return widest };
        if above.is_empty() || word(&[&exactly], above).is_some() {
            return Pattern::new(of_length(Step::More)).map_or(widest, |pattern| as_glob(&pattern));
        }
    }
    widest
}

impl Glob {
    /// Whether it can match requests of a group.
    pub(super) fn reaches(&self, group: usize) -> bool {
        self.group.is_none_or(|own| own == group)
    }

    /// For sorting: what contains another pattern goes before it.
    pub(super) fn breadth(&self) -> (usize, usize, &Pattern, Option<usize>) {
        let steps = self.pattern.steps();
        let literals = steps.iter().filter(|step| matches!(step, Step::Literal(_))).count();
        (steps.len(), literals, &self.pattern, self.group)
    }
}

/// The methods, in groups that the same rules serve, with those rules. A key with a
/// named method goes before the same path's `ANY`.
fn served_alike(keys: &[&RouteKey]) -> Vec<(Vec<&'static str>, Vec<usize>)> {
    let mut groups: Vec<(Vec<&'static str>, Vec<usize>)> = Vec::new();
    for method in Method::ALL {
        let serves = |key: &RouteKey| match key {
            RouteKey::Connect => false,
            RouteKey::Default => true,
            RouteKey::Http { method: Some(own), .. } => *own == method,
            RouteKey::Http { method: None, segments } => !keys.iter().any(|other| match other {
                RouteKey::Http { method: Some(own), segments: others } => *own == method && are_alike(segments, others),
                RouteKey::Connect | RouteKey::Default | RouteKey::Http { .. } => false,
            }),
        };
        let rules: Vec<usize> =
            keys.iter().enumerate().filter(|(_, key)| serves(key)).map(|(position, _)| position).collect();
        match groups.iter_mut().find(|(_, known)| *known == rules) {
            _ if rules.is_empty() => {}
            Some((methods, _)) => methods.push(method.name()),
            None => groups.push((vec![method.name()], rules)),
        }
    }
    let connect = keys.iter().position(|key| matches!(key, RouteKey::Connect));
    groups.extend(connect.map(|position| (vec![CONNECT], vec![position])));
    groups
}

/// Whether two paths match the same texts.
fn are_alike(one: &[Segment], other: &[Segment]) -> bool {
    let pair = |pair: (&Segment, &Segment)| match pair {
        (Segment::Literal(one), Segment::Literal(other)) => one == other,
        (Segment::Parameter(_), Segment::Parameter(_)) | (Segment::Greedy(_), Segment::Greedy(_)) => true,
        _ => false,
    };
    one.len() == other.len() && one.iter().zip(other).all(pair)
}

pub(super) fn patterns(key: &RouteKey, symbols: &mut Symbols) -> Option<Vec<Pattern>> {
    let method = Step::Literal(METHOD);
    match key {
        RouteKey::Connect => Some(vec![Pattern::new(vec![method])?]),
        RouteKey::Default => Some(vec![Pattern::new(vec![method])?, Pattern::new(vec![method, Step::More])?]),
        RouteKey::Http { segments, .. } => {
            let steps = segments.iter().map(|segment| match segment {
                Segment::Literal(text) => Step::Literal(symbols.intern(text)),
                Segment::Parameter(_) => Step::One,
                Segment::Greedy(_) => Step::More,
            });
            Some(vec![Pattern::new([method].into_iter().chain(steps).collect())?])
        }
    }
}

pub(super) fn specificity(pattern: &Pattern) -> Vec<u8> {
    let rank = |step: &Step| match step {
        Step::Literal(_) => 0,
        Step::One => 1,
        Step::More => 2,
    };
    pattern.steps().iter().map(rank).collect()
}

/// The pattern as IAM can write it: one segment becomes one or more.
pub(super) fn as_glob(pattern: &Pattern) -> Pattern {
    let steps = pattern.steps().iter().map(|step| if *step == Step::One { Step::More } else { *step }).collect();
    // INVARIANT: as many steps as before.
    Pattern::new(steps).unwrap_or_else(|| pattern.clone())
}

/// What [`as_glob`] matches beyond the pattern, for each `{name}`: two segments or more
/// in its place; and more than two, up to where no route of the table is that deep:
/// where the former reaches another route, a latter may not.
pub(super) fn too_deep(pattern: &Pattern, deepest: usize) -> Vec<Pattern> {
    let glob = as_glob(pattern);
    let places = pattern.steps().iter().enumerate().filter(|(_, step)| **step == Step::One);
    let mut deeper = Vec::new();
    for (index, _) in places {
        let mut steps = glob.steps().to_vec();
        while steps.len() <= deepest.max(glob.steps().len()) {
            steps.insert(index, Step::More);
            deeper.extend(Pattern::new(steps.clone()));
        }
    }
    deeper
}

/// All that starts as the pattern does, and the starts themselves: such a pattern
/// denies many routes at once.
fn within_prefixes(pattern: &Pattern) -> Vec<Pattern> {
    let mut prefix = Vec::new();
    let mut patterns = Vec::new();
    for step in pattern.steps().iter().take_while(|step| matches!(step, Step::Literal(_))) {
        prefix.push(*step);
        patterns.extend(Pattern::new(prefix.clone()));
        patterns.extend(Pattern::new(prefix.iter().copied().chain([Step::More]).collect()));
    }
    patterns
}

/// The one method of a WebSocket's handshake.
pub(super) const CONNECT: &str = "$connect";
