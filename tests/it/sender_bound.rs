//! Tokens with a `cnf` claim are bound to their sender's certificate (RFC 8705) and are never taken
//! as plain bearer tokens.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{CLIENT_CERT, OTHER_CLIENT_CERT, Token, cognito_jwks, thumbprint};
use crate::verdict::Cases;

#[test]
fn a_bound_token_needs_its_own_client_certificate() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), "routes: { $default: {}, $connect: {} }"));
    let cases = Cases::default();
    let bound = |cnf: Value| Token::access().claim("cnf", cnf).text();
    let mine = thumbprint(CLIENT_CERT);
    let right = bound(json!({ "x5t#S256": mine }));
    let chain = format!("{CLIENT_CERT}{OTHER_CLIENT_CERT}");
    let windows = CLIENT_CERT.replace('\n', "\r\n");
    let one_line = CLIENT_CERT.trim_end();

    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
        let check = |what: &str, token: &str, certificate: Value, expected: &str| {
            let mut event = kind.event("GET", "/", &format!("Bearer {token}"));
            let place = if kind == Kind::Http2 { "authentication" } else { "identity" };
            event["requestContext"][place]["clientCert"] = certificate;
            cases.check(format!("{kind:?}: {what}"), &function.ask(&event), expected);
        };
        let pem =
            |pem: &str| json!({ "clientCertPem": pem, "subjectDN": "CN=x", "issuerDN": "CN=x", "serialNumber": "1" });
        let plain = Token::access().text();
        check("a plain token with a certificate", &plain, pem(CLIENT_CERT), "allow");
        check("a plain token with a senseless certificate", &plain, pem("CERT_CONTENT"), "allow");
        check("a bound token with its certificate", &right, pem(CLIENT_CERT), "allow");
        check("without the line break at its end", &right, pem(one_line), "allow");
        check("with CRLF", &right, pem(&windows), "allow");
        check("another certificate", &right, pem(OTHER_CLIENT_CERT), "sender_not_proven");
        check(
            "another certificate before mine",
            &right,
            pem(&format!("{OTHER_CLIENT_CERT}{CLIENT_CERT}")),
            "sender_not_proven",
        );
        // Whether more than one certificate is an answer to "the" certificate is open; the first is the client's.
        check("my certificate before another", &right, pem(&chain), "allow|sender_not_proven");
        for nothing in [
            json!(null),
            json!({}),
            json!({ "clientCertPem": null }),
            pem(""),
            pem("CERT_CONTENT"),
            pem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
            pem("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"),
            json!({ "subjectDN": "CN=x" }),
            json!("text"),
        ] {
            check(&format!("bound, certificate {nothing}"), &right, nothing, "sender_not_proven");
        }
        check(
            "a flipped thumbprint",
            &bound(json!({ "x5t#S256": flip_case(&mine) })),
            pem(CLIENT_CERT),
            "sender_not_proven",
        );
        check(
            "a padded thumbprint",
            &bound(json!({ "x5t#S256": format!("{mine}=") })),
            pem(CLIENT_CERT),
            "sender_not_proven",
        );
        check("half a thumbprint", &bound(json!({ "x5t#S256": mine[..20] })), pem(CLIENT_CERT), "sender_not_proven");
        check("an empty thumbprint", &bound(json!({ "x5t#S256": "" })), pem(""), "sender_not_proven");
        for value in [json!(null), json!(7), json!(true), json!([mine]), json!({ "x5t#S256": mine })] {
            check(
                &format!("thumbprint {value}"),
                &bound(json!({ "x5t#S256": value })),
                pem(CLIENT_CERT),
                "sender_not_proven",
            );
        }
        for cnf in [
            json!({}),
            json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
            json!({ "jwk": { "kty": "EC" } }),
            json!({ "kid": "x" }),
            json!({ "x5t": mine }),
            json!({ "X5T#s256": mine }),
            // Bound to a key as well, whose possession nobody proved.
            json!({ "x5t#S256": mine, "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        ] {
            check(&format!("cnf {cnf}"), &bound(cnf.clone()), pem(CLIENT_CERT), "sender_not_proven");
        }
        // A `cnf` that says nothing sensible is still a binding; by which code it is refused is open.
        for cnf in [json!(null), json!(mine), json!(7), json!([]), json!([{ "x5t#S256": mine }]), json!(false)] {
            check(&format!("cnf {cnf}"), &bound(cnf.clone()), pem(CLIENT_CERT), "sender_not_proven|malformed_claims");
        }
        // The certificate in the other kind's place is none.
        let mut event = kind.event("GET", "/", &format!("Bearer {right}"));
        let wrong_place = if kind == Kind::Http2 { "identity" } else { "authentication" };
        event["requestContext"][wrong_place]["clientCert"] = pem(CLIENT_CERT);
        cases.check(format!("{kind:?}: in another place"), &function.ask(&event), "sender_not_proven");
    }
    // These never carry a certificate; a header may say what it likes.
    cases.check(
        "TOKEN",
        &function.ask(&Kind::RestToken.event("GET", "/", &format!("Bearer {right}"))),
        "sender_not_proven",
    );
    cases.check(
        "WebSocket",
        &function.ask(&Kind::WebSocket.event("GET", "/", &format!("Bearer {right}"))),
        "sender_not_proven",
    );
    let mut event = Kind::Http2.event("GET", "/", &format!("Bearer {right}"));
    event["headers"]["x-forwarded-client-cert"] = json!(CLIENT_CERT);
    event["clientCert"] = json!({ "clientCertPem": CLIENT_CERT });
    cases.check("in a header", &function.ask(&event), "sender_not_proven");
}

fn flip_case(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect()
}
