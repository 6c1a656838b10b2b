//! The UserInfo endpoint (OpenID Connect Core 5.3), Cognito's `/oauth2/userInfo`
//! among them: needs the scope `openid`, notices revocation.

use super::check_error::CheckError;
use super::token_facts::TokenFacts;
use crate::denial::Denial;
use crate::http::{Address, Exchange, FetchError, HttpsClient, Outage, Reply, aws};
use crate::keys::Discovery;
use hyper::header::HeaderValue;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// An issuer's UserInfo endpoint.
#[derive(Debug)]
pub struct UserInfo {
    https: Arc<HttpsClient>,
    discovery: Option<Discovery>,
    /// Known from the configuration, or found when first asked.
    endpoint: OnceCell<Address>,
}

impl UserInfo {
    /// The endpoint at that address.
    #[must_use]
    pub fn at(endpoint: Address, https: Arc<HttpsClient>) -> Self {
        Self { https, discovery: None, endpoint: OnceCell::new_with(Some(endpoint)) }
    }

    /// The endpoint that the issuer's metadata names.
    #[must_use]
    pub fn discovered(discovery: Discovery, https: Arc<HttpsClient>) -> Self {
        Self { https, discovery: Some(discovery), endpoint: OnceCell::new() }
    }

    pub(super) async fn ask(&self, token: &str, about: &TokenFacts, timeout: Duration) -> Result<(), CheckError> {
        let started = Instant::now();
        let endpoint = self.endpoint.get_or_try_init(|| self.discover(timeout)).await.map_err(unavailable)?;
        // INVARIANT: a token is ASCII, so that it fits a header.
        let authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| CheckError::Lasting(Denial::TokenInactive("not fit for a header")))?;
        let exchange = Exchange {
            address: endpoint,
            authorization: Some(authorization),
            form: None,
            max_bytes: aws::MAX_BODY_BYTES,
            timeout: timeout.saturating_sub(started.elapsed()),
        };
        check_reply(&self.https.exchange(exchange).await.map_err(unavailable)?, about)
    }

    async fn discover(&self, timeout: Duration) -> Result<Address, FetchError> {
        match &self.discovery {
            Some(discovery) => discovery.userinfo_endpoint(&self.https, timeout).await,
            None => Err(FetchError::Unusable("no endpoint")),
        }
    }
}

fn unavailable(error: FetchError) -> CheckError {
    CheckError::Outage(error.outage())
}

fn check_reply(reply: &Reply, about: &TokenFacts) -> Result<(), CheckError> {
    #[derive(Deserialize)]
    struct User {
        sub: String,
    }
    // Cognito's challenge has no scheme before it: only the `error` is looked for.
    let challenge = reply.www_authenticate.as_deref().unwrap_or_default().to_ascii_lowercase().replace('"', "");
    let says = |error: &str| challenge.contains(&format!("error={error}"));
    match reply.status {
        200 => {
            let user: User = serde_json::from_slice(&reply.body)
                .map_err(|_| CheckError::Outage(Outage::answered("an answer that makes no sense")))?;
            // OpenID Connect Core 5.3.2: the `sub` MUST be verified to match exactly.
            if about.subject.as_deref() == Some(user.sub.as_str()) {
                Ok(())
            } else {
                Err(CheckError::Lasting(Denial::TokenInactive("the endpoint names another user")))
            }
        }
        401 | 403 if says("insufficient_scope") => {
            Err(CheckError::Lasting(Denial::NotIntrospectable("the token lacks the scope openid")))
        }
        // Cognito calls a token without that scope invalid, too.
        401 if !about.has_openid => {
            Err(CheckError::Lasting(Denial::NotIntrospectable("the token lacks the scope openid")))
        }
        401 => Err(CheckError::Passing(Denial::TokenInactive(
            "expired, revoked or its user signed out, disabled or deleted",
        ))),
        429 => Err(CheckError::Outage(Outage::throttled())),
        status => Err(CheckError::Outage(Outage::answered(format!("status {status}")))),
    }
}
