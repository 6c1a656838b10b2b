//! The reference: an HTTP API 2.0 authorizer for Cognito access tokens on
//! `jsonwebtoken`, as one writes it in an hour and no further.
//!
//! It fetches the JWK Set while it starts and never again, takes the token from the
//! `authorization` header, has `jsonwebtoken` verify signature, `iss` and `exp`,
//! compares `token_use` and `client_id` (a Cognito access token has no `aud`), and
//! answers with a few claims as context. It knows no routes, no scopes, no key
//! rotation and no odd events.
//!
//! It logs nothing, unless `DECISION_LOG` is set: then one JSON line per request
//! through the runtime's own subscriber.

use aws_lambda_events::apigw::{ApiGatewayV2CustomAuthorizerSimpleResponse, ApiGatewayV2CustomAuthorizerV2Request};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::env;

#[derive(Deserialize)]
struct Claims {
    sub: String,
    client_id: String,
    token_use: String,
    username: Option<String>,
    scope: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
struct Context {
    sub: String,
    username: Option<String>,
    client_id: String,
    scope: Option<String>,
}

type Answer = ApiGatewayV2CustomAuthorizerSimpleResponse<Context>;

struct Authorizer {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
    client_id: String,
}

impl Authorizer {
    async fn start() -> Result<Self, Error> {
        let set: JwkSet = reqwest::Client::new().get(env::var("JWKS_URI")?).send().await?.json().await?;
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            if let Some(kid) = &jwk.common.key_id {
                keys.insert(kid.clone(), DecodingKey::from_jwk(jwk)?);
            }
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[env::var("ISSUER")?]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.validate_aud = false;
        Ok(Self { keys, validation, client_id: env::var("CLIENT_ID")? })
    }

    fn claims(&self, event: &ApiGatewayV2CustomAuthorizerV2Request) -> Option<Claims> {
        let token = event.headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
        let key = self.keys.get(&decode_header(token).ok()?.kid?)?;
        let claims = decode::<Claims>(token, key, &self.validation).ok()?.claims;
        (claims.token_use == "access" && claims.client_id == self.client_id).then_some(claims)
    }

    fn answer(&self, event: LambdaEvent<ApiGatewayV2CustomAuthorizerV2Request>) -> Answer {
        let claims = self.claims(&event.payload);
        tracing::info!(
            authorized = claims.is_some(),
            sub = claims.as_ref().map(|claims| claims.sub.as_str()),
            client_id = claims.as_ref().map(|claims| claims.client_id.as_str()),
            request_id = event.context.request_id,
            "decision"
        );
        let mut answer = Answer::default();
        if let Some(Claims { sub, client_id, username, scope, .. }) = claims {
            answer.is_authorized = true;
            answer.context = Context { sub, username, client_id, scope };
        }
        answer
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if env::var_os("DECISION_LOG").is_some() {
        tracing::init_default_subscriber();
    }
    let authorizer = Authorizer::start().await?;
    run(service_fn(async |event| Ok::<_, Error>(authorizer.answer(event)))).await
}
