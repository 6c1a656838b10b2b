//! Which kind of credential a request presents: exactly one.

use crate::denial::Denial;
use crate::request::{Credential, Request};
use crate::token::{BearerToken, CredentialKind};

/// The kind of a request's credential; of a token, the token.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented<'a> {
    /// A token. Where the request carries a client certificate that is a credential of its own, the token must be
    /// bound to it.
    Token {
        /// The token.
        token: BearerToken<'a>,
        /// Whether the request carries such a certificate.
        beside_certificate: bool,
    },
    /// A credential of this kind that is no token, not yet looked at.
    Other(CredentialKind),
}

/// Finds the one credential. `taken` are the kinds, other than tokens, that some issuer takes: others count for nothing.
///
/// A place for a credential in which there is none (an empty header) counts where another kind is presented: API Gateway
/// may keep the answer under that emptiness, for everybody who sends it.
///
/// # Errors
/// [`Denial::MissingToken`], [`Denial::AmbiguousToken`], [`Denial::TokenTooLarge`].
pub fn presented<'a>(request: &'a Request<'_>, taken: &[CredentialKind]) -> Result<Presented<'a>, Denial> {
    let token = BearerToken::from_request(request);
    if taken.is_empty() {
        return Ok(Presented::Token { token: token?, beside_certificate: false });
    }
    let others: Vec<CredentialKind> = taken.iter().copied().filter(|kind| is_in(request, *kind)).collect();
    match (token, others.as_slice()) {
        (token, []) => Ok(Presented::Token { token: token?, beside_certificate: false }),
        (Ok(token), [CredentialKind::Certificate]) => Ok(Presented::Token { token, beside_certificate: true }),
        (Err(Denial::MissingToken), [only]) if request.credentials.is_empty() => match is_empty(request, *only) {
            true => Err(Denial::MissingToken),
            false => Ok(Presented::Other(*only)),
        },
        (Ok(_) | Err(_), _) => Err(Denial::AmbiguousToken),
    }
}

/// Whether the request has a place for a credential of this kind.
fn is_in(request: &Request<'_>, kind: CredentialKind) -> bool {
    match kind {
        CredentialKind::Jwt | CredentialKind::Opaque => false,
        CredentialKind::ApiKey => !request.api_keys.is_empty(),
        CredentialKind::Certificate => request.client_certificate.as_ref().is_some_and(|pem| !pem.is_empty()),
        CredentialKind::Signature => request.message.as_ref().is_some_and(|message| {
            ["signature", "signature-input"].into_iter().any(|name| message.header(name).next().is_some())
        }),
    }
}

/// Whether there is nothing in that place.
fn is_empty(request: &Request<'_>, kind: CredentialKind) -> bool {
    kind == CredentialKind::ApiKey && request.api_keys.iter().all(|Credential(value)| value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Message;
    use CredentialKind::{ApiKey, Certificate, Signature};

    const ALL: [CredentialKind; 3] = [ApiKey, Certificate, Signature];

    fn with(
        tokens: &[&'static str],
        keys: &[&'static str],
        pem: Option<&'static str>,
        signed: bool,
    ) -> Request<'static> {
        let credentials = |values: &[&'static str]| values.iter().map(|value| Credential((*value).into())).collect();
        let headers = if signed { vec![("signature".to_owned(), "sig1=:YQ==:".into())] } else { Vec::new() };
        Request {
            api_keys: credentials(keys),
            client_certificate: pem.map(Into::into),
            message: Some(Message { headers, ..Message::default() }),
            ..Request::new("GET", "/", credentials(tokens))
        }
    }

    #[track_caller]
    fn check(request: &Request<'_>, taken: &[CredentialKind], expected: Result<&str, Denial>) {
        let found = presented(request, taken).map(|presented| match presented {
            Presented::Token { beside_certificate: false, .. } => "token",
            Presented::Token { beside_certificate: true, .. } => "token beside certificate",
            Presented::Other(kind) => kind.name(),
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn one_credential_of_any_kind_is_taken() {
        check(&with(&["Bearer t"], &[], None, false), &ALL, Ok("token"));
        check(&with(&[], &["k"], None, false), &ALL, Ok("api_key"));
        check(&with(&[], &[], Some("pem"), false), &ALL, Ok("certificate"));
        check(&with(&[], &[], None, true), &ALL, Ok("signature"));
        check(&with(&[], &[], None, false), &ALL, Err(Denial::MissingToken));
        check(&with(&[], &[""], None, false), &ALL, Err(Denial::MissingToken));
    }

    #[test]
    fn two_kinds_are_ambiguous_but_for_a_token_with_its_certificate() {
        for request in [
            with(&["Bearer t"], &["k"], None, false),
            with(&["Bearer t"], &[""], None, false),
            with(&["Bearer t"], &[], None, true),
            with(&["Bearer t"], &["k"], Some("pem"), false),
            with(&["Bearer"], &["k"], None, false),
            with(&[""], &["k"], None, false),
            with(&[], &["k"], Some("pem"), false),
            with(&[], &["k"], None, true),
            with(&[], &[], Some("pem"), true),
        ] {
            check(&request, &ALL, Err(Denial::AmbiguousToken));
        }
        check(&with(&["Bearer t"], &[], Some("pem"), false), &ALL, Ok("token beside certificate"));
    }

    #[test]
    fn a_kind_that_no_issuer_takes_counts_for_nothing() {
        check(&with(&["Bearer t"], &["k"], Some("pem"), true), &[], Ok("token"));
        check(&with(&[], &["k"], Some("pem"), true), &[], Err(Denial::MissingToken));
        check(&with(&["Bearer t"], &["k"], None, true), &[Certificate], Ok("token"));
        check(&with(&[], &["k"], None, true), &[ApiKey], Ok("api_key"));
    }
}
