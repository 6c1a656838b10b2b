//! A configuration alone: faults, by what answers may be cached, whether policies could cover tokens.

use crate::authctl::{Folder, ISSUERS};

#[track_caller]
fn check(name: &str, rest: &str, code: i32, says: &[&str]) {
    Folder::new(name, &format!("{ISSUERS}{rest}"), "").check(&[]).is(code, says);
}

#[test]
fn faults_are_told_by_their_places_as_the_start_does() {
    let says = ["fault: routes.\"GET /a\".any_scope: must not be empty (line 2)\n", "fault: lewway: unknown key"];
    check("faults", "routes: { GET /a: { any_scope: [] } }\nlewway: 5s", 1, &says);
    let run = Folder::new("faults", &format!("{ISSUERS}routes: {{}}"), "").check(&[]);
    assert_eq!(run.stderr, "authctl: 1 fault: the function would not start\n");
    check(
        "refused",
        "routes: { 'GET /a/{x}': { any_group: a }, GET /a/b: {} }\npolicy: { covers: token }",
        1,
        &["fault: policy.covers:", "`GET /a/b`"],
    );
}

#[test]
fn a_whole_configuration_has_no_faults() {
    check("whole", "routes: { GET /a: {} }", 0, &["no faults\n", "no errors, no warnings\n"]);
}

#[test]
fn values_come_from_the_environment_and_from_set_which_goes_first() {
    let config = "issuers: [{ cognito: { user_pool_id: '${POOL}', client_ids: web } }]\nroutes: { GET /a: {} }";
    let folder = Folder::new("set", config, "");
    folder.check(&[]).is(1, &["fault: issuers[0].cognito.user_pool_id: the environment has no `POOL`"]);
    folder.check_with(&[("POOL", "us-east-1_A")], &[]).is(0, &["no faults"]);
    folder.check(&["--set", "POOL=us-east-1_A"]).is(0, &["no faults"]);
    folder.check_with(&[("POOL", "")], &["--set", "POOL=us-east-1_A"]).is(0, &["no faults"]);
    folder.check_with(&[("POOL", "us-east-1_A")], &["--set", "POOL="]).is(1, &["must not be empty"]);
}

#[test]
fn the_configuration_is_found_where_the_function_would_find_it() {
    let folder = Folder::new("found", "no", "");
    let inline = format!("{ISSUERS}routes: {{ GET /inline: {{}} }}");
    folder.check_with(&[("AUTHORIZER_CONFIG", &inline)], &[]).is(0, &["GET /inline"]);
    std::fs::write(Folder::new("found", "no", "").path("other.yaml"), inline.replace("inline", "other")).unwrap();
    folder.check_with(&[("AUTHORIZER_CONFIG_FILE", "other.yaml")], &[]).is(0, &["GET /other"]);
    folder.check_with(&[("AUTHORIZER_CONFIG", &inline)], &["--config", "other.yaml"]).is(0, &["GET /other"]);
    folder.check(&["--config", "none.yaml"]).is(1, &["fault: cannot read the configuration `none.yaml`"]);
    folder.check(&[]).is(1, &["fault: must be a map"]);
}

#[test]
fn each_rule_is_told_by_what_its_answer_may_be_cached() {
    let routes = "revocations: { table: t }
routes: { GET /a: {}, 'GET /u/{id}': { claims: { sub: '{id}' } }, GET /l: { introspect: true }, GET /f: { max_auth_age: 5m }, $connect: {} }";
    let rows = [
        "  GET /a       token, method, path              token, $context.routeKey\n",
        "  GET /u/{id}  token, method, path              token, $context.routeKey, $context.path\n",
        "  GET /l       must not be cached: introspect   must not be cached: introspect\n",
        "  GET /f       must not be cached: max_auth_age  must not be cached: max_auth_age\n",
        "  $connect     never kept                       -\n",
    ];
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let run = Folder::new("rows", &format!("{ISSUERS}{routes}"), "").check(&[]);
    for row in rows {
        assert!(squeezed(&run.stdout).contains(&squeezed(row)), "{}\nshould contain {row}", run.stdout);
    }
    check(
        "covers",
        "routes: { GET /a: {}, GET /b: {} }\npolicy: { covers: token }",
        0,
        &["  GET /a  token     token, $context.routeKey\n"],
    );
    check("alone", "routes: { $default: {} }", 0, &["  $default  token, method, path  token\n"]);
}

#[test]
fn whether_policies_could_cover_tokens_is_told_with_the_routes_that_collide() {
    for (name, routes, says) in [
        ("accepted", "GET /a: {}", "would be accepted\n"),
        (
            "surplus",
            "'GET /u/{x}': {}, 'GET /u/{x}/o': {}",
            "would be accepted, if the table names every route of the API",
        ),
        (
            "silence",
            "'GET /u/{x}': { any_group: a }, 'GET /u/{x}/o': {}",
            "a token that may use `GET /u/{x}/o` and not `GET /u/{x}` can only be kept from the latter",
        ),
        (
            "inexpressible",
            "'GET /u/{x}/o': {}, 'GET /u/{x}/{y+}': { claims: { sub: '{x}' } }",
            "would be refused: no IAM policy allows all of `GET /u/{x}/o`",
        ),
    ] {
        check(name, &format!("routes: {{ {routes} }}"), 0, &[says]);
    }
    check(
        "set",
        "routes: { 'GET /u/{x}': {}, 'GET /u/{x}/o': {} }\npolicy: { covers: token }",
        0,
        &["note: cached policies that allow `GET /u/{x}`"],
    );
    let run = Folder::new("socket", &format!("{ISSUERS}routes: {{ $connect: {{}} }}"), "").check(&[]);
    assert!(!run.stdout.contains("covers: token"), "{}", run.stdout);
}

#[test]
fn what_no_cache_may_forget_is_told() {
    check(
        "all",
        "routes: { GET /a: {} }\nrevocations: { table: t, check: all }",
        0,
        &["note: `revocations.check: all`: while an answer is cached"],
    );
    let opaque = "issuers: [{ oidc: { issuer: https://i.example, audience: a, opaque_tokens: true, introspection: { endpoint: 'https://i.example/i', client_id: a, client_secret: s3cret } } }]\nroutes: { GET /a: {} }";
    let run = Folder::new("opaque", opaque, "").check(&[]);
    run.is(0, &["note: `opaque_tokens: true`: while an answer is cached"]);
    assert!(!run.stdout.contains("s3cret"));
}

#[test]
fn a_cookie_that_does_not_say_which_pages_may_send_it_is_warned_of() {
    let with = |csrf: &str| {
        format!("routes: {{ GET /a: {{}} }}\ntoken: [{{ header: Authorization }}, {{ cookie: session{csrf} }}]")
    };
    let says = "warning: `token`: browsers add the cookie `session` to requests that another site's page makes: set `csrf: origin`";
    check("cookie", &with(""), 0, &[says, "no errors, 1 warning\n"]);
    for csrf in [", csrf: origin", ", csrf: off", ", csrf: { origins: [https://app.example.com] }"] {
        check("guarded", &with(csrf), 0, &["no errors, no warnings\n"]);
    }
    let covers = format!("{}\npolicy: {{ covers: token }}", with(", csrf: origin"));
    let note = "note: answered for their own request alone, since `csrf` looks at the page that makes them: requests with the cookie `session`";
    check("covers", &covers, 0, &[note]);
}

#[test]
fn a_command_line_that_makes_no_sense_is_told_apart_and_repeats_no_value() {
    let folder = Folder::new("usage", &format!("{ISSUERS}routes: {{ GET /a: {{}} }}"), "");
    for arguments in [
        &["--set", "s3cret"][..],
        &["--set", "=s3cret"],
        &["--nothing"],
        &["s3cret"],
        &["--open", "GET /a"],
        &["--function", "F"],
    ] {
        let run = folder.check(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?} {run:?}");
        assert!(!run.stderr.contains("s3cret") && run.stdout.is_empty(), "{run:?}");
    }
}

#[test]
fn rules_that_api_gateway_may_read_otherwise_are_warned_of_with_a_path() {
    let routes = "routes: { 'GET /{tenant}/admin': { any_group: [admin] }, 'GET /public/{proxy+}': {} }";
    let says = "warning: two rules that ask different things may serve one request: for `GET /public/admin` the table \
                picks `GET /public/{proxy+}` and API Gateway runs `GET /{tenant}/admin`.";
    check("readings", routes, 0, &[says, "no errors, 1 warning\n"]);
    let folder = Folder::new("strict", &format!("{ISSUERS}{routes}"), "");
    folder.check(&["--strict"]).is(1, &[says]);
    let covering = format!("{routes}\npolicy: {{ covers: token, implicit_deny: true }}");
    let refused = "fault: policy.covers: for `GET /public/admin` the table picks `GET /public/{proxy+}` and API Gateway runs \
                   `GET /{tenant}/admin`: a cached policy would allow it";
    check("covering", &covering, 1, &[refused]);
    let many: Vec<String> = (0..7).map(|n| format!("'GET /{{x}}/b{n}': {{ any_group: [g{n}] }}")).collect();
    let many = format!("routes: {{ 'GET /a/{{p+}}': {{}}, {} }}", many.join(", "));
    check("many", &many, 0, &["runs `GET /{x}/b4`; and 2 more such pairs."]);
}
