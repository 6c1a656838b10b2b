//! Sets of requests as patterns over segments, and the one question that all of the
//! reasoning about cached policies comes down to: is there a request that is in all
//! of these sets and in none of those?
//!
//! A request is a word of symbols: first [`METHOD`], then its segments. What no
//! pattern names is all alike, so that one symbol, [`OTHER`], stands for it.

use std::collections::HashSet;

/// A segment's text, by its number in [`Symbols`](super::symbols::Symbols).
pub(super) type Symbol = u32;

/// Every segment that no pattern names.
pub(super) const OTHER: Symbol = 0;

/// The method, which stands first in every word.
pub(super) const METHOD: Symbol = 1;

/// One place of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    /// This segment.
    Literal(Symbol),
    /// Any one segment: `{name}`. No wildcard of IAM says this.
    One,
    /// One segment or more: `{name+}`, and what `?*` matches between slashes.
    More,
}

/// A set of words. At most [`MAX_STEPS`] steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Pattern(Vec<Step>);

impl Pattern {
    /// INVARIANT: a pattern has at most [`MAX_STEPS`] steps, one bit each and one
    /// for the end; `None` where it would have more.
    pub(super) fn new(steps: Vec<Step>) -> Option<Self> {
        (steps.len() <= MAX_STEPS).then_some(Self(steps))
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it is matched by more than one word.
    pub(super) fn has_wildcard(&self) -> bool {
        self.0.iter().any(|step| !matches!(step, Step::Literal(_)))
    }

    /// The literals that may come next.
    fn literals(&self, states: u64) -> impl Iterator<Item = Symbol> {
        self.0.iter().enumerate().filter(move |(index, _)| states >> index & 1 == 1).filter_map(
            |(_, step)| match step {
                Step::Literal(symbol) => Some(*symbol),
                Step::One | Step::More => None,
            },
        )
    }

    /// The steps that are one or more, a bit each.
    fn mores(&self) -> u64 {
        self.0.iter().enumerate().fold(0, |mores, (index, step)| mores | u64::from(*step == Step::More) << index)
    }

    fn accepts(&self, states: u64) -> bool {
        states >> self.0.len() & 1 == 1
    }

    /// The steps that may come next once `symbol` has been read.
    fn after(&self, states: u64, symbol: Symbol) -> u64 {
        let mut next = 0;
        for (index, step) in self.0.iter().enumerate() {
            let here = states >> index & 1;
            next |= match step {
                Step::Literal(literal) if *literal != symbol => 0,
                Step::Literal(_) | Step::One => here << index << 1,
                Step::More => here << index << 1 | here << index,
            };
        }
        next
    }

    /// False only where no word can be in both: their first or last literals differ.
    fn may_meet(&self, other: &Self) -> bool {
        let differ = |pair: (&Step, &Step)| match pair {
            (Step::Literal(one), Step::Literal(two)) => one != two,
            _ => false,
        };
        let fixed = |pair: &(&Step, &Step)| *pair.0 != Step::More && *pair.1 != Step::More;
        let forward = self.0.iter().zip(&other.0).take_while(fixed).any(differ);
        let backward = self.0.iter().rev().zip(other.0.iter().rev()).take_while(fixed).any(differ);
        !forward && !backward
    }
}

/// Whether some word is in both.
pub(super) fn meet(one: &Pattern, other: &Pattern) -> bool {
    if !one.may_meet(other) {
        return false;
    }
    // By step of the one: the steps of the other that may come next, all bits at once.
    let mut here = 1_u64;
    for step in &one.0 {
        let mut next = 0;
        for (index, with) in other.0.iter().enumerate() {
            let agree = match (step, with) {
                (Step::Literal(one), Step::Literal(other)) => one == other,
                _ => true,
            };
            let both = if agree { here >> index & 1 } else { 0 };
            next |= both << index << 1;
            if *with == Step::More {
                next |= both << index;
            }
            if *step == Step::More {
                here |= both << index << 1;
            }
        }
        here = next;
    }
    other.accepts(here)
}

/// Whether every word of `inner` is one of `outer`: it is where `outer` matches the
/// steps of `inner` as if they were a word, with each wildcard a segment that nothing
/// names, and "one or more" within an own "one or more". `outer` is one that IAM can
/// write: without [`Step::One`].
pub(super) fn contains(outer: &Pattern, inner: &Pattern) -> bool {
    let states = inner.0.iter().try_fold(1, |states, step| {
        let next = match step {
            Step::Literal(symbol) => outer.after(states, *symbol),
            Step::One => outer.after(states, OTHER),
            Step::More => outer.after(states & outer.mores(), OTHER),
        };
        (next != 0).then_some(next)
    });
    states.is_some_and(|states| outer.accepts(states))
}

/// A shortest word that is in all of `within` and in none of `without`; `None` where
/// there is none. `within` must not be empty.
///
/// The patterns are run side by side, as automata whose states are bits; words that
/// lead to the same states are followed once, so that the search ends. A table that
/// would take more than [`MAX_SEARCHED`] of them is told of a word that may not be
/// one: whoever asks takes it for an overlap, and is stricter than need be.
pub(super) fn word<'p>(within: &[&'p Pattern], without: impl IntoIterator<Item = &'p Pattern>) -> Option<Vec<Symbol>> {
    search(within, without, |_| MAX_SEARCHED)
}

/// The same with a limit for what many patterns may cost: for many questions in a row,
/// where too many overlaps do no harm.
pub(super) fn word_soon<'p>(
    within: &[&'p Pattern],
    without: impl IntoIterator<Item = &'p Pattern>,
) -> Option<Vec<Symbol>> {
    search(within, without, |patterns| MAX_EFFORT / patterns.max(1))
}

fn search<'p>(
    within: &[&'p Pattern],
    without: impl IntoIterator<Item = &'p Pattern>,
    most: impl Fn(usize) -> usize,
) -> Option<Vec<Symbol>> {
    let without = without.into_iter().filter(|pattern| within.iter().all(|within| within.may_meet(pattern)));
    let patterns: Vec<&Pattern> = within.iter().copied().chain(without).collect();
    let most = most(patterns.len());
    // What none of `within` names next need not be read: in its place, OTHER leads no
    // fewer of `within` on, and no more of `without`.
    let alphabet = |states: &[u64]| {
        let named = within.iter().zip(states).flat_map(|(pattern, states)| pattern.literals(*states));
        let mut symbols: Vec<Symbol> = named.chain([OTHER]).collect();
        symbols.sort_unstable();
        symbols.dedup();
        symbols
    };
    let start = vec![1_u64; patterns.len()];
    let mut known = HashSet::from([start.clone()]);
    let mut frontier = vec![(Vec::new(), start)];
    while !frontier.is_empty() {
        let mut next_frontier = Vec::new();
        for (read, states) in &frontier {
            for symbol in alphabet(states) {
                let next: Vec<u64> =
                    patterns.iter().zip(states).map(|(pattern, states)| pattern.after(*states, symbol)).collect();
                let (inside, outside) = next.split_at_checked(within.len())?;
                if inside.contains(&0) || known.contains(&next) {
                    continue;
                }
                let mut read: Vec<Symbol> = Vec::clone(read);
                read.push(symbol);
                let in_all = within.iter().zip(inside).all(|(pattern, states)| pattern.accepts(*states));
                let others = patterns.iter().skip(within.len());
                if in_all && !others.zip(outside).any(|(pattern, states)| pattern.accepts(*states)) {
                    return Some(read);
                }
                if known.len() >= most {
                    return Some(read);
                }
                known.insert(next.clone());
                next_frontier.push((read, next));
            }
        }
        frontier = next_frontier;
    }
    None
}

/// A bit each in a `u64`, and one for the end.
pub(super) const MAX_STEPS: usize = 63;

/// Tables that people write take some hundreds.
const MAX_SEARCHED: usize = 20_000;

/// States of single patterns: a few thousand of what ten patterns that overlap are in.
const MAX_EFFORT: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::Step::{Literal, More, One};
    use super::*;

    fn pattern(steps: &[Step]) -> Pattern {
        Pattern::new(steps.to_vec()).unwrap()
    }

    #[test]
    fn more_is_one_segment_or_several_and_one_is_one() {
        let [a, one, more, two] = [&[Literal(2)][..], &[One], &[More], &[More, More]].map(pattern);
        assert!(meet(&a, &one) && meet(&a, &more) && !meet(&a, &two) && !meet(&one, &two));
        assert!(contains(&more, &one) && contains(&more, &two) && contains(&one, &a));
        assert!(!contains(&one, &more) && !contains(&a, &one) && !contains(&two, &more));
    }

    #[test]
    fn more_crosses_segments_and_literals() {
        let crossing = pattern(&[More, Literal(2)]);
        assert!(meet(&crossing, &pattern(&[Literal(3), Literal(2), Literal(2)])));
        assert!(!meet(&crossing, &pattern(&[Literal(2)])));
        assert!(!meet(&crossing, &pattern(&[More, Literal(3)])));
    }

    #[test]
    fn a_word_shows_what_is_left_over() {
        let users = pattern(&[Literal(METHOD), Literal(2), More]);
        let deeper = pattern(&[Literal(METHOD), Literal(2), More, More]);
        let one = pattern(&[Literal(METHOD), Literal(2), One]);
        assert_eq!(word(&[&users], [&deeper]), Some(vec![METHOD, 2, OTHER]));
        assert_eq!(word(&[&users], [&deeper, &one]), None);
        assert_eq!(word(&[&users, &deeper], []), Some(vec![METHOD, 2, OTHER, OTHER]));
        assert_eq!(word(&[&one], [&pattern(&[Literal(METHOD), Literal(2), Literal(3)])]), Some(vec![METHOD, 2, OTHER]));
    }

    #[test]
    fn the_short_ways_agree_with_the_search() {
        let steps = [Literal(2), Literal(3), One, More];
        let mut patterns = vec![Vec::new()];
        for length in 0..3 {
            let longest: Vec<Vec<Step>> = patterns.iter().filter(|pattern| pattern.len() == length).cloned().collect();
            for pattern in longest {
                patterns.extend(steps.iter().map(|step| [&pattern[..], &[*step]].concat()));
            }
        }
        let patterns: Vec<Pattern> =
            patterns.iter().filter(|steps| !steps.is_empty()).map(|steps| pattern(steps)).collect();
        for one in &patterns {
            for other in &patterns {
                assert_eq!(meet(one, other), word(&[one, other], []).is_some(), "{one:?} {other:?}");
                if !one.steps().contains(&One) {
                    assert_eq!(contains(one, other), word(&[other], [one]).is_none(), "{one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn a_pattern_has_as_many_steps_as_there_are_bits() {
        assert!(Pattern::new(vec![One; MAX_STEPS]).is_some());
        assert!(Pattern::new(vec![One; MAX_STEPS + 1]).is_none());
        assert!(meet(&pattern(&[One; MAX_STEPS]), &pattern(&[More])));
    }
}
