//! Client certificates (RFC 5280): PEM text becomes a verified certificate, and that an identity; pure.
//!
//! [`ClientCertificate`] (shape) → [`VerifiedCertificate`] (chain, dates, usage, by [`Authorities`]) → [`Identity`]
//! (subject or URI, by [`Identities`]). Each step consumes the one before or borrows it, so what was not verified cannot
//! become an identity.
//!
//! API Gateway has verified the chain against the truststore of a custom domain, and the sender's possession of the key. The
//! chain is verified again, since an event can be made by hand and a truststore may hold more authorities than this
//! API should trust. Possession cannot be: no authorizer sees the handshake.
//!
//! `webpki` verifies; `der` reads what it does not show: dates, subject, key, key usage.
//!
//! | file | what it does |
//! |---|---|
//! | `client_certificate` | reads the one certificate of an event, a file |
//! | `authorities` | verifies it |
//! | `fields` | reads fields of a certificate |
//! | `public_key` | refuses weak keys and unknown kinds of them |
//! | `distinguished_name` | compares subjects with RFC 4514 texts |
//! | `uri_pattern` | compares URIs of the subject alternative name |
//! | `identities` | picks the identity |

use crate::denial::Denial;
use crate::request::UnixSeconds;
use crate::token::{RecordFacts, VerifiedRecord};
use serde_json::Value;

mod authorities;
mod client_certificate;
mod distinguished_name;
mod fields;
mod identities;
mod public_key;
mod uri_pattern;

pub use authorities::Authorities;
pub use client_certificate::{ClientCertificate, VerifiedCertificate};
pub use distinguished_name::DistinguishedName;
pub use identities::{Identities, Identity, Name};
pub use uri_pattern::UriPattern;

/// What a client certificate stands for, by the configured authorities and identities. `id` gets its fingerprint as
/// soon as it has the form of a certificate.
///
/// # Errors
/// [`Denial::UnknownCertificate`].
pub fn verify(
    pem: &str,
    authorities: &Authorities,
    identities: &Identities,
    now: UnixSeconds,
    id: &mut Option<String>,
) -> Result<VerifiedRecord, Denial> {
    let certificate = ClientCertificate::parse(pem).map_err(Denial::UnknownCertificate)?;
    let fingerprint = id.insert(certificate.fingerprint().to_owned()).clone();
    let verified = authorities.verify(certificate, now).map_err(Denial::UnknownCertificate)?;
    let (identity, name) = identities.identify(&verified).map_err(Denial::UnknownCertificate)?;
    let mut claims = identity.claims.clone();
    claims.entry("sub").or_insert_with(|| Value::String(name.to_owned()));
    let certificate = verified.certificate();
    let facts = RecordFacts {
        id: fingerprint,
        issued_at: Some(certificate.not_before()),
        expires: Some(certificate.not_after()),
    };
    Ok(VerifiedRecord::of_certificate(facts, certificate.signed_fingerprint().to_owned(), claims))
}

#[cfg(test)]
mod fixtures;
