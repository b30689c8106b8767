//! Two nodes start at once.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::ServerProcess;
use module_monitor_tests::server::new_site;

on_both_backends!(two_servers_start_at_once_on_a_fresh_database);

async fn two_servers_start_at_once_on_a_fresh_database(database: TestDatabase) {
    let start = || ServerProcess::start(&database.url, &[]);
    let (one, two) = tokio::join!(start(), start());
    let site = new_site(database.open().await.as_ref(), "A site").await;
    for (server, modules) in [(&one, 3), (&two, 5)] {
        server.api.get_open("/readyz").await.ok();
        let counts = server.api.sync(&site, &full(contribs("m", modules, "1.0.0"))).await.counts();
        assert_eq!(counts.0, if modules == 3 { 3 } else { 2 });
    }
    for server in [one, two] {
        assert_eq!(server.api.list(&site.key, &site.modules(""), 100).await.len(), 5);
        assert!(!server.log().contains("WARN"), "{}", server.log());
        server.kill().await;
    }
}
