//! DynamoDB's JSON 1.0 API: `BatchGetItem` on the table of revocations, `GetItem` on the table of keys.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html>

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Reply};
use crate::http::Request;

pub const BATCH_GET_ITEM: &str = "BatchGetItem";
pub const TABLE: &str = "revocations";

pub const GET_ITEM: &str = "GetItem";
pub const KEYS: &str = "keys";

/// A revocation without an end that spares nothing.
pub fn item(pk: &str) -> Value {
    json!({ "pk": { "S": pk } })
}

/// The item with a number.
pub fn with_number(mut item: Value, name: &str, number: impl ToString) -> Value {
    item[name] = json!({ "N": number.to_string() });
    item
}

/// A table that holds these items.
pub fn table(items: &[Value]) -> Answer {
    let items = items.to_vec();
    Answer::Worked(Arc::new(move |request| found(&asked_for(request), &items, &json!({}))))
}

/// A table that leaves all keys unprocessed.
pub fn busy() -> Answer {
    Answer::Worked(Arc::new(|request| found(&[], &[], &request_json(request)["RequestItems"])))
}

/// A table with these items that leaves all keys but the first unprocessed.
pub fn half_busy(items: &[Value]) -> Answer {
    let items = items.to_vec();
    Answer::Worked(Arc::new(move |request| {
        let mut left = request_json(request)["RequestItems"].clone();
        left[TABLE]["Keys"].as_array_mut().unwrap().remove(0);
        found(&asked_for(request)[..1], &items, &left)
    }))
}

fn found(keys: &[String], items: &[Value], unprocessed: &Value) -> Reply {
    let items: Vec<&Value> = items.iter().filter(|item| keys.iter().any(|key| item["pk"]["S"] == *key)).collect();
    reply(200, &json!({ "Responses": { TABLE: items }, "UnprocessedKeys": unprocessed }))
}

/// A table of keys that holds these items. A read that is not consistent, or of another table, is a fault of the request.
pub fn keys(items: &[Value]) -> Answer {
    let items = items.to_vec();
    Answer::Worked(Arc::new(move |request| {
        let json = request_json(request);
        assert_eq!((&json["TableName"], &json["ConsistentRead"]), (&json!(KEYS), &json!(true)), "{json}");
        let item = items.iter().find(|item| item["pk"] == json["Key"]["pk"]);
        reply(200, &item.map_or(json!({}), |item| json!({ "Item": item })))
    }))
}

/// The `pk`s that a request asks for. A table of another name, or other keys, is a fault of the request.
pub fn asked_for(request: &Request) -> Vec<String> {
    let json = request_json(request);
    let keys = json["RequestItems"][TABLE]["Keys"].as_array().unwrap_or_else(|| panic!("no keys: {json}"));
    keys.iter().map(|key| key["pk"]["S"].as_str().unwrap().to_owned()).collect()
}

pub fn request_json(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// An error as DynamoDB sends it: its name in the body alone, with a namespace before it.
pub fn error(status: u16, namespace: &str, code: &str) -> Answer {
    reply(status, &json!({ "__type": format!("{namespace}#{code}"), "message": "The words of DynamoDB" })).into()
}

pub fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, body.to_string())
        .header("Content-Type", "application/x-amz-json-1.0")
        .header("x-amzn-RequestId", "VVVV66Q9ASUAAJG")
}

/// Where DynamoDB's own errors live, and those of all AWS services.
pub const DYNAMODB: &str = "com.amazonaws.dynamodb.v20120810";
pub const CORAL: &str = "com.amazon.coral.service";
