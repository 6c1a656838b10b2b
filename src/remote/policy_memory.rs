//! Answers of a policy store that may be used again: for a while, never past the
//! token's end, and only for the same question about the same token.

use super::moment::Moment;
use crate::permissions::{Question, Record, Value, Verdict};
use crate::request::UnixSeconds;
use crate::token::BearerToken;
use aws_lc_rs::digest::{Context, SHA256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) struct PolicyMemory {
    for_at_most: Duration,
    known: Mutex<HashMap<Key, Remembered>>,
}

/// All that an answer depends on, strongly hashed.
pub(super) type Key = Box<[u8]>;

struct Remembered {
    verdict: Verdict,
    since: Moment,
    expires: UnixSeconds,
}

impl PolicyMemory {
    pub(super) fn new(for_at_most: Duration) -> Self {
        Self { for_at_most, known: Mutex::default() }
    }

    pub(super) fn is_used(&self) -> bool {
        !self.for_at_most.is_zero()
    }

    pub(super) fn recall(&self, key: &Key, now: UnixSeconds) -> Option<Verdict> {
        let known = self.lock();
        let remembered = known.get(key)?;
        self.holds(remembered, now).then(|| remembered.verdict.clone())
    }

    pub(super) fn remember(&self, key: Key, verdict: &Verdict, expires: UnixSeconds, now: UnixSeconds) {
        let mut known = self.lock();
        if known.len() >= MAX_REMEMBERED {
            known.retain(|_, remembered| self.holds(remembered, now));
        }
        // Still full: forgetting costs questions, never a wrong answer.
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(key, Remembered { verdict: verdict.clone(), since: Moment::now(), expires });
    }

    fn holds(&self, remembered: &Remembered, now: UnixSeconds) -> bool {
        now < remembered.expires && Moment::now().since(remembered.since) < self.for_at_most
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Remembered>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Token, action and context; each part with its length, so that no two questions
/// are written alike. Who asks follows from the token, and the policies are the store's.
pub(super) fn key(question: &Question, token: &BearerToken<'_>) -> Key {
    let mut digest = Context::new(&SHA256);
    text(&mut digest, token.as_str());
    text(&mut digest, &question.principal.id);
    text(&mut digest, &question.action);
    record(&mut digest, &question.context);
    digest.finish().as_ref().into()
}

fn record(digest: &mut Context, members: &Record) {
    length(digest, members.len());
    // The order of members means nothing to the policies, but the same event has the same.
    for (name, member) in members {
        text(digest, name);
        value(digest, member);
    }
}

fn value(digest: &mut Context, value_of: &Value) {
    let (kind, written) = match value_of {
        Value::Bool(value) => (b'b', value.to_string()),
        Value::Datetime(text) => (b'd', text.clone()),
        Value::Decimal(text) => (b'n', text.clone()),
        Value::Ip(address) => (b'i', address.to_string()),
        Value::Long(value) => (b'l', value.to_string()),
        Value::Text(text) => (b't', text.clone()),
        Value::Record(members) => {
            digest.update(b"r");
            return record(digest, members);
        }
        Value::Set(items) => {
            digest.update(b"s");
            length(digest, items.len());
            return items.iter().for_each(|item| value(digest, item));
        }
    };
    digest.update(&[kind]);
    text(digest, &written);
}

fn text(digest: &mut Context, text: &str) {
    length(digest, text.len());
    digest.update(text.as_bytes());
}

fn length(digest: &mut Context, length: usize) {
    digest.update(format!("{length}:").as_bytes());
}

/// Some 200 bytes each.
const MAX_REMEMBERED: usize = 10_000;
