//! The rule table as IAM policies that stay right while API Gateway caches them.
//!
//! A cached policy is held against every later request of the same token, whatever its
//! path. [`Standing`] answers for all of them: it allows the routes that the
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
//! | `precedence` | which rules API Gateway may pick in another order than the table |
//! | `start` | for which tables no token's policy gets anything wrong |
//! | `extent` | what one token holds |
//! | `resources` | a plan as text |
//! | `unsafe_paths` | what every such policy denies |

mod extent;
mod implication;
mod layout;
mod opened;
mod overlap;
mod pattern;
mod plan;
mod precedence;
mod resources;
mod start;
mod symbols;
mod unsafe_paths;

pub use overlap::Served;
pub(super) use overlap::served;
pub use precedence::TwoReadings;
pub(super) use precedence::two_readings;
pub use start::{Inexpressible, Surplus};

use super::path::SafePath;
use super::permit::Vouched;
use super::requirement::Requirement;
use super::route::RouteKey;
use crate::denial::Denial;
use crate::lock::lock;
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
    compiled: Mutex<HashMap<Vec<Holding>, Compiled>>,
}

/// A policy, or why there is none.
type Compiled = Result<Arc<Resources>, &'static str>;

/// What the compiler is told of a rule.
pub(super) struct RouteOfTable<'r> {
    pub(super) key: &'r str,
    pub(super) route: &'r RouteKey,
    pub(super) requirement: &'r Requirement,
    /// Whether it depends on more than token and path.
    pub(super) answers_for_itself: bool,
}

/// What one token may use of an API, and what not: the proof that a policy may speak of
/// more than the request at hand. Made from accepted claims, once all checks that are
/// asked of accepted tokens have vouched for this one.
#[derive(Debug)]
pub struct Standing {
    resources: Arc<Resources>,
    values: Vec<String>,
}

/// What an accepted token may use once it is vouched for.
#[derive(Debug)]
pub struct UnvouchedStanding<'s> {
    coverage: &'s Coverage,
    claims: &'s Claims,
}

impl UnvouchedStanding<'_> {
    /// What the token may use, given the proof.
    ///
    /// # Errors
    /// [`Denial::Internal`] where no policy could say it; the tables of which that was
    /// foreseen were refused at start.
    pub fn confirm(self, _proof: Vouched) -> Result<Standing, Denial> {
        self.coverage.compiled_for(self.claims)
    }
}

impl Coverage {
    /// What the token may use.
    pub(super) fn standing<'s>(&'s self, claims: &'s Claims) -> UnvouchedStanding<'s> {
        UnvouchedStanding { coverage: self, claims }
    }

    fn compiled_for(&self, claims: &Claims) -> Result<Standing, Denial> {
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
        if let Some(known) = lock(&self.compiled)?.get(&held) {
            return known.clone().map_err(Denial::Internal);
        }
        let resources = self.compile(&held).map(Arc::new);
        let mut compiled = lock(&self.compiled)?;
        if compiled.len() >= MAX_COMPILED {
            compiled.clear();
        }
        compiled.insert(held, resources.clone());
        resources.map_err(Denial::Internal)
    }

    /// Cheap questions first, so that what cannot be answered costs little.
    fn compile(&self, held: &[Holding]) -> Result<Resources, &'static str> {
        let plan = Plan::allowing(&self.layout, &self.of_rules(held));
        if resources::allows_too_much(&plan) {
            return Err(TOO_LARGE);
        }
        let mut plan = plan.denying();
        plan.compact();
        let resources = Resources::new(&self.layout, &plan);
        if resources.fit_nowhere() {
            return Err(TOO_LARGE);
        }
        // The start has ruled this out; a policy is not believed but checked.
        match plan.flaw(|_| true, self.implicit_deny) {
            Some(_) => Err("no IAM policy is right for this token on every route"),
            None => Ok(resources),
        }
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
    let path = SafePath::parse(&path).ok()?;
    let segments: Vec<String> = path.segments().iter().map(|segment| segment.to_string()).collect();
    let has_one_reading = path.other_readings().is_empty() && !value.contains(['%', ';', '#']);
    (segments.join("/") == value && has_one_reading && !value.is_empty()).then_some(segments)
}

const TOO_LARGE: &str = "a policy for this token has more than 8 KB: its claims have too many values";

/// Kinds of tokens whose policies are kept. A table has few; one with many would fill
/// the memory.
const MAX_COMPILED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{all_of, bound, claims, key};
    use serde_json::json;
    use std::time::{Duration, Instant};

    /// Each route bound to an array by one of its parameters.
    fn all_bound(routes: impl IntoIterator<Item = (String, &'static str)>) -> Coverage {
        let routes: Vec<(String, &str)> = routes.into_iter().collect();
        let rules: Vec<_> = routes.iter().map(|(key, by)| (key, all_of(&[bound("ten", key, by)]))).collect();
        let keys: Vec<RouteKey> = rules.iter().map(|(route, _)| key(route)).collect();
        let table = rules.iter().zip(&keys).map(|((key, requirement), route)| RouteOfTable {
            key,
            route,
            requirement,
            answers_for_itself: false,
        });
        Coverage::new(&table.collect::<Vec<_>>(), true).unwrap().0
    }

    fn with_values(count: usize) -> Arc<Claims> {
        claims(json!({ "ten": (0..count).map(|number| format!("{number:02}")).collect::<Vec<_>>() }))
    }

    fn policy_bytes(standing: &Standing) -> usize {
        let (allow, deny) = standing.resources("arn:aws:execute-api:us-east-1:123456789012:abcdef1234/v/");
        allow.iter().chain(&deny).map(|resource| resource.len() + 3).sum()
    }

    #[test]
    fn no_token_keeps_the_compiler_busy() {
        let tenants =
            ["/{r}/tenants/{t}/users", "/{r}/tenants/{t}/orders/{o}", "/{r}/tenants/{t}", "/eu/tenants/{t}/audit/{d}"];
        let pair = |i| [(format!("GET /a/{{x}}/b{i}/{{y}}"), "x"), (format!("GET /a/{{x}}/{{z}}/c{i}"), "z")];
        let crossed = |i| [(format!("GET /{{a}}/{{t}}/x{i}"), "t"), (format!("GET /a{i}/{{t}}/{{b}}"), "t")];
        let within_one = (0..24).map(|i| (format!("GET /{{t}}/x{i}"), "t")).chain([("GET /{t}/{x+}".to_owned(), "t")]);
        let one_each = ["a", "b", "c", "d", "e"].map(|by| (format!("GET /{{a}}/{{b}}/{{c}}/{{d}}/{{e}}/{by}"), by));
        // And how many values fit.
        for (table, fit) in [
            (all_bound(tenants.map(|path| (format!("GET {path}"), "t"))), 10),
            (all_bound((0..4).flat_map(pair)), 3),
            (all_bound((0..4).flat_map(crossed)), 3),
            (all_bound(within_one), 32),
            (all_bound(one_each), 3),
        ] {
            let began = Instant::now();
            for count in [1, 2, 3, 4, 5, 10, 11, 12, 16, 32, 64, 65, 500] {
                assert_eq!(
                    table.compiled_for(&with_values(count)).is_ok(),
                    count <= fit,
                    "{count} {:?}",
                    table.layout.cells
                );
            }
            assert!(began.elapsed() < Duration::from_secs(4), "{:?} {:?}", began.elapsed(), table.layout.cells);
        }
    }

    #[test]
    fn a_policy_is_refused_as_too_large_where_none_of_its_size_fits() {
        for routes in [&["GET /{t}"][..], &["GET /{t}/{x}"], &["GET /{t}", "GET /{t}/{x+}"], &["ANY /{t}/a"]] {
            let table = all_bound(routes.iter().map(|route| ((*route).to_owned(), "t")));
            let sizes: Vec<usize> =
                (0..64).map_while(|count| Some(policy_bytes(&table.compiled_for(&with_values(count)).ok()?))).collect();
            let [.., before, last] = sizes[..] else { panic!() };
            // A value is counted as one character, and these have two.
            let characters_more = sizes.len() * 14;
            assert!(last < 8192 + characters_more && 2 * last - before > 8192, "{routes:?} {sizes:?}");
        }
    }

    #[test]
    fn values_of_many_segments_do_not_keep_the_compiler_busy() {
        let table = all_bound((0..12).map(|i| (format!("GET /a{i}/{{t+}}"), "t")));
        let value = |n: usize| (0..61).map(|i| format!("{:x}", n * 61 + i)).collect::<Vec<_>>().join("/");
        let began = Instant::now();
        for (values, is_ok) in [(1, true), (64, false)] {
            let claims = claims(json!({ "ten": (0..values).map(value).collect::<Vec<_>>() }));
            assert_eq!(table.compiled_for(&claims).is_ok(), is_ok);
        }
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }

    #[test]
    fn what_has_no_policy_is_known_the_second_time() {
        let table = all_bound([("GET /{t}".to_owned(), "t")]);
        for (count, known) in [(64, 1), (64, 1), (1, 2), (1, 2), (63, 3)] {
            assert_eq!(table.compiled_for(&with_values(count)).is_ok(), count == 1);
            assert_eq!(lock(&table.compiled).unwrap().len(), known);
        }
    }

    #[test]
    fn a_claim_s_value_is_a_path_only_where_everybody_reads_it_as_it_stands() {
        for (value, segments) in [("a", &["a"][..]), ("a/b", &["a", "b"]), ("a b", &["a b"]), ("\u{e9}", &["\u{e9}"])] {
            assert_eq!(plain_segments(value).unwrap(), segments, "{value}");
        }
        for value in [
            "", "/", "a/", "/a", "a//b", "..", "a/./b", "*", "${a}", "a;b", "a;", "%61", "a%20b", "50%25", "50%",
            "a#b", "a.", "a ", " a", "\u{ff41}", "a\u{a0}",
        ] {
            assert_eq!(plain_segments(value), None, "{value}");
        }
    }
}
