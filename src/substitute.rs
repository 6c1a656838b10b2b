//! What answers in the place of everybody that an authorizer asks over the network: issuers, the table of revocations, a
//! policy store. With it the whole authorizer runs on a desk, for `authctl test` and its like.
//!
//! Only [`Config::parse_offline`](crate::config::Config::parse_offline) takes one; what the function loads has none, and no
//! key of `authorizer.yaml` can name one.

use crate::token::AlgorithmSet;
use std::fmt::Debug;

/// Answers in the place of issuers, tables and policy stores. It is asked about the request that is being judged: whoever
/// has one judges one request at a time.
pub trait Substitute: Debug + Send + Sync {
    /// The JWK Set of this issuer, with keys for some of these algorithms.
    fn jwk_set(&self, issuer: &str, algorithms: AlgorithmSet) -> String;

    /// What the issuer says of a token that carries its claims.
    fn issuer(&self) -> Reply;

    /// The body of the answer to a question about an opaque token (RFC 7662 2.2); `None` where there is no answer.
    fn introspection(&self, token: &str) -> Option<String>;

    /// What the table of revocations says of the token.
    fn revocations(&self) -> Reply;

    /// What a policy store says.
    fn policy_store(&self) -> Reply;
}

/// A reply to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes: the token is good, nothing of it was revoked, the policies grant the request.
    Yes,
    /// No.
    No,
    /// The issuer, or Cognito, says that the token was revoked; to all others the same as [`Reply::No`].
    Revoked,
    /// No answer.
    Outage,
}

/// Why there was no answer, for the log.
pub(crate) const OUTAGE: &str = "no answer, as the test says";
