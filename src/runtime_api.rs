//! The Lambda Runtime API for a process that serves one invocation at a time: HTTP/1.1
//! by one connection to this machine.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
//!
//! The loop of `lambda_runtime` sets `_X_AMZN_TRACE_ID` anew for each invocation, and
//! glibc never frees a value that a variable once had: 170 bytes stay of each, until a
//! busy process ends for want of memory (`make soak`). It also takes about a seventh longer.
//! What that library alone can do, several invocations at once and SnapStart, it does.

use cognito_authorizer::config::Faults;
use cognito_authorizer::gateway::Answer;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::time::Duration;
use tokio::net::TcpStream;

/// Why the process cannot go on.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// The Runtime API, and the connection to it.
pub(crate) struct RuntimeApi {
    /// Host and port.
    authority: String,
    host: HeaderValue,
    /// What every path begins with.
    base: String,
    connection: Option<Connection>,
}

type Connection = SendRequest<Full<Bytes>>;

/// One invocation: what happened, and how its answer is addressed.
pub(crate) struct Invocation {
    pub(crate) event: Bytes,
    pub(crate) request_id: String,
    trace: Option<HeaderValue>,
    /// Echoed, so that an answer which comes too late is not taken for another's.
    id: Option<HeaderValue>,
}

impl Invocation {
    /// Its X-Ray trace header.
    pub(crate) fn trace(&self) -> Option<&str> {
        self.trace.as_ref().and_then(|trace| trace.to_str().ok())
    }
}

impl RuntimeApi {
    /// At this address: host and port as Lambda gives them, or a URL as emulators do.
    pub(crate) fn at(address: &str) -> Result<Self, Error> {
        let url: Uri = if address.contains("://") { address.parse() } else { format!("http://{address}").parse() }?;
        let host = url.host().filter(|_| url.scheme_str() == Some("http"));
        let host = host.ok_or("AWS_LAMBDA_RUNTIME_API is no address")?;
        let authority = format!("{host}:{}", url.port_u16().unwrap_or(80));
        let base = format!("{}/2018-06-01/runtime", url.path().trim_end_matches('/'));
        Ok(Self { host: HeaderValue::from_str(&authority)?, authority, base, connection: None })
    }

    /// Waits for the next invocation.
    pub(crate) async fn next(&mut self) -> Result<Invocation, Error> {
        loop {
            let call = Call { method: Method::GET, path: "invocation/next", ..Call::default() };
            let (parts, body) = self.send(&call).await?.into_parts();
            let event = body.collect().await?.to_bytes();
            match parts.status {
                StatusCode::OK => {
                    let request_id = parts.headers.get(&REQUEST_ID).ok_or("an invocation without a request id")?;
                    let request_id = request_id.to_str()?.to_owned();
                    let [trace, id] = [&TRACE_ID, &INVOCATION_ID].map(|name| parts.headers.get(name).cloned());
                    return Ok(Invocation { event, request_id, trace, id });
                }
                // Emulators: nothing yet.
                StatusCode::NO_CONTENT => tokio::time::sleep(Duration::from_millis(10)).await,
                status => return Err(format!("the Runtime API has no invocation: {status}").into()),
            }
        }
    }

    /// Answers an invocation. An answer that is not taken is told in the log: the next one may be.
    pub(crate) async fn answer(&mut self, invocation: &Invocation, answer: Answer) -> Result<(), Error> {
        let (to, error_type, body) = match answer {
            Answer::Result(text) => ("response", None, text),
            Answer::Failure { error_type, error_message } => {
                let body = json!({ "errorType": error_type, "errorMessage": error_message });
                ("error", Some("unhandled"), body.to_string())
            }
        };
        let path = format!("invocation/{}/{to}", invocation.request_id);
        let id = invocation.id.as_ref();
        let response =
            self.send(&Call { method: Method::POST, path: &path, error_type, id, body: body.into() }).await?;
        let status = response.status();
        // To its end, so that the connection can be used again.
        response.into_body().collect().await?;
        if !status.is_success() {
            tracing::error!(
                message = "response_rejected",
                status = status.as_u16(),
                request_id = invocation.request_id
            );
        }
        Ok(())
    }

    /// Says that the function cannot start. Gives up after a second, since the exit status says it too.
    pub(crate) async fn init_error(&mut self, faults: &Faults) -> Result<(), Error> {
        let body = json!({ "errorType": BAD_CONFIGURATION, "errorMessage": faults.to_string(), "stackTrace": [] });
        let (error_type, body) = (Some(BAD_CONFIGURATION), body.to_string().into());
        let call = Call { method: Method::POST, path: "init/error", error_type, id: None, body };
        tokio::time::timeout(Duration::from_secs(1), self.send(&call)).await??;
        Ok(())
    }

    /// By the connection that there is, or by a new one where that has been closed. An answer that was taken
    /// and then comes again is refused, and nothing else.
    async fn send(&mut self, call: &Call<'_>) -> Result<Response<Incoming>, Error> {
        if let Some(connection) = &mut self.connection
            && connection.ready().await.is_ok()
            && let Ok(response) = connection.send_request(call.request(&self.base, &self.host)?).await
        {
            return Ok(response);
        }
        let connection = self.connection.insert(connect(&self.authority).await?);
        Ok(connection.send_request(call.request(&self.base, &self.host)?).await?)
    }
}

/// What is said to the Runtime API.
#[derive(Default)]
struct Call<'a> {
    method: Method,
    path: &'a str,
    error_type: Option<&'static str>,
    id: Option<&'a HeaderValue>,
    body: Bytes,
}

impl Call<'_> {
    fn request(&self, base: &str, host: &HeaderValue) -> Result<Request<Full<Bytes>>, Error> {
        let mut request = Request::new(Full::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = format!("{base}/{}", self.path).parse()?;
        let mut set = |name, value| request.headers_mut().insert(name, value);
        set(HOST, host.clone());
        set(USER_AGENT, HeaderValue::from_static(concat!("cognito-authorizer/", env!("CARGO_PKG_VERSION"))));
        if self.method == Method::POST {
            set(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(error_type) = self.error_type {
            set(ERROR_TYPE, HeaderValue::from_static(error_type));
        }
        if let Some(id) = self.id {
            set(INVOCATION_ID, id.clone());
        }
        Ok(request)
    }
}

async fn connect(authority: &str) -> Result<Connection, Error> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Its end shows in the next request.
    tokio::spawn(connection);
    Ok(sender)
}

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const BAD_CONFIGURATION: &str = "Runtime.BadConfiguration";
