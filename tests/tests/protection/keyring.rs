//! Keys in memory: what is changed elsewhere arrives, and what is known costs no statement.

use std::time::Duration;

use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{again, contribs, full};
use module_monitor_tests::postgres::PrivatePostgres;
use module_monitor_tests::process::{run, wait_for};
use module_monitor_tests::server::TestServer;
use serde_json::Value;

use crate::support::{key_id, send, with_key};

on_both_backends!(
    a_key_revoked_by_another_process_stops_working,
    a_key_issued_by_another_process_works_at_once,
    a_site_deactivated_by_another_process_may_not_report,
    a_sites_own_rate_limit_arrives_from_another_process,
    authentication_needs_no_statement_of_its_own,
    the_last_use_of_a_key_is_listed,
);

/// So many syncs that no test runs into the limit.
const UNLIMITED: u32 = 1_000_000;

async fn unlimited(database: &TestDatabase) -> TestServer {
    TestServer::start_with(&database.url, |config| {
        config.rate_limit = UNLIMITED;
        // It asks for jobs every second, and some of these tests count statements.
        config.queue.workers = 0;
    })
    .await
}

/// Changes a site as another node would: its row, and the number that tells the others.
async fn change_site(database: &TestDatabase, site: &TestSite, assignment: &str) {
    let mut raw = database.raw().await;
    let id = &site.id;
    raw.execute(&format!(
        "BEGIN; UPDATE sites SET {assignment} WHERE id = {id}; UPDATE key_revision SET revision = revision + 1; COMMIT"
    ))
    .await;
}

/// Waits until a sync of `site` is answered with that status.
async fn becomes(server: &TestServer, site: &TestSite, status: u16) {
    let what = format!("a sync is answered {status}");
    wait_for(&what, async || (send(&server.api, site, "{}").await.status == status).then_some(())).await;
}

async fn a_key_revoked_by_another_process_stops_working(database: TestDatabase) {
    let server = unlimited(&database).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    for site in [&site, &other] {
        server.api.sync(site, &full(contribs("m", 3, "1.0.0"))).await.ok();
    }
    let revoked = run(&database.url, &["key", "revoke", key_id(&site.key)]).await;
    assert_eq!(revoked.code, 0, "{revoked:?}");
    becomes(&server, &site, 401).await;
    send(&server.api, &site, "{}").await.problem(401, "key-revoked");
    server.api.sync(&other, &full(contribs("m", 3, "1.0.0"))).await.ok();
    server.stop().await;
}

async fn a_key_issued_by_another_process_works_at_once(database: TestDatabase) {
    let server = unlimited(&database).await;
    let site = server.site("A site").await;
    server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.ok();
    for args in [&["key", "create", "--json", "--site", &site.id][..], &["key", "create", "--json", "--admin"]] {
        let issued = run(&database.url, args).await;
        let issued: Value = serde_json::from_str(&issued.stdout).unwrap_or_else(|error| panic!("{error}: {issued:?}"));
        let new = with_key(&site, issued["api_key"].as_str().expect("a key"));
        server.api.sync(&new, &full(contribs("m", 3, "1.0.0"))).await.ok();
    }
    server.stop().await;
}

async fn a_site_deactivated_by_another_process_may_not_report(database: TestDatabase) {
    let server = unlimited(&database).await;
    let site = server.site("A site").await;
    server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.ok();
    change_site(&database, &site, "active = false").await;
    // Before the node knows it, the transaction finds out.
    server.api.sync(&site, &full(contribs("m", 4, "1.0.0"))).await.problem(403, "site-inactive");
    becomes(&server, &site, 403).await;
    send(&server.api, &site, "{}").await.problem(403, "site-inactive");
    assert_eq!(server.api.list(&site.key, &site.modules(""), 10).await.len(), 3, "its key still reads");
    let admin = with_key(&site, &server.admin_key().await);
    server.api.sync(&admin, &full(contribs("m", 4, "1.0.0"))).await.problem(403, "site-inactive");

    change_site(&database, &site, "active = true").await;
    becomes(&server, &site, 422).await;
    server.api.sync(&site, &full(contribs("m", 4, "1.0.0"))).await.ok();
    server.stop().await;
}

async fn a_sites_own_rate_limit_arrives_from_another_process(database: TestDatabase) {
    let server = unlimited(&database).await;
    let site = server.site("A site").await;
    let policy = async || send(&server.api, &site, "{}").await.header("ratelimit-policy").map(str::to_owned);
    assert_eq!(policy().await.as_deref(), Some(r#""sync";q=1000000;w=3600"#));
    for limit in ["5000", "3"] {
        change_site(&database, &site, &format!("rate_limit = {limit}")).await;
        let expected = format!(r#""sync";q={limit};w=3600"#);
        wait_for("the limit arrives", async || (policy().await.as_deref() == Some(&expected)).then_some(())).await;
    }
    while send(&server.api, &site, "{}").await.status != 429 {}
    let admin = with_key(&site, &server.admin_key().await);
    send(&server.api, &admin, "{}").await.problem(429, "rate-limited");
    change_site(&database, &site, "rate_limit = NULL").await;
    becomes(&server, &site, 422).await;
    server.stop().await;
}

async fn statements(server: &TestServer) -> u64 {
    let text = server.api.get_open("/metrics").await.text;
    let name = "module_monitor_database_statements_total ";
    text.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()).expect("a count")
}

/// With one statement more for each of so many syncs there would be more than the background can account for.
async fn authentication_needs_no_statement_of_its_own(database: TestDatabase) {
    const SYNCS: u64 = 400;
    let server = unlimited(&database).await;
    let site = server.site("A site").await;
    let report = full(contribs("m", 3, "1.0.0"));
    server.api.sync(&site, &report).await.ok();
    let of_one = match database.backend() {
        Backend::Postgres => 1,
        Backend::Sqlite => 4,
    };
    let before = statements(&server).await;
    for _ in 0..SYNCS {
        assert_eq!(server.api.sync(&site, &again(&report)).await.counts(), (0, 0, 0));
    }
    let counted = statements(&server).await - before;
    // What is more than these belongs to keys, queue, recounts, retention and other work that no sync waits for.
    let expected = SYNCS * of_one..SYNCS * (of_one + 1);
    assert!(expected.contains(&counted), "{counted} statements; {expected:?} were expected");
    server.stop().await;
}

async fn the_last_use_of_a_key_is_listed(database: TestDatabase) {
    let server = unlimited(&database).await;
    let (site, unused) = (server.site("A site").await, server.site("Unused").await);
    server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.ok();
    // Not only every thirty seconds, but also at the end.
    server.stop().await;
    let listed = run(&database.url, &["key", "list", "--json"]).await;
    let keys: Value = serde_json::from_str(&listed.stdout).unwrap_or_else(|error| panic!("{error}: {listed:?}"));
    let last_used = |key: &str| {
        let found = keys.as_array().expect("a list").iter().find(|entry| entry["id"] == key_id(key));
        found.expect("the key")["last_used_at"].as_str().map(str::to_owned)
    };
    assert!(last_used(&site.key).is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{keys}");
    assert_eq!(last_used(&unused.key), None);
}

/// A malformed body needs no database, so its answer tells whether the key was let in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_nobody_is_let_in_on_old_knowledge() {
    let Some(postgres) = PrivatePostgres::running().await else { return };
    let server = TestServer::start_with(&postgres.url(), |config| {
        config.rate_limit = UNLIMITED;
        config.database_checkout_timeout = Duration::from_millis(500);
    })
    .await;
    let site = server.site("A site").await;
    send(&server.api, &site, "{").await.problem(400, "malformed-json");
    postgres.kill().await;
    becomes(&server, &site, 503).await;
    for _ in 0..10 {
        let refused = send(&server.api, &site, "{").await;
        refused.problem(503, "database-unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    let stranger = with_key(&site, &format!("mm_{}_{}", "0".repeat(16), "0".repeat(48)));
    send(&server.api, &stranger, "{").await.problem(503, "database-unavailable");
    send(&server.api, &with_key(&site, "nonsense"), "{").await.problem(401, "key-invalid");

    postgres.start().await;
    becomes(&server, &site, 422).await;
    send(&server.api, &site, "{").await.problem(400, "malformed-json");
    server.stop().await;
}
