//! Lists as CSV, where the client prefers that.

use std::io;
use std::rc::Rc;

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use module_monitor_storage::{Page, Part, StorageError};

use super::accept::has_chosen;
use super::problem::Problem;
use super::query::Paging;
use crate::api::csv::{CsvRow, csv_header, csv_rows};

const TEXT_CSV: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8; header=present");

/// How many rows are read at once.
const PAGE: usize = 500;

/// Whether the client of `request` has chosen CSV.
pub(crate) fn wants_csv(request: &HttpRequest) -> bool {
    has_chosen(request, "text/csv")
}

/// Answers with a file of everything in a list, or as much as the client set a limit to. It is read page by page while
/// the client takes it; `position` is that of an item in the list, `row` what
/// the file says of it.
///
/// The first page is there before the answer begins, so that a database which is away is a 503; what fails later breaks
/// the connection, lest a part be taken for the whole.
pub(crate) async fn csv_file<C, T, R>(
    file: &'static str,
    paging: &Paging<C>,
    read: impl AsyncFn(Page<C>) -> Result<Part<T>, StorageError> + 'static,
    position: fn(&T) -> C,
    row: impl Fn(T) -> R + 'static,
) -> Result<HttpResponse, Problem>
where
    C: Clone + 'static,
    T: 'static,
    R: CsvRow + 'static,
{
    let mut lines = Box::pin(lines(paging.whole(), read, position, row));
    let mut first = csv_header::<R>().map_err(Problem::internal)?;
    first.extend(lines.try_next().await?.unwrap_or_default());
    let body = stream::once(async { Ok(first) }).chain(lines).map(|part| match part {
        Ok(part) => Ok(Bytes::from(part)),
        Err(mut problem) => {
            problem.log_cause(None);
            Err(io::Error::other(problem.to_string()))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, TEXT_CSV))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")))
        .streaming(body))
}

/// The lines of that part of a list, a page at a time.
fn lines<C, T, R>(
    Page { limit: most, after }: Page<C>,
    read: impl AsyncFn(Page<C>) -> Result<Part<T>, StorageError> + 'static,
    position: fn(&T) -> C,
    row: impl Fn(T) -> R + 'static,
) -> impl Stream<Item = Result<Vec<u8>, Problem>>
where
    R: CsvRow,
{
    let list = Rc::new((read, row));
    stream::try_unfold((after, most), move |(after, left)| {
        let list = Rc::clone(&list);
        async move {
            if left == 0 {
                return Ok(None);
            }
            let (read, row) = &*list;
            let found = read(Page { limit: left.min(PAGE), after }).await?;
            let left = if found.more { left - found.len() } else { 0 };
            let after = found.last().map(position);
            let lines = csv_rows(found.into_iter().map(row)).map_err(Problem::internal)?;
            Ok(Some((lines, (after, left))))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Number(usize);

    impl CsvRow for Number {
        const COLUMNS: &'static [&'static str] = &["number"];

        fn cells(self) -> Vec<String> {
            vec![self.0.to_string()]
        }
    }

    /// The lines of a list of the numbers from 1 to `last`, and how many pages were read for them.
    async fn read(last: usize, after: Option<usize>, limit: usize) -> (usize, usize) {
        let read = async move |page: Page<usize>| {
            let first = page.after.unwrap_or_default() + 1;
            // The second page is short.
            let limit = if first == PAGE + 1 { 100 } else { page.limit };
            let items: Vec<usize> = (first..=last).take(limit).collect();
            Ok(Part { more: items.last().is_some_and(|n| *n < last), items })
        };
        let parts: Vec<Vec<u8>> =
            lines(Page { limit, after }, read, |number| *number, Number).try_collect().await.unwrap();
        (parts.concat().iter().filter(|&&byte| byte == b'\n').count(), parts.len())
    }

    #[actix_web::test]
    async fn a_list_is_read_to_its_end_or_the_limit() {
        assert_eq!(read(0, None, usize::MAX).await, (0, 1));
        assert_eq!(read(500, None, usize::MAX).await, (500, 1));
        assert_eq!(read(599, None, usize::MAX).await, (599, 2));
        assert_eq!(read(2500, None, usize::MAX).await, (2500, 6), "also past a short page");
        assert_eq!(read(2500, Some(2000), usize::MAX).await, (500, 1));
        assert_eq!(read(2500, None, 1).await, (1, 1));
        assert_eq!(read(2500, None, 700).await, (700, 3));
    }
}
