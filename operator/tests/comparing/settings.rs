//! Changes outside of the routes.

use crate::authctl::differences;

fn file(issuers: &str, more: &str) -> String {
    format!(
        "issuers: [{issuers}]\nroutes: {{ GET /a: {{}}, 'GET /{{id}}': {{ claims: {{ sub: '{{id}}' }} }} }}\n{more}\n"
    )
}

const WEB: &str = "{ cognito: { user_pool_id: us-east-1_A, client_ids: [web] } }";
const POOL: &str = "issuers: https://cognito-idp.us-east-1.amazonaws.com/us-east-1_A";

#[track_caller]
fn check(name: &str, old: &str, new: &str, expected: &[(&str, &str)]) {
    let found = differences(name, old, new);
    let found: Vec<(&str, &str)> = found.iter().map(|(direction, what)| (direction.as_str(), what.as_str())).collect();
    assert_eq!(found, expected, "{old}\n{new}");
}

#[test]
fn what_issuers_accept_is_compared() {
    let of = |entry: &str| file(entry, "");
    let other = "{ oidc: { issuer: https://b.example, audience: [api] } }";
    for (index, (old, new, expected)) in [
        (WEB.to_owned(), WEB.replace("[web]", "[web, app]"), &[("widened", POOL)][..]),
        (WEB.replace("[web]", "[web, app]"), WEB.to_owned(), &[("narrowed", POOL)]),
        (WEB.to_owned(), WEB.replace("[web]", "[web], token_use: [access, id]"), &[("widened", POOL)]),
        (WEB.to_owned(), WEB.replace("[web]", "\"*\""), &[("widened", POOL), ("narrowed", POOL)]),
        (WEB.to_owned(), WEB.replace("[web]", "[web], audience: [api]"), &[("widened", POOL), ("narrowed", POOL)]),
        (WEB.to_owned(), format!("{WEB}, {other}"), &[("widened", "issuers: https://b.example")]),
        (format!("{WEB}, {other}"), WEB.to_owned(), &[("narrowed", "issuers: https://b.example")]),
        (WEB.to_owned(), WEB.replace("[web]", "[web], claims: { groups: roles }"), &[("not_decided", POOL)]),
        (WEB.to_owned(), WEB.replace("[web]", "[web], jwks_uri: https://b.example/keys"), &[("not_decided", POOL)]),
        (WEB.replace("[web]", "[web], introspection: { method: get_user }"), WEB.to_owned(), &[("widened", POOL)]),
        (
            other.to_owned(),
            other.replace("[api]", "[api], algorithms: [RS256, ES256]"),
            &[("widened", "issuers: https://b.example")],
        ),
        (other.replace("[api]", "[api], typ: at+jwt"), other.to_owned(), &[("widened", "issuers: https://b.example")]),
    ]
    .into_iter()
    .enumerate()
    {
        check(&format!("issuers-{index}"), &of(&old), &of(&new), expected);
    }
}

#[test]
fn the_other_sections_are_compared() {
    let of = |more: &str| file(WEB, more);
    for (index, (old, new, expected)) in [
        ("revocations: { table: t }", "", &[("widened", "revocations")][..]),
        ("", "revocations: { table: t }", &[("narrowed", "revocations")]),
        ("revocations: { table: t, check: all }", "revocations: { table: t }", &[("widened", "revocations")]),
        ("withdrawn_keys: [a]", "withdrawn_keys: [a, b]", &[("narrowed", "withdrawn_keys")]),
        ("withdrawn_keys: [a]", "", &[("widened", "withdrawn_keys")]),
        ("leeway: 5s", "leeway: 60s", &[("widened", POOL)]),
        ("leeway: 5s", "", &[]),
        ("http_api: { response: policy }", "", &[("changed", "http_api")]),
        ("context: { sub: sub }", "context: { sub: sub, email: email }", &[("changed", "context")]),
        ("case_insensitive_paths: true", "", &[("not_decided", "case_insensitive_paths")]),
        (
            "token: [{ header: Authorization }]",
            "token: [{ header: Authorization }, { query: t }]",
            &[("widened", "token")],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        check(&format!("sections-{index}"), &of(old), &of(new), expected);
    }
}
