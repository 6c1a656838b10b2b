//! A stub of AWS's JSON APIs: each operation has one answer, and all requests are kept.

use crate::http::{self, Then};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub(crate) const PUT_ITEM: &str = "DynamoDB_20120810.PutItem";
pub(crate) const REVOKE_TOKEN: &str = "AWSCognitoIdentityProviderService.RevokeToken";
pub(crate) const LIST_USERS: &str = "AWSCognitoIdentityProviderService.ListUsers";
pub(crate) const SIGN_OUT: &str = "AWSCognitoIdentityProviderService.AdminUserGlobalSignOut";

pub(crate) struct Stub {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answers: HashMap<String, (u16, Value)>,
    requests: Vec<(String, Value)>,
}

impl Stub {
    /// Answers every operation with an empty object.
    pub(crate) fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        let address = http::serve(move |request, stream| {
            let target = request.header("x-amz-target").unwrap_or_default().to_owned();
            let body = serde_json::from_slice(&request.body).unwrap_or_default();
            let (status, answer) = {
                let mut state = shared.lock().unwrap();
                state.requests.push((target.clone(), body));
                state.answers.get(&target).cloned().unwrap_or((200, json!({})))
            };
            http::respond(
                stream,
                status,
                &[("Content-Type", "application/x-amz-json-1.1")],
                answer.to_string().as_bytes(),
            );
            Then::KeepOpen
        });
        Self { url: format!("http://{address}"), state }
    }

    /// From now on, the operation answers this.
    pub(crate) fn answer(&self, operation: &str, status: u16, answer: Value) {
        self.state.lock().unwrap().answers.insert(operation.to_owned(), (status, answer));
    }

    /// From now on, the operation fails with that code and message.
    pub(crate) fn fail(&self, operation: &str, code: &str, message: &str) {
        self.answer(operation, 400, json!({ "__type": code, "message": message }));
    }

    /// The bodies of all requests for an operation.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|(target, _)| target == operation).map(|(_, body)| body.clone()).collect()
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    /// What a program needs to reach it.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("AWS_REGION", "us-east-1"),
            ("REVOCATIONS_TABLE", "revocations"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}
