//! The OpenID provider of tests/oidc_provider, and the function that is told to trust it.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::form::{self, Answer};
use crate::processes::Process;
use crate::runtime_api::{Function, Setup};

/// The authorizer's credentials there, by how it proves itself.
const SECRETS: [(&str, &str); 2] = [("basic", "s3cr3t:+/ %&=basic"), ("post", "s3cr3t:+/ %&=post")];

/// A token that is bound to a key, and proofs by that key.
pub(crate) struct Bound {
    pub(crate) token: String,
    pub(crate) proofs: Vec<String>,
}

pub(crate) struct Provider {
    pub(crate) issuer: String,
    runtime: Runtime,
    _process: Process,
}

impl Provider {
    #[track_caller]
    pub(crate) fn start() -> Provider {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc_provider");
        assert!(folder.join("node_modules/oidc-provider").exists(), "oidc-provider is not installed: run `make live`");
        let mut process = Process::start(Command::new("node").arg("server.mjs").current_dir(folder), "oidc-provider");
        let issuer = process.wait_for("said where it is", |output| {
            let line = output.lines().find_map(|line| serde_json::from_str::<Value>(line).ok())?;
            line["issuer"].as_str().map(str::to_owned)
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Provider { issuer, runtime, _process: process }
    }

    /// The function, with further members of the issuer and of its introspection. `proof` is `basic` or `post`.
    pub(crate) fn function(&self, proof: &str, settings: &str, asked: &str) -> Function {
        let (_, secret) = SECRETS.iter().find(|(name, _)| *name == proof).unwrap();
        self.function_with_secret(proof, secret, settings, asked)
    }

    pub(crate) fn function_with_secret(&self, proof: &str, secret: &str, settings: &str, asked: &str) -> Function {
        let issuer = &self.issuer;
        let config = format!(
            "issuers:
  - oidc:
      issuer: {issuer}
      audience: [\"api://orders\", \"api://brief\", \"api://jwt\"]
      {settings}
      introspection:
        endpoint: {issuer}/token/introspection
        client_id: \"authorizer:{proof}\"
        client_secret: \"${{SECRET}}\"
        client_authentication: {proof}
        {asked}
routes:
  GET /items: {{}}
  GET /admin: {{ introspect: true }}
  GET /orders: {{ any_scope: [orders.read] }}
  POST /orders: {{ any_scope: [orders.write] }}
"
        );
        Setup::config(&config).env("SECRET", secret).start()
    }

    /// A token of that client for that API.
    #[track_caller]
    pub(crate) fn token(&self, client: &str, resource: &str, scope: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", resource), ("scope", scope)];
        self.post("/token", client, &form).json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A token for that API that is bound to a new key, with proofs for requests of that method and URL, all by npm's `dpop`.
    #[track_caller]
    pub(crate) fn bound_token(&self, resource: &str, algorithm: &str, asked: [&str; 2], proofs: usize) -> Bound {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc_provider");
        let [method, url] = asked;
        let arguments = ["dpop.mjs", &self.issuer, resource, algorithm, method, url, &proofs.to_string()];
        let output = Command::new("node").args(arguments).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let proofs = said["proofs"].as_array().unwrap().iter().map(text).collect();
        Bound { token: text(&said["token"]), proofs }
    }

    /// RFC 7009.
    #[track_caller]
    pub(crate) fn revoke(&self, client: &str, token: &str) {
        let answer = self.post("/token/revocation", client, &[("token", token)]);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn post(&self, path: &str, client: &str, form: &[(&str, &str)]) -> Answer {
        let secret = match client {
            "machine" => "secret+of+the+machine",
            "other-machine" => "secret+of+the+other",
            other => panic!("no such client: {other}"),
        };
        let authorization = format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")));
        form::post(&self.runtime, &format!("{}{path}", self.issuer), Some(&authorization), form)
    }
}
