//! The function with a configuration for live checks, next to the stub that it asks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::PAGE;
use crate::documented::Table;
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::stub::{Answer, Stub, cognito, dynamodb, oauth};
use crate::tokens::{CLIENT, MACHINE, POOL, READ, READER_SUB, Token, cognito_jwks};
use crate::verdict::{UNAVAILABLE, Verdict};

/// A route that any valid token may use, and one that also asks live.
pub(crate) const OPEN: &str = "/items";
pub(crate) const LIVE: &str = "/admin";

/// Short, so that a table of time-outs is soon through.
pub(crate) const TIMEOUT: &str = "500ms";

/// What a decision may take: the longest time-out there is (the table's), and what a loaded machine adds.
const LIMIT: Duration = Duration::from_millis(2000 + 1500);

/// The OIDC issuer of these tests, and our credentials there. What is not a letter must be encoded (RFC 6749, 2.3.1).
pub(crate) const OIDC_ISSUER: &str = "https://login.example.com";
pub(crate) const OIDC_AUDIENCE: &str = "api://orders";
pub(crate) const OUR_ID: &str = "authorizer:1";
pub(crate) const OUR_SECRET: &str = "s3cr3t:+/ %&=of-the-authorizer";

pub(crate) const AWS_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const AWS_SESSION: &str = "IQoJb3JpZ2luX2VjEAEXAMPLEsessionTOKENofTheFunction";

pub(crate) struct Stage {
    pub(crate) stub: Stub,
    pub(crate) function: Function,
    /// Serves the keys for as long as the stage stands.
    _keys: Site,
    limit: Duration,
}

/// Everything in the child's environment that belongs to AWS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    Some,
    None,
}

impl Stage {
    /// With this configuration, in which `STUB` stands for the stub's address and `KEYS` for that of the keys.
    pub(crate) fn start(config: &str) -> Stage {
        Stage::start_with(config, Credentials::Some, &[])
    }

    /// With these credentials and further variables, in which `STUB` stands for the same.
    pub(crate) fn start_with(config: &str, credentials: Credentials, variables: &[(&str, &str)]) -> Stage {
        let (stub, keys) = (Stub::start(), Site::with_keys(&cognito_jwks()));
        let filled = |text: &str| text.replace("STUB", stub.url("").as_str()).replace("KEYS", &keys.url("/jwks.json"));
        let mut setup = Setup::config(&filled(config))
            .env("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &stub.url(""))
            .env("AWS_ENDPOINT_URL_DYNAMODB", &stub.url(""))
            .env("OUR_SECRET", OUR_SECRET);
        if credentials == Credentials::Some {
            setup = setup
                .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
                .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
                .env("AWS_SESSION_TOKEN", AWS_SESSION);
        }
        for (name, value) in variables {
            setup = setup.env(name, &filled(value));
        }
        stub.answer(cognito::GET_USER, cognito::user("reader", READER_SUB));
        stub.answer(cognito::ADMIN_GET_USER, cognito::admin_user("reader", READER_SUB, true, "CONFIRMED"));
        stub.answer(oauth::USER_INFO, oauth::user_info(READER_SUB));
        stub.answer(oauth::INTROSPECT, oauth::active(json!({})));
        stub.answer(dynamodb::BATCH_GET_ITEM, dynamodb::table(&[]));
        Stage { stub, function: setup.start(), _keys: keys, limit: LIMIT }
    }

    /// One user pool that is asked in this way; `more` is the rest of the file.
    pub(crate) fn pool(introspection: &str, more: &str) -> Stage {
        Stage::start(&pool(introspection, more))
    }

    /// Sends the token to a path, and expects the decision in time.
    #[track_caller]
    pub(crate) fn ask(&self, path: &str, token: &str) -> Verdict {
        let started = Instant::now();
        let verdict = self.function.ask(&Kind::Http2.event("GET", path, &format!("Bearer {token}")));
        let took = started.elapsed();
        assert!(took < self.limit, "the decision took {took:?}: {verdict} {}", verdict.log);
        verdict
    }

    /// Sends the token to the route that asks live.
    #[track_caller]
    pub(crate) fn ask_live(&self, token: &Token) -> Verdict {
        self.ask(LIVE, &token.text())
    }

    /// Asks, and expects that exactly so many calls were made to the operation.
    #[track_caller]
    pub(crate) fn calls_of<T>(&self, operation: &str, ask: impl FnOnce(&Stage) -> T) -> (T, usize) {
        let before = self.stub.calls(operation);
        let result = ask(self);
        (result, self.stub.calls(operation) - before)
    }
}

/// One user pool that is asked in this way; `more` is the rest of the file.
pub(crate) fn pool(introspection: &str, more: &str) -> String {
    let introspection =
        if introspection.is_empty() { String::new() } else { format!("introspection: {introspection}") };
    format!(
        "issuers:
  - cognito:
      user_pool_id: {POOL}
      client_ids: [{CLIENT}, {MACHINE}]
      token_use: [access, id]
      jwks_uri: \"KEYS\"
      {introspection}
{ROUTES}{more}"
    )
}

/// One OIDC issuer with an introspection endpoint; `settings` are further members of the issuer, `asked` of its
/// introspection.
pub(crate) fn oidc(settings: &str, asked: &str, more: &str) -> String {
    format!(
        "issuers:
  - oidc:
      issuer: {OIDC_ISSUER}
      audience: \"{OIDC_AUDIENCE}\"
      jwks_uri: \"KEYS\"
      introspection:
        endpoint: \"STUB{}\"
        client_id: \"{OUR_ID}\"
        client_secret: \"${{OUR_SECRET}}\"
        timeout: {TIMEOUT}
{asked}{settings}
{ROUTES}{more}",
        oauth::INTROSPECT
    )
}

pub(crate) const ROUTES: &str = "
routes:
  GET /items: {}
  GET /admin: { introspect: true }
  GET /reports: { any_scope: [https://api.example.com/write], introspect: true }
";

/// The section that names the stub's table.
pub(crate) const WITH_TABLE: &str = "\nrevocations: { table: revocations }\n";
pub(crate) const WITH_TABLE_ALWAYS: &str = "\nrevocations: { table: revocations, check: all }\n";

/// A token of a user that every method can be asked about, and that no other test has sent.
pub(crate) fn token() -> Token {
    fresh(Token::access().claim("scope", json!(format!("openid aws.cognito.signin.user.admin {READ}"))))
}

/// The same for an OIDC issuer.
pub(crate) fn oidc_token() -> Token {
    fresh(Token::oidc(OIDC_ISSUER))
}

/// The token with a `jti` of its own: refusals are remembered by token.
pub(crate) fn fresh(token: Token) -> Token {
    token.claim("jti", json!(unique()))
}

pub(crate) fn unique() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!("c0ffee00-0000-4000-9000-{:012}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A claim of a token that is still being written.
pub(crate) fn claim(token: &Token, name: &str) -> Value {
    serde_json::from_str::<Value>(&token.payload_json()).unwrap()[name].clone()
}

/// A table of answers of one operation and the decisions that follow from them.
pub(crate) struct Rows {
    pub(crate) stage: Stage,
    pub(crate) table: Table,
    operation: &'static str,
    good: Answer,
    token: fn() -> String,
}

impl Rows {
    /// Under that heading of the page. `good` is the operation's answer that vouches for `token`.
    pub(crate) fn new(
        heading: &'static str,
        stage: Stage,
        operation: &'static str,
        good: Answer,
        token: fn() -> String,
    ) -> Rows {
        Rows { stage, table: Table::under(PAGE, heading), operation, good, token }
    }

    /// The operation answers this to a new token.
    #[track_caller]
    pub(crate) fn row(&self, row: &str, answer: impl Into<Answer>, expected: &str) {
        self.row_of(row, &(self.token)(), answer, expected);
    }

    /// The operation answers this to that token.
    #[track_caller]
    pub(crate) fn row_of(&self, row: &str, token: &str, answer: impl Into<Answer>, expected: &str) {
        self.rows_of(row, token, [answer.into()], expected);
    }

    /// The operation answers these, one after the other.
    #[track_caller]
    pub(crate) fn rows_of(&self, row: &str, token: &str, answers: impl IntoIterator<Item = Answer>, expected: &str) {
        self.stage.stub.answers(self.operation, answers);
        let verdict = self.stage.ask(LIVE, token);
        self.table.check(row, &verdict, expected);
        if UNAVAILABLE.contains(&verdict.outcome()) {
            // Nothing of an outage stays: the same token is asked about again, and the breaker closes.
            self.stage.stub.answer(self.operation, self.good.clone());
            let verdict = self.stage.ask(LIVE, token);
            self.table.cases.is(
                format!("{row}: the outage of one request is not the next one's: {verdict}"),
                !UNAVAILABLE.contains(&verdict.outcome()),
            );
        }
    }
}
