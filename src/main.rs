//! Cold start: environment, configuration, authorizer, and the loop that answers.

use cognito_authorizer::config::{Config, Environment, Faults};
use cognito_authorizer::gateway::{Handler, HttpResponse, RawEvent};
use cognito_authorizer::logging;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use runtime_api::{Error, RuntimeApi};
use std::process::ExitCode;
use tokio::runtime::Builder;

mod runtime_api;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let serving = Serving::of(&environment);
    logging::start(environment.get("AUTHORIZER_LOG"));
    let address = environment.get("AWS_LAMBDA_RUNTIME_API");
    let started = address
        .ok_or("AWS_LAMBDA_RUNTIME_API is not set: this program is started by Lambda or by `cargo lambda`")
        .map_err(Error::from)
        .and_then(|address| Ok((RuntimeApi::at(address)?, serving.threads().enable_all().build()?)));
    match started {
        Ok((api, runtime)) => runtime.block_on(run(&environment, serving, api)),
        Err(error) => {
            tracing::error!(message = "start_failed", fault = %error);
            ExitCode::FAILURE
        }
    }
}

/// Who asks the Runtime API for invocations.
#[derive(Clone, Copy)]
enum Serving {
    /// This program: one invocation at a time.
    OneAtATime,
    /// `lambda_runtime`, for Managed Instances and SnapStart.
    ByLambdaRuntime { several_at_once: bool },
}

impl Serving {
    fn of(environment: &Environment) -> Self {
        let most_at_once = environment.get("AWS_LAMBDA_MAX_CONCURRENCY").and_then(|most| most.parse().ok());
        let several_at_once = most_at_once > Some(1_u32);
        let is_snap_start = environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == Some("snap-start");
        if several_at_once || is_snap_start {
            Serving::ByLambdaRuntime { several_at_once }
        } else {
            Serving::OneAtATime
        }
    }

    /// As a rule one invocation at a time is on its way, and almost none waits for
    /// anything: a second thread would cost its start and serve nobody.
    fn threads(self) -> Builder {
        match self {
            Serving::OneAtATime | Serving::ByLambdaRuntime { several_at_once: false } => Builder::new_current_thread(),
            Serving::ByLambdaRuntime { several_at_once: true } => Builder::new_multi_thread(),
        }
    }
}

async fn run(environment: &Environment, serving: Serving, api: RuntimeApi) -> ExitCode {
    match Config::load(environment).await {
        Ok(config) => {
            let notes = config.warnings().iter().chain(config.notes());
            notes.for_each(|note| tracing::warn!(message = "configuration", note));
            tell_of_simple_answers(&config);
            serve(serving, api, config.into_handler()).await
        }
        Err(faults) => refuse_to_start(api, &faults).await,
    }
}

/// What a cache must know, for HTTP APIs that keep simple answers.
fn tell_of_simple_answers(config: &Config) {
    if config.answers().http_response == HttpResponse::Simple {
        let sources = config.rules().cache_key().identity_sources().join(", ");
        tracing::info!(message = "simple_answers", cache_key = format!("the token, {sources}").trim_end_matches(", "));
    }
}

async fn serve(serving: Serving, api: RuntimeApi, handler: Handler) -> ExitCode {
    // It lives as long as the process.
    let handler: &'static Handler = Box::leak(Box::new(handler));
    // As a task of its own: whenever the future that is blocked on is woken, tokio
    // also asks the kernel for news, which is a system call for each message.
    let serving = match serving {
        Serving::OneAtATime => tokio::spawn(one_at_a_time(api, handler)),
        Serving::ByLambdaRuntime { .. } => {
            let function = service_fn(|event: LambdaEvent<RawEvent>| handler.invoke(event));
            tokio::spawn(Runtime::new(function).run_concurrent())
        }
    };
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

async fn one_at_a_time(mut api: RuntimeApi, handler: &Handler) -> Result<(), Error> {
    loop {
        let invocation = api.next().await?;
        let answer = handler.answer(&invocation.event, &invocation.request_id, invocation.trace()).await;
        api.answer(&invocation, answer).await?;
    }
}

async fn refuse_to_start(mut api: RuntimeApi, faults: &Faults) -> ExitCode {
    for fault in &faults.0 {
        tracing::error!(message = "bad_configuration", place = fault.place, line = fault.line, fault = %fault);
    }
    if let Err(error) = api.init_error(faults).await {
        tracing::error!(message = "init_error_not_reported", error = %error);
    }
    ExitCode::FAILURE
}
