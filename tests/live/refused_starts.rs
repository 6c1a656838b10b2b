//! Configurations of live checks that keep the function from starting, each with its place; and those that do not.

use crate::runtime_api::Setup;
use crate::stage::{OUR_SECRET, oidc};
use crate::verdict::Cases;

const POOL: &str = "user_pool_id: us-east-1_AbCdEf123, client_ids: web";

fn of_the_pool(introspection: &str) -> String {
    format!(
        "issuers: [{{ cognito: {{ {POOL}, introspection: {introspection} }} }}]\nroutes: {{ GET /: {{ introspect: true }} }}\n"
    )
}

fn of_a_provider(settings: &str) -> String {
    format!(
        "issuers: [{{ oidc: {{ issuer: \"https://login.example.com\", audience: api, {settings} }} }}]\nroutes: {{ GET /: {{ introspect: true }} }}\n"
    )
}

/// Expects the start to be refused, and each of these to be named.
#[track_caller]
fn refused(cases: &Cases, config: &str, named: &[&str]) {
    let what = config.trim();
    let Some(refused) = Setup::config(config).env("OUR_SECRET", OUR_SECRET).refused() else {
        cases.is(format!("started all the same: {what}"), false);
        return;
    };
    let output = refused.output.replace("\\\"", "\"");
    cases.equal(format!("the exit status: {what}"), refused.status.code(), Some(1));
    cases.is(format!("no init error: {what}"), refused.init_error.is_some());
    cases.is(format!("the secret is told: {what}"), !output.contains(OUR_SECRET));
    for name in named {
        cases.is(format!("`{name}` is not named: {what}: {output}"), output.contains(name));
    }
}

#[track_caller]
fn starts(config: &str) {
    Setup::config(config).env("OUR_SECRET", OUR_SECRET).start().wait_until_ready();
}

#[test]
fn introspect_with_nothing_that_could_answer() {
    let cases = Cases::default();
    let plain = format!("issuers: [{{ cognito: {{ {POOL} }} }}]\n");
    refused(&cases, &format!("{plain}routes: {{ GET /: {{ introspect: true }} }}"), &[r#"routes."GET /".introspect"#]);
    refused(
        &cases,
        &format!("{plain}routes: {{ GET /: {{}}, ANY /admin: {{ any_group: admin, introspect: true }} }}"),
        &[r#"routes."ANY /admin".introspect"#],
    );
    refused(&cases, &format!("{plain}routes: {{ GET /: {{ introspect: maybe }} }}"), &["introspect"]);
    refused(
        &cases,
        &format!("{plain}routes: {{ GET /: {{ any: [{{ introspect: true }}, {{ any_group: a }}] }} }}"),
        &["introspect"],
    );
    refused(&cases, &format!("{plain}routes: {{ GET /: {{ all: [{{ introspect: true }}] }} }}"), &["introspect"]);
    // A table can answer, and so can one of several issuers.
    starts(&format!("{plain}routes: {{ GET /: {{ introspect: true }} }}\nrevocations: {{ table: t }}"));
    starts(&format!("{plain}routes: {{ GET /: {{ introspect: false }} }}"));
    starts(&format!(
        "issuers: [{{ cognito: {{ {POOL} }} }}, {{ cognito: {{ user_pool_id: eu-west-1_Other1234, client_ids: web, introspection: {{ method: get_user }} }} }}]\n\
         routes: {{ GET /: {{ introspect: true }} }}"
    ));
}

#[test]
fn faults_of_a_pools_introspection() {
    let cases = Cases::default();
    let check = |introspection: &str, named: &[&str]| {
        refused(&cases, &of_the_pool(introspection), &[&["issuers[0].cognito.introspection"][..], named].concat());
    };
    check("{}", &["method"]);
    check("get_user", &[]);
    check("[]", &[]);
    check("{ method: introspect }", &["method"]);
    check("{ method: \"\" }", &["method"]);
    check("{ method: get_user, endpoint: \"https://x.example.com\" }", &["endpoint"]);
    check("{ method: admin_get_user, endpoint: \"https://x.example.com\" }", &["endpoint"]);
    check("{ method: user_info, endpoint: \"http://x.example.com\" }", &["endpoint"]);
    check("{ method: user_info, endpoint: userInfo }", &["endpoint"]);
    check("{ method: user_info, endpoint: \"https://user:secret@x.example.com\" }", &["endpoint"]);
    check("{ method: get_user, client_id: a, client_secret: b }", &["client_id", "client_secret"]);
    check("{ method: get_user, retries: 3 }", &["retries"]);
    refused(&cases, &of_the_pool("{ method: get_user, method: user_info }"), &["duplicate key `method`"]);
    for timeout in ["0s", "5001ms", "6s", "1m", "10", "-1s", "soon", "~"] {
        check(&format!("{{ method: get_user, timeout: {timeout} }}"), &["introspection.timeout"]);
    }
    for cache in ["5", "-1s", "soon", "~", "yes"] {
        check(&format!("{{ method: get_user, cache: {cache} }}"), &["introspection.cache"]);
    }
    // An issuer that is no URL has no metadata.
    refused(
        &cases,
        &format!(
            "issuers: [{{ cognito: {{ {POOL}, issuer: my-pool, jwks_uri: \"https://x.example.com\", introspection: {{ method: user_info }} }} }}]\nroutes: {{ GET /: {{}} }}"
        ),
        &["issuers[0].cognito.introspection"],
    );
    for introspection in [
        "{ method: get_user }",
        "{ method: admin_get_user, timeout: 5s, cache: 0s }",
        "{ method: user_info }",
        "{ method: user_info, endpoint: \"https://auth.example.com/oauth2/userInfo\", timeout: 1ms, cache: 24h }",
    ] {
        starts(&of_the_pool(introspection));
    }
}

#[test]
fn faults_of_a_providers_introspection() {
    let cases = Cases::default();
    let good = "endpoint: \"https://login.example.com/introspect\", client_id: a, client_secret: \"${OUR_SECRET}\"";
    let check = |introspection: &str, named: &[&str]| {
        let config = of_a_provider(&format!("introspection: {introspection}"));
        refused(&cases, &config, &[&["issuers[0].oidc.introspection"][..], named].concat());
    };
    check("{}", &["endpoint", "client_id", "client_secret"]);
    check("{ client_id: a, client_secret: b }", &["introspection.endpoint"]);
    check("{ endpoint: \"https://x.example.com\", client_id: a }", &["introspection.client_secret"]);
    check("{ endpoint: \"https://x.example.com\", client_secret: a }", &["introspection.client_id"]);
    check("{ endpoint: \"http://x.example.com\", client_id: a, client_secret: b }", &["introspection.endpoint"]);
    check(
        "{ endpoint: \"https://x.example.com\", client_id: a, client_secret: \"\" }",
        &["introspection.client_secret"],
    );
    check(
        "{ endpoint: \"https://x.example.com\", client_id: a, client_secret: \"${NOT_SET}\" }",
        &["introspection.client_secret", "NOT_SET"],
    );
    check(&format!("{{ {good}, method: get_user }}"), &["method"]);
    check(&format!("{{ {good}, client_authentication: jwt }}"), &["client_authentication"]);
    check(&format!("{{ {good}, timeout: 6s }}"), &["introspection.timeout"]);
    check(&format!("{{ {good}, cache: later }}"), &["introspection.cache"]);
    for more in ["", ", client_authentication: basic", ", client_authentication: post", ", timeout: 5s, cache: 5s"] {
        starts(&of_a_provider(&format!("introspection: {{ {good}{more} }}")));
    }
}

#[test]
fn faults_of_opaque_tokens() {
    let cases = Cases::default();
    refused(&cases, &of_a_provider("opaque_tokens: true"), &["issuers[0].oidc.opaque_tokens"]);
    refused(&cases, &of_a_provider("opaque_tokens: maybe"), &["issuers[0].oidc.opaque_tokens"]);
    refused(
        &cases,
        &format!("issuers: [{{ cognito: {{ {POOL}, opaque_tokens: true }} }}]\nroutes: {{ GET /: {{}} }}"),
        &["opaque_tokens"],
    );
    // Nothing in an opaque token tells whose it is.
    let one = oidc("      opaque_tokens: true\n", "", "")
        .replace("STUB", "https://login.example.com")
        .replace("KEYS", "https://login.example.com/keys");
    starts(&one);
    let second = "
  - oidc:
      issuer: https://other.example.com
      audience: api
      opaque_tokens: true
      introspection: { endpoint: \"https://other.example.com/i\", client_id: a, client_secret: b }
routes:";
    refused(&cases, &one.replacen("\nroutes:", second, 1), &["issuers[1]"]);
    starts(&one.replacen("\nroutes:", &second.replace("opaque_tokens: true", "opaque_tokens: false"), 1));
}

#[test]
fn faults_of_the_table() {
    let cases = Cases::default();
    let check = |section: &str, named: &[&str]| {
        let config =
            format!("issuers: [{{ cognito: {{ {POOL} }} }}]\nroutes: {{ GET /: {{}} }}\nrevocations: {section}\n");
        refused(&cases, &config, &[&["revocations"][..], named].concat());
    };
    check("{}", &["revocations.table"]);
    check("my-table", &[]);
    check("[my-table]", &[]);
    check("{ table: \"\" }", &["revocations.table"]);
    check("{ table: \"${NOT_SET}\" }", &["revocations.table", "NOT_SET"]);
    check("{ table: t, check: always }", &["revocations.check"]);
    check("{ table: t, check: [all] }", &["revocations.check"]);
    check("{ table: t, timeout: 1s }", &["timeout"]);
    for section in ["{ table: t }", "{ table: t, check: introspected }", "{ table: t, check: all }"] {
        starts(&format!("issuers: [{{ cognito: {{ {POOL} }} }}]\nroutes: {{ GET /: {{}} }}\nrevocations: {section}\n"));
    }
}

#[test]
fn a_start_asks_nobody_and_wants_no_credentials() {
    // With the environment of `Setup`, which has none, and endpoints where nobody listens.
    let config = "issuers: [{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web, introspection: { method: admin_get_user } } }]
routes: { GET /: { introspect: true } }
revocations: { table: t, check: all }
";
    let started = std::time::Instant::now();
    Setup::config(config).env("AWS_ENDPOINT_URL", &crate::jwks_server::dead_url()).start().wait_until_ready();
    assert!(started.elapsed() < std::time::Duration::from_secs(2), "{:?}", started.elapsed());
}
