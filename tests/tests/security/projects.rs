//! Release data of a project, and the sites that have it.

use module_monitor_domain::{Feed, ProjectName};
use module_monitor_ingestion::Clock;
use module_monitor_storage::{Check, CheckOutcome};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use module_monitor_tests::process::run;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Monitor, custom, projects, token, with};

on_both_backends!(
    release_data_is_shown_with_its_age,
    a_project_is_looked_up_again_on_request,
    the_question_of_an_advisory_night,
    names_that_are_no_projects_are_not_found,
    a_file_that_is_imported_by_hand_is_shown,
);

async fn release_data_is_shown_with_its_age(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.site("Site", &[contrib("token", "8.x-1.15")]).await;
    let unknown = monitor.get("/projects/token/releases").await.ok();
    assert_eq!((&unknown["fetched_at"], &unknown["items"]), (&Value::Null, &json!([])));
    assert!(unknown["next_check_at"].is_string(), "{unknown}");

    monitor.import(&token().release("8.x-1.1", &["Insecure", "Security update"]).withdrawn()).await;
    let imported_at = timestamp(monitor.clock.now());
    monitor.clock.advance(Duration::hours(1));
    let data = monitor.get("/projects/token/releases").await.ok();
    assert_eq!(
        (&data["project"], &data["feed"], &data["feeds"]),
        (&json!("token"), &json!("current"), &json!(["current"]))
    );
    assert_eq!(
        (&data["title"], &data["type"], &data["status"]),
        (&json!("The token project"), &json!("project_module"), &json!("published"))
    );
    assert_eq!((&data["supported_branches"], &data["supported_majors"]), (&json!(["8.x-1."]), &json!([])));
    assert_eq!((&data["fetched_at"], &data["checked_at"]), (&json!(imported_at), &json!(imported_at)));
    assert_eq!((&data["stale"], &data["last_error"]), (&json!(false), &Value::Null));
    let items = data["items"].as_array().expect("items");
    let versions: Vec<&Value> = items.iter().map(|item| &item["version"]).collect();
    assert_eq!(versions, ["8.x-1.15", "8.x-1.14", "8.x-1.1"]);
    let flags = |item: &Value| ["security_update", "insecure", "unsupported"].map(|name| item[name] == true);
    assert_eq!((flags(&items[0]), flags(&items[2])), ([false; 3], [true, true, false]));
    assert_eq!((&items[0]["status"], &items[2]["status"]), (&json!("published"), &json!("unpublished")));
    assert!(items[0]["released_at"].as_str() > items[1]["released_at"].as_str());
    assert_eq!((&items[0]["covered"], &items[0]["core_compatibility"]), (&json!(true), &json!("^10 || ^11")));
    let paged = monitor.server.api.list(&monitor.admin, "/api/v1/projects/token/releases", 1).await;
    assert_eq!(&paged, items);

    // The other feed of the same project.
    monitor.get("/projects/token/releases?feed=7.x").await.problem(404, "project-not-found");
    monitor.import(&feeds::Feed::drupal7("token", "1").release("7.x-1.7", &[])).await;
    let old = monitor.get("/projects/token/releases?feed=7.x").await.ok();
    assert_eq!((&old["feeds"], &old["supported_majors"]), (&json!(["current", "7.x"]), &json!(["1"])));
    assert_eq!(old["items"][0]["version"], "7.x-1.7");
    assert_eq!(monitor.get("/projects/token/releases").await.ok()["feed"], "current");
    monitor.get("/projects/token/releases?feed=8.x").await.problem(422, "validation-failed");
    monitor.server.stop().await;
}

async fn a_project_is_looked_up_again_on_request(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let site = monitor.site("Site", &[contrib("token", "8.x-1.15")]).await;
    monitor.send(Method::POST, "/projects/pathauto/refresh", &Value::Null).await.problem(404, "project-not-found");
    // The feed has been asked, in vain; it will be asked again tomorrow.
    monitor.import(&token()).await;
    let fetched_at = timestamp(monitor.clock.now());
    monitor.clock.advance(Duration::minutes(5));
    let (at, tomorrow) = (monitor.clock.now(), monitor.clock.now() + Duration::DAY);
    let (project, outcome) =
        (ProjectName::parse("token").expect("a name"), CheckOutcome::Failed("it is down".to_owned()));
    let check = Check { project, feed: Feed::Current, at, next_check_at: tomorrow, outcome };
    monitor.server.storage().note_check(check).await.expect("it is noted");
    let data = monitor.get("/projects/token/releases").await.ok();
    assert_eq!((&data["stale"], &data["last_error"]), (&json!(true), &json!("it is down")));
    assert_eq!((&data["fetched_at"], &data["last_error_at"]), (&json!(fetched_at), &json!(timestamp(at))));
    assert_eq!(
        (&data["next_check_at"], data["items"].as_array().map(Vec::len)),
        (&json!(timestamp(tomorrow)), Some(2))
    );

    monitor.clock.advance(Duration::minutes(5));
    let scheduled = monitor.send(Method::POST, "/projects/token/refresh", &Value::Null).await;
    assert_eq!((scheduled.status, scheduled.json()["project"].clone()), (202, json!("token")), "{}", scheduled.text);
    let data = monitor.get("/projects/token/releases").await.ok();
    assert_eq!(data["next_check_at"], timestamp(monitor.clock.now()));
    let due = monitor.server.storage().due_projects(monitor.clock.now(), 10).await.expect("projects");
    assert!(due.iter().any(|feed| feed.project.as_str() == "token"), "{due:?}");
    let events = monitor.list("/audit").await;
    assert!(events.iter().any(|event| event["target"] == "token"), "{events:?}");
    let own = monitor.server.api.request(Method::POST, "/api/v1/projects/token/refresh").header("X-API-Key", &site.key);
    module_monitor_tests::api::Answer::of(own).await.problem(403, "admin-only");
    monitor.get("/projects/token/refresh").await.problem(405, "method-not-allowed");
    monitor.server.stop().await;
}

async fn the_question_of_an_advisory_night(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token()).await;
    let submodule = with(contrib("token_filter", "8.x-1.2"), "project", "token");
    let old = monitor.site("Old", &[contrib("token", "8.x-1.2")]).await;
    let mixed = monitor.site("Mixed", &[contrib("token", "8.x-1.15"), with(submodule, "status", false)]).await;
    let new = monitor.site("New", &[contrib("token", "8.x-1.15")]).await;
    monitor.site("Without", &[custom("own_code")]).await;
    let git = monitor.site("Git", &[with(contrib("token", "8.x-1.0"), "version", Value::Null)]).await;
    let of = async |path: &str| {
        let items = monitor.list(path).await;
        let mut ids: Vec<_> = items.iter().map(|item| item["site_id"].as_str().expect("an id").to_owned()).collect();
        assert!(ids.is_sorted());
        ids.sort();
        (ids, items)
    };
    let sorted = |sites: &[&module_monitor_tests::api::TestSite]| {
        let mut ids: Vec<_> = sites.iter().map(|site| site.id.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(of("/projects/token/sites").await.0, sorted(&[&old, &mixed, &new, &git]));
    // 1.14 is above 1.2, and what nobody knows is below nothing.
    let (ids, items) = of("/projects/token/sites?below=8.x-1.14").await;
    assert_eq!(ids, sorted(&[&old, &mixed]));
    let found = items.iter().find(|item| item["site_id"] == mixed.id).expect("the site");
    assert_eq!((&found["version"], &found["modules"]), (&json!("8.x-1.2"), &json!(["token", "token_filter"])));
    assert_eq!((&found["site_name"], &found["update_status"]), (&json!("Mixed"), &json!("not_current")));
    assert_eq!(of("/projects/token/sites?below=8.x-1.15").await.0, sorted(&[&old, &mixed]));
    assert_eq!(of("/projects/token/sites?below=8.x-1.16").await.0, sorted(&[&old, &mixed, &new]));
    assert_eq!(of("/projects/token/sites?below=8.x-1.0").await.0, sorted(&[]));
    let paged = monitor.server.api.list(&monitor.admin, "/api/v1/projects/token/sites?below=8.x-1.16", 1).await;
    assert_eq!(projects(&paged).len(), 3);
    monitor.get("/projects/token/sites?below=latest").await.problem(422, "validation-failed");
    monitor.server.stop().await;
}

async fn names_that_are_no_projects_are_not_found(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let long = "x".repeat(129);
    for name in ["pathauto", "Token", "%2E%2E%2Ftoken", "token%2F..", "token%00", "t%C3%B6ken", "%20", long.as_str()] {
        for path in ["releases", "sites"] {
            monitor.get(&format!("/projects/{name}/{path}")).await.problem(404, "project-not-found");
        }
        let path = format!("/projects/{name}/refresh");
        monitor.send(Method::POST, &path, &Value::Null).await.problem(404, "project-not-found");
    }
    monitor.server.stop().await;
}

async fn a_file_that_is_imported_by_hand_is_shown(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = token().fixed_by("8.x-1.16").file(folder.path());
    let site = monitor.site("Site", &[contrib("token", "8.x-1.15")]).await;
    let imported = run(&database.url, &["releases", "import", file.to_str().expect("a path")]).await;
    assert_eq!(imported.code, 0, "{imported:?}");
    assert_eq!(monitor.figures(&site).await, [1, 1, 0]);
    assert_eq!(projects(&monitor.updates().await), ["token 8.x-1.15"]);
    assert_eq!(monitor.get("/projects/token/releases").await.ok()["items"][0]["version"], "8.x-1.16");
    monitor.server.stop().await;
}
