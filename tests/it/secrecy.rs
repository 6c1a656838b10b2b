//! Nothing secret leaves the process, at the most talkative log level and in every kind of answer.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::{self, Kind};
use crate::jwks_server::{Page, Site};
use crate::runtime_api::{Function, Setup};
use crate::tokens::{Key, TOKEN_OF_A_1024_BIT_KEY, Token, cognito_jwks, encode, now};
use crate::verdict::Answer;

/// What must never be seen of a credential: all of it, and of a token its signature, in the pieces
/// that a log line or an excerpt would show, and as a list of bytes.
fn traces_of(credential: &str) -> Vec<String> {
    let mut traces = vec![credential.to_owned()];
    let secret_part = credential.rsplit('.').next().unwrap();
    if secret_part.len() >= 60 {
        let end = secret_part.len();
        traces.extend(
            [&secret_part[..20], &secret_part[end / 2..end / 2 + 20], &secret_part[end - 20..]].map(str::to_owned),
        );
        let bytes: Vec<String> = secret_part.bytes().take(8).map(|byte| byte.to_string()).collect();
        traces.push(bytes.join(", "));
        traces.push(bytes.join(","));
    }
    traces
}

#[test]
fn no_token_nor_credential_is_ever_seen_outside() {
    let site = Site::with_keys(&cognito_jwks());
    site.page("/broken.json", Page::Status(500));
    let config = format!(
        "{}
routes:
  GET /items: {{ any_scope: [https://api.example.com/read] }}
  POST /items: {{ any_scope: [https://api.example.com/write] }}
  ANY /users/{{id}}/{{proxy+}}: {{ claims: {{ sub: \"{{id}}\" }} }}
  $connect: {{}}
token: [{{ header: Authorization }}, {{ query: access_token }}, {{ cookie: session }}]
",
        one_pool(
            &site.url("/jwks.json"),
            &format!(
                "  - oidc: {{ issuer: https://broken.example.com, audience: api://orders, jwks_uri: \"{}\" }}",
                site.url("/broken.json")
            )
        )
    );
    let mut secrets: Vec<String> = Vec::new();
    let mut said: Vec<String> = Vec::new();
    for settings in ["", "http_api: { response: policy, unauthorized: error }\nrest_api: { unauthorized: deny }\n"] {
        // At this level the runtime itself would write each event, token included.
        let function = Setup::config(&format!("{config}{settings}")).env("AUTHORIZER_LOG", "trace").start();
        secrets.extend(tell_all_secrets(&function));
        function.end();
        said.extend(function.everything_said());
    }
    // That the search can find something at all.
    assert!(said.iter().any(|line| line.contains("decision")));
    let mut found = 0;
    for secret in &secrets {
        for trace in traces_of(secret) {
            for line in said.iter().filter(|line| line.contains(&trace)) {
                found += 1;
                println!("{trace:.60}… in: {line:.300}");
            }
        }
    }
    assert_eq!(found, 0, "traces of {} secrets in {} lines and answers", secrets.len(), said.len());
}

/// Sends every secret in every way there is, and returns them.
fn tell_all_secrets(function: &Function) -> Vec<String> {
    let good = Token::access();
    let signature = good.signature();
    let mut tokens: Vec<String> = [
        good.clone(),
        Token::writer(),
        Token::machine(),
        Token::id(),
        good.clone().claim("exp", json!(now() - 600)),
        good.clone().claim("exp", json!("soon")),
        good.clone().claim("nbf", json!(now() + 600)),
        good.clone().claim("iss", json!("https://nobody.example.com")),
        good.clone().claim("client_id", json!("stranger")),
        good.clone().claim("cnf", json!({ "jkt": "x" })),
        good.clone().header("kid", json!("nobody")),
        good.clone().header("alg", json!("HS256")),
        good.clone().header("crit", json!(["x"])),
        good.clone().key(Key::RsaC).header("kid", json!("rsa-a")),
        Token::oidc("https://broken.example.com"),
    ]
    .iter()
    .map(Token::text)
    .collect();
    tokens.extend([
        good.of_size(16_385),
        good.with_signature(&[&signature[..], b"and more"].concat()),
        format!("{}.stray=", good.text()),
        format!("{}.{}", encode(good.header_json()), encode(good.payload_json()))
            + ".not+base64url/at/all/but/quite/long",
        good.spelled(&good.header_json(), "not json"),
        good.header_begins_with(r#""alg":"none""#),
        good.claim_text("sub", r#""\ud800""#),
        TOKEN_OF_A_1024_BIT_KEY.to_owned(),
        "an-opaque-token-of-some-length-0123456789".to_owned(),
    ]);
    let mut secrets = tokens.clone();
    for token in &tokens {
        for kind in Kind::ALL {
            for (method, path) in
                [("GET", "/items"), ("POST", "/items"), ("GET", "/users/x/y"), ("GET", "/nowhere"), ("GET", "/..")]
            {
                function.ask(&kind.event(method, path, &format!("Bearer {token}")));
            }
            function.ask(&kind.event("GET", "/items", token));
            function.ask(&kind.event("GET", "/items", &format!("Bearer {token}, Bearer {}", tokens[0])));
            function.ask(&kind.event("GET", "/items", &format!("DPoP {token}")));
        }
        let mut event = events::http_2("GET", "/items", json!({}));
        event["queryStringParameters"] = json!({ "access_token": token });
        event["rawQueryString"] = json!(format!("access_token={token}"));
        function.ask(&event);
        let mut event = events::http_2("GET", "/items", json!({ "authorization": tokens[0] }));
        event["cookies"] = json!([format!("session={token}")]);
        function.ask(&event);
        let mut event = events::rest_request("GET", "/items", json!({ "Cookie": format!("a=b; session={token}") }));
        event["queryStringParameters"] = json!({ "access_token": token });
        function.ask(&event);
        // Events that are none, with a token in them; the last is not even JSON.
        let none: [Value; 5] = [
            json!(token),
            json!([token]),
            json!({ "authorizationToken": token }),
            json!({ "type": "TOKEN", "authorizationToken": token, "methodArn": token }),
            json!({ "version": "2.0", "routeArn": 7, "headers": { "authorization": token } }),
        ];
        for event in none {
            let (_, answer) = function.send(&event.to_string());
            assert!(matches!(answer, Answer::Error(_)), "{}", answer.text());
        }
        let (_, answer) = function.send(&format!("{{\"authorizationToken\":\"{token}\""));
        assert!(matches!(answer, Answer::Error(_)), "{}", answer.text());
    }
    for credential in [
        "Basic c2VjcmV0LXVzZXI6c2VjcmV0LXBhc3N3b3Jk",
        "Digest username=\"secret-user\", response=\"5ccc069c403ebaf9f0171e9517f40e41\"",
    ] {
        for kind in Kind::ALL {
            function.send(&kind.event("GET", "/items", credential).to_string());
        }
        secrets.push(credential.split_once(' ').unwrap().1.to_owned());
    }
    secrets
}

#[test]
fn nothing_secret_of_the_environment_is_told_where_the_start_is_refused() {
    let secret = "s3cr3t-of-the-environment";
    let refused = Setup::config(
        "
issuers:
  - oidc:
      issuer: https://login.example.com
      audience: api://orders
      introspection: { endpoint: \"http://login.example.com/introspect\", client_id: x, client_secret: \"${SECRET}\", unknown: 1 }
routes: { GET /: {} }
unknown: 1
",
    )
    .env("SECRET", secret)
    .env("AUTHORIZER_LOG", "trace")
    .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-not-a-real-key")
    .env("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEA-not-a-real-token")
    .refused()
    .expect("this configuration is refused");
    for text in [Some(&refused.output), refused.init_error.as_ref()].into_iter().flatten() {
        for secret in [secret, "wJalrXUtnFEMI", "IQoJb3JpZ2luX2VjEA"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
