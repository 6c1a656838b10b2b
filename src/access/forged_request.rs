//! Requests that another site's page forges (CSRF): a browser adds a cookie to every request to its host, whichever page
//! makes it, so that a token in a cookie does not show that its owner's page asked.
//!
//! A page cannot write `Origin` and `Sec-Fetch-Site`: both are forbidden header names (Fetch 2.2.2). Browsers send
//! `Origin` with every request by another method than GET and HEAD, and with every WebSocket handshake (RFC 6455 4.1),
//! which no CORS check holds back.

use crate::denial::Denial;
use crate::request::{AllowedPages, HeaderField, Request};

/// Demands that the page that made the request may, where a guarded cookie brought the token and the method may change
/// something.
///
/// # Errors
/// [`Denial::ForbiddenFor`].
pub fn check_page(request: &Request<'_>) -> Result<(), Denial> {
    let Some(cookie) = &request.guarded_cookie else { return Ok(()) };
    if SAFE_METHODS.contains(&request.method) {
        return Ok(());
    }
    let own = cookie.host.as_deref().and_then(own_origin);
    let origin = match (&cookie.origin, &cookie.fetch_site) {
        (HeaderField::Several, _) => return Err(Denial::ForbiddenFor("csrf: more than one Origin")),
        (HeaderField::One(origin), _) if origin == "null" => return Err(Denial::ForbiddenFor("csrf: Origin is null")),
        (HeaderField::One(origin), _) => Some(origin.to_ascii_lowercase()),
        (HeaderField::Absent, HeaderField::One(site)) if site == "same-origin" => None,
        (HeaderField::Absent, HeaderField::One(_) | HeaderField::Several) => {
            return Err(Denial::ForbiddenFor("csrf: no Origin, and Sec-Fetch-Site is not same-origin"));
        }
        (HeaderField::Absent, HeaderField::Absent) => return Err(Denial::ForbiddenFor("csrf: no Origin")),
    };
    // Without `Origin` the browser says that it is the origin of the request's own host.
    let origin = origin.as_ref().or(own.as_ref()).ok_or(NO_HOST)?;
    for pages in &cookie.allowed {
        let is_allowed = match pages {
            AllowedPages::OwnHost => own.as_ref().ok_or(NO_HOST)? == origin,
            AllowedPages::Origins(origins) => origins.contains(origin),
        };
        if !is_allowed {
            return Err(Denial::ForbiddenFor("csrf: another origin"));
        }
    }
    Ok(())
}

/// The origin of pages that this host serves: API Gateway speaks HTTPS alone, on the default port, which an origin leaves
/// out (RFC 6454 6.2).
fn own_origin(host: &str) -> Option<String> {
    let host = host.strip_suffix(":443").unwrap_or(host);
    (!host.is_empty()).then(|| format!("https://{}", host.to_ascii_lowercase()))
}

/// RFC 9110 9.2.1. Letter for letter: `get` is another method, which nobody has defined. A WebSocket's `$connect` is a GET,
/// and yet opens the way for all that follows.
const SAFE_METHODS: [&str; 4] = ["GET", "HEAD", "OPTIONS", "TRACE"];

const NO_HOST: Denial = Denial::ForbiddenFor("csrf: the event names no host");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{GuardedCookie, HeaderField::*};

    const HOST: Option<&str> = Some("API.example.com");

    fn field(value: Option<&'static str>) -> HeaderField<'static> {
        value.map_or(Absent, |value| One(value.into()))
    }

    fn check<'a>(
        method: &'a str,
        allowed: Vec<AllowedPages<'a>>,
        host: Option<&'a str>,
        origin: HeaderField<'a>,
        fetch_site: HeaderField<'a>,
    ) -> &'static str {
        let mut request = Request::new(method, "/", Vec::new());
        let host = host.map(Into::into);
        request.guarded_cookie = Some(GuardedCookie { allowed, host, origin, fetch_site });
        match check_page(&request) {
            Ok(()) => "ok",
            Err(Denial::ForbiddenFor(detail)) => detail,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_origin_must_be_that_of_the_host_letter_for_letter() {
        for (origin, expected) in [
            (Some("https://api.example.com"), "ok"),
            (Some("https://API.EXAMPLE.COM"), "ok"),
            (Some("HTTPS://api.example.com"), "ok"),
            (None, "csrf: no Origin"),
            (Some(""), "csrf: another origin"),
            (Some("null"), "csrf: Origin is null"),
            (Some("Null"), "csrf: another origin"),
            (Some("http://api.example.com"), "csrf: another origin"),
            (Some("https://api.example.com:443"), "csrf: another origin"),
            (Some("https://api.example.com:8443"), "csrf: another origin"),
            (Some("https://api.example.com/"), "csrf: another origin"),
            (Some("https://api.example.com."), "csrf: another origin"),
            (Some("https://api.example.com.evil.example"), "csrf: another origin"),
            (Some("https://evil.example/https://api.example.com"), "csrf: another origin"),
            (Some("https://www.api.example.com"), "csrf: another origin"),
            (Some("https://example.com"), "csrf: another origin"),
            (Some("https://user@api.example.com"), "csrf: another origin"),
            (Some("https://api.example.com, https://api.example.com"), "csrf: another origin"),
            (Some("https://api.example.com https://evil.example"), "csrf: another origin"),
            (Some(" https://api.example.com"), "csrf: another origin"),
            (Some("api.example.com"), "csrf: another origin"),
            (Some("*"), "csrf: another origin"),
        ] {
            let of = |method| check(method, vec![AllowedPages::OwnHost], HOST, field(origin), Absent);
            assert_eq!(of("POST"), expected, "{origin:?}");
            assert_eq!(of("$connect"), expected, "{origin:?}");
            assert_eq!(of("GET"), "ok", "{origin:?}");
        }
        let own = vec![AllowedPages::OwnHost];
        assert_eq!(check("POST", own, HOST, Several, Absent), "csrf: more than one Origin");
    }

    #[test]
    fn a_method_is_safe_as_the_rfc_writes_it() {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            assert_eq!(check(method, vec![AllowedPages::OwnHost], None, Absent, Absent), "ok", "{method}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "PROPFIND", "get", "Head", "", "$connect"] {
            let found = check(method, vec![AllowedPages::OwnHost], HOST, Absent, Absent);
            assert_eq!(found, "csrf: no Origin", "{method}");
        }
    }

    #[test]
    fn without_an_origin_the_browser_may_say_that_it_is_the_same() {
        const OTHER: &str = "csrf: no Origin, and Sec-Fetch-Site is not same-origin";
        for (site, expected) in [
            (One("same-origin".into()), "ok"),
            (One("same-site".into()), OTHER),
            (One("cross-site".into()), OTHER),
            (One("none".into()), OTHER),
            (One("Same-Origin".into()), OTHER),
            (One("same-origin, cross-site".into()), OTHER),
            (One("".into()), OTHER),
            (Several, OTHER),
            (Absent, "csrf: no Origin"),
        ] {
            assert_eq!(check("POST", vec![AllowedPages::OwnHost], HOST, Absent, site.clone()), expected, "{site:?}");
            // Where there is an origin, it alone counts.
            let with = |origin| check("POST", vec![AllowedPages::OwnHost], HOST, field(Some(origin)), site.clone());
            assert_eq!(with("https://evil.example"), "csrf: another origin", "{site:?}");
            assert_eq!(with("https://api.example.com"), "ok", "{site:?}");
        }
    }

    #[test]
    fn where_origins_are_listed_the_host_s_own_must_be_among_them() {
        let app = ["https://app.example.com".to_owned(), "http://localhost:3000".to_owned()];
        let of = |origin, site| check("POST", vec![AllowedPages::Origins(&app)], HOST, field(origin), field(site));
        assert_eq!(of(Some("https://app.example.com"), None), "ok");
        assert_eq!(of(Some("https://app.example.com"), Some("cross-site")), "ok");
        assert_eq!(of(Some("http://localhost:3000"), None), "ok");
        assert_eq!(of(Some("http://localhost:3001"), None), "csrf: another origin");
        assert_eq!(of(Some("https://api.example.com"), None), "csrf: another origin");
        assert_eq!(of(None, Some("same-origin")), "csrf: another origin");
        let own = ["https://api.example.com".to_owned()];
        let same = field(Some("same-origin"));
        assert_eq!(check("POST", vec![AllowedPages::Origins(&own)], HOST, Absent, same.clone()), "ok");
        assert_eq!(
            check("POST", vec![AllowedPages::Origins(&own)], None, Absent, same),
            "csrf: the event names no host"
        );
    }

    #[test]
    fn of_several_guarded_cookies_each_must_allow_it() {
        let app = ["https://app.example.com".to_owned()];
        let of = |origin| {
            check("POST", vec![AllowedPages::OwnHost, AllowedPages::Origins(&app)], HOST, field(Some(origin)), Absent)
        };
        assert_eq!(of("https://app.example.com"), "csrf: another origin");
        assert_eq!(of("https://api.example.com"), "csrf: another origin");
    }

    #[test]
    fn a_host_that_is_not_known_allows_nothing() {
        for host in [None, Some(""), Some(":443")] {
            for origin in [Some("https://"), Some("https://api.example.com"), Some("")] {
                let found = check("POST", vec![AllowedPages::OwnHost], host, field(origin), Absent);
                assert_eq!(found, "csrf: the event names no host", "{host:?} {origin:?}");
            }
        }
        let origin = field(Some("https://api.example.com"));
        assert_eq!(check("POST", vec![AllowedPages::OwnHost], Some("api.example.com:443"), origin, Absent), "ok");
    }

    #[test]
    fn a_request_without_a_guarded_cookie_is_not_held_against_its_page() {
        assert_eq!(check_page(&Request::new("POST", "/", Vec::new())), Ok(()));
    }
}
