//! Client certificates: which are accepted, who they are, and what may come with one.

use serde_json::{Value, json};
use test_support::repository;

use crate::PAGE;
use crate::certificates::{client, fingerprint, named, pem};
use crate::documented::Table;
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::stub::dynamodb::{BATCH_GET_ITEM, DYNAMODB, asked_for, error, item, table};
use crate::stub::{Answer, Stub};
use crate::tokens::{CLIENT, POOL, Token, cognito_jwks, pem_to_der, thumbprint};
use crate::verdict::{Cases, Verdict};

/// The kinds of events that carry a certificate.
const CARRIERS: [Kind; 3] = [Kind::RestRequest, Kind::Http1, Kind::Http2];

/// What every test here configures; `more` is the rest of the file.
fn configuration(keys: &Site, more: &str) -> String {
    let file = repository().join("tests/certificates/authorities.pem");
    format!(
        r#"
issuers:
  - certificates:
      authorities: {{ file: "{}" }}
      identities:
        - {{ subject: "CN=partner-a,O=Example", claims: {{ sub: partner-a, groups: [partners], plan: {{ tier: gold }} }} }}
        - {{ san_uri: "spiffe://example.org/*" }}
        - {{ subject: "CN=partner\\+a,O=Example\\, Inc." }}
        - {{ subject: "CN=partner-c+OU=Sales,O=Example" }}
  - cognito: {{ user_pool_id: {POOL}, client_ids: {CLIENT}, jwks_uri: "{}" }}
routes:
  GET /items: {{}}
  GET /tokens: {{ credentials: [jwt] }}
  GET /partners: {{ any_group: [partners] }}
  GET /plans: {{ claims: {{ /plan/tier: gold }} }}
  GET /mine/{{name}}: {{ claims: {{ sub: "{{name}}" }} }}
  $connect: {{}}
{more}"#,
        file.display(),
        keys.url("/jwks.json"),
    )
}

/// An event of this kind with that certificate, and with that token where it is not empty.
fn event(kind: Kind, path: &str, token: &str, pem: &str) -> Value {
    let mut event = match token {
        "" => kind.event_without_token("GET", path),
        token => kind.event("GET", path, &format!("Bearer {token}")),
    };
    let place = if kind == Kind::Http2 { "authentication" } else { "identity" };
    // Members as AWS documents them.
    event["requestContext"][place]["clientCert"] = json!({
        "clientCertPem": pem,
        "subjectDN": "CN=partner-a,O=Example",
        "issuerDN": "CN=Example Root,O=Example",
        "serialNumber": "1",
        "validity": { "notBefore": "Jan  1 00:00:00 2020 GMT", "notAfter": "Jan  1 00:00:00 2120 GMT" },
    });
    event
}

/// The stub of the table, the keys, and the function.
fn with_table(more: &str) -> (Stub, Site, Function) {
    let (stub, keys) = (Stub::start(), Site::with_keys(&cognito_jwks()));
    stub.answer(BATCH_GET_ITEM, table(&[]));
    let function = Setup::config(&configuration(&keys, more))
        .env("AWS_ENDPOINT_URL_DYNAMODB", &stub.url(""))
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .start();
    (stub, keys, function)
}

#[test]
fn only_a_certificate_that_an_authority_vouches_for_and_that_names_an_identity_is_accepted() {
    let table = Table::under(PAGE, "Which certificates are accepted");
    let keys = Site::with_keys(&cognito_jwks());
    let function = Function::start(&configuration(&keys, ""));
    let check = |row: &str, pem: &str, expected: &str| {
        for kind in CARRIERS {
            let verdict = function.ask(&event(kind, "/items", "", pem));
            table.check(row, &verdict, expected);
            if expected != "allow" {
                table.cases.is(format!("{row}: a detail"), verdict.log["detail"].is_string());
            }
        }
    };
    const UNKNOWN: &str = "unknown_certificate";
    for (row, names, expected) in [
        (
            "by a configured authority: P-256, P-384, RSA with 2048 bits, Ed25519",
            &["partner-a", "p384", "rsa", "ed25519"][..],
            "allow",
        ),
        ("by an intermediate of the file", &["by-intermediate"], "allow"),
        (
            "without an extended key usage, or with a key usage of digitalSignature",
            &["without-usage", "with-key-usage"],
            "allow",
        ),
        ("expired", &["expired"], UNKNOWN),
        ("not valid yet", &["not-yet-valid"], UNKNOWN),
        ("an extended key usage without clientAuth", &["for-servers"], UNKNOWN),
        ("a key usage without digitalSignature", &["for-encipherment"], UNKNOWN),
        (
            "by an authority that is not in the file",
            &["by-other-root", "by-expired-root", "below-short-root", "within-constraints"],
            UNKNOWN,
        ),
        ("by another authority of the same name", &["by-namesake", "by-rollover"], UNKNOWN),
        ("by itself", &["by-itself"], UNKNOWN),
        ("an authority's own", &["an-authority"], UNKNOWN),
        ("an RSA key with fewer than 2048 bits, or a key of another kind", &["small-key", "p521-key"], UNKNOWN),
        ("signed with SHA-1", &["sha1-signature"], UNKNOWN),
        ("a critical extension that is not known", &["unknown-critical-extension"], UNKNOWN),
        ("the subject as UTF8String or PrintableString", &["partner-a", "printable-string"], "allow"),
        ("a subject with commas and plus signs in its values", &["comma"], "allow"),
        ("a subject with several attributes in one part", &["multi-valued-unit"], "allow"),
        (
            "the configured subject as text inside another",
            &["subject-in-one-value", "subject-in-one-value-escaped", "subject-in-organization", "longer-name"],
            UNKNOWN,
        ),
        (
            "more attributes than configured, or fewer",
            &["other-unit-too", "without-organization", "name-elsewhere", "no-subject"],
            UNKNOWN,
        ),
        ("the attributes in another order, or in one part", &["order-reversed", "multi-valued"], UNKNOWN),
        ("a second common name", &["second-common-name", "first-common-name", "two-common-names-in-one"], UNKNOWN),
        (
            "other characters: case, blanks, look-alikes, invisible ones",
            &["upper-case", "leading-blank", "trailing-blank", "cyrillic", "full-width", "zero-width"],
            UNKNOWN,
        ),
        ("NUL and other control characters", &["nul", "nul-inside", "line-break"], UNKNOWN),
        ("a value that is a BMPString or TeletexString", &["bmp-string", "teletex-string"], UNKNOWN),
        ("a URI below the prefix, also beside other URIs", &["uri", "uri-deep", "uri-and-another"], "allow"),
        ("a URI that is the prefix", &["uri-root", "uri-slash"], UNKNOWN),
        (
            "a URI with empty segments, dots, escapes, a query, a fragment, a backslash or a star",
            &[
                "uri-empty-segment",
                "uri-trailing-slash",
                "uri-dots",
                "uri-dot",
                "uri-escape",
                "uri-escaped-dots",
                "uri-query",
                "uri-fragment",
                "uri-backslash",
                "uri-star",
            ],
            UNKNOWN,
        ),
        (
            "a URI with another authority or scheme",
            &[
                "uri-longer-authority",
                "uri-longer-label",
                "uri-user",
                "uri-upper-case",
                "uri-other-scheme",
                "uri-inside",
            ],
            UNKNOWN,
        ),
        ("the URI as a DNS name, or as the subject", &["uri-as-dns", "uri-as-subject"], UNKNOWN),
        ("two URIs below the prefix", &["uri-twice"], UNKNOWN),
    ] {
        for name in names {
            check(row, &client(name), expected);
        }
    }
    for name in ["root", "intermediate"] {
        check("an authority's own", &named("authorities.pem", name), UNKNOWN);
    }
    let good = client("partner-a");
    let der = pem_to_der(&good);
    for position in [0, 4, der.len() / 2, der.len() - 1] {
        let mut changed = der.clone();
        changed[position] ^= 1;
        check("a byte of it changed", &pem(&changed), UNKNOWN);
    }
    let row = "no PEM text, no certificate, two certificates, more than 16,384 bytes";
    for text in [
        "CERT_CONTENT".to_owned(),
        " ".to_owned(),
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(),
        pem(b"certificate"),
        format!("{good}{}", client("partner-b")),
        format!("{}{good}", client("partner-b")),
        good.replace("CERTIFICATE", "PUBLIC KEY"),
        format!("{good}{}", " ".repeat(16_384)),
    ] {
        check(row, &text, UNKNOWN);
    }
}

#[test]
fn one_request_presents_one_credential_or_a_token_with_the_certificate_that_it_is_bound_to() {
    let rows = Table::under(PAGE, "What a request may carry");
    let introspected = "  GET /live: { introspect: true }\nrevocations: { table: revocations }\n";
    let (stub, keys, function) = with_table(introspected);
    let (mine, other) = (client("partner-a"), client("partner-b"));
    let bound_to = |pem: &str| Token::access().claim("cnf", json!({ "x5t#S256": thumbprint(pem) })).text();
    let ask = |kind: Kind, path: &str, token: &str, pem: &str| function.ask(&event(kind, path, token, pem));
    for kind in CARRIERS {
        rows.check("a certificate alone", &ask(kind, "/items", "", &mine), "allow");
        rows.check("nothing", &function.ask(&kind.event_without_token("GET", "/items")), "missing_token");
        let row = "a certificate and a token that is bound to it (RFC 8705)";
        rows.check(row, &ask(kind, "/items", &bound_to(&mine), &mine), "allow");
        let row = "a certificate and a token that is not bound to it";
        rows.check(row, &ask(kind, "/items", &Token::access().text(), &mine), "ambiguous_token");
        // Not even one that nobody vouches for.
        rows.check(row, &ask(kind, "/items", &Token::access().text(), "CERT_CONTENT"), "ambiguous_token");
        let row = "a certificate and a token that is bound to another one";
        rows.check(row, &ask(kind, "/items", &bound_to(&other), &mine), "sender_not_proven");
        rows.check("a route with credentials: [jwt]", &ask(kind, "/tokens", "", &mine), "forbidden");
        let uri = client("uri");
        let row = "a route that needs a group that the identity has not";
        rows.check(row, &ask(kind, "/partners", "", &uri), "insufficient_group");
    }

    let misplaced = "a certificate in a TOKEN or WebSocket event, or in the place of another kind of event";
    for kind in [Kind::RestToken, Kind::WebSocket] {
        let mut event = event(kind, "/items", "", &mine);
        event["requestContext"]["authentication"] = event["requestContext"]["identity"].clone();
        if kind == Kind::RestToken {
            event["authorizationToken"] = json!("");
        }
        rows.check(misplaced, &function.ask(&event), "missing_token");
    }
    for (kind, wrong, right) in
        [(Kind::Http2, "identity", "authentication"), (Kind::RestRequest, "authentication", "identity")]
    {
        let mut event = event(kind, "/items", "", &mine);
        event["requestContext"][wrong]["clientCert"] = event["requestContext"][right]["clientCert"].take();
        rows.check(misplaced, &function.ask(&event), "missing_token");
    }
    let mut event = Kind::Http2.event_without_token("GET", "/items");
    event["headers"]["x-forwarded-client-cert"] = json!(mine);
    event["headers"]["x-amzn-mtls-clientcert"] = json!(mine);
    rows.check("a certificate in a header", &function.ask(&event), "missing_token");

    let live = |row: &str, answer: Answer, expected: &str| {
        stub.answer(BATCH_GET_ITEM, answer);
        rows.check(row, &ask(Kind::Http2, "/live", "", &mine), expected);
    };
    let revoked = || table(&[item(&format!("cert#{}", fingerprint(&mine)))]);
    live("introspect: true, and the table does not name the certificate", table(&[]), "allow");
    let names = asked_for(&stub.last_request(BATCH_GET_ITEM));
    rows.cases.is(format!("{names:?}"), names.contains(&format!("cert#{}", fingerprint(&mine))));
    live("introspect: true, and the table names the certificate", revoked(), "token_revoked");
    let by_subject = table(&[item("sub#urn:client-certificates#partner-a")]);
    live("introspect: true, and the table names the sub", by_subject, "token_revoked");
    let outage = error(500, DYNAMODB, "InternalServerError");
    live("introspect: true, and the table does not answer", outage, "revocations_unavailable");
    stub.answer(BATCH_GET_ITEM, revoked());
    let row = "a token that is bound to a revoked certificate";
    rows.check(row, &ask(Kind::Http2, "/live", &bound_to(&mine), &mine), "token_revoked");
    let not_mine = ask(Kind::Http2, "/items", "", &mine);
    rows.cases.check("a route that does not ask", &not_mine, "allow");

    // The user pool can be asked, so that the file is without fault.
    let without_table = configuration(&keys, "  GET /live: { introspect: true }\n")
        .replace("jwks_uri:", "introspection: { method: get_user }, jwks_uri:");
    let function = Function::start(&without_table);
    let verdict = function.ask(&self::event(Kind::Http2, "/live", "", &mine));
    rows.check("introspect: true without a table", &verdict, "not_introspectable");
}

/// The same certificate with the other signature that verifies: `(r, n - s)` for `(r, s)`.
fn twin(pem_text: &str) -> String {
    let der = pem_to_der(pem_text);
    // P-256's order n.
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    // The signature ends the certificate: SEQUENCE { INTEGER r, INTEGER s } in a BIT STRING.
    let start =
        (der.len() - 72..der.len() - 60).find(|at| der[*at] == 0x30 && der[at + 1] as usize == der.len() - at - 2);
    let start = start.expect("a signature");
    let r = &der[start + 2..start + 4 + der[start + 3] as usize];
    let s = &der[start + 2 + r.len() + 2..];
    let mut borrow = 0;
    let mut other = vec![0; 32];
    let s: Vec<u8> = [vec![0; 33 - s.len().min(33)], s.to_vec()].concat().split_off(1);
    for index in (0..32).rev() {
        let difference = i16::from(order[index]) - i16::from(s[s.len() - 32 + index]) - borrow;
        borrow = i16::from(difference < 0);
        other[index] = (difference + 256 * borrow) as u8;
    }
    let other: Vec<u8> = other.into_iter().skip_while(|byte| *byte == 0).collect();
    let other = if other[0] & 0x80 == 0 { other } else { [vec![0], other].concat() };
    let sequence = [r, &[0x02, other.len() as u8], &other].concat();
    let bits = [&[0x00, 0x30, sequence.len() as u8][..], &sequence].concat();
    let signature = [&[0x03, bits.len() as u8][..], &bits].concat();
    // `start` is behind the tag, the length and the zero of the BIT STRING; the certificate begins with 30 82 and two bytes of length.
    let body = [&der[4..start - 3], &signature].concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    pem(&[&[0x30, 0x82][..], &length, &body].concat())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn the_twin_of_a_revoked_certificate_is_revoked() {
    let (stub, _keys, function) =
        with_table("  GET /live: { introspect: true }\nrevocations: { table: revocations }\n");
    let (mine, twin) = (client("partner-a"), twin(&client("partner-a")));
    let ask = |pem: &str| function.ask(&event(Kind::Http2, "/live", "", pem));
    let names = |pem: &str| {
        assert_eq!(ask(pem).outcome(), "allow");
        let mut names = asked_for(&stub.last_request(BATCH_GET_ITEM));
        names.retain(|name| name.starts_with("cert#"));
        names
    };
    let (of_mine, of_twin) = (names(&mine), names(&twin));
    assert_ne!(of_mine, of_twin, "it has another fingerprint");
    let shared: Vec<_> = of_mine.iter().filter(|name| of_twin.contains(name)).collect();
    assert_eq!(shared.len(), 1, "{of_mine:?} {of_twin:?}");
    stub.answer(BATCH_GET_ITEM, table(&[item(shared[0])]));
    assert_eq!(ask(&mine).outcome(), "token_revoked");
    assert_eq!(ask(&twin).outcome(), "token_revoked");
    // A token that is bound to the twin, too: whoever issued it need not have heard of the revocation.
    for pem in [&mine, &twin] {
        let bound = Token::access().claim("cnf", json!({ "x5t#S256": thumbprint(pem) })).text();
        let _ = function.ask(&event(Kind::Http2, "/live", &bound, pem));
        let names = asked_for(&stub.last_request(BATCH_GET_ITEM));
        assert!(names.contains(shared[0]), "{names:?}");
    }
}

#[test]
fn an_identity_is_known_to_rules_backend_and_log_by_its_claims() {
    let keys = Site::with_keys(&cognito_jwks());
    let more = "context: { sub: sub, groups: groups, plan: plan, iss: iss }\n";
    let function = Function::start(&configuration(&keys, more));
    let cases = Cases::default();
    let ask = |kind, path: &str, name: &str| function.ask(&event(kind, path, "", &client(name)));
    let seen = |verdict: &Verdict| {
        let log = |name: &str| verdict.log[name].as_str().unwrap_or_default().to_owned();
        [log("principal_id"), log("issuer"), log("credential"), log("kid")]
    };
    for (name, subject) in [
        ("partner-a", "partner-a"),
        ("comma", "CN=partner\\+a,O=Example\\, Inc."),
        ("uri-deep", "spiffe://example.org/a/b/c"),
        // The first identity counts.
        ("partner-a-with-uri", "partner-a"),
    ] {
        let verdict = ask(Kind::RestRequest, "/items", name);
        let expected = [subject, "urn:client-certificates", "certificate", &fingerprint(&client(name))];
        cases.equal(name, seen(&verdict), expected.map(str::to_owned));
        cases.equal(name, verdict.response()["principalId"].as_str(), Some(subject));
    }
    let verdict = ask(Kind::Http2, "/items", "partner-a");
    let context = json!({
        "sub": "partner-a", "groups": ["partners"], "plan": { "tier": "gold" }, "iss": "urn:client-certificates",
    });
    cases.equal("context", verdict.context(), context);
    cases.check("a group", &ask(Kind::Http2, "/partners", "partner-a"), "allow");
    cases.check("a claim within a claim", &ask(Kind::Http2, "/plans", "partner-a"), "allow");
    cases.check("its own path", &ask(Kind::Http2, "/mine/partner-a", "partner-a"), "allow");
    cases.check("another's path", &ask(Kind::Http2, "/mine/partner-b", "partner-a"), "claim_mismatch");

    let refused = ask(Kind::Http2, "/items", "expired");
    cases.equal("refused: kid", refused.log["kid"].as_str(), Some(&*fingerprint(&client("expired"))));
    cases.equal("refused: principal", refused.log.get("principal_id"), None);
    cases.equal("refused: detail", refused.log["detail"].as_str(), Some("it, or an intermediate, has expired"));
}

#[test]
fn no_answer_to_a_certificate_speaks_of_another_request() {
    let keys = Site::with_keys(&cognito_jwks());
    let more = "policy: { covers: token, implicit_deny: true }\n";
    let routes = configuration(&keys, more).replace("  $connect: {}\n", "");
    let function = Function::start(&routes);
    let cases = Cases::default();
    for (name, path, effect) in [("partner-a", "/items", "Allow"), ("uri", "/partners", "Deny")] {
        let verdict = function.ask(&event(Kind::RestRequest, path, "", &client(name)));
        let policy = &verdict.response()["policyDocument"]["Statement"];
        cases.equal(name, policy.as_array().map(Vec::len), Some(1));
        cases.equal(name, policy[0]["Effect"].as_str(), Some(effect));
        cases.equal(name, verdict.resources(), vec![test_support::events::arn("GET", path)]);
    }
    let verdict = function.ask(&event(Kind::RestRequest, "/items", "", &client("expired")));
    cases.is(format!("a refusal is kept by nobody: {verdict}"), verdict.failed_as_unauthorized());
}

#[test]
fn no_certificate_is_written_anywhere_but_its_fingerprint() {
    let keys = Site::with_keys(&cognito_jwks());
    let config = configuration(&keys, "");
    let function = Setup::config(&config).env("AUTHORIZER_LOG", "trace").start();
    let names = ["partner-a", "expired", "by-namesake", "nul", "uri-twice", "subject-in-one-value"];
    for (name, kind) in names.into_iter().flat_map(|name| CARRIERS.map(|kind| (name, kind))) {
        function.ask(&event(kind, "/items", "", &client(name)));
    }
    let said = function.everything_said().join("\n");
    for name in names {
        let pem = client(name);
        // A line of its body that no other certificate has.
        let body = pem.lines().nth(6).unwrap();
        assert!(!said.contains(body), "{name} is in the output");
        assert!(said.contains(&fingerprint(&pem)), "{name} has no fingerprint in the log");
    }
}

#[test]
fn faults_are_found_at_start_all_at_once() {
    let folder = repository().join("tests/certificates");
    let section = r#"
  - certificates:
      authorities: { file: "DIR/clients.pem" }
      identities:
        - { subject: "CN=a, O=b" }
        - { subject: "CN=a", san_uri: "urn:a" }
        - { claims: { sub: a } }
        - { san_uri: "spiffe://*" }
        - { san_uri: "urn:a", claims: { iss: x, sub: "", cnf: {}, azp: a, "cognito:groups": [a] } }
        - { dns: a }
  - certificates: { authorities: { file: none-such.pem, uri: x }, identities: [{ subject: "CN=a" }, { subject: "cn=a" }] }
  - certificates: { authorities: { file: "DIR/make.py" }, identities: [], issuer: "a b", more: 1 }
routes: { $default: {} }
"#;
    let config = format!("issuers:{}", section.replace("DIR", &folder.display().to_string()));
    let refused = Setup::config(&config).refused().expect("it must not start");
    let output = refused.output.replace("\\\"", "\"");
    let cases = Cases::default();
    for fault in [
        "issuers[0].certificates.authorities.file: certificate 1: is not an authority's",
        "issuers[0].certificates.identities[0].subject: must be a distinguished name",
        "issuers[0].certificates.identities[1]: must have either `subject` or `san_uri`",
        "issuers[0].certificates.identities[2]: must have either `subject` or `san_uri`",
        "issuers[0].certificates.identities[3].san_uri: before `/*` stands a whole authority",
        "issuers[0].certificates.identities[4].claims.iss: is a fact of the certificate or the issuer",
        "issuers[0].certificates.identities[4].claims.cnf: is a fact of the certificate or the issuer",
        "issuers[0].certificates.identities[4].claims.azp: is a name of tokens alone",
        "issuers[0].certificates.identities[4].claims.\"cognito:groups\": is a name of tokens alone",
        "issuers[0].certificates.identities[4].claims.sub: must not be empty",
        "issuers[0].certificates.identities[5].dns: unknown key",
        "issuers[1].certificates.authorities.file: cannot read `",
        "issuers[1].certificates.authorities.uri: unknown key",
        "issuers[1].certificates.identities[1]: is never picked: identities[0] comes first",
        "issuers[2].certificates.authorities.file: has no self-signed certificate",
        "issuers[2].certificates.identities: must not be empty",
        "issuers[2].certificates.issuer: must not have white space in it",
        "issuers[2].certificates.more: unknown key",
    ] {
        cases.is(format!("{fault}: {output}"), output.contains(fault));
    }
}
