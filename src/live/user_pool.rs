//! A user pool's id, and what follows from it.

use std::fmt;

/// The id of a Cognito user pool, such as `us-east-1_AbCdEf123`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPool {
    id: String,
    region: String,
}

impl UserPool {
    /// Reads a pool's id; `None` where the text is none.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let is_word = |text: &str, also: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        let (region, rest) = id.split_once('_')?;
        (is_word(region, "-") && is_word(rest, "")).then(|| Self { id: id.to_owned(), region: region.to_owned() })
    }

    /// The pool whose tokens name this issuer, in either of its two forms.
    #[must_use]
    pub fn of_issuer(issuer: &str) -> Option<Self> {
        let pool = Self::parse(issuer.rsplit_once('/')?.1)?;
        pool.issuers().iter().any(|known| known == issuer).then_some(pool)
    }

    /// The id itself.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The Region that the id begins with.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The issuer that tokens of this pool name unless it was told otherwise.
    #[must_use]
    pub fn issuer(&self) -> String {
        let [older, _] = self.issuers();
        older
    }

    /// The Region where the pool answers for tokens of this issuer: the one that the
    /// issuer names where it is Cognito's (it may differ from the id's).
    #[must_use]
    pub fn region_of(&self, issuer: &str) -> String {
        let host = issuer.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let labels = ["cognito-idp.", "issuer-cognito-idp."];
        let region =
            labels.into_iter().find_map(|label| host.strip_prefix(label)).and_then(|rest| rest.split('.').next());
        region.unwrap_or(&self.region).to_owned()
    }

    /// The issuers that tokens of this pool may name: the older form and the newer one.
    #[must_use]
    pub fn issuers(&self) -> [String; 2] {
        let Self { id, region } = self;
        let suffix = dns_suffix(region);
        let issuer = |host: &str| ["https://", host, ".", region, ".", suffix, "/", id].concat();
        [issuer("cognito-idp"), issuer("issuer-cognito-idp")]
    }
}

impl fmt::Display for UserPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// As the endpoint rules of the AWS SDK have it: China and the European sovereign
/// cloud are partitions with a suffix of their own.
fn dns_suffix(region: &str) -> &'static str {
    match region.split_once('-') {
        Some(("cn", _)) => "amazonaws.com.cn",
        Some(("eusc", _)) => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_two_issuers_and_each_leads_back_to_it() {
        for (id, issuers) in [
            (
                "us-east-1_AbCdEf123",
                [
                    "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123",
                    "https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123",
                ],
            ),
            (
                "cn-north-1_A",
                [
                    "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A",
                    "https://issuer-cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A",
                ],
            ),
        ] {
            let pool = UserPool::parse(id).unwrap();
            assert_eq!(pool.issuers(), issuers);
            for issuer in issuers {
                assert_eq!(UserPool::of_issuer(issuer), Some(pool.clone()));
            }
        }
    }

    #[test]
    fn what_is_no_pool_is_none() {
        for id in ["", "us-east-1", "_a", "us-east-1_", "us-east-1_a/b", "us east_a", "us-east-1_a_b"] {
            assert_eq!(UserPool::parse(id), None, "{id}");
        }
        for issuer in [
            "https://login.example.com/us-east-1_A",
            "https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_A",
            "http://cognito-idp.us-east-1.amazonaws.com/us-east-1_A",
            "us-east-1_A",
        ] {
            assert_eq!(UserPool::of_issuer(issuer), None, "{issuer}");
        }
    }
}
