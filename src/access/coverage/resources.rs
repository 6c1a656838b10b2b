//! A plan as text: the Resources of its statements, but for what is before the method
//! in an ARN and for the values of the token's claims.

use super::layout::{CONNECT, Glob, Layout};
use super::pattern::{Pattern, Step, Symbol};
use super::plan::Plan;
use super::symbols::Meaning;

/// The Resources of both statements; it depends on the table and on what is held,
/// not on whose token it is.
#[derive(Debug)]
pub(super) struct Resources {
    pub(super) allow: Vec<Resource>,
    pub(super) deny: Vec<Resource>,
}

/// One Resource, from the method on.
pub(super) type Resource = Vec<Part>;

/// A piece of a Resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// A value of the token's claims, by position.
    Value(usize),
}

impl Resources {
    pub(super) fn new(layout: &Layout, plan: &Plan<'_>) -> Self {
        let allow = texts(layout, &plan.allow());
        let overlapped = plan.overlapped();
        let (of_routes, of_nothing): (Vec<_>, Vec<_>) = plan.deny.iter().partition(|glob| plan.denies_a_route(glob));
        let mut deny = texts(layout, &of_routes);
        if overlapped.is_some() {
            deny = deny.iter().flat_map(across_colons).collect();
        }
        deny.extend(texts(layout, &of_nothing));
        let mut more = |texts: &[&str]| deny.extend(texts.iter().map(|text| vec![Part::Text((*text).to_owned())]));
        more(&UNSAFE);
        match overlapped {
            Some(literals) => {
                more(&[ANY_ESCAPE]);
                // `/admin;x` is `/admin` to who takes path parameters off.
                let texts = literals.into_iter().filter_map(|symbol| piece(layout, symbol));
                deny.extend(texts.map(|part| {
                    let edge = |text: &str| Part::Text(text.to_owned());
                    vec![edge("*/"), part, edge(";*")]
                }));
            }
            None if plan.allows_by_wildcard() => more(&UNSAFE_ESCAPES),
            None => {}
        }
        Self { allow, deny }
    }
}

/// Every glob as it stands in an ARN. Where both a path and all below it are meant,
/// `/*` says it in one.
fn texts(layout: &Layout, globs: &[&Glob]) -> Vec<Resource> {
    let below = |glob: &Glob| {
        let steps = glob.pattern.steps().iter().copied().chain([Step::More]).collect();
        Pattern::new(steps).map(|pattern| Glob { group: glob.group, pattern })
    };
    let ends_in_literal = |glob: &&&Glob| matches!(glob.pattern.steps().last(), Some(Step::Literal(_)));
    let merged: Vec<Glob> = globs
        .iter()
        .filter(ends_in_literal)
        .filter_map(|glob| below(glob))
        .filter(|below| globs.contains(&below))
        .collect();
    let mut resources = Vec::new();
    for glob in globs.iter().filter(|glob| !merged.contains(glob)) {
        let any = [WILDCARD];
        let methods = match glob.group.and_then(|group| layout.groups.get(group)) {
            Some(group) => group.methods.as_slice(),
            None => &any,
        };
        for method in methods {
            let path = path(layout, glob, method);
            if !matches!(glob.pattern.steps().last(), Some(Step::Literal(_))) || *method == CONNECT {
                resources.push(path);
                continue;
            }
            let all_below = below(glob).is_some_and(|below| merged.contains(&below));
            resources.push(with(path.clone(), if all_below { "/*" } else { "/" }));
            resources.push(path);
        }
    }
    resources
}

/// The Resource, and the same once more for paths with colons. IAM's reference says
/// that a wildcard at the end of a part of an ARN goes on beyond the next colon, and
/// nothing of one in its middle: whichever way that is read, what is denied must stay
/// denied where an allowed wildcard would match.
fn across_colons(resource: &Resource) -> Vec<Resource> {
    let mut all = vec![Vec::new()];
    let is_last = |index: usize| index + 1 == resource.len();
    for (index, part) in resource.iter().enumerate() {
        let Part::Text(text) = part else {
            all.iter_mut().for_each(|resource| resource.push(part.clone()));
            continue;
        };
        let pieces: Vec<&str> = text.split(WILDCARD).collect();
        for (position, piece) in pieces.iter().enumerate() {
            let is_within = position > 0 && !(is_last(index) && position + 1 == pieces.len() && piece.is_empty());
            let wildcards: &[&str] = match (position, is_within) {
                (0, _) => &[""],
                (_, true) => &[WILDCARD, "?*:*"],
                (_, false) => &[WILDCARD],
            };
            let longer = |resource: &Resource| {
                wildcards
                    .iter()
                    .map(|wildcard| with(resource.clone(), &format!("{wildcard}{piece}")))
                    .collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
    }
    all
}

fn path(layout: &Layout, glob: &Glob, method: &str) -> Resource {
    let mut parts = vec![Part::Text(method.to_owned())];
    for step in glob.pattern.steps().iter().skip(1) {
        parts = with(parts, "/");
        match step {
            Step::Literal(symbol) => match piece(layout, *symbol) {
                Some(Part::Text(text)) => parts = with(parts, &text),
                Some(value @ Part::Value(_)) => parts.push(value),
                // INVARIANT: no glob names what nothing names. As a wildcard it would be
                // too much; as an empty segment it matches no request.
                None => {}
            },
            Step::One | Step::More => parts = with(parts, WILDCARD),
        }
    }
    parts
}

fn with(mut parts: Resource, text: &str) -> Resource {
    match parts.last_mut() {
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
    parts
}

fn piece(layout: &Layout, symbol: Symbol) -> Option<Part> {
    match layout.symbols.meaning(symbol) {
        Meaning::Literal(text) => Some(Part::Text(text.to_owned())),
        Meaning::Value(position) => Some(Part::Value(position)),
        Meaning::Other => None,
    }
}

/// One segment or more, between slashes or at the end.
const WILDCARD: &str = "?*";

/// Paths that backends read differently, as far as IAM can say it: no `*` and `?` that
/// stand for themselves, no control characters.
const UNSAFE: [&str; 9] = ["*//*", "*/.", "*/./*", "*/..", "*/../*", "*\\*", "*/;*", "*/.;*", "*/..;*"];

/// Any escape: where an allowed wildcard overlaps a denied route, `/%61dmin` would be
/// allowed for not being `/admin`.
const ANY_ESCAPE: &str = "*%*";

/// Escapes of what is unsafe.
const UNSAFE_ESCAPES: [&str; 10] =
    ["*%2e*", "*%2E*", "*%2f*", "*%2F*", "*%5c*", "*%5C*", "*%25*", "*%3b*", "*%3B*", "*%0?*"];
