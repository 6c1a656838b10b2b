//! Which of an API's routes cached policies open: a policy cannot but allow some requests
//! that no rule serves, which is no matter where the API has no route for them. For
//! people who ask before they deploy; no request ever does.

use super::implication::Paths;
use super::partition::{CONNECT, Group, patterns};
use super::pattern::{Pattern, meet, word_soon};
use super::plan::Plan;
use super::symbols::Symbols;
use super::{Coverage, RouteKey};
use crate::access::route::Segment;

impl Coverage {
    /// The positions of the API's routes that get requests which no rule serves and
    /// which cached policies allow all the same.
    pub(in crate::access) fn exposed(&self, api: &[&RouteKey]) -> Vec<usize> {
        let mut plan = self.plan(&self.most(None, Paths::All));
        plan.compact();
        let routes: Vec<_> = api.iter().map(|key| (*key, self.in_terms_of_the_table(key))).collect();
        let exposed = |(key, in_terms): &(&RouteKey, Option<(Vec<Pattern>, bool)>)| {
            let Some((patterns, _)) = in_terms else { return true };
            let mut groups = self.partition.groups.iter().enumerate();
            groups.any(|(group, Group { methods })| {
                if !methods.iter().any(|method| serves(key, method)) {
                    return false;
                }
                // What goes to a more specific route, where it is exactly known which requests these are.
                let above = routes.iter().filter(|(other, _)| {
                    specific(other) < specific(key) && methods.iter().all(|method| serves(other, method))
                });
                let above = above.filter_map(|(_, in_terms)| in_terms.as_ref()).filter(|(_, is_exact)| *is_exact);
                let above: Vec<&Pattern> = above.flat_map(|(patterns, _)| patterns).collect();
                patterns.iter().any(|pattern| opens(&plan, group, pattern, &above))
            })
        };
        routes.iter().enumerate().filter(|(_, route)| exposed(route)).map(|(position, _)| position).collect()
    }

    /// The key's patterns. A literal that the table does not name becomes any segment: it
    /// may be a claim's value. And whether none had to.
    fn in_terms_of_the_table(&self, key: &RouteKey) -> Option<(Vec<Pattern>, bool)> {
        let RouteKey::Http { method, segments } = key else {
            return Some((patterns(key, &mut Symbols::default())?, true));
        };
        let known = |segment: &Segment| match segment {
            Segment::Literal(text) => self.partition.symbols.find(text).is_some(),
            Segment::Parameter(_) | Segment::Greedy(_) => true,
        };
        let any = || Segment::Parameter(String::new());
        let segments_known = segments.iter().map(|segment| if known(segment) { segment.clone() } else { any() });
        let in_terms = RouteKey::Http { method: *method, segments: segments_known.collect() };
        // INVARIANT: nothing is new to these symbols, so the copy gives the same numbers.
        let patterns = patterns(&in_terms, &mut self.partition.symbols.clone())?;
        Some((patterns, segments.iter().all(known)))
    }
}

/// Whether the plan allows requests of a pattern that no rule serves.
fn opens(plan: &Plan<'_>, group: usize, pattern: &Pattern, above: &[&Pattern]) -> bool {
    let allowed = plan.allowed.iter().filter(|allowed| allowed.cell.group == group);
    let mut allowed = allowed.map(|allowed| &allowed.glob.pattern).filter(|allowed| meet(allowed, pattern));
    let owned = plan.partition.cells.iter().filter(|cell| cell.group == group).map(|cell| &cell.pattern);
    let denied = plan.deny.iter().filter(|glob| glob.reaches(group)).map(|glob| &glob.pattern);
    let wrong: Vec<&Pattern> = owned.chain(denied).collect();
    let is_left = |allowed: &Pattern, above: &[&Pattern]| {
        word_soon(&[allowed, pattern], wrong.iter().chain(above).copied()).is_some()
    };
    // Most often nothing is left whatever goes to other routes, and that is found sooner.
    allowed.any(|allowed| is_left(allowed, &[]) && is_left(allowed, above))
}

/// For comparing: the more specific first.
fn specific(key: &RouteKey) -> (bool, Vec<u8>) {
    let RouteKey::Http { segments, .. } = key else { return (true, Vec::new()) };
    let rank = |segment: &Segment| match segment {
        Segment::Literal(_) => 0,
        Segment::Parameter(_) => 1,
        Segment::Greedy(_) => 2,
    };
    (false, segments.iter().map(rank).collect())
}

fn serves(key: &RouteKey, name: &str) -> bool {
    match key {
        RouteKey::Connect => false,
        RouteKey::Default => name != CONNECT,
        RouteKey::Http { method, .. } => name != CONNECT && method.is_none_or(|own| own.name() == name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::requirement::{Check, Requirement};
    use crate::access::{LetterCase, Rule, Rules};

    #[track_caller]
    fn check_exposed(table: &[&str], api: &[&str], expected: &[usize]) {
        let mut rules = Rules::new(LetterCase::Distinguished);
        for key in table {
            let requirement = Requirement { checks: vec![Check::AnyScope(vec!["read".to_owned()])] };
            rules
                .insert(
                    RouteKey::parse(key).unwrap(),
                    Rule { key: (*key).into(), requirement, cedar: None, introspect: false, report_only: false },
                )
                .unwrap();
        }
        rules.cover(false).unwrap();
        assert_eq!(
            rules.exposed_by_caching(
                &api.iter().map(|key| RouteKey::parse(key).unwrap()).collect::<Vec<_>>().iter().collect::<Vec<_>>()
            ),
            expected,
            "{table:?} {api:?}"
        );
    }

    #[test]
    fn caching_opens_only_what_no_rule_owns_and_no_deny_reaches() {
        let table = ["GET /users/{id}", "GET /users/{id}/orders"];
        check_exposed(&table, &["GET /users/{id}", "GET /users/{id}/orders"], &[]);
        check_exposed(&table, &["GET /users/{id}", "GET /users/{id}/photos"], &[1]);
        check_exposed(&table, &["GET /users/me/photos", "POST /users/{a}/{b}", "$default"], &[0, 2]);
        check_exposed(&table, &["POST /users/{id}/photos", "GET /photos", "ANY /{x+}", "$connect"], &[2]);
        check_exposed(&table, &["GET /users/{id}/{x+}", "GET /users/{id}/{y}", "ANY /{x+}"], &[1]);
        check_exposed(&["GET /users/{id}"], &["GET /users/{id}/photos", "ANY /{x+}"], &[]);
        check_exposed(&["GET /{x+}", "ANY /admin/{x+}"], &["ANY /{x+}", "$default"], &[]);
    }
}
