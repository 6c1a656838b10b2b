//! The Runtime API at its edges, served by a script: what emulators and a bad day do differently from Lambda.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::config::any_valid_token;
use crate::events::Kind;
use crate::http::{self, Request, Then};
use crate::runtime_api::{Function, Setup};

/// What is said to the next who asks for an invocation.
enum Next {
    Event(&'static str, Kind),
    Status(u16),
}

/// A Runtime API that has so many things to say and is silent thereafter, and the function that it speaks to.
struct Script {
    seen: Arc<Mutex<Vec<Request>>>,
    function: Function,
}

impl Script {
    fn play(base: &str, next: impl IntoIterator<Item = Next>, taken: u16, then: fn() -> Then) -> Script {
        let setup = Setup::config(&any_valid_token("http://127.0.0.1:1/jwks.json"));
        Script::play_to(setup, base, next, taken, then)
    }

    fn play_to(
        setup: Setup,
        base: &str,
        next: impl IntoIterator<Item = Next>,
        taken: u16,
        then: fn() -> Then,
    ) -> Script {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (heard, next) = (Arc::clone(&seen), Arc::new(Mutex::new(next.into_iter().collect::<VecDeque<_>>())));
        let address = http::serve(move |request, stream| {
            let is_next = request.target.ends_with("/invocation/next");
            heard.lock().unwrap().push(request);
            if !is_next {
                http::respond(stream, taken, &[], b"{\"status\":\"OK\"}");
                return then();
            }
            let said = next.lock().unwrap().pop_front();
            match said {
                Some(Next::Event(id, kind)) => {
                    let headers = [
                        ("Lambda-Runtime-Aws-Request-Id", id),
                        ("Lambda-Runtime-Invocation-Id", "wire-1"),
                        ("Lambda-Runtime-Deadline-Ms", "1"),
                    ];
                    let event = kind.event_without_token("GET", "/items").to_string();
                    http::respond(stream, 200, &headers, event.as_bytes());
                }
                Some(Next::Status(status)) => http::respond(stream, status, &[], b""),
                None => loop {
                    thread::park();
                },
            }
            then()
        });
        let address = if base.is_empty() { address.to_string() } else { format!("http://{address}{base}") };
        Script { seen, function: setup.env("AWS_LAMBDA_RUNTIME_API", &address).start() }
    }

    /// The first `count` requests, as method and path.
    #[track_caller]
    fn requests(&self, count: usize) -> Vec<String> {
        wait_for("the requests", || self.seen.lock().unwrap().len() >= count);
        self.seen.lock().unwrap().iter().take(count).map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }

    fn has_said(&self, message: &str) -> bool {
        let is_it = |line: &String| serde_json::from_str::<Value>(line).is_ok_and(|line| line["message"] == message);
        self.function.stdout().iter().any(is_it)
    }
}

#[track_caller]
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what} did not come");
        thread::sleep(Duration::from_millis(2));
    }
}

fn kept() -> Then {
    Then::KeepOpen
}

fn closed() -> Then {
    Then::Close
}

const NEXT: &str = "GET /2018-06-01/runtime/invocation/next";

#[test]
fn a_url_with_a_path_is_an_address_as_emulators_give_it() {
    let script = Script::play("/.rt/", [Next::Event("a", Kind::RestRequest)], 202, kept);
    let requests = script.requests(3);
    let expected = ["GET", "POST", "GET"].into_iter().zip(["next", "a/error", "next"]);
    let expected = expected.map(|(method, path)| format!("{method} /.rt/2018-06-01/runtime/invocation/{path}"));
    assert_eq!(requests, expected.collect::<Vec<_>>());
}

#[test]
fn where_there_is_nothing_yet_it_is_asked_again() {
    let script = Script::play("", [Next::Status(204), Next::Status(204), Next::Event("a", Kind::Http2)], 202, kept);
    assert_eq!(script.requests(4), [NEXT, NEXT, NEXT, "POST /2018-06-01/runtime/invocation/a/response"]);
}

#[test]
fn a_connection_that_was_closed_in_between_fails_no_invocation() {
    let events = ["a", "b", "c"].map(|id| Next::Event(id, Kind::Http2));
    let script = Script::play("", events, 202, closed);
    let answered: Vec<_> = script.requests(7).into_iter().filter(|request| request != NEXT).collect();
    assert_eq!(answered, ["a", "b", "c"].map(|id| format!("POST /2018-06-01/runtime/invocation/{id}/response")));
}

#[test]
fn the_answer_repeats_the_id_by_which_the_invocation_came() {
    let script = Script::play("", [Next::Event("a", Kind::Http2), Next::Event("b", Kind::RestToken)], 202, kept);
    let requests = script.requests(4);
    assert!(requests[1].ends_with("a/response") && requests[3].ends_with("b/error"), "{requests:?}");
    let seen = script.seen.lock().unwrap();
    let header = |at: usize, name| seen[at].header(name).unwrap_or("none");
    assert_eq!([1, 3].map(|at| header(at, "lambda-runtime-invocation-id")), ["wire-1", "wire-1"]);
    assert_eq!([1, 3].map(|at| header(at, "lambda-runtime-function-error-type")), ["none", "unhandled"]);
}

#[test]
fn an_answer_that_is_not_taken_is_told_and_the_next_invocation_is_served() {
    for status in [400, 410, 413, 500] {
        let script = Script::play("", ["a", "b"].map(|id| Next::Event(id, Kind::Http2)), status, kept);
        assert!(script.requests(4)[3].ends_with("b/response"));
        wait_for("`response_rejected`", || script.has_said("response_rejected"));
    }
}

#[test]
fn a_runtime_api_that_fails_ends_the_process() {
    for status in [400, 403, 500] {
        let script = Script::play("", [Next::Status(status)], 202, kept);
        wait_for("the end of the process", || !script.function.is_running());
        script.function.end();
        assert!(script.has_said("runtime_failed"), "{status}");
    }
}

#[test]
fn a_process_that_is_snapped_is_told_when_it_was_restored_before_it_is_given_an_invocation() {
    let setup = Setup::config(&any_valid_token("http://127.0.0.1:1/jwks.json"));
    let setup = setup.env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start");
    let script = Script::play_to(setup, "", [Next::Event("a", Kind::Http2)], 202, kept);
    let expected = ["GET /2018-06-01/runtime/restore/next", NEXT, "POST /2018-06-01/runtime/invocation/a/response"];
    assert_eq!(script.requests(3), expected);
}

#[test]
fn what_is_no_address_stops_the_start() {
    for address in ["", "https://127.0.0.1:1", "http://", "a b"] {
        let function = Setup::config(&any_valid_token("none")).env("AWS_LAMBDA_RUNTIME_API", address).start();
        wait_for("the end of the process", || !function.is_running());
        function.end();
        assert!(function.stdout().iter().any(|line| line.contains("start_failed")), "{address:?}");
    }
}
