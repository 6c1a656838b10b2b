//! The table of revocations, written. An entry is never weakened: whoever comes second,
//! in whatever order, what was refused stays refused for as long as anyone wanted.

use super::aws::AwsFault;
use super::entry::{Entry, Item, at_least_both, number};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use cognito_authorizer::live::Revocation;
use cognito_authorizer::request::UnixSeconds;
use std::fmt;

/// The table of that name.
#[derive(Debug)]
pub struct RevocationStore {
    client: Client,
    table: String,
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// It stands as wanted.
    Written,
    /// One that refuses at least as much stood there already and stays.
    Kept(Entry),
    /// It was joined with the one that stood there.
    Joined(Entry),
}

/// Why the table does not hold what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// DynamoDB said no, or nothing.
    Aws(AwsFault),
    /// Others change the entry all the time.
    Contended,
    /// DynamoDB's keys have 2048 bytes at most.
    KeyTooLong,
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreFault::Aws(fault) => fault.fmt(f),
            StoreFault::Contended => f.write_str("the entry was changed by others again and again"),
            StoreFault::KeyTooLong => write!(f, "the entry's key has more than {MAX_KEY_BYTES} bytes"),
        }
    }
}

impl std::error::Error for StoreFault {}

impl RevocationStore {
    /// The table of that name, through that client.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Makes sure that the table refuses what the entry refuses. Once or often is the same.
    ///
    /// # Errors
    /// [`StoreFault`]: it may not.
    pub async fn record(&self, wanted: &Entry, now: UnixSeconds) -> Result<Recorded, StoreFault> {
        if wanted.pk.len() > MAX_KEY_BYTES {
            return Err(StoreFault::KeyTooLong);
        }
        for _ in 0..MAX_ATTEMPTS {
            let condition = Condition::nothing_stronger(&wanted.revocation, now);
            let Some(standing) = self.put(wanted, &condition).await? else { return Ok(Recorded::Written) };
            // Without an item to show it was deleted just now.
            let Some(known) = Entry::from_item(&standing) else { continue };
            let revocation = at_least_both(&known.revocation, &wanted.revocation);
            if revocation == known.revocation {
                return Ok(Recorded::Kept(known));
            }
            let joined = Entry { revocation, ..wanted.clone() };
            if self.put(&joined, &Condition::unchanged(&standing)).await?.is_none() {
                return Ok(Recorded::Joined(joined));
            }
        }
        Err(StoreFault::Contended)
    }

    /// All entries, also those that are over and not yet deleted.
    ///
    /// # Errors
    /// [`StoreFault::Aws`].
    pub async fn list(&self) -> Result<Vec<Entry>, StoreFault> {
        let mut pages = self.client.scan().table_name(&self.table).consistent_read(true).into_paginator().send();
        let mut entries = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreFault::Aws(AwsFault::new("Scan", &error)))?;
            entries.extend(page.items().iter().filter_map(Entry::from_item));
        }
        Ok(entries)
    }

    /// The entry of that key, where there is one.
    ///
    /// # Errors
    /// [`StoreFault::Aws`].
    pub async fn find(&self, pk: &str) -> Result<Option<Entry>, StoreFault> {
        let key = AttributeValue::S(pk.to_owned());
        let answer = self.client.get_item().table_name(&self.table).key("pk", key).consistent_read(true).send().await;
        let answer = answer.map_err(|error| StoreFault::Aws(AwsFault::new("GetItem", &error)))?;
        Ok(answer.item().and_then(Entry::from_item))
    }

    /// Takes an entry away, and tells what it was.
    ///
    /// # Errors
    /// [`StoreFault::Aws`].
    pub async fn lift(&self, pk: &str) -> Result<Option<Entry>, StoreFault> {
        let key = AttributeValue::S(pk.to_owned());
        let request = self.client.delete_item().table_name(&self.table).key("pk", key);
        let answer = request.return_values(ReturnValue::AllOld).send().await;
        let answer = answer.map_err(|error| StoreFault::Aws(AwsFault::new("DeleteItem", &error)))?;
        Ok(answer.attributes().and_then(Entry::from_item))
    }

    /// Writes the entry where the condition holds; else returns what stands there.
    async fn put(&self, entry: &Entry, condition: &Condition) -> Result<Option<Item>, StoreFault> {
        let request = self.client.put_item().table_name(&self.table).set_item(Some(entry.to_item()));
        let request = request
            .condition_expression(condition.expression())
            .set_expression_attribute_values(condition.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(None) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failure)) => {
                Ok(Some(failure.item().cloned().unwrap_or_default()))
            }
            _ => Err(StoreFault::Aws(AwsFault::new("PutItem", &error))),
        }
    }
}

/// A condition expression: any of these must hold, and of each of these all.
struct Condition {
    any: Vec<Vec<&'static str>>,
    values: Item,
}

impl Condition {
    /// Nothing stands there, or what is over, or what refuses no more than the wanted does.
    fn nothing_stronger(wanted: &Revocation, now: UnixSeconds) -> Self {
        let mut values = Item::from([(":now".to_owned(), number(now))]);
        // A date that is not there is the far end of time, and no comparison holds for it.
        let mut no_stronger = vec!["attribute_exists(pk)"];
        if let Some(not_before) = wanted.not_before {
            no_stronger.push("not_before <= :not_before");
            values.insert(":not_before".to_owned(), number(not_before));
        }
        if let Some(expires_at) = wanted.expires_at {
            no_stronger.push("expires_at <= :expires_at");
            values.insert(":expires_at".to_owned(), number(expires_at));
        }
        Self { any: vec![vec!["attribute_not_exists(pk)"], vec!["expires_at <= :now"], no_stronger], values }
    }

    /// What decides stands there as it was seen.
    fn unchanged(seen: &Item) -> Self {
        let mut values = Item::new();
        let mut all = Vec::new();
        for (name, value, same, none) in [
            ("not_before", ":not_before", "not_before = :not_before", "attribute_not_exists(not_before)"),
            ("expires_at", ":expires_at", "expires_at = :expires_at", "attribute_not_exists(expires_at)"),
        ] {
            match seen.get(name) {
                Some(date) => {
                    values.insert(value.to_owned(), date.clone());
                    all.push(same);
                }
                None => all.push(none),
            }
        }
        Self { any: vec![all], values }
    }

    fn expression(&self) -> String {
        self.any.iter().map(|all| format!("({})", all.join(" AND "))).collect::<Vec<_>>().join(" OR ")
    }

    /// DynamoDB refuses an empty map of them.
    fn values(&self) -> Option<Item> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_KEY_BYTES: usize = 2048;

const MAX_ATTEMPTS: usize = 5;
