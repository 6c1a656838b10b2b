//! One path for every way in which paths can fall under the keys of two tables.
//!
//! A path is read from the left. All that matters of what was read is which keys still fit, and which `{name+}` took the
//! rest; where two beginnings agree in that, they agree in all that follows. So the number of paths is finite, and a path
//! that stands for each is made. Which rule serves it is asked of the core.

use std::collections::BTreeSet;

/// A segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// This one, which some key has.
    Literal(String),
    /// Any that no key has.
    Other,
}

/// A key's path, segment by segment.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Parameter,
    Greedy,
}

/// More kinds of paths than are looked at.
#[derive(Debug)]
pub(super) struct TooMany;

/// What is known of a path after some of its segments: the keys that fit so far, and those whose `{name+}` has begun.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    depth: usize,
    fitting: Vec<usize>,
    greedy: Vec<usize>,
}

/// The paths.
///
/// # Errors
/// [`TooMany`].
pub(super) fn kinds<'k>(keys: impl Iterator<Item = &'k str>) -> Result<Vec<Vec<Segment>>, TooMany> {
    let keys: BTreeSet<&str> = keys.filter_map(|key| key.split_once(' ').map(|(_, path)| path)).collect();
    let keys: Vec<Vec<Part>> = keys.into_iter().map(parts).collect();
    let start = State { depth: 0, fitting: (0..keys.len()).collect(), greedy: Vec::new() };
    let mut known: BTreeSet<State> = BTreeSet::from([start.clone()]);
    let mut paths = Vec::new();
    let mut open = vec![(start, Vec::new())];
    while let Some((state, path)) = open.pop() {
        let at = |key: &usize| keys.get(*key).and_then(|parts| parts.get(state.depth));
        let mut symbols: Vec<Segment> = vec![Segment::Other];
        for key in &state.fitting {
            if let Some(Part::Literal(text)) = at(key)
                && !symbols.iter().any(|symbol| matches!(symbol, Segment::Literal(known) if known == text))
            {
                symbols.push(Segment::Literal(text.clone()));
            }
        }
        for symbol in symbols {
            let fits = |key: &&usize| match (at(key), &symbol) {
                (Some(Part::Parameter), _) => true,
                (Some(Part::Literal(text)), Segment::Literal(symbol)) => text == symbol,
                (Some(Part::Literal(_)), Segment::Other) | (Some(Part::Greedy) | None, _) => false,
            };
            let fitting: Vec<usize> = state.fitting.iter().filter(fits).copied().collect();
            let begun = state.fitting.iter().filter(|key| at(key) == Some(&Part::Greedy));
            let mut greedy: Vec<usize> = state.greedy.iter().chain(begun).copied().collect();
            greedy.sort_unstable();
            // Where no key goes on, how deep it is makes no difference.
            let depth = if fitting.is_empty() { usize::MAX } else { state.depth + 1 };
            let next = State { depth, fitting, greedy };
            if known.insert(next.clone()) {
                let mut path = path.clone();
                path.push(symbol);
                open.push((next, path));
            }
            if known.len() > MAX_STATES {
                return Err(TooMany);
            }
        }
        paths.push(path);
    }
    paths.sort_by_key(Vec::len);
    Ok(paths)
}

fn parts(path: &str) -> Vec<Part> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let part = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) if name.ends_with('+') => Part::Greedy,
        Some(_) => Part::Parameter,
        None => Part::Literal(segment.to_owned()),
    };
    segments.map(part).collect()
}

/// The place of a parameter among the segments of a key's path.
pub(super) fn place(key: &str, parameter: &str) -> Option<usize> {
    let (_, path) = key.split_once(' ')?;
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.position(|segment| {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        name.is_some_and(|name| name.trim_end_matches('+') == parameter)
    })
}

const MAX_STATES: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_which_keys_can_fit_has_a_path() {
        let keys = ["GET /a", "GET /{x}", "GET /a/{y}", "GET /{x}/b", "GET /a/{z+}"];
        let paths = kinds(keys.into_iter()).unwrap();
        let text = |path: &Vec<Segment>| {
            let segments = path.iter().map(|segment| match segment {
                Segment::Literal(text) => text.clone(),
                Segment::Other => "*".to_owned(),
            });
            format!("/{}", segments.collect::<Vec<_>>().join("/"))
        };
        let found: BTreeSet<String> = paths.iter().map(text).collect();
        for path in ["/", "/a", "/*", "/a/b", "/a/*", "/*/b", "/*/*"] {
            assert!(found.contains(path), "{path}: {found:?}");
        }
        // `/a/b/*` and `/a/*/*` are of one kind: `{z+}` alone fits.
        let below_a = |path: &&String| path.starts_with("/a/") && path.matches('/').count() == 3;
        assert_eq!(found.iter().filter(below_a).count(), 1, "{found:?}");
    }

    #[test]
    fn a_table_of_a_thousand_routes_has_few_kinds_of_paths() {
        let keys: Vec<String> = (0..1000).map(|n| format!("GET /a{}/{{x}}/b{}/{{y+}}", n % 100, n)).collect();
        assert!(kinds(keys.iter().map(String::as_str)).unwrap().len() < 5_000);
    }
}
