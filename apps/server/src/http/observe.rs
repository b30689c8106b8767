//! What happens around every request: its id, its log line, its metrics, the common headers and the shape of errors.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError, web};
use futures::FutureExt;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::headers::add_common_headers;
use super::problem::Problem;
use super::rate_limit::announce_read;
use super::request_id::RequestId;
use crate::limits::Work;
use crate::logging::millis;
use crate::metrics::{RequestLabels, RouteLabels};
use crate::state::AppState;

/// The label of requests for addresses that no route has.
const NO_ROUTE: &str = "none";

/// Runs the rest of the app and sees to it that whatever comes out is logged, counted and, where it is an error, a
/// problem that names the request.
pub(crate) async fn observe(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let id = RequestId::of(request.headers());
    // Of the highest level, so that no log filter takes the id off the lines that it lets through.
    let span = tracing::error_span!("request", request_id = %id, key = Empty);
    let path = request.path().to_owned();
    let mut record = Record::new(state, &request, span.clone());
    let answer =
        AssertUnwindSafe(async move { next.call(request).await }).catch_unwind().instrument(span.clone()).await;
    let _entered = span.enter();
    match answer {
        Ok(Ok(response)) => Ok(record.finish(response, &path, &id)),
        Ok(Err(error)) => Err(record.fail(problem_behind(&error, StatusCode::INTERNAL_SERVER_ERROR), &path, &id)),
        // The panic hook has logged what it was.
        Err(_panic) => Err(record.fail(Problem::internal("a handler panicked"), &path, &id)),
    }
}

fn problem_behind(error: &Error, status: StatusCode) -> Problem {
    error.as_error::<Problem>().cloned().unwrap_or_else(|| Problem::of_status(status))
}

/// One request, written down when it is dropped: also when its client hangs up and nobody finishes it.
struct Record {
    state: web::Data<AppState>,
    span: Span,
    method: &'static str,
    route: Option<String>,
    started: Instant,
    status: Option<StatusCode>,
    code: Option<&'static str>,
}

impl Record {
    fn new(state: web::Data<AppState>, request: &ServiceRequest, span: Span) -> Self {
        let started = state.clock.instant();
        let method = method_label(request.method());
        Self { state, span, method, route: request.match_pattern(), started, status: None, code: None }
    }

    /// Turns whatever is an error into a problem, and adds what every answer carries.
    fn finish(&mut self, mut response: ServiceResponse, path: &str, id: &RequestId) -> ServiceResponse {
        let one_too_many = response.request().extensions().get::<Work>().is_some_and(Work::is_one_too_many);
        if one_too_many {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        let status = response.status();
        self.route = response.request().match_pattern();
        self.status = Some(status);
        if !status.is_client_error() && !status.is_server_error() {
            let request = response.request().clone();
            announce_read(&request, response.headers_mut());
            add_common_headers(response.headers_mut(), id);
            return response;
        }
        let problem = match response.response().error() {
            Some(error) => problem_behind(error, status),
            None => Problem::of_status(status),
        };
        let problem = match response.headers().get(header::ALLOW) {
            Some(allowed) => problem.with_header(header::ALLOW, allowed.clone()),
            None => problem,
        };
        let problem = self.note(problem).for_request(path, id.clone());
        let mut refused = problem.error_response();
        announce_read(response.request(), refused.headers_mut());
        if one_too_many {
            refused.head_mut().set_connection_type(ConnectionType::Close);
        }
        response.into_response(refused)
    }

    fn fail(&mut self, problem: Problem, path: &str, id: &RequestId) -> Error {
        self.note(problem).for_request(path, id.clone()).into()
    }

    fn note(&mut self, mut problem: Problem) -> Problem {
        self.status = Some(problem.status_code());
        self.code = Some(problem.code().as_str());
        problem.log_cause(Some(&self.state.health));
        problem
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        let elapsed = self.state.clock.instant().duration_since(self.started);
        // 499 is what proxies write where the client did not wait.
        let status = self.status.map_or(499, |status| status.as_u16());
        let route = self.route.take().unwrap_or_else(|| NO_ROUTE.to_owned());
        tracing::info!(method = self.method, route, status, ms = millis(elapsed), code = self.code, "request");
        let metrics = &self.state.metrics;
        let labels = RouteLabels { method: self.method, route: route.clone() };
        metrics.request_duration.get_or_create(&labels).observe(elapsed.as_secs_f64());
        metrics.requests.get_or_create(&RequestLabels { method: self.method, route, status }).inc();
    }
}

/// Clients can make up methods; labels must stay few.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, read_body, try_call_service};
    use actix_web::{App, HttpResponse};
    use module_monitor_ingestion::SystemClock;
    use module_monitor_storage::{SiteBounds, StorageOptions, connect};
    use serde_json::Value;

    use super::*;
    use crate::config::QueueConfig;
    use crate::http::request_id::X_REQUEST_ID;
    use crate::limits::RateLimiter;
    use crate::metrics::Metrics;
    use crate::state::Limits;

    async fn boom() -> HttpResponse {
        panic!("the password is swordfish")
    }

    #[actix_web::test]
    async fn a_panic_becomes_a_problem_that_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("x.db").display());
        let storage = connect(&url, StorageOptions::default()).unwrap();
        let clock = Arc::new(SystemClock);
        let limiter = RateLimiter::new(clock.clone(), 60, Duration::from_secs(3600));
        let site_bounds = SiteBounds::default();
        let limits = Limits { trusted_proxies: Vec::new(), body_memory: 16 << 20, reads: 600, site_bounds };
        let queue = QueueConfig::default();
        let state = web::Data::new(AppState::new(storage, clock, Metrics::new(), limiter, limits, &queue, true));
        let observed = state.clone();
        let around =
            from_fn(move |request: ServiceRequest, next: Next<BoxBody>| observe(observed.clone(), request, next));
        let app = init_service(App::new().wrap(around).route("/boom", web::get().to(boom))).await;

        let error = try_call_service(&app, TestRequest::get().uri("/boom").to_request()).await.unwrap_err();
        let response = error.error_response();

        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().contains_key(X_REQUEST_ID));
        let response = ServiceResponse::new(TestRequest::default().to_http_request(), response);
        let body: Value = serde_json::from_slice(&read_body(response).await).unwrap();
        assert_eq!(body["code"], "internal-error");
        assert!(!body.to_string().contains("swordfish"));
        let labels = RequestLabels { method: "GET", route: "/boom".to_owned(), status: 500 };
        assert_eq!(state.metrics.requests.get_or_create(&labels).get(), 1);
    }
}
