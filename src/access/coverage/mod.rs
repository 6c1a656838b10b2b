//! The rule table as IAM policies that stay right while API Gateway caches them.
//!
//! A cached policy is held against every later request of the same token, whatever its
//! path. [`TokenPermissions`] answers for all of them: it allows the routes that the
//! token may use and denies the others, so that it is a function of the token alone.
//! `docs/cached-policies.md` says why it is exact, and for which tables it can be.
//!
//! | file | what it does |
//! |---|---|
//! | `pattern` | sets of requests as patterns over segments; is one within another? |
//! | `symbols` | the segments that the table names, by number |
//! | `partition` | the table: what each route owns, what could be denied |
//! | `implication` | whether a token can satisfy one route and miss another |
//! | `plan` | what to allow and deny for one kind of token; what such a policy gets wrong |
//! | `overlap`, `exposed` | the table beside an API's routes: what serves what, what caching opens |
//! | `precedence` | which rules API Gateway may pick in another order than the table |
//! | `start` | for which tables no token's policy gets anything wrong |
//! | `applicability` | what one token holds |
//! | `resources` | a plan as text |
//! | `unsafe_paths` | what every such policy denies |

mod applicability;
mod exposed;
mod implication;
mod overlap;
mod partition;
mod pattern;
mod plan;
mod precedence;
mod resources;
mod symbols;
mod unsafe_paths;
mod validate;

pub use overlap::Served;
pub(super) use overlap::served;
pub use precedence::TwoReadings;
pub(super) use precedence::two_readings;
pub(super) use validate::run_elsewhere;
pub use validate::{Inexpressible, OverAllow};

use super::path::SafePath;
use super::permit::Vouched;
use super::requirement::Requirement;
use super::route::RouteKey;
use crate::denial::Denial;
use crate::lock::lock;
use crate::request::MAX_RESOURCE_CHARACTERS;
use crate::token::Claims;
use applicability::{Applicability, Binding};
use partition::{Cell, Partition};
use pattern::{Step, Symbol};
use plan::{Bound, Holding, Plan};
use resources::Resources;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use symbols::Meaning;

/// The rule table, ready to say for any token what it may use.
#[derive(Debug)]
pub(super) struct Coverage {
    partition: Partition,
    /// By rule: its class; `None` where it is answered for its own ARN alone.
    classes: Vec<Option<usize>>,
    /// Each requirement of the table once.
    requirements: Vec<Requirement>,
    implicit_deny: bool,
    /// What was compiled for tokens that hold the same, but for rules that are left out.
    compiled: Mutex<HashMap<Kind, Compiled>>,
}

/// What a kind of token holds of each requirement, and the rules that are left out.
type Kind = (Vec<Holding>, Vec<usize>);

/// A policy, or why there is none.
#[derive(Clone, Debug)]
enum Compiled {
    Right(Arc<Resources>),
    TooLarge,
    /// What this rule allows cannot be told from what is denied.
    InTheWay(usize),
}

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
pub struct TokenPermissions {
    coverage: Arc<Coverage>,
    claims: Arc<Claims>,
}

/// What an accepted token may use once it is vouched for.
#[derive(Debug)]
pub struct UnvouchedPermissions(TokenPermissions);

/// The Resources of a policy that covers a token.
#[derive(Debug, PartialEq, Eq)]
pub struct Covering {
    /// What is allowed.
    pub allow: Vec<String>,
    /// What is denied.
    pub deny: Vec<String>,
    /// Whether some route that the token may use is denied, since no policy of this size
    /// could carry it.
    pub leaves_out: bool,
}

impl UnvouchedPermissions {
    pub(super) fn new(coverage: &Arc<Coverage>, claims: &Arc<Claims>) -> Self {
        Self(TokenPermissions { coverage: Arc::clone(coverage), claims: Arc::clone(claims) })
    }

    /// What the token may use, given the proof.
    #[must_use]
    pub fn confirm(self, _proof: Vouched) -> TokenPermissions {
        self.0
    }
}

impl TokenPermissions {
    /// The Resources that are allowed, and those that are denied, behind what stands
    /// before the method in the API's ARNs, in at most so many bytes of JSON. What cannot be
    /// written for one route costs that route: it is denied.
    ///
    /// # Errors
    /// [`Denial::Internal`] after a panic.
    pub fn resources(&self, before_method: &str, most_bytes: usize) -> Result<Covering, Denial> {
        self.coverage.covering(&self.claims, before_method, most_bytes)
    }
}

impl Coverage {
    fn covering(&self, claims: &Claims, before_method: &str, most_bytes: usize) -> Result<Covering, Denial> {
        let mut values = Vec::new();
        let mut has_too_many = false;
        let held = self.requirements.iter().map(|requirement| match applicability::of(requirement, claims) {
            Some(applicability) => self.holding(applicability, &mut values),
            None => {
                has_too_many = true;
                Holding::Where(Vec::new())
            }
        });
        let held: Vec<Holding> = held.collect();
        let mut left_out = self.too_long(&held, before_method, &values);
        let mut at_once = 1;
        for attempt in 1..=MAX_ATTEMPTS {
            match self.compiled(&held, &left_out)? {
                Compiled::Right(resources) if resources.json_bytes(before_method, &values) <= most_bytes => {
                    let leaves_out = has_too_many || !left_out.is_empty();
                    return Ok(resources.texts(before_method, &values, leaves_out));
                }
                Compiled::InTheWay(rule) if !left_out.contains(&rule) => left_out.push(rule),
                Compiled::Right(_) | Compiled::TooLarge | Compiled::InTheWay(_) => {
                    left_out.extend(self.largest(&held, &left_out, at_once));
                    at_once *= 2;
                }
            }
            if attempt + 1 == MAX_ATTEMPTS {
                // The start has found that a token without these has a policy.
                left_out.extend(self.bound_rules(&held));
            }
            left_out.sort_unstable();
            left_out.dedup();
        }
        Ok(Resources::denying_everything().texts(before_method, &values, true))
    }

    /// The rules of which a Resource would have more characters than IAM takes.
    fn too_long(&self, held: &[Holding], before_method: &str, values: &[String]) -> Vec<usize> {
        let characters = |symbol: &Symbol| match self.partition.symbols.meaning(*symbol) {
            Meaning::Literal(text) => text.chars().count(),
            Meaning::Value(position) => values.get(position).map_or(0, |value| value.chars().count()),
            Meaning::Other => 0,
        };
        // Each segment has a slash before it, and there may be one at the end. Where something else
        // of the path is open, what lies too deep is denied with the same values.
        let fixed = before_method.chars().count() + LONGEST_METHOD + 1;
        let is_open = |cell: &Cell, bound: &Bound| {
            let open = cell.pattern.steps().iter().skip(1).filter(|step| !matches!(step, Step::Literal(_)));
            open.count() > bound.len()
        };
        let is_too_long = |rule: usize, bound: &Bound| {
            let of_values = bound.iter().flat_map(|(_, symbols)| symbols).map(|symbol| characters(symbol) + 1);
            let of_route = self.partition.cells.iter().filter(|cell| cell.rule == rule).map(|cell| {
                let too_deep = if is_open(cell, bound) { self.partition.deepest * WILDCARD_CHARACTERS } else { 0 };
                let literals = cell.pattern.steps().iter().skip(1).filter_map(|step| match step {
                    Step::Literal(symbol) => Some(characters(symbol) + 1),
                    Step::One | Step::More => None,
                });
                literals.sum::<usize>() + too_deep
            });
            fixed + of_values.sum::<usize>() + of_route.max().unwrap_or(0) > MAX_RESOURCE_CHARACTERS
        };
        let rules = self.holdings(held).filter_map(|(rule, holding)| match holding {
            Holding::Where(bounds) => bounds.iter().any(|bound| is_too_long(rule, bound)).then_some(rule),
            Holding::Everywhere => None,
        });
        rules.collect()
    }

    /// Of the rules that allow something, so many of those that take most of a policy: what is
    /// bound to claims first, since the start cannot foresee how much that is.
    fn largest(&self, held: &[Holding], left_out: &[usize], count: usize) -> Vec<usize> {
        let size = |rule: usize, bounds: usize| {
            let methods = self
                .partition
                .cells
                .iter()
                .filter(|cell| cell.rule == rule)
                .filter_map(|cell| self.partition.groups.get(cell.group).map(|group| group.methods.len()));
            methods.sum::<usize>() * bounds
        };
        let rules = self.holdings(held).filter(|(rule, _)| !left_out.contains(rule));
        let sizes = rules.filter_map(|(rule, holding)| match holding {
            Holding::Everywhere => Some((false, size(rule, 1), rule)),
            Holding::Where(bounds) => (!bounds.is_empty()).then(|| (true, size(rule, bounds.len()), rule)),
        });
        let mut sizes: Vec<_> = sizes.collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        sizes.into_iter().take(count).map(|(_, _, rule)| rule).collect()
    }

    fn bound_rules(&self, held: &[Holding]) -> Vec<usize> {
        let rules = self.holdings(held).filter(|(_, holding)| matches!(holding, Holding::Where(_)));
        rules.map(|(rule, _)| rule).collect()
    }

    /// By rule what is held of it, where it is answered for the whole token.
    fn holdings<'h>(&self, held: &'h [Holding]) -> impl Iterator<Item = (usize, &'h Holding)> {
        let of_class = |(rule, class): (usize, &Option<usize>)| Some((rule, held.get((*class)?)?));
        self.classes.iter().enumerate().filter_map(of_class)
    }

    fn holding(&self, applicability: Applicability, values: &mut Vec<String>) -> Holding {
        match applicability {
            Applicability::Everywhere => Holding::Everywhere,
            Applicability::Where(bindings) => {
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
        if let Some(literal) = self.partition.symbols.find(segment) {
            return literal;
        }
        symbols::value(place_of(segment, values))
    }

    fn compiled(&self, held: &[Holding], left_out: &[usize]) -> Result<Compiled, Denial> {
        let key = (held.to_vec(), left_out.to_vec());
        if let Some(known) = lock(&self.compiled)?.get(&key) {
            return Ok(known.clone());
        }
        let policy = self.compile(held, left_out);
        let mut compiled = lock(&self.compiled)?;
        if compiled.len() >= MAX_COMPILED {
            compiled.clear();
        }
        compiled.insert(key, policy.clone());
        Ok(policy)
    }

    /// Cheap questions first, so that what cannot be answered costs little.
    fn compile(&self, held: &[Holding], left_out: &[usize]) -> Compiled {
        let mut of_rules = self.of_rules(held);
        for rule in left_out {
            of_rules.get_mut(*rule).into_iter().for_each(|holding| *holding = Holding::Where(Vec::new()));
        }
        let plan = Plan::allowing(&self.partition, &of_rules);
        if resources::allows_too_much(&plan) {
            return Compiled::TooLarge;
        }
        let mut plan = plan.denying();
        plan.compact();
        let resources = Resources::new(&self.partition, &plan);
        if resources.fit_nowhere() {
            return Compiled::TooLarge;
        }
        // The start has ruled this out but for what it cannot foresee; a policy is not believed but checked.
        match plan.flaw(|_| true, self.implicit_deny).as_ref().or(resources.in_the_way.as_ref()) {
            Some(flaw) => Compiled::InTheWay(flaw.allowed),
            None => Compiled::Right(Arc::new(resources)),
        }
    }

    fn of_rules(&self, held: &[Holding]) -> Vec<Holding> {
        let of_class = |class: &Option<usize>| class.and_then(|class| held.get(class)).cloned();
        self.classes.iter().map(|class| of_class(class).unwrap_or(Holding::Where(Vec::new()))).collect()
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

/// How often a policy is compiled without some routes before everything is denied. Each time
/// twice as many are left out for their size.
const MAX_ATTEMPTS: usize = 8;

/// `OPTIONS`, and the `?*` of any method is shorter.
const LONGEST_METHOD: usize = 7;

/// `/?*:*`
const WILDCARD_CHARACTERS: usize = 5;

/// Kinds of tokens whose policies are kept. A table has few; one with many would fill
/// the memory.
const MAX_COMPILED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{all_of, bound, claims, key};
    use serde_json::json;
    use std::time::Duration;

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

    const BEFORE_METHOD: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/v/";

    /// The policy for so large an answer as you like; `None` where it leaves a route out.
    fn whole(table: &Coverage, claims: &Claims) -> Option<Covering> {
        let covering = table.covering(claims, BEFORE_METHOD, usize::MAX).unwrap();
        (!covering.leaves_out).then_some(covering)
    }

    fn policy_bytes(covering: &Covering) -> usize {
        covering.allow.iter().chain(&covering.deny).map(|resource| resource.len() + 3).sum()
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
            let began = cpu_time();
            for count in [1, 2, 3, 4, 5, 10, 11, 12, 16, 32, 64, 65, 500] {
                assert_eq!(
                    whole(&table, &with_values(count)).is_some(),
                    count <= fit,
                    "{count} {:?}",
                    table.partition.cells
                );
            }
            let took = cpu_time() - began;
            assert!(took < Duration::from_secs(4), "{took:?} {:?}", table.partition.cells);
        }
    }

    #[test]
    fn a_policy_is_refused_as_too_large_where_none_of_its_size_fits() {
        for routes in [&["GET /{t}"][..], &["GET /{t}/{x}"], &["GET /{t}", "GET /{t}/{x+}"], &["ANY /{t}/a"]] {
            let table = all_bound(routes.iter().map(|route| ((*route).to_owned(), "t")));
            let sizes: Vec<usize> =
                (0..64).map_while(|count| Some(policy_bytes(&whole(&table, &with_values(count))?))).collect();
            let [.., before, last] = sizes[..] else { panic!() };
            // A value is counted as one character, and these have two.
            let characters_more = sizes.len() * 14;
            assert!(last < 8192 + characters_more && 2 * last - before > 8192, "{routes:?} {sizes:?}");
        }
    }

    /// How long this thread has run, however many others want the processor (proc(5), `schedstat`).
    fn cpu_time() -> Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
    }

    #[test]
    fn values_of_many_segments_do_not_keep_the_compiler_busy() {
        let table = all_bound((0..12).map(|i| (format!("GET /a{i}/{{t+}}"), "t")));
        let value = |n: usize| (0..61).map(|i| format!("{:x}", n * 61 + i)).collect::<Vec<_>>().join("/");
        let began = cpu_time();
        for (values, is_ok) in [(1, true), (64, false)] {
            let claims = claims(json!({ "ten": (0..values).map(value).collect::<Vec<_>>() }));
            assert_eq!(whole(&table, &claims).is_some(), is_ok);
        }
        let took = cpu_time() - began;
        assert!(took < Duration::from_secs(6), "{took:?}");
    }

    #[test]
    fn what_was_compiled_is_known_the_second_time() {
        let table = all_bound([("GET /{t}".to_owned(), "t")]);
        for (count, known) in [(64, 2), (64, 2), (1, 3), (1, 3), (63, 5)] {
            assert_eq!(whole(&table, &with_values(count)).is_some(), count == 1);
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
