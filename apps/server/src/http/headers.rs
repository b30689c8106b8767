//! The headers that all answers share.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use super::request_id::{RequestId, X_REQUEST_ID};

/// The headers that every answer carries.
pub(crate) fn add_common_headers(headers: &mut HeaderMap, id: &RequestId) {
    if let Some(value) = id.header_value() {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
