//! Cognito's JSON 1.1 API: `GetUser` and `AdminGetUser`.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetUser.html>

use serde_json::{Value, json};

use super::{Answer, Reply};

pub const GET_USER: &str = "GetUser";
pub const ADMIN_GET_USER: &str = "AdminGetUser";

/// `GetUser` of that user.
pub fn user(username: &str, sub: &str) -> Answer {
    reply(200, &user_json(username, sub)).into()
}

pub fn user_json(username: &str, sub: &str) -> Value {
    json!({ "Username": username, "UserAttributes": attributes(sub), "UserMFASettingList": ["SOFTWARE_TOKEN_MFA"] })
}

/// `AdminGetUser` of that user.
pub fn admin_user(username: &str, sub: &str, enabled: bool, status: &str) -> Answer {
    reply(200, &admin_user_json(username, sub, enabled, status)).into()
}

pub fn admin_user_json(username: &str, sub: &str, enabled: bool, status: &str) -> Value {
    json!({
        "Username": username,
        "UserAttributes": attributes(sub),
        "UserCreateDate": 1_763_716_800.123,
        "UserLastModifiedDate": 1_763_716_800.456,
        "Enabled": enabled,
        "UserStatus": status,
    })
}

fn attributes(sub: &str) -> Value {
    json!([
        { "Name": "email", "Value": "someone@example.com" },
        { "Name": "email_verified", "Value": "true" },
        { "Name": "sub", "Value": sub },
    ])
}

/// An error as Cognito sends it: its name in the header and in the body.
pub fn error(code: &str, message: &str) -> Answer {
    error_with_status(400, code, message)
}

pub fn error_with_status(status: u16, code: &str, message: &str) -> Answer {
    reply(status, &json!({ "__type": code, "message": message }))
        .header("x-amzn-ErrorType", &format!("{code}:"))
        .header("x-amzn-ErrorMessage", message)
        .into()
}

/// An answer with these members and no header that names an error.
pub fn bare(status: u16, body: &Value) -> Answer {
    reply(status, body).into()
}

pub fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, body.to_string())
        .header("Content-Type", "application/x-amz-json-1.1")
        .header("x-amzn-RequestId", "0f7f1e2a-0000-4000-8000-000000000001")
}
