//! Clocks that are set back, and nodes whose clocks disagree.

use std::sync::Arc;

use module_monitor_ingestion::Clock;
use module_monitor_storage::{Claim, Claimant};
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full, state_of};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::reports::{ManualClock, now};
use module_monitor_tests::server::TestServer;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

on_both_backends!(
    a_site_does_not_notice_that_the_clock_is_set_back,
    jobs_are_applied_though_the_clock_is_set_back,
    nodes_whose_clocks_disagree_share_the_queue,
);

/// How many syncs a site may send.
const LIMIT: u32 = 5;

async fn server_at(database: &TestDatabase, clock: &ManualClock, workers: usize) -> TestServer {
    let clock = Arc::new(clock.clone());
    TestServer::start_with(&database.url, |config| {
        config.clock = clock;
        config.rate_limit = LIMIT;
        config.queue.workers = workers;
    })
    .await
}

async fn keyed(server: &TestServer, site: &TestSite, report: &Value) -> Answer {
    Answer::of(server.api.sync_request(site, report).header("Idempotency-Key", "cron")).await
}

async fn accepted(server: &TestServer, site: &TestSite, report: &Value) -> String {
    let answer = Answer::of(server.api.sync_request(site, report).header("Prefer", "respond-async")).await;
    assert!([200, 202].contains(&answer.status), "{answer:?}");
    answer.json()["sync_id"].as_str().expect("an id").to_owned()
}

async fn applied(server: &TestServer, site: &TestSite, id: &str) {
    let path = format!("/api/v1/syncs/{id}");
    let status = async || server.api.get(&site.key, &path).await.ok()["status"].clone();
    wait_for("the job is applied", async || (status().await == "succeeded").then_some(())).await;
}

/// The next report is due in half an hour to an hour and a half, as the server's clock has it.
fn assert_due_soon(answer: &Value, clock: &ManualClock) {
    let due = answer["next_sync_after"].as_str().expect("a time");
    let wait = OffsetDateTime::parse(due, &Rfc3339).expect("RFC 3339") - clock.now();
    assert!(wait >= Duration::minutes(30) && wait <= Duration::minutes(91), "{wait}");
}

/// The server was an hour ahead of the sites, whose clocks are right.
async fn a_site_does_not_notice_that_the_clock_is_set_back(database: TestDatabase) {
    let clock = ManualClock::at(now() + Duration::HOUR);
    let server = server_at(&database, &clock, 0).await;
    let (site, admin) = (server.site("A site").await, server.admin_key().await);
    let report = full(contribs("m", 3, "1.0.0"));
    let first = keyed(&server, &site, &report).await;
    assert_due_soon(&first.ok(), &clock);
    let waits = server.site("Waits").await;
    accepted(&server, &waits, &full(contribs("w", 3, "1.0.0"))).await;

    clock.advance(-Duration::HOUR);
    let again = keyed(&server, &site, &report).await;
    assert_eq!((again.ok(), again.header("idempotent-replayed")), (first.ok(), Some("true")));
    for version in ["2.0.0", "3.0.0"] {
        let answer = server.api.sync(&site, &full(contribs("m", 3, version))).await;
        assert_eq!(answer.counts(), (0, 3, 0));
        assert_due_soon(&answer.ok(), &clock);
    }
    assert_eq!(
        server.api.history(&site, "m_0000").await,
        ["installed - -> 1.0.0", "version_changed 1.0.0 -> 2.0.0", "version_changed 2.0.0 -> 3.0.0"]
    );
    // What was sent before counts as before: neither more nor less may be sent.
    server.api.sync(&site, &full(contribs("m", 3, "3.0.0"))).await.ok();
    let refused = server.api.sync(&site, &full(contribs("m", 3, "4.0.0"))).await;
    refused.problem(429, "rate-limited");
    let pause: u64 = refused.header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
    assert!(pause <= 3600, "{pause}");

    assert_eq!(server.storage().note_silent(clock.now(), 10).await.expect("an answer"), 0);
    for id in [&site.id, &waits.id] {
        assert_eq!(server.api.get(&admin, &format!("/api/v1/sites/{id}")).await.ok()["silent"], false);
    }
    assert_eq!(server.api.get(&admin, "/api/v1/queue").await.ok()["oldest_seconds"], 0.0);
    let metrics = server.api.get_open("/metrics").await.text;
    let negative = metrics.lines().find(|line| !line.starts_with('#') && line.contains(" -"));
    assert_eq!(negative, None);

    // Another server removes what is old as soon as it starts.
    let mut raw = database.raw().await;
    let before = raw.row_counts().await;
    let second = server_at(&database, &clock, 0).await;
    wait_for("it has looked", async || (raw.number("SELECT count(*) FROM leases").await > 0).then_some(())).await;
    second.stop().await;
    server.stop().await;
    let kept = ["syncs", "change_sets", "idempotency_keys", "jobs", "site_modules", "modules"];
    let of_kept = |rows: Vec<(String, i64)>| -> Vec<_> {
        rows.into_iter().filter(|(table, _)| kept.contains(&table.as_str())).collect()
    };
    assert_eq!(of_kept(raw.row_counts().await), of_kept(before));
}

async fn jobs_are_applied_though_the_clock_is_set_back(database: TestDatabase) {
    let clock = ManualClock::at(now() + Duration::HOUR);
    let intake = server_at(&database, &clock, 0).await;
    let (killed, waiting) = (intake.site("Its worker was killed").await, intake.site("Waits").await);
    let reports = [full(contribs("k", 3, "1.0.0")), full(contribs("w", 3, "1.0.0"))];
    let taken = accepted(&intake, &killed, &reports[0]).await;
    let claimant = Claimant {
        worker: "killed".to_owned(),
        now: clock.now(),
        lease_until: clock.now() + Duration::seconds(6),
        max_attempts: 5,
    };
    assert!(matches!(intake.storage().claim(claimant).await, Ok(Claim::Job(_))));
    let queued = accepted(&intake, &waiting, &reports[1]).await;

    clock.advance(-Duration::HOUR);
    let server = TestServer::start(&database).await;
    for (site, id) in [(&waiting, &queued), (&killed, &taken)] {
        applied(&server, site, id).await;
    }
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    assert_eq!([ledger.state(&killed), ledger.state(&waiting)], [state_of(&reports[0]), state_of(&reports[1])]);
    server.stop().await;
    intake.stop().await;
}

/// More than the documented second; whatever is wasted, nothing is applied twice or not at all.
async fn nodes_whose_clocks_disagree_share_the_queue(database: TestDatabase) {
    let present = now();
    let clocks = [ManualClock::at(present), ManualClock::at(present + Duration::minutes(10))];
    let nodes = [server_at(&database, &clocks[0], 2).await, server_at(&database, &clocks[1], 2).await];
    let mut sent = Vec::new();
    for n in 0..6 {
        let site = nodes[n % 2].site(&format!("Site {n}")).await;
        for version in 1..=3 {
            let report = full(contribs("m", 40, &format!("{version}.0.0")));
            let id = accepted(&nodes[(n + version) % 2], &site, &report).await;
            sent.push((site.clone(), report, id));
        }
    }
    let mut raw = database.raw().await;
    let left = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')";
    wait_for("all jobs have ended", async || (raw.number(left).await == 0).then_some(())).await;
    let dead = "SELECT count(*) FROM jobs WHERE state IN ('dead', 'failed')";
    assert_eq!(raw.number(dead).await, 0);
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    for (site, report, _) in sent.chunks(3).map(|of_site| &of_site[2]) {
        assert_eq!(ledger.state(site), state_of(report));
    }

    // What is stale is settled by the time stamps of the site alone.
    let (site, newest, _) = &sent[2];
    let mut older = newest.clone();
    older["sync_timestamp"] = sent[0].1["sync_timestamp"].clone();
    for node in &nodes {
        node.api.sync(site, &older).await.problem(409, "stale-sync");
    }
    for (n, node) in nodes.iter().enumerate() {
        let mut newer = full(contribs("m", 40, &format!("5.{n}.0")));
        newer["site_info"] = json!({"name": "A site"});
        assert_eq!(node.api.sync(site, &newer).await.counts(), (0, 40, 0));
    }
    for node in nodes {
        node.stop().await;
    }
}
