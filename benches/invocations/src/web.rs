//! What the programs meet: tokens, and their issuer's JWK Set on loopback.

use crate::token::{self, Signer};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub(crate) struct World {
    tokens: Vec<String>,
    pub(crate) jwks: String,
    pub(crate) jwks_uri: String,
}

impl World {
    pub(crate) fn start(tokens: usize) -> Result<Self, Box<dyn Error>> {
        let signer = Signer::new()?;
        let tokens: Vec<String> = (0..tokens).map(|number| signer.access_token(number)).collect::<Result<_, _>>()?;
        let jwks = token::jwks()?;
        let jwks_uri = format!("http://{}/.well-known/jwks.json", serve(&jwks)?);
        Ok(Self { tokens, jwks, jwks_uri })
    }

    /// The token of that number; there are only so many.
    pub(crate) fn token(&self, number: usize) -> &str {
        &self.tokens[number % self.tokens.len()]
    }
}

/// A JWK Set that can change, and how often it was asked for.
pub(crate) struct Site {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    response: Mutex<String>,
    visits: AtomicUsize,
}

impl Site {
    pub(crate) fn start(document: &str) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { response: Mutex::new(response(document)), visits: AtomicUsize::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                served.visits.fetch_add(1, Ordering::Relaxed);
                let response = served.response.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let _ = connection.and_then(|connection| respond(connection, &response));
            }
        });
        Ok(Self { address, shared })
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}/.well-known/jwks.json", self.address)
    }

    pub(crate) fn publish(&self, document: &str) {
        *self.shared.response.lock().unwrap_or_else(PoisonError::into_inner) = response(document);
    }

    pub(crate) fn visits(&self) -> usize {
        self.shared.visits.load(Ordering::Relaxed)
    }
}

fn response(document: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{document}",
        document.len()
    )
}

/// Serves the document to whoever connects, for as long as the process lives.
fn serve(document: &str) -> std::io::Result<SocketAddr> {
    let response = response(document);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming() {
            // A child that was ended in the midst of a fetch is no concern of others.
            let _ = connection.and_then(|connection| respond(connection, &response));
        }
    });
    Ok(address)
}

fn respond(mut connection: TcpStream, response: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        match connection.read(&mut chunk)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&chunk[..read]),
        }
    }
    connection.write_all(response.as_bytes())
}
