//! An event, as bytes, through the whole handler: nobody is let in without a token that was signed, and then to what the
//! event's ARN says and nothing else.

use std::sync::LazyLock;

use super::harness::{Harness, ISSUERS, Outcome, known_tokens};
use super::memory::within;
use serde_json::json;

static HARNESS: LazyLock<Harness> = LazyLock::new(|| {
    let config = format!(
        "{ISSUERS}
routes:
  GET /items: {{ any_scope: [https://api.example.com/read] }}
  ANY /users/{{user_id}}/{{proxy+}}: {{ claims: {{ sub: \"{{user_id}}\" }} }}
  ANY /admin/{{proxy+}}: {{ any_group: [admin] }}
  $connect: {{}}
token: [{{ header: Authorization }}, {{ query: access_token }}, {{ cookie: session }}]
"
    );
    Harness::with(&config).expect("the configuration loads")
});

/// An event is read where it lies; what is made of it are its token's parts and claims.
const PER_BYTE: usize = 24;
const AND: usize = 64 * 1024;

pub fn run(data: &[u8]) {
    let (harness, _) = (&*HARNESS, known_tokens());
    let Some(outcome) = within(data.len() * PER_BYTE + AND, || harness.answer(data)) else { return };
    let Outcome::Allow(answer) = outcome else { return };
    let spoken = plain(data);
    assert!(known_tokens().iter().any(|token| spoken.contains(token)), "an allow without a token: {answer}");
    for statement in answer["policyDocument"]["Statement"].as_array().into_iter().flatten() {
        assert_eq!(statement["Effect"], "Allow", "{answer}");
        assert_eq!(statement["Action"], json!(["execute-api:Invoke"]), "{answer}");
        let resources =
            statement["Resource"].as_array().cloned().unwrap_or_else(|| vec![statement["Resource"].clone()]);
        for resource in resources {
            let resource = resource.as_str().expect("a resource is text");
            assert!(resource.starts_with("arn:") && spoken.contains(resource), "not the event's ARN: {resource}");
            assert!(!resource.contains(['*', '?']), "a wildcard: {resource}");
        }
    }
}

/// The bytes without JSON's escapes, in which a token or an ARN can be looked for.
fn plain(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let mut plain = String::with_capacity(text.len());
    let mut units = Vec::new();
    let mut rest = &*text;
    while let Some(first) = rest.chars().next() {
        let escaped = rest.strip_prefix("\\u").and_then(|rest| u16::from_str_radix(rest.get(..4)?, 16).ok());
        if let Some(unit) = escaped {
            units.push(unit);
            rest = &rest[6..];
            continue;
        }
        plain += &String::from_utf16_lossy(&units);
        units.clear();
        let simple = rest.strip_prefix('\\').and_then(|rest| rest.chars().next());
        match simple {
            Some(simple) => {
                plain.push(match simple {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    other => other,
                });
                rest = &rest[1 + simple.len_utf8()..];
            }
            None => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    plain + &String::from_utf16_lossy(&units)
}
