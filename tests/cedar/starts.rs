//! Sections and routes that do not start, each fault with its place; and that the example does.

use crate::asked::{folder, policies_folder};
use crate::runtime_api::Setup;
use crate::verdict::Cases;

const PERMIT: &str = "permit (principal, action, resource);";

const SCHEMA: &str = "namespace NS { entity Application; entity User; entity Client;
action \"get /a\" appliesTo { principal: [User, Client], resource: Application, context: {} }; }";

#[track_caller]
fn faults(config: &str) -> String {
    let issuers = "issuers: [{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: [web] } }]";
    let text = format!("{issuers}\n{config}\n");
    match Setup::config(&text).refused() {
        Some(refused) => {
            assert_eq!(refused.status.code(), Some(1));
            refused.init_error.unwrap()
        }
        None => "none".to_owned(),
    }
}

#[test]
fn a_faulty_section_or_route_stops_the_start() {
    let good = folder(&[("a.cedar", PERMIT), ("s.cedarschema", SCHEMA)]);
    let folder_of = |text: &str| folder(&[("a.cedar", text), ("s.cedarschema", SCHEMA)]).display().to_string();
    let here = good.display();
    let routes = "routes: { GET /a: { cedar: true } }";
    let cases = Cases::default();
    let section = |members: &str| format!("cedar: {{ {members} }}\n{routes}");
    for (what, config, expected) in [
        (
            "a section that is whole",
            section(&format!("namespace: NS, policies: {here}, schema: {here}/s.cedarschema")),
            "none",
        ),
        (
            "a store",
            section("namespace: NS, policy_store_id: PSEXAMPLEabcdefg111111, cache: 5s, context: source_ip"),
            "none",
        ),
        (
            "an alias of a store",
            section("namespace: A::B, policy_store_id: policy-store-alias/orders, context: [time]"),
            "none",
        ),
        ("no namespace", section(&format!("policies: {here}")), "cedar.namespace: is missing"),
        (
            "an odd namespace",
            section(&format!("namespace: a b, policies: {here}")),
            "cedar.namespace: is not a namespace",
        ),
        ("neither policies nor store", section("namespace: NS"), "cedar: must have either"),
        ("both", section(&format!("namespace: NS, policies: {here}, policy_store_id: PS1")), "cedar: must have either"),
        ("an odd store", section("namespace: NS, policy_store_id: 'a b'"), "cedar.policy_store_id: is not"),
        ("no such folder", section("namespace: NS, policies: /none/such"), "cedar.policies: cannot read `/none/such`"),
        ("no policy", section(&format!("namespace: NS, policies: {}", folder(&[]).display())), "there is no policy"),
        (
            "a policy that does not parse",
            section(&format!("namespace: NS, policies: {}", folder_of("\npermit (x);"))),
            "cedar.policies: a.cedar:2: ",
        ),
        (
            "a policy that does not fit the schema",
            section(&format!(
                "namespace: NS, policies: {0}, schema: {0}/s.cedarschema",
                folder_of("permit (principal, action, resource) when { context.x == 1 };")
            )),
            "cedar.policies: a.cedar:1: ",
        ),
        (
            "no such schema",
            section(&format!("namespace: NS, policies: {here}, schema: {here}/none")),
            "cedar.schema: cannot read",
        ),
        (
            "a schema for a store",
            section(&format!("namespace: NS, policy_store_id: PS1, schema: {here}/s.cedarschema")),
            "cedar.schema: is for",
        ),
        (
            "a time-out for no store",
            section(&format!("namespace: NS, policies: {here}, timeout: 1s")),
            "cedar.timeout: is for",
        ),
        (
            "a cache for no store",
            section(&format!("namespace: NS, policies: {here}, cache: 1s")),
            "cedar.cache: is for",
        ),
        (
            "a cache and the time",
            section("namespace: NS, policy_store_id: PS1, cache: 1s, context: [time]"),
            "cedar.cache: an answer that depends on the time",
        ),
        (
            "an odd context",
            section(&format!("namespace: NS, policies: {here}, context: [ip]")),
            "cedar.context: must be",
        ),
        (
            "an unknown key",
            section(&format!("namespace: NS, policies: {here}, polices: x")),
            "cedar.polices: unknown key",
        ),
        ("a route without a section", routes.to_owned(), "routes.\\\"GET /a\\\".cedar: no policies could be asked"),
        ("a route that says false", "routes: { GET /a: { cedar: false } }".to_owned(), "none"),
        (
            "a route that names no action",
            format!("cedar: {{ namespace: NS, policies: {here} }}\nroutes: {{ $default: {{ cedar: true }} }}"),
            "routes.$default.cedar: this route names no action",
        ),
        (
            "an alternative",
            format!(
                "cedar: {{ namespace: NS, policies: {here} }}\nroutes: {{ GET /a: {{ any: [{{ cedar: true }}] }} }}"
            ),
            "cedar: belongs at the top",
        ),
    ] {
        let said = faults(&config);
        cases.is(format!("{what}: {said}"), if expected == "none" { said == "none" } else { said.contains(expected) });
    }
}

#[test]
fn the_example_starts() {
    let config = policies_folder().join("example.yaml");
    assert!(Setup::bare().env("AUTHORIZER_CONFIG_FILE", config.to_str().unwrap()).refused().is_none());
}
