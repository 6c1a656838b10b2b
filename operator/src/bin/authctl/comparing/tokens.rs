//! Tokens that have the facts of an alternative and as little beside them as an issuer's tokens can have.

use super::terms::Fact;
use cognito_authorizer::access::IpBlock;
use cognito_authorizer::token::{
    Audience, ClaimPath, ClientId, ClientIds, CredentialKind, Expectations, IssuerKind, TokenUse,
};
use core::net::IpAddr;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Claims and the address of the request.
pub(super) type Token = (Map<String, Value>, Option<IpAddr>);

/// What became of it.
pub(super) enum Built {
    /// All that differ in what has one value at a time: client, kind of token, audience, address.
    Tokens(Vec<Token>),
    /// No token has all of these facts.
    Impossible,
    /// Why it is not known.
    Unknown(String),
}

/// Values that rules and issuers of both configurations speak of.
#[derive(Debug, Default)]
pub(super) struct Mentioned {
    pub(super) clients: BTreeSet<String>,
    pub(super) blocks: Vec<IpBlock>,
}

impl Mentioned {
    pub(super) fn add(&mut self, facts: &[Fact]) {
        for fact in facts {
            if let Fact::Client(ids) = fact {
                self.clients.extend(ids.iter().cloned());
            } else if let Fact::Address(blocks) = fact {
                self.blocks.extend(blocks);
            }
        }
    }

    pub(super) fn add_issuer(&mut self, expectations: &Expectations) {
        self.clients.extend(clients(expectations).into_iter().flatten());
    }

    /// An address of each region that the blocks make.
    fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = self.blocks.iter().flat_map(|block| [block.first(), block.last()]).collect();
        addresses.sort();
        addresses.dedup();
        addresses
    }
}

/// The tokens of this issuer with these facts.
pub(super) fn build(
    term: &[Fact],
    expectations: &Expectations,
    mentioned: &Mentioned,
    parameter: &dyn Fn(&str) -> Option<String>,
    now: f64,
) -> Built {
    if expectations.tenants.is_some() {
        return Built::Unknown(format!("tokens of the tenants of {}", expectations.issuer));
    }
    let names = &expectations.claim_names;
    let at = |list: &Option<cognito_authorizer::token::MappedList>, member: &str| {
        list.as_ref().map_or_else(|| ClaimPath::member(member), |list| list.path.clone())
    };
    let (scope_path, groups_path) = (at(&names.scope, "scope"), at(&names.groups, "cognito:groups"));
    let client_path = names.client_id.clone().unwrap_or_else(|| ClaimPath::member("client_id"));
    let mut claims: Vec<(ClaimPath, Vec<Value>)> = Vec::new();
    let mut add = |path: &ClaimPath, value: Value| match claims.iter_mut().find(|(known, _)| known == path) {
        Some((_, values)) if values.contains(&value) => {}
        Some((_, values)) => values.push(value),
        None => claims.push((path.clone(), vec![value])),
    };
    let (mut scopes, mut age): (Vec<&str>, Option<f64>) = (Vec::new(), None);
    let mut wanted_clients: Option<Vec<String>> = None;
    let mut wanted_uses: Option<Vec<String>> = None;
    let mut addresses = mentioned.addresses();
    let mut asks_address = false;
    let narrow = |known: &mut Option<Vec<String>>, list: &[String]| match known {
        Some(known) => known.retain(|one| list.contains(one)),
        None => *known = Some(list.to_vec()),
    };
    for fact in term {
        match fact {
            Fact::Scope(name) => scopes.push(name),
            Fact::Group(name) => add(&groups_path, Value::String(name.clone())),
            Fact::Claim(path, value) => add(path, value.clone()),
            Fact::Bound(path, name) => match parameter(name) {
                Some(value) => add(path, Value::String(value)),
                None => return Built::Impossible,
            },
            Fact::Client(ids) => narrow(&mut wanted_clients, ids),
            Fact::Issuer(list) if list.iter().any(|name| **name == *expectations.issuer) => {}
            Fact::Issuer(_) => return Built::Impossible,
            Fact::TokenUse(uses) => narrow(&mut wanted_uses, uses),
            // What is judged here was vouched for by its issuer, and carries no signature.
            Fact::Credential(kinds) if kinds.contains(&CredentialKind::Opaque) => {}
            Fact::Credential(_) => return Built::Unknown("credentials of other kinds than `opaque`".to_owned()),
            Fact::Address(blocks) => {
                asks_address = true;
                addresses.retain(|address| blocks.iter().any(|block| block.contains(*address)));
            }
            Fact::Age(limit) => age = Some(age.map_or(limit.as_secs_f64(), |known| known.min(limit.as_secs_f64()))),
        }
    }
    let is_single =
        |path: &ClaimPath| ONE_VALUE.iter().any(|name| *path == ClaimPath::member(name)) || *path == client_path;
    if claims.iter().any(|(path, values)| values.len() > 1 && is_single(path)) {
        return Built::Impossible;
    }
    if claims.iter().any(|(path, _)| *path == scope_path) && !scopes.is_empty() {
        return Built::Unknown("a rule that asks for scopes and for the claim that holds them".to_owned());
    }
    if let Some((path, _)) = claims.iter().find(|(path, _)| DATES_AND_KEYS.contains(&path.first())) {
        return Built::Unknown(format!("a rule that asks for the claim `{}`", path.first()));
    }
    let addresses: Vec<Option<IpAddr>> =
        if asks_address { addresses.into_iter().map(Some).collect() } else { vec![None] };
    let uses = token_uses(expectations, wanted_uses.as_deref());
    let clients = match wanted_clients {
        Some(wanted) => wanted.into_iter().map(Some).collect(),
        None => candidates(expectations, mentioned),
    };
    let audiences: Vec<Option<&String>> = match &expectations.audience {
        Audience::OneOf(all) => all.iter().map(Some).collect(),
        Audience::Absent | Audience::Unchecked => vec![None],
    };
    if uses.len().saturating_mul(clients.len()).saturating_mul(audiences.len()).saturating_mul(addresses.len())
        > MAX_TOKENS
    {
        return Built::Unknown("more clients, audiences and addresses than are looked at".to_owned());
    }
    let mut tokens = Vec::new();
    for token_use in &uses {
        for client in &clients {
            for audience in &audiences {
                let mut token = Map::new();
                token.insert("iss".to_owned(), Value::String(expectations.issuer.to_string()));
                token.insert("exp".to_owned(), Value::from(now + 3600.0));
                if let Some(token_use) = token_use {
                    token.insert("token_use".to_owned(), Value::String(token_use.clone()));
                }
                let is_id =
                    matches!(expectations.kind, IssuerKind::Cognito { .. }) && token_use.as_deref() == Some("id");
                match (client, is_id) {
                    (Some(client), true) => drop(token.insert("aud".to_owned(), Value::String(client.clone()))),
                    (Some(client), false) => {
                        if !set(&mut token, &client_path, Value::String(client.clone())) {
                            return Built::Unknown(format!("the claim `{}`", client_path.first()));
                        }
                    }
                    (None, _) => {}
                }
                if let (Some(audience), false) = (audience, is_id) {
                    token.insert("aud".to_owned(), Value::String((*audience).clone()));
                }
                if !scopes.is_empty() {
                    let is_list = names.scope.as_ref().is_some_and(|scope| scope.form.is_some());
                    let scope = if is_list { Value::from(scopes.clone()) } else { Value::String(scopes.join(" ")) };
                    if !set(&mut token, &scope_path, scope) {
                        return Built::Unknown(format!("the claim `{}`", scope_path.first()));
                    }
                }
                if let Some(age) = age {
                    token.insert("auth_time".to_owned(), Value::from(now - age));
                }
                for (path, values) in &claims {
                    let is_group = *path == groups_path;
                    let value = match (values.as_slice(), token.get("aud")) {
                        ([only], Some(Value::String(audience))) if *path == ClaimPath::member("aud") => {
                            Value::Array(vec![Value::String(audience.clone()), only.clone()])
                        }
                        ([only], _) if !is_group => only.clone(),
                        (several, _) => Value::Array(several.to_vec()),
                    };
                    if !set(&mut token, path, value) {
                        return Built::Unknown(format!("the claim `{}`", path.first()));
                    }
                }
                tokens.extend(addresses.iter().map(|address| (token.clone(), *address)));
            }
        }
    }
    if tokens.is_empty() { Built::Impossible } else { Built::Tokens(tokens) }
}

/// Kinds of tokens, as the claim has them.
fn token_uses(expectations: &Expectations, wanted: Option<&[String]>) -> Vec<Option<String>> {
    let is_wanted = |name: &&str| wanted.is_none_or(|wanted| wanted.iter().any(|one| one == name));
    match &expectations.kind {
        IssuerKind::Cognito { token_uses } => {
            let names = token_uses.iter().map(|one| if *one == TokenUse::Id { "id" } else { "access" });
            names.filter(is_wanted).map(|name| Some(name.to_owned())).collect()
        }
        IssuerKind::Oidc => wanted.map_or_else(|| vec![None], |wanted| wanted.iter().cloned().map(Some).collect()),
    }
}

/// Clients whose tokens an issuer may accept, those that no rule names first.
fn candidates(expectations: &Expectations, mentioned: &Mentioned) -> Vec<Option<String>> {
    let mut all = clients(expectations);
    all.extend(mentioned.clients.iter().cloned().map(Some));
    let mut distinct: Vec<Option<String>> = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

pub(super) fn clients(expectations: &Expectations) -> Vec<Option<String>> {
    match &expectations.client_ids {
        ClientIds::OneOf(ids) => ids
            .iter()
            .map(|id| match id {
                ClientId::Exact(id) => Some(id.clone()),
                ClientId::Below(prefix) => Some(format!("{prefix}client")),
            })
            .collect(),
        ClientIds::AnyNamed => vec![Some("any-client".to_owned())],
        ClientIds::Unchecked => vec![None],
    }
}

/// Puts a value at a place; `false` where something else is in the way.
fn set(claims: &mut Map<String, Value>, path: &ClaimPath, value: Value) -> bool {
    let Some((last, between)) = path.below().split_last() else {
        claims.insert(path.first().to_owned(), value);
        return true;
    };
    let mut place = claims.entry(path.first()).or_insert_with(|| Value::Object(Map::new()));
    for segment in between {
        let Some(members) = place.as_object_mut() else { return false };
        place = members.entry(segment).or_insert_with(|| Value::Object(Map::new()));
    }
    let Some(members) = place.as_object_mut() else { return false };
    members.insert(last.clone(), value);
    true
}

/// Claims that are a text, or the token is refused or another one.
const ONE_VALUE: [&str; 6] = ["sub", "jti", "origin_jti", "token_use", "iss", "client_id"];

/// Claims that the core reads itself, for other things than what a rule asks.
const DATES_AND_KEYS: [&str; 6] = ["exp", "nbf", "iat", "auth_time", "cnf", "active"];

const MAX_TOKENS: usize = 4_096;
