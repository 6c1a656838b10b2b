//! Keys where nothing is asked over the network, as on the desk of `authctl test`: no table says anything of them.

use super::Verifier;
use crate::denial::Denial;
use crate::request::{Request, UnixSeconds};
use crate::token::{Claims, CredentialKind, VerifiedRecord};
use futures_util::future::{BoxFuture, ready};

/// Stands for a verifier that reads a table of keys: it vouches for nobody.
#[derive(Debug)]
pub struct OfflineKeys {
    kind: CredentialKind,
    header: Option<String>,
}

impl OfflineKeys {
    /// In the place of the verifier of that kind, whose API keys come in that header.
    #[must_use]
    pub fn new(kind: CredentialKind, header: Option<String>) -> Self {
        Self { kind, header }
    }
}

impl Verifier for OfflineKeys {
    fn kind(&self) -> CredentialKind {
        self.kind
    }

    fn verify<'a>(
        &'a self,
        _: &'a Request<'_>,
        _: UnixSeconds,
        _: &'a mut Option<String>,
    ) -> BoxFuture<'a, Result<VerifiedRecord, Denial>> {
        Box::pin(ready(Err(unavailable())))
    }

    fn ask_anew<'a>(&'a self, _: &'a Claims, _: UnixSeconds) -> BoxFuture<'a, Option<Result<(), Denial>>> {
        Box::pin(ready(Some(Err(unavailable()))))
    }

    fn can_ask_anew(&self) -> bool {
        true
    }

    fn api_key_header(&self) -> Option<&str> {
        self.header.as_deref()
    }
}

fn unavailable() -> Denial {
    Denial::KeysUnavailable("no table of keys is asked here".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn every_key_is_unavailable_at_once() {
        let (keys, request) = (OfflineKeys::new(CredentialKind::ApiKey, None), Request::new("GET", "/", Vec::new()));
        let mut id = None;
        let verified = keys.verify(&request, UnixSeconds::EPOCH, &mut id).now_or_never().unwrap();
        assert_eq!((verified.map(drop), id), (Err(unavailable()), None));
    }
}
