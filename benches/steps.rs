//! What each step of a judgement takes, in one process and without the Lambda
//! runtime: `cargo bench --bench steps`. How the whole compares with other programs
//! is measured by the workspace in this folder.

#![allow(
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop where it is wrong"
)]

use cognito_authorizer::access::{Check, LetterCase, Requirement, RouteKey, Rule, Rules};
use cognito_authorizer::config::{Config, ConfigText, Environment};
use cognito_authorizer::credentials::certificate::{Authorities, ClientCertificate};
use cognito_authorizer::gateway::RawEvent;
use cognito_authorizer::request::{Credential, Request, UnixSeconds};
use cognito_authorizer::token::{
    Algorithm, AlgorithmSet, Audience, BearerToken, ClaimNames, ClientId, ClientIds, Expectations, IssuerKind, KeySet,
    Sender, TokenUse, UnverifiedJwt,
};
#[cfg(feature = "cedar")]
use cognito_authorizer::{
    access::CedarRule,
    permissions::{ContextSettings, Evaluator, Policies, PolicyFile, Question},
    request::Details,
    token::Claims,
};
use futures_util::FutureExt;
use lambda_runtime::{Context, LambdaEvent};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[allow(dead_code, reason = "the harness of whole invocations uses more of it")]
#[path = "invocations/src/event.rs"]
mod event;
#[allow(dead_code, reason = "the harness of whole invocations uses more of it")]
#[path = "invocations/src/token.rs"]
mod token;

fn main() {
    // `cargo test --all-targets` starts benches too; only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("microseconds: the median of {BATCHES} batches of {BATCH}, and the least");

    let signer = token::Signer::new().unwrap();
    let token = signer.access_token(0).unwrap();
    let keys = KeySet::parse(token::jwks().unwrap().as_bytes(), AlgorithmSet::of(&[Algorithm::Rs256])).unwrap();
    let expectations = Arc::new(expectations());
    let now = UnixSeconds::new(token::unix_seconds() as f64).unwrap();
    let request = request(&token);
    let bearer = || BearerToken::from_request(&request).unwrap();
    let parsed = || UnverifiedJwt::parse(&bearer()).unwrap();
    let key = keys.find(parsed().kid().unwrap(), Algorithm::Rs256).unwrap();
    let verified = || parsed().verify(key).unwrap();
    let claims = || Arc::new(verified().into_claims(&expectations, now, &Sender::default()).unwrap());

    let mut invocation = event::Invocation::new(token.len());
    let invocation = std::str::from_utf8(invocation.with(&token, 0)).unwrap();
    let (_, body) = invocation.split_once("\r\n\r\n").unwrap();
    let raw = || serde_json::from_str::<RawEvent>(body).unwrap();
    let config = configuration(1);
    let handler = Config::parse(&config, &Environment::default()).unwrap().into_handler();
    println!("  (a token of {} bytes in an event of {})", token.len(), body.len());

    let invoke = |event: RawEvent| {
        // Nothing is waited for: the keys are there.
        handler.invoke(LambdaEvent::new(event, Context::default())).now_or_never().unwrap().unwrap()
    };
    let without_token = body.replace("\"authorization\":", "\"other\":");
    step("take the event's text", || (), |()| raw());
    step("judge it: all of the steps below", raw, invoke);
    step("  read an event without a token, deny", || serde_json::from_str(&without_token).unwrap(), invoke);
    step("  find the credential", || (), |()| bearer());
    step("  parse the token", bearer, |token| UnverifiedJwt::parse(&token).unwrap());
    step("  verify the signature", parsed, |jwt| jwt.verify(key).unwrap());
    step("  judge the claims", verified, |jwt| jwt.into_claims(&expectations, now, &Sender::default()).unwrap());
    for routes in [10, 100, 1000] {
        let rules = rules(routes);
        step(&format!("  find one of {routes} routes"), || (), |()| rules.route(&request).unwrap());
        let rule = rules.route(&request).unwrap();
        step("  hold the claims against its rule", claims, |claims| rule.authorize(claims, now).unwrap());
    }
    certificates();
    #[cfg(feature = "cedar")]
    policies(&claims(), now);
    let jwks = token::jwks().unwrap();
    let rs256 = AlgorithmSet::of(&[Algorithm::Rs256]);
    step("start: read a JWK Set of two keys", || (), |()| KeySet::parse(jwks.as_bytes(), rs256).unwrap());
    let config = configuration(30);
    step(
        "start: read a configuration of 30 routes",
        || (),
        |()| Config::parse(&config, &Environment::default()).unwrap().into_handler(),
    );
}

/// Client certificates of each kind of key, which are verified anew for each request.
fn certificates() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates");
    let authorities = Authorities::parse(&std::fs::read(folder.join("authorities.pem")).unwrap()).unwrap();
    let clients = std::fs::read_to_string(folder.join("clients.pem")).unwrap();
    let now = UnixSeconds::new(1_767_225_600.0).unwrap();
    for name in ["partner-a", "by-intermediate", "rsa", "p384", "ed25519"] {
        let (_, rest) = clients.split_once(&format!("# {name}\n")).unwrap();
        let pem = rest.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
        let verify = |()| authorities.verify(ClientCertificate::parse(pem).unwrap(), now).unwrap();
        step(&format!("verify the client certificate {name}"), || (), verify);
    }
}

/// A decision of Cedar policies, all but one of which are about other documents, and
/// reading them.
#[cfg(feature = "cedar")]
fn policies(claims: &Claims, now: UnixSeconds) {
    let route = RouteKey::parse("GET /documents/{id}").unwrap();
    let mut rules = Rules::new(LetterCase::Distinguished);
    let cedar = CedarRule::of_route(&route);
    rules
        .insert(
            route,
            Rule {
                key: "documents".into(),
                requirement: Requirement { checks: vec![] },
                cedar,
                introspect: false,
                report_only: false,
            },
        )
        .unwrap();
    let request = Request { path: "/documents/4711", ..request("") };
    let rule = rules.route(&request).unwrap();
    let details = Details::default();
    for count in [1, 10, 100, 1000] {
        let policy = |number: usize| {
            format!(
                "permit (principal is NS::User, action == NS::Action::\"get /documents/{{id}}\", resource)
when {{ context.token has sub && context.pathParameters.id == \"{number}\" }};\n"
            )
        };
        let text: String = (4712 - count..4712).map(policy).collect();
        let parse = || Policies::parse(&[PolicyFile { name: "a.cedar", text: &text }], None).unwrap();
        let evaluator = Evaluator::new("NS", parse()).unwrap();
        let question = || {
            let (asked, _) = rule.policy_questions("GET").remove(0);
            Question::new(&asked, claims, "us-east-1_AbCdEf123", &details, ContextSettings::default(), now).unwrap()
        };
        assert!(evaluator.decide(&question()).unwrap().allowed);
        if count == 1 {
            step("put a question to policies", || (), |()| question());
        }
        step(&format!("answer it by {count} policies"), question, |question| evaluator.decide(&question).unwrap());
        let started = Instant::now();
        let mut least = Duration::MAX;
        while started.elapsed() < Duration::from_secs(1) {
            let before = Instant::now();
            black_box(parse());
            least = least.min(before.elapsed());
        }
        println!("start: read {count} policies, the least: {:.0}", least.as_secs_f64() * 1e6);
    }
}

/// Times `run` on fresh inputs, which are made, and its results dropped, off the clock.
fn step<I, O>(name: &str, mut prepare: impl FnMut() -> I, mut run: impl FnMut(I) -> O) {
    let mut batches: Vec<Duration> = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        let inputs: Vec<I> = (0..BATCH).map(|_| prepare()).collect();
        let mut results = Vec::with_capacity(BATCH);
        let started = Instant::now();
        results.extend(inputs.into_iter().map(|input| run(black_box(input))));
        batches.push(started.elapsed());
        black_box(&results);
    }
    batches.sort();
    let microseconds = |batch: Duration| batch.as_secs_f64() * 1e6 / BATCH as f64;
    println!("{name:<40}{:>10.2}{:>10.2}", microseconds(batches[BATCHES / 2]), microseconds(batches[0]));
}

fn request(token: &str) -> Request<'_> {
    Request::new("GET", "/resource-1/4711", vec![Credential(format!("Bearer {token}").into())])
}

fn expectations() -> Expectations {
    Expectations {
        issuer: token::ISSUER.into(),
        tenants: None,
        kind: IssuerKind::Cognito { token_uses: vec![TokenUse::Access] },
        algorithms: AlgorithmSet::of(&[Algorithm::Rs256]),
        client_ids: ClientIds::OneOf(vec![ClientId::Exact(token::CLIENT_ID.to_owned())]),
        audience: Audience::Unchecked,
        typ: None,
        claim_names: ClaimNames::default(),
        dpop: None,
        leeway: Duration::from_secs(5),
    }
}

fn rules(routes: usize) -> Rules {
    let mut rules = Rules::new(LetterCase::Distinguished);
    for number in 0..routes {
        let method = ["GET", "POST"][number % 2];
        let key = format!("{method} /resource-{}/{{id}}", number / 2);
        let requirement = Requirement { checks: vec![Check::AnyScope(vec![token::SCOPE.to_owned()])] };
        let rule = Rule { key: key.as_str().into(), requirement, cedar: None, introspect: false, report_only: false };
        rules.insert(RouteKey::parse(&key).unwrap(), rule).unwrap();
    }
    rules
}

/// With the keys from a file, so that nothing is waited for.
fn configuration(routes: usize) -> ConfigText {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("jwks.json"), token::jwks().unwrap()).unwrap();
    let mut text = format!(
        "issuers:\n  - cognito: {{ user_pool_id: {}, client_ids: {}, jwks_uri: none, jwks_file: jwks.json }}\nroutes:\n",
        token::USER_POOL_ID,
        token::CLIENT_ID,
    );
    text.push_str(&format!("  GET /invoices/{{id}}: {{ any_scope: [{}] }}\n", token::SCOPE));
    for number in 1..routes {
        text.push_str(&format!("  GET /resource-{number}/{{id}}: {{ any_scope: [{}] }}\n", token::SCOPE));
    }
    ConfigText { text, folder: folder.to_owned() }
}

const BATCHES: usize = 500;
const BATCH: usize = 32;
