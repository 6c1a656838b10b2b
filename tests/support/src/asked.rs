//! A request of the tests, its token, and the folders that policies are in.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::events::Kind;
use crate::tokens::Token;
use crate::{repository, scratch_folder};

/// A request of the tests: what of it the policies can see.
#[derive(Clone, Debug)]
pub struct Asked {
    pub kind: Kind,
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub source_ip: String,
}

impl Asked {
    pub fn new(method: &str, path: &str) -> Asked {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Asked {
            kind: Kind::Http2,
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            source_ip: "192.0.2.1".to_owned(),
        }
    }

    pub fn kind(self, kind: Kind) -> Asked {
        Asked { kind, ..self }
    }

    pub fn from(self, source_ip: &str) -> Asked {
        Asked { source_ip: source_ip.to_owned(), ..self }
    }

    /// The event as API Gateway would send it.
    pub fn event(&self, token: &str) -> Value {
        let mut event = self.kind.event(&self.method, &self.path, &format!("Bearer {token}"));
        if self.kind == Kind::RestToken {
            return event;
        }
        let values = |name: &str| -> Vec<&str> {
            self.query.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
        };
        let map = |of: &dyn Fn(Vec<&str>) -> Value| -> Value {
            self.query
                .iter()
                .map(|(name, _)| (name.clone(), of(values(name))))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        if self.kind == Kind::Http2 {
            event["requestContext"]["http"]["sourceIp"] = json!(self.source_ip);
            let pairs: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            event["rawQueryString"] = json!(pairs.join("&"));
            if !self.query.is_empty() {
                event["queryStringParameters"] = map(&|values| json!(values.join(",")));
            }
        } else {
            event["requestContext"]["identity"]["sourceIp"] = json!(self.source_ip);
            event["queryStringParameters"] = map(&|values| json!(values.last()));
            event["multiValueQueryStringParameters"] = map(&|values| json!(values));
        }
        event
    }
}

/// An access token with these claims; `machine` for a client's own.
pub fn token(claims: &Value, machine: bool) -> Token {
    let token = if machine { Token::machine() } else { Token::access() };
    claims.as_object().unwrap().iter().fold(token, |token, (name, claim)| token.claim(name, claim.clone()))
}

/// A folder with these files, which lives as long as the process.
pub fn folder(files: &[(&str, &str)]) -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let name = format!("cedar-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = scratch_folder().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder
}

pub fn policies_folder() -> PathBuf {
    repository().join("policies")
}

pub fn read(name: &str) -> String {
    let path = policies_folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
