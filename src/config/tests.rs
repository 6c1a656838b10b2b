//! Configurations and their faults, one line a case.

use super::*;

const GOOD: &str = "
issuers:
  - cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: a }
routes:
  GET /items: {}
";

fn faults(text: &str) -> Vec<String> {
    let text = ConfigText { text: text.to_owned(), folder: "tests".into() };
    let environment = Environment::from([("SET", "value"), ("CLIENTS", "a, b\nc")]);
    match Config::parse(&text, &environment) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let actual = faults(text);
    assert_eq!(actual.len(), expected.len(), "{text}\n{actual:#?}");
    for (actual, expected) in actual.iter().zip(expected) {
        assert!(actual.contains(expected), "{text}\n{actual}\nshould contain {expected}");
    }
}

#[test]
fn a_good_configuration_has_no_faults() {
    check(GOOD, &[]);
    check(&GOOD.replace("client_ids: a", "client_ids: \"${CLIENTS}\""), &[]);
    check(&GOOD.replace("client_ids: a", "client_ids: ['*']"), &[]);
    check(&format!("{GOOD}leeway: 60s\njwks: {{ stale_if_error: 0s, cooldown: 1ms }}\n"), &[]);
    check(
        &format!(
            "{GOOD}token: [{{ header: X }}, {{ query: t, events: websocket }}, {{ cookie: c, events: [http_1.0, http_2.0] }}]\n"
        ),
        &[],
    );
}

#[test]
fn a_cookie_may_say_which_pages_may_send_it() {
    for csrf in
        ["origin", "off", "{ origins: [https://a.example] }", "{ origins: 'https://a.example, http://localhost:1' }"]
    {
        check(&format!("{GOOD}token: [{{ cookie: c, csrf: {csrf} }}, {{ cookie: d }}]\n"), &[]);
    }
}

#[test]
fn no_credential_is_of_an_issuer_whose_users_it_could_be_taken_for() {
    let with = |issuer: &str| GOOD.replace("routes:", &format!("  - {issuer}\nroutes:"));
    const TENANTS: &str =
        "oidc: { issuer: 'https://a.example/{tid}', tenants: [x], audience: a, jwks_uri: https://a.example/jwks }";
    check(&with("api_keys: { table: t, issuer: us-east-1_AbCdEf124 }"), &[]);
    check(&with("api_keys: { table: t, issuer: us-east-1_AbCdEf123 }"), &["issuers[1]: duplicate issuer"]);
    for (tenant, faults) in [("x", &["issuers[1]: duplicate issuer"][..]), ("y", &[])] {
        let key = format!("api_keys: {{ table: t, issuer: https://a.example/{tenant} }}\n  - {TENANTS}");
        check(&with(&key), faults);
    }
}

#[test]
fn no_fault_quotes_a_secret() {
    let environment = Environment::from([("secretsmanager:s", "hunter2")]);
    for place in ["client_ids: a", "user_pool_id: us-east-1_AbCdEf123"] {
        let (key, _) = place.split_once(' ').unwrap();
        for secret in ["${secretsmanager:s}/*", "https://x/${secretsmanager:s}*", "${secretsmanager:s}"] {
            let text = GOOD.replace(place, &format!("{key} \"{secret}\"")).replace("GET /items: {}", "bad");
            let text = ConfigText { text, folder: "tests".into() };
            let faults = Config::parse(&text, &environment).unwrap_err().to_string();
            assert!(!faults.contains("hunter2"), "{faults}");
        }
    }
    let unknown = faults(&GOOD.replace("client_ids: a", "client_ids: \"${secretsmanager:s}\""));
    assert!(unknown[0].contains("the secret `s` is not known"), "{unknown:?}");
}

#[cfg(feature = "cedar")]
#[test]
fn no_issuer_whose_users_policies_know_has_a_bar_in_its_name() {
    const STORE: &str = "cedar: { namespace: Shop, policy_store_id: PSEXAMPLEabcdefg111111 }\n";
    for (name, faults) in [("urn:a", &[][..]), ("urn:a|b", &["cedar: the issuer `urn:a|b` has a `|` in it"])] {
        let key = format!("  - api_keys: {{ table: t, issuer: '{name}' }}\nroutes:");
        check(&format!("{}{STORE}", GOOD.replace("routes:", &key)), faults);
    }
}

#[test]
fn withdrawn_keys_are_a_list_that_may_be_empty() {
    for good in ["[]", "[a]", "[a, 'b c']", "a", "a, b", "${SET}", "${CLIENTS}", "'${NONE:-}'", "'${NONE:- }'"] {
        check(&format!("{GOOD}withdrawn_keys: {good}\n"), &[]);
    }
    for (bad, fault) in [
        ("", "withdrawn_keys: must not be empty"),
        ("''", "withdrawn_keys: must not be empty"),
        ("{}", "withdrawn_keys: must be a text"),
        ("['']", "withdrawn_keys[0]: must not be empty"),
        ("['${NONE:-}']", "withdrawn_keys[0]: must not be empty"),
        ("['${CLIENTS}']", "withdrawn_keys[0]: holds several"),
        ("[[a]]", "withdrawn_keys[0]: must be a text"),
        ("'${NONE}'", "withdrawn_keys: the environment has no `NONE`"),
    ] {
        check(&format!("{GOOD}withdrawn_keys: {bad}\n"), &[fault]);
    }
}

#[test]
fn what_is_not_one_yaml_map_is_refused() {
    check("", &["empty"]);
    check("a: [", &["not YAML"]);
    check("[]", &["must be a map"]);
    check("a", &["must be a map"]);
    check(&format!("{GOOD}---\n{GOOD}"), &["more than one"]);
    check("{}", &["issuers: is missing", "routes: is missing"]);
}

#[test]
fn unknown_and_repeated_keys_are_faults_with_their_place() {
    check(&format!("{GOOD}  GET /items: {{}}\n"), &["routes: duplicate key `GET /items` (line 6)"]);
    check(&format!("{GOOD}rotues: {{}}\n"), &["rotues: unknown key"]);
    check(
        &GOOD.replace("GET /items: {}", "GET /items: { any_scopes: [a] }"),
        &["routes.\"GET /items\".any_scopes: unknown key"],
    );
    check(&GOOD.replace("client_ids: a", "client_ids: a, x: 1"), &["issuers[0].cognito.x: unknown key"]);
}

#[test]
fn metrics_need_a_namespace_that_cloudwatch_takes() {
    check(&format!("{GOOD}metrics: {{ namespace: Shop/Authorizer }}\n"), &[]);
    check(&format!("{GOOD}metrics: {{ namespace: \"${{SET}}\" }}\n"), &[]);
    check(&format!("{GOOD}metrics: {{}}\n"), &["metrics.namespace: is missing"]);
    check(&format!("{GOOD}metrics: true\n"), &["metrics: must be a map"]);
    check(&format!("{GOOD}metrics: {{ namespace: AWS/Lambda }}\n"), &["metrics.namespace: must be 1 to 255"]);
    check(&format!("{GOOD}metrics: {{ namespace: 'a b' }}\n"), &["metrics.namespace: must be 1 to 255"]);
    check(
        &format!("{GOOD}metrics: {{ namespace: N, names: a }}\n"),
        &["metrics.names: unknown key; known are namespace"],
    );
}

#[test]
fn all_faults_are_told_at_once() {
    check(
        "issuers:\n  - oidc: { issuer: 'http://a.example', audience: [], algorithms: [HS256, none, RS256] }\nroutes:\n  GET: {}\n  GET /a: { any_scope: [] }\nleeway: 61s\n",
        &[
            "issuers[0].oidc.issuer: must be `https://`",
            "issuers[0].oidc.audience: must not be empty",
            "`HS256` is none of",
            "`none` is none of",
            "routes.GET: not a route key",
            "routes.\"GET /a\".any_scope: must not be empty",
            "leeway: must be at most 60s",
        ],
    );
}

#[test]
fn issuers_are_held_to_their_kind() {
    let with = |issuers: &str| format!("issuers: [{issuers}]\nroutes: {{ $default: {{}} }}\n");
    check(&with(""), &["issuers: must not be empty"]);
    check(&with("{}"), &["must be one of"]);
    check(&with("{ saml: {} }"), &["unknown key", "must be one of"]);
    check(&with("{ cognito: { client_ids: a } }"), &["user_pool_id: is missing"]);
    check(&with("{ cognito: { user_pool_id: us-east-1_A } }"), &["client_ids: is missing"]);
    check(&with("{ cognito: { user_pool_id: nonsense, client_ids: a } }"), &["must be a user pool's id"]);
    check(&with("{ cognito: { user_pool_id: a_b, client_ids: ['*', a] } }"), &["must stand alone"]);
    check(&with("{ cognito: { user_pool_id: a_b, client_ids: [] } }"), &["must not be empty"]);
    check(
        &with("{ cognito: { user_pool_id: a_b, client_ids: a, token_use: refresh } }"),
        &["must be `access` or `id`"],
    );
    check(&with("{ cognito: { user_pool_id: a_b, client_ids: a, jwks_uri: none } }"), &["needs a `jwks_file`"]);
    check(
        &with("{ cognito: { user_pool_id: a_b, client_ids: a, jwks_uri: 'http://a.example' } }"),
        &["must be `https://`"],
    );
    check(&with("{ cognito: { user_pool_id: a_b, client_ids: a, jwks_file: none-such.json } }"), &["cannot read"]);
    check(&with("{ oidc: { issuer: 'https://a.example', audience: x, client_ids: [] } }"), &["must not be empty"]);
    check(&with("{ oidc: { issuer: 'https://a.example' } }"), &["audience: is missing"]);
    check(&with("{ oidc: { issuer: a.example, audience: x } }"), &["give its `jwks_uri`"]);
    check(&with("{ oidc: { issuer: a.example, audience: x, jwks_uri: 'https://a.example/jwks' } }"), &[]);
    check(
        &with(
            "{ oidc: { issuer: 'https://a.example', audience: x } }, { oidc: { issuer: 'https://a.example', audience: y } }",
        ),
        &["issuers[1]: duplicate issuer `https://a.example`"],
    );
}

#[test]
fn requirements_ask_for_something_that_can_be_had() {
    let with = |requirement: &str| GOOD.replace("GET /items: {}", &format!("GET /items/{{id}}: {requirement}"));
    for good in [
        "{ any_scope: a b, all_scopes: [a], any_group: a, all_groups: [a] }",
        "{ claims: { sub: '{id}', level: 3, on: true, tenant: [a, b, '{id}'] } }",
        "{ client_ids: a, issuers: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123', token_use: [access, id] }",
        "{ max_auth_age: 15m, any: [{ any_group: a }, { all: [{ any_scope: a }] }] }",
        "{ introspect: false }",
        "{ source_ip: [192.0.2.0/24, 2001:db8::/32, 198.51.100.7], credentials: jwt }",
        "{ any_group: [a], report_only: true }",
        "{ introspect: false, cedar: false, report_only: true }",
        "{ any: [{ source_ip: 10.0.0.0/8 }, { credentials: [jwt] }] }",
    ] {
        check(&with(good), &[]);
    }
    for (bad, fault) in [
        ("null", "must be a map"),
        ("[]", "must be a map"),
        ("{ any_scope: null }", "must not be empty"),
        ("{ any_scope: '' }", "must not be empty"),
        ("{ any_scope: ' , ' }", "must not be empty"),
        ("{ any_scope: [[a]] }", "must be a text"),
        ("{ any: [] }", "any: must not be empty"),
        ("{ any: [{}] }", "any[0]: must ask for something"),
        ("{ any: { any_scope: a } }", "must be a list"),
        ("{ any: [{ introspect: true }] }", "any[0].introspect: belongs at the top"),
        ("{ claims: {} }", "must not be empty"),
        ("{ claims: { sub: [] } }", "must not be empty"),
        ("{ claims: { sub: null } }", "must not be empty"),
        ("{ claims: { sub: { a: b } } }", "must be a single value"),
        ("{ claims: { sub: '{other}' } }", "no path parameter `other`"),
        ("{ claims: { sub: 'x-{id}' } }", "must be the whole value"),
        ("{ issuers: 'https://other.example' }", "none of the configured issuers"),
        ("{ token_use: refresh }", "must be `access` or `id`"),
        ("{ max_auth_age: 0s }", "must be longer than 0s"),
        ("{ max_auth_age: 15 }", "must be a duration"),
        ("{ introspect: true }", "nothing could answer"),
        ("{ source_ip: [] }", "source_ip: must not be empty"),
        ("{ source_ip: 192.0.2.1/24 }", "source_ip: the address has bits behind"),
        ("{ source_ip: anywhere }", "source_ip: must be a block such as"),
        ("{ source_ip: [10.0.0.0/8, 10.0.0.0/33] }", "source_ip: must end in"),
        ("{ credentials: [] }", "credentials: must not be empty"),
        ("{ credentials: password }", "must be among jwt, opaque, api_key, certificate, signature"),
        ("{ credentials: opaque }", "no configured issuer takes a credential of the kind `opaque`"),
        ("{ credentials: [jwt, api_key] }", "no configured issuer takes a credential of the kind `api_key`"),
        ("{ credentials: certificate }", "no configured issuer takes a credential of the kind `certificate`"),
        ("{ credentials: signature }", "no configured issuer takes a credential of the kind `signature`"),
        ("{ report_only: maybe }", "must be `true` or `false`"),
        ("{ any: [{ report_only: true }] }", "any[0].report_only: belongs at the top"),
        ("{ introspect: yes }", "must be `true` or `false`"),
        ("{ any_scope: [a b] }", "any_scope: no scope has white space"),
        ("{ any_group: ['${CLIENTS}'] }", "any_group[0]: holds several texts"),
        ("{ client_ids: '*' }", "`*` is for an issuer's"),
    ] {
        let faults = faults(&with(bad));
        assert!(faults.iter().any(|actual| actual.contains(fault)), "{bad}\n{faults:#?}\nshould contain {fault}");
    }
}

#[test]
fn live_checks_need_somebody_to_ask() {
    let with = |issuer: &str, rest: &str| {
        format!("issuers:\n  - {issuer}\nroutes:\n  GET /items: {{ introspect: true }}\n{rest}\n")
    };
    let cognito = |more: &str| format!("cognito: {{ user_pool_id: us-east-1_A, client_ids: a{more} }}");
    let oidc = |more: &str| format!("oidc: {{ issuer: 'https://i.example', audience: a{more} }}");
    let endpoint = ", introspection: { endpoint: 'https://i.example/x', client_id: a, client_secret: b }";
    for good in [
        with(&cognito(", introspection: { method: get_user, timeout: 5s, cache: 5s }"), ""),
        with(&cognito(", introspection: { method: admin_get_user, cache: 0s }"), ""),
        with(&cognito(", introspection: { method: user_info }"), ""),
        with(&cognito(", introspection: { method: user_info, endpoint: 'https://x.example/oauth2/userInfo' }"), ""),
        with(&cognito(""), "revocations: { table: revocations }"),
        with(&cognito(""), "revocations: { table: revocations, check: all }"),
        with(&oidc(endpoint), ""),
        with(&oidc(&endpoint.replace("b }", "b, client_authentication: post }")), ""),
        with(&oidc(&format!("{endpoint}, opaque_tokens: true")), ""),
    ] {
        check(&good, &[]);
    }
    for (bad, fault) in [
        (with(&cognito(", introspection: { timeout: 1s }"), ""), "introspection.method: is missing"),
        (
            with(&cognito(", introspection: { method: token_info }"), ""),
            "must be `get_user` or `admin_get_user` or `user_info`",
        ),
        (with(&cognito(", introspection: { method: get_user, timeout: 6s }"), ""), "must be at most 5s"),
        (
            with(&cognito(", introspection: { method: get_user, endpoint: 'https://x.example' }"), ""),
            "is for `user_info` alone",
        ),
        (
            with(&cognito(", introspection: { method: user_info, endpoint: 'http://x.example' }"), ""),
            "must be `https://`",
        ),
        (
            with(
                &cognito(", issuer: i.example, jwks_uri: 'https://x.example', introspection: { method: user_info }"),
                "",
            ),
            "give the `endpoint`",
        ),
        (with(&oidc(", introspection: { endpoint: 'https://i.example/x' }"), ""), "client_id: is missing"),
        (with(&oidc(", introspection: { method: get_user }"), ""), "method: unknown key"),
        (with(&oidc(", opaque_tokens: true"), ""), "needs `introspection`"),
        (with(&cognito(""), "revocations: { check: all }"), "revocations.table: is missing"),
        (with(&cognito(""), "revocations: { table: a, check: always }"), "must be `introspected` or `all`"),
    ] {
        let faults = faults(&bad);
        assert!(faults.iter().any(|actual| actual.contains(fault)), "{bad}\n{faults:#?}\nshould contain {fault}");
    }
    let two = format!(
        "{}\n  - {}",
        oidc(&format!("{endpoint}, opaque_tokens: true")),
        oidc(&format!("{endpoint}, opaque_tokens: true")).replace("//i.", "//j.")
    );
    check(&with(&two, ""), &["only one issuer can have opaque tokens"]);
}

#[test]
fn routes_that_mean_the_same_are_duplicates() {
    for second in ["GET /items/", "'GET /items'"] {
        let text = format!("{GOOD}  {second}: {{}}\n");
        let faults = faults(&text);
        assert!(
            faults[0].contains("duplicate") || faults[0].contains("means the same route as `GET /items`"),
            "{faults:?}"
        );
    }
}

#[test]
fn settings_have_their_values() {
    for (text, fault) in [
        ("leeway: 5", "leeway: must be a duration"),
        ("jwks: { max_age: 0s }", "jwks.max_age: must be longer than 0s"),
        ("jwks: { timeout: x }", "jwks.timeout: must be a duration"),
        ("http_api: { response: xml }", "http_api.response: must be `simple` or `policy`"),
        ("http_api: { unauthorized: 401 }", "http_api.unauthorized: must be `deny` or `error`"),
        ("rest_api: { response: simple }", "rest_api.response: unknown key"),
        ("context: { principalId: sub }", "context.principalId: API Gateway keeps"),
        ("context: { claims: sub }", "context.claims: API Gateway keeps"),
        ("context: { 'a b': sub }", "context.\"a b\": has white space in it"),
        ("context: { 'a\u{a0}b': sub }", ": has white space in it"),
        ("context: { a: [sub] }", "context.a: must be a text"),
        ("token: []", "token: must not be empty"),
        ("token: [{ header: a, query: b }]", "token[0]: must be one of"),
        ("token: [{ subprotocol: 'a b' }]", "token[0].subprotocol: is not the name of a subprotocol"),
        ("token: [{ subprotocol: a, header: b }]", "token[0]: must be one of"),
        ("token: [{ body: a }]", "token[0].body: unknown key"),
        ("token: [{ header: a, csrf: origin }]", "token[0].csrf: is for a `cookie` alone"),
        ("token: [{ cookie: a, csrf: none }]", "token[0].csrf: must be `origin`, `off` or a map with `origins`"),
        ("token: [{ cookie: a, csrf: [https://a.example] }]", "token[0].csrf: must be a text"),
        ("token: [{ cookie: a, csrf: {} }]", "token[0].csrf.origins: is missing"),
        ("token: [{ cookie: a, csrf: { origins: [] } }]", "token[0].csrf.origins: must not be empty"),
        (
            "token: [{ cookie: a, csrf: { origins: [https://a.example/] } }]",
            "token[0].csrf.origins: `https://a.example/` is no origin",
        ),
        ("token: [{ cookie: a, csrf: { origins: ['*'] } }]", "token[0].csrf.origins: `*` must be an absolute URL"),
        ("token: [{ cookie: a, csrf: { origins: [https://a.example], x: 1 } }]", "token[0].csrf.x: unknown key"),
        ("token: [{ header: a, events: [] }]", "token[0].events: must not be empty"),
        ("token: [{ header: a, events: [websocket, rest_token] }]", "token[0].events: must be among"),
        ("token: [{ header: a, events: { websocket: true } }]", "token[0].events: must be"),
        ("policy: { covers: everything }", "policy.covers: must be `request` or `token`"),
        ("leeway: !!str 5s", "tags"),
        ("jwks: !!map { max_age: 1h }", "tags"),
        ("token: [{ header: 'a b' }]", "is not a header's name"),
        ("leeway: ${NONE_SUCH}", "leeway: the environment has no `NONE_SUCH`"),
        ("leeway: \"${SET\"", "without `}`"),
    ] {
        let faults = faults(&format!("{GOOD}{text}\n"));
        assert!(faults.iter().any(|actual| actual.contains(fault)), "{text}\n{faults:#?}\nshould contain {fault}");
    }
}

#[test]
fn anchors_work_and_cannot_grow_without_bound() {
    check(&GOOD.replace("GET /items: {}", "GET /items: &any { any_scope: a }\n  GET /b: *any"), &[]);
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![previous; 10].join(","));
    }
    check(&bomb, &["too large"]);
    // Few nodes, and each of them a long text once more.
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 1_000].join(","));
    check(&long, &["too large"]);
}

#[test]
fn a_value_from_the_environment_never_becomes_a_path_parameter() {
    let text = GOOD.replace("GET /items: {}", "GET /items/{id}: { claims: { sub: \"${P}\" } }");
    let environment = Environment::from([("P", "{id}")]);
    let config = Config::parse(&ConfigText { text, folder: "".into() }, &environment).unwrap();
    let table = format!("{:?}", config.rules);
    assert!(table.contains(r#"Literal(String("{id}"))"#) && !table.contains("Parameter(Parameter"), "{table}");
}

#[test]
fn a_faulty_rule_does_not_hide_a_second_one_for_its_route() {
    let text = GOOD.replace("GET /items: {}", "GET /items: { any_scope: [] }\n  GET /items/: {}");
    check(&text, &["any_scope: must not be empty", "means the same route as `GET /items`"]);
}

#[test]
fn an_empty_variable_names_no_configuration() {
    let environment = Environment::from([("AUTHORIZER_CONFIG", ""), ("AUTHORIZER_CONFIG_FILE", "authorizer.yaml")]);
    assert!(ConfigText::find(&environment).is_ok());
}

#[test]
fn a_faulty_section_does_not_make_the_others_unknown() {
    check(
        &format!("{GOOD}context: 7\nhttp_api: 5\nrest_api: {{ unauthorized: deny }}\n"),
        &["context: must be a map", "http_api: must be a map"],
    );
    check(
        &format!("{GOOD}token: [7, {{ heder: x }}, {{ header: 'a b' }}]\n"),
        &[
            "token[0]: must be a map",
            "token[1].heder: unknown",
            "token[1]: must be one of",
            "token[2].header: is not a header's name",
        ],
    );
    let live =
        GOOD.replace("client_ids: a", "client_ids: a, introspection: { method: get_user, timeout: 2, cache: 5s }");
    check(&live, &["introspection.timeout: must be a duration"]);
}
