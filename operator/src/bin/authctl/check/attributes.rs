//! Rules that rely on what users may change about themselves. Pure.
//!
//! Cognito writes a user's attributes into ID tokens, and a trigger may write them into
//! access tokens. Where an app client may write an attribute, its users can: a rule that
//! asks for its value then asks for nothing.

use super::finding::{Finding, listed};
use crate::template::{Client, Writes};
use cognito_authorizer::access::{Check, Requirement};
use cognito_authorizer::config::Config;
use cognito_authorizer::token::{ClaimPath, Expectations, IssuerKind, MappedList, TokenUse};
use std::collections::BTreeMap;

/// What rules and the context want of tokens that have no attributes: Cognito's access tokens, but for those of these names, which
/// the enricher adds.
pub(super) fn absent(config: &Config, added: &[&str]) -> Vec<Finding> {
    let has_none = |issuer: &Expectations| match &issuer.kind {
        IssuerKind::Cognito { token_uses } => !token_uses.contains(&TokenUse::Id),
        IssuerKind::Oidc => false,
    };
    if !config.expectations().all(has_none) {
        return Vec::new();
    }
    let pools: Vec<&Expectations> = config.expectations().collect();
    let mut found = Vec::new();
    let mut tell = |what: String, claims: Vec<&ClaimPath>| {
        let mut attributes: Vec<String> = claims.into_iter().filter_map(attribute).collect();
        attributes.retain(|attribute| !added.contains(&attribute.as_str()));
        attributes.sort();
        attributes.dedup();
        for attribute in attributes {
            found.push(Finding::warning(format!(
                "{what} asks access tokens for `{attribute}`, which they have only where a pre token generation trigger (V2_0 or V3_0) adds it"
            )));
        }
    };
    for (_, rule) in config.rules().iter() {
        let mut claims = Vec::new();
        claims_of(&rule.requirement, &pools, &mut claims);
        tell(format!("`{}`", rule.key), claims);
    }
    tell("`context`".to_owned(), config.answers().context.own_claims().collect());
    found
}

/// What rules rely on, and users of these clients may write.
pub(super) fn writable(config: &Config, clients: &[Client]) -> Vec<Finding> {
    let pools: Vec<&Expectations> = config.expectations().filter(|issuer| is_pool(issuer)).collect();
    // The attributes, each with the rules that rely on it.
    let mut attributes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (_, rule) in config.rules().iter() {
        let mut claims = Vec::new();
        claims_of(&rule.requirement, &pools, &mut claims);
        for attribute in claims.into_iter().filter_map(attribute) {
            let rules = attributes.entry(attribute).or_default();
            if rules.last() != Some(&&*rule.key) {
                rules.push(&rule.key);
            }
        }
    }
    let takes_id_tokens = pools.iter().any(|pool| match &pool.kind {
        IssuerKind::Cognito { token_uses } => token_uses.contains(&TokenUse::Id),
        IssuerKind::Oidc => true,
    });
    let mut found = Vec::new();
    for (attribute, rules) in if pools.is_empty() { BTreeMap::new() } else { attributes } {
        let rules = listed(rules);
        if clients.is_empty() {
            found.push(Finding::note(format!(
                "{rules} relies on the attribute `{attribute}`, and no app client is in the template: let none have it in its `WriteAttributes`"
            )));
        }
        for client in clients {
            let how = match &client.writes {
                Writes::These(names) if !names.contains(&attribute) => continue,
                Writes::These(_) => "its `WriteAttributes` have it".to_owned(),
                Writes::All => "without `WriteAttributes` all attributes may be written".to_owned(),
                Writes::Unknown(expression) => format!("its `WriteAttributes` are not known: {expression}"),
            };
            let text = format!(
                "{rules} relies on the attribute `{attribute}`, which users may change for themselves through the client {}: {how}",
                client.name
            );
            let is_certain = takes_id_tokens && client.lets_users_write && !matches!(client.writes, Writes::Unknown(_));
            found.push(if is_certain { Finding::error(text) } else { Finding::warning(text) });
        }
    }
    found
}

fn is_pool(issuer: &Expectations) -> bool {
    matches!(issuer.kind, IssuerKind::Cognito { .. }) || issuer.issuer.contains("cognito-idp")
}

/// The claims that a requirement holds against something.
pub(super) fn claims_of<'r>(requirement: &'r Requirement, pools: &[&'r Expectations], claims: &mut Vec<&'r ClaimPath>) {
    fn path(mapped: &Option<MappedList>) -> Option<&ClaimPath> {
        mapped.as_ref().map(|mapped| &mapped.path)
    }
    for check in &requirement.checks {
        match check {
            Check::Claim { path, .. } => claims.push(path),
            Check::AnyGroup(_) | Check::AllGroups(_) => {
                claims.extend(pools.iter().filter_map(|pool| path(&pool.claim_names.groups)));
            }
            Check::AnyScope(_) | Check::AllScopes(_) => {
                claims.extend(pools.iter().filter_map(|pool| path(&pool.claim_names.scope)));
            }
            Check::Any(inner) | Check::All(inner) => inner.iter().for_each(|inner| claims_of(inner, pools, claims)),
            Check::ClientIds(_)
            | Check::Issuers(_)
            | Check::TokenUse(_)
            | Check::Credentials(_)
            | Check::SourceIp(_)
            | Check::MaxAuthAge(_) => {}
        }
    }
}

/// The attribute that a claim has its value from, where users may be able to write it.
fn attribute(claim: &ClaimPath) -> Option<String> {
    let name = claim.first();
    (name.starts_with("custom:") || STANDARD.contains(&name)).then(|| name.to_owned())
}

/// Cognito's standard attributes, but for `sub`, which nobody can write.
const STANDARD: [&str; 17] = [
    "address",
    "birthdate",
    "email",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];

#[cfg(test)]
mod tests {
    use super::super::finding::Weight;
    use super::*;
    use crate::template::Template;
    use cognito_authorizer::config::{ConfigText, Environment};

    const ID: &str = "cognito: { user_pool_id: us-east-1_A, client_ids: web, token_use: id }";
    const ACCESS: &str = "cognito: { user_pool_id: us-east-1_A, client_ids: web }";

    /// What is found of the rule `GET /{x}` with this requirement, and a pool with this
    /// app client, without its place in the text.
    #[track_caller]
    fn check(issuer: &str, requirement: &str, client: &str, expected: &[(Weight, &str)]) {
        let text = format!("issuers: [{{ {issuer} }}]\nroutes: {{ 'GET /{{x}}': {requirement} }}");
        let text = ConfigText { text, folder: "tests".into() };
        let config = Config::parse(&text, &Environment::default()).unwrap();
        let template = format!(
            "
Resources:
  P: {{ Type: AWS::Cognito::UserPool, Properties: {{ AdminCreateUserConfig: {{ AllowAdminCreateUserOnly: true }} }} }}
  C: {{ Type: AWS::Cognito::UserPoolClient, Properties: {{ UserPoolId: !Ref P, {client} }} }}"
        );
        let template = Template::parse(&template, &BTreeMap::new()).unwrap();
        let found = writable(&config, &template.clients);
        let fits = found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(found, (weight, text))| found.weight == *weight && found.text.contains(text));
        assert!(fits, "{issuer} {requirement} {client}\n{found:#?}\n{expected:#?}");
    }

    const TENANT: &str = "{ claims: { custom:tenant: '{x}' } }";

    #[test]
    fn an_attribute_that_users_may_write_is_found_and_one_that_they_may_not_is_not() {
        let all = [(Weight::Error, "`GET /{x}` relies on the attribute `custom:tenant`, which users may change")];
        check(ID, TENANT, "", &all);
        check(ID, TENANT, "WriteAttributes: []", &all);
        check(ID, TENANT, "WriteAttributes: [name, 'custom:tenant']", &all);
        check(ID, TENANT, "WriteAttributes: [name]", &[]);
        check(ID, TENANT, "WriteAttributes: ['custom:tenants']", &[]);
        check(ID, TENANT, "WriteAttributes: !Ref A", &[(Weight::Warning, "are not known: !Ref A")]);
        check(ID, TENANT, "WriteAttributes: [!Ref A]", &[(Weight::Warning, "are not known: !Ref A")]);
    }

    #[test]
    fn it_is_a_warning_where_the_claim_or_the_change_needs_one_thing_more() {
        check(ACCESS, TENANT, "", &[(Weight::Warning, "`custom:tenant`")]);
        let closed = "ExplicitAuthFlows: [ALLOW_REFRESH_TOKEN_AUTH], AllowedOAuthScopes: [openid]";
        check(ID, TENANT, closed, &[(Weight::Warning, "`custom:tenant`")]);
        for open in [
            "AllowedOAuthScopes: [openid]",
            "ExplicitAuthFlows: [ALLOW_USER_SRP_AUTH]",
            "ExplicitAuthFlows: [ALLOW_REFRESH_TOKEN_AUTH], AllowedOAuthScopes: [aws.cognito.signin.user.admin]",
            "ExplicitAuthFlows: [ALLOW_REFRESH_TOKEN_AUTH], AllowedOAuthScopes: [!Ref Scope]",
        ] {
            check(ID, TENANT, open, &[(Weight::Error, "`custom:tenant`")]);
        }
    }

    #[test]
    fn whatever_a_rule_relies_on_is_looked_at() {
        for (requirement, attribute) in [
            ("{ claims: { email: a@example.com } }", "`email`"),
            ("{ claims: { /custom:tenant: a } }", "`custom:tenant`"),
            ("{ claims: { /address/locality: a } }", "`address`"),
            ("{ any: [{ any_group: a }, { all: [{ claims: { custom:plan: pro } }] }] }", "`custom:plan`"),
        ] {
            check(ID, requirement, "", &[(Weight::Error, attribute)]);
        }
        for requirement in [
            "{}",
            "{ claims: { sub: '{x}' } }",
            "{ claims: { email_verified: true } }",
            "{ claims: { cognito:username: '{x}' } }",
            "{ any_group: admin }",
        ] {
            check(ID, requirement, "", &[]);
        }
    }

    #[test]
    fn a_claim_that_is_mapped_to_groups_or_scopes_is_looked_at_where_a_rule_asks_for_them() {
        let of = |mapped: &str| {
            let pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_A";
            format!("oidc: {{ issuer: '{pool}', audience: web, claims: {{ {mapped} }} }}")
        };
        let groups = &of("groups: custom:groups");
        check(groups, "{ any_group: admin }", "", &[(Weight::Error, "`custom:groups`")]);
        check(groups, "{ any_group: admin }", "WriteAttributes: [name]", &[]);
        check(groups, "{ any_scope: a }", "", &[]);
        let scope = &of("scope: custom:scope");
        check(scope, "{ all_scopes: [a] }", "", &[(Weight::Error, "`custom:scope`")]);
    }

    #[test]
    fn access_tokens_alone_have_no_attributes() {
        let id = "cognito: { user_pool_id: us-east-1_B, client_ids: web, token_use: [access, id] }";
        let oidc = "oidc: { issuer: 'https://i.example', audience: a }";
        let found = |issuers: &str, requirement: &str, context: &str| {
            let text =
                format!("issuers: [{issuers}]\nroutes: {{ GET /a: {requirement}, GET /b: {{}} }}\ncontext: {context}");
            let text = ConfigText { text, folder: "tests".into() };
            let config = Config::parse(&text, &Environment::default()).unwrap();
            absent(&config, &["custom:added"])
                .into_iter()
                .map(|finding| (finding.weight, finding.text))
                .collect::<Vec<_>>()
        };
        let access = format!("{{ {ACCESS} }}");
        for (requirement, context, expected) in [
            ("{ claims: { custom:tenant: a } }", "{}", &["`GET /a` asks access tokens for `custom:tenant`"][..]),
            ("{ claims: { email: a, sub: b } }", "{}", &["`GET /a` asks access tokens for `email`"]),
            ("{ claims: { custom:added: a, email: b } }", "{}", &["`GET /a` asks access tokens for `email`"]),
            ("{ any: [{ claims: { /phone_number: a } }] }", "{}", &["`phone_number`"]),
            (
                "{}",
                "{ who: email, sub: sub, tenant: custom:tenant }",
                &["`context` asks access tokens for `custom:tenant`", "`email`"],
            ),
            ("{ claims: { tenant: a, cognito:groups: b } }", "{ username: username }", &[]),
        ] {
            let told = found(&access, requirement, context);
            let fits = told.len() == expected.len()
                && told
                    .iter()
                    .zip(expected)
                    .all(|((weight, text), part)| *weight == Weight::Warning && text.contains(part));
            assert!(fits, "{requirement} {context} {told:?}");
        }
        let asks = "{ claims: { email: a } }";
        for other in [id, oidc] {
            assert_eq!(found(&format!("{{ {ACCESS} }}, {{ {other} }}"), asks, "{}"), []);
        }
    }

    #[test]
    fn without_clients_in_the_template_it_is_told_what_to_look_at() {
        let text = "issuers: [{ cognito: { user_pool_id: us-east-1_A, client_ids: web } }]\nroutes: { GET /a: { claims: { custom:a: b } } }";
        let text = ConfigText { text: text.to_owned(), folder: "tests".into() };
        let config = Config::parse(&text, &Environment::default()).unwrap();
        let found = writable(&config, &[]);
        assert!(found.len() == 1 && found[0].weight == Weight::Note, "{found:?}");
    }

    #[test]
    fn other_issuers_have_attributes_of_their_own() {
        let text = "issuers: [{ oidc: { issuer: 'https://i.example', audience: a } }]\nroutes: { GET /a: { claims: { custom:a: b } } }";
        let text = ConfigText { text: text.to_owned(), folder: "tests".into() };
        let config = Config::parse(&text, &Environment::default()).unwrap();
        assert_eq!(writable(&config, &[]), []);
    }
}
