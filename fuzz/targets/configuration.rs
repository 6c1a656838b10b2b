//! A configuration, as text; its first line is what `${A}` and `${B}` stand for. It loads or is refused with its faults,
//! each in words; a value of the environment never makes a route or an issuer; nothing costs more than the text is long.

use cognito_authorizer::config::{Config, Environment};

use super::harness;
use super::memory::within;

/// A list of nodes with their lines, once more as settings; an alias is its anchor's nodes again.
const PER_BYTE: usize = 4 * 1024;
const AND: usize = 512 * 1024;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (value, config) = text.split_once('\n').unwrap_or(("", text));
    // What it names is opened: not a device of this machine.
    if config.contains("/dev") || config.contains("/proc") || config.contains("..") {
        return;
    }
    let first = load(config, value);
    let second = load(config, value);
    assert_eq!(first, second, "the same text, read twice");
}

/// The faults, or what `Debug` shows of a configuration that loads.
fn load(config: &str, value: &str) -> Result<(), Vec<String>> {
    let environment = Environment::from([("A", value), ("B", value)]);
    let text = harness::text(config);
    match within(config.len() * PER_BYTE + AND, || Config::parse(&text, &environment)) {
        Ok(_) => Ok(()),
        Err(faults) => {
            assert!(!faults.0.is_empty(), "refused without a word");
            let told: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
            assert!(told.iter().all(|fault| !fault.trim().is_empty()), "an empty fault: {told:?}");
            Err(told)
        }
    }
}
