//! The Lambda Runtime API on loopback, and the binary under test as its child.
//!
//! The child gets a clean environment: what a case sets and what the runtime needs, nothing of the
//! machine. One child takes many events, one after the other, as Lambda would send them.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::http::{self, Request, Then};
use crate::program;
use crate::verdict::{Answer, Verdict};

/// Generous: a loaded machine is not a failed test. What must be quick is measured by its test.
const PATIENCE: Duration = Duration::from_secs(30);

/// The environment of a child that is about to be started.
pub struct Setup {
    program: PathBuf,
    environment: Vec<(String, String)>,
    directory: Option<PathBuf>,
    stdout: Option<Stdio>,
}

impl Setup {
    /// With this configuration, given as text.
    pub fn config(yaml: &str) -> Setup {
        Setup::bare().env("AUTHORIZER_CONFIG", yaml)
    }

    /// With no configuration.
    pub fn bare() -> Setup {
        Setup { program: program("authorizer"), environment: Vec::new(), directory: None, stdout: None }
    }

    /// Another function than the authorizer.
    pub fn program(self, program: &str) -> Setup {
        Setup { program: program.into(), ..self }
    }

    pub fn env(mut self, name: &str, value: &str) -> Setup {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Started in that working directory.
    pub fn in_directory(mut self, directory: &Path) -> Setup {
        self.directory = Some(directory.to_owned());
        self
    }

    /// With its standard output going there, and not to be read from the function.
    pub fn stdout(self, stdout: Stdio) -> Setup {
        Setup { stdout: Some(stdout), ..self }
    }

    /// Starts the function, which need not have come up yet when this returns.
    pub fn start(self) -> Function {
        let api = Arc::new(Api::default());
        let shared = Arc::clone(&api);
        let address = http::serve(move |request, stream| shared.serve(request, stream));

        let mut command = Command::new(self.program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_REGION", "us-east-1")
            // A directory without an `authorizer.yaml`, so that none is found by accident.
            .current_dir(self.directory.unwrap_or_else(|| PathBuf::from("/")))
            .stdin(Stdio::null())
            .stdout(self.stdout.unwrap_or_else(Stdio::piped))
            .stderr(Stdio::piped());
        // A coverage run tells the child where to write what it saw.
        if let Ok(profile) = std::env::var("LLVM_PROFILE_FILE") {
            command.env("LLVM_PROFILE_FILE", profile);
        }
        command.envs(self.environment);
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map(|stdout| collect(stdout, Arc::clone(&api), Heard::stdout));
        let stderr = collect(child.stderr.take().unwrap(), Arc::clone(&api), |heard, line| heard.stderr.push(line));
        let readers = stdout.into_iter().chain([stderr]).collect();
        Function { api, child: Mutex::new(child), readers: Mutex::new(readers) }
    }

    /// Starts the function where it is expected to refuse to start; `None` where it came up.
    #[track_caller]
    pub fn refused(self) -> Option<RefusedStart> {
        let function = self.start();
        let status = function.exit_status()?;
        function.end();
        let heard = function.api.heard();
        let output = heard.stdout.join("\n") + "\n" + &heard.stderr.join("\n");
        Some(RefusedStart { status, init_error: heard.init_error.clone(), output })
    }
}

/// What is known of a child that did not start.
pub struct RefusedStart {
    pub status: ExitStatus,
    /// The body posted to `/runtime/init/error`.
    pub init_error: Option<String>,
    /// Everything on stdout and stderr.
    pub output: String,
}

/// A running function. Dropping it ends the child.
pub struct Function {
    api: Arc<Api>,
    child: Mutex<Child>,
    readers: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl Function {
    pub fn start(config: &str) -> Function {
        Setup::config(config).start()
    }

    /// Sends the event, waits for the answer and for its decision log line, and holds both to what
    /// every answer must be.
    #[track_caller]
    pub fn ask(&self, event: &Value) -> Verdict {
        self.ask_text(&event.to_string())
    }

    /// The same for an event that `serde_json` would not write: odd escapes, duplicate members.
    #[track_caller]
    pub fn ask_text(&self, event: &str) -> Verdict {
        let (id, answer) = self.send(event);
        let line = self.decision(&id);
        Verdict::new(id, answer, line)
    }

    /// The answer and the decision log line: for policies that cover a token, which may allow one request and deny another.
    #[track_caller]
    pub fn ask_unjudged(&self, event: &Value) -> (Answer, Value) {
        let (id, answer) = self.send(&event.to_string());
        let line = self.decision(&id);
        (answer, line)
    }

    #[track_caller]
    fn decision(&self, id: &str) -> Value {
        let lines = self.wait_for("the decision log line", |heard| heard.decisions.get(id).cloned());
        assert_eq!(lines.len(), 1, "one decision line for one invocation: {lines:#?}");
        lines[0].clone()
    }

    /// Sends the event and waits for the answer alone.
    #[track_caller]
    pub fn send(&self, event: &str) -> (String, Answer) {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let id = format!("8476a536-e9f4-11e8-9739-{:012}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.api.heard().waiting.push_back((id.clone(), event.to_owned()));
        self.api.changed.notify_all();
        let answer = self.wait_for("the answer", |heard| heard.answers.get(&id).cloned());
        (id, answer)
    }

    /// Waits for so many metric lines, and returns all that there are.
    #[track_caller]
    pub fn metric_lines(&self, count: usize) -> Vec<String> {
        let is_one = |line: &&String| line.contains("\"_aws\"");
        self.wait_for("the metric lines", |heard| {
            let lines: Vec<String> = heard.stdout.iter().filter(is_one).cloned().collect();
            (lines.len() >= count).then_some(lines)
        })
    }

    /// Waits until the function is up and asks for its first event.
    #[track_caller]
    pub fn wait_until_ready(&self) {
        self.wait_for("the first event to be asked for", |heard| (heard.polls > 0).then_some(()));
    }

    /// How many decision log lines there are so far.
    pub fn decisions(&self) -> usize {
        self.api.heard().decisions.values().map(Vec::len).sum()
    }

    /// Ends the child and reads its output to the end.
    pub fn end(&self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
        for reader in self.readers.lock().unwrap().drain(..) {
            reader.join().unwrap();
        }
    }

    /// All that left the child: its stdout and stderr, and every body it posted.
    pub fn everything_said(&self) -> Vec<String> {
        let heard = self.api.heard();
        let answers = heard.answers.values().map(|answer| answer.text().to_owned());
        heard.stdout.iter().chain(&heard.stderr).chain(&heard.init_error).cloned().chain(answers).collect()
    }

    /// The lines on stdout so far.
    pub fn stdout(&self) -> Vec<String> {
        self.api.heard().stdout.clone()
    }

    /// The child's process id.
    pub fn process_id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Whether the process is still alive.
    pub fn is_running(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_none()
    }

    /// `None` where the function asks for events instead of ending.
    #[track_caller]
    fn exit_status(&self) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            if self.api.heard().polls > 0 {
                return None;
            }
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                return Some(status);
            }
            assert!(started.elapsed() < PATIENCE, "the function is still running:\n{}", self.tail());
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[track_caller]
    fn wait_for<T>(&self, what: &str, mut look: impl FnMut(&Heard) -> Option<T>) -> T {
        let started = Instant::now();
        let mut heard = self.api.heard();
        loop {
            if let Some(found) = look(&heard) {
                return found;
            }
            let running = self.is_running();
            let late = started.elapsed() > PATIENCE;
            if late || !running {
                drop(heard);
                let why = if running { "in time" } else { "before the process ended" };
                panic!("{what} did not come {why}; the last lines of the function:\n{}", self.tail());
            }
            heard = self.api.changed.wait_timeout(heard, Duration::from_millis(50)).unwrap().0;
        }
    }

    fn tail(&self) -> String {
        let heard = self.api.heard();
        let lines: Vec<&str> = heard.stdout.iter().chain(&heard.stderr).map(String::as_str).collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Not where a lock is poisoned: that is a test on its way to fail already.
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The Runtime API's side: events that wait to be asked for, and all that came back.
#[derive(Default)]
struct Api {
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Default)]
struct Heard {
    waiting: VecDeque<(String, String)>,
    polls: usize,
    answers: HashMap<String, Answer>,
    init_error: Option<String>,
    stdout: Vec<String>,
    stderr: Vec<String>,
    /// The decision log lines among those of stdout, by request id.
    decisions: HashMap<String, Vec<Value>>,
}

impl Heard {
    fn stdout(&mut self, line: String) {
        if let Ok(json) = serde_json::from_str::<Value>(&line)
            && json["message"] == "decision"
        {
            let id = json["request_id"].as_str().unwrap_or_default().to_owned();
            self.decisions.entry(id).or_default().push(json);
        }
        self.stdout.push(line);
    }
}

impl Api {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }

    fn serve(&self, request: Request, stream: &mut TcpStream) -> Then {
        let path = request.target.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        let words: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), words.as_slice()) {
            ("GET", ["invocation", "next"]) => self.hand_out(stream),
            ("POST", ["invocation", id, how @ ("response" | "error")]) => {
                let text = String::from_utf8_lossy(&request.body).into_owned();
                let answer = if *how == "response" { Answer::Response(text) } else { Answer::Error(text) };
                let known = self.heard().answers.insert((*id).to_owned(), answer);
                assert!(known.is_none(), "invocation {id} was answered twice");
                self.changed.notify_all();
                http::respond(stream, 202, &[], b"{\"status\":\"OK\"}");
            }
            ("POST", ["init", "error"]) => {
                self.heard().init_error = Some(String::from_utf8_lossy(&request.body).into_owned());
                self.changed.notify_all();
                http::respond(stream, 202, &[], b"{\"status\":\"OK\"}");
            }
            _ => http::respond(stream, 404, &[], b"{}"),
        }
        Then::KeepOpen
    }

    /// `/next` is a long poll: it waits for as long as there is no event.
    fn hand_out(&self, stream: &mut TcpStream) {
        let mut heard = self.heard();
        heard.polls += 1;
        self.changed.notify_all();
        let (id, event) = loop {
            if let Some(next) = heard.waiting.pop_front() {
                break next;
            }
            heard = self.changed.wait(heard).unwrap();
        };
        drop(heard);
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + PATIENCE;
        http::respond(
            stream,
            200,
            &[
                ("Content-Type", "application/json"),
                ("Lambda-Runtime-Aws-Request-Id", &id),
                ("Lambda-Runtime-Deadline-Ms", &deadline.as_millis().to_string()),
                ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:authorizer"),
                ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0"),
            ],
            event.as_bytes(),
        );
    }
}

fn collect(
    pipe: impl Read + Send + 'static,
    api: Arc<Api>,
    keep: impl Fn(&mut Heard, String) + Send + 'static,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
            keep(&mut api.heard(), text);
            api.changed.notify_all();
            line.clear();
        }
    })
}
