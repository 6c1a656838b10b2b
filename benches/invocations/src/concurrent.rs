//! Several invocations in flight at once, as Lambda Managed Instances send them: the
//! child asks for events by as many connections, each served by a thread of its own.

use crate::event::Invocation;
use crate::measure::Tokens;
use crate::options::{IN_FLIGHT, RUN, RUNS};
use crate::process::{command, cpu_of};
use crate::program::{OURS, Program};
use crate::runtime_api::{ACCEPTED, Request, receive_by};
use crate::statistics::microseconds;
use crate::web::World;
use std::error::Error;
use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the authorizer did with so many in flight, in microseconds an invocation.
pub(crate) struct Concurrent {
    pub(crate) in_flight: usize,
    /// One run's time, divided by its invocations.
    pub(crate) times: Vec<f64>,
    pub(crate) cpu: Vec<f64>,
}

/// A child that gets so many invocations at once, until it is dropped.
pub(crate) struct Flight {
    child: Child,
    /// Leaked, for the threads that live on until their child is gone.
    queue: &'static Queue,
}

/// Events to be handed out and answers that came.
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The event of that number carries the token that stands there, counted round.
    tokens: Arc<Vec<String>>,
    to_send: usize,
    sent: usize,
    answered: usize,
    /// From each event to its answer, in microseconds.
    durations: Vec<f64>,
    fault: Option<String>,
}

pub(crate) fn measure(programs: &[Program], world: &World) -> Result<Vec<Concurrent>, Box<dyn Error>> {
    let Some(program) = programs.iter().find(|program| program.name == OURS) else { return Ok(Vec::new()) };
    let tokens: Vec<_> = (0..2 * RUN).map(|number| world.token(Tokens::NeverSeen.place(number)).to_owned()).collect();
    let mut rows: Vec<Concurrent> = Vec::new();
    rows.extend(IN_FLIGHT.map(|in_flight| Concurrent { in_flight, times: Vec::new(), cpu: Vec::new() }));
    for _ in 0..RUNS {
        for row in &mut rows {
            let flight = Flight::start(program, row.in_flight, tokens.clone())?;
            flight.pass(RUN)?;
            let (cpu, started) = (cpu_of(flight.child())?, Instant::now());
            flight.pass(RUN)?;
            let each = |time: Duration| microseconds(time) / RUN as f64;
            row.times.push(each(started.elapsed()));
            row.cpu.push(each(cpu_of(flight.child())? - cpu));
        }
    }
    Ok(rows)
}

impl Flight {
    /// Starts the program with a connection, and a thread that serves it, for each invocation that it takes.
    pub(crate) fn start(program: &Program, in_flight: usize, tokens: Vec<String>) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut command = command(program, listener.local_addr()?);
        command.env("AWS_LAMBDA_MAX_CONCURRENCY", in_flight.to_string());
        let state = State { tokens: Arc::new(tokens), ..State::default() };
        let queue: &'static Queue = Box::leak(Box::new(Queue { state: state.into(), changed: Condvar::new() }));
        let flight = Self { child: command.spawn()?, queue };
        for _ in 0..in_flight {
            let (connection, _) = listener.accept()?;
            thread::spawn(move || {
                if let Err(fault) = serve(connection, queue) {
                    queue.state.lock().unwrap().fault.get_or_insert(fault.to_string());
                    queue.changed.notify_all();
                }
            });
        }
        Ok(flight)
    }

    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    /// Other tokens from now on, of the same length.
    pub(crate) fn use_tokens(&self, tokens: Vec<String>) {
        self.queue.state.lock().unwrap().tokens = Arc::new(tokens);
    }

    /// Has that many more events answered; how long each took.
    pub(crate) fn pass(&self, events: usize) -> Result<Vec<f64>, String> {
        let mut state = self.queue.state.lock().unwrap();
        state.to_send += events;
        self.queue.changed.notify_all();
        while state.answered < state.to_send && state.fault.is_none() {
            state = self.queue.changed.wait(state).unwrap();
        }
        state.fault.clone().map_or_else(|| Ok(std::mem::take(&mut state.durations)), Err)
    }
}

impl Queue {
    /// The number of the next event and its token, once there is one.
    fn next(&self) -> (usize, Arc<Vec<String>>) {
        let mut state = self.state.lock().unwrap();
        while state.sent >= state.to_send {
            state = self.changed.wait(state).unwrap();
        }
        state.sent += 1;
        (state.sent - 1, Arc::clone(&state.tokens))
    }

    fn answered(&self, took: Duration) {
        let mut state = self.state.lock().unwrap();
        state.answered += 1;
        state.durations.push(microseconds(took));
        if state.answered == state.to_send {
            self.changed.notify_all();
        }
    }
}

/// One connection, until the child is gone.
fn serve(mut connection: TcpStream, queue: &Queue) -> Result<(), Box<dyn Error>> {
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut invocation: Option<Invocation> = None;
    let mut sent = Instant::now();
    loop {
        match receive_by(&mut connection, &mut buffer) {
            Ok(Request::Next) => {
                let (number, tokens) = queue.next();
                let token = &tokens[number % tokens.len()];
                let invocation = invocation.get_or_insert_with(|| Invocation::new(token.len()));
                let event = invocation.with(token, number);
                sent = Instant::now();
                connection.write_all(event)?;
            }
            Ok(Request::Response(answer)) if answer.starts_with(br#"{"isAuthorized":true"#) => {
                queue.answered(sent.elapsed());
                connection.write_all(ACCEPTED)?;
            }
            Ok(Request::Response(other) | Request::Failure(other)) => {
                return Err(format!("not the expected answer: {}", String::from_utf8_lossy(other)).into());
            }
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
