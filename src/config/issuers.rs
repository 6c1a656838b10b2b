//! The `issuers` section.

use super::dpop::{self, Dpop};
use super::fields::{Fields, Item};
use super::{api_keys, certificates, introspection, signatures};
use crate::authorizer::Issuer;
use crate::gateway::TokenSources;
use crate::http::{Address, HttpsClient, RemoteCounts};
use crate::issuers::{RecordIssuer, Verifier};
use crate::keys::{Discovery, JwksCache, JwksSettings, JwksSource, WithdrawnKeys};
use crate::live::{IssuerCheck, LiveCheck, RevocationTable, UserPool};
use crate::substitute::Substitute;
use crate::token::{
    AcceptedTenants, Algorithm, AlgorithmSet, Audience, ClaimNames, ClaimPath, ClientId, ClientIds, CredentialKind,
    Expectations, IssuerKind, KeySet, ListForm, MappedList, Tenants, TokenUse, is_tenant,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// What all issuers share.
pub(super) struct Shared {
    /// `None` where the setting is faulty.
    pub(super) leeway: Option<Duration>,
    /// `None` where the settings are faulty.
    pub(super) jwks: Option<JwksSettings>,
    /// `None` where the setting is faulty.
    pub(super) withdrawn_keys: Option<WithdrawnKeys>,
    pub(super) https: Arc<HttpsClient>,
    pub(super) counts: RemoteCounts,
    pub(super) revocations: Option<Arc<RevocationTable>>,
    pub(super) revocations_always: bool,
    /// Where tokens are carried; `None` where the section is faulty.
    pub(super) token_sources: Option<TokenSources>,
    /// What answers in the place of issuers and tables, where nothing is asked over the network.
    pub(super) substitute: Option<Arc<dyn Substitute>>,
}

impl Shared {
    /// The live checks of one issuer: its own, where it has any, and those that all share.
    fn live(&self, issuer_check: Option<Arc<IssuerCheck>>) -> LiveCheck {
        LiveCheck {
            issuer_check,
            revocations: self.revocations.clone(),
            revocations_always: self.revocations_always,
            substitute: self.substitute.clone(),
        }
    }

    /// An issuer of credentials that are no tokens, by its name.
    pub(super) fn record_issuer(&self, name: Arc<str>, verifier: Box<dyn Verifier>) -> Option<RecordIssuer> {
        let expectations = Arc::new(Expectations::of_records(name, self.leeway?));
        Some(RecordIssuer { expectations, live: self.live(None), verifier })
    }
}

/// The issuers of the file.
#[derive(Debug)]
pub(super) struct Issuers {
    /// Those of tokens.
    pub(super) tokens: Vec<Issuer>,
    /// Those of credentials that are no tokens, at most one of a kind.
    pub(super) records: Vec<RecordIssuer>,
}

impl Issuers {
    /// Whether an issuer, or the tenant of one, has this name.
    pub(super) fn have(&self, name: &str) -> bool {
        let tokens = self.tokens.iter().map(|issuer| &issuer.expectations);
        let records = self.records.iter().map(|issuer| &issuer.expectations);
        tokens.chain(records).any(|expectations| expectations.issuer_named(name).is_some())
    }

    /// What stands for each in the ids of Cedar entities.
    #[cfg(feature = "cedar")]
    pub(super) fn names_in_policies(&self) -> impl Iterator<Item = &str> {
        let tokens = self.tokens.iter().map(|issuer| &*issuer.name_in_policies);
        tokens.chain(self.records.iter().map(|issuer| &*issuer.expectations.issuer))
    }

    /// The kinds of credentials that they take.
    pub(super) fn kinds(&self) -> Vec<CredentialKind> {
        let opaque = self.tokens.iter().any(|issuer| issuer.opaque_tokens);
        let tokens = [(CredentialKind::Jwt, !self.tokens.is_empty()), (CredentialKind::Opaque, opaque)];
        let tokens = tokens.into_iter().filter_map(|(kind, is_taken)| is_taken.then_some(kind));
        tokens.chain(self.records.iter().map(|issuer| issuer.verifier.kind())).collect()
    }

    /// Whether any credential can be checked live.
    pub(super) fn can_be_asked(&self) -> bool {
        let tokens = self.tokens.iter().map(|issuer| &issuer.live);
        let records = self.records.iter().map(|issuer| &issuer.live);
        let asks_anew = self.records.iter().any(|issuer| issuer.verifier.can_ask_anew());
        asks_anew || tokens.chain(records).any(|live| live.issuer_check.is_some() || live.revocations.is_some())
    }
}

/// One issuer.
enum Found {
    Token(Issuer),
    Record(RecordIssuer),
}

type Reader = fn(&Item<'_>, &Shared) -> Option<Found>;

/// The kinds of issuers, by their names in the file.
const KINDS: [(&str, Reader); 5] = [
    ("cognito", |item, shared| read_cognito(item, shared).map(Found::Token)),
    ("oidc", |item, shared| read_oidc(item, shared).map(Found::Token)),
    ("api_keys", |item, shared| api_keys::read(item, shared).map(Found::Record)),
    ("certificates", |item, shared| certificates::read(item, shared).map(Found::Record)),
    ("signatures", |item, shared| signatures::read(item, shared).map(Found::Record)),
];

pub(super) fn read(file: &mut Fields<'_>, shared: &Shared) -> Option<Issuers> {
    let mut issuers = Issuers { tokens: Vec::new(), records: Vec::new() };
    let (mut names, mut complete) = (HashSet::new(), true);
    let mut names_of_records = Vec::new();
    for item in file.require("issuers")?.items()? {
        let Some(found) = issuer(&item, shared) else {
            complete = false;
            continue;
        };
        let expectations = match &found {
            Found::Token(issuer) => &issuer.expectations,
            Found::Record(issuer) => &issuer.expectations,
        };
        if !names.insert(Arc::clone(&expectations.issuer)) {
            item.fault(format!("duplicate issuer `{}`", expectations.issuer));
        }
        match found {
            Found::Token(issuer) => {
                if issuer.opaque_tokens && issuers.tokens.iter().any(|other| other.opaque_tokens) {
                    item.fault("only one issuer can have opaque tokens: nothing in them tells whose they are");
                }
                issuers.tokens.push(issuer);
            }
            Found::Record(issuer) => {
                let kind = issuer.verifier.kind();
                if issuers.records.iter().any(|other| other.verifier.kind() == kind) {
                    item.fault(format!("only one issuer can take credentials of the kind `{}`", kind.name()));
                }
                names_of_records.push((item, Arc::clone(&issuer.expectations.issuer)));
                issuers.records.push(issuer);
            }
        }
    }
    for (item, name) in names_of_records {
        // One name would make one user of two, to rules, policies and the table of revocations.
        let is_same = |token: &Issuer| {
            let is_tenant = token.expectations.tenants.is_some() && token.expectations.issuer_named(&name).is_some();
            is_tenant || token.expectations.issuer != name && token.name_in_policies == name
        };
        if issuers.tokens.iter().any(is_same) {
            item.fault(format!("duplicate issuer `{name}`: it is a tenant's, or the id of a user pool"));
        }
    }
    complete.then_some(issuers)
}

fn issuer(item: &Item<'_>, shared: &Shared) -> Option<Found> {
    let mut fields = item.fields()?;
    let found: Vec<_> = KINDS.iter().filter_map(|(name, read)| Some((fields.take(name)?, read))).collect();
    fields.finish();
    match found.as_slice() {
        [(item, read)] => read(item, shared),
        _ => {
            let names = KINDS.map(|(name, _)| format!("`{name}`")).join(", ");
            item.fault(format!("must be one of {names}"));
            None
        }
    }
}

fn read_cognito(item: &Item<'_>, shared: &Shared) -> Option<Issuer> {
    let mut fields = item.fields()?;
    let pool = fields.require("user_pool_id").and_then(|item| user_pool(&item));
    let client_ids = fields.require("client_ids").and_then(|item| client_ids(&item));
    let token_uses = match fields.take("token_use") {
        Some(item) => token_uses(&item),
        None => Some(vec![TokenUse::Access]),
    };
    let audience =
        fields.take("audience").map_or(Some(Audience::Unchecked), |item| audience(&item, client_ids.as_ref()));
    let claim_names = fields.take("claims").map_or(Some(ClaimNames::default()), |item| claim_names(&item, OF_A_POOL));
    let keys_are_given = fields.has("jwks_uri") || fields.has("jwks_file");
    let name = match fields.take("issuer") {
        Some(item) => issuer_name(&item, keys_are_given).filter(|name| is_plain_name(&item, name)),
        None => pool.as_ref().map(UserPool::issuer),
    };
    let algorithms = AlgorithmSet::of(&[Algorithm::Rs256]);
    let default = |name: &str| Address::parse(&format!("{name}/.well-known/jwks.json")).ok().map(JwksSource::Address);
    let keys = keys(&mut fields, name.as_deref(), algorithms, default);
    let issuer_check = match fields.take("introspection") {
        Some(item) => {
            introspection::of_cognito(&item, pool.as_ref(), name.as_deref(), &shared.https, &shared.counts).map(Some)
        }
        None => Some(None),
    };
    fields.finish();
    let name_in_policies = Arc::from(pool?.id());
    let expectations = Expectations {
        issuer: name?.into(),
        tenants: None,
        kind: IssuerKind::Cognito { token_uses: token_uses? },
        algorithms,
        client_ids: client_ids?,
        audience: audience?,
        typ: None,
        claim_names: claim_names?,
        dpop: None,
        leeway: shared.leeway?,
    };
    build(expectations, name_in_policies, keys?, issuer_check?, false, shared)
}

fn read_oidc(item: &Item<'_>, shared: &Shared) -> Option<Issuer> {
    let mut fields = item.fields()?;
    let keys_are_given = fields.has("jwks_uri") || fields.has("jwks_file");
    let (issuer, tenants) = (fields.require("issuer"), fields.take("tenants"));
    let name = issuer.as_ref().and_then(|item| issuer_name(item, keys_are_given));
    let tenants = match (&tenants, issuer.as_ref().zip(name.as_ref())) {
        (Some(tenants), Some((item, name))) => {
            if !fields.has("jwks_uri") {
                item.fault("is the name of many tenants: give the `jwks_uri` of their keys");
            }
            read_tenants(tenants, item, name).map(Some)
        }
        (Some(_), None) => None,
        (None, Some((item, name))) => is_plain_name(item, name).then_some(None),
        (None, None) => Some(None),
    };
    let client_ids = fields.take("client_ids").map_or(Some(ClientIds::Unchecked), |item| client_ids(&item));
    let audience = fields.require("audience").and_then(|item| audience(&item, client_ids.as_ref()));
    let algorithms = match fields.take("algorithms") {
        Some(item) => algorithms(&item),
        None => Some(AlgorithmSet::of(&[Algorithm::Rs256])),
    };
    let typ = fields.take("typ").map(|item| item.string());
    let claim_names = fields.take("claims").map_or(Some(ClaimNames::default()), |item| claim_names(&item, &[]));
    let default = |name: &str| Discovery::of(name).map(JwksSource::Discovery);
    let any = AlgorithmSet::of(&Algorithm::ALL);
    let keys = keys(&mut fields, name.as_deref(), algorithms.unwrap_or(any), default);
    let dpop = fields.take("dpop").map_or_else(|| Some(Dpop::default()), |item| dpop::read(&item));
    let with_dpop = dpop.as_ref().is_some_and(|dpop| dpop.settings.is_some());
    let issuer_check = match fields.take("introspection") {
        Some(item) => introspection::of_oidc(&item, with_dpop, &shared.https, &shared.counts).map(Some),
        None => Some(None),
    };
    let opaque_tokens = match fields.take("opaque_tokens") {
        Some(item) => {
            let opaque_tokens = item.boolean();
            if opaque_tokens == Some(true) && matches!(issuer_check, Some(None)) {
                item.fault("needs `introspection`: nothing else can tell what an opaque token is");
            }
            if opaque_tokens == Some(true) && !matches!(tenants, Some(None)) {
                item.fault("cannot go with `tenants`: nothing in an opaque token tells whose it is");
            }
            opaque_tokens
        }
        None => Some(false),
    };
    fields.finish();
    let typ = match typ {
        Some(typ) => Some(typ?),
        None => None,
    };
    let Dpop { settings, nonces } = dpop?;
    let expectations = Expectations {
        issuer: name?.into(),
        tenants: tenants?,
        kind: IssuerKind::Oidc,
        algorithms: algorithms?,
        client_ids: client_ids?,
        audience: audience?,
        typ,
        claim_names: claim_names?,
        dpop: settings,
        leeway: shared.leeway?,
    };
    let name_in_policies = Arc::clone(&expectations.issuer);
    let issuer = build(expectations, name_in_policies, keys?, issuer_check?, opaque_tokens?, shared)?;
    Some(Issuer { nonces, ..issuer })
}

fn build(
    expectations: Expectations,
    name_in_policies: Arc<str>,
    keys: Keys,
    issuer_check: Option<Arc<IssuerCheck>>,
    opaque_tokens: bool,
    shared: &Shared,
) -> Option<Issuer> {
    let https = Arc::clone(&shared.https);
    let name = Arc::clone(&expectations.issuer);
    let keys = match &shared.substitute {
        Some(substitute) => {
            let set = substitute.jwk_set(&name, expectations.algorithms);
            // A set without a usable key verifies nothing.
            Keys { source: JwksSource::None, known: KeySet::parse(set.as_bytes(), expectations.algorithms).ok() }
        }
        None => keys,
    };
    let keys = JwksCache::new(
        name,
        keys.source.through(https),
        expectations.algorithms,
        shared.jwks?,
        keys.known,
        shared.withdrawn_keys.clone()?,
        &shared.counts,
    );
    let live = shared.live(issuer_check);
    Some(Issuer { expectations: Arc::new(expectations), keys, name_in_policies, live, opaque_tokens, nonces: None })
}

fn user_pool(item: &Item<'_>) -> Option<UserPool> {
    let pool = UserPool::parse(&item.text()?);
    if pool.is_none() {
        item.fault("must be a user pool's id such as `us-east-1_AbCdEf123`");
    }
    pool
}

/// An issuer is compared verbatim. Where it is an address to fetch from, it must be a safe one; where
/// its keys are given it may be any name, `http://` too.
pub(super) fn issuer_name(item: &Item<'_>, keys_are_given: bool) -> Option<String> {
    let name = item.string()?;
    if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        item.fault("must not have white space in it");
        return None;
    }
    let is_only_a_name = keys_are_given && !name.starts_with("https://");
    // A `{` is no part of a URL: what stands around it is looked at.
    if name.contains("://") && !is_only_a_name {
        item.address_like(&name.replace(['{', '}'], "-"))?;
    }
    Some(name)
}

/// Whether the name stands for one issuer.
pub(super) fn is_plain_name(item: &Item<'_>, name: &str) -> bool {
    let is_plain = !name.contains(['{', '}', '*']);
    if !is_plain {
        item.fault("has a `{` or `*` in it, but no `tenants`: an issuer is compared letter for letter");
    }
    is_plain
}

fn read_tenants(tenants: &Item<'_>, issuer: &Item<'_>, name: &str) -> Option<Tenants> {
    let listed = tenants.strings()?;
    let accepted = match listed.as_slice() {
        [only] if only == "*" => AcceptedTenants::Any,
        _ => match listed.iter().find(|tenant| !is_tenant(tenant)) {
            Some(odd) => {
                tenants.fault(format!("`{odd}` is not a tenant: letters, digits, `-`, `_` and `.`, or `\"*\"` alone"));
                return None;
            }
            None => AcceptedTenants::OneOf(listed.into_iter().collect()),
        },
    };
    match Tenants::parse(name, accepted) {
        Ok(tenants) => Some(tenants),
        Err(why) => {
            issuer.fault(why);
            None
        }
    }
}

/// The word `none`, or a list.
fn audience(item: &Item<'_>, client_ids: Option<&ClientIds>) -> Option<Audience> {
    let audience = item.strings()?;
    if audience.iter().any(|one| one == "*") {
        item.fault("`*` is no audience: name this API's own, or write `none` for tokens without `aud`");
        return None;
    }
    match audience.as_slice() {
        [only] if only == "none" && !item.is_list() => {
            if matches!(client_ids, Some(ClientIds::Unchecked | ClientIds::AnyNamed)) {
                item.fault("`none` needs `client_ids` without `*`: nothing else would tell whom a token is for");
                return None;
            }
            Some(Audience::Absent)
        }
        _ if audience.iter().any(|one| one == "none") => {
            item.fault("`none` must stand alone, and not in a list");
            None
        }
        _ => Some(Audience::OneOf(audience)),
    }
}

fn client_ids(item: &Item<'_>) -> Option<ClientIds> {
    let ids = item.strings()?;
    match ids.as_slice() {
        [only] if only == "*" => Some(ClientIds::AnyNamed),
        _ if ids.iter().any(|id| id == "*") => {
            item.fault("`*` accepts any client and must stand alone");
            None
        }
        _ => {
            let mut read = Vec::new();
            for id in &ids {
                match ClientId::parse(id) {
                    Ok(id) => read.push(id),
                    Err(why) => item.fault(format!("`{id}`: {why}")),
                }
            }
            (read.len() == ids.len()).then_some(ClientIds::OneOf(read))
        }
    }
}

fn token_uses(item: &Item<'_>) -> Option<Vec<TokenUse>> {
    let uses: Option<Vec<_>> = item.strings()?.iter().map(|name| TokenUse::parse(name)).collect();
    if uses.is_none() {
        item.fault("must be `access` or `id`");
    }
    uses
}

fn algorithms(item: &Item<'_>) -> Option<AlgorithmSet> {
    let mut algorithms = Vec::new();
    let mut known = true;
    for name in item.strings()? {
        match Algorithm::parse(&name) {
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                item.fault(format!(
                    "`{name}` is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA"
                ));
                known = false;
            }
        }
    }
    known.then(|| AlgorithmSet::of(&algorithms))
}

/// `fixed` are claims that this kind of issuer keeps in one place.
fn claim_names(item: &Item<'_>, fixed: &[&'static str]) -> Option<ClaimNames> {
    let mut fields = item.fields()?;
    let scope = fields.take("scope").map(|item| mapped_list(&item));
    let groups = fields.take("groups").map(|item| mapped_list(&item));
    let username = fields.take("username").map(|item| item.claim());
    let client_id = fields.take("client_id").map(|item| match fixed.contains(&"client_id") {
        true => {
            item.fault("a user pool names the client in `client_id`, and in an ID token's `aud`");
            None
        }
        false => item.claim(),
    });
    fields.finish();
    Some(ClaimNames {
        scope: whole(scope)?,
        groups: whole(groups)?,
        username: whole(username)?,
        client_id: whole(client_id)?,
    })
}

/// A key that is there and faulty makes the whole faulty.
fn whole<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |value| value.map(Some))
}

/// A claim, or `{ claim: NAME, list: FORM }`.
fn mapped_list(item: &Item<'_>) -> Option<MappedList> {
    if !item.is_map() {
        return item.claim().map(|path| MappedList { path, form: None });
    }
    let mut fields = item.fields()?;
    let path: Option<ClaimPath> = fields.require("claim").and_then(|item| item.claim());
    let form = fields.require("list").and_then(|item| item.choice(&LIST_FORMS));
    fields.finish();
    Some(MappedList { path: path?, form: Some(form?) })
}

const LIST_FORMS: [(&str, ListForm); 4] = [
    ("brackets", ListForm::Brackets),
    ("json", ListForm::Json),
    ("commas", ListForm::Commas),
    ("spaces", ListForm::Spaces),
];

/// What `claims` of a user pool cannot move.
const OF_A_POOL: &[&str] = &["client_id"];

/// Where an issuer's keys come from, and those known from the start.
struct Keys {
    source: JwksSource,
    known: Option<KeySet>,
}

fn keys(
    fields: &mut Fields<'_>,
    issuer: Option<&str>,
    algorithms: AlgorithmSet,
    default: impl FnOnce(&str) -> Option<JwksSource>,
) -> Option<Keys> {
    let known = fields.take("jwks_file").map(|item| known_keys(&item, algorithms));
    let source = match fields.take("jwks_uri") {
        Some(item) => match item.text()?.as_ref() {
            "none" if known.is_none() => {
                item.fault("`none` needs a `jwks_file`: there would be no keys at all");
                None
            }
            "none" => Some(JwksSource::None),
            _ => item.address().map(JwksSource::Address),
        },
        None => match default(issuer?) {
            Some(source) => Some(source),
            // A name, with keys of its own.
            None if known.is_some() => Some(JwksSource::None),
            None => {
                fields.fault("the issuer is not an https:// URL: give its `jwks_uri`");
                None
            }
        },
    };
    let known = match known {
        Some(known) => Some(known?),
        None => None,
    };
    Some(Keys { source: source?, known })
}

fn known_keys(item: &Item<'_>, algorithms: AlgorithmSet) -> Option<KeySet> {
    match KeySet::parse(&item.file()?, algorithms) {
        Ok(keys) => Some(keys),
        Err(error) => {
            item.fault(error.to_string());
            None
        }
    }
}
