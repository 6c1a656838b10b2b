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

/// How long calls of an AWS client may take, and how often they are tried.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// For a call, all attempts included.
    pub call: Duration,
    /// For one attempt; `None`: all that the call has.
    pub attempt: Option<Duration>,
    /// For a connection to be made.
    pub connect: Duration,
    /// On a kept connection, until an answer begins: less than an attempt, so that a dead one is noticed
    /// in time for another attempt.
    pub first_byte: Duration,
    /// Attempts in all.
    pub attempts: u32,
    /// The pause before the second attempt, about; each further one is twice as long.
    pub first_pause: Duration,
}

impl CallLimits {
    /// For calls that a request waits for: `timeout` in all, and one more attempt.
    fn of_request(timeout: Duration) -> Self {
        Self {
            call: timeout,
            attempt: None,
            connect: timeout,
            first_byte: first_byte_timeout(timeout),
            attempts: 2,
            first_pause: Duration::from_millis(50),
        }
    }
}

/// Makes the client of one AWS SDK crate for calls that a request waits for. There is no other place
/// that makes them, so that none is without the cap on answers.
macro_rules! client {
    ($sdk:ident, $region:expr, $timeout:expr) => {{
        let config = $crate::http::aws::of_request($region, $timeout).await;
        let config = $sdk::Config::from(&config).to_builder();
        let config = config.retry_partition($crate::http::aws::second_attempts());
        $sdk::Client::from_conf(config.interceptor($crate::http::aws::BodyCap).build())
    }};
}
pub(crate) use client;

/// The AWS configuration for calls that a request waits for.
pub(crate) async fn of_request(region: Option<&str>, timeout: Duration) -> SdkConfig {
    load(region, CallLimits::of_request(timeout)).await
}

/// The AWS configuration of this process (credentials, endpoints, and the Region unless one is given),
/// for calls within these limits.
pub async fn load(region: Option<&str>, limits: CallLimits) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_timeout(limits.call).connect_timeout(limits.connect);
    let timeouts =
        limits.attempt.map_or(timeouts.clone(), |attempt| timeouts.operation_attempt_timeout(attempt)).build();
    let retries = RetryConfig::standard().with_max_attempts(limits.attempts).with_initial_backoff(limits.first_pause);
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client(limits.first_byte));
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
