//! An issuer of the kind `api_keys`: a table of keys, and the header that they are sent in.

use super::fields::Item;
use super::introspection::timeout;
use super::issuers::Shared;
use super::settings::header_name;
use crate::gateway::{TokenSource, TokenSources};
use crate::issuers::{ApiKeys, OfflineKeys, RecordIssuer, Verifier};
use crate::live::{CheckSettings, KeyTable};
use crate::token::CredentialKind;
use std::time::Duration;

pub(super) fn read(item: &Item<'_>, shared: &Shared) -> Option<RecordIssuer> {
    let mut fields = item.fields()?;
    let table = fields.require("table").and_then(|item| item.string());
    let header = match fields.take("header") {
        Some(item) => header(&item, shared),
        None => Some("x-api-key".to_owned()),
    };
    let cache = fields.take("cache").map_or(Some(Duration::from_secs(60)), |item| item.duration_or_zero());
    let timeout = fields.take("timeout").map_or(Some(Duration::from_secs(2)), |item| timeout(&item));
    let name = fields.take("issuer").map_or(Some("urn:api-keys".to_owned()), |item| name(&item));
    fields.finish();
    let settings = CheckSettings { timeout: timeout?, cache: cache? };
    let table = KeyTable::new(table?, settings, &shared.counts);
    let header = header?;
    let verifier: Box<dyn Verifier> = match shared.substitute {
        Some(_) => Box::new(OfflineKeys::new(CredentialKind::ApiKey, Some(header))),
        None => Box::new(ApiKeys::new(table, header)),
    };
    shared.record_issuer(name?.into(), verifier)
}

/// A header that is not a place for tokens: one value cannot be two kinds of credential.
fn header(item: &Item<'_>, shared: &Shared) -> Option<String> {
    let header = header_name(item)?;
    let is_same = |source: &TokenSource| match source {
        TokenSource::Header(name) => name.eq_ignore_ascii_case(&header),
        TokenSource::Cookie(..) => header.eq_ignore_ascii_case("cookie"),
        TokenSource::Subprotocol(_) => header.eq_ignore_ascii_case("sec-websocket-protocol"),
        TokenSource::Query(_) => false,
    };
    let sources = shared.token_sources.iter();
    if sources.flat_map(|sources| TokenSources::KINDS.map(|kind| sources.of(kind))).flatten().any(is_same) {
        item.fault("is a place for tokens: keys need a header of their own (`token` names the places for tokens)");
        return None;
    }
    Some(header)
}

pub(super) fn name(item: &Item<'_>) -> Option<String> {
    let name = item.string()?;
    if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        item.fault("must not have white space in it");
        return None;
    }
    Some(name)
}
