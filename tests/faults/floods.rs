//! Many bad tokens at once: what they cost the issuer in fetches, and us in time and memory.
//!
//! The bounds are for a debug build on a busy machine: some twenty times what a release build takes. What they catch is
//! work that grows with the flood.

use std::fs;

use serde_json::json;

use crate::runtime_api::Function;
use crate::stage::{Stage, Tally, page};
use crate::tokens::{Key, Token, encode};

/// Of each flood.
const REQUESTS: usize = 400;

/// CPU time per request in milliseconds: the reading of 16 KB of JSON, and a verification.
const MOST_MILLISECONDS: f64 = 12.0;

/// What the process may hold at its peak beyond what it held when it was warm. The tokens of 16 KB that are all small
/// objects become a megabyte each while they are read; none of it stays.
const MOST_KILOBYTES: u64 = 6 * 1024;

#[test]
fn floods_cost_one_fetch_per_cooldown_and_nothing_that_stays() {
    let stage = Stage::with(page(&[Key::RsaA]), "max_age: 1h, cooldown: 1h");
    let good = Token::access().text();
    let large = |member: &str| {
        let token = Token::access();
        let text = token.claims_begin_with(member);
        assert!(text.len() <= 16_384, "{}", text.len());
        text
    };
    let objects = large(&format!("\"x\":[{}1]", "{\"\":1},".repeat(1_250)));
    let arrays = large(&format!("\"x\":[{}1]", "[],".repeat(3_300)));
    let signature = "A".repeat(14_000);
    for _ in 0..50 {
        assert_eq!(stage.ask(&good), "allow");
    }
    let warm = Usage::of(&stage.function);
    let floods: [Flood<'_>; 8] = [
        ("unknown kids", Box::new(|n| Token::access().header("kid", json!(format!("k{n}"))).text()), "unknown_key", 3),
        (
            "long unknown kids",
            Box::new(|n| Token::access().header("kid", json!(format!("{n}{}", "k".repeat(10_000)))).text()),
            "unknown_key",
            0,
        ),
        (
            "unknown issuers",
            Box::new(|n| Token::access().claim("iss", json!(format!("https://{n}.example.com"))).text()),
            "unknown_issuer",
            0,
        ),
        ("16 KB of objects, signed", Box::new(|_| objects.clone()), "allow", 0),
        ("16 KB of arrays, signed", Box::new(|_| arrays.clone()), "allow", 0),
        (
            "16 KB of signature",
            Box::new(|n| {
                format!(
                    "{}.{}.{signature}",
                    encode(Token::access().header_json()),
                    encode(format!(r#"{{"iss":"{}","jti":"{n}"}}"#, crate::tokens::ISSUER))
                )
            }),
            "bad_signature",
            0,
        ),
        ("16 KB of dots", Box::new(|_| ".".repeat(16_384)), "malformed_token", 0),
        // More than API Gateway lets through in all.
        ("64 KB", Box::new(|_| "a".repeat(64 << 10)), "token_too_large", 0),
    ];
    println!("| flood | requests | outcome | fetches | CPU per request | peak memory beyond a warm process |");
    for (what, token, expected, most_fetches) in floods {
        let (before, fetches) = (Usage::of(&stage.function), stage.fetches());
        let mut tally = Tally::default();
        for number in 0..REQUESTS {
            tally.add(&stage.ask(&token(number)));
        }
        tally.assert_only(what, &[expected]);
        let fetches = stage.fetches() - fetches;
        assert!(fetches <= most_fetches, "{what}: {fetches} fetches");
        let after = Usage::of(&stage.function);
        let each = (after.milliseconds - before.milliseconds) / REQUESTS as f64;
        assert!(each < MOST_MILLISECONDS, "{what}: {each} ms of CPU each");
        let more = after.peak_kilobytes - warm.peak_kilobytes;
        assert!(more <= MOST_KILOBYTES, "{what}: {more} KB more at the peak");
        println!("| {what} | {REQUESTS} | {expected} | {fetches} | {each:.2} ms | {more} KB |");
    }
    assert_eq!(stage.ask(&good), "allow", "and a good token is judged as ever");
    assert_eq!(stage.fetches(), 4, "the first, and three for unknown names");
}

/// Its name, its tokens by number, what comes of each, and the fetches that it may cause.
type Flood<'a> = (&'a str, Box<dyn Fn(usize) -> String + 'a>, &'a str, usize);

/// What Linux says of the process.
struct Usage {
    milliseconds: f64,
    peak_kilobytes: u64,
}

impl Usage {
    fn of(function: &Function) -> Usage {
        let folder = format!("/proc/{}", function.process_id());
        let stat = fs::read_to_string(format!("{folder}/stat")).unwrap();
        // After the name in brackets: field 3 and on, of which 14 and 15 are the ticks of 10 ms in user and system mode.
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak = peak.trim().trim_end_matches(" kB").parse().unwrap();
        Usage { milliseconds: ticks * 10.0, peak_kilobytes: peak }
    }
}
