//! Where an OpenAPI document and the rules say different things.

use super::finding::{Finding, listed};
use crate::importing::{Asks, Found};
use cognito_authorizer::access::RouteKey;
use cognito_authorizer::config::Config;
use cognito_authorizer_operator::revoking::printable;
use std::collections::BTreeSet;

/// What differs. `file` is the document's name.
pub(super) fn drift(config: &Config, found: &Found, file: &str) -> Vec<Finding> {
    let mut findings: Vec<Finding> = found.unread.iter().map(|what| Finding::warning(printable(what))).collect();
    let rules: Vec<_> = config.rules().iter().map(|(_, rule)| rule).collect();
    let parsed = found.routes.iter().filter_map(|route| Some((route, RouteKey::parse(&route.key).ok()?)));
    let (routes, keys): (Vec<_>, Vec<RouteKey>) = parsed.unzip();
    for route in &found.routes {
        if let Err(error) = RouteKey::parse(&route.key) {
            let (key, place) = (printable(&route.key), route.place);
            findings.push(Finding::warning(format!("`{key}` ({file}:{place}): no rule can have this key: {error}")));
        }
    }
    let Some(served) = config.rules().serving(&keys.iter().collect::<Vec<_>>()) else {
        findings.push(Finding::warning(format!("the paths of {file} have too many segments to compare them")));
        return findings;
    };
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    for (route, served) in routes.iter().zip(served) {
        reached.extend(&served.rules);
        let here = format!("`{}` ({file}:{})", printable(&route.key), route.place);
        let own = served.rules.iter().filter_map(|position| rules.get(*position));
        let documented: BTreeSet<&str> = match &route.asks {
            Asks::Token(ways) => ways.iter().flat_map(|way| way.scopes.names()).map(String::as_str).collect(),
            Asks::Nothing(_) => {
                // A preflight request is nobody's.
                if !route.key.starts_with("OPTIONS ") {
                    findings.extend(own.map(|rule| {
                        Finding::warning(format!("{here} is open in the document, and has the rule `{}`", rule.key))
                    }));
                }
                continue;
            }
            Asks::Unknown(why) => {
                let why = printable(why);
                findings.push(Finding::note(format!("{here}: what it asks is not in the document: {why}")));
                continue;
            }
        };
        if served.rules.is_empty() {
            findings.push(Finding::warning(format!("{here} has no rule: all of its requests are denied")));
        }
        for rule in own {
            let asked = rule.requirement.scopes();
            if asked != documented {
                findings.push(Finding::warning(format!(
                    "{here}: the document asks for {}, the rule `{}` for {}",
                    named(&documented),
                    rule.key,
                    listed_scopes(&asked)
                )));
            }
        }
    }
    for (position, rule) in rules.iter().enumerate() {
        if !reached.contains(&position) && &*rule.key != "$connect" {
            findings.push(Finding::warning(format!("the rule `{}` is in no path of {file}", rule.key)));
        }
    }
    findings.sort_by_key(|finding| finding.weight);
    findings
}

fn named(scopes: &BTreeSet<&str>) -> String {
    match scopes.len() {
        0 => "no scope".to_owned(),
        1 => format!("the scope {}", listed_scopes(scopes)),
        _ => format!("the scopes {}", listed_scopes(scopes)),
    }
}

fn listed_scopes(scopes: &BTreeSet<&str>) -> String {
    if scopes.is_empty() { "none".to_owned() } else { listed(scopes.iter().copied()) }
}
