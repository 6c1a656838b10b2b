//! The function with a configuration for credentials of several kinds, next to the stub that it asks.

use cognito_authorizer::credentials::{DEFAULT_PREFIX, NewApiKey};
use serde_json::{Value, json};

use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::stub::Stub;
use crate::stub::dynamodb::{BATCH_GET_ITEM, GET_ITEM, KEYS, keys, table};
use crate::tokens::{CLIENT, MACHINE, POOL, cognito_jwks};
use crate::verdict::Verdict;

pub(crate) const AWS_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// The rest of the file: a route for each way that a rule can look at a credential.
pub(crate) const ROUTES: &str = "
routes:
  GET /items: {}
  GET /admin: { introspect: true }
  GET /orders: { any_scope: [orders.read] }
  GET /partners: { any_group: [partners] }
  GET /plans: { claims: { plan: gold } }
  GET /fresh: { max_auth_age: 5m }
  GET /by-key: { credentials: [api_key] }
  GET /by-token: { credentials: [jwt] }
  $connect: {}
";

/// A route that any good credential may use, and one that also asks live.
pub(crate) const OPEN: &str = "/items";
pub(crate) const LIVE: &str = "/admin";

pub(crate) struct Stage {
    pub(crate) stub: Stub,
    pub(crate) function: Function,
    /// Serves the keys of tokens for as long as the stage stands.
    _keys: Site,
}

impl Stage {
    /// With these issuers beside a user pool's, and the rest of the file.
    pub(crate) fn start(issuers: &str, rest: &str) -> Stage {
        Stage::start_with(issuers, rest, &[])
    }

    pub(crate) fn start_with(issuers: &str, rest: &str, variables: &[(&str, &str)]) -> Stage {
        let (stub, site) = (Stub::start(), Site::with_keys(&cognito_jwks()));
        let mut setup = Setup::config(&config(issuers, rest, &site.url("/jwks.json")))
            .env("AWS_ENDPOINT_URL_DYNAMODB", &stub.url(""))
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET);
        for (name, value) in variables {
            setup = setup.env(name, value);
        }
        stub.answer(GET_ITEM, keys(&[]));
        stub.answer(BATCH_GET_ITEM, table(&[]));
        Stage { stub, function: setup.start(), _keys: site }
    }

    /// API keys with these settings, and the usual routes.
    pub(crate) fn api_keys(settings: &str, rest: &str) -> Stage {
        Stage::start(&api_keys(settings), &format!("{ROUTES}{rest}"))
    }

    /// Sends an HTTP API's event with these headers.
    #[track_caller]
    pub(crate) fn ask(&self, path: &str, headers: Value) -> Verdict {
        self.function.ask(&crate::events::http_2("GET", path, headers))
    }

    /// Sends the key to a path.
    #[track_caller]
    pub(crate) fn ask_by_key(&self, path: &str, key: &str) -> Verdict {
        self.ask(path, json!({ "x-api-key": key }))
    }

    /// How often the table of keys was read.
    pub(crate) fn reads(&self) -> usize {
        self.stub.calls(GET_ITEM)
    }
}

pub(crate) fn config(issuers: &str, rest: &str, jwks_uri: &str) -> String {
    format!(
        "issuers:
  - cognito:
      user_pool_id: {POOL}
      client_ids: [{CLIENT}, {MACHINE}]
      jwks_uri: \"{jwks_uri}\"
{issuers}
{rest}"
    )
}

/// An issuer of API keys with a short time-out, so that a table of outages is soon through.
pub(crate) fn api_keys(settings: &str) -> String {
    format!("  - api_keys: {{ table: {KEYS}, timeout: 500ms{settings} }}\n")
}

/// An API key that was made just now.
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) id: String,
    /// The item that `authctl key create --sub partner-a` writes.
    pub(crate) item: Value,
}

impl Key {
    pub(crate) fn new() -> Key {
        let key = NewApiKey::make(DEFAULT_PREFIX, aws_lc_rs::rand::fill).unwrap().unwrap();
        let parsed = key.parsed().unwrap();
        let sha256: String = parsed.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
        let item = json!({
            "pk": { "S": format!("key#{}", parsed.id()) },
            "sha256": { "S": sha256 },
            "sub": { "S": "partner-a" },
            "created_at": { "N": "1763726400" },
        });
        Key { text: key.text().to_owned(), id: parsed.id().to_owned(), item }
    }

    /// With another attribute.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Key {
        self.item[name] = value;
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Key {
        self.item.as_object_mut().unwrap().remove(name);
        self
    }
}

/// An event of that kind that carries a key where that kind does; a TOKEN event in place of its token.
pub(crate) fn event_with_key(kind: Kind, path: &str, key: &str) -> Value {
    let mut event = kind.event_without_token("GET", path);
    match kind {
        Kind::RestToken => event["authorizationToken"] = json!(key),
        Kind::RestRequest | Kind::Http1 | Kind::WebSocket => event["headers"] = json!({ "X-Api-Key": key }),
        Kind::Http2 => event["headers"] = json!({ "x-api-key": key }),
    }
    event
}
