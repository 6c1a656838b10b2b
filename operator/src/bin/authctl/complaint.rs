//! What is wrong with a command line, without repeating what could be a secret.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error;

/// clap quotes what it does not understand, and that may be a token that was pasted into
/// the wrong place: of the user's words only options' names are repeated.
pub(crate) fn about(error: &clap::Error) -> String {
    let mut text = error.kind().as_str().unwrap_or("the command line cannot be read").to_owned();
    let names = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word))) => option_name(word).into_iter().collect(),
        (ErrorKind::UnknownArgument, _) | (_, None) => Vec::new(),
        // The names of our own arguments.
        (_, Some(ContextValue::String(name))) => vec![name.clone()],
        (_, Some(ContextValue::Strings(names))) => names.clone(),
        (_, Some(_)) => Vec::new(),
    };
    if !names.is_empty() {
        text.push_str(&format!(": {}", names.join(", ")));
    }
    if let Some(reason) = error.source() {
        text.push_str(&format!(": {reason}"));
    }
    text.push_str("\n\nFor more, try `authctl --help` or `authctl revoke <what> --help`.");
    text
}

fn option_name(word: &str) -> Option<String> {
    let name = word.split('=').next()?;
    let letters = name.strip_prefix("--")?;
    let is_name = letters.len() <= 20 && letters.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::Parser;

    #[track_caller]
    fn check(words: &[&str], expected: &str) {
        let error = Arguments::try_parse_from([&["authctl"], words].concat()).unwrap_err();
        let text = about(&error);
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("eyJ") && !text.contains("s3cret"), "{text}");
    }

    #[test]
    fn a_complaint_names_the_option_and_never_the_value() {
        check(&["revoke", "token", "eyJ.a.b", "eyJ.c.d"], "unexpected argument");
        check(&["revoke", "token", "eyJ.a.b", "--reson=s3cret"], "--reson");
        check(&["revoke", "token", "--eyJhbGciOiJSUzI1NiJ9"], "unexpected argument");
        check(&["revoke", "eyJ.a.b"], "unrecognized subcommand");
        check(&["revoke", "refresh-token", "--client-id", "c", "eyJ.a.b"], "the token is read from standard input");
        check(&["revoke", "refresh-token", "-"], "--client-id");
        check(&["revoke", "token", "-", "--token-life", "s3cret"], "must be a duration");
        check(&["revoke", "user", "--user-pool-id", "p"], "required");
        check(&["revoke", "user", "--sub", "s3cret"], "required");
        check(&["revoke", "user", "--issuer", "i", "--sub", "s", "--username", "u"], "cannot be used");
    }
}
