//! The rules of the policy, edge by edge; what is refused before a key is looked up; and that nothing covered can change.

use super::*;
use crate::denial::Denial;
use crate::request::{Message, UnixSeconds};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use std::borrow::Cow;
use std::time::Duration;

const NOW: f64 = 1_000_000.0;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What one case changes of a request that is right.
struct Case {
    method: String,
    message: Message<'static>,
    policy: SignaturePolicy,
    components: String,
    parameters: String,
    now: f64,
}

fn right() -> Case {
    Case {
        method: "POST".to_owned(),
        message: Message {
            path: Some("/v1/items%20x".into()),
            domain: Some("API.Example.com".into()),
            raw_query: Some("a=1&b=two%20words&c=&d=x&d=y".into()),
            headers: vec![
                ("accept".into(), "application/json".into()),
                ("accept".into(), " */* ".into()),
                ("content-digest".into(), "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:".into()),
                ("x-empty".into(), "".into()),
            ],
        },
        policy: SignaturePolicy {
            algorithms: vec![SignatureAlgorithm::HmacSha256, SignatureAlgorithm::Ed25519],
            max_age: Duration::from_secs(60),
            leeway: Duration::from_secs(5),
            cover: vec![Component::Method, Component::Path],
            needs_nonce: false,
        },
        components: r#""@method" "@path""#.to_owned(),
        parameters: r#"created=1000000;keyid="k1""#.to_owned(),
        now: NOW,
    }
}

fn with(change: impl FnOnce(&mut Case)) -> Case {
    let mut case = right();
    change(&mut case);
    case
}

fn parts(case: &Case) -> SignedParts<'_> {
    SignedParts { method: &case.method, message: &case.message }
}

fn clone(message: &Message<'static>) -> Message<'static> {
    let Message { domain, path, raw_query, headers } = message;
    Message { domain: domain.clone(), path: path.clone(), raw_query: raw_query.clone(), headers: headers.clone() }
}

impl Clone for Case {
    fn clone(&self) -> Self {
        let Case { method, message, policy, components, parameters, now } = self;
        Self {
            method: method.clone(),
            message: clone(message),
            policy: policy.clone(),
            components: components.clone(),
            parameters: parameters.clone(),
            now: *now,
        }
    }
}

fn now(case: &Case) -> UnixSeconds {
    UnixSeconds::new(case.now).unwrap()
}

fn key() -> RequestKey {
    RequestKey::derived(&MasterSecret::new(SECRET).unwrap(), "k1").unwrap()
}

fn tag(base: &str) -> String {
    let secret = MasterSecret::new(SECRET).unwrap().secret_of("k1").unwrap();
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), base.as_bytes()))
}

fn field(message: &mut Message<'static>, name: &'static str, value: String) {
    message.headers.push((name.to_owned(), Cow::Owned(value)));
}

/// The case's request, signed over the base that the product makes of it; the signature is wrong where it makes none.
fn signed(case: &Case) -> Case {
    let mut case = case.clone();
    let input = format!("sig1=({});{}", case.components, case.parameters);
    field(&mut case.message, "signature-input", input);
    let mut probe = clone(&case.message);
    field(&mut probe, "signature", "sig1=:AA==:".to_owned());
    let base =
        UnverifiedSignatures::parse(&SignedParts { method: &case.method, message: &probe }, &case.policy, now(&case));
    let base = base.map(|unverified| unverified.bases()[0].to_owned()).unwrap_or_default();
    field(&mut case.message, "signature", format!("sig1=:{}:", tag(&base)));
    case
}

fn judged(case: &Case) -> Result<VerifiedSignature, Denial> {
    UnverifiedSignatures::parse(&parts(case), &case.policy, now(case))?.verify(&key(), &case.policy)
}

#[track_caller]
fn accepted(case: Case) -> VerifiedSignature {
    judged(&signed(&case)).unwrap()
}

#[track_caller]
fn refused(case: Case, detail: &'static str) {
    assert_eq!(judged(&signed(&case)).map(|_| ()), Err(Denial::BadRequestSignature(detail)));
}

#[track_caller]
fn parameters(parameters: &str, expected: Result<(), &'static str>) {
    let case = with(|case| case.parameters = parameters.to_owned());
    match expected {
        Ok(()) => assert!(judged(&signed(&case)).is_ok(), "{parameters}"),
        Err(detail) => refused(case, detail),
    }
}

#[test]
fn created_is_at_most_max_age_old_and_not_in_the_future_beyond_the_leeway() {
    let at = |created: &str| format!(r#"created={created};keyid="k1""#);
    for (created, expected) in [
        ("999940", Ok(())),
        ("999939", Err("`created` is too long ago")),
        ("1000005", Ok(())),
        ("1000006", Err("`created` lies in the future")),
        ("0", Err("`created` is too long ago")),
        ("-1", Err("`created` is too long ago")),
        ("999999999999999", Err("`created` is not a date")),
        ("-999999999999999", Err("`created` is not a date")),
        ("1000000.0", Err("a parameter of another type")),
        ("\"1000000\"", Err("a parameter of another type")),
        ("?1", Err("a parameter of another type")),
        ("@1000000", Err("`Signature-Input` is not a dictionary")),
        ("9999999999999999", Err("`Signature-Input` is not a dictionary")),
    ] {
        parameters(&at(created), expected);
    }
    parameters(r#"keyid="k1""#, Err("`created` is missing"));
    parameters(r#"created=1000000;created=1000000;keyid="k1""#, Err("a parameter occurs twice"));
}

#[test]
fn expires_is_after_created_and_not_past_beyond_the_leeway() {
    let at = |expires: &str| format!(r#"created=999990;expires={expires};keyid="k1""#);
    for (expires, expected) in [
        ("1000001", Ok(())),
        ("999996", Ok(())),
        ("999995", Err("`expires` has passed")),
        ("999990", Err("`expires` has passed")),
        ("-5", Err("`expires` has passed")),
        ("999999999999999", Err("`expires` is not a date")),
        ("\"1\"", Err("a parameter of another type")),
    ] {
        parameters(&at(expires), expected);
    }
    // What says less than `max_age` ends earlier, what says more does not end later.
    let until = |text: &str| accepted(with(|case| case.parameters = at(text))).valid_until().as_f64();
    assert_eq!(until("1000010"), 1_000_015.0);
    assert_eq!(until("2000000"), 1_000_050.0);
}

#[test]
fn keyid_is_needed_and_names_a_key() {
    for (key_id, expected) in [
        ("", Err("`keyid` is missing")),
        (r#";keyid="""#, Err("`keyid` is not the id of a key")),
        (r#";keyid="a b""#, Err("`keyid` is not the id of a key")),
        (r#";keyid="a#b""#, Err("`keyid` is not the id of a key")),
        (r#";keyid=k1"#, Err("a parameter of another type")),
        (r#";keyid"#, Err("a parameter of another type")),
        (r#";keyid="k1";keyid="k1""#, Err("a parameter occurs twice")),
        (r#";keyid="k1";x="y""#, Err("a parameter that is not known")),
        (r#";keyid="k1";tag="app""#, Ok(())),
        (r#";keyid="k\"1""#, Ok(())),
    ] {
        parameters(&format!("created=1000000{key_id}"), expected);
    }
    let long = |length: usize| format!(r#"created=1000000;keyid="{}""#, "k".repeat(length));
    parameters(&long(128), Ok(()));
    parameters(&long(129), Err("`keyid` is not the id of a key"));
}

#[test]
fn alg_agrees_with_the_policy_and_with_the_key() {
    for (algorithm, expected) in [
        ("hmac-sha256", Ok(())),
        ("ed25519", Err("`alg` is not the key's algorithm")),
        ("rsa-pss-sha512", Err("`alg` is not accepted")),
        ("none", Err("`alg` is not accepted")),
        ("", Err("`alg` is not accepted")),
        ("HMAC-SHA256", Err("`alg` is not accepted")),
    ] {
        parameters(&format!(r#"created=1000000;keyid="k1";alg="{algorithm}""#), expected);
    }
    refused(
        with(|case| case.policy.algorithms = vec![SignatureAlgorithm::Ed25519]),
        "the key's algorithm is not accepted",
    );
}

#[test]
fn a_nonce_is_needed_where_the_policy_wants_one() {
    let nonce = |needs_nonce: bool, nonce: &str| {
        with(|case| {
            case.policy.needs_nonce = needs_nonce;
            case.parameters.push_str(nonce);
        })
    };
    assert_eq!(accepted(nonce(true, r#";nonce="n-1""#)).nonce(), Some("n-1"));
    assert_eq!(accepted(nonce(false, r#";nonce="n-1""#)).nonce(), Some("n-1"));
    assert_eq!(accepted(nonce(false, "")).nonce(), None);
    refused(nonce(true, ""), "`nonce` is missing");
    refused(nonce(true, r#";nonce="""#), "`nonce` is empty or too long");
    refused(nonce(false, &format!(r#";nonce="{}""#, "n".repeat(257))), "`nonce` is empty or too long");
    accepted(nonce(false, &format!(r#";nonce="{}""#, "n".repeat(256))));
}

#[test]
fn every_component_of_cover_is_covered_and_none_twice() {
    let covering = |components: &str| with(|case| case.components = components.to_owned());
    accepted(covering(r#""@path" "@method""#));
    accepted(covering(r#""@path" "accept" "@method" "x-empty""#));
    for components in ["", r#""@method""#, r#""@path""#, r#""method" "path""#, r#""@target-uri""#] {
        let case = covering(components);
        assert!(matches!(judged(&signed(&case)), Err(Denial::BadRequestSignature(_))), "{components}");
    }
    refused(covering(r#""@method""#), "a component of `cover` is not covered");
    refused(covering(r#""@method" "@path" "@method""#), "a component is covered twice");
    refused(covering(r#""@method" "@path" "accept" "accept""#), "a component is covered twice");
    let many = |count: usize| {
        let fields: Vec<_> = (0..count).map(|number| format!("\"x-{number}\"")).collect();
        let mut case = covering(&format!(r#""@method" "@path" {}"#, fields.join(" ")));
        (0..count).for_each(|number| case.message.headers.push((format!("x-{number}"), "v".into())));
        case
    };
    accepted(many(30));
    refused(many(31), "too many covered components");
}

#[test]
fn components_and_their_parameters_are_taken_or_refused() {
    for (component, expected) in [
        (r#""@authority""#, Ok(r#""@authority": api.example.com"#)),
        (r#""@scheme""#, Ok(r#""@scheme": https"#)),
        (r#""@query""#, Ok(r#""@query": ?a=1&b=two%20words&c=&d=x&d=y"#)),
        (r#""@target-uri""#, Ok(r#""@target-uri": https://api.example.com/v1/items%20x?a=1&b=two%20words&c=&d=x&d=y"#)),
        (r#""@request-target""#, Ok(r#""@request-target": /v1/items%20x?a=1&b=two%20words&c=&d=x&d=y"#)),
        (r#""@query-param";name="b""#, Ok(r#""@query-param";name="b": two%20words"#)),
        (r#""@query-param";name="c""#, Ok(r#""@query-param";name="c": "#)),
        (r#""accept""#, Ok(r#""accept": application/json, */*"#)),
        (r#""x-empty""#, Ok(r#""x-empty": "#)),
        (r#""@query-param";name="d""#, Err("a covered query parameter occurs more than once")),
        (r#""@query-param";name="e""#, Err("a covered query parameter is missing")),
        (r#""@query-param";name="%62""#, Err("the `name` of `@query-param` is not encoded as it must be")),
        (r#""@query-param";name="b&c""#, Err("the `name` of `@query-param` is not encoded as it must be")),
        (r#""@query-param""#, Err("`@query-param` without `name`")),
        (r#""@query-param";name="b";req"#, Err("a component with a parameter that is not taken")),
        (r#""@query-param";name=b"#, Err("a component with a parameter that is not taken")),
        (r#""@status""#, Err("an unknown derived component")),
        (r#""@signature-params""#, Err("an unknown derived component")),
        (r#""@Method""#, Err("an unknown derived component")),
        (r#""@""#, Err("an unknown derived component")),
        (r#""accept";sf"#, Err("a component with a parameter that is not taken")),
        (r#""accept";bs"#, Err("a component with a parameter that is not taken")),
        (r#""accept";tr"#, Err("a component with a parameter that is not taken")),
        (r#""accept";req"#, Err("a component with a parameter that is not taken")),
        (r#""content-digest";key="sha-256""#, Err("a component with a parameter that is not taken")),
        (r#""Accept""#, Err("not the name of a header field in lower case")),
        (r#""""#, Err("not the name of a header field in lower case")),
        (r#""a b""#, Err("not the name of a header field in lower case")),
        (r#""x-missing""#, Err("a covered header field is missing")),
        ("accept", Err("a covered component is not a string")),
        ("1", Err("a covered component is not a string")),
    ] {
        let case = with(|case| case.components.push_str(&format!(" {component}")));
        let case = signed(&case);
        let parsed = UnverifiedSignatures::parse(&parts(&case), &case.policy, now(&case));
        match expected {
            Ok(line) => assert_eq!(parsed.unwrap().bases()[0].lines().nth(2), Some(line), "{component}"),
            Err(detail) => assert_eq!(parsed.unwrap_err(), Denial::BadRequestSignature(detail), "{component}"),
        }
    }
}

/// RFC 9421 2.2.8.
#[test]
fn query_parameters_are_decoded_and_encoded_again() {
    let query = "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something";
    for (name, expected) in [
        ("var", "this%20is%20a%20big%0Amultiline%20value"),
        ("bar", "with%20plus%20whitespace"),
        ("fa%C3%A7ade%22%3A%20", "something"),
    ] {
        let case = with(|case| {
            case.message.raw_query = Some(query.into());
            case.components.push_str(&format!(r#" "@query-param";name="{name}""#));
        });
        let case = signed(&case);
        let parsed = UnverifiedSignatures::parse(&parts(&case), &case.policy, now(&case)).unwrap();
        let line = format!(r#""@query-param";name="{name}": {expected}"#);
        assert_eq!(parsed.bases()[0].lines().nth(2), Some(&*line));
    }
    // Both would be decoded to the same text, and a signature over the one would be one over the other.
    for value in ["%FF", "%EF%BF%BD"] {
        let case = with(|case| {
            case.message.raw_query = Some(format!("q={value}").into());
            case.components.push_str(r#" "@query-param";name="q""#);
        });
        refused(case, "a covered query parameter is not UTF-8");
    }
}

#[test]
fn what_the_event_does_not_show_is_not_guessed() {
    let without = |component: &str, change: fn(&mut Message<'static>)| {
        with(|case| {
            case.components.push_str(&format!(" {component}"));
            change(&mut case.message);
        })
    };
    for component in [r#""@query""#, r#""@target-uri""#, r#""@request-target""#, r#""@query-param";name="a""#] {
        let case = without(component, |message| message.raw_query = None);
        refused(case, "the event does not show the query as it was sent");
    }
    refused(with(|case| case.message.path = None), "the event does not show the path as it was sent");
    for component in [r#""@authority""#, r#""@target-uri""#] {
        refused(without(component, |message| message.domain = None), "the event does not show the authority");
    }
    // An empty query and none are the same to `@query`.
    let empty = |component| without(component, |message| message.raw_query = Some("".into()));
    for (component, line) in [
        (r#""@query""#, r#""@query": ?"#),
        (r#""@target-uri""#, r#""@target-uri": https://api.example.com/v1/items%20x"#),
    ] {
        let case = signed(&empty(component));
        let parsed = UnverifiedSignatures::parse(&parts(&case), &case.policy, now(&case)).unwrap();
        assert_eq!(parsed.bases()[0].lines().nth(2), Some(line));
    }
}

/// A value that could end its line of the base would write the next ones.
#[test]
fn a_covered_value_is_one_line_of_ascii() {
    let case = |change: fn(&mut Message<'static>)| {
        with(|case| {
            case.components.push_str(r#" "x-value""#);
            change(&mut case.message);
        })
    };
    for value in ["a\n\"@path\": /admin", "a\rb", "a\0b", "\u{7f}", "caf\u{e9}"] {
        let case = with(|case| {
            case.components.push_str(r#" "x-value""#);
            case.message.headers.push(("x-value".into(), value.to_owned().into()));
        });
        refused(case, "a covered component with a byte that is not allowed");
    }
    accepted(case(|message| message.headers.push(("x-value".into(), "\ta\tb \"~ ".into()))));
    let changes: [fn(&mut Case); 3] = [
        |case| case.message.path = Some("/a\n".into()),
        |case| case.message.path = Some("/caf\u{e9}".into()),
        |case| case.method = "GET\t".to_owned(),
    ];
    for change in changes {
        refused(with(change), "a covered component with a byte that is not allowed");
    }
}

#[test]
fn both_fields_are_needed_and_have_the_same_labels() {
    let fields = |input: Option<&str>, signature: Option<&str>| {
        let mut case = right();
        for (name, value) in [("signature-input", input), ("signature", signature)] {
            case.message.headers.extend(value.map(|value| (name.to_owned(), value.to_owned().into())));
        }
        judged(&case).map(|_| ()).unwrap_err()
    };
    let member = r#"=("@method" "@path");created=1000000;keyid="k1""#;
    let one = format!("a{member}");
    for (input, signature, detail) in [
        (None, None, "`Signature-Input` or `Signature` is missing"),
        (Some(one.clone()), None, "`Signature-Input` or `Signature` is missing"),
        (None, Some("a=:AA==:"), "`Signature-Input` or `Signature` is missing"),
        (Some(String::new()), Some(""), "`Signature-Input` is empty"),
        (Some("(".to_owned()), Some("a=:AA==:"), "`Signature-Input` is not a dictionary"),
        (Some(one.clone()), Some("a=:A:"), "`Signature` is not a dictionary"),
        (Some(one.clone()), Some("b=:AA==:"), "`Signature-Input` and `Signature` do not have the same labels"),
        (Some(one.clone()), Some("a=\"AA==\""), "a member of `Signature` is not a byte sequence"),
        (Some(one.clone()), Some("a=:AA==:;x"), "a member of `Signature` is not a byte sequence"),
        (Some(one.clone()), Some("a=(:AA==:)"), "a member of `Signature` is not a byte sequence"),
        (Some("a=1".to_owned()), Some("a=:AA==:"), "a member of `Signature-Input` is not an inner list"),
        (Some(one.clone()), Some("a=:AA==:"), "the signature does not verify"),
        (Some(one.clone()), Some("a=::"), "the signature does not verify"),
        (
            Some(format!(r#"{one};tag="{}""#, "t".repeat(8192))),
            Some("a=::"),
            "`Signature-Input` or `Signature` is too long",
        ),
        (
            Some(one.clone()),
            Some("a=:AA==:, b=:AA==:"),
            "`Signature-Input` and `Signature` do not have the same labels, or too many",
        ),
        (
            Some(format!("a{member}, a{member}")),
            Some("a=:AA==:, b=:AA==:"),
            "`Signature-Input` and `Signature` do not have the same labels",
        ),
        (
            Some(["a", "b", "c", "d", "e"].map(|label| format!("{label}{member}")).join(", ")),
            Some("a=::, b=::, c=::, d=::, e=::"),
            "`Signature-Input` and `Signature` do not have the same labels, or too many",
        ),
    ] {
        assert_eq!(fields(input.as_deref(), signature), Denial::BadRequestSignature(detail), "{input:?} {signature:?}");
    }
}

#[test]
fn of_several_signatures_by_one_key_one_must_be_right_and_several_keys_are_ambiguous() {
    let case = signed(&right());
    let right_one = case.message.headers.last().unwrap().1.strip_prefix("sig1=").unwrap().to_owned();
    let judge = |inputs: &[(&str, &str)], signatures: &str| {
        let mut case = right();
        let input = |(label, parameters): &(&str, &str)| format!(r#"{label}=("@method" "@path");{parameters}"#);
        field(&mut case.message, "signature-input", inputs.iter().map(input).collect::<Vec<_>>().join(", "));
        field(&mut case.message, "signature", signatures.replace("RIGHT", &right_one));
        judged(&case).map(|_| ())
    };
    const GOOD: &str = r#"created=1000000;keyid="k1""#;
    const OLD: &str = r#"created=1;keyid="k1""#;
    const OTHER: &str = r#"created=1000000;keyid="k2""#;
    assert_eq!(judge(&[("a", GOOD)], "a=RIGHT"), Ok(()));
    assert_eq!(judge(&[("a", GOOD), ("b", GOOD)], "a=:AA==:, b=RIGHT"), Ok(()));
    assert_eq!(judge(&[("a", OLD), ("b", GOOD)], "a=:AA==:, b=RIGHT"), Ok(()));
    assert_eq!(judge(&[("a", GOOD), ("b", OLD)], "b=:AA==:, a=RIGHT"), Ok(()));
    assert_eq!(judge(&[("a", GOOD), ("b", OTHER)], "a=RIGHT, b=RIGHT"), Err(Denial::AmbiguousToken));
    let old = Denial::BadRequestSignature("`created` is too long ago");
    assert_eq!(judge(&[("a", OLD), ("b", OLD)], "a=RIGHT, b=RIGHT"), Err(old));
    let wrong = Denial::BadRequestSignature("the signature does not verify");
    assert_eq!(judge(&[("a", GOOD), ("b", OLD)], "a=:AA==:, b=RIGHT"), Err(wrong));
}

/// Whoever reads such a request could send it again with the signature whose nonce was not taken.
#[test]
fn with_a_nonce_table_one_signature_is_admitted_and_not_two() {
    let with_inputs = |inputs: &str, signatures: &str| {
        let mut case = with(|case| case.policy.needs_nonce = true);
        field(&mut case.message, "signature-input", inputs.to_owned());
        field(&mut case.message, "signature", signatures.to_owned());
        UnverifiedSignatures::parse(&parts(&case), &case.policy, now(&case)).map(|_| ())
    };
    const ONE: &str = r#"a=("@method" "@path");created=1000000;keyid="k1";nonce="1""#;
    const OTHER: &str = r#"b=("@method" "@path");created=1000000;keyid="k1";nonce="2""#;
    const WITHOUT: &str = r#"b=("@method" "@path");created=1000000;keyid="k1""#;
    let two = Denial::BadRequestSignature("several signatures, where each nonce is taken once");
    assert_eq!(with_inputs(ONE, "a=:AA==:"), Ok(()));
    assert_eq!(with_inputs(&format!("{ONE}, {WITHOUT}"), "a=:AA==:, b=:AA==:"), Ok(()));
    assert_eq!(with_inputs(&format!("{ONE}, {OTHER}"), "a=:AA==:, b=:AA==:"), Err(two));
}

/// RFC 5869 is the library's; that salt and info are ours is what other implementations must know.
#[test]
fn secrets_are_derived_from_the_master_and_the_keys_id() {
    let secret = |master: &str, key_id: &str| {
        MasterSecret::new(master).map(|master| STANDARD.encode(master.secret_of(key_id).unwrap().as_bytes()))
    };
    // HKDF-SHA256 with the salt "cognito-authorizer http message signatures" and the info "k1", by Python's `hmac`.
    assert_eq!(secret(SECRET, "k1").as_deref(), Some("JpArl4divTnTvm8FHH+odkGf3DP1YtMX3lOI9SH+vfs="));
    assert_ne!(secret(SECRET, "k1"), secret(SECRET, "k2"));
    assert_ne!(secret(SECRET, "k1"), secret(&SECRET.replace('0', "1"), "k1"));
    assert!(secret(&SECRET[1..], "k1").is_none());
}

#[test]
fn public_keys_are_of_their_algorithm() {
    const ED25519: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n";
    let key = |algorithm, pem: &str| {
        RequestKey::public(algorithm, pem).map(|key| key.algorithm()).map_err(|error| error.to_string())
    };
    assert_eq!(key(SignatureAlgorithm::Ed25519, ED25519), Ok(SignatureAlgorithm::Ed25519));
    for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| *algorithm != SignatureAlgorithm::Ed25519) {
        assert!(key(algorithm, ED25519).is_err(), "{algorithm}");
    }
    for (pem, fault) in [
        (String::new(), "not one PEM block"),
        ("garbage".to_owned(), "not one PEM block"),
        (ED25519.repeat(2), "not one PEM block"),
        (ED25519.replace("PUBLIC", "PRIVATE"), "not one PEM block"),
        (ED25519.replace("MCow", "MCox"), "not a public key"),
        // The 32 bytes alone, without the structure that says what they are.
        (
            "-----BEGIN PUBLIC KEY-----\nJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n"
                .to_owned(),
            "not a SubjectPublicKeyInfo",
        ),
    ] {
        let error = key(SignatureAlgorithm::Ed25519, &pem).unwrap_err();
        assert!(error.contains(fault), "{pem}: {error}");
    }
}

#[test]
fn debug_shows_no_secret_and_no_signature() {
    let case = signed(&right());
    let unverified = UnverifiedSignatures::parse(&parts(&case), &case.policy, now(&case)).unwrap();
    let shown = format!("{unverified:?}");
    assert!(!shown.contains("base") && !shown.contains("signature:"), "{shown}");
    let master = MasterSecret::new(SECRET).unwrap();
    assert_eq!(
        format!("{master:?} {:?}", master.secret_of("k1").unwrap()),
        "MasterSecret(redacted) KeySecret(redacted)"
    );
    assert_eq!(format!("{:?}", key()), "RequestKey { algorithm: HmacSha256, .. }");
}

fn value() -> impl Strategy<Value = String> {
    "[!-~]([ -~]{0,12}[!-~])?"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// What is signed verifies; with any other value of a covered component, or any other parameter, it does not.
    #[test]
    fn nothing_covered_can_change(
        method in "[A-Z]{1,7}",
        path in "/[!-~]{0,20}",
        authority in "[a-z0-9.-]{1,20}",
        query in "[!-~]{0,20}",
        header in value(),
        other in value(),
        which in 0_usize..7,
    ) {
        let mut case = right();
        case.method = method;
        case.message = Message {
            path: Some(path.into()),
            domain: Some(authority.into()),
            raw_query: Some(query.into()),
            headers: vec![("x-a".into(), header.into())],
        };
        case.components = r#""@method" "@path" "@authority" "@query" "x-a""#.to_owned();
        let mut case = signed(&case);
        prop_assert!(judged(&case).is_ok());
        let before = case.clone();
        let message = &mut case.message;
        match which {
            0 => case.method = other,
            1 => message.path = Some(format!("/{other}").into()),
            2 => message.domain = Some(other.into()),
            3 => message.raw_query = Some(other.into()),
            4 => message.headers[0].1 = other.into(),
            5 => message.headers.push(("x-a".into(), other.into())),
            _ => message.headers[1].1 = message.headers[1].1.replace("1000000", "1000001").into(),
        }
        let bases = |case: &Case| {
            let parsed = UnverifiedSignatures::parse(&parts(case), &case.policy, now(case));
            parsed.map(|parsed| parsed.bases()[0].to_owned()).ok()
        };
        prop_assert_eq!(judged(&case).is_ok(), bases(&case) == bases(&before));
        if which != 2 {
            let same = match which {
                0 => case.method == before.method,
                1 => case.message.path == before.message.path,
                3 => case.message.raw_query == before.message.raw_query,
                4 => case.message.headers == before.message.headers,
                _ => false,
            };
            prop_assert_eq!(judged(&case).is_ok(), same);
        }
    }

    /// Whatever stands in the fields: an answer, never a panic.
    #[test]
    fn any_fields_are_judged(input in "[ -~]{0,80}", signature in "[ -~]{0,40}") {
        let mut case = right();
        field(&mut case.message, "signature-input", input);
        field(&mut case.message, "signature", signature);
        prop_assert!(judged(&case).is_err());
    }
}
