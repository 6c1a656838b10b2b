//! What CloudWatch is to count: a line of the log in its embedded metric format for each
//! invocation, written without a call, a thread or a timer of its own.
//!
//! The line holds numbers and, as dimensions, the decision and the code of its reason:
//! never a part of a token, of a request or of its route. Each combination of a metric
//! and its dimensions' values is a custom metric of its own, and is paid for.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

mod definitions;
mod line;

pub use definitions::{ALL, Metric, Unit};

use crate::http::{Calls, RemoteCalls};
use definitions::{
    COLD_STARTS, DECISION, DECISIONS, DURATION, INTROSPECTION_DURATION, INTROSPECTION_FAILURES,
    INTROSPECTION_THROTTLES, JWKS_FETCH_FAILURES, JWKS_FETCHES, KEY_READ_DURATION, KEY_READ_FAILURES,
    KEY_READ_THROTTLES, REASON, REVOCATION_CHECK_DURATION, REVOCATION_CHECK_FAILURES, REVOCATION_CHECK_THROTTLES,
    REVOCATIONS_WRITTEN, WOULD_BE_FORBIDDEN,
};
use line::{Line, Value};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// Writes the metrics of one process to its log.
#[derive(Debug)]
pub struct Metrics {
    namespace: Namespace,
    is_warm: AtomicBool,
}

/// A CloudWatch namespace: 1 to 255 letters, digits and `.-_/#:`, which does not begin
/// with a colon; `AWS/` is Amazon's own.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Reads a namespace's name; `None` where CloudWatch would refuse it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_named = text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_/#:".contains(c));
        let is_free = !text.is_empty() && text.len() <= 255 && !text.starts_with(':') && !text.starts_with("AWS/");
        (is_named && is_free).then(|| Self(text.to_owned()))
    }
}

/// One invocation of the authorizer.
#[derive(Debug)]
pub struct Invocation<'a> {
    /// `allow`, `forbidden`, `unauthorized` or `unavailable`.
    pub decision: &'a str,
    /// The code of a refusal.
    pub reason: Option<&'a str>,
    /// Whether a rule that only reports would have refused it.
    pub would_be_refused: bool,
    /// How long it took.
    pub took: Duration,
    /// The calls that ended since the last invocation.
    pub calls: RemoteCalls,
}

impl Metrics {
    /// In that namespace.
    #[must_use]
    pub fn new(namespace: Namespace) -> Self {
        Self { namespace, is_warm: AtomicBool::new(false) }
    }

    /// Writes the line of one invocation of the authorizer, which ended at `now`.
    pub fn write(&self, invocation: &Invocation<'_>, now: SystemTime) {
        print(&self.invocation(invocation, now));
    }

    /// Writes how many entries an invocation of the `revoker` wrote; nothing for none.
    pub fn write_revocations(&self, written: u64, now: SystemTime) {
        print(&self.revocations(written, now));
    }

    fn invocation<'a>(&'a self, invocation: &'a Invocation<'_>, now: SystemTime) -> Line<'a> {
        let mut line = self.line(now);
        line.label(DECISION, invocation.decision);
        if let Some(reason) = invocation.reason {
            line.label(REASON, reason);
        }
        line.add(&DECISIONS, Value::Count(1));
        line.add(&DURATION, Value::Times(std::slice::from_ref(&invocation.took)));
        line.add(&WOULD_BE_FORBIDDEN, Value::Count(u64::from(invocation.would_be_refused)));
        if !self.is_warm.swap(true, Ordering::Relaxed) {
            line.add(&COLD_STARTS, Value::Count(1));
        }
        let RemoteCalls { key_fetches, introspections, revocation_checks, key_reads } = &invocation.calls;
        line.add(&JWKS_FETCHES, Value::Count(key_fetches.made));
        line.add(&JWKS_FETCH_FAILURES, Value::Count(key_fetches.failed));
        live_checks(
            &mut line,
            introspections,
            [&INTROSPECTION_DURATION, &INTROSPECTION_FAILURES, &INTROSPECTION_THROTTLES],
        );
        live_checks(
            &mut line,
            revocation_checks,
            [&REVOCATION_CHECK_DURATION, &REVOCATION_CHECK_FAILURES, &REVOCATION_CHECK_THROTTLES],
        );
        live_checks(&mut line, key_reads, [&KEY_READ_DURATION, &KEY_READ_FAILURES, &KEY_READ_THROTTLES]);
        line
    }

    fn revocations(&self, written: u64, now: SystemTime) -> Line<'_> {
        let mut line = self.line(now);
        line.add(&REVOCATIONS_WRITTEN, Value::Count(written));
        line
    }

    fn line(&self, now: SystemTime) -> Line<'_> {
        Line::new(&self.namespace.0, now)
    }
}

fn live_checks<'a>(line: &mut Line<'a>, calls: &'a Calls, [durations, failures, throttles]: [&'static Metric; 3]) {
    line.add(durations, Value::Times(&calls.took));
    line.add(failures, Value::Count(calls.failed));
    line.add(throttles, Value::Count(calls.throttled));
}

/// In one write, as the log writes its own lines, so that neither can tear the other.
/// A log that is gone is no reason to fail an answer.
fn print(line: &Line<'_>) {
    if let Some(text) = line.text() {
        let _ = std::io::stdout().lock().write_all(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &Line<'_>) -> serde_json::Value {
        serde_json::from_slice(&line.text().unwrap()).unwrap()
    }

    #[test]
    fn every_metric_is_written() {
        let metrics = Metrics::new(Namespace::parse("N").unwrap());
        let calls = || Calls { made: 3, failed: 2, throttled: 1, took: vec![Duration::from_millis(5); 3] };
        let calls = RemoteCalls {
            key_fetches: calls(),
            introspections: calls(),
            revocation_checks: calls(),
            key_reads: calls(),
        };
        let took = Duration::from_micros(212);
        let all =
            Invocation { decision: "unauthorized", reason: Some("bad_signature"), would_be_refused: true, took, calls };
        let lines = [
            written(&metrics.invocation(&all, SystemTime::UNIX_EPOCH)),
            written(&metrics.revocations(2, SystemTime::UNIX_EPOCH)),
        ];
        let directives = lines.iter().flat_map(|line| line["_aws"]["CloudWatchMetrics"].as_array().unwrap());
        let told: Vec<_> = directives
            .flat_map(|directive| {
                let dimensions = &directive["Dimensions"];
                directive["Metrics"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(move |metric| (metric["Name"].clone(), metric["Unit"].clone(), dimensions.clone()))
            })
            .collect();
        let defined = ALL.map(|metric| {
            (
                metric.name.into(),
                serde_json::to_value(metric.unit).unwrap(),
                serde_json::to_value(metric.dimensions).unwrap(),
            )
        });
        assert_eq!(told, defined);
        assert_eq!(lines[0]["IntrospectionDuration"], serde_json::json!([5000, 5000, 5000]));
        assert_eq!((&lines[0]["IntrospectionFailures"], &lines[0]["IntrospectionThrottles"]), (&2.into(), &1.into()));
    }

    #[test]
    fn what_did_not_happen_is_not_written() {
        let metrics = Metrics::new(Namespace::parse("N").unwrap());
        assert!(metrics.revocations(0, SystemTime::now()).text().is_none());
        let took = Duration::from_micros(212);
        let warm = Invocation {
            decision: "allow",
            reason: None,
            would_be_refused: false,
            took,
            calls: RemoteCalls::default(),
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_763_730_000_123);
        metrics.invocation(&warm, now);
        let text = metrics.invocation(&warm, now).text().unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            concat!(
                r#"{"_aws":{"Timestamp":1763730000123,"CloudWatchMetrics":["#,
                r#"{"Namespace":"N","Dimensions":[["Decision"]],"Metrics":[{"Name":"Decisions","Unit":"Count"}]},"#,
                r#"{"Namespace":"N","Dimensions":[[]],"Metrics":[{"Name":"Duration","Unit":"Microseconds"}]}]},"#,
                r#""Decision":"allow","Decisions":1,"Duration":212}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_namespace_is_what_cloudwatch_takes() {
        let of = |length| "n".repeat(length);
        for good in ["CognitoAuthorizer", "a", "Shop/Authorizer#1.x:y_z-0", "AWS", &of(255)] {
            assert_eq!(Namespace::parse(good).map(|namespace| namespace.0).as_deref(), Some(good));
        }
        for bad in ["", "AWS/Lambda", ":a", "a b", "a\"b", "ä", "a\n", &of(256)] {
            assert_eq!(Namespace::parse(bad), None, "{bad}");
        }
    }
}
