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
    /// The issuer, or its user's directory, could not be asked about the token.
    IntrospectionUnavailable(Cow<'static, str>),
    /// The issuer's keys are not known and cannot be had now.
    JwksUnavailable(Cow<'static, str>),
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

impl Denial {
    /// The stable name of this reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Denial::AlgorithmNotAllowed => "algorithm_not_allowed",
            Denial::AmbiguousToken => "ambiguous_token",
            Denial::AuthenticationTooOld => "authentication_too_old",
            Denial::BadSignature => "bad_signature",
            Denial::ClaimMismatch(_) => "claim_mismatch",
            Denial::Forbidden => "forbidden",
            Denial::ForbiddenFor(_) => "forbidden",
            Denial::InsufficientGroup(_) => "insufficient_group",
            Denial::InsufficientScope { .. } => "insufficient_scope",
            Denial::Internal(_) => "internal",
            Denial::IntrospectionUnavailable(_) => "introspection_unavailable",
            Denial::JwksUnavailable(_) => "jwks_unavailable",
            Denial::MalformedClaims(_) => "malformed_claims",
            Denial::MalformedEvent(_) => "malformed_event",
            Denial::MalformedToken(_) => "malformed_token",
            Denial::MissingToken => "missing_token",
            Denial::NoRoute => "no_route",
            Denial::NotIntrospectable(_) => "not_introspectable",
            Denial::PermissionsUnavailable(_) => "permissions_unavailable",
            Denial::RevocationsUnavailable(_) => "revocations_unavailable",
            Denial::SenderNotProven(_) => "sender_not_proven",
            Denial::TokenExpired => "token_expired",
            Denial::TokenInactive(_) => "token_inactive",
            Denial::TokenNotYetValid => "token_not_yet_valid",
            Denial::TokenRevoked(_) => "token_revoked",
            Denial::TokenTooLarge => "token_too_large",
            Denial::UnknownIssuer => "unknown_issuer",
            Denial::UnknownKey => "unknown_key",
            Denial::UnsafePath(_) => "unsafe_path",
            Denial::WrongAudience => "wrong_audience",
            Denial::WrongClient => "wrong_client",
            Denial::WrongTokenUse => "wrong_token_use",
            Denial::WrongTyp => "wrong_typ",
        }
    }

    /// What this reason means to the client.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Denial::AlgorithmNotAllowed
            | Denial::AmbiguousToken
            | Denial::BadSignature
            | Denial::MalformedClaims(_)
            | Denial::MalformedToken(_)
            | Denial::MissingToken
            | Denial::SenderNotProven(_)
            | Denial::TokenExpired
            | Denial::TokenInactive(_)
            | Denial::TokenNotYetValid
            | Denial::TokenRevoked(_)
            | Denial::TokenTooLarge
            | Denial::UnknownIssuer
            | Denial::UnknownKey
            | Denial::WrongAudience
            | Denial::WrongClient
            | Denial::WrongTokenUse
            | Denial::WrongTyp => Class::Unauthorized,
            Denial::AuthenticationTooOld
            | Denial::ClaimMismatch(_)
            | Denial::Forbidden
            | Denial::ForbiddenFor(_)
            | Denial::InsufficientGroup(_)
            | Denial::InsufficientScope { .. }
            | Denial::NoRoute
            | Denial::NotIntrospectable(_)
            | Denial::UnsafePath(_) => Class::Forbidden,
            Denial::Internal(_)
            | Denial::IntrospectionUnavailable(_)
            | Denial::JwksUnavailable(_)
            | Denial::MalformedEvent(_)
            | Denial::PermissionsUnavailable(_)
            | Denial::RevocationsUnavailable(_) => Class::Unavailable,
        }
    }

    /// Whether a token that is refused for this reason is refused on every route and for as
    /// long as an answer is cached, so that its denial may be kept for all that it asks for.
    #[must_use]
    pub fn is_final_for_the_token(&self) -> bool {
        match self {
            Denial::AlgorithmNotAllowed
            | Denial::BadSignature
            | Denial::MalformedClaims(_)
            | Denial::MalformedToken(_)
            | Denial::TokenExpired
            | Denial::TokenRevoked(_)
            | Denial::TokenTooLarge
            | Denial::UnknownIssuer
            | Denial::WrongAudience
            | Denial::WrongClient
            | Denial::WrongTokenUse
            | Denial::WrongTyp => true,
            // Of the request and not of the token: a second credential, none at all, a
            // connection without the certificate that the token is bound to.
            Denial::AmbiguousToken | Denial::MissingToken | Denial::SenderNotProven(_) => false,
            // The key may be published, the time may come.
            Denial::TokenNotYetValid | Denial::UnknownKey => false,
            // What the issuer says now: it may not have heard of a new token yet, an `nbf` of its answer may come, a
            // user may be enabled, be confirmed or set a new password. And routes without a live check do not ask it.
            Denial::TokenInactive(_) => false,
            // Of the route.
            Denial::AuthenticationTooOld
            | Denial::ClaimMismatch(_)
            | Denial::Forbidden
            | Denial::ForbiddenFor(_)
            | Denial::InsufficientGroup(_)
            | Denial::InsufficientScope { .. }
            | Denial::NoRoute
            | Denial::NotIntrospectable(_)
            | Denial::UnsafePath(_) => false,
            // Nothing was decided.
            Denial::Internal(_)
            | Denial::IntrospectionUnavailable(_)
            | Denial::JwksUnavailable(_)
            | Denial::MalformedEvent(_)
            | Denial::PermissionsUnavailable(_)
            | Denial::RevocationsUnavailable(_) => false,
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

    /// A fixed sentence for the client, within RFC 6750's characters for
    /// `error_description` (%x20-21 / %x23-5B / %x5D-7E). Of a token that was not
    /// accepted it says only what the token's owner knows anyway.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Denial::MissingToken => "The request carries no access token",
            Denial::TokenExpired => "The access token expired",
            Denial::AuthenticationTooOld => "A more recent authentication is required",
            Denial::ClaimMismatch(_) => "The access token is not for this resource",
            Denial::Forbidden | Denial::ForbiddenFor(_) => "The access token may not be used here",
            Denial::InsufficientGroup(_) => "The access token lacks a required group",
            Denial::InsufficientScope { .. } => "The access token lacks a required scope",
            Denial::NoRoute => "No rule admits this route",
            Denial::NotIntrospectable(_) => "The access token cannot be checked as this route requires",
            Denial::TokenInactive(_) | Denial::TokenRevoked(_) => "The access token is no longer valid",
            Denial::UnsafePath(_) => "The path is not in its normal form",
            Denial::AlgorithmNotAllowed
            | Denial::AmbiguousToken
            | Denial::BadSignature
            | Denial::MalformedClaims(_)
            | Denial::MalformedToken(_)
            | Denial::SenderNotProven(_)
            | Denial::TokenNotYetValid
            | Denial::TokenTooLarge
            | Denial::UnknownIssuer
            | Denial::UnknownKey
            | Denial::WrongAudience
            | Denial::WrongClient
            | Denial::WrongTokenUse
            | Denial::WrongTyp => "The access token is invalid",
            Denial::Internal(_)
            | Denial::IntrospectionUnavailable(_)
            | Denial::JwksUnavailable(_)
            | Denial::MalformedEvent(_)
            | Denial::PermissionsUnavailable(_)
            | Denial::RevocationsUnavailable(_) => "The authorizer could not decide",
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
            Denial::ForbiddenFor(detail) => Some(detail),
            Denial::Internal(detail)
            | Denial::MalformedClaims(detail)
            | Denial::MalformedEvent(detail)
            | Denial::MalformedToken(detail)
            | Denial::NotIntrospectable(detail)
            | Denial::SenderNotProven(detail)
            | Denial::TokenInactive(detail)
            | Denial::TokenRevoked(detail)
            | Denial::UnsafePath(detail) => Some(detail),
            Denial::IntrospectionUnavailable(detail)
            | Denial::JwksUnavailable(detail)
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

#[cfg(test)]
mod tests {
    use super::*;
    use Class::{Forbidden, Unauthorized, Unavailable};

    const INVALID: &str = "The access token is invalid";
    const UNDECIDED: &str = "The authorizer could not decide";

    fn scope() -> Denial {
        Denial::InsufficientScope { needed: "a b".into(), missed: Missed::Value }
    }

    fn reasons() -> [(Denial, &'static str, Class, &'static str); 33] {
        [
            (Denial::AlgorithmNotAllowed, "algorithm_not_allowed", Unauthorized, INVALID),
            (Denial::AmbiguousToken, "ambiguous_token", Unauthorized, INVALID),
            (Denial::BadSignature, "bad_signature", Unauthorized, INVALID),
            (Denial::MalformedClaims("x"), "malformed_claims", Unauthorized, INVALID),
            (Denial::MalformedToken("x"), "malformed_token", Unauthorized, INVALID),
            (Denial::MissingToken, "missing_token", Unauthorized, "The request carries no access token"),
            (Denial::SenderNotProven("x"), "sender_not_proven", Unauthorized, INVALID),
            (Denial::TokenExpired, "token_expired", Unauthorized, "The access token expired"),
            (Denial::TokenInactive("x"), "token_inactive", Unauthorized, "The access token is no longer valid"),
            (Denial::TokenNotYetValid, "token_not_yet_valid", Unauthorized, INVALID),
            (Denial::TokenRevoked("x"), "token_revoked", Unauthorized, "The access token is no longer valid"),
            (Denial::TokenTooLarge, "token_too_large", Unauthorized, INVALID),
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
            let may_be_right_later = matches!(
                code,
                "ambiguous_token"
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
    fn a_detail_is_told_where_there_are_several_causes() {
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
