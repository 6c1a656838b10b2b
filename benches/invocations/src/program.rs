//! The programs that are measured, and how each is configured.

use crate::build::Built;
use crate::token::{CLIENT_ID, ISSUER, SCOPE, USER_POOL_ID};
use crate::web::World;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) command: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, String)>,
    /// What it is there to show.
    pub(crate) purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be compared: warm with all kinds of tokens, and cold.
    Compare,
    /// To show what size costs: warm, with tokens never seen before.
    Size,
    /// To show another way to start.
    Start,
}

/// The yardstick and the reference that ratios are taken of.
pub(crate) const CONSTANT: &str = "constant answer";
pub(crate) const MINIMUM: &str = "jsonwebtoken minimum";

/// What is measured.
pub(crate) const OURS: &str = "authorizer";

/// All of them; those `beside` are other builds of the authorizer.
pub(crate) fn all(built: &Built, world: &World, beside: &[(String, PathBuf)]) -> Vec<Program> {
    let reference = |name: &str, command: PathBuf| Program {
        name: name.to_owned(),
        command,
        arguments: Vec::new(),
        environment: vec![
            ("CLIENT_ID", CLIENT_ID.to_owned()),
            ("ISSUER", ISSUER.to_owned()),
            ("JWKS_URI", world.jwks_uri.clone()),
            ("USER_POOL_ID", USER_POOL_ID.to_owned()),
        ],
        purpose: Purpose::Compare,
    };
    let authorizer = |name: &str, command: &Path, configuration: String, purpose| Program {
        name: name.to_owned(),
        command: command.to_owned(),
        arguments: Vec::new(),
        environment: vec![("AUTHORIZER_CONFIG", configuration)],
        purpose,
    };
    let minimum = || reference(MINIMUM, built.folder.join("jsonwebtoken_minimum"));
    let mut logging = minimum();
    logging.name.push_str(", one log line");
    logging.environment.push(("DECISION_LOG", "1".to_owned()));

    let fetched = format!("jwks_uri: {}", world.jwks_uri);
    let ours = built.folder.join(OURS);
    let usual = configuration(&fetched, 1, 30);
    let mut silent = authorizer("authorizer, no log line", &ours, usual.clone(), Purpose::Compare);
    silent.environment.push(("AUTHORIZER_LOG", "off".to_owned()));
    let mut programs = vec![
        reference(CONSTANT, built.folder.join("constant")),
        minimum(),
        logging,
        authorizer(OURS, &ours, usual.clone(), Purpose::Compare),
        silent,
        authorizer(
            "authorizer, with metrics",
            &ours,
            format!("{usual}metrics: {{ namespace: N }}\n"),
            Purpose::Compare,
        ),
    ];
    let others = beside.iter().map(|(name, path)| authorizer(name, path, usual.clone(), Purpose::Compare));
    programs.extend(others);
    if let Some(index) = &built.node_program {
        let mut node = reference("aws-jwt-verify on Node", "node".into());
        node.arguments.push(index.into());
        programs.push(node);
    }
    for (name, issuers, routes) in
        [("authorizer, 10 routes", 1, 10), ("authorizer, 1,000 routes", 1, 1000), ("authorizer, 20 issuers", 20, 30)]
    {
        programs.push(authorizer(name, &ours, configuration(&fetched, issuers, routes), Purpose::Size));
    }
    let file = built.results.join("jwks.json");
    if std::fs::write(&file, &world.jwks).is_ok() {
        let known = format!("jwks_uri: none, jwks_file: {}", file.display());
        programs.push(authorizer("authorizer, keys from a file", &ours, configuration(&known, 1, 30), Purpose::Start));
    }
    programs
}

/// `keys` is where the pool's keys come from; the other issuers are there to be
/// passed over, and fetch nothing.
fn configuration(keys: &str, issuers: usize, routes: usize) -> String {
    let mut yaml =
        format!("issuers:\n  - cognito: {{ user_pool_id: {USER_POOL_ID}, client_ids: {CLIENT_ID}, {keys} }}\n");
    for number in 1..issuers {
        let _ = writeln!(yaml, "  - cognito: {{ user_pool_id: eu-central-1_Other{number:03}, client_ids: x, {keys} }}");
    }
    yaml.push_str("routes:\n");
    for number in 0..routes {
        // Five routes for each resource, and the measured one among the first ten.
        let name = match number / 5 {
            0 => "customers".to_owned(),
            1 => "invoices".to_owned(),
            other => format!("resource-{other}"),
        };
        let (route, access) = match number % 5 {
            0 => (format!("GET /{name}"), "read"),
            1 => (format!("POST /{name}"), "write"),
            2 => (format!("GET /{name}/{{id}}"), "read"),
            3 => (format!("PUT /{name}/{{id}}"), "write"),
            _ => (format!("DELETE /{name}/{{id}}"), "write"),
        };
        let scope = SCOPE.replace("invoices.read", &format!("{name}.{access}"));
        let _ = writeln!(yaml, "  {route}: {{ any_scope: [{scope}] }}");
    }
    yaml
}
