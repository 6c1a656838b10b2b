//! `revocations: { check: all }` beside policies that cover tokens: over random tables, tokens, states of the table of
//! revocations and requests, what any answer allows is allowed when it is asked for.

use crate::agreement::{Held, SENT, Scenario, Tally, asks, kind, run, scenario};
use crate::iam::{Call, Outcome};
use crate::model::Verdict;
use crate::stage::{Answer, Credential, PolicyAnswer, Stage, arn, now, serve};
use crate::tables::{self, Ask};
use proptest::prelude::*;
use std::cell::RefCell;
use std::process::Command;

/// What the table of revocations says of a token.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Good,
    Revoked,
    /// The table does not answer.
    Outage,
    /// Nothing in the token could be revoked.
    Unnamed,
}

impl State {
    const ALL: [State; 4] = [State::Good, State::Revoked, State::Outage, State::Unnamed];

    /// The same token, of which the table says this.
    fn of(self, credential: &Credential) -> Credential {
        match self {
            State::Good => credential.naming(Some("good")),
            State::Revoked => credential.naming(Some("revoked")),
            State::Outage => credential.naming(Some("outage")),
            State::Unnamed => credential.naming(None),
        }
    }
}

#[test]
fn no_answer_allows_what_is_refused_when_it_is_asked_for() {
    const INNER: &str = "COVERAGE_BESIDE_A_TABLE";
    if std::env::var_os(INNER).is_some() {
        let tally = run(&scenario(tables::table().boxed()), check);
        println!("{tally:?}");
        assert!(tally.allowed * 50 >= tally.cases, "hardly anything is allowed");
        return;
    }
    // The AWS SDK reads the table's address from the environment, which no test changes in its own process.
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "vouching::no_answer_allows_what_is_refused_when_it_is_asked_for", "--nocapture"])
        .env(INNER, "1")
        .env("AWS_ENDPOINT_URL_DYNAMODB", serve(look_up))
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .status();
    assert!(status.unwrap().success());
}

/// A table in DynamoDB that knows a token by its `jti`.
fn look_up(body: &str) -> (u16, String) {
    if body.contains("jti#outage") {
        return (400, r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#.to_owned());
    }
    let items = if body.contains("jti#revoked") { r#"{"pk":{"S":"jti#revoked"}}"# } else { "" };
    (200, format!(r#"{{"Responses":{{"revocations":[{items}]}},"UnprocessedKeys":{{}}}}"#))
}

fn check(scenario: &Scenario, tally: &mut Tally) -> Result<(), String> {
    let table = &scenario.table;
    // Others are answered for one request, and asked about where they allow it: `tests/live/vouched.rs`.
    if !table.settings.covers_token {
        return Ok(());
    }
    let sections = format!("{}\nrevocations: {{ table: revocations, check: all }}\n", table.yaml());
    let Ok(stage) = Stage::start_with(&sections) else { return Ok(()) };
    for token in &scenario.tokens {
        // A quarter of them: each is sent, and looked up.
        let asks: Vec<Ask> = asks(scenario, token).into_iter().step_by(4).collect();
        for state in State::ALL {
            let credential = state.of(&Credential::of(token));
            let kind = kind(scenario, token);
            let readings = RefCell::default();
            let held = Held { table, token, credential: &credential, kind, asks: &asks, sent: SENT, readings };
            let answer = |ask: &Ask| match stage.ask(kind, ask, &credential) {
                Ok(Answer::Policy(answer)) => Ok(Some(answer)),
                Ok(Answer::Unauthorized | Answer::Failed(_)) => Ok(None),
                Err(wrong) => Err(held.report(ask, &wrong, None)),
            };
            let answers = asks.iter().map(answer).collect::<Result<Vec<_>, String>>()?;
            for (ask, answer) in asks.iter().zip(&answers) {
                let Some(answer) = answer else { continue };
                for (later, when_asked) in asks.iter().zip(&answers) {
                    tally.cases += 1;
                    if at(answer, later) != Outcome::Allow {
                        continue;
                    }
                    tally.allowed += 1;
                    if state != State::Good {
                        return Err(held.report(ask, &format!("{state:?}, and {later:?} is allowed"), Some(answer)));
                    }
                    // What no route serves, and what backends read differently, is denied as far as IAM can say it.
                    let is_served = matches!(held.judge(later), Verdict::Allowed(_) | Verdict::Denied(_))
                        && !held.has_another_reading(later)
                        && !matches!(later, Ask::Http(_, path) if path.contains('%'));
                    let is_allowed = when_asked.as_ref().is_some_and(|answer| at(answer, later) == Outcome::Allow);
                    if is_served && !is_allowed {
                        return Err(held.report(ask, &format!("{later:?} is refused when asked for"), Some(answer)));
                    }
                }
            }
        }
    }
    Ok(())
}

fn at(answer: &PolicyAnswer, ask: &Ask) -> Outcome {
    answer.policy.evaluate(Call { arn: &arn(ask), now: now() })
}
