//! Under which issuers' names a user or a client is refused.

use crate::arguments::IssuerOptions;
use cognito_authorizer::live::UserPool;

/// The issuers that the tokens may name, and the user pool behind them.
pub(crate) struct Issuers {
    pub(crate) names: Vec<String>,
    pub(crate) pool: Option<UserPool>,
}

impl Issuers {
    pub(crate) fn of(options: &IssuerOptions) -> Result<Self, String> {
        let named = options.user_pool_id.as_deref().map(pool_of).transpose()?;
        let mut pools = named.into_iter().chain(options.issuer.iter().filter_map(|issuer| UserPool::of_issuer(issuer)));
        let pool = pools.next();
        if pools.any(|other| Some(&other) != pool.as_ref()) {
            return Err("one user pool at a time: the issuers are those of two".to_owned());
        }
        let mut names: Vec<String> = pool.iter().flat_map(UserPool::issuers).collect();
        names.extend(options.issuer.iter().filter(|issuer| UserPool::of_issuer(issuer).is_none()).cloned());
        Ok(Self { names, pool })
    }
}

pub(crate) fn pool_of(id: &str) -> Result<UserPool, String> {
    UserPool::parse(id).ok_or_else(|| "--user-pool-id must be an id such as us-east-1_AbCdEf123".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuers(user_pool_id: Option<&str>, issuer: &[&str]) -> Result<(usize, Option<String>), String> {
        let issuer = issuer.iter().map(|issuer| (*issuer).to_owned()).collect();
        let options = IssuerOptions { user_pool_id: user_pool_id.map(str::to_owned), issuer };
        Issuers::of(&options).map(|issuers| (issuers.names.len(), issuers.pool.map(|pool| pool.to_string())))
    }

    #[test]
    fn a_pool_stands_for_both_of_its_issuers_however_it_is_named() {
        const OLDER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_A";
        const NEWER: &str = "https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_A";
        let pool = || Some("us-east-1_A".to_owned());
        assert_eq!(issuers(Some("us-east-1_A"), &[]), Ok((2, pool())));
        assert_eq!(issuers(None, &[OLDER]), Ok((2, pool())));
        assert_eq!(issuers(None, &[NEWER, OLDER]), Ok((2, pool())));
        assert_eq!(issuers(Some("us-east-1_A"), &["https://replica.example"]), Ok((3, pool())));
        assert_eq!(issuers(None, &["https://login.example.com"]), Ok((1, None)));
        assert!(issuers(Some("us-east-1_B"), &[OLDER]).is_err());
        assert!(issuers(Some("B"), &[]).is_err());
    }
}
