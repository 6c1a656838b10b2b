//! By what an answer of a policy store is remembered: it may be used again only for the
//! same question about the same token.

use crate::live::Digest;
use crate::permissions::{Question, Record, Value};
use crate::token::BearerToken;
use aws_lc_rs::digest::{Context, SHA256};

/// Token, action and context; each part with its length, so that no two questions
/// are written alike. Who asks follows from the token, and the policies are the store's.
pub(super) fn key(question: &Question, token: &BearerToken<'_>) -> Digest {
    let mut digest = Context::new(&SHA256);
    text(&mut digest, token.as_str());
    text(&mut digest, &question.principal.id);
    text(&mut digest, &question.action);
    record(&mut digest, &question.context);
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
