//! A database with data is upgraded by a newer program while a node of this one serves it, or turns out to be another's.

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, contribs, full, state_of};
use module_monitor_tests::process::{ServerProcess, WorkerProcess, run, wait_for};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::server::new_site;
use serde_json::Value;

use crate::stream::{Progress, Reporter, assert_all_kept, report_all, reporters};

on_both_backends!(an_upgrade_under_load_loses_nothing, the_schema_of_another_program_is_refused);

/// Jobs that wait while the schema changes.
const JOBS: usize = 4;
/// What a node of this program has no use for.
const REFUSAL: &str = "made by a program of before the first release, whose schema is another";

/// A database with sites that report, findings, and jobs that wait.
struct Estate {
    reporters: Vec<Reporter>,
    insecure: TestSite,
    jobs: Vec<(TestSite, Value, String)>,
}

impl Estate {
    async fn fill(database: &TestDatabase, server: &ServerProcess) -> Self {
        let storage = database.open().await;
        let site = async |name: &str| new_site(storage.as_ref(), name).await;
        let insecure = site("Insecure").await;
        let report = full(vec![contrib("token", "8.x-1.15"), contrib("nobody_knows_it", "1.0.0")]);
        server.api.sync(&insecure, &report).await.ok();
        let folder = tempfile::tempdir().expect("a folder");
        let feed = Feed::new("token", "8.x-1.").release("8.x-1.15", &[]).fixed_by("8.x-1.16").file(folder.path());
        let imported = run(&database.url, &["releases", "import", feed.to_str().expect("a path")]).await;
        assert_eq!(imported.code, 0, "{imported:?}");
        let mut jobs = Vec::new();
        for n in 0..JOBS {
            let (site, report) = (site(&format!("Queued {n}")).await, full(contribs("queued", 5 + n, "1.0.0")));
            let request = server.api.sync_request(&site, &report).header("Prefer", "respond-async");
            let accepted = Answer::of(request).await;
            assert_eq!(accepted.status, 202, "{accepted:?}");
            jobs.push((site, report, accepted.json()["sync_id"].as_str().expect("an id").to_owned()));
        }
        Self { reporters: reporters(storage.as_ref(), 3).await, insecure, jobs }
    }

    /// What needs a security update, as the command line lists it, once the figures have been compared with the rows.
    async fn right_figures(&self, database: &TestDatabase) -> Value {
        let compared = run(&database.url, &["security", "recount", "--check"]).await;
        assert_eq!(compared.code, 0, "{compared:?}");
        let listed = run(&database.url, &["security", "list", "--json"]).await;
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap_or_else(|error| panic!("{error}: {listed:?}"));
        assert_eq!((listed[0]["project"].as_str(), listed.as_array().map(Vec::len)), (Some("token"), Some(1)));
        listed
    }

    /// A worker applies every job that was accepted, and what was answered 200 is there.
    async fn assert_all_there(&self, database: &TestDatabase, server: &ServerProcess) {
        let worker = WorkerProcess::start(&database.url, &[]).await;
        for (site, _, id) in &self.jobs {
            let path = format!("/api/v1/syncs/{id}");
            let ended = async || server.api.get(&site.key, &path).await.ok()["status"] == "succeeded";
            wait_for("the job is applied", async || ended().await.then_some(())).await;
        }
        worker.terminate().await;
        assert!(worker.wait().await.0.success());
        assert_all_kept(&self.reporters, &database.url, &server.api).await;
        let ledger = Ledger::read(&database.url).await;
        for (site, report, _) in &self.jobs {
            assert_eq!(ledger.state(site), state_of(report));
        }
    }
}

/// What a later program's first migration could do at most to an earlier one that goes on: another column in every table.
async fn begin_upgrade(raw: &mut RawConnection) {
    let begin = match raw.backend() {
        Backend::Sqlite => "BEGIN IMMEDIATE;",
        Backend::Postgres => "BEGIN; SELECT pg_advisory_xact_lock(7265113502640);",
    };
    let tables = raw.tables().await;
    let columns: String = tables
        .iter()
        .map(|table| format!("ALTER TABLE {table} ADD COLUMN later integer NOT NULL DEFAULT 7;"))
        .collect();
    let migration = format!(
        "{begin} {columns} CREATE TABLE laters (site_id bigint PRIMARY KEY REFERENCES sites (id), figure integer); \
         INSERT INTO laters SELECT id, security_updates_found FROM sites; \
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')"
    );
    // PostgreSQL may choose it to end a deadlock with a sync.
    wait_for("the migration gets its locks", async || {
        let done = raw.try_execute(&migration).await;
        if !done {
            raw.try_execute("ROLLBACK").await;
        }
        done.then_some(())
    })
    .await;
}

async fn an_upgrade_under_load_loses_nothing(database: TestDatabase) {
    let args = ["--workers", "0", "--rate-limit", "1000000"];
    let server = ServerProcess::start(&database.url, &args).await;
    let mut estate = Estate::fill(&database, &server).await;
    let before = estate.right_figures(&database).await;

    let (progress, mut raw, mut watcher) = (Progress::default(), database.raw().await, database.raw().await);
    let upgrade = async {
        progress.more(10).await;
        begin_upgrade(&mut raw).await;
        wait_for("syncs meet the migration", async || {
            let met = match watcher.backend() {
                Backend::Sqlite => progress.refused() > 0,
                Backend::Postgres => {
                    let waiting = "SELECT count(*) FROM pg_stat_activity \
                                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
                    watcher.number(waiting).await >= 3
                }
            };
            met.then_some(())
        })
        .await;
        server.api.get_open("/healthz").await.ok();
        raw.execute("COMMIT").await;
        // Nobody touches the node: it goes on with what it knows of the schema.
        progress.more(10).await;
        progress.stop();
    };
    tokio::join!(report_all(&mut estate.reporters, &server.api, &progress), upgrade);

    assert_eq!(estate.right_figures(&database).await, before, "without another report");
    wait_for("it is ready", async || (server.api.get_open("/readyz").await.status == 200).then_some(())).await;
    // Another node of this program starts, and finds nothing to do.
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
    let second = ServerProcess::start(&database.url, &args).await;
    second.api.get_open("/readyz").await.ok();
    estate.assert_all_there(&database, &second).await;
    assert_eq!(raw.number("SELECT count(*) FROM laters WHERE figure = 1").await, 1);
    let mended = full(vec![contrib("token", "8.x-1.16")]);
    assert_eq!(second.api.sync(&estate.insecure, &mended).await.ok()["security_updates_found"], 0);
    for node in [server, second] {
        node.terminate().await;
        let (status, log) = node.wait().await;
        assert!(status.success() && !log.contains("ERROR"), "{log}");
    }
}

async fn the_schema_of_another_program_is_refused(database: TestDatabase) {
    let server = ServerProcess::start(&database.url, &["--workers", "0"]).await;
    let estate = Estate::fill(&database, &server).await;
    let before = estate.right_figures(&database).await;
    let mut raw = database.raw().await;
    for (make, mend) in [
        (
            "UPDATE schema_text SET hash = hash || '0'",
            "UPDATE schema_text SET hash = substr(hash, 1, length(hash) - 1)",
        ),
        (
            "UPDATE __diesel_schema_migrations SET version = '20200101000001'",
            "UPDATE __diesel_schema_migrations SET version = '20261125000001'",
        ),
    ] {
        raw.execute(make).await;
        for command in [
            &["migrate"][..],
            &["serve", "--listen", "127.0.0.1:0"],
            &["serve", "--listen", "127.0.0.1:0", "--no-migrate"],
            &["worker"],
            &["site", "list"],
            &["site", "create", "--name", "x"],
            &["security", "recount"],
        ] {
            let refused = run(&database.url, command).await;
            assert_eq!(refused.code, 1, "{command:?}: {refused:?}");
            assert!(refused.stderr.contains(REFUSAL), "{command:?}: {refused:?}");
        }
        let not_ready = server.api.get_open("/readyz").await;
        not_ready.problem(503, "database-unavailable");
        server.api.get_open("/healthz").await.ok();
        raw.execute(mend).await;
        wait_for("it is ready", async || (server.api.get_open("/readyz").await.status == 200).then_some(())).await;
    }
    assert_eq!(estate.right_figures(&database).await, before);
    estate.assert_all_there(&database, &server).await;
    server.terminate().await;
    let (status, log) = server.wait().await;
    assert!(status.success() && log.contains(REFUSAL), "{log}");
}
