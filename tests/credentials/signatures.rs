//! Signed requests: which signatures are accepted, what the key's record is worth, and what is asked for it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::PAGE;
use crate::documented::Table;
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::signed::{MASTER, SIGNERS, Signed, Signer, parameters, public_pem, secret_of, signed, with_headers};
use crate::stub::dynamodb::{BATCH_GET_ITEM, DYNAMODB, error, item, reply, request_json, table};
use crate::stub::{Answer, Stub};
use crate::tokens::{CLIENT, Key, POOL, Token, cognito_jwks, now};
use crate::verdict::{Cases, Verdict};

const GET_ITEM: &str = "GetItem";
const PUT_ITEM: &str = "PutItem";

const BAD: &str = "bad_signature";

/// The function, the tables that it asks, and the keys of tokens.
pub(crate) struct Stage {
    stub: Stub,
    pub(crate) function: Function,
    _keys: Site,
}

/// `settings` are further settings of the issuer, `more` is the rest of the file.
fn configuration(keys: &Site, settings: &str, more: &str) -> String {
    let settings = if settings.is_empty() { ALL_ALGORITHMS } else { settings };
    format!(
        r#"
issuers:
  - signatures: {{ table: keys, {settings} }}
  - cognito: {{ user_pool_id: {POOL}, client_ids: {CLIENT}, jwks_uri: "{}" }}
routes:
  GET /items: {{}}
  POST /items: {{}}
  GET /signed: {{ credentials: [signature] }}
  GET /tokens: {{ credentials: [jwt] }}
  GET /partners: {{ any_group: [partners], any_scope: [orders.read] }}
  GET /others: {{ any_group: [others] }}
  GET /mine/{{name}}: {{ claims: {{ sub: "{{name}}" }} }}
  GET /live: {{ introspect: true }}
  $connect: {{}}
{more}"#,
        keys.url("/jwks.json"),
    )
}

pub(crate) const ALL_ALGORITHMS: &str = "algorithms: [hmac-sha256, ed25519, ecdsa-p256-sha256, ecdsa-p384-sha384, rsa-pss-sha512, \
                              rsa-v1_5-sha256], cover: [\"@method\", \"@path\"], secret: \"${MASTER}\", cache: 0s";

impl Stage {
    pub(crate) fn start(settings: &str, more: &str) -> Stage {
        let (stub, keys) = (Stub::start(), Site::with_keys(&cognito_jwks()));
        stub.answer(GET_ITEM, items(SIGNERS.iter().map(Signer::item).collect()));
        stub.answer(PUT_ITEM, nonces());
        stub.answer(BATCH_GET_ITEM, table(&[]));
        let function = Setup::config(&configuration(&keys, settings, more))
            .env("MASTER", MASTER)
            .env("AWS_ENDPOINT_URL_DYNAMODB", &stub.url(""))
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .env("AUTHORIZER_LOG", "debug")
            .start();
        Stage { stub, function, _keys: keys }
    }

    #[track_caller]
    fn ask(&self, request: &Signed) -> Verdict {
        self.function.ask(&request.event())
    }
}

/// A table of keys with these items.
fn items(items: Vec<Value>) -> Answer {
    Answer::Worked(Arc::new(move |request| {
        let asked = request_json(request);
        assert_eq!((&asked["TableName"], &asked["ConsistentRead"]), (&json!("keys"), &json!(true)));
        match items.iter().find(|item| item["pk"] == asked["Key"]["pk"]) {
            Some(item) => reply(200, &json!({ "Item": item })),
            None => reply(200, &json!({})),
        }
    }))
}

/// A table of nonces that keeps what it is given, once.
fn nonces() -> Answer {
    let taken: Mutex<HashSet<String>> = Mutex::default();
    Answer::Worked(Arc::new(move |request| {
        let asked = request_json(request);
        assert_eq!(asked["ConditionExpression"], "attribute_not_exists(pk)");
        let expires_at: i64 = asked["Item"]["expires_at"]["N"].as_str().unwrap().parse().unwrap();
        assert!((now() + 50..now() + 200).contains(&expires_at), "{asked}");
        let is_new = taken.lock().unwrap().insert(asked["Item"]["pk"]["S"].as_str().unwrap().to_owned());
        if is_new { reply(200, &json!({})) } else { taken_before(&json!({ "pk": asked["Item"]["pk"] })) }
    }))
}

fn taken_before(item: &Value) -> crate::stub::Reply {
    let name = format!("{DYNAMODB}#ConditionalCheckFailedException");
    reply(400, &json!({ "__type": name, "Message": "The conditional request failed", "Item": item }))
}

#[test]
fn only_a_right_signature_over_enough_of_the_request_is_accepted() {
    let table = Table::under(PAGE, "Which signatures are accepted");
    let stage = Stage::start("", "");
    let check = |row: &str, request: &Signed, expected: &str| table.check(row, &stage.ask(request), expected);

    for signer in &SIGNERS {
        check("by a key of each algorithm", &signed().by(signer.id), "allow");
        let named = format!(";alg=\"{}\"", signer.algorithm);
        check("alg is the key's algorithm", &signed().by(signer.id).with(&named), "allow");
    }
    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
        check(
            "method, authority and path, in REST REQUEST, HTTP 1.0 and HTTP 2.0 events",
            &Signed { kind, ..signed() },
            "allow",
        );
    }
    let with_query = |component| Signed { query: "a=1&b=%20", ..signed() }.covering(&[component]);
    for component in ["\"@query\"", "\"@target-uri\"", "\"@query-param\";name=\"a\""] {
        check("the query, in an HTTP 2.0 event", &with_query(component), "allow");
        for kind in [Kind::RestRequest, Kind::Http1] {
            let request = Signed { kind, ..with_query(component) };
            check("the query, in a REST or HTTP 1.0 event: it does not show the query as it was sent", &request, BAD);
        }
    }
    let mut digest = signed().covering(&["\"content-digest\"", "\"x-note\""]);
    digest.headers = vec![("content-digest", "sha-256=:AAAA:".into()), ("x-note", "a \"b\", c".into())];
    check("header fields", &digest, "allow");
    check(
        "nonce, tag and expires to come",
        &signed().with(&format!(";nonce=\"n\";tag=\"t\";expires={}", now() + 20)),
        "allow",
    );

    let without = |request: &Signed, name: &str| {
        let mut event = request.event();
        for map in ["headers", "multiValueHeaders"] {
            event[map].as_object_mut().map(|map| map.remove(name));
        }
        stage.function.ask(&event)
    };
    table.check("Signature or Signature-Input alone", &without(&signed(), "signature"), BAD);
    table.check("Signature or Signature-Input alone", &without(&signed(), "signature-input"), BAD);
    table.check("neither", &stage.function.ask(&signed().unsigned()), "missing_token");
    let connect = Kind::WebSocket.event_without_token("GET", "/");
    let (input, signature) = signed().fields();
    let connect = with_headers(connect, &[("signature-input", &input), ("signature", &signature)]);
    table.check(
        "the path of a WebSocket's $connect, which its event does not show",
        &stage.function.ask(&connect),
        BAD,
    );

    for (change, value) in [
        ("rawPath", "/test/items/"),
        ("rawPath", "/items"),
        ("rawQueryString", "a=2"),
        ("domain", "other.example.com"),
        ("header", "other"),
    ] {
        let mut request = signed().covering(&["\"@query\"", "\"x-note\""]);
        request.headers = vec![("x-note", "note".into())];
        let mut event = request.event();
        assert_eq!(stage.function.ask(&event).outcome(), "allow");
        match change {
            "domain" => event["requestContext"]["domainName"] = json!(value),
            "header" => event["headers"]["x-note"] = json!(value),
            member => event[member] = json!(value),
        }
        let row = "a covered component with another value than was signed";
        table.check(row, &stage.function.ask(&event), BAD);
    }
    let posted = Signed { method: "POST", ..signed() };
    let (input, signature) = signed().fields();
    let replayed = with_headers(posted.unsigned(), &[("signature-input", &input), ("signature", &signature)]);
    table.check("a covered component with another value than was signed", &stage.function.ask(&replayed), BAD);

    for (row, parameters, expected) in [
        ("created less than max_age ago", parameters(-50, "ed25519"), "allow"),
        ("created longer ago", parameters(-70, "ed25519"), BAD),
        ("created in the future, within the leeway", parameters(3, "ed25519"), "allow"),
        ("created further in the future", parameters(60, "ed25519"), BAD),
        ("expires has passed", format!("{};expires={}", parameters(-30, "ed25519"), now() - 10), BAD),
        ("no created", "keyid=\"ed25519\"".to_owned(), BAD),
        ("created is not an integer", format!("created={}.0;keyid=\"ed25519\"", now()), BAD),
        ("no keyid", format!("created={}", now()), BAD),
        ("a keyid that the table does not have", parameters(0, "nobody"), BAD),
        ("a parameter twice", parameters(0, "ed25519") + ";keyid=\"ed25519\"", BAD),
        ("a parameter that RFC 9421 does not register", parameters(0, "ed25519") + ";x=1", BAD),
        ("alg is another algorithm", parameters(0, "ed25519") + ";alg=\"hmac-sha256\"", BAD),
        ("alg is not known", parameters(0, "ed25519") + ";alg=\"none\"", BAD),
    ] {
        check(row, &Signed { parameters, ..signed() }, expected);
    }
    for (row, components) in [
        ("a component of cover is not covered", vec!["\"@method\""]),
        ("a component of cover is not covered", vec![]),
        ("a component twice", vec!["\"@method\"", "\"@path\"", "\"@path\""]),
        (
            "a derived component that is not known, or is none of a request",
            vec!["\"@method\"", "\"@path\"", "\"@status\""],
        ),
        (
            "a derived component that is not known, or is none of a request",
            vec!["\"@method\"", "\"@path\"", "\"@user\""],
        ),
        ("a header field that the request does not have", vec!["\"@method\"", "\"@path\"", "\"x-none\""]),
        ("the parameters sf, bs, key, tr and req of a component", vec!["\"@method\"", "\"@path\"", "\"x-note\";sf"]),
        ("the parameters sf, bs, key, tr and req of a component", vec!["\"@method\"", "\"@path\"", "\"x-note\";bs"]),
        ("the parameters sf, bs, key, tr and req of a component", vec!["\"@method\"", "\"@path\";req"]),
    ] {
        check(row, &Signed { components, ..signed() }, BAD);
    }
    let fields = |input: &str, signature: &str| {
        stage.function.ask(&with_headers(signed().unsigned(), &[("signature-input", input), ("signature", signature)]))
    };
    let (input, signature) = signed().fields();
    for (input, signature) in [
        ("", ""),
        ("(", &*signature),
        (&*input, "sig1=("),
        (&*input, "sig1=1"),
        (&*input, "sig2=:AAAA:"),
        (&*input, &*format!("{signature}, sig2=:AAAA:")),
        ("sig1=1", &*signature),
        (&*format!("{input}, {input}"), &*signature),
        (&*format!("{input}{}", ";tag=\"t\"".repeat(2000)), &*signature),
    ] {
        table.check(
            "fields that are not dictionaries, do not have the same labels, or are too long",
            &fields(input, signature),
            BAD,
        );
    }
    let (other_input, other_signature) = Signed { label: "other", ..signed() }.by("p-256").fields();
    let both = fields(&format!("{input}, {other_input}"), &format!("{signature}, {other_signature}"));
    table.check("signatures by two keys", &both, "ambiguous_token");
    let second = Signed { label: "b", ..signed() }.fields().0;
    let one_right = fields(&format!("{second}, {input}"), &format!("b=:AAAA:, {signature}"));
    table.check("two signatures by one key, of which one is right", &one_right, "allow");
    let bearer = format!("Bearer {}", Token::access().text());
    let beside = with_headers(signed().event(), &[("authorization", &bearer)]);
    table.check("a signature beside a token", &stage.function.ask(&beside), "ambiguous_token");
    let token = stage.function.ask(&Kind::Http2.event("GET", "/items", &bearer));
    table.check("a token alone", &token, "allow");
}

#[test]
fn the_record_of_the_key_decides_what_its_signatures_are_worth() {
    let table = Table::under(PAGE, "Which keys may sign");
    let stage = Stage::start("", "");
    let with = |name: &str, value: Value| {
        let mut item = Signer::of("ed25519").item();
        item[name] = value;
        item
    };
    let without = |name: &str| {
        let mut item = Signer::of("ed25519").item();
        item.as_object_mut().unwrap().remove(name);
        item
    };
    let number = |value: i64| json!({ "N": value.to_string() });
    let text = |value: &str| json!({ "S": value });
    let mut api_key = without("algorithm");
    api_key.as_object_mut().unwrap().remove("public_key");
    api_key["sha256"] = text(&"0".repeat(64));
    for (row, item, expected) in [
        ("as authctl key create --signature makes it", Signer::of("ed25519").item(), "allow"),
        ("disabled", with("disabled", json!({ "BOOL": true })), BAD),
        ("not_after to come", with("not_after", number(now() + 60)), "allow"),
        ("not_after has passed", with("not_after", number(now() - 1)), BAD),
        ("an API key", api_key, BAD),
        ("a public_key of another algorithm", with("public_key", text(public_pem(Key::P256))), BAD),
        ("a public_key that is not PEM", with("public_key", text("MCowBQYDK2VwAyEA")), BAD),
        ("no public_key", without("public_key"), BAD),
        ("an algorithm that is not known", with("algorithm", text("rsa-sha1")), BAD),
        ("an item that cannot be read whole", with("disabled", text("no")), BAD),
    ] {
        stage.stub.answer(GET_ITEM, items(vec![item]));
        table.check(row, &stage.ask(&signed()), expected);
    }
    let mut small = Signer::of("rsa-v1_5").item();
    small["public_key"] = text(public_pem(Key::Rsa1024));
    stage.stub.answer(GET_ITEM, items(vec![small]));
    table.check("an RSA key with fewer than 2048 bits", &stage.ask(&signed().by("rsa-v1_5")), BAD);
    for (row, answer) in [
        ("the table does not answer", Answer::HangUp),
        ("the table does not answer", error(500, DYNAMODB, "InternalServerError")),
        ("the table may not be read", error(400, DYNAMODB, "AccessDeniedException")),
    ] {
        stage.stub.answer(GET_ITEM, answer);
        table.check(row, &stage.ask(&signed()), "keys_unavailable");
    }
    let without_secret =
        Stage::start("algorithms: [hmac-sha256, ed25519], cover: [\"@method\", \"@path\"], cache: 0s", "");
    table.check(
        "by an HMAC key, where secret is not given",
        &without_secret.ask(&signed().by("hmac")),
        "keys_unavailable",
    );
    assert_eq!(without_secret.ask(&signed()).outcome(), "allow");
    let only = Stage::start("algorithms: [ecdsa-p256-sha256]", "");
    table.check("an algorithm that is not one of algorithms", &only.ask(&signed()), BAD);
    table.check("an algorithm that is not one of algorithms", &only.ask(&signed().by("hmac")), BAD);
    assert_eq!(only.ask(&signed().by("p-256")).outcome(), "allow");
}

#[test]
fn claims_of_the_record_are_judged_as_a_tokens_are() {
    let (stage, cases) = (Stage::start("", "revocations: { table: revocations, check: all }"), Cases::default());
    for (path, expected) in [
        ("/signed", "allow"),
        ("/partners", "allow"),
        ("/mine/partner-ed25519", "allow"),
        ("/live", "allow"),
        ("/mine/other", "claim_mismatch"),
        ("/others", "insufficient_group"),
        ("/tokens", "forbidden"),
        ("/none", "no_route"),
    ] {
        let verdict = stage.ask(&Signed { path, ..signed() });
        cases.check(path, &verdict, expected);
        cases.equal(format!("{path}: credential"), &verdict.log["credential"], "signature");
        cases.equal(format!("{path}: kid"), &verdict.log["kid"], "ed25519");
        cases.equal(format!("{path}: issuer"), &verdict.log["issuer"], "urn:signatures");
    }
    let verdict = stage.ask(&signed());
    cases.equal("the context", verdict.context()["sub"].as_str(), Some("partner-ed25519"));
    stage.stub.answer(BATCH_GET_ITEM, table(&[item("sub#urn:signatures#partner-ed25519")]));
    cases.check("a revoked sub", &stage.ask(&signed()), "token_revoked");
    cases.check("somebody else's", &stage.ask(&signed().by("p-256")), "allow");
}

/// A cache is no answer to a route that asks live.
#[test]
fn a_live_route_reads_the_record_anew() {
    let settings = ALL_ALGORITHMS.replace("cache: 0s", "cache: 1h");
    let (stage, cases) = (Stage::start(&settings, ""), Cases::default());
    let live = Signed { path: "/live", ..signed() };
    cases.check("an open route", &stage.ask(&signed()), "allow");
    cases.check("a live route", &stage.ask(&live), "allow");
    stage.stub.answer(GET_ITEM, Answer::HangUp);
    cases.check("an open route, from memory", &stage.ask(&signed()), "allow");
    cases.check("a live route, and an outage", &stage.ask(&live), "keys_unavailable");
    let mut disabled = Signer::of("ed25519").item();
    disabled["disabled"] = json!({ "BOOL": true });
    stage.stub.answer(GET_ITEM, items(vec![disabled]));
    cases.check("a live route, disabled meanwhile", &stage.ask(&live), BAD);
}

#[test]
fn a_nonce_is_taken_once() {
    let table = Table::under(PAGE, "Replays");
    let stage = Stage::start(&format!("{ALL_ALGORITHMS}, nonce_table: nonces"), "");
    let nonce = |nonce: &str| signed().with(&format!(";nonce=\"{nonce}\""));
    let request = nonce("n-1");
    table.check("a new nonce", &stage.ask(&request), "allow");
    table.check("the same request again", &stage.ask(&request), BAD);
    table.check("another request with the same nonce", &stage.ask(&Signed { path: "/signed", ..nonce("n-1") }), BAD);
    table.check("another nonce", &stage.ask(&nonce("n-2")), "allow");
    let by_other = signed().by("p-256").with(";nonce=\"n-1\"");
    table.check("the same nonce by another key", &stage.ask(&by_other), "allow");
    table.check("no nonce, or an empty one", &stage.ask(&signed()), BAD);
    table.check("no nonce, or an empty one", &stage.ask(&nonce("")), BAD);
    let (first, second) = (nonce("n-6").fields(), Signed { label: "b", ..nonce("n-7") }.fields());
    let (input, signature) = (format!("{}, {}", first.0, second.0), format!("{}, {}", first.1, second.1));
    let both = with_headers(signed().unsigned(), &[("signature-input", &input), ("signature", &signature)]);
    table.check("two signatures, each with a nonce", &stage.function.ask(&both), BAD);
    let (unsigned, before) = (nonce("n-3"), stage.stub.calls(PUT_ITEM));
    let (input, _) = unsigned.fields();
    let forged = with_headers(unsigned.unsigned(), &[("signature-input", &input), ("signature", "sig1=:AAAA:")]);
    table.check("a new nonce under a wrong signature, which is not taken", &stage.function.ask(&forged), BAD);
    assert_eq!(stage.stub.calls(PUT_ITEM), before);
    table.check(
        "a new nonce, and the table does not answer",
        &{
            stage.stub.answer(PUT_ITEM, Answer::HangUp);
            stage.ask(&nonce("n-4"))
        },
        "keys_unavailable",
    );
    stage.stub.answer(PUT_ITEM, error(400, DYNAMODB, "AccessDeniedException"));
    table.check("a new nonce, and the table may not be written", &stage.ask(&nonce("n-5")), "keys_unavailable");
}

/// The first attempt was written, its answer was lost, and the second finds the item: it is this request's own.
#[test]
fn a_claim_whose_answer_was_lost_is_still_its_own() {
    let stage = Stage::start(&format!("{ALL_ALGORITHMS}, nonce_table: nonces"), "");
    let own = Answer::Worked(Arc::new(|request| taken_before(&request_json(request)["Item"])));
    stage.stub.answers(PUT_ITEM, [Answer::HangUp, own]);
    assert_eq!(stage.ask(&signed().with(";nonce=\"n\"")).outcome(), "allow");
    let nobodys = Answer::Worked(Arc::new(|_| taken_before(&json!({ "pk": { "S": "x" } }))));
    stage.stub.answers(PUT_ITEM, [Answer::HangUp, nobodys]);
    assert_eq!(stage.ask(&signed().with(";nonce=\"n\"")).outcome(), BAD);
}

/// What anybody can send costs no read.
#[test]
fn what_can_be_refused_without_a_key_asks_nobody() {
    let (stage, cases) = (Stage::start("", ""), Cases::default());
    for (what, request) in [
        ("too old", Signed { parameters: parameters(-3600, "ed25519"), ..signed() }),
        ("covers too little", Signed { components: vec!["\"@method\""], ..signed() }),
        ("another algorithm", signed().with(";alg=\"hs2019\"")),
        ("a field that is missing", signed().covering(&["\"x-none\""])),
    ] {
        cases.check(what, &stage.ask(&request), BAD);
    }
    cases.equal("reads", stage.stub.calls(GET_ITEM), 0);
    let settings = ALL_ALGORITHMS.replace("cache: 0s", "cache: 60s");
    let remembers = Stage::start(&settings, "");
    for _ in 0..5 {
        let unknown = Signed { parameters: parameters(0, "nobody"), ..signed() };
        cases.check("an unknown key", &remembers.ask(&unknown), BAD);
    }
    cases.equal("reads of an unknown key", remembers.stub.calls(GET_ITEM), 1);
}

/// API Gateway may keep a policy: it must allow this request and no other, and a bad signature must deny nothing else.
#[test]
fn an_answer_speaks_of_its_own_request_alone() {
    let (stage, cases) = (Stage::start("", "policy: { covers: token, implicit_deny: true }"), Cases::default());
    for kind in [Kind::RestRequest, Kind::Http1] {
        let request = Signed { kind, ..signed() };
        let verdict = stage.ask(&request);
        cases.check(format!("{kind:?}"), &verdict, "allow");
        cases.equal(format!("{kind:?}: resources"), verdict.resources(), vec![crate::events::arn("GET", "/items")]);
        let mut wrong = request.event();
        wrong["headers"]["signature"] = json!("sig1=:AAAA:");
        if kind == Kind::RestRequest {
            wrong["multiValueHeaders"]["signature"] = json!(["sig1=:AAAA:"]);
            let verdict = stage.function.ask(&wrong);
            cases.check("a wrong one", &verdict, BAD);
            cases.is("a wrong one is answered with Unauthorized", verdict.failed_as_unauthorized());
        }
    }
}

#[test]
fn no_secret_and_no_signature_is_ever_seen_outside() {
    let stage = Stage::start(&format!("{ALL_ALGORITHMS}, nonce_table: nonces"), "");
    let mut hidden = vec![MASTER.to_owned()];
    let encode = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    hidden.push(encode(&secret_of("hmac")));
    for signer in &SIGNERS {
        for (nonce, path) in [("secret-nonce-1", "/items"), ("secret-nonce-1", "/items"), ("secret-nonce-2", "/none")] {
            let request = Signed { path, ..signed().by(signer.id) }.with(&format!(";nonce=\"{nonce}\""));
            let event = request.event();
            let signature = event["headers"]["signature"].as_str().unwrap();
            hidden.push(signature.trim_matches(|c| c == ':').trim_start_matches("sig1=:").to_owned());
            stage.function.ask(&event);
        }
    }
    stage.function.end();
    let said = stage.function.everything_said().join("\n");
    for secret in hidden.iter().chain([&"secret-nonce".to_owned()]) {
        assert!(!said.contains(secret.as_str()), "{secret} in {said}");
    }
}

#[test]
fn a_configuration_in_doubt_keeps_the_function_from_starting() {
    let cases = Cases::default();
    let keys = Site::with_keys(&cognito_jwks());
    for (settings, fault) in [
        ("algorithms: []", "algorithms: must not be empty"),
        ("algorithms: [hs256]", "`hs256` is not an algorithm of request signatures"),
        ("algorithms: [hmac-sha256], secret: \"${SHORT}\"", "secret: must have at least 32 bytes"),
        ("algorithms: [hmac-sha256], secret: a-master-secret-of-at-least-32-bytes", "secret: must not be written here"),
        ("algorithms: [ed25519], secret: \"${MASTER}\"", "secret: none of `algorithms` uses it"),
        ("algorithms: [ed25519], max_age: 0s", "max_age: must be longer than 0s"),
        ("algorithms: [ed25519], max_age: 61m", "max_age: must be at most `1h`"),
        ("algorithms: [ed25519], cover: []", "cover: must not be empty"),
        ("algorithms: [ed25519], cover: [\"@status\"]", "cover: `@status`: an unknown derived component"),
        ("algorithms: [ed25519], cover: [Date]", "cover: `Date`: not the name of a header field in lower case"),
        ("algorithms: [ed25519], cover: [date, date]", "cover: `date` is named twice"),
        ("algorithms: [ed25519], cover: [signature]", "cover: `signature`: a signature cannot cover itself"),
        ("algorithms: [ed25519], nonce: x", "nonce: unknown key"),
        ("cover: [date]", "algorithms: is missing"),
    ] {
        let setup =
            Setup::config(&configuration(&keys, settings, "")).env("MASTER", MASTER).env("SHORT", &MASTER[..31]);
        let output = setup.refused().map(|refused| refused.output.replace("\\\"", "\""));
        let output = output.unwrap_or_default();
        cases.is(format!("{settings}: {output}"), output.contains(fault));
        cases.is(format!("{settings}: the secret in {output}"), !output.contains(MASTER) || settings.contains(MASTER));
    }
}
