//! What a source says of routes and of who guards them, before it becomes an `authorizer.yaml`.

use crate::template::{Place, Source, Value};
use cognito_authorizer_operator::revoking::printable;

/// All that one file says.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) authorizers: Vec<FoundAuthorizer>,
    /// In the order of the file.
    pub(crate) routes: Vec<FoundRoute>,
    /// What could not be read, and may matter.
    pub(crate) remarks: Vec<String>,
    /// Why some routes may be missing. A rule that could serve their requests must then refuse.
    pub(crate) unread: Vec<String>,
}

/// One route, as the file has it.
#[derive(Debug)]
pub(crate) struct FoundRoute {
    /// `METHOD /path`, `$default`, `$connect`; perhaps one that no rule can have.
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) asks: Asks,
    /// What whoever reads the rule should know.
    pub(crate) notes: Vec<String>,
}

/// What is asked of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// A token, in one of these ways; never empty.
    Token(Vec<Way>),
    /// Nothing, and why.
    Nothing(String),
    /// What no rule can be made from, and why: the rule refuses.
    Unknown(String),
}

/// One way in: a token that one authorizer takes, with scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The authorizer's name.
    pub(crate) authorizer: String,
    pub(crate) scopes: Scopes,
}

/// Scopes, each of them known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scopes {
    /// None is asked for.
    None,
    /// API Gateway is content with one of them.
    Any(Vec<String>),
    /// OpenAPI asks for all of them.
    All(Vec<String>),
}

/// Who checks tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundAuthorizer {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) tokens: Tokens,
    /// Where requests carry the token; empty for the header `Authorization`.
    pub(crate) sources: Vec<Source>,
}

/// Whose tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// An HTTP API's JWT authorizer.
    Jwt {
        /// As tokens name it.
        issuer: Value,
        /// `aud`, or else `client_id`, is one of these.
        audience: Vec<Value>,
    },
    /// A REST API's authorizer for user pools, by their ARNs.
    Cognito(Vec<Value>),
    /// A scheme of OpenAPI that API Gateway does not enforce, with its issuer where it names one.
    Described(Option<String>),
}

impl Found {
    pub(crate) fn authorizer(&self, name: &str) -> Option<&FoundAuthorizer> {
        self.authorizers.iter().find(|authorizer| authorizer.name == name)
    }
}

impl Scopes {
    /// One of these is asked for; where one is not known, it is not known what is asked for.
    ///
    /// # Errors
    /// The scope that is not known.
    pub(crate) fn any(values: Vec<Value>) -> Result<Self, String> {
        let mut scopes = Vec::new();
        for value in values {
            match value {
                Value::Known(scope) => scopes.push(scope),
                Value::Unknown(expression) => return Err(format!("the scope {}", printable(&expression))),
            }
        }
        Ok(if scopes.is_empty() { Scopes::None } else { Scopes::Any(scopes) })
    }

    pub(crate) fn names(&self) -> &[String] {
        match self {
            Scopes::None => &[],
            Scopes::Any(names) | Scopes::All(names) => names,
        }
    }
}
