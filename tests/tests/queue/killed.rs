//! `kill -9` of whatever holds jobs: servers, workers, PostgreSQL, Redis.

use futures::future::join_all;
use module_monitor_storage::{StorageOptions, connect};
use module_monitor_tests::api::Answer;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{State, contribs, full, micros_of, partial, state_after, state_of};
use module_monitor_tests::postgres::PrivatePostgres;
use module_monitor_tests::process::{ServerProcess, WorkerProcess, wait_for};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::redis::PrivateRedis;
use serde_json::Value;

use crate::support::{accept, accepted, count, jobs, settled, shown, sites};

on_both_backends!(what_was_accepted_survives_the_death_of_the_server_and_an_empty_redis);

/// Reports that are accepted before the server dies.
const JOBS: usize = 25;
/// Modules in each of them.
const MODULES: usize = 800;

async fn what_was_accepted_survives_the_death_of_the_server_and_an_empty_redis(database: TestDatabase) {
    let Some(redis) = PrivateRedis::start().await else { return };
    let sites = sites(database.open().await.as_ref(), JOBS).await;
    let url = redis.url();
    let args = ["--redis-url", &url, "--queue-threshold", "100"];
    let server = ServerProcess::start(&database.url, &[&args[..], &["--workers", "0"]].concat()).await;
    let reports: Vec<Value> = (0..JOBS).map(|_| full(contribs("m", MODULES, "1.0.0"))).collect();
    let sent = sites.iter().zip(&reports).map(async |(site, report)| {
        let request = server.api.sync_request(site, report).header("Prefer", "wait=0");
        accepted(&Answer::of(request).await)
    });
    let ids = join_all(sent).await;
    server.kill().await;
    redis.flush().await;

    let mut raw = database.raw().await;
    assert_eq!(count(&jobs(&mut raw).await, &["queued"]), JOBS, "whatever was answered 202 is there");
    let server = ServerProcess::start(&database.url, &args).await;
    wait_for("a job is done", async || (count(&jobs(&mut raw).await, &["succeeded"]) > 0).then_some(())).await;
    server.kill().await;
    redis.flush().await;
    assert!(count(&jobs(&mut raw).await, &["queued", "running"]) > 0, "there is work left");
    let server = ServerProcess::start(&database.url, &args).await;
    let ended = settled(&mut raw).await;
    assert_eq!(count(&ended, &["succeeded"]), JOBS, "{ended:?}");
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    for ((site, report), id) in sites.iter().zip(&reports).zip(&ids) {
        assert_eq!(ledger.state(site), state_of(report));
        assert_eq!(ledger.events(site), MODULES, "one event per module");
        assert_eq!(ledger.timestamps(site), [micros_of(report)].into());
        let sync = shown(&server.api, site, id).await;
        assert_eq!((&sync["status"], &sync["result"]["new_modules"]), (&"succeeded".into(), &MODULES.into()));
    }
    server.kill().await;
}

/// Sites whose jobs two workers share.
const SITES: usize = 6;
/// Reports of each of them.
const REPORTS: usize = 6;
/// How often a worker is killed.
const KILLS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_that_are_killed_again_and_again_do_every_job_once() {
    let Some(postgres) = PrivatePostgres::running().await else { return };
    let url = postgres.url();
    let storage = connect(&url, StorageOptions::default()).expect("a usable URL");
    storage.migrate().await.expect("a migrated database");
    let sites = sites(storage.as_ref(), SITES).await;
    drop(storage);
    let server = ServerProcess::start(&url, &["--workers", "0"]).await;
    let mut sent: Vec<Vec<Value>> = Vec::new();
    for n in 0..REPORTS {
        sent.push(sites.iter().map(|_| report(n)).collect());
        join_all(sites.iter().zip(&sent[n]).map(async |(site, report)| accept(&server.api, site, report).await)).await;
    }

    // One job may have all the bad luck.
    let args = ["--queue-max-attempts", "100"];
    let mut workers = [WorkerProcess::start(&url, &args).await, WorkerProcess::start(&url, &args).await];
    for round in 0..KILLS {
        let ended = ended(&url).await;
        let goal = (SITES * REPORTS).min(ended + 2);
        wait_for("jobs are done", async || (self::ended(&url).await >= goal).then_some(())).await;
        if round == KILLS / 2 {
            postgres.kill().await;
            postgres.start().await;
        }
        let next = WorkerProcess::start(&url, &args).await;
        std::mem::replace(&mut workers[round % 2], next).kill().await;
    }
    let ended = settled(&mut RawConnection::open(&url).await).await;
    assert_eq!(count(&ended, &["succeeded"]), SITES * REPORTS, "{ended:?}");
    let ledger = Ledger::read(&url).await;
    ledger.assert_whole();
    for (n, site) in sites.iter().enumerate() {
        let reports = sent.iter().map(|reports| &reports[n]);
        assert_eq!(ledger.timestamps(site), reports.clone().map(micros_of).collect());
        assert_eq!(ledger.state(site), reports.fold(State::new(), state_after));
    }
    for worker in workers {
        worker.terminate().await;
        assert_eq!(worker.wait().await.0.code(), Some(0));
    }
    server.kill().await;
}

/// The first is full, the others are partial, so that none supersedes another.
fn report(n: usize) -> Value {
    let modules = contribs("m", 150 + n, &format!("1.{n}.0"));
    if n == 0 { full(modules) } else { partial(modules) }
}

async fn ended(url: &str) -> usize {
    let jobs = jobs(&mut RawConnection::open(url).await).await;
    jobs.len() - count(&jobs, &["queued", "running"])
}
