//! The `routes` section: the rule table.

use super::fields::{Fields, Item};
use super::issuers::Issuers;
use crate::access::{CedarRule, Check, ClaimValue, IpBlock, LetterCase, Parameter, Requirement, RouteKey, Rule, Rules};
use crate::token::{ClaimPath, CredentialKind};
use std::sync::Arc;

type ListCheck = fn(Vec<String>) -> Check;

/// What a requirement may refer to.
struct Scope<'s> {
    parameters: &'s [Parameter],
    surroundings: &'s Surroundings<'s>,
}

/// What the rest of the file says that a rule may rely on.
pub(super) struct Surroundings<'s> {
    /// The configured issuers; `None` where they are faulty themselves.
    pub(super) issuers: Option<&'s Issuers>,
    /// Whether any token can be checked live.
    pub(super) live_checks: bool,
    /// Whether paths are compared letter by letter.
    pub(super) letter_case: LetterCase,
    /// Why no rule can ask Cedar policies, where none can.
    pub(super) no_policies: Option<&'static str>,
}

pub(super) fn read(file: &mut Fields<'_>, surroundings: &Surroundings<'_>) -> Option<Rules> {
    let routes = file.require("routes")?;
    let entries = routes.fields()?.rest();
    if entries.is_empty() {
        routes.fault("must not be empty: without a rule every request is denied");
        return None;
    }
    let mut rules = Rules::new(surroundings.letter_case);
    let mut complete = true;
    for (key, item) in entries {
        complete &= read_rule(key, &item, surroundings, &mut rules).is_some();
    }
    complete.then_some(rules)
}

fn read_rule(key: &str, item: &Item<'_>, surroundings: &Surroundings<'_>, rules: &mut Rules) -> Option<()> {
    let route = match RouteKey::parse(key) {
        Ok(route) => Some(route),
        Err(error) => {
            item.fault(format!("not a route key: {error}"));
            None
        }
    };
    let parameters = route.as_ref().map(RouteKey::parameters).unwrap_or_default();
    let (mut introspect, mut cedar, mut report_only) = (Some(false), Some(None), Some(false));
    let requirement = item.fields().and_then(|mut fields| {
        if let Some(item) = fields.take("introspect") {
            introspect = item.boolean();
            if introspect == Some(true) && !surroundings.live_checks {
                item.fault("nothing could answer: give an issuer `introspection`, or a table of `revocations`");
            }
        }
        if let Some(item) = fields.take("cedar") {
            cedar = read_cedar(&item, route.as_ref(), surroundings);
        }
        if let Some(item) = fields.take("report_only") {
            report_only = item.boolean();
            let asks_others = introspect == Some(true) || cedar.as_ref().is_some_and(Option::is_some);
            if report_only == Some(true) && asks_others {
                item.fault(
                    "a rule with `introspect` or `cedar` cannot only report: what others say is never passed over",
                );
            }
        }
        requirement(fields, &Scope { parameters: &parameters, surroundings })
    });
    let is_whole = requirement.is_some() && introspect.is_some() && cedar.is_some() && report_only.is_some();
    // A faulty rule takes its place all the same, so that a second one for the
    // same route is told too; the table is then thrown away.
    let requirement = requirement.unwrap_or_else(Requirement::never);
    let rule = Rule {
        key: Arc::from(key),
        requirement,
        cedar: cedar.flatten(),
        introspect: introspect.unwrap_or(true),
        report_only: report_only.unwrap_or(false),
    };
    match rules.insert(route?, rule) {
        Ok(()) => is_whole.then_some(()),
        Err(duplicate) => {
            item.fault(format!("means the same route as `{}`", duplicate.earlier));
            None
        }
    }
}

/// `true` for the action that the route itself names, else the action's name; `None`
/// where it is faulty.
fn read_cedar(item: &Item<'_>, route: Option<&RouteKey>, surroundings: &Surroundings<'_>) -> Option<Option<CedarRule>> {
    let text = item.text()?;
    if text == "false" {
        return Some(None);
    }
    if let Some(why) = surroundings.no_policies {
        item.fault(why);
        return None;
    }
    let route = route?;
    if text == "true" {
        let rule = CedarRule::of_route(route);
        if rule.is_none() {
            item.fault("this route names no action: write one, as in `cedar: connect`");
        }
        return Some(Some(rule?));
    }
    if text.chars().any(char::is_control) {
        item.fault("no action has control characters in its name");
        return None;
    }
    Some(Some(CedarRule::named(text.into_owned(), route)))
}

/// Reads a requirement's checks, in the order in which they are held against the claims.
fn requirement(mut fields: Fields<'_>, scope: &Scope<'_>) -> Option<Requirement> {
    let mut checks: Vec<Option<Check>> = Vec::new();
    let scope_checks: [(_, ListCheck); 2] = [("any_scope", Check::AnyScope), ("all_scopes", Check::AllScopes)];
    for (key, check) in scope_checks {
        if let Some(item) = fields.take(key) {
            checks.push(scopes(&item).map(check));
        }
    }
    let group_checks: [(_, ListCheck); 2] = [("any_group", Check::AnyGroup), ("all_groups", Check::AllGroups)];
    for (key, check) in group_checks {
        if let Some(item) = fields.take(key) {
            checks.push(item.groups().map(check));
        }
    }
    if let Some(item) = fields.take("claims") {
        claims(&item, scope, &mut checks);
    }
    if let Some(item) = fields.take("client_ids") {
        checks.push(client_ids(&item));
    }
    if let Some(item) = fields.take("issuers") {
        checks.push(issuers(&item, scope));
    }
    if let Some(item) = fields.take("token_use") {
        checks.push(token_uses(&item));
    }
    if let Some(item) = fields.take("credentials") {
        checks.push(credentials(&item, scope));
    }
    if let Some(item) = fields.take("source_ip") {
        checks.push(source_ip(&item));
    }
    if let Some(item) = fields.take("max_auth_age") {
        checks.push(item.duration().map(Check::MaxAuthAge));
    }
    if let Some(item) = fields.take("any") {
        checks.push(alternatives(&item, scope).map(Check::Any));
    }
    if let Some(item) = fields.take("all") {
        checks.push(alternatives(&item, scope).map(Check::All));
    }
    fields.finish();
    Some(Requirement { checks: checks.into_iter().collect::<Option<_>>()? })
}

fn alternatives(item: &Item<'_>, scope: &Scope<'_>) -> Option<Vec<Requirement>> {
    let mut requirements = Vec::new();
    for item in item.items()? {
        let nested = item.fields().and_then(|mut fields| {
            for key in ["introspect", "cedar", "report_only"] {
                if let Some(item) = fields.take(key) {
                    item.fault("belongs at the top of a route's requirement");
                }
            }
            requirement(fields, scope)
        });
        if nested.as_ref().is_some_and(|nested| nested.checks.is_empty()) {
            item.fault("must ask for something: empty, it would hold for every token");
        }
        requirements.push(nested);
    }
    requirements.into_iter().collect()
}

fn claims(item: &Item<'_>, scope: &Scope<'_>, checks: &mut Vec<Option<Check>>) {
    let Some(mut fields) = item.fields() else {
        checks.push(None);
        return;
    };
    let entries = fields.rest();
    if entries.is_empty() {
        item.fault("must not be empty");
    }
    for (name, item) in entries {
        let one_of = if item.is_list() {
            let items = item.items().unwrap_or_default();
            items
                .iter()
                .map(|item| claim_value(item, scope))
                .collect::<Option<Vec<_>>>()
                .filter(|values| !values.is_empty())
        } else {
            claim_value(&item, scope).map(|value| vec![value])
        };
        let path = match ClaimPath::parse(name) {
            Ok(path) => Some(path),
            Err(error) => {
                item.fault(error.to_string());
                None
            }
        };
        checks.push(path.zip(one_of).map(|(path, one_of)| Check::Claim { path, one_of }));
    }
}

/// A value, or `{name}` for the value of that path parameter.
fn claim_value(item: &Item<'_>, scope: &Scope<'_>) -> Option<ClaimValue> {
    let literal = item.literal()?;
    let is_parameter = |text: &&str| text.contains(['{', '}']) && !item.is_from_environment();
    let Some(text) = literal.as_str().filter(is_parameter) else {
        return Some(ClaimValue::Literal(literal));
    };
    let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let Some(name) = name.filter(|name| !name.contains(['{', '}'])) else {
        item.fault("a path parameter must be the whole value, as in \"{user_id}\"");
        return None;
    };
    match scope.parameters.iter().find(|parameter| parameter.name == name) {
        Some(parameter) => Some(ClaimValue::Parameter(parameter.clone())),
        None => {
            item.fault(format!("the route has no path parameter `{name}`"));
            None
        }
    }
}

fn scopes(item: &Item<'_>) -> Option<Vec<String>> {
    let scopes = item.strings()?;
    if scopes.iter().any(|scope| scope.contains(char::is_whitespace)) {
        item.fault("no scope has white space in it (RFC 6749 3.3): write several members");
        return None;
    }
    Some(scopes)
}

fn client_ids(item: &Item<'_>) -> Option<Check> {
    let ids = item.strings()?;
    if ids.iter().any(|id| id.contains('*')) {
        item.fault("`*` is for an issuer's `client_ids`: a rule names its clients, or leaves them out");
        return None;
    }
    Some(Check::ClientIds(ids))
}

fn issuers(item: &Item<'_>, scope: &Scope<'_>) -> Option<Check> {
    let issuers = item.strings()?;
    if let Some(known) = &scope.surroundings.issuers
        && let Some(unknown) = issuers.iter().find(|name| !known.have(name))
    {
        item.fault(format!("`{unknown}` is none of the configured issuers"));
        return None;
    }
    Some(Check::Issuers(issuers))
}

fn token_uses(item: &Item<'_>) -> Option<Check> {
    let uses = item.strings()?;
    if uses.iter().any(|one| one != "access" && one != "id") {
        item.fault("must be `access` or `id`");
        return None;
    }
    Some(Check::TokenUse(uses))
}

/// Kinds of credentials, each of which some issuer takes.
fn credentials(item: &Item<'_>, scope: &Scope<'_>) -> Option<Check> {
    let names = CredentialKind::ALL.map(CredentialKind::name).join(", ");
    let mut kinds = Vec::new();
    for name in item.strings()? {
        let Some(kind) = CredentialKind::ALL.into_iter().find(|kind| kind.name() == name) else {
            item.fault(format!("must be among {names}"));
            return None;
        };
        if scope.surroundings.issuers.is_some_and(|known| !known.kinds().contains(&kind)) {
            item.fault(format!("no configured issuer takes a credential of the kind `{name}`"));
            return None;
        }
        kinds.push(kind);
    }
    Some(Check::Credentials(kinds))
}

fn source_ip(item: &Item<'_>) -> Option<Check> {
    let mut blocks = Vec::new();
    for text in item.strings()? {
        match IpBlock::parse(&text) {
            Ok(block) => blocks.push(block),
            Err(error) => {
                item.fault(error.to_string());
                return None;
            }
        }
    }
    Some(Check::SourceIp(blocks))
}
