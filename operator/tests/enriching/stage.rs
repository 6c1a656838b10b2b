//! The function, a table, and events.

use serde_json::{Value, json};
use std::sync::Arc;
use test_support::http::Request;
use test_support::runtime_api::{Function, Setup};
use test_support::stub::{Answer, Reply, Stub};
use test_support::verdict;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_enricher");
pub(crate) const GET_ITEM: &str = "GetItem";
pub(crate) const SUB: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
pub(crate) const CLIENT: &str = "1example23456789";

/// The words that no log line and no error may have.
pub(crate) const PERSONAL: [&str; 5] = [SUB, "rita", "acme", "secret-value", "+1206"];

pub(crate) struct Stage {
    pub(crate) stub: Stub,
    pub(crate) function: Function,
}

impl Stage {
    pub(crate) fn new(config: &str) -> Self {
        Self::with(Stub::start(), config)
    }

    pub(crate) fn with(stub: Stub, config: &str) -> Self {
        let setup = Setup::bare().program(PROGRAM).env("ENRICHER_CONFIG", config);
        let setup = setup
            .env("AWS_ENDPOINT_URL_DYNAMODB", &stub.url(""))
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        Self { stub, function: setup.start() }
    }

    /// The whole answer.
    #[track_caller]
    pub(crate) fn answer(&self, event: &Value) -> Value {
        match self.function.send(&event.to_string()).1 {
            verdict::Answer::Response(text) => serde_json::from_str(&text).unwrap(),
            verdict::Answer::Error(text) => panic!("refused: {text}"),
        }
    }

    /// What versions two and three change.
    #[track_caller]
    pub(crate) fn changes(&self, event: &Value) -> Value {
        self.answer(event)["response"]["claimsAndScopeOverrideDetails"].clone()
    }

    #[track_caller]
    pub(crate) fn claims(&self, event: &Value) -> Value {
        self.changes(event)["accessTokenGeneration"]["claimsToAddOrOverride"].clone()
    }

    /// The sign-in fails for this reason, of which whoever signs in learns nothing.
    #[track_caller]
    pub(crate) fn refuses(&self, event: &Value, reason: &str) {
        match self.function.send(&event.to_string()).1 {
            verdict::Answer::Error(text) => {
                let error: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(error["errorType"], reason, "{text}");
                assert_eq!(error["errorMessage"], "the tokens could not be made");
            }
            verdict::Answer::Response(text) => panic!("accepted: {text}"),
        }
    }

    /// Ends the function; its log lines, which hold nothing personal.
    #[track_caller]
    pub(crate) fn log(&self) -> Vec<Value> {
        self.function.end();
        let lines = self.function.stdout();
        for word in PERSONAL {
            assert!(lines.iter().all(|line| !line.contains(word)), "{word}: {lines:#?}");
        }
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A user's sign-in.
pub(crate) fn user(groups: &[&str]) -> Value {
    json!({
        "version": "2",
        "triggerSource": "TokenGeneration_HostedAuth",
        "region": "us-east-1",
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "rita",
        "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": CLIENT },
        "request": {
            "userAttributes": { "sub": SUB, "email": "rita@example.com", "custom:plan": "secret-value", "profile": "secret-value" },
            "groupConfiguration": { "groupsToOverride": groups, "iamRolesToOverride": [], "preferredRole": null },
            "scopes": ["openid"],
        },
        "response": { "claimsAndScopeOverrideDetails": null },
    })
}

/// A client-credentials grant.
pub(crate) fn machine() -> Value {
    json!({
        "version": "3",
        "triggerSource": "TokenGeneration_ClientCredentials",
        "userPoolId": "us-east-1_AbCdEf123",
        "userName": "ClientCredentials",
        "callerContext": { "clientId": CLIENT },
        "request": { "userAttributes": {}, "groupConfiguration": {}, "scopes": ["read"] },
        "response": {},
    })
}

/// A table with these items, each under its `pk`. A request that asks for more than it needs is a fault of the request.
pub(crate) fn table(items: &[(&str, Value)]) -> Answer {
    let items: Vec<(String, Value)> = items.iter().map(|(pk, item)| ((*pk).to_owned(), item.clone())).collect();
    Answer::Worked(Arc::new(move |request: &Request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((&asked["TableName"], &asked["ConsistentRead"]), (&json!("tenants"), &json!(true)), "{asked}");
        let names = asked["ExpressionAttributeNames"].as_object().unwrap();
        let wanted: Vec<&str> = names.values().map(|name| name.as_str().unwrap()).collect();
        let found = items.iter().find(|(pk, _)| asked["Key"]["pk"]["S"] == **pk);
        let answer = found.map(|(_, item)| {
            let kept = item.as_object().unwrap().iter().filter(|(name, _)| wanted.contains(&name.as_str()));
            json!({ "Item": kept.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>() })
        });
        reply(200, &answer.unwrap_or(json!({})))
    }))
}

pub(crate) fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, body.to_string()).header("Content-Type", "application/x-amz-json-1.0")
}

pub(crate) fn text(text: &str) -> Value {
    json!({ "S": text })
}
