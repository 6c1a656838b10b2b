//! One API of a template beside the rules. Pure.

use super::finding::{Finding, listed};
use super::keys::{Answer, Guarded, Held, carries, wrong};
use crate::template::{Api, ApiKind, Authorizer, Format, Guard, Source, Ttl};
use cognito_authorizer::access::{Method, RouteKey};
use cognito_authorizer::config::Config;
use cognito_authorizer::gateway::{EventKind, HttpResponse, TokenSource};
use std::collections::BTreeSet;

/// What an API's routes come to.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) findings: Vec<Finding>,
    /// By route: the positions of the rules that serve its requests, where this
    /// authorizer guards it.
    pub(super) rules: Vec<Option<Vec<usize>>>,
    /// What was told to be open, and is.
    pub(super) open: BTreeSet<String>,
}

/// Holds an API against the configuration of the function that authorizes it. `open` are
/// the routes, or whole APIs, that are meant to be.
pub(super) fn judge(config: &Config, api: &Api, function: &str, open: &[String]) -> Judgement {
    let mut judgement = Judgement::default();
    let keys: Vec<Option<RouteKey>> = api.routes.iter().map(|route| RouteKey::parse(&route.key).ok()).collect();
    let known: Vec<&RouteKey> = keys.iter().flatten().collect();
    let Some(served) = config.rules().serving(&known) else {
        judgement.findings.push(Finding::error("a path has too many segments to compare"));
        return judgement;
    };
    let mut served = served.iter();
    let mut guarded: Vec<(&str, Guarded<'_>)> = Vec::new();
    for (route, key) in api.routes.iter().zip(&keys) {
        let found = key.as_ref().zip(if key.is_some() { served.next() } else { None });
        let name = by_this_function(api, &route.guard, function);
        judgement.guard(api, &route.key, &route.guard, name.is_some(), open);
        let mut rules = None;
        match (name, found) {
            (Some(name), Some((key, served))) => {
                let slash_counts = api.kind == ApiKind::Http;
                let route = Guarded { text: &route.key, key, served, slash_counts };
                judgement.findings.extend(without_rule(&route));
                rules = Some(route.served.rules.clone());
                guarded.push((name, route));
            }
            (Some(_), None) => {
                judgement.findings.push(Finding::warning(format!("`{}` cannot be compared with the rules", route.key)));
            }
            (None, _) => {}
        }
        judgement.rules.push(rules);
    }
    if api.guards_preflight {
        let text = "preflight requests meet the authorizer, and carry no token: set `AddDefaultAuthorizerToCorsPreflight: false`";
        judgement.findings.push(Finding::warning(text));
    }
    for authorizer in api.authorizers.iter().filter(|authorizer| authorizer.function == function) {
        let routes: Vec<_> =
            guarded.iter().filter(|(name, _)| *name == authorizer.name).map(|(_, route)| *route).collect();
        if !routes.is_empty() {
            judgement.findings.extend(of_authorizer(config, api, authorizer, &routes));
        }
    }
    judgement.findings.sort_by_key(|finding| finding.weight);
    judgement
}

impl Judgement {
    fn guard(&mut self, api: &Api, key: &str, guard: &Guard, is_ours: bool, open: &[String]) {
        let is_preflight = key.starts_with("OPTIONS ");
        let meant = open.iter().find(|open| *open == key || **open == api.name);
        let finding = match guard {
            Guard::Authorizer(_) if is_ours && is_preflight => Finding::warning(format!(
                "`{key}` meets the authorizer: a browser's preflight request carries no token"
            )),
            Guard::Authorizer(_) if is_ours => return,
            Guard::Authorizer(name) => Finding::note(format!("`{key}`: {name} asks another function")),
            Guard::Other(name) => Finding::note(format!("`{key}` is guarded by {name}, and not by this authorizer")),
            Guard::Open if is_preflight => return,
            Guard::Open => match meant {
                Some(meant) => {
                    self.open.insert(meant.clone());
                    Finding::note(format!("`{key}` is open, as --open says"))
                }
                None => Finding::error(format!(
                    "`{key}` has no authorizer: anybody may use it (where that is meant: --open '{key}')"
                )),
            },
            Guard::Unknown(what) => Finding::warning(format!("who guards `{key}` is not known: {what}")),
        };
        self.findings.push(finding);
    }
}

fn by_this_function<'a>(api: &Api, guard: &'a Guard, function: &str) -> Option<&'a str> {
    let Guard::Authorizer(name) = guard else { return None };
    let mut authorizers = api.authorizers.iter().filter(|authorizer| authorizer.name == *name);
    authorizers.any(|authorizer| authorizer.function == function).then_some(name)
}

/// A route whose requests are denied for want of a rule.
fn without_rule(route: &Guarded<'_>) -> Option<Finding> {
    let text = route.text;
    let example = route.served.unserved.as_ref()?;
    Some(match (route.served.rules.is_empty(), is_catch_all(text)) {
        (true, true) => Finding::note(format!("`{text}` has no rule: what no other route gets is denied")),
        (true, false) if text.starts_with("OPTIONS ") => return None,
        (true, false) => Finding::warning(format!("`{text}` has no rule: all of its requests are denied")),
        (false, true) => return None,
        (false, false) => Finding::note(format!("`{text}` has rules for some of its requests: `{example}` is denied")),
    })
}

fn of_any_method(key: &RouteKey) -> bool {
    matches!(key, RouteKey::Default | RouteKey::Http { method: None, .. })
}

/// Whether a route gets all that no other one does.
fn is_catch_all(key: &str) -> bool {
    let path = key.split_once(' ').map_or(key, |(_, path)| path);
    key == "$default" || path.starts_with("/{") && path.ends_with("+}") && !path.trim_start_matches('/').contains('/')
}

fn of_authorizer(config: &Config, api: &Api, authorizer: &Authorizer, routes: &[Guarded<'_>]) -> Vec<Finding> {
    let name = &authorizer.name;
    let mut found = Vec::new();
    let response = config.answers().http_response;
    let answer = match (&authorizer.format, response) {
        (Format::Unclear(what), _) => {
            found.push(Finding::warning(format!("{name}: which answers it takes is not known: {what}")));
            None
        }
        (Format::Http2Simple, HttpResponse::Policy) => {
            let text = format!(
                "{name} takes simple answers, and `http_api.response: policy` gives policies: set `EnableSimpleResponses: false`"
            );
            found.push(Finding::error(text));
            None
        }
        (Format::Http2Policy, HttpResponse::Simple) => {
            let text = format!(
                "{name} takes policies, and the function gives simple answers: set `EnableSimpleResponses: true`, or `http_api: {{ response: policy }}`"
            );
            found.push(Finding::error(text));
            None
        }
        (Format::Http2Simple, HttpResponse::Simple) => Some(Answer::Verdict),
        (Format::RestToken | Format::RestRequest | Format::Http1 | Format::WebSocket, _)
        | (Format::Http2Policy, HttpResponse::Policy) => {
            Some(if config.rules().covers_tokens() { Answer::Token } else { Answer::Request })
        }
    };
    found.extend(sources(config, authorizer));
    if authorizer.ttl.is_off() {
        return found;
    }
    found.extend(other_places(config, authorizer));
    found.extend(guarded_cookie(config, authorizer, routes));
    // Of what is not known the stricter one is taken.
    let answer = answer.unwrap_or(Answer::Verdict);
    let held = Held::by(authorizer, &places(config, &authorizer.format));
    let of_key = wrong(answer, held, routes, config.rules());
    let hint = (!of_key.is_empty()).then(|| Finding::note(format!("{name}: {}", remedy(api.kind, &authorizer.format))));
    found.extend(of_key.into_iter().map(|what| Finding::error(format!("{name} is {}: {what}", authorizer.ttl))));
    found.extend(hint);
    let mut of_any_method = routes.iter().filter(|route| of_any_method(route.key)).map(|route| route.text).peekable();
    if answer == Answer::Verdict && !held.method && of_any_method.peek().is_some() {
        found.push(Finding::note(format!(
            "{name} is {}: a method that no rule can name, such as PROPFIND, passes where another did: {}",
            authorizer.ttl,
            listed(of_any_method)
        )));
    }
    if answer == Answer::Token {
        found.extend(exposed(config, api, name, routes));
    }
    found.extend(what_caching_means(config, authorizer));
    found
}

/// Where the function looks for tokens and API keys in the events of that format.
fn places(config: &Config, format: &Format) -> Vec<TokenSource> {
    let kind = match format {
        Format::RestToken => EventKind::RestToken,
        Format::RestRequest => EventKind::RestRequest,
        Format::Http1 => EventKind::Http1,
        Format::Http2Policy | Format::Http2Simple | Format::Unclear(_) => EventKind::Http2,
        Format::WebSocket => EventKind::WebSocket,
    };
    let tokens = config.token_sources().of(kind).iter().filter(|_| config.takes_tokens()).cloned();
    let keys = config.api_key_header().filter(|_| kind != EventKind::RestToken);
    tokens.chain(keys.map(|header| TokenSource::Header(header.to_owned()))).collect()
}

/// Where API Gateway looks for what it asks for.
fn sources(config: &Config, authorizer: &Authorizer) -> Option<Finding> {
    // A REST API asks for the parts of its key alone, and so only where it has one.
    let asks = match authorizer.format {
        Format::RestToken => false,
        Format::RestRequest => !authorizer.ttl.is_off(),
        Format::Http1 | Format::Http2Policy | Format::Http2Simple | Format::WebSocket | Format::Unclear(_) => true,
    };
    let of_request = |source: &&Source| matches!(source, Source::Header(_) | Source::Query(_));
    let asked: Vec<&Source> = authorizer.sources.iter().filter(of_request).filter(|_| asks).collect();
    let (name, places) = (&authorizer.name, places(config, &authorizer.format));
    let first = asked.first()?;
    if !asked.iter().any(|source| carries(source, &places)) {
        return Some(Finding::warning(format!(
            "{name}: API Gateway refuses requests without {first}, and the function looks for credentials elsewhere"
        )));
    }
    let is_asked = |place: &TokenSource| asked.iter().any(|source| carries(source, std::slice::from_ref(place)));
    (!places.iter().all(is_asked)).then(|| {
        Finding::note(format!("{name}: API Gateway refuses requests without {first}, wherever else the token is"))
    })
}

/// Places for a second token, which a cached answer does not look at.
fn other_places(config: &Config, authorizer: &Authorizer) -> Option<Finding> {
    let is_in_key =
        |place: &&TokenSource| authorizer.sources.iter().any(|source| carries(source, std::slice::from_ref(*place)));
    let places = places(config, &authorizer.format);
    let (in_key, others): (Vec<_>, Vec<_>) = places.iter().partition(is_in_key);
    let others: Vec<String> = others.into_iter().map(shown).collect();
    (!in_key.is_empty() && !others.is_empty()).then(|| {
        Finding::warning(format!(
            "{} is {}: a second credential in {} is not looked at, where the function would say `ambiguous_token`: give each kind of event one place (`events` in `token`), or turn the cache off",
            authorizer.name,
            authorizer.ttl,
            others.join(", ")
        ))
    })
}

/// A cookie with `csrf` whose requests are answered from a cache, where nobody looks at `Origin`.
fn guarded_cookie(config: &Config, authorizer: &Authorizer, routes: &[Guarded<'_>]) -> Option<Finding> {
    let is_guarded = |place: &&TokenSource| matches!(place, TokenSource::Cookie(_, csrf) if csrf.allowed().is_some());
    let places = places(config, &authorizer.format);
    let cookie = places.iter().find(is_guarded)?;
    let may_change = |route: &&Guarded<'_>| match route.key {
        RouteKey::Http { method: Some(Method::Get | Method::Head | Method::Options), .. } => false,
        RouteKey::Http { .. } | RouteKey::Default | RouteKey::Connect => true,
    };
    let mut changing = routes.iter().filter(may_change).map(|route| route.text).peekable();
    changing.peek()?;
    Some(Finding::error(format!(
        "{} is {}: for {} a kept answer is given to whichever page asks next, and `csrf` is not looked at: turn the cache off for them: {}",
        authorizer.name,
        authorizer.ttl,
        shown(cookie),
        listed(changing)
    )))
}

fn shown(place: &TokenSource) -> String {
    match place {
        TokenSource::Header(name) => format!("the header `{name}`"),
        TokenSource::Query(name) => format!("the query parameter `{name}`"),
        TokenSource::Cookie(name, _) => format!("the cookie `{name}`"),
        TokenSource::Subprotocol(word) => format!("the subprotocol behind `{word}`"),
    }
}

/// What cached policies let pass that no rule does.
fn exposed(config: &Config, api: &Api, name: &str, routes: &[Guarded<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    let keys: Vec<&RouteKey> = routes.iter().map(|route| route.key).collect();
    let exposed = config.rules().exposed_by_caching(&keys).into_iter();
    let exposed: Vec<&str> = exposed.filter_map(|position| routes.get(position)).map(|route| route.text).collect();
    if !exposed.is_empty() {
        found.push(Finding::error(format!(
            "{name}: cached policies allow requests that no rule serves, and that get to {}: add rules for them",
            listed(exposed)
        )));
    } else if !config.notes().is_empty() {
        found.push(Finding::note(format!(
            "{name}: what cached policies allow beyond the rules gets to no route of this API"
        )));
    }
    if api.has_resource_policy && config.implicit_deny() {
        found.push(Finding::error(
            "it has a resource policy, and `policy.implicit_deny: true` says that none allows: silence would become a pass",
        ));
    } else if api.has_resource_policy {
        let silent: Vec<&str> =
            routes.iter().filter(|route| route.served.unserved.is_some()).map(|route| route.text).collect();
        if !silent.is_empty() {
            found.push(Finding::error(format!(
                "it has a resource policy: where that allows, requests that no rule serves pass while a policy is cached: {}",
                listed(silent)
            )));
        }
    }
    found
}

fn what_caching_means(config: &Config, authorizer: &Authorizer) -> Vec<Finding> {
    let (name, ttl) = (&authorizer.name, &authorizer.ttl);
    let mut found = Vec::new();
    if config.revocations_always() {
        found.push(Finding::warning(format!(
            "{name} is {ttl}: a revoked token goes on for as long, `revocations.check: all` or not"
        )));
    }
    if config.takes_opaque_tokens() {
        found.push(Finding::warning(format!(
            "{name} is {ttl}: an opaque token that its issuer withdrew goes on for as long"
        )));
    }
    if config.expectations().any(|issuer| issuer.dpop.is_some()) {
        found.push(Finding::error(format!(
            "{name} is {ttl}: a kept answer is given to a request without a DPoP proof: turn the cache off"
        )));
    }
    if let Ttl::Unknown(_) = ttl {
        found.push(Finding::note(format!(
            "{name}: for how long is not known before it is deployed: it is taken to be cached"
        )));
    }
    found
}

fn remedy(kind: ApiKind, format: &Format) -> &'static str {
    match (kind, format) {
        (_, Format::RestToken) => {
            "its key is the token alone: `ReauthorizeEvery: 0`, or `FunctionPayloadType: REQUEST` with `Context: [httpMethod, path]`, or `policy: { covers: token }`"
        }
        (ApiKind::Rest, _) => {
            "the key must hold the token, `context.httpMethod` and `context.path`, or only the token with `policy: { covers: token }`; or `ReauthorizeEvery: 0`"
        }
        (ApiKind::Http | ApiKind::WebSocket, _) => {
            "the key must hold the token, `$context.routeKey` and `$context.path`, and each rule must be a route of its own; a catch-all, and what must not be cached, needs an authorizer that is not cached"
        }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
