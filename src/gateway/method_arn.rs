//! The ARN of a request: `arn:partition:execute-api:region:account:api/stage/METHOD/path`,
//! for a WebSocket `.../api/stage/$connect`.
//!
//! Method and path are read from here for every kind of event: it is what API
//! Gateway holds a policy against.

use crate::request::MAX_RESOURCE_CHARACTERS;
use std::borrow::Cow;
use std::ops::Range;

/// A request's ARN in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodArn<'a> {
    arn: Cow<'a, str>,
    /// Where `GET`, or `$connect`, stands.
    method: Range<usize>,
    /// Where the path starts, with its slash; the end where there is none.
    path: usize,
}

impl<'a> MethodArn<'a> {
    /// Splits an ARN; `None` where it is none of API Gateway's.
    #[must_use]
    pub fn parse(arn: impl Into<Cow<'a, str>>) -> Option<Self> {
        let arn = arn.into();
        // A path may hold colons: at most six parts.
        let mut parts = arn.splitn(6, ':');
        let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let mut parts = resource.splitn(4, '/');
        let (api, stage, method) = (parts.next()?, parts.next()?, parts.next()?);
        let has_path = parts.next().is_some();
        let names = [partition, region, account, api, stage];
        if scheme != "arn" || service != "execute-api" || !names.into_iter().all(is_name) || method.is_empty() {
            return None;
        }
        if method == CONNECT && has_path {
            return None;
        }
        let start = arn.len() - resource.len() + api.len() + stage.len() + "//".len();
        let end = start + method.len();
        Some(Self { arn, method: start..end, path: end })
    }

    /// Whether this is a WebSocket's handshake.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.method() == CONNECT
    }

    /// The HTTP method, or `$connect`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.arn.get(self.method.clone()).unwrap_or_default()
    }

    /// The path, with its leading slash.
    #[must_use]
    pub fn path(&self) -> &str {
        self.arn.get(self.path..).filter(|path| !path.is_empty()).unwrap_or("/")
    }

    /// What stands before the method, with its slash: partition, region, account, API
    /// and stage.
    #[must_use]
    pub fn before_method(&self) -> &str {
        self.arn.get(..self.method.start).unwrap_or_default()
    }

    /// How many characters it has.
    #[must_use]
    pub fn characters(&self) -> usize {
        self.arn.chars().count()
    }

    /// The Resource of a statement that allows this request and no other. Only
    /// for ARNs that were found to hold no wildcards and to be short enough, which
    /// a permit is proof of.
    #[must_use]
    pub fn exact(&self) -> &str {
        &self.arn
    }

    /// Whether a Resource can match this request and no other: IAM reads nothing of it as a
    /// wildcard or a variable, and it is short enough.
    #[must_use]
    pub fn can_be_exact(&self) -> bool {
        self.characters() <= MAX_RESOURCE_CHARACTERS
            && !self.arn.contains("${")
            && !self.arn.contains(|c: char| c.is_control() || c == '*' || c == '?')
    }

    /// A Resource that matches at least this request, whatever is in the ARN: what
    /// IAM would read as a variable is replaced by `?`, which matches it, and what
    /// is too long is cut and ends in `*`. For denials only.
    #[must_use]
    pub fn at_least(&self) -> Cow<'_, str> {
        if self.characters() <= MAX_RESOURCE_CHARACTERS
            && !self.arn.contains("${")
            && !self.arn.contains(char::is_control)
        {
            return Cow::Borrowed(&self.arn);
        }
        let resource = self.arn.replace("${", "?{");
        let characters = resource.chars().map(|c| if c.is_control() { '?' } else { c });
        if self.characters() <= MAX_RESOURCE_CHARACTERS {
            return characters.collect::<String>().into();
        }
        let mut resource: String = characters.take(MAX_RESOURCE_CHARACTERS - 1).collect();
        resource.push('*');
        resource.into()
    }
}

/// Partition, region, account, API and stage hold no wildcards and no separators.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.$".contains(&byte))
}

const CONNECT: &str = "$connect";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_and_path_stand_in_the_arn() {
        for (arn, method, path) in [
            ("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request", "GET", "/request"),
            ("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/", "GET", "/"),
            ("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET", "GET", "/"),
            ("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET//a", "GET", "//a"),
            ("arn:aws-cn:execute-api:cn-north-1:123456789012:a/$default/POST/a:b/c:d", "POST", "/a:b/c:d"),
            ("arn:aws-us-gov:execute-api:us-gov-west-1:1:a/ESTestInvoke-stage/GET/", "GET", "/"),
            ("arn:aws:execute-api:us-east-1:1:a/null/GET/$connect", "GET", "/$connect"),
            ("arn:aws:execute-api:us-east-1:1:a/prod/$connect", "$connect", "/"),
        ] {
            let parsed = MethodArn::parse(arn).unwrap();
            assert_eq!((parsed.method(), parsed.path()), (method, path), "{arn}");
            assert_eq!(parsed.exact(), arn);
            assert_eq!(parsed.at_least(), arn);
        }
    }

    #[test]
    fn what_is_no_execute_api_arn_is_refused() {
        for arn in [
            "",
            "arn",
            "arn:aws:execute-api:us-east-1:1:a",
            "arn:aws:execute-api:us-east-1:1:a/b",
            "arn:aws:execute-api:us-east-1:1:a/b/",
            "arn:aws:s3:us-east-1:1:a/b/GET/",
            "urn:aws:execute-api:us-east-1:1:a/b/GET/",
            "arn::execute-api:us-east-1:1:a/b/GET/",
            "arn:aws:execute-api::1:a/b/GET/",
            "arn:aws:execute-api:us-east-1:1:*/b/GET/",
            "arn:aws:execute-api:us-east-1:1:a/${b}/GET/",
            "arn:aws:execute-api:us-east-1:1:a//GET/",
            "arn:aws:execute-api:us-east-1:1:a/b~/GET/",
            "arn:aws:execute-api:us-east-1:1:a?/b/GET/",
            "arn:aws:execute-api:us-east-1:1:a/b/$connect/",
            "arn:aws:execute-api:us-east-1:1:a/b/$connect/x",
        ] {
            assert_eq!(MethodArn::parse(arn), None, "{arn}");
        }
    }

    #[test]
    fn a_denial_covers_at_least_the_request() {
        let arn = |path: &str| format!("arn:aws:execute-api:us-east-1:1:a/b/GET/{path}");
        let covering = |path: &str| MethodArn::parse(arn(path)).unwrap().at_least().into_owned();
        assert_eq!(covering("a*"), arn("a*"));
        assert_eq!(covering("${aws:x}"), arn("?{aws:x}"));
        assert_eq!(covering("a\u{1}b"), arn("a?b"));
        let longest = "\u{e9}".repeat(512 - arn("").len());
        assert_eq!(covering(&longest), arn(&longest));
        assert_eq!(covering(&(longest.clone() + "a")), arn(&longest[2..]) + "*");
        let (odd, replaced) = ("${".to_owned() + &longest[4..], "?{".to_owned() + &longest[4..]);
        assert_eq!(covering(&odd), arn(&replaced));
        let long = covering(&"\u{e9}".repeat(600));
        assert!(long.chars().count() == 512 && long.ends_with("\u{e9}*"), "{long}");
    }
}
