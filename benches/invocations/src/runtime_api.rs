//! The Lambda Runtime API for one child: one `read` and one `write` for each of its
//! two requests per invocation, in the order in which they come.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// What a child asks of the Runtime API.
#[derive(Debug)]
pub(crate) enum Request<'a> {
    /// For the next event.
    Next,
    /// To take an answer.
    Response(&'a [u8]),
    /// To take something else: an error.
    Failure(&'a [u8]),
}

pub(crate) struct RuntimeApi {
    listener: TcpListener,
    connections: Vec<TcpStream>,
    /// The connection that the last request came by, which the next one will most
    /// likely come by too.
    active: usize,
    buffer: Vec<u8>,
}

impl RuntimeApi {
    pub(crate) fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, connections: Vec::new(), active: 0, buffer: vec![0; 64 * 1024] })
    }

    pub(crate) fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers the last request.
    pub(crate) fn send(&mut self, response: &[u8]) -> Result<()> {
        match self.connections.get_mut(self.active) {
            Some(connection) => connection.write_all(response),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }

    /// Waits for the next request.
    pub(crate) fn receive(&mut self) -> Result<Request<'_>> {
        let mut filled = 0;
        let body = loop {
            filled += self.read(filled)?;
            if let Some(body) = body_of(&self.buffer[..filled]) {
                break body;
            }
        };
        Ok(request(&self.buffer, body))
    }

    fn read(&mut self, filled: usize) -> Result<usize> {
        loop {
            let read = match self.connections.get_mut(self.active) {
                Some(connection) => connection.read(&mut self.buffer[filled..]),
                None => Err(ErrorKind::WouldBlock.into()),
            };
            match read {
                Ok(0) => drop(self.connections.remove(self.active)),
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            self.look_elsewhere()?;
        }
    }

    /// Finds the connection that has something to say. Needed for the first request
    /// and where a client opens a second connection.
    fn look_elsewhere(&mut self) -> Result<()> {
        let mut sockets: Vec<_> =
            self.connections.iter().map(|connection| PollFd::new(connection, PollFlags::IN)).collect();
        sockets.push(PollFd::new(&self.listener, PollFlags::IN));
        let patience = Timespec { tv_sec: 10, tv_nsec: 0 };
        if poll(&mut sockets, Some(&patience))? == 0 {
            return Err(Error::new(ErrorKind::TimedOut, "the program asks for nothing"));
        }
        match sockets.iter().position(|socket| !socket.revents().is_empty()) {
            Some(ready) if ready < self.connections.len() => self.active = ready,
            _ => {
                let (connection, _) = self.listener.accept()?;
                connection.set_nonblocking(false)?;
                connection.set_nodelay(true)?;
                // Costs nothing per read, and ends the wait for one that comes elsewhere.
                connection.set_read_timeout(Some(Duration::from_millis(20)))?;
                self.active = self.connections.len();
                self.connections.push(connection);
            }
        }
        Ok(())
    }
}

/// The next request that comes by one connection, whose bytes `buffer` takes.
pub(crate) fn receive_by<'b>(connection: &mut TcpStream, buffer: &'b mut [u8]) -> Result<Request<'b>> {
    let mut filled = 0;
    loop {
        match connection.read(&mut buffer[filled..])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
        if let Some(body) = body_of(&buffer[..filled]) {
            return Ok(request(buffer, body));
        }
    }
}

fn request(buffer: &[u8], body: std::ops::Range<usize>) -> Request<'_> {
    let line = &buffer[..body.start];
    match line {
        _ if line.starts_with(b"GET ") => Request::Next,
        _ if is_response(line) => Request::Response(&buffer[body]),
        _ => Request::Failure(&buffer[body]),
    }
}

/// Where the body of a complete request is.
fn body_of(request: &[u8]) -> Option<std::ops::Range<usize>> {
    // A request without a body, and most with one, come in one read: look at the end first.
    let start = match request {
        [.., b'\r', b'\n', b'\r', b'\n'] if request.starts_with(b"GET ") => request.len(),
        _ => request.windows(4).position(|four| four == b"\r\n\r\n")? + 4,
    };
    let length = if request.starts_with(b"GET ") { 0 } else { content_length(&request[..start])? };
    (request.len() >= start + length).then_some(start..start + length)
}

fn content_length(head: &[u8]) -> Option<usize> {
    let lines = head.split(|byte| *byte == b'\n');
    let mut values = lines.filter_map(|line| {
        let (name, value) = line.split_at_checked(b"content-length:".len())?;
        name.eq_ignore_ascii_case(b"content-length:").then_some(value)
    });
    std::str::from_utf8(values.next()?).ok()?.trim().parse().ok()
}

fn is_response(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.strip_suffix(b" HTTP/1.1").is_some_and(|line| line.ends_with(b"/response"))
}

/// What the Runtime API says to an answer.
pub(crate) const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n\
    Date: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n";
