//! The statements for one kind of token: what it may use is allowed, and every pattern
//! is denied that reaches nothing of that.
//!
//! What IAM makes of a plan is proved for each one: [`Plan::flaw`] looks for a request
//! that a route of the table owns and that the statements get wrong.

use super::partition::{Cell, Glob, Partition, as_glob, too_deep};
use super::pattern::{Pattern, Step, Symbol, contains, meet, word};
use std::borrow::Cow;

/// On which paths of a rule's route a token may pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holding {
    /// On all of them.
    Everywhere,
    /// Where path parameters have these values; nowhere where there is none.
    Where(Vec<Bound>),
}

/// Segments of a path by their position, with what must stand there; a `{name+}` may
/// stand for several segments.
pub(super) type Bound = Vec<(usize, Vec<Symbol>)>;

/// What is allowed and denied.
#[derive(Debug)]
pub(super) struct Plan<'l> {
    pub(super) partition: &'l Partition,
    pub(super) allowed: Vec<Allowed<'l>>,
    /// By cell: whether all of it is allowed.
    is_open: Vec<bool>,
    /// Whether `deny` still holds all that can be denied.
    is_complete: bool,
    /// What is denied.
    pub(super) deny: Vec<Glob>,
}

/// What is allowed, and the glob that says it.
#[derive(Debug)]
pub(super) struct Allowed<'l> {
    pub(super) cell: Cow<'l, Cell>,
    pub(super) glob: Glob,
}

/// A request that the statements get wrong, or cannot but allow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// The rule that denies it; `None` where no route owns it.
    pub(super) denied: Option<usize>,
    /// The rule that is in the way.
    pub(super) allowed: usize,
    /// A method of the request.
    pub(super) method: &'static str,
    /// Its segments.
    pub(super) segments: Vec<Symbol>,
}

impl<'l> Plan<'l> {
    /// Allows what is held, and denies all that can be denied.
    pub(super) fn new(partition: &'l Partition, holdings: &[Holding]) -> Self {
        Self::allowing(partition, holdings).denying()
    }

    /// Allows what is held.
    pub(super) fn allowing(partition: &'l Partition, holdings: &[Holding]) -> Self {
        let mut allowed = Vec::new();
        let mut is_open = Vec::new();
        for cell in &partition.cells {
            let holding = holdings.get(cell.rule);
            is_open.push(holding == Some(&Holding::Everywhere));
            match holding {
                Some(Holding::Everywhere) => allowed.push(Cow::Borrowed(cell)),
                Some(Holding::Where(bounds)) => {
                    allowed.extend(bounds.iter().filter_map(|bound| cell.where_bound(bound)).map(Cow::Owned));
                }
                None => {}
            }
        }
        let allowed = allowed.into_iter().map(|cell| {
            let glob = Glob { group: Some(cell.group), pattern: cell.narrowest.clone() };
            Allowed { cell, glob }
        });
        Self { partition, allowed: allowed.collect(), is_open, is_complete: false, deny: Vec::new() }
    }

    /// Denies all that can be denied.
    pub(super) fn denying(mut self) -> Self {
        self.deny = self.deniable();
        self.is_complete = true;
        self
    }

    /// What is allowed, each glob once.
    pub(super) fn allow(&self) -> Vec<&Glob> {
        self.some_allowed(usize::MAX)
    }

    /// The same, but at most as many.
    pub(super) fn some_allowed(&self, most: usize) -> Vec<&Glob> {
        let mut all: Vec<&Glob> = self.allowed.iter().map(|allowed| &allowed.glob).collect();
        all.sort_by(|one, other| one.breadth().cmp(&other.breadth()));
        let mut globs: Vec<&Glob> = Vec::new();
        for glob in all {
            let contains = |known: &&Glob| known.group == glob.group && contains(&known.pattern, &glob.pattern);
            if globs.len() >= most {
                break;
            }
            if !globs.iter().any(contains) {
                globs.push(glob);
            }
        }
        globs
    }

    /// The patterns that reach nothing that is allowed and are of use.
    fn deniable(&self) -> Vec<Glob> {
        let partly: Vec<&Cell> = self.bound().collect();
        let is_open = |index: &usize| self.is_open.get(*index).copied().unwrap_or(false);
        let of_table = self.partition.candidates.iter().filter(|candidate| {
            // It denies something, and nothing that is allowed.
            (candidate.hits.iter().any(|index| !is_open(index)) || candidate.guards.iter().any(is_open))
                && !candidate.hits.iter().any(is_open)
        });
        let of_table = of_table.map(|candidate| Cow::Borrowed(&candidate.glob));
        // A claim's value in a path may be followed by `{name}`s, which reach too deep as well.
        let of_values = partly.iter().flat_map(|cell| {
            let guards = too_deep(&cell.pattern, self.partition.deepest).into_iter();
            guards.map(|pattern| Cow::<Glob>::Owned(Glob { group: Some(cell.group), pattern }))
        });
        let of_values = of_values.filter(|glob| {
            let mut cells = self.partition.cells.iter().zip(&self.is_open).filter(|(_, is_open)| **is_open);
            !cells.any(|(cell, _)| glob.reaches(cell.group) && cell.owns_some_of(&glob.pattern))
        });
        let is_free = |glob: &Cow<'_, Glob>| {
            !partly.iter().any(|cell| glob.reaches(cell.group) && cell.owns_some_of(&glob.pattern))
        };
        of_table.chain(of_values).filter(is_free).map(Cow::into_owned).collect()
    }

    /// What is allowed for a claim's values alone.
    fn bound(&self) -> impl Iterator<Item = &Cell> {
        self.allowed.iter().filter_map(|allowed| match &allowed.cell {
            Cow::Owned(cell) => Some(cell),
            Cow::Borrowed(_) => None,
        })
    }

    fn cells(&self) -> impl Iterator<Item = (&'l Cell, bool)> {
        self.partition.cells.iter().zip(self.is_open.iter().copied())
    }

    /// Leaves out the denials without which the same is denied, so that the policy
    /// stays small.
    pub(super) fn compact(&mut self) {
        self.is_complete = false;
        let mut kept: Vec<Glob> = Vec::new();
        for glob in std::mem::take(&mut self.deny) {
            let contains = |known: &Glob| {
                (known.group.is_none() || known.group == glob.group) && contains(&known.pattern, &glob.pattern)
            };
            if !kept.iter().any(contains) {
                kept.push(glob);
            }
        }
        self.deny = kept;
        let mut needed: Vec<(usize, Cow<'_, Pattern>)> = Vec::new();
        let deeper = |cell: &Cell| {
            let group = cell.group;
            too_deep(&cell.pattern, self.partition.deepest).into_iter().map(move |pattern| (group, Cow::Owned(pattern)))
        };
        for (cell, is_open) in self.cells() {
            match is_open {
                true => needed.extend(deeper(cell)),
                false => needed.push((cell.group, Cow::Borrowed(&cell.pattern))),
            }
        }
        needed.extend(self.bound().flat_map(deeper));
        let covers =
            |glob: &Glob, need: &(usize, Cow<'_, Pattern>)| glob.reaches(need.0) && contains(&glob.pattern, &need.1);
        let covered_by = |need| {
            self.deny.iter().enumerate().filter(|(_, glob)| covers(glob, need)).map(|(index, _)| index).collect()
        };
        let covering: Vec<Vec<usize>> = needed.iter().map(covered_by).collect();
        // What no single pattern covers, several may: all that touch it stay.
        let touches_a_piece = |glob: &Glob| {
            let mut pieces = needed.iter().zip(&covering).filter(|(_, covering)| covering.is_empty());
            pieces.any(|((group, pattern), _)| glob.reaches(*group) && meet(&glob.pattern, pattern))
        };
        let touching = self.deny.iter().map(touches_a_piece).collect();
        let mut stays = self.enough(covering, touching).into_iter();
        self.deny.retain(|_| stays.next().unwrap_or(true));
    }

    /// By denial, whether it stays: those that stay anyway, and of the others as many as
    /// it takes until each need has one that covers it.
    fn enough(&self, covering: Vec<Vec<usize>>, mut stays: Vec<bool>) -> Vec<bool> {
        let (mut missing, mut newly) = (covering, vec![0_usize; stays.len()]);
        for index in missing.iter().flatten() {
            newly.get_mut(*index).into_iter().for_each(|newly| *newly += 1);
        }
        let mut chosen: Vec<usize> =
            stays.iter().enumerate().filter(|(_, stays)| **stays).map(|(index, _)| index).collect();
        loop {
            missing.retain(|covering| {
                let is_met = covering.iter().any(|index| chosen.contains(index));
                for index in covering.iter().filter(|_| is_met) {
                    newly.get_mut(*index).into_iter().for_each(|newly| *newly -= 1);
                }
                !is_met
            });
            // The one that covers most for its length; of equals the broader, which comes first.
            let gains = self.deny.iter().zip(&newly).map(|(glob, newly)| newly * MANY / self.strings(glob).max(1));
            match gains.enumerate().zip(&mut stays).rev().max_by_key(|((_, gain), _)| *gain) {
                Some(((index, gain), stays)) if gain > 0 => {
                    *stays = true;
                    chosen = vec![index];
                }
                _ => return stays,
            }
        }
    }

    /// Whether a glob denies requests that a route owns, and not just what lies too deep.
    pub(super) fn denies_a_route(&self, glob: &Glob) -> bool {
        self.cells().any(|(cell, is_open)| !is_open && glob.reaches(cell.group) && meet(&glob.pattern, &cell.pattern))
    }

    /// How many Resources a glob takes.
    fn strings(&self, glob: &Glob) -> usize {
        let methods =
            glob.group.and_then(|group| self.partition.groups.get(group)).map_or(1, |group| group.methods.len());
        let ends = if matches!(glob.pattern.steps().last(), Some(Step::Literal(_))) { 2 } else { 1 };
        methods * ends
    }

    /// A request of a denied route of one of `rules` that is not denied as it must be:
    /// explicitly, or, where `implicit_deny`, at least by not being allowed.
    pub(super) fn flaw(&self, rules: impl Fn(usize) -> bool, implicit_deny: bool) -> Option<Flaw> {
        self.not_denied(&rules, implicit_deny).or_else(|| self.written_like_another(rules))
    }

    fn not_denied(&self, rules: impl Fn(usize) -> bool, implicit_deny: bool) -> Option<Flaw> {
        self.cells().filter(|(cell, is_open)| !is_open && rules(cell.rule)).find_map(|(cell, _)| {
            let own = |glob: &Glob| glob.group == Some(cell.group) && glob.pattern == cell.narrowest;
            if self.is_complete && self.deny.iter().any(own) {
                return None;
            }
            let denied = self.deny.iter().filter(|glob| glob.reaches(cell.group)).map(|glob| &glob.pattern);
            let own = self
                .allowed
                .iter()
                .filter(|allowed| allowed.cell.rule == cell.rule && allowed.cell.group == cell.group);
            let right: Vec<&Pattern> =
                cell.above.iter().chain(denied).chain(own.map(|own| &own.cell.pattern)).collect();
            if !implicit_deny {
                let word = word(&[&cell.pattern], right.iter().copied())?;
                let allowed = self.in_the_way(cell).unwrap_or(cell.rule);
                return self.told(Some(cell.rule), allowed, cell.group, &word);
            }
            let mut allowed = self.allowed.iter().filter(|allowed| allowed.cell.group == cell.group);
            allowed.find_map(|allowed| {
                if !meet(&cell.pattern, &allowed.glob.pattern) {
                    return None;
                }
                let word = word(&[&cell.pattern, &allowed.glob.pattern], right.iter().copied())?;
                self.told(Some(cell.rule), allowed.cell.rule, cell.group, &word)
            })
        })
    }

    /// The rule because of which a route's requests cannot be denied: the pattern that
    /// would deny them reaches what that rule allows.
    fn in_the_way(&self, denied: &Cell) -> Option<usize> {
        let mut others = self.allowed.iter().map(|allowed| &allowed.cell).filter(|cell| cell.group == denied.group);
        others.find(|cell| cell.owns_some_of(&denied.narrowest)).map(|cell| cell.rule)
    }

    /// A request that no route owns and that is allowed nevertheless.
    pub(super) fn over_allow(&self) -> Option<Flaw> {
        self.allowed.iter().filter(|allowed| allowed.glob.pattern.has_wildcard()).find_map(|allowed| {
            let group = allowed.cell.group;
            let owned = self.partition.cells.iter().filter(|cell| cell.group == group).map(|cell| &cell.pattern);
            let denied = self.deny.iter().filter(|glob| glob.reaches(group)).map(|glob| &glob.pattern);
            let word = word(&[&allowed.glob.pattern], owned.chain(denied))?;
            self.told(None, allowed.cell.rule, group, &word)
        })
    }

    fn told(&self, denied: Option<usize>, allowed: usize, group: usize, word: &[Symbol]) -> Option<Flaw> {
        let method = self.partition.groups.get(group).and_then(|group| group.methods.first()).copied()?;
        Some(Flaw { denied, allowed, method, segments: word.iter().skip(1).copied().collect() })
    }

    /// Whether anything is allowed by a wildcard.
    pub(super) fn allows_by_wildcard(&self) -> bool {
        self.allowed.iter().any(|allowed| allowed.glob.pattern.has_wildcard())
    }

    /// The denied routes that an allowed wildcard overlaps; `None` where there are none.
    /// Another reading of such a route's path is matched by the wildcard, and not by what
    /// denies the route.
    pub(super) fn overlapped(&self) -> Option<Overlap> {
        let mut overlap = Overlap::default();
        let mut is_overlapped = false;
        for (cell, _) in self.cells().filter(|(cell, is_open)| !is_open && self.overlaps(cell)) {
            is_overlapped = true;
            let literals = cell.pattern.steps().iter().enumerate().skip(1);
            let literals = literals.filter_map(|(index, step)| match step {
                Step::Literal(symbol) => Some((index, *symbol)),
                Step::One | Step::More => None,
            });
            for (index, symbol) in literals {
                overlap.literals.push(symbol);
                match index + 1 == cell.pattern.steps().len() {
                    true => {
                        overlap.ends.push(Glob { group: Some(cell.group), pattern: as_glob(&cell.pattern) });
                        overlap.last.push(symbol);
                    }
                    false => overlap.within.push(symbol),
                }
            }
        }
        for symbols in [&mut overlap.literals, &mut overlap.within, &mut overlap.last] {
            symbols.sort_unstable();
            symbols.dedup();
        }
        is_overlapped.then_some(overlap)
    }

    /// Whether an allowed wildcard of another rule matches some of its requests.
    fn overlaps(&self, cell: &Cell) -> bool {
        self.allowed.iter().any(|allowed| {
            let is_other = cell.group == allowed.cell.group && cell.rule != allowed.cell.rule;
            is_other && allowed.glob.pattern.has_wildcard() && meet(&allowed.glob.pattern, &cell.pattern)
        })
    }

    /// A route that is allowed, and that what must be denied with a denied route denies as well: beside a denied
    /// `/report`, some backends take `/report.json`, `/report x` and `/report;x` for it, and the table names one of them.
    fn written_like_another(&self, rules: impl Fn(usize) -> bool) -> Option<Flaw> {
        let denied = self.cells().filter(|(cell, is_open)| !is_open && rules(cell.rule) && self.overlaps(cell));
        let with_leading_blank = self.names(|text| text.starts_with(' ')).find_map(|name| self.allowed_by(name));
        denied.map(|(cell, _)| cell).find_map(|cell| {
            let steps = cell.pattern.steps();
            let mut literals = steps.iter().enumerate().filter_map(|(index, step)| match step {
                Step::Literal(symbol) => Some((index, *symbol)),
                Step::One | Step::More => None,
            });
            self.denied_with(cell, with_leading_blank).or_else(|| {
                literals.find_map(|(index, symbol)| {
                    let is_last = index + 1 == steps.len();
                    let denied_everywhere: &[char] = if is_last { &[' ', ';'] } else { &[' ', ';', '.'] };
                    let mut names = self.partition.symbols.beginning_with(symbol, denied_everywhere);
                    let with_format = || if is_last { self.written_with_format(cell, symbol) } else { None };
                    self.denied_with(cell, names.find_map(|name| self.allowed_by(name))).or_else(with_format)
                })
            })
        })
    }

    /// The same of a format at the end of the denied route's path, with its methods.
    fn written_with_format(&self, cell: &Cell, last: Symbol) -> Option<Flaw> {
        let (_, before) = cell.pattern.steps().split_last()?;
        self.partition.symbols.beginning_with(last, &['.']).find_map(|symbol| {
            let exactly: Vec<Step> = before.iter().copied().chain([Step::Literal(symbol)]).collect();
            let below = exactly.iter().copied().chain([Step::More]).collect();
            let patterns = [Pattern::new(exactly)?, Pattern::new(below)?].map(|pattern| as_glob(&pattern));
            let names = |allowed: &&Allowed<'_>| {
                let steps = allowed.glob.pattern.steps();
                allowed.cell.group == cell.group
                    && steps.contains(&Step::Literal(symbol))
                    && patterns.iter().any(|pattern| meet(pattern, &allowed.glob.pattern))
            };
            self.denied_with(cell, self.allowed.iter().find(names))
        })
    }

    /// The same where there is no room for what each denied route needs, and every semicolon, blank and dot at a
    /// segment's end is denied, and formats whatever is before the name.
    pub(super) fn denied_by_the_broadest(&self) -> Option<Flaw> {
        let is_odd = |text: &str| text.contains([' ', ';']) || text.ends_with('.');
        let odd = self.names(is_odd).find_map(|name| self.allowed_by(name));
        self.cells().filter(|(cell, is_open)| !is_open && self.overlaps(cell)).find_map(|(cell, _)| {
            let formats = cell.pattern.steps().last().into_iter().filter_map(|step| match step {
                Step::Literal(symbol) => Some(self.partition.symbols.beginning_with(*symbol, &['.'])),
                Step::One | Step::More => None,
            });
            let with_format = formats.flatten().find_map(|name| self.allowed_by(name));
            self.denied_with(cell, with_format).or_else(|| self.denied_with(cell, odd))
        })
    }

    /// The literals of the table of which this is true.
    fn names(&self, is_meant: impl Fn(&str) -> bool) -> impl Iterator<Item = Symbol> {
        self.partition.symbols.all().filter(move |(text, _)| is_meant(text)).map(|(_, symbol)| symbol)
    }

    /// What is allowed by a route that names this literal.
    fn allowed_by(&self, name: Symbol) -> Option<&Allowed<'l>> {
        self.allowed.iter().find(|allowed| allowed.glob.pattern.steps().contains(&Step::Literal(name)))
    }

    fn denied_with(&self, denied: &Cell, allowed: Option<&Allowed<'l>>) -> Option<Flaw> {
        let allowed = allowed?;
        let word = word(&[&allowed.glob.pattern], [])?;
        self.told(Some(denied.rule), allowed.cell.rule, allowed.cell.group, &word)
    }
}

/// What a policy must deny beside the denied routes themselves.
#[derive(Debug, Default)]
pub(super) struct Overlap {
    /// The routes' literals.
    pub(super) literals: Vec<Symbol>,
    /// Those that stand before another segment.
    pub(super) within: Vec<Symbol>,
    /// Those that stand at the end.
    pub(super) last: Vec<Symbol>,
    /// The routes that end in one.
    pub(super) ends: Vec<Glob>,
}

impl Cell {
    /// What it owns where its parameters have these values; `None` where that is nothing.
    fn where_bound(&self, bound: &Bound) -> Option<Cell> {
        let mut steps = Vec::new();
        for (index, step) in self.pattern.steps().iter().enumerate() {
            // The method stands before the segments.
            match bound.iter().find(|(segment, _)| segment + 1 == index) {
                Some((_, values)) => steps.extend(values.iter().map(|value| Step::Literal(*value))),
                None => steps.push(*step),
            }
        }
        Cell::new(self.rule, self.group, Pattern::new(steps)?, &self.above)
    }
}

/// So that a gain for each of several strings can be told from none.
const MANY: usize = 1_000;
