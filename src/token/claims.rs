//! A verified token becomes [`Claims`] once it is known to be meant for us, by
//! this issuer's rules, now (RFC 7519 4.1, RFC 9068 4, Cognito's token reference).

use super::claim_path::ClaimPath;
use super::credential::{CredentialKind, VerifiedRecord};
use super::dpop::KeyProof;
use super::expectations::{Audience, ClientIds, Expectations, IssuerKind, TokenUse};
use super::introspected::IntrospectedToken;
use super::jwt::VerifiedJwt;
use super::sender::{Proven, Sender};
use super::text_list::ListForm;
use crate::denial::Denial;
use crate::request::UnixSeconds;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The claims of a token that was signed by its issuer, is meant for us, and holds
/// now. Its `Debug` shows none of them.
pub struct Claims {
    expectations: Arc<Expectations>,
    /// The configured issuer, or the one of its tenants that the token is from.
    issuer: Arc<str>,
    payload: Map<String, Value>,
    /// What the issuer writes as a text and the configuration calls a list.
    lists: Lists,
    dates: Dates,
    origin: Origin,
    proven: Proven,
}

/// What claims come from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Jwt,
    Introspected,
    /// A credential that is no token, its id, and another one that it may be revoked by.
    Record(CredentialKind, String, Option<String>),
}

/// The dates in a token, each found to be one.
#[derive(Clone, Copy, Debug)]
struct Dates {
    expires: UnixSeconds,
    not_before: Option<UnixSeconds>,
    issued_at: Option<UnixSeconds>,
    authenticated: Option<UnixSeconds>,
}

/// The claims in which an issuer keeps what other issuers keep elsewhere; `None`
/// stands for the usual places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimNames {
    /// Instead of `scope`, else `scp`.
    pub scope: Option<MappedList>,
    /// Instead of `cognito:groups`.
    pub groups: Option<MappedList>,
    /// Instead of `username`, else `cognito:username`.
    pub username: Option<ClaimPath>,
    /// Instead of `client_id`, else `azp`; never of a user pool.
    pub client_id: Option<ClaimPath>,
}

/// A claim with several values, and how a text in it holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedList {
    /// Where it is.
    pub path: ClaimPath,
    /// `None`: a text is one group, or scopes separated by spaces.
    pub form: Option<ListForm>,
}

/// Lists that were read out of texts.
#[derive(Default)]
struct Lists {
    scope: Option<Value>,
    groups: Option<Value>,
}

impl VerifiedJwt {
    /// Holds the claims against what their issuer's tokens must look like.
    ///
    /// `sender` is who sends the request, for tokens that are bound to one.
    ///
    /// # Errors
    /// [`Denial::MalformedClaims`], [`Denial::TokenExpired`],
    /// [`Denial::TokenNotYetValid`], [`Denial::WrongTyp`], [`Denial::WrongTokenUse`],
    /// [`Denial::WrongClient`], [`Denial::WrongAudience`], [`Denial::SenderNotProven`].
    pub fn into_claims(
        self,
        expectations: &Arc<Expectations>,
        now: UnixSeconds,
        sender: &Sender<'_>,
    ) -> Result<Claims, Denial> {
        check_typ(self.proof.typ.as_deref(), expectations.typ.as_deref())?;
        let claims = Claims::accept(self.payload, None, expectations, now, sender, Origin::Jwt)?;
        // Here, so that it holds for a token that was verified before, too.
        if !expectations.is_key_of(&self.proof.key, &claims.issuer) {
            return Err(Denial::UnknownKey);
        }
        Ok(claims)
    }
}

impl IntrospectedToken {
    /// Holds what the issuer says of an opaque token against what its tokens must
    /// look like, as for a token that carries its claims itself. The answer need
    /// not name its issuer (RFC 7662 2.2): it came from there.
    ///
    /// # Errors
    /// As [`VerifiedJwt::into_claims`], but for the `typ` header, which an opaque
    /// token has not.
    pub fn into_claims(
        mut self,
        expectations: &Arc<Expectations>,
        now: UnixSeconds,
        sender: &Sender<'_>,
    ) -> Result<Claims, Denial> {
        // With tenants this name is nobody's, so that such an answer must say whose the token is.
        self.payload.entry("iss").or_insert_with(|| Value::String(expectations.issuer.to_string()));
        Claims::accept(self.payload, None, expectations, now, sender, Origin::Introspected)
    }
}

impl VerifiedRecord {
    /// The claims of a credential that is no token. Who it is from and its dates are facts of the credential: claims of
    /// these names in its record do not count.
    ///
    /// # Errors
    /// [`Denial::MalformedClaims`], [`Denial::TokenExpired`], [`Denial::TokenNotYetValid`].
    pub fn into_claims(self, expectations: &Arc<Expectations>, now: UnixSeconds) -> Result<Claims, Denial> {
        let Self { kind, id, other_id, claims: mut payload, issued_at, expires } = self;
        payload.retain(|name, _| !FACTS_OF_A_CREDENTIAL.contains(&name.as_str()));
        payload.insert("iss".to_owned(), expectations.issuer.to_string().into());
        let known = [("iat", issued_at), ("exp", Some(expires).filter(|expires| *expires != UnixSeconds::LAST))];
        payload.extend(known.into_iter().filter_map(|(name, date)| Some((name.to_owned(), seconds(date?)))));
        let dates = Dates { expires, not_before: None, issued_at, authenticated: None };
        Claims::accept(payload, Some(dates), expectations, now, &Sender::default(), Origin::Record(kind, id, other_id))
    }
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claims").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Claims {
    fn accept(
        payload: Map<String, Value>,
        dates: Option<Dates>,
        expectations: &Arc<Expectations>,
        now: UnixSeconds,
        sender: &Sender<'_>,
        origin: Origin,
    ) -> Result<Self, Denial> {
        let issuer = expectations.issuer_of(&payload).ok_or(Denial::UnknownIssuer)?;
        check_identifiers(&payload)?;
        let dates = dates.map_or_else(|| Dates::read(&payload), Ok)?;
        dates.check(now, expectations.leeway)?;
        match &expectations.kind {
            IssuerKind::Cognito { token_uses } => check_cognito(&payload, expectations, token_uses)?,
            IssuerKind::Oidc => {
                check_client(&expectations.client_ids, oidc_client(&payload, expectations))?;
                check_audience(&payload, &expectations.audience)?;
            }
        }
        let dpop = expectations.dpop.as_ref();
        let proven = sender.prove(payload.get("cnf"), dpop, now, expectations.leeway)?;
        let lists = Lists::read(&expectations.claim_names, &payload);
        Ok(Self { expectations: Arc::clone(expectations), issuer, payload, lists, dates, origin, proven })
    }

    /// The token's own claim of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.payload.get(name)
    }

    /// The token's own claim in that place.
    #[must_use]
    pub fn at(&self, path: &ClaimPath) -> Option<&Value> {
        path.find(&self.payload)
    }

    /// All of the token's own claims.
    pub(crate) fn all(&self) -> &Map<String, Value> {
        &self.payload
    }

    /// The issuer, as configured, or its tenant.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A non-empty `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// Whom a policy is about: `sub`, else the client; `None` where the token names neither.
    #[must_use]
    pub fn principal_id(&self) -> Option<&str> {
        self.subject().or_else(|| self.client_id().and_then(Value::as_str).filter(|id| !id.is_empty()))
    }

    /// When the user authenticated (`auth_time`).
    #[must_use]
    pub fn auth_time(&self) -> Option<UnixSeconds> {
        self.dates.authenticated
    }

    /// When the token ends (`exp`).
    #[must_use]
    pub fn expires(&self) -> UnixSeconds {
        self.dates.expires
    }

    /// When the token was issued (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> Option<UnixSeconds> {
        self.dates.issued_at
    }

    /// Whether they hold for one connection or request alone: a token that is bound to its sender (RFC 7800), a
    /// client certificate, a signed request. What API Gateway caches answers by does not name these.
    #[must_use]
    pub fn are_sender_bound(&self) -> bool {
        match self.credential() {
            CredentialKind::Certificate | CredentialKind::Signature => true,
            CredentialKind::Jwt | CredentialKind::Opaque | CredentialKind::ApiKey => self.payload.contains_key("cnf"),
        }
    }

    /// Whether they are those of a token that is bound to the client certificate of this connection (RFC 8705).
    #[must_use]
    pub fn are_bound_to_certificate(&self) -> bool {
        // INVARIANT: a `cnf` was proven when the claims were accepted.
        self.payload.get("cnf").and_then(Value::as_object).is_some_and(|cnf| cnf.contains_key("x5t#S256"))
    }

    /// The proof that came with the token, which must not have been used before (RFC 9449 11.1).
    #[must_use]
    pub fn key_proof(&self) -> Option<&KeyProof> {
        self.proven.key_proof.as_ref()
    }

    /// Whether the issuer itself told these claims just now.
    #[must_use]
    pub fn were_introspected(&self) -> bool {
        self.origin == Origin::Introspected
    }

    /// What kind of credential they come from.
    #[must_use]
    pub fn credential(&self) -> CredentialKind {
        match self.origin {
            Origin::Jwt => CredentialKind::Jwt,
            Origin::Introspected => CredentialKind::Opaque,
            Origin::Record(kind, ..) => kind,
        }
    }

    /// What names the credential, where it is no token: a key's id, the SHA-256 of a certificate.
    #[must_use]
    pub fn credential_id(&self) -> Option<&str> {
        match &self.origin {
            Origin::Jwt | Origin::Introspected => None,
            Origin::Record(_, id, _) => Some(id),
        }
    }

    /// The other id that the credential, or the certificate that a token is bound to, may be revoked by.
    pub(super) fn other_credential_id(&self) -> Option<&str> {
        match &self.origin {
            Origin::Jwt | Origin::Introspected => self.proven.signed_fingerprint.as_deref(),
            Origin::Record(_, _, other_id) => other_id.as_deref(),
        }
    }

    /// Whether this is Cognito's ID token, which no endpoint can be asked about.
    #[must_use]
    pub fn is_cognito_id_token(&self) -> bool {
        self.is_cognito() && text(&self.payload, "token_use") == Some("id")
    }

    /// Whether this is Cognito's client-credentials token, which has no user.
    #[must_use]
    pub fn is_cognito_client_token(&self) -> bool {
        let is_access_token = self.text("token_use") == Some("access");
        let is_its_own_subject = self.subject().is_some_and(|subject| self.text("client_id") == Some(subject));
        // A user name of any type, null too, is doubt: then the user is asked for.
        let names_no_user = !USERNAMES.iter().any(|name| self.payload.contains_key(*name));
        self.is_cognito() && is_access_token && names_no_user && is_its_own_subject
    }

    /// Whether the issuer is a Cognito user pool.
    pub(crate) fn is_cognito(&self) -> bool {
        matches!(self.expectations.kind, IssuerKind::Cognito { .. })
    }

    /// How far this issuer's clock may differ from ours.
    #[must_use]
    pub(crate) fn leeway(&self) -> std::time::Duration {
        self.expectations.leeway
    }

    /// The token's scopes: a string of words or a list, as the issuer writes it.
    #[must_use]
    pub fn scope(&self) -> Option<&Value> {
        match &self.expectations.claim_names.scope {
            Some(mapped) => self.lists.scope.as_ref().or_else(|| self.at(&mapped.path)),
            None => first_present(&self.payload, &["scope", "scp"]),
        }
    }

    /// The user's groups: a list, or one string.
    #[must_use]
    pub fn groups(&self) -> Option<&Value> {
        match &self.expectations.claim_names.groups {
            Some(mapped) => self.lists.groups.as_ref().or_else(|| self.at(&mapped.path)),
            None => self.payload.get("cognito:groups"),
        }
    }

    /// The user's name.
    #[must_use]
    pub fn username(&self) -> Option<&Value> {
        match &self.expectations.claim_names.username {
            Some(path) => self.at(path),
            None => self.pool_username(),
        }
    }

    /// The name under which a user pool knows the user, whatever `username` is mapped to.
    #[must_use]
    pub(crate) fn pool_username(&self) -> Option<&Value> {
        first_present(&self.payload, &USERNAMES)
    }

    /// The client that the token was issued to.
    #[must_use]
    pub fn client_id(&self) -> Option<&Value> {
        // The claim that was held against `client_ids`.
        match (&self.expectations.kind, self.is_cognito_id_token()) {
            (IssuerKind::Cognito { .. }, true) => self.payload.get("aud"),
            (IssuerKind::Cognito { .. }, false) => self.payload.get("client_id"),
            (IssuerKind::Oidc, _) => oidc_client(&self.payload, &self.expectations),
        }
    }

    /// Whether the scopes have this one.
    #[must_use]
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        match self.scope() {
            // RFC 6749 3.3: scopes are separated by single spaces.
            Some(Value::String(words)) => words.split(' ').any(|word| word == scope),
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(scope)),
            _ => false,
        }
    }

    /// Whether the groups have this one.
    #[must_use]
    pub(crate) fn has_group(&self, group: &str) -> bool {
        match self.groups() {
            Some(Value::String(only)) => only == group,
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(group)),
            _ => false,
        }
    }

    /// A claim that is a non-empty string.
    #[must_use]
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        text(&self.payload, name).filter(|value| !value.is_empty())
    }
}

impl Lists {
    fn read(names: &ClaimNames, payload: &Map<String, Value>) -> Self {
        let read = |mapped: &Option<MappedList>| {
            let MappedList { path, form: Some(form) } = mapped.as_ref()? else { return None };
            let text = path.find(payload)?.as_str()?;
            Some(form.read(text).into())
        };
        Self { scope: read(&names.scope), groups: read(&names.groups) }
    }
}

/// The revocation table names tokens and users by these claims. One that is present but is not a
/// non-empty text could not be looked up there, and the token would pass after its revocation.
fn check_identifiers(payload: &Map<String, Value>) -> Result<(), Denial> {
    for (name, otherwise) in [
        ("sub", "sub is not a non-empty text"),
        ("jti", "jti is not a non-empty text"),
        ("origin_jti", "origin_jti is not a non-empty text"),
    ] {
        if payload.get(name).is_some_and(|value| value.as_str().is_none_or(str::is_empty)) {
            return Err(Denial::MalformedClaims(otherwise));
        }
    }
    Ok(())
}

/// The client of an OIDC token: the mapped claim, or `client_id`, else `azp`. Where clients are
/// checked, a `client_id` that is null is no reason to read `azp`.
fn oidc_client<'a>(payload: &'a Map<String, Value>, expectations: &Expectations) -> Option<&'a Value> {
    match (&expectations.claim_names.client_id, &expectations.client_ids) {
        (Some(path), ClientIds::Unchecked) => path.find(payload).filter(|client| !client.is_null()),
        (Some(path), _) => path.find(payload),
        (None, ClientIds::Unchecked) => first_present(payload, &["client_id", "azp"]),
        (None, _) => payload.get("client_id").or_else(|| payload.get("azp")),
    }
}

impl Dates {
    fn read(payload: &Map<String, Value>) -> Result<Self, Denial> {
        let expires = date(payload, "exp", "exp is not a date")?.ok_or(Denial::MalformedClaims("exp is missing"))?;
        let not_before = date(payload, "nbf", "nbf is not a date")?;
        let issued_at = date(payload, "iat", "iat is not a date")?;
        let authenticated = date(payload, "auth_time", "auth_time is not a date")?;
        Ok(Self { expires, not_before, issued_at, authenticated })
    }

    fn check(&self, now: UnixSeconds, leeway: std::time::Duration) -> Result<(), Denial> {
        // RFC 7519 4.1.4: "on or after which the JWT MUST NOT be accepted".
        if self.expires.plus(leeway) <= now {
            return Err(Denial::TokenExpired);
        }
        if [self.not_before, self.issued_at].into_iter().flatten().any(|date| date > now.plus(leeway)) {
            return Err(Denial::TokenNotYetValid);
        }
        Ok(())
    }
}

/// RFC 7515 4.1.9: a `typ` without a slash stands for `application/` and it;
/// media types are compared in any case.
fn check_typ(actual: Option<&str>, required: Option<&str>) -> Result<(), Denial> {
    let Some(required) = required else { return Ok(()) };
    let actual = actual.ok_or(Denial::WrongTyp)?;
    if short_type(actual).eq_ignore_ascii_case(short_type(required)) { Ok(()) } else { Err(Denial::WrongTyp) }
}

fn short_type(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => media_type,
    }
}

fn check_cognito(
    payload: &Map<String, Value>,
    expectations: &Expectations,
    token_uses: &[TokenUse],
) -> Result<(), Denial> {
    let token_use = text(payload, "token_use").and_then(TokenUse::parse).ok_or(Denial::WrongTokenUse)?;
    if !token_uses.contains(&token_use) {
        return Err(Denial::WrongTokenUse);
    }
    match token_use {
        TokenUse::Access => {
            check_client(&expectations.client_ids, payload.get("client_id"))?;
            check_audience(payload, &expectations.audience)
        }
        TokenUse::Id => check_client(&expectations.client_ids, payload.get("aud")),
    }
}

/// A client claim that is present must be a non-empty text, even where any client is accepted: the
/// revocation table and the rules know clients by it.
fn check_client(accepted: &ClientIds, claim: Option<&Value>) -> Result<(), Denial> {
    let client = match claim {
        Some(claim) => Some(claim.as_str().filter(|client| !client.is_empty()).ok_or(Denial::WrongClient)?),
        None => None,
    };
    if accepted.accept(client) { Ok(()) } else { Err(Denial::WrongClient) }
}

/// RFC 7519 4.1.3: `aud` is one string or an array of strings.
fn check_audience(payload: &Map<String, Value>, accepted: &Audience) -> Result<(), Denial> {
    let accepted = match accepted {
        Audience::Unchecked => return Ok(()),
        Audience::Absent if payload.contains_key("aud") => return Err(Denial::WrongAudience),
        Audience::Absent => return Ok(()),
        Audience::OneOf(accepted) => accepted,
    };
    let is_accepted = |audience: &str| accepted.iter().any(|one| one == audience);
    let holds = match payload.get("aud") {
        Some(Value::String(audience)) => is_accepted(audience),
        Some(Value::Array(audiences)) => {
            let all: Option<Vec<&str>> = audiences.iter().map(Value::as_str).collect();
            all.is_some_and(|all| all.into_iter().any(is_accepted))
        }
        _ => false,
    };
    if holds { Ok(()) } else { Err(Denial::WrongAudience) }
}

fn date(payload: &Map<String, Value>, name: &str, otherwise: &'static str) -> Result<Option<UnixSeconds>, Denial> {
    match payload.get(name) {
        None => Ok(None),
        Some(value) => {
            let date = value.as_f64().and_then(UnixSeconds::new);
            date.map(Some).ok_or(Denial::MalformedClaims(otherwise))
        }
    }
}

fn text<'a>(payload: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    payload.get(name).and_then(Value::as_str)
}

/// The first of these claims that is there and not null.
fn first_present<'a>(payload: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().filter_map(|name| payload.get(*name)).find(|value| !value.is_null())
}

/// Whole seconds where they are.
fn seconds(date: UnixSeconds) -> Value {
    let number = format!("{}", date.as_f64());
    number.parse().map_or(Value::Null, Value::Number)
}

/// What a record cannot say of its own credential.
pub const FACTS_OF_A_CREDENTIAL: [&str; 9] =
    ["iss", "exp", "iat", "nbf", "cnf", "aud", "auth_time", "token_use", "origin_jti"];

/// Where Cognito keeps the user's name: in access tokens, and in ID tokens.
const USERNAMES: [&str; 2] = ["username", "cognito:username"];

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
