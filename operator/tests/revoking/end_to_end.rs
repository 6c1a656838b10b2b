//! What `authctl` revokes the authorizer refuses, with real tokens, and takes again when it is lifted.

use crate::authctl::Authctl;
use crate::events::Kind;
use crate::ministack::{MiniStack, Pool, TABLE, USERNAME};
use crate::runtime_api::{Function, Setup};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const OPEN: &str = "/items";
const LIVE: &str = "/admin";

/// The authorizer with a route that asks the table, and one that does not.
fn authorizer(ministack: &MiniStack, pool: &Pool) -> Function {
    let (id, client_id, url) = (&pool.id, &pool.client_id, &ministack.url);
    let config = format!(
        "issuers:
  - cognito: {{ user_pool_id: {id}, client_ids: {client_id}, jwks_uri: '{url}/{id}/.well-known/jwks.json' }}
routes:
  GET {OPEN}: {{}}
  GET {LIVE}: {{ introspect: true }}
revocations: {{ table: {TABLE} }}
"
    );
    let environment = ministack.environment();
    environment.iter().fold(Setup::config(&config), |setup, (name, value)| setup.env(name, value)).start()
}

/// `allow`, or why not.
#[track_caller]
fn decision(function: &Function, path: &str, token: &str) -> String {
    function.ask(&Kind::Http2.event("GET", path, &format!("Bearer {token}"))).outcome().to_owned()
}

/// Until tokens have an `iat` that comes after whatever was revoked by now.
async fn next_second() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    tokio::time::sleep(Duration::from_secs(now.as_secs() + 2) - now).await;
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn what_is_revoked_is_refused_where_the_table_is_asked_until_it_is_lifted() {
    let ministack = MiniStack::start().await;
    let pool = ministack.pool().await;
    let function = authorizer(&ministack, &pool);
    let mut authctl = Authctl::with(ministack.environment());
    let revoke = ["revoke", "user", "--user-pool-id", &pool.id, "--username", USERNAME, "--reason", "lost laptop"];

    // A token, and another one of the same user that stays.
    let (first, second) = (ministack.sign_in(&pool).await, ministack.sign_in(&pool).await);
    for token in [&first, &second] {
        authctl.never_shows(&token.access);
        authctl.never_shows(&token.refresh);
        assert_eq!(decision(&function, LIVE, &token.access), "allow");
    }
    let run = authctl.does(&["revoke", "token", "-"], &first.access, &["jti#", "origin_jti#", "not verified"]);
    assert_eq!(decision(&function, LIVE, &first.access), "token_revoked");
    assert_eq!(decision(&function, OPEN, &first.access), "allow");
    assert_eq!(decision(&function, LIVE, &second.access), "allow");

    // Lifting both of its entries.
    let keys: Vec<&str> = run.stdout.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
    let keys: Vec<&str> = keys.into_iter().filter(|line| line.contains("jti#")).collect();
    authctl.does(&["revocations", "lift", keys[0]], "", &["no longer refuses this token"]);
    assert_eq!(decision(&function, LIVE, &first.access), "token_revoked");
    authctl.does(&["revocations", "lift", keys[1]], "", &["no longer refuses all tokens of this sign-in"]);
    assert_eq!(decision(&function, LIVE, &first.access), "allow");

    // The user: a rehearsal does nothing; the real thing refuses every token, here and at Cognito.
    authctl.does(&[&revoke[..], &["--dry-run"]].concat(), "", &["Would be refused", &pool.user_keys()[0]]);
    assert_eq!(decision(&function, LIVE, &second.access), "allow");
    assert!(ministack.takes(&second.access).await);
    authctl.does(&revoke, "", &[&pool.user_keys()[0], &pool.user_keys()[1], "AdminUserGlobalSignOut"]);
    for token in [&first, &second] {
        assert_eq!(decision(&function, LIVE, &token.access), "token_revoked");
        assert!(!ministack.takes(&token.access).await);
    }
    authctl.does(&["revocations", "list"], "", &[&pool.user_keys()[0], "for: lost laptop", "2 in force"]);

    // Who signs in again is let in.
    next_second().await;
    let third = ministack.sign_in(&pool).await;
    authctl.never_shows(&third.access);
    assert_eq!(decision(&function, LIVE, &third.access), "allow");

    // By `sub`, and blocked: later tokens are refused too.
    let block = ["revoke", "user", "--issuer", &pool.newer_issuer(), "--sub", &pool.subject, "--block"];
    authctl.does(&block, "", &["later ones too, until the entry is lifted", "AdminUserGlobalSignOut"]);
    next_second().await;
    let fourth = ministack.sign_in(&pool).await;
    assert_eq!(decision(&function, LIVE, &fourth.access), "token_revoked");
    // What blocks is not weakened by what comes later.
    authctl.does(&revoke, "", &["it was kept"]);
    let keys = pool.user_keys();
    authctl.does(&["revocations", "lift", &keys[0], &keys[1]], "", &["no longer refuses"]);
    let fifth = ministack.sign_in(&pool).await;
    assert_eq!(decision(&function, LIVE, &fifth.access), "allow");

    // All of a client's.
    let client = ["revoke", "client", "--user-pool-id", &pool.id, &pool.client_id];
    authctl.does(&client, "", &[&format!("client#{}#{}", pool.issuer(), pool.client_id)]);
    assert_eq!(decision(&function, LIVE, &fifth.access), "token_revoked");
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn a_revoked_refresh_token_is_dead_at_cognito() {
    let ministack = MiniStack::start().await;
    let pool = ministack.pool().await;
    let tokens = ministack.sign_in(&pool).await;
    let mut authctl = Authctl::with(ministack.environment());
    authctl.never_shows(&tokens.refresh);
    let revoke = ["revoke", "refresh-token", "--client-id", &pool.client_id, "--user-pool-id", &pool.id, "-"];
    authctl.does(&[&revoke[..], &["--dry-run"]].concat(), &tokens.refresh, &["Would be done at Cognito"]);
    assert!(ministack.takes(&tokens.access).await);
    authctl.does(&revoke, &tokens.refresh, &["RevokeToken: the refresh token is dead"]);
    assert!(!ministack.takes(&tokens.access).await);
    assert_eq!(ministack.count().await, 0);
}
