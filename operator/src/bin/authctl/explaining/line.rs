//! A decision line of the log: what its reason means, and what its route asks.

use super::text::Style;
use cognito_authorizer::access::Rule;
use cognito_authorizer::config::Config;
use cognito_authorizer_operator::revoking::printable;
use cognito_authorizer_operator::workbench::{asks, nearest, reason};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn text(line: &Value, config: &Config, style: Style) -> String {
    let member = |name: &str| line.get(name).and_then(Value::as_str);
    let mut text = String::new();
    let mut write = |what: &str, value: Option<&str>| {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {what}: {}", printable(value));
        }
    };
    for (what, name) in SHOWN {
        write(what, member(name));
    }
    let known = member("reason").and_then(reason);
    write("which means", known.map(|reason| reason.meaning));
    write("what to do", known.map(|reason| reason.remedy));
    match member("route") {
        Some(route) => match rule(config, route) {
            Some(rule) => write("the route asks", Some(&asks(rule))),
            None => {
                let keys = config.rules().iter().map(|(_, rule)| &*rule.key);
                let hint = nearest(route, keys).map(|key| format!("; the nearest is {key}")).unwrap_or_default();
                write("the route", Some(&format!("is not in this configuration{hint}")));
            }
        },
        None => write("the route", Some("was not looked at: the token goes before it, or no route has the path")),
    }
    let decision = member("decision").unwrap_or_default();
    let decision = if decision == "allow" { style.good(decision) } else { style.bad(decision) };
    format!(
        "{decision}\n{text}\nThe line holds neither the path nor the claims: for every step, explain the request or its event.\n"
    )
}

pub(super) fn json(line: &Value, config: &Config) -> Value {
    let member = |name: &str| line.get(name).and_then(Value::as_str);
    let known = member("reason").and_then(reason);
    let rule = member("route").and_then(|route| rule(config, route));
    json!({
        "decision": member("decision"), "reason": member("reason"), "detail": member("detail"),
        "would_be": member("would_be"), "event": member("event"), "route": member("route"),
        "issuer": member("issuer"), "client_id": member("client_id"), "principal_id": member("principal_id"),
        "about_the_reason": known.map(|reason| json!({ "meaning": reason.meaning, "remedy": reason.remedy })),
        "route_is_known": rule.is_some(), "route_asks": rule.map(asks),
    })
}

fn rule<'c>(config: &'c Config, key: &str) -> Option<&'c Rule> {
    config.rules().iter().map(|(_, rule)| rule).find(|rule| *rule.key == *key)
}

/// Of a line, what somebody asks for; whatever else it holds is not repeated.
const SHOWN: [(&str, &str); 10] = [
    ("reason", "reason"),
    ("detail", "detail"),
    ("would be", "would_be"),
    ("event", "event"),
    ("route", "route"),
    ("issuer", "issuer"),
    ("client", "client_id"),
    ("principal", "principal_id"),
    ("live check", "live_check"),
    ("policies", "policies"),
];
