//! `module-monitor releases`, with the real binary.

use std::process::Stdio;

use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::contrib;
use module_monitor_tests::process::{Finished, command, finish, run};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::io::AsyncWriteExt;

use crate::feed_server::{FeedServer, Mood, no_history};
use crate::support::{calm, fixed, reporting_site};

on_both_backends!(
    files_are_imported_and_a_bad_one_is_named,
    standard_input_is_a_file_too,
    one_project_is_refreshed_whatever_its_schedule,
    what_is_due_is_refreshed,
);

fn json_of(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

async fn files_are_imported_and_a_bad_one_is_named(database: TestDatabase) {
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
    let folder = tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let file = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).expect("a file");
        path(name)
    };
    let token = file("token.xml", fixed("token"));
    let broken = file("broken.xml", fixed("ctools").replace("</project>", ""));
    let unknown = file("unknown.xml", no_history("nobody"));
    let views = module_monitor_tests::feeds::Feed::drupal7("views", "3").release("7.x-3.1", &[]).xml();
    let views = file("views.xml", views);

    let import = ["releases", "import", &token, &broken, &unknown, &path("missing.xml"), &views, "--json"];
    let finished = run(&database.url, &import).await;
    assert_eq!(finished.code, 1, "{finished:?}");
    let last = finished.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: 3 of 5 files could not be imported") && last.contains("broken.xml"), "{last}");
    let imported = json_of(&finished);
    let of = |n: usize| &imported[n];
    assert_eq!((&of(0)["project"], &of(0)["feed"]), (&"token".into(), &"current".into()), "{imported}");
    assert_eq!((&of(0)["releases"], &of(0)["changed"]), (&2.into(), &true.into()), "{imported}");
    assert!(of(1)["error"].as_str().is_some_and(|error| error.contains("the document ends at byte")), "{imported}");
    assert!(of(2)["error"].as_str().is_some_and(|error| error.contains("nobody")), "{imported}");
    assert!(of(3)["error"].as_str().is_some_and(|error| error.contains("cannot be read")), "{imported}");
    assert_eq!((&of(4)["project"], &of(4)["feed"]), (&"views".into(), &"7.x".into()), "{imported}");

    let again = run(&database.url, &["releases", "import", &token]).await;
    assert_eq!(again.code, 0, "{again:?}");
    let mut lines = again.stdout.lines();
    assert!(lines.next().is_some_and(|line| line.trim_start().starts_with("FILE")), "{again:?}");
    assert!(lines.next().is_some_and(|line| line.contains("token") && line.contains("unchanged")), "{again:?}");
    assert_eq!(again.stderr, format!("import 1/1: {token}: unchanged\n"));
}

async fn standard_input_is_a_file_too(database: TestDatabase) {
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
    let import = ["--database-url", &database.url, "releases", "import", "-", "--json"];
    let mut child = command(&import).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(calm("token").as_bytes()).await.expect("it reads");
    drop(input);
    let output = child.wait_with_output().await.expect("it ends");
    assert!(output.status.success());
    let imported: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&imported[0]["file"], &imported[0]["project"]), (&"-".into(), &"token".into()), "{imported}");
}

async fn one_project_is_refreshed_whatever_its_schedule(database: TestDatabase) {
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
    let feed = FeedServer::start().await;
    feed.plays("token/current", [Mood::Tagged(calm("token"), "\"one\"")]);
    let refresh = async |project: &str| {
        let args = ["releases", "refresh", "--project", project, "--release-url", &feed.url, "--json"];
        run(&database.url, &[&args[..], &["--release-pause", "0s"]].concat()).await
    };
    for outcome in ["fetched", "not_modified"] {
        let finished = refresh("token").await;
        assert_eq!(finished.code, 0, "{finished:?}");
        let refreshed = json_of(&finished);
        assert_eq!((&refreshed[0]["project"], &refreshed[0]["outcome"]), (&"token".into(), &outcome.into()));
    }
    let nobody = refresh("nobody").await;
    assert_eq!((nobody.code, &json_of(&nobody)[0]["outcome"]), (0, &"no_history".into()), "{nobody:?}");

    feed.plays("token/current", [Mood::Status(410, String::new())]);
    let failed = refresh("token").await;
    assert_eq!(failed.code, 1, "{failed:?}");
    assert_eq!(json_of(&failed)[0]["error"], "the feed answers 410 Gone");
    assert!(failed.stderr.contains("what is known stays"), "{failed:?}");

    let before = feed.asked().len();
    let odd = refresh("../user").await;
    assert_eq!((odd.code, feed.asked().len()), (2, before), "{odd:?}");
    assert!(odd.stderr.contains("--project"), "{odd:?}");
}

async fn what_is_due_is_refreshed(database: TestDatabase) {
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
    let args = |url: &str| -> Vec<String> {
        ["releases", "refresh", "--release-pause", "0s", "--release-url", url].map(str::to_owned).to_vec()
    };
    let feed = FeedServer::start().await;
    let refresh = async || {
        let args = args(&feed.url);
        run(&database.url, &args.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    let nothing = refresh().await;
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, "Nothing is due.\n"), "{nothing:?}");
    reporting_site(&database, json!([contrib("token", "8.x-1.0")])).await;
    feed.plays("token/current", [Mood::Document(calm("token"))]);
    let refreshed = refresh().await;
    assert_eq!(refreshed.code, 0, "{refreshed:?}");
    assert!(refreshed.stdout.contains("token") && refreshed.stdout.contains("changed"), "{refreshed:?}");
    assert_eq!(refresh().await.stdout, "Nothing is due.\n");
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named() {
    for (flag, value) in [
        ("--release-url", "ftp://example.org"),
        ("--release-interval", "10ms"),
        ("--release-pause", "2h"),
        ("--project", "Token"),
    ] {
        let finished = finish(command(&["releases", "refresh", flag, value])).await;
        assert_eq!(finished.code, 2, "{finished:?}");
        assert!(finished.stderr.contains(flag) && finished.stderr.lines().count() == 1, "{finished:?}");
    }
    assert_eq!(finish(command(&["releases", "import"])).await.code, 2);
}
