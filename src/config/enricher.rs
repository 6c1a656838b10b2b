//! `enricher.yaml`: what the function before token generation adds to Cognito's tokens. All faults at once, each with its
//! place, as in `authorizer.yaml`.
//!
//! Reads and checks; it adds nothing to anything.

use super::fields::{Fields, Item, Reader};
use super::{ConfigText, Environment, Faults, yaml};
use serde_json::Value;
use std::time::Duration;

/// A configuration without faults.
#[derive(Clone, Debug, PartialEq)]
pub struct EnricherConfig {
    /// Where items are looked up; `None` where no claim comes from one.
    pub lookup: Option<Lookup>,
    /// The claims to add, in the order of the file.
    pub claims: Vec<Claim>,
    /// The scopes to add and to suppress.
    pub scopes: Vec<ScopeRule>,
    /// How much may be added to one token.
    pub limits: Limits,
}

/// A DynamoDB table with an item for each user or client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The table's name.
    pub table: String,
    /// The name of its partition key, which is a string; it has no sort key.
    pub key: String,
    /// The key of a user's item; `None`: users have none.
    pub user: Option<KeyPattern>,
    /// The key of a machine client's item; `None`: they have none.
    pub client: Option<KeyPattern>,
    /// For one look-up, retries included.
    pub timeout: Duration,
    /// What a look-up that fails means.
    pub on_failure: OnFailure,
}

/// What a failed look-up means for the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// No tokens are issued.
    Refuse,
    /// Tokens are issued without the claims of the item.
    Continue,
}

/// A key with `{sub}` and `{client_id}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern(Vec<KeyPart>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum KeyPart {
    Text(String),
    Subject,
    ClientId,
}

impl KeyPattern {
    /// The key for this user and client; `None` where it needs what is absent.
    #[must_use]
    pub fn fill(&self, subject: Option<&str>, client_id: Option<&str>) -> Option<String> {
        self.0.iter().try_fold(String::new(), |mut key, part| {
            key.push_str(match part {
                KeyPart::Text(text) => text,
                KeyPart::Subject => subject?,
                KeyPart::ClientId => client_id?,
            });
            Some(key)
        })
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').ok_or("`{` without `}`")?;
            parts.push(KeyPart::Text(before.to_owned()));
            parts.push(match name {
                "sub" => KeyPart::Subject,
                "client_id" => KeyPart::ClientId,
                _ => return Err("must have `{sub}` or `{client_id}` in it, and nothing else in braces"),
            });
            rest = tail;
        }
        if parts.is_empty() {
            return Err("must have `{sub}` or `{client_id}` in it: else all have one item");
        }
        parts.push(KeyPart::Text(rest.to_owned()));
        parts.retain(|part| *part != KeyPart::Text(String::new()));
        // Without anything between them `ab` + `c` is `a` + `bc`.
        let touch = parts.windows(2).any(|pair| !pair.iter().any(|part| matches!(part, KeyPart::Text(_))));
        if touch { Err("must have a text between `{sub}` and `{client_id}`") } else { Ok(Self(parts)) }
    }

    fn names_subject(&self) -> bool {
        self.0.contains(&KeyPart::Subject)
    }
}

/// A claim, and where its value comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its name in the token.
    pub name: String,
    /// Where its value comes from.
    pub source: Source,
    /// The tokens that get it.
    pub tokens: Tokens,
    /// Whether no tokens are issued where the source has no value.
    pub required: bool,
}

/// Where a claim's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A user attribute.
    Attribute {
        /// Its name, `custom:` included.
        name: String,
        /// Whether the operator says that no app client lets users write it.
        by_administrator: bool,
    },
    /// The value of the first of these groups that the user is in.
    ByGroup(Vec<(String, Value)>),
    /// The user's groups that begin so, each without that beginning, as a list.
    GroupPrefix(String),
    /// What the client sends with the sign-in, under this key.
    ClientMetadata(String),
    /// An attribute of the item.
    Item(String),
}

/// The tokens that get a claim: at least one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Access tokens.
    pub access: bool,
    /// ID tokens.
    pub id: bool,
}

/// Scopes of access tokens, by the user's groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRule {
    /// The group.
    pub group: String,
    /// Whether the rule is about its members, or about all other users.
    pub members: bool,
    /// Scopes that they get.
    pub add: Vec<String>,
    /// Scopes that they lose, also where another rule adds them.
    pub suppress: Vec<String>,
}

/// How much may be added to one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Claims.
    pub claims: usize,
    /// Bytes of JSON, claims and scopes together.
    pub bytes: usize,
}

impl EnricherConfig {
    /// Finds and reads the configuration: `ENRICHER_CONFIG` (the text itself), else the file `ENRICHER_CONFIG_FILE`, else
    /// `enricher.yaml` in `LAMBDA_TASK_ROOT`, else in the working directory.
    ///
    /// # Errors
    /// All [`Faults`].
    pub fn load(environment: &Environment) -> Result<Self, Faults> {
        let given = (environment.get(TEXT_VARIABLE), environment.get(FILE_VARIABLE));
        Self::parse(&ConfigText::find_as(given, FILE_NAME, environment)?, environment)
    }

    /// Reads a configuration's text.
    ///
    /// # Errors
    /// All [`Faults`].
    pub fn parse(text: &ConfigText, environment: &Environment) -> Result<Self, Faults> {
        let (root, faults) = yaml::parse(&text.text, yaml::Tags::Refused)?;
        let reader = Reader::new(environment, &text.folder, faults);
        let config = Fields::of(&reader, &root, "").and_then(read);
        let faults = reader.into_faults();
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults),
        }
    }

    /// What the operator should look at although nothing is a fault: what users may be able to write themselves.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let of_claim = |claim: &Claim| {
            let name = &claim.name;
            match &claim.source {
                Source::ClientMetadata(key) => Some(format!(
                    "the claim `{name}` is the client metadata `{key}`: whoever signs in may write what they like there, so no rule may rely on it"
                )),
                Source::Attribute { name: attribute, by_administrator: false }
                    if !NOT_WRITABLE.contains(&&**attribute) && !attribute.starts_with("dev:") =>
                {
                    Some(format!(
                        "the claim `{name}` is the user attribute `{attribute}`, which users may write for themselves through every app client that has it in its `WriteAttributes`, or has none: where no client lets them, say `written_by: administrator`"
                    ))
                }
                Source::Attribute { .. } | Source::ByGroup(_) | Source::GroupPrefix(_) | Source::Item(_) => None,
            }
        };
        let adds = |rule: &&ScopeRule| rule.add.iter().any(|scope| scope == SELF_SERVICE);
        let of_scope = |rule: &ScopeRule| {
            format!(
                "the group `{}` gets the scope `{SELF_SERVICE}`, with which users change their own attributes",
                rule.group
            )
        };
        let scopes = self.scopes.iter().filter(adds).map(of_scope);
        self.claims.iter().filter_map(of_claim).chain(scopes).collect()
    }
}

/// Reads every section, so that all faults are found; `None` where one has any.
fn read(mut file: Fields<'_>) -> Option<EnricherConfig> {
    let lookup_item = file.take("lookup");
    let lookup = match &lookup_item {
        Some(item) => item.fields().and_then(lookup).map(Some),
        None => Some(None),
    };
    let claims = file.take("claims").map_or_else(|| Some(Vec::new()), |item| claims(&item, lookup_item.is_some()));
    let scopes = file.take("scopes").map_or_else(|| Some(Vec::new()), |item| all(item.items()?.iter().map(scope_rule)));
    let limits = file.take("limits").map_or(Some(DEFAULT_LIMITS), |item| limits(item.fields()?));
    if let (Some([]), Some([])) = (claims.as_deref(), scopes.as_deref()) {
        file.fault("nothing is added: there are neither `claims` nor `scopes`");
    }
    let uses_items = |claims: &Vec<Claim>| claims.iter().any(|claim| matches!(claim.source, Source::Item(_)));
    if let (Some(item), Some(claims)) = (&lookup_item, &claims)
        && !uses_items(claims)
    {
        item.fault("no claim comes from an `item`");
    }
    file.finish();
    Some(EnricherConfig { lookup: lookup?, claims: claims?, scopes: scopes?, limits: limits? })
}

fn lookup(mut fields: Fields<'_>) -> Option<Lookup> {
    let table = fields.require("table").and_then(|item| item.string());
    let key = fields.take("key").map_or_else(|| Some("pk".to_owned()), |item| item.string());
    let [user_item, client_item] = ["user_key", "client_key"].map(|name| fields.take(name));
    let user = user_item.as_ref().map(key_pattern);
    let client = client_item.as_ref().map(key_pattern);
    if let (Some(item), Some(Some(pattern))) = (&client_item, &client)
        && pattern.names_subject()
    {
        item.fault("a machine client has no `{sub}`: write `{client_id}`");
    }
    if user.is_none() && client.is_none() {
        fields.fault("must have a `user_key`, a `client_key` or both");
    }
    let timeout = match fields.take("timeout") {
        Some(item) => {
            let timeout = item.duration();
            if timeout.is_some_and(|timeout| timeout > MAX_TIMEOUT) {
                item.fault("must be at most 4s: Cognito waits for 5 seconds in all");
            }
            timeout
        }
        None => Some(Duration::from_secs(2)),
    };
    let on_failure = fields.take("on_failure").map_or(Some(OnFailure::Refuse), |item| {
        item.choice(&[("refuse", OnFailure::Refuse), ("continue", OnFailure::Continue)])
    });
    fields.finish();
    let [user, client] = [user, client].map(|pattern| pattern.map_or(Some(None), |pattern| pattern.map(Some)));
    Some(Lookup { table: table?, key: key?, user: user?, client: client?, timeout: timeout?, on_failure: on_failure? })
}

fn key_pattern(item: &Item<'_>) -> Option<KeyPattern> {
    KeyPattern::parse(&item.text()?).map_err(|fault| item.fault(fault)).ok()
}

fn claims(item: &Item<'_>, has_lookup: bool) -> Option<Vec<Claim>> {
    let mut fields = item.fields()?;
    let claims: Vec<_> = fields.rest().into_iter().map(|(name, item)| claim(name, &item, has_lookup)).collect();
    all(claims.into_iter())
}

fn claim(name: &str, item: &Item<'_>, has_lookup: bool) -> Option<Claim> {
    if let Some(why) = reserved(name) {
        item.fault(why);
    }
    let mut fields = item.fields()?;
    let attribute = fields.take("attribute");
    let by_administrator = fields.take("written_by").map(|item| {
        if attribute.is_none() {
            item.fault("is said of an `attribute` alone");
        }
        item.choice(&[("administrator", true)])
    });
    let mut sources = Vec::new();
    if let Some(item) = attribute {
        let by_administrator = by_administrator.map_or(Some(false), |choice| choice);
        sources.push(
            item.string()
                .zip(by_administrator)
                .map(|(name, by_administrator)| Source::Attribute { name, by_administrator }),
        );
    }
    if let Some(item) = fields.take("by_group") {
        sources.push(by_group(&item).map(Source::ByGroup));
    }
    if let Some(item) = fields.take("group_prefix") {
        sources.push(item.string().map(Source::GroupPrefix));
    }
    if let Some(item) = fields.take("client_metadata") {
        sources.push(item.string().map(Source::ClientMetadata));
    }
    if let Some(item) = fields.take("item") {
        if !has_lookup {
            item.fault("there is no `lookup` to take an item from");
        }
        sources.push(item.string().map(Source::Item));
    }
    let tokens = fields.take("tokens").map_or(Some(Tokens { access: true, id: false }), |item| tokens(&item));
    let required = fields.take("required").map_or(Some(false), |item| item.boolean());
    fields.finish();
    let mut sources = sources.into_iter();
    let (Some(source), None) = (sources.next(), sources.next()) else {
        item.fault("must have one of `attribute`, `by_group`, `group_prefix`, `client_metadata` and `item`");
        return None;
    };
    Some(Claim { name: name.to_owned(), source: source?, tokens: tokens?, required: required? })
}

fn by_group(item: &Item<'_>) -> Option<Vec<(String, Value)>> {
    let rest = item.fields()?.rest();
    if rest.is_empty() {
        item.fault("must not be empty");
    }
    all(rest.into_iter().map(|(group, item)| Some((group.to_owned(), item.literal()?))))
}

fn tokens(item: &Item<'_>) -> Option<Tokens> {
    let mut tokens = Tokens { access: false, id: false };
    for name in item.strings()? {
        match name.as_str() {
            "access" => tokens.access = true,
            "id" => tokens.id = true,
            _ => {
                item.fault("must be `access`, `id` or [access, id]");
                return None;
            }
        }
    }
    Some(tokens)
}

fn scope_rule(item: &Item<'_>) -> Option<ScopeRule> {
    let mut fields = item.fields()?;
    let (group, not_group) = (fields.take("group"), fields.take("not_group"));
    let scopes = |item: Option<Item<'_>>| item.map_or_else(|| Some(Vec::new()), |item| scopes(&item));
    let (add, suppress) = (scopes(fields.take("add")), scopes(fields.take("suppress")));
    fields.finish();
    let (group, members) = match (group, not_group) {
        (Some(group), None) => (group.string(), true),
        (None, Some(group)) => (group.string(), false),
        (Some(_), Some(_)) | (None, None) => {
            item.fault("must have one of `group` and `not_group`");
            (None, true)
        }
    };
    let rule = ScopeRule { group: group?, members, add: add?, suppress: suppress? };
    if rule.add.is_empty() && rule.suppress.is_empty() {
        item.fault("must have `add`, `suppress` or both");
    }
    if !rule.members && !rule.add.is_empty() {
        item.fault("`not_group` only suppresses: what all but some get, give to a group");
    }
    if let Some(both) = rule.add.iter().find(|scope| rule.suppress.contains(scope)) {
        item.fault(format!("adds and suppresses `{both}`"));
    }
    Some(rule)
}

/// RFC 6749 3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
fn scopes(item: &Item<'_>) -> Option<Vec<String>> {
    let scopes = item.strings()?;
    for scope in &scopes {
        if !scope.bytes().all(|byte| byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte)) {
            item.fault("has a character that no scope has (RFC 6749, section 3.3)");
        }
    }
    Some(scopes)
}

fn limits(mut fields: Fields<'_>) -> Option<Limits> {
    let mut number = |name: &'static str, unless_set: usize, most: usize| match fields.take(name) {
        Some(item) => {
            let number = item.text()?.parse().ok().filter(|number| (1..=most).contains(number));
            if number.is_none() {
                item.fault(format!("must be a number from 1 to {most}"));
            }
            number
        }
        None => Some(unless_set),
    };
    let claims = number("claims", DEFAULT_LIMITS.claims, MAX_LIMITS.claims);
    let bytes = number("bytes", DEFAULT_LIMITS.bytes, MAX_LIMITS.bytes);
    fields.finish();
    Some(Limits { claims: claims?, bytes: bytes? })
}

/// Why no function may add a claim of that name; `None` where it may.
fn reserved(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.chars().any(char::is_control) || name.len() > MAX_NAME_BYTES {
        return Some("is not the name of a claim: 1 to 128 bytes without control characters");
    }
    if COGNITO.contains(&name) || name.starts_with("cognito:") || name.starts_with("dev:") {
        return Some("is a claim that Cognito lets nobody add");
    }
    match name {
        "scope" | "scp" => Some("is where scopes are read from: write `scopes`"),
        "cnf" => Some("would bind the token to a sender (RFC 7800)"),
        _ => None,
    }
}

/// `None` where one is; all are looked at.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let items: Vec<_> = items.collect();
    items.into_iter().collect()
}

const TEXT_VARIABLE: &str = "ENRICHER_CONFIG";
const FILE_VARIABLE: &str = "ENRICHER_CONFIG_FILE";
const FILE_NAME: &str = "enricher.yaml";

/// The claims of the table "Claims and scopes reference" that a function can neither add nor modify. `aud` it can, in access tokens,
/// where it is the client's own id, which says nothing that `client_id` does not.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>
const COGNITO: [&str; 21] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "sub",
    "token_use",
    "username",
    "version",
];

/// Attributes that Cognito writes itself.
const NOT_WRITABLE: [&str; 5] = ["sub", "email_verified", "phone_number_verified", "cognito:user_status", "identities"];

const SELF_SERVICE: &str = "aws.cognito.signin.user.admin";

const DEFAULT_LIMITS: Limits = Limits { claims: 20, bytes: 4096 };

/// API Gateway takes 10,240 bytes of headers, and base64url makes four of three.
const MAX_LIMITS: Limits = Limits { claims: 100, bytes: 6144 };

/// "Cognito calls the function synchronously. It must respond within 5 seconds."
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
const MAX_TIMEOUT: Duration = Duration::from_secs(4);

const MAX_NAME_BYTES: usize = 128;

#[cfg(test)]
#[path = "enricher_tests.rs"]
mod tests;
