//! The table that comes out, in Markdown.

use std::time::Duration;

use super::costs::Costs;
use super::load::Times;

/// A line: what was done, and what it took.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) database: &'static str,
    pub(crate) times: Times,
    /// Whether what counts is how many there are in a second.
    pub(crate) at_once: bool,
    /// How often the floor fits in.
    pub(crate) multiple: Option<f64>,
    pub(crate) costs: Option<Costs>,
}

const HEAD: [&str; 11] = [
    "what",
    "database",
    "times",
    "median ms",
    "p99 ms",
    "a second",
    "× floor",
    "server ms",
    "database ms",
    "statements / rows",
    "WAL kB",
];

/// Prints all of it, the databases side by side.
pub(crate) fn print_table(rows: &[Row]) {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&&*row.what) {
            names.push(&row.what);
        }
    }
    print(&format!("| {} |", HEAD.join(" | ")));
    print(&format!("|{}{}", " --- |".repeat(2), " ---: |".repeat(HEAD.len() - 2)));
    for name in names {
        for row in rows.iter().filter(|row| row.what == name) {
            print(&format!("| {} |", row.cells().join(" | ")));
        }
    }
}

impl Row {
    fn cells(&self) -> [String; 11] {
        let costs = self.costs.unwrap_or_default();
        let server = self.costs.map(|costs| number(costs.server));
        let database = |of: fn(super::costs::DatabaseCosts) -> String| costs.database.map(of);
        let cell = |text: Option<String>| text.unwrap_or_default();
        [
            self.what.clone(),
            self.database.to_owned(),
            self.times.count().to_string(),
            number(ms(self.times.median())),
            number(ms(self.times.quantile(0.99))),
            cell(self.at_once.then(|| number(self.times.per_second()))),
            cell(self.multiple.map(number)),
            cell(server),
            cell(database(|costs| number(costs.processor))),
            cell(database(|costs| format!("{} / {}", number(costs.statements), number(costs.rows)))),
            cell(database(|costs| number(costs.wal_bytes / 1000.0))),
        ]
    }
}

/// In milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// With two digits or more.
pub(crate) fn number(value: f64) -> String {
    match value {
        0.0..0.95 => format!("{value:.2}"),
        0.95..10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[expect(clippy::print_stdout, reason = "prints its figures")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}

/// Says what is going on, beside the figures.
#[expect(clippy::print_stderr, reason = "beside the figures")]
pub(crate) fn say(line: &str) {
    eprintln!("-- {line}");
}
