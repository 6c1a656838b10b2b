//! Events become lines of JSON on stdout, each in one write.
//!
//! What `tracing-subscriber`'s JSON formatter writes with its event flattened, at a
//! third of its cost, which is the most expensive step after the signature. Spans are
//! not recorded: no line says anything of them.

use crate::time::write_rfc3339_micros;
use serde::Serialize;
use std::fmt::Debug;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;

/// Writes the events that the filter lets through.
pub(crate) struct JsonLines {
    targets: Targets,
    most: LevelFilter,
}

impl JsonLines {
    /// `most` is the most that any target is let through with.
    pub(crate) fn new(targets: Targets, most: LevelFilter) -> Self {
        Self { targets, most }
    }
}

impl Subscriber for JsonLines {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.is_span() && self.targets.would_enable(metadata.target(), metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn event(&self, event: &Event<'_>) {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = line(since_1970, event.metadata(), |visitor| event.record(visitor));
        // A log that cannot be written must not stop an answer.
        let _ = io::stdout().lock().write_all(&line);
    }

    // No span is enabled, so that none of these is called.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn line(since_1970: Duration, metadata: &Metadata<'_>, record: impl FnOnce(&mut dyn Visit)) -> Vec<u8> {
    let mut line = Line(Vec::with_capacity(USUAL_BYTES));
    line.0.extend_from_slice(b"{\"timestamp\":\"");
    let _ = write_rfc3339_micros(&mut line.0, since_1970);
    line.0.push(b'"');
    line.member("level", metadata.level().as_str());
    record(&mut line);
    line.0.extend_from_slice(b"}\n");
    line.0
}

/// A JSON object that is not closed yet.
struct Line(Vec<u8>);

impl Line {
    fn member(&mut self, name: &str, value: impl Serialize) {
        self.0.push(b',');
        // Neither can fail: a `Vec` takes all that comes, and these are no maps.
        let _ = serde_json::to_writer(&mut self.0, name);
        self.0.push(b':');
        let _ = serde_json::to_writer(&mut self.0, &value);
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // What the `log` crate's events repeat of their metadata.
        if !field.name().starts_with("log.") {
            self.member(field.name(), format_args!("{value:?}"));
        }
    }
}

/// Of a decision on a token with a principal, a client and a `jti`.
const USUAL_BYTES: usize = 768;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_becomes_json_and_nothing_breaks_the_line() {
        let lines = Lines::default();
        let written = lines.clone();
        tracing::subscriber::with_default(written, || {
            let nothing: Option<&str> = None;
            tracing::info!(
                message = "a \"b\"\n\u{1f}\\",
                yes = true,
                number = 7_u64,
                less = -7_i64,
                part = 1.5,
                display = %"d\n",
                debug = ?Some("\u{7f}"),
                nothing,
            );
        });
        let text = lines.0.lock().unwrap().clone();
        assert_eq!(text.lines().count(), 1);
        assert!(text.ends_with("}\n"));
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            line,
            serde_json::json!({
                "timestamp": "1970-01-01T00:00:00.000000Z", "level": "INFO", "message": "a \"b\"\n\u{1f}\\",
                "yes": true, "number": 7, "less": -7, "part": 1.5, "display": "d\n", "debug": "Some(\"\\u{7f}\")",
            })
        );
    }

    #[test]
    fn the_filter_decides_and_spans_are_never_recorded() {
        let filter = Targets::new().with_default(LevelFilter::WARN).with_target("ours", LevelFilter::DEBUG);
        let lines = JsonLines::new(filter, LevelFilter::DEBUG);
        assert_eq!(lines.max_level_hint(), Some(LevelFilter::DEBUG));
        tracing::subscriber::with_default(lines, || {
            assert!(tracing::enabled!(target: "ours", tracing::Level::DEBUG));
            assert!(!tracing::enabled!(target: "ours", tracing::Level::TRACE));
            assert!(tracing::enabled!(target: "theirs", tracing::Level::WARN));
            assert!(!tracing::enabled!(target: "theirs", tracing::Level::INFO));
            assert!(tracing::error_span!(target: "ours", "span").is_disabled());
        });
    }

    /// Keeps lines in place of writing them, all of one time.
    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<std::sync::Mutex<String>>);

    impl Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn event(&self, event: &Event<'_>) {
            let line = line(Duration::ZERO, event.metadata(), |visitor| event.record(visitor));
            self.0.lock().unwrap().push_str(std::str::from_utf8(&line).unwrap());
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }
}
