//! The local server: HTTP/1.1 on 127.0.0.1 for this machine's own programs and pages.
//!
//! A page from elsewhere must not reach it. A request has to name this server in `Host`, which a rebound DNS name does
//! not (CWE-350), and in `Origin` where it has one; the playground's API also wants the session's key.

use super::api;
use super::issuers;
use super::page;
use super::session::Session;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// A request that was read to its end.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into() }
    }

    pub(crate) fn json(status: StatusCode, json: &serde_json::Value) -> Self {
        Self::new(status, "application/json", json.to_string())
    }

    /// A refusal in words.
    pub(crate) fn refused(status: StatusCode, why: &'static str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", why)
    }
}

impl Call {
    /// A header's value, where it is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok();
        if values.next().is_some() { None } else { value }
    }
}

/// Listens on that port of 127.0.0.1 and nowhere else; port 0 is one that is free.
///
/// # Errors
/// A port that is taken.
pub(crate) async fn listen(port: u16) -> Result<(TcpListener, u16), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = listener.map_err(|error| {
        format!(
            "cannot listen on 127.0.0.1:{port}: {error}; is an `authctl dev` running already? Choose another `--port`"
        )
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok((listener, address.port()))
}

/// Answers for as long as the process lives.
pub(crate) async fn serve(listener: TcpListener, session: Arc<Session>) {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        // A connection that failed before it was taken says nothing of the next one.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let session = Arc::clone(&session);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let session = Arc::clone(&session);
                async move { Ok::<_, Infallible>(respond(request, &session).await) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
            // A client that hung up needs no answer.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
            drop(permit);
        });
    }
}

async fn respond(request: Request<Incoming>, session: &Session) -> Response<Full<Bytes>> {
    let reply = match read(request, session.settings.port).await {
        Ok(call) => answer(&call, session),
        Err(refusal) => refusal,
    };
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Who asks is checked before the body is read.
async fn read(request: Request<Incoming>, port: u16) -> Result<Call, Reply> {
    let (head, body) = request.into_parts();
    admit(&head.headers, port)?;
    let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await;
    let body = match read {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Err(Reply::refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or broken\n")),
        Err(_) => return Err(Reply::refused(StatusCode::REQUEST_TIMEOUT, "the body did not come in time\n")),
    };
    Ok(Call { method: head.method, path: head.uri.path().to_owned(), headers: head.headers, body })
}

/// Whether the request was meant for this server, and by a page of its own where a page sent it.
fn admit(headers: &HeaderMap, port: u16) -> Result<(), Reply> {
    let one = |name| {
        let mut values = headers.get_all(name).iter();
        (values.next().map(|value| value.to_str().unwrap_or_default()), values.next().is_some())
    };
    let is_here = |authority: &str| {
        let (host, number) = authority.rsplit_once(':').unwrap_or((authority, "80"));
        (host == "127.0.0.1" || host.eq_ignore_ascii_case("localhost")) && number.parse() == Ok(port)
    };
    match one(HOST) {
        (Some(host), false) if is_here(host) => {}
        _ => return Err(Reply::refused(StatusCode::MISDIRECTED_REQUEST, "this server is 127.0.0.1 alone\n")),
    }
    match one(ORIGIN) {
        (None, _) => Ok(()),
        (Some(origin), false) if origin.strip_prefix("http://").is_some_and(is_here) => Ok(()),
        (Some(_), _) => Err(Reply::refused(StatusCode::FORBIDDEN, "a page from elsewhere may not ask\n")),
    }
}

fn answer(call: &Call, session: &Session) -> Reply {
    if call.path.starts_with("/api/") {
        return api::answer(call, session);
    }
    page::answer(call).unwrap_or_else(|| issuers::answer(call, session))
}

/// The address of a server on that port.
pub(crate) fn base(port: u16) -> String {
    format!("http://{}", SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// Nothing is loaded from elsewhere, no page shows this one in a frame, and no script comes to be out of text.
const SECURITY_HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A page opens six, the function a few.
const MOST_CONNECTIONS: usize = 64;

/// The least that hyper takes is 8 KiB.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Two configurations, tests and an event.
const MAX_BODY_BYTES: usize = 1024 * 1024;

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

const BODY_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn status(headers: &[(&'static str, &'static str)]) -> Option<u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        admit(&map, 9002).err().map(|reply| reply.status.as_u16())
    }

    #[test]
    fn only_requests_that_name_this_server_are_admitted() {
        for host in ["127.0.0.1:9002", "localhost:9002", "LOCALHOST:9002"] {
            assert_eq!(status(&[("host", host)]), None, "{host}");
        }
        for host in [
            "",
            "127.0.0.1",
            "localhost",
            "127.0.0.1:9003",
            "evil.example:9002",
            "evil.example",
            "127.0.0.1.evil.example:9002",
            "127.0.0.1:9002.evil.example",
            "127.0.0.2:9002",
            "[::1]:9002",
            "0.0.0.0:9002",
            "localhost.:9002",
            "127.0.0.1:9002 ",
            "evil@127.0.0.1:9002",
        ] {
            assert_eq!(status(&[("host", host)]), Some(421), "{host}");
        }
        assert_eq!(status(&[]), Some(421));
        assert_eq!(status(&[("host", "127.0.0.1:9002"), ("host", "127.0.0.1:9002")]), Some(421));
    }

    #[test]
    fn only_a_page_of_this_server_may_ask() {
        let with = |origin| status(&[("host", "localhost:9002"), ("origin", origin)]);
        for origin in ["http://127.0.0.1:9002", "http://localhost:9002"] {
            assert_eq!(with(origin), None, "{origin}");
        }
        for origin in [
            "null",
            "",
            "https://127.0.0.1:9002",
            "http://127.0.0.1",
            "http://127.0.0.1:9003",
            "http://evil.example",
            "http://evil.example:9002",
            "http://127.0.0.1:9002/",
            "http://127.0.0.1:9002@evil.example",
        ] {
            assert_eq!(with(origin), Some(403), "{origin}");
        }
        let twice =
            [("host", "localhost:9002"), ("origin", "http://localhost:9002"), ("origin", "http://localhost:9002")];
        assert_eq!(status(&twice), Some(403));
    }
}
