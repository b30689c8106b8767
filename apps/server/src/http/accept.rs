//! Which of a route's media types its client wants.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ACCEPT, HeaderMap, HeaderValue, VARY};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};

use super::code::Code;
use super::problem::Problem;

/// The media type that a client has chosen, among the extensions of its request.
struct Chosen(&'static str);

/// Refuses a request whose `Accept` leaves nothing of what its route can answer with, and tells the others what they have
/// chosen, see [`has_chosen`].
pub(crate) async fn negotiate(
    offered: Rc<[&'static str]>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let Some(chosen) = choose(request.headers(), &offered) else {
        let detail = format!("This answers with {}; send that in Accept, or no Accept", offered.join(" or "));
        return Ok(ServiceResponse::from_err(Problem::new(Code::NotAcceptable, detail), request.into_parts().0));
    };
    request.extensions_mut().insert(Chosen(chosen));
    let mut response = next.call(request).await?;
    if offered.len() > 1 && response.status().is_success() {
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    }
    Ok(response)
}

/// Whether the client of a request that was let through wants `media_type`.
pub(crate) fn has_chosen(request: &HttpRequest, media_type: &str) -> bool {
    request.extensions().get::<Chosen>().is_some_and(|chosen| chosen.0 == media_type)
}

/// The type of `offered` that the client likes best, as RFC 9110 has it; of several the one it names most exactly, then
/// the one it names first, then the first of `offered`.
fn choose(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let lines = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range> = lines.flat_map(|line| line.split(',')).filter_map(Range::parse).collect();
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let rated = offered.iter().rev().filter_map(|media_type| {
        let essence = media_type.split(';').next().unwrap_or_default();
        let matching = ranges.iter().enumerate().filter_map(|(at, range)| Some((range.exactness(essence)?, at, range)));
        // The most exact range decides how much a type is liked.
        let (exactness, at, range) = matching.max_by_key(|(exactness, at, _)| (*exactness, usize::MAX - at))?;
        (range.quality > 0).then_some(((range.quality, exactness, usize::MAX - at), *media_type))
    });
    rated.max_by_key(|(rating, _)| *rating).map(|(_, media_type)| media_type)
}

/// A media range of `Accept`.
struct Range {
    media_type: String,
    /// In thousandths.
    quality: u16,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().filter(|media_type| !media_type.is_empty())?.to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some(Self { media_type, quality: quality.map_or(1000, thousandths) })
    }

    /// How exactly it names the media type; `None` where it does not.
    fn exactness(&self, essence: &str) -> Option<u8> {
        let kind = essence.split('/').next().unwrap_or_default();
        match self.media_type.as_str() {
            "*/*" => Some(0),
            range if range == essence => Some(2),
            range => range.strip_suffix("/*").filter(|range| *range == kind).map(|_| 1),
        }
    }
}

/// What nobody can read is as good as nothing said.
fn thousandths(quality: &str) -> u16 {
    let quality: f32 = quality.parse().unwrap_or(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
    let thousandths = (quality.clamp(0.0, 1.0) * 1000.0).round() as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const LIST: [&str; 2] = ["application/json", "text/csv"];

    fn chosen(accept: &str, offered: &[&'static str]) -> Option<&'static str> {
        let request = TestRequest::get().insert_header((ACCEPT, accept)).to_http_request();
        choose(request.headers(), offered)
    }

    #[test]
    fn csv_is_for_those_who_prefer_it() {
        for accept in [
            "text/csv",
            "Text/CSV; charset=utf-8",
            "text/csv, application/json;q=0.5",
            "text/csv, application/json",
            "image/png, text/csv",
            "text/*",
            "text/csv, */*",
            "application/json;q=0, */*",
        ] {
            assert_eq!(chosen(accept, &LIST), Some("text/csv"), "{accept}");
        }
        for accept in [
            "",
            " , ",
            "*/*",
            "application/*",
            "application/json",
            "application/json, text/csv",
            "text/csv;q=0.5, application/json",
            "application/json, application/problem+json",
            "text/html, application/xml;q=0.9, */*;q=0.8",
            "text/csv;q=0, */*;q=0.1",
        ] {
            assert_eq!(chosen(accept, &LIST), Some("application/json"), "{accept}");
        }
        assert_eq!(choose(TestRequest::get().to_http_request().headers(), &LIST), Some("application/json"));
    }

    #[test]
    fn what_cannot_be_served_is_not_acceptable() {
        for accept in ["text/html", "application/xml", "json", "*/*;q=0", "application/*;q=0", "image/*, text/html"] {
            assert_eq!(chosen(accept, &LIST), None, "{accept}");
        }
        assert_eq!(chosen("text/csv", &LIST[..1]), None);
        assert_eq!(chosen("application/problem+json", &LIST), None, "that is for what goes wrong");
    }

    #[test]
    fn parameters_of_what_is_offered_do_not_matter() {
        let offered = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert_eq!(chosen(prometheus, &[offered]), Some(offered));
    }
}
