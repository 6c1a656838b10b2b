//! The app clients of user pools: which attributes users may change through them.

use super::node::Node;
use super::value::{Value, Values};

/// An app client.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its logical id.
    pub(crate) name: String,
    pub(crate) writes: Writes,
    /// Whether users sign up, or get tokens that change attributes, through it.
    pub(crate) lets_users_write: bool,
}

/// Which attributes it may write.
#[derive(Debug)]
pub(crate) enum Writes {
    /// No list was given.
    All,
    These(Vec<String>),
    /// Some are not known before it is deployed.
    Unknown(String),
}

/// Every app client of the template.
pub(super) fn read(values: &Values<'_>) -> Vec<Client> {
    let clients = values.resources("AWS::Cognito::UserPoolClient");
    let clients = clients.map(|(name, node)| Client {
        name: name.to_owned(),
        writes: writes(values, node.get("WriteAttributes")),
        lets_users_write: lets_users_write(values, node),
    });
    clients.collect()
}

fn writes(values: &Values<'_>, list: Option<&Node>) -> Writes {
    let Some(list) = list.filter(|list| !list.is_null()) else { return Writes::All };
    let mut names = Vec::new();
    for value in values.values(Some(list)) {
        match value {
            Value::Known(name) => names.push(name),
            Value::Unknown(expression) => return Writes::Unknown(expression),
        }
    }
    // An empty list reaches Cognito as no list.
    if names.is_empty() { Writes::All } else { Writes::These(names) }
}

fn lets_users_write(values: &Values<'_>, node: &Node) -> bool {
    let flows = values.values(node.get("ExplicitAuthFlows"));
    let only_refreshes =
        !flows.is_empty() && flows.iter().all(|flow| *flow == Value::Known("ALLOW_REFRESH_TOKEN_AUTH".to_owned()));
    let scopes = values.values(node.get("AllowedOAuthScopes"));
    let is_harmless = |scope: &Value| matches!(scope, Value::Known(scope) if scope != ADMINISTERS_ONESELF);
    let is_true = |node: Option<&Node>| values.value(node) == Some(Value::Known("true".to_owned()));
    let pool = match values.reference(node.get("UserPoolId")) {
        Some(Value::Known(pool)) => values.resources("AWS::Cognito::UserPool").find(|(name, _)| *name == pool),
        Some(Value::Unknown(_)) | None => None,
    };
    let settings = pool.and_then(|(_, pool)| pool.get("AdminCreateUserConfig"));
    let nobody_signs_up = is_true(settings.and_then(|settings| settings.get("AllowAdminCreateUserOnly")));
    !(only_refreshes && scopes.iter().all(is_harmless) && nobody_signs_up)
}

/// The scope of tokens that change their user's attributes.
const ADMINISTERS_ONESELF: &str = "aws.cognito.signin.user.admin";
