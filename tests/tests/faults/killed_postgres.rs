//! PostgreSQL itself dies under load, and comes back.

use std::time::Duration;

use module_monitor_storage::{StorageOptions, connect};
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::postgres::PrivatePostgres;
use module_monitor_tests::process::wait_for;
use module_monitor_tests::server::TestServer;

use crate::stream::{Progress, assert_all_kept, report_all, reporters};

/// How often PostgreSQL is killed.
const ROUNDS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_survive_the_death_of_postgres() {
    let Some(postgres) = PrivatePostgres::running().await else { return };
    let url = postgres.url();
    let storage = connect(&url, StorageOptions::default()).expect("a usable URL");
    storage.migrate().await.expect("a migrated database");
    let mut reporters = reporters(storage.as_ref(), 4).await;
    let server = TestServer::start_with(&url, |config| {
        config.database_checkout_timeout = Duration::from_secs(1);
        config.database_connections = 4;
    })
    .await;

    for _ in 0..ROUNDS {
        let progress = Progress::default();
        let disturb = async {
            progress.more(15).await;
            postgres.kill().await;
            wait_for("syncs are refused", async || (progress.refused() > 0).then_some(())).await;
            server.api.get_open("/readyz").await.problem(503, "database-unavailable");
            server.api.get_open("/healthz").await.ok();
            postgres.start().await;
            // Nobody touches the server: it finds its way back by itself.
            progress.more(15).await;
            progress.stop();
        };
        tokio::join!(report_all(&mut reporters, &server.api, &progress), disturb);
        assert_all_kept(&reporters, &url, &server.api).await;
        server.api.get_open("/readyz").await.ok();
    }
    show_unanswered(&Ledger::read(&url).await, &reporters);
    server.stop().await;
}

/// A connection can break between the commit and the word of it; such a sync is there, whole, though its answer was 503.
#[expect(clippy::print_stderr, reason = "shown with --nocapture")]
fn show_unanswered(ledger: &Ledger, reporters: &[crate::stream::Reporter]) {
    let stored: usize = reporters.iter().map(|reporter| reporter.stored_unanswered(ledger)).sum();
    eprintln!("{stored} syncs were stored although they were not answered 200");
}
