//! What answers in the place of issuers, the table of revocations and a policy store: as the persona of the question says.

use super::keys::SigningKey;
use super::persona::{Live, Persona, PolicyReply};
use cognito_authorizer::substitute::{Reply, Substitute};
use cognito_authorizer::token::AlgorithmSet;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// Local issuers, each with a key pair of its own.
#[derive(Debug)]
pub struct LocalIssuers {
    keys: Mutex<Vec<(String, SigningKey)>>,
    replies: Mutex<Replies>,
}

/// What is answered about one request.
#[derive(Clone)]
struct Replies {
    issuer: Reply,
    revocations: Reply,
    policy_store: Reply,
    /// An opaque token, and what its issuer says of it.
    introspection: Option<(Arc<str>, String)>,
}

impl std::fmt::Debug for Replies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replies")
            .field("issuer", &self.issuer)
            .field("revocations", &self.revocations)
            .finish_non_exhaustive()
    }
}

impl LocalIssuers {
    /// Issuers that nobody has named yet, and of whom nobody gets an answer.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { keys: Mutex::default(), replies: Mutex::new(SILENCE) })
    }

    /// The key pair of an issuer of the configuration.
    pub(super) fn key(&self, issuer: &str) -> Option<SigningKey> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|(name, _)| name == issuer).map(|(_, key)| key.clone())
    }

    /// The JWK Set of an issuer of the configuration, as it would publish it; without keys where it has none.
    #[must_use]
    pub fn published(&self, issuer: &str) -> String {
        json!({ "keys": self.key(issuer).and_then(|key| key.jwk()).into_iter().collect::<Vec<_>>() }).to_string()
    }

    /// From now on all answer as this persona says, nobody where there is none.
    pub(super) fn answer_as(&self, persona: Option<&Persona>, introspection: Option<(Arc<str>, String)>) {
        let replies = persona.map_or(SILENCE, |persona| {
            let (issuer, revocations) = match persona.live() {
                Live::Good => (Reply::Yes, Reply::Yes),
                Live::Revoked => (Reply::Revoked, Reply::Revoked),
                Live::Inactive => (Reply::No, Reply::Yes),
                Live::Outage => (Reply::Outage, Reply::Outage),
            };
            let policy_store = match persona.policies() {
                Some(PolicyReply::Grant) => Reply::Yes,
                Some(PolicyReply::Refuse) => Reply::No,
                Some(PolicyReply::Outage) | None => Reply::Outage,
            };
            Replies { issuer, revocations, policy_store, introspection }
        });
        *self.replies.lock().unwrap_or_else(PoisonError::into_inner) = replies;
    }

    fn replies(&self) -> Replies {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Substitute for LocalIssuers {
    fn jwk_set(&self, issuer: &str, algorithms: AlgorithmSet) -> String {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.iter().any(|(name, _)| name == issuer) {
            let number = keys.len();
            keys.extend(SigningKey::of(algorithms, number).map(|key| (issuer.to_owned(), key)));
        }
        drop(keys);
        self.published(issuer)
    }

    fn issuer(&self) -> Reply {
        self.replies().issuer
    }

    fn introspection(&self, token: &str) -> Option<String> {
        let Replies { issuer, introspection, .. } = self.replies();
        match issuer {
            Reply::Outage => None,
            Reply::Yes => Some(
                introspection
                    .filter(|(known, _)| **known == *token)
                    .map_or_else(|| INACTIVE.to_owned(), |(_, body)| body),
            ),
            Reply::No | Reply::Revoked => Some(INACTIVE.to_owned()),
        }
    }

    fn revocations(&self) -> Reply {
        self.replies().revocations
    }

    fn policy_store(&self) -> Reply {
        self.replies().policy_store
    }
}

const SILENCE: Replies =
    Replies { issuer: Reply::Outage, revocations: Reply::Outage, policy_store: Reply::Outage, introspection: None };

/// RFC 7662 2.2.
const INACTIVE: &str = r#"{"active":false}"#;
