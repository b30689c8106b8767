//! How clients learn what is left of their limit: the fields of the IETF draft "RateLimit header fields for HTTP".

use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use super::code::Code;
use super::problem::Problem;
use crate::limits::Admission;
use crate::state::AppState;

/// The names of the limits.
const SYNC: &str = "sync";
const READ: &str = "read";

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// `answer`, which came after `admission`, with what is left of the limit.
pub(crate) fn announce(admission: &Admission, answer: Result<HttpResponse, Problem>) -> Result<HttpResponse, Problem> {
    let fields = fields(SYNC, admission);
    match answer {
        Ok(mut response) => {
            for (name, value) in fields {
                response.headers_mut().insert(name, value);
            }
            Ok(response)
        }
        Err(problem) => {
            Err(fields.into_iter().fold(problem, |problem, (name, value)| problem.with_header(name, value)))
        }
    }
}

/// The answer to a sync too many.
pub(crate) fn refusal(admission: &Admission) -> Problem {
    let (limit, wait) = (admission.limit, whole_seconds(admission.reset));
    let window = humantime::format_duration(admission.window);
    let detail = format!("A site may send {limit} syncs in any {window}. Try again in {wait} s; nothing was stored");
    Problem::new(Code::RateLimited, detail).with_header(header::RETRY_AFTER, HeaderValue::from(wait))
}

/// Counts a read of the holder of a key, and keeps what is left of the limit for the answer; see [`announce_read`].
pub(crate) fn admit_read(request: &HttpRequest, key_id: &str, is_admin: bool, state: &AppState) -> Result<(), Problem> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    let admission = state.reads.admit(key_id, is_admin);
    request.extensions_mut().insert(Read(admission));
    if admission.allowed {
        return Ok(());
    }
    let (limit, wait) = (admission.limit, whole_seconds(admission.reset));
    let window = humantime::format_duration(admission.window);
    let detail = format!("A key may read {limit} times in any {window}. Try again in {wait} s");
    Err(Problem::new(Code::RateLimited, detail).with_header(header::RETRY_AFTER, HeaderValue::from(wait)))
}

/// A read that was counted.
struct Read(Admission);

/// What the answer to a read says of what is left.
pub(crate) fn announce_read(request: &HttpRequest, headers: &mut HeaderMap) {
    if let Some(Read(admission)) = request.extensions().get() {
        for (name, value) in fields(READ, admission) {
            headers.insert(name, value);
        }
    }
}

/// `problem`, or what a client is told that has failed to authenticate too often from `address`. Other problems than
/// failed authentications stay what they are.
pub(crate) fn limit_failures(problem: Problem, address: Option<IpAddr>, state: &AppState) -> Problem {
    let Some(address) = address.filter(|_| problem.code().is_failed_authentication()) else { return problem };
    let Err(wait) = state.failures.note(address) else { return problem };
    let wait = whole_seconds(wait);
    let detail = format!(
        "Too many requests without a valid key have come from your address. Try again in {wait} s, \
                          with a valid key at once"
    );
    Problem::new(Code::TooManyFailures, detail).with_header(header::RETRY_AFTER, HeaderValue::from(wait))
}

fn fields(name: &str, admission: &Admission) -> [(HeaderName, HeaderValue); 2] {
    let Admission { limit, remaining, reset, window, .. } = *admission;
    let policy = format!("\"{name}\";q={limit};w={}", whole_seconds(window));
    let state = format!("\"{name}\";r={remaining};t={}", whole_seconds(reset));
    // Digits and punctuation are always fit for a header.
    [(POLICY, policy), (LIMIT, state)]
        .map(|(name, text)| (name, HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))))
}

/// Rounded up, so that nobody comes back too early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::ResponseError;
    use actix_web::http::StatusCode;

    fn header(response: &HttpResponse, name: &str) -> String {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn every_answer_says_what_is_left() {
        let answer = announce(&Admission::sample(60, 42), Ok(HttpResponse::Ok().finish())).unwrap();
        let error = announce(&Admission::sample(60, 42), Err(Problem::site_not_found())).unwrap_err().error_response();
        for response in [&answer, &error] {
            assert_eq!(header(response, "RateLimit-Policy"), r#""sync";q=60;w=3600"#);
            assert_eq!(header(response, "RateLimit"), r#""sync";r=42;t=1200"#);
        }
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let refused = Admission::sample(60, 0);
        let response = announce(&refused, Err(refusal(&refused))).unwrap_err().error_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(header(&response, "Retry-After"), "1200");
        assert_eq!(header(&response, "RateLimit"), r#""sync";r=0;t=1200"#);
    }
}
