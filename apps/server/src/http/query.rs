//! Query parameters and cursor paging.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::{HttpRequest, web};
use data_encoding::BASE64URL_NOPAD;
use module_monitor_ingestion::{FieldError, escape_pointer};
use module_monitor_storage::{Page, Part};

use super::problem::Problem;
use crate::api::list::List;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
/// The most unknown parameters that an answer lists.
const MAX_UNKNOWN: usize = 20;

/// The parameters of a request. Each is taken once; what is wrong is collected, and [`Query::finish`] tells all of it.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Query {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    fn parse(text: &str) -> Self {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text).map(web::Query::into_inner);
        Self { pairs: pairs.unwrap_or_default(), errors: Vec::new() }
    }

    /// Takes the parameter `name`; `expected` says what `parse` accepts.
    pub(crate) fn take<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let given: Vec<String> = self.pairs.extract_if(.., |(key, _)| key == name).map(|(_, value)| value).collect();
        let [value] = given.as_slice() else {
            if !given.is_empty() {
                self.complain(name, "repeated", format!("{name} may be given once"));
            }
            return None;
        };
        let parsed = parse(value);
        if parsed.is_none() {
            self.complain(name, "invalid", format!("{name} must be {expected}"));
        }
        parsed
    }

    /// Takes `true` or `false`.
    pub(crate) fn take_bool(&mut self, name: &str) -> Option<bool> {
        self.take(name, "true or false", |value| value.parse().ok())
    }

    /// Takes `limit` and `cursor`. `list` names the list, so that the cursor of another one is not taken for one of it.
    pub(crate) fn take_paging<C: FromStr>(&mut self, list: &'static str) -> Paging<C> {
        let limit = self.take("limit", "a number from 1 to 1000", |value| {
            value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        });
        let after = self.take("cursor", "the next_cursor of an earlier answer", |value| decode_cursor(list, value));
        Paging { list, limit, after }
    }

    /// Fails where a parameter was wrong or is not one of this route: a misspelt filter must not show everything.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.pairs).into_iter().take(MAX_UNKNOWN) {
            self.complain(&name, "unknown-parameter", format!("there is no parameter {name:?} here"));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }

    /// Notes what is wrong with the parameter `name`.
    pub(super) fn complain(&mut self, name: &str, code: &str, detail: String) {
        let pointer = format!("/query/{}", escape_pointer(name));
        self.errors.push(FieldError { pointer, code: code.to_owned(), detail });
    }
}

/// Which part of a list was asked for.
pub(crate) struct Paging<C> {
    list: &'static str,
    limit: Option<usize>,
    after: Option<C>,
}

impl<C: Clone> Paging<C> {
    /// What to ask of the storage.
    pub(crate) fn page(&self) -> Page<C> {
        Page { limit: self.limit.unwrap_or(DEFAULT_LIMIT), after: self.after.clone() }
    }

    /// What to ask of the storage first where an answer has room for the whole list: from where on, and how many items
    /// at most.
    pub(crate) fn whole(&self) -> Page<C> {
        Page { limit: self.limit.unwrap_or(usize::MAX), after: self.after.clone() }
    }

    /// Whether the list is read from its beginning.
    pub(crate) fn is_first(&self) -> bool {
        self.after.is_none()
    }

    /// The answer from what the storage gave for [`Paging::page`]; `position` is that of an item in the list.
    pub(crate) fn list<T, J, P: Display>(
        &self,
        found: Part<T>,
        position: impl Fn(&T) -> P,
        json: impl FnMut(T) -> J,
    ) -> List<J> {
        let last = found.last().filter(|_| found.more);
        let next_cursor = last.map(|item| encode_cursor(self.list, &position(item)));
        List { items: found.into_iter().map(json).collect(), next_cursor }
    }
}

fn encode_cursor(list: &str, position: &impl Display) -> String {
    BASE64URL_NOPAD.encode(format!("{list}:{position}").as_bytes())
}

fn decode_cursor<C: FromStr>(list: &str, cursor: &str) -> Option<C> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix(list)?.strip_prefix(':')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::ResponseError;

    fn paging(query: &str) -> Result<Paging<i64>, Problem> {
        let mut query = Query::parse(query);
        let paging = query.take_paging("numbers");
        query.finish().map(|()| paging)
    }

    #[test]
    fn a_list_is_read_to_its_end_page_by_page() {
        let mut cursor = String::new();
        let mut seen = Vec::new();
        loop {
            let paging = paging(&format!("limit=2{cursor}")).unwrap();
            let Page { limit, after } = paging.page();
            let left: Vec<i64> = (1..=4).filter(|n| after.is_none_or(|after| *n > after)).collect();
            // Three is a page of its own.
            let items: Vec<i64> = left.iter().copied().take(if left[0] == 3 { 1 } else { limit }).collect();
            let more = items.len() < left.len();
            let list = paging.list(Part { items, more }, |n| *n, |n| n);
            seen.extend(list.items);
            match list.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, [1, 2, 3, 4]);
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        assert_eq!(paging("").unwrap().page(), Page { limit: 100, after: None });
        assert_eq!(paging("limit=1000").unwrap().page().limit, 1000);
        let foreign = format!("cursor={}", encode_cursor("modules", &7));
        for bad in ["limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "cursor=!", &foreign, "Limit=1"] {
            assert_eq!(paging(bad).err().map(|p| p.status_code().as_u16()), Some(422), "{bad}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let mut query = Query::parse("enabled=yes&limit=0&a/b=1");
        assert_eq!(query.take_bool("enabled"), None);
        let _: Paging<i64> = query.take_paging("numbers");
        let errors = query.finish().unwrap_err().errors().to_vec();
        let pointers: Vec<&str> = errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/query/enabled", "/query/limit", "/query/a~1b"]);
    }
}
