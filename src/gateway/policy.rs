//! The IAM policy documents that API Gateway takes from an authorizer.
//!
//! `aws_lambda_events`' types are not used to write: their defaults allow.

use super::method_arn::MethodArn;
use crate::access::Covering;
use crate::request::UnixSeconds;
use crate::time::rfc3339;
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A policy answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyAnswer<'a> {
    pub(super) principal_id: &'a str,
    pub(super) policy_document: PolicyDocument<'a>,
    pub(super) context: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage_identifier_key: Option<&'a str>,
}

/// Statements that never say both nothing and something: none is without an effect
/// and a Resource.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyDocument<'a> {
    version: &'static str,
    statement: Vec<Statement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    action: &'static str,
    effect: Effect,
    resource: Resource<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Resource<'a> {
    One(Cow<'a, str>),
    Each(Vec<String>),
}

impl Resource<'_> {
    fn matches(&self, arn: &str) -> bool {
        match self {
            Resource::One(resource) => matches(resource, arn),
            Resource::Each(resources) => resources.iter().any(|resource| matches(resource, arn)),
        }
    }
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

impl<'a> PolicyDocument<'a> {
    /// Allows this request and no other. Only for requests that a permit is at hand for.
    pub(super) fn allowing(arn: &'a MethodArn<'_>, until: Option<UnixSeconds>) -> Self {
        let condition = until.map(before);
        Self::of(vec![Statement::new(Effect::Allow, Resource::One(Cow::Borrowed(arn.exact())), condition)])
    }

    /// Denies at least this request.
    pub(super) fn denying(arn: &'a MethodArn<'_>) -> Self {
        Self::of(vec![Statement::new(Effect::Deny, Resource::One(arn.at_least()), None)])
    }

    /// Denies all requests of this API and stage.
    pub(super) fn denying_everything(arn: &MethodArn<'_>) -> Self {
        let resource = Resource::One(Cow::Owned(format!("{}*", arn.before_method())));
        Self::of(vec![Statement::new(Effect::Deny, resource, None)])
    }

    /// Allows what a token may use of the API and denies the rest.
    pub(super) fn covering(Covering { allow, deny, .. }: Covering, until: Option<UnixSeconds>) -> Self {
        let allow =
            (!allow.is_empty()).then(|| Statement::new(Effect::Allow, Resource::Each(allow), until.map(before)));
        // INVARIANT: never empty, unsafe paths are denied to everybody.
        let deny = Statement::new(Effect::Deny, Resource::Each(deny), None);
        Self::of(allow.into_iter().chain([deny]).collect())
    }

    fn of(statement: Vec<Statement<'a>>) -> Self {
        Self { version: "2012-10-17", statement }
    }

    /// Whether it allows a request, its conditions aside.
    pub(super) fn allows(&self, arn: &MethodArn<'_>) -> bool {
        self.says(Effect::Allow, arn) && !self.denies(arn)
    }

    /// Whether it denies a request in so many words.
    pub(super) fn denies(&self, arn: &MethodArn<'_>) -> bool {
        self.says(Effect::Deny, arn)
    }

    fn says(&self, effect: Effect, arn: &MethodArn<'_>) -> bool {
        let mut statements = self.statement.iter().filter(|statement| statement.effect == effect);
        statements.any(|statement| statement.resource.matches(arn.exact()))
    }

    /// Denies this request as well, and no other; `None` where no Resource can say that.
    pub(super) fn and_denying(mut self, arn: &'a MethodArn<'_>) -> Option<Self> {
        let resource = arn.can_be_exact().then(|| Resource::One(Cow::Borrowed(arn.exact())))?;
        self.statement.push(Statement::new(Effect::Deny, resource, None));
        Some(self)
    }

    /// Whether each Resource is one that IAM takes.
    pub(super) fn fits(&self, max_characters: usize) -> bool {
        self.statement.iter().all(|statement| match &statement.resource {
            Resource::One(_) => true,
            Resource::Each(resources) => resources.iter().all(|resource| resource.chars().count() <= max_characters),
        })
    }
}

impl<'a> Statement<'a> {
    fn new(effect: Effect, resource: Resource<'a>, condition: Option<Condition>) -> Self {
        Self { action: "execute-api:Invoke", effect, resource, condition }
    }
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

    fn each(effect: Effect, resources: &[&str]) -> Statement<'static> {
        Statement::new(effect, Resource::Each(resources.iter().map(|text| (*text).to_owned()).collect()), None)
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
            let policy = PolicyDocument::of(vec![each(Effect::Allow, allow), each(Effect::Deny, deny)]);
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
            let (allowing, asked, other) = (PolicyDocument::of(vec![each(Effect::Allow, &["*"])]), arn(path), arn("b"));
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
            assert_eq!((&statements[0]["Effect"], &statements[0]["Resource"]), (&"Deny".into(), &resource.into()));
        }
    }

    #[test]
    fn a_resource_has_at_most_512_characters() {
        let fits = |resources: &[&str]| {
            let one = Statement::new(Effect::Deny, Resource::One("*".into()), None);
            PolicyDocument::of(vec![one, each(Effect::Allow, resources)]).fits(512)
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
