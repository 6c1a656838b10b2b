//! A configuration as the function under `cargo lambda watch` gets it: the same, but for the addresses of what it asks
//! over the network, which become those of the local server.

use cognito_authorizer::config::Faults;
use cognito_authorizer::config::yaml::{self, Node, Tags, Value};

/// The text with local addresses, on one line of YAML in flow style.
///
/// # Errors
/// What is no YAML.
pub(crate) fn with_local_addresses(text: &str, base: &str) -> Result<String, Faults> {
    let (mut root, _) = yaml::parse(text, Tags::Refused)?;
    if let Some(Value::List(issuers)) = value_mut(&mut root, "issuers") {
        for (index, issuer) in issuers.iter_mut().enumerate() {
            let Value::Map(kinds) = &mut issuer.value else { continue };
            for (kind, issuer) in kinds.iter_mut().filter(|(kind, _)| kind == "cognito" || kind == "oidc") {
                localise(issuer, kind == "cognito", &format!("{base}/issuers/{index}"));
            }
        }
    }
    let mut flow = String::new();
    write(&root, &mut flow);
    Ok(flow)
}

fn localise(issuer: &mut Node, is_cognito: bool, base: &str) {
    let place = Node { value: Value::List(Vec::new()), ..issuer.clone() };
    let address = |text: String| Node { value: Value::Scalar { text, plain: false }, ..place.clone() };
    let Value::Map(entries) = &mut issuer.value else { return };
    entries.retain(|(key, _)| key != "jwks_uri" && key != "jwks_file");
    entries.push(("jwks_uri".to_owned(), address(format!("{base}/jwks.json"))));
    let Some(Value::Map(check)) = value_mut(issuer, "introspection") else { return };
    let asks_user_info = check.iter().any(|(key, node)| key == "method" && node.text() == Some("user_info"));
    let path = match (is_cognito, asks_user_info) {
        (false, _) => "introspect",
        (true, true) => "userinfo",
        // Cognito's own API, which `AWS_ENDPOINT_URL` leads here.
        (true, false) => return,
    };
    check.retain(|(key, _)| key != "endpoint");
    check.push(("endpoint".to_owned(), address(format!("{base}/{path}"))));
}

fn value_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Value> {
    let Value::Map(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|(name, _)| name == key).map(|(_, node)| &mut node.value)
}

/// YAML in flow style. What was written without quotes stays so, since it may be a number, a truth value or null.
fn write(node: &Node, to: &mut String) {
    match &node.value {
        Value::Scalar { text, plain: true } if is_plain_in_flow(text) => to.push_str(text),
        Value::Scalar { plain: true, .. } if node.is_null() => to.push_str("null"),
        Value::Scalar { text, .. } => quoted(text, to),
        Value::List(items) => {
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                to.push_str(if index == 0 { "" } else { ", " });
                write(item, to);
            }
            to.push(']');
        }
        Value::Map(entries) => {
            to.push('{');
            for (index, (key, node)) in entries.iter().enumerate() {
                to.push_str(if index == 0 { "" } else { ", " });
                quoted(key, to);
                to.push_str(": ");
                write(node, to);
            }
            to.push('}');
        }
    }
}

/// Whether a text means the same without quotes in any place.
fn is_plain_in_flow(text: &str) -> bool {
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    begins && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
        // A number may begin with its sign or its point.
        || text.parse::<f64>().is_ok()
}

/// A JSON text is a quoted scalar of YAML 1.2.
fn quoted(text: &str, to: &mut String) {
    to.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://127.0.0.1:9002";

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(with_local_addresses(text, BASE).unwrap(), expected);
    }

    #[test]
    fn keys_and_checks_of_every_issuer_are_asked_for_here() {
        check(
            "issuers:\n  - cognito: { user_pool_id: \"${POOL}\", client_ids: web, jwks_uri: https://a.example/jwks }\n",
            r#"{"issuers": [{"cognito": {"user_pool_id": "${POOL}", "client_ids": web, "jwks_uri": "http://127.0.0.1:9002/issuers/0/jwks.json"}}]}"#,
        );
        check(
            "issuers: [{ cognito: {} }, { oidc: { jwks_file: k.json, introspection: { endpoint: https://a.example/i, timeout: 2s } } }]",
            r#"{"issuers": [{"cognito": {"jwks_uri": "http://127.0.0.1:9002/issuers/0/jwks.json"}}, {"oidc": {"introspection": {"timeout": 2s, "endpoint": "http://127.0.0.1:9002/issuers/1/introspect"}, "jwks_uri": "http://127.0.0.1:9002/issuers/1/jwks.json"}}]}"#,
        );
        check(
            "issuers: [{ cognito: { introspection: { method: user_info } } }, { cognito: { introspection: { method: get_user } } }]",
            r#"{"issuers": [{"cognito": {"introspection": {"method": user_info, "endpoint": "http://127.0.0.1:9002/issuers/0/userinfo"}, "jwks_uri": "http://127.0.0.1:9002/issuers/0/jwks.json"}}, {"cognito": {"introspection": {"method": get_user}, "jwks_uri": "http://127.0.0.1:9002/issuers/1/jwks.json"}}]}"#,
        );
    }

    #[test]
    fn the_rest_means_what_it_meant() {
        for text in [
            "a: 1\nb: \"1\"\nc: -1.5e3\nd: true\ne: \"true\"\nf: ~\ng:\nh: 0x1F\ni: .5\nj: .inf",
            "GET /items: { any: [{ claims: { sub: \"{user_id}\" } }, { any_group: [a b, 'c, d', \"\"] }] }",
            "a: \"${NAME:-x}\"\nb: \"\\u0001\\\"\\\\\"\nc: |\n  several\n  lines\nd: [-x, ?x, '- x', x#y, 'x #y', null, 'null']",
            "a: &anchor { b: [] }\nc: *anchor",
        ] {
            let again = with_local_addresses(text, BASE).unwrap();
            let nodes = [text, &again].map(|text| meaning(&yaml::parse(text, Tags::Refused).unwrap().0));
            assert_eq!(nodes[0], nodes[1], "{again}");
        }
    }

    /// Without places; and null in one spelling.
    fn meaning(node: &Node) -> String {
        match &node.value {
            _ if node.is_null() => "null".to_owned(),
            Value::Scalar { text, plain } => {
                let is_typed = *plain && (text.parse::<f64>().is_ok() || text == "true" || text == "false");
                format!("{is_typed}:{text:?}")
            }
            Value::List(items) => format!("{:?}", items.iter().map(meaning).collect::<Vec<_>>()),
            Value::Map(entries) => {
                format!("{:?}", entries.iter().map(|(key, node)| (key, meaning(node))).collect::<Vec<_>>())
            }
        }
    }
}
