//! Measures whole processes as Lambda runs them: the release `authorizer` and the
//! programs under `benches/reference`, each behind a Lambda Runtime API on loopback.
//!
//! Harness and children share one core, so that what one invocation takes is the
//! sum of what both do, without idle cores or wake-ups in between. All programs are
//! alive at once and take turns in short rounds: what else the machine does in that
//! minute falls on all of them. Figures are medians; a ratio is the median of the
//! rounds' ratios.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

mod build;
mod concurrent;
mod event;
mod measure;
mod options;
mod process;
mod program;
mod report;
mod runtime_api;
mod soak;
mod statistics;
mod token;
mod web;

use options::Options;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = Options::of_arguments(std::env::args().skip(1))? else {
        println!("{}", options::HELP);
        return Ok(());
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    if let Some(count) = options.soak {
        let authorizer = match options.beside.first() {
            Some((_, other)) => other.clone(),
            None => build::authorizer(&root)?,
        };
        process::share_one_core(options.core)?;
        return soak::run(&authorizer, count, options.in_flight);
    }
    let built = build::all(&root)?;
    // From here on the core is shared with every thread and child that is started.
    let core = process::share_one_core(options.core)?;
    let world = web::World::start(options.tokens_needed())?;
    let mut programs = program::all(&built, &world, &options.beside);
    programs.retain(|program| options.wants(&program.name));
    let report = report::Report {
        machine: process::machine(core),
        binaries: report::binaries(&programs),
        warm: measure::warm(&programs, &world, &options)?,
        cold: measure::cold(&programs, &world, &options)?,
        concurrent: concurrent::measure(&programs, &world)?,
    };
    print!("{report}");
    let file = built.results.join("invocations.json");
    report.write(&file)?;
    println!("\nAlso in {}", file.strip_prefix(&root).unwrap_or(&file).display());
    Ok(())
}
