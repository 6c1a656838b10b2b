//! A table's handler in this process, asked with events as API Gateway sends them. Nothing is fetched: the keys come from
//! a file. Live checks are vouched for by an introspection endpoint on loopback that knows only active tokens.

use crate::iam::Policy;
use crate::tables::{Ask, Route, Table, Token};
use aws_lc_rs::digest;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cognito_authorizer::config::{Config, ConfigText, Environment, Faults};
use cognito_authorizer::gateway::{Handler, RawEvent};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::runtime::{Builder, Runtime};

/// The API and stage of every event.
pub(crate) const STAGE_ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/test";
const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "api://orders";
pub(crate) const CLIENT: &str = "spa";

/// The events that ask for an HTTP route and are answered with a policy. A `$connect` is always a WebSocket event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RestToken,
    RestRequest,
    Http1,
    Http2,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2];
}

pub(crate) struct Stage {
    handler: Handler,
}

/// What an invocation came to.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Policy(Box<PolicyAnswer>),
    /// The invocation failed with the message that API Gateway turns into a 401.
    Unauthorized,
    /// The invocation failed for this reason.
    Failed(String),
}

/// An answer that holds to what the contract says of every policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PolicyAnswer {
    pub(crate) principal: String,
    pub(crate) policy: Policy,
    pub(crate) context: Map<String, Value>,
    pub(crate) value: Value,
}

impl Stage {
    pub(crate) fn start(table: &Table) -> Result<Stage, Faults> {
        Stage::start_with(&table.yaml())
    }

    /// Starts with these sections, to which the issuer is added.
    pub(crate) fn start_with(sections: &str) -> Result<Stage, Faults> {
        let issuer = json!({
            "issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["EdDSA"], "jwks_uri": "none",
            "jwks_file": KEYS.file_name().unwrap().to_str().unwrap(), "claims": { "groups": "groups" },
            "introspection": { "endpoint": *VOUCHER, "client_id": "authorizer", "client_secret": "secret" },
        });
        let text = ConfigText {
            text: format!("issuers: [{{ oidc: {issuer} }}]\n{sections}"),
            folder: KEYS.parent().unwrap().to_owned(),
        };
        Ok(Stage { handler: Config::parse(&text, &Environment::default())?.into_handler() })
    }

    /// The answer to an event, or what is wrong with it.
    pub(crate) fn ask(&self, kind: Kind, ask: &Ask, credential: &Credential) -> Result<Answer, String> {
        self.answer(&event(kind, ask, credential))
    }

    /// The same, where the event names the route that API Gateway runs; a TOKEN event names none.
    pub(crate) fn ask_of_route(
        &self,
        kind: Kind,
        ask: &Ask,
        credential: &Credential,
        route: &Route,
    ) -> Result<Answer, String> {
        let mut event = event(kind, ask, credential);
        let key = route.key_text();
        if let Some((method, path)) = key.split_once(' ') {
            match kind {
                Kind::RestToken => {}
                Kind::RestRequest | Kind::Http1 => {
                    event["resource"] = json!(path);
                    event["httpMethod"] = json!(method);
                }
                Kind::Http2 => event["routeKey"] = json!(key),
            }
        }
        self.answer(&event)
    }

    fn answer(&self, event: &Value) -> Result<Answer, String> {
        let event: RawEvent = serde_json::from_str(&event.to_string()).unwrap();
        match RUNTIME.block_on(self.handler.invoke(LambdaEvent::new(event, Context::default()))) {
            Ok(answer) => {
                let value = serde_json::from_str(answer.get()).unwrap();
                PolicyAnswer::read(value, answer.get().len()).map(|answer| Answer::Policy(Box::new(answer)))
            }
            Err(failure) if failure.error_message == "Unauthorized" => Ok(Answer::Unauthorized),
            Err(failure) => Ok(Answer::Failed(failure.error_type)),
        }
    }
}

impl PolicyAnswer {
    /// Reads an answer, and holds it to the contract's "Every policy".
    fn read(value: Value, length: usize) -> Result<PolicyAnswer, String> {
        let members = value.as_object().ok_or("the answer is no object")?;
        if let Some(unknown) =
            members.keys().find(|name| !["principalId", "policyDocument", "context"].contains(&name.as_str()))
        {
            return Err(format!("the answer has a member {unknown:?}"));
        }
        if length > 8 * 1024 {
            return Err(format!("the answer has {length} bytes"));
        }
        let principal = value["principalId"].as_str().filter(|principal| !principal.is_empty());
        let principal = principal.ok_or("no principalId")?.to_owned();
        let policy = Policy::parse(&value["policyDocument"])?;
        for resource in policy.resources() {
            if !resource.starts_with(&format!("{STAGE_ARN}/")) {
                return Err(format!("{resource:?} is not of the event's API and stage"));
            }
        }
        let context = match members.get("context") {
            None => Map::new(),
            Some(context) => context.as_object().ok_or("the context is no object")?.clone(),
        };
        if let Some(value) =
            context.values().find(|value| !(value.is_string() || value.is_number() || value.is_boolean()))
        {
            return Err(format!("{value} in the context"));
        }
        Ok(PolicyAnswer { principal, policy, context, value })
    }
}

/// What an event carries: a token, or something else, and the certificate of a bound one.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    text: String,
    has_certificate: bool,
    /// When the token ends, in epoch seconds.
    pub(crate) exp: i64,
    pub(crate) claims: Value,
}

impl Credential {
    pub(crate) fn of(token: &Token) -> Credential {
        let now = now();
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "client_id": CLIENT, "iat": now - 60, "exp": now + 3600,
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                claims[name] = value;
            }
        };
        set("sub", token.sub.as_ref().map(|sub| json!(sub)));
        set("scope", (!token.scopes.is_empty()).then(|| json!(token.scopes.join(" "))));
        set("groups", (!token.groups.is_empty()).then(|| json!(token.groups)));
        set("tenant", token.tenant.map(|tenant| json!(tenant)));
        set("auth_time", token.signed_in_ago.map(|seconds| json!(now - seconds)));
        set("cnf", token.is_bound.then(|| json!({ "x5t#S256": thumbprint() })));
        Credential::with(&claims, token.is_bound)
    }

    /// The same with this `jti`, or with nothing that could name the token.
    pub(crate) fn naming(&self, jti: Option<&str>) -> Credential {
        let mut claims = self.claims.clone();
        let members = claims.as_object_mut().unwrap();
        match jti {
            Some(jti) => drop(members.insert("jti".to_owned(), json!(jti))),
            None => ["sub", "client_id"].iter().for_each(|name| drop(members.remove(*name))),
        }
        Credential::with(&claims, self.has_certificate)
    }

    /// A token with these claims, whatever they are.
    fn with(claims: &Value, has_certificate: bool) -> Credential {
        Credential::by("ed25519", claims, has_certificate)
    }

    fn by(kid: &str, claims: &Value, has_certificate: bool) -> Credential {
        let header = json!({ "alg": "EdDSA", "kid": kid });
        let input = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = encode(PAIR.sign(input.as_bytes()));
        let exp = claims["exp"].as_i64().unwrap_or_default();
        Credential { text: format!("{input}.{signature}"), has_certificate, exp, claims: claims.clone() }
    }

    /// The same claims, spoilt in one way each, so that the answer is a 401; and whether the token can never be right.
    pub(crate) fn spoilt(&self) -> [(&'static str, Credential, bool); 6] {
        let with = |name: &str, value: Value| {
            let mut claims = self.claims.clone();
            claims[name] = value;
            Credential::with(&claims, false)
        };
        let (input, signature) = self.text.rsplit_once('.').unwrap();
        let unsigned = format!("{input}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
        [
            ("expired", with("exp", json!(now() - 3600)), true),
            ("for another audience", with("aud", json!("api://other")), true),
            ("with another signature", Credential { text: unsigned, ..self.clone() }, true),
            ("no token", Credential { text: "nonsense".to_owned(), ..self.clone() }, true),
            ("before its time", with("nbf", json!(now() + 3600)), false),
            ("by an unknown key", Credential::by("nobody's", &self.claims, false), false),
        ]
    }
}

/// The ARN of a request.
pub(crate) fn arn(ask: &Ask) -> String {
    match ask {
        Ask::Connect => format!("{STAGE_ARN}/$connect"),
        Ask::Http(method, path) => format!("{STAGE_ARN}/{method}{path}"),
    }
}

fn event(kind: Kind, ask: &Ask, credential: &Credential) -> Value {
    let authorization = format!("Bearer {}", credential.text);
    let certificate = if credential.has_certificate { json!({ "clientCertPem": CERTIFICATE }) } else { Value::Null };
    let rest = || json!({ "stage": "test", "apiId": "abcdef1234", "identity": { "clientCert": certificate } });
    let arn = arn(ask);
    if *ask == Ask::Connect {
        return json!({
            "type": "REQUEST", "methodArn": arn, "headers": { "Authorization": authorization },
            "requestContext": { "eventType": "CONNECT", "routeKey": "$connect", "stage": "test" },
        });
    }
    match kind {
        Kind::RestToken => json!({ "type": "TOKEN", "authorizationToken": authorization, "methodArn": arn }),
        Kind::RestRequest => json!({
            "type": "REQUEST", "methodArn": arn, "headers": { "Authorization": authorization }, "requestContext": rest(),
        }),
        Kind::Http1 => json!({
            "version": "1.0", "type": "REQUEST", "methodArn": arn, "headers": { "Authorization": authorization },
            "requestContext": rest(),
        }),
        Kind::Http2 => json!({
            "version": "2.0", "type": "REQUEST", "routeArn": arn, "headers": { "authorization": authorization },
            "requestContext": { "authentication": { "clientCert": certificate }, "stage": "test" },
        }),
    }
}

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

fn thumbprint() -> String {
    encode(digest::digest(&digest::SHA256, &der(CERTIFICATE)))
}

const CERTIFICATE: &str = include_str!("../keys/client-cert.pem");

static PAIR: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(include_str!("../keys/ed25519.pem"))).unwrap());

/// A JWK Set with the one key, in a file of this process's own.
static KEYS: LazyLock<PathBuf> = LazyLock::new(|| {
    let keys: Value = serde_json::from_str(include_str!("../keys/jwks.json")).unwrap();
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("coverage-{}.json", std::process::id()));
    std::fs::write(&file, json!({ "keys": [keys["ed25519"]] }).to_string()).unwrap();
    file
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());

/// The address of an introspection endpoint (RFC 7662) to which every token is active.
static VOUCHER: LazyLock<String> =
    LazyLock::new(|| format!("{}/introspect", serve(|_| (200, "{\"active\":true}".to_owned()))));

/// Serves HTTP on loopback: status and body for each body that is sent.
pub(crate) fn serve(answer: fn(&str) -> (u16, String)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(std::thread::spawn(move || respond(stream, answer))))
    });
    format!("http://{address}")
}

fn respond(mut stream: TcpStream, answer: fn(&str) -> (u16, String)) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut sent = vec![0; length];
        reader.read_exact(&mut sent).ok()?;
        let (status, body) = answer(&String::from_utf8_lossy(&sent));
        let head = format!("HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: ");
        stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).ok()?;
    }
}
