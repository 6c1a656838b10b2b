//! Issuers of credentials that are no tokens: each verifies one kind, and may wait for what it needs for that.
//!
//! Goes in: a request that presents such a credential. Comes out: a [`VerifiedRecord`], or a denial. What is pure of it is
//! in [`credentials`](crate::credentials).

mod api_keys;
mod certificates;
mod key_records;
mod offline;
mod signatures;

pub use api_keys::ApiKeys;
pub use certificates::ClientCertificates;
pub use offline::OfflineKeys;
pub use signatures::Signatures;

use crate::denial::Denial;
use crate::live::{LiveCheck, LiveLog};
use crate::request::{Request, UnixSeconds};
use crate::token::{Claims, CredentialKind, Expectations, VerifiedRecord};
use futures_util::future::BoxFuture;
use std::fmt::Debug;
use std::sync::Arc;

/// Verifies credentials of one kind.
pub trait Verifier: Debug + Send + Sync {
    /// The kind.
    fn kind(&self) -> CredentialKind;

    /// Verifies the request's credential. `id` gets what names the credential, as soon as that is known, for the log:
    /// never the credential itself.
    ///
    /// # Errors
    /// The reason for "no".
    fn verify<'a>(
        &'a self,
        request: &'a Request<'_>,
        now: UnixSeconds,
        id: &'a mut Option<String>,
    ) -> BoxFuture<'a, Result<VerifiedRecord, Denial>>;

    /// Asks anew, without memory, whether the credential still stands, for routes with a live check; nothing where there
    /// is nobody to ask but the table of revocations.
    fn ask_anew<'a>(&'a self, claims: &'a Claims, now: UnixSeconds) -> BoxFuture<'a, Option<Result<(), Denial>>>;

    /// Whether there is anybody to ask anew.
    fn can_ask_anew(&self) -> bool;

    /// What the operator should look at, although the configuration has no fault.
    fn warning(&self) -> Option<&str> {
        None
    }

    /// The header that API keys come in, where it verifies those.
    fn api_key_header(&self) -> Option<&str> {
        None
    }
}

/// One issuer of credentials that are no tokens.
#[derive(Debug)]
pub struct RecordIssuer {
    /// Its name and its conventions.
    pub expectations: Arc<Expectations>,
    /// How its credentials can be checked live.
    pub live: LiveCheck,
    /// What verifies its credentials.
    pub verifier: Box<dyn Verifier>,
}

impl RecordIssuer {
    /// The claims that the request's credential stands for.
    ///
    /// # Errors
    /// The reason for "no".
    pub async fn claims(
        &self,
        request: &Request<'_>,
        now: UnixSeconds,
        id: &mut Option<String>,
    ) -> Result<Claims, Denial> {
        self.verifier.verify(request, now, id).await?.into_claims(&self.expectations, now)
    }

    /// Vouches for an accepted credential, or does not.
    ///
    /// # Errors
    /// As [`LiveCheck::vouch`].
    pub async fn vouch(
        &self,
        claims: &Claims,
        now: UnixSeconds,
        log: &mut LiveLog,
    ) -> Result<crate::access::Live, Denial> {
        self.live.vouch_for_record(self.verifier.ask_anew(claims, now), claims, now, log).await
    }
}
