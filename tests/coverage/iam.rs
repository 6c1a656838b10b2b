//! What API Gateway makes of an authorizer's policy, from AWS's documentation of IAM's policy language alone:
//!
//! - "IAM JSON policy elements reference": Version, Statement, Effect, Action, Resource, Condition;
//! - "The difference between explicit and implicit denies": a Deny that applies always wins, silence denies;
//! - "Control access for invoking an API": `arn:aws:execute-api:region:account-id:api-id/stage/METHOD/path`, in which `*`
//!   stands for any characters, `/` among them, or for none, and `?` for exactly one;
//! - "Output from an API Gateway Lambda authorizer": a Resource has 512 characters at most.
//!
//! Whatever is not known here is an error and not a guess. That also goes for `${`, which starts a policy variable:
//! no policy of this project may hold one.

use serde_json::{Map, Value};

/// What a policy says of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Allow,
    /// A Deny applies.
    ExplicitDeny,
    /// No statement applies. A resource policy of the API that allows would turn this into a pass.
    ImplicitDeny,
}

/// A policy document that holds nothing but what is understood here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    /// The same, in characters.
    patterns: Vec<Vec<char>>,
    /// Epoch seconds from which the statement no longer applies.
    before: Option<i64>,
}

/// A request as IAM sees it: the action is always `execute-api:Invoke`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) arn: &'a str,
    /// `aws:CurrentTime`, in epoch seconds.
    pub(crate) now: i64,
}

impl Policy {
    /// Reads a policy document.
    pub(crate) fn parse(document: &Value) -> Result<Policy, String> {
        let length = document.to_string().len();
        if length > DOCUMENT_BYTES {
            return Err(format!("the document has {length} bytes"));
        }
        let members = object(document, &["Version", "Statement", "Id"])?;
        // Only this version knows policy variables; an older one, or none, would mean another language.
        if members.get("Version") != Some(&Value::from("2012-10-17")) {
            return Err(format!("Version is {:?}", members.get("Version")));
        }
        let statements = match members.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().map(Statement::parse).collect::<Result<_, _>>()?,
            Some(statement) => vec![Statement::parse(statement)?],
            None => return Err("no Statement".to_owned()),
        };
        Ok(Policy { statements })
    }

    /// Explicit Deny, else Allow, else silence.
    pub(crate) fn evaluate(&self, call: Call<'_>) -> Outcome {
        let arn: Vec<char> = call.arn.chars().collect();
        self.evaluate_by(call, |statement| statement.patterns.iter().any(|pattern| fits_characters(pattern, &arn)))
    }

    /// The same where only a `*` at the end of a part crosses a colon. "If the `*` wildcard is the last character of a
    /// resource ARN segment, it can expand to match beyond the colon boundaries": of other wildcards the documentation
    /// says nothing, and a path may hold colons.
    pub(crate) fn evaluate_within_colons(&self, call: Call<'_>) -> Outcome {
        self.evaluate_by(call, |statement| {
            statement.resources.iter().any(|resource| fits_within_colons(resource, call.arn))
        })
    }

    fn evaluate_by(&self, call: Call<'_>, names: impl Fn(&Statement) -> bool) -> Outcome {
        let mut outcome = Outcome::ImplicitDeny;
        for statement in self.statements.iter().filter(|statement| statement.is_in_force(call.now) && names(statement))
        {
            if !statement.allows {
                return Outcome::ExplicitDeny;
            }
            outcome = Outcome::Allow;
        }
        outcome
    }

    /// Every Resource that is named, in order.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().flat_map(|statement| &statement.resources).map(String::as_str)
    }

    pub(crate) fn has_allow(&self) -> bool {
        self.statements.iter().any(|statement| statement.allows)
    }
}

impl Statement {
    fn parse(statement: &Value) -> Result<Statement, String> {
        let members = object(statement, &["Sid", "Effect", "Action", "Resource", "Condition"])?;
        // The value is case-sensitive.
        let allows = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(format!("Effect is {:?}", members.get("Effect"))),
        };
        let actions = strings(members, "Action")?;
        let resources = strings(members, "Resource")?;
        for resource in &resources {
            if resource.contains("${") {
                return Err(format!("a policy variable in {resource:?}"));
            }
            let length = resource.chars().count();
            if length > RESOURCE_CHARACTERS {
                return Err(format!("a Resource of {length} characters: {resource:?}"));
            }
            if resource != "*" && !resource.starts_with("arn:") {
                return Err(format!("{resource:?} is no ARN"));
            }
        }
        let before = members.get("Condition").map(date_less_than).transpose()?;
        let patterns = resources.iter().map(|resource| resource.chars().collect()).collect();
        Ok(Statement { allows, actions, resources, patterns, before })
    }

    fn is_in_force(&self, now: i64) -> bool {
        self.before.is_none_or(|before| now < before) && self.actions.iter().any(|action| is_invoke(action))
    }
}

/// Whether an Action names `execute-api:Invoke`: prefix and name in any case, wildcards in the name.
fn is_invoke(action: &str) -> bool {
    fits(&action.to_ascii_lowercase(), "execute-api:invoke")
}

/// Whether a pattern fits a text: `*` is any characters or none, `?` exactly one, everything else itself, in its case.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    fits_characters(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

fn fits_characters(pattern: &[char], text: &[char]) -> bool {
    // The star that was last met, and how much of the text it has taken: on a mismatch it takes one more.
    let (mut at, mut taken) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while taken < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, taken));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[taken] => {
                at += 1;
                taken += 1;
            }
            _ => {
                let Some((star_at, star_taken)) = star else { return false };
                star = Some((star_at, star_taken + 1));
                at = star_at + 1;
                taken = star_taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|&rest| rest == '*')
}

/// The same, part by part: only a `*` that ends a part goes on beyond it.
fn fits_within_colons(pattern: &str, text: &str) -> bool {
    let (Some((part, patterns)), Some((first, rest))) = (pattern.split_once(':'), text.split_once(':')) else {
        return match pattern.contains(':') {
            true => false,
            false => match (pattern.ends_with('*'), text.split_once(':')) {
                (true, Some((first, _))) => fits(pattern, first),
                (false, Some(_)) => false,
                (_, None) => fits(pattern, text),
            },
        };
    };
    (fits(part, first) && fits_within_colons(patterns, rest))
        || (part.ends_with('*')
            && rest.match_indices(':').any(|(place, _)| fits_within_colons(patterns, &rest[place + 1..])))
}

/// `{"DateLessThan": {"aws:CurrentTime": "2026-11-21T10:00:00Z"}}`, in epoch seconds.
fn date_less_than(condition: &Value) -> Result<i64, String> {
    let operators = object(condition, &["DateLessThan"])?;
    let keys = object(operators.get("DateLessThan").unwrap_or(&Value::Null), &["aws:CurrentTime"])?;
    let time = keys.get("aws:CurrentTime").and_then(Value::as_str).ok_or("no aws:CurrentTime")?;
    epoch_seconds(time).ok_or_else(|| format!("{time:?} is no time"))
}

/// A W3C date and time in UTC, to the second, as the documentation's examples write it.
pub(crate) fn epoch_seconds(time: &str) -> Option<i64> {
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, separator: char, widths: [usize; 3]| -> Option<[i64; 3]> {
        let parts: Vec<&str> = text.split(separator).collect();
        let is_plain = parts.len() == 3
            && parts.iter().zip(widths).all(|(part, width)| part.len() == width)
            && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        is_plain.then(|| [0, 1, 2].map(|index: usize| parts[index].parse().unwrap()))
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = |year: i64, month: i64| match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let years: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    Some((((years + months + day - 1) * 24 + hour) * 60 + minute) * 60 + second)
}

/// An object with no other members than these, none of them null.
fn object<'a>(value: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, String> {
    let members = value.as_object().ok_or_else(|| format!("{value} is no object"))?;
    for (name, value) in members {
        if !known.contains(&name.as_str()) {
            return Err(format!("{name:?} is not known here"));
        }
        // API Gateway answers a null with a 500.
        if value.is_null() {
            return Err(format!("{name:?} is null"));
        }
    }
    Ok(members)
}

/// A member that is one string or a list of them, and not empty.
fn strings(members: &Map<String, Value>, name: &str) -> Result<Vec<String>, String> {
    let found = match members.get(name) {
        Some(Value::String(text)) => Some(vec![text.clone()]),
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    found.filter(|found| !found.is_empty()).ok_or_else(|| format!("{name} is {:?}", members.get(name)))
}

const DOCUMENT_BYTES: usize = 8 * 1024;
const RESOURCE_CHARACTERS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const API: &str = "arn:aws:execute-api:us-east-1:111111111111:a123456789";

    #[track_caller]
    fn check(statements: Value, arn: &str, expected: Outcome) {
        let policy = Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements })).unwrap();
        assert_eq!(policy.evaluate(Call { arn, now: 0 }), expected, "{statements} at {arn}");
    }

    fn statement(effect: &str, resource: &str) -> Value {
        json!({ "Effect": effect, "Action": "execute-api:Invoke", "Resource": resource })
    }

    #[test]
    fn the_documentation_of_api_gateway_says_what_its_examples_mean() {
        use Outcome::{Allow, ImplicitDeny};
        // "permission to call any POST method along the path of mydemoresource, in the stage of test"
        let post = "arn:aws:execute-api:us-east-1:*:a123456789/test/POST/mydemoresource/*";
        for (path, expected) in [
            ("/test/POST/mydemoresource/x", Allow),
            ("/test/POST/mydemoresource/x/y", Allow),
            ("/test/POST/mydemoresource/", Allow),
            ("/test/POST/mydemoresource", ImplicitDeny),
            ("/test/GET/mydemoresource/x", ImplicitDeny),
            ("/prod/POST/mydemoresource/x", ImplicitDeny),
            ("/test/POST/MyDemoResource/x", ImplicitDeny),
        ] {
            check(statement("Allow", post), &format!("{API}{path}"), expected);
        }
        // "any method on the resource path of petstorewalkthrough/pets, in any stage ... in any AWS region"
        let pets = "arn:aws:execute-api:*:*:a123456789/*/*/petstorewalkthrough/pets";
        for (path, expected) in [
            ("/test/GET/petstorewalkthrough/pets", Allow),
            ("/prod/DELETE/petstorewalkthrough/pets", Allow),
            // `*` crosses `/`.
            ("/prod/GET/shop/petstorewalkthrough/pets", Allow),
            ("/prod/GET/petstorewalkthrough/pets/1", ImplicitDeny),
        ] {
            check(statement("Allow", pets), &format!("{API}{path}"), expected);
        }
        // "any resource path in any stage, for any API in any region", and for one region.
        check(statement("Allow", "*"), &format!("{API}/test/GET/"), Allow);
        check(statement("Allow", "arn:aws:execute-api:*:*:*"), &format!("{API}/test/GET/"), Allow);
        check(statement("Allow", "arn:aws:execute-api:us-east-1:*:*"), &format!("{API}/test/GET/a:b"), Allow);
        check(statement("Allow", "arn:aws:execute-api:us-east-2:*:*"), &format!("{API}/test/GET/"), ImplicitDeny);
    }

    #[test]
    fn an_explicit_deny_wins_in_any_order() {
        // "grant a user permission to view the list of pets ... but deny permission to add pets"
        let allow = statement("Allow", &format!("{API}/*/GET/pets"));
        let deny = statement("Deny", &format!("{API}/*/POST/pets"));
        for statements in [json!([allow, deny]), json!([deny, allow])] {
            check(statements.clone(), &format!("{API}/test/GET/pets"), Outcome::Allow);
            check(statements.clone(), &format!("{API}/test/POST/pets"), Outcome::ExplicitDeny);
            check(statements, &format!("{API}/test/PUT/pets"), Outcome::ImplicitDeny);
        }
        let all = statement("Allow", "*");
        let none = statement("Deny", "*");
        check(json!([all, none]), API, Outcome::ExplicitDeny);
        check(json!([none, all]), API, Outcome::ExplicitDeny);
        check(json!([]), API, Outcome::ImplicitDeny);
    }

    #[test]
    fn wildcards_mean_what_is_documented() {
        for (pattern, text, expected) in [
            ("a*", "a", true),
            ("a*", "ab/c/d", true),
            ("*", "", true),
            ("a?", "ab", true),
            ("a?", "a/", true),
            ("a?", "a", false),
            ("a?", "abc", false),
            ("a?", "aé", true),
            ("a?*", "a", false),
            ("a?*", "ab", true),
            ("a?*", "a/b", true),
            ("a/*/b", "a//b", true),
            ("a/*/b", "a/b", false),
            ("a/*/b", "a/x/b/y/b", true),
            ("a/*/b", "a/x/b/y", false),
            ("*/*", "/", true),
            ("**", "x", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXcXb", false),
            ("A", "a", false),
            ("a.c", "abc", false),
            ("[a]", "a", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_wildcard_within_a_part_may_end_at_a_colon() {
        for (pattern, text, expected) in [
            ("*", "a:b", true),
            ("a:b*", "a:bc:d", true),
            ("a:b*c", "a:bxc", true),
            ("a:b*c", "a:bx:c", false),
            ("a:?", "a::", false),
            ("a:*:c", "a:b:c", true),
            ("a:*:c", "a:b:x:c", true),
            ("a:b", "a:b:c", false),
            ("a:b:c", "a:b", false),
        ] {
            assert_eq!(fits_within_colons(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn actions_are_compared_in_any_case_and_with_wildcards() {
        for (action, expected) in [
            ("execute-api:Invoke", true),
            ("EXECUTE-API:invoke", true),
            ("execute-api:*", true),
            ("execute-api:In?oke", true),
            ("*", true),
            ("execute-api:ManageConnections", false),
            ("execute-api:InvalidateCache", false),
            ("execute-api", false),
            ("lambda:Invoke", false),
        ] {
            assert_eq!(is_invoke(action), expected, "{action}");
        }
    }

    #[test]
    fn a_statement_ends_at_its_date() {
        let document = json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": ["execute-api:Invoke"], "Resource": ["*"],
            "Condition": { "DateLessThan": { "aws:CurrentTime": "2026-11-21T10:00:00Z" } },
        } });
        let policy = Policy::parse(&document).unwrap();
        let end = epoch_seconds("2026-11-21T10:00:00Z").unwrap();
        assert_eq!(end, 1_795_255_200);
        assert_eq!(policy.evaluate(Call { arn: API, now: end - 1 }), Outcome::Allow);
        assert_eq!(policy.evaluate(Call { arn: API, now: end }), Outcome::ImplicitDeny);
        assert_eq!(epoch_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(epoch_seconds("2000-02-29T23:59:59Z"), Some(951_868_799));
        for time in [
            "2026-02-29T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21",
            "2026-11-21T10:00:00",
            "2026-13-01T00:00:00Z",
        ] {
            assert_eq!(epoch_seconds(time), None, "{time}");
        }
    }

    #[test]
    fn whatever_is_not_known_is_an_error() {
        let good = json!({ "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": API });
        let with = |name: &str, value: Value| {
            let mut statement = good.clone();
            statement[name] = value;
            json!({ "Version": "2012-10-17", "Statement": [statement] })
        };
        let long = |length: usize| format!("{API}{}", "x".repeat(length - API.len()));
        assert!(Policy::parse(&with("Resource", json!(long(512)))).is_ok());
        for document in [
            json!({ "Statement": [good] }),
            json!({ "Version": "2008-10-17", "Statement": [good] }),
            json!({ "Version": "2012-10-17" }),
            with("Effect", json!("allow")),
            with("Effect", json!(null)),
            with("Action", json!([])),
            with("NotAction", json!("execute-api:Invoke")),
            with("NotResource", json!("*")),
            with("Principal", json!("*")),
            with("Condition", json!(null)),
            with("Condition", json!({ "StringEquals": { "aws:CurrentTime": "2026-11-21T10:00:00Z" } })),
            with("Condition", json!({ "DateLessThan": { "aws:EpochTime": "1" } })),
            with("Resource", json!([])),
            with("Resource", json!(7)),
            with("Resource", json!([API, null])),
            with("Resource", json!("GET/users/*")),
            with("Resource", json!(format!("{API}/test/GET/${{aws:username}}"))),
            with("Resource", json!(format!("{API}/test/GET/${{*}}"))),
            with("Resource", json!(long(513))),
            with("Resource", json!(vec![long(500); 17])),
        ] {
            assert!(Policy::parse(&document).is_err(), "{document}");
        }
    }
}
