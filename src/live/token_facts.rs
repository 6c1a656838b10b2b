//! What an issuer is asked about: the facts of a verified token, for its answer to be compared with.

use crate::request::UnixSeconds;
use crate::token::Claims;
use serde_json::Value;

/// What a verified token says, for the answer to be held against.
pub(super) struct TokenFacts {
    pub(super) issuer: String,
    pub(super) subject: Option<String>,
    pub(super) username: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) audience: Option<Value>,
    /// What binds it to its sender.
    pub(super) confirmation: Option<Value>,
    /// Now, as far as the issuer's clock may be ahead.
    pub(super) latest: UnixSeconds,
    /// Whether it has the scope that a UserInfo endpoint asks for.
    pub(super) has_openid: bool,
    pub(super) now: UnixSeconds,
}

impl TokenFacts {
    pub(super) fn of(claims: &Claims, now: UnixSeconds) -> Self {
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            issuer: claims.issuer().to_owned(),
            subject: claims.subject().map(str::to_owned),
            username: text(claims.pool_username()),
            client_id: text(claims.client_id()),
            audience: claims.get("aud").cloned(),
            confirmation: claims.get("cnf").cloned(),
            latest: now.plus(claims.leeway()),
            has_openid: claims.has_scope("openid"),
            now,
        }
    }
}
