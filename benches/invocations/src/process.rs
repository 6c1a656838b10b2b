//! Children and the core that they share with the harness.

use crate::program::Program;
use crate::runtime_api::{ACCEPTED, Request, RuntimeApi};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child and its Runtime API. Dropping it ends the child.
pub(crate) struct Running {
    child: Child,
    api: RuntimeApi,
}

/// How long one invocation took.
pub(crate) struct Took {
    /// Until the answer was there: what API Gateway waits for.
    pub(crate) answer: Duration,
    /// Until the child asked for the next event: when the function is free again.
    pub(crate) whole: Duration,
}

/// How long a start took.
pub(crate) struct Started {
    /// Until the child asked for its first event.
    pub(crate) ready: Duration,
    /// Until its first answer was there.
    pub(crate) answer: Duration,
}

impl Running {
    /// Starts the program, which need not have come up yet when this returns.
    fn spawn(program: &Program) -> Result<Self, Box<dyn Error>> {
        let api = RuntimeApi::new()?;
        Ok(Self { child: command(program, api.address()?).spawn()?, api })
    }

    /// Starts the program and waits until it asks for its first event.
    pub(crate) fn start(program: &Program) -> Result<Self, Box<dyn Error>> {
        let mut running = Self::spawn(program)?;
        running.expect_next()?;
        Ok(running)
    }

    /// Starts the program, has it answer one event, and ends it.
    pub(crate) fn start_once(program: &Program, event: &[u8]) -> Result<Started, Box<dyn Error>> {
        let started = Instant::now();
        let mut running = Self::spawn(program)?;
        running.expect_next()?;
        let ready = started.elapsed();
        running.api.send(event)?;
        running.expect_allow()?;
        Ok(Started { ready, answer: started.elapsed() })
    }

    /// Hands out one event and takes the answer, which must be an allow.
    pub(crate) fn invoke(&mut self, event: &[u8]) -> Result<Took, Box<dyn Error>> {
        let started = Instant::now();
        self.api.send(event)?;
        self.expect_allow()?;
        let answer = started.elapsed();
        self.api.send(ACCEPTED)?;
        self.expect_next()?;
        Ok(Took { answer, whole: started.elapsed() })
    }

    fn expect_next(&mut self) -> Result<(), Box<dyn Error>> {
        match self.api.receive()? {
            Request::Next => Ok(()),
            other @ (Request::Response(_) | Request::Failure(_)) => Err(unexpected(&other)),
        }
    }

    fn expect_allow(&mut self) -> Result<(), Box<dyn Error>> {
        match self.api.receive()? {
            Request::Response(answer) if answer.starts_with(br#"{"isAuthorized":true"#) => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// The CPU time of all its threads so far, user and system.
    pub(crate) fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        cpu_of(&self.child)
    }

    /// The child itself.
    pub(crate) fn child(&self) -> &Child {
        &self.child
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program as Lambda starts it.
pub(crate) fn command(program: &Program, runtime_api: SocketAddr) -> Command {
    let mut command = Command::new(&program.command);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(LAMBDA_ENVIRONMENT)
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
        .envs(program.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// The CPU time of all of a child's threads so far, user and system.
pub(crate) fn cpu_of(child: &Child) -> Result<Duration, Box<dyn Error>> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{}/task", child.id()))? {
        sum += on_cpu(&thread?.path().join("schedstat").to_string_lossy())?;
    }
    Ok(sum)
}

/// The most memory that a child has held, in KiB.
pub(crate) fn peak_memory(child: &Child) -> Result<u64, Box<dyn Error>> {
    status(child, "VmHWM:")
}

/// The memory that a child holds now, in KiB.
pub(crate) fn resident_memory(child: &Child) -> Result<u64, Box<dyn Error>> {
    status(child, "VmRSS:")
}

fn status(child: &Child, name: &str) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn unexpected(request: &Request<'_>) -> Box<dyn Error> {
    match request {
        Request::Next => "the program asks for an event in place of an answer".into(),
        Request::Response(body) | Request::Failure(body) => {
            format!("not the expected answer: {}", String::from_utf8_lossy(body)).into()
        }
    }
}

/// The CPU time of the harness's own thread so far.
pub(crate) fn own_cpu() -> Result<Duration, Box<dyn Error>> {
    on_cpu("/proc/thread-self/schedstat")
}

/// To the nanosecond, unlike the ticks of `/proc/<pid>/stat`.
fn on_cpu(schedstat: &str) -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string(schedstat)?;
    let nanoseconds = text.split(' ').next().ok_or("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Keeps this thread, and all that it starts from now on, on one core.
pub(crate) fn share_one_core(wanted: Option<usize>) -> Result<usize, Box<dyn Error>> {
    let allowed = sched_getaffinity(None)?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core));
    let core = wanted.or(last).ok_or("no core is allowed")?;
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one)?;
    Ok(core)
}

/// What was measured on, in one line.
pub(crate) fn machine(core: usize) -> String {
    let file = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = file("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let said = |command: &str, argument: &str| {
        let output = Command::new(command).arg(argument).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    format!(
        "{}, {cores} cores (core {core} used), Linux {}, {}, load {}, {}",
        model.map_or("unknown CPU", |(_, model)| model),
        file("/proc/sys/kernel/osrelease").trim(),
        said("rustc", "--version"),
        file("/proc/loadavg").split(' ').next().unwrap_or_default(),
        said("date", "+%F"),
    )
}

/// What Lambda sets and the programs may rely on.
const LAMBDA_ENVIRONMENT: [(&str, &str); 8] = [
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_FUNCTION_NAME", "authorizer"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ("AWS_REGION", "eu-central-1"),
    ("LANG", "en_US.UTF-8"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("TZ", ":UTC"),
];
