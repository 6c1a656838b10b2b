//! What all AWS clients share: built when a live check first wants one, since
//! reading the AWS configuration costs milliseconds that a cold start must not pay.

use super::aws_http::http_client;
use super::breaker::Outage;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cognitoidentityprovider::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::config::timeout::TimeoutConfig;
use aws_sdk_cognitoidentityprovider::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cognitoidentityprovider::error::BoxError;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use std::time::Duration;

/// The AWS configuration of this function (credentials, endpoints), for calls that
/// take `timeout` at most, a retry included.
pub(super) async fn load(region: Option<&str>, timeout: Duration) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_timeout(timeout).connect_timeout(timeout).build();
    let retries = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50));
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client(patience(timeout)));
    loader = loader.timeout_config(timeouts).retry_config(retries);
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}

/// How long a kept connection may be silent. A fourth, so that a slow answer fits into what
/// is left; more where that is little, so that a busy machine does not pass for a dead one.
fn patience(timeout: Duration) -> Duration {
    (timeout / 4).max(LEAST_PATIENCE).min(timeout / 2)
}

/// What an error says that is not an answer about the token.
#[allow(clippy::wildcard_enum_match_arm, reason = "the SDK may add errors, and none of them is an answer")]
pub(super) fn outage<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Outage {
    match error {
        SdkError::TimeoutError(_) => Outage::dead("timed out"),
        SdkError::DispatchFailure(_) => Outage::dead("no connection"),
        SdkError::ResponseError(_) => Outage::dead("an answer that makes no sense"),
        SdkError::ServiceError(_) => match error.code() {
            Some(code) if THROTTLES.contains(&code) => Outage::throttled(),
            Some(code) if KNOWN.contains(&code) => Outage::alive(code.to_owned()),
            Some("InternalErrorException" | "InternalServerError" | "InternalServerException") => {
                Outage::dead("internal error")
            }
            // The code is the other side's text: it is not written to the log.
            _ => Outage::dead("an unknown error"),
        },
        _ => Outage::dead("the request could not be made"),
    }
}

/// Refuses to read an answer of more than a few claims or items, which the SDKs
/// would take into memory whole.
#[derive(Debug)]
pub(super) struct BodyCap;

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

const LEAST_PATIENCE: Duration = Duration::from_millis(250);

/// A user may have 50 attributes of 2,048 characters beside the standard ones
/// (Cognito's quotas), each of up to four bytes.
pub(super) const MAX_BODY_BYTES: usize = 512 * 1024;

const THROTTLES: [&str; 6] = [
    "TooManyRequestsException",
    "LimitExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
    "ThrottledException",
];

/// Codes that tell the operator what to mend.
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
