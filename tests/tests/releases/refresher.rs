//! What the refresher asks for, and when, whatever mood the feed is in.

use std::time::Duration;

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::clock::MovingClock;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::contrib;
use serde_json::json;

use crate::feed_server::{FeedServer, Mood, no_history};
use crate::support::{DAY, HOUR, Node, calm, fixed, reporting_site};

on_both_backends!(
    new_projects_are_asked_for_soon_and_all_of_them_once_a_day,
    no_failure_erases_what_is_known,
    that_there_is_nothing_is_believed_for_a_week,
    failures_are_tried_again_with_growing_pauses,
    one_node_asks_at_a_time,
    a_second_site_with_the_same_projects_asks_for_nothing,
);

/// A database where one site has `token` and `ctools`, a feed that knows both, and a node.
async fn two_projects(database: &TestDatabase) -> (FeedServer, Node) {
    let modules = json!([contrib("token", "8.x-1.0"), contrib("ctools", "8.x-1.0")]);
    reporting_site(database, modules).await;
    let feed = FeedServer::start().await;
    for name in ["token", "ctools"] {
        feed.plays(&format!("{name}/current"), [Mood::Tagged(calm(name), "\"one\"")]);
    }
    let node = Node::start(database, &MovingClock::on_thursday(), &feed).await;
    // Whatever slot a new project has.
    node.clock.advance(HOUR);
    (feed, node)
}

fn both(outcome: &'static str) -> Vec<(String, &'static str)> {
    vec![("ctools".to_owned(), outcome), ("token".to_owned(), outcome)]
}

async fn new_projects_are_asked_for_soon_and_all_of_them_once_a_day(database: TestDatabase) {
    let (feed, node) = two_projects(&database).await;
    assert_eq!(node.versions("token").await, None);
    assert_eq!(node.outcomes().await, both("changed"));
    assert_eq!(node.versions("token").await, Some(vec!["8.x-1.0".to_owned()]));
    assert!(!node.known("token").await.is_stale());

    for _ in 0..3 {
        assert_eq!(node.outcomes().await, []);
        node.clock.advance(HOUR * 7);
    }
    assert_eq!(feed.asked_for("token/current").len(), 1);
    node.clock.advance(HOUR * 6);
    assert_eq!(node.outcomes().await, both("not modified"));
    assert_eq!(feed.asked_for("token/current")[1].header("if-none-match"), Some("\"one\""));
    let known = node.known("token").await;
    assert!(known.checked_at > known.fetched_at, "what was fetched is known to be right still: {known:?}");

    feed.plays("token/current", [Mood::Tagged(fixed("token"), "\"two\"")]);
    node.clock.advance(HOUR * 27);
    let outcomes = node.outcomes().await;
    assert_eq!(outcomes, [("ctools".to_owned(), "not modified"), ("token".to_owned(), "changed")]);
    assert_eq!(node.versions("token").await.map(|versions| versions.len()), Some(2));
}

async fn no_failure_erases_what_is_known(database: TestDatabase) {
    let (feed, node) = two_projects(&database).await;
    assert_eq!(node.outcomes().await, both("changed"));
    let fetched_at = node.known("token").await.fetched_at;
    let document = calm("token");
    for mood in [
        Mood::Status(200, no_history("token")),
        Mood::Status(404, no_history("token")),
        Mood::Status(500, String::new()),
        Mood::Status(410, String::new()),
        Mood::HangUp(document.clone()),
        Mood::Document(document[..document.len() - 20].to_owned()),
        Mood::Document(calm("ctools")),
        Mood::Document("<error>We are out of order.</error>".to_owned()),
        Mood::Endless,
        Mood::Redirect("http://localhost/".to_owned()),
    ] {
        feed.plays("token/current", [mood.clone()]);
        node.clock.advance(DAY * 2);
        assert_eq!(node.outcomes().await, [("ctools".to_owned(), "not modified"), ("token".to_owned(), "failed")]);
        let known = node.known("token").await;
        assert!(known.is_stale() && known.last_error.is_some(), "{mood:?}: {known:?}");
        assert_eq!(known.fetched_at, fetched_at, "{mood:?}");
        assert!(known.checked_at.expect("a time") <= fetched_at.expect("a time"), "{mood:?}");
        assert_eq!(node.versions("token").await, Some(vec!["8.x-1.0".to_owned()]), "{mood:?}");
    }
    feed.plays("token/current", [Mood::Tagged(document, "\"one\"")]);
    node.clock.advance(DAY * 2);
    assert_eq!(node.outcomes().await, both("not modified"), "the validators stay as well");
    let known = node.known("token").await;
    assert!(!known.is_stale() && known.failures == 0 && known.checked_at > known.fetched_at, "{known:?}");
}

async fn that_there_is_nothing_is_believed_for_a_week(database: TestDatabase) {
    reporting_site(&database, json!([contrib("made_up", "1.0.0")])).await;
    let feed = FeedServer::start().await;
    let node = Node::start(&database, &MovingClock::on_thursday(), &feed).await;
    node.clock.advance(HOUR);
    assert_eq!(node.outcomes().await, [("made_up".to_owned(), "no history")]);
    node.clock.advance(DAY * 6);
    assert_eq!(node.outcomes().await, []);
    feed.plays("made_up/current", [Mood::Document(calm("made_up"))]);
    node.clock.advance(DAY * 2);
    assert_eq!(node.outcomes().await, [("made_up".to_owned(), "changed")]);
}

async fn failures_are_tried_again_with_growing_pauses(database: TestDatabase) {
    let (feed, node) = two_projects(&database).await;
    feed.plays("token/current", [Mood::Status(403, String::new())]);
    feed.plays("ctools/current", [Mood::Status(403, String::new())]);
    let mut last = Duration::ZERO;
    for failures in 1..=8_u32 {
        assert_eq!(node.outcomes().await, both("failed"));
        let known = node.known("token").await;
        assert_eq!(known.failures, failures);
        let pause = Duration::try_from(known.next_check_at - known.last_error_at.expect("a time")).expect("later");
        assert!(pause > last && pause < DAY + HOUR * 3, "{pause:?} after {last:?}");
        assert_eq!(node.outcomes().await, [], "not before that");
        // Both have passed then.
        node.clock.advance(pause + pause / 2);
        last = pause;
    }
    assert!(last > HOUR * 5, "{last:?}");
    assert_eq!(node.versions("token").await, None);
    assert!(!node.known("token").await.is_stale(), "there is nothing that could be");
}

async fn one_node_asks_at_a_time(database: TestDatabase) {
    let (feed, node) = two_projects(&database).await;
    let other = Node::start(&database, &node.clock, &feed).await;
    assert!(node.refresher.take_turn().await.expect("a database"));
    assert_eq!(other.outcomes().await, []);
    assert_eq!(feed.asked().len(), 0);

    node.refresher.end_turn().await.expect("a database");
    assert_eq!(other.outcomes().await, [], "the pause after the last request is not over");
    node.clock.advance(Duration::from_secs(1));
    assert_eq!(other.outcomes().await, both("changed"));
    assert_eq!(node.outcomes().await, [], "there is nothing left to do");

    // A node that is gone for good is waited for a few minutes.
    node.clock.advance(DAY * 2);
    assert!(other.refresher.take_turn().await.expect("a database"));
    drop(other);
    assert_eq!(node.outcomes().await, []);
    node.clock.advance(Duration::from_secs(600));
    assert_eq!(node.outcomes().await, both("not modified"));
}

async fn a_second_site_with_the_same_projects_asks_for_nothing(database: TestDatabase) {
    let (feed, node) = two_projects(&database).await;
    assert_eq!(node.outcomes().await, both("changed"));
    reporting_site(&database, json!([contrib("token", "8.x-1.0"), contrib("ctools", "8.x-0.9")])).await;
    node.clock.advance(HOUR);
    assert_eq!(node.outcomes().await, []);
    assert_eq!((feed.asked_for("token/current").len(), feed.asked_for("ctools/current").len()), (1, 1));
}
