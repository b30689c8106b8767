//! Lists for spreadsheets. A CSV answer is the whole list, however long: it is read and sent part by part.

use std::io;

use actix_web::http::header::{self, Accept, Header, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, mime};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use module_monitor_storage::StorageError;

use super::problem::Problem;

/// What a spreadsheet would take for a formula when a cell begins with it.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Whether the client would rather have CSV than JSON.
pub(crate) fn is_wanted(request: &HttpRequest) -> bool {
    let Ok(accepted) = Accept::parse(request) else { return false };
    let known = |wanted: &mime::Mime| match (wanted.type_(), wanted.subtype()) {
        (mime::TEXT, mime::CSV | mime::STAR) => Some(true),
        (mime::STAR, _) | (mime::APPLICATION, mime::JSON | mime::STAR) => Some(false),
        _ => None,
    };
    accepted.ranked().iter().find_map(known).unwrap_or(false)
}

/// Answers with all rows of `parts` under these columns. An error of the first part is told as a problem; a later one
/// breaks the connection off, so that half a list is not taken for a whole one.
pub(crate) async fn answer<const N: usize>(
    columns: [&'static str; N],
    parts: impl Stream<Item = Result<Vec<[String; N]>, StorageError>> + 'static,
) -> Result<HttpResponse, Problem> {
    let mut parts = Box::pin(parts);
    let first = parts.try_next().await?.unwrap_or_default();
    let head = encode(std::iter::once(columns.map(str::to_owned)).chain(first))?;
    let rest = parts.map(|part| encode(part?)).map_err(|mut problem: Problem| {
        problem.log_cause();
        io::Error::other("the list could not be read to its end")
    });
    Ok(HttpResponse::Ok()
        .content_type(mime::TEXT_CSV_UTF_8)
        .insert_header((header::VARY, HeaderValue::from_static("accept")))
        .streaming(stream::once(async { Ok(head) }).chain(rest)))
}

/// The rows as RFC 4180 has them.
fn encode<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> Result<Bytes, Problem> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.map(harmless)).map_err(Problem::internal)?;
    }
    let bytes = writer.into_inner().map_err(|error| Problem::internal(error.into_error()))?;
    Ok(Bytes::from(bytes))
}

/// A cell that a spreadsheet shows and does not run: sites choose some of what is in it.
fn harmless(cell: String) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn wanted(accept: &str) -> bool {
        is_wanted(&TestRequest::get().insert_header((header::ACCEPT, accept)).to_http_request())
    }

    #[test]
    fn the_client_chooses() {
        for csv in ["text/csv", "text/*", "text/csv, application/json;q=0.9", "image/png, text/csv;q=0.1"] {
            assert!(wanted(csv), "{csv}");
        }
        for json in ["", "*/*", "application/json", "text/csv;q=0.5, application/json", "text/html", "garbage/;;"] {
            assert!(!wanted(json), "{json}");
        }
        assert!(!is_wanted(&TestRequest::get().to_http_request()));
    }

    #[test]
    fn cells_are_quoted_and_run_nothing() {
        let cells = ["=1+1", "a,b", "say \"hi\"", "-2", "+3", "@x", "\tx", "two\nlines", "plain", ""];
        let line = encode([cells.map(str::to_owned)]).unwrap();
        let expected = "'=1+1,\"a,b\",\"say \"\"hi\"\"\",'-2,'+3,'@x,'\tx,\"two\nlines\",plain,\r\n";
        assert_eq!(std::str::from_utf8(&line).unwrap(), expected);
    }
}
