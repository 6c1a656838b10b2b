//! Tells the Lambda Runtime API that the function cannot start (`/runtime/init/error`),
//! which `lambda_runtime` has no call for.

use cognito_authorizer::config::Faults;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::error::Error;
use std::time::Duration;

/// Posts the faults; gives up after a second, since the exit status says it too.
pub(crate) async fn report(address: &str, faults: &Faults) -> Result<(), Box<dyn Error + Send + Sync>> {
    let body = serde_json::json!({
        "errorType": ERROR_TYPE,
        "errorMessage": faults.to_string(),
        "stackTrace": [],
    });
    // Lambda gives host and port; emulators also give a whole URL.
    let base = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let request = Request::post(format!("{base}/2018-06-01/runtime/init/error"))
        .header("Content-Type", "application/json")
        .header("Lambda-Runtime-Function-Error-Type", ERROR_TYPE)
        .body(Full::<Bytes>::from(body.to_string()))?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    tokio::time::timeout(Duration::from_secs(1), client.request(request)).await??;
    Ok(())
}

const ERROR_TYPE: &str = "Runtime.BadConfiguration";
