//! The formats of access logs.

use super::node::Node;
use super::value::Values;

/// What a stage writes of each request.
#[derive(Debug)]
pub(crate) struct AccessLog {
    /// The logical id of the API or stage.
    pub(crate) of: String,
    /// The format's text; of an expression all texts in it.
    pub(crate) format: String,
}

/// Every access log.
pub(super) fn read(values: &Values<'_>) -> Vec<AccessLog> {
    let mut logs = Vec::new();
    for (kind, key, global) in [
        ("AWS::Serverless::Api", "AccessLogSetting", Some("Api")),
        ("AWS::Serverless::HttpApi", "AccessLogSettings", Some("HttpApi")),
        ("AWS::Serverless::WebSocketApi", "AccessLogSettings", Some("WebSocketApi")),
        ("AWS::ApiGateway::Stage", "AccessLogSetting", None),
        ("AWS::ApiGatewayV2::Stage", "AccessLogSettings", None),
    ] {
        let global = global.and_then(|name| values.root.get("Globals")?.get(name)?.get(key)?.get("Format"));
        for (name, properties) in values.resources(kind) {
            let format = properties.get(key).and_then(|setting| setting.get("Format")).or(global);
            logs.extend(format.map(|format| AccessLog { of: name.to_owned(), format: texts(format) }));
        }
    }
    for (name, properties) in values.resources("AWS::ApiGateway::Deployment") {
        let stage = properties.get("StageDescription").and_then(|stage| stage.get("AccessLogSetting"));
        let format = stage.and_then(|setting| setting.get("Format"));
        logs.extend(format.map(|format| AccessLog { of: name.to_owned(), format: texts(format) }));
    }
    logs
}

fn texts(node: &Node) -> String {
    let inner = node.items().iter().chain(node.entries().iter().map(|(_, value)| value));
    node.text().unwrap_or_default().to_owned() + &inner.map(texts).collect::<String>()
}
