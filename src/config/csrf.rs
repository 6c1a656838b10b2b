//! `csrf` of a cookie that holds the token: which pages may make requests with it.

use super::fields::Item;
use crate::gateway::Csrf;
use crate::http::Address;

/// `origin`, `off`, or a map with `origins`.
pub(super) fn read(item: &Item<'_>) -> Option<Csrf> {
    if !item.is_map() {
        return match &*item.text()? {
            "origin" => Some(Csrf::OwnHost),
            "off" => Some(Csrf::Off),
            _ => {
                item.fault("must be `origin`, `off` or a map with `origins`");
                None
            }
        };
    }
    let mut fields = item.fields()?;
    let origins = fields.require("origins").and_then(|item| origins(&item));
    fields.finish();
    Some(Csrf::Origins(origins?))
}

/// A list of origins.
pub(super) fn origins(item: &Item<'_>) -> Option<Vec<String>> {
    let origins = item.strings()?;
    for origin in &origins {
        if let Err(fault) = check_origin(origin) {
            item.fault(format!("`{origin}` {fault}"));
            return None;
        }
    }
    Some(origins)
}

/// As browsers write it (RFC 6454 6.2): only then can it equal a header `Origin`.
fn check_origin(origin: &str) -> Result<(), String> {
    Address::parse(origin).map_err(|error| error.to_string())?;
    let (scheme, authority) = origin.split_once("://").unwrap_or_default();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    if authority.contains(['/', '?', '#', '\\']) || authority.ends_with(':') {
        return Err(
            "is no origin: it has a scheme and a host, a port where it is not the default one, and no path".to_owned()
        );
    }
    if authority.ends_with(default_port) {
        return Err("has the default port, which browsers leave out of an origin".to_owned());
    }
    if origin.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("has capital letters, and browsers write an origin in small ones".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for origin in
            ["https://app.example.com", "https://app.example.com:8443", "http://localhost:3000", "http://[::1]:9"]
        {
            assert_eq!(check_origin(origin), Ok(()), "{origin}");
        }
        for origin in [
            "https://app.example.com/",
            "https://app.example.com/x",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://app.example.com:443",
            "https://app.example.com:",
            "https://App.example.com",
            "http://localhost:80",
            "http://app.example.com",
            "HTTPS://app.example.com",
            "https://user@app.example.com",
            "app.example.com",
            "null",
            "*",
            "",
        ] {
            assert!(check_origin(origin).is_err(), "{origin}");
        }
    }
}
