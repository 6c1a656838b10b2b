//! What `/next` answers: an HTTP API 2.0 event as API Gateway sends it.

use crate::token;

/// One invocation, with a place for the token and for what differs from one to the next.
pub(crate) struct Invocation {
    text: Vec<u8>,
    tokens: Vec<usize>,
    numbers: Vec<usize>,
}

impl Invocation {
    /// With a place for a token of that many bytes.
    pub(crate) fn new(token_bytes: usize) -> Self {
        let event = EVENT.replace(char::is_whitespace, "").replace('~', " ");
        let event = event.replace("{token}", &"T".repeat(token_bytes)).replace("{number}", NUMBER);
        let deadline = (token::unix_seconds() + 24 * 60 * 60) * 1000;
        let text = format!(
            "HTTP/1.1 200 OK\r\n\
             Content-Type: application/json\r\n\
             Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-{NUMBER}\r\n\
             Lambda-Runtime-Deadline-Ms: {deadline}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:authorizer\r\n\
             Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6e{NUMBER};Parent=9a9197af755a6419;Sampled=0\r\n\
             Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\
             Content-Length: {}\r\n\r\n{event}",
            event.len()
        );
        let places = |what: &str| text.match_indices(what).map(|(place, _)| place).collect();
        Self { tokens: places(&"T".repeat(token_bytes)), numbers: places(NUMBER), text: text.into_bytes() }
    }

    /// The invocation of that number, by that token. As in Lambda no request id and
    /// no trace id comes twice.
    pub(crate) fn with(&mut self, token: &str, number: usize) -> &[u8] {
        let number = format!("{number:012x}");
        for (places, value) in [(&self.tokens, token), (&self.numbers, &number)] {
            for place in places {
                self.text[*place..place + value.len()].copy_from_slice(value.as_bytes());
            }
        }
        &self.text
    }
}

const NUMBER: &str = "NNNNNNNNNNNN";

/// Written without white space; `~` stands for a space.
const EVENT: &str = r#"{
    "version": "2.0",
    "type": "REQUEST",
    "routeArn": "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/$default/GET/invoices/4711",
    "identitySource": ["Bearer~{token}"],
    "routeKey": "GET~/invoices/{invoice_id}",
    "rawPath": "/invoices/4711",
    "rawQueryString": "expand=lines&page=2",
    "headers": {
        "accept": "application/json,~text/plain,~*/*",
        "accept-encoding": "gzip,~deflate,~br",
        "accept-language": "en-US,en;q=0.9,de;q=0.8",
        "authorization": "Bearer~{token}",
        "content-length": "0",
        "host": "api.example.com",
        "origin": "https://app.example.com",
        "referer": "https://app.example.com/",
        "sec-fetch-dest": "empty",
        "sec-fetch-mode": "cors",
        "sec-fetch-site": "same-site",
        "user-agent": "Mozilla/5.0~(Windows~NT~10.0;~Win64;~x64)~AppleWebKit/537.36~(KHTML,~like~Gecko)~Chrome/142.0.0.0~Safari/537.36",
        "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6e{number}",
        "x-forwarded-for": "203.0.113.17",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https"
    },
    "queryStringParameters": { "expand": "lines", "page": "2" },
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": "api.example.com",
        "domainPrefix": "api",
        "http": {
            "method": "GET",
            "path": "/invoices/4711",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.17",
            "userAgent": "Mozilla/5.0~(Windows~NT~10.0;~Win64;~x64)~AppleWebKit/537.36~(KHTML,~like~Gecko)~Chrome/142.0.0.0~Safari/537.36"
        },
        "requestId": "KTr5{number}",
        "routeKey": "GET~/invoices/{invoice_id}",
        "stage": "$default",
        "time": "21/Nov/2026:12:00:00~+0000",
        "timeEpoch": 1795262400000
    },
    "pathParameters": { "invoice_id": "4711" }
}"#;
