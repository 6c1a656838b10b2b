//! Secrets Manager: what `${secretsmanager:NAME}` in the configuration stands for, read once, while the function starts.
//!
//! Goes in: references. Comes out: for each its text, or why there is none. Never logs a secret, and never asks again.

use crate::http::{Outage, aws};
use aws_sdk_secretsmanager::Client;
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// A secret's text, or why there is none.
pub type Secret = Result<String, String>;

/// Reads the secrets of these references: `NAME` or an ARN, and where the secret is a JSON object, `#MEMBER` behind it.
/// All are asked for at once, each secret once, within five seconds in all.
pub async fn read(references: BTreeSet<String>) -> HashMap<String, Secret> {
    let ids: BTreeSet<&str> = references.iter().map(|reference| parts(reference).0).collect();
    let client = aws::client!(aws_sdk_secretsmanager, None, TIMEOUT);
    let ask = ids.into_iter().map(|id| {
        let client = &client;
        async move {
            let answer = tokio::time::timeout(TIMEOUT, ask(client, id)).await;
            (id, answer.unwrap_or_else(|_| Err(Outage::lost("timed out"))))
        }
    });
    let texts: HashMap<_, _> = join_all(ask).await.into_iter().collect();
    let secret = |reference: &String| -> Secret {
        let (id, member) = parts(reference);
        match texts.get(id) {
            Some(Ok(text)) => self::member(text, member).map_err(|why| format!("the secret `{id}` {why}")),
            Some(Err(outage)) => Err(format!("the secret `{id}` could not be read: {}", outage.why)),
            None => Err(format!("the secret `{id}` was not read")),
        }
    };
    references.iter().map(|reference| (reference.clone(), secret(reference))).collect()
}

async fn ask(client: &Client, id: &str) -> Result<String, Outage> {
    let answer = client.get_secret_value().secret_id(id).send().await.map_err(|error| aws::outage(&error))?;
    answer.secret_string.ok_or_else(|| Outage::answered("it is not a text"))
}

fn parts(reference: &str) -> (&str, Option<&str>) {
    match reference.split_once('#') {
        Some((id, member)) => (id, Some(member)),
        None => (reference, None),
    }
}

/// The text itself, or the text that a JSON object has there.
fn member(text: &str, member: Option<&str>) -> Result<String, &'static str> {
    let Some(member) = member else { return Ok(text.to_owned()) };
    let object: Value = serde_json::from_str(text).map_err(|_| "is not a JSON object")?;
    let member = object.as_object().ok_or("is not a JSON object")?.get(member).ok_or("has no such member")?;
    member.as_str().map(str::to_owned).ok_or("has no text in that member")
}

/// For all secrets. The start of a function may take ten seconds (Lambda, init phase).
const TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_a_json_object_is_a_text() {
        let object = r#"{"a":"1","b":2,"":"e","c":null}"#;
        for (text, name, expected) in [
            ("plain", None, Ok("plain")),
            (object, None, Ok(object)),
            (object, Some("a"), Ok("1")),
            (object, Some(""), Ok("e")),
            (object, Some("b"), Err("has no text in that member")),
            (object, Some("c"), Err("has no text in that member")),
            (object, Some("d"), Err("has no such member")),
            ("plain", Some("a"), Err("is not a JSON object")),
            ("[\"a\"]", Some("a"), Err("is not a JSON object")),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(member(text, name), expected, "{text}");
        }
    }

    #[test]
    fn a_reference_is_a_name_and_perhaps_a_member() {
        assert_eq!(parts("prod/hmac"), ("prod/hmac", None));
        assert_eq!(parts("prod/hmac#a#b"), ("prod/hmac", Some("a#b")));
    }
}
