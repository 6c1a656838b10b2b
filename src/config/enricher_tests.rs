//! `enricher.yaml`, read: what is taken, and what is a fault where.

use super::*;

fn parse(text: &str) -> Result<EnricherConfig, Vec<String>> {
    let text = ConfigText { text: text.to_owned(), folder: "tests".into() };
    let environment = Environment::from([("TABLE", "tenants"), ("EDITORS", "editors")]);
    EnricherConfig::parse(&text, &environment).map_err(|faults| faults.0.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn claim_of(text: &str) -> Claim {
    parse(&format!("lookup: {{ table: t, user_key: '{{sub}}' }}\nclaims: {{ a: {text}, z: {{ item: z }} }}"))
        .unwrap()
        .claims
        .remove(0)
}

#[track_caller]
fn faults(text: &str, expected: &[&str]) {
    let found = parse(text).expect_err(text);
    let fits = found.len() == expected.len() && found.iter().zip(expected).all(|(found, part)| found.contains(part));
    assert!(fits, "{text}\n{found:#?}\n{expected:#?}");
}

#[test]
fn every_source_is_read() {
    for (text, source) in [
        ("{ attribute: custom:plan }", Source::Attribute { name: "custom:plan".into(), by_administrator: false }),
        (
            "{ attribute: custom:plan, written_by: administrator }",
            Source::Attribute { name: "custom:plan".into(), by_administrator: true },
        ),
        (
            "{ by_group: { gold: 1, Domain Admins: 'two', bronze: true } }",
            Source::ByGroup(vec![
                ("gold".into(), 1.into()),
                ("Domain Admins".into(), "two".into()),
                ("bronze".into(), true.into()),
            ]),
        ),
        ("{ group_prefix: tenant- }", Source::GroupPrefix("tenant-".into())),
        ("{ client_metadata: device }", Source::ClientMetadata("device".into())),
        ("{ item: tenant }", Source::Item("tenant".into())),
    ] {
        assert_eq!(claim_of(text).source, source, "{text}");
    }
}

#[test]
fn a_claim_is_the_access_tokens_unless_it_is_said() {
    for (text, access, id, required) in [
        ("{ item: a }", true, false, false),
        ("{ item: a, tokens: access, required: true }", true, false, true),
        ("{ item: a, tokens: id, required: false }", false, true, false),
        ("{ item: a, tokens: [access, id] }", true, true, false),
        ("{ item: a, tokens: id access }", true, true, false),
    ] {
        let claim = claim_of(text);
        assert_eq!((claim.tokens, claim.required), (Tokens { access, id }, required), "{text}");
    }
}

#[test]
fn a_lookup_has_defaults_and_values_of_the_environment() {
    let claims = "claims: { a: { item: a } }";
    let lookup = |text: &str| parse(&format!("lookup: {text}\n{claims}")).unwrap().lookup.unwrap();
    let short = lookup("{ table: '${TABLE}', user_key: 'user#{sub}' }");
    assert_eq!((short.table.as_str(), short.key.as_str()), ("tenants", "pk"));
    assert_eq!((short.timeout, short.on_failure), (Duration::from_secs(2), OnFailure::Refuse));
    assert_eq!(short.client, None);
    assert_eq!(short.user.unwrap().fill(Some("s"), None), Some("user#s".into()));
    let long = lookup("{ table: t, key: id, client_key: '{client_id}', timeout: 4s, on_failure: continue }");
    assert_eq!((long.key.as_str(), long.timeout, long.on_failure), ("id", MAX_TIMEOUT, OnFailure::Continue));
    assert_eq!(long.client.unwrap().fill(None, Some("c")), Some("c".into()));
}

#[test]
fn a_key_lacks_nothing_and_two_users_never_share_one() {
    let key = KeyPattern::parse("a#{client_id}#{sub}").unwrap();
    assert_eq!(key.fill(Some("s"), Some("c")), Some("a#c#s".into()));
    assert_eq!((key.fill(None, Some("c")), key.fill(Some("s"), None)), (None, None));
    for text in ["", "user", "{sub", "{username}", "{}", "{sub}{client_id}", "a{sub}{sub}"] {
        assert!(KeyPattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn all_faults_are_found_at_once_with_their_places() {
    faults(
        "
lookup: { table: '${NONE}', user_key: all, timeout: 5s, on_failure: allow, retries: 3 }
claims:
  sub: { item: a }
  tenant: { item: a, attribute: b }
  plan: {}
  level: { by_group: {}, tokens: refresh }
scopes:
  - { group: g }
  - { group: g, not_group: h, add: a }
  - { not_group: g, add: [a] }
  - { group: g, add: [a], suppress: a }
limits: { claims: 0, bytes: 6145 }
other: 1
",
        &[
            "lookup.table: the environment has no `NONE` (line 2)",
            "lookup.user_key: must have `{sub}` or `{client_id}` in it",
            "lookup.timeout: must be at most 4s",
            "lookup.on_failure: must be `refuse` or `continue`",
            "lookup.retries: unknown key",
            "claims.sub: is a claim that Cognito lets nobody add (line 4)",
            "claims.tenant: must have one of",
            "claims.plan: must have one of",
            "claims.level.by_group: must not be empty",
            "claims.level.tokens: must be `access`",
            "scopes[0]: must have `add`",
            "scopes[1]: must have one of `group` and `not_group`",
            "scopes[2]: `not_group` only suppresses",
            "scopes[3]: adds and suppresses `a`",
            "limits.claims: must be a number from 1 to 100",
            "limits.bytes: must be a number from 1 to 6144",
            "other: unknown key",
        ],
    );
}

#[test]
fn what_is_missing_or_of_no_use_is_a_fault() {
    faults("{}", &["nothing is added"]);
    faults("claims: {}", &["nothing is added"]);
    faults("claims: []", &["claims: must be a map"]);
    faults("claims: { a: { item: a } }", &["claims.a.item: there is no `lookup`"]);
    faults(
        "lookup: { table: t, user_key: '{sub}' }\nclaims: { a: { group_prefix: b } }",
        &["no claim comes from an `item`"],
    );
    faults("lookup: { table: t }\nclaims: { a: { item: a } }", &["must have a `user_key`, a `client_key` or both"]);
    faults(
        "lookup: { table: t, client_key: '{sub}' }\nclaims: { a: { item: a } }",
        &["a machine client has no `{sub}`"],
    );
    faults("claims: { a: { group_prefix: b, written_by: administrator } }", &["written_by: is said of an `attribute`"]);
    faults("claims: { a: { attribute: b, written_by: me } }", &["written_by: must be `administrator`"]);
    faults("claims: { a: { group_prefix: b }, a: { group_prefix: c } }", &["duplicate key `a`"]);
    faults("scopes: [{ group: g, add: ['a\"b'] }]", &["no scope has"]);
    faults("scopes: [{ group: g, add: [é] }]", &["no scope has"]);
    faults("scopes: []", &["scopes: must not be empty"]);
}

#[test]
fn no_claim_of_cognito_and_none_that_carries_scopes_or_a_binding_is_added() {
    for name in COGNITO.into_iter().chain(["cognito:groups", "cognito:anything", "dev:custom:a", "scope", "scp", "cnf"])
    {
        faults(
            &format!("claims: {{ '{name}': {{ group_prefix: a }} }}"),
            &[&format!("claims.{}: ", yaml::quoted(name))],
        );
    }
    for name in ["tenant", "custom:tenant", "email", "https://example.com/plan", "/a", "groups"] {
        assert!(parse(&format!("claims: {{ '{name}': {{ group_prefix: a }} }}")).is_ok(), "{name}");
    }
}

#[test]
fn what_users_may_write_is_told() {
    for (text, told) in [
        ("claims: { a: { client_metadata: d } }", Some("client metadata `d`")),
        ("claims: { a: { attribute: custom:plan } }", Some("user attribute `custom:plan`")),
        ("claims: { a: { attribute: email } }", Some("user attribute `email`")),
        ("claims: { a: { attribute: custom:plan, written_by: administrator } }", None),
        ("claims: { a: { attribute: email_verified } }", None),
        ("claims: { a: { attribute: dev:custom:plan } }", None),
        ("claims: { a: { group_prefix: b } }", None),
        ("scopes: [{ group: g, add: aws.cognito.signin.user.admin }]", Some("the group `g` gets the scope")),
        ("scopes: [{ group: g, suppress: aws.cognito.signin.user.admin }]", None),
    ] {
        let warnings = parse(text).unwrap().warnings();
        let fits = match told {
            Some(part) => warnings.len() == 1 && warnings[0].contains(part),
            None => warnings.is_empty(),
        };
        assert!(fits, "{text}: {warnings:?}");
    }
}

#[test]
fn the_text_is_found_as_the_authorizers_is() {
    let text = "claims: { a: { group_prefix: b } }";
    assert!(EnricherConfig::load(&Environment::from([("ENRICHER_CONFIG", text)])).is_ok());
    let missing = EnricherConfig::load(&Environment::from([("ENRICHER_CONFIG_FILE", "/none/enricher.yaml")]));
    assert!(missing.unwrap_err().to_string().contains("/none/enricher.yaml"));
}
