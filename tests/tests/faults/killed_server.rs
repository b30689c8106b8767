//! `kill -9` of the server in the middle of a stream of syncs.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::process::{ServerProcess, wait_for};

use crate::stream::{Progress, assert_all_kept, report_all, reporters};

/// How often the server is killed.
const ROUNDS: usize = 4;
/// How many syncs it answers before, at least.
const SYNCS_A_ROUND: usize = 15;

on_both_backends!(what_was_answered_survives_the_death_of_the_server);

async fn what_was_answered_survives_the_death_of_the_server(database: TestDatabase) {
    let mut reporters = reporters(database.open().await.as_ref(), 4).await;
    for round in 0..ROUNDS {
        let server = ServerProcess::start(&database.url, &[]).await;
        assert_all_kept(&reporters, &database.url, &server.api).await;
        let (api, progress) = (server.api.clone(), Progress::default());
        let kill = async {
            let enough = SYNCS_A_ROUND + round;
            wait_for("syncs are answered", async || (progress.applied() >= enough).then_some(())).await;
            server.kill().await;
        };
        tokio::join!(report_all(&mut reporters, &api, &progress), kill);
        assert_eq!(progress.refused(), 0, "the database was there all the time");
    }
    let server = ServerProcess::start(&database.url, &[]).await;
    assert_all_kept(&reporters, &database.url, &server.api).await;
    server.kill().await;
}
