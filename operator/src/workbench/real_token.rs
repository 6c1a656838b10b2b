//! A real token, decoded: who it says that it is about. Nothing is verified, and its text goes nowhere.

use super::persona::Persona;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cognito_authorizer::config::Config;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Somebody with the claims of this JWT, where it names a configured issuer.
pub(super) fn persona(token: &str, config: &Config) -> Option<Persona> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let claims: Map<String, Value> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let name = claims.get("iss")?.as_str()?;
    let issuer = config.issuers().iter().find(|issuer| issuer.expectations.issuer_named(name).is_some())?;
    Some(Persona::of_claims(WHO, Arc::clone(&issuer.expectations.issuer), claims))
}

const WHO: &str = "whoever sent the event";
