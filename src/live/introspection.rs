//! Token introspection, RFC 7662: asks an authorization server about a token, with
//! credentials of our own.

use super::check_error::CheckError;
use super::token_facts::TokenFacts;
use crate::bounded_store::Weight;
use crate::denial::Denial;
use crate::http::{Address, Exchange, FetchError, HttpsClient, Outage};
use crate::request::UnixSeconds;
use crate::token::{IntrospectedToken, Introspection};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An introspection endpoint and our credentials there.
pub struct IntrospectionEndpoint {
    address: Address,
    client_id: String,
    client_secret: String,
    authentication: ClientAuthentication,
    https: Arc<HttpsClient>,
    with_dpop: bool,
}

/// What an endpoint said of an active token, as text: read, it can take sixteen times
/// the memory.
#[derive(Clone)]
pub(super) struct AnswerText {
    text: Arc<[u8]>,
    expires: Option<UnixSeconds>,
}

/// How we prove who we are (RFC 6749 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `Authorization: Basic`.
    #[default]
    Basic,
    /// `client_id` and `client_secret` in the form.
    Post,
}

impl IntrospectionEndpoint {
    /// The endpoint at that address.
    #[must_use]
    pub fn new(
        address: Address,
        client_id: String,
        client_secret: String,
        authentication: ClientAuthentication,
        https: Arc<HttpsClient>,
    ) -> Self {
        Self { address, client_id, client_secret, authentication, https, with_dpop: false }
    }

    /// The same, of an issuer whose tokens may be called `DPoP` (RFC 9449 6.2), since they are bound to a key.
    #[must_use]
    pub fn with_dpop(self, with_dpop: bool) -> Self {
        Self { with_dpop, ..self }
    }

    /// Asks about a token that carries its claims: what the answer says must not
    /// contradict them. Returns when the token ends, where the answer says so.
    pub(super) async fn ask(
        &self,
        token: &str,
        about: &TokenFacts,
        timeout: Duration,
    ) -> Result<Option<UnixSeconds>, CheckError> {
        let (told, _) = self.ask_for_active(token, timeout).await?;
        agrees(&told, about)?;
        Ok(told.expires())
    }

    /// Asks about an opaque token, whose claims are the answer.
    pub(super) async fn resolve(&self, token: &str, timeout: Duration) -> Result<AnswerText, CheckError> {
        let (told, body) = self.ask_for_active(token, timeout).await?;
        Ok(AnswerText { text: body.as_ref().into(), expires: told.expires() })
    }

    async fn ask_for_active(&self, token: &str, timeout: Duration) -> Result<(IntrospectedToken, Bytes), CheckError> {
        let body = self.introspect(token, timeout).await.map_err(CheckError::Outage)?;
        let no_sense = || CheckError::Outage(Outage::answered("an answer that makes no sense"));
        match Introspection::parse(&body).ok_or_else(no_sense)? {
            // RFC 7662 2.2: a refresh token is active, too, and a DPoP token is no bearer token.
            Introspection::Active(told) if !self.is_accepted_type(&told) => Err(CheckError::Lasting(
                Denial::TokenInactive("the endpoint calls it something else than a bearer token"),
            )),
            Introspection::Active(told) => Ok((told, body)),
            Introspection::Inactive => Err(CheckError::Lasting(Denial::TokenInactive("active: false"))),
        }
    }

    /// Whether a token of this type may be taken for an access token.
    fn is_accepted_type(&self, told: &IntrospectedToken) -> bool {
        match told.get("token_type").filter(|value| !value.is_null()) {
            None => true,
            Some(kind) => kind.as_str().is_some_and(|kind| {
                let is_called = |known: &&str| kind.eq_ignore_ascii_case(known);
                ACCESS_TOKENS.iter().any(is_called) || self.with_dpop && is_called(&"DPoP")
            }),
        }
    }

    async fn introspect(&self, token: &str, timeout: Duration) -> Result<Bytes, Outage> {
        let authorization = match self.authentication {
            ClientAuthentication::Basic => Some(self.basic()?),
            ClientAuthentication::Post => None,
        };
        let exchange = Exchange {
            address: &self.address,
            authorization,
            form: Some(self.form(token)),
            max_bytes: MAX_BODY_BYTES,
            timeout,
        };
        let reply = self.https.exchange(exchange).await.map_err(FetchError::outage)?;
        match reply.status {
            200 => Ok(reply.body),
            // RFC 7662 2.3: it is our own credentials that are refused, and says
            // nothing about the token.
            401 | 403 => Err(Outage::answered("our client credentials were refused")),
            429 => Err(Outage::throttled()),
            status => Err(Outage::answered(format!("status {status}"))),
        }
    }

    fn form(&self, token: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        if self.authentication == ClientAuthentication::Post {
            form.append_pair("client_id", &self.client_id).append_pair("client_secret", &self.client_secret);
        }
        form.finish()
    }

    /// RFC 6749 2.3.1: both parts are form-encoded before they are joined.
    fn basic(&self) -> Result<HeaderValue, Outage> {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let credentials = STANDARD.encode(format!("{}:{}", encode(&self.client_id), encode(&self.client_secret)));
        HeaderValue::from_str(&format!("Basic {credentials}"))
            .map_err(|_| Outage::answered("our client credentials are not fit for a header"))
    }
}

impl AnswerText {
    /// When the token ends, where the answer says so in a way that makes sense.
    pub(super) fn expires(&self) -> Option<UnixSeconds> {
        self.expires
    }

    /// The claims, read anew.
    pub(super) fn read(&self) -> Result<IntrospectedToken, Denial> {
        match Introspection::parse(&self.text) {
            Some(Introspection::Active(told)) => Ok(told),
            // INVARIANT: the text was read when it came.
            Some(Introspection::Inactive) | None => Err(Denial::Internal("an answer that cannot be read again")),
        }
    }
}

impl Weight for AnswerText {
    fn bytes_elsewhere(&self) -> usize {
        self.text.len()
    }
}

impl fmt::Debug for IntrospectionEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionEndpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Holds what the answer says beside `active` against the token's own claims. What
/// either leaves out contradicts nothing.
fn agrees(token: &IntrospectedToken, about: &TokenFacts) -> Result<(), CheckError> {
    let differs = |name: &str, own: Option<&str>| match (token.get(name).filter(|value| !value.is_null()), own) {
        (Some(value), Some(own)) => value.as_str() != Some(own),
        _ => false,
    };
    if differs("sub", about.subject.as_deref())
        || differs("client_id", about.client_id.as_deref())
        || differs("iss", Some(&about.issuer))
        || audiences_are_apart(token.get("aud"), about.audience.as_ref())
    {
        return Err(CheckError::Lasting(Denial::TokenInactive("the endpoint speaks of another token")));
    }
    // RFC 8705 3.2: the binding may stand in the answer alone. One that the token
    // has itself was held against its sender already.
    let told_binding = token.get("cnf").filter(|value| !value.is_null());
    if told_binding.is_some() && told_binding != about.confirmation.as_ref() {
        return Err(CheckError::Lasting(Denial::SenderNotProven("the endpoint says that the token is bound")));
    }
    let not_before = token.get("nbf").filter(|value| !value.is_null());
    if not_before.is_some_and(|date| date.as_f64().and_then(UnixSeconds::new).is_none_or(|date| date > about.latest)) {
        return Err(CheckError::Passing(Denial::TokenInactive("not yet valid, the endpoint says")));
    }
    match (token.get("exp").filter(|value| !value.is_null()), token.expires()) {
        (None, _) => Ok(()),
        (Some(_), Some(expires)) if expires > about.now => Ok(()),
        (Some(_), Some(_)) => Err(CheckError::Lasting(Denial::TokenInactive("expired, the endpoint says"))),
        (Some(_), None) => Err(CheckError::Outage(Outage::answered("an answer that makes no sense"))),
    }
}

fn audiences_are_apart(one: Option<&Value>, other: Option<&Value>) -> bool {
    let names = |value: &Value| -> Vec<String> {
        let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    match (one.filter(|value| !value.is_null()), other) {
        (Some(one), Some(other)) => {
            let other = names(other);
            !names(one).iter().any(|name| other.contains(name))
        }
        _ => false,
    }
}

/// An answer has the claims of one token.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// OpenID providers also write what kind of token it is.
const ACCESS_TOKENS: [&str; 3] = ["bearer", "access_token", "urn:ietf:params:oauth:token-type:access_token"];
