//! A policy that errs: one that permits does not, one that forbids refuses, and the log names it.

use crate::asked::{Asked, folder, token};
use crate::avp::Store;
use crate::stage::{Stage, named};
use crate::verdict::Cases;
use serde_json::json;

const ROUTES: &str = "  GET /a: { cedar: true }";

/// Policies, the decision on `GET /a` with a token whose claim `n` is a text, and which policies erred.
const TABLE: [(&str, &str, &str, &[&str]); 9] = [
    ("a permit that does not err", "@id(\"all\") permit (principal, action, resource);", "allow", &[]),
    (
        "a permit that errs",
        "@id(\"p\") permit (principal, action, resource) when { context.token.none == 1 };",
        "forbidden",
        &["p"],
    ),
    (
        "a permit that errs beside one that does not",
        "@id(\"p\") permit (principal, action, resource) when { context.token.none == 1 };
         permit (principal, action, resource);",
        "allow",
        &["p"],
    ),
    (
        "a forbid that errs: an attribute that is not there",
        "permit (principal, action, resource);
         @id(\"f\") forbid (principal, action, resource) when { context.token.none == 1 };",
        "forbidden",
        &["f"],
    ),
    (
        "a forbid that errs: another type",
        "permit (principal, action, resource);
         @id(\"f\") forbid (principal, action, resource) when { context.token.n > 1 };",
        "forbidden",
        &["f"],
    ),
    (
        "a forbid that errs: an overflow",
        "permit (principal, action, resource);
         @id(\"f\") forbid (principal, action, resource) when { context.token.exp * 9223372036854775807 > 1 };",
        "forbidden",
        &["f"],
    ),
    (
        "a forbid that errs: an extension that cannot read the claim",
        "permit (principal, action, resource);
         @id(\"f\") forbid (principal, action, resource) when { ip(context.token.n).isLoopback() };",
        "forbidden",
        &["f"],
    ),
    (
        "a forbid that would err, about another action",
        "permit (principal, action, resource);
         forbid (principal, action == NS::Action::\"put /a\", resource) when { context.token.none == 1 };",
        "allow",
        &[],
    ),
    (
        "a forbid that would err, behind a condition that does not hold",
        "permit (principal, action, resource);
         forbid (principal, action, resource) when { context.token has none && context.token.none == 1 };",
        "allow",
        &[],
    ),
];

#[test]
fn an_erring_forbid_refuses_and_an_erring_permit_does_not_permit() {
    let cases = Cases::default();
    let event = Asked::new("GET", "/a").event(&token(&json!({ "n": "x" }), false).text());
    for (what, policies, decision, erring) in TABLE {
        let stage = Stage::local(&folder(&[("a.cedar", policies)]), "namespace: NS", ROUTES);
        let verdict = stage.ask(&event);
        cases.check(what, &verdict, decision);
        cases.equal(
            format!("{what}: who erred"),
            named(&verdict, "policy_errors"),
            erring.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(),
        );
    }
}

#[test]
fn a_store_does_not_say_whether_the_policy_that_erred_forbids_so_any_error_refuses() {
    let cases = Cases::default();
    let event = Asked::new("GET", "/a").event(&token(&json!({ "n": "x" }), false).text());
    for (what, policies, decision, erring) in TABLE {
        let stage = Stage::remote(Store::new("NS", policies, None), "namespace: NS", ROUTES);
        let verdict = stage.ask(&event);
        cases.check(what, &verdict, if erring.is_empty() { decision } else { "forbidden" });
        let named = named(&verdict, "policy_errors");
        cases.equal(format!("{what}: who erred"), named.len(), erring.len());
        cases.is(format!("{what}: {named:?}"), named.iter().all(|name| name.starts_with("SPpolicy")));
    }
}
