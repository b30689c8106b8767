//! The limit of one node, and of several on one Redis.

use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_redis::redis;
use futures::future::join_all;
use module_monitor_domain::SiteId;
use module_monitor_ingestion::{Clock, SystemClock};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use super::limiter::RateLimiter;
use super::testing::ManualClock;
use crate::redis_address::RedisAddress;
use skip::skip_or_fail;

/// The one rule of all suites. Their crate depends on this one, so it is taken from there as a file.
#[expect(unreachable_pub, reason = "the suites share it")]
#[path = "../../../../tests/src/skip.rs"]
mod skip;

const HOUR: Duration = Duration::from_secs(3600);

/// A site of its own, so that tests which share a Redis do not count for each other.
fn new_site() -> SiteId {
    SiteId(getrandom::u64().unwrap_or_default().cast_signed() >> 1)
}

/// The Redis to test with; `None` where there is none and `SKIP` lists `redis`.
fn redis_url() -> Option<String> {
    let url = env::var("TEST_REDIS_URL").ok();
    if url.is_none() {
        skip_or_fail("redis", "TEST_REDIS_URL is not set");
    }
    url
}

fn address(url: &str) -> RedisAddress {
    RedisAddress::new(url, None).unwrap()
}

/// A node that allows 60 syncs an hour.
async fn node(url: &str, clock: Arc<dyn Clock>) -> RateLimiter {
    let mut limiter = RateLimiter::new(clock, 60, HOUR);
    limiter.share(&address(url), &mut Registry::default()).await.unwrap();
    limiter
}

fn is_shared(node: &RateLimiter) -> bool {
    node.shared.as_ref().unwrap().is_up()
}

async fn admitted(node: &RateLimiter, site: SiteId, attempts: usize) -> usize {
    let answers = join_all((0..attempts).map(|_| node.admit(site, None))).await;
    answers.iter().filter(|answer| answer.allowed).count()
}

async fn command(url: &str, name: &str, args: &[String]) -> i64 {
    let mut connection = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    redis::cmd(name).arg(args).query_async(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_site_has_its_own_limit_or_the_servers() {
    let node = RateLimiter::new(Arc::new(ManualClock::new()), 2, HOUR);
    let site = new_site();
    assert_eq!(admitted(&node, site, 5).await, 2);
    assert!(node.admit(site, Some(3)).await.allowed);
    let refused = node.admit(site, Some(3)).await;
    assert_eq!((refused.allowed, refused.limit, refused.remaining, refused.reset), (false, 3, 0, HOUR));
    assert!(node.admit(new_site(), None).await.allowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ninety_at_once_on_two_nodes_sixty_pass() {
    let Some(url) = redis_url() else { return };
    let (a, b) = (node(&url, Arc::new(SystemClock)).await, node(&url, Arc::new(SystemClock)).await);
    assert!(is_shared(&a) && is_shared(&b));
    let site = new_site();
    let (from_a, from_b) = tokio::join!(admitted(&a, site, 45), admitted(&b, site, 45));
    assert_eq!(from_a + from_b, 60, "{from_a} + {from_b}");
    for node in [&a, &b] {
        let refused = node.admit(site, None).await;
        assert!(!refused.allowed && refused.remaining == 0);
        assert!(refused.reset <= HOUR && refused.reset > HOUR - Duration::from_secs(60), "{:?}", refused.reset);
    }
    // Refused ones left nothing behind, and the log goes away by itself.
    let key = format!("module_monitor:rate:{site}");
    assert_eq!(command(&url, "ZCARD", std::slice::from_ref(&key)).await, 60);
    let left = command(&url, "PTTL", &[key]).await;
    assert!(0 < left && left <= 3_600_000, "{left}");
    assert!(is_shared(&a) && is_shared(&b));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shared_window_rolls() {
    let Some(url) = redis_url() else { return };
    let window = Duration::from_secs(1);
    let mut node = RateLimiter::new(Arc::new(SystemClock), 2, window);
    node.share(&address(&url), &mut Registry::default()).await.unwrap();
    let site = new_site();
    assert!(node.admit(site, None).await.allowed);
    tokio::time::sleep(window / 2).await;
    assert!(node.admit(site, None).await.allowed);
    let refused = node.admit(site, None).await;
    assert!(!refused.allowed && refused.reset <= window / 2, "{:?}", refused.reset);
    // The first has left by then, the second has not.
    tokio::time::sleep(refused.reset + Duration::from_millis(20)).await;
    assert_eq!(admitted(&node, site, 2).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_forgets_is_told_again() {
    let Some(url) = redis_url() else { return };
    let (a, b) = (node(&url, Arc::new(SystemClock)).await, node(&url, Arc::new(SystemClock)).await);
    let site = new_site();
    assert_eq!(admitted(&a, site, 40).await, 40);
    assert_eq!(admitted(&b, site, 15).await, 15);
    // As a flush does, but other tests use this Redis too.
    assert_eq!(command(&url, "DEL", &[format!("module_monitor:rate:{site}")]).await, 1);
    // The scripts as well: they are sent again.
    let mut connection = redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let _: () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.unwrap();

    assert_eq!(a.admit(site, None).await.remaining, 19);
    assert_eq!(b.admit(site, None).await.remaining, 3);
    assert_eq!(admitted(&a, site, 10).await + admitted(&b, site, 10).await, 3);
    assert!(is_shared(&a) && is_shared(&b));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_refuses_the_work_is_done_without() {
    let Some(url) = redis_url() else { return };
    let node = node(&url, Arc::new(SystemClock)).await;
    let site = new_site();
    let key = format!("module_monitor:rate:{site}");
    assert_eq!(command(&url, "LPUSH", &[key.clone(), "x".to_owned()]).await, 1);
    assert_eq!(admitted(&node, site, 90).await, 60);
    assert!(!is_shared(&node));
    assert_eq!(command(&url, "DEL", &[key]).await, 1);
    returns(&node).await;
    assert!(!node.admit(site, None).await.allowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_never_answers_keeps_nobody_waiting() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let started = SystemClock.instant();
    let node = node(&url, Arc::new(SystemClock)).await;
    let patience = Duration::from_millis(250);
    assert_eq!(waited(started, patience), None);
    assert!(!is_shared(&node));

    // It has been found silent, so nobody waits at all.
    let site = new_site();
    let started = SystemClock.instant();
    assert_eq!(admitted(&node, site, 90).await, 60);
    assert_eq!(waited(started, Duration::ZERO), None);

    // As when it falls silent between two requests.
    node.shared.as_ref().unwrap().pretend_it_is_up();
    let started = SystemClock.instant();
    assert_eq!(admitted(&node, new_site(), 90).await, 60);
    assert_eq!(waited(started, patience), None);
    assert!(!is_shared(&node));
}

#[tokio::test]
async fn an_absent_redis_is_no_error() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let node = node(&format!("redis://:swordfish@{nobody}"), Arc::new(SystemClock)).await;
    assert!(!is_shared(&node));
}

async fn returns(node: &RateLimiter) {
    for _ in 0..100 {
        if is_shared(node) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("Redis did not come back");
}

/// How long it took since `started`, where that is more than `at_most`, with something to spare for a busy machine.
fn waited(started: Instant, at_most: Duration) -> Option<Duration> {
    let waited = SystemClock.instant() - started;
    (waited > at_most + Duration::from_millis(200)).then_some(waited)
}
