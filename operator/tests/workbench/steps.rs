//! Each step from a credential to accepted claims is the one at which the core refuses.

use crate::authctl::{authctl, root};
use serde_json::Value;

#[test]
fn a_refusal_is_shown_at_its_step() {
    for (persona, reason, step) in [
        ("nobody", "missing_token", "credential"),
        ("forger", "bad_signature", "signature"),
        ("expired", "token_expired", "identifiers and dates"),
        ("id_token", "wrong_token_use", "token_use"),
        ("other", "wrong_client", "client"),
    ] {
        let said = authctl(&root(), &["explain", "GET /items", "--as", persona, "--format", "json"], &[]).out;
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["reason"], reason);
        let steps = said["steps"].as_array().unwrap();
        let position = steps.iter().position(|one| one["state"] == "refused").unwrap();
        assert_eq!(steps[position]["what"], step, "{persona}");
        assert!(steps[..position].iter().all(|one| one["state"] == "passed"), "{persona}");
        assert!(steps[position + 1..].iter().all(|one| one["state"] == "not_reached"), "{persona}");
    }
}
