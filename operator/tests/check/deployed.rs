//! What this repository deploys.

use crate::authctl::Folder;

const VALUES: [&str; 8] = [
    "--set",
    "USER_POOL_ID=us-east-1_AbCdEf123",
    "--set",
    "CLIENT_IDS=web",
    "--set",
    "JWKS_URI=https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123/.well-known/jwks.json",
    "--set",
    "REVOCATIONS_TABLE=revocations",
];

#[test]
fn the_template_and_the_configuration_fit() {
    let run = Folder::repository().check(&[&VALUES[..], &["--template", "template.yaml", "--strict"]].concat());
    run.is(0, &["RestApi: REST API", "HttpApi: HTTP API", "WebSocketApi: WebSocket API", "\nno errors, no warnings\n"]);
}

#[test]
fn it_would_be_noticed_if_the_catch_all_were_cached() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")).unwrap();
    let config = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../authorizer.yaml")).unwrap();
    let cached = text.replace("{ ApiId: !Ref HttpApi, Auth: { Authorizer: Live } }", "{ ApiId: !Ref HttpApi }");
    assert_ne!(cached, text);
    let folder = Folder::new("cached-catch-all", &config, &cached);
    folder
        .check(&[&VALUES[..], &["--template", "template.yaml"]].concat())
        .is(1, &["one's verdict would be the other's: `$default`"]);
}
