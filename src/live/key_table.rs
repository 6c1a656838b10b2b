//! The table of keys in DynamoDB: API keys, and the keys of signed requests.
//!
//! A key's item is read once for all requests that name it at the same time, and not again for as long as `cache` says, be
//! it there or not. What is found and what is not are remembered apart: a flood of invented ids pushes no record out.

use super::cached_check::{CachedCheck, CheckSettings};
use super::caller::Caller;
use super::check_error::CheckError;
use super::key_id::KeyId;
use super::key_record::{KeyRecord, UnreadableKey};
use super::memory::{Digest, Lasts, Memory};
use crate::bounded_store::{Limits, Weight};
use crate::denial::Denial;
use crate::http::{RemoteCounts, aws};
use crate::request::UnixSeconds;
use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use std::fmt;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The table, read when a request names a key.
pub struct KeyTable {
    name: String,
    settings: CheckSettings,
    client: OnceCell<Client>,
    records: Arc<CachedCheck<KeyLookup>>,
    absent: Memory<KeyLookup>,
}

/// What the table says of an id.
#[derive(Clone, Debug)]
pub enum KeyLookup {
    /// It has this record. Whether the key is disabled or has expired is the caller's to see.
    Found(Arc<KeyRecord>),
    /// There is no such item.
    Unknown,
    /// There is an item, and nobody knows what it means: it allows nothing.
    Unreadable(UnreadableKey),
}

impl KeyTable {
    /// The table of that name, in the function's own region and account.
    #[must_use]
    pub fn new(name: String, settings: CheckSettings, counts: &RemoteCounts) -> Arc<Self> {
        let records = CachedCheck::new(settings, RECORDS, counts.key_reads.clone(), Denial::KeysUnavailable);
        Arc::new(Self { name, settings, client: OnceCell::new(), records, absent: Memory::new(ABSENT) })
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the table says of this id, at most `cache` ago.
    ///
    /// # Errors
    /// [`Denial::KeysUnavailable`].
    pub async fn find(self: &Arc<Self>, id: &KeyId, now: UnixSeconds) -> Result<KeyLookup, Denial> {
        let digest = digest_of(id);
        if let Some(absent) = self.absent.recall(&digest, now)? {
            return Ok(absent);
        }
        let expires = |outcome: &Result<KeyLookup, CheckError>| self.keep_until(outcome, now);
        let answered = self.records.ask_once(digest, Caller::of_key(&digest), || self.read(id), expires, now).await;
        let lookup = answered.result?;
        self.remember_absent(digest, &lookup, now)?;
        Ok(lookup)
    }

    /// What the table says of this id now.
    ///
    /// # Errors
    /// [`Denial::KeysUnavailable`].
    pub async fn find_anew(self: &Arc<Self>, id: &KeyId, now: UnixSeconds) -> Result<KeyLookup, Denial> {
        let digest = digest_of(id);
        let expires = |outcome: &Result<KeyLookup, CheckError>| self.keep_until(outcome, now);
        let lookup = self.records.ask_anew(digest, Caller::of_key(&digest), || self.read(id), expires, now).await?;
        self.remember_absent(digest, &lookup, now)?;
        Ok(lookup)
    }

    /// The record that was remembered last of this id, where it may still be used.
    ///
    /// # Errors
    /// [`Denial::Internal`] after a panic in here.
    pub fn recall(&self, id: &KeyId, now: UnixSeconds) -> Result<Option<Arc<KeyRecord>>, Denial> {
        Ok(match self.records.recall(&digest_of(id), now)? {
            Some(Ok(KeyLookup::Found(record))) => Some(record),
            Some(Ok(KeyLookup::Unknown | KeyLookup::Unreadable(_)) | Err(_)) | None => None,
        })
    }

    /// Records are kept for `cache`; what is no record is not kept among them.
    fn keep_until(&self, outcome: &Result<KeyLookup, CheckError>, now: UnixSeconds) -> UnixSeconds {
        match outcome {
            Ok(KeyLookup::Found(_)) => now.plus(self.settings.cache),
            Ok(KeyLookup::Unknown | KeyLookup::Unreadable(_)) | Err(_) => now,
        }
    }

    fn remember_absent(&self, digest: Digest, lookup: &KeyLookup, now: UnixSeconds) -> Result<(), Denial> {
        match lookup {
            KeyLookup::Found(_) => Ok(()),
            KeyLookup::Unknown | KeyLookup::Unreadable(_) => {
                let lasts = Lasts { for_at_most: self.settings.cache, expires: now.plus(self.settings.cache) };
                self.absent.remember(digest, lookup.clone(), lasts, now)
            }
        }
    }

    /// One consistent read.
    fn read(
        self: &Arc<Self>,
        id: &KeyId,
    ) -> impl Future<Output = Result<KeyLookup, CheckError>> + Send + 'static + use<> {
        let (table, id) = (Arc::clone(self), id.clone());
        async move {
            let connect = || async { aws::client!(aws_sdk_dynamodb, None, table.settings.timeout) };
            let client = table.client.get_or_init(connect).await;
            let key = AttributeValue::S(id.partition_key());
            let request = client.get_item().table_name(&table.name).key("pk", key).consistent_read(true);
            let answer = request.send().await.map_err(|error| CheckError::Outage(aws::outage(&error)))?;
            let Some(item) = answer.item else { return Ok(KeyLookup::Unknown) };
            Ok(match KeyRecord::read(id, &item) {
                Ok(record) => KeyLookup::Found(Arc::new(record)),
                Err(unreadable) => KeyLookup::Unreadable(unreadable),
            })
        }
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KeyTable");
        shown.field("name", &self.name).field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Weight for KeyLookup {
    fn bytes_elsewhere(&self) -> usize {
        match self {
            KeyLookup::Found(record) => record.bytes_elsewhere(),
            KeyLookup::Unknown | KeyLookup::Unreadable(_) => 0,
        }
    }
}

fn digest_of(id: &KeyId) -> Digest {
    let mut bytes = [0; 32];
    // SHA-256 has 32 bytes; any other length would panic, and a panic is a denial.
    bytes.copy_from_slice(digest(&SHA256, id.as_str().as_bytes()).as_ref());
    bytes
}

/// Of keys that are there: some 1.5 KiB each.
const RECORDS: Limits = Limits { entries: 10_000, bytes: 8 * 1024 * 1024 };

/// Of ids that are not there, or unreadable: less than half a KiB each.
const ABSENT: Limits = Limits { entries: 10_000, bytes: 4 * 1024 * 1024 };
