//! `authctl diff`: what a change of the configuration means. Which requests of which tokens are let in that were not, and
//! which are no more, each with a small token and request that both configurations were asked about.
//!
//! | file | what it does |
//! |---|---|
//! | `paths` | one path for every way in which paths fall under the keys of both tables |
//! | `terms` | a requirement as alternatives, each a list of facts |
//! | `tokens` | tokens with these facts and little beside them |
//! | `judge` | what the core says of a token and a request |
//! | `routes`, `settings` | the search, in the routes and beside them |
//! | `sources` | files and git revisions |
//! | `report` | text, Markdown, JSON |

mod judge;
mod paths;
mod report;
mod routes;
mod settings;
mod sources;
mod terms;
mod tokens;

use crate::Outcome;
use crate::arguments::{Diff, DiffFormat, FailOn};
use cognito_authorizer::config::Environment;
use cognito_authorizer::request::UnixSeconds;
use report::Direction;
use routes::Pair;

/// Compares, and says what differs.
pub(crate) fn run(arguments: &Diff, environment: Environment) -> Result<Outcome, String> {
    let settings = arguments.set.iter().map(|setting| (setting.name.clone(), setting.value.0.clone()));
    let environment = environment.with(settings);
    let old = sources::read(&arguments.old, &environment)?;
    let new = sources::read(&arguments.new, &environment)?;
    let now = UnixSeconds::new(NOW).ok_or("no time")?;
    let pair = Pair { old: &old.config, new: &new.config, now };
    let mut found = settings::issuers(pair, [&old.root, &new.root]);
    found.extend(settings::sections(&old.root, &new.root, sources::have_same_policies(&old, &new)));
    found.extend(routes::differences(pair));
    found.sort_by_key(|difference| difference.direction);
    let text = match arguments.format {
        DiffFormat::Text => report::text(&found),
        DiffFormat::Markdown => report::markdown(&found),
        DiffFormat::Json => report::json(&found),
    };
    let fails = |direction: Direction| match arguments.fail_on {
        None => false,
        Some(FailOn::Any) => true,
        Some(FailOn::Widened) => matches!(direction, Direction::Widened | Direction::Undecided),
        Some(FailOn::Narrowed) => matches!(direction, Direction::Narrowed | Direction::Undecided),
    };
    let has_failed = found.iter().any(|difference| fails(difference.direction));
    Ok(Outcome { text, failure: has_failed.then(|| report::summary(&found)) })
}

/// Some time: tokens are made for it. 2027-01-15T08:00:00Z.
const NOW: f64 = 1_800_000_000.0;
