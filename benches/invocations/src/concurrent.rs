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
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the authorizer did with so many in flight, in microseconds an invocation.
pub(crate) struct Concurrent {
    pub(crate) in_flight: usize,
    /// One run's time, divided by its invocations.
    pub(crate) times: Vec<f64>,
    pub(crate) cpu: Vec<f64>,
}

/// Events to be handed out and answers that came.
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    to_send: usize,
    sent: usize,
    answered: usize,
    fault: Option<String>,
}

pub(crate) fn measure(programs: &[Program], world: &World) -> Result<Vec<Concurrent>, Box<dyn Error>> {
    let Some(program) = programs.iter().find(|program| program.name == OURS) else { return Ok(Vec::new()) };
    let mut rows: Vec<Concurrent> = Vec::new();
    rows.extend(IN_FLIGHT.map(|in_flight| Concurrent { in_flight, times: Vec::new(), cpu: Vec::new() }));
    for _ in 0..RUNS {
        for row in &mut rows {
            run(program, world, row)?;
        }
    }
    Ok(rows)
}

fn run(program: &Program, world: &World, row: &mut Concurrent) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut command = command(program, listener.local_addr()?);
    command.env("AWS_LAMBDA_MAX_CONCURRENCY", row.in_flight.to_string());
    let child = Ended(command.spawn()?);
    let queue = Queue { state: Mutex::default(), changed: Condvar::new() };
    // Leaked, for the threads that outlive this run until their child is gone.
    let (queue, world): (&'static Queue, Vec<String>) =
        (Box::leak(Box::new(queue)), (0..2 * RUN).map(|number| world.token(number).to_owned()).collect());
    let tokens: &'static [String] = Vec::leak(world);
    for _ in 0..row.in_flight {
        let (connection, _) = listener.accept()?;
        thread::spawn(move || {
            if let Err(fault) = serve(connection, queue, tokens) {
                queue.state.lock().unwrap().fault.get_or_insert(fault.to_string());
                queue.changed.notify_all();
            }
        });
    }
    queue.send(RUN)?;
    let (cpu, started) = (cpu_of(&child.0)?, Instant::now());
    queue.send(RUN)?;
    let each = |time: Duration| microseconds(time) / RUN as f64;
    row.times.push(each(started.elapsed()));
    row.cpu.push(each(cpu_of(&child.0)? - cpu));
    Ok(())
}

impl Queue {
    /// Has that many more events handed out, and waits for their answers.
    fn send(&self, events: usize) -> Result<(), String> {
        let mut state = self.state.lock().unwrap();
        state.to_send += events;
        self.changed.notify_all();
        while state.answered < state.to_send && state.fault.is_none() {
            state = self.changed.wait(state).unwrap();
        }
        state.fault.clone().map_or(Ok(()), Err)
    }

    /// The number of the next event, once there is one.
    fn next(&self) -> usize {
        let mut state = self.state.lock().unwrap();
        while state.sent >= state.to_send {
            state = self.changed.wait(state).unwrap();
        }
        state.sent += 1;
        state.sent - 1
    }

    fn answered(&self) {
        let mut state = self.state.lock().unwrap();
        state.answered += 1;
        if state.answered == state.to_send {
            self.changed.notify_all();
        }
    }
}

/// One connection, until the child is gone.
fn serve(mut connection: TcpStream, queue: &Queue, tokens: &[String]) -> Result<(), Box<dyn Error>> {
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut invocation = Invocation::new(tokens[0].len());
    loop {
        match receive_by(&mut connection, &mut buffer) {
            Ok(Request::Next) => {
                let number = queue.next();
                connection.write_all(invocation.with(&tokens[Tokens::NeverSeen.place(number)], number))?;
            }
            Ok(Request::Response(answer)) if answer.starts_with(br#"{"isAuthorized":true"#) => {
                queue.answered();
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

/// A child that is ended when it is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
