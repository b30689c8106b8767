//! The command line, with the real binary.

use std::path::Path;

use insta::{Settings, assert_snapshot};
use module_monitor_ingestion::Clock;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use module_monitor_tests::process::{Finished, run};
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Monitor, projects, token, with};

on_both_backends!(
    what_is_insecure_is_listed_in_three_ways,
    wrong_figures_are_found_and_repaired,
    an_import_from_files_changes_the_list,
);

fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.add_filter("[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[uuid]");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[time]");
    settings
}

fn said(finished: &Finished) -> &str {
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{finished:?}");
    &finished.stdout
}

fn json_of(finished: &Finished) -> Value {
    serde_json::from_str(said(finished)).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

async fn what_is_insecure_is_listed_in_three_ways(database: TestDatabase) {
    let empty = run(&database.url, &["security", "list", "--json"]).await;
    assert_eq!(json_of(&empty), json!([]));
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    monitor.import(&Feed::new("views_x", "1.").release("1.0.0", &[]).fixed_by("1.0.1").fixed_by("1.0.2")).await;
    let disabled = with(contrib("views_x", "1.0.0"), "status", false);
    let city = monitor.site("City of Example", &[contrib("token", "8.x-1.15"), disabled]).await;
    monitor.site("=HYPERLINK(1)", &[contrib("token", "8.x-1.14"), contrib("views_x", "1.0.0")]).await;
    let until = timestamp(monitor.clock.now() + Duration::days(7));
    let acceptance =
        json!({"project": "token", "site_id": city.number(), "until": until, "reason": "behind a firewall"});
    assert_eq!(monitor.send(Method::POST, "/security/acceptances", &acceptance).await.status, 201);

    let cli = async |args: &[&str]| run(&database.url, &[&["security", "list"], args].concat()).await;
    let listed = json_of(&cli(&["--json"]).await);
    assert_eq!(listed, Value::Array(monitor.updates().await), "as over HTTP");
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    let table = cli(&[]).await;
    settings().bind(|| assert_snapshot!("cli_table", said(&table)));
    let csv = cli(&["--csv"]).await;
    settings().bind(|| assert_snapshot!("cli_csv", said(&csv).replace("\r\n", "\n")));

    let of_city = json_of(&cli(&["--json", "--site", &city.id, "--include-disabled"]).await);
    assert_eq!(projects(of_city.as_array().expect("a list")), ["token 8.x-1.15", "views_x 1.0.0"]);
    let of_views = json_of(&cli(&["--json", "--project", "views_x"]).await);
    assert_eq!(of_views.as_array().map(Vec::len), Some(1));
    for (args, flag) in
        [(&["--json", "--csv"][..], "--csv"), (&["--site", "01"], "--site"), (&["--project", "../x"], "--project")]
    {
        let refused = cli(args).await;
        assert_eq!((refused.code, refused.stderr.lines().count()), (2, 1), "{refused:?}");
        assert!(refused.stderr.contains(flag), "{refused:?}");
    }
    monitor.server.stop().await;
}

async fn wrong_figures_are_found_and_repaired(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let wrong = monitor.site("Wrong", &[contrib("token", "8.x-1.15")]).await;
    monitor.site("Right", &[contrib("token", "8.x-1.14")]).await;
    let cli = async |args: &[&str]| run(&database.url, &[&["security", "recount"], args].concat()).await;
    assert_eq!(said(&cli(&["--check"]).await), "Sites compared: 2. All figures are right.\n");
    assert_eq!(json_of(&cli(&["--check", "--json"]).await), json!([]));

    let mut raw = database.raw().await;
    raw.execute(&format!("UPDATE sites SET security_updates_found = 7 WHERE id = {}", wrong.id)).await;
    let found = cli(&["--check"]).await;
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.stdout.contains("Wrong") && !found.stdout.contains("Right"), "{found:?}");
    assert!(found.stderr.contains("1 of 2 sites"), "{found:?}");
    let listed = cli(&["--check", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    assert_eq!((&listed[0]["site_id"], listed.as_array().map(Vec::len)), (&json!(wrong.number()), Some(1)));
    assert_eq!(listed[0]["stored"]["security_updates_found"], 7);
    assert_eq!(listed[0]["counted"]["security_updates_found"], 1);
    assert_eq!(monitor.figures(&wrong).await, [7, 1, 1], "--check changes nothing");

    assert!(said(&cli(&[]).await).ends_with("Sites recounted: 2. Wrong before: 1.\n"));
    assert_eq!(monitor.figures(&wrong).await, [1, 1, 1]);
    assert_eq!(said(&cli(&["--check"]).await), "Sites compared: 2. All figures are right.\n");
    assert_eq!(said(&cli(&[]).await), "Sites recounted: 2. All figures were right.\n");
    monitor.server.stop().await;
}

async fn an_import_from_files_changes_the_list(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let site = monitor.site("Site", &[contrib("token", "8.x-1.15"), contrib("pathauto", "8.x-1.12")]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let good = path(&token().fixed_by("8.x-1.16").file(folder.path()));
    let bad = path(&folder.path().join("bad.xml"));
    std::fs::write(&bad, "<project><title>x").expect("a file");
    let imported = run(&database.url, &["releases", "import", &bad, &good]).await;
    assert_eq!(imported.code, 1, "one of them is broken: {imported:?}");
    assert!(imported.stderr.contains("bad.xml"), "{imported:?}");
    let listed = run(&database.url, &["security", "list", "--json"]).await;
    assert_eq!(projects(json_of(&listed).as_array().expect("a list")), ["token 8.x-1.15"]);
    assert_eq!(monitor.figures(&site).await, [1, 1, 2]);
    assert_eq!(run(&database.url, &["security", "recount", "--check"]).await.code, 0);
    monitor.server.stop().await;
}
