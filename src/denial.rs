//! Every reason for "no".
//!
//! A [`Denial`] carries one fact: its stable [`code`](Denial::code) goes to the log
//! and the metrics, its [`class`](Denial::class) decides what the client sees, and
//! its [`detail`](Denial::detail) tells the operator which of several causes it was.
//! None of them holds a part of a token.

use std::borrow::Cow;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The token's `alg` is missing, unknown, or not among its issuer's algorithms (RFC 8725 3.1).
    AlgorithmNotAllowed,
    /// Two different credentials in one request (RFC 6750 2).
    AmbiguousToken,
    /// `auth_time` is missing or older than the route allows (RFC 9470).
    AuthenticationTooOld,
    /// The signature of a request does not verify, or is not of the form that its issuer asks for (RFC 9421).
    BadRequestSignature(&'static str),
    /// The signature does not verify under the issuer's key.
    BadSignature,
    /// A claim does not have the value that the route asks for.
    ClaimMismatch(Missed),
    /// A client, issuer or kind of token that the route does not serve, no branch of an `any` holds, or the
    /// Cedar policies do not grant it.
    Forbidden,
    /// The same, with which of them it was, or that the rule of the route that API Gateway runs does not hold.
    ForbiddenFor(&'static str),
    /// None of the route's groups, or not all of them.
    InsufficientGroup(Missed),
    /// None of the route's scopes, or not all of them (RFC 6750 3.1).
    InsufficientScope {
        /// The scopes that the route asks for, separated by spaces.
        needed: String,
        /// What the token has in the place of one.
        missed: Missed,
    },
    /// Something that must not happen did; never an allow.
    Internal(&'static str),
    /// An API key that is unknown, disabled, expired or not the one of its id.
    InvalidKey(&'static str),
    /// The issuer, or its user's directory, could not be asked about the token.
    IntrospectionUnavailable(Cow<'static, str>),
    /// The issuer's keys are not known and cannot be had now.
    JwksUnavailable(Cow<'static, str>),
    /// The table of API keys and signature keys could not be read.
    KeysUnavailable(Cow<'static, str>),
    /// A time claim is missing or not a number (RFC 7519 4.1).
    MalformedClaims(&'static str),
    /// The event is none that API Gateway sends.
    MalformedEvent(&'static str),
    /// The credential is not a JWS in compact form (RFC 7515 7.1).
    MalformedToken(&'static str),
    /// The request carries no credential.
    MissingToken,
    /// No route of the table serves this method and path.
    NoRoute,
    /// The route asks for a live check that this token cannot have.
    NotIntrospectable(&'static str),
    /// The Cedar policies could not be asked.
    PermissionsUnavailable(Cow<'static, str>),
    /// The table of revocations could not be read.
    RevocationsUnavailable(Cow<'static, str>),
    /// The token is bound to a sender who has not proven to be it (RFC 8705, RFC 9449).
    SenderNotProven(&'static str),
    /// `exp` has passed.
    TokenExpired,
    /// The token's issuer says that it, or its user, is not active.
    TokenInactive(&'static str),
    /// `nbf` or `iat` lies in the future.
    TokenNotYetValid,
    /// The token, its session, its user or its client was revoked.
    TokenRevoked(&'static str),
    /// More bytes than a token may have.
    TokenTooLarge,
    /// A client certificate that no configured authority vouches for, or whose subject has no identity here.
    UnknownCertificate(&'static str),
    /// `iss` is missing or none of the configured issuers.
    UnknownIssuer,
    /// The issuer has no fitting key under this `kid`.
    UnknownKey,
    /// A path that a backend could read differently.
    UnsafePath(&'static str),
    /// None of the accepted audiences is in `aud`.
    WrongAudience,
    /// The token was issued to a client that is not accepted.
    WrongClient,
    /// An access token where an ID token is expected, or the other way round.
    WrongTokenUse,
    /// The `typ` header is not the required one (RFC 8725 3.11).
    WrongTyp,
}

/// What a token has where a rule asks for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Nothing: the claim is not there, or null.
    Claim,
    /// So many groups that the issuer left them out and names a place to ask (Entra ID).
    Overage,
    /// A value of another type.
    Type,
    /// Another value.
    Value,
}

impl Missed {
    fn detail(self) -> &'static str {
        match self {
            Missed::Claim => "the claim is missing",
            Missed::Overage => "the issuer left the groups out: the user has too many",
            Missed::Type => "the claim has another type",
            Missed::Value => "the claim has another value",
        }
    }
}

/// What a denial means to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 401: no good token.
    Unauthorized,
    /// 403: a good token that may not do this.
    Forbidden,
    /// 500: no decision could be made.
    Unavailable,
}

/// What is fixed for all denials of one kind.
struct Reason {
    code: &'static str,
    class: Class,
    lasts: Lasts,
    description: &'static str,
}

/// For what a refusal holds.
enum Lasts {
    /// For all that the token may ask for, for as long as it exists.
    ForGood,
    /// For this moment: the same request may be right a little later.
    ForNow,
    /// For this request; another one with the same token may be right.
    ThisRequest,
}

fn row(code: &'static str, class: Class, lasts: Lasts, description: &'static str) -> Reason {
    Reason { code, class, lasts, description }
}

impl std::error::Error for Denial {}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.detail() {
            Some(detail) => write!(f, "{}: {detail}", self.code()),
            None => f.write_str(self.code()),
        }
    }
}

impl Denial {
    /// The stable name of this reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.reason().code
    }

    /// What this reason means to the client.
    #[must_use]
    pub fn class(&self) -> Class {
        self.reason().class
    }

    /// Whether a token that is refused for this reason is refused on every route and for as
    /// long as an answer is cached, so that its denial may be kept for all that it asks for.
    #[must_use]
    pub fn is_final_for_the_token(&self) -> bool {
        matches!(self.reason().lasts, Lasts::ForGood)
    }

    /// A fixed sentence for the client, within RFC 6750's characters for
    /// `error_description` (%x20-21 / %x23-5B / %x5D-7E). Of a token that was not
    /// accepted it says only what the token's owner knows anyway.
    #[must_use]
    pub fn description(&self) -> &'static str {
        self.reason().description
    }

    /// The table of reasons: one row each.
    #[rustfmt::skip]
    fn reason(&self) -> Reason {
        use Class::{Forbidden, Unauthorized, Unavailable};
        use Lasts::{ForGood, ForNow, ThisRequest};
        match self {
            Denial::AlgorithmNotAllowed => row("algorithm_not_allowed", Unauthorized, ForGood, INVALID),
            Denial::AmbiguousToken => row("ambiguous_token", Unauthorized, ThisRequest, INVALID),
            Denial::AuthenticationTooOld => row("authentication_too_old", Forbidden, ThisRequest, TOO_OLD),
            Denial::BadRequestSignature(_) => row("bad_signature", Unauthorized, ThisRequest, BAD_SIGNATURE),
            Denial::BadSignature => row("bad_signature", Unauthorized, ForGood, INVALID),
            Denial::ClaimMismatch(_) => row("claim_mismatch", Forbidden, ThisRequest, OTHER_RESOURCE),
            Denial::Forbidden | Denial::ForbiddenFor(_) => row("forbidden", Forbidden, ThisRequest, NOT_HERE),
            Denial::InsufficientGroup(_) => row("insufficient_group", Forbidden, ThisRequest, NO_GROUP),
            Denial::InsufficientScope { .. } => row("insufficient_scope", Forbidden, ThisRequest, NO_SCOPE),
            Denial::Internal(_) => row("internal", Unavailable, ForNow, UNDECIDED),
            // A key may be made or enabled a moment later.
            Denial::InvalidKey(_) => row("invalid_key", Unauthorized, ForNow, BAD_KEY),
            Denial::IntrospectionUnavailable(_) => row("introspection_unavailable", Unavailable, ForNow, UNDECIDED),
            Denial::JwksUnavailable(_) => row("jwks_unavailable", Unavailable, ForNow, UNDECIDED),
            Denial::KeysUnavailable(_) => row("keys_unavailable", Unavailable, ForNow, UNDECIDED),
            Denial::MalformedClaims(_) => row("malformed_claims", Unauthorized, ForGood, INVALID),
            Denial::MalformedEvent(_) => row("malformed_event", Unavailable, ForNow, UNDECIDED),
            Denial::MalformedToken(_) => row("malformed_token", Unauthorized, ForGood, INVALID),
            Denial::MissingToken => row("missing_token", Unauthorized, ThisRequest, NO_TOKEN),
            Denial::NoRoute => row("no_route", Forbidden, ThisRequest, NO_RULE),
            Denial::NotIntrospectable(_) => row("not_introspectable", Forbidden, ThisRequest, NO_CHECK),
            Denial::PermissionsUnavailable(_) => row("permissions_unavailable", Unavailable, ForNow, UNDECIDED),
            Denial::RevocationsUnavailable(_) => row("revocations_unavailable", Unavailable, ForNow, UNDECIDED),
            // Of the connection or the request, which need not be the token owner's.
            Denial::SenderNotProven(_) => row("sender_not_proven", Unauthorized, ThisRequest, INVALID),
            Denial::TokenExpired => row("token_expired", Unauthorized, ForGood, EXPIRED),
            // What the issuer says now: it may not have heard of a new token yet, an `nbf` of its answer may come, a
            // user may be enabled, be confirmed or set a new password. And routes without a live check do not ask it.
            Denial::TokenInactive(_) => row("token_inactive", Unauthorized, ForNow, NO_LONGER),
            Denial::TokenNotYetValid => row("token_not_yet_valid", Unauthorized, ForNow, INVALID),
            Denial::TokenRevoked(_) => row("token_revoked", Unauthorized, ForGood, NO_LONGER),
            Denial::TokenTooLarge => row("token_too_large", Unauthorized, ForGood, INVALID),
            Denial::UnknownCertificate(_) => row("unknown_certificate", Unauthorized, ThisRequest, BAD_CERTIFICATE),
            Denial::UnknownIssuer => row("unknown_issuer", Unauthorized, ForGood, INVALID),
            // The key may be published.
            Denial::UnknownKey => row("unknown_key", Unauthorized, ForNow, INVALID),
            Denial::UnsafePath(_) => row("unsafe_path", Forbidden, ThisRequest, NOT_NORMAL),
            Denial::WrongAudience => row("wrong_audience", Unauthorized, ForGood, INVALID),
            Denial::WrongClient => row("wrong_client", Unauthorized, ForGood, INVALID),
            Denial::WrongTokenUse => row("wrong_token_use", Unauthorized, ForGood, INVALID),
            Denial::WrongTyp => row("wrong_typ", Unauthorized, ForGood, INVALID),
        }
    }

    /// The `error` of RFC 6750 3.1 or RFC 9470 3; `None` where the client sent no
    /// token (RFC 6750 3: then there is none) or no decision was made.
    #[must_use]
    pub fn oauth_error(&self) -> Option<&'static str> {
        match self.class() {
            Class::Unauthorized if *self == Denial::MissingToken => None,
            Class::Unauthorized => Some("invalid_token"),
            Class::Forbidden if *self == Denial::AuthenticationTooOld => Some("insufficient_user_authentication"),
            Class::Forbidden => Some("insufficient_scope"),
            Class::Unavailable => None,
        }
    }

    /// Which of several causes it was, for the operator's log: fixed words, never
    /// a value from the request.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Denial::ClaimMismatch(missed)
            | Denial::InsufficientGroup(missed)
            | Denial::InsufficientScope { missed, .. } => Some(missed.detail()),
            Denial::BadRequestSignature(detail)
            | Denial::ForbiddenFor(detail)
            | Denial::Internal(detail)
            | Denial::InvalidKey(detail)
            | Denial::MalformedClaims(detail)
            | Denial::MalformedEvent(detail)
            | Denial::MalformedToken(detail)
            | Denial::NotIntrospectable(detail)
            | Denial::SenderNotProven(detail)
            | Denial::TokenInactive(detail)
            | Denial::TokenRevoked(detail)
            | Denial::UnknownCertificate(detail)
            | Denial::UnsafePath(detail) => Some(detail),
            Denial::IntrospectionUnavailable(detail)
            | Denial::JwksUnavailable(detail)
            | Denial::KeysUnavailable(detail)
            | Denial::PermissionsUnavailable(detail)
            | Denial::RevocationsUnavailable(detail) => Some(detail),
            Denial::AlgorithmNotAllowed
            | Denial::AmbiguousToken
            | Denial::AuthenticationTooOld
            | Denial::BadSignature
            | Denial::Forbidden
            | Denial::MissingToken
            | Denial::NoRoute
            | Denial::TokenExpired
            | Denial::TokenNotYetValid
            | Denial::TokenTooLarge
            | Denial::UnknownIssuer
            | Denial::UnknownKey
            | Denial::WrongAudience
            | Denial::WrongClient
            | Denial::WrongTokenUse
            | Denial::WrongTyp => None,
        }
    }
}

const BAD_CERTIFICATE: &str = "The client certificate is not accepted";
const BAD_KEY: &str = "The API key is invalid";
const BAD_SIGNATURE: &str = "The signature of the request is not accepted";
const EXPIRED: &str = "The access token expired";
const INVALID: &str = "The access token is invalid";
const NO_CHECK: &str = "The access token cannot be checked as this route requires";
const NO_GROUP: &str = "The access token lacks a required group";
const NO_LONGER: &str = "The access token is no longer valid";
const NO_RULE: &str = "No rule admits this route";
const NO_SCOPE: &str = "The access token lacks a required scope";
const NO_TOKEN: &str = "The request carries no access token";
const NOT_HERE: &str = "The access token may not be used here";
const NOT_NORMAL: &str = "The path is not in its normal form";
const OTHER_RESOURCE: &str = "The access token is not for this resource";
const TOO_OLD: &str = "A more recent authentication is required";
const UNDECIDED: &str = "The authorizer could not decide";

#[cfg(test)]
mod tests {
    use super::*;
    use Class::{Forbidden, Unauthorized, Unavailable};

    fn scope() -> Denial {
        Denial::InsufficientScope { needed: "a b".into(), missed: Missed::Value }
    }

    fn reasons() -> [(Denial, &'static str, Class, &'static str); 37] {
        [
            (Denial::AlgorithmNotAllowed, "algorithm_not_allowed", Unauthorized, INVALID),
            (Denial::AmbiguousToken, "ambiguous_token", Unauthorized, INVALID),
            (Denial::BadRequestSignature("x"), "bad_signature", Unauthorized, BAD_SIGNATURE),
            (Denial::BadSignature, "bad_signature", Unauthorized, INVALID),
            (Denial::InvalidKey("x"), "invalid_key", Unauthorized, BAD_KEY),
            (Denial::MalformedClaims("x"), "malformed_claims", Unauthorized, INVALID),
            (Denial::MalformedToken("x"), "malformed_token", Unauthorized, INVALID),
            (Denial::MissingToken, "missing_token", Unauthorized, "The request carries no access token"),
            (Denial::SenderNotProven("x"), "sender_not_proven", Unauthorized, INVALID),
            (Denial::TokenExpired, "token_expired", Unauthorized, "The access token expired"),
            (Denial::TokenInactive("x"), "token_inactive", Unauthorized, "The access token is no longer valid"),
            (Denial::TokenNotYetValid, "token_not_yet_valid", Unauthorized, INVALID),
            (Denial::TokenRevoked("x"), "token_revoked", Unauthorized, "The access token is no longer valid"),
            (Denial::TokenTooLarge, "token_too_large", Unauthorized, INVALID),
            (Denial::UnknownCertificate("x"), "unknown_certificate", Unauthorized, BAD_CERTIFICATE),
            (Denial::UnknownIssuer, "unknown_issuer", Unauthorized, INVALID),
            (Denial::UnknownKey, "unknown_key", Unauthorized, INVALID),
            (Denial::WrongAudience, "wrong_audience", Unauthorized, INVALID),
            (Denial::WrongClient, "wrong_client", Unauthorized, INVALID),
            (Denial::WrongTokenUse, "wrong_token_use", Unauthorized, INVALID),
            (Denial::WrongTyp, "wrong_typ", Unauthorized, INVALID),
            (
                Denial::AuthenticationTooOld,
                "authentication_too_old",
                Forbidden,
                "A more recent authentication is required",
            ),
            (
                Denial::ClaimMismatch(Missed::Claim),
                "claim_mismatch",
                Forbidden,
                "The access token is not for this resource",
            ),
            (Denial::Forbidden, "forbidden", Forbidden, "The access token may not be used here"),
            (Denial::ForbiddenFor("x"), "forbidden", Forbidden, "The access token may not be used here"),
            (
                Denial::InsufficientGroup(Missed::Overage),
                "insufficient_group",
                Forbidden,
                "The access token lacks a required group",
            ),
            (scope(), "insufficient_scope", Forbidden, "The access token lacks a required scope"),
            (Denial::NoRoute, "no_route", Forbidden, "No rule admits this route"),
            (
                Denial::NotIntrospectable("x"),
                "not_introspectable",
                Forbidden,
                "The access token cannot be checked as this route requires",
            ),
            (Denial::UnsafePath("x"), "unsafe_path", Forbidden, "The path is not in its normal form"),
            (Denial::Internal("x"), "internal", Unavailable, UNDECIDED),
            (Denial::IntrospectionUnavailable("x".into()), "introspection_unavailable", Unavailable, UNDECIDED),
            (Denial::JwksUnavailable("x".into()), "jwks_unavailable", Unavailable, UNDECIDED),
            (Denial::KeysUnavailable("x".into()), "keys_unavailable", Unavailable, UNDECIDED),
            (Denial::MalformedEvent("x"), "malformed_event", Unavailable, UNDECIDED),
            (Denial::PermissionsUnavailable("x".into()), "permissions_unavailable", Unavailable, UNDECIDED),
            (Denial::RevocationsUnavailable("x".into()), "revocations_unavailable", Unavailable, UNDECIDED),
        ]
    }

    #[test]
    fn each_reason_has_its_code_its_class_and_its_sentence() {
        for (denial, code, class, description) in reasons() {
            assert_eq!((denial.code(), denial.class(), denial.description()), (code, class, description));
        }
    }

    #[test]
    fn a_token_is_refused_for_good_where_neither_the_request_nor_time_can_mend_it() {
        for (denial, code, class, _) in reasons() {
            let may_be_right_later = denial == Denial::BadRequestSignature("x")
                || matches!(
                    code,
                    "ambiguous_token"
                        | "invalid_key"
                        | "unknown_certificate"
                        | "missing_token"
                        | "sender_not_proven"
                        | "token_inactive"
                        | "token_not_yet_valid"
                        | "unknown_key"
                );
            let expected = class == Unauthorized && !may_be_right_later;
            assert_eq!(denial.is_final_for_the_token(), expected, "{code}");
        }
    }

    #[test]
    fn errors_are_named_as_in_the_rfcs() {
        for (denial, code, class, _) in reasons() {
            let expected = match (code, class) {
                ("missing_token", _) | (_, Unavailable) => None,
                ("authentication_too_old", _) => Some("insufficient_user_authentication"),
                (_, Unauthorized) => Some("invalid_token"),
                (_, Forbidden) => Some("insufficient_scope"),
            };
            assert_eq!(denial.oauth_error(), expected, "{code}");
        }
    }

    #[test]
    fn a_detail_says_which_of_several_causes_it_was() {
        for (denial, code, _, _) in reasons() {
            // All that hold one are made of it above.
            let missed = match code {
                "claim_mismatch" => Some("the claim is missing"),
                "insufficient_group" => Some("the issuer left the groups out: the user has too many"),
                "insufficient_scope" => Some("the claim has another value"),
                _ => None,
            };
            let expected = format!("{denial:?}").contains("(\"x\")").then_some("x").or(missed);
            assert_eq!(denial.detail(), expected, "{code}");
        }
    }
}
