//! Lists as CSV, for spreadsheets.

use csv::{Terminator, WriterBuilder};

use super::visible::visible;

/// What begins a formula in some spreadsheet.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What can be a line of a CSV file.
pub(crate) trait CsvRow {
    /// The names of its cells.
    const COLUMNS: &'static [&'static str];

    /// Its cells, one for each column.
    fn cells(self) -> Vec<String>;
}

/// The line that names the columns of `R`. Fails where memory does.
pub(crate) fn csv_header<R: CsvRow>() -> Result<Vec<u8>, csv::Error> {
    lines([R::COLUMNS.iter().map(|&name| name.to_owned()).collect()])
}

/// A line for each row, with what a spreadsheet would take for a formula turned into text. Fails where memory does.
pub(crate) fn csv_rows<R: CsvRow>(rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>, csv::Error> {
    lines(rows.into_iter().map(R::cells))
}

fn lines(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.into_iter().map(defused))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// Names come from sites: a cell must not compute anything on the computer of whoever opens the file, nor show what is not
/// there. What breaks lines stays: a cell may have several.
fn defused(cell: String) -> String {
    let shown: Vec<_> = cell.split_inclusive(['\n', '\r', '\t']).map(line).collect();
    let cell = shown.concat();
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell }
}

fn line(line: &str) -> String {
    let text = line.trim_end_matches(['\n', '\r', '\t']);
    format!("{}{}", visible(text), &line[text.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names([&'static str; 3]);

    impl CsvRow for Names {
        const COLUMNS: &'static [&'static str] = &["a", "b", "c"];

        fn cells(self) -> Vec<String> {
            self.0.map(str::to_owned).to_vec()
        }
    }

    #[test]
    fn cells_are_quoted_and_compute_nothing() {
        assert_eq!(csv_header::<Names>().unwrap(), b"a,b,c\r\n");
        let csv = csv_rows([
            Names(["a,b", "say \"x\"", "two\nlines"]),
            Names(["=1+1", "@SUM(A1)", "\t=x"]),
            Names(["＝1", "8.x-1.0", "to\u{200b}ken"]),
        ]);
        let expected =
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n'=1+1,'@SUM(A1),'\t=x\r\n'＝1,8.x-1.0,to\\u{200b}ken\r\n";
        assert_eq!(String::from_utf8(csv.unwrap()).unwrap(), expected);
    }
}
