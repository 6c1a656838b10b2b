//! What would have to change for the opposite answer.

use super::engine::Judgement;
use super::reasons::reason;
use super::tree::TreeNode;
use cognito_authorizer::access::Rule;
use cognito_authorizer::time::rfc3339;

/// The changes of which one would do, each a sentence.
pub(super) fn opposite(judgement: &Judgement, rules: &[TreeNode], rule: Option<&Rule>) -> Vec<String> {
    match judgement.denial() {
        None => refused_if(judgement, rules, rule),
        Some(denial) => {
            let missing: Vec<&TreeNode> = rules.iter().filter(|rule| !rule.holds).collect();
            if missing.is_empty() || judgement.decision() != "forbidden" {
                return reason(denial.code()).map(|reason| reason.remedy.to_owned()).into_iter().collect();
            }
            missing.into_iter().flat_map(needed).map(|needed| format!("let in if {needed}")).collect()
        }
    }
}

/// Each way to make a part hold that does not.
fn needed(node: &TreeNode) -> Vec<String> {
    let missing: Vec<&TreeNode> = node.parts.iter().filter(|part| !part.holds).collect();
    if node.parts.is_empty() {
        let found = node.found.as_ref().map(|found| format!(" ({found})")).unwrap_or_default();
        return vec![format!("`{}` holds{found}", node.asked)];
    }
    if node.asked.starts_with("any:") {
        return missing.into_iter().flat_map(needed).collect();
    }
    // All of these must hold: each way of the first with one of each other.
    let mut ways = vec![String::new()];
    for part in missing {
        let next = needed(part);
        let joined =
            |way: &String, one: &String| if way.is_empty() { one.clone() } else { format!("{way}, and {one}") };
        ways = ways.iter().flat_map(|way| next.iter().map(move |one| joined(way, one))).take(MAX_WAYS).collect();
    }
    ways
}

fn refused_if(judgement: &Judgement, rules: &[TreeNode], rule: Option<&Rule>) -> Vec<String> {
    let mut ways = Vec::new();
    if let Some(claims) = &judgement.rehearsal.record.claims {
        ways.push(format!("refused (token_expired) from {} on", rfc3339(claims.expires())));
    }
    for rule in rules {
        let deciding = rule.parts.iter().filter(|part| part.holds);
        ways.extend(deciding.map(|part| format!("refused if {} no longer holds", told(part))));
    }
    if rule.is_some_and(|rule| rule.introspect) {
        ways.push(
            "refused (token_revoked, token_inactive) once a live check no longer vouches for the token".to_owned(),
        );
    }
    if rule.is_some_and(|rule| rule.cedar.is_some()) {
        ways.push("refused (forbidden) once the policies do not grant it".to_owned());
    }
    ways
}

/// A part that holds, with those of its alternatives that do.
fn told(node: &TreeNode) -> String {
    let holding: Vec<String> = node.parts.iter().filter(|part| part.holds).map(told).collect();
    match holding.as_slice() {
        [] => format!("`{}`", node.asked),
        [only] => only.clone(),
        several if node.asked.starts_with("any:") => format!("each of {}", several.join(" and ")),
        several => format!("one of {}", several.join(" and ")),
    }
}

/// Of more, the first will do.
const MAX_WAYS: usize = 12;
