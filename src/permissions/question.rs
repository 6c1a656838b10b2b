//! Who asks to do what, in which context, as Verified Permissions' own authorizer for
//! API Gateway would put it (`docs/cedar.md` has the model).

use super::value::{Record, Value};
use crate::access::PolicyQuestion;
use crate::request::{Details, UnixSeconds};
use crate::time::rfc3339;
use crate::token::Claims;
use core::net::IpAddr;
use serde_json::Value as Json;

/// One question to the policies. Its `Debug` shows no claim.
#[derive(Clone, PartialEq)]
pub struct Question {
    /// Who asks.
    pub principal: Principal,
    /// The groups that the principal is in: ids of entities `UserGroup`.
    pub groups: Vec<String>,
    /// The principal's attributes: an ID token's claims.
    pub attributes: Record,
    /// The id of the `Action`.
    pub action: String,
    /// The context, but for `token`.
    pub context: Record,
    /// An access token's claims: `context.token`.
    pub token: Option<Record>,
}

/// Why the policies are not asked, which never admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAsked(pub &'static str);

/// The principal of a question.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal {
    /// Its entity type.
    pub kind: PrincipalKind,
    /// `<user pool>|<sub>` or `<issuer>|<sub>`; for a client its id in place of `sub`.
    pub id: String,
}

/// What kind of entity asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A client with a token of its own (RFC 6749 4.4).
    Client,
    /// A user.
    User,
}

impl PrincipalKind {
    /// The name of its entity type, without the namespace.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PrincipalKind::Client => "Client",
            PrincipalKind::User => "User",
        }
    }
}

/// What the context holds beside parameters and token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextSettings {
    /// `sourceIp`.
    pub source_ip: bool,
    /// `time`.
    pub time: bool,
}

impl Question {
    /// Puts a request's question. `issuer_name` stands for the token's issuer in the
    /// ids of its users and groups.
    ///
    /// # Errors
    /// [`NotAsked`] where the token names nobody, where its scopes or groups are not all texts (a
    /// `forbid` that names one would not see it), or where a query parameter has two values:
    /// policies and backend could each see another one.
    pub fn new(
        asked: &PolicyQuestion<'_>,
        claims: &Claims,
        issuer_name: &str,
        details: &Details<'_>,
        settings: ContextSettings,
        now: UnixSeconds,
    ) -> Result<Self, NotAsked> {
        let principal = principal(claims, issuer_name).ok_or(NotAsked("the token names nobody"))?;
        let mut context = Record::new();
        let text = |value: &str| Value::Text(value.to_owned());
        let parameters = asked.path_parameters.iter().map(|(name, value)| ((*name).to_owned(), text(value)));
        add(&mut context, "pathParameters", parameters.collect());
        add(&mut context, "queryStringParameters", query(details)?);
        // Unspecified or odd, it is left out: a policy that relies on it then errs.
        let address = details.source_ip.as_deref().and_then(|text| text.trim().parse::<IpAddr>().ok());
        if let Some(address) = address.filter(|_| settings.source_ip) {
            context.push(("sourceIp".to_owned(), Value::Ip(address.to_canonical())));
        }
        if settings.time {
            context.push(("time".to_owned(), Value::Datetime(rfc3339(now))));
        }
        let of_user = principal.kind == PrincipalKind::User;
        let groups =
            words(claims.groups(), one)?.into_iter().filter(|_| of_user).map(|group| format!("{issuer_name}|{group}"));
        let groups = groups.collect();
        let (attributes, token) = match claims.is_cognito_id_token() {
            true => (record(claims)?, None),
            false => (Record::new(), Some(record(claims)?)),
        };
        Ok(Self { principal, groups, attributes, action: asked.action.clone().into_owned(), context, token })
    }

    /// The whole context.
    #[must_use]
    pub fn whole_context(&self) -> Record {
        let token = self.token.iter().map(|token| ("token".to_owned(), Value::Record(token.clone())));
        self.context.iter().cloned().chain(token).collect()
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("action", &self.action).finish_non_exhaustive()
    }
}

/// API Gateway sends no empty map on, and the authorizer of Verified Permissions neither.
fn add(context: &mut Record, name: &str, record: Record) {
    if !record.is_empty() {
        context.push((name.to_owned(), Value::Record(record)));
    }
}

fn principal(claims: &Claims, issuer_name: &str) -> Option<Principal> {
    let client_id = claims.client_id().and_then(Json::as_str).filter(|id| !id.is_empty());
    // RFC 9068 2.2: a token that no user stands behind has the client as its subject.
    let is_client = match claims.is_cognito() {
        true => claims.is_cognito_client_token(),
        false => claims.subject().is_none() || claims.subject() == client_id,
    };
    let (kind, name) = match is_client {
        true => (PrincipalKind::Client, client_id?),
        false => (PrincipalKind::User, claims.subject()?),
    };
    Some(Principal { kind, id: format!("{issuer_name}|{name}") })
}

/// The texts of a list, or of one text that may stand for several. Another type, or a list with
/// another type in it, is not passed over.
fn words<'a>(claim: Option<&'a Json>, split: impl Fn(&'a str) -> Vec<&'a str>) -> Result<Vec<&'a str>, NotAsked> {
    let not_texts = NotAsked("the token's scopes or groups are not all texts");
    match claim {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::String(only)) if only.is_empty() => Ok(Vec::new()),
        Some(Json::String(only)) => Ok(split(only)),
        Some(Json::Array(items)) => items.iter().map(Json::as_str).collect::<Option<_>>().ok_or(not_texts),
        Some(Json::Bool(_) | Json::Number(_) | Json::Object(_)) => Err(not_texts),
    }
}

fn one(only: &str) -> Vec<&str> {
    vec![only]
}

/// The claims under their own names; scopes and groups are sets, however they are written.
fn record(claims: &Claims) -> Result<Record, NotAsked> {
    let own = claims.all().iter().filter(|(name, _)| !SETS.contains(&name.as_str()));
    let mut record: Record = own.filter_map(|(name, claim)| Some((name.clone(), Value::of_claim(claim)?))).collect();
    if let Some(scope) = claims.scope().filter(|scope| !scope.is_null()) {
        let scopes = words(Some(scope), |several| several.split(' ').filter(|scope| !scope.is_empty()).collect())?;
        record.push((SCOPE.to_owned(), Value::texts(scopes)));
    }
    if let Some(groups) = claims.all().get(COGNITO_GROUPS).filter(|groups| !groups.is_null()) {
        record.push((COGNITO_GROUPS.to_owned(), Value::texts(words(Some(groups), one)?)));
    }
    Ok(record)
}

fn query(details: &Details<'_>) -> Result<Record, NotAsked> {
    let mut record = Record::new();
    for (name, value) in &details.query {
        let value = Value::Text(value.clone().into_owned());
        match record.iter().find(|(known, _)| known == name) {
            Some((_, known)) if *known == value => {}
            Some(_) => return Err(NotAsked("a query parameter has two values")),
            None => record.push((name.clone().into_owned(), value)),
        }
    }
    Ok(record)
}

const SCOPE: &str = "scope";

const COGNITO_GROUPS: &str = "cognito:groups";

const SETS: [&str; 2] = [SCOPE, COGNITO_GROUPS];
