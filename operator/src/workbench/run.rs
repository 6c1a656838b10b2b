//! Runs a suite: each case is asked, and the answer held against what is expected.

use super::coverage::Coverage;
use super::engine::{Judgement, Question, Subject};
use super::explain::Explanation;
use super::nearest::nearest;
use super::suite::{Case, Expected, Suite, Test};
use super::tree::TreeNode;
use cognito_authorizer::access::Observer;
use cognito_authorizer::request::UnixSeconds;
use serde_json::{Map, Value};

/// One case and what became of it.
#[derive(Debug)]
pub struct CaseResult<'s> {
    /// The test that it is of.
    pub test: &'s Test,
    /// The case.
    pub case: &'s Case,
    /// `allow`, a reason, or why it could not be asked.
    pub got: String,
    /// Of several causes of the reason the one that it was.
    pub detail: Option<String>,
    /// All that is not as expected; nothing: the case passes.
    pub mismatches: Vec<String>,
    /// Of a case that fails: why it came so.
    pub because: Vec<String>,
}

impl CaseResult<'_> {
    /// Whether all is as expected.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.mismatches.is_empty()
    }

    /// Who asks for what, and by which event.
    #[must_use]
    pub fn title(&self) -> String {
        let who = match (&self.case.persona, self.case.own_credential) {
            (Some(persona), _) => persona.as_str(),
            (None, true) => "whoever sent the event",
            (None, false) => "nobody",
        };
        format!("{who}: {} ({})", self.case.request, self.case.kind.name())
    }
}

impl Suite {
    /// Asks all, as of that time where a case names none.
    #[must_use]
    pub fn run(&self, now: UnixSeconds, coverage: &mut Coverage) -> Vec<CaseResult<'_>> {
        let cases = self.tests.iter().flat_map(|test| test.cases.iter().map(move |case| (test, case)));
        cases.map(|(test, case)| self.run_case(test, case, now, coverage)).collect()
    }

    /// The question of a case.
    #[must_use]
    pub fn question<'q>(&'q self, case: &'q Case, now: UnixSeconds) -> Question<'q> {
        let subject = match &case.event {
            Some(event) => Subject::Event { event, without_credential: !case.own_credential },
            None => Subject::Request(&case.request),
        };
        let persona = case.persona.as_deref().and_then(|name| self.personas.get(name));
        let at = case.at.unwrap_or(now);
        Question { subject, persona, kind: case.kind, at, source_ip: case.source_ip.as_deref() }
    }

    fn run_case<'s>(
        &'s self,
        test: &'s Test,
        case: &'s Case,
        now: UnixSeconds,
        coverage: &mut Coverage,
    ) -> CaseResult<'s> {
        let judgement = match self.ask(case, now, coverage) {
            Ok(judgement) => judgement,
            Err(why) => {
                let mismatches = vec![why.clone()];
                return CaseResult { test, case, got: why, detail: None, mismatches, because: Vec::new() };
            }
        };
        coverage.note(&judgement);
        let mismatches = mismatches(case, &judgement);
        let because = if mismatches.is_empty() { Vec::new() } else { self.because(case, now) };
        let detail = judgement.denial().and_then(|denial| denial.detail()).map(str::to_owned);
        CaseResult { test, case, got: judgement.outcome().to_owned(), detail, mismatches, because }
    }

    fn ask<O: Observer>(&self, case: &Case, now: UnixSeconds, observer: &mut O) -> Result<Judgement, String> {
        self.engine.judge(&self.question(case, now), observer)
    }

    /// Why a case came out as it did, in a few lines.
    fn because(&self, case: &Case, now: UnixSeconds) -> Vec<String> {
        let Ok(explanation) = Explanation::of(&self.engine, &self.question(case, now)) else { return Vec::new() };
        let mut lines = Vec::new();
        match &explanation.route {
            Ok(route) => lines.push(format!("`{route}` serves it")),
            Err(why) => {
                let request = case.request.to_string();
                let rules = self.engine.config().rules();
                let keys = rules.iter().map(|(_, rule)| &*rule.key);
                let hint = nearest(&request, keys).map(|key| format!("; did you mean `{key}`?")).unwrap_or_default();
                lines.push(format!("no route: {why}{hint}"));
            }
        }
        let refused = explanation.steps.iter().filter(|step| step.state == super::steps::State::Refused);
        lines.extend(refused.map(|step| format!("{}: {}", step.what, step.found)));
        for rule in &explanation.rules {
            outline(rule, 0, &mut lines);
        }
        lines
    }
}

/// The tree, a line for each part that says something.
fn outline(node: &TreeNode, depth: usize, lines: &mut Vec<String>) {
    let mark = if node.holds { "holds" } else { "does not hold" };
    let found = node.found.as_ref().map(|found| format!(" ({found})")).unwrap_or_default();
    if node.found.is_some() || node.parts.len() > 1 {
        lines.push(format!("{}{} {mark}{found}", "  ".repeat(depth), node.asked));
    }
    for part in &node.parts {
        outline(part, depth + 1, lines);
    }
}

/// All that is not as expected.
fn mismatches(case: &Case, judgement: &Judgement) -> Vec<String> {
    let outcome = judgement.outcome();
    let mut wrong = Vec::new();
    let fits = match &case.expected {
        Expected::Allow => outcome == "allow",
        Expected::Deny => outcome != "allow",
        Expected::Reason(code) => outcome == &**code,
    };
    if !fits {
        let detail = judgement.denial().and_then(|denial| denial.detail());
        let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        wrong.push(format!("expected {}, got {outcome}{detail}", case.expected));
    }
    if let Some(route) = case.route.as_deref().filter(|route| judgement.route().map(|key| &**key) != Some(*route)) {
        let served = judgement.route().map_or_else(|| "no route".to_owned(), |key| format!("`{key}`"));
        wrong.push(format!("expected the route `{route}`, and {served} serves it"));
    }
    let would_be = judgement.rehearsal.would_be.as_ref().map(|denial| denial.code());
    if let Some(expected) = case.would_be.as_deref().filter(|expected| would_be != Some(*expected)) {
        wrong.push(format!("expected would_be {expected}, got {}", would_be.unwrap_or("none")));
    }
    if let Some(expected) = &case.context {
        wrong.extend(context_mismatches(expected, &judgement.context()));
    }
    wrong
}

/// In a policy every value is a text: a number is like the text that it is written as.
fn context_mismatches(expected: &Map<String, Value>, actual: &Map<String, Value>) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut wrong = Vec::new();
    for (key, value) in expected {
        match actual.get(key) {
            None if value.is_null() => {}
            None => wrong.push(format!("expected context.{key} {value}, and it is not there")),
            Some(actual) if actual == value || text(actual) == text(value) => {}
            Some(actual) => wrong.push(format!("expected context.{key} {value}, got {actual}")),
        }
    }
    wrong
}
