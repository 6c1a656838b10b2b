//! Events as API Gateway sends them, one builder for each kind. The odd shapes are made by changing
//! what these return; the recorded samples are in `events/`.

use serde_json::{Value, json};

/// The API and stage of every event made here.
pub const STAGE_ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test";

/// The five kinds of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    RestToken,
    RestRequest,
    Http1,
    Http2,
    WebSocket,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2, Kind::WebSocket];

    /// Its name in the decision log line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::RestToken => "rest_token",
            Kind::RestRequest => "rest_request",
            Kind::Http1 => "http_1.0",
            Kind::Http2 => "http_2.0",
            Kind::WebSocket => "websocket",
        }
    }

    /// An event of this kind with that `Authorization` header. A WebSocket event is a `$connect`,
    /// whatever method and path are asked for.
    pub fn event(self, method: &str, path: &str, authorization: &str) -> Value {
        let headers = json!({ "Authorization": authorization });
        match self {
            Kind::RestToken => rest_token(method, path, authorization),
            Kind::RestRequest => rest_request(method, path, headers),
            Kind::Http1 => http_1(method, path, headers),
            Kind::Http2 => http_2(method, path, json!({ "authorization": authorization })),
            Kind::WebSocket => websocket(headers),
        }
    }

    /// An event of this kind that carries no credential.
    pub fn event_without_token(self, method: &str, path: &str) -> Value {
        let mut event = self.event(method, path, "");
        let object = event.as_object_mut().unwrap();
        object.remove("authorizationToken");
        for headers in ["headers", "multiValueHeaders"] {
            if object.contains_key(headers) {
                object.insert(headers.to_owned(), json!({}));
            }
        }
        event
    }

    /// Where the ARN of an event of this kind stands.
    pub fn arn_member(self) -> &'static str {
        match self {
            Kind::Http2 => "routeArn",
            Kind::RestToken | Kind::RestRequest | Kind::Http1 | Kind::WebSocket => "methodArn",
        }
    }
}

pub fn arn(method: &str, path: &str) -> String {
    format!("{STAGE_ARN}/{method}{path}")
}

pub fn rest_token(method: &str, path: &str, authorization: &str) -> Value {
    json!({ "type": "TOKEN", "authorizationToken": authorization, "methodArn": arn(method, path) })
}

pub fn rest_request(method: &str, path: &str, headers: Value) -> Value {
    json!({
        "type": "REQUEST",
        "methodArn": arn(method, path),
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "multiValueHeaders": multi_value(&headers),
        "headers": headers,
        "queryStringParameters": {},
        "multiValueQueryStringParameters": {},
        "pathParameters": {},
        "stageVariables": {},
        "requestContext": {
            "resourceId": "05c7jb",
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "path": format!("/test{path}"),
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "test",
            "requestId": "api-gateway-request-id",
            "identity": { "sourceIp": "192.0.2.1", "userAgent": "agent" },
            "apiId": "abcdef123",
        },
    })
}

pub fn http_1(method: &str, path: &str, headers: Value) -> Value {
    let identity_source = headers.get("Authorization").cloned().unwrap_or_default();
    json!({
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": arn(method, path),
        "identitySource": identity_source,
        "authorizationToken": identity_source,
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "queryStringParameters": {},
        "pathParameters": {},
        "stageVariables": {},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef123",
            "domainName": "abcdef123.execute-api.us-east-1.amazonaws.com",
            "httpMethod": method,
            "identity": { "sourceIp": "192.0.2.1", "userAgent": "agent" },
            "path": format!("/test{path}"),
            "protocol": "HTTP/1.1",
            "requestId": "api-gateway-request-id",
            "resourcePath": path,
            "stage": "test",
        },
    })
}

pub fn http_2(method: &str, path: &str, headers: Value) -> Value {
    let identity_source = headers.get("authorization").map(|value| json!([value]));
    json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": arn(method, path),
        "identitySource": identity_source,
        "routeKey": "$default",
        "rawPath": format!("/test{path}"),
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef123",
            "domainName": "abcdef123.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abcdef123",
            "http": {
                "method": method,
                "path": format!("/test{path}"),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "api-gateway-request-id",
            "routeKey": "$default",
            "stage": "test",
            "time": "21/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1_795_255_200_000_i64,
        },
    })
}

pub fn websocket(headers: Value) -> Value {
    json!({
        "type": "REQUEST",
        "methodArn": format!("{STAGE_ARN}/$connect"),
        "multiValueHeaders": multi_value(&headers),
        "headers": headers,
        "queryStringParameters": {},
        "multiValueQueryStringParameters": {},
        "stageVariables": {},
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "extendedRequestId": "extended-request-id",
            "requestTime": "21/Nov/2026:10:00:00 +0000",
            "messageDirection": "IN",
            "stage": "test",
            "connectedAt": 1_795_255_200_000_i64,
            "requestTimeEpoch": 1_795_255_200_000_i64,
            "identity": { "sourceIp": "192.0.2.1", "userAgent": "agent" },
            "requestId": "api-gateway-request-id",
            "domainName": "abcdef123.execute-api.us-east-1.amazonaws.com",
            "connectionId": "connection-id",
            "apiId": "abcdef123",
        },
    })
}

fn multi_value(headers: &Value) -> Value {
    headers.as_object().unwrap().iter().map(|(name, value)| (name.clone(), json!([value]))).collect()
}
