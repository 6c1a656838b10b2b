//! The order of the steps, from a request to a permit or a denial.

use crate::access::{Permit, Rules};
use crate::denial::Denial;
use crate::remote::JwksCache;
use crate::request::{Request, UnixSeconds};
use crate::token::{BearerToken, Claims, Expectations, UnverifiedJwt};
use std::collections::HashMap;
use std::sync::Arc;

/// Judges requests by the tokens of the configured issuers and the route table.
#[derive(Debug)]
pub struct Authorizer {
    issuers: HashMap<Arc<str>, Issuer>,
    rules: Rules,
}

/// One issuer: what its tokens must look like, and its keys, which serve no other.
#[derive(Debug)]
pub struct Issuer {
    /// What its tokens must look like.
    pub expectations: Arc<Expectations>,
    /// Its keys.
    pub keys: JwksCache,
}

/// What was learned on the way to a ruling, for the log and for the answer to a
/// denial. Of a token that was not accepted it tells the configured issuer that it
/// named and its `kid`, nothing else.
#[derive(Debug, Default)]
pub struct Trail {
    /// The issuer, once the token named a configured one.
    pub issuer: Option<Arc<str>>,
    /// The `kid` header.
    pub kid: Option<String>,
    /// Who the accepted token is about.
    pub principal_id: Option<String>,
    /// The client of the accepted token.
    pub client_id: Option<String>,
    /// The accepted token's `jti`.
    pub jti: Option<String>,
    /// The key of the rule that serves the request.
    pub route: Option<Arc<str>>,
}

impl Authorizer {
    /// An authorizer for these issuers and rules.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>, rules: Rules) -> Self {
        let issuers = issuers.into_iter().map(|issuer| (Arc::clone(&issuer.expectations.issuer), issuer)).collect();
        Self { issuers, rules }
    }

    /// Starts to fetch every issuer's keys, while the function starts.
    pub fn prefetch(&self) {
        self.issuers.values().for_each(|issuer| issuer.keys.prefetch());
    }

    /// Judges one request. The token goes before the route: without a good token
    /// the answer is about the token, whatever the path.
    ///
    /// # Errors
    /// The first reason for "no".
    pub async fn authorize(
        &self,
        request: &Request<'_>,
        now: UnixSeconds,
        trail: &mut Trail,
    ) -> Result<Permit, Denial> {
        let claims = self.claims(request, now, trail).await?;
        let rule = self.rules.route(request)?;
        trail.route = Some(Arc::clone(rule.key()));
        rule.authorize(claims, now)
    }

    async fn claims(&self, request: &Request<'_>, now: UnixSeconds, trail: &mut Trail) -> Result<Claims, Denial> {
        let token = BearerToken::from_request(request)?;
        let jwt = UnverifiedJwt::parse(&token)?;
        trail.kid = jwt.kid().map(shortened);
        let issuer = jwt.issuer().and_then(|name| self.issuers.get(name)).ok_or(Denial::UnknownIssuer)?;
        trail.issuer = Some(Arc::clone(&issuer.expectations.issuer));
        if !issuer.expectations.algorithms.contains(jwt.algorithm()) {
            return Err(Denial::AlgorithmNotAllowed);
        }
        let key = issuer.keys.key(jwt.kid().ok_or(Denial::UnknownKey)?, jwt.algorithm()).await?;
        let jwt = jwt.verify(&key)?;
        let claims = jwt.into_claims(&issuer.expectations, now, request.client_certificate.as_deref())?;
        trail.remember(&claims);
        Ok(claims)
    }
}

impl Trail {
    fn remember(&mut self, claims: &Claims) {
        self.principal_id = claims.principal_id().map(str::to_owned);
        self.client_id = claims.client_id().and_then(|id| id.as_str()).map(str::to_owned);
        self.jti = claims.text("jti").map(str::to_owned);
    }
}

/// A `kid` is the sender's text until the signature is verified: the log takes a part.
fn shortened(kid: &str) -> String {
    kid.chars().take(MAX_LOGGED_CHARACTERS).collect()
}

const MAX_LOGGED_CHARACTERS: usize = 128;
