//! Latency and peak memory of large syncs on a release build, on both databases, over HTTP. Fails where a sync takes
//! more than 5 seconds or the server more than 500 MB.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_tests::api::{Api, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::payloads::{described, full};
use module_monitor_tests::process::ServerProcess;
use module_monitor_tests::server::new_site;
use serde_json::Value;

const MAX_LATENCY: Duration = Duration::from_secs(5);
const MAX_MEMORY_MB: f64 = 500.0;
/// Sites that report for the first time.
const FIRST: usize = 5;
/// Unchanged reports of each of them.
const UNCHANGED: usize = 8;

/// How long the syncs of one kind took.
struct Measured {
    what: String,
    times: Vec<Duration>,
}

impl Measured {
    fn line(&mut self) -> String {
        self.times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let (median, worst) = (self.times[self.times.len() / 2], self.times[self.times.len() - 1]);
        format!(
            "{:<42} {:>4} syncs   median {:>7.1} ms   worst {:>7.1} ms",
            self.what,
            self.times.len(),
            ms(median),
            ms(worst)
        )
    }

    fn too_slow(&self) -> bool {
        self.times.iter().any(|time| *time > MAX_LATENCY)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    if cfg!(debug_assertions) {
        print("This is a debug build; its figures say nothing. Run `just bench-smoke`.");
    }
    let mut failed = false;
    for (name, backend) in [("sqlite", Backend::Sqlite), ("postgres", Backend::Postgres)] {
        let Some(database) = TestDatabase::new(backend).await else { continue };
        failed |= measure(name, &database).await?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whether a limit was broken on this database.
async fn measure(name: &str, database: &TestDatabase) -> anyhow::Result<bool> {
    let storage = database.open().await;
    // Not a line a request, but the one that says where it listens.
    let quiet = "warn,module_monitor_server::server=info";
    let server = ServerProcess::start(&database.url, &["--rate-limit", "1000000", "--log-level", quiet]).await;
    let mut failed = false;
    for modules in [1000, 2000] {
        let mut first = Measured { what: format!("{name}, {modules} modules, first"), times: Vec::new() };
        let mut known =
            Measured { what: format!("{name}, {modules} modules, first, known elsewhere"), times: Vec::new() };
        let mut unchanged = Measured { what: format!("{name}, {modules} modules, unchanged"), times: Vec::new() };
        for n in 0..FIRST {
            let list = described(&format!("m{modules}_{n}"), modules);
            let site = new_site(&*storage, "Bench").await;
            first.times.push(sync(&server.api, &site, &list, modules).await?);
            for _ in 0..UNCHANGED {
                unchanged.times.push(sync(&server.api, &site, &list, 0).await?);
            }
            let other = new_site(&*storage, "Bench").await;
            known.times.push(sync(&server.api, &other, &list, modules).await?);
        }
        for measured in [&mut first, &mut known, &mut unchanged] {
            print(&measured.line());
            failed |= measured.too_slow();
        }
    }
    let memory = server.peak_memory_kib() as f64 / 1024.0;
    print(&format!("{name}: the server took {memory:.0} MB at its peak"));
    server.kill().await;
    Ok(failed || memory > MAX_MEMORY_MB)
}

/// How long a full report of `list` takes, which must be answered with `new` new modules.
async fn sync(api: &Api, site: &TestSite, list: &[Value], new: usize) -> anyhow::Result<Duration> {
    let report = full(list.to_vec());
    let started = SystemClock.instant();
    let answer = api.sync(site, &report).await;
    let took = SystemClock.instant().duration_since(started);
    let counted = answer.ok()["new_modules"].as_u64().context("a number of new modules")?;
    anyhow::ensure!(counted == new as u64, "{counted} new modules, not {new}");
    Ok(took)
}

#[expect(clippy::print_stdout, reason = "prints its figures")]
fn print(line: &str) {
    println!("{line}");
}
