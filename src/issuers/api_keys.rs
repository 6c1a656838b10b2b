//! API keys: the header of a request, held against the table of keys.

use super::Verifier;
use crate::credentials::ApiKey;
use crate::denial::Denial;
use crate::live::{KeyId, KeyLookup, KeyMaterial, KeyRecord, KeyTable, UnreadableKey};
use crate::request::{Credential, Request, UnixSeconds};
use crate::token::{Claims, CredentialKind, RecordFacts, VerifiedRecord};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Verifies API keys.
#[derive(Debug)]
pub struct ApiKeys {
    table: Arc<KeyTable>,
    header: String,
}

impl ApiKeys {
    /// Keys of that table, sent in that header.
    #[must_use]
    pub fn new(table: Arc<KeyTable>, header: String) -> Self {
        Self { table, header }
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
            let record = api_key_record(self.table.find(&key_id(key.id())?, now).await?)?;
            let KeyMaterial::ApiKey { sha256 } = record.material() else { return Err(NOT_AN_API_KEY) };
            let facts =
                RecordFacts { id: key.id().to_owned(), issued_at: record.created_at(), expires: record.not_after() };
            // The hash before the dates: of a key that was not sent whole, nothing is said.
            let verified = key.verify(sha256, facts, record.claims().clone())?;
            record.fault(now).map_or(Ok(verified), |why| Err(Denial::InvalidKey(why)))
        }
        .boxed()
    }

    fn ask_anew<'a>(&'a self, claims: &'a Claims, now: UnixSeconds) -> BoxFuture<'a, Option<Result<(), Denial>>> {
        async move { Some(self.still_stands(claims, now).await) }.boxed()
    }

    fn can_ask_anew(&self) -> bool {
        true
    }

    fn api_key_header(&self) -> Option<&str> {
        Some(&self.header)
    }
}

impl ApiKeys {
    /// Whether the record of now says what the one that was judged did, and is valid.
    async fn still_stands(&self, claims: &Claims, now: UnixSeconds) -> Result<(), Denial> {
        let id = claims.credential_id().ok_or(Denial::Internal("an API key without an id"))?;
        let id = key_id(id)?;
        let judged = self.table.recall(&id, now)?;
        let record = api_key_record(self.table.find_anew(&id, now).await?)?;
        if let Some(why) = record.fault(now) {
            return Err(Denial::InvalidKey(why));
        }
        // What was judged is what the remembered record says; without a memory it was read a moment ago.
        let has_changed = judged.is_some_and(|judged| !judged.says_the_same(&record));
        if has_changed { Err(Denial::InvalidKey("its record has changed")) } else { Ok(()) }
    }
}

/// The one key of a request: the header may come more than once, if with the same value.
fn only_one<'a>(request: &'a Request<'_>) -> Result<&'a str, Denial> {
    // API Gateway joins repeated headers with commas, and no key has a comma in it.
    let mut values = request.api_keys.iter().flat_map(|Credential(value)| value.split(',')).map(str::trim);
    let first = values.next().filter(|first| !first.is_empty()).ok_or(Denial::AmbiguousToken)?;
    if values.all(|other| other == first) { Ok(first) } else { Err(Denial::AmbiguousToken) }
}

fn key_id(id: &str) -> Result<KeyId, Denial> {
    KeyId::parse(id).ok_or(Denial::InvalidKey("not in the form of a key"))
}

fn api_key_record(lookup: KeyLookup) -> Result<Arc<KeyRecord>, Denial> {
    match lookup {
        KeyLookup::Found(record) => Ok(record),
        KeyLookup::Unknown => Err(Denial::InvalidKey("the table has no key of that id")),
        // One item is broken, not the table: only its own key is refused, and nobody who knows its id can fail invocations.
        KeyLookup::Unreadable(UnreadableKey(why)) => Err(Denial::InvalidKey(why)),
    }
}

const NOT_AN_API_KEY: Denial = Denial::InvalidKey("the key signs requests, and is no API key");
