//! What a site makes up changes nothing for others, and asks drupal.org for little.

use module_monitor_ingestion::Clock;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, contribs, report_at};
use module_monitor_tests::process::wait_for;
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Monitor, custom, figures, projects, token, with};

on_both_backends!(
    a_clean_project_claimed_for_anothers_module_changes_nothing_there,
    tricks_with_names_and_links_lead_nowhere,
    a_flood_of_new_names_is_looked_up_slowly,
);

async fn a_clean_project_claimed_for_anothers_module_changes_nothing_there(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&Feed::new("clean", "8.x-1.").release("8.x-1.15", &[])).await;
    // The hostile site comes first, and again between others.
    let claim = [
        with(contrib("token", "8.x-1.15"), "project", "clean"),
        with(contrib("pathauto", "8.x-1.12"), "project_link", "https://www.drupal.org/project/clean"),
        with(with(contrib("node", "10.3.6"), "project", "clean"), "type", "contrib"),
    ];
    let hostile = monitor.site("Hostile", &claim).await;
    let core = with(contrib("node", "10.3.6"), "type", "core");
    let honest = [contrib("token", "8.x-1.15"), contrib("pathauto", "8.x-1.12"), core];
    let before = monitor.site("Before", &honest).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    monitor.import(&Feed::new("pathauto", "8.x-1.").release("8.x-1.12", &[]).fixed_by("8.x-1.13")).await;
    monitor.import(&Feed::new("drupal", "10.3.").release("10.3.6", &[]).fixed_by("10.3.7")).await;
    monitor.report(&hostile, &claim).await;
    let after = monitor.site("After", &honest).await;
    for site in [&before, &after] {
        assert_eq!(monitor.figures(site).await, [3, 3, 0]);
        assert_eq!(monitor.status(site, "token").await, "not_secure");
    }
    // It only fools itself, and does not get round its core by reporting no module of it as such.
    let fooled = monitor.get(&format!("/sites/{}", hostile.id)).await.ok();
    assert_eq!(figures(&fooled), [1, 1, 0]);
    let classes = json!({"insecure": 1, "unsupported": 1, "unknown": 0, "own": 0, "secure": 2});
    assert_eq!(fooled["coverage"], classes, "the core; node, which is none of the clean releases; and the other two");
    let own = monitor.module(&hostile, "token").await;
    assert_eq!((&own["project"], &own["update_status"]), (&json!("clean"), &json!("current")));
    let updates = monitor.updates().await;
    assert_eq!(updates.len(), 7);
    let of_hostile: Vec<Value> = updates.into_iter().filter(|update| update["site_id"] == hostile.number()).collect();
    assert_eq!((projects(&of_hostile), &of_hostile[0]["modules"]), (vec!["drupal 10.3.6".to_owned()], &json!([])));
    monitor.server.stop().await;
}

async fn tricks_with_names_and_links_lead_nowhere(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let site = monitor.server.site("Hostile").await;
    for name in ["../../etc/passwd", "token/../drupal", "token%2Fcurrent", "http://evil.example/", "Token", "a b", ""] {
        let report = report_at(monitor.clock.now(), vec![with(contrib("token", "1.0.0"), "project", name)]);
        let answer = monitor.server.api.sync(&site, &report).await.problem(422, "validation-failed");
        assert_eq!(answer["errors"][0]["pointer"], "/modules/0/project", "{name}");
    }
    let links = ["https://www.drupal.org/project/../../evil", "https://evil.example/project/evil", "javascript:evil()"];
    let mut modules: Vec<Value> = links
        .iter()
        .enumerate()
        .map(|(n, link)| with(contrib(&format!("module_{n}"), "1.0.0"), "project_link", *link))
        .collect();
    modules.push(with(contrib("Upper", "1.0.0"), "type", "contrib"));
    modules.push(custom("secret_customer"));
    monitor.report(&site, &modules).await;
    let due = monitor.server.storage().due_projects(monitor.clock.now() + Duration::days(30), 1000).await;
    let mut names: Vec<String> = due.expect("projects").iter().map(|feed| feed.project.to_string()).collect();
    names.sort();
    assert_eq!(names, ["drupal", "module_0", "module_1", "module_2"], "own names at most, and no custom ones");
    monitor.server.stop().await;
}

async fn a_flood_of_new_names_is_looked_up_slowly(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let hostile = monitor.server.site("Hostile").await;
    let due = async || {
        let found = monitor.server.storage().due_projects(monitor.clock.now() + Duration::hours(23), 10_000).await;
        found.expect("projects").len()
    };
    for round in 0..3 {
        let names = contribs(&format!("flood_{round}"), 2000, "1.0.0");
        let synced = monitor.report(&hostile, &names).await;
        assert_eq!(figures(&synced), [0, 0, 2001], "unknown is not zero");
        // What changes so much has to rest.
        monitor.clock.advance(Duration::minutes(2));
        // The names are introduced when their sync is over.
        let lookups = wait_for("names are looked up", async || Some(due().await).filter(|lookups| *lookups > 0)).await;
        assert!(lookups <= 51, "{lookups} look-ups after round {round}");
    }
    // Another site's names do not wait behind them.
    monitor.site("Honest", &contribs("honest", 20, "1.0.0")).await;
    let honest = monitor.server.storage().due_projects(monitor.clock.now() + Duration::hours(23), 10_000).await;
    let honest = honest.expect("projects").iter().filter(|feed| feed.project.as_str().starts_with("honest")).count();
    assert_eq!(honest, 20);
    monitor.server.stop().await;
}
