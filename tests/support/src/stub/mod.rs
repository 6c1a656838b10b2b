//! A stub of all that a live check can ask, on one loopback address. Each operation has an answer that can be changed at
//! any time; every request is kept.

pub mod cognito;
pub mod dynamodb;
pub mod oauth;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::http::{self, Request, Then};

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, headers: Vec::new(), body: body.into() }
    }

    pub fn json(status: u16, body: &Value) -> Reply {
        Reply::new(status, body.to_string()).header("Content-Type", "application/json")
    }

    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What an operation does when it is asked.
#[derive(Clone)]
pub enum Answer {
    Reply(Reply),
    /// What a working service would say to this very request.
    Worked(Arc<dyn Fn(&Request) -> Reply + Send + Sync>),
    /// Answers, and closes the connection without having said that it would.
    ThenClosed(Reply),
    /// Waits before it does the other thing.
    After(Duration, Box<Answer>),
    /// Takes the request and never answers.
    Hang,
    /// Closes the connection without an answer.
    HangUp,
    /// Resets the connection without an answer.
    Reset,
    /// Sends half of the body that was announced, then closes.
    CutShort(Reply),
    /// Sends half of the body that was announced, then resets.
    ResetInBody(Reply),
    /// Sends the head and then a byte of the body now and then.
    Trickle(Reply),
    /// Sends the body, in chunks, over and over.
    Endless(Reply),
    /// Bytes that are not HTTP.
    Noise,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        Answer::Reply(reply)
    }
}

impl Answer {
    pub fn after(self, delay: Duration) -> Answer {
        Answer::After(delay, Box::new(self))
    }
}

/// The stub. Clones are the same server. An operation is the name in `X-Amz-Target`, else the path.
#[derive(Clone)]
pub struct Stub {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answers: HashMap<String, VecDeque<Answer>>,
    requests: Vec<(String, Arc<Request>)>,
}

impl Stub {
    pub fn start() -> Stub {
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        let address = http::serve(move |request, stream| {
            let request = Arc::new(request);
            let answer = {
                let mut state = shared.lock().unwrap();
                let operation = operation_of(&request);
                state.requests.push((operation.clone(), Arc::clone(&request)));
                let answers = state.answers.entry(operation).or_default();
                // The last one stays.
                if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
            };
            send(answer.unwrap_or(Reply::new(404, "{}").into()), &request, stream)
        });
        Stub { address, state }
    }

    /// From now on, the operation does this.
    pub fn answer(&self, operation: &str, answer: impl Into<Answer>) {
        self.answers(operation, [answer.into()]);
    }

    /// From now on, the operation does these things one after the other, and then the last one.
    pub fn answers(&self, operation: &str, answers: impl IntoIterator<Item = Answer>) {
        self.state().answers.insert(operation.to_owned(), answers.into_iter().collect());
    }

    /// How often the operation was asked.
    pub fn calls(&self, operation: &str) -> usize {
        self.requests(operation).len()
    }

    /// How often anything was asked.
    pub fn all_calls(&self) -> usize {
        self.state().requests.len()
    }

    pub fn requests(&self, operation: &str) -> Vec<Arc<Request>> {
        let state = self.state();
        state.requests.iter().filter(|(name, _)| name == operation).map(|(_, request)| Arc::clone(request)).collect()
    }

    pub fn last_request(&self, operation: &str) -> Arc<Request> {
        self.requests(operation).pop().unwrap_or_else(|| panic!("`{operation}` was never asked"))
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stub({})", self.address)
    }
}

fn operation_of(request: &Request) -> String {
    let target = request.header("x-amz-target").and_then(|target| target.split_once('.'));
    let path = request.target.split('?').next().unwrap_or_default();
    target.map_or(path, |(_, operation)| operation).to_owned()
}

fn send(answer: Answer, request: &Request, stream: &mut TcpStream) -> Then {
    match answer {
        Answer::Reply(reply) => respond(stream, &reply),
        Answer::Worked(work) => respond(stream, &work(request)),
        Answer::ThenClosed(reply) => {
            respond(stream, &reply);
            return Then::Close;
        }
        Answer::After(delay, answer) => {
            thread::sleep(delay);
            return send(*answer, request, stream);
        }
        Answer::Hang => thread::sleep(Duration::from_secs(3600)),
        Answer::HangUp => return Then::Close,
        Answer::Reset => return reset(stream),
        Answer::CutShort(reply) => {
            half(stream, &reply);
            return Then::Close;
        }
        Answer::ResetInBody(reply) => {
            half(stream, &reply);
            // What was sent should arrive before the reset does.
            thread::sleep(Duration::from_millis(20));
            return reset(stream);
        }
        Answer::Trickle(reply) => {
            let _ = stream.write_all(head(&reply, &format!("Content-Length: {}", reply.body.len())).as_bytes());
            for byte in reply.body {
                if stream.write_all(&[byte]).is_err() {
                    return Then::Close;
                }
                thread::sleep(Duration::from_millis(100));
            }
        }
        Answer::Endless(reply) => {
            let _ = stream.write_all(head(&reply, "Transfer-Encoding: chunked").as_bytes());
            let mut chunk = format!("{:x}\r\n", reply.body.len()).into_bytes();
            chunk.extend_from_slice(&reply.body);
            chunk.extend_from_slice(b"\r\n");
            while stream.write_all(&chunk).is_ok() {
                thread::sleep(Duration::from_millis(1));
            }
            return Then::Close;
        }
        Answer::Noise => {
            let _ = stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n");
            return Then::Close;
        }
    }
    Then::KeepOpen
}

fn respond(stream: &mut TcpStream, reply: &Reply) {
    let headers: Vec<(&str, &str)> =
        reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    http::respond(stream, reply.status, &headers, &reply.body);
}

fn head(reply: &Reply, length: &str) -> String {
    let headers: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {} Stub\r\n{length}\r\n{headers}\r\n", reply.status)
}

fn half(stream: &mut TcpStream, reply: &Reply) {
    let _ = stream.write_all(head(reply, &format!("Content-Length: {}", reply.body.len())).as_bytes());
    let _ = stream.write_all(&reply.body[..reply.body.len() / 2]);
}

/// Closes with an RST: the standard library cannot ask for that, tokio can.
fn reset(stream: &TcpStream) -> Then {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _context = runtime.enter();
    let twin = stream.try_clone().unwrap();
    twin.set_nonblocking(true).unwrap();
    tokio::net::TcpStream::from_std(twin).unwrap().set_zero_linger().unwrap();
    Then::Close
}
