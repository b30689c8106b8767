//! A real streaming standby: it answers, takes no writes, and is promoted.

use module_monitor_tests::api::TestSite;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::postgres::PrivatePostgres;
use module_monitor_tests::process::{ServerProcess, create_site, run, wait_for};
use module_monitor_tests::raw::RawConnection;

const ARGS: [&str; 2] = ["--database-checkout-timeout", "1s"];

/// A primary with a site that has reported, and a standby that has all of it.
async fn pair() -> Option<(PrivatePostgres, PrivatePostgres, TestSite)> {
    let primary = PrivatePostgres::running().await?;
    assert_eq!(run(&primary.url(), &["migrate"]).await.code, 0);
    let site = create_site(&primary.url()).await;
    let server = ServerProcess::start(&primary.url(), &ARGS).await;
    assert_eq!(server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.counts(), (3, 0, 0));
    server.terminate().await;
    assert!(server.wait().await.0.success());
    let standby = primary.standby().await;
    Some((primary, standby, site))
}

async fn is_ready(server: &ServerProcess) {
    wait_for("it is ready", async || (server.api.get_open("/readyz").await.status == 200).then_some(())).await;
}

async fn assert_down(server: &ServerProcess, site: &TestSite, version: &str) {
    let refused = server.api.sync(site, &full(contribs("m", 3, version))).await;
    refused.problem(503, "database-unavailable");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    server.api.get_open("/readyz").await.problem(503, "database-unavailable");
    server.api.get_open("/healthz").await.ok();
}

/// One line when it began and one when it was over.
async fn assert_told_once(server: ServerProcess) {
    server.terminate().await;
    let (status, log) = server.wait().await;
    assert!(status.success(), "{log}");
    let told: Vec<&str> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert!(told.len() == 1 && told[0].contains("the database cannot be used"), "{log}");
    assert_eq!(log.matches("the database can be used again").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_a_standby_reads_until_it_is_promoted() {
    let Some((primary, standby, site)) = pair().await else { return };
    let server = ServerProcess::start(&standby.url(), &ARGS).await;
    for version in ["2.0.0", "3.0.0"] {
        assert_down(&server, &site, version).await;
        assert_eq!(server.api.list(&site.key, &site.modules(""), 100).await.len(), 3);
    }
    primary.kill().await;
    standby.promote().await;
    is_ready(&server).await;
    assert_eq!(server.api.sync(&site, &full(contribs("m", 3, "4.0.0"))).await.counts(), (0, 3, 0));
    assert_told_once(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_knows_both_follows_the_one_that_writes() {
    let Some((primary, standby, site)) = pair().await else { return };
    // The standby stands first, and is passed over.
    let url =
        format!("postgres://postgres@{},{}/postgres?target_session_attrs=read-write", standby.host(), primary.host());
    let server = ServerProcess::start(&url, &ARGS).await;
    is_ready(&server).await;
    assert_eq!(server.api.sync(&site, &full(contribs("m", 3, "2.0.0"))).await.counts(), (0, 3, 0));
    let mut copy = RawConnection::open(&standby.url()).await;
    wait_for("the standby has it", async || (copy.number("SELECT count(*) FROM syncs").await == 2).then_some(())).await;

    primary.kill().await;
    assert_down(&server, &site, "3.0.0").await;
    standby.promote().await;
    is_ready(&server).await;
    assert_eq!(server.api.sync(&site, &full(contribs("m", 3, "4.0.0"))).await.counts(), (0, 3, 0));
    assert_eq!(server.api.history(&site, "m_0000").await.len(), 3, "what was answered, and nothing else");
    assert_told_once(server).await;
}
