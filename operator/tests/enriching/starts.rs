//! Which configurations start, and what is said of them.

use crate::stage::{PROGRAM, Stage};
use test_support::runtime_api::Setup;

#[track_caller]
fn refused(setup: Setup, expected: &[&str]) {
    let refused = setup.program(PROGRAM).refused().expect("it must not start");
    assert!(!refused.status.success());
    for part in expected {
        assert!(refused.output.contains(part), "{part}: {}", refused.output);
    }
}

#[test]
fn a_configuration_with_faults_does_not_start_and_all_of_them_are_told() {
    let config = "lookup: { table: '${TENANTS}', user_key: all }\nclaims: { sub: { item: a }, b: {} }";
    refused(
        Setup::bare().env("ENRICHER_CONFIG", config),
        &[
            "lookup.table: the environment has no `TENANTS` (line 1)",
            "lookup.user_key: must have `{sub}` or `{client_id}` in it",
            "claims.sub: is a claim that Cognito lets nobody add (line 2)",
            "claims.b: must have one of",
        ],
    );
    refused(Setup::bare(), &["cannot read the configuration `enricher.yaml`"]);
    refused(Setup::bare().env("ENRICHER_CONFIG_FILE", "/none.yaml"), &["cannot read the configuration `/none.yaml`"]);
}

#[test]
fn what_users_may_write_is_told_at_the_start() {
    let stage = Stage::new("claims: { plan: { attribute: custom:plan }, device: { client_metadata: device } }");
    stage.function.wait_until_ready();
    let lines = stage.log();
    let notes: Vec<_> = lines.iter().filter(|line| line["message"] == "configuration").collect();
    assert_eq!(notes.len(), 2, "{lines:#?}");
    assert!(notes.iter().all(|line| line["level"] == "WARN"));
}
