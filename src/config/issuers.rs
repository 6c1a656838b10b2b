//! The `issuers` section.

use super::fields::{Fields, Item};
use super::introspection;
use crate::authorizer::Issuer;
use crate::remote::{
    Address, Discovery, HttpsClient, Inquiry, JwksCache, JwksSettings, JwksSource, LiveCheck, RevocationTable,
    UserPool, WithdrawnKeys,
};
use crate::token::{
    Algorithm, AlgorithmSet, ClaimNames, ClientIds, Expectations, IssuerKind, KeySet, KeySetError, TokenUse,
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
    pub(super) revocations: Option<Arc<RevocationTable>>,
    pub(super) revocations_always: bool,
}

pub(super) fn read(file: &mut Fields<'_>, shared: &Shared) -> Option<Vec<Issuer>> {
    let mut issuers: Vec<Issuer> = Vec::new();
    let (mut names, mut has_opaque_tokens) = (HashSet::new(), false);
    let mut complete = true;
    for item in file.require("issuers")?.items()? {
        match issuer(&item, shared) {
            Some(issuer) if !names.insert(Arc::clone(&issuer.expectations.issuer)) => {
                item.fault(format!("the issuer `{}` stands twice", issuer.expectations.issuer));
            }
            Some(issuer) if issuer.opaque_tokens && has_opaque_tokens => {
                item.fault("only one issuer can have opaque tokens: nothing in them tells whose they are");
            }
            Some(issuer) => {
                has_opaque_tokens |= issuer.opaque_tokens;
                issuers.push(issuer);
            }
            None => complete = false,
        }
    }
    complete.then_some(issuers)
}

fn issuer(item: &Item<'_>, shared: &Shared) -> Option<Issuer> {
    let mut fields = item.fields()?;
    let (cognito, oidc) = (fields.take("cognito"), fields.take("oidc"));
    fields.finish();
    match (cognito, oidc) {
        (Some(item), None) => read_cognito(&item, shared),
        (None, Some(item)) => read_oidc(&item, shared),
        (Some(_), Some(_)) | (None, None) => {
            item.fault("must be either `cognito` or `oidc`");
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
    let audience = fields.take("audience").map_or(Some(Vec::new()), |item| item.strings());
    let name = match fields.take("issuer") {
        Some(item) => issuer_name(&item),
        None => pool.as_ref().map(UserPool::issuer),
    };
    let algorithms = AlgorithmSet::of(&[Algorithm::Rs256]);
    let default = |name: &str| Address::parse(&format!("{name}/.well-known/jwks.json")).ok().map(JwksSource::Address);
    let keys = keys(&mut fields, name.as_deref(), algorithms, default);
    let inquiry = match fields.take("introspection") {
        Some(item) => introspection::of_cognito(&item, pool.as_ref(), name.as_deref(), &shared.https).map(Some),
        None => Some(None),
    };
    fields.finish();
    let name_in_policies = Arc::from(pool?.id());
    let expectations = Expectations {
        issuer: name?.into(),
        kind: IssuerKind::Cognito { token_uses: token_uses? },
        algorithms,
        client_ids: client_ids?,
        audience: audience?,
        typ: None,
        claim_names: ClaimNames::default(),
        leeway: shared.leeway?,
    };
    build(expectations, name_in_policies, keys?, inquiry?, false, shared)
}

fn read_oidc(item: &Item<'_>, shared: &Shared) -> Option<Issuer> {
    let mut fields = item.fields()?;
    let name = fields.require("issuer").and_then(|item| issuer_name(&item));
    let audience = fields.require("audience").and_then(|item| item.strings());
    let client_ids = fields.take("client_ids").map_or(Some(ClientIds::Unchecked), |item| client_ids(&item));
    let algorithms = match fields.take("algorithms") {
        Some(item) => algorithms(&item),
        None => Some(AlgorithmSet::of(&[Algorithm::Rs256])),
    };
    let typ = fields.take("typ").map(|item| item.string());
    let claim_names = fields.take("claims").map_or(Some(ClaimNames::default()), |item| claim_names(&item));
    let default = |name: &str| Discovery::of(name).map(JwksSource::Discovery);
    let any = AlgorithmSet::of(&Algorithm::ALL);
    let keys = keys(&mut fields, name.as_deref(), algorithms.unwrap_or(any), default);
    let inquiry = match fields.take("introspection") {
        Some(item) => introspection::of_oidc(&item, &shared.https).map(Some),
        None => Some(None),
    };
    let opaque_tokens = match fields.take("opaque_tokens") {
        Some(item) => {
            let opaque_tokens = item.boolean();
            if opaque_tokens == Some(true) && matches!(inquiry, Some(None)) {
                item.fault("needs `introspection`: nothing else can tell what an opaque token is");
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
    let expectations = Expectations {
        issuer: name?.into(),
        kind: IssuerKind::Oidc,
        algorithms: algorithms?,
        client_ids: client_ids?,
        audience: audience?,
        typ,
        claim_names: claim_names?,
        leeway: shared.leeway?,
    };
    let name_in_policies = Arc::clone(&expectations.issuer);
    build(expectations, name_in_policies, keys?, inquiry?, opaque_tokens?, shared)
}

fn build(
    expectations: Expectations,
    name_in_policies: Arc<str>,
    keys: Keys,
    inquiry: Option<Arc<Inquiry>>,
    opaque_tokens: bool,
    shared: &Shared,
) -> Option<Issuer> {
    let https = Arc::clone(&shared.https);
    let name = Arc::clone(&expectations.issuer);
    let keys = JwksCache::new(
        name,
        keys.source,
        expectations.algorithms,
        shared.jwks?,
        https,
        keys.known,
        shared.withdrawn_keys.clone()?,
    );
    let revocations = shared.revocations.clone();
    let live = LiveCheck { inquiry, revocations, revocations_always: shared.revocations_always };
    Some(Issuer { expectations: Arc::new(expectations), keys, name_in_policies, live, opaque_tokens })
}

fn user_pool(item: &Item<'_>) -> Option<UserPool> {
    let pool = UserPool::parse(&item.text()?);
    if pool.is_none() {
        item.fault("must be a user pool's id such as `us-east-1_AbCdEf123`");
    }
    pool
}

/// An issuer is compared verbatim; where it is a URL it must be a safe one.
fn issuer_name(item: &Item<'_>) -> Option<String> {
    let name = item.string()?;
    if name.contains("://") {
        item.address()?;
    }
    Some(name)
}

fn client_ids(item: &Item<'_>) -> Option<ClientIds> {
    let ids = item.strings()?;
    match ids.as_slice() {
        [only] if only == "*" => Some(ClientIds::AnyNamed),
        _ if ids.iter().any(|id| id == "*") => {
            item.fault("`*` accepts any client and must stand alone");
            None
        }
        _ => Some(ClientIds::OneOf(ids)),
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

fn claim_names(item: &Item<'_>) -> Option<ClaimNames> {
    let mut fields = item.fields()?;
    let mut name = |key| fields.take(key).map(|item| item.string());
    let (scope, groups, username) = (name("scope"), name("groups"), name("username"));
    fields.finish();
    // A key that is there and faulty makes the whole faulty.
    let whole = |name: Option<Option<String>>| name.map_or(Some(None), |name| name.map(Some));
    Some(ClaimNames { scope: whole(scope)?, groups: whole(groups)?, username: whole(username)? })
}

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
        None => {
            let source = default(issuer?);
            if source.is_none() {
                fields.fault("the issuer is not an https:// URL: give its `jwks_uri`");
            }
            source
        }
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
        Err(KeySetError::NotAJwkSet) => {
            item.fault("is not a JWK Set");
            None
        }
        Err(KeySetError::NoFittingKey) => {
            item.fault("has no key that fits the issuer's algorithms");
            None
        }
    }
}
