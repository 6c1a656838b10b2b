//! Deliberate mistakes in the sample's table: its tests catch each.

use crate::authctl::{folder, root};
use cognito_authorizer::config::Environment;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer_operator::workbench::{Coverage, Needs, Suite};

const READ: &str = "{ any_scope: [https://api.example.com/read] }";
const WRITE: &str = "{ any_scope: [https://api.example.com/write] }";
const ADMIN: &str = "{ any_group: [admin], introspect: true }";
const OWN: &str = "      - claims: { sub: \"{user_id}\" }";

/// What somebody does to authorizer.yaml, and how.
const MISTAKES: [(&str, &str, &str); 38] = [
    ("everybody may read", READ, "{}"),
    ("reading asks for the other scope", READ, WRITE),
    ("a typing error in a scope", "/read]", "/reed]"),
    (
        "all scopes in place of any",
        READ,
        "{ all_scopes: [https://api.example.com/read, https://api.example.com/write] }",
    ),
    ("a group in place of a scope", READ, "{ any_group: [admin] }"),
    ("one scope too many", READ, "{ any_scope: [https://api.example.com/read, https://api.example.com/write] }"),
    ("everybody may write", WRITE, "{}"),
    ("who reads may write", WRITE, READ),
    (
        "a scope too many for writing",
        WRITE,
        "{ any_scope: [https://api.example.com/read, https://api.example.com/write] }",
    ),
    ("a route is lost", "  POST /items:", "  POST /itemz:"),
    ("another method", "  POST /items:", "  PUT /items:"),
    ("a method too many", "  GET /items:", "  ANY /items:"),
    ("a parameter in place of a literal", "  GET /items:", "  GET /{collection}:"),
    ("a name that users choose in place of `sub`", "claims: { sub: ", "claims: { username: "),
    ("another parameter", "\"{user_id}\"", "\"{proxy}\""),
    ("a parameter without its braces", "\"{user_id}\"", "user_id"),
    ("all in place of any", "    any:\n", "    all:\n"),
    ("administrators are forgotten", "      - any_group: [admin]\n", ""),
    ("users are forgotten", OWN, "      - any_group: [owner]"),
    ("another group", "      - any_group: [admin]", "      - any_group: [admins]"),
    ("any valid token for somebody's resources", OWN, "      - token_use: access"),
    ("one method alone", "ANY /users/", "GET /users/"),
    ("the deeper paths are lost", "/users/{user_id}/{proxy+}:", "/users/{user_id}:"),
    ("another beginning", "/users/{user_id}/", "/user/{user_id}/"),
    ("no live check", ADMIN, "{ any_group: [admin] }"),
    ("another group for administration", ADMIN, "{ any_group: [staff], introspect: true }"),
    ("a scope in place of the group", ADMIN, "{ any_scope: [https://api.example.com/read], introspect: true }"),
    ("everybody may administrate", ADMIN, "{}"),
    ("a rule that only reports", ADMIN, "{ any_group: [admin], report_only: true }"),
    ("one method of administration alone", "ANY /admin/", "GET /admin/"),
    ("administration is elsewhere", "ANY /admin/", "ANY /administration/"),
    ("nobody may connect", "  $connect: {}", "  POST /connect: {}"),
    ("few may connect", "  $connect: {}", "  $connect: { any_group: [admin] }"),
    ("everything else is open", "  $connect: {}", "  $connect: {}\n  $default: {}"),
    ("the table of revocations is lost", "revocations: { table: \"${REVOCATIONS_TABLE}\" }", "leeway: 5s"),
    ("every client is accepted", "client_ids: ${CLIENT_IDS}", "client_ids: \"*\""),
    ("ID tokens are accepted", "client_ids: ${CLIENT_IDS}", "token_use: [access, id]\n      client_ids: ${CLIENT_IDS}"),
    ("every route asks the table", "\"${REVOCATIONS_TABLE}\" }", "\"${REVOCATIONS_TABLE}\", check: all }"),
];

#[test]
fn the_samples_tests_catch_each_of_these_mistakes() {
    let sample = std::fs::read_to_string(root().join("authorizer.yaml")).unwrap();
    let folder = folder("mistakes", &[]);
    let config = folder.join("authorizer.yaml");
    let now = UnixSeconds::new(1_795_000_000.0).unwrap();
    let failures = |text: &str| {
        std::fs::write(&config, text).unwrap();
        let file = root().join("authorizer.test.yaml");
        // A table that is refused, or lacks a route that a test names, is caught, too.
        let Ok(suite) = Suite::load(&file, Some(&config), &Environment::default(), &[], Needs::Tests) else { return 1 };
        suite.run(now, &mut Coverage::default()).iter().filter(|result| !result.passes()).count()
    };
    assert_eq!(failures(&sample), 0);
    let mut missed = Vec::new();
    for (what, from, to) in MISTAKES {
        assert!(sample.contains(from), "{what}: the sample has no `{from}`");
        if failures(&sample.replacen(from, to, 1)) == 0 {
            missed.push(what);
        }
    }
    assert_eq!(missed, Vec::<&str>::new());
}
