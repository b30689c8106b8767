//! The server starts before its database does.

use module_monitor_tests::api::TestSite;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::postgres::PrivatePostgres;
use module_monitor_tests::process::{ServerProcess, create_site, wait_for};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_its_database_waits_for_it() {
    let Some(postgres) = PrivatePostgres::prepare() else { return };
    let url = postgres.url();
    let server = ServerProcess::start(&url, &["--database-checkout-timeout", "1s"]).await;
    let stranger = TestSite::nobody(&format!("mm_{}_{}", "0".repeat(16), "0".repeat(48)));
    let report = full(contribs("m", 3, "1.0.0"));
    for _ in 0..3 {
        server.api.get_open("/healthz").await.ok();
        let not_ready = server.api.get_open("/readyz").await;
        not_ready.problem(503, "database-unavailable");
        assert!(not_ready.header("retry-after").is_some());
        server.api.sync(&stranger, &report).await.problem(503, "database-unavailable");
        server.api.get(&stranger.key, &stranger.modules("")).await.problem(503, "database-unavailable");
    }
    server.api.get_open(&stranger.modules("")).await.problem(401, "key-missing");

    postgres.start().await;
    wait_for("it is ready", async || (server.api.get_open("/readyz").await.status == 200).then_some(())).await;
    let site = create_site(&url).await;
    assert_eq!(server.api.sync(&site, &report).await.counts(), (3, 0, 0));
    server.terminate().await;
    assert!(server.wait().await.0.success());
}
