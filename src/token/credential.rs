//! What kind of credential claims come from.

use super::claims::Claims;

/// A kind of credential, as a rule and the log name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A signed token that carries its claims (RFC 7519).
    Jwt,
    /// A token that only its issuer can read (RFC 7662).
    Opaque,
    /// A key of a table.
    ApiKey,
    /// A client certificate.
    Certificate,
    /// A signed request (RFC 9421).
    Signature,
}

impl CredentialKind {
    /// All of them.
    pub const ALL: [CredentialKind; 5] = [Self::Jwt, Self::Opaque, Self::ApiKey, Self::Certificate, Self::Signature];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
            Self::ApiKey => "api_key",
            Self::Certificate => "certificate",
            Self::Signature => "signature",
        }
    }
}

impl Claims {
    /// What they come from.
    #[must_use]
    pub fn credential(&self) -> CredentialKind {
        if self.were_introspected() { CredentialKind::Opaque } else { CredentialKind::Jwt }
    }
}
