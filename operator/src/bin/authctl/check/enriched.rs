//! Claims that the enricher adds to tokens, beside the rules that rely on them. Pure.

use super::attributes::claims_of;
use super::finding::{Finding, listed};
use cognito_authorizer::config::Config;
use cognito_authorizer::config::enricher::{EnricherConfig, Source};
use cognito_authorizer::token::Expectations;

/// The claims that access tokens get.
pub(super) fn added_to_access_tokens(enricher: &EnricherConfig) -> Vec<&str> {
    enricher.claims.iter().filter(|claim| claim.tokens.access).map(|claim| claim.name.as_str()).collect()
}

/// What users may write, and where a rule relies on it.
pub(super) fn findings(config: &Config, enricher: &EnricherConfig) -> Vec<Finding> {
    let mut found = Vec::new();
    let issuers: Vec<&Expectations> = config.expectations().collect();
    for claim in &enricher.claims {
        let of_whoever_signs_in = match &claim.source {
            Source::ClientMetadata(_) => true,
            Source::Attribute { by_administrator: false, .. } => false,
            Source::Attribute { by_administrator: true, .. }
            | Source::ByGroup(_)
            | Source::GroupPrefix(_)
            | Source::Item(_) => continue,
        };
        let relies = |rule: &cognito_authorizer::access::Rule| {
            let mut claims = Vec::new();
            claims_of(&rule.requirement, &issuers, &mut claims);
            claims.iter().any(|path| path.first() == claim.name)
        };
        let rules: Vec<&str> =
            config.rules().iter().filter(|(_, rule)| relies(rule)).map(|(_, rule)| &*rule.key).collect();
        if of_whoever_signs_in && !rules.is_empty() {
            let text = format!(
                "{} relies on the claim `{}`, which the enricher takes from client metadata: whoever signs in writes what they like there",
                listed(rules),
                claim.name
            );
            found.push(Finding::error(text));
        }
    }
    found.extend(enricher.warnings().into_iter().map(Finding::warning));
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::Weight;
    use super::*;
    use cognito_authorizer::config::{ConfigText, Environment};

    #[track_caller]
    fn check(requirement: &str, source: &str, expected: &[(Weight, &str)]) {
        let text = |text: String| ConfigText { text, folder: "tests".into() };
        let config = format!(
            "issuers: [{{ cognito: {{ user_pool_id: us-east-1_A, client_ids: web }} }}]\nroutes: {{ 'GET /{{x}}': {requirement} }}"
        );
        let config = Config::parse(&text(config), &Environment::default()).unwrap();
        let enricher = format!("claims: {{ tenant: {source} }}");
        let enricher = EnricherConfig::parse(&text(enricher), &Environment::default()).unwrap();
        let found = findings(&config, &enricher);
        let fits = found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(found, (weight, part))| found.weight == *weight && found.text.contains(part));
        assert!(fits, "{requirement} {source}: {found:#?}");
    }

    const TENANT: &str = "{ claims: { tenant: '{x}' } }";

    #[test]
    fn a_rule_that_relies_on_what_the_caller_writes_is_an_error() {
        let told = (Weight::Warning, "the claim `tenant` is the client metadata `t`");
        let relied = (Weight::Error, "`GET /{x}` relies on the claim `tenant`");
        check(TENANT, "{ client_metadata: t }", &[relied, told]);
        check("{ any: [{ any_group: a }, { claims: { /tenant: a } }] }", "{ client_metadata: t }", &[relied, told]);
        check("{}", "{ client_metadata: t }", &[told]);
        check(TENANT, "{ attribute: custom:t }", &[(Weight::Warning, "user attribute `custom:t`")]);
        check(TENANT, "{ attribute: custom:t, written_by: administrator }", &[]);
        check(TENANT, "{ group_prefix: t- }", &[]);
    }
}
