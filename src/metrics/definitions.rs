//! Every metric there is, with its unit and the dimensions that it has values for.

/// One metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in CloudWatch.
    pub name: &'static str,
    /// What its numbers are.
    pub unit: Unit,
    /// The sets of dimensions under which it can be asked for; an empty set is the metric
    /// without dimensions. A set applies where a line has a value for all of it.
    pub dimensions: &'static [&'static [&'static str]],
}

/// What a number is, in CloudWatch's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A time.
    Microseconds,
}

/// `allow`, `forbidden`, `unauthorized`, `unavailable`.
pub(super) const DECISION: &str = "Decision";

/// The code of a refusal.
pub(super) const REASON: &str = "Reason";

// A reason has one decision: both together would be as many metrics, with longer names.
pub(super) static DECISIONS: Metric =
    Metric { name: "Decisions", unit: Unit::Count, dimensions: &[&[DECISION], &[REASON]] };
pub(super) static DURATION: Metric = time("Duration");
pub(super) static WOULD_BE_FORBIDDEN: Metric = count("WouldBeForbidden");
pub(super) static COLD_STARTS: Metric = count("ColdStarts");
pub(super) static JWKS_FETCHES: Metric = count("JwksFetches");
pub(super) static JWKS_FETCH_FAILURES: Metric = count("JwksFetchFailures");
pub(super) static INTROSPECTION_DURATION: Metric = time("IntrospectionDuration");
pub(super) static INTROSPECTION_FAILURES: Metric = count("IntrospectionFailures");
pub(super) static INTROSPECTION_THROTTLES: Metric = count("IntrospectionThrottles");
pub(super) static REVOCATION_CHECK_DURATION: Metric = time("RevocationCheckDuration");
pub(super) static REVOCATION_CHECK_FAILURES: Metric = count("RevocationCheckFailures");
pub(super) static REVOCATION_CHECK_THROTTLES: Metric = count("RevocationCheckThrottles");
pub(super) static KEY_READ_DURATION: Metric = time("KeyReadDuration");
pub(super) static KEY_READ_FAILURES: Metric = count("KeyReadFailures");
pub(super) static KEY_READ_THROTTLES: Metric = count("KeyReadThrottles");
pub(super) static REVOCATIONS_WRITTEN: Metric = count("RevocationsWritten");

/// All of them.
pub static ALL: [&Metric; 16] = [
    &DECISIONS,
    &DURATION,
    &WOULD_BE_FORBIDDEN,
    &COLD_STARTS,
    &JWKS_FETCHES,
    &JWKS_FETCH_FAILURES,
    &INTROSPECTION_DURATION,
    &INTROSPECTION_FAILURES,
    &INTROSPECTION_THROTTLES,
    &REVOCATION_CHECK_DURATION,
    &REVOCATION_CHECK_FAILURES,
    &REVOCATION_CHECK_THROTTLES,
    &KEY_READ_DURATION,
    &KEY_READ_FAILURES,
    &KEY_READ_THROTTLES,
    &REVOCATIONS_WRITTEN,
];

const WITHOUT_DIMENSIONS: &[&[&str]] = &[&[]];

const fn count(name: &'static str) -> Metric {
    Metric { name, unit: Unit::Count, dimensions: WITHOUT_DIMENSIONS }
}

const fn time(name: &'static str) -> Metric {
    Metric { name, unit: Unit::Microseconds, dimensions: WITHOUT_DIMENSIONS }
}
