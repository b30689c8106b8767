//! Accepted risks.

use std::slice;

use module_monitor_ingestion::Clock;
use module_monitor_tests::api::Answer;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, timestamp};
use module_monitor_tests::process::{run, wait_for};
use module_monitor_tests::reports::now;
use reqwest::Method;
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Monitor, figures, projects, token, with};

on_both_backends!(
    an_accepted_risk_leaves_the_counts_and_stays_visible,
    an_acceptance_is_for_the_versions_and_the_site_it_names,
    an_acceptance_ends_by_itself,
    an_acceptance_that_ended_unseen_makes_no_difference,
    what_cannot_be_accepted_is_refused,
);

const PATH: &str = "/security/acceptances";

async fn accept(monitor: &Monitor, body: &Value) -> Answer {
    monitor.send(Method::POST, PATH, body).await
}

/// Accepts every risk of Token for a day, on `site` or on all.
fn for_a_day(monitor: &Monitor, site: Option<i64>) -> Value {
    let until = timestamp(monitor.clock.now() + Duration::DAY);
    json!({"project": "token", "versions": {}, "site_id": site, "until": until, "reason": "behind a firewall"})
}

/// The acceptance that has been made.
fn created(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.text);
    let created = answer.json();
    let location = format!("/api/v1{PATH}/{}", created["id"].as_str().expect("an id"));
    assert_eq!(answer.header("location"), Some(location.as_str()));
    created
}

async fn an_accepted_risk_leaves_the_counts_and_stays_visible(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let modules = [contrib("token", "8.x-1.15")];
    let site = monitor.site("City", &modules).await;
    assert_eq!(monitor.figures(&site).await, [1, 1, 1]);
    let since = monitor.updates().await[0]["insecure_since"].clone();

    monitor.clock.advance(Duration::hours(1));
    let wanted = for_a_day(&monitor, None);
    let acceptance = created(&accept(&monitor, &wanted).await);
    for field in ["project", "site_id", "until", "reason"] {
        assert_eq!(acceptance[field], wanted[field], "{field}");
    }
    assert_eq!(acceptance["versions"], json!({"from": null, "to": null}));
    assert_eq!(
        (&acceptance["created_at"], &acceptance["ended_at"]),
        (&json!(timestamp(monitor.clock.now())), &Value::Null)
    );
    assert_eq!(monitor.figures(&site).await, [0, 0, 1]);
    assert_eq!(figures(&monitor.report(&site, &modules).await), [0, 0, 1]);
    let updates = monitor.updates().await;
    assert_eq!((projects(&updates), &updates[0]["insecure_since"]), (vec!["token 8.x-1.15".to_owned()], &since));
    let shown = json!({"id": acceptance["id"], "until": wanted["until"], "reason": wanted["reason"]});
    assert_eq!(updates[0]["accepted"], shown);
    assert_eq!(monitor.status(&site, "token").await, "not_secure", "what is insecure is called so");
    assert_eq!(monitor.list(PATH).await, slice::from_ref(&acceptance));
    let own = format!("{PATH}/{}", acceptance["id"].as_str().expect("an id"));
    assert_eq!(monitor.get(&own).await.ok(), acceptance);

    // Taken back.
    let gone = monitor.send(Method::DELETE, &own, &Value::Null).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(monitor.figures(&site).await, [1, 1, 1]);
    let updates = monitor.updates().await;
    assert_eq!((&updates[0]["accepted"], &updates[0]["insecure_since"]), (&Value::Null, &since));
    monitor.send(Method::DELETE, &own, &Value::Null).await.problem(404, "acceptance-not-found");
    assert_eq!(monitor.list(PATH).await, [Value::Null; 0]);
    let ended = monitor.list(&format!("{PATH}?ended=true")).await;
    assert_eq!((ended.len(), &ended[0]["ended_reason"]), (1, &json!("withdrawn")));
    assert_eq!(monitor.get(&own).await.ok(), ended[0]);

    let log = monitor.list("/audit").await;
    let actions: Vec<_> = log.iter().take(2).map(|event| (event["action"].clone(), event["target"].clone())).collect();
    let id = &acceptance["id"];
    assert_eq!(actions, [(json!("acceptance.withdrawn"), id.clone()), (json!("acceptance.created"), id.clone())]);
    let actor = monitor.admin.split('_').nth(1).expect("mm_ID_SECRET");
    assert!(log[..2].iter().all(|event| event["actor"] == actor), "{log:?}");
    monitor.server.stop().await;
}

async fn an_acceptance_is_for_the_versions_and_the_site_it_names(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().release("8.x-1.2", &[]).fixed_by("8.x-1.16")).await;
    let one = monitor.site("One", &[contrib("token", "8.x-1.15")]).await;
    let two = monitor.site("Two", &[contrib("token", "8.x-1.14")]).await;
    let three = monitor.site("Three", &[contrib("token", "8.x-1.2")]).await;
    let all = async || {
        let found = [monitor.figures(&one).await, monitor.figures(&two).await, monitor.figures(&three).await];
        found.map(|[modules, ..]| modules)
    };
    assert_eq!(all().await, [1, 1, 1]);
    created(&accept(&monitor, &for_a_day(&monitor, Some(one.number()))).await);
    assert_eq!(all().await, [0, 1, 1]);
    // As versions are ordered, not as text: 1.2 is below 1.14.
    let bounds = |from: &str, to: &str| with(for_a_day(&monitor, None), "versions", json!({"from": from, "to": to}));
    created(&accept(&monitor, &bounds("8.x-1.3", "8.x-1.14")).await);
    assert_eq!(all().await, [0, 0, 1]);
    created(&accept(&monitor, &with(for_a_day(&monitor, None), "versions", json!({"to": "8.x-1.2"}))).await);
    assert_eq!(all().await, [0, 0, 0]);
    // What is accepted for a version is not accepted for the next one.
    monitor.report(&two, &[contrib("token", "8.x-1.15")]).await;
    assert_eq!(all().await, [0, 1, 0]);
    let accepted: Vec<bool> = monitor.updates().await.iter().map(|update| update["accepted"].is_object()).collect();
    assert_eq!(accepted, [true, false, true]);
    assert_eq!(monitor.list(PATH).await.len(), 3);
    assert_eq!(monitor.server.api.list(&monitor.admin, &format!("/api/v1{PATH}"), 1).await, monitor.list(PATH).await);
    monitor.server.stop().await;
}

async fn an_acceptance_ends_by_itself(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let site = monitor.site("Silent", &[contrib("token", "8.x-1.15")]).await;
    let acceptance = created(&accept(&monitor, &for_a_day(&monitor, None)).await);
    monitor.clock.advance(Duration::DAY - Duration::SECOND);
    assert_eq!(monitor.figures(&site).await, [0, 0, 1]);
    monitor.clock.advance(Duration::SECOND);
    // Nobody reports.
    let counted = async || (monitor.figures(&site).await == [1, 1, 1]).then_some(());
    wait_for("the risk counts again", counted).await;
    assert_eq!(monitor.updates().await[0]["accepted"], Value::Null);
    assert_eq!(monitor.list(PATH).await.len(), 0);
    let ended = monitor.list(&format!("{PATH}?ended=true")).await;
    assert_eq!((&ended[0]["id"], &ended[0]["ended_reason"]), (&acceptance["id"], &json!("expired")));
    monitor.server.stop().await;
}

async fn an_acceptance_that_ended_unseen_makes_no_difference(database: TestDatabase) {
    // The server lives in the past, and is gone when the acceptance ends.
    let monitor = Monitor::start_at(&database, now() - Duration::days(3)).await;
    monitor.import(&token().fixed_by("8.x-1.16")).await;
    let site = monitor.site("Silent", &[contrib("token", "8.x-1.15")]).await;
    created(&accept(&monitor, &for_a_day(&monitor, None)).await);
    assert_eq!(monitor.figures(&site).await, [0, 0, 1]);
    monitor.server.stop().await;
    let checked = run(&database.url, &["security", "recount", "--check"]).await;
    assert_eq!(
        (checked.code, checked.stdout.as_str()),
        (0, "Sites compared: 1. All figures are right.\n"),
        "{checked:?}"
    );
    let listed = run(&database.url, &["site", "list", "--json"]).await;
    let sites: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    assert_eq!(figures(&sites[0]), [1, 1, 1]);
}

async fn what_cannot_be_accepted_is_refused(database: TestDatabase) {
    let monitor = Monitor::start(&database).await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let problem = accept(&monitor, &for_a_day(&monitor, Some(987_654_321))).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/site_id");
    let past = timestamp(monitor.clock.now());
    let misspelt = json!({"project": "token", "until": past, "reason": "x", "sites": []});
    let problem = accept(&monitor, &misspelt).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/sites");
    let endless = json!({"project": "token", "reason": "x"});
    let problem = accept(&monitor, &endless).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/until");
    let everything = json!({"project": "../x", "versions": {"from": "?"}, "until": past, "reason": ""});
    let problem = accept(&monitor, &everything).await.problem(422, "validation-failed");
    let pointers: Vec<&Value> = problem["errors"].as_array().expect("errors").iter().map(|e| &e["pointer"]).collect();
    assert_eq!(pointers, ["/project", "/versions/from", "/until", "/reason"]);
    let soon = timestamp(monitor.clock.now() + Duration::DAY);
    for id in [json!("1"), json!(1.5), json!("00000000-0000-7000-8000-000000000000")] {
        let no_number = json!({"project": "token", "site_id": id, "until": soon, "reason": "x"});
        let problem = accept(&monitor, &no_number).await.problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/site_id", "{id}");
    }
    let text = monitor.server.api.request(Method::POST, &format!("/api/v1{PATH}")).header("X-API-Key", &monitor.admin);
    Answer::of(text.body("{}")).await.problem(415, "unsupported-media-type");
    let site = monitor.site("A site", &[contrib("token", "8.x-1.15")]).await;
    let own = monitor.server.api.request(Method::POST, &format!("/api/v1{PATH}")).header("X-API-Key", &site.key);
    Answer::of(own.json(&for_a_day(&monitor, Some(site.number())))).await.problem(403, "admin-only");
    for id in ["x", nobody, "%00"] {
        let path = format!("{PATH}/{id}");
        monitor.get(&path).await.problem(404, "acceptance-not-found");
        monitor.send(Method::DELETE, &path, &Value::Null).await.problem(404, "acceptance-not-found");
    }
    assert_eq!(monitor.list(&format!("{PATH}?ended=true")).await, [Value::Null; 0]);
    assert!(monitor.list("/audit").await.iter().all(|event| event["action"] != "acceptance.created"));
    monitor.server.stop().await;
}
