//! What all AWS clients share: built when a live check first wants one, since
//! reading the AWS configuration costs milliseconds that a cold start must not pay.

use super::aws_http::http_client;
use super::outage::Outage;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cognitoidentityprovider::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_cognitoidentityprovider::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_cognitoidentityprovider::config::timeout::TimeoutConfig;
use aws_sdk_cognitoidentityprovider::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cognitoidentityprovider::error::BoxError;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use hyper_util::client::legacy;
use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

/// The AWS configuration of this function (credentials, endpoints), for calls that
/// take `timeout` at most, a retry included.
pub(crate) async fn load(region: Option<&str>, timeout: Duration) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_timeout(timeout).connect_timeout(timeout).build();
    let retries = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50));
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).http_client(http_client(first_byte_timeout(timeout)));
    loader = loader.timeout_config(timeouts).retry_config(retries);
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}

/// Second attempts without a budget that all callers share, which one of them could use up. Each call
/// has one, and the breaker stops callers that lose many calls.
pub(crate) fn second_attempts() -> RetryPartition {
    RetryPartition::custom("second attempts").token_bucket(TokenBucket::unlimited()).build()
}

/// How long a kept connection has until the first byte of an answer. A fourth of the time, so that a
/// slow answer fits into the rest; more where that is little, so that a busy machine is not taken
/// for a dead connection.
fn first_byte_timeout(timeout: Duration) -> Duration {
    (timeout / 4).max(MIN_FIRST_BYTE_TIMEOUT).min(timeout / 2)
}

/// The outage that an error means: it is no answer about the token.
#[allow(clippy::wildcard_enum_match_arm, reason = "the SDK may add errors, and none of them is an answer")]
pub(crate) fn outage<E, R>(error: &SdkError<E, R>) -> Outage
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug + 'static,
{
    match error {
        SdkError::TimeoutError(_) => Outage::lost("timed out"),
        SdkError::DispatchFailure(_) if has_cause(error, legacy::Error::is_connect) => {
            Outage::unreachable("no connection")
        }
        SdkError::DispatchFailure(_) => Outage::lost("the connection broke"),
        SdkError::ResponseError(_) if has_cause(error, |_: &hyper::Error| true) => {
            Outage::lost("the connection broke in the middle of the answer")
        }
        SdkError::ResponseError(_) => Outage::answered("an answer that makes no sense"),
        SdkError::ServiceError(_) => match error.code() {
            Some(code) if THROTTLES.contains(&code) => Outage::throttled(),
            Some(code) if KNOWN.contains(&code) => Outage::answered(code.to_owned()),
            Some("InternalErrorException" | "InternalServerError" | "InternalServerException") => {
                Outage::answered("internal error")
            }
            // The code is the other side's text: it is not written to the log.
            _ => Outage::answered("an unknown error"),
        },
        _ => Outage::answered("the request could not be made"),
    }
}

/// Whether an error comes of one of type `E` for which this holds.
fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static), holds: impl Fn(&E) -> bool) -> bool {
    let mut causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    causes.any(|error| error.downcast_ref::<E>().is_some_and(&holds))
}

/// Refuses to read an answer of more than a few claims or items, which the SDKs
/// would take into memory whole.
#[derive(Debug)]
pub(crate) struct BodyCap;

impl Intercept for BodyCap {
    fn name(&self) -> &'static str {
        "BodyCap"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let whole = std::mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(Limited::new(whole, MAX_BODY_BYTES));
        Ok(())
    }
}

const MIN_FIRST_BYTE_TIMEOUT: Duration = Duration::from_millis(250);

/// A user may have 50 attributes of 2,048 characters beside the standard ones
/// (Cognito's quotas), each of up to four bytes.
pub(crate) const MAX_BODY_BYTES: usize = 512 * 1024;

const THROTTLES: [&str; 6] = [
    "TooManyRequestsException",
    "LimitExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
    "ThrottledException",
];

/// Codes that help the operator.
const KNOWN: [&str; 8] = [
    "AccessDeniedException",
    "ForbiddenException",
    "InvalidParameterException",
    "NotAuthorizedException",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "ValidationException",
];
