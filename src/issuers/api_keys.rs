//! API keys: the header of a request, held against the table of keys.

use super::Verifier;
use super::key_records::KeyRecords;
use crate::credentials::ApiKey;
use crate::denial::Denial;
use crate::live::{KeyId, KeyMaterial, KeyTable};
use crate::request::{Credential, Request, UnixSeconds};
use crate::token::{Claims, CredentialKind, RecordFacts, VerifiedRecord};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Verifies API keys.
#[derive(Debug)]
pub struct ApiKeys {
    keys: KeyRecords,
    header: String,
}

impl ApiKeys {
    /// Keys of that table, sent in that header.
    #[must_use]
    pub fn new(table: Arc<KeyTable>, header: String) -> Self {
        Self { keys: KeyRecords { table, refuse: Denial::InvalidKey }, header }
    }
}

impl Verifier for ApiKeys {
    fn kind(&self) -> CredentialKind {
        CredentialKind::ApiKey
    }

    fn verify<'a>(
        &'a self,
        request: &'a Request<'_>,
        now: UnixSeconds,
        id: &'a mut Option<String>,
    ) -> BoxFuture<'a, Result<VerifiedRecord, Denial>> {
        async move {
            let key = ApiKey::parse(only_one(request)?)?;
            *id = Some(key.id().to_owned());
            let key_id = KeyId::parse(key.id()).ok_or(Denial::InvalidKey("not in the form of a key"))?;
            let record = self.keys.find(&key_id, now).await?;
            let KeyMaterial::ApiKey { sha256 } = record.material() else { return Err(NOT_AN_API_KEY) };
            let facts =
                RecordFacts { id: key.id().to_owned(), issued_at: record.created_at(), expires: record.not_after() };
            // The hash before the dates: of a key that was not sent whole, nothing is said.
            let verified = key.verify(sha256, facts, record.claims().clone())?;
            self.keys.check(&record, now)?;
            Ok(verified)
        }
        .boxed()
    }

    fn ask_anew<'a>(&'a self, claims: &'a Claims, now: UnixSeconds) -> BoxFuture<'a, Option<Result<(), Denial>>> {
        async move { Some(self.keys.still_stands(claims, now).await) }.boxed()
    }

    fn can_ask_anew(&self) -> bool {
        true
    }

    fn api_key_header(&self) -> Option<&str> {
        Some(&self.header)
    }
}

/// The one key of a request: the header may come more than once, if with the same value.
fn only_one<'a>(request: &'a Request<'_>) -> Result<&'a str, Denial> {
    // API Gateway joins repeated headers with commas, and no key has a comma in it.
    let mut values = request.api_keys.iter().flat_map(|Credential(value)| value.split(',')).map(str::trim);
    let first = values.next().filter(|first| !first.is_empty()).ok_or(Denial::AmbiguousToken)?;
    if values.all(|other| other == first) { Ok(first) } else { Err(Denial::AmbiguousToken) }
}

const NOT_AN_API_KEY: Denial = Denial::InvalidKey("the key signs requests, and is no API key");
