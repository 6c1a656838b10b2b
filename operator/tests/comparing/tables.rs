//! Changes of one rule or two, and what they mean.

use crate::authctl::{compared, differences};

const ISSUERS: &str = "issuers: [{ oidc: { issuer: https://a.example, audience: [api], client_ids: [web, cli] } }]\n";

fn table(routes: &str) -> String {
    format!("{ISSUERS}revocations: {{ table: t }}\nroutes: {routes}\n")
}

#[track_caller]
fn check(name: &str, old: &str, new: &str, expected: &[(&str, &str)]) {
    let found = differences(name, &table(old), &table(new));
    let found: Vec<(&str, &str)> = found.iter().map(|(direction, what)| (direction.as_str(), what.as_str())).collect();
    assert_eq!(found, expected, "{old} {new}");
}

#[test]
fn the_same_meaning_in_other_words_is_no_difference() {
    for (index, (old, new)) in [
        ("{ GET /a: { any_scope: [s] } }", "{ GET /a: { all_scopes: [s] } }"),
        ("{ GET /a: { any_scope: [s, t] } }", "{ GET /a: { any: [{ any_scope: [t] }, { any_scope: [s] }] } }"),
        (
            "{ GET /a: { any_scope: [s], any_group: [g] } }",
            "{ GET /a: { all: [{ any_group: [g] }, { any_scope: [s] }] } }",
        ),
        ("{ GET /a: {}, POST /a: {} }", "{ POST /a: {}, GET /a: {} }"),
        ("{ 'GET /{x}': { claims: { sub: '{x}' } } }", "{ 'GET /{y}': { claims: { sub: '{y}' } } }"),
        ("{ GET /a: { max_auth_age: 60s } }", "{ GET /a: { max_auth_age: 1m } }"),
        ("{ GET /a: { source_ip: [10.0.0.0/8] } }", "{ GET /a: { source_ip: [10.0.0.0/9, 10.128.0.0/9] } }"),
        ("{ GET /a: { any_group: [g] } }", "{ GET /a: { claims: { 'cognito:groups': g } } }"),
        (
            "{ GET /a: { any: [{ any_scope: [s] }, { any_scope: [s], any_group: [g] }] } }",
            "{ GET /a: { any_scope: [s] } }",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        check(&format!("same-{index}"), old, new, &[]);
    }
}

#[test]
fn what_is_let_in_newly_and_no_more_is_found() {
    for (index, (old, new, expected)) in [
        ("{ GET /a: { any_scope: [s] } }", "{ GET /a: {} }", &[("widened", "GET /a")][..]),
        ("{ GET /a: {} }", "{ GET /a: { any_group: [g] } }", &[("narrowed", "GET /a")]),
        (
            "{ GET /a: { any_scope: [s] } }",
            "{ GET /a: { any_scope: [t] } }",
            &[("widened", "GET /a"), ("narrowed", "GET /a")],
        ),
        ("{ GET /a: { all_scopes: [s, t] } }", "{ GET /a: { any_scope: [s, t] } }", &[("widened", "GET /a")]),
        ("{ GET /a: { any_scope: [s] } }", "{ ANY /a: { any_scope: [s] } }", &[("widened", "no rule -> ANY /a")]),
        ("{ GET /a: {} }", "{ GET /b: {} }", &[("widened", "no rule -> GET /b"), ("narrowed", "GET /a -> no rule")]),
        (
            "{ 'ANY /admin/{p+}': { any_group: [admin] }, 'ANY /{p+}': {} }",
            "{ 'ANY /{p+}': {} }",
            &[("widened", "ANY /admin/{p+} -> ANY /{p+}")],
        ),
        ("{ GET /a: { introspect: true } }", "{ GET /a: {} }", &[("widened", "GET /a")]),
        ("{ GET /a: {} }", "{ GET /a: { introspect: true } }", &[("narrowed", "GET /a")]),
        (
            "{ GET /a: { any_scope: [s] } }",
            "{ GET /a: { any_scope: [s], report_only: true } }",
            &[("widened", "GET /a")],
        ),
        ("{ GET /a: { max_auth_age: 1m } }", "{ GET /a: { max_auth_age: 1h } }", &[("widened", "GET /a")]),
        (
            "{ GET /a: { source_ip: [10.0.0.0/8] } }",
            "{ GET /a: { source_ip: [10.1.0.0/16, 192.0.2.0/24] } }",
            &[("widened", "GET /a"), ("narrowed", "GET /a")],
        ),
        ("{ GET /a: { client_ids: [web] } }", "{ GET /a: { client_ids: [web, cli] } }", &[("widened", "GET /a")]),
        ("{ GET /a: { client_ids: [web, cli] } }", "{ GET /a: {} }", &[]),
        (
            "{ GET /a: { claims: { n: 1 } } }",
            "{ GET /a: { claims: { n: '1' } } }",
            &[("widened", "GET /a"), ("narrowed", "GET /a")],
        ),
        (
            "{ 'GET /{a}/{b}': { claims: { sub: '{a}' } } }",
            "{ 'GET /{a}/{b}': { claims: { sub: '{b}' } } }",
            &[("widened", "GET /{a}/{b}"), ("narrowed", "GET /{a}/{b}")],
        ),
        (
            "{ 'GET /{a}': { claims: { role: '{a}' } } }",
            "{ 'GET /{a}': { claims: { role: admin } } }",
            &[("widened", "GET /{a}"), ("narrowed", "GET /{a}")],
        ),
        (
            "{ 'GET /{a}/{b}': { claims: { sub: '{a}' } } }",
            "{ 'GET /{a}/{b}': { all: [{ claims: { sub: '{a}' } }, { claims: { sub: '{b}' } }] } }",
            &[("narrowed", "GET /{a}/{b}")],
        ),
        (
            "{ GET /a: { all: [{ token_use: access }, { token_use: id }] } }",
            "{ GET /a: { token_use: access } }",
            &[("widened", "GET /a")],
        ),
        ("{ $connect: {} }", "{ $connect: { any_scope: [s] } }", &[("narrowed", "$connect")]),
        (
            "{ $default: {} }",
            "{ $default: {}, GET /a: { any_group: [g] } }",
            &[("narrowed", "$default -> no rule"), ("narrowed", "$default -> GET /a")],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        check(&format!("changed-{index}"), old, new, expected);
    }
}

#[test]
fn what_cannot_be_decided_is_not_called_the_same() {
    check(
        "kinds",
        "{ GET /a: { credentials: [jwt] } }",
        "{ GET /a: { credentials: [jwt], any_scope: [s] } }",
        &[("not_decided", "GET /a")],
    );
    let many: Vec<String> = (0..8)
        .map(|part| {
            format!("{{ any_scope: [{}] }}", (0..5).map(|n| format!("s{part}-{n}")).collect::<Vec<_>>().join(", "))
        })
        .collect();
    let many = format!("{{ GET /a: {{ all: [{}] }} }}", many.join(", "));
    check(
        "many",
        &many,
        "{ GET /a: { any_group: [g], any_scope: [s] } }",
        &[("widened", "GET /a"), ("not_decided", "GET /a")],
    );
    let run = compared(
        "many-fails",
        &table("{ GET /a: { claims: { exp: 1 } } }"),
        &table("{ GET /a: { claims: { exp: 1 }, any_scope: [s] } }"),
        &["--fail-on", "widened"],
    );
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn the_exit_status_is_as_it_is_asked_for() {
    let (open, closed) = (table("{ GET /a: {} }"), table("{ GET /a: { any_scope: [s] } }"));
    for (old, new, fail_on, expected) in [
        (&open, &closed, "widened", 0),
        (&open, &closed, "narrowed", 1),
        (&open, &closed, "any", 1),
        (&closed, &open, "widened", 1),
        (&closed, &open, "narrowed", 0),
        (&open, &open, "any", 0),
    ] {
        let run = compared(&format!("status-{fail_on}-{expected}"), old, new, &["--fail-on", fail_on]);
        assert_eq!(run.code, Some(expected), "{run:?}");
    }
}

#[test]
fn the_report_is_text_or_a_table() {
    let (old, new) = (table("{ GET /a: { any_scope: [s] } }"), table("{ GET /a: {} }"));
    let text = compared("report-text", &old, &new, &[]).stdout;
    let expected = "widened     GET /a
            token    {\"aud\":\"api\",\"client_id\":\"web\",\"iss\":\"https://a.example\"}
            request  GET /a
            before   insufficient_scope
            now      allow

1 widened
";
    assert_eq!(text, expected);
    let markdown = compared("report-markdown", &old, &new, &["--format", "markdown"]).stdout;
    let row = "| widened | `GET /a` | `{\"aud\":\"api\",\"client_id\":\"web\",\"iss\":\"https://a.example\"}` | `GET /a` | insufficient\\_scope | allow |";
    assert!(markdown.contains(row), "{markdown}");
    let same = compared("report-same", &old, &old, &[]);
    assert_eq!(same.stdout, "nothing: both let in the same requests\n");
}

#[test]
fn a_faulty_file_is_named_with_line_and_column() {
    let run = compared(
        "faulty",
        &table("{ GET /a: {} }"),
        &format!("{ISSUERS}routes: {{ GET /a: {{ any_scop: [s] }} }}\n"),
        &[],
    );
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("new.yaml:2:") && run.stderr.contains("unknown key"), "{run:?}");
    let run = compared(
        "missing",
        &table("{ GET /a: {} }"),
        "issuers: [{ oidc: { issuer: '${X}', audience: a } }]\nroutes: { GET /a: {} }",
        &[],
    );
    assert!(run.stderr.contains("new.yaml:1:29: ") && run.stderr.contains("has no `X`"), "{run:?}");
}
