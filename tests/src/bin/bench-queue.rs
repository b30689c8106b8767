//! How many queued reports two workers apply in a second, on PostgreSQL. `bench-queue [REPORTS]`, of each kind.

use std::env;

use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::payloads::{described, full};
use module_monitor_tests::process::{ServerProcess, WorkerProcess, wait_for};
use module_monitor_tests::server::new_site;
use serde_json::Value;

/// Modules in each report.
const MODULES: usize = 800;
/// Reports of each kind, where nobody says how many.
const REPORTS: usize = 200;
/// Worker processes.
const WORKERS: usize = 2;
/// Clients that send at once.
const CLIENTS: usize = 4;
/// Not a line a request, but those that say where the server listens and that a worker has begun.
const QUIET: [&str; 2] = ["--log-level", "warn,module_monitor_server=info,module_monitor_server::http=warn"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        print("This is a debug build; its figures say nothing. Run `just bench-queue`.");
    }
    let reports = env::args().nth(1).map_or(Ok(REPORTS), |count| count.parse()).context("a number of reports")?;
    let database = TestDatabase::new(Backend::Postgres).await.context("there is no PostgreSQL")?;
    let storage = database.open().await;
    let mut sites = Vec::new();
    for n in 0..2 * reports {
        sites.push(new_site(storage.as_ref(), &format!("Site {n}")).await);
    }
    drop(storage);
    let (sites, others) = sites.split_at(reports);
    let settings = [&["--workers", "0", "--rate-limit", "1000000", "--queue-max-jobs", "1000000"][..], &QUIET].concat();
    let server = ServerProcess::start(&database.url, &settings).await;

    let own = |n: usize| described(&format!("site{n}"), MODULES);
    measure("first reports, of modules that nobody else has", &database, &server.api, sites, own).await?;
    measure("unchanged reports", &database, &server.api, sites, own).await?;
    let shared = |n: usize| described(&format!("site{}", n % 10), MODULES);
    measure("first reports, of modules that are known", &database, &server.api, others, shared).await?;
    server.kill().await;
    Ok(())
}

/// Fills the queue with a report of each site, then times two fresh workers at it.
async fn measure(
    what: &str,
    database: &TestDatabase,
    api: &Api,
    sites: &[TestSite],
    modules: impl Fn(usize) -> Vec<Value>,
) -> anyhow::Result<()> {
    let mut raw = database.raw().await;
    let done = raw.number("SELECT count(*) FROM syncs").await;
    let begun = SystemClock.instant();
    let sent = sites.iter().enumerate().map(|(n, site)| send(api, site, full(modules(n))));
    stream::iter(sent).buffer_unordered(CLIENTS).try_collect::<()>().await?;
    let accepted = SystemClock.instant().duration_since(begun);

    let begun = SystemClock.instant();
    let workers = (0..WORKERS).map(|_| WorkerProcess::start(&database.url, &QUIET));
    let workers = futures::future::join_all(workers).await;
    let mut left = sites.len();
    while left > 0 {
        left = wait_for("another job is done", async || {
            let now = raw.number("SELECT count(*) FROM jobs WHERE state <> 'succeeded'").await;
            usize::try_from(now).ok().filter(|now| *now < left)
        })
        .await;
    }
    let applied = SystemClock.instant().duration_since(begun);
    let syncs = raw.number("SELECT count(*) FROM syncs").await - done;
    anyhow::ensure!(usize::try_from(syncs) == Ok(sites.len()), "{syncs} of {} reports were applied", sites.len());
    for worker in workers {
        worker.terminate().await;
        anyhow::ensure!(worker.wait().await.0.success(), "a worker did not end well");
    }
    let rate = |time: std::time::Duration| sites.len() as f64 / time.as_secs_f64();
    print(&format!(
        "{:>4} {what:<48} accepted {:>7.1} a second, applied {:>7.1} a second",
        sites.len(),
        rate(accepted),
        rate(applied)
    ));
    Ok(())
}

async fn send(api: &Api, site: &TestSite, report: Value) -> anyhow::Result<()> {
    let answer = Answer::try_of(api.sync_request(site, &report).header("Prefer", "respond-async")).await?;
    anyhow::ensure!(answer.status == 202, "not queued: {answer:?}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "prints its figures")]
fn print(line: &str) {
    println!("{line}");
}
