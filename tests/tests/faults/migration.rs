//! Waiting for another process that migrates, and databases that nobody has migrated.

use std::time::Duration;

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::process::{ServerProcess, WorkerProcess, run, wait_for};
use reqwest::Method;
use tokio::time::timeout;

on_both_backends!(only_serve_and_migrate_migrate, a_server_that_may_not_migrate_waits_for_whoever_does);

/// The lock of migrations, in a session of its own.
const LOCK: &str = "SELECT pg_advisory_lock(7265113502640)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_migration_is_told_and_ends() {
    let Some(database) = TestDatabase::new(Backend::Postgres).await else { return };
    let mut raw = database.raw().await;
    raw.execute(LOCK).await;
    let timed_out = run(&database.url, &["migrate", "--migration-timeout", "1s"]).await;
    assert_eq!(timed_out.code, 1, "{timed_out:?}");
    for said in ["another process migrates the database; waiting for it", "has been migrating the database for 1s"] {
        assert!(timed_out.stderr.contains(said), "{timed_out:?}");
    }

    for command in ["serve", "migrate"] {
        let waiting = [
            &[command, "--database-url", &database.url][..],
            if command == "serve" { &["--listen", "127.0.0.1:0"] } else { &[] },
        ];
        let mut process = WorkerProcess::spawn(&waiting.concat());
        process.logged("waits", |log| log.contains("waiting for it").then_some(())).await;
        process.terminate().await;
        let ended = timeout(Duration::from_secs(10), process.wait()).await;
        let (status, log) = ended.expect("it does not wait on");
        assert_eq!(status.success(), command == "serve", "{log}");
    }

    let mut process = WorkerProcess::spawn(&["migrate", "--database-url", &database.url]);
    process.logged("waits", |log| log.contains("waiting for it").then_some(())).await;
    raw.execute("SELECT pg_advisory_unlock_all()").await;
    let (status, log) = process.wait().await;
    assert!(status.success(), "{log}");
    // Where there is nothing to do, nobody waits.
    raw.execute(LOCK).await;
    assert_eq!(run(&database.url, &["migrate", "--migration-timeout", "0s"]).await.code, 0);
}

async fn only_serve_and_migrate_migrate(database: TestDatabase) {
    for command in [
        &["site", "list"][..],
        &["site", "create", "--name", "x"],
        &["key", "create", "--admin"],
        &["queue", "status"],
        &["security", "list"],
        &["releases", "refresh"],
    ] {
        let refused = run(&database.url, command).await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("run module-monitor migrate"), "{refused:?}");
    }
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
    assert_eq!(run(&database.url, &["site", "list"]).await.code, 0);
}

async fn a_server_that_may_not_migrate_waits_for_whoever_does(database: TestDatabase) {
    let server = ServerProcess::start(&database.url, &["--no-migrate"]).await;
    let stranger = TestSite::nobody(&format!("mm_{}_{}", "0".repeat(16), "0".repeat(48)));
    for _ in 0..2 {
        server.api.get_open("/readyz").await.problem(503, "database-unavailable");
        let request = server.api.request(Method::GET, "/api/v1/sites").header("X-API-Key", &stranger.key);
        let answer = Answer::of(request).await;
        answer.problem(503, "database-unavailable");
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
    wait_for("it is ready", async || (server.api.get_open("/readyz").await.status == 200).then_some(())).await;
    server.terminate().await;
    let (status, log) = server.wait().await;
    assert!(status.success() && log.contains("run module-monitor migrate"), "{log}");
    assert!(!log.contains("the database was migrated"), "{log}");
}
