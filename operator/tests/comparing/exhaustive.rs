//! On small random tables, whatever brute force finds is found.

use crate::authctl::{config, differences, judged};
use cognito_authorizer::config::Config;
use cognito_authorizer::request::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const KEYS: [&str; 8] =
    ["GET /a", "ANY /a", "GET /{x}", "ANY /{x+}", "GET /a/{y}", "GET /{x}/b", "POST /{x}/{y}", "$default"];

fn requirement(numbers: &mut Numbers, key: &str, depth: usize) -> String {
    let parameter = if key.contains("{x}") {
        "\"{x}\""
    } else if key.contains("{y}") {
        "\"{y}\""
    } else {
        "u"
    };
    let checks = [
        "any_scope: [s]".to_owned(),
        "any_scope: [s, t]".to_owned(),
        "all_scopes: [s, t]".to_owned(),
        "any_group: [g]".to_owned(),
        "client_ids: [web]".to_owned(),
        "claims: { sub: u }".to_owned(),
        "claims: { sub: [u, v] }".to_owned(),
        format!("claims: {{ sub: {parameter} }}"),
        format!("claims: {{ tags: [{parameter}, w] }}"),
        "source_ip: [10.0.0.0/8]".to_owned(),
        "source_ip: [10.1.0.0/16]".to_owned(),
        "max_auth_age: 5m".to_owned(),
        "max_auth_age: 1h".to_owned(),
    ];
    if depth > 0 && numbers.below(3) == 0 {
        let inner: Vec<String> = (0..2).map(|_| format!("{{ {} }}", requirement(numbers, key, depth - 1))).collect();
        return format!("{}: [{}]", numbers.of(&["any", "all"]), inner.join(", "));
    }
    checks[numbers.below(checks.len())].clone()
}

fn table(numbers: &mut Numbers) -> String {
    let mut routes = Vec::new();
    for key in KEYS {
        if numbers.below(2) == 0 {
            let requirement = if numbers.below(5) == 0 { String::new() } else { requirement(numbers, key, 2) };
            let more = numbers.of(&["", "", "", "introspect: true"]);
            let all = [requirement.as_str(), more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
            routes.push(format!("  \"{key}\": {{ {} }}\n", all.join(", ")));
        }
    }
    if routes.is_empty() {
        routes.push("  GET /a: {}\n".to_owned());
    }
    format!(
        "issuers: [{{ oidc: {{ issuer: https://a.example, audience: [api], client_ids: [web, cli] }} }}]\nrevocations: {{ table: t }}\nroutes:\n{}",
        routes.concat()
    )
}

/// Every combination of a few facts, with each of a few requests.
fn witnesses() -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/a", "/c", "/a/b", "/a/u", "/u/b", "/c/d", "/u/u", "/u", "/c/d/e"] {
        for method in ["GET", "POST", "PROPFIND"] {
            for scope in ["", "s", "t", "s t"] {
                for groups in [json!([]), json!(["g"])] {
                    for client in ["web", "cli"] {
                        for sub in ["u", "v", "c", "b"] {
                            for tags in [json!([]), json!(["w"]), json!(["u"]), json!(["c", "d"])] {
                                for (address, age) in
                                    [(None, None), (Some("10.1.0.1"), Some(60.0)), (Some("10.2.0.1"), Some(600.0))]
                                {
                                    let mut claims = json!({ "iss": "https://a.example", "aud": "api", "exp": 1.9e9, "scope": scope,
                                        "cognito:groups": groups, "client_id": client, "sub": sub, "tags": tags });
                                    if let Some(age) = age {
                                        claims["auth_time"] = json!(1.8e9 - age);
                                    }
                                    let mut witness = json!({ "claims": claims, "method": method, "path": path });
                                    if let Some(address) = address {
                                        witness["source_ip"] = json!(address);
                                    }
                                    all.push(witness);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

fn served(config: &Config, witness: &Value) -> Option<String> {
    let request = Request::new(witness["method"].as_str().unwrap(), witness["path"].as_str().unwrap(), Vec::new());
    config.rules().route(&request).ok().map(|matched| matched.key().to_string())
}

#[test]
fn none_is_missed_that_brute_force_finds() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let witnesses = witnesses();
    let mut missed = Vec::new();
    let mut count = 0;
    for case in 0..30 {
        let [old_text, new_text] = [table(&mut numbers), table(&mut numbers)];
        let [old, new] = [config(&old_text), config(&new_text)];
        let found: BTreeSet<(String, String)> = differences("random", &old_text, &new_text).into_iter().collect();
        let mut expected: BTreeSet<(String, String)> = BTreeSet::new();
        for witness in witnesses.iter().skip(case % 19).step_by(19) {
            let [before, now] = [judged(&old, witness), judged(&new, witness)];
            if before == now {
                continue;
            }
            let [before_key, now_key] =
                [&old, &new].map(|config| served(config, witness).unwrap_or_else(|| "no rule".to_owned()));
            let name = if before_key == now_key { before_key } else { format!("{before_key} -> {now_key}") };
            expected.insert((if now { "widened" } else { "narrowed" }.to_owned(), name));
        }
        count += expected.len();
        for one in expected.difference(&found) {
            missed.push(format!("{case}: {one:?}\n{old_text}\n{new_text}"));
        }
    }
    assert!(missed.is_empty(), "{} of {count} missed, the first:\n{}", missed.len(), missed[0]);
    assert!(count > 60, "{count} differences say little");
}
