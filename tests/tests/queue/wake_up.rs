//! Redis only carries the word that there is something to do.

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, partial};
use module_monitor_tests::process::{ServerProcess, WorkerProcess, wait_for};
use module_monitor_tests::redis::PrivateRedis;
use module_monitor_tests::server::new_site;

use crate::support::{accept, becomes, count, settled};

on_both_backends!(jobs_go_on_while_redis_is_dead_and_words_get_through_once_it_is_back);

/// Where the ids of new jobs go.
const LIST: &str = "module_sync_queue";

async fn jobs_go_on_while_redis_is_dead_and_words_get_through_once_it_is_back(database: TestDatabase) {
    let Some(mut redis) = PrivateRedis::start().await else { return };
    let storage = database.open().await;
    let site = new_site(storage.as_ref(), "A site").await;
    drop(storage);
    let mut raw = database.raw().await;
    let address = redis.url();
    let server = ServerProcess::start(&database.url, &["--workers", "0", "--redis-url", &address]).await;
    let api = &server.api;

    // Without a worker the word waits in Redis; it is forgotten there, and the job is not.
    let first = accept(api, &site, &partial(contribs("m", 3, "1.0.0"))).await;
    wait_for("Redis is told", async || (redis.length(LIST).await == 1).then_some(())).await;
    redis.flush().await;
    let worker = WorkerProcess::start(&database.url, &["--redis-url", &address]).await;
    becomes(&mut raw, &first, "succeeded").await;
    // The worker listens: whatever is said there is heard.
    redis.push(LIST, "anything").await;
    wait_for("it is heard", async || (redis.length(LIST).await == 0).then_some(())).await;
    let second = accept(api, &site, &partial(contribs("m", 3, "2.0.0"))).await;
    becomes(&mut raw, &second, "succeeded").await;

    redis.kill().await;
    for version in ["3.0.0", "4.0.0", "5.0.0"] {
        let id = accept(api, &site, &partial(contribs("m", 3, version))).await;
        becomes(&mut raw, &id, "succeeded").await;
    }
    wait_for("the log says so", async || worker.log().contains("Redis cannot tell").then_some(())).await;
    redis.restart().await;
    redis.push(LIST, "anything").await;
    wait_for("it is heard again", async || (redis.length(LIST).await == 0).then_some(())).await;
    let last = accept(api, &site, &partial(contribs("m", 3, "6.0.0"))).await;
    becomes(&mut raw, &last, "succeeded").await;
    wait_for("the word is taken", async || (redis.length(LIST).await == 0).then_some(())).await;

    let ended = settled(&mut raw).await;
    assert_eq!(count(&ended, &["succeeded"]), 6, "{ended:?}");
    for log in [worker.log(), server.log()] {
        assert!(log.matches("Redis cannot tell").count() <= 1, "once, not every time: {log}");
    }
    worker.terminate().await;
    assert_eq!(worker.wait().await.0.code(), Some(0));
    server.kill().await;
}
