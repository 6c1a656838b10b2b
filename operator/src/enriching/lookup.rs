//! One item of a DynamoDB table, by the user's `sub` or the client's id: a consistent read with its own deadline.

use super::item::Item;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use cognito_authorizer::config::enricher::{EnricherConfig, Lookup, Source};
use cognito_authorizer::http::{CallLimits, load_aws_config};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// The table, and the attributes that claims ask for.
pub(super) struct ItemLookup {
    client: Client,
    lookup: Lookup,
    attributes: BTreeSet<String>,
}

impl ItemLookup {
    /// `None` where nothing is looked up.
    pub(super) async fn new(config: &EnricherConfig) -> Option<Self> {
        let lookup = config.lookup.clone()?;
        let limits = CallLimits {
            call: lookup.timeout,
            attempt: None,
            connect: lookup.timeout,
            first_byte: lookup.timeout / 2,
            attempts: 2,
            first_pause: Duration::from_millis(50),
        };
        let client = Client::new(&load_aws_config(None, limits).await);
        let attribute = |source: &Source| match source {
            Source::Item(name) => Some(name.clone()),
            Source::Attribute { .. } | Source::ByGroup(_) | Source::GroupPrefix(_) | Source::ClientMetadata(_) => None,
        };
        let attributes = config.claims.iter().filter_map(|claim| attribute(&claim.source)).collect();
        Some(Self { client, lookup, attributes })
    }

    /// The item; an empty one where there is none.
    ///
    /// # Errors
    /// Why it could not be read, in words of this program.
    pub(super) async fn find(&self, key: String) -> Result<Option<Item>, &'static str> {
        if key.len() > MAX_KEY_BYTES {
            return Err("the key is longer than DynamoDB's keys are");
        }
        let names = self.attributes.iter().enumerate().map(|(index, name)| (format!("#a{index}"), name.clone()));
        let names: Vec<_> = names.collect();
        let projection = names.iter().map(|(short, _)| short.as_str()).collect::<Vec<_>>().join(", ");
        let request = self
            .client
            .get_item()
            .table_name(&self.lookup.table)
            .key(&self.lookup.key, AttributeValue::S(key))
            .consistent_read(true)
            .projection_expression(projection)
            .set_expression_attribute_names(Some(names.into_iter().collect::<HashMap<_, _>>()));
        // Beside the SDK's own deadline, which does not hold while credentials are fetched.
        let answer = tokio::time::timeout(self.lookup.timeout, request.send()).await.map_err(|_| TIMED_OUT)?;
        let answer = answer.map_err(|error| why(&error))?;
        answer
            .item()
            .map(|item| Item::read(item).ok_or("an attribute of the item has a type that no claim can have"))
            .transpose()
    }
}

/// Nothing of what the other side says is repeated but codes that are known.
#[allow(clippy::wildcard_enum_match_arm, reason = "the SDK may add errors, and none of them is an item")]
fn why<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &'static str {
    match error {
        SdkError::TimeoutError(_) => TIMED_OUT,
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => UNREADABLE,
        SdkError::ServiceError(_) => match error.code() {
            Some(code) => {
                KNOWN_CODES.into_iter().find(|known| *known == code).unwrap_or("an unknown error of DynamoDB")
            }
            None => UNREADABLE,
        },
        _ => "the request could not be made",
    }
}

const TIMED_OUT: &str = "timed out";
const UNREADABLE: &str = "the answer cannot be read";

/// "Partition key: 2048 bytes" (DynamoDB, quotas).
const MAX_KEY_BYTES: usize = 2048;

const KNOWN_CODES: [&str; 8] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "ResourceNotFoundException",
    "ThrottlingException",
    "UnrecognizedClientException",
    "ValidationException",
];
