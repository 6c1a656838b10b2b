//! One process, very many invocations: what its memory and its slow answers do over time.
//!
//! The issuer rotates its keys again and again, and every rotation signs its tokens anew. The trace id, new in each
//! invocation as in Lambda, can be left out, since `lambda_runtime` has glibc keep each one.

use crate::event::Invocation;
use crate::process::Running;
use crate::program::{Program, Purpose};
use crate::statistics::{microseconds, quantile};
use crate::token::{self, Signer};
use crate::web;
use std::error::Error;
use std::path::Path;

/// Invocations between two rotations, and the tokens that are in use then.
const ROTATION: usize = 50_000;
const TOKENS: usize = 2_000;

/// Lines of the report.
const STRETCHES: usize = 20;

/// Runs that many invocations of that program, and prints what came of it.
pub(crate) fn run(authorizer: &Path, count: usize, trace_ids: bool) -> Result<(), Box<dyn Error>> {
    let site = web::Site::start(&token::jwks_of(&[0])?)?;
    let program = Program {
        name: "authorizer".to_owned(),
        command: authorizer.to_owned(),
        arguments: Vec::new(),
        environment: vec![("AUTHORIZER_CONFIG", configuration(&site.uri()))],
        purpose: Purpose::Compare,
    };
    let mut running = Running::start(&program)?;
    let mut signers = [Signer::of_rotation(0)?, Signer::of_rotation(1)?];
    let mut tokens = sign(&mut signers, 0)?;
    let mut invocation = Invocation::new(tokens[0].len());
    if !trace_ids {
        invocation = invocation.without_trace_id();
    }
    let stretch = (count / STRETCHES).max(1);
    let mut durations = Vec::with_capacity(stretch);
    let mut report = Vec::new();
    println!("| invocations | resident | peak | p50 | p99 | fetches |\n|--:|--:|--:|--:|--:|--:|");
    for number in 0..count {
        if number > 0 && number % ROTATION == 0 {
            let rotation = number / ROTATION;
            // The key of before stays published for one rotation more.
            site.publish(&token::jwks_of(&[rotation, rotation - 1])?);
            tokens = sign(&mut signers, rotation)?;
        }
        let took = running.invoke(invocation.with(&tokens[number % TOKENS], number))?;
        durations.push(microseconds(took.whole));
        if durations.len() == stretch {
            let line = Line {
                resident: running.resident_memory()?,
                p50: quantile(&durations, 0.5),
                p99: quantile(&durations, 0.99),
            };
            let (peak, fetches) = (running.peak_memory()?, site.visits());
            println!(
                "| {} | {} KiB | {peak} KiB | {:.1} us | {:.1} us | {fetches} |",
                number + 1,
                line.resident,
                line.p50,
                line.p99
            );
            report.push(line);
            durations.clear();
        }
    }
    judge(&report, stretch)
}

struct Line {
    resident: u64,
    p50: f64,
    p99: f64,
}

/// The first quarter is left to allocators and caches.
fn judge(report: &[Line], stretch: usize) -> Result<(), Box<dyn Error>> {
    let settled = report.get(report.len() / 4..).unwrap_or_default();
    let (Some(first), Some(last)) = (settled.first(), settled.last()) else { return Ok(()) };
    let invocations = (settled.len().saturating_sub(1) * stretch) as f64;
    let grown = (last.resident as f64 - first.resident as f64) * 1024.0 / invocations.max(1.0);
    let half = settled.len() / 2;
    let median = |lines: &[Line], of: fn(&Line) -> f64| quantile(&lines.iter().map(of).collect::<Vec<_>>(), 0.5);
    let drift = |of: fn(&Line) -> f64| median(&settled[half..], of) / median(&settled[..half], of);
    println!("\nMemory: {grown:.1} bytes for each invocation after the first quarter.");
    println!("Drift, second half against first: p50 {:.2}, p99 {:.2}.", drift(|line| line.p50), drift(|line| line.p99));
    if grown > MOST_BYTES {
        return Err(format!("more than {MOST_BYTES} bytes stay of each invocation").into());
    }
    Ok(())
}

/// Of these, `lambda_runtime` and glibc keep some 144 of each trace id.
const MOST_BYTES: f64 = 200.0;

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
