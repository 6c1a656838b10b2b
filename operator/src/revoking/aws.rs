//! AWS clients for work that may take its time, and their faults in words.

use super::printable::printable;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use cognito_authorizer::http::{CallLimits, load_aws_config};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The AWS configuration of this process (credentials, endpoints, and the Region unless
/// one is given).
pub async fn load(region: Option<&str>) -> SdkConfig {
    load_aws_config(region, LIMITS).await
}

/// A call to AWS that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsFault {
    operation: &'static str,
    why: String,
}

impl fmt::Display for AwsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.why)
    }
}

impl Error for AwsFault {}

impl AwsFault {
    pub(crate) fn new<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        // Only what the service itself said has a code or a message.
        let said: Vec<_> = [error.code(), error.message()].into_iter().flatten().collect();
        let why = if said.is_empty() { causes(error) } else { said.join(": ") };
        // Some causes come as several lines.
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { operation, why: printable(&why) }
    }

    /// For calls that carry a secret: nothing of what the other side says is repeated
    /// but the codes that are known.
    pub(super) fn in_own_words<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let why = match error {
            SdkError::ConstructionFailure(_) => "the request could not be made: is AWS_REGION set?",
            SdkError::TimeoutError(_) => "timed out",
            SdkError::DispatchFailure(_) => "no connection",
            SdkError::ResponseError(_) => "an answer that makes no sense",
            SdkError::ServiceError(_) => {
                let known = KNOWN_CODES.iter().find(|(code, _)| error.code() == Some(*code));
                known.map_or("an error that is not known", |(_, words)| *words)
            }
            _ => "the request could not be made",
        };
        Self { operation, why: why.to_owned() }
    }
}

/// All that an error says of its causes, from the outside in.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// For work that may take its time.
const LIMITS: CallLimits = CallLimits {
    call: Duration::from_secs(20),
    attempt: Some(Duration::from_secs(5)),
    connect: Duration::from_secs(3),
    first_byte: Duration::from_secs(2),
    attempts: 4,
    first_pause: Duration::from_secs(1),
};

/// `RevokeToken`'s, each with what it means.
const KNOWN_CODES: [(&str, &str); 7] = [
    ("ForbiddenException", "ForbiddenException: a web application firewall refused the request"),
    ("InternalErrorException", "InternalErrorException: Cognito failed"),
    ("InvalidParameterException", "InvalidParameterException: the token or the client id is not well formed"),
    ("TooManyRequestsException", "TooManyRequestsException: throttled"),
    (
        "UnauthorizedException",
        "UnauthorizedException: the client secret is missing or wrong, or another client's token",
    ),
    ("UnsupportedOperationException", "UnsupportedOperationException: the client has token revocation switched off"),
    ("UnsupportedTokenTypeException", "UnsupportedTokenTypeException: this is no refresh token"),
];
