//! The command line, with the real binary.

use std::path::Path;
use std::slice;

use insta::{Settings, assert_snapshot};
use module_monitor_ingestion::Clock;
use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use module_monitor_tests::process::{Finished, run};
use module_monitor_tests::reports::now;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Monitor, custom, projects, token, with};

on_both_backends!(
    what_is_insecure_is_listed_in_three_ways,
    wrong_figures_are_found_and_repaired,
    an_import_from_files_changes_the_list,
    risks_are_accepted_listed_and_ended,
    what_cannot_be_accepted_is_refused_with_the_option,
    unidentified_code_is_settled,
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
    assert_eq!(run(&database.url, &["migrate"]).await.code, 0);
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

async fn risks_are_accepted_listed_and_ended(database: TestDatabase) {
    let monitor = Monitor::start_at(&database, now()).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let city = monitor.site("City", &[contrib("token", "8.x-1.15")]).await;
    let town = monitor.site("Town", &[contrib("token", "8.x-1.14")]).await;
    let cli = async |args: &[&str]| run(&database.url, &[&["acceptance"], args].concat()).await;
    assert_eq!(json_of(&cli(&["list", "--json"]).await), json!([]));

    let until = timestamp(monitor.clock.now() + Duration::days(7));
    let of_city = ["add", "--project", "token", "--from", "8.x-1.15", "--to", "8.x-1.15", "--site", &city.id];
    let made =
        json_of(&cli(&[&of_city[..], &["--until", &until, "--reason", "behind a firewall", "--json"]].concat()).await);
    let told = [&made["status"], &made["site_id"], &made["created_by"], &made["reason"], &made["until"]];
    let expected =
        [json!("insecure"), json!(city.number()), json!("command line"), json!("behind a firewall"), json!(until)];
    assert_eq!(told, [0, 1, 2, 3, 4].map(|at: usize| &expected[at]));
    assert_eq!(made["versions"], json!({"from": "8.x-1.15", "to": "8.x-1.15"}));
    assert_eq!((monitor.figures(&city).await, monitor.figures(&town).await), ([0, 0, 1], [1, 1, 1]));
    assert_eq!(monitor.list("/security/acceptances").await, slice::from_ref(&made), "as over HTTP");

    // The core, which nobody has asked about, on all sites, for some time.
    let added = cli(&["add", "--project", "drupal", "--status", "unknown", "--until", "30d", "--reason", "soon"]).await;
    assert!(said(&added).starts_with("Accepted as "), "{added:?}");
    assert_eq!((monitor.figures(&city).await, monitor.figures(&town).await), ([0, 0, 0], [1, 1, 0]));
    let listed = json_of(&cli(&["list", "--json"]).await);
    assert_eq!(listed, Value::Array(monitor.list("/security/acceptances").await));
    let table = cli(&["list"]).await;
    let text = said(&table);
    assert!(text.starts_with(" ID "), "{text}");
    for cells in
        [&["drupal", "unknown", "all", "soon"], &["token", "insecure", "8.x-1.15 to 8.x-1.15", "behind a firewall"]]
    {
        assert!(text.lines().any(|line| cells.iter().all(|cell| line.contains(cell))), "{cells:?}: {text}");
    }

    let id = made["id"].as_str().expect("an id");
    assert_eq!(said(&cli(&["end", id]).await), format!("Ended: {id}.\n"));
    assert_eq!(monitor.figures(&city).await, [1, 1, 0]);
    assert_eq!(json_of(&cli(&["list", "--json"]).await).as_array().map(Vec::len), Some(1));
    let ended = json_of(&cli(&["list", "--json", "--ended"]).await);
    assert_eq!((ended.as_array().map(Vec::len), &ended[1]["ended_reason"]), (Some(2), &json!("withdrawn")));
    let again = cli(&["end", id]).await;
    assert_eq!((again.code, again.stderr.contains("acceptance list")), (1, true), "{again:?}");
    monitor.server.stop().await;
}

async fn what_cannot_be_accepted_is_refused_with_the_option(database: TestDatabase) {
    run(&database.url, &["migrate"]).await;
    let good = ["acceptance", "add", "--project=token", "--until=1d", "--reason=why"];
    for (code, bad) in [
        (2, "--until=soon"),
        (2, "--until=yesterday"),
        (1, "--until=2020-01-01T00:00:00Z"),
        (1, "--until=0s"),
        (2, "--project=../x"),
        (2, "--status=secure"),
        (2, "--site=01"),
        (1, "--site=987654321"),
        (1, "--reason= "),
        (1, "--from=newest"),
        (1, "--to=newest"),
    ] {
        let (option, _) = bad.split_once('=').expect("an option and its value");
        let others = good.iter().copied().filter(|arg| !arg.starts_with(option));
        let args: Vec<&str> = others.chain([bad]).collect();
        let refused = run(&database.url, &args).await;
        assert_eq!(
            (refused.code, refused.stdout.as_str(), refused.stderr.lines().count()),
            (code, "", 1),
            "{refused:?}"
        );
        let named = if bad.ends_with("987654321") { "no such site" } else { option };
        assert!(refused.stderr.contains(named), "{bad}: {refused:?}");
    }
    assert_eq!(json_of(&run(&database.url, &["acceptance", "list", "--ended", "--json"]).await), json!([]));
}

async fn unidentified_code_is_settled(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let from_git = [with(custom("token"), "version", "8.x-1.15")];
    let (one, two) = (monitor.site("One", &from_git).await, monitor.site("Two", &from_git).await);
    let cli = async |args: &[&str]| run(&database.url, &[&["identity", "set"], args].concat()).await;
    let class = async |site: &TestSite| monitor.module(site, "token").await["class"].as_str().map(str::to_owned);
    let both = async || [class(&one).await.unwrap_or_default(), class(&two).await.unwrap_or_default()];
    assert_eq!(both().await, ["unknown"; 2]);
    let listed = run(&database.url, &["security", "list", "--status", "unknown", "--project", "token"]).await;
    assert_eq!(said(&listed).matches("unknown: unidentified").count(), 2, "{listed:?}");
    // Nothing is known to be insecure; that is what the list says, and of how many sites it says too little.
    let nothing = async |args: &[&str]| run(&database.url, &[&["security", "list"], args].concat()).await;
    assert!(said(&nothing(&[]).await).contains(" on 2 sites could not be judged"));
    assert!(said(&nothing(&["--site", &one.id]).await).contains(" on 1 site could not be judged"));

    assert_eq!(
        said(&cli(&["token", "--own", "--site", &one.id]).await),
        format!("Settled for token on site {}.\n", one.id)
    );
    assert_eq!(both().await, ["own", "unknown"]);
    assert_eq!(said(&cli(&["token", "--project", "token"]).await), "Settled for token. Sites recounted: 2.\n");
    assert_eq!(both().await, ["own", "insecure"]);
    assert_eq!(monitor.figures(&two).await, [1, 1, 1]);
    said(&cli(&["token", "--open", "--site", &one.id]).await);
    assert_eq!(both().await, ["insecure"; 2]);
    said(&cli(&["token", "--open"]).await);
    assert_eq!(both().await, ["unknown"; 2]);

    let nobodys = cli(&["nowhere", "--own"]).await;
    assert_eq!((nobodys.code, nobodys.stderr.contains("no extension nowhere")), (1, true), "{nobodys:?}");
    for args in [&["token"][..], &["token", "--own", "--open"], &["token", "--project", "../x"], &["to ken", "--own"]] {
        let refused = cli(args).await;
        assert_eq!((refused.code, refused.stderr.lines().count()), (2, 1), "{refused:?}");
    }
    assert_eq!(run(&database.url, &["security", "recount", "--check"]).await.code, 0);
    monitor.server.stop().await;
}
