//! One line in CloudWatch's embedded metric format.

use super::definitions::Metric;
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A line that is being put together.
pub(super) struct Line<'a> {
    namespace: &'a str,
    timestamp: u64,
    /// The values of dimensions.
    labels: Vec<(&'static str, &'a str)>,
    metrics: Vec<(&'static Metric, Value<'a>)>,
}

/// What a metric is in this line.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// So many; none are not worth telling.
    Count(u64),
    /// These, at most a hundred; none are not worth telling.
    Times(&'a [Duration]),
}

impl<'a> Line<'a> {
    pub(super) fn new(namespace: &'a str, now: SystemTime) -> Self {
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        Self { namespace, timestamp, labels: Vec::new(), metrics: Vec::with_capacity(4) }
    }

    pub(super) fn label(&mut self, dimension: &'static str, value: &'a str) {
        self.labels.push((dimension, value));
    }

    pub(super) fn add(&mut self, metric: &'static Metric, value: Value<'a>) {
        if !matches!(value, Value::Count(0) | Value::Times([])) {
            self.metrics.push((metric, value));
        }
    }

    /// The line with its end; `None` where it has nothing to say.
    pub(super) fn text(&self) -> Option<Vec<u8>> {
        if self.metrics.is_empty() {
            return None;
        }
        let mut text = Vec::with_capacity(TYPICAL_BYTES);
        // Writing to memory cannot fail, and all keys are texts.
        serde_json::to_writer(&mut text, self).ok()?;
        text.push(b'\n');
        Some(text)
    }

    /// The metrics of one directive after the other: those that have their sets of
    /// dimensions in common.
    fn directives(&self) -> impl Iterator<Item = Directive<'_>> {
        self.metrics
            .chunk_by(|(one, _), (other, _)| one.dimensions == other.dimensions)
            .map(|metrics| Directive { line: self, metrics })
    }

    fn has(&self, dimensions: &[&str]) -> bool {
        dimensions.iter().all(|dimension| self.labels.iter().any(|(name, _)| name == dimension))
    }
}

/// The root node: the metadata, and the members that it refers to.
impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut root = serializer.serialize_map(None)?;
        root.serialize_entry("_aws", &Metadata(self))?;
        for (dimension, value) in &self.labels {
            root.serialize_entry(dimension, value)?;
        }
        for (metric, value) in &self.metrics {
            root.serialize_entry(metric.name, value)?;
        }
        root.end()
    }
}

struct Metadata<'a>(&'a Line<'a>);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut metadata = serializer.serialize_struct("Metadata", 2)?;
        metadata.serialize_field("Timestamp", &self.0.timestamp)?;
        metadata.serialize_field("CloudWatchMetrics", &Listed(|| self.0.directives()))?;
        metadata.end()
    }
}

struct Directive<'a> {
    line: &'a Line<'a>,
    metrics: &'a [(&'static Metric, Value<'a>)],
}

impl Serialize for Directive<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sets = match self.metrics {
            [(metric, _), ..] => metric.dimensions,
            [] => &[],
        };
        let mut directive = serializer.serialize_struct("Directive", 3)?;
        directive.serialize_field("Namespace", self.line.namespace)?;
        directive.serialize_field("Dimensions", &Listed(|| sets.iter().filter(|set| self.line.has(set))))?;
        directive.serialize_field("Metrics", &Listed(|| self.metrics.iter().map(|(metric, _)| Definition(metric))))?;
        directive.end()
    }
}

struct Definition(&'static Metric);

impl Serialize for Definition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut definition = serializer.serialize_struct("Definition", 2)?;
        definition.serialize_field("Name", self.0.name)?;
        definition.serialize_field("Unit", &self.0.unit)?;
        definition.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let microseconds = |time: &Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        match self {
            Value::Count(count) => serializer.serialize_u64(*count),
            Value::Times([time]) => serializer.serialize_u64(microseconds(time)),
            Value::Times(times) => serializer.collect_seq(times.iter().map(microseconds)),
        }
    }
}

/// A list that is made as it is written.
struct Listed<F>(F);

impl<F, I> Serialize for Listed<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for item in self.0() {
            list.serialize_element(&item)?;
        }
        list.end()
    }
}

/// Of a line without calls.
const TYPICAL_BYTES: usize = 384;
