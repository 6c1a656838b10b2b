//! The rounds.

use crate::event::Invocation;
use crate::options::{BLOCK, GENERATIONS, KNOWN, LEAD_IN, Options, WARM_UP};
use crate::process::{Running, own_cpu, peak_memory};
use crate::program::{OURS, Program, Purpose};
use crate::statistics::{median, microseconds};
use crate::web::World;
use std::error::Error;

/// Which tokens come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// Another one each time.
    NeverSeen,
    /// One over and over.
    One,
    /// That many in turn, all of which were seen before.
    Known(usize),
}

impl Tokens {
    /// The token of the invocation of that number.
    pub(crate) fn place(self, invocation: usize) -> usize {
        match self {
            Tokens::NeverSeen => invocation,
            Tokens::One => 0,
            Tokens::Known(distinct) => invocation % distinct,
        }
    }

    /// Invocations before the first round.
    fn warm_up(self) -> usize {
        match self {
            Tokens::NeverSeen | Tokens::One => WARM_UP,
            // A token is kept when it comes again, some a little later.
            Tokens::Known(distinct) => WARM_UP.max(4 * distinct),
        }
    }
}

/// What one program did with one kind of tokens. Times in microseconds.
pub(crate) struct Warm {
    pub(crate) name: String,
    pub(crate) tokens: Tokens,
    pub(crate) purpose: Purpose,
    /// Every counted invocation, until the answer.
    pub(crate) answers: Vec<f64>,
    /// Every counted invocation, until the next event was asked for.
    pub(crate) wholes: Vec<f64>,
    /// The median `whole` of each round.
    pub(crate) rounds: Vec<f64>,
    /// The child's CPU time per invocation, for each round.
    pub(crate) cpu: Vec<f64>,
    /// The harness's.
    pub(crate) harness_cpu: Vec<f64>,
    /// KiB.
    pub(crate) peak_memory: u64,
}

/// What one program's starts took, in microseconds.
pub(crate) struct Cold {
    pub(crate) name: String,
    pub(crate) ready: Vec<f64>,
    pub(crate) answers: Vec<f64>,
}

pub(crate) fn warm(programs: &[Program], world: &World, options: &Options) -> Result<Vec<Warm>, Box<dyn Error>> {
    let mut rows = Vec::new();
    let known = KNOWN.map(Tokens::Known);
    for tokens in [Tokens::NeverSeen, Tokens::One].into_iter().chain(known) {
        let is_wanted = |program: &&Program| match (program.purpose, tokens) {
            (Purpose::Compare, Tokens::NeverSeen | Tokens::One) => true,
            (Purpose::Compare, Tokens::Known(_)) => program.name == OURS,
            (Purpose::Size, _) => tokens == Tokens::NeverSeen,
            (Purpose::Start, _) => false,
        };
        rows.extend(programs.iter().filter(is_wanted).map(|program| (program, Warm::new(program, tokens))));
    }
    for _ in 0..GENERATIONS {
        let start = |(program, warm)| Turn::start(program, warm, world);
        let mut turns =
            rows.iter_mut().map(|(program, warm)| start((*program, warm))).collect::<Result<Vec<_>, _>>()?;
        for round in 0..options.rounds_of_a_generation() {
            // Who goes first goes last the next time.
            let backwards = round % 2 == 1;
            for place in 0..turns.len() {
                let place = if backwards { turns.len() - 1 - place } else { place };
                turns[place].take()?;
            }
        }
        turns.into_iter().try_for_each(Turn::end)?;
    }
    Ok(rows.into_iter().map(|(_, warm)| warm).collect())
}

impl Warm {
    fn new(program: &Program, tokens: Tokens) -> Self {
        Self {
            name: program.name.clone(),
            tokens,
            purpose: program.purpose,
            answers: Vec::new(),
            wholes: Vec::new(),
            rounds: Vec::new(),
            cpu: Vec::new(),
            harness_cpu: Vec::new(),
            peak_memory: 0,
        }
    }
}

/// A running program that takes its turn in each round.
struct Turn<'a> {
    running: Running,
    warm: &'a mut Warm,
    world: &'a World,
    invocation: Invocation,
    invoked: usize,
}

impl<'a> Turn<'a> {
    fn start(program: &Program, warm: &'a mut Warm, world: &'a World) -> Result<Self, Box<dyn Error>> {
        let running = Running::start(program).map_err(|error| format!("{}: {error}", program.name))?;
        let invocation = Invocation::new(world.token(0).len());
        let mut turn = Self { running, warm, world, invocation, invoked: 0 };
        turn.invoke(turn.warm.tokens.warm_up(), |_, _| ())?;
        Ok(turn)
    }

    fn take(&mut self) -> Result<(), Box<dyn Error>> {
        self.invoke(LEAD_IN, |_, _| ())?;
        let (mut answers, mut wholes) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        let (cpu, harness_cpu) = (self.running.cpu()?, own_cpu()?);
        self.invoke(BLOCK, |answer, whole| {
            answers.push(answer);
            wholes.push(whole);
        })?;
        let harness_cpu = own_cpu()? - harness_cpu;
        let cpu = self.running.cpu()? - cpu;
        self.warm.cpu.push(microseconds(cpu) / BLOCK as f64);
        self.warm.harness_cpu.push(microseconds(harness_cpu) / BLOCK as f64);
        self.warm.rounds.push(median(&wholes));
        self.warm.answers.extend(answers);
        self.warm.wholes.extend(wholes);
        Ok(())
    }

    fn invoke(&mut self, times: usize, mut took: impl FnMut(f64, f64)) -> Result<(), Box<dyn Error>> {
        for _ in 0..times {
            let number = self.invoked;
            self.invoked += 1;
            let token = self.world.token(self.warm.tokens.place(number));
            let event = self.invocation.with(token, number);
            let one = self.running.invoke(event).map_err(|error| format!("{}: {error}", self.warm.name))?;
            took(microseconds(one.answer), microseconds(one.whole));
        }
        Ok(())
    }

    fn end(self) -> Result<(), Box<dyn Error>> {
        self.warm.peak_memory = self.warm.peak_memory.max(peak_memory(self.running.child())?);
        Ok(())
    }
}

pub(crate) fn cold(programs: &[Program], world: &World, options: &Options) -> Result<Vec<Cold>, Box<dyn Error>> {
    let programs: Vec<_> = programs.iter().filter(|program| program.purpose != Purpose::Size).collect();
    let mut invocation = Invocation::new(world.token(0).len());
    let event = invocation.with(world.token(0), 0);
    let cold = |program: &&Program| Cold { name: program.name.clone(), ready: Vec::new(), answers: Vec::new() };
    let mut cold: Vec<Cold> = programs.iter().map(cold).collect();
    for _ in 0..options.starts {
        for (program, cold) in programs.iter().zip(&mut cold) {
            let start = || Running::start_once(program, event).map_err(|error| format!("{}: {error}", program.name));
            // The first is not counted: it finds the caches as the program before left them.
            start()?;
            let started = start()?;
            cold.ready.push(microseconds(started.ready));
            cold.answers.push(microseconds(started.answer));
        }
    }
    Ok(cold)
}
