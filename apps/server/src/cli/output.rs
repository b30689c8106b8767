//! Data on standard output.

use std::io::{self, ErrorKind, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use time::OffsetDateTime;

use crate::api::time::to_the_second;
use crate::api::visible::visible;

/// Prints one line.
pub(super) fn print_line(line: &str) -> anyhow::Result<()> {
    print_bytes(format!("{line}\n").as_bytes())
}

/// Prints text as it is.
pub(super) fn print_bytes(text: &[u8]) -> anyhow::Result<()> {
    match io::stdout().write_all(text) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// A number of things in words: 1 site, 2 sites.
pub(super) fn count_of(number: impl Into<i128>, thing: &str) -> String {
    let number = number.into();
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{ending}")
}

/// Prints JSON.
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print_line(&serde_json::to_string_pretty(value)?)
}

/// Prints a table, as wide as the terminal where there is one.
pub(super) fn print_table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let shown = rows.into_iter().map(|row| row.map(|cell| visible(&cell).into_owned()));
    table.set_header(header).add_rows(shown);
    print_line(&table.trim_fmt())
}

/// A time in RFC 3339, to the second; empty where there is none.
pub(super) fn time_cell(at: Option<OffsetDateTime>) -> String {
    at.map(to_the_second).unwrap_or_default()
}
