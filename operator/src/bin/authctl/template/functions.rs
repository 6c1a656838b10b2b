//! Who else may call a function: function URLs, load balancers and permissions go around
//! the authorizer of an API.

use super::node::Node;
use super::value::{Value, Values};
use std::collections::BTreeSet;

/// A way to a function that leads through no API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OtherWay {
    /// The function's logical id, else the expression for it.
    pub(crate) function: String,
    /// What the way is, as in "F has a function URL".
    pub(crate) what: String,
    /// Whether IAM lets nobody through who has no permission in this account.
    pub(crate) by_iam: bool,
}

/// The functions behind the APIs of the template.
pub(super) fn backends(values: &Values<'_>) -> BTreeSet<String> {
    let mut backends = BTreeSet::new();
    for (function, properties) in values.resources("AWS::Serverless::Function") {
        let events = properties.get("Events").map_or(&[][..], Node::entries).iter();
        let mut kinds = events.filter_map(|(_, event)| event.get("Type").and_then(Node::text));
        if kinds.any(|kind| matches!(kind, "Api" | "HttpApi")) {
            backends.insert(function.to_owned());
        }
    }
    for (_, properties) in values.resources("AWS::Serverless::WebSocketApi") {
        let routes = properties.get("Routes").map_or(&[][..], Node::entries).iter();
        backends.extend(routes.map(|(_, route)| values.function(route.get("FunctionArn"))));
    }
    for (_, properties) in values.resources("AWS::ApiGatewayV2::Api") {
        backends.extend(properties.get("Target").map(|target| values.function(Some(target))));
    }
    integrated(values, values.root, &mut backends);
    backends
}

/// The functions of integrations, in resources and in definitions.
fn integrated(values: &Values<'_>, node: &Node, backends: &mut BTreeSet<String>) {
    for (key, value) in node.entries() {
        let uri = match key.as_str() {
            "IntegrationUri" => Some(value),
            "Integration" => value.get("Uri"),
            "x-amazon-apigateway-integration" => value.get("uri"),
            _ => None,
        };
        backends.extend(uri.map(|uri| values.function(Some(uri))));
        integrated(values, value, backends);
    }
    node.items().iter().for_each(|item| integrated(values, item, backends));
}

/// All ways to functions that lead through no API.
pub(super) fn other_ways(values: &Values<'_>) -> Vec<OtherWay> {
    let mut ways = Vec::new();
    let global = values.root.get("Globals").and_then(|globals| globals.get("Function"));
    let global = global.and_then(|function| function.get("FunctionUrlConfig"));
    for (function, properties) in values.resources("AWS::Serverless::Function") {
        let own = properties.get("FunctionUrlConfig").or(global).filter(|config| !config.is_null());
        ways.extend(own.map(|config| url(values, function.to_owned(), config)));
    }
    for (_, properties) in values.resources("AWS::Lambda::Url") {
        ways.push(url(values, values.function(properties.get("TargetFunctionArn")), properties));
    }
    for kind in ["AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::VpcLattice::TargetGroup"] {
        for (name, properties) in values.resources(kind) {
            let targets = properties.get("Targets").map_or(&[][..], Node::items).iter();
            ways.extend(targets.map(|target| OtherWay {
                function: values.function(target.get("Id")),
                what: format!("is a target of the target group {name}"),
                by_iam: false,
            }));
        }
    }
    ways.extend(values.resources("AWS::Lambda::Permission").filter_map(|(name, node)| permission(values, name, node)));
    ways
}

fn url(values: &Values<'_>, function: String, config: &Node) -> OtherWay {
    let by_iam = values.value(config.get("AuthType")) == Some(Value::Known("AWS_IAM".to_owned()));
    OtherWay { function, what: "has a function URL".to_owned(), by_iam }
}

/// A permission that lets in more than one API, or what is no API.
fn permission(values: &Values<'_>, name: &str, node: &Node) -> Option<OtherWay> {
    let is_given = |key: &str| node.get(key).is_some_and(|value| values.value(Some(value)).is_some());
    let any_source = match values.value(node.get("SourceArn")) {
        None => !is_given("SourceAccount"),
        // arn:partition:service:region:account:...
        Some(Value::Known(source)) => source == "*" || source.split(':').nth(4) == Some("*"),
        Some(Value::Unknown(_)) => false,
    };
    let what = match values.value(node.get("Principal"))? {
        Value::Known(principal) if principal == "*" => match is_given("PrincipalOrgID") {
            true => format!("may be called by the whole organization ({name})"),
            false => format!("may be called by everybody ({name}: `Principal: \"*\"`)"),
        },
        Value::Known(principal) if principal.starts_with("elasticloadbalancing.") => {
            format!("may be called by a load balancer ({name})")
        }
        Value::Known(principal) if principal.starts_with("vpc-lattice.") => {
            format!("may be called by a service network ({name})")
        }
        Value::Known(principal) if principal.contains(".amazonaws.") && any_source => {
            format!("may be called by {principal} for any account ({name}: no `SourceArn` that names one)")
        }
        Value::Known(_) | Value::Unknown(_) => return None,
    };
    Some(OtherWay { function: values.function(node.get("FunctionName")), what, by_iam: false })
}

#[cfg(test)]
mod tests {
    use super::super::node::parse;
    use super::*;
    use std::collections::BTreeMap;

    /// Each way as `function what`, with ` by IAM` where it is so.
    #[track_caller]
    fn check<const N: usize>(resources: &str, expected: [&str; N]) {
        let root = parse(&format!("Resources:\n  F: {{ Type: AWS::Serverless::Function }}\n{resources}")).unwrap();
        let ways = other_ways(&Values::new(&root, &BTreeMap::new()));
        let told =
            ways.iter().map(|way| format!("{} {}{}", way.function, way.what, if way.by_iam { " by IAM" } else { "" }));
        assert_eq!(told.collect::<Vec<_>>(), expected, "{resources}");
    }

    #[test]
    fn function_urls_and_target_groups_are_ways() {
        let url = |auth: &str| {
            format!("  U: {{ Type: AWS::Lambda::Url, Properties: {{ TargetFunctionArn: !GetAtt F.Arn, {auth} }} }}")
        };
        check(&url("AuthType: NONE"), ["F has a function URL"]);
        check(&url("AuthType: !Ref A"), ["F has a function URL"]);
        check(&url("AuthType: AWS_IAM"), ["F has a function URL by IAM"]);
        let sam = "  G: { Type: AWS::Serverless::Function, Properties: { FunctionUrlConfig: { AuthType: NONE } } }";
        check(sam, ["G has a function URL"]);
        check(&sam.replace("{ AuthType: NONE }", "~"), []);
        for kind in ["AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::VpcLattice::TargetGroup"] {
            let group = |target: &str| format!("  T: {{ Type: {kind}, Properties: {{ Targets: [{target}] }} }}");
            check(&group("{ Id: !GetAtt F.Arn }"), ["F is a target of the target group T"]);
            check(&group(""), []);
        }
    }

    #[test]
    fn a_function_url_of_all_functions_is_of_each() {
        let text = "Globals: { Function: { FunctionUrlConfig: { AuthType: NONE } } }\nResources: { F: { Type: AWS::Serverless::Function } }";
        let root = parse(text).unwrap();
        assert_eq!(other_ways(&Values::new(&root, &BTreeMap::new())).len(), 1);
    }

    #[test]
    fn permissions_without_a_source_are_ways() {
        let check = |properties: &str, expected: &[&str]| {
            let permission = format!(
                "  P: {{ Type: AWS::Lambda::Permission, Properties: {{ FunctionName: !Ref F, {properties} }} }}"
            );
            match expected {
                [] => check(&permission, []),
                [way] => check(&permission, [way]),
                _ => unreachable!(),
            }
        };
        let any_account =
            "F may be called by apigateway.amazonaws.com for any account (P: no `SourceArn` that names one)";
        check("Principal: '*'", &["F may be called by everybody (P: `Principal: \"*\"`)"]);
        check("Principal: '*', PrincipalOrgID: o-1", &["F may be called by the whole organization (P)"]);
        check("Principal: apigateway.amazonaws.com", &[any_account]);
        check("Principal: apigateway.amazonaws.com, SourceArn: '*'", &[any_account]);
        check("Principal: apigateway.amazonaws.com, SourceArn: 'arn:aws:execute-api:*:*:*'", &[any_account]);
        check("Principal: apigateway.amazonaws.com, SourceArn: 'arn:aws:execute-api:us-east-1:111122223333:a/*'", &[]);
        check("Principal: apigateway.amazonaws.com, SourceArn: !Sub 'arn:${Api}/*'", &[]);
        check("Principal: apigateway.amazonaws.com, SourceAccount: '111122223333'", &[]);
        check(
            "Principal: elasticloadbalancing.amazonaws.com, SourceArn: a",
            &["F may be called by a load balancer (P)"],
        );
        check("Principal: vpc-lattice.amazonaws.com, SourceArn: a", &["F may be called by a service network (P)"]);
        check("Principal: '111122223333'", &[]);
        check("Principal: !Ref Account", &[]);
    }

    #[test]
    fn the_functions_behind_an_api_are_found_in_events_integrations_and_definitions() {
        let text = "
Resources:
  A: { Type: AWS::Serverless::Function, Properties: { Events: { E: { Type: Api } } } }
  B: { Type: AWS::Serverless::Function, Properties: { Events: { E: { Type: Schedule } } } }
  C: { Type: AWS::Lambda::Function }
  D: { Type: AWS::Lambda::Function }
  E: { Type: AWS::Lambda::Function }
  F: { Type: AWS::Lambda::Function }
  G: { Type: AWS::Lambda::Function }
  W: { Type: AWS::Serverless::WebSocketApi, Properties: { Routes: { $connect: { FunctionArn: !GetAtt C.Arn } } } }
  I: { Type: AWS::ApiGatewayV2::Integration, Properties: { IntegrationUri: !GetAtt D.Arn } }
  M: { Type: AWS::ApiGateway::Method, Properties: { Integration: { Uri: !Sub 'path/${E.Arn}/invocations' } } }
  H: { Type: AWS::Serverless::HttpApi, Properties: { DefinitionBody: { paths: { /a: { get: { x-amazon-apigateway-integration: { uri: !GetAtt F.Arn } } } } } } }
  Q: { Type: AWS::ApiGatewayV2::Api, Properties: { Target: !GetAtt G.Arn } }
";
        let root = parse(text).unwrap();
        let found = backends(&Values::new(&root, &BTreeMap::new()));
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["A", "C", "D", "E", "F", "G"]);
    }
}
