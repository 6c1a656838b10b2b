//! The rule table as IAM policies that stay right while API Gateway caches them.
//!
//! A cached policy is held against every later request of the same token, whatever its
//! path. [`Coverage::standing`] answers for all of them: it allows the routes that the
//! token may use and denies the others, so that it is a function of the token alone.
//! `docs/cached-policies.md` says why it is exact, and for which tables it can be.
//!
//! | file | what it does |
//! |---|---|
//! | `pattern` | sets of requests as patterns over segments; is one within another? |
//! | `symbols` | the segments that the table names, by number |
//! | `layout` | the table: what each route owns, what could be denied |
//! | `implication` | whether a token can satisfy one route and miss another |
//! | `plan` | what to allow and deny for one kind of token; what such a policy gets wrong |
//! | `overlap`, `opened` | the table beside an API's routes: what serves what, what caching opens |
//! | `start` | for which tables no token's policy gets anything wrong |
//! | `extent` | what one token holds |
//! | `resources` | a plan as text |

mod extent;
mod implication;
mod layout;
mod opened;
mod overlap;
mod pattern;
mod plan;
mod resources;
mod start;
mod symbols;

pub use overlap::Served;
pub(super) use overlap::served;
pub use start::{Inexpressible, Surplus};

use super::path::SafePath;
use super::requirement::Requirement;
use super::route::RouteKey;
use crate::denial::Denial;
use crate::token::Claims;
use extent::{Binding, Extent};
use layout::Layout;
use pattern::Symbol;
use plan::{Bound, Holding, Plan};
use resources::{Part, Resource, Resources};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The rule table, ready to say for any token what it may use.
#[derive(Debug)]
pub(super) struct Coverage {
    layout: Layout,
    /// By rule: its class; `None` where it is answered for its own ARN alone.
    classes: Vec<Option<usize>>,
    /// Each requirement of the table once.
    requirements: Vec<Requirement>,
    implicit_deny: bool,
    /// What was compiled for tokens that hold the same.
    compiled: Mutex<HashMap<Vec<Holding>, Arc<Resources>>>,
}

/// What the compiler is told of a rule.
pub(super) struct RouteOfTable<'r> {
    pub(super) key: &'r str,
    pub(super) route: &'r RouteKey,
    pub(super) requirement: &'r Requirement,
    /// Whether it depends on more than token and path.
    pub(super) answers_for_itself: bool,
}

/// What one token may use of an API, and what not: the proof that a policy may speak
/// of more than the request at hand. Made from accepted claims alone.
#[derive(Debug)]
pub struct Standing {
    resources: Arc<Resources>,
    values: Vec<String>,
}

impl Coverage {
    /// What the token may use.
    ///
    /// # Errors
    /// [`Denial::Internal`] where no policy could say it; the tables of which that was
    /// foreseen were refused at start.
    pub(super) fn standing(&self, claims: &Claims) -> Result<Standing, Denial> {
        let mut values = Vec::new();
        let held = self.requirements.iter().map(|requirement| {
            let extent = extent::of(requirement, claims).ok_or(Denial::Internal("claims with too many values"))?;
            Ok(self.holding(extent, &mut values))
        });
        let held = held.collect::<Result<Vec<Holding>, Denial>>()?;
        Ok(Standing { resources: self.resources(held)?, values })
    }

    fn holding(&self, extent: Extent, values: &mut Vec<String>) -> Holding {
        match extent {
            Extent::Everywhere => Holding::Everywhere,
            Extent::Where(bindings) => {
                let mut bounds: Vec<Bound> =
                    bindings.iter().filter_map(|binding| self.bound(binding, values)).collect();
                bounds.sort_unstable();
                bounds.dedup();
                Holding::Where(bounds)
            }
        }
    }

    /// The binding's values as segments; `None` where no safe path holds them.
    fn bound(&self, binding: &Binding, values: &mut Vec<String>) -> Option<Bound> {
        let bound = binding.0.iter().map(|(parameter, value)| {
            let segments = plain_segments(value)?;
            (parameter.is_greedy() || segments.len() == 1).then_some(())?;
            let symbols = segments.iter().map(|segment| self.symbol(segment, values));
            Some((parameter.index(), symbols.collect()))
        });
        bound.collect()
    }

    fn symbol(&self, segment: &str, values: &mut Vec<String>) -> Symbol {
        if let Some(literal) = self.layout.symbols.find(segment) {
            return literal;
        }
        symbols::value(place_of(segment, values))
    }

    fn resources(&self, held: Vec<Holding>) -> Result<Arc<Resources>, Denial> {
        let poisoned = |_| Denial::Internal("a panic while a policy was compiled");
        if let Some(known) = self.compiled.lock().map_err(poisoned)?.get(&held) {
            return Ok(Arc::clone(known));
        }
        let mut plan = Plan::new(&self.layout, &self.of_rules(&held));
        plan.compact();
        // The start has ruled this out; a policy is not believed but checked.
        if plan.flaw(|_| true, self.implicit_deny).is_some() {
            return Err(Denial::Internal("no IAM policy is right for this token on every route"));
        }
        let resources = Arc::new(Resources::new(&self.layout, &plan));
        let mut compiled = self.compiled.lock().map_err(poisoned)?;
        if compiled.len() >= MAX_COMPILED {
            compiled.clear();
        }
        compiled.insert(held, Arc::clone(&resources));
        Ok(resources)
    }

    fn of_rules(&self, held: &[Holding]) -> Vec<Holding> {
        let of_class = |class: &Option<usize>| class.and_then(|class| held.get(class)).cloned();
        self.classes.iter().map(|class| of_class(class).unwrap_or(Holding::Where(Vec::new()))).collect()
    }
}

impl Standing {
    /// The Resources that are allowed, and those that are denied, behind what stands
    /// before the method in the API's ARNs.
    #[must_use]
    pub fn resources(&self, before_method: &str) -> (Vec<String>, Vec<String>) {
        let text = |resource: &Resource| {
            let mut text = before_method.to_owned();
            for part in resource {
                text.push_str(match part {
                    Part::Text(text) => text,
                    // INVARIANT: the plan was compiled for as many values.
                    Part::Value(position) => self.values.get(*position).map_or("", String::as_str),
                });
            }
            text
        };
        (self.resources.allow.iter().map(text).collect(), self.resources.deny.iter().map(text).collect())
    }
}

/// Its position in a list, at the end of which it is put where it is new.
fn place_of<T: ToOwned + ?Sized>(item: &T, list: &mut Vec<T::Owned>) -> usize
where
    T::Owned: PartialEq<T>,
{
    list.iter().position(|known| known == item).unwrap_or_else(|| {
        list.push(item.to_owned());
        list.len() - 1
    })
}

/// The segments of a claim's value, where it is a path that reads the same everywhere
/// and needs no escapes.
fn plain_segments(value: &str) -> Option<Vec<String>> {
    let path = format!("/{value}");
    let segments: Vec<String> =
        SafePath::parse(&path).ok()?.segments().iter().map(|segment| segment.to_string()).collect();
    (segments.join("/") == value && !value.contains(['%', ';']) && !value.is_empty()).then_some(segments)
}

/// Kinds of tokens whose policies are kept. A table has few; one with many would fill
/// the memory.
const MAX_COMPILED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_s_value_is_a_path_only_where_everybody_reads_it_as_it_stands() {
        for (value, segments) in [("a", &["a"][..]), ("a/b", &["a", "b"]), ("a b", &["a b"]), ("\u{e9}", &["\u{e9}"])] {
            assert_eq!(plain_segments(value).unwrap(), segments, "{value}");
        }
        for value in
            ["", "/", "a/", "/a", "a//b", "..", "a/./b", "*", "${a}", "a;b", "a;", "%61", "a%20b", "50%25", "50%"]
        {
            assert_eq!(plain_segments(value), None, "{value}");
        }
    }
}
