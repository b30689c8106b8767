//! A server that keeps its release data fresh by itself.

use std::time::Duration;

use module_monitor_server::{ReleaseRefresh, ServerConfig};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::contrib;
use module_monitor_tests::process::{ServerProcess, command, wait_for};
use module_monitor_tests::server::TestServer;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::feed_server::{FeedServer, Mood};
use crate::support::{calm, fixed, report, url};

on_both_backends!(
    a_new_project_is_asked_for_and_the_next_unchanged_report_tells,
    stopping_does_not_wait_for_the_feed,
    two_servers_ask_for_each_project_once,
);

/// A server asks for everything that is due at once, and says so in its metrics.
fn refreshing(feed: &FeedServer) -> impl FnOnce(&mut ServerConfig) {
    let settings =
        ReleaseRefresh { url: url(feed), interval: Duration::from_secs(24 * 3600), pause: Duration::from_millis(1) };
    move |config| {
        config.release_refresh = Some(settings);
        config.rate_limit = 1_000_000;
    }
}

async fn metric(server: &TestServer, name: &str) -> Option<f64> {
    let text = server.api.get_open("/metrics").await.text;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

async fn a_new_project_is_asked_for_and_the_next_unchanged_report_tells(database: TestDatabase) {
    let feed = FeedServer::start().await;
    feed.plays("token/current", [Mood::Document(fixed("token"))]);
    let server = TestServer::start_with(&database.url, refreshing(&feed)).await;
    let site = server.site("A site").await;
    let modules = json!([contrib("token", "8.x-1.0"), contrib("made_up", "1.0.0")]);
    let first = report(&server.api, &site, modules.clone()).await;
    assert_eq!(
        (&first["security_updates_found"], &first["security_unknown"]),
        (&0.into(), &3.into()),
        "the core, too: {first}"
    );

    let counted = async || {
        let answer = report(&server.api, &site, modules.clone()).await;
        assert_eq!(answer["new_modules"], 0);
        Some(answer).filter(|answer| answer["security_updates_found"] == 1)
    };
    let answer = wait_for("the release data is there", counted).await;
    assert_eq!((&answer["security_projects"], &answer["security_unknown"]), (&1.into(), &2.into()), "{answer}");

    let checks = "module_monitor_release_checks_total";
    let fetched = async || metric(&server, &format!("{checks}{{outcome=\"fetched\"}}")).await.filter(|n| *n == 1.0);
    wait_for("the answer is counted", fetched).await;
    let nothing = async || metric(&server, &format!("{checks}{{outcome=\"no_history\"}}")).await.filter(|n| *n == 2.0);
    wait_for("so is that there is nothing of the other one, and here of Drupal", nothing).await;
    assert_eq!(metric(&server, &format!("{checks}{{outcome=\"failed\"}}")).await, Some(0.0));
    assert!(metric(&server, "module_monitor_release_data_age_seconds").await.is_some());
    for figure in ["release_feeds", "release_feeds_never_fetched"] {
        assert!(metric(&server, &format!("module_monitor_{figure}")).await.is_some(), "{figure}");
    }
    assert!(
        feed.asked()
            .iter()
            .all(|asked| ["drupal", "token", "made_up"].contains(&asked.path.split('/').nth(2).unwrap_or_default()))
    );
    server.stop().await;
}

async fn stopping_does_not_wait_for_the_feed(database: TestDatabase) {
    let feed = FeedServer::start().await;
    feed.plays("token/current", [Mood::Silent]);
    let server = TestServer::start_with(&database.url, refreshing(&feed)).await;
    let site = server.site("A site").await;
    report(&server.api, &site, json!([contrib("token", "8.x-1.0")])).await;
    feed.is_asked_for("token/current", 1).await;
    // A feed may take a minute; a stop of this server takes moments, and a minute is what proves the difference.
    timeout(Duration::from_secs(50), server.stop()).await.expect("it stops");

    feed.plays("token/current", [Mood::Document(calm("token"))]);
    let server = TestServer::start_with(&database.url, refreshing(&feed)).await;
    feed.is_asked_for("token/current", 2).await;
    server.stop().await;
}

async fn two_servers_ask_for_each_project_once(database: TestDatabase) {
    let feed = FeedServer::start().await;
    let names: Vec<String> = (0..12).map(|n| format!("project_{n}")).collect();
    let asked_for = || names.iter().map(String::as_str).chain(["drupal"]);
    for name in asked_for() {
        feed.plays(&format!("{name}/current"), [Mood::Document(calm(name))]);
    }
    let one = TestServer::start_with(&database.url, refreshing(&feed)).await;
    let other = TestServer::start_with(&database.url, refreshing(&feed)).await;
    let site = one.site("A site").await;
    let modules: Vec<Value> = names.iter().map(|name| contrib(name, "8.x-1.0")).collect();
    let modules = json!(modules);
    report(&one.api, &site, modules.clone()).await;
    let known = async || {
        let answer = report(&one.api, &site, modules.clone()).await;
        Some(()).filter(|()| answer["security_unknown"] == 0)
    };
    wait_for("all projects are known", known).await;
    for name in asked_for() {
        assert_eq!(feed.asked_for(&format!("{name}/current")).len(), 1, "{name}");
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_asks_unless_it_is_told_not_to() {
    let database = TestDatabase::new(module_monitor_tests::backends::Backend::Sqlite).await.expect("a file");
    let feed = FeedServer::start().await;
    feed.plays("token/current", [Mood::Document(calm("token"))]);
    let flags = ["--release-url", &feed.url, "--release-pause", "1ms"];
    let modules = json!([contrib("token", "8.x-1.0")]);

    // The variable that tests set forbids it.
    let quiet = ServerProcess::start(&database.url, &flags).await;
    let site = module_monitor_tests::server::new_site(&*database.open().await, "A site").await;
    report(&quiet.api, &site, modules.clone()).await;
    quiet.terminate().await;
    let (status, log) = quiet.wait().await;
    assert!(status.success(), "{log}");
    assert_eq!(feed.asked().len(), 0);

    let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url]);
    let mut child = serve.args(flags).env_remove("MODULE_MONITOR_NO_RELEASE_REFRESH").spawn().expect("a server");
    feed.is_asked_for("token/current", 1).await;
    child.kill().await.expect("it can be killed");
}
