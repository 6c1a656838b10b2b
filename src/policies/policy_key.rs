//! By what an answer of a policy store is remembered: it may be used again only for the
//! same question about the same token.

use crate::live::Digest;
use crate::permissions::{Question, Record, Value};
use aws_lc_rs::digest::{Context, SHA256};

/// Credential and all of the question; each part with its length, so that no two questions are written
/// alike. What an opaque token says of its user may change from one introspection to the next, so
/// that groups and claims do not follow from the token. The policies are the store's.
pub(super) fn key(question: &Question, credential: &str) -> Digest {
    let mut digest = Context::new(&SHA256);
    text(&mut digest, credential);
    text(&mut digest, question.principal.kind.name());
    text(&mut digest, &question.principal.id);
    length(&mut digest, question.groups.len());
    question.groups.iter().for_each(|group| text(&mut digest, group));
    record(&mut digest, &question.attributes);
    text(&mut digest, &question.action);
    record(&mut digest, &question.context);
    length(&mut digest, usize::from(question.token.is_some()));
    question.token.iter().for_each(|claims| record(&mut digest, claims));
    let mut key = [0; 32];
    // SHA-256 has 32 bytes; any other length would panic, and a panic is a denial.
    key.copy_from_slice(digest.finish().as_ref());
    key
}

fn record(digest: &mut Context, members: &Record) {
    length(digest, members.len());
    // The order of members means nothing to the policies, but the same event has the same.
    for (name, member) in members {
        text(digest, name);
        value(digest, member);
    }
}

fn value(digest: &mut Context, value_of: &Value) {
    let (kind, written) = match value_of {
        Value::Bool(value) => (b'b', value.to_string()),
        Value::Datetime(text) => (b'd', text.clone()),
        Value::Decimal(text) => (b'n', text.clone()),
        Value::Ip(address) => (b'i', address.to_string()),
        Value::Long(value) => (b'l', value.to_string()),
        Value::Text(text) => (b't', text.clone()),
        Value::Record(members) => {
            digest.update(b"r");
            return record(digest, members);
        }
        Value::Set(items) => {
            digest.update(b"s");
            length(digest, items.len());
            return items.iter().for_each(|item| value(digest, item));
        }
    };
    digest.update(&[kind]);
    text(digest, &written);
}

fn text(digest: &mut Context, text: &str) {
    length(digest, text.len());
    digest.update(text.as_bytes());
}

fn length(digest: &mut Context, length: usize) {
    digest.update(format!("{length}:").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::{Principal, PrincipalKind};

    type Change = fn(&mut Question);

    fn key_of(question: &Question, token: &str) -> Digest {
        key(question, token)
    }

    #[test]
    fn an_answer_is_kept_for_this_token_and_all_that_the_policies_are_asked() {
        let record = |name: &str| vec![(name.to_owned(), Value::Text("x".to_owned()))];
        let question = || Question {
            principal: Principal { kind: PrincipalKind::User, id: "i|ann".to_owned() },
            groups: vec!["i|staff".to_owned()],
            attributes: Record::new(),
            action: "get /a".to_owned(),
            context: record("a"),
            token: Some(record("scope")),
        };
        let known = key_of(&question(), "opaque");
        assert_eq!(known, key_of(&question(), "opaque"));
        assert_ne!(known, key_of(&question(), "another"));
        let changes: [(&str, Change); 9] = [
            ("another kind", |asked| asked.principal.kind = PrincipalKind::Client),
            ("another principal", |asked| asked.principal.id = "i|bob".to_owned()),
            ("one more group", |asked| asked.groups.push("i|admin".to_owned())),
            ("no group", |asked| asked.groups.clear()),
            ("a group and an action that look alike when joined", |asked| {
                asked.groups = vec!["i|staffget ".to_owned()];
                asked.action = "/a".to_owned();
            }),
            ("an attribute", |asked| asked.attributes.push(("email".to_owned(), Value::Bool(true)))),
            ("another action", |asked| asked.action = "get /b".to_owned()),
            ("another context", |asked| asked.context.clear()),
            ("other claims", |asked| asked.token = None),
        ];
        for (what, change) in changes {
            let mut asked = question();
            change(&mut asked);
            assert_ne!(known, key_of(&asked, "opaque"), "{what}");
        }
    }
}
