//! A persona's token: the claims that its provider would write, and what the file says instead, signed by the local key.

use super::local_issuers::LocalIssuers;
use super::persona::{Persona, Signature};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cognito_authorizer::authorizer::Issuer;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::token::{
    AcceptedTenants, Audience, ClaimPath, ClientId, ClientIds, IssuerKind, ListForm, TokenUse,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A token and what it holds. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Minted {
    /// As a client sends it.
    pub text: Arc<str>,
    /// What it holds.
    pub claims: Arc<Map<String, Value>>,
    /// What its issuer answers about it, where it is opaque.
    pub(super) introspection: Option<String>,
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Minted(redacted)")
    }
}

/// Makes the persona's token as of that time.
///
/// # Errors
/// Why there is none.
pub(super) fn mint(
    persona: &Persona,
    issuer: &Issuer,
    at: UnixSeconds,
    local: &LocalIssuers,
) -> Result<Minted, String> {
    let claims = claims(persona, issuer, at);
    if persona.is_opaque() {
        let mut answer = claims.clone();
        answer.insert("active".to_owned(), true.into());
        let text = Arc::from(format!("opaque-{}-{}", persona.id(), at.as_f64()));
        return Ok(Minted { text, claims: Arc::new(claims), introspection: Some(Value::Object(answer).to_string()) });
    }
    let no_key = || format!("no local key for the issuer `{}`", issuer.expectations.issuer);
    let key = local.key(&issuer.expectations.issuer).ok_or_else(no_key)?;
    let (key, kid) = match persona.signature() {
        Signature::Good => (key.clone(), key.kid.clone()),
        Signature::Bad => (key.of_a_stranger().ok_or_else(no_key)?, key.kid.clone()),
        Signature::UnknownKey => (key.of_a_stranger().ok_or_else(no_key)?, "unknown".to_owned()),
    };
    let mut header = json!({ "alg": key.algorithm.name(), "kid": kid });
    if let Some(header) = header.as_object_mut() {
        let typ = issuer.expectations.typ.as_deref();
        let usual = matches!(issuer.expectations.kind, IssuerKind::Oidc).then_some("JWT");
        header.extend(typ.or(usual).map(|typ| ("typ".to_owned(), typ.into())));
    }
    let encoded = |value: &[u8]| URL_SAFE_NO_PAD.encode(value);
    let payload = Value::Object(claims.clone()).to_string();
    let input = format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(payload.as_bytes()));
    let signature = key.sign(input.as_bytes()).map_err(|_| "the token could not be signed".to_owned())?;
    let text = Arc::from(format!("{input}.{}", encoded(&signature)));
    Ok(Minted { text, claims: Arc::new(claims), introspection: None })
}

/// What the provider would write, with what the persona says instead.
fn claims(persona: &Persona, issuer: &Issuer, at: UnixSeconds) -> Map<String, Value> {
    if persona.is_exact() {
        return persona.claims().clone();
    }
    let expectations = &issuer.expectations;
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    let now = at.as_f64().floor();
    let client = client(&expectations.client_ids);
    let subject =
        if persona.is_machine() && !persona.claims().contains_key("sub") { client.clone() } else { persona.subject() };
    put("sub", subject.into());
    for (name, offset) in [("iat", -AGE), ("auth_time", -AGE), ("exp", LIFE)] {
        put(name, whole(now + offset));
    }
    put("jti", format!("jti-{}", persona.name()).into());
    match &expectations.kind {
        IssuerKind::Cognito { token_uses } => {
            of_cognito(persona, token_uses, &expectations.audience, &client, &mut claims);
        }
        IssuerKind::Oidc => {
            if let Audience::OneOf(audience) = &expectations.audience {
                claims.extend(audience.first().map(|first| ("aud".to_owned(), first.as_str().into())));
            }
            let place = expectations.claim_names.client_id.clone().unwrap_or_else(|| ClaimPath::member("client_id"));
            put_at(&mut claims, &place, client.into());
        }
    }
    let mut issuer_name = expectations.issuer.to_string();
    if let Some(tenants) = &expectations.tenants {
        let accepted = match tenants.accepted() {
            AcceptedTenants::OneOf(accepted) => accepted.iter().min().cloned(),
            AcceptedTenants::Any => None,
        };
        let written = persona.claims().get(tenants.claim()).and_then(Value::as_str).map(str::to_owned);
        let tenant = written.or(accepted).unwrap_or_else(|| "tenant".to_owned());
        issuer_name = tenants.issuer_of(&tenant);
        claims.insert(tenants.claim().to_owned(), tenant.into());
    }
    claims.insert("iss".to_owned(), issuer_name.into());
    let names = &expectations.claim_names;
    if let Some(path) = names.username.as_ref().filter(|_| !persona.is_machine()) {
        put_at(&mut claims, path, username(persona).into());
    }
    if let Some(groups) = persona.groups() {
        let usual = ClaimPath::member("cognito:groups");
        let (path, form) = names.groups.as_ref().map_or((&usual, None), |mapped| (&mapped.path, mapped.form));
        put_at(&mut claims, path, list(groups, form));
    }
    if let Some(scopes) = persona.scopes() {
        let usual = ClaimPath::member("scope");
        let (path, form) = names.scope.as_ref().map_or((&usual, None), |mapped| (&mapped.path, mapped.form));
        put_at(&mut claims, path, list(scopes, form.or(Some(ListForm::Spaces))));
    }
    for (name, value) in persona.claims() {
        let value = dated(name, value, at);
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value);
        }
    }
    claims
}

/// "Understanding user pool JSON web tokens" (Cognito developer guide).
fn of_cognito(
    persona: &Persona,
    token_uses: &[TokenUse],
    audience: &Audience,
    client: &str,
    claims: &mut Map<String, Value>,
) {
    let written = persona.claims().get("token_use").and_then(Value::as_str).and_then(TokenUse::parse);
    let accepted = if token_uses.contains(&TokenUse::Access) { TokenUse::Access } else { TokenUse::Id };
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    match written.unwrap_or(accepted) {
        TokenUse::Access => {
            put("token_use", "access".into());
            put("client_id", client.into());
            put("version", 2.into());
            if let Audience::OneOf(audience) = audience {
                claims.extend(audience.first().map(|first| ("aud".to_owned(), first.as_str().into())));
            }
            if persona.is_machine() {
                return;
            }
            claims.insert("username".to_owned(), username(persona).into());
            claims.insert("scope".to_owned(), "aws.cognito.signin.user.admin".into());
        }
        TokenUse::Id => {
            put("token_use", "id".into());
            put("aud", client.into());
            put("cognito:username", username(persona).into());
            put("email", format!("{}@example.com", persona.name()).into());
            put("email_verified", true.into());
        }
    }
    claims.insert("origin_jti".to_owned(), format!("origin-{}", persona.name()).into());
    claims.insert("event_id".to_owned(), format!("event-{}", persona.name()).into());
}

/// Another text than the `sub`, so that a rule about the one does not hold for the other.
fn username(persona: &Persona) -> String {
    format!("{}-name", persona.name())
}

/// A client that is accepted.
fn client(accepted: &ClientIds) -> String {
    match accepted {
        ClientIds::OneOf(ids) => match ids.first() {
            Some(ClientId::Exact(id)) => id.clone(),
            Some(ClientId::Below(prefix)) => format!("{prefix}client.json"),
            None => "client".to_owned(),
        },
        ClientIds::AnyNamed | ClientIds::Unchecked => "client".to_owned(),
    }
}

/// Puts a value where a claim is, below objects that are made on the way.
fn put_at(claims: &mut Map<String, Value>, path: &ClaimPath, value: Value) {
    let mut place = claims.entry(path.first()).or_insert(Value::Null);
    for segment in path.below() {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Some(members) = place.as_object_mut() else { return };
        place = members.entry(segment).or_insert(Value::Null);
    }
    *place = value;
}

/// A list as this issuer writes it.
fn list(items: &[String], form: Option<ListForm>) -> Value {
    match form {
        None => items.into(),
        Some(ListForm::Brackets) => format!("[{}]", items.join(", ")).into(),
        Some(ListForm::Commas) => items.join(",").into(),
        Some(ListForm::Json) => Value::from(items).to_string().into(),
        Some(ListForm::Spaces) => items.join(" ").into(),
    }
}

/// Dates may be written from now on: `-5m`, `+1h`.
fn dated(name: &str, value: &Value, at: UnixSeconds) -> Value {
    let text = value.as_str().filter(|_| DATES.contains(&name));
    text.and_then(offset).map_or_else(|| value.clone(), |offset| whole(at.as_f64().floor() + offset))
}

/// A signed duration, in seconds.
fn offset(text: &str) -> Option<f64> {
    let (sign, text) = match text.split_at_checked(1)? {
        ("-", rest) => (-1.0, rest),
        ("+", rest) => (1.0, rest),
        _ => return None,
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Some(sign * f64::from(number.parse::<u32>().ok()?) * seconds)
}

/// As providers write dates: without a fraction.
fn whole(seconds: f64) -> Value {
    format!("{seconds:.0}").parse::<i64>().map_or(Value::Null, Value::from)
}

const DATES: [&str; 4] = ["exp", "nbf", "iat", "auth_time"];

/// How old a token is, in seconds.
const AGE: f64 = 60.0;

/// How long a token is still good, in seconds.
const LIFE: f64 = 3600.0;
