//! Clients that hang up.

use futures::future::join_all;
use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{micros_of, of_stream, state_of};
use module_monitor_tests::rude::{connect, send_and_hang_up, sync_bytes};
use module_monitor_tests::server::TestServer;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

/// Clients that hang up, for each site.
const RUDE_CLIENTS: usize = 40;

on_both_backends!(clients_that_hang_up_harm_nothing);

async fn clients_that_hang_up_harm_nothing(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let sites = join_all((0..3).map(async |n| server.site(&format!("Site {n}")).await)).await;
    let streams: Vec<Vec<Value>> = (0..3).map(|_| (0..RUDE_CLIENTS).map(of_stream).collect()).collect();
    let work = sites.iter().zip(&streams).map(async |(site, reports)| {
        for (n, report) in reports.iter().enumerate() {
            be_rude(&server, site, report, n).await;
        }
    });
    join_all(work).await;

    // Whoever is still at work is older than this, so afterwards nothing changes any more.
    let last = of_stream(RUDE_CLIENTS);
    for (site, reports) in sites.iter().zip(&streams) {
        server.api.sync(site, &last).await.ok();
        let ledger = Ledger::read(&database.url).await;
        ledger.assert_whole();
        assert_eq!(ledger.state(site), state_of(&last));
        let whole = reports.iter().enumerate().filter(|(n, _)| !is_cut(*n)).map(|(_, report)| micros_of(report));
        let allowed: Vec<i64> = whole.chain([micros_of(&last)]).collect();
        let applied = ledger.timestamps(site);
        assert!(applied.iter().all(|at| allowed.contains(at)), "half a report was applied");
    }
    server.api.get_open("/readyz").await.ok();
    server.api.sync(&sites[0], &of_stream(0)).await.ok();
    server.stop().await;
}

/// Whether the `n`th client hangs up before it has sent everything.
fn is_cut(n: usize) -> bool {
    n % 4 >= 2
}

async fn be_rude(server: &TestServer, site: &TestSite, report: &Value, n: usize) {
    let (head, body) = sync_bytes(site, report, "");
    let random = Uuid::new_v4().as_u128() as usize;
    let whole = [head.clone(), body.clone()].concat();
    match n % 4 {
        0 => send_and_hang_up(server.api.addr, &whole).await,
        1 => {
            // Some of the answer may have come by then.
            let mut stream = connect(server.api.addr).await;
            let _ = stream.write_all(&whole).await;
            for _ in 0..random % 200 {
                tokio::task::yield_now().await;
            }
        }
        2 => send_and_hang_up(server.api.addr, &whole[..head.len() + random % body.len()]).await,
        _ => send_and_hang_up(server.api.addr, &whole[..random % head.len()]).await,
    }
}
