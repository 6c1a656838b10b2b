//! A requirement as a tree: what was asked, what the token has there, and whether it held.

use cognito_authorizer::access::{Check, ClaimValue, Facts, Observer, Part, Requirement, Role};
use cognito_authorizer::denial::Denial;
use cognito_authorizer::time::rfc3339;
use cognito_authorizer::token::ClaimPath;
use serde_json::{Value, json};

/// A part of what is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeNode {
    /// What is asked.
    pub asked: String,
    /// What there is.
    pub found: Option<String>,
    /// Whether it holds.
    pub holds: bool,
    /// Where it does not: the reason, and its detail.
    pub reason: Option<(&'static str, Option<String>)>,
    /// What it consists of.
    pub parts: Vec<TreeNode>,
}

/// Looks on while a rule is held against a token's claims, and writes it down.
#[derive(Debug, Default)]
pub struct Tree {
    open: Vec<TreeNode>,
    /// The rules that were asked, in their order.
    pub rules: Vec<TreeNode>,
}

impl Observer for Tree {
    const SEES_ALL: bool = true;

    fn begin(&mut self, part: Part<'_>, facts: &Facts<'_>) {
        let (asked, found) = match part {
            Part::Rule(rule, role) => (format!("{}{}", rule.key, role_text(role)), None),
            Part::Requirement(requirement) => (requirement_text(requirement).to_owned(), None),
            Part::Check(check) => (check_text(check), found(check, facts)),
        };
        self.open.push(TreeNode { asked, found, holds: false, reason: None, parts: Vec::new() });
    }

    fn end(&mut self, held: Result<(), &Denial>) {
        let Some(mut node) = self.open.pop() else { return };
        node.holds = held.is_ok();
        node.reason = held.err().map(|denial| (denial.code(), denial.detail().map(str::to_owned)));
        match self.open.last_mut() {
            Some(parent) => parent.parts.push(node),
            None => self.rules.push(node),
        }
    }
}

impl TreeNode {
    /// The same for machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let parts: Vec<Value> = self.parts.iter().map(TreeNode::json).collect();
        let (reason, detail) = match &self.reason {
            Some((reason, detail)) => (Some(*reason), detail.clone()),
            None => (None, None),
        };
        json!({
            "asked": self.asked, "found": self.found, "holds": self.holds, "reason": reason, "detail": detail,
            "parts": parts,
        })
    }
}

fn role_text(role: Role) -> &'static str {
    match role {
        Role::Serves => "",
        Role::ServesAnotherReading => " (for the path as a backend may read it)",
        Role::ServesABeginning => " (for the beginning of the path, which is all that some backends see)",
        Role::RunByTheGateway => " (the route that API Gateway runs)",
    }
}

fn requirement_text(requirement: &Requirement) -> &'static str {
    if requirement.checks.len() == 1 { "one thing" } else { "all of" }
}

/// A check as the configuration writes it.
#[must_use]
pub fn check_text(check: &Check) -> String {
    match check {
        Check::AnyScope(list) => format!("any_scope: {}", listed(list)),
        Check::AllScopes(list) => format!("all_scopes: {}", listed(list)),
        Check::AnyGroup(list) => format!("any_group: {}", listed(list)),
        Check::AllGroups(list) => format!("all_groups: {}", listed(list)),
        Check::Claim { path, one_of } => {
            let values: Vec<String> = one_of.iter().map(value_text).collect();
            match values.as_slice() {
                [only] => format!("claims: {} = {only}", claim_name(path)),
                several => format!("claims: {} one of [{}]", claim_name(path), several.join(", ")),
            }
        }
        Check::ClientIds(list) => format!("client_ids: {}", listed(list)),
        Check::Issuers(list) => format!("issuers: {}", listed(list)),
        Check::TokenUse(list) => format!("token_use: {}", listed(list)),
        Check::Credentials(kinds) => {
            let names: Vec<String> = kinds.iter().map(|kind| kind.name().to_owned()).collect();
            format!("credentials: {}", listed(&names))
        }
        Check::SourceIp(blocks) => {
            let blocks: Vec<String> = blocks.iter().map(ToString::to_string).collect();
            format!("source_ip: {}", listed(&blocks))
        }
        Check::MaxAuthAge(age) => format!("max_auth_age: {}s", age.as_secs()),
        Check::Any(alternatives) => format!("any: one of {} alternatives", alternatives.len()),
        Check::All(_) => "all:".to_owned(),
    }
}

/// What the token, or the request, has where this is asked.
fn found(check: &Check, facts: &Facts<'_>) -> Option<String> {
    let claims = facts.claims();
    let of = |name: &str, value: Option<&Value>| match value {
        Some(value) => format!("{name} is {value}"),
        None => format!("there is no {name}"),
    };
    match check {
        Check::AnyScope(_) | Check::AllScopes(_) => Some(of("scope", claims.scope())),
        Check::AnyGroup(_) | Check::AllGroups(_) => Some(of("groups claim", claims.groups())),
        Check::Claim { path, one_of } => {
            let mut text = of(&format!("`{}`", claim_name(path)), claims.at(path));
            for value in one_of {
                if let ClaimValue::Parameter(parameter) = value {
                    let value = facts.parameter(parameter).unwrap_or_default();
                    text.push_str(&format!(", `{{{}}}` is {:?}", parameter.name, &*value));
                }
            }
            Some(text)
        }
        Check::ClientIds(_) => Some(of("client", claims.client_id())),
        Check::Issuers(_) => Some(format!("the issuer is {}", claims.issuer())),
        Check::TokenUse(_) => Some(of("`token_use`", claims.get("token_use"))),
        Check::Credentials(_) => Some(format!("the credential is a {}", claims.credential().name())),
        Check::SourceIp(_) => Some(match facts.source_ip() {
            Some(address) => format!("the address is {address}"),
            None => "the event has no address".to_owned(),
        }),
        Check::MaxAuthAge(_) => Some(match claims.auth_time() {
            Some(authenticated) => {
                let age = facts.now().as_f64() - authenticated.as_f64();
                format!("`auth_time` is {}, {age:.0}s ago", rfc3339(authenticated))
            }
            None => "there is no `auth_time`".to_owned(),
        }),
        Check::Any(_) | Check::All(_) => None,
    }
}

fn value_text(value: &ClaimValue) -> String {
    match value {
        ClaimValue::Literal(value) => value.to_string(),
        ClaimValue::Parameter(parameter) => format!("{{{}}}", parameter.name),
    }
}

fn claim_name(path: &ClaimPath) -> String {
    match path.below() {
        [] => path.first().to_owned(),
        below => format!("/{}/{}", path.first(), below.join("/")),
    }
}

fn listed(list: &[String]) -> String {
    match list {
        [only] => only.clone(),
        list => format!("[{}]", list.join(", ")),
    }
}
