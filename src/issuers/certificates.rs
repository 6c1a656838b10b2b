//! The issuer of client certificates: the configured authorities and identities.

use super::Verifier;
use crate::credentials::certificate::{self, Authorities, Identities};
use crate::denial::Denial;
use crate::request::{Request, UnixSeconds};
use crate::token::{Claims, CredentialKind, VerifiedRecord};
use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};

/// Verifies client certificates. It asks nobody: all that it needs is configured.
#[derive(Debug)]
pub struct ClientCertificates {
    authorities: Authorities,
    identities: Identities,
}

impl ClientCertificates {
    /// Those that one of the authorities vouches for, and that have one of the identities.
    #[must_use]
    pub fn new(authorities: Authorities, identities: Identities) -> Self {
        Self { authorities, identities }
    }
}

impl Verifier for ClientCertificates {
    fn kind(&self) -> CredentialKind {
        CredentialKind::Certificate
    }

    fn verify<'a>(
        &'a self,
        request: &'a Request<'_>,
        now: UnixSeconds,
        id: &'a mut Option<String>,
    ) -> BoxFuture<'a, Result<VerifiedRecord, Denial>> {
        let pem = request.client_certificate.as_deref().ok_or(Denial::MissingToken);
        let record = pem.and_then(|pem| certificate::verify(pem, &self.authorities, &self.identities, now, id));
        future::ready(record).boxed()
    }

    fn ask_anew<'a>(&'a self, _: &'a Claims, _: UnixSeconds) -> BoxFuture<'a, Option<Result<(), Denial>>> {
        future::ready(None).boxed()
    }

    fn can_ask_anew(&self) -> bool {
        false
    }
}
