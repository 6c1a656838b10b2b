//! Cognito's API: `GetUser` with the token itself, `AdminGetUser` with the
//! function's own permissions.
//!
//! Cognito has no introspection endpoint. `GetUser` tells four different facts by
//! one exception, `NotAuthorizedException`, and only its message says which; each
//! is mapped on its own, and a message that is not known is a "no".

use super::check_error::CheckError;
use super::token_facts::TokenFacts;
use crate::denial::Denial;
use crate::http::{Outage, aws};
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::SdkError;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserError;
use aws_sdk_cognitoidentityprovider::operation::get_user::GetUserError;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, UserStatusType};
use std::time::Duration;
use tokio::sync::OnceCell;

/// A user pool that is asked through Cognito's API.
pub struct CognitoDirectory {
    method: CognitoMethod,
    region: String,
    user_pool_id: String,
    client: OnceCell<Client>,
}

/// Which of Cognito's operations is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CognitoMethod {
    /// `GetUser`: unsigned; notices revocation; needs the scope `aws.cognito.signin.user.admin`.
    GetUser,
    /// `AdminGetUser`: with IAM; notices disabled and deleted users, not revoked tokens.
    AdminGetUser,
}

impl CognitoMethod {
    pub(super) fn takes_id_tokens(self) -> bool {
        match self {
            CognitoMethod::GetUser => false,
            CognitoMethod::AdminGetUser => true,
        }
    }
}

impl CognitoDirectory {
    /// The pool of that id in that region.
    #[must_use]
    pub fn new(method: CognitoMethod, region: String, user_pool_id: String) -> Self {
        Self { method, region, user_pool_id, client: OnceCell::new() }
    }

    pub(super) fn method(&self) -> CognitoMethod {
        self.method
    }

    pub(super) async fn ask(&self, token: &str, about: &TokenFacts, timeout: Duration) -> Result<(), CheckError> {
        let connect = || async { aws::client!(aws_sdk_cognitoidentityprovider, Some(&self.region), timeout) };
        let client = self.client.get_or_init(connect);
        match self.method {
            CognitoMethod::GetUser => get_user(client.await, token, about).await,
            CognitoMethod::AdminGetUser => admin_get_user(client.await, &self.user_pool_id, about).await,
        }
    }
}

impl std::fmt::Debug for CognitoDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CognitoDirectory")
            .field("method", &self.method)
            .field("user_pool_id", &self.user_pool_id)
            .finish_non_exhaustive()
    }
}

async fn get_user(client: &Client, token: &str, about: &TokenFacts) -> Result<(), CheckError> {
    match client.get_user().access_token(token).send().await {
        Ok(user) => same_user(user.user_attributes(), user.username(), about),
        Err(error) => Err(refusal_of_get_user(&error)),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the SDK may add errors, and none of them is a yes")]
fn refusal_of_get_user<R: std::fmt::Debug + 'static>(error: &SdkError<GetUserError, R>) -> CheckError {
    let SdkError::ServiceError(answer) = error else { return CheckError::Outage(aws::outage(error)) };
    match answer.err() {
        GetUserError::NotAuthorizedException(exception) => not_authorized(exception.message()),
        GetUserError::UserNotFoundException(_) => CheckError::Passing(Denial::TokenInactive("the user does not exist")),
        GetUserError::PasswordResetRequiredException(_) => {
            CheckError::Passing(Denial::TokenInactive("the user must reset the password"))
        }
        GetUserError::UserNotConfirmedException(_) => {
            CheckError::Passing(Denial::TokenInactive("the user is not confirmed"))
        }
        // The web application firewall in front of the pool, throttles, errors of
        // theirs or of ours: nothing was said about the token.
        _ => CheckError::Outage(aws::outage(error)),
    }
}

fn not_authorized(message: Option<&str>) -> CheckError {
    let message = message.unwrap_or_default();
    match message.trim_end_matches('.') {
        "Access Token has been revoked" => CheckError::Lasting(Denial::TokenRevoked("Cognito says so")),
        "Access Token has expired" => CheckError::Lasting(Denial::TokenInactive("expired, Cognito says")),
        "Invalid Access Token" => CheckError::Lasting(Denial::TokenInactive("invalid, Cognito says")),
        "User is disabled" => CheckError::Passing(Denial::TokenInactive("the user is disabled")),
        "Access Token does not have required scopes" => {
            CheckError::Lasting(Denial::NotIntrospectable("the token lacks the scope aws.cognito.signin.user.admin"))
        }
        _ => CheckError::Passing(Denial::TokenInactive("not authorized, Cognito says, in words that are not known")),
    }
}

async fn admin_get_user(client: &Client, user_pool_id: &str, about: &TokenFacts) -> Result<(), CheckError> {
    let Some(username) = &about.username else {
        return Err(CheckError::Lasting(Denial::NotIntrospectable("the token names no user")));
    };
    match client.admin_get_user().user_pool_id(user_pool_id).username(username).send().await {
        Ok(user) => {
            same_user(user.user_attributes(), user.username(), about)?;
            if !user.enabled() {
                return Err(CheckError::Passing(Denial::TokenInactive("the user is disabled")));
            }
            match user.user_status() {
                Some(UserStatusType::Confirmed | UserStatusType::ExternalProvider) => Ok(()),
                Some(UserStatusType::ResetRequired | UserStatusType::ForceChangePassword) => {
                    Err(CheckError::Passing(Denial::TokenInactive("the user must reset the password")))
                }
                Some(UserStatusType::Unconfirmed) => {
                    Err(CheckError::Passing(Denial::TokenInactive("the user is not confirmed")))
                }
                _ => Err(CheckError::Passing(Denial::TokenInactive("the user's status is none that may pass"))),
            }
        }
        Err(SdkError::ServiceError(answer)) if matches!(answer.err(), AdminGetUserError::UserNotFoundException(_)) => {
            Err(CheckError::Passing(Denial::TokenInactive("the user does not exist")))
        }
        // A NotAuthorizedException here is about the function's own permissions.
        Err(error) => Err(CheckError::Outage(aws::outage(&error))),
    }
}

/// A user name may have been deleted and taken by somebody else: the user must be
/// the token's, by `sub` where the directory tells it, else by name.
fn same_user(attributes: &[AttributeType], username: &str, about: &TokenFacts) -> Result<(), CheckError> {
    let subject = attributes.iter().find(|attribute| attribute.name() == "sub").map(|attribute| attribute.value());
    let same = match subject {
        Some(subject) => subject.is_some() && subject == about.subject.as_deref(),
        None if username.is_empty() => return Err(CheckError::Outage(Outage::answered("an answer that names nobody"))),
        None => about.username.as_deref() == Some(username),
    };
    if same { Ok(()) } else { Err(CheckError::Lasting(Denial::TokenInactive("the directory names another user"))) }
}
