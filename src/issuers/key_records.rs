//! The records of keys, for the verifiers that read them: what no record is, is refused in the words of its verifier.

use crate::denial::Denial;
use crate::live::{KeyId, KeyLookup, KeyRecord, KeyTable, UnreadableKey};
use crate::request::UnixSeconds;
use crate::token::Claims;
use std::sync::Arc;

/// A table of keys, and the denial of one kind of key for a fixed reason.
#[derive(Debug)]
pub(super) struct KeyRecords {
    pub(super) table: Arc<KeyTable>,
    pub(super) refuse: fn(&'static str) -> Denial,
}

impl KeyRecords {
    /// What the table says of this key, at most `cache` ago.
    ///
    /// # Errors
    /// The verifier's denial; [`Denial::KeysUnavailable`].
    pub(super) async fn find(&self, id: &KeyId, now: UnixSeconds) -> Result<Arc<KeyRecord>, Denial> {
        self.record(self.table.find(id, now).await?)
    }

    /// Refuses a key that is disabled or has expired.
    ///
    /// # Errors
    /// The verifier's denial.
    pub(super) fn check(&self, record: &KeyRecord, now: UnixSeconds) -> Result<(), Denial> {
        record.fault(now).map_or(Ok(()), |why| Err((self.refuse)(why)))
    }

    /// Whether the record of now says what the one that was judged did, and is valid.
    ///
    /// # Errors
    /// The verifier's denial; [`Denial::KeysUnavailable`].
    pub(super) async fn still_stands(&self, claims: &Claims, now: UnixSeconds) -> Result<(), Denial> {
        // INVARIANT: a verifier accepts a key by its id.
        let id = claims.credential_id().and_then(KeyId::parse).ok_or(Denial::Internal("a key without an id"))?;
        let judged = self.table.recall(&id, now)?;
        let record = self.record(self.table.find_anew(&id, now).await?)?;
        self.check(&record, now)?;
        // What was judged is what the remembered record says; without a memory it was read a moment ago.
        let has_changed = judged.is_some_and(|judged| !judged.says_the_same(&record));
        if has_changed { Err((self.refuse)("the key's record has changed")) } else { Ok(()) }
    }

    fn record(&self, lookup: KeyLookup) -> Result<Arc<KeyRecord>, Denial> {
        match lookup {
            KeyLookup::Found(record) => Ok(record),
            KeyLookup::Unknown => Err((self.refuse)("the table has no key of that id")),
            // One item is broken, not the table: only its own key is refused, and nobody who knows its id can fail invocations.
            KeyLookup::Unreadable(UnreadableKey(why)) => Err((self.refuse)(why)),
        }
    }
}
