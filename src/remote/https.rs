//! The one HTTP client: HTTPS with the bundled Mozilla roots, no redirects, a cap
//! on the body, a deadline on the whole.
//!
//! Built on the first request: a function whose keys come from a file never pays
//! for TLS. Connections are not kept, since a frozen function would find them dead.

use super::address::Address;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// An HTTP client that is built when it is first used.
#[derive(Default)]
pub struct HttpsClient {
    client: OnceLock<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>,
}

/// Why nothing usable came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// More bytes than allowed.
    BodyTooLarge,
    /// No connection, or it broke.
    Connection,
    /// A redirect; it is not followed.
    Redirect,
    /// Another status than 200.
    Status(u16),
    /// Not within the time.
    TimedOut,
    /// An answer that makes no sense; fixed words say why.
    Unusable(&'static str),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::BodyTooLarge => f.write_str("the body is too large"),
            FetchError::Connection => f.write_str("no connection"),
            FetchError::Redirect => f.write_str("redirects are not followed"),
            FetchError::Status(status) => write!(f, "status {status}"),
            FetchError::TimedOut => f.write_str("timed out"),
            FetchError::Unusable(why) => f.write_str(why),
        }
    }
}

impl HttpsClient {
    /// Fetches a JSON document of at most `max_bytes` within `timeout`.
    ///
    /// # Errors
    /// [`FetchError`]; whatever is not a 200 with a body within the limits.
    pub async fn get_json(&self, address: &Address, max_bytes: usize, timeout: Duration) -> Result<Bytes, FetchError> {
        let request = Request::get(address.uri())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .body(Full::default())
            .map_err(|_| FetchError::Unusable("the address cannot be requested"))?;
        let exchange = async {
            let response = self.client().request(request).await.map_err(|_| FetchError::Connection)?;
            match response.status().as_u16() {
                200 => {}
                300..=399 => return Err(FetchError::Redirect),
                status => return Err(FetchError::Status(status)),
            }
            let body = Limited::new(response.into_body(), max_bytes).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() { FetchError::BodyTooLarge } else { FetchError::Connection }
            })?;
            Ok(body.to_bytes())
        };
        tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(FetchError::TimedOut))
    }

    fn client(&self) -> &Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
        self.client.get_or_init(|| {
            let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
        })
    }
}

impl fmt::Debug for HttpsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpsClient")
    }
}

const USER_AGENT: &str = concat!("cognito-authorizer/", env!("CARGO_PKG_VERSION"));
