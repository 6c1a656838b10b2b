//! Suites: what is read, and what is judged.

use cognito_authorizer::config::Environment;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer_operator::workbench::{Expected, Question, Subject, Suite};
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_sample_answers_as_its_tests_say() {
    let suite = Suite::load(&root().join("authorizer.test.yaml"), None, &Environment::default(), &[]);
    let suite = suite.unwrap_or_else(|error| panic!("{error}"));
    let now = UnixSeconds::new(1_795_000_000.0).unwrap();
    let mut wrong = Vec::new();
    for test in &suite.tests {
        for case in &test.cases {
            let subject = match &case.event {
                Some(event) => Subject::Event { event, without_credential: !case.own_credential },
                None => Subject::Request(&case.request),
            };
            let persona = case.persona.as_deref().and_then(|name| suite.personas.get(name));
            let question = Question {
                subject,
                persona,
                kind: case.kind,
                at: case.at.unwrap_or(now),
                source_ip: case.source_ip.as_deref(),
            };
            let judgement = suite.engine.judge(&question, &mut ()).unwrap();
            let outcome = judgement.outcome();
            let fits = match &case.expected {
                Expected::Allow => outcome == "allow",
                Expected::Deny => outcome != "allow",
                Expected::Reason(code) => outcome == &**code,
            };
            if !fits {
                wrong.push(format!("{:?} {} {:?} {}", case.persona, case.request, case.kind, outcome));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
