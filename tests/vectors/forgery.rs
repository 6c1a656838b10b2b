//! What an attacker does with public material: keys written in other formats, and signatures computed anew.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::tokens::{Key, Token, encode};

/// The token with an HMAC of that name under this secret.
pub(crate) fn hmac_signed(token: &Token, algorithm: &str, secret: &[u8]) -> String {
    let hash = match algorithm {
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let token = token.clone().header("alg", algorithm.into());
    let input = format!("{}.{}", encode(token.header_json()), encode(token.payload_json()));
    let tag = hmac::sign(&hmac::Key::new(hash, secret), input.as_bytes());
    format!("{input}.{}", encode(tag.as_ref()))
}

/// Every form in which the public half of an RSA key is passed around, and which some library took for a secret.
pub(crate) fn spellings_of_the_public_key(key: Key) -> Vec<(&'static str, Vec<u8>)> {
    let jwk = key.jwk();
    let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let (n, e) = (number("n"), number("e"));
    let pkcs1 = der(0x30, &[integer(&n), integer(&e)].concat());
    let spki = der(0x30, &[RSA_ENCRYPTION.to_vec(), der(0x03, &[&[0], &pkcs1[..]].concat())].concat());
    let spki_pem = pem("PUBLIC KEY", &spki);
    let pkcs1_pem = pem("RSA PUBLIC KEY", &pkcs1);
    vec![
        ("SPKI, PEM", spki_pem.clone().into()),
        ("SPKI, PEM without its last line break", spki_pem.trim_end().into()),
        ("SPKI, PEM with CRLF", spki_pem.replace('\n', "\r\n").into()),
        ("SPKI, PEM after a blank line", format!("\n{spki_pem}").into()),
        ("SPKI, PEM in one line", spki_pem.replace('\n', "").into()),
        ("SPKI, the base64 of the PEM's body", STANDARD.encode(&spki).into()),
        ("SPKI, DER", spki),
        ("PKCS#1, PEM", pkcs1_pem.into()),
        ("PKCS#1, DER", pkcs1),
        ("OpenSSH", format!("ssh-rsa {}", STANDARD.encode(openssh(&n, &e))).into()),
        ("the modulus", n),
        ("the modulus in base64url", jwk["n"].as_str().unwrap().into()),
        ("the JWK", jwk.to_string().into()),
        ("the kid", key.kid().into()),
        ("nothing", Vec::new()),
    ]
}

/// `minuend - subtrahend` of two big-endian numbers of one length.
pub(crate) fn subtract(minuend: &[u8], subtrahend: &[u8]) -> Vec<u8> {
    let mut difference = minuend.to_vec();
    let mut borrow = 0;
    for (digit, other) in difference.iter_mut().zip(subtrahend).rev() {
        let step = i16::from(*digit) - i16::from(*other) - borrow;
        borrow = i16::from(step < 0);
        *digit = u8::try_from(step.rem_euclid(256)).unwrap();
    }
    assert_eq!(borrow, 0, "the difference is negative");
    difference
}

/// `a + b` of two little-endian numbers of one length.
pub(crate) fn add_little_endian(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut sum = a.to_vec();
    let mut carry = 0;
    for (digit, other) in sum.iter_mut().zip(b) {
        let step = u16::from(*digit) + u16::from(*other) + carry;
        carry = step >> 8;
        *digit = u8::try_from(step & 0xff).unwrap();
    }
    assert_eq!(carry, 0, "the sum has one byte more");
    sum
}

/// An ECDSA signature as X.509 writes it.
pub(crate) fn ecdsa_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    der(0x30, &[integer(r), integer(s)].concat())
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    if bytes.first().is_none_or(|byte| byte & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    der(0x02, &bytes)
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut encoded = vec![tag];
    if content.len() >= 0x80 {
        encoded.push(0x80 | u8::try_from(length.len()).unwrap());
    }
    encoded.extend(length);
    encoded.extend(content);
    encoded
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn openssh(n: &[u8], e: &[u8]) -> Vec<u8> {
    let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    [string(b"ssh-rsa"), string(e), string(&[&[0], n].concat())].concat()
}

/// `SEQUENCE { OID 1.2.840.113549.1.1.1, NULL }`
const RSA_ENCRYPTION: &[u8] = &[0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0];
