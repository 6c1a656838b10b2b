//! What an operator does at Cognito itself: finding a user, signing it out, revoking a
//! refresh token.

use super::aws::AwsFault;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserError;
use aws_sdk_cognitoidentityprovider::types::AttributeType;
use cognito_authorizer::live::UserPool;
use std::fmt;

/// Cognito's API in one Region.
#[derive(Debug)]
pub struct CognitoAdmin {
    client: Client,
}

/// A user as the pool knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUser {
    /// The name that the API takes.
    pub username: String,
    /// What the user's tokens call it.
    pub subject: String,
}

/// A token or a password. Its `Debug` shows nothing of it.
pub struct SecretText(String);

impl SecretText {
    /// Takes the secret without the white space around it; `None` where nothing is left.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

impl CognitoAdmin {
    /// Cognito through that client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The user of that name or alias, where there is one.
    ///
    /// # Errors
    /// [`AwsFault`].
    pub async fn user_by_name(&self, pool: &UserPool, username: &str) -> Result<Option<PoolUser>, AwsFault> {
        let answer = self.client.admin_get_user().user_pool_id(pool.id()).username(username).send().await;
        match answer {
            Ok(user) => Ok(pool_user(user.username(), user.user_attributes())),
            Err(error) => match error.as_service_error() {
                Some(AdminGetUserError::UserNotFoundException(_)) => Ok(None),
                _ => Err(AwsFault::new("AdminGetUser", &error)),
            },
        }
    }

    /// The user of that `sub`, where there is one. The API takes a `sub` in place of a
    /// name only in some pools; searching for it works in all of them.
    ///
    /// # Errors
    /// [`AwsFault`].
    pub async fn user_by_subject(&self, pool: &UserPool, subject: &str) -> Result<Option<PoolUser>, AwsFault> {
        let quoted = subject.replace('\\', r"\\").replace('"', "\\\"");
        let search = self.client.list_users().user_pool_id(pool.id()).filter(format!("sub = \"{quoted}\"")).limit(1);
        let answer = search.send().await.map_err(|error| AwsFault::new("ListUsers", &error))?;
        let found = answer.users().first();
        let found = found.and_then(|user| pool_user(user.username().unwrap_or_default(), user.attributes()));
        // A filter that was not understood must not sign somebody else out.
        Ok(found.filter(|user| user.subject == subject))
    }

    /// Ends all sessions of a user (`AdminUserGlobalSignOut`).
    ///
    /// # Errors
    /// [`AwsFault`].
    pub async fn sign_out(&self, pool: &UserPool, username: &str) -> Result<(), AwsFault> {
        let request = self.client.admin_user_global_sign_out().user_pool_id(pool.id()).username(username);
        let answer = request.send().await;
        answer.map(drop).map_err(|error| AwsFault::new("AdminUserGlobalSignOut", &error))
    }

    /// Revokes a refresh token and the access tokens that came of it (`RevokeToken`); needs
    /// no credentials of AWS.
    ///
    /// # Errors
    /// [`AwsFault`], without a word of what Cognito says: it could repeat the token.
    pub async fn revoke_refresh_token(
        &self,
        token: SecretText,
        client_id: &str,
        client_secret: Option<SecretText>,
    ) -> Result<(), AwsFault> {
        let request = self.client.revoke_token().token(token.0).client_id(client_id);
        let answer = request.set_client_secret(client_secret.map(|secret| secret.0)).send().await;
        answer.map(drop).map_err(|error| AwsFault::in_own_words("RevokeToken", &error))
    }
}

fn pool_user(username: &str, attributes: &[AttributeType]) -> Option<PoolUser> {
    let subject = attributes.iter().find(|attribute| attribute.name() == "sub")?.value()?;
    Some(PoolUser { username: username.to_owned(), subject: subject.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_and_not_empty() {
        assert_eq!(format!("{:?}", SecretText::new(" eyJ.secret\n")), "Some(SecretText(redacted))");
        assert!(SecretText::new(" \n").is_none());
    }
}
