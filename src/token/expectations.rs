//! What one issuer's tokens must look like, as the operator configured it.

use super::algorithm::AlgorithmSet;
use super::claim_path::ClaimPath;
use super::claims::{ClaimNames, MappedList};
use super::client_id::ClientId;
use super::dpop::DpopSettings;
use super::jwk::VerifyingKey;
use super::tenants::Tenants;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// What a token of this issuer must satisfy beyond its signature.
#[derive(Debug)]
pub struct Expectations {
    /// The `iss` claim, compared verbatim; where there are `tenants`, what their names are made of.
    pub issuer: Arc<str>,
    /// The tenants, each of which is an issuer of its own.
    pub tenants: Option<Tenants>,
    /// The rules of Cognito or those of any OIDC issuer.
    pub kind: IssuerKind,
    /// The algorithms that its tokens may be signed with.
    pub algorithms: AlgorithmSet,
    /// The accepted clients.
    pub client_ids: ClientIds,
    /// The accepted audiences; of a Cognito ID token its `aud` is the client.
    pub audience: Audience,
    /// The required `typ` header, where one is (RFC 8725 3.11).
    pub typ: Option<String>,
    /// Where this issuer keeps scopes, groups and user names.
    pub claim_names: ClaimNames,
    /// Where tokens must be bound to a key that their sender proves to hold (RFC 9449).
    pub dpop: Option<DpopSettings>,
    /// How far clocks may differ, for `exp`, `nbf` and `iat`.
    pub leeway: Duration,
}

impl Expectations {
    /// Those of an issuer of credentials that are no tokens. Its records keep groups in `groups`, and all else where
    /// OIDC's tokens do.
    #[must_use]
    pub fn of_records(issuer: Arc<str>, leeway: Duration) -> Self {
        let groups = Some(MappedList { path: ClaimPath::member("groups"), form: None });
        Self {
            issuer,
            tenants: None,
            kind: IssuerKind::Oidc,
            algorithms: AlgorithmSet::of(&[]),
            client_ids: ClientIds::Unchecked,
            audience: Audience::Unchecked,
            typ: None,
            claim_names: ClaimNames { groups, ..ClaimNames::default() },
            dpop: None,
            leeway,
        }
    }

    /// The issuer of that name, which a token claims to be from: this one, or one of its tenants.
    #[must_use]
    pub fn issuer_named(&self, name: &str) -> Option<Arc<str>> {
        match &self.tenants {
            None => (*self.issuer == *name).then(|| Arc::clone(&self.issuer)),
            Some(tenants) => tenants.have(name).then(|| Arc::from(name)),
        }
    }

    /// The issuer of a token with these claims, where it is this one or one of its tenants.
    pub(super) fn issuer_of(&self, payload: &Map<String, Value>) -> Option<Arc<str>> {
        let name = payload.get("iss")?.as_str()?;
        match &self.tenants {
            Some(tenants) if !tenants.name(name, payload) => None,
            Some(_) | None => self.issuer_named(name),
        }
    }

    /// Whether a key of this issuer's set signs the tokens of `issuer`. The set of an issuer without tenants is its own,
    /// whatever its keys say; tenants share one, and a key that names its issuer signs for no other.
    pub(super) fn is_key_of(&self, key: &VerifyingKey, issuer: &str) -> bool {
        match (&self.tenants, key.issuer()) {
            (Some(tenants), Some(key_issuer)) => tenants.are_signed_by(key_issuer, issuer),
            (Some(_), None) | (None, _) => true,
        }
    }
}

/// The audiences that tokens may be for (RFC 7519 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// `aud` does not matter (Cognito access tokens without `audience`).
    Unchecked,
    /// There must be no `aud` at all (`none`).
    Absent,
    /// `aud` must hold one of these; never empty.
    OneOf(Vec<String>),
}

/// Which conventions an issuer's tokens follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKind {
    /// A Cognito user pool: `token_use` tells what a token is and where its client stands.
    Cognito {
        /// The accepted kinds; never empty.
        token_uses: Vec<TokenUse>,
    },
    /// Any other OpenID provider or OAuth authorization server.
    Oidc,
}

/// Cognito's `token_use` claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// `access`
    Access,
    /// `id`
    Id,
}

impl TokenUse {
    /// Reads the claim's value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "access" => Some(TokenUse::Access),
            "id" => Some(TokenUse::Id),
            _ => None,
        }
    }
}

/// The clients whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientIds {
    /// Any client; the token need not name one (OIDC without `client_ids`).
    Unchecked,
    /// Any client, but the token must name it (`"*"`).
    AnyNamed,
    /// One of these; never empty.
    OneOf(Vec<ClientId>),
}

impl ClientIds {
    /// Whether a token of `client` is accepted.
    #[must_use]
    pub(super) fn accept(&self, client: Option<&str>) -> bool {
        match self {
            ClientIds::Unchecked => true,
            ClientIds::AnyNamed => client.is_some_and(|client| !client.is_empty()),
            ClientIds::OneOf(accepted) => client.is_some_and(|client| accepted.iter().any(|one| one.names(client))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_accepted_as_the_operator_says() {
        let two = ClientIds::OneOf(["web", "app"].map(|id| ClientId::Exact(id.to_owned())).to_vec());
        for (client, one_of, any_named) in [
            (Some("web"), true, true),
            (Some("app"), true, true),
            (Some("other"), false, true),
            (Some("WEB"), false, true),
            (Some(""), false, false),
            (None, false, false),
        ] {
            let accepted = [&two, &ClientIds::AnyNamed, &ClientIds::Unchecked].map(|ids| ids.accept(client));
            assert_eq!(accepted, [one_of, any_named, true], "{client:?}");
        }
    }
}
