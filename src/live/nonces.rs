//! The table of nonces in DynamoDB: what may be used once, across all instances of the function.
//!
//! An item's `pk` is `nonce#<issuer>#<key id>#<nonce>`, `expires_at` (epoch seconds) is the table's TTL attribute. DynamoDB
//! deletes late: an item refuses for as long as it is there, which is at least until what it stands for has expired.
//! Who claims has verified the nonce's signature before, so that nobody can use up another's nonces.

use super::breaker::Breaker;
use super::caller::Caller;
use crate::denial::Denial;
use crate::http::{CallCounts, Outage, aws};
use crate::request::UnixSeconds;
use aws_lc_rs::rand;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use futures_util::FutureExt;
use std::time::Duration;
use tokio::sync::OnceCell;

/// The table, written where a request has a nonce.
#[derive(Debug)]
pub struct NonceTable {
    name: String,
    client: OnceCell<Client>,
    breaker: Breaker,
}

/// What a conditional write found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// Nothing: the nonce is this request's from now on.
    Ours,
    /// Another request's claim.
    Taken,
}

impl NonceTable {
    /// The table of that name, in the function's own region and account.
    #[must_use]
    pub fn new(name: String) -> Self {
        Self { name, client: OnceCell::new(), breaker: Breaker::new(CallCounts::default()) }
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes a nonce for this request alone. `until` is when the credential that holds it is refused for its age.
    ///
    /// # Errors
    /// `replayed` where it was taken before; [`Denial::KeysUnavailable`] where the table does not say;
    /// [`Denial::Internal`] for parts that are longer than a table's key may be.
    pub async fn claim(&self, nonce: Nonce<'_>, until: UnixSeconds, replayed: Denial) -> Result<(), Denial> {
        let Nonce { issuer, key_id, nonce } = nonce;
        let caller = Caller::holder(issuer, key_id);
        let key = format!("nonce#{issuer}#{key_id}#{nonce}");
        if key.len() > MAX_KEY_BYTES {
            return Err(Denial::Internal("a nonce's key is too long"));
        }
        // On the heap: an SDK call's future is large, and most requests make none.
        let claim = self.breaker.call(caller, TIMEOUT, self.put(key, until).boxed()).await;
        match claim.map_err(|outage| Denial::KeysUnavailable(outage.why))? {
            Claim::Ours => Ok(()),
            Claim::Taken => Err(replayed),
        }
    }

    async fn put(&self, key: String, until: UnixSeconds) -> Result<Claim, Outage> {
        let connect = || async { aws::client!(aws_sdk_dynamodb, None, TIMEOUT) };
        let client = self.client.get_or_init(connect).await;
        let claim = random_text()?;
        let expires_at = format!("{:.0}", until.plus(MARGIN).as_f64().ceil());
        let written = client
            .put_item()
            .table_name(&self.name)
            .item("pk", AttributeValue::S(key))
            .item("expires_at", AttributeValue::N(expires_at))
            .item(CLAIM, AttributeValue::S(claim.clone()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match written {
            Ok(_) => return Ok(Claim::Ours),
            Err(error) => error,
        };
        if let Some(PutItemError::ConditionalCheckFailedException(failure)) = error.as_service_error() {
            // The first attempt may have been written although its answer was lost.
            let found = failure.item().and_then(|item| item.get(CLAIM)).and_then(|text| text.as_s().ok());
            return Ok(if found == Some(&claim) { Claim::Ours } else { Claim::Taken });
        }
        Err(aws::outage(&error))
    }
}

/// What must not be used again. No part but the last may hold a `#`.
#[derive(Clone, Copy)]
pub struct Nonce<'n> {
    /// Who vouches for the key: the configured issuer.
    pub issuer: &'n str,
    /// The key that signed the nonce.
    pub key_id: &'n str,
    /// The nonce itself.
    pub nonce: &'n str,
}

fn random_text() -> Result<String, Outage> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| Outage::answered("no random bytes"))?;
    Ok(u128::from_le_bytes(bytes).to_string())
}

/// The attribute that says whose claim an item is.
const CLAIM: &str = "claim";

/// How long an item outlives what it stands for: more than clocks of instances are apart.
const MARGIN: Duration = Duration::from_secs(60);

/// "Partition key: 2048 bytes" (DynamoDB, quotas).
const MAX_KEY_BYTES: usize = 2048;

/// For one claim, retries included.
const TIMEOUT: Duration = Duration::from_secs(2);
