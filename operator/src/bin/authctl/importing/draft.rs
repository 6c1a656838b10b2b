//! What was found becomes the sections of an `authorizer.yaml`. Whatever is in doubt refuses.
//!
//! A rule may only let in what its route let in. An issuer, its clients and its audiences stand once in the file, for
//! all rules; where several authorizers share them, each rule names those of its own.

use super::found::{Asks, Found, FoundRoute, Scopes};
use super::issuers::{Issuer, Issuers, Taken};
use super::route_keys::{Shape, rule_key};
use super::yaml::Yaml;
use crate::template::Source;
use std::collections::BTreeMap;

/// The sections.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) issuers: Vec<Issuer>,
    pub(super) entries: Vec<Entry>,
    /// Where requests carry tokens; empty for the header `Authorization`.
    pub(super) token: Vec<Source>,
    pub(super) remarks: Vec<String>,
}

/// One rule, or what stands in the place of one.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) comments: Vec<String>,
    /// `None` where there is no rule.
    pub(super) rule: Option<(String, Requirement)>,
}

/// What a rule asks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Requirement {
    /// These keys and values.
    Of(Vec<(String, Yaml)>),
    /// What nobody has.
    Refuse,
}

impl Draft {
    pub(super) fn of(found: &Found, file: &str) -> Self {
        let mut issuers = Issuers::of(found);
        let mut remarks = found.remarks.clone();
        let mut table = Table { entries: Vec::new(), known: BTreeMap::new(), unread: found.unread.clone() };
        for route in &found.routes {
            table.add(route, &issuers, file);
        }
        table.refuse_what_could_serve_unread_routes();
        if issuers.list.is_empty() {
            issuers.list.push(Issuer::of_nobody());
        }
        let token = places(found, &mut remarks);
        let entries = table.entries;
        Self { issuers: issuers.list, entries, token, remarks }
    }
}

struct Table {
    entries: Vec<Entry>,
    /// Rules by the requests that they serve.
    known: BTreeMap<Shape, usize>,
    unread: Vec<String>,
}

impl Table {
    fn add(&mut self, route: &FoundRoute, issuers: &Issuers, file: &str) {
        let at = format!("{file}:{}", route.place);
        if let Asks::Nothing(why) = &route.asks {
            let comment =
                format!("{} ({at}): {why}. It has no rule: with an authorizer it would be refused", route.key);
            self.entries.push(Entry { comments: vec![comment], rule: None });
            return;
        }
        let mut comments = Vec::new();
        let mut requirement = match &route.asks {
            Asks::Token(ways) => match requirement(ways, issuers) {
                Ok(requirement) => requirement,
                Err(why) => {
                    comments.push(format!("{at}: {why}"));
                    Requirement::Refuse
                }
            },
            Asks::Unknown(why) => {
                comments.push(format!("{at}: {why}"));
                Requirement::Refuse
            }
            Asks::Nothing(_) => return,
        };
        comments.extend(route.notes.iter().cloned());
        let (key, shape) = match rule_key(&route.key) {
            Ok(found) => found,
            Err((why, Some((key, shape)))) => {
                comments
                    .push(format!("{at}: no rule can have the key `{}` ({why}): this one takes its place", route.key));
                requirement = Requirement::Refuse;
                (key, shape)
            }
            Err((why, None)) => {
                self.unread.push(format!("no rule can have the key `{}` of {at} ({why})", route.key));
                return;
            }
        };
        let earlier = self.known.get(&shape).and_then(|index| self.entries.get_mut(*index));
        match earlier {
            Some(Entry { comments: known, rule: Some((_, first)) }) => {
                if requirement == Requirement::Refuse {
                    *first = Requirement::Refuse;
                } else if *first != requirement && *first != Requirement::Refuse {
                    let differs = "asks something else for the same route: write what both may ask, or import one API alone with --api";
                    known.push(format!("{at} {differs}"));
                    *first = Requirement::Refuse;
                }
                known.extend(comments);
            }
            _ => {
                self.known.insert(shape, self.entries.len());
                self.entries.push(Entry { comments, rule: Some((key, requirement)) });
            }
        }
    }

    /// A route that was not read may ask for more than a rule whose key matches its requests.
    fn refuse_what_could_serve_unread_routes(&mut self) {
        let Some(why) = self.unread.first() else { return };
        for entry in &mut self.entries {
            if let Some((key, requirement)) = &mut entry.rule
                && (key.contains('{') || key == "$default")
                && *requirement != Requirement::Refuse
            {
                *requirement = Requirement::Refuse;
                entry.comments.push(format!("it may serve requests of a route that was not read: {why}"));
            }
        }
    }
}

/// What a rule asks for any of these ways.
fn requirement(ways: &[super::found::Way], issuers: &Issuers) -> Result<Requirement, String> {
    let mut alternatives = Vec::new();
    for way in ways {
        let taken = issuers.taken(&way.authorizer).ok_or_else(|| format!("`{}` was not read", way.authorizer))?;
        if let Some(odd) = way.scopes.names().iter().find(|scope| !is_scope(scope)) {
            return Err(format!("`{odd}` is not a scope that a rule can name"));
        }
        alternatives.push(alternative(&taken, &way.scopes, issuers));
    }
    alternatives.dedup();
    Ok(match <[_; 1]>::try_from(alternatives) {
        Ok([only]) => Requirement::Of(only),
        // Any token of the only issuer does.
        Err(several) if several.iter().any(Vec::is_empty) => Requirement::Of(Vec::new()),
        Err(several) if several.is_empty() => Requirement::Refuse,
        Err(several) => {
            let several = several.into_iter().map(Yaml::Map).collect();
            Requirement::Of(vec![("any".to_owned(), Yaml::List(several))])
        }
    })
}

fn alternative(taken: &Taken, scopes: &Scopes, issuers: &Issuers) -> Vec<(String, Yaml)> {
    let mut entries = issuers.restrictions(taken, scopes);
    let (key, names) = match scopes {
        Scopes::None => return entries,
        Scopes::Any(names) => ("any_scope", names),
        Scopes::All(names) => (if names.len() == 1 { "any_scope" } else { "all_scopes" }, names),
    };
    entries.push((key.to_owned(), Yaml::texts(names)));
    entries
}

/// RFC 6749 3.3; an expression of ours in it would be replaced.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && !text.contains("${") && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Where tokens are, in the order of the authorizers.
fn places(found: &Found, remarks: &mut Vec<String>) -> Vec<Source> {
    let default = Source::Header("authorization".to_owned());
    let mut places: Vec<Source> = Vec::new();
    for authorizer in &found.authorizers {
        let own = if authorizer.sources.is_empty() { std::slice::from_ref(&default) } else { &authorizer.sources };
        for source in own {
            match source {
                Source::Header(name) | Source::Query(name) if !name.is_empty() && !name.contains("${") => {
                    if !places.contains(source) {
                        places.push(source.clone());
                    }
                }
                Source::Header(_) | Source::Query(_) | Source::Context(_) | Source::Other(_) => remarks
                    .push(format!("`{}` takes the token from {source}, which is no place of `token`", authorizer.name)),
            }
        }
    }
    if places == [default] { Vec::new() } else { places }
}
