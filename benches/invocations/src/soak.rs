//! One process, very many invocations: what its memory and its slow answers do over time.
//!
//! The issuer rotates its keys again and again, and every rotation signs its tokens anew. No trace id comes twice.

use crate::concurrent::Flight;
use crate::event::Invocation;
use crate::process::{Running, peak_memory, resident_memory};
use crate::program::{Program, Purpose};
use crate::statistics::{microseconds, quantile};
use crate::token::{self, Signer};
use crate::web;
use std::error::Error;
use std::path::Path;
use std::process::Child;

/// Invocations between two rotations, and the tokens that are in use then.
const ROTATION: usize = 50_000;
const TOKENS: usize = 2_000;

/// Lines of the report, where there are as many rotations.
const STRETCHES: usize = 20;

/// Runs that many invocations of that program, so many at once, and prints what came of it.
pub(crate) fn run(authorizer: &Path, count: usize, in_flight: usize) -> Result<(), Box<dyn Error>> {
    let site = web::Site::start(&token::jwks_of(&[0])?)?;
    let program = Program {
        name: "authorizer".to_owned(),
        command: authorizer.to_owned(),
        arguments: Vec::new(),
        environment: vec![("AUTHORIZER_CONFIG", configuration(&site.uri()))],
        purpose: Purpose::Compare,
    };
    let mut signers = [Signer::of_rotation(0)?, Signer::of_rotation(1)?];
    let mut process = Process::start(&program, in_flight, sign(&mut signers, 0)?)?;
    let rotations = count.div_ceil(ROTATION);
    let stretch = rotations.div_ceil(STRETCHES) * ROTATION;
    let mut durations = Vec::with_capacity(stretch);
    let mut report = Vec::new();
    println!("| invocations | resident | peak | p50 | p99 | fetches |\n|--:|--:|--:|--:|--:|--:|");
    for rotation in 0..rotations {
        if rotation > 0 {
            // The key of before stays published for one rotation more.
            site.publish(&token::jwks_of(&[rotation, rotation - 1])?);
            process.use_tokens(sign(&mut signers, rotation)?);
        }
        durations.extend(process.pass(ROTATION)?);
        if durations.len() >= stretch || rotation + 1 == rotations {
            let (resident, peak) = (resident_memory(process.child())?, peak_memory(process.child())?);
            let (p50, p99) = (quantile(&durations, 0.5), quantile(&durations, 0.99));
            println!(
                "| {} | {resident} KiB | {peak} KiB | {p50:.1} us | {p99:.1} us | {} |",
                (rotation + 1) * ROTATION,
                site.visits()
            );
            report.push(Line { resident, p50, p99 });
            durations.clear();
        }
    }
    judge(&report, stretch)
}

/// The process, as Lambda has it: one invocation after the other, or several at once.
enum Process {
    OneByOne { running: Running, invocation: Invocation, tokens: Vec<String>, passed: usize },
    Several(Flight),
}

impl Process {
    fn start(program: &Program, in_flight: usize, tokens: Vec<String>) -> Result<Self, Box<dyn Error>> {
        if in_flight > 1 {
            return Ok(Self::Several(Flight::start(program, in_flight, tokens)?));
        }
        let invocation = Invocation::new(tokens[0].len());
        Ok(Self::OneByOne { running: Running::start(program)?, invocation, tokens, passed: 0 })
    }

    fn child(&self) -> &Child {
        match self {
            Self::OneByOne { running, .. } => running.child(),
            Self::Several(flight) => flight.child(),
        }
    }

    fn use_tokens(&mut self, new: Vec<String>) {
        match self {
            Self::OneByOne { tokens, .. } => *tokens = new,
            Self::Several(flight) => flight.use_tokens(new),
        }
    }

    /// How long each of so many invocations took, in microseconds.
    fn pass(&mut self, count: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        match self {
            Self::Several(flight) => Ok(flight.pass(count)?),
            Self::OneByOne { running, invocation, tokens, passed } => {
                let numbers = *passed..*passed + count;
                *passed = numbers.end;
                let mut took = |number: usize| running.invoke(invocation.with(&tokens[number % TOKENS], number));
                numbers.map(|number| Ok(microseconds(took(number)?.whole))).collect()
            }
        }
    }
}

struct Line {
    resident: u64,
    p50: f64,
    p99: f64,
}

/// The beginning is left to allocators and to the memory of known tokens.
fn judge(report: &[Line], stretch: usize) -> Result<(), Box<dyn Error>> {
    let settled = report.get(SETTLED.div_ceil(stretch)..).unwrap_or_default();
    let (Some(first), Some(last)) = (settled.first(), settled.last()) else { return Ok(()) };
    let invocations = (settled.len().saturating_sub(1) * stretch) as f64;
    let grown = (last.resident as f64 - first.resident as f64) * 1024.0 / invocations.max(1.0);
    let half = settled.len() / 2;
    let median = |lines: &[Line], of: fn(&Line) -> f64| quantile(&lines.iter().map(of).collect::<Vec<_>>(), 0.5);
    let drift = |of: fn(&Line) -> f64| median(&settled[half..], of) / median(&settled[..half], of);
    println!("\nMemory: {grown:.1} bytes for each invocation after the first {SETTLED}.");
    println!("Drift, second half against first: p50 {:.2}, p99 {:.2}.", drift(|line| line.p50), drift(|line| line.p99));
    if grown > MOST_BYTES {
        return Err(format!("more than {MOST_BYTES} bytes stay of each invocation").into());
    }
    Ok(())
}

/// The authorizer remembers 10,000 tokens: by then it has seen as many come again.
const SETTLED: usize = 300_000;

/// A trace id, kept for good, would be more than a hundred.
const MOST_BYTES: f64 = 4.0;

fn sign(signers: &mut [Signer; 2], rotation: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let signer = &mut signers[rotation % 2];
    signer.rotate_to(rotation);
    (0..TOKENS).map(|number| signer.access_token(rotation * TOKENS + number)).collect()
}

fn configuration(jwks_uri: &str) -> String {
    format!(
        "issuers:
  - cognito: {{ user_pool_id: {}, client_ids: {}, jwks_uri: {jwks_uri} }}
routes:
  GET /invoices/{{id}}: {{ any_scope: [{}] }}
# A rotation every few seconds is looked up at once, each time.
jwks: {{ cooldown: 1s }}
",
        token::USER_POOL_ID,
        token::CLIENT_ID,
        token::SCOPE
    )
}
