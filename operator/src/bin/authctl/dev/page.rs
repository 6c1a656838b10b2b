//! The playground's page. It decides nothing: what it shows comes from the API.

use super::server::{Call, Reply};
use hyper::{Method, StatusCode};

/// The page and its parts; `None` where the path is something else's.
pub(crate) fn answer(call: &Call) -> Option<Reply> {
    let (content_type, text) = match call.path.as_str() {
        "/" => ("text/html; charset=utf-8", include_str!("page/index.html")),
        "/style.css" => ("text/css; charset=utf-8", include_str!("page/style.css")),
        "/app.js" => ("text/javascript; charset=utf-8", include_str!("page/app.js")),
        "/icon.svg" => ("image/svg+xml", include_str!("page/icon.svg")),
        _ => return None,
    };
    // A `POST /` is a call of an AWS API.
    match call.method {
        Method::GET | Method::HEAD => Some(Reply::new(StatusCode::OK, content_type, text)),
        _ => None,
    }
}
