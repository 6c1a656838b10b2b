//! What came out, for people and for programs.

use crate::concurrent::Concurrent;
use crate::measure::{Cold, Tokens, Warm};
use crate::options::{BLOCK, KNOWN, RUN};
use crate::program::{CONSTANT, MINIMUM, Program, Purpose};
use crate::statistics::{median, quantile, ratio};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::Path;

pub(crate) struct Report {
    pub(crate) machine: String,
    /// Bytes, by the file's name.
    pub(crate) binaries: BTreeMap<String, u64>,
    pub(crate) warm: Vec<Warm>,
    pub(crate) cold: Vec<Cold>,
    pub(crate) concurrent: Vec<Concurrent>,
}

/// How large the programs are that were built here.
pub(crate) fn binaries(programs: &[Program]) -> BTreeMap<String, u64> {
    let sizes = programs.iter().filter_map(|program| {
        let bytes = std::fs::metadata(&program.command).ok()?.len();
        Some((program.command.file_name()?.to_string_lossy().into_owned(), bytes))
    });
    sizes.collect()
}

impl Report {
    fn warm_of(&self, name: &str, tokens: Tokens) -> Option<&Warm> {
        self.warm.iter().find(|warm| warm.name == name && warm.tokens == tokens)
    }

    /// What ratios are taken of: where all tokens are known, the row of one token.
    fn reference(&self, name: &str, tokens: Tokens) -> Option<&Warm> {
        match tokens {
            Tokens::NeverSeen | Tokens::One => self.warm_of(name, tokens),
            Tokens::Known(_) => self.warm_of(name, Tokens::One),
        }
    }

    fn cold_of(&self, name: &str) -> Option<&Cold> {
        self.cold.iter().find(|cold| cold.name == name)
    }

    fn warm_table(&self, f: &mut Formatter<'_>, rows: &[&Warm]) -> fmt::Result {
        let heads = ["p50 us", "p90 us", "answer p50", "CPU us", "of constant", "of jwt", "CPU of jwt", "peak MB"];
        line(f, "", &heads)?;
        for warm in rows {
            let of = |name| self.reference(name, warm.tokens);
            let cells = [
                figure(median(&warm.wholes)),
                figure(quantile(&warm.wholes, 0.9)),
                figure(median(&warm.answers)),
                figure(median(&warm.cpu)),
                of(CONSTANT).map_or_else(nothing, |of| figure(ratio(&warm.rounds, &of.rounds))),
                of(MINIMUM).map_or_else(nothing, |of| figure(ratio(&warm.rounds, &of.rounds))),
                of(MINIMUM).map_or_else(nothing, |of| figure(ratio(&warm.cpu, &of.cpu))),
                figure(warm.peak_memory as f64 / 1024.0),
            ];
            line(f, &warm.name, &cells)?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let warm = |warm: &Warm| {
            let of = |name| self.reference(name, warm.tokens);
            json!({
                "program": warm.name,
                "tokens": match warm.tokens {
                    Tokens::NeverSeen => "never seen".to_owned(),
                    Tokens::One => "one".to_owned(),
                    Tokens::Known(distinct) => format!("{distinct} known"),
                },
                "p50_us": median(&warm.wholes),
                "p90_us": quantile(&warm.wholes, 0.9),
                "answer_p50_us": median(&warm.answers),
                "answer_p90_us": quantile(&warm.answers, 0.9),
                "cpu_us": median(&warm.cpu),
                "harness_cpu_us": median(&warm.harness_cpu),
                "of_constant": of(CONSTANT).map(|of| ratio(&warm.rounds, &of.rounds)),
                "of_jsonwebtoken_minimum": of(MINIMUM).map(|of| ratio(&warm.rounds, &of.rounds)),
                "cpu_of_jsonwebtoken_minimum": of(MINIMUM).map(|of| ratio(&warm.cpu, &of.cpu)),
                "peak_memory_kib": warm.peak_memory,
            })
        };
        let cold = |cold: &Cold| {
            json!({
                "program": cold.name,
                "ready_p50_us": median(&cold.ready),
                "answer_p50_us": median(&cold.answers),
                "answer_p90_us": quantile(&cold.answers, 0.9),
                "of_constant": self.cold_of(CONSTANT).map(|of| ratio(&cold.answers, &of.answers)),
                "of_jsonwebtoken_minimum": self.cold_of(MINIMUM).map(|of| ratio(&cold.answers, &of.answers)),
            })
        };
        json!({
            "machine": self.machine,
            "binaries_bytes": self.binaries,
            "warm": self.warm.iter().map(warm).collect::<Vec<_>>(),
            "cold": self.cold.iter().map(cold).collect::<Vec<_>>(),
            "concurrent": self.concurrent.iter().map(|run| json!({
                "in_flight": run.in_flight,
                "us": median(&run.times),
                "cpu_us": median(&run.cpu),
            })).collect::<Vec<_>>(),
        })
    }

    /// Writes all figures as JSON.
    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        std::fs::write(file, format!("{:#}\n", self.json()))
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        let rows = |tokens, sizes: bool| -> Vec<&Warm> {
            let is_wanted = |warm: &&Warm| warm.tokens == tokens && (warm.purpose == Purpose::Size) == sizes;
            self.warm.iter().filter(is_wanted).collect()
        };
        if let Some(one) = self.warm.first().filter(|one| !one.rounds.is_empty()) {
            let rounds = one.rounds.len();
            writeln!(f, "\nAn invocation, from the event to the next one asked for; {rounds} rounds of {BLOCK}")?;
            writeln!(f, "\nTokens never seen before")?;
            self.warm_table(f, &rows(Tokens::NeverSeen, false))?;
            writeln!(f, "\nOne token over and over")?;
            self.warm_table(f, &rows(Tokens::One, false))?;
            let sizes = rows(Tokens::NeverSeen, true);
            if !sizes.is_empty() {
                writeln!(f, "\nWhat size costs (tokens never seen before)")?;
                self.warm_table(f, &sizes)?;
            }
            for distinct in KNOWN {
                let known = rows(Tokens::Known(distinct), false);
                if !known.is_empty() {
                    writeln!(f, "\nTokens that were seen before: {distinct} in turn")?;
                    self.warm_table(f, &known)?;
                }
            }
        }
        if let Some(constant) = self.warm_of(CONSTANT, Tokens::NeverSeen) {
            let (own, whole) = (median(&constant.harness_cpu), median(&constant.wholes));
            writeln!(
                f,
                "\nOf each invocation the harness itself takes {own:.1} us (of the constant answer's {whole:.1})"
            )?;
        }
        if let Some(one) = self.cold.first().filter(|one| !one.answers.is_empty()) {
            writeln!(f, "\nA cold start, from the spawn to the first answer; {} starts each", one.answers.len())?;
            line(f, "", &["p50 us", "p90 us", "ready p50", "of constant", "of jwt"])?;
            for cold in &self.cold {
                let of = |name| {
                    let of = self.cold_of(name);
                    of.map_or_else(nothing, |of| figure(ratio(&cold.answers, &of.answers)))
                };
                let cells = [
                    figure(median(&cold.answers)),
                    figure(quantile(&cold.answers, 0.9)),
                    figure(median(&cold.ready)),
                    of(CONSTANT),
                    of(MINIMUM),
                ];
                line(f, &cold.name, &cells)?;
            }
        }
        if !self.concurrent.is_empty() {
            writeln!(f, "\nSeveral invocations in flight, tokens never seen before; runs of {RUN}")?;
            line(f, "", &["us each", "CPU us"])?;
            for run in &self.concurrent {
                line(
                    f,
                    &format!("authorizer, {} in flight", run.in_flight),
                    &[median(&run.times), median(&run.cpu)].map(figure),
                )?;
            }
        }
        writeln!(f, "\nSize of the binaries, stripped")?;
        for (name, bytes) in &self.binaries {
            line(f, name, &[format!("{:.2} MB", *bytes as f64 / 1e6)])?;
        }
        Ok(())
    }
}

fn line(f: &mut Formatter<'_>, name: &str, cells: &[impl Display]) -> fmt::Result {
    write!(f, "  {name:<36}")?;
    for cell in cells {
        write!(f, "{:>12}", cell.to_string())?;
    }
    writeln!(f)
}

fn figure(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn nothing() -> String {
    "-".to_owned()
}
