//! What the rules alone say: by what each rule's answer may be cached, and whether
//! policies could cover tokens. Pure.

use super::finding::{Finding, listed};
use cognito_authorizer::access::{Inexpressible, RouteKey};
use cognito_authorizer::config::Config;
use cognito_authorizer::gateway::HttpResponse;
use cognito_authorizer_operator::revoking::printable;
use cognito_authorizer_operator::workbench::kept_by;

/// Lines in columns, as wide as what stands in them.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.clone().map(|cell| printable(&cell))).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (index, cell) in row.iter().enumerate() {
            let width =
                rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count()).max().unwrap_or(0);
            line.push_str(&format!("  {cell:width$}"));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// By what each rule's answer may be cached.
pub(super) fn of_rules(config: &Config) -> String {
    let mut rows = vec![["rule", "a policy", "an HTTP API's simple answer"].map(str::to_owned)];
    let whole_table = config.rules().cache_key();
    for (key, rule) in config.rules().iter() {
        let [policy, simple] = kept_by(config, key, rule, !whole_table.route);
        rows.push([rule.key.to_string(), policy, simple]);
    }
    columns(&rows)
}

/// What holds of the whole table.
pub(super) fn remarks(config: &Config) -> Vec<Finding> {
    let mut found: Vec<Finding> = config.warnings().iter().map(Finding::warning).collect();
    found.extend(config.notes().iter().map(Finding::note));
    found.extend(config.token_sources().unguarded_cookies().into_iter().map(|name| {
        Finding::warning(format!(
            "`token`: browsers add the cookie `{name}` to requests that another site's page makes: set `csrf: origin`, or `csrf: off` where something else keeps them out"
        ))
    }));
    if config.revocations_always() {
        found.push(Finding::note(
            "`revocations.check: all`: while an answer is cached, a revoked token goes on; only without a cache does every request ask",
        ));
    }
    if config.takes_opaque_tokens() {
        found.push(Finding::note(
            "`opaque_tokens: true`: while an answer is cached, a token that its issuer withdrew goes on; without a cache every request asks",
        ));
    }
    if config.answers().http_response == HttpResponse::Policy {
        found.push(Finding::note("`http_api.response: policy`: HTTP APIs get policies too, and no simple answers"));
    }
    let with_path = config.rules().iter().any(|(key, _)| !matches!(key, RouteKey::Connect));
    if with_path && !config.rules().covers_tokens() {
        found.push(Finding::note(could_cover(config)));
    }
    found
}

/// What the start would say to `policy: { covers: token }`.
fn could_cover(config: &Config) -> String {
    const COVERS: &str = "`policy: { covers: token }`, for a cache keyed by the token alone,";
    let told = |why: &[Inexpressible]| {
        let mut why: Vec<String> = why.iter().map(ToString::to_string).collect();
        let more = why.len().saturating_sub(SHOWN);
        why.truncate(SHOWN);
        if more > 0 {
            why.push(format!("and {more} more"));
        }
        why.join("; ")
    };
    let over_allow = |routes: &[cognito_authorizer::access::OverAllow]| match routes {
        [] => String::new(),
        routes => format!(
            ", if the table names every route of the API: a policy that allows {} cannot but allow what is deeper too",
            listed(routes.iter().map(|over_allow| over_allow.route.as_str()))
        ),
    };
    match config.rules().could_cover(false) {
        Ok(routes) => format!("{COVERS} would be accepted{}", over_allow(&routes)),
        Err(why) => match config.rules().could_cover(true) {
            Ok(routes) => {
                format!(
                    "{COVERS} would be accepted with `implicit_deny: true` alone{}: {}",
                    over_allow(&routes),
                    told(&why)
                )
            }
            Err(why) => format!("{COVERS} would be refused: {}", told(&why)),
        },
    }
}

const SHOWN: usize = 3;
