//! The function with policies of its own, and the function that asks a store with the same policies.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::asked::{policies_folder, read};
use crate::avp::{STORE, Store, WITH_ENTITIES, WITH_TOKEN};
use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::stub::Stub;
use crate::tokens::{CLIENT, MACHINE, POOL, cognito_jwks};
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
        Stage::remote_within(TIMEOUT, store, section, routes)
    }

    fn remote_within(timeout: &str, store: Store, section: &str, routes: &str) -> Stage {
        let section = format!("policy_store_id: {STORE}, timeout: {timeout}, {section}");
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
            // A time-out is not the point: on a busy machine thousands of requests take their time.
            remote: Stage::remote_within("5s", Store::new("Documents", &policies, Some(&schema)), section, routes),
        }
    }
}

/// The `@id`s, or whatever names them, of the policies in a member of the log line.
pub(crate) fn named(verdict: &Verdict, member: &str) -> Vec<String> {
    let names = verdict.log[member].as_str().unwrap_or_default();
    names.split(", ").filter(|name| !name.is_empty()).map(|name| name.split(' ').next().unwrap().to_owned()).collect()
}
