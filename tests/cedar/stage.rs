//! The function with policies of its own, and the function that asks a store with the same policies.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::avp::{STORE, Store, WITH_ENTITIES, WITH_TOKEN};
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::stub::Stub;
use crate::tokens::{CLIENT, MACHINE, POOL, Token, cognito_jwks};
use crate::verdict::Verdict;

/// Short, so that a table of time-outs is soon through.
pub(crate) const TIMEOUT: &str = "500ms";

pub(crate) const OIDC_ISSUER: &str = "https://login.example.com";

pub(crate) struct Stage {
    pub(crate) function: Function,
    pub(crate) stub: Stub,
    _keys: Site,
}

impl Stage {
    /// Policies in the zip: the folder's, with these further members of the section and these routes.
    pub(crate) fn local(folder: &Path, section: &str, routes: &str) -> Stage {
        let section = format!("policies: {}, {section}", folder.display());
        Stage::start(&section, routes)
    }

    /// The same policies in a store.
    pub(crate) fn remote(store: Store, section: &str, routes: &str) -> Stage {
        let section = format!("policy_store_id: {STORE}, timeout: {TIMEOUT}, {section}");
        let stage = Stage::start(&section, routes);
        let store = Arc::new(store);
        stage.stub.answer(WITH_TOKEN, store.answer());
        stage.stub.answer(WITH_ENTITIES, store.answer());
        stage
    }

    fn start(section: &str, routes: &str) -> Stage {
        let (stub, keys) = (Stub::start(), Site::with_keys(&cognito_jwks()));
        let config = format!("{}\ncedar: {{ {section} }}\nroutes:\n{routes}\n", issuers(&keys, &stub));
        let setup = with_credentials(Setup::config(&config), &stub);
        Stage { function: setup.start(), stub, _keys: keys }
    }

    #[track_caller]
    pub(crate) fn ask(&self, event: &Value) -> Verdict {
        self.function.ask(event)
    }

    /// How often the store was asked.
    pub(crate) fn calls(&self) -> usize {
        self.stub.calls(WITH_TOKEN) + self.stub.calls(WITH_ENTITIES)
    }
}

fn issuers(keys: &Site, stub: &Stub) -> String {
    let keys = keys.url("/jwks.json");
    format!(
        "issuers:
  - cognito:
      user_pool_id: {POOL}
      client_ids: [{CLIENT}, {MACHINE}]
      token_use: [access, id]
      jwks_uri: \"{keys}\"
      introspection: {{ method: get_user, timeout: {TIMEOUT} }}
  - oidc: {{ issuer: {OIDC_ISSUER}, audience: \"api://orders\", jwks_uri: \"{keys}\", claims: {{ groups: roles }} }}
revocations: {{ table: revocations }}
# {}",
        stub.url("")
    )
}

fn with_credentials(setup: Setup, stub: &Stub) -> Setup {
    setup
        .env("AWS_ENDPOINT_URL", &stub.url(""))
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

/// A folder with these files, which lives as long as the process.
pub(crate) fn folder(files: &[(&str, &str)]) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let name = format!("cedar-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder
}

pub(crate) fn policies_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

pub(crate) fn read(name: &str) -> String {
    let path = policies_folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The example of `policies/`: in the zip, and in a store.
pub(crate) struct Example {
    pub(crate) local: Stage,
    pub(crate) remote: Stage,
}

impl Example {
    pub(crate) fn start() -> Example {
        let example = read("example.yaml");
        let routes = example.split_once("routes:\n").unwrap().1;
        let section = "namespace: Documents, context: [source_ip, time]";
        let (folder, schema) = (policies_folder(), read("documents.cedarschema"));
        let with_schema = format!("{section}, schema: {}", folder.join("documents.cedarschema").display());
        let policies = read("documents.cedar") + &read("limits.cedar");
        Example {
            local: Stage::local(&folder, &with_schema, routes),
            remote: Stage::remote(Store::new("Documents", &policies, Some(&schema)), section, routes),
        }
    }
}

/// A request of the tests: what of it the policies can see.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) source_ip: String,
}

impl Asked {
    pub(crate) fn new(method: &str, path: &str) -> Asked {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Asked {
            kind: Kind::Http2,
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            source_ip: "192.0.2.1".to_owned(),
        }
    }

    pub(crate) fn kind(self, kind: Kind) -> Asked {
        Asked { kind, ..self }
    }

    pub(crate) fn from(self, source_ip: &str) -> Asked {
        Asked { source_ip: source_ip.to_owned(), ..self }
    }

    /// The event as API Gateway would send it.
    pub(crate) fn event(&self, token: &str) -> Value {
        let mut event = self.kind.event(&self.method, &self.path, &format!("Bearer {token}"));
        if self.kind == Kind::RestToken {
            return event;
        }
        let values = |name: &str| -> Vec<&str> {
            self.query.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
        };
        let map = |of: &dyn Fn(Vec<&str>) -> Value| -> Value {
            self.query
                .iter()
                .map(|(name, _)| (name.clone(), of(values(name))))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        if self.kind == Kind::Http2 {
            event["requestContext"]["http"]["sourceIp"] = json!(self.source_ip);
            let pairs: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            event["rawQueryString"] = json!(pairs.join("&"));
            if !self.query.is_empty() {
                event["queryStringParameters"] = map(&|values| json!(values.join(",")));
            }
        } else {
            event["requestContext"]["identity"]["sourceIp"] = json!(self.source_ip);
            event["queryStringParameters"] = map(&|values| json!(values.last()));
            event["multiValueQueryStringParameters"] = map(&|values| json!(values));
        }
        event
    }
}

/// An access token with these claims; `machine` for a client's own.
pub(crate) fn token(claims: &Value, machine: bool) -> Token {
    let token = if machine { Token::machine() } else { Token::access() };
    claims.as_object().unwrap().iter().fold(token, |token, (name, claim)| token.claim(name, claim.clone()))
}

/// The `@id`s, or whatever names them, of the policies in a member of the log line.
pub(crate) fn named(verdict: &Verdict, member: &str) -> Vec<String> {
    let names = verdict.log[member].as_str().unwrap_or_default();
    names.split(", ").filter(|name| !name.is_empty()).map(|name| name.split(' ').next().unwrap().to_owned()).collect()
}
