//! `authctl cedar template`: a CloudFormation template that makes a policy store of
//! Verified Permissions out of the policies of a configuration.

use super::configured;
use crate::Outcome;
use crate::arguments::CedarOptions;
use cognito_authorizer::config::Environment;
use cognito_authorizer::permissions::Evaluator;
use cognito_authorizer::policies::PolicyEngine;
use serde_json::{Map, Value, json};

pub(super) fn run(options: &CedarOptions, environment: &Environment) -> Result<Outcome, String> {
    let config = configured(options, environment)?;
    let check = config.permissions().ok_or("the configuration has no section `cedar`")?;
    let PolicyEngine::Local(evaluator) = &check.engine else {
        return Err("the policies are in a store already: name `policies` in the section `cedar`".to_owned());
    };
    let template = template(evaluator, &check.namespace)?;
    let text = serde_json::to_string_pretty(&template).map_err(|error| error.to_string())?;
    Ok(Outcome::done(format!("{text}\n")))
}

fn template(evaluator: &Evaluator, namespace: &str) -> Result<Value, String> {
    let schema = evaluator.policies().schema_as_json().map(|schema| json!({ "CedarJson": schema.to_string() }));
    let mode = if schema.is_some() { "STRICT" } else { "OFF" };
    let mut store = json!({ "ValidationSettings": { "Mode": mode } });
    if let (Some(schema), Some(members)) = (schema, store.as_object_mut()) {
        members.insert("Schema".to_owned(), schema);
    }
    let mut resources = Map::new();
    resources.insert(
        "PolicyStore".to_owned(),
        json!({ "Type": "AWS::VerifiedPermissions::PolicyStore", "Properties": store }),
    );
    let source = json!({
        "PolicyStoreId": { "Ref": "PolicyStore" },
        "PrincipalEntityType": format!("{namespace}::User"),
        "Configuration": { "CognitoUserPoolConfiguration": {
            "UserPoolArn": { "Ref": "UserPoolArn" },
            "ClientIds": { "Ref": "ClientIds" },
            "GroupConfiguration": { "GroupEntityType": format!("{namespace}::UserGroup") },
        } },
    });
    let source = json!({ "Type": "AWS::VerifiedPermissions::IdentitySource", "Properties": source });
    resources.insert("IdentitySource".to_owned(), source);
    for (number, (name, statement)) in evaluator.policies().statements().into_iter().enumerate() {
        let policy = json!({
            "Type": "AWS::VerifiedPermissions::Policy",
            "Properties": {
                "PolicyStoreId": { "Ref": "PolicyStore" },
                "Definition": { "Static": { "Description": name, "Statement": statement } },
            },
        });
        resources.insert(format!("Policy{}", number.saturating_add(1)), policy);
    }
    if resources.len() > MAX_RESOURCES {
        return Err("more policies than a CloudFormation template can hold".to_owned());
    }
    Ok(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Policies of {namespace} in Amazon Verified Permissions, made by `authctl cedar template`"),
        "Parameters": {
            "UserPoolArn": { "Type": "String", "Description": "The user pool whose tokens are asked about" },
            "ClientIds": { "Type": "CommaDelimitedList", "Description": "The app clients whose tokens are accepted" },
        },
        "Resources": resources,
        "Outputs": {
            "PolicyStoreId": { "Value": { "Ref": "PolicyStore" } },
            "PolicyStoreArn": { "Value": { "Fn::GetAtt": ["PolicyStore", "Arn"] } },
        },
    }))
}

/// "500 resources" (CloudFormation, quotas).
const MAX_RESOURCES: usize = 500;
