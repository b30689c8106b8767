//! The kinds of problem, which are part of the HTTP contract.

use actix_web::http::StatusCode;

/// Declares the kinds of problem: what clients match on, the status and the title.
macro_rules! codes {
    ($($name:ident = $status:ident, $code:literal, $title:literal;)*) => {
        /// What kind of problem it is. The names are part of the HTTP contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// Every kind.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The stable name.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The same words for every problem of the kind.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    BadRequest = BAD_REQUEST, "bad-request", "The request cannot be read";
    MalformedJson = BAD_REQUEST, "malformed-json", "The body is not JSON";
    BadEncoding = BAD_REQUEST, "bad-encoding", "The body is not encoded as its Content-Encoding says";
    IncompleteBody = BAD_REQUEST, "incomplete-body", "The body ended early";
    KeyMissing = UNAUTHORIZED, "key-missing", "An API key is needed";
    KeyInvalid = UNAUTHORIZED, "key-invalid", "The API key is not valid";
    KeyExpired = UNAUTHORIZED, "key-expired", "The API key has expired";
    KeyRevoked = UNAUTHORIZED, "key-revoked", "The API key has been revoked";
    AdminOnly = FORBIDDEN, "admin-only", "This needs an admin key";
    SiteInactive = FORBIDDEN, "site-inactive", "The site has been deactivated";
    NotFound = NOT_FOUND, "not-found", "Not found";
    SiteNotFound = NOT_FOUND, "site-not-found", "No such site";
    ModuleNotFound = NOT_FOUND, "module-not-found", "No such module";
    KeyNotFound = NOT_FOUND, "key-not-found", "No such key";
    SyncNotFound = NOT_FOUND, "sync-not-found", "No such sync";
    ProjectNotFound = NOT_FOUND, "project-not-found", "No such project";
    AcceptanceNotFound = NOT_FOUND, "acceptance-not-found", "No such accepted risk";
    DeadLetterNotFound = NOT_FOUND, "dead-letter-not-found", "No such dead letter";
    WebhookNotFound = NOT_FOUND, "webhook-not-found", "No such webhook";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "This address does not take this method";
    NotAcceptable = NOT_ACCEPTABLE, "not-acceptable", "There is no answer in a media type that Accept allows";
    RequestTimeout = REQUEST_TIMEOUT, "request-timeout", "The body took too long to arrive";
    StaleSync = CONFLICT, "stale-sync", "A newer report has been applied already";
    IdentityConflict = CONFLICT, "identity-conflict", "The report comes from another installation";
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body must be JSON";
    UnsupportedEncoding = UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", "This Content-Encoding is not supported";
    ValidationFailed = UNPROCESSABLE_ENTITY, "validation-failed", "The request is not valid";
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The idempotency key was used for another body";
    TooManyModules = UNPROCESSABLE_ENTITY, "too-many-modules", "The site would have too many modules";
    RateLimited = TOO_MANY_REQUESTS, "rate-limited", "The site has sent too many syncs, or the key read too often";
    TooManyFailures = TOO_MANY_REQUESTS, "too-many-failures", "Too many requests had no valid key";
    Internal = INTERNAL_SERVER_ERROR, "internal-error", "Something went wrong here";
    QueueFull = SERVICE_UNAVAILABLE, "queue-full", "Too many syncs are waiting";
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "The server has too much to do";
    DatabaseUnavailable = SERVICE_UNAVAILABLE, "database-unavailable", "The database cannot be used at the moment";
}

impl Code {
    /// What the check of a key may end with.
    pub(crate) const OF_KEYS: &'static [Self] = &[
        Self::KeyMissing,
        Self::KeyInvalid,
        Self::KeyExpired,
        Self::KeyRevoked,
        Self::TooManyFailures,
        Self::DatabaseUnavailable,
    ];

    /// What reading a body may end with.
    pub(crate) const OF_BODIES: &'static [Self] = &[
        Self::MalformedJson,
        Self::BadEncoding,
        Self::IncompleteBody,
        Self::RequestTimeout,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedEncoding,
        Self::ValidationFailed,
        Self::Overloaded,
    ];

    /// Whether the request had no valid key.
    pub(crate) fn is_failed_authentication(self) -> bool {
        self.status() == StatusCode::UNAUTHORIZED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        for (i, code) in Code::ALL.iter().enumerate() {
            assert!(Code::ALL[..i].iter().all(|other| other.as_str() != code.as_str()), "{code:?}");
        }
    }
}
