//! What the demo shows.

use std::collections::HashSet;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table, presets};

use super::play::{Answer, Demo, Exchange};
use super::rounds::TRAVELLER;
use super::samples::CITY_PORTAL;
use crate::api::time::to_the_second;

/// The widest that anything is, in columns of a terminal.
const WIDTH: u16 = 100;

const HEADER: [&str; 11] =
    ["Round", "Site", "What happened", "HTTP", "Processed", "New", "Updated", "Removed", "Insecure", "Unknown", "ms"];
/// From here on columns hold numbers.
const FIRST_NUMBER: usize = 3;

/// A request to try.
pub(crate) struct Suggestion {
    /// What it does.
    pub(crate) title: &'static str,
    /// Where it goes.
    pub(crate) url: String,
    /// The key it needs.
    pub(crate) key: String,
    /// The JSON it sends, where it is a POST.
    pub(crate) body: Option<String>,
}

impl Demo {
    /// A table with a row for each report.
    pub(crate) fn table(&self) -> String {
        let mut table = new_table();
        let header = HEADER.map(|name| Cell::new(name).add_attribute(Attribute::Bold));
        table.set_header(header).add_rows(self.exchanges.iter().map(row));
        table.style_mut().header_separator = LineStyle::none().fill('─');
        for (index, column) in table.column_iter_mut().enumerate() {
            if index >= FIRST_NUMBER {
                column.set_padding((0, 1)).set_cell_alignment(CellAlignment::Right);
            } else {
                column.set_padding((0, 2));
            }
        }
        table.trim_fmt()
    }

    /// What the server had to say, each kind of warning once, with the round it is from.
    pub(crate) fn remarks(&self) -> String {
        let mut known = HashSet::new();
        let mut table = new_table();
        for Exchange { round, answer, .. } in &self.exchanges {
            let said = match answer {
                Answer::Applied(applied) => applied.warnings.clone(),
                Answer::Refused { status, problem } => vec![format!("{status} {}: {}", problem.code, problem.detail)],
            };
            // The first two words make the kind: `Unknown module`, `Security status`.
            let new = said.into_iter().filter(|text| known.insert(text.split(' ').take(2).collect::<String>()));
            table.add_rows(new.map(|text| [format!("Round {}, {}", round.number, round.site.name), text]));
        }
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        table.trim_fmt()
    }

    /// Requests to try: a report, the inventory, the history of a module, and what is insecure, in this order.
    pub(crate) fn suggestions(&self) -> Vec<Suggestion> {
        let Some(site) = self.sites.get(CITY_PORTAL.name) else { return Vec::new() };
        let suggestion = |title, path: &str, body| {
            let url = format!("{}/api/v1/sites/{}/modules{path}", self.base, site.id);
            Suggestion { title, url, key: site.key.clone(), body }
        };
        let now = to_the_second(self.now);
        let (drupal, php) = (site.installation.drupal(), CITY_PORTAL.php);
        let body = format!(
            r#"{{"site_info": {{}}, "sync_timestamp": "{now}", "sync_type": "partial",
       "drupal_version": "{drupal}", "php_version": "{php}",
       "modules": [{{"machine_name": "devel", "name": "Devel", "type": "contrib",
                    "version": "5.5.0", "status": true}}]}}"#
        );
        vec![
            suggestion("Report a change of one module, as the City portal does", "/sync", Some(body)),
            suggestion("What the City portal has installed", "?limit=3", None),
            suggestion("What happened to one of its modules", &format!("/{TRAVELLER}/history"), None),
            Suggestion {
                title: "Which sites need a security update",
                url: format!("{}/api/v1/security/updates", self.base),
                key: self.admin_key.clone(),
                body: None,
            },
        ]
    }
}

impl Suggestion {
    /// The command line. `break_lines` is for people, one line for whatever reads a pipe.
    pub(crate) fn command(&self, break_lines: bool) -> String {
        let mut parts = vec![format!("curl -s -H 'X-API-Key: {}'", self.key)];
        if let Some(body) = &self.body {
            parts.push("-H 'Content-Type: application/json'".to_owned());
            parts.push(format!("-d '{body}'"));
        }
        parts.push(format!("'{}'", self.url));
        if break_lines {
            return parts.join(" \\\n  ");
        }
        parts.join(" ").lines().map(str::trim).collect::<Vec<&str>>().join(" ")
    }
}

fn row(exchange: &Exchange) -> Vec<Cell> {
    let round = exchange.round;
    let mut cells = vec![Cell::new(round.number), Cell::new(round.site.name), Cell::new(round.story)];
    match &exchange.answer {
        Answer::Applied(applied) => {
            cells.push(Cell::new(200).fg(Color::Green));
            let counts =
                [applied.processed_count, applied.new_modules, applied.updated_modules, applied.removed_modules];
            cells.extend(counts.map(Cell::new));
            cells.extend([applied.security_updates_found, applied.security_unknown].map(Cell::new));
            cells.push(Cell::new(applied.processing_time_ms));
        }
        Answer::Refused { status, .. } => {
            cells.push(Cell::new(status).fg(Color::Yellow));
            cells.extend((cells.len()..HEADER.len()).map(|_| Cell::new("-")).collect::<Vec<Cell>>());
        }
    }
    cells
}

/// A table without lines, not wider than the terminal.
fn new_table() -> Table {
    let mut table = Table::new();
    let width = table.width().map_or(WIDTH, |terminal| terminal.min(WIDTH));
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}
