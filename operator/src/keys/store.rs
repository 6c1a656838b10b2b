//! The table of keys, written.

use super::draft::{Draft, Item, SignatureKey, ends, identify, set_end};
use crate::revoking::AwsFault;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use cognito_authorizer::credentials::ApiKey;
use cognito_authorizer::live::{KeyId, KeyMaterial, KeyRecord, UnreadableKey};
use cognito_authorizer::request::UnixSeconds;
use std::fmt;

/// The table of that name.
#[derive(Debug)]
pub struct KeyStore {
    client: Client,
    table: String,
}

/// An item of the table: a key, or what the authorizer cannot read.
#[derive(Debug)]
pub struct Listed {
    /// Its `pk`, without `key#`.
    pub id: String,
    /// What the authorizer reads.
    pub record: Result<KeyRecord, UnreadableKey>,
}

/// Why the table does not hold what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStoreFault {
    /// DynamoDB said no, or nothing.
    Aws(AwsFault),
    /// There is no such key.
    NoSuchKey,
    /// The authorizer could not read it.
    Unreadable(UnreadableKey),
    /// It is the key of signed requests, and has another way to be replaced.
    NotAnApiKey,
    /// It would be valid no longer than the key that it replaces.
    EndsTooSoon,
    /// The key that is to be replaced is not valid itself.
    NotValid(&'static str),
}

impl fmt::Display for KeyStoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws(fault) => fault.fmt(f),
            Self::NoSuchKey => f.write_str("the table has no key of that id"),
            Self::Unreadable(UnreadableKey(why)) => write!(f, "the authorizer could not read it: {why}"),
            Self::NotAnApiKey => f.write_str("it is the key of signed requests, not an API key"),
            Self::EndsTooSoon => {
                f.write_str("the new key would end no later than the old one: give --not-after, or a shorter --overlap")
            }
            Self::NotValid(why) => write!(f, "{why}: make a new one with `authctl key create`"),
        }
    }
}

impl std::error::Error for KeyStoreFault {}

impl KeyStore {
    /// The table of that name, through that client.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Writes a new key.
    ///
    /// # Errors
    /// [`KeyStoreFault::Aws`]: then the key may be there or not. [`KeyStoreFault::Unreadable`]: it is not.
    pub async fn create(&self, key: &ApiKey<'_>, draft: &Draft, now: UnixSeconds) -> Result<(), KeyStoreFault> {
        self.put_new(draft.item(key, now).map_err(KeyStoreFault::Unreadable)?).await
    }

    /// Writes a new key that signs requests.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub async fn create_signature(
        &self,
        key: &SignatureKey,
        draft: &Draft,
        now: UnixSeconds,
    ) -> Result<(), KeyStoreFault> {
        self.put_new(draft.signature_item(key, now).map_err(KeyStoreFault::Unreadable)?).await
    }

    async fn put_new(&self, item: Item) -> Result<(), KeyStoreFault> {
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let answer = request.condition_expression(NEW).send().await;
        answer.map(drop).map_err(|error| KeyStoreFault::Aws(AwsFault::new("PutItem", &error)))
    }

    /// All keys, also those that have ended and are not yet deleted, by id.
    ///
    /// # Errors
    /// [`KeyStoreFault::Aws`].
    pub async fn list(&self) -> Result<Vec<Listed>, KeyStoreFault> {
        let mut pages = self.client.scan().table_name(&self.table).consistent_read(true).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| KeyStoreFault::Aws(AwsFault::new("Scan", &error)))?;
            keys.extend(page.items().iter().filter_map(listed));
        }
        keys.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(keys)
    }

    /// One key.
    ///
    /// # Errors
    /// [`KeyStoreFault::Aws`], [`KeyStoreFault::NoSuchKey`].
    pub async fn find(&self, id: &KeyId) -> Result<Listed, KeyStoreFault> {
        listed(&self.item(id).await?).ok_or(KeyStoreFault::NoSuchKey)
    }

    /// Disables a key of any kind.
    ///
    /// # Errors
    /// [`KeyStoreFault::Aws`], [`KeyStoreFault::NoSuchKey`].
    pub async fn disable(&self, id: &KeyId) -> Result<(), KeyStoreFault> {
        let request = self.client.update_item().table_name(&self.table).key("pk", partition_key(id));
        let request = request
            .update_expression("SET disabled = :true")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .condition_expression("attribute_exists(pk)");
        let Err(error) = request.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(fault) if fault.is_conditional_check_failed_exception() => Err(KeyStoreFault::NoSuchKey),
            _ => Err(KeyStoreFault::Aws(AwsFault::new("UpdateItem", &error))),
        }
    }

    /// Writes a key with the record of another, which ends at `old_ends`, or earlier where it did already: both or
    /// neither. The new one ends at `not_after`; without it when the old one would have. Returns when the old one ends.
    ///
    /// # Errors
    /// [`KeyStoreFault`].
    pub async fn rotate(
        &self,
        old: &KeyId,
        new: &ApiKey<'_>,
        (old_ends, not_after): (UnixSeconds, Option<UnixSeconds>),
        now: UnixSeconds,
    ) -> Result<UnixSeconds, KeyStoreFault> {
        let mut item = self.item(old).await?;
        let record = KeyRecord::read(old.clone(), &item).map_err(KeyStoreFault::Unreadable)?;
        if !matches!(record.material(), KeyMaterial::ApiKey { .. }) {
            return Err(KeyStoreFault::NotAnApiKey);
        }
        if let Some(why) = record.fault(now) {
            return Err(KeyStoreFault::NotValid(why));
        }
        let old_ends = record.not_after().filter(|end| *end < old_ends).unwrap_or(old_ends);
        let not_after = not_after.or(record.not_after());
        if not_after.is_some_and(|end| end <= old_ends) {
            return Err(KeyStoreFault::EndsTooSoon);
        }
        let hash = item.get("sha256").cloned();
        set_end(&mut item, not_after);
        identify(&mut item, new, now).map_err(KeyStoreFault::Unreadable)?;
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).condition_expression(NEW).build();
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", partition_key(old))
            .update_expression("SET not_after = :not_after, expires_at = :expires_at")
            // The key that was read is still the one of that id.
            .condition_expression("sha256 = :sha256")
            .set_expression_attribute_values(hash.map(|hash| Item::from([(":sha256".to_owned(), hash)])));
        for (name, date) in ends(Some(old_ends)) {
            update = update.expression_attribute_values(format!(":{name}"), date.ok_or(KeyStoreFault::NoSuchKey)?);
        }
        let incomplete = |_| KeyStoreFault::NoSuchKey;
        let put = TransactWriteItem::builder().put(put.map_err(incomplete)?).build();
        let update = TransactWriteItem::builder().update(update.build().map_err(incomplete)?).build();
        let answer = self.client.transact_write_items().transact_items(put).transact_items(update).send().await;
        answer.map_err(|error| KeyStoreFault::Aws(AwsFault::new("TransactWriteItems", &error)))?;
        Ok(old_ends)
    }

    async fn item(&self, id: &KeyId) -> Result<Item, KeyStoreFault> {
        let request = self.client.get_item().table_name(&self.table).key("pk", partition_key(id));
        let answer = request.consistent_read(true).send().await;
        let answer = answer.map_err(|error| KeyStoreFault::Aws(AwsFault::new("GetItem", &error)))?;
        answer.item.ok_or(KeyStoreFault::NoSuchKey)
    }
}

/// `None` where the item is not a key's.
fn listed(item: &Item) -> Option<Listed> {
    let id = item.get("pk")?.as_s().ok()?.strip_prefix("key#")?;
    let record = match KeyId::parse(id) {
        Some(id) => KeyRecord::read(id, item),
        None => Err(UnreadableKey("no credential can name this id")),
    };
    Some(Listed { id: id.to_owned(), record })
}

fn partition_key(id: &KeyId) -> AttributeValue {
    AttributeValue::S(id.partition_key())
}

const NEW: &str = "attribute_not_exists(pk)";
