//! A stub of an identity provider's public documents (a JWKS, an OpenID configuration) on loopback.
//! Each path is a page whose behaviour can be changed at any time, and whose visits are counted.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::{self, Then};

/// What a path does when it is asked for.
#[derive(Clone, Debug)]
pub enum Page {
    /// 200 with this body.
    Body(String),
    /// 200 with this body, sent in chunks: no `Content-Length` warns the reader of its size.
    Chunked(String),
    /// This status, with an empty JSON object as its body.
    Status(u16),
    /// This status, with `Location` pointing there and this body.
    Redirect(u16, String, String),
    /// Takes the request and never answers.
    Hang,
    /// Answers 200 and then sends the body a byte at a time, forever slowly.
    Trickle(String),
    /// Closes the connection without an answer.
    HangUp,
    /// Announces this body, sends half of it and closes the connection.
    CutOff(String),
    /// Bytes that are not HTTP.
    Noise,
    /// Waits before it does the other thing.
    After(Duration, Box<Page>),
}

impl Page {
    pub fn json(value: &Value) -> Page {
        Page::Body(value.to_string())
    }
}

/// The stub. Clones are the same server.
#[derive(Clone)]
pub struct Site {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Page>,
    visits: HashMap<String, usize>,
}

impl Site {
    pub fn start() -> Site {
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        let address = http::serve(move |request, stream| {
            let page = {
                let mut state = shared.lock().unwrap();
                *state.visits.entry(request.target.clone()).or_default() += 1;
                state.pages.get(&request.target).cloned().unwrap_or(Page::Status(404))
            };
            show(page, stream)
        });
        Site { address, state }
    }

    /// A site whose `/jwks.json` holds these keys.
    pub fn with_keys(jwks: &Value) -> Site {
        let site = Site::start();
        site.page("/jwks.json", Page::json(jwks));
        site
    }

    /// From now on, `path` does this.
    pub fn page(&self, path: &str, page: Page) {
        self.state.lock().unwrap().pages.insert(path.to_owned(), page);
    }

    /// How often `path` has been asked for.
    pub fn visits(&self, path: &str) -> usize {
        self.state.lock().unwrap().visits.get(path).copied().unwrap_or_default()
    }

    /// How often anything has been asked for.
    pub fn all_visits(&self) -> usize {
        self.state.lock().unwrap().visits.values().sum()
    }

    /// Waits until `path` has been asked for that often.
    #[track_caller]
    pub fn wait_for_visits(&self, path: &str, visits: usize) {
        let started = Instant::now();
        while self.visits(path) < visits {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "`{path}` was asked for {} times, not {visits}",
                self.visits(path)
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A URL on loopback where nothing listens.
pub fn dead_url() -> String {
    // Bound and dropped: the port was free a moment ago, and nothing else here binds fixed ports.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}/jwks.json")
}

fn show(page: Page, stream: &mut std::net::TcpStream) -> Then {
    const JSON: (&str, &str) = ("Content-Type", "application/json");
    match page {
        Page::Body(body) => http::respond(stream, 200, &[JSON], body.as_bytes()),
        Page::Chunked(body) => {
            let _ = stream.write_all(b"HTTP/1.1 200 Stub\r\nTransfer-Encoding: chunked\r\n\r\n");
            for chunk in body.as_bytes().chunks(16 * 1024) {
                let sent = stream
                    .write_all(format!("{:x}\r\n", chunk.len()).as_bytes())
                    .and_then(|()| stream.write_all(chunk))
                    .and_then(|()| stream.write_all(b"\r\n"));
                if sent.is_err() {
                    return Then::Close;
                }
            }
            let _ = stream.write_all(b"0\r\n\r\n");
        }
        Page::Status(status) => http::respond(stream, status, &[JSON], b"{}"),
        Page::Redirect(status, location, body) => {
            http::respond(stream, status, &[JSON, ("Location", &location)], body.as_bytes());
        }
        Page::Hang => thread::sleep(Duration::from_secs(3600)),
        Page::Trickle(body) => {
            let head = format!("HTTP/1.1 200 Stub\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes());
            for byte in body.as_bytes() {
                if stream.write_all(&[*byte]).is_err() {
                    return Then::Close;
                }
                thread::sleep(Duration::from_millis(100));
            }
        }
        Page::HangUp => return Then::Close,
        Page::CutOff(body) => {
            let half = &body.as_bytes()[..body.len() / 2];
            let head = format!("HTTP/1.1 200 Stub\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), half].concat());
            return Then::Close;
        }
        Page::Noise => {
            let _ = stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n");
            return Then::Close;
        }
        Page::After(delay, page) => {
            thread::sleep(delay);
            return show(*page, stream);
        }
    }
    Then::KeepOpen
}
