//! Asking a feed over HTTP, whatever mood it is in.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_domain::{Feed, ProjectName};
use module_monitor_ingestion::{FeedAnswer, FeedSource, HttpFeed, HttpFeedOptions, SystemClock};
use module_monitor_storage::Validators;
use module_monitor_tests::feeds;
use tokio::time::timeout;

use crate::feed_server::{FeedServer, Mood, no_history};

/// So long a request may take where the test is not about that: forever, for what a test is.
const LONG: Duration = Duration::from_secs(600);

fn source(url: &str, timeout: Duration) -> HttpFeed {
    let options = HttpFeedOptions { url: url.parse().expect("a URL"), pause: Duration::ZERO, timeout };
    HttpFeed::new(options, Arc::new(SystemClock)).expect("a client")
}

fn token() -> String {
    feeds::Feed::new("token", "8.x-1.").release("8.x-1.1", &["Bug fixes"]).release("8.x-1.0", &[]).xml()
}

/// Asks the server for the project `token`.
async fn ask(server: &FeedServer) -> FeedAnswer {
    ask_with(server, &Validators::default()).await
}

async fn ask_with(server: &FeedServer, known: &Validators) -> FeedAnswer {
    let project = ProjectName::parse("token").expect("a name");
    source(&server.url, LONG).fetch(&project, Feed::Current, known).await
}

async fn ask_in_mood(mood: Mood) -> (FeedAnswer, usize) {
    let server = FeedServer::start().await;
    server.plays("token/current", [mood]);
    let answer = ask(&server).await;
    (answer, server.asked().len())
}

fn why(answer: &FeedAnswer) -> &str {
    match answer {
        FeedAnswer::Failed(why) => why,
        other => panic!("it did not fail: {other:?}"),
    }
}

fn versions(answer: &FeedAnswer) -> Vec<&str> {
    match answer {
        FeedAnswer::History(history, _) => history.releases.iter().map(|release| release.version.as_str()).collect(),
        other => panic!("no history: {other:?}"),
    }
}

#[tokio::test]
async fn a_history_is_fetched_by_somebody_who_says_who_he_is_and_nothing_of_his_sites() {
    let server = FeedServer::start().await;
    server.plays("token/current", [Mood::Tagged(token(), "\"one\"")]);
    let answer = ask(&server).await;
    assert_eq!(versions(&answer), ["8.x-1.1", "8.x-1.0"]);
    let FeedAnswer::History(_, validators) = answer else { panic!() };
    assert_eq!(validators.etag.as_deref(), Some("\"one\""));
    assert_eq!(validators.last_modified.as_deref(), Some("Sat, 05 Sep 2026 10:00:00 GMT"));
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/release-history/token/current", "no query, so no usage statistics");
    assert!(asked[0].header("user-agent").is_some_and(|agent| agent.starts_with("module-monitor/")));
    assert!(asked[0].header("accept-encoding").is_some_and(|encodings| encodings.contains("gzip")));
    assert_eq!(asked[0].header("if-none-match"), None);

    assert_eq!(ask_with(&server, &validators).await, FeedAnswer::NotModified);
    let asked = server.asked();
    assert_eq!(asked[1].header("if-none-match"), Some("\"one\""));
    assert_eq!(asked[1].header("if-modified-since"), Some("Sat, 05 Sep 2026 10:00:00 GMT"));
    let other = Validators { etag: Some("\"two\"".to_owned()), last_modified: None };
    assert_eq!(versions(&ask_with(&server, &other).await).len(), 2);
}

#[tokio::test]
async fn drupal_7_has_a_feed_of_its_own() {
    let server = FeedServer::start().await;
    server.plays("views/7.x", [Mood::Document(feeds::Feed::drupal7("views", "3").release("7.x-3.1", &[]).xml())]);
    let project = ProjectName::parse("views").expect("a name");
    let answer = source(&server.url, LONG).fetch(&project, Feed::Drupal7, &Validators::default()).await;
    assert_eq!(versions(&answer), ["7.x-3.1"]);
}

#[tokio::test]
async fn a_compressed_history_is_unpacked_within_the_same_limit() {
    let (answer, _) = ask_in_mood(Mood::Gzip(token())).await;
    assert_eq!(versions(&answer).len(), 2);
    let (answer, asked) = ask_in_mood(Mood::Gzip(format!("{}{}", token(), " ".repeat(64 << 20)))).await;
    assert_eq!((why(&answer), asked), ("the document is larger than 16 MiB", 1));
}

#[tokio::test]
async fn an_unknown_project_is_told_from_a_failure_whatever_the_status() {
    for status in [200, 404] {
        let (answer, asked) = ask_in_mood(Mood::Status(status, no_history("token"))).await;
        assert_eq!((answer, asked), (FeedAnswer::NoHistory, 1));
    }
    let (answer, _) = ask_in_mood(Mood::Status(200, no_history("other"))).await;
    assert!(why(&answer).contains("other"));
    let (answer, asked) = ask_in_mood(Mood::Document("<error>Out of order</error>".to_owned())).await;
    assert_eq!((why(&answer), asked), ("the feed answers with an error: Out of order", 1));
}

#[tokio::test]
async fn what_may_have_failed_in_passing_is_asked_twice_and_no_more() {
    let half = token()[..400].to_owned();
    let moods = [
        Mood::Status(500, String::new()),
        Mood::Status(503, no_history("token")),
        Mood::HangUp(token()),
        Mood::Document(half),
        Mood::Document(token().replace("</title>", "</oops>")),
    ];
    for mood in moods {
        let server = FeedServer::start().await;
        server.plays("token/current", [mood.clone(), Mood::Document(token())]);
        assert_eq!(versions(&ask(&server).await).len(), 2, "{mood:?}");
        let (answer, asked) = ask_in_mood(mood.clone()).await;
        assert_eq!(asked, 2, "{mood:?}");
        assert!(!why(&answer).contains('\n'), "{mood:?}");
    }
}

#[tokio::test]
async fn what_will_not_get_better_is_asked_once() {
    let other = feeds::Feed::new("ctools", "8.x-3.").release("8.x-3.1", &[]).xml();
    let bomb = "<!DOCTYPE p [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><project><title>&b;</title></project>";
    for (mood, reason) in [
        (Mood::Status(410, "<html>gone</html>".to_owned()), "the feed answers 410"),
        (Mood::Status(403, String::new()), "the feed answers 403"),
        (Mood::Status(304, String::new()), "the feed answers 304"),
        (Mood::Status(200, "<html><body>Welcome</body></html>".to_owned()), "its root element is <html>"),
        (Mood::Status(200, String::new()), "the document is empty"),
        (Mood::Document(other), "this is the release history of ctools, not of token"),
        (Mood::Document(bomb.to_owned()), "document types are not accepted"),
    ] {
        let (answer, asked) = ask_in_mood(mood).await;
        assert!(why(&answer).contains(reason), "{answer:?}");
        assert_eq!(asked, 1, "{reason}");
    }
}

#[tokio::test]
async fn a_body_of_200_mb_is_cut_off_at_the_limit() {
    let server = FeedServer::start().await;
    server.plays("token/current", [Mood::Endless]);
    assert_eq!(why(&ask(&server).await), "the document is larger than 16 MiB");
    // What the sockets of both sides hold comes on top.
    assert!(server.endless_bytes() < 100 << 20, "{} bytes were taken", server.endless_bytes());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn nobody_is_waited_for_forever() {
    let server = FeedServer::start().await;
    server.plays("token/current", [Mood::Silent]);
    let project = ProjectName::parse("token").expect("a name");
    let impatient = source(&server.url, Duration::from_millis(100));
    let answer = impatient.fetch(&project, Feed::Current, &Validators::default()).await;
    assert_eq!(why(&answer), "the feed does not answer in time");

    // A port that nobody listens on.
    let url = server.url.clone();
    drop(server);
    let answer = source(&url, LONG).fetch(&project, Feed::Current, &Validators::default()).await;
    assert!(matches!(answer, FeedAnswer::Failed(_)), "{answer:?}");
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_host_only() {
    let server = FeedServer::start().await;
    server.plays("token/current", [Mood::Redirect("/release-history/token/moved".to_owned())]);
    server.plays("token/moved", [Mood::Document(token())]);
    assert_eq!(versions(&ask(&server).await).len(), 2);

    let other = FeedServer::start().await;
    other.plays("token/current", [Mood::Document(token())]);
    for target in
        [format!("{}/token/current", other.url), "http://localhost/token".to_owned(), "file:///etc".to_owned()]
    {
        server.plays("token/current", [Mood::Redirect(target)]);
        let answer = ask(&server).await;
        assert!(why(&answer).starts_with("the feed redirects elsewhere"), "{answer:?}");
    }
    assert!(other.asked().is_empty(), "another port is another server");

    server.plays("token/current", [Mood::Redirect("current".to_owned())]);
    let before = server.asked().len();
    assert_eq!(why(&ask(&server).await), "the feed redirects again and again");
    assert_eq!(server.asked().len() - before, 3);
}

#[tokio::test]
async fn requests_keep_their_distance() {
    let server = FeedServer::start().await;
    server.plays("token/current", [Mood::Document(token())]);
    let pause = Duration::from_secs(3600);
    let options = HttpFeedOptions { url: server.url.parse().expect("a URL"), pause, timeout: LONG };
    let source = HttpFeed::new(options, Arc::new(SystemClock)).expect("a client");
    let project = ProjectName::parse("token").expect("a name");
    assert_eq!(versions(&source.fetch(&project, Feed::Current, &Validators::default()).await).len(), 2);
    let known = Validators::default();
    let second = source.fetch(&project, Feed::Current, &known);
    // It waits for an hour, of which this test sees a moment: sending the request would take less.
    assert!(timeout(Duration::from_millis(300), second).await.is_err());
    assert_eq!(server.asked().len(), 1);
}
