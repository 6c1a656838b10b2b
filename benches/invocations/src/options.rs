//! What the command line asks for.

use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Measures the release authorizer and the reference programs as whole processes.

  --rounds N          rounds in which every program takes its turn (100)
  --starts N          cold starts of every program (60)
  --core N            the core that all share (the last one that is allowed)
  --only NAME         only this program; may be given again
  --beside NAME=PATH  measure another build of the authorizer too, in the same run

  --soak N            nothing of all that: N invocations in one process, and what becomes of its memory (with --beside,
                      of that build)
  --in-flight N       with --soak: so many at once, as on Managed Instances";

/// Invocations of one program in one round.
pub(crate) const BLOCK: usize = 100;

/// How often all programs are started anew within the rounds: where a process's
/// memory comes to lie makes it a few per cent faster or slower for its whole life.
pub(crate) const GENERATIONS: usize = 10;

/// Invocations at the start of a turn that are not counted: the caches hold the
/// program that went before.
pub(crate) const LEAD_IN: usize = 10;

/// How many tokens come in turn where they were all seen before; one has tables of its own.
pub(crate) const KNOWN: [usize; 2] = [100, 10_000];

/// Invocations in flight at once, as Lambda Managed Instances have them.
pub(crate) const IN_FLIGHT: [usize; 2] = [1, 8];

/// Invocations of one run with several in flight.
pub(crate) const RUN: usize = 5_000;

/// Runs, in turn.
pub(crate) const RUNS: usize = 9;

/// Invocations before the first round: allocators, branch predictors and (on Node)
/// the compiler settle.
pub(crate) const WARM_UP: usize = 500;

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) starts: usize,
    pub(crate) core: Option<usize>,
    pub(crate) beside: Vec<(String, PathBuf)>,
    only: Vec<String>,
    pub(crate) soak: Option<usize>,
    pub(crate) in_flight: usize,
}

impl Options {
    /// `None` where help is asked for.
    pub(crate) fn of_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            rounds: 100,
            starts: 60,
            core: None,
            beside: Vec::new(),
            only: Vec::new(),
            soak: None,
            in_flight: 1,
        };
        while let Some(name) = arguments.next() {
            if name == "--help" {
                return Ok(None);
            }
            let value = arguments.next().ok_or(format!("{name} needs a value; see --help"))?;
            let number = || value.parse().map_err(|_| format!("{name} needs a number, not `{value}`"));
            match name.as_str() {
                "--rounds" => options.rounds = number()?,
                "--starts" => options.starts = number()?,
                "--core" => options.core = Some(number()?),
                "--only" => options.only.push(value),
                "--soak" => options.soak = Some(number()?),
                "--in-flight" => options.in_flight = number()?,
                "--beside" => {
                    let (name, path) = value.split_once('=').ok_or("--beside needs NAME=PATH")?;
                    options.beside.push((name.to_owned(), path.into()));
                }
                _ => return Err(format!("{name} is not known; see --help")),
            }
        }
        Ok(Some(options))
    }

    pub(crate) fn wants(&self, program: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == program)
    }

    pub(crate) fn rounds_of_a_generation(&self) -> usize {
        self.rounds.div_ceil(GENERATIONS)
    }

    /// So many that no process sees one twice, or all of those that it shall know.
    pub(crate) fn tokens_needed(&self) -> usize {
        let seen_once = WARM_UP + self.rounds_of_a_generation() * (LEAD_IN + BLOCK);
        KNOWN.into_iter().fold(seen_once, usize::max)
    }
}
