//! One application for many tenants: an issuer with a claim's value in its name.

use serde_json::{Map, Value};
use std::collections::HashSet;

/// The names of one issuer's tenants, such as `https://login.example.com/{tid}/v2.0`.
#[derive(Debug)]
pub struct Tenants {
    before: String,
    claim: String,
    after: String,
    accepted: AcceptedTenants,
}

/// Which tenants' tokens are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptedTenants {
    /// Every tenant that the issuer signs for (`"*"`).
    Any,
    /// One of these; never empty.
    OneOf(HashSet<String>),
}

impl Tenants {
    /// Reads a name with one `{claim}` in it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(issuer: &str, accepted: AcceptedTenants) -> Result<Self, &'static str> {
        let parts = issuer.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
        let Some((before, (claim, after))) = parts else {
            return Err("has no `{claim}` in it, which `tenants` are the values of");
        };
        if claim.is_empty() || [before, claim, after].iter().any(|part| part.contains(['{', '}', '*'])) {
            return Err("must have one `{claim}` in it, and no other `{`, `}` or `*`");
        }
        let [before, claim, after] = [before, claim, after].map(str::to_owned);
        Ok(Self { before, claim, after, accepted })
    }

    /// The claim whose value stands in the name.
    #[must_use]
    pub fn claim(&self) -> &str {
        &self.claim
    }

    /// Whose tokens are taken.
    #[must_use]
    pub fn accepted(&self) -> &AcceptedTenants {
        &self.accepted
    }

    /// The issuer of that tenant.
    #[must_use]
    pub fn issuer_of(&self, tenant: &str) -> String {
        [&self.before, tenant, &self.after].concat()
    }

    /// Whether this is the name of an accepted tenant.
    #[must_use]
    pub fn have(&self, issuer: &str) -> bool {
        let tenant = issuer.strip_prefix(self.before.as_str()).and_then(|rest| rest.strip_suffix(self.after.as_str()));
        tenant.is_some_and(|tenant| self.accepts(tenant))
    }

    /// Whether a token with these claims is of an accepted tenant and names that tenant as its issuer.
    pub(super) fn name(&self, issuer: &str, payload: &Map<String, Value>) -> bool {
        let tenant = payload.get(&self.claim).and_then(Value::as_str);
        let is_named = |tenant: &str| {
            let rest = issuer.strip_prefix(self.before.as_str()).and_then(|rest| rest.strip_prefix(tenant));
            rest == Some(self.after.as_str())
        };
        tenant.is_some_and(|tenant| self.accepts(tenant) && is_named(tenant))
    }

    /// Whether a key that names this issuer in its JWK signs the tokens of `issuer`, a tenant's name: it names that very
    /// issuer, or all tenants by `{tenantid}`, as Entra ID does, or by the claim's own name.
    pub(super) fn are_signed_by(&self, key_issuer: &str, issuer: &str) -> bool {
        if key_issuer == issuer {
            return true;
        }
        let tenant = issuer.strip_prefix(self.before.as_str()).and_then(|rest| rest.strip_suffix(self.after.as_str()));
        let parts = key_issuer.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
        let (Some(tenant), Some((before, (placeholder, after)))) = (tenant, parts) else { return false };
        let is_tenant = placeholder.eq_ignore_ascii_case("tenantid") || placeholder == self.claim;
        let rest = issuer.strip_prefix(before).and_then(|rest| rest.strip_prefix(tenant));
        is_tenant && rest == Some(after)
    }

    fn accepts(&self, tenant: &str) -> bool {
        is_tenant(tenant)
            && match &self.accepted {
                AcceptedTenants::Any => true,
                AcceptedTenants::OneOf(tenants) => tenants.contains(tenant),
            }
    }
}

/// Nothing that could be taken for another part of the issuer, or of what is keyed by it.
#[must_use]
pub fn is_tenant(text: &str) -> bool {
    (1..=MAX_TENANT_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// An issuer's name is logged before its token is verified.
const MAX_TENANT_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEMPLATE: &str = "https://login.example.com/{tid}/v2.0";

    fn tenants(accepted: &[&str]) -> Tenants {
        let accepted = match accepted {
            ["*"] => AcceptedTenants::Any,
            some => AcceptedTenants::OneOf(some.iter().map(|tenant| (*tenant).to_owned()).collect()),
        };
        Tenants::parse(TEMPLATE, accepted).unwrap()
    }

    #[test]
    fn a_token_names_the_tenant_in_its_issuer_and_in_its_claim() {
        let [two, any] = [tenants(&["a", "b.c-d_E9"]), tenants(&["*"])];
        let issuer = |tenant: &str| TEMPLATE.replace("{tid}", tenant);
        for (issuer, tid, of_two, of_any) in [
            (issuer("a"), json!("a"), true, true),
            (issuer("b.c-d_E9"), json!("b.c-d_E9"), true, true),
            (issuer("z"), json!("z"), false, true),
            (issuer("a"), json!("b.c-d_E9"), false, false),
            (issuer("b.c-d_E9"), json!("a"), false, false),
            (issuer("A"), json!("a"), false, false),
            (issuer("a"), json!(["a"]), false, false),
            (issuer("7"), json!(7), false, false),
            (issuer(""), json!(""), false, false),
            (issuer("a/b"), json!("a/b"), false, false),
            (issuer("a#b"), json!("a#b"), false, false),
            (issuer("a|b"), json!("a|b"), false, false),
            (issuer("é"), json!("é"), false, false),
            (issuer("{tid}"), json!("{tid}"), false, false),
            (issuer("*"), json!("*"), false, false),
            (issuer("a") + "/", json!("a"), false, false),
            (issuer("a").replace("https", "http"), json!("a"), false, false),
            (issuer(&"x".repeat(256)), json!("x".repeat(256)), false, true),
            (issuer(&"x".repeat(257)), json!("x".repeat(257)), false, false),
        ] {
            let payload = json!({ "tid": tid });
            let names = |tenants: &Tenants| tenants.name(&issuer, payload.as_object().unwrap());
            assert_eq!((names(&two), names(&any)), (of_two, of_any), "{issuer} {tid}");
            assert!(!names(&two) || two.have(&issuer), "{issuer}");
        }
        assert!(!any.name(&issuer("a"), json!({}).as_object().unwrap()));
        assert!(any.have(&issuer("z")) && !two.have(&issuer("z")) && !any.have(TEMPLATE));
    }

    #[test]
    fn a_key_signs_for_the_issuer_that_it_names_or_for_all_tenants() {
        let tenants = tenants(&["*"]);
        let issuer = TEMPLATE.replace("{tid}", "a");
        for (key_issuer, signs) in [
            (issuer.as_str(), true),
            (TEMPLATE, true),
            ("https://login.example.com/{tenantid}/v2.0", true),
            ("https://login.example.com/{tenantId}/v2.0", true),
            ("https://login.example.com/b/v2.0", false),
            ("https://login.example.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", false),
            ("https://login.example.com/{TID}/v2.0", false),
            ("https://login.example.com/{other}/v2.0", false),
            ("https://login.example.com/{}/v2.0", false),
            ("https://login.example.com/{tenantid}", false),
            ("https://login.example.com/{tenantid}/v2.0/", false),
            ("https://login.example.com/{tenantid/v2.0", false),
            ("https://login.example.com/{tenantid}{tenantid}/v2.0", false),
            ("https://sts.example.com/{tenantid}/v2.0", false),
            ("{tenantid}", false),
            ("", false),
        ] {
            assert_eq!(tenants.are_signed_by(key_issuer, &issuer), signs, "{key_issuer}");
        }
    }

    #[test]
    fn a_template_has_one_claim() {
        for bad in [
            "https://a.example",
            "https://a/{}",
            "https://a/{t",
            "https://a/t}",
            "https://a/{t}/{t}",
            "https://a/{{t}}",
            "https://*/{t}",
        ] {
            assert!(Tenants::parse(bad, AcceptedTenants::Any).is_err(), "{bad}");
        }
    }
}
