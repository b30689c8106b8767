//! Reports that break the rules, strictly and leniently.

use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, contribs, full};
use module_monitor_tests::server::TestServer;
use serde_json::{Value, json};

on_both_backends!(
    everything_wrong_is_listed_with_its_place,
    two_thousand_modules_are_taken_and_one_more_is_not,
    a_nul_character_is_refused_wherever_it_is,
    lenient_handling_takes_the_good_modules_and_lists_the_others,
    repeated_names_and_empty_php_arrays_are_taken,
);

async fn everything_wrong_is_listed_with_its_place(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let mut report = full(contribs("m", 4, "1.0.0"));
    report["modules"][0]["version"] = "latest".into();
    report["modules"][1]["status"] = 1.into();
    report["modules"][1]["dependencies"] = json!(["a", 5]);
    report["modules"][2].as_object_mut().expect("a module").remove("version");
    report["modules"][3] = json!("token");
    report["php_version"] = Value::Null;
    report["drupal_version"] = "ten".into();
    report["sync_type"] = "most".into();
    let problem = server.api.sync(&site, &report).await.problem(422, "validation-failed");
    let errors = problem["errors"].as_array().expect("errors");
    let mut found: Vec<String> =
        errors.iter().map(|e| format!("{} {}", e["pointer"], e["code"]).replace('"', "")).collect();
    found.sort();
    let expected = [
        "/drupal_version format",
        "/modules/0/version format",
        "/modules/1/dependencies/1 type",
        "/modules/1/status type",
        "/modules/2/version required",
        "/modules/3 type",
        "/php_version required",
        "/sync_type choice",
    ];
    assert_eq!(found, expected);
    for body in [json!([]), json!("x"), json!(null), json!(5)] {
        let problem = server.api.sync(&site, &body).await.problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "");
    }
    assert_empty(&server.api, &site).await;
    server.stop().await;
}

async fn two_thousand_modules_are_taken_and_one_more_is_not(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let refused = server.api.sync(&site, &full(contribs("m", 2001, "1.0.0"))).await;
    let problem = refused.problem(422, "validation-failed");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/modules"), &json!("length"))
    );
    assert_empty(&server.api, &site).await;

    let whole = full(contribs("m", 2000, "1.0.0"));
    assert_eq!(server.api.sync(&site, &whole).await.counts(), (2000, 0, 0));
    assert_eq!(server.api.list(&site.key, &site.modules(""), 1000).await.len(), 2000);
    let problem = server.api.sync(&site, &full(Vec::new())).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/modules");
    assert_eq!(server.api.sync(&site, &full(contribs("m", 1, "1.0.0"))).await.counts(), (0, 0, 1999));
    server.stop().await;
}

async fn a_nul_character_is_refused_wherever_it_is(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let nul = "a\0b";
    for (pointer, change) in [
        ("/modules/0", json!({"modules": [{"name": nul}]})),
        ("/modules/0", json!({"modules": [{"unknown": {"deep": [nul]}}]})),
        ("/site_info", json!({"site_info": {"name": nul}})),
        ("/ignored", json!({"ignored": nul})),
    ] {
        let mut report = full(contribs("m", 1, "1.0.0"));
        merge(&mut report, &change);
        let problem = server.api.sync(&site, &report).await.problem(422, "validation-failed");
        let error = &problem["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!("nul-character")), "{change}");
    }
    // Whatever else Unicode has is stored as it is.
    let odd = "quote\" back\\slash \u{1} \u{7f} \u{fffd} \u{10ffff} 💧 e\u{301}";
    let mut report = full(contribs("m", 1, "1.0.0"));
    report["modules"][0]["description"] = odd.into();
    report["site_info"] = json!({"name": odd});
    server.api.sync(&site, &report).await.ok();
    assert_eq!(server.api.get(&site.key, &site.modules("/m_0000")).await.ok()["description"], odd);
    server.stop().await;
}

/// Puts the leaves of `change` into `report`.
fn merge(report: &mut Value, change: &Value) {
    match change {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| merge(&mut report[name], value)),
        Value::Array(items) if report.is_array() => {
            items.iter().enumerate().for_each(|(i, item)| merge(&mut report[i], item));
        }
        leaf => *report = leaf.clone(),
    }
}

async fn lenient_handling_takes_the_good_modules_and_lists_the_others(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    server.api.sync(&site, &full(contribs("m", 10, "1.0.0"))).await.ok();
    let lenient = async |report: &Value| {
        Answer::of(server.api.sync_request(&site, report).header("Prefer", "handling=lenient")).await
    };

    // One wrong version, one wrong flag; two are really gone.
    let mut report = full(contribs("m", 8, "1.1.0"));
    report["modules"][0]["version"] = "latest".into();
    report["modules"][1]["status"] = "on".into();
    let answer = lenient(&report).await;
    assert_eq!(answer.counts(), (0, 6, 2));
    assert_eq!(answer.header("preference-applied"), Some("handling=lenient"));
    let body = answer.ok();
    assert_eq!((&body["processed_count"], body["errors"].as_array().map(Vec::len)), (&json!(6), Some(2)));
    let rejected = body["rejected"].as_array().expect("rejected");
    let shown = |r: &Value| format!("{} {} {}", r["pointer"], r["machine_name"], r["code"]).replace('"', "");
    let shown: Vec<String> = rejected.iter().map(shown).collect();
    assert_eq!(shown, ["/modules/0/version m_0000 format", "/modules/1/status m_0001 type"]);
    assert!(rejected.iter().all(|r| r["detail"].as_str().is_some_and(|d| !d.is_empty())));

    // What was rejected is left as it is, and is not removed.
    let ledger = Ledger::read(&database.url).await;
    ledger.assert_whole();
    let state = ledger.state(&site);
    assert_eq!(state.len(), 8);
    assert_eq!((&state["m_0000"].0, &state["m_0002"].0), (&Some("1.0.0".to_owned()), &Some("1.1.0".to_owned())));

    // Without a readable name nothing is removed.
    let mut nameless = full(contribs("m", 2, "1.1.0"));
    nameless["modules"][0] = json!({"name": "?"});
    let body = lenient(&nameless).await.ok();
    assert_eq!(body["removed_modules"], 0);
    assert!(body["warnings"].to_string().contains("nothing was removed"), "{body}");

    // Top-level fields are never lenient, and all items rejected is a 422.
    let mut wrong_head = full(contribs("m", 2, "1.1.0"));
    wrong_head["php_version"] = "x".into();
    lenient(&wrong_head).await.problem(422, "validation-failed");
    let refused = lenient(&full(vec![json!({}), contrib("bad-name", "1.0.0")])).await;
    refused.problem(422, "validation-failed");
    assert_eq!(refused.header("preference-applied"), None);
    server.stop().await;
}

async fn repeated_names_and_empty_php_arrays_are_taken(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let mut report = full(vec![contrib("token", "1.0.0"), contrib("token", "2.0.0")]);
    report["site_info"] = json!([]);
    for optional in ["extension", "schema_version", "package", "project", "dependencies", "description", "datestamp"] {
        report["modules"][1][optional] = Value::Null;
    }
    let answer = server.api.sync(&site, &report).await.ok();
    assert_eq!((&answer["processed_count"], &answer["new_modules"]), (&json!(1), &json!(1)));
    assert!(answer["warnings"].to_string().contains("Module token is listed more than once"), "{answer}");
    assert_eq!(server.api.get(&site.key, &site.modules("/token")).await.ok()["version"], "2.0.0");
    server.stop().await;
}

async fn assert_empty(api: &Api, site: &TestSite) {
    assert!(api.list(&site.key, &site.modules(""), 100).await.is_empty());
}
