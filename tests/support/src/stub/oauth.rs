//! A UserInfo endpoint (OpenID Connect Core 5.3), the metadata that names it, and an introspection endpoint (RFC 7662).

use serde_json::{Value, json};

use super::{Answer, Reply};

pub const USER_INFO: &str = "/oauth2/userInfo";
pub const METADATA: &str = "/pool/.well-known/openid-configuration";
pub const INTROSPECT: &str = "/introspect";

/// What Cognito says of a user.
pub fn user_info(sub: &str) -> Answer {
    user_info_reply(sub).into()
}

pub fn user_info_reply(sub: &str) -> Reply {
    Reply::json(
        200,
        &json!({ "sub": sub, "email": "someone@example.com", "email_verified": "true", "username": "reader" }),
    )
}

/// An error with this challenge.
pub fn challenge(status: u16, challenge: &str) -> Answer {
    Reply::json(status, &json!({ "error": "see the challenge" })).header("WWW-Authenticate", challenge).into()
}

/// Cognito's refusal: no scheme before the challenge, and the same words in the body.
pub fn refusal(error: &str, description: &str) -> Answer {
    Reply::json(401, &json!({ "error": error, "error_description": description }))
        .header("WWW-Authenticate", &format!("error=\"{error}\", error_description=\"{description}\""))
        .into()
}

/// `active: true` and these members.
pub fn active(members: Value) -> Answer {
    active_reply(members).into()
}

pub fn active_reply(mut members: Value) -> Reply {
    members["active"] = json!(true);
    Reply::json(200, &members)
}
