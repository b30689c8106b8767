//! The one shape of all errors: RFC 9457 problem details.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use module_monitor_domain::{Refusal, SyncId};
use module_monitor_ingestion::{FieldError, RequestError};
use module_monitor_storage::StorageError;
use serde::Serialize;

use super::code::Code;
use super::headers::add_common_headers;
use super::request_id::RequestId;
use crate::admin::AdminError;
use crate::api::time::rfc3339;
use crate::health::Health;
use crate::logging::Chain;

/// How many seconds a client should wait while the database cannot be used.
const RETRY_AFTER_SECONDS: u16 = 5;
/// How many seconds a client should wait while the queue is full.
const QUEUE_FULL_SECONDS: u16 = 30;

/// Why a request was not met, for its client.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The sync it is about, where that was accepted before.
    sync: Option<SyncId>,
    /// For the log alone.
    cause: Option<Arc<dyn Error + Send + Sync>>,
    /// Path and id of the request; boxed to keep results small.
    request: Option<Box<(String, RequestId)>>,
}

impl Problem {
    /// A problem of that kind; `detail` says what this client can do about it.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            sync: None,
            cause: None,
            request: None,
        }
    }

    /// Everything that is wrong with what was sent.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.len() {
            1 => "1 value is not valid; see errors".to_owned(),
            n => format!("{n} values are not valid; see errors"),
        };
        Self { errors, ..Self::new(Code::ValidationFailed, detail) }
    }

    /// The same whether the site does not exist or is not the key's.
    pub(crate) fn site_not_found() -> Self {
        Self::new(Code::SiteNotFound, "There is no such site, or this key is not for it")
    }

    /// A fault of ours. What it was is for the log.
    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "The server could not do this. Its log has the reason, under this request_id";
        Self { cause: Some(Arc::from(cause.into())), ..Self::new(Code::Internal, detail) }
    }

    /// The database cannot be used at the moment; nothing was stored.
    pub(crate) fn database_unavailable() -> Self {
        Self::new(Code::DatabaseUnavailable, "Send the same request again later; that is safe, whatever it was")
            .with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS))
    }

    /// There is no memory for another body; nothing was read.
    pub(crate) fn overloaded() -> Self {
        Self::new(Code::Overloaded, "Send the same request again in a moment; nothing was stored")
            .with_header(header::RETRY_AFTER, HeaderValue::from(1_u16))
    }

    /// There is no room in the queue; nothing was stored.
    pub(crate) fn queue_full() -> Self {
        Self::new(Code::QueueFull, "Send the same request again later; nothing was stored")
            .with_header(header::RETRY_AFTER, HeaderValue::from(QUEUE_FULL_SECONDS))
    }

    /// The server cannot take requests yet, or not at the moment.
    pub(crate) fn not_ready(cause: StorageError) -> Self {
        Self { cause: Some(Arc::new(cause)), ..Self::database_unavailable() }
    }

    /// A problem for `status`, where something else than our routes has answered.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
            status if status.is_server_error() => return Self::internal(format!("unexpected status {status}")),
            _ => Code::BadRequest,
        };
        Self::new(code, code.title())
    }

    /// The same problem, about a sync that had been accepted.
    pub(crate) fn about(mut self, sync: SyncId) -> Self {
        self.sync = Some(sync);
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same problem, as the answer to that request.
    pub(crate) fn for_request(mut self, path: &str, id: RequestId) -> Self {
        self.request = Some(Box::new((path.to_owned(), id)));
        self
    }

    /// What kind it is.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What is wrong with the request, value by value.
    #[cfg(test)]
    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Writes what is behind it to the log, once, where that is not for the client. `health` takes note of what concerns
    /// the database as a whole, which is not logged for each request.
    pub(crate) fn log_cause(&mut self, health: Option<&Health>) {
        let Some(cause) = self.cause.take() else { return };
        let told = |health: &Health| cause.downcast_ref().is_some_and(|error| health.note(error));
        if health.is_some_and(told) {
            return;
        }
        let error = Chain(cause.as_ref());
        match self.code {
            Code::DatabaseUnavailable => tracing::warn!(%error, "the database could not be used"),
            _ => tracing::error!(%error, "a request failed"),
        }
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::invalid(errors)
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Invalid(errors) => Self::invalid(errors),
            malformed => Self::new(Code::MalformedJson, Chain(&malformed).to_string()),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownSite => Self::site_not_found(),
            Refusal::InactiveSite => Self::new(Code::SiteInactive, "An administrator has deactivated this site"),
            Refusal::Stale { last_applied } => {
                let last_applied = rfc3339(last_applied);
                let detail = format!(
                    "The last applied report has the sync_timestamp {last_applied}, which is later than this one's. \
                     Send a fresh full report"
                );
                Self::new(Code::StaleSync, detail)
            }
            Refusal::IdempotencyKeyReused => {
                Self::new(Code::IdempotencyKeyReused, "Send the same body as before, or another Idempotency-Key")
            }
            Refusal::IdentityConflict { expected, reported } => {
                let detail = format!(
                    "This report comes from {reported}, and the site takes only those from {expected}. A copy of a site \
                     needs a site and a key of its own"
                );
                Self::new(Code::IdentityConflict, detail)
            }
            Refusal::TooManyModules { most } => {
                let detail = format!(
                    "With this report the site would have more than {most} modules, because it removes none. Send a full \
                     report"
                );
                Self::new(Code::TooManyModules, detail)
            }
        }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::NoSuchSite(_) => Self::site_not_found(),
            AdminError::Storage(source) | AdminError::KeyInDoubt { source, .. } => source.into(),
            // Whatever a client can get wrong is checked before.
            error => Self::internal(error),
        }
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        if error.is_transient() {
            return Self::not_ready(error);
        }
        Self::internal(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a RequestId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync_id: Option<String>,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    fn body(&self) -> Body<'_> {
        Body {
            r#type: format!("urn:module-monitor:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            instance: self.request.as_ref().map(|request| request.0.as_str()),
            code: self.code.as_str(),
            request_id: self.request.as_ref().map(|request| &request.1),
            sync_id: self.sync.map(|sync| sync.to_string()),
            errors: &self.errors,
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        // Serialising strings and numbers cannot fail; an empty body would still carry the status.
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = response.content_type("application/problem+json").body(body);
        if let Some(request) = &self.request {
            add_common_headers(response.headers_mut(), &request.1);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn shown(problem: Problem) -> Value {
        let problem = problem.for_request("/api/v1/x", RequestId::taken_from("abc").unwrap());
        serde_json::to_value(problem.body()).unwrap()
    }

    #[test]
    fn a_problem_has_the_shape_of_rfc_9457() {
        let error = FieldError { pointer: "/modules/0".into(), code: "required".into(), detail: "d".into() };
        let expected = json!({
            "type": "urn:module-monitor:problem:validation-failed",
            "title": "The request is not valid",
            "status": 422,
            "detail": "1 value is not valid; see errors",
            "instance": "/api/v1/x",
            "code": "validation-failed",
            "request_id": "abc",
            "errors": [{"pointer": "/modules/0", "code": "required", "detail": "d"}],
        });
        assert_eq!(shown(Problem::invalid(vec![error])), expected);
        assert_eq!(shown(Problem::site_not_found()).get("errors"), None);
    }

    #[test]
    fn what_is_behind_a_fault_stays_in_the_log() {
        let problem = Problem::internal("the password is swordfish");
        assert!(!shown(problem.clone()).to_string().contains("swordfish"));
    }

    #[test]
    fn an_absent_database_asks_to_come_back() {
        let response = Problem::from(StorageError::Unavailable("gone".into())).error_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }
}
