//! What a SAM or CloudFormation template says of its APIs: their routes, who is asked
//! before each, and how long the answer is kept. Nothing is asked of AWS.
//!
//! | file | what it reads |
//! |---|---|
//! | `node` | YAML and JSON, and what CloudFormation means by a node |
//! | `value` | what is known of an expression before it is deployed |
//! | `sam`, `events` | `AWS::Serverless::*`, with `Globals` and functions' events |
//! | `openapi` | an API's definition: paths, security schemes |
//! | `raw` | `AWS::ApiGateway::*` and `AWS::ApiGatewayV2::*` |
//! | `authorizers` | one authorizer, however it is written |
//! | `functions` | who may call a function around its API |
//! | `access_logs`, `clients` | formats of access logs, app clients of user pools |

mod access_logs;
mod api;
mod authorizers;
mod clients;
mod events;
mod functions;
mod node;
mod openapi;
mod raw;
mod sam;
mod value;

pub(crate) use access_logs::AccessLog;
pub(crate) use api::{Api, ApiKind, Authorizer, Format, Guard, Native, NativeTokens, Place, Source, Ttl};
pub(crate) use authorizers::{native_of_resource, native_of_scheme};
pub(crate) use clients::{Client, Writes};
pub(crate) use functions::OtherWay;
pub(crate) use node::{Expression, Node, empty as empty_node};
pub(crate) use openapi::{key as route_key, method_of};
pub(crate) use value::{USER_POOL, Value, Values};

use std::collections::{BTreeMap, BTreeSet};

/// All that is read of a template.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) apis: Vec<Api>,
    /// What could not be read, and may matter.
    pub(crate) remarks: Vec<String>,
    /// Stacks of their own, which were not read: by their names nothing says that they
    /// have an API.
    pub(crate) stacks: Vec<String>,
    /// The functions behind its APIs.
    pub(crate) backends: BTreeSet<String>,
    /// Who may call functions around the APIs.
    pub(crate) other_ways: Vec<OtherWay>,
    pub(crate) access_logs: Vec<AccessLog>,
    pub(crate) clients: Vec<Client>,
}

impl Template {
    /// Reads a template's text. `parameters` are those whose values are told; of the
    /// others nothing is taken to be known, not even a default.
    ///
    /// # Errors
    /// Why it is no template.
    pub(crate) fn parse(text: &str, parameters: &BTreeMap<String, String>) -> Result<Self, String> {
        Self::read(&node::parse(text)?, parameters)
    }

    /// As [`Template::parse`], of a text that was parsed.
    ///
    /// # Errors
    /// Why it is no template.
    pub(crate) fn read(root: &Node, parameters: &BTreeMap<String, String>) -> Result<Self, String> {
        if root.get("Resources").is_none_or(|resources| resources.entries().is_empty()) {
            return Err("no template: it has no `Resources`".to_owned());
        }
        let values = Values::new(root, parameters);
        tell_of_what_is_elsewhere(&values);
        let mut apis = sam::apis(&values);
        apis.extend(raw::rest(&values));
        apis.extend(raw::http_and_web_socket(&values));
        if apis.iter().map(|api| api.routes.len()).sum::<usize>() > MAX_ROUTES {
            return Err(format!("more than {MAX_ROUTES} routes"));
        }
        let stacks = ["AWS::CloudFormation::Stack", "AWS::Serverless::Application"];
        let stacks = stacks.iter().flat_map(|kind| values.resources(kind)).map(|(name, _)| name.to_owned()).collect();
        Ok(Self {
            apis,
            stacks,
            backends: functions::backends(&values),
            other_ways: functions::other_ways(&values),
            access_logs: access_logs::read(&values),
            clients: clients::read(&values),
            remarks: values.into_remarks(),
        })
    }
}

/// Resources that come from somewhere else.
fn tell_of_what_is_elsewhere(values: &Values<'_>) {
    let resources = values.root.get("Resources").map_or(&[][..], Node::entries);
    for (name, resource) in resources {
        if name.starts_with("Fn::") {
            values.remark(format!("`{name}` makes resources that were not read"));
        } else if resource.get("Type").and_then(Node::text).is_none() {
            values.remark(format!("{name} has no type that is known, and was not read"));
        }
    }
    let of_apis = |kind: &str| ["AWS::Serverless::", "AWS::ApiGateway"].iter().any(|prefix| kind.starts_with(prefix));
    for (name, resource) in resources {
        let kind = resource.get("Type").and_then(Node::text);
        let properties = resource.get("Properties");
        let is_hidden =
            properties.is_some_and(|node| node.intrinsic().is_some() || node.get("Fn::Transform").is_some());
        if kind.is_some_and(of_apis) && is_hidden {
            values.remark(format!("{name}: its properties are not known before it is deployed, and were not read"));
        }
    }
    for (kind, key, apis) in [
        (
            "AWS::ApiGatewayV2::Route",
            "ApiId",
            &["AWS::ApiGatewayV2::Api", "AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi"][..],
        ),
        ("AWS::ApiGateway::Method", "RestApiId", &["AWS::ApiGateway::RestApi", "AWS::Serverless::Api"]),
    ] {
        for (name, properties) in values.resources(kind) {
            let is_read = match values.reference(properties.get(key)) {
                Some(Value::Known(of)) => {
                    events::is_implicit(&of) || values.type_of(&of).is_some_and(|of| apis.contains(&of))
                }
                Some(Value::Unknown(_)) | None => false,
            };
            if !is_read {
                values.remark(format!("{name} is of an API that is not in the template, and was not read"));
            }
        }
    }
    if values.root.get("Transform").is_some_and(|transform| format!("{transform:?}").contains("AWS::Include")) {
        values.remark("`Transform: AWS::Include` adds a file that was not read");
    }
}

/// Some times what API Gateway takes.
const MAX_ROUTES: usize = 2_000;

#[cfg(test)]
mod tests;
