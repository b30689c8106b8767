//! Many syncs at once.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full, of_stream, state_of};
use module_monitor_tests::server::TestServer;

on_both_backends!(twenty_syncs_of_one_site_leave_the_state_of_one, twenty_sites_introduce_the_same_modules_at_once,);

/// A server whose requests wait for their turn however slow the machine is.
async fn patient(database: &TestDatabase) -> TestServer {
    TestServer::start_with(&database.url, |config| config.database_checkout_timeout = Duration::from_secs(100)).await
}

async fn twenty_syncs_of_one_site_leave_the_state_of_one(database: TestDatabase) {
    let server = patient(&database).await;
    let site = server.site("A site").await;
    let reports: Vec<_> = (0..20).map(of_stream).collect();
    let answers = join_all(reports.iter().map(|report| server.api.sync(&site, report))).await;
    for answer in &answers {
        match answer.status {
            200 => drop(answer.counts()),
            _ => drop(answer.problem(409, "stale-sync")),
        }
    }
    // The newest report is never stale, so it is applied, and nothing is applied after it.
    assert_eq!(answers[19].status, 200);
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    assert_eq!(ledger.state(&site), state_of(&reports[19]));
    let applied = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(ledger.timestamps(&site).len(), applied, "every 200 is in the audit log, and nothing else");
    server.stop().await;
}

async fn twenty_sites_introduce_the_same_modules_at_once(database: TestDatabase) {
    let server = patient(&database).await;
    let sites = join_all((0..20).map(async |n| server.site(&format!("Site {n}")).await)).await;
    let forwards = full(contribs("m", 500, "1.0.0"));
    let mut backwards = forwards.clone();
    backwards["modules"].as_array_mut().expect("modules").reverse();
    let send = async |(n, site)| server.api.sync(site, if n % 2 == 0 { &forwards } else { &backwards }).await;
    for answer in join_all(sites.iter().enumerate().map(send)).await {
        assert_eq!(answer.counts(), (500, 0, 0));
    }
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM modules").await, 500);
    assert_eq!(raw.number("SELECT count(*) FROM module_versions").await, 500);
    assert_eq!(raw.number("SELECT count(*) FROM site_modules").await, 10_000);
    assert_eq!(raw.changes().await, 10_000);
    let names: BTreeSet<String> = raw.texts("SELECT machine_name FROM modules").await.into_iter().collect();
    assert_eq!(names, state_of(&forwards).into_keys().collect());
    server.stop().await;
}
