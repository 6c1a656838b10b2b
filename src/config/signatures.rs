//! An issuer of the kind `signatures`: a table of keys, and what the signatures of requests must be like (RFC 9421).

use super::api_keys;
use super::fields::{Fields, Item};
use super::introspection::timeout;
use super::issuers::Shared;
use crate::credentials::signature::{Component, MasterSecret, SignatureAlgorithm, SignaturePolicy};
use crate::issuers::{OfflineKeys, RecordIssuer, Signatures, Verifier};
use crate::live::{CheckSettings, KeyTable, NonceTable};
use crate::token::CredentialKind;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn read(item: &Item<'_>, shared: &Shared) -> Option<RecordIssuer> {
    let mut fields = item.fields()?;
    let table = fields.require("table").and_then(|item| item.string());
    let algorithms = fields.require("algorithms").and_then(|item| algorithms(&item));
    let max_age = fields.take("max_age").map_or(Some(Duration::from_secs(60)), |item| max_age(&item));
    let cover = match fields.take("cover") {
        Some(item) => cover(&item),
        None => Some(vec![Component::Method, Component::Authority, Component::Path]),
    };
    let secret = secret(&mut fields, algorithms.as_deref());
    let nonces = fields.take("nonce_table").map(|item| item.string());
    let cache = fields.take("cache").map_or(Some(Duration::from_secs(60)), |item| item.duration_or_zero());
    let timeout = fields.take("timeout").map_or(Some(Duration::from_secs(2)), |item| timeout(&item));
    let name = fields.take("issuer").map_or(Some("urn:signatures".to_owned()), |item| api_keys::name(&item));
    fields.finish();
    let nonces = match nonces {
        Some(name) => Some(NonceTable::new(name?)),
        None => None,
    };
    let settings = CheckSettings { timeout: timeout?, cache: cache? };
    let policy = SignaturePolicy {
        algorithms: algorithms?,
        max_age: max_age?,
        leeway: shared.leeway?,
        cover: cover?,
        needs_nonce: nonces.is_some(),
    };
    let issuer: Arc<str> = name?.into();
    let table = KeyTable::new(table?, settings, &shared.counts);
    let signatures = Signatures::new(Arc::clone(&issuer), policy, table, secret?, nonces);
    let verifier: Box<dyn Verifier> = match shared.substitute {
        Some(_) => Box::new(OfflineKeys::new(CredentialKind::Signature, None)),
        None => Box::new(signatures),
    };
    shared.record_issuer(issuer, verifier)
}

fn algorithms(item: &Item<'_>) -> Option<Vec<SignatureAlgorithm>> {
    let mut algorithms = Vec::new();
    for name in item.strings()? {
        let Some(algorithm) = SignatureAlgorithm::parse(&name) else {
            let known = SignatureAlgorithm::ALL.map(SignatureAlgorithm::name).join("`, `");
            item.fault(format!("`{name}` is not an algorithm of request signatures; known are `{known}`"));
            return None;
        };
        algorithms.push(algorithm);
    }
    Some(algorithms)
}

fn max_age(item: &Item<'_>) -> Option<Duration> {
    let max_age = item.duration()?;
    if max_age > LONGEST {
        item.fault("must be at most `1h`: for as long, who reads a request can send it again");
        return None;
    }
    Some(max_age)
}

fn cover(item: &Item<'_>) -> Option<Vec<Component>> {
    let mut cover = Vec::new();
    for name in item.strings()? {
        match Component::parse(&name) {
            Ok(component) if cover.contains(&component) => {
                item.fault(format!("`{name}` is named twice"));
                return None;
            }
            Ok(Component::Field(field)) if field == "signature" || field == "signature-input" => {
                item.fault(format!("`{name}`: a signature cannot cover itself"));
                return None;
            }
            Ok(component) => cover.push(component),
            Err(why) => {
                item.fault(format!("`{name}`: {why}"));
                return None;
            }
        }
    }
    Some(cover)
}

/// The outer `None` stands for a fault. Without a secret the keys of an algorithm that needs one verify nothing.
fn secret(fields: &mut Fields<'_>, algorithms: Option<&[SignatureAlgorithm]>) -> Option<Option<MasterSecret>> {
    let is_needed = algorithms.is_none_or(|algorithms| algorithms.iter().any(|algorithm| algorithm.is_symmetric()));
    let Some(item) = fields.take("secret") else { return Some(None) };
    if !is_needed {
        item.fault("none of `algorithms` uses it");
        return None;
    }
    let text = item.text()?;
    if !item.is_from_environment() {
        item.fault(
            "must not be written here: take it from the environment (`${NAME}`) or from `${secretsmanager:NAME}`",
        );
        return None;
    }
    let secret = MasterSecret::new(&text);
    if secret.is_none() {
        item.fault(format!("must have at least {} bytes", MasterSecret::MIN_BYTES));
    }
    Some(Some(secret?))
}

/// What a request's clock and its way may differ by, and not a life for requests.
const LONGEST: Duration = Duration::from_secs(3600);
