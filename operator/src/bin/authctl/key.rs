//! `authctl key`: API keys in the table that the authorizer reads. A key is printed once, where it is made.

use crate::Outcome;
use crate::arguments::{Key, KeyCreate, KeyRecordOptions, KeyRotate, KeyTableOptions, OneKey};
use aws_sdk_dynamodb::Client;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cognito_authorizer::config::Environment;
use cognito_authorizer::credentials::signature::{MasterSecret, RequestKey, SignatureAlgorithm};
use cognito_authorizer::credentials::{ApiKey, NewApiKey};
use cognito_authorizer::live::{KeyId, KeyMaterial, KeyRecord, UnreadableKey};
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::time::{now, rfc3339};
use cognito_authorizer_operator::keys::{Draft, KeyStore, Listed, SignatureKey};
use cognito_authorizer_operator::revoking::{load, printable};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

pub(crate) async fn run(what: Key, environment: &Environment) -> Result<Outcome, String> {
    match what {
        Key::Create(arguments) => create(arguments, environment).await,
        Key::List(table) => list(&table, environment).await,
        Key::Show(OneKey { id, table }) => {
            let listed = store(&table, environment).await?.find(&parse_id(&id.0)?).await;
            Ok(Outcome::done(paragraph(&listed.map_err(|fault| fault.to_string())?, clock()?, true)))
        }
        Key::Disable(OneKey { id, table }) => {
            let id = parse_id(&id.0)?;
            store(&table, environment).await?.disable(&id).await.map_err(|fault| fault.to_string())?;
            Ok(Outcome::done(format!("{} is disabled\n{CACHED}", id.as_str())))
        }
        Key::Rotate(arguments) => rotate(arguments, environment).await,
    }
}

async fn create(arguments: KeyCreate, environment: &Environment) -> Result<Outcome, String> {
    let KeyCreate { record, not_after, prefix, signature, public_key, table } = arguments;
    let now = clock()?;
    let not_after = not_after.map(|end| end.from(now));
    if not_after.is_some_and(|end| end <= now) {
        return Err("--not-after is in the past".to_owned());
    }
    let draft = draft(record, not_after)?;
    if let Some(algorithm) = signature {
        let (key, shown) = signature_key(algorithm, public_key.as_deref(), environment)?;
        let written = store(&table, environment).await?.create_signature(&key, &draft, now).await;
        written.map_err(|fault| format!("no key was made: {fault}"))?;
        let end = draft.not_after.map(|end| format!("    valid until {}\n", rfc3339(end))).unwrap_or_default();
        return Ok(Outcome::done(format!("{}\n    signs requests by {algorithm}\n{end}{shown}", key.id.as_str())));
    }
    let key = make(&prefix)?;
    let parsed = parsed(&key)?;
    let written = store(&table, environment).await?.create(&parsed, &draft, now).await;
    written.map_err(|fault| format!("no key was made: {fault}"))?;
    let end = draft.not_after.map(|end| format!("valid until {}\n    ", rfc3339(end))).unwrap_or_default();
    Ok(Outcome::done(format!("{}\n    id {}\n    {end}{SHOWN_ONCE}", key.text(), parsed.id())))
}

async fn rotate(arguments: KeyRotate, environment: &Environment) -> Result<Outcome, String> {
    let KeyRotate { id, overlap, not_after, prefix, table } = arguments;
    let (id, now) = (parse_id(&id.0)?, clock()?);
    let key = make(&prefix)?;
    let parsed = parsed(&key)?;
    let dates = (now.plus(overlap), not_after.map(|end| end.from(now)));
    let rotated = store(&table, environment).await?.rotate(&id, &parsed, dates, now).await;
    let old_ends = rotated.map_err(|fault| format!("nothing was changed: {fault}"))?;
    let old = format!("{} is valid until {}", id.as_str(), rfc3339(old_ends));
    Ok(Outcome::done(format!("{}\n    id {}\n    {SHOWN_ONCE}{old}\n", key.text(), parsed.id())))
}

async fn list(table: &KeyTableOptions, environment: &Environment) -> Result<Outcome, String> {
    let now = clock()?;
    let keys = store(table, environment).await?.list().await.map_err(|fault| fault.to_string())?;
    let mut text: String = keys.iter().map(|key| paragraph(key, now, false)).collect();
    let valid = keys.iter().filter(|key| key.record.as_ref().is_ok_and(|record| record.fault(now).is_none())).count();
    text.push_str(&format!("{valid} valid, {} not\n", keys.len() - valid));
    Ok(Outcome::done(text))
}

/// A key in words, without its hash.
fn paragraph(key: &Listed, now: UnixSeconds, whole: bool) -> String {
    let id = printable(&key.id);
    let record = match &key.record {
        Ok(record) => record,
        Err(UnreadableKey(why)) => return format!("{id}\n    cannot be read, and allows nothing: {why}\n"),
    };
    let kind = match record.material() {
        KeyMaterial::ApiKey { .. } => "API key".to_owned(),
        KeyMaterial::Signature { algorithm, .. } => format!("signs requests by {}", printable(algorithm)),
    };
    let state = record.fault(now).unwrap_or("the key is valid");
    let date = |word: &str, at: Option<UnixSeconds>| at.map(|at| format!(", {word} {}", rfc3339(at)));
    let [made, end] =
        [date("made", record.created_at()), date("valid until", record.not_after())].map(Option::unwrap_or_default);
    let mut text = format!("{id}\n    {kind}: {state}{made}{end}\n");
    for (name, value) in claims(record, whole) {
        text.push_str(&format!("    {}: {}\n", printable(name), printable(&value)));
    }
    text
}

/// By name.
fn claims(record: &KeyRecord, whole: bool) -> BTreeMap<&str, String> {
    let shown = record.claims().iter().filter(move |(name, _)| whole || IN_LISTS.contains(&name.as_str()));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    shown.map(|(name, value)| (name.as_str(), text(value))).collect()
}

fn draft(record: KeyRecordOptions, not_after: Option<UnixSeconds>) -> Result<Draft, String> {
    let KeyRecordOptions { sub, client_id, scope, group, claim, usage_identifier_key } = record;
    let count = claim.len();
    let claims: HashMap<_, _> = claim.into_iter().map(|setting| (setting.name, setting.value.0)).collect();
    if claims.len() != count {
        return Err("--claim names a claim twice".to_owned());
    }
    let scopes = scope.iter().flat_map(|scopes| scopes.split_whitespace()).map(str::to_owned).collect();
    Ok(Draft { sub, client_id, scopes, groups: group.into_iter().collect(), claims, usage_identifier_key, not_after })
}

/// A key that signs requests, and what is to be shown of it once.
fn signature_key(
    algorithm: SignatureAlgorithm,
    public_key: Option<&Path>,
    environment: &Environment,
) -> Result<(SignatureKey, String), String> {
    let mut random = [0; 12];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| "no random numbers can be had")?;
    let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let id = KeyId::parse(&id).ok_or("an id was made that is not one: this is a fault of authctl")?;
    let Some(file) = public_key else {
        if !algorithm.is_symmetric() {
            return Err(format!("{algorithm} needs --public-key"));
        }
        let master = environment.get("SIGNATURE_SECRET").and_then(MasterSecret::new);
        let master = master.ok_or("the environment has no SIGNATURE_SECRET, or it has fewer than 32 bytes")?;
        let secret = master.secret_of(id.as_str()).map_err(|_| "the secret cannot be derived")?;
        let secret = STANDARD.encode(secret.as_bytes());
        let shown = format!("    secret, in base64: {secret}\n    it is not shown again: the table does not hold it\n");
        return Ok((SignatureKey { id, algorithm, public_key: None }, shown));
    };
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read `{name}`: {error}"))?;
    RequestKey::public(algorithm, &text).map_err(|error| format!("`{name}`: {error}"))?;
    Ok((SignatureKey { id, algorithm, public_key: Some(text) }, String::new()))
}

fn make(prefix: &str) -> Result<NewApiKey, String> {
    let key = NewApiKey::make(prefix, aws_lc_rs::rand::fill).map_err(|_| "no random numbers can be had")?;
    key.ok_or_else(|| "--prefix must be a lower-case letter and 1 to 15 lower-case letters or digits".to_owned())
}

fn parsed(key: &NewApiKey) -> Result<ApiKey<'_>, String> {
    key.parsed().map_err(|_| "a key was made that cannot be read: this is a fault of authctl".to_owned())
}

/// A whole key is not repeated, and not taken either: it is in the history of the shell already.
fn parse_id(text: &str) -> Result<KeyId, String> {
    if ApiKey::has_form(text) {
        return Err("this is a whole key: give its id, the part between its two `_`".to_owned());
    }
    KeyId::parse(text).ok_or_else(|| "an id has 1 to 128 visible characters, without `#`".to_owned())
}

async fn store(table: &KeyTableOptions, environment: &Environment) -> Result<KeyStore, String> {
    let name = table.table.as_deref().or(environment.get("KEYS_TABLE")).filter(|name| !name.is_empty());
    let name = name.ok_or("no table: give --table or KEYS_TABLE")?;
    Ok(KeyStore::new(Client::new(&load(None).await), name.to_owned()))
}

fn clock() -> Result<UnixSeconds, String> {
    now().ok_or_else(|| "the clock makes no sense".to_owned())
}

/// What `list` shows of a key.
const IN_LISTS: [&str; 4] = ["sub", "client_id", "scope", "groups"];

const SHOWN_ONCE: &str = "shown this once: the table has its SHA-256 alone\n";

const CACHED: &str =
    "    (an authorizer that has read it lately takes it for at most `cache` of its configuration, 60s by default)\n";
