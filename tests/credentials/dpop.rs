//! DPoP (RFC 9449): which proofs are accepted, and for which requests.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::PAGE;
use crate::documented::Table;
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::stub::dynamodb::{DYNAMODB, error, reply, request_json};
use crate::stub::{Answer, Stub};
use crate::tokens::{Key, Token, encode, jwk_set, now, thumbprint};
use crate::verdict::{Cases, Verdict};

const BOUND: &str = "https://bound.example.com";
const PLAIN: &str = "https://plain.example.com";
const PUT_ITEM: &str = "PutItem";
const DOMAIN: &str = "abcdef123.execute-api.us-east-1.amazonaws.com";
const URL: &str = "https://abcdef123.execute-api.us-east-1.amazonaws.com/test/items";
/// The kinds of events that carry a proof.
const CARRIERS: [Kind; 3] = [Kind::RestRequest, Kind::Http1, Kind::Http2];

/// One issuer that asks for proofs, and one that does not.
fn configuration(site: &Site, dpop: &str, rest: &str) -> String {
    let jwks = site.url("/jwks.json");
    format!(
        "
issuers:
  - oidc: {{ issuer: {BOUND}, audience: api://orders, jwks_uri: \"{jwks}\", dpop: {dpop} }}
  - oidc: {{ issuer: {PLAIN}, audience: api://orders, jwks_uri: \"{jwks}\" }}
routes: {{ GET /items: {{}}, POST /items: {{ any_scope: [nobody] }}, GET /other: {{}}, $connect: {{}} }}
{rest}"
    )
}

fn started(dpop: &str, rest: &str) -> (Site, Function) {
    let site = Site::with_keys(&jwk_set(&[Key::RsaA.jwk()]));
    let function = Function::start(&configuration(&site, dpop, rest));
    (site, function)
}

/// RFC 7638, once more.
fn jkt(key: Key) -> String {
    let jwk = public(key);
    let members: &[&str] = match jwk["kty"].as_str() {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        _ => &["e", "kty", "n"],
    };
    let members: Vec<String> = members.iter().map(|name| format!("\"{name}\":{}", jwk[name])).collect();
    encode(digest(&SHA256, format!("{{{}}}", members.join(",")).as_bytes()))
}

fn public(key: Key) -> Value {
    key.jwk_with(json!({ "kid": null }))
}

fn bound_to(key: Key) -> String {
    Token::oidc(BOUND).claim("cnf", json!({ "jkt": jkt(key) })).text()
}

/// A proof that is being written.
#[derive(Clone)]
struct Proof {
    key: Key,
    algorithm: &'static str,
    header: Value,
    payload: Value,
}

impl Proof {
    /// Of `GET /items` with that token; each with another `jti`.
    fn of(token: &str) -> Proof {
        thread_local!(static COUNT: Cell<u32> = const { Cell::new(0) });
        let count = COUNT.replace(COUNT.get() + 1);
        let ath = encode(digest(&SHA256, token.as_bytes()));
        let payload = json!({ "jti": format!("proof-{count}"), "htm": "GET", "htu": URL, "iat": now(), "ath": ath });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": public(Key::P256) });
        Proof { key: Key::P256, algorithm: "ES256", header, payload }
    }

    fn by(mut self, key: Key, algorithm: &'static str) -> Proof {
        (self.key, self.algorithm) = (key, algorithm);
        self.header(&[("jwk", public(key)), ("alg", json!(algorithm))])
    }

    fn header(mut self, members: &[(&str, Value)]) -> Proof {
        members.iter().for_each(|(name, value)| set(&mut self.header, name, value));
        self
    }

    fn claim(mut self, name: &str, value: Value) -> Proof {
        set(&mut self.payload, name, &value);
        self
    }

    fn text(&self) -> String {
        let input = format!("{}.{}", encode(self.header.to_string()), encode(self.payload.to_string()));
        format!("{input}.{}", encode(self.key.sign(self.algorithm, input.as_bytes())))
    }
}

/// `Value::Null` takes a member away.
fn set(object: &mut Value, name: &str, value: &Value) {
    if value.is_null() {
        object.as_object_mut().unwrap().remove(name);
    } else {
        object[name] = value.clone();
    }
}

fn event(kind: Kind, method: &str, path: &str, authorization: &str, proofs: &[&str]) -> Value {
    let mut event = kind.event(method, path, authorization);
    event["requestContext"]["domainName"] = json!(DOMAIN);
    let name = if kind == Kind::Http2 { "dpop" } else { "DPoP" };
    match proofs {
        [] => {}
        [.., last] => {
            event["headers"][name] = if kind == Kind::Http2 { json!(proofs.join(",")) } else { json!(last) };
            if kind != Kind::Http2 {
                event["multiValueHeaders"][name] = json!(proofs);
            }
        }
    }
    event
}

fn get(function: &Function, kind: Kind, token: &str, proof: &str) -> Verdict {
    function.ask(&event(kind, "GET", "/items", &format!("DPoP {token}"), &[proof]))
}

#[test]
fn only_a_fresh_proof_of_this_request_by_the_bound_key_is_accepted() {
    let table = Table::under(PAGE, "Which proofs are accepted");
    let (_site, function) = started("required", "");
    let token = bound_to(Key::P256);
    for kind in CARRIERS {
        let check = |row: &str, proof: Proof, expected: &str| {
            table.check(row, &get(&function, kind, &token, &proof.text()), expected);
        };
        let good = || Proof::of(&token);
        check("a proof of this request, by the token's key", good(), "allow");
        for (key, algorithm) in [
            (Key::P256, "ES256"),
            (Key::P384, "ES384"),
            (Key::P521, "ES512"),
            (Key::Ed25519, "EdDSA"),
            (Key::Ed25519, "Ed25519"),
            (Key::RsaB, "RS256"),
            (Key::RsaB, "PS256"),
            (Key::Rsa4096, "PS512"),
        ] {
            let token = bound_to(key);
            let proof = Proof::of(&token).by(key, algorithm).text();
            let row = "by ES256, ES384, ES512, EdDSA (also as Ed25519), RS or PS with 256, 384 or 512";
            table.check(row, &get(&function, kind, &token, &proof), "allow");
        }
        for htu in [
            format!("{URL}?a=b"),
            format!("{URL}#f"),
            URL.replace("abcdef123", "ABCDEF123"),
            URL.replace("https", "HTTPS"),
            URL.replace(".com/", ".com:443/"),
            URL.replace("items", "%69tems"),
        ] {
            check(
                "htu in another spelling: a query, a fragment, capital letters in scheme and host, the port 443, an escape",
                good().claim("htu", json!(htu)),
                "allow",
            );
        }
        for htu in [
            URL.replace("abcdef123", "other"),
            URL.replace("/test", ""),
            URL.replace("/test", "/prod"),
            URL.replace("items", "other"),
            format!("{URL}/"),
            URL.replace("https", "http"),
            URL.replace(".com/", ".com:8443/"),
            URL.replace("https://", "https://evil.example@"),
            "/test/items".to_owned(),
        ] {
            let row = "htu of another host, scheme, port, stage or path";
            check(row, good().claim("htu", json!(htu)), "sender_not_proven");
        }
        check("htm of another method", good().claim("htm", json!("POST")), "sender_not_proven");
        check("ath of another token, or none", Proof::of("another"), "sender_not_proven");
        check("ath of another token, or none", good().claim("ath", Value::Null), "sender_not_proven");
        let row = "iat more than 60 s and the leeway ago, or further ahead than the leeway";
        check(row, good().claim("iat", json!(now() - 70)), "sender_not_proven");
        check(row, good().claim("iat", json!(now() + 60)), "sender_not_proven");
        check("iat within 60 s", good().claim("iat", json!(now() - 55)), "allow");
        for name in ["iat", "jti", "htm", "htu"] {
            check("without iat, jti, htm or htu", good().claim(name, Value::Null), "sender_not_proven");
        }
        check("by another key than the token's", good().by(Key::P384, "ES384"), "sender_not_proven");
        let mut other = good();
        other.key = Key::P384;
        check("signed by another key than its own jwk", other, "sender_not_proven");
        let with_private = good().header(&[("jwk", Key::P256.jwk_with(json!({ "kid": null, "d": "AA" })))]);
        check("with a private key, or without jwk", with_private, "sender_not_proven");
        check("with a private key, or without jwk", good().header(&[("jwk", Value::Null)]), "sender_not_proven");
        for alg in ["none", "HS256", "RS256", "ES384"] {
            check(
                "an alg that is not accepted, or not the key's",
                good().header(&[("alg", json!(alg))]),
                "sender_not_proven",
            );
        }
        for typ in [json!("JWT"), json!("at+jwt"), Value::Null] {
            check("another typ than dpop+jwt", good().header(&[("typ", typ)]), "sender_not_proven");
        }
        check("with crit or b64", good().header(&[("crit", json!(["x"]))]), "sender_not_proven");
        for text in ["x", "", "a.b.c", &token, &format!("{}=", good().text()), &format!("{}.x", good().text())] {
            let verdict = get(&function, kind, &token, text);
            table.check("no JWS, or one with padding, repeated members or stray bits", &verdict, "sender_not_proven");
        }
        let once = good().text();
        table.check("a proof of this request, by the token's key", &get(&function, kind, &token, &once), "allow");
        table.check("used before", &get(&function, kind, &token, &once), "sender_not_proven");
        let again = good().claim("jti", json!("again"));
        let first = get(&function, kind, &token, &again.clone().claim("jti", json!(format!("again {kind:?}"))).text());
        table.check("a proof of this request, by the token's key", &first, "allow");
        let second = again.claim("jti", json!(format!("again {kind:?}"))).claim("iat", json!(now() - 1));
        table.check(
            "another one with its key and jti",
            &get(&function, kind, &token, &second.text()),
            "sender_not_proven",
        );
    }
}

#[test]
fn a_bound_token_is_taken_with_its_proof_alone() {
    let table = Table::under(PAGE, "What a request with a proof may carry");
    let (_site, function) = started("required", "");
    let token = bound_to(Key::P256);
    let proof = || Proof::of(&token).text();
    for kind in CARRIERS {
        let ask =
            |authorization: &str, proofs: &[&str]| function.ask(&event(kind, "GET", "/items", authorization, proofs));
        for scheme in ["DPoP", "dpop", "DPOP", "DPoP  "] {
            let row = "DPoP as the scheme, in any case, and one proof";
            table.check(row, &ask(&format!("{scheme} {token}"), &[&proof()]), "allow");
        }
        for scheme in ["Bearer ", ""] {
            let row = "Bearer as the scheme, or none";
            table.check(row, &ask(&format!("{scheme}{token}"), &[&proof()]), "sender_not_proven");
        }
        table.check("no proof", &ask(&format!("DPoP {token}"), &[]), "sender_not_proven");
        let (one, two) = (proof(), proof());
        table.check("two proofs", &ask(&format!("DPoP {token}"), &[&one, &two]), "sender_not_proven");
        let twice = proof();
        table.check("two proofs", &ask(&format!("DPoP {token}"), &[&twice, &twice]), "sender_not_proven");
        let unbound = Token::oidc(BOUND).text();
        let with = |token: &str| ask(&format!("DPoP {token}"), &[&Proof::of(token).text()]);
        table.check("a token that is not bound", &with(&unbound), "sender_not_proven");
        let certificate = thumbprint(crate::tokens::CLIENT_CERT);
        for cnf in [
            json!({ "x5t#S256": certificate }),
            json!({ "x5t#S256": certificate, "jkt": jkt(Key::P256) }),
            json!({ "jwk": public(Key::P256) }),
            json!({ "jkt": [jkt(Key::P256)] }),
            json!({}),
            json!([]),
        ] {
            let other = Token::oidc(BOUND).claim("cnf", cnf).text();
            table.check("a token that is bound to something else, or to more", &with(&other), "sender_not_proven");
        }
        let expired =
            Token::oidc(BOUND).claim("cnf", json!({ "jkt": jkt(Key::P256) })).claim("exp", json!(now() - 60)).text();
        table.check("an expired token", &with(&expired), "token_expired");
        let plain = Token::oidc(PLAIN);
        let without = plain.clone().text();
        table.check(
            "a token of an issuer without dpop, as a bearer token",
            &ask(&format!("Bearer {without}"), &[]),
            "allow",
        );
        table.check("a token of an issuer without dpop, by the scheme DPoP", &with(&without), "malformed_token");
        let bound_elsewhere = plain.claim("cnf", json!({ "jkt": jkt(Key::P256) })).text();
        let row = "a bound token of an issuer without dpop, as a bearer token";
        table.check(row, &ask(&format!("Bearer {bound_elsewhere}"), &[&proof()]), "sender_not_proven");
        let mixed = ask(&format!("DPoP {token}, Bearer {token}"), &[&proof()]);
        table.check("the token by both schemes", &mixed, "ambiguous_token");
        let mut post = event(
            kind,
            "POST",
            "/items",
            &format!("DPoP {token}"),
            &[&Proof::of(&token).claim("htm", json!("POST")).text()],
        );
        table.check("a proof that holds, and a rule that does not", &function.ask(&post), "insufficient_scope");
        post["requestContext"]["domainName"] = json!("evil.example");
        post["headers"]["Host"] = json!(DOMAIN);
        let row = "another domain than API Gateway names, whatever the Host header says";
        table.check(row, &function.ask(&post), "sender_not_proven");
        let mut nowhere = event(kind, "GET", "/items", &format!("DPoP {token}"), &[&proof()]);
        nowhere["requestContext"]["domainName"] = Value::Null;
        table.check("an event that names no domain", &function.ask(&nowhere), "sender_not_proven");
    }
    let in_token_event = function.ask(&Kind::RestToken.event("GET", "/items", &format!("DPoP {token}")));
    table.check("a TOKEN or WebSocket event", &in_token_event, "sender_not_proven");
    let connect = event(Kind::WebSocket, "GET", "/", &format!("DPoP {token}"), &[&proof()]);
    table.check("a TOKEN or WebSocket event", &function.ask(&connect), "sender_not_proven");
}

#[test]
fn where_origins_are_listed_they_count_instead_of_the_events_domain() {
    let (_site, function) = started("{ required: true, origins: [https://app.example.com] }", "");
    let cases = Cases::default();
    let token = bound_to(Key::P256);
    for kind in CARRIERS {
        let of = |htu: &str| get(&function, kind, &token, &Proof::of(&token).claim("htu", json!(htu)).text());
        cases.check(format!("{kind:?} a listed one"), &of("https://app.example.com/test/items"), "allow");
        cases.check(format!("{kind:?} the domain"), &of(URL), "sender_not_proven");
        cases.check(format!("{kind:?} another path"), &of("https://app.example.com/items"), "sender_not_proven");
    }
}

#[test]
fn the_answer_to_a_proof_speaks_of_its_own_request_and_each_request_is_asked() {
    let (_site, function) = started("required", "policy: { covers: token }");
    let cases = Cases::default();
    let token = bound_to(Key::P256);
    for _ in 0..3 {
        // From the second on the token's signature is known; its proof is not.
        let verdict = get(&function, Kind::RestRequest, &token, &Proof::of(&token).text());
        cases.check("with a proof", &verdict, "allow");
        cases.equal("resources", verdict.resources(), [crate::events::arn("GET", "/items")]);
        let without = function.ask(&event(Kind::RestRequest, "GET", "/items", &format!("DPoP {token}"), &[]));
        cases.check("without", &without, "sender_not_proven");
        cases.is("which is kept nowhere", without.failed_as_unauthorized());
    }
}

#[test]
fn with_a_nonce_table_a_proof_is_used_once_by_all_processes() {
    let (stub, cases) = (Stub::start(), Cases::default());
    let taken = Arc::new(Mutex::new(HashSet::new()));
    let put = Answer::Worked(Arc::new(move |request| {
        let item = request_json(request)["Item"].clone();
        let is_new = taken.lock().unwrap().insert(item["pk"]["S"].as_str().unwrap().to_owned());
        let failed = json!({ "__type": format!("{DYNAMODB}#ConditionalCheckFailedException"), "message": "x" });
        if is_new { reply(200, &json!({})) } else { reply(400, &failed) }
    }));
    stub.answer(PUT_ITEM, put);
    let site = Site::with_keys(&jwk_set(&[Key::RsaA.jwk()]));
    let config = configuration(&site, "{ required: true, nonce_table: nonces }", "");
    let [one, other] = [(), ()].map(|()| {
        Setup::config(&config)
            .env("AWS_ENDPOINT_URL_DYNAMODB", &stub.url(""))
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .start()
    });
    let token = bound_to(Key::P256);
    let proof = Proof::of(&token).text();
    cases.check("one process", &get(&one, Kind::Http2, &token, &proof), "allow");
    let key = request_json(&stub.last_request(PUT_ITEM))["Item"]["pk"]["S"].as_str().unwrap().to_owned();
    cases.is(key.clone(), key.starts_with(&format!("nonce#{BOUND}#{}#", jkt(Key::P256))));
    cases.check("the same process", &get(&one, Kind::Http2, &token, &proof), "sender_not_proven");
    cases.equal("which asks nobody", stub.calls(PUT_ITEM), 1);
    cases.check("another process", &get(&other, Kind::Http2, &token, &proof), "sender_not_proven");
    let bad = Proof::of(&token).claim("htm", json!("PUT")).text();
    cases.check("a proof that does not hold", &get(&one, Kind::Http2, &token, &bad), "sender_not_proven");
    cases.equal("is not taken", stub.calls(PUT_ITEM), 2);
    stub.answer(PUT_ITEM, error(400, DYNAMODB, "AccessDeniedException"));
    let verdict = get(&one, Kind::Http2, &token, &Proof::of(&token).text());
    cases.check("a table that may not be written", &verdict, "keys_unavailable");
}

#[test]
fn nothing_of_a_proof_is_ever_seen_outside() {
    let site = Site::with_keys(&jwk_set(&[Key::RsaA.jwk()]));
    let function = Setup::config(&configuration(&site, "required", "")).env("AUTHORIZER_LOG", "trace").start();
    let token = bound_to(Key::P256);
    let mut proofs = Vec::new();
    for proof in [
        Proof::of(&token),
        Proof::of(&token).claim("htm", json!("PUT")),
        Proof::of(&token).by(Key::P384, "ES384"),
        Proof::of(&token).claim("jti", json!("a-jti-that-nobody-else-has")).claim("iat", json!(1)),
        Proof::of("another-token-of-somebody-else"),
    ] {
        let proof = proof.text();
        for kind in CARRIERS {
            get(&function, kind, &token, &proof);
        }
        proofs.push(proof);
    }
    function.end();
    let said = function.everything_said();
    assert!(said.iter().any(|line| line.contains("decision")));
    let parts = proofs.iter().flat_map(|proof| proof.split('.'));
    for secret in
        parts.chain(["a-jti-that-nobody-else-has", "proof-0", &jkt(Key::P256), token.rsplit('.').next().unwrap()])
    {
        assert!(said.iter().all(|line| !line.contains(secret)), "{secret}");
    }
}

#[test]
fn a_setting_that_is_none_does_not_start() {
    let site = Site::with_keys(&jwk_set(&[Key::RsaA.jwk()]));
    for (dpop, fault) in [
        ("on", "issuers[0].oidc.dpop: must be `off`, `required` or a map with `required: true`"),
        ("true", "issuers[0].oidc.dpop: must be `off`, `required`"),
        ("{}", "issuers[0].oidc.dpop.required: is missing"),
        ("{ required: false }", "issuers[0].oidc.dpop.required: must be `true`"),
        ("{ required: true, nonce_table: }", "issuers[0].oidc.dpop.nonce_table: must not be empty"),
        ("{ required: true, origins: [] }", "issuers[0].oidc.dpop.origins: must not be empty"),
        (
            "{ required: true, origins: [https://a.example/x] }",
            "issuers[0].oidc.dpop.origins: `https://a.example/x` is no origin",
        ),
        ("{ required: true, origin: https://a.example }", "issuers[0].oidc.dpop.origin: unknown key"),
    ] {
        let refused = Setup::config(&configuration(&site, dpop, "")).refused();
        let refused = refused.unwrap_or_else(|| panic!("`{dpop}` starts"));
        assert!(refused.output.contains(fault), "{dpop}: {}", refused.output);
    }
}
