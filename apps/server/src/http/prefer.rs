//! The `Prefer` header of RFC 7240.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName};
use module_monitor_ingestion::Handling;

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Which preferences were honoured.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What the client would like. What we do not know is ignored, as RFC 7240 asks; of a preference that is given twice the
/// first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// How to handle invalid modules.
    pub(crate) handling: Handling,
    /// It would rather not wait for the result.
    pub(crate) respond_async: bool,
    /// How long it waits for the result.
    pub(crate) wait: Option<Duration>,
}

impl Preferences {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(PREFER).filter_map(|value| value.to_str().ok());
        let preferences = lines.flat_map(|line| split_unquoted(line, ',')).filter_map(preference);
        let (mut handling, mut respond_async, mut wait) = (None, false, None);
        for (name, value) in preferences {
            match name.to_ascii_lowercase().as_str() {
                "handling" => drop(handling.get_or_insert(value)),
                "respond-async" => respond_async = true,
                "wait" => drop(wait.get_or_insert(value)),
                _ => {}
            }
        }
        let lenient = handling.is_some_and(|value| value.eq_ignore_ascii_case("lenient"));
        Self {
            handling: if lenient { Handling::Lenient } else { Handling::Strict },
            respond_async,
            wait: wait.and_then(|value| value.parse().ok()).map(Duration::from_secs),
        }
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

    fn preferences(lines: &[&str]) -> Preferences {
        let request = lines.iter().fold(TestRequest::post(), |r, line| r.append_header((PREFER, *line)));
        Preferences::of(request.to_http_request().headers())
    }

    fn handling_of(lines: &[&str]) -> Handling {
        preferences(lines).handling
    }

    #[test]
    fn how_long_to_wait_is_found_and_nonsense_is_not() {
        let wait = |lines: &[&str]| preferences(lines).wait.map(|wait| wait.as_secs());
        assert_eq!(wait(&["respond-async, wait=10"]), Some(10));
        assert_eq!(wait(&["handling=lenient", "Wait = \"0\""]), Some(0));
        assert_eq!(wait(&["wait=7, wait=9"]), Some(7));
        for nonsense in ["wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "wait=99999999999999999999", "waits=3"] {
            assert_eq!(wait(&[nonsense]), None, "{nonsense}");
        }
    }

    #[test]
    fn not_to_wait_is_a_word_of_its_own() {
        assert!(preferences(&["wait=3, Respond-Async; x=y"]).respond_async);
        for other in [&[][..], &["respond"], &["foo=\"respond-async\""], &["handling=respond-async"]] {
            assert!(!preferences(other).respond_async, "{other:?}");
        }
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
