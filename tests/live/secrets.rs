//! No client secret, credential or token in any output, at the most talkative log level, whatever the other side says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::stage::{
    AWS_SECRET, AWS_SESSION, Credentials, LIVE, OPEN, OUR_SECRET, Stage, TIMEOUT, WITH_TABLE_ALWAYS, oidc, oidc_token,
    pool, token, unique,
};
use crate::stub::cognito::{self, ADMIN_GET_USER, GET_USER, error, error_with_status};
use crate::stub::dynamodb::{self, BATCH_GET_ITEM};
use crate::stub::oauth::{INTROSPECT, USER_INFO, active, challenge};
use crate::stub::{Answer, Reply};

/// What an operation answers when it throws everything back that it was sent or could know.
fn echoes(secret: &str) -> Vec<Answer> {
    vec![
        error("NotAuthorizedException", secret),
        error("NotAuthorizedException", &format!("Invalid Access Token: {secret}")),
        error(&format!("X{secret}"), secret),
        error_with_status(500, "InternalErrorException", secret),
        challenge(401, &format!("Bearer error=\"invalid_token\", error_description=\"{secret}\"")),
        challenge(403, &format!("Bearer error=\"insufficient_scope\", scope=\"{secret}\"")),
        Reply::json(200, &json!({ "active": false, "echo": secret })).into(),
        active(json!({ "sub": secret, "aud": secret, "exp": secret })),
        active(json!({ "iss": secret, "client_id": secret })),
        Reply::new(200, secret).into(),
        Reply::new(400, secret).header("x-amzn-ErrorType", secret).into(),
        Reply::new(302, "").header("Location", &format!("http://127.0.0.1:9/?{secret}")).into(),
        Answer::Noise,
        Answer::Reset,
        Answer::Hang,
        dynamodb::error(400, dynamodb::CORAL, secret),
        cognito::bare(200, &json!({ "Username": secret, "UserAttributes": [{ "Name": "sub", "Value": secret }] })),
    ]
}

/// A secret, and the pieces of it that an excerpt would show.
fn traces_of(secret: &str) -> Vec<String> {
    let mut traces = vec![secret.to_owned()];
    // Of a JWT the signature is what makes it one.
    let part = secret.rsplit('.').next().unwrap_or(secret);
    if part.len() >= 60 {
        traces.extend(
            [&part[..24], &part[part.len() / 2..part.len() / 2 + 24], &part[part.len() - 24..]].map(str::to_owned),
        );
    }
    traces
}

#[test]
fn nothing_secret_is_ever_seen_outside() {
    let post = "        client_authentication: post\n";
    let user_info = format!("user_info, endpoint: \"STUB{USER_INFO}\"");
    let of_the_pool = |method: &str| pool(&format!("{{ method: {method}, timeout: {TIMEOUT} }}"), WITH_TABLE_ALWAYS);
    let encoded: String = form_urlencoded::byte_serialize(OUR_SECRET.as_bytes()).collect();
    let mut secrets = vec![
        OUR_SECRET.to_owned(),
        STANDARD.encode(format!("authorizer%3A1:{encoded}")),
        encoded,
        AWS_SECRET.to_owned(),
        AWS_SESSION.to_owned(),
    ];
    let mut said = Vec::new();
    for (operation, config, token) in [
        (GET_USER, of_the_pool("get_user"), (|| token().text()) as fn() -> String),
        (ADMIN_GET_USER, of_the_pool("admin_get_user"), || token().text()),
        (USER_INFO, of_the_pool(&user_info), || token().text()),
        (INTROSPECT, oidc("", "", WITH_TABLE_ALWAYS), || oidc_token().text()),
        (INTROSPECT, oidc("", post, WITH_TABLE_ALWAYS), || oidc_token().text()),
        (INTROSPECT, oidc("      opaque_tokens: true\n", "", ""), || format!("opaque-{}-{}", unique(), "z".repeat(60))),
        (BATCH_GET_ITEM, pool("", WITH_TABLE_ALWAYS), || token().text()),
    ] {
        let stage = Stage::start_with(&config, Credentials::Some, &[("AUTHORIZER_LOG", "trace")]);
        let good = token();
        stage.ask(LIVE, &good);
        stage.ask(OPEN, &good);
        secrets.push(good);
        for index in 0..echoes("").len() {
            let token = token();
            stage.stub.answer(operation, echoes(&token).swap_remove(index));
            stage.ask(LIVE, &token);
            secrets.push(token.clone());
            stage.stub.answer(operation, echoes(&format!("{token} {OUR_SECRET} {AWS_SECRET}")).swap_remove(index));
            stage.ask(OPEN, &token);
        }
        said.extend(stage.function.everything_said());
    }
    assert!(said.iter().any(|line| line.contains("live_check")), "the search can find something at all");
    let mut found = 0;
    for trace in secrets.iter().flat_map(|secret| traces_of(secret)) {
        for line in said.iter().filter(|line| line.contains(&trace)) {
            found += 1;
            println!("{trace:.60}… in: {line:.400}");
        }
    }
    assert_eq!(found, 0, "traces of {} secrets in {} lines and answers", secrets.len(), said.len());
}
