//! What the `revoker` function does with an event: entries for the user under every issuer
//! that its tokens may name. Told twice, or late, it does the same.

use super::cloud_trail::{Notice, SignOut, UnreadableEvent};
use super::entry::Mark;
use super::plan::{LONGEST_TOKEN_LIFE, Plan, Reach};
use super::store::{Recorded, RevocationStore, StoreFault};
use cognito_authorizer::live::UserPool;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::time::rfc3339;
use serde_json::Value;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes entries for the sign-outs of some pools, or of all pools of the account.
#[derive(Debug)]
pub struct Revoker {
    store: RevocationStore,
    /// Empty: every pool that an event names.
    pools: Vec<UserPool>,
    /// Named by tokens of these pools besides a pool's own two issuers.
    further_issuers: Vec<String>,
    /// Entries since they were taken last.
    written: AtomicU64,
}

/// Why a sign-out did not reach the table. The function fails with it, so that the event
/// is delivered again and ends in the dead-letter queue at last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevokerFault {
    /// The event lacks what it must have.
    Event(UnreadableEvent),
    /// The event names no pool, and none is configured.
    NoPool,
    /// The table was not written.
    Store(StoreFault),
}

impl fmt::Display for RevokerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RevokerFault::Event(event) => event.fmt(f),
            RevokerFault::NoPool => f.write_str("the event names no user pool, and USER_POOL_IDS is empty"),
            RevokerFault::Store(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for RevokerFault {}

impl Revoker {
    /// For these pools (all where there are none) and, besides each pool's own issuers,
    /// these.
    ///
    /// # Errors
    /// The first text that is no pool's id.
    pub fn new(store: RevocationStore, pools: &str, further_issuers: &str) -> Result<Self, String> {
        let words =
            |text: &str| text.split([',', ' ', '\n']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let ids: Vec<String> = words(pools);
        let pools = ids.into_iter().map(|id| UserPool::parse(&id).ok_or(id)).collect::<Result<_, _>>()?;
        Ok(Self { store, pools, further_issuers: words(further_issuers), written: AtomicU64::default() })
    }

    /// Does what the event asks for, and logs it: of the user its `sub` and nothing else.
    ///
    /// # Errors
    /// [`RevokerFault`].
    pub async fn handle(&self, event: &Value, now: UnixSeconds) -> Result<(), RevokerFault> {
        let sign_out = match Notice::read(event).map_err(RevokerFault::Event)? {
            Notice::SignedOut(sign_out) => sign_out,
            Notice::Irrelevant(why) => {
                tracing::info!(message = "ignored", why);
                return Ok(());
            }
        };
        let SignOut { operation, event_id, subject, .. } = &sign_out;
        let Some(issuers) = self.issuers(&sign_out)? else {
            tracing::info!(message = "ignored", why = "another user pool", operation, event_id);
            return Ok(());
        };
        for entry in sign_out.plan().for_user(&issuers, subject, Reach::IssuedByNow) {
            let outcome = if entry.is_over(now) {
                "too late: every token has expired"
            } else {
                let recorded = self.store.record(&entry, now).await.map_err(RevokerFault::Store)?;
                let written = u64::from(!matches!(recorded, Recorded::Kept(_)));
                self.written.fetch_add(written, Ordering::Relaxed);
                match recorded {
                    Recorded::Written => "written",
                    Recorded::Kept(_) => "kept: a stronger entry stands",
                    Recorded::Joined(_) => "joined with the entry that stood",
                }
            };
            let not_before = rfc3339(sign_out.at);
            tracing::info!(message = "revoked", operation, event_id, pk = entry.pk, not_before, outcome);
        }
        Ok(())
    }

    /// How many entries were written since this was asked last, also by an event that
    /// failed in the end.
    pub fn take_written(&self) -> u64 {
        self.written.swap(0, Ordering::Relaxed)
    }

    /// The issuers of the event's pool, or of all that it could be about; `None` where it
    /// is about another.
    fn issuers(&self, sign_out: &SignOut) -> Result<Option<Vec<String>>, RevokerFault> {
        let own = match &sign_out.pool {
            Some(pool) if self.pools.is_empty() || self.pools.contains(pool) => pool.issuers().to_vec(),
            Some(_) => return Ok(None),
            // A `sub` is unique, so that an entry under another pool's issuer refuses nobody.
            None if !self.pools.is_empty() => self.pools.iter().flat_map(UserPool::issuers).collect(),
            None => return Err(RevokerFault::NoPool),
        };
        Ok(Some(own.into_iter().chain(self.further_issuers.iter().cloned()).collect()))
    }
}

impl SignOut {
    fn plan(&self) -> Plan {
        let mark = Mark {
            reason: Some(format!("{} (CloudTrail event {})", self.operation, self.event_id)),
            revoked_at: Some(self.at),
            revoked_by: Some("revoker".to_owned()),
        };
        Plan { now: self.at, token_life: LONGEST_TOKEN_LIFE, mark }
    }
}
