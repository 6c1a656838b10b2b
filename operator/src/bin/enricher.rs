//! Cold start of the function that adds claims to Cognito's tokens before they are made.
//!
//! `ENRICHER_CONFIG` holds its configuration, `ENRICHER_CONFIG_FILE` the path of one; else it is `enricher.yaml` beside the program.

use cognito_authorizer::config::Environment;
use cognito_authorizer::config::enricher::EnricherConfig;
use cognito_authorizer::logging;
use cognito_authorizer_operator::enriching::Enricher;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    logging::start(environment.get("AUTHORIZER_LOG"));
    let config = match EnricherConfig::load(&environment) {
        Ok(config) => config,
        Err(faults) => {
            for fault in &faults.0 {
                tracing::error!(message = "bad_configuration", place = fault.place, line = fault.line, fault = %fault);
            }
            return ExitCode::FAILURE;
        }
    };
    config.warnings().iter().for_each(|note| tracing::warn!(message = "configuration", note));
    match start(&environment, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!(message = "start_failed", fault);
            ExitCode::FAILURE
        }
    }
}

fn start(environment: &Environment, config: EnricherConfig) -> Result<(), String> {
    environment.get("AWS_LAMBDA_RUNTIME_API").ok_or("AWS_LAMBDA_RUNTIME_API is not set: Lambda starts this program")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let enricher = Enricher::new(config).await;
        let enricher = &enricher;
        let function = service_fn(move |event: LambdaEvent<Value>| async move {
            // Cognito shows the message to whoever signs in.
            enricher.handle(event.payload).await.map_err(|refusal| Diagnostic {
                error_type: refusal.code().to_owned(),
                error_message: refusal.to_string(),
            })
        });
        Runtime::new(function).run().await.map_err(|error| error.to_string())
    })
}
