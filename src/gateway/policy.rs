//! The IAM policy documents that API Gateway takes from an authorizer, made of `aws_lambda_events`' statements.
//!
//! Their defaults allow (a statement without an effect is an Allow), so that only their builder is used: a statement
//! of which something is missing does not compile.

use super::method_arn::MethodArn;
use crate::access::Covering;
use crate::request::UnixSeconds;
use crate::time::rfc3339;
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use serde::Serialize;
use serde_json::{Map, Value};

/// A policy answer. The library's own outer type writes `"usageIdentifierKey": null`, and no answer may have nulls.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyAnswer<'a> {
    pub(super) principal_id: &'a str,
    pub(super) policy_document: PolicyDocument,
    pub(super) context: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage_identifier_key: Option<&'a str>,
}

/// Statements that never say both nothing and something: none is without an effect
/// and a Resource.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

/// A statement, and when it ends. The library writes the end as a list of one; AWS's blueprints for authorizers write one
/// text, and nothing says that API Gateway takes a list there.
#[derive(Serialize)]
struct Statement {
    #[serde(flatten)]
    statement: IamPolicyStatement,
    #[serde(rename = "Condition", skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
}

/// `{"DateLessThan": {"aws:CurrentTime": "2026-11-21T12:00:00Z"}}`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    date_less_than: CurrentTime,
}

#[derive(Serialize)]
struct CurrentTime {
    #[serde(rename = "aws:CurrentTime")]
    current_time: String,
}

impl PolicyDocument {
    /// Allows this request and no other. Only for requests that a permit is at hand for.
    pub(super) fn allowing(arn: &MethodArn<'_>, until: Option<UnixSeconds>) -> Self {
        Self::of(vec![statement(IamPolicyEffect::Allow, vec![arn.exact().to_owned()], until)])
    }

    /// Denies at least this request.
    pub(super) fn denying(arn: &MethodArn<'_>) -> Self {
        Self::of(vec![statement(IamPolicyEffect::Deny, vec![arn.at_least().into_owned()], None)])
    }

    /// Denies all requests of this API and stage.
    pub(super) fn denying_everything(arn: &MethodArn<'_>) -> Self {
        Self::of(vec![statement(IamPolicyEffect::Deny, vec![format!("{}*", arn.before_method())], None)])
    }

    /// Allows what a token may use of the API and denies the rest.
    pub(super) fn covering(Covering { allow, deny, .. }: Covering, until: Option<UnixSeconds>) -> Self {
        let allow = (!allow.is_empty()).then(|| statement(IamPolicyEffect::Allow, allow, until));
        // INVARIANT: never empty, unsafe paths are denied to everybody.
        let deny = statement(IamPolicyEffect::Deny, deny, None);
        Self::of(allow.into_iter().chain([deny]).collect())
    }

    fn of(statement: Vec<Statement>) -> Self {
        Self { version: "2012-10-17", statement }
    }

    /// Whether it allows a request, its conditions aside.
    pub(super) fn allows(&self, arn: &MethodArn<'_>) -> bool {
        self.says(&IamPolicyEffect::Allow, arn) && !self.denies(arn)
    }

    /// Whether it denies a request in so many words.
    pub(super) fn denies(&self, arn: &MethodArn<'_>) -> bool {
        self.says(&IamPolicyEffect::Deny, arn)
    }

    fn says(&self, effect: &IamPolicyEffect, arn: &MethodArn<'_>) -> bool {
        let mut statements = self.statement.iter().filter(|one| one.statement.effect == *effect);
        statements.any(|one| one.statement.resource.iter().any(|resource| matches(resource, arn.exact())))
    }

    /// Denies this request as well, and no other; `None` where no Resource can say that.
    pub(super) fn and_denying(mut self, arn: &MethodArn<'_>) -> Option<Self> {
        let resource = arn.can_be_exact().then(|| arn.exact().to_owned())?;
        self.statement.push(statement(IamPolicyEffect::Deny, vec![resource], None));
        Some(self)
    }

    /// Whether each Resource is one that IAM takes.
    pub(super) fn fits(&self, max_characters: usize) -> bool {
        let mut resources = self.statement.iter().flat_map(|one| &one.statement.resource);
        resources.all(|resource| resource.chars().count() <= max_characters)
    }
}

fn statement(effect: IamPolicyEffect, resources: Vec<String>, until: Option<UnixSeconds>) -> Statement {
    let statement = IamPolicyStatement::builder()
        .action(vec!["execute-api:Invoke".to_owned()])
        .effect(effect)
        .resource(resources)
        .build();
    Statement { statement, condition: until.map(before) }
}

fn before(end: UnixSeconds) -> Condition {
    // The whole second before it.
    Condition { date_less_than: CurrentTime { current_time: rfc3339(end) } }
}

/// IAM's wildcards: `*` is any text, `?` any one character.
fn matches(resource: &str, arn: &str) -> bool {
    let (mut pattern, mut text) = (resource.chars(), arn.chars());
    // Where to go on when what follows the last `*` does not fit: after it, one character later.
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (mut next_pattern, mut next_text) = (pattern.clone(), text.clone());
        match (next_pattern.next(), next_text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                retry = Some((next_pattern.clone(), text.clone()));
                pattern = next_pattern;
                continue;
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                (pattern, text) = (next_pattern, next_text);
                continue;
            }
            _ => {}
        }
        let Some((after_star, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        (pattern, text) = (after_star.clone(), from.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_iam_has_it() {
        for (resource, arn, expected) in [
            ("", "", true),
            ("a", "a", true),
            ("a", "b", false),
            ("a", "ab", false),
            ("ab", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("?*", "", false),
            ("?*", "/", true),
            ("a/?*/c", "a/b/x/c", true),
            ("a/?*/c", "a//c", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1c2b", false),
            ("*%*", "a%b", true),
            ("*%*", "ab", false),
            ("a?c", "a\u{e9}c", true),
            ("a?c", "ac", false),
            ("*a", "aaab", false),
            ("A", "a", false),
        ] {
            assert_eq!(matches(resource, arn), expected, "{resource} {arn}");
        }
    }

    const PREFIX: &str = "arn:aws:execute-api:us-east-1:1:a/b/GET/";

    fn arn(path: &str) -> MethodArn<'static> {
        MethodArn::parse(format!("{PREFIX}{path}")).unwrap()
    }

    fn each(effect: IamPolicyEffect, resources: &[&str]) -> Statement {
        statement(effect, resources.iter().map(|text| (*text).to_owned()).collect(), None)
    }

    #[test]
    fn a_policy_allows_what_it_allows_and_does_not_deny() {
        for (allow, deny, expected) in [
            (&["*"][..], &[][..], true),
            (&["*/b", "*/a"], &["*/c"], true),
            (&["*/b"], &["*/c"], false),
            (&["*"], &["*/c", "*/a"], false),
            (&[], &["*/c"], false),
            (&[], &["*/a"], false),
            (&[], &[], false),
        ] {
            let policy =
                PolicyDocument::of(vec![each(IamPolicyEffect::Allow, allow), each(IamPolicyEffect::Deny, deny)]);
            assert_eq!(policy.allows(&arn("a")), expected, "{allow:?} {deny:?}");
        }
        assert!(PolicyDocument::allowing(&arn("a"), None).allows(&arn("a")));
        assert!(!PolicyDocument::allowing(&arn("a"), None).allows(&arn("b")));
        assert!(!PolicyDocument::denying(&arn("a")).allows(&arn("a")));
    }

    #[test]
    fn one_request_is_denied_besides_and_no_other_or_none_is() {
        let longest = 512 - PREFIX.len();
        let (just_fits, too_long) = ("a".repeat(longest), "a".repeat(longest + 1));
        for (path, can_be_said) in [
            ("a", true),
            ("a b$", true),
            ("{a}", true),
            (&just_fits, true),
            (&too_long, false),
            ("a*", false),
            ("*****", false),
            ("a?", false),
            ("${a}", false),
            ("a\u{7f}", false),
        ] {
            let (allowing, asked, other) =
                (PolicyDocument::of(vec![each(IamPolicyEffect::Allow, &["*"])]), arn(path), arn("b"));
            let denying = allowing.and_denying(&asked);
            let says = denying.map(|policy| (policy.denies(&asked), policy.allows(&other)));
            assert_eq!(says, can_be_said.then_some((true, true)), "{path}");
        }
    }

    #[test]
    fn a_whole_stage_is_denied_by_one_resource() {
        for (asked, resource) in [
            ("arn:aws:execute-api:us-east-1:1:a/b/GET/x", "arn:aws:execute-api:us-east-1:1:a/b/*"),
            ("arn:aws-cn:execute-api:cn-north-1:1:a/$default/GET/", "arn:aws-cn:execute-api:cn-north-1:1:a/$default/*"),
            ("arn:aws:execute-api:us-east-1:1:a/b/$connect", "arn:aws:execute-api:us-east-1:1:a/b/*"),
        ] {
            let asked = MethodArn::parse(asked).unwrap();
            let policy = PolicyDocument::denying_everything(&asked);
            assert!(policy.denies(&asked));
            let statements = serde_json::to_value(policy).unwrap()["Statement"].take();
            assert_eq!(
                (&statements[0]["Effect"], &statements[0]["Resource"]),
                (&"Deny".into(), &serde_json::json!([resource]))
            );
        }
    }

    #[test]
    fn a_resource_has_at_most_512_characters() {
        let fits = |resources: &[&str]| {
            let one = each(IamPolicyEffect::Deny, &["*"]);
            PolicyDocument::of(vec![one, each(IamPolicyEffect::Allow, resources)]).fits(512)
        };
        let (longest, longer) = ("\u{e9}".repeat(512), "a".repeat(513));
        assert!(fits(&[&longest, "a"]) && fits(&[]));
        assert!(!fits(&["a", &longer]) && !fits(&[&longer]));
    }

    #[test]
    fn an_allow_ends_with_the_whole_second_before_its_token() {
        for (end, text) in [
            (1.0, "1970-01-01T00:00:01Z"),
            (1.9, "1970-01-01T00:00:01Z"),
            (1_800_000_000.0, "2027-01-15T08:00:00Z"),
            (253_402_300_799.0, "9999-12-31T23:59:59Z"),
        ] {
            let until = UnixSeconds::new(end);
            let (arn, expected) = (arn("a"), serde_json::json!({ "DateLessThan": { "aws:CurrentTime": text } }));
            let policy = serde_json::to_value(PolicyDocument::allowing(&arn, until)).unwrap();
            assert_eq!(policy["Statement"][0]["Condition"], expected, "{end}");
        }
    }
}
