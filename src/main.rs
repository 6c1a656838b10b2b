//! Cold start: environment, configuration, authorizer, `lambda_runtime`.

use cognito_authorizer::config::{Config, Environment, Faults};
use cognito_authorizer::gateway::{Handler, HttpResponse, RawEvent};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use std::process::ExitCode;
use tokio::runtime::Builder;

mod init_error;
mod json_lines;
mod logging;
mod runtime_variables;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    // Before the log is started: the process may start anew.
    let completed = runtime_variables::complete(&environment);
    logging::start(environment.get("AUTHORIZER_LOG"));
    if let Err(fault) = completed {
        tracing::error!(message = "no_start", fault);
        return ExitCode::FAILURE;
    }
    // As a rule one invocation at a time is on its way, and almost none waits for
    // anything: a second thread would cost its start and serve nobody.
    let concurrent = environment.get("AWS_LAMBDA_MAX_CONCURRENCY").and_then(|most| most.parse().ok()) > Some(1_u32);
    let mut builder = if concurrent { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(message = "no_start", error = %error);
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        match Config::load(&environment) {
            Ok(config) => {
                config.notes().iter().for_each(|note| tracing::warn!(message = "configuration", note));
                tell_of_simple_answers(&config);
                serve(config.into_handler()).await
            }
            Err(faults) => refuse_to_start(&environment, &faults).await,
        }
    })
}

/// What a cache must know, for HTTP APIs that keep simple answers.
fn tell_of_simple_answers(config: &Config) {
    if config.answers().http_response == HttpResponse::Simple {
        let sources = config.rules().cache_key().identity_sources().join(", ");
        tracing::info!(message = "simple_answers", cached_by = format!("the token, {sources}").trim_end_matches(", "));
    }
}

async fn serve(handler: Handler) -> ExitCode {
    // It lives as long as the process.
    let handler: &'static Handler = Box::leak(Box::new(handler));
    let function = service_fn(|event: LambdaEvent<RawEvent>| handler.invoke(event));
    // As a task of its own: whenever the future that is blocked on is woken, tokio
    // also asks the kernel for news, which is a system call for each message.
    let serving = tokio::spawn(Runtime::new(function).run_concurrent());
    // After it, so that the first event is on its way while the keys are asked for.
    handler.prefetch();
    match serving.await.map_err(Into::into).flatten() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(message = "runtime_failed", error = %error);
            ExitCode::FAILURE
        }
    }
}

async fn refuse_to_start(environment: &Environment, faults: &Faults) -> ExitCode {
    for fault in &faults.0 {
        tracing::error!(message = "bad_configuration", place = fault.place, line = fault.line, fault = %fault);
    }
    if let Some(address) = environment.get("AWS_LAMBDA_RUNTIME_API")
        && let Err(error) = init_error::report(address, faults).await
    {
        tracing::error!(message = "init_error_not_reported", error = %error);
    }
    ExitCode::FAILURE
}
