//! What the core itself says of a token and a request.

use cognito_authorizer::access::{GrantedRuling, Ruling};
use cognito_authorizer::config::Config;
use cognito_authorizer::request::{Request, UnixSeconds};
use cognito_authorizer::token::{Introspection, Sender};
use core::net::IpAddr;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A token's claims, as its issuer vouches for them, and a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Witness {
    pub(super) claims: Map<String, Value>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) address: Option<IpAddr>,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The token is not accepted, whatever it is for.
    NotAccepted(&'static str),
    Refused(&'static str),
    Allowed(Conditions),
}

/// Who must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) live_check: bool,
    /// The actions that Cedar policies must grant.
    pub(super) policies: Vec<String>,
}

impl Witness {
    pub(super) fn judged_by(&self, config: &Config, now: UnixSeconds) -> Verdict {
        let mut answer = self.claims.clone();
        answer.insert("active".to_owned(), Value::Bool(true));
        let answer = Value::Object(answer).to_string();
        let mut denial = "unknown_issuer";
        for expectations in config.shared_expectations() {
            let Some(Introspection::Active(token)) = Introspection::parse(answer.as_bytes()) else {
                return Verdict::NotAccepted("malformed_claims");
            };
            match token.into_claims(expectations, now, &Sender::default()) {
                Ok(claims) => return self.ruling(config, Arc::new(claims), now),
                Err(error) if error.code() == "unknown_issuer" => {}
                Err(error) => denial = error.code(),
            }
        }
        Verdict::NotAccepted(denial)
    }

    fn ruling(&self, config: &Config, claims: Arc<cognito_authorizer::token::Claims>, now: UnixSeconds) -> Verdict {
        let mut request = Request::new(&self.method, &self.path, Vec::new());
        request.source_ip = self.address;
        let matched = match config.rules().route(&request) {
            Ok(matched) => matched,
            Err(denial) => return Verdict::Refused(denial.code()),
        };
        let policies = || {
            let rule = config.rules().iter().find(|(_, rule)| rule.key == *matched.key());
            rule.and_then(|(_, rule)| rule.cedar.as_ref()).map(|cedar| cedar.actions()).unwrap_or_default()
        };
        let introspects = || config.rules().iter().any(|(_, rule)| rule.key == *matched.key() && rule.introspect);
        match matched.authorize(claims, now) {
            Err(denial) => Verdict::Refused(denial.code()),
            Ok(Ruling::Granted(GrantedRuling::Permit(_))) => Verdict::Allowed(Conditions::default()),
            Ok(Ruling::Granted(GrantedRuling::PermitIfLive(_))) => {
                Verdict::Allowed(Conditions { live_check: true, policies: Vec::new() })
            }
            Ok(Ruling::AskPolicies(_)) => {
                Verdict::Allowed(Conditions { live_check: introspects(), policies: policies() })
            }
        }
    }

    /// The key of the rule that serves the request.
    pub(super) fn rule<'c>(&self, config: &'c Config) -> Option<&'c str> {
        let request = Request::new(&self.method, &self.path, Vec::new());
        let matched = config.rules().route(&request).ok()?;
        config.rules().iter().map(|(_, rule)| &*rule.key).find(|key| *key == &**matched.key())
    }
}

impl Verdict {
    /// Whether this lets in what the other does not, or with less asked of others.
    pub(super) fn lets_in_more_than(&self, other: &Verdict) -> bool {
        match (self, other) {
            (Verdict::Allowed(_), Verdict::Refused(_) | Verdict::NotAccepted(_)) => true,
            (Verdict::Allowed(own), Verdict::Allowed(other)) => {
                other.live_check && !own.live_check || !other.policies.is_empty() && own.policies != other.policies
            }
            (Verdict::Refused(_) | Verdict::NotAccepted(_), _) => false,
        }
    }

    pub(super) fn is_allowed(&self) -> bool {
        matches!(self, Verdict::Allowed(_))
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::NotAccepted(code) | Verdict::Refused(code) => f.write_str(code),
            Verdict::Allowed(conditions) => {
                f.write_str("allow")?;
                if conditions.live_check {
                    f.write_str(" if the live check agrees")?;
                }
                if !conditions.policies.is_empty() {
                    write!(f, " if Cedar policies grant {}", conditions.policies.join(", "))?;
                }
                Ok(())
            }
        }
    }
}
