//! JSON lines on stdout.

use std::io;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log with a tracing filter such as `info` or `cognito_authorizer=debug`.
/// A filter that cannot be read is `info`, and says so.
///
/// Libraries never log below `info`, whatever the filter: at TRACE the Lambda
/// runtime writes whole events, and at DEBUG HTTP clients write headers, tokens and
/// secrets included.
pub(crate) fn start(filter: Option<&str>) {
    let parsed = filter.unwrap_or("info").parse::<Targets>();
    let unreadable = parsed.is_err();
    let wanted = parsed.unwrap_or_else(|_| Targets::new().with_default(Level::INFO));
    let ours = wanted.iter().filter(|(target, _)| is_ours(target)).map(|(target, level)| (target.to_owned(), level));
    let default = wanted.default_level().unwrap_or(LevelFilter::OFF);
    let theirs = wanted.iter().filter(|(target, _)| !is_ours(target));
    let theirs = theirs.map(|(target, level)| (target.to_owned(), level.min(LevelFilter::INFO)));
    let targets = Targets::new()
        .with_default(default.min(LevelFilter::INFO))
        .with_target(OURS, default)
        .with_targets(ours.chain(theirs).collect::<Vec<_>>());
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(io::stdout);
    tracing_subscriber::registry().with(targets).with(lines).init();
    log_panics();
    if unreadable {
        tracing::warn!(message = "bad_log_filter", fault = "AUTHORIZER_LOG cannot be read; `info` is used");
    }
}

fn is_ours(target: &str) -> bool {
    target == OURS || target.starts_with("cognito_authorizer::") || target.starts_with("authorizer")
}

/// A panic's message may hold what the code was looking at: only its place is told.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(message = "panic", place);
    }));
}

const OURS: &str = "cognito_authorizer";
