//! Sends the requests of AWS clients through the HTTP client that fetches keys, so that the
//! program has one HTTP stack and one TLS stack. The SDK's own has HTTP/2 and the
//! system's certificates, and is more than a megabyte.
//!
//! Connections are kept, and may have died unnoticed while the function was frozen.
//! Those that were idle for long are not used again. Where no answer begins on a kept
//! one, all are dropped, and the SDK's second attempt makes a new one, which may take
//! all the time that is left.

use super::https::{Client, client};
use crate::age_clock::AgeClock;
use crate::denial::Denial;
use crate::lock::lock;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use hyper::Request;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An HTTP client for an SDK's configuration. It keeps its connections. On a kept one an answer
/// must begin within `first_byte_timeout`: less than an operation has, so that there is time for a
/// second attempt.
#[must_use]
pub fn http_client(first_byte_timeout: Duration) -> SharedHttpClient {
    SharedHttpClient::new(AwsHttp(Arc::new(Connections { first_byte_timeout, pool: Mutex::default() })))
}

#[derive(Debug)]
struct AwsHttp(Arc<Connections>);

impl HttpClient for AwsHttp {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        // A connection by itself is given the time that `client` gives to all.
        let most = settings.read_timeout().map(|read| read + settings.connect_timeout().unwrap_or_default());
        SharedHttpConnector::new(Connector { connections: Arc::clone(&self.0), most })
    }
}

/// The connections of one client, and how long to wait on a kept one.
#[derive(Debug)]
struct Connections {
    first_byte_timeout: Duration,
    pool: Mutex<Arc<Pool>>,
}

/// Connections that are dropped together: what killed one killed all.
#[derive(Debug)]
struct Pool {
    client: Client,
    /// When the last answer came over one of them; `None` while there is none to keep.
    answered: Mutex<Option<AgeClock>>,
}

impl Connections {
    /// Where to send a request, and how long to wait there at most.
    fn choose(&self) -> Result<(Arc<Pool>, Option<Duration>), Denial> {
        let mut pool = lock(&self.pool)?;
        let answered = *lock(&pool.answered)?;
        Ok(match answered {
            Some(answered) if AgeClock::now().since(answered) < KEPT_FOR => {
                (Arc::clone(&pool), Some(self.first_byte_timeout))
            }
            Some(_) => {
                *pool = Arc::default();
                (Arc::clone(&pool), None)
            }
            None => (Arc::clone(&pool), None),
        })
    }

    /// Keeps none of these connections, unless others took their place already.
    fn forget(&self, failed: &Arc<Pool>) {
        // After a panic under the lock no pool is chosen any more.
        if let Ok(mut pool) = lock(&self.pool)
            && Arc::ptr_eq(&pool, failed)
        {
            *pool = Arc::default();
        }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self { client: client(KEPT_CONNECTIONS), answered: Mutex::default() }
    }
}

/// One attempt of a call.
#[derive(Debug)]
struct Connector {
    connections: Arc<Connections>,
    /// How long it may take until an answer begins, where the SDK says so.
    most: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        tell_connection(&mut request);
        let connections = Arc::clone(&self.connections);
        let (pool, first_byte_timeout) = match connections.choose() {
            Ok(chosen) => chosen,
            Err(denial) => return HttpConnectorFuture::ready(Err(ConnectorError::user(denial.code().into()))),
        };
        let most = self.most.into_iter().chain(first_byte_timeout).min();
        let answer = pool.client.request(request);
        HttpConnectorFuture::new(async move {
            let answer = match most {
                Some(most) => {
                    tokio::time::timeout(most, answer).await.map_err(|late| ConnectorError::timeout(late.into()))
                }
                None => Ok(answer.await),
            };
            // No connection, or it broke: the SDK may try once more.
            let answer = answer.and_then(|answer| answer.map_err(|error| ConnectorError::io(error.into())));
            match answer {
                Ok(answer) => {
                    if let Ok(mut answered) = lock(&pool.answered) {
                        *answered = Some(AgeClock::now());
                    }
                    HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                        .map_err(|error| ConnectorError::other(error.into(), None))
                }
                Err(error) => {
                    connections.forget(&pool);
                    Err(error)
                }
            }
        })
    }
}

/// Lets the SDK close the connection, as it does after a 5xx and the like.
fn tell_connection(request: &mut Request<SdkBody>) {
    let connection = capture_connection(request);
    if let Some(asker) = request.extensions().get::<CaptureSmithyConnection>() {
        asker.set_connection_retriever(move || Some(metadata(connection.clone())));
    }
}

/// Also where there was no connection: without this the SDK writes an error to the log.
fn metadata(connection: CaptureConnection) -> ConnectionMetadata {
    let close = move || {
        if let Some(connection) = connection.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(close).build()
}

/// For each endpoint: as many as there are requests at once, which is one but on Managed Instances.
const KEPT_CONNECTIONS: usize = 16;

/// Since the last answer over any of them. By then what stands between may have forgotten
/// them (350 s: NAT gateways, Network Load Balancers), and a new one costs milliseconds.
const KEPT_FOR: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::{SocketAddr, TcpListener};

    const FIRST_BYTE_TIMEOUT: Duration = Duration::from_millis(300);

    /// Tells on which connection a request came, the first being 1; is silent from the
    /// second request on, on the first connections.
    fn serve(silent: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for (number, stream) in (1..).zip(listener.incoming()) {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    let requests = lines.filter(|line| line.as_ref().is_ok_and(String::is_empty));
                    for (request, _) in requests.enumerate() {
                        if request == 0 || number > silent {
                            let body = number.to_string();
                            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
                        }
                    }
                });
            }
        });
        address
    }

    fn connector() -> Connector {
        let connections = Arc::new(Connections { first_byte_timeout: FIRST_BYTE_TIMEOUT, pool: Mutex::default() });
        Connector { connections, most: None }
    }

    /// The number of the connection that answered.
    async fn ask(connector: &Connector, server: SocketAddr, asker: Option<&CaptureSmithyConnection>) -> Option<String> {
        let mut request = HttpRequest::get(format!("http://{server}/")).unwrap();
        if let Some(asker) = asker {
            request.add_extension(asker.clone());
        }
        let body = SdkBody::from_body_1_x(connector.call(request).await.ok()?.into_body());
        let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
        // The connection goes back when its task has run.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some(String::from_utf8(body.to_vec()).unwrap())
    }

    fn number(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[tokio::test]
    async fn a_connection_is_kept_until_the_sdk_has_it_closed() {
        let (server, connector, asker) = (serve(0), connector(), CaptureSmithyConnection::new());
        for _ in 0..3 {
            assert_eq!(ask(&connector, server, Some(&asker)).await, number("1"));
        }
        asker.get().unwrap().poison();
        assert_eq!(ask(&connector, server, Some(&asker)).await, number("2"));
        assert_eq!(ask(&connector, server, None).await, number("2"));
    }

    #[tokio::test]
    async fn where_there_is_no_connection_there_is_none_to_close() {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let asker = CaptureSmithyConnection::new();
        assert_eq!(ask(&connector(), nobody, Some(&asker)).await, None);
        asker.get().unwrap().poison();
    }

    #[tokio::test]
    async fn a_kept_connection_that_is_silent_is_given_up_and_all_others_with_it() {
        let (server, connector) = (serve(2), connector());
        // Two are kept.
        let both = futures_util::join!(ask(&connector, server, None), ask(&connector, server, None));
        assert!(both.0 != both.1, "{both:?}");
        let started = std::time::Instant::now();
        assert_eq!(ask(&connector, server, None).await, None);
        assert!((FIRST_BYTE_TIMEOUT..3 * FIRST_BYTE_TIMEOUT).contains(&started.elapsed()), "{:?}", started.elapsed());
        // The other is not tried.
        assert_eq!(ask(&connector, server, None).await, number("3"));
        assert_eq!(ask(&connector, server, None).await, number("3"));
    }

    #[tokio::test]
    async fn a_connection_that_was_idle_for_long_is_not_used_again() {
        let (server, connector) = (serve(1), connector());
        assert_eq!(ask(&connector, server, None).await, number("1"));
        let pool = Arc::clone(&lock(&connector.connections.pool).unwrap());
        let mut answered = lock(&pool.answered).unwrap().unwrap();
        answered.steady = answered.steady.checked_sub(KEPT_FOR).unwrap();
        *lock(&pool.answered).unwrap() = Some(answered);
        assert_eq!(ask(&connector, server, None).await, number("2"));
    }
}
