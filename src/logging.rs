//! JSON lines on stdout.

use super::json_lines::JsonLines;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// Starts the log with a tracing filter such as `info`, `debug` or
/// `cognito_authorizer=debug`. One that cannot be read, or says nothing about this
/// program, is `info`, and a line says so.
///
/// Libraries never log below `info`, whatever the filter: at TRACE the Lambda
/// runtime writes whole events, and at DEBUG HTTP clients write headers, tokens and
/// secrets included. Faults of this program are always told.
pub fn start(filter: Option<&str>) {
    let wanted = filter.unwrap_or("info").parse::<Targets>().ok();
    let level = wanted.as_ref().and_then(our_level);
    let theirs = wanted.and_then(|wanted| wanted.default_level()).unwrap_or(LevelFilter::INFO).min(LevelFilter::INFO);
    let ours = level.unwrap_or(LevelFilter::INFO).max(LevelFilter::ERROR);
    let targets = Targets::new()
        .with_default(theirs)
        .with_targets(OURS.map(|target| (target, ours)))
        // It writes each failed invocation a second time, every 401 among them.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    // There is no other: this program starts its log once.
    let _ = tracing::subscriber::set_global_default(JsonLines::new(targets, ours.max(theirs)));
    log_panics();
    if level.is_none() {
        tracing::warn!(
            message = "bad_log_filter",
            fault = "AUTHORIZER_LOG names no level for this program; `info` is used"
        );
    }
}

/// The level that a filter gives to this program.
fn our_level(wanted: &Targets) -> Option<LevelFilter> {
    let named = wanted.iter().filter(|(target, _)| OURS.contains(target)).map(|(_, level)| level).max();
    named.or_else(|| wanted.default_level())
}

/// A panic's message may hold what the code was looking at: only its place is told.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(message = "panic", place);
    }));
}

/// The library and the binary.
const OURS: [&str; 2] = ["cognito_authorizer", "authorizer"];
