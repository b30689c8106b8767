//! The id under which a request is found in the log.

use std::fmt;
use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// Where the id comes in and goes out.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// 1 to 64 of `A-Z a-z 0-9 . _ -`, so that it is safe in headers, logs and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The id that the client or a proxy before us has given the request, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        sent.and_then(Self::taken_from).unwrap_or_else(|| Self(Uuid::new_v4().to_string().into()))
    }

    /// The id `text`, where it is one.
    pub(crate) fn taken_from(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let sane = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
        sane.then(|| Self(text.into()))
    }

    /// The value to send back.
    pub(crate) fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_are_safe_everywhere_are_taken() {
        let long = "x".repeat(65);
        for bad in ["", "a b", "a\n", "é", "a\"", &long] {
            assert_eq!(RequestId::taken_from(bad), None, "{bad:?}");
        }
        assert!(RequestId::taken_from(&long[..64]).is_some());
        assert_eq!(RequestId::taken_from("Root=1-67._x").map(|id| id.to_string()), None);
        assert_eq!(RequestId::taken_from("1-67._x").map(|id| id.to_string()).as_deref(), Some("1-67._x"));
    }
}
