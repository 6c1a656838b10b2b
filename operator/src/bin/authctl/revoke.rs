//! `authctl revoke`: entries in the table and, where Cognito issued the tokens, the same
//! said to Cognito.

use crate::Outcome;
use crate::arguments::{
    Dash, EntryOptions, Revoke, RevokeCertificate, RevokeClient, RevokeRefreshToken, RevokeToken, RevokeUser, Secret,
    TableOptions, UserOptions,
};
use crate::issuers::{Issuers, pool_of};
use crate::table::Table;
use aws_sdk_cognitoidentityprovider::Client;
use cognito_authorizer::config::Environment;
use cognito_authorizer::credentials::certificate::ClientCertificate;
use cognito_authorizer::live::UserPool;
use cognito_authorizer::time::now;
use cognito_authorizer_operator::revoking::{
    CognitoAdmin, DecodedToken, Entry, Mark, Plan, PoolUser, Reach, Report, SecretText, load, printable,
};
use std::io::Read;

pub(crate) async fn run(what: Revoke, environment: &Environment) -> Result<Outcome, String> {
    match what {
        Revoke::Token(arguments) => token(arguments, environment).await,
        Revoke::User(arguments) => user(arguments, environment).await,
        Revoke::Client(arguments) => client(arguments, environment).await,
        Revoke::Certificate(arguments) => certificate(arguments, environment).await,
        Revoke::RefreshToken(arguments) => refresh_token(arguments, environment).await,
    }
}

async fn token(arguments: RevokeToken, environment: &Environment) -> Result<Outcome, String> {
    let RevokeToken { token: Secret(text), entry, table } = arguments;
    let text = if text == "-" { from_stdin()? } else { text };
    let token = DecodedToken::parse(&text).map_err(|error| error.to_string())?;
    let entries = plan(&entry, environment)?.for_token(&token);
    if entries.is_empty() {
        return Err(match token.jti {
            Some(_) => "the token has expired, and names no sign-in whose other tokens could be refused".to_owned(),
            None => "the token has neither `jti` nor `origin_jti`: revoke its user or its client".to_owned(),
        });
    }
    let mut writing = Writing::begin(&table, &entry, environment).await?;
    writing.write(&entries).await;
    writing.report.remark("The token was decoded, not verified: this is what it says of itself.");
    writing.report.limit(match token.origin_jti {
        Some(_) => "the sign-in itself: a refresh token of it makes tokens that pass after that time (`authctl revoke refresh-token`)",
        None => "other tokens of the same user or client",
    });
    Ok(writing.finish())
}

async fn user(arguments: RevokeUser, environment: &Environment) -> Result<Outcome, String> {
    let RevokeUser { issuers, user, block, entry, table } = arguments;
    let Issuers { names, pool } = Issuers::of(&issuers)?;
    let mut writing = Writing::begin(&table, &entry, environment).await?;
    let subject = match pool {
        Some(pool) => sign_out(&pool, &user, &mut writing).await?,
        None => {
            writing.report.limit("the issuer, which was not told: the user's sessions and refresh tokens there go on");
            user.sub.ok_or("--username is a name in a Cognito user pool: give --user-pool-id, or --sub")?
        }
    };
    // Taken after the sign-out: no token was issued in between.
    let entries = plan(&entry, environment)?.for_user(&names, &subject, reach(block));
    writing.write(&entries).await;
    if !block {
        writing
            .report
            .limit("the next sign-in: its tokens pass (to prevent it, disable the user at the issuer, or use --block)");
    }
    Ok(writing.finish())
}

/// Signs the user out at Cognito and tells its `sub`. What fails there is told at the
/// end: it must not keep the entry from being written.
async fn sign_out(pool: &UserPool, user: &UserOptions, writing: &mut Writing) -> Result<String, String> {
    let cognito = CognitoAdmin::new(Client::new(&load(Some(pool.region())).await));
    let found = match (&user.sub, &user.username) {
        (Some(subject), _) => match cognito.user_by_subject(pool, subject).await {
            Ok(found) => found,
            Err(fault) => {
                writing.failures.push(format!("the user was not signed out at Cognito: {fault}"));
                return Ok(subject.clone());
            }
        },
        (None, Some(username)) => {
            let found = cognito.user_by_name(pool, username).await.map_err(|fault| fault.to_string())?;
            Some(found.ok_or_else(|| format!("the user pool {pool} has no user of that name"))?)
        }
        (None, None) => return Err("give --sub or --username".to_owned()),
    };
    let Some(PoolUser { username, subject }) = found else {
        writing.report.limit(format!("a sign-out at Cognito: the user pool {pool} knows no such user (any more)"));
        return Ok(user.sub.clone().unwrap_or_default());
    };
    let signed_out = if writing.dry_run { Ok(()) } else { cognito.sign_out(pool, &username).await };
    match signed_out {
        Ok(()) => {
            writing.report.at_cognito(
                "AdminUserGlobalSignOut: refresh tokens are dead, and GetUser and userInfo refuse the access tokens",
            );
            writing
                .report
                .limit("the cookie of the managed login pages: a browser that has it signs in without a password");
        }
        Err(fault) => writing.failures.push(format!("the user was not signed out at Cognito: {fault}")),
    }
    Ok(subject)
}

async fn client(arguments: RevokeClient, environment: &Environment) -> Result<Outcome, String> {
    let RevokeClient { issuers, client_id, block, entry, table } = arguments;
    let entries = plan(&entry, environment)?.for_client(&Issuers::of(&issuers)?.names, &client_id, reach(block));
    let mut writing = Writing::begin(&table, &entry, environment).await?;
    writing.write(&entries).await;
    if !block {
        writing
            .report
            .limit("tokens that the client gets from now on (rotate its secret or delete it, or use --block)");
    }
    Ok(writing.finish())
}

async fn certificate(arguments: RevokeCertificate, environment: &Environment) -> Result<Outcome, String> {
    let RevokeCertificate { file, entry, table } = arguments;
    let name = printable(&file.to_string_lossy());
    let mut text = String::new();
    let read = std::fs::File::open(&file).and_then(|opened| opened.take(MAX_STDIN_BYTES).read_to_string(&mut text));
    read.map_err(|error| format!("`{name}` cannot be read: {error}"))?;
    let certificate = ClientCertificate::parse(&text).map_err(|why| format!("`{name}`: {why}"))?;
    let planned = plan(&entry, environment)?.for_certificate(&certificate);
    if planned.is_empty() {
        return Err("the certificate has expired: no authorizer accepts it".to_owned());
    }
    let mut writing = Writing::begin(&table, &entry, environment).await?;
    writing.write(&planned).await;
    writing.report.limit("other certificates of the same subject: its authority may issue new ones");
    Ok(writing.finish())
}

async fn refresh_token(arguments: RevokeRefreshToken, environment: &Environment) -> Result<Outcome, String> {
    let RevokeRefreshToken { client_id, client_secret_env, user_pool_id, dry_run, token: Dash } = arguments;
    let client_secret = match client_secret_env {
        Some(name) => {
            let secret = environment.get(&name).and_then(SecretText::new);
            Some(secret.ok_or("the variable that --client-secret-env names is not set")?)
        }
        None => None,
    };
    let pool = user_pool_id.as_deref().map(pool_of).transpose()?;
    let token = SecretText::new(&from_stdin()?).ok_or("there is no token on standard input")?;
    let mut report = Report::new("", dry_run);
    if !dry_run {
        let cognito = CognitoAdmin::new(Client::new(&load(pool.as_ref().map(UserPool::region)).await));
        let revoked = cognito.revoke_refresh_token(token, &client_id, client_secret).await;
        revoked.map_err(|fault| fault.to_string())?;
    }
    report
        .at_cognito("RevokeToken: the refresh token is dead, and GetUser and userInfo refuse the access tokens of it");
    report.limit("routes whose issuer has no `introspection` by `get_user` or `user_info`: the access tokens pass until they expire");
    report.limit(
        "the table, since a refresh token does not say whose it is (`authctl revoke token` with an access token of it)",
    );
    Ok(Outcome::done(report))
}

/// Entries on their way into the table, and all that is to be told of them.
struct Writing {
    table: Table,
    dry_run: bool,
    report: Report,
    failures: Vec<String>,
}

impl Writing {
    async fn begin(table: &TableOptions, entry: &EntryOptions, environment: &Environment) -> Result<Self, String> {
        let table = Table::find(table, environment)?;
        let report = Report::new(&table.name, entry.dry_run);
        Ok(Self { table, dry_run: entry.dry_run, report, failures: Vec::new() })
    }

    async fn write(&mut self, entries: &[Entry]) {
        if self.dry_run {
            entries.iter().for_each(|entry| self.report.planned(entry));
            return;
        }
        let store = self.table.store().await;
        for entry in entries {
            let recorded = match now() {
                Some(now) => store.record(entry, now).await.map_err(|fault| fault.to_string()),
                None => Err(NO_CLOCK.to_owned()),
            };
            match recorded {
                Ok(recorded) => self.report.recorded(entry, &recorded),
                Err(why) => self.failures.push(format!("NOT refused: {}: {why}", printable(&entry.pk))),
            }
        }
    }

    fn finish(mut self) -> Outcome {
        self.report.limit_of_routes(self.table.checked);
        let failure = (!self.failures.is_empty()).then(|| self.failures.join("\nauthctl: "));
        Outcome { text: self.report.to_string(), failure }
    }
}

fn reach(block: bool) -> Reach {
    if block { Reach::UntilLifted } else { Reach::IssuedByNow }
}

fn plan(options: &EntryOptions, environment: &Environment) -> Result<Plan, String> {
    let now = now().ok_or(NO_CLOCK)?;
    let by = options.by.as_deref().or(environment.get("USER")).unwrap_or("authctl");
    let mark = Mark { reason: options.reason.clone(), revoked_at: Some(now), revoked_by: Some(by.to_owned()) };
    Ok(Plan { now, token_life: options.token_life, mark })
}

pub(crate) fn from_stdin() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_STDIN_BYTES).read_to_string(&mut text);
    // The error of what is not UTF-8 does not quote it.
    read.map(|_| text).map_err(|error| format!("standard input cannot be read: {error}"))
}

/// Several times the largest token.
const MAX_STDIN_BYTES: u64 = 64 * 1024;

const NO_CLOCK: &str = "the clock makes no sense";
