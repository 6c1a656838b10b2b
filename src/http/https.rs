//! The one HTTP client: HTTPS with the bundled Mozilla roots, no redirects, a cap
//! on the body, a deadline on the whole.
//!
//! Built on the first request: a function whose keys come from a file never pays
//! for TLS. Connections are not kept, since a frozen function would find them dead.

use super::address::Address;
use super::outage::Outage;
use crate::printable::printable;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::TokioExecutor;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// An HTTP client that is built when it is first used.
#[derive(Default)]
pub struct HttpsClient {
    client: OnceLock<Client>,
}

/// What is asked for.
pub(crate) struct Exchange<'a> {
    pub(crate) address: &'a Address,
    pub(crate) authorization: Option<HeaderValue>,
    /// A form to post; without one the request is a GET.
    pub(crate) form: Option<String>,
    /// The largest body that is read.
    pub(crate) max_bytes: usize,
    /// How long all of it may take.
    pub(crate) timeout: Duration,
}

/// What came back: no redirect, and within the limits.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) www_authenticate: Option<String>,
    pub(crate) body: Bytes,
}

/// Why nothing usable came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The metadata of another issuer.
    AnotherIssuer {
        /// The issuer that it names.
        named: Box<str>,
        /// The issuer that it should name.
        expected: Arc<str>,
    },
    /// More bytes than allowed.
    BodyTooLarge,
    /// The connection broke.
    Connection,
    /// No connection was made: nothing was sent.
    NotConnected,
    /// A redirect; it is not followed.
    Redirect,
    /// Another status than is useful.
    Status(u16),
    /// Not within the time.
    TimedOut,
    /// An answer that makes no sense; fixed words say why.
    Unusable(&'static str),
}

impl FetchError {
    /// What this means for the endpoint.
    pub(crate) fn outage(self) -> Outage {
        match self {
            FetchError::AnotherIssuer { .. }
            | FetchError::BodyTooLarge
            | FetchError::Redirect
            | FetchError::Status(_)
            | FetchError::Unusable(_) => Outage::answered(self.to_string()),
            FetchError::Connection | FetchError::TimedOut => Outage::lost(self.to_string()),
            FetchError::NotConnected => Outage::unreachable(self.to_string()),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::AnotherIssuer { named, expected } => {
                write!(
                    f,
                    "the metadata names the issuer `{}`, expected `{expected}`",
                    printable(named, MAX_SHOWN_CHARACTERS)
                )
            }
            FetchError::BodyTooLarge => f.write_str("the body is too large"),
            FetchError::Connection => f.write_str("the connection broke"),
            FetchError::NotConnected => f.write_str("no connection"),
            FetchError::Redirect => f.write_str("redirects are not followed"),
            FetchError::Status(status) => write!(f, "status {status}"),
            FetchError::TimedOut => f.write_str("timed out"),
            FetchError::Unusable(why) => f.write_str(why),
        }
    }
}

impl HttpsClient {
    /// Fetches a document of at most `max_bytes` within `timeout`.
    ///
    /// # Errors
    /// [`FetchError`]; whatever is not a 200 with a body within the limits.
    pub(crate) async fn get(
        &self,
        address: &Address,
        max_bytes: usize,
        timeout: Duration,
    ) -> Result<Bytes, FetchError> {
        let exchange = Exchange { address, authorization: None, form: None, max_bytes, timeout };
        match self.exchange(exchange).await? {
            Reply { status: 200, body, .. } => Ok(body),
            Reply { status, .. } => Err(FetchError::Status(status)),
        }
    }

    /// Makes one request and reads its answer, whatever its status.
    ///
    /// # Errors
    /// [`FetchError`] for a redirect, and where no answer came within the limits.
    pub(crate) async fn exchange(&self, exchange: Exchange<'_>) -> Result<Reply, FetchError> {
        let Exchange { address, authorization, form, max_bytes, timeout } = exchange;
        let mut request = Request::new(SdkBody::empty());
        *request.uri_mut() = address.uri().clone();
        let mut set = |name: HeaderName, value: HeaderValue| request.headers_mut().insert(name, value);
        set(header::ACCEPT, HeaderValue::from_static("application/json"));
        set(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        if let Some(mut authorization) = authorization {
            authorization.set_sensitive(true);
            set(header::AUTHORIZATION, authorization);
        }
        if let Some(form) = form {
            set(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            *request.method_mut() = Method::POST;
            *request.body_mut() = SdkBody::from(form);
        }
        let connection = capture_connection(&mut request);
        let answer = async {
            let response =
                self.client().request(request).await.map_err(|error| {
                    if error.is_connect() { FetchError::NotConnected } else { FetchError::Connection }
                })?;
            let status = response.status();
            if status.is_redirection() {
                return Err(FetchError::Redirect);
            }
            let www_authenticate = response.headers().get(header::WWW_AUTHENTICATE);
            let www_authenticate = www_authenticate.and_then(|value| value.to_str().ok()).map(str::to_owned);
            let body = Limited::new(response.into_body(), max_bytes).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() { FetchError::BodyTooLarge } else { FetchError::Connection }
            })?;
            Ok(Reply { status: status.as_u16(), www_authenticate, body: body.to_bytes() })
        };
        tokio::time::timeout(timeout, answer).await.unwrap_or_else(|_| {
            let is_connected = connection.connection_metadata().is_some();
            Err(if is_connected { FetchError::TimedOut } else { FetchError::NotConnected })
        })
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| client(0))
    }
}

/// The one kind of HTTP client that there is here. Bodies are of the AWS clients' type,
/// since each other type of body would be a further copy of all of its code.
pub(crate) type Client = hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, SdkBody>;

/// A client that keeps so many idle connections for each host.
pub(crate) fn client(kept_connections: usize) -> Client {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(kept_connections)
        .build(tls)
}

impl fmt::Debug for HttpsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpsClient")
    }
}

const MAX_SHOWN_CHARACTERS: usize = 200;

const USER_AGENT: &str = concat!("cognito-authorizer/", env!("CARGO_PKG_VERSION"));

/// Of all addresses of a host together, so that one that is dead leaves time for the next. Most deadlines are shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
