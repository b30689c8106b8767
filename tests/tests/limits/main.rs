//! How much of what clients send is taken: on one node, and on two that share a Redis.

mod servers;

use std::time::Duration;

use futures::future::join_all;
use module_monitor_server::RedisAddress;
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::clock::MovingClock;
use module_monitor_tests::redis::PrivateRedis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use servers::{Answer, Node, Site, admin_key, metric_becomes};

const HOUR: Duration = Duration::from_secs(3600);
const POLICY: &str = r#""sync";q=60;w=3600"#;

/// A database with two sites.
async fn database() -> (TestDatabase, Site, Site) {
    let database = TestDatabase::new(Backend::Sqlite).await.expect("a file");
    let storage = database.open().await;
    let (one, other) = (Site::register(&*storage, "One").await, Site::register(&*storage, "Other").await);
    (database, one, other)
}

fn passed(answers: &[Answer]) -> usize {
    assert!(answers.iter().all(|answer| answer.status == 422 || answer.status == 429));
    answers.iter().filter(|answer| answer.status == 422).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_may_send_sixty_in_any_hour() {
    let (database, site, other) = database().await;
    let clock = MovingClock::new();
    let node = Node::start(&database.url, |config| config.clock = clock.clone()).await;

    let first = node.report(&site).await;
    assert_eq!((first.status, first.header("RateLimit-Policy")), (200, POLICY.to_owned()));
    assert_eq!(first.header("RateLimit"), r#""sync";r=59;t=3600"#);
    clock.advance(Duration::from_millis(600_500));
    // Errors count, and say what is left as well.
    let malformed = node.sync(&site, "{").await;
    assert_eq!((malformed.status, malformed.header("RateLimit")), (400, r#""sync";r=58;t=3000"#.to_owned()));

    let burst = join_all((0..90).map(|_| node.sync(&site, "{}"))).await;
    assert_eq!(passed(&burst), 58);
    let refused = node.sync(&site, "{}").await;
    assert_eq!((refused.status, refused.code()), (429, "rate-limited".to_owned()));
    assert_eq!(refused.header("Retry-After"), "3000");
    assert_eq!(refused.header("RateLimit"), r#""sync";r=0;t=3000"#);
    assert_eq!(refused.header("RateLimit-Policy"), POLICY);
    assert_eq!(node.sync(&other, "{}").await.header("RateLimit"), r#""sync";r=59;t=3600"#);

    // The window rolls: the first two make room for two, and only when each is an hour old.
    clock.advance(HOUR - Duration::from_millis(600_500));
    let answers = join_all((0..5).map(|_| node.sync(&site, "{}"))).await;
    assert_eq!(passed(&answers), 1);
    clock.advance(HOUR);
    assert_eq!(node.sync(&site, "{}").await.header("RateLimit"), r#""sync";r=59;t=3600"#);
    assert_eq!(node.metric("module_monitor_rate_limit_shared").await, None, "there is no Redis");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_sync_uses_up_the_limit() {
    let (database, site, other) = database().await;
    let admin = site.with_key(&admin_key(&*database.open().await).await);
    let node = Node::start(&database.url, |config| config.rate_limit = 2).await;
    for (sender, status) in [(site.with_key(&other.key), 404), (site.with_key("nonsense"), 401)] {
        for _ in 0..5 {
            let answer = node.sync(&sender, "{}").await;
            assert_eq!((answer.status, answer.header("RateLimit")), (status, String::new()));
        }
    }
    assert!(node.sync(&site, "{}").await.header("RateLimit").contains("r=1;"));
    // An admin's sync is the site's.
    assert!(node.sync(&admin, "{}").await.header("RateLimit").contains("r=0;"));
    assert_eq!(node.sync(&site, "{}").await.status, 429);
    assert_eq!(node.sync(&admin, "{}").await.status, 429);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_too_many_is_refused_before_its_body_is_read() {
    let (database, site, _) = database().await;
    let node = Node::start(&database.url, |config| config.rate_limit = 1).await;
    assert_eq!(node.sync(&site, "{}").await.status, 422);

    let mut connection = TcpStream::connect(node.addr()).await.expect("a connection");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n",
        site.path(),
        site.key
    );
    connection.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    let read = timeout(Duration::from_secs(5), connection.read_exact(&mut answer)).await;
    read.expect("an answer at once").expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 429");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_authentications_are_limited_and_valid_keys_are_not() {
    let (database, site, _) = database().await;
    let clock = MovingClock::new();
    let node = Node::start(&database.url, |config| config.clock = clock.clone()).await;
    // Of the right form, so that only a look at the keys tells.
    let intruder = site.with_key(&with_another_secret(&site.key));
    for _ in 0..30 {
        assert_eq!(node.sync(&intruder, "{}").await.status, 401);
    }
    let before = node.statements().await;
    for _ in 0..200 {
        assert_eq!(node.sync(&intruder, "{}").await.status, 429);
    }
    assert!(node.statements().await - before < 50, "only what runs in the background anyway");
    let refused = node.sync(&intruder, "{}").await;
    assert_eq!((refused.status, refused.code()), (429, "too-many-failures".to_owned()));
    assert_eq!(refused.header("Retry-After"), "60");
    assert_eq!(node.report(&site).await.status, 200);
    clock.advance(Duration::from_secs(60));
    assert_eq!(node.sync(&intruder, "{}").await.status, 401);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_a_limit_and_survive_the_death_of_redis() {
    let Some(mut redis) = PrivateRedis::start().await else { return };
    let (database, site, other) = database().await;
    let share = |config: &mut module_monitor_server::ServerConfig| {
        config.redis = Some(RedisAddress::new(&redis.url(), None).expect("a usable URL"))
    };
    let (a, b) = (Node::start(&database.url, share).await, Node::start(&database.url, share).await);

    let (from_a, from_b) = tokio::join!(send(&a, &other, 45), send(&b, &other, 45));
    assert_eq!(from_a + from_b, 60, "{from_a} + {from_b}");
    assert_eq!((send(&a, &site, 25).await, send(&b, &site, 20).await), (25, 20));
    assert_eq!(a.metric("module_monitor_rate_limit_shared").await.as_deref(), Some("1"));
    assert_eq!(a.metric("module_monitor_rate_limit_fallbacks_total").await.as_deref(), Some("0"));

    redis.kill().await;
    let alone = timeout(Duration::from_secs(2), a.sync(&site, "{}")).await.expect("a bounded wait");
    assert!(alone.header("RateLimit").starts_with(r#""sync";r=34;"#), "{}", alone.header("RateLimit"));
    assert_eq!(a.metric("module_monitor_rate_limit_shared").await.as_deref(), Some("0"));
    assert_eq!(a.metric("module_monitor_rate_limit_fallbacks_total").await.as_deref(), Some("1"));

    // It comes back with nothing, and is told by each node what that node knows.
    redis.restart().await;
    metric_becomes(&a, "module_monitor_rate_limit_shared", "1").await;
    assert!(a.sync(&site, "{}").await.header("RateLimit").starts_with(r#""sync";r=33;"#));
    assert!(b.sync(&site, "{}").await.header("RateLimit").starts_with(r#""sync";r=12;"#));
    let (from_a, from_b) = tokio::join!(send(&a, &site, 45), send(&b, &site, 45));
    assert_eq!(from_a + from_b, 12, "{from_a} + {from_b}");
    a.stop().await;
    b.stop().await;
}

fn with_another_secret(key: &str) -> String {
    let (id, secret) = key.rsplit_once('_').expect("mm_ID_SECRET");
    let first = if secret.starts_with('b') { "c" } else { "b" };
    format!("{id}_{first}{}", &secret[1..])
}

/// How many of so many syncs at once are taken.
async fn send(node: &Node, site: &Site, count: usize) -> usize {
    passed(&join_all((0..count).map(|_| node.sync(site, "{}"))).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_may_read_so_often_in_any_minute_and_an_admin_ten_times_that() {
    let (database, site, other) = database().await;
    let admin = site.with_key(&admin_key(&*database.open().await).await);
    let clock = MovingClock::new();
    let node = Node::start(&database.url, |config| {
        config.clock = clock.clone();
        config.read_limit = 3;
    })
    .await;
    for (reader, limit) in [(&site, 3), (&admin, 30), (&other.with_key(&other.key), 3)] {
        let path = if reader.key == other.key { &other.id } else { &site.id };
        let path = format!("/api/v1/sites/{path}/modules");
        for n in 1..=limit {
            let answer = node.read(reader, &path).await;
            assert_eq!((answer.status, answer.header("RateLimit-Policy")), (200, format!(r#""read";q={limit};w=60"#)));
            assert_eq!(answer.header("RateLimit"), format!(r#""read";r={};t=60"#, limit - n));
        }
        clock.advance(Duration::from_secs(10));
        let refused = node.read(reader, &path).await;
        assert_eq!((refused.status, refused.code()), (429, "rate-limited".to_owned()));
        assert_eq!(refused.header("Retry-After"), "50");
        assert_eq!(refused.header("RateLimit"), r#""read";r=0;t=50"#);
    }
    // Reports are counted by themselves.
    assert_eq!(node.report(&site).await.header("RateLimit-Policy"), POLICY);
    clock.advance(Duration::from_secs(30));
    assert_eq!(node.read(&site, &format!("/api/v1/sites/{}/nothing", site.id)).await.status, 404);
    let missing = node.read(&site, &format!("/api/v1/sites/{}/modules/nothing", site.id)).await;
    assert_eq!((missing.status, missing.header("RateLimit")), (404, r#""read";r=2;t=60"#.to_owned()));
    node.stop().await;
}
