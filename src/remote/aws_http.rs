//! The AWS clients' way to the network: the client that fetches keys, so that the
//! program carries one HTTP stack and one TLS stack. The SDK's own brings HTTP/2 and
//! the system's certificates along, and is more than a megabyte.

use super::https::{Client, client};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use std::time::Duration;

/// An HTTP client for an SDK's configuration. It keeps its connections.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(AwsHttp(client(KEPT_CONNECTIONS)))
}

#[derive(Debug)]
struct AwsHttp(Client);

impl HttpClient for AwsHttp {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        // A connection by itself is given the time that `client` gives to all.
        let most = settings.read_timeout().map(|read| read + settings.connect_timeout().unwrap_or_default());
        SharedHttpConnector::new(Connector { client: self.0.clone(), most })
    }
}

/// One attempt of a call.
#[derive(Debug)]
struct Connector {
    client: Client,
    /// How long it may take until an answer begins, where the SDK says so.
    most: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let (answer, most) = (self.client.request(request), self.most);
        HttpConnectorFuture::new(async move {
            let answer = match most {
                Some(most) => {
                    let answer = tokio::time::timeout(most, answer).await;
                    answer.map_err(|late| ConnectorError::timeout(late.into()))?
                }
                None => answer.await,
            };
            // No connection, or it broke: the SDK may try once more.
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// For each endpoint: as many as there are requests at once, which is one but on Managed Instances.
const KEPT_CONNECTIONS: usize = 16;
