//! `bench`: what syncs and lists cost on a release build over HTTP, on both databases, beside what the databases alone would
//! take. Fails where a sync takes more than 5 seconds or the server more than 500 MB. `bench scale SITES`: the same for a
//! PostgreSQL with many sites, and a release that makes all of them insecure. Both want `scripts/with-services --durable`.

mod bodies;
mod costs;
mod floors;
mod lists;
mod load;
mod scale;
mod subject;
mod syncs;
mod table;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use module_monitor_tests::backends::Backend;

use self::subject::Subject;
use self::table::{Row, number, print, print_table, say};

const MAX_LATENCY: Duration = Duration::from_secs(5);
const MAX_MEMORY_MB: f64 = 500.0;

// One thread, so that the generator leaves the processors to the server and the database.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    if cfg!(debug_assertions) {
        print("This is a debug build; its figures say nothing. Run `just bench`.");
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => both().await,
        ["scale", sites] => {
            scale::run(sites.parse().context("a number of sites")?).await?;
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("usage: bench [scale SITES]"),
    }
}

/// Measures both databases and prints one table.
async fn both() -> anyhow::Result<ExitCode> {
    let (mut rows, mut notes, mut failures): (Vec<Row>, Vec<String>, Vec<String>) = Default::default();
    for (name, backend) in [("PostgreSQL", Backend::Postgres), ("SQLite", Backend::Sqlite)] {
        let Some(mut subject) = Subject::start(name, backend).await? else { continue };
        syncs::measure(&mut subject).await?;
        lists::measure(&mut subject).await?;
        let peak = subject.server.peak_memory_kib() as f64 / 1024.0;
        notes.extend(subject.notes.iter().map(|note| format!("{name}: {note}")));
        notes.push(format!(
            "{name}: the server held {} MB before its first report, {} MB at its peak",
            number(subject.idle_mb),
            number(peak)
        ));
        if peak > MAX_MEMORY_MB {
            failures.push(format!("{name}: the server took {} MB", number(peak)));
        }
        rows.append(&mut subject.rows);
        subject.server.kill().await;
    }
    for row in rows.iter().filter(|row| row.times.worst() > MAX_LATENCY) {
        failures.push(format!("{}: {} took {} s", row.database, row.what, number(row.times.worst().as_secs_f64())));
    }
    print_table(&rows);
    print("");
    for note in notes {
        print(&format!("- {note}"));
    }
    for failure in &failures {
        say(&format!("beyond the limits: {failure}"));
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
