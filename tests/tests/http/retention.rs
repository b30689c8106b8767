//! What a running server removes, and for how long it keeps the rest.

use std::time::Duration;

use module_monitor_server::RetentionConfig;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::clock::MovingClock;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{again, contribs, full};
use module_monitor_tests::process::{ServerProcess, run, wait_for};
use module_monitor_tests::server::TestServer;

on_both_backends!(
    each_setting_says_how_long_its_rows_are_kept,
    a_run_says_what_it_removed,
    one_node_removes_for_all,
    senseless_settings_are_refused,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Waits until the server has removed so many rows of each kind.
async fn removes(server: &TestServer, expected: &[(&str, u64)]) {
    let lines: Vec<String> = expected
        .iter()
        .map(|(kind, rows)| format!("module_monitor_retention_removed_rows_total{{kind=\"{kind}\"}} {rows}"))
        .collect();
    let shown = async || {
        let text = server.api.get_open("/metrics").await.text;
        lines.iter().all(|line| text.lines().any(|shown| shown == line)).then_some(())
    };
    wait_for(&format!("the metrics show {lines:?}"), shown).await;
}

async fn each_setting_says_how_long_its_rows_are_kept(database: TestDatabase) {
    let clock = MovingClock::new();
    let started = async |days: u32, retention: RetentionConfig| {
        let clock = clock.clone();
        clock.advance(DAY * days);
        TestServer::start_with(&database.url, |config| {
            config.clock = clock;
            config.retention = retention;
        })
        .await
    };
    let server = started(0, RetentionConfig::default()).await;
    let site = server.site("Site").await;
    let both = full(contribs("m", 2, "1.0.0"));
    server.api.sync(&site, &both).await.ok();
    server.api.sync(&site, &full(contribs("m", 1, "1.0.0"))).await.ok();
    server.stop().await;
    let mut raw = database.raw().await;

    // Two syncs, and what was done to register the site; the removed module and its version stay.
    let done = raw.number("SELECT count(*) FROM admin_events").await;
    let server = started(91, RetentionConfig::default()).await;
    removes(&server, &[("syncs", 2), ("admin_events", done as u64), ("assessments", 0), ("modules", 0)]).await;
    assert_eq!(raw.number("SELECT count(*) FROM site_modules").await, 2);
    server.stop().await;

    let server = started(0, RetentionConfig { history: DAY * 90, ..RetentionConfig::default() }).await;
    let gone = [("removed_modules", 1), ("assessments", 1), ("projects", 1), ("versions", 1), ("modules", 1)];
    removes(&server, &gone).await;
    assert_eq!(raw.texts("SELECT machine_name FROM modules").await, ["m_0000"]);
    // The site takes it up again.
    assert_eq!(server.api.sync(&site, &again(&both)).await.counts(), (1, 0, 0));
    server.stop().await;
}

/// Makes two idempotency keys that are old.
async fn old_rows(database: &TestDatabase) {
    let storage = database.open().await;
    let site = module_monitor_tests::server::new_site(&*storage, "Site").await;
    let mut raw = database.raw().await;
    for n in 0..2 {
        let (id, site) = (raw.id(uuid::Uuid::from_u128(n)), site.number());
        let at = match raw.backend() {
            module_monitor_tests::backends::Backend::Sqlite => "1",
            module_monitor_tests::backends::Backend::Postgres => "to_timestamp(1)",
        };
        let hash = raw.id(uuid::Uuid::nil()).replace("::uuid", "::text::bytea");
        raw.execute(&format!(
            "INSERT INTO idempotency_keys (site_id, key, body_hash, sync_id, created_at) VALUES ({site}, 'k_{n}', {hash}, {id}, {at})"
        ))
        .await;
        raw.execute(&format!(
            "INSERT INTO admin_events (at, actor, action, target) VALUES ({at}, 'ann', 'site.changed', 'x')"
        ))
        .await;
    }
}

async fn a_run_says_what_it_removed(database: TestDatabase) {
    old_rows(&database).await;
    let server = ServerProcess::start(&database.url, &["--history-retention", "1d"]).await;
    let said = async || {
        server.log().lines().find(|line| line.contains("removed what is not kept any longer")).map(str::to_owned)
    };
    let line = wait_for("a run that removes something", said).await;
    assert!(line.contains("idempotency_keys=2 admin_events=2"), "{line}");
    assert!(!line.contains("syncs="), "nothing of what there was none: {line}");
    server.kill().await;
}

/// Two nodes that start at once remove each row once, and the second takes over when the first is gone.
async fn one_node_removes_for_all(database: TestDatabase) {
    old_rows(&database).await;
    let (one, other) = tokio::join!(TestServer::start(&database), TestServer::start(&database));
    let of = async |server: &TestServer| {
        let text = server.api.get_open("/metrics").await.text;
        let line = "module_monitor_retention_removed_rows_total{kind=\"idempotency_keys\"} ";
        text.lines().find_map(|shown| shown.strip_prefix(line)?.parse::<u64>().ok()).unwrap_or_default()
    };
    let both = async || (of(&one).await + of(&other).await == 2).then_some(());
    wait_for("both rows are removed", both).await;
    assert!(of(&one).await == 0 || of(&other).await == 0, "one of them has the lease");
    one.stop().await;
    other.stop().await;
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM leases WHERE name = 'retention'").await, 0, "it is given back");
}

async fn senseless_settings_are_refused(database: TestDatabase) {
    for (setting, value) in [("--history-retention", "1h"), ("--history-retention", "0d"), ("--audit-retention", "1m")]
    {
        let refused = run(&database.url, &["serve", setting, value]).await;
        assert_eq!(refused.code, 2, "{setting} {value}");
        assert!(refused.stderr.contains(setting), "{}", refused.stderr);
    }
}
