//! The `Prefer` header of RFC 7240.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use module_monitor_ingestion::Handling;

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Which preferences were honoured.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// Its value for lenient handling.
pub(crate) const LENIENT: HeaderValue = HeaderValue::from_static("handling=lenient");

/// How the client wants invalid modules handled. What we do not know is ignored, as RFC 7240 asks; of a preference that
/// is given twice the first counts.
pub(crate) fn handling(headers: &HeaderMap) -> Handling {
    let lines = headers.get_all(PREFER).filter_map(|value| value.to_str().ok());
    let mut preferences = lines.flat_map(|line| split_unquoted(line, ',')).filter_map(preference);
    match preferences.find(|(name, _)| name.eq_ignore_ascii_case("handling")) {
        Some((_, value)) if value.eq_ignore_ascii_case("lenient") => Handling::Lenient,
        _ => Handling::Strict,
    }
}

/// Name and value of `name [= value] *(; parameter)`.
fn preference(text: &str) -> Option<(&str, &str)> {
    let own = split_unquoted(text, ';').next()?;
    let (name, value) = own.split_once('=').unwrap_or((own, ""));
    Some((name.trim(), value.trim().trim_matches('"')))
}

/// The parts of `text` between separators that are not inside a quoted string.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            _ => {}
        }
        c == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn handling_of(lines: &[&str]) -> Handling {
        let request = lines.iter().fold(TestRequest::post(), |r, line| r.append_header((PREFER, *line)));
        handling(request.to_http_request().headers())
    }

    #[test]
    fn lenient_is_found_among_other_preferences() {
        for lines in [
            &["handling=lenient"][..],
            &["Handling = \"lenient\" ; x=y"],
            &["wait=5, handling=lenient"],
            &["respond-async", "foo; handling=strict, handling=LENIENT"],
            &["foo=\"a, \\\" handling=strict\", handling=lenient"],
        ] {
            assert_eq!(handling_of(lines), Handling::Lenient, "{lines:?}");
        }
    }

    #[test]
    fn everything_else_is_strict() {
        for lines in [
            &[][..],
            &["handling=strict"],
            &["handling"],
            &["handling=strict, handling=lenient"],
            &["foo=\"handling=lenient\""],
            &["foo=\", handling=lenient"],
            &["xhandling=lenient"],
        ] {
            assert_eq!(handling_of(lines), Handling::Strict, "{lines:?}");
        }
    }
}
