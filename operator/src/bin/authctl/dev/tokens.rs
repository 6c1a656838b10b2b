//! The tokens of personas, signed with the session's keys: the same claims that `authctl test` gives them.

use super::keys::Keys;
use super::project::Project;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cognito_authorizer_operator::workbench::{Persona, Signature};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A token of that persona that is good from now on for `life`, unless the persona has an `exp` of its own.
///
/// # Errors
/// Why there is none.
pub(crate) fn token(persona: &Persona, life: Duration, project: &Project, keys: &Keys) -> Result<String, String> {
    let now = cognito_authorizer::time::now().ok_or("the machine's clock is wrong")?;
    let minted = project.engine.token(persona, now)?;
    let id = format!("local.{}.{}", persona.name(), random()?);
    if persona.is_opaque() {
        return Ok(id);
    }
    let mut claims = Map::clone(&minted.claims);
    let expires = now.plus(life).as_f64().floor();
    let expires = format!("{expires:.0}").parse::<u64>().map_err(|error| error.to_string())?;
    for (name, value) in [("exp", json!(expires)), ("jti", json!(id))] {
        if !persona.claims().contains_key(name) {
            claims.insert(name.to_owned(), value);
        }
    }
    let mut header = json_of(minted.text.split('.').next()).unwrap_or_default();
    header.retain(|name, _| name == "typ");
    if persona.signature() == Signature::UnknownKey {
        header.insert("kid".to_owned(), json!("unknown"));
    }
    let is_its =
        |issuer: &&cognito_authorizer::authorizer::Issuer| Some(&issuer.expectations.issuer) == persona.issuer();
    let issuer = project.engine.config().issuers().iter().find(is_its);
    let algorithms = issuer.ok_or("the configuration has no such issuer")?.expectations.algorithms;
    let signed = keys.sign(header, &Value::Object(claims), algorithms).ok_or("the token could not be signed")?;
    match (persona.signature(), signed.rsplit_once('.')) {
        (Signature::Bad, Some((input, signature))) => Ok(format!("{input}.{}", spoiled(signature))),
        _ => Ok(signed),
    }
}

/// The persona of a token, by its `jti` or, where it is opaque, by itself.
pub(crate) fn persona_of<'p>(id: &str, project: &'p Project) -> Option<&'p Persona> {
    let own = |persona: &&Persona| persona.claims().get("jti").and_then(Value::as_str) == Some(id);
    let of_name = || project.personas.get(id.strip_prefix("local.")?.rsplit_once('.')?.0);
    of_name().or_else(|| project.personas.iter().find(own))
}

/// What a token says of itself; `None` where it is no JWT.
pub(crate) fn claims_of(token: &str) -> Option<Map<String, Value>> {
    json_of(token.split('.').nth(1))
}

fn json_of(part: Option<&str>) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part?).ok()?).ok()
}

/// Another signature of the same length.
fn spoiled(signature: &str) -> String {
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    signature.chars().take(1).map(|_| other).chain(signature.chars().skip(1)).collect()
}

/// 64 random bits.
fn random() -> Result<String, String> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "no random numbers can be had".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
