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
    older_branches_are_counted_and_bounds_stay_on_their_side,
    lists_of_sites_come_as_csv_by_tag_and_without,
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
        let ids: Vec<_> = items.iter().map(|item| item["site_id"].as_i64().expect("a number")).collect();
        assert!(ids.is_sorted());
        (ids, items)
    };
    let sorted = |sites: &[&module_monitor_tests::api::TestSite]| {
        let mut ids: Vec<_> = sites.iter().map(|site| site.number()).collect();
        ids.sort();
        ids
    };
    assert_eq!(of("/projects/token/sites").await.0, sorted(&[&old, &mixed, &new, &git]));
    // 1.14 is above 1.2, and what nobody knows is below nothing.
    let (ids, items) = of("/projects/token/sites?below=8.x-1.14").await;
    assert_eq!(ids, sorted(&[&old, &mixed]));
    let found = items.iter().find(|item| item["site_id"] == mixed.number()).expect("the site");
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

/// `site branch` of each item, and the counts.
fn branches(answer: &Value) -> (Vec<String>, &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let items = answer["items"].as_array().expect("items").iter();
    let mut found: Vec<String> =
        items.map(|item| format!("{} {}", text(&item["site_name"]), text(&item["branch"]))).collect();
    found.sort();
    (found, &answer["counts"])
}

async fn older_branches_are_counted_and_bounds_stay_on_their_side(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&feeds::Feed::new("token", "8.x-1.,2.").release("2.3.1", &[]).release("8.x-1.15", &[])).await;
    for version in ["8.x-1.2", "8.x-1.15", "2.1.0", "2.3.0"] {
        monitor.site(version, &[contrib("token", version)]).await;
    }
    let old = monitor.server.site("7.x-1.2").await;
    let mut report = module_monitor_tests::payloads::report_at(monitor.clock.now(), vec![contrib("token", "7.x-1.2")]);
    report["drupal_version"] = "7.103".into();
    monitor.server.api.sync(&old, &report).await.ok();

    for list in ["/projects/token/sites", "/modules/token/sites"] {
        let of = async |query: &str| monitor.get(&format!("{list}?{query}")).await.ok();
        // The branch is the one that the feed supports, and not 2.3.
        let answer = of("below=2.3.1").await;
        let expected = ["2.1.0 same", "2.3.0 same", "8.x-1.15 older", "8.x-1.2 older"];
        assert_eq!(
            branches(&answer),
            (expected.map(str::to_owned).to_vec(), &json!({"same": 2, "older": 2})),
            "{list}"
        );
        let older = answer["items"].as_array().expect("items").iter().find(|item| item["site_name"] == "8.x-1.2");
        assert_eq!(older.expect("the site")["update_status"], "not_current", "{list}");
        let answer = of("below=2.3.1&branch=same&limit=1").await;
        assert_eq!((branches(&answer).0.len(), branches(&answer).1), (1, &json!({"same": 2, "older": 2})), "{list}");
        let answer = of("from=8.x-1.2&to=2.1.0").await;
        assert_eq!(branches(&answer).0, ["2.1.0 same", "8.x-1.15 older", "8.x-1.2 older"], "{list}");
        assert_eq!(branches(&of("below=7.x-1.14").await).0, ["7.x-1.2 same"], "{list}");
        assert_eq!(branches(&of("from=2.3.0").await), (vec!["2.3.0 -".to_owned()], &Value::Null), "{list}");
        for wrong in [
            "branch=same",
            "branch=older&to=2.0.0",
            "to=1.0.0&below=2.0.0",
            "from=7.x-1.0&to=8.x-2.0",
            "from=2.0.0&to=1.0.0",
        ] {
            monitor.get(&format!("{list}?{wrong}")).await.problem(422, "validation-failed");
        }
    }
    monitor.server.stop().await;
}

async fn lists_of_sites_come_as_csv_by_tag_and_without(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token()).await;
    let tagged = monitor.site("Tagged", &[contrib("token", "8.x-1.14")]).await;
    monitor.site("Other", &[contrib("token", "8.x-1.15")]).await;
    let lacking = monitor.site("Lacking", &[contrib("pathauto", "8.x-1.0")]).await;
    for site in [&tagged, &lacking] {
        let path = format!("/sites/{}", site.id);
        monitor.send(Method::PATCH, &path, &json!({"tags": ["few"]})).await.ok();
    }
    let accepting = async |path: &str, accept: &str| {
        let request = monitor.server.api.request(Method::GET, &format!("/api/v1{path}"));
        let request = request.header("X-API-Key", &monitor.admin).header("Accept", accept);
        module_monitor_tests::api::Answer::of(request).await
    };
    let csv = accepting("/projects/token/sites?below=8.x-1.15", "text/csv").await;
    let line = format!("{},Tagged,8.x-1.14,same,not_current,token\r\n", tagged.id);
    assert_eq!(csv.text, format!("site_id,site_name,version,branch,update_status,modules\r\n{line}"));
    assert_eq!((csv.header("vary"), csv.status), (Some("Accept"), 200));
    let csv = accepting("/modules/token/sites?tag=few", "text/csv").await;
    assert!(
        csv.text.lines().nth(1).is_some_and(|line| line.contains(",Tagged,8.x-1.14,,not_current,true,contrib,")),
        "{csv:?}"
    );
    assert_eq!(csv.text.lines().count(), 2);
    let csv = accepting("/projects/token/sites?without=true", "text/csv").await;
    assert!(csv.text.ends_with(&format!("{},Lacking,,,,\r\n", lacking.id)), "{csv:?}");

    let names = async |path: &str| branches(&monitor.get(path).await.ok()).0;
    assert_eq!(names("/projects/token/sites?tag=few").await, ["Tagged -"]);
    assert_eq!(names("/projects/token/sites?without=true&tag=few").await, ["Lacking -"]);
    assert_eq!(names("/projects/token/sites?without=true&tag=many").await, [""; 0]);
    monitor.get("/projects/token/sites?without=true&below=2.0.0").await.problem(422, "validation-failed");
    monitor.get("/projects/nothing/sites?without=true").await.problem(404, "project-not-found");
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    assert_eq!(monitor.updates().await.len(), 2);
    assert_eq!(projects(&monitor.list("/security/updates?tag=few").await), ["token 8.x-1.14"]);
    assert_eq!(monitor.list("/security/updates?tag=few&fixed=true").await.len(), 0);

    for path in ["/projects/token/sites", "/security/updates", "/sites", "/audit", "/projects/token/releases"] {
        accepting(path, "application/xml").await.problem(406, "not-acceptable");
        for fine in ["*/*", "application/*", "application/json, application/problem+json", "application/xml, */*;q=0.1"]
        {
            accepting(path, fine).await.ok();
        }
    }
    let refused = accepting("/audit", "text/csv").await.problem(406, "not-acceptable");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("application/json")), "{refused}");
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
    assert_eq!(monitor.figures(&site).await, [1, 1, 1], "and the core, which is not known yet");
    assert_eq!(projects(&monitor.updates().await), ["token 8.x-1.15"]);
    assert_eq!(monitor.get("/projects/token/releases").await.ok()["items"][0]["version"], "8.x-1.16");
    monitor.server.stop().await;
}
