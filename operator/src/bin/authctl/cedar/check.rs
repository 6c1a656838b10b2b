//! `authctl cedar check`. What the start refuses is refused here too; what it cannot
//! know to be wrong is told: actions that no route asks about, routes that no policy
//! can allow.

use super::configured;
use crate::Outcome;
use crate::arguments::CedarOptions;
use cognito_authorizer::config::Environment;
use cognito_authorizer::policies::PolicyEngine;

pub(super) fn run(options: &CedarOptions, environment: &Environment) -> Result<Outcome, String> {
    let config = configured(options, environment)?;
    let asking = config.rules().iter().filter(|(_, rule)| rule.cedar.is_some()).count();
    let Some(check) = config.permissions() else { return Ok(Outcome::done("The configuration asks no policies.\n")) };
    let evaluator = match &check.engine {
        PolicyEngine::Local(evaluator) => evaluator,
        PolicyEngine::Store(_) | PolicyEngine::Substitute(_) => {
            let mut text = format!("The policies are in a store, and were not read. {asking} routes ask about:\n");
            let rules = config.rules().iter().filter_map(|(_, rule)| rule.cedar.as_ref());
            let mut actions: Vec<_> = rules.flat_map(|rule| rule.actions()).collect();
            actions.sort_unstable();
            actions.dedup();
            text.extend(actions.iter().map(|action| format!("  {}::Action::{action:?}\n", check.namespace)));
            return Ok(Outcome::done(text));
        }
    };
    let coherence = evaluator.coherence(config.rules());
    let mut text = format!("{} policies, {asking} routes that ask them\n", evaluator.policies().count());
    text.extend(evaluator.policies().warnings().iter().map(|warning| format!("warning: {warning}\n")));
    let unused = coherence.unused_actions.iter().map(|action| format!("no route asks about the action {action:?}"));
    let unreachable = coherence.unreachable_routes.iter().map(|key| format!("no policy can allow the route `{key}`"));
    let unasked = (asking == 0).then(|| "no route asks the policies".to_owned());
    let found: Vec<_> = unused.chain(unreachable).chain(unasked).collect();
    Ok(Outcome { text, failure: (!found.is_empty()).then(|| found.join("\nauthctl: ")) })
}
