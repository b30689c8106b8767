//! A queue that can hold no more.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{again, contribs, full, partial};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::server::TestServer;

use crate::support::{accept, send, settled};

on_both_backends!(
    a_queue_with_too_many_jobs_takes_no_more_and_stores_nothing,
    a_queue_with_too_many_bytes_takes_no_more_and_stores_nothing,
);

/// Whatever a refused sync must leave alone.
async fn stored(raw: &mut RawConnection) -> Vec<(String, i64)> {
    let mut counts = raw.row_counts().await;
    // The audit log says that it was refused, when it comes to it; a worker shows that it lives.
    counts.retain(|(table, _)| table != "rejected_syncs" && table != "workers");
    counts
}

async fn a_queue_with_too_many_jobs_takes_no_more_and_stores_nothing(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| {
        config.queue.workers = 0;
        config.queue.max_jobs = 2;
        config.queue.threshold = 10;
    })
    .await;
    let (one, two, three) = (server.site("One").await, server.site("Two").await, server.site("Three").await);
    let (api, mut raw) = (&server.api, database.raw().await);
    let known = full(contribs("m", 5, "1.0.0"));
    api.sync(&three, &known).await.ok();
    accept(api, &one, &partial(contribs("m", 3, "1.0.0"))).await;
    accept(api, &two, &partial(contribs("m", 3, "1.0.0"))).await;
    let before = stored(&mut raw).await;
    let refused = [
        // It asks for the queue, its site has a job there already, and it is too large to be applied at once.
        send(api, &three, &partial(contribs("m", 3, "2.0.0"))).await,
        api.sync(&one, &partial(contribs("m", 3, "2.0.0"))).await,
        api.sync(&three, &full(contribs("m", 11, "2.0.0"))).await,
    ];
    for answer in refused {
        answer.problem(503, "queue-full");
        assert!(
            answer.header("retry-after").is_some_and(|after| after.parse().is_ok_and(|s: u32| s > 0)),
            "{answer:?}"
        );
    }
    assert_eq!(stored(&mut raw).await, before);

    // Whoever does not need it does not notice.
    assert_eq!(api.sync(&three, &again(&known)).await.counts(), (0, 0, 0));
    assert_eq!(api.sync(&three, &full(contribs("m", 6, "1.0.0"))).await.counts(), (1, 0, 0));
    server.stop().await;

    let server = TestServer::start_with(&database.url, |config| config.queue.max_jobs = 2).await;
    settled(&mut raw).await;
    accept(&server.api, &one, &partial(contribs("m", 3, "2.0.0"))).await;
    server.stop().await;
}

async fn a_queue_with_too_many_bytes_takes_no_more_and_stores_nothing(database: TestDatabase) {
    let server = TestServer::start_with(&database.url, |config| {
        config.queue.workers = 0;
        config.queue.max_bytes = 2_000;
    })
    .await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let (api, mut raw) = (&server.api, database.raw().await);
    let mut accepted = 0;
    let before = loop {
        let before = stored(&mut raw).await;
        let answer = send(api, &site, &partial(contribs("m", 20, "1.0.0"))).await;
        if answer.status == 503 {
            answer.problem(503, "queue-full");
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            break before;
        }
        assert_eq!(answer.status, 202, "{answer:?}");
        accepted += 1;
    };
    assert!((1..20).contains(&accepted), "{accepted}");
    assert_eq!(stored(&mut raw).await, before);
    assert!(raw.number("SELECT sum(payload_bytes) FROM jobs").await <= 2_000);
    // What fits is still taken.
    send(api, &other, &full(contribs("m", 500, "1.0.0"))).await.problem(503, "queue-full");
    server.stop().await;
}
