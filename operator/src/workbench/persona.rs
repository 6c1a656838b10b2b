//! Who sends a request: the personas of `authorizer.test.yaml`.

use super::nearest::hint;
use cognito_authorizer::authorizer::Issuer;
use cognito_authorizer::config::yaml::{Node, Value as Held};
use cognito_authorizer::config::{Config, Item};
use cognito_authorizer::token::IssuerKind;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Who sends a request. A persona is never changed: another one has another [`Persona::id`].
#[derive(Clone, Debug)]
pub struct Persona {
    id: u64,
    name: String,
    traits: Traits,
}

/// What is written of a persona, its parents' words included.
#[derive(Clone, Debug, Default, PartialEq)]
struct Traits {
    issuer: Option<Arc<str>>,
    claims: Map<String, Value>,
    groups: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    live: Live,
    policies: Option<PolicyReply>,
    signature: Signature,
    machine: bool,
    opaque: bool,
    /// Whether the claims are all that there are.
    exact: bool,
}

/// What live checks and the table of revocations say of a persona's token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Live {
    /// It is good.
    #[default]
    Good,
    /// It was revoked.
    Revoked,
    /// Its issuer calls it, or its user, inactive.
    Inactive,
    /// Nobody answers.
    Outage,
}

/// What a policy store says to a persona's requests. Policies that lie beside the configuration are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyReply {
    /// They are granted.
    Grant,
    /// They are not.
    Refuse,
    /// There is no answer.
    Outage,
}

/// Who signed a persona's token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// Its issuer.
    #[default]
    Good,
    /// Somebody else, in the name of the issuer's key.
    Bad,
    /// Somebody else, by a key that the issuer has not.
    UnknownKey,
}

/// The personas of a file, in its order.
#[derive(Clone, Debug, Default)]
pub struct Personas(Vec<Persona>);

impl Persona {
    fn new(name: &str, traits: Traits) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), name: name.to_owned(), traits }
    }

    /// A number that no other persona of this process has, unless it is a clone.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The `iss` of its issuer, as configured; `None` where the configuration could not be read.
    #[must_use]
    pub fn issuer(&self) -> Option<&Arc<str>> {
        self.traits.issuer.as_ref()
    }

    /// The claims that are written; null takes a default away.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.traits.claims
    }

    /// Its groups, where they are written.
    #[must_use]
    pub fn groups(&self) -> Option<&[String]> {
        self.traits.groups.as_deref()
    }

    /// Its scopes, where they are written.
    #[must_use]
    pub fn scopes(&self) -> Option<&[String]> {
        self.traits.scopes.as_deref()
    }

    /// What live checks say.
    #[must_use]
    pub fn live(&self) -> Live {
        self.traits.live
    }

    /// What a policy store says.
    #[must_use]
    pub fn policies(&self) -> Option<PolicyReply> {
        self.traits.policies
    }

    /// Who signed its token.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.traits.signature
    }

    /// Whether it is no user but a client of its own (client credentials).
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.traits.machine
    }

    /// Whether its token is opaque, so that only its issuer can say what it holds.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        self.traits.opaque
    }

    /// Whether its claims are all that its token has.
    #[must_use]
    pub(super) fn is_exact(&self) -> bool {
        self.traits.exact
    }

    /// Somebody whose token has these claims and no others.
    #[must_use]
    pub(super) fn of_claims(name: &str, issuer: Arc<str>, claims: Map<String, Value>) -> Self {
        Self::new(name, Traits { issuer: Some(issuer), claims, exact: true, ..Traits::default() })
    }

    /// Its `sub`: what is written, else its name.
    #[must_use]
    pub fn subject(&self) -> String {
        let written = self.traits.claims.get("sub").and_then(Value::as_str);
        written.unwrap_or(&self.name).to_owned()
    }

    /// The same persona with these claims beside its own, or instead of them.
    #[must_use]
    pub fn with_claims(&self, claims: Map<String, Value>) -> Self {
        let mut traits = self.traits.clone();
        traits.claims.extend(claims);
        Self::new(&self.name, traits)
    }
}

impl Personas {
    /// The persona of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Persona> {
        self.0.iter().find(|persona| persona.name == name)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Persona::name)
    }

    /// All personas.
    pub fn iter(&self) -> impl Iterator<Item = &Persona> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads one persona that is no part of a file, such as one that was edited on a page.
    #[must_use]
    pub fn read_one(&self, name: &str, item: &Item<'_>, config: Option<&Config>) -> Option<Persona> {
        let parent = |parent: &str| self.get(parent).map(|persona| persona.traits.clone());
        let (traits, _) = read_traits(item, config, &parent, &self.names().collect::<Vec<_>>())?;
        Some(Persona::new(name, traits))
    }

    /// Reads the section `personas`.
    #[must_use]
    pub fn read(item: &Item<'_>, config: Option<&Config>) -> Option<Self> {
        let entries = item.fields()?.rest();
        let names: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
        let mut known: BTreeMap<&str, Traits> = BTreeMap::new();
        let mut left: Vec<usize> = (0..entries.len()).collect();
        let mut complete = true;
        for (name, item) in &entries {
            if is_nobody(name) {
                item.fault("stands for whoever sends no credential: give the persona another name");
                complete = false;
            }
        }
        // A parent goes before its children, wherever it stands.
        while !left.is_empty() {
            let before = left.len();
            left.retain(|index| {
                let Some((name, item)) = entries.get(*index) else { return false };
                let parent = item.node().get("extends").and_then(Node::text);
                let is_ready = parent.is_none_or(|parent| known.contains_key(parent) || !names.contains(&parent));
                if is_ready {
                    let inherited = |parent: &str| known.get(parent).cloned();
                    let read = read_traits(item, config, &inherited, &names);
                    complete &= read.as_ref().is_some_and(|(_, whole)| *whole);
                    known.insert(name, read.map(|(traits, _)| traits).unwrap_or_default());
                }
                !is_ready
            });
            if left.len() == before {
                for (_, item) in left.iter().filter_map(|index| entries.get(*index)) {
                    item.fault("extends itself, by way of the personas that it extends");
                }
                return None;
            }
        }
        let persona = |name: &&str| Some(Persona::new(name, known.get(name)?.clone()));
        let personas = names.iter().filter_map(persona).collect();
        complete.then_some(Self(personas))
    }

    #[cfg(test)]
    pub(super) fn of_names(names: &[&str]) -> Self {
        Self(names.iter().map(|name| Persona::new(name, Traits::default())).collect())
    }
}

/// Whether a test that names it means a request without a credential.
pub(super) fn is_nobody(name: &str) -> bool {
    matches!(name, "nobody" | "none" | "anonymous")
}

/// What is written of one persona, and whether it has no fault.
fn read_traits(
    item: &Item<'_>,
    config: Option<&Config>,
    inherited: &dyn Fn(&str) -> Option<Traits>,
    names: &[&str],
) -> Option<(Traits, bool)> {
    let mut fields = item.fields()?;
    let mut whole = true;
    let mut traits = Traits::default();
    if let Some(item) = fields.take("extends") {
        match item.string().map(|parent| (inherited(&parent), parent)) {
            Some((Some(parent), _)) => traits = parent,
            Some((None, parent)) => {
                item.fault(format!("no persona is called `{parent}`{}", hint(&parent, names.iter().copied())));
                whole = false;
            }
            None => whole = false,
        }
    }
    let mut note = |is_whole: bool| whole &= is_whole;
    match (fields.take("issuer"), config) {
        (Some(item), Some(config)) => {
            let found = item.text().and_then(|text| issuer_named(&item, &text, config));
            note(found.is_some());
            traits.issuer = found.or(traits.issuer);
        }
        (None, Some(config)) if traits.issuer.is_none() => match config.issuers() {
            [only] => traits.issuer = Some(Arc::clone(&only.expectations.issuer)),
            several => {
                let names: Vec<&str> = several.iter().map(|issuer| &*issuer.expectations.issuer).collect();
                item.fault(format!("issuer: is missing; the configuration has several: {}", names.join(", ")));
                note(false);
            }
        },
        (Some(_) | None, _) => {}
    }
    if let Some(item) = fields.take("claims") {
        let claims = item.fields().and_then(|mut claims| {
            let read = claims.rest().into_iter().map(|(name, item)| Some((name.to_owned(), json(&item)?)));
            read.collect::<Option<Map<String, Value>>>()
        });
        note(claims.is_some());
        traits.claims.extend(claims.unwrap_or_default());
    }
    for (key, list) in [("groups", &mut traits.groups), ("scopes", &mut traits.scopes)] {
        if let Some(item) = fields.take(key) {
            let read = if key == "groups" && !item.is_list() { item.groups() } else { item.strings_or_none() };
            note(read.is_some());
            *list = read;
        }
    }
    if let Some(item) = fields.take("live") {
        let read = item.choice(&LIVE);
        note(read.is_some());
        traits.live = read.unwrap_or_default();
    }
    if let Some(item) = fields.take("policies") {
        let read = item.choice(&POLICIES);
        note(read.is_some());
        traits.policies = read;
    }
    if let Some(item) = fields.take("signature") {
        let read = item.choice(&SIGNATURES);
        note(read.is_some());
        traits.signature = read.unwrap_or_default();
    }
    for (key, flag) in [("machine", &mut traits.machine), ("opaque", &mut traits.opaque)] {
        if let Some(item) = fields.take(key) {
            let read = item.boolean();
            note(read.is_some());
            *flag = read.unwrap_or_default();
        }
    }
    fields.finish();
    if traits.opaque && config.is_some_and(|config| !takes_opaque(config, traits.issuer.as_deref())) {
        item.fault("opaque: its issuer has no `opaque_tokens: true` in the configuration");
        note(false);
    }
    Some((traits, whole))
}

fn takes_opaque(config: &Config, issuer: Option<&str>) -> bool {
    config.issuers().iter().any(|one| Some(&*one.expectations.issuer) == issuer && one.opaque_tokens)
}

/// The issuer that a persona names: by its `iss`, its user pool's id, or its kind where it is the only one.
fn issuer_named(item: &Item<'_>, text: &str, config: &Config) -> Option<Arc<str>> {
    let issuers = config.issuers();
    let name = |issuer: &Issuer| Arc::clone(&issuer.expectations.issuer);
    let is_named = |issuer: &&Issuer| *issuer.expectations.issuer == *text || *issuer.name_in_policies == *text;
    if let Some(issuer) = issuers.iter().find(is_named) {
        return Some(name(issuer));
    }
    let of_kind: Vec<&Issuer> = issuers.iter().filter(|issuer| kind(issuer) == text).collect();
    match of_kind.as_slice() {
        [only] => Some(name(only)),
        [] => {
            let known: Vec<&str> = issuers
                .iter()
                .flat_map(|issuer| [&*issuer.expectations.issuer, &*issuer.name_in_policies, kind(issuer)])
                .collect();
            item.fault(format!("no issuer is `{text}`{}", hint(text, known)));
            None
        }
        _ => {
            item.fault(format!("several issuers are `{text}`: write the `iss` of one"));
            None
        }
    }
}

/// The key that the configuration has it under.
fn kind(issuer: &Issuer) -> &'static str {
    match issuer.expectations.kind {
        IssuerKind::Cognito { .. } => "cognito",
        IssuerKind::Oidc => "oidc",
    }
}

/// Any value, as JSON.
pub(super) fn json(item: &Item<'_>) -> Option<Value> {
    match &item.node().value {
        Held::Scalar { .. } if item.node().is_null() => Some(Value::Null),
        Held::Scalar { text, .. } if text.is_empty() => Some(Value::String(String::new())),
        Held::Scalar { .. } => item.literal(),
        Held::List(items) => {
            items.iter().enumerate().map(|(index, node)| json(&item.inner(&index.to_string(), node))).collect()
        }
        Held::Map(entries) => {
            let member = |(name, node): &'_ (String, Node)| Some((name.clone(), json(&item.inner(name, node))?));
            entries.iter().map(member).collect::<Option<Map<String, Value>>>().map(Value::Object)
        }
    }
}

const LIVE: [(&str, Live); 4] =
    [("good", Live::Good), ("revoked", Live::Revoked), ("inactive", Live::Inactive), ("outage", Live::Outage)];

const POLICIES: [(&str, PolicyReply); 3] =
    [("grant", PolicyReply::Grant), ("refuse", PolicyReply::Refuse), ("outage", PolicyReply::Outage)];

const SIGNATURES: [(&str, Signature); 3] =
    [("good", Signature::Good), ("bad", Signature::Bad), ("unknown_key", Signature::UnknownKey)];
