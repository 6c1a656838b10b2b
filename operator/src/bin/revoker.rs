//! Cold start of the function that writes entries for what happens in Cognito.
//!
//! `REVOCATIONS_TABLE` names the table, `USER_POOL_IDS` the pools it listens for (all of
//! the account where it is empty), `REVOKER_ISSUERS` issuers that their tokens name besides
//! a pool's own two. `METRICS_NAMESPACE`, where it is set, asks for metrics in the log.

use cognito_authorizer::config::Environment;
use cognito_authorizer::logging;
use cognito_authorizer::metrics::{Metrics, Namespace};
use cognito_authorizer::time::now;
use cognito_authorizer_operator::revoking::{RevocationStore, Revoker, load};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use std::process::ExitCode;
use std::time::SystemTime;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    logging::start(environment.get("AUTHORIZER_LOG"));
    match start(&environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!(message = "start_failed", fault);
            ExitCode::FAILURE
        }
    }
}

fn start(environment: &Environment) -> Result<(), String> {
    environment.get("AWS_LAMBDA_RUNTIME_API").ok_or("AWS_LAMBDA_RUNTIME_API is not set: Lambda starts this program")?;
    let metrics = metrics(environment)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let revoker = revoker(environment).await?;
        let (revoker, metrics) = (&revoker, metrics.as_ref());
        let function = service_fn(move |event: LambdaEvent<Value>| async move {
            let outcome = invoke(revoker, &event.payload).await;
            if let Some(metrics) = metrics {
                metrics.write_revocations(revoker.take_written(), SystemTime::now());
            }
            outcome
        });
        Runtime::new(function).run().await.map_err(|error| error.to_string())
    })
}

async fn revoker(environment: &Environment) -> Result<Revoker, String> {
    let table = environment.get("REVOCATIONS_TABLE").filter(|table| !table.is_empty());
    let table = table.ok_or("REVOCATIONS_TABLE is not set")?;
    let store = RevocationStore::new(aws_sdk_dynamodb::Client::new(&load(None).await), table.to_owned());
    let pools = environment.get("USER_POOL_IDS").unwrap_or_default();
    let further_issuers = environment.get("REVOKER_ISSUERS").unwrap_or_default();
    Revoker::new(store, pools, further_issuers).map_err(|id| format!("USER_POOL_IDS: `{id}` is no user pool's id"))
}

fn metrics(environment: &Environment) -> Result<Option<Metrics>, String> {
    let namespace = environment.get("METRICS_NAMESPACE").filter(|namespace| !namespace.is_empty());
    let Some(namespace) = namespace else { return Ok(None) };
    let namespace = Namespace::parse(namespace).ok_or("METRICS_NAMESPACE: CloudWatch takes no such namespace")?;
    Ok(Some(Metrics::new(namespace)))
}

async fn invoke(revoker: &Revoker, event: &Value) -> Result<(), Diagnostic> {
    let failed = |fault: String| {
        tracing::error!(message = "not_revoked", fault);
        Diagnostic { error_type: "not_revoked".to_owned(), error_message: fault }
    };
    let now = now().ok_or_else(|| failed("the clock makes no sense".to_owned()))?;
    revoker.handle(event, now).await.map_err(|fault| failed(fault.to_string()))
}
