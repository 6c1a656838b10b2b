//! `authctl test`, `explain` and `matrix`: what they say, and their exit statuses.

use crate::authctl::{authctl, folder, root};
use serde_json::Value;

const CONFIG: &str = "
issuers:
  - cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web }
routes:
  GET /items: { any_scope: [read] }
  ANY /users/{id}/{proxy+}: { any: [{ claims: { sub: '{id}' } }, { any_group: [admin] }] }
  GET /trial: { any_group: [admin], report_only: true }
";

const TESTS: &str = "
personas:
  reader: { scopes: [read] }
  admin: { groups: [admin] }
tests:
  - { as: [reader, admin, nobody], request: GET /items, expect: [allow, insufficient_scope, missing_token] }
  - { as: [reader, admin], request: 'GET /users/{reader}/x', expect: allow, context: { sub: null } }
  - { as: reader, request: GET /trial, expect: allow, would_be: insufficient_group }
";

#[test]
fn the_repositorys_own_tests_pass_and_reach_every_branch() {
    let said = authctl(&root(), &["test", "--require-coverage"], &[]);
    assert_eq!((said.status, &*said.complaint), (Some(0), ""), "{}", said.out);
    assert!(said.out.contains("0 failed"), "{}", said.out);
}

#[test]
fn a_failure_says_what_was_expected_what_came_and_why() {
    let folder = folder("failure", &[("authorizer.yaml", CONFIG), ("authorizer.test.yaml", TESTS)]);
    let said = authctl(&folder, &["test"], &[]);
    assert_eq!(said.status, Some(1));
    assert_eq!(said.complaint, "authctl: 2 cases failed\n");
    for part in [
        "FAILED authorizer.test.yaml:7:5: reader: GET /users/reader/x (http_2.0)",
        "expected context.sub null, got \"reader\"",
        "FAILED authorizer.test.yaml:7:5: admin: GET /users/reader/x (http_2.0)",
        "`ANY /users/{id}/{proxy+}` serves it",
        "claims: sub = {id} does not hold (`sub` is \"admin\", `{id}` is \"reader\")",
        "authorizer.test.yaml: 4 passed, 2 failed",
        "not tested: GET /trial: nobody is refused",
    ] {
        let is_there = said.out.contains(part);
        // The rule that only reports counts as one that would refuse.
        assert_eq!(is_there, part != "not tested: GET /trial: nobody is refused", "{part}\n{}", said.out);
    }
}

#[test]
fn machines_get_the_same_in_three_formats() {
    let folder = folder("formats", &[("authorizer.yaml", CONFIG), ("authorizer.test.yaml", TESTS)]);
    let json: Value = serde_json::from_str(&authctl(&folder, &["test", "--format", "json"], &[]).out).unwrap();
    assert_eq!((&json["passed"], &json["failed"]), (&Value::from(4), &Value::from(2)));
    assert_eq!(json["files"][0]["cases"][1]["got"], "insufficient_scope");
    let junit = authctl(&folder, &["test", "--format", "junit"], &[]).out;
    assert!(junit.contains("tests=\"6\" failures=\"2\"") && junit.contains("<failure message="), "{junit}");
    let tap = authctl(&folder, &["test", "--format", "tap"], &[]).out;
    assert!(tap.starts_with("TAP version 14\n1..6\nok 1 - reader: GET /items"), "{tap}");
    assert!(tap.contains("not ok 4 - "), "{tap}");
}

#[test]
fn a_workflow_gets_annotations_at_the_place() {
    let folder = folder("annotations", &[("authorizer.yaml", CONFIG), ("authorizer.test.yaml", TESTS)]);
    let said = authctl(&folder, &["test"], &[("GITHUB_ACTIONS", "true")]);
    assert!(
        said.complaint.contains("::error file=authorizer.test.yaml,line=7,col=5,title=reader%3A GET"),
        "{}",
        said.complaint
    );
    let faulty = folder.join("faulty.test.yaml");
    std::fs::write(&faulty, "tests: []\n").unwrap();
    let said = authctl(&folder, &["test", "faulty.test.yaml"], &[("GITHUB_ACTIONS", "true")]);
    assert!(said.complaint.contains("::error file=faulty.test.yaml,line=1,col=8"), "{}", said.complaint);
    std::fs::write(folder.join("bad.yaml"), "issuers: []\nroutes: {}\n").unwrap();
    let said = authctl(&folder, &["check", "--config", "bad.yaml"], &[("GITHUB_ACTIONS", "true")]);
    assert!(said.complaint.contains("::error file=bad.yaml,line=1,col="), "{}", said.complaint);
}

#[test]
fn all_faults_of_both_files_are_told_at_once_with_the_nearest_names() {
    let config = CONFIG.replace("any_scope", "any_scop");
    let tests = "
personas: { reader: { extends: raeder, live: god }, nobody: {} }
tests:
  - { as: redaer, request: GET /items, expect: alow }
  - { as: reader, request: get /items, expect: allow }
  - { as: reader, request: GET /items, expect: [allow, allow, allow] }
  - { as: reader, expect: allow }
unknown: 1
";
    let folder = folder("faults", &[("authorizer.yaml", &config), ("authorizer.test.yaml", tests)]);
    let said = authctl(&folder, &["test"], &[]);
    assert_eq!(said.status, Some(1));
    for part in [
        "authorizer.yaml:5:27: routes.\"GET /items\".any_scop: unknown key",
        "authorizer.test.yaml:2:32: personas.reader.extends: no persona is called `raeder`; did you mean `reader`?",
        "personas.reader.live: must be `good` or",
        "personas.nobody: stands for whoever sends no credential",
        "tests[0].expect: `alow` is neither `allow`, `deny` nor a reason; did you mean `allow`?",
        "tests[3]: must have one of `request`, `requests` and `event`",
        "unknown: unknown key",
    ] {
        assert!(said.complaint.contains(part), "{part}\n{}", said.complaint);
    }
}

#[test]
fn a_file_that_tests_nothing_is_a_fault() {
    for tests in ["personas: {}\n", "tests: []\n", "{}\n"] {
        let folder = folder("nothing", &[("authorizer.yaml", CONFIG), ("authorizer.test.yaml", tests)]);
        let said = authctl(&folder, &["test"], &[]);
        assert_eq!(said.status, Some(1), "{tests}");
        assert!(
            said.complaint.contains("tests: is missing") || said.complaint.contains("tests: must not be empty"),
            "{}",
            said.complaint
        );
    }
}

#[test]
fn a_request_is_explained_step_by_step() {
    let said =
        authctl(&root(), &["explain", "GET /users/7/orders", "--as", "reader", "--at", "2026-12-01T00:00:00Z"], &[]);
    assert_eq!((said.status, &*said.complaint), (Some(0), ""));
    for part in [
        "GET /users/7/orders as reader",
        "forbidden: forbidden",
        "✓ credential: in the header `Authorization`",
        "✓ issuer: iss is https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123",
        "✓ identifiers and dates: exp 2026-12-01T01:00:00Z",
        "✓ client: is \"web\"; accepted: web",
        "✓ ANY /users/{user_id}/{proxy+}",
        "✗ claims: sub = {user_id}; `sub` is \"reader\", `{user_id}` is \"7\"",
        "✗ any_group: admin; there is no groups claim",
        "\"isAuthorized\":false",
        "may be cached by: token, $context.routeKey, $context.path",
        "let in if `claims: sub = {user_id}` holds",
        "let in if `any_group: admin` holds",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    assert!(!said.out.contains("eyJ") && !said.out.contains('\u{1b}'), "{}", said.out);
}

#[test]
fn an_explanation_has_colours_where_they_are_wanted() {
    let said = authctl(&root(), &["explain", "GET /items", "--as", "reader", "--color", "always"], &[]);
    assert!(said.out.contains("\u{1b}[32mallow"), "{}", said.out);
}

#[test]
fn an_events_own_token_is_decoded_and_never_printed() {
    let said = authctl(&root(), &["explain", "events/rest-request.json", "--format", "json"], &[]);
    assert_eq!((said.status, &*said.complaint), (Some(0), ""));
    let event = std::fs::read_to_string(root().join("events/rest-request.json")).unwrap();
    let event: Value = serde_json::from_str(&event).unwrap();
    let token =
        event["headers"].as_object().unwrap().values().find_map(|value| value.as_str()?.strip_prefix("Bearer "));
    if let Some(token) = token {
        for part in token.split('.') {
            assert!(part.len() < 12 || !said.out.contains(part));
        }
    }
    let explained: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(explained["route"], "POST /items", "{}", said.out);
}

#[test]
fn a_decision_line_is_explained_as_far_as_it_goes() {
    let line = r#"{"decision":"forbidden","reason":"insufficient_scope","route":"POST /items","event":"http_2.0"}"#;
    let said = authctl(&root(), &["explain", line], &[]);
    assert_eq!((said.status, &*said.complaint), (Some(0), ""));
    for part in
        ["forbidden\n", "which means: ", "what to do: ", "the route asks: any_scope: https://api.example.com/write"]
    {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
}

#[test]
fn what_cannot_be_explained_says_why_and_quotes_no_token() {
    for (arguments, part) in [
        (&["explain", "eyJhbGciOiJSUzI1NiJ9"][..], "must be a request"),
        (&["explain", "GET /items", "--as", "raeder"], "did you mean `reader`?"),
        (&["explain", "GET /items", "--on", "http"], "--on must be one of"),
        (&["explain", "events/none.json"], "cannot read the event"),
        (&["explain", "{}"], "no event of an authorizer"),
        (&["explain", "GET /items", "--at", "now"], "--at must be a time"),
    ] {
        let said = authctl(&root(), arguments, &[]);
        assert_eq!(said.status, Some(1), "{arguments:?}");
        assert!(said.complaint.contains(part) && !said.complaint.contains("eyJ"), "{arguments:?}: {}", said.complaint);
    }
}

#[test]
fn the_matrix_says_who_may_do_what_in_four_formats() {
    let folder = folder("matrix", &[("authorizer.yaml", CONFIG), ("authorizer.test.yaml", TESTS)]);
    let text = authctl(&folder, &["matrix"], &[]).out;
    let rows: Vec<Vec<&str>> =
        text.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect();
    assert_eq!(rows[0], ["reader", "admin", "nobody"]);
    assert_eq!(rows[1], ["GET /items", "allow", "insufficient_scope", "missing_token"]);
    assert_eq!(rows[2], ["ANY /users/{id}/{proxy+} (own)", "allow", "allow", "missing_token"]);
    assert_eq!(rows[3], ["ANY /users/{id}/{proxy+} (another's)", "forbidden", "allow", "missing_token"]);
    assert_eq!(rows[4], ["GET /trial", "allow (would be insufficient_group)", "allow", "missing_token"]);
    let markdown = authctl(&folder, &["matrix", "--format", "markdown"], &[]).out;
    assert!(markdown.contains("| `GET /items` | ✅ allow | ⛔ insufficient_scope | ⛔ missing_token |"), "{markdown}");
    let csv = authctl(&folder, &["matrix", "--format", "csv"], &[]).out;
    assert!(csv.contains("GET /items,any_scope: read,,reader,GET /items,allow,,,\r\n"), "{csv}");
    let said = authctl(&folder, &["matrix", "--format", "html", "--output", "matrix.html"], &[]);
    assert_eq!(said.out, "matrix.html\n");
    let page = std::fs::read_to_string(folder.join("matrix.html")).unwrap();
    assert!(page.contains("<th scope=\"row\"><code>GET /items</code>") && page.contains("default-src 'none'"));
    for outside in ["http://", "https://", "@ROWS@", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
}
