//! What fails is said, and nothing is held to be refused that is not.

use crate::authctl::Authctl;
use crate::processes::scratch;
use crate::stub::{LIST_USERS, PUT_ITEM, SIGN_OUT, Stub};
use serde_json::json;

const POOL: &str = "us-east-1_AbCdEf123";
const SUB: &str = "11111111-aaaa-4bbb-8ccc-000000000001";

fn stage() -> (Stub, Authctl) {
    let stub = Stub::start();
    let attributes = json!([{ "Name": "sub", "Value": SUB }]);
    stub.answer(LIST_USERS, 200, json!({ "Users": [{ "Username": "rita", "Attributes": attributes }] }));
    let authctl = Authctl::with(stub.environment());
    (stub, authctl)
}

const REVOKE_USER: [&str; 6] = ["revoke", "user", "--user-pool-id", POOL, "--sub", SUB];

#[test]
fn a_table_that_cannot_be_written_refuses_nothing() {
    let (stub, authctl) = stage();
    stub.fail(PUT_ITEM, "AccessDeniedException", "User: ada is not authorized to perform: dynamodb:PutItem");
    let run = authctl.fails(&REVOKE_USER, "", "AccessDeniedException: User: ada is not authorized");
    assert_eq!((run.code, run.stderr.matches("NOT refused: sub#").count()), (Some(1), 2), "{run:#?}");
    assert!(!run.stdout.contains("Refused by"), "{}", run.stdout);
    assert!(run.stdout.contains("AdminUserGlobalSignOut"), "{}", run.stdout);
}

#[test]
fn a_user_who_cannot_be_signed_out_is_refused_all_the_same() {
    for operation in [SIGN_OUT, LIST_USERS] {
        let (stub, authctl) = stage();
        stub.fail(operation, "NotAuthorizedException", "no");
        let run =
            authctl.fails(&REVOKE_USER, "", &format!("the user was not signed out at Cognito: {}", name(operation)));
        assert_eq!((run.code, stub.requests(PUT_ITEM).len()), (Some(1), 2));
        assert!(run.stdout.contains("Refused by the table `revocations`"), "{}", run.stdout);
        assert!(!run.stdout.contains("Done at Cognito"), "{}", run.stdout);
    }
}

fn name(operation: &str) -> &str {
    operation.rsplit('.').next().unwrap()
}

#[test]
fn a_user_whom_the_pool_does_not_know_is_refused_all_the_same() {
    let (stub, authctl) = stage();
    stub.answer(LIST_USERS, 200, json!({ "Users": [] }));
    authctl.does(&REVOKE_USER, "", &["knows no such user", "Refused by the table"]);
    assert_eq!((stub.requests(SIGN_OUT).len(), stub.requests(PUT_ITEM).len()), (0, 2));
    // Nor is anybody else signed out where the filter was not understood.
    let others = json!([{ "Name": "sub", "Value": "another" }]);
    stub.answer(LIST_USERS, 200, json!({ "Users": [{ "Username": "walt", "Attributes": others }] }));
    authctl.does(&REVOKE_USER, "", &["knows no such user"]);
    assert_eq!(stub.requests(SIGN_OUT).len(), 0);
}

#[test]
fn a_rehearsal_changes_nothing() {
    let (stub, authctl) = stage();
    authctl.does(&[&REVOKE_USER[..], &["--dry-run"]].concat(), "", &["Would be refused", "Would be done at Cognito"]);
    assert_eq!((stub.requests(LIST_USERS).len(), stub.count()), (1, 1));
}

#[test]
fn a_user_of_another_issuer_is_refused_by_that_issuer_alone() {
    let (stub, authctl) = stage();
    let revoke = ["revoke", "user", "--issuer", "https://login.example.com", "--sub", "u-1"];
    authctl.does(&revoke, "", &["sub#https://login.example.com#u-1", "the issuer, which was not told"]);
    assert_eq!((stub.requests(PUT_ITEM).len(), stub.count()), (1, 1));
    let by_name = ["revoke", "user", "--issuer", "https://login.example.com", "--username", "rita"];
    authctl.fails(&by_name, "", "--username is a name in a Cognito user pool");
}

#[test]
fn a_key_that_the_table_cannot_hold_is_said() {
    let (stub, authctl) = stage();
    let long = "c".repeat(2048);
    let revoke = ["revoke", "client", "--issuer", "https://login.example.com", &long];
    authctl.fails(&revoke, "", "the entry's key has more than 2048 bytes");
    assert_eq!(stub.count(), 0);
}

#[test]
fn what_others_wrote_cannot_move_the_cursor() {
    let (stub, authctl) = stage();
    let item = json!({ "pk": { "S": "jti#\u{1b}[2Jx" }, "reason": { "S": "a\nb" } });
    stub.answer("DynamoDB_20120810.Scan", 200, json!({ "Items": [item], "Count": 1 }));
    let run = authctl.does(&["revocations", "list"], "", &["jti#\\u{1b}[2Jx", "for: a\\u{a}b"]);
    assert!(!run.stdout.contains('\u{1b}'));
}

#[test]
fn a_table_that_is_not_named_and_entries_that_are_not_there_are_said() {
    let (stub, authctl) = stage();
    authctl.fails(&["revocations", "lift", "jti#none"], "", "no entry `jti#none`");
    let nowhere = stub.environment().into_iter().filter(|(name, _)| name != "REVOCATIONS_TABLE").collect();
    let run = Authctl::with(nowhere).fails(&["revocations", "list"], "", "no table: give --table");
    assert_eq!(run.code, Some(1));
}

#[test]
fn the_report_goes_by_the_configuration() {
    let (stub, authctl) = stage();
    let folder = scratch("configuration");
    let file = folder.join("authorizer.yaml");
    let config = file.to_str().unwrap();
    let revoke = ["revoke", "client", "--issuer", "https://login.example.com", "c", "--config", config];
    for (section, says) in [
        ("{ table: mine }", "they do not ask the table (`revocations.check` is `introspected`)"),
        ("{ table: mine, check: all }", "Not covered:\n  - tokens that the client gets from now on"),
    ] {
        std::fs::write(
            &file,
            format!("issuers: [{{ cognito: {{ user_pool_id: '${{NOT_SET_HERE}}' }} }}]\nrevocations: {section}\n"),
        )
        .unwrap();
        let run = authctl.does(&revoke, "", &["Refused by the table `mine`", says]);
        assert_eq!(run.stdout.contains("introspect"), section == "{ table: mine }", "{}", run.stdout);
    }
    assert!(stub.requests(PUT_ITEM).iter().all(|request| request["TableName"] == "mine"));
    std::fs::write(&file, "revocations: { table: mine, chek: all }").unwrap();
    authctl.fails(&revoke, "", "revocations.chek: unknown key");
}

#[test]
fn without_a_command_it_shows_its_help() {
    let (_, authctl) = stage();
    for arguments in [&[] as &[&str], &["revoke"]] {
        let run = authctl.fails(arguments, "", "Usage: authctl");
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    }
    authctl.does(&["--help"], "", &["Usage: authctl", "revocations"]);
}
