//! Sites as administrators manage them: registered, listed, changed, removed.

use module_monitor_storage::SiteBounds;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::{run, wait_for};
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::admin::Admin;

on_both_backends!(
    a_site_is_registered_over_http_and_reports,
    a_change_of_a_site_holds_at_once,
    what_was_set_is_cleared_with_null,
    only_sensible_sites_are_registered_and_only_sensible_changes_made,
    filters_find_sites_and_a_misspelt_one_finds_none,
    a_failing_site_says_why,
    the_list_of_sites_is_a_spreadsheet_too,
    a_site_says_what_is_kept_of_it_and_what_may_be,
    a_removed_site_is_gone_for_every_route,
);

async fn sync(server: &TestServer, site: &TestSite) -> Answer {
    server.api.sync(site, &full(contribs("m", 3, "1.0.0"))).await
}

async fn a_site_is_registered_over_http_and_reports(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let admin = Admin::of(&server).await;
    let body = json!({
        "name": " City library ", "url": "https://library.example", "environment": "production",
        "tags": ["tier-1", "customer:acme", "tier-1"], "rate_limit": 5, "silent_after": 7200, "strict_identity": true,
    });
    let created = admin.send(Method::POST, "/api/v1/sites", &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let (site, key) = (&created.json()["site"], &created.json()["key"]);
    let id = site["id"].as_i64().expect("a number");
    assert_eq!(created.header("location"), Some(format!("/api/v1/sites/{id}").as_str()));
    assert_eq!((&site["name"], &site["tags"]), (&json!("City library"), &json!(["customer:acme", "tier-1"])));
    assert_eq!((&site["environment"], &site["silent_after"]), (&json!("production"), &json!(7200)));
    assert_eq!(
        (&site["rate_limit"], &site["strict_identity"], &site["reporting"]),
        (&json!(5), &json!(true), &json!("never"))
    );
    assert_eq!((&key["site_id"], &key["name"]), (&json!(id), &json!("first key")));
    let own = TestSite { id: id.to_string(), key: key["api_key"].as_str().expect("a key").to_owned() };
    sync(&server, &own).await.ok();
    let mut shown = admin.get(&format!("/api/v1/sites/{id}")).await.ok();
    assert_eq!((&shown["reporting"], &shown["silent"]), (&json!("ok"), &json!(false)));
    // Only the single view has it.
    let coverage = shown.as_object_mut().and_then(|site| site.remove("core_security_coverage"));
    assert_eq!(coverage, Some(Value::Null), "nothing is known of Drupal yet");
    assert_eq!(admin.get("/api/v1/sites").await.ok()["items"], json!([shown]));
    let events = server.api.list(&admin.key, "/api/v1/audit", 10).await;
    let actions: Vec<_> = events.iter().map(|e| e["action"].as_str().unwrap_or_default()).collect();
    assert_eq!(actions, ["key.issued", "site.created", "key.issued"]);
    assert!(!events.iter().any(|event| event.to_string().contains(own.key.rsplit('_').next().expect("a secret"))));
    server.stop().await;
}

async fn a_change_of_a_site_holds_at_once(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, admin) = (server.site("A site").await, Admin::of(&server).await);
    sync(&server, &site).await.ok();

    let changed = admin.change(&site.id, &json!({"active": false})).await.ok();
    assert_eq!((&changed["active"], &changed["name"]), (&json!(false), &json!("A site")));
    sync(&server, &site).await.problem(403, "site-inactive");
    admin.change(&site.id, &json!({"active": true, "rate_limit": 2})).await.ok();

    // One of the two has been used; what was refused for another reason has not counted.
    let second = sync(&server, &site).await;
    second.ok();
    assert_eq!(second.header("RateLimit-Policy"), Some("\"sync\";q=2;w=3600"));
    sync(&server, &site).await.problem(429, "rate-limited");
    let as_admin = TestSite { id: site.id.clone(), key: admin.key.clone() };
    sync(&server, &as_admin).await.problem(429, "rate-limited");

    admin.change(&site.id, &json!({"rate_limit": null})).await.ok();
    sync(&server, &site).await.ok();
    let shown = admin.get(&format!("/api/v1/sites/{}", site.id)).await.ok();
    assert_eq!((&shown["rate_limit"], &shown["active"]), (&Value::Null, &json!(true)));

    let log = server.api.list(&admin.key, "/api/v1/audit", 10).await;
    let changes: Vec<_> = log.iter().filter(|e| e["action"] == "site.changed").map(|e| e["detail"].clone()).collect();
    let expected = [r#"{"rate_limit":null}"#, r#"{"active":true,"rate_limit":2}"#, r#"{"active":false}"#];
    assert_eq!(changes, expected.map(|text| json!(text)));
    server.stop().await;
}

async fn what_was_set_is_cleared_with_null(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, admin) = (server.site("A site").await, Admin::of(&server).await);
    let set = json!({
        "name": "Renamed", "url": "https://a.example", "environment": "stage", "tags": ["a"], "rate_limit": 3, "silent_after": 60,
    });
    admin.change(&site.id, &set).await.ok();
    assert_eq!(admin.change(&site.id, &json!({})).await.ok()["name"], "Renamed");
    let cleared = json!({"url": null, "environment": null, "tags": null, "rate_limit": null, "silent_after": null});
    let shown = admin.change(&site.id, &cleared).await.ok();
    for field in ["url", "environment", "rate_limit", "silent_after"] {
        assert_eq!(shown[field], Value::Null, "{field}");
    }
    assert_eq!((&shown["tags"], &shown["name"]), (&json!([]), &json!("Renamed")));
    let log = server.api.list(&admin.key, "/api/v1/audit", 10).await;
    assert_eq!(log.iter().filter(|e| e["action"] == "site.changed").count(), 2, "nothing changed, nothing logged");
    server.stop().await;
}

async fn only_sensible_sites_are_registered_and_only_sensible_changes_made(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, admin) = (server.site("A site").await, Admin::of(&server).await);
    let with_site_key = server.api.request(Method::PATCH, &format!("/api/v1/sites/{}", site.id));
    let with_site_key = with_site_key.header("X-API-Key", &site.key).json(&json!({"active": false}));
    Answer::of(with_site_key).await.problem(403, "admin-only");
    let leading_zero = format!("0{}", site.id);
    let with_sign = format!("%2B{}", site.id);
    for unknown in
        ["987654321", "00000000-0000-4000-8000-000000000000", &leading_zero, &with_sign, "0", "-1", "x", "%00"]
    {
        admin.change(unknown, &json!({"active": false})).await.problem(404, "site-not-found");
    }
    let long = "x".repeat(256);
    let many: Vec<String> = (0..33).map(|n| n.to_string()).collect();
    for (bad, pointer) in [
        (json!({"rate_limit": 0}), "/rate_limit"),
        (json!({"rate_limit": -1}), "/rate_limit"),
        (json!({"silent_after": 59}), "/silent_after"),
        (json!({"silent_after": 1e9}), "/silent_after"),
        (json!({"active": "yes"}), "/active"),
        (json!({"active": null}), "/active"),
        (json!({"name": null}), "/name"),
        (json!({"name": " "}), "/name"),
        (json!({"name": long}), "/name"),
        (json!({"name": "a\u{0}b"}), "/name"),
        (json!({"environment": "a\nb"}), "/environment"),
        (json!({"environment": long}), "/environment"),
        (json!({"url": format!("https://{}", "x".repeat(2_041))}), "/url"),
        (json!({"url": "example.org"}), "/url"),
        (json!({"tags": ["good", "Not good"]}), "/tags/1"),
        (json!({"tags": many}), "/tags"),
        (json!({"tags": "a"}), "/tags"),
        (json!({"conflict": true}), "/conflict"),
        (json!({"mass_removal": true}), "/mass_removal"),
    ] {
        for answer in [admin.change(&site.id, &bad).await, admin.send(Method::POST, "/api/v1/sites", &bad).await] {
            let problem = answer.problem(422, "validation-failed");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{bad}: {problem}");
        }
    }
    for bad in [json!({"aktive": false}), json!([]), json!(["Name"]), json!({"id": "x"}), json!(null)] {
        admin.change(&site.id, &bad).await.problem(422, "validation-failed");
    }
    let problem =
        admin.send(Method::POST, "/api/v1/sites", &json!({"tags": ["a"]})).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/name");
    let everything = json!({"name": "", "url": "", "tags": [""], "rate_limit": 0});
    let problem = admin.change(&site.id, &everything).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(4), "all at once: {problem}");

    let log = server.api.list(&admin.key, "/api/v1/audit", 10).await;
    assert!(log.iter().all(|event| event["action"] != "site.changed"), "{log:?}");
    assert_eq!(admin.get("/api/v1/sites").await.ok()["items"].as_array().map(Vec::len), Some(1));
    server.stop().await;
}

async fn filters_find_sites_and_a_misspelt_one_finds_none(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let admin = Admin::of(&server).await;
    let (quiet, loud) = (server.site("Quiet").await, server.site("Loud").await);
    sync(&server, &loud).await.ok();
    admin.change(&loud.id, &json!({"tags": ["a", "b"]})).await.ok();
    let mut raw = database.raw().await;
    for (column, site) in [("conflict", &quiet), ("mass_removal", &quiet)] {
        raw.execute(&format!("UPDATE sites SET {column} = true WHERE id = {}", site.id)).await;
    }
    let names = async |query: &str| {
        let found = server.api.list(&admin.key, &format!("/api/v1/sites?{query}"), 1).await;
        let mut names: Vec<_> = found.iter().map(|site| site["name"].as_str().unwrap_or_default()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    for (query, expected) in [
        ("", "Loud Quiet"),
        ("tag=a", "Loud"),
        ("tag=c", ""),
        ("reporting=ok", "Loud"),
        ("reporting=never", "Quiet"),
        ("reporting=failing", ""),
        ("conflict=true", "Quiet"),
        ("conflict=false&mass_removal=false", "Loud"),
        ("mass_removal=true", "Quiet"),
        ("silent=true", ""),
        ("silent=false&active=true&security=false", "Loud Quiet"),
        ("active=false", ""),
        ("security=true", ""),
    ] {
        assert_eq!(names(query).await, expected, "{query}");
    }
    // Acknowledged, it is gone from the list.
    let acknowledged = admin.change(&quiet.id, &json!({"conflict": false, "mass_removal": false})).await.ok();
    assert_eq!((&acknowledged["conflict"], &acknowledged["mass_removal"]), (&json!(false), &json!(false)));
    assert_eq!(names("conflict=true").await, "");
    for bad in [
        "conflict=yes",
        "tag=A",
        "tag=%00",
        "reporting=fine",
        "tags=a",
        "limit=0",
        "cursor=x",
        "silent=true&silent=true",
    ] {
        admin.get(&format!("/api/v1/sites?{bad}")).await.problem(422, "validation-failed");
    }
    server.api.get(&quiet.key, "/api/v1/sites").await.problem(403, "admin-only");
    server.stop().await;
}

async fn a_failing_site_says_why(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, admin) = (server.site("A site").await, Admin::of(&server).await);
    let standing = async || {
        let site = admin.get(&format!("/api/v1/sites/{}", site.id)).await.ok();
        (site["reporting"].clone(), site["last_refusal"].clone())
    };
    for n in 1..=3 {
        assert_eq!(standing().await.0, "never");
        server.api.sync(&site, &json!({"modules": n})).await.problem(422, "validation-failed");
    }
    assert_eq!(standing().await, (json!("failing"), json!("validation-failed")));
    assert_eq!(admin.get("/api/v1/sites?reporting=failing").await.ok()["items"].as_array().map(Vec::len), Some(1));
    sync(&server, &site).await.ok();
    assert_eq!(standing().await, (json!("ok"), Value::Null));
    server.stop().await;
}

async fn the_list_of_sites_is_a_spreadsheet_too(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let admin = Admin::of(&server).await;
    // More than are read at once.
    for n in 0..501 {
        server.site(&format!("=Site, {n}")).await;
    }
    let ask = async |method, query: &str| {
        let request = server.api.request(method, &format!("/api/v1/sites{query}"));
        Answer::of(request.header("X-API-Key", &admin.key).header("Accept", "text/csv")).await
    };
    let csv = ask(Method::GET, "").await;
    assert_eq!((csv.status, csv.header("content-type")), (200, Some("text/csv; charset=utf-8; header=present")));
    let lines: Vec<_> = csv.text.lines().collect();
    assert_eq!(lines.len(), 1 + 501);
    assert!(lines[0].starts_with("id,name,url,environment,tags,active,"), "{}", lines[0]);
    for n in 0..501 {
        let cells = format!(",\"'=Site, {n}\",,,,true,,,false,,,");
        assert_eq!(lines.iter().filter(|line| line.contains(&cells)).count(), 1, "{cells}");
    }
    let columns = lines[0].split(',').collect::<Vec<_>>();
    let site = &server.api.list(&admin.key, "/api/v1/sites", 1000).await[0];
    let mut fields: Vec<String> = Vec::new();
    // What a site tells of its surroundings has no columns that all sites share.
    for (field, value) in site.as_object().expect("a site").iter().filter(|(field, _)| *field != "facts") {
        // An object is a column for each of its fields.
        let prefix = field.strip_suffix("_reasons").unwrap_or(field);
        match value.as_object() {
            Some(parts) => fields.extend(parts.keys().map(|part| format!("{prefix}_{part}"))),
            None => fields.push(field.clone()),
        }
    }
    fields.sort_by_key(|field| columns.iter().position(|column| column == field));
    assert_eq!(fields, columns, "the same fields");
    assert_eq!(ask(Method::GET, "?tag=nobody").await.text.lines().count(), 1);
    assert_eq!(ask(Method::HEAD, "").await.text, "");
    assert_eq!(ask(Method::GET, "?limit=1").await.text.lines().count(), 2);
    server.stop().await;
}

async fn a_site_says_what_is_kept_of_it_and_what_may_be(database: TestDatabase) {
    let bounds = SiteBounds { modules: 4321, details_bytes: 3 << 20, history_bytes: 5 << 20, ..SiteBounds::default() };
    let server = TestServer::start_with(&database.url, |config| config.site_bounds = bounds).await;
    let admin = Admin::of(&server).await;
    let site = server.site("Bounded").await;
    sync(&server, &site).await.ok();
    let kept = admin.get(&format!("/api/v1/sites/{}", site.id)).await.ok()["kept"].clone();
    assert!(kept["history_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{kept}");
    let expected = json!({
        "modules": 3, "modules_bound": 4321, "details_bytes_bound": 3 << 20,
        "history_bytes": kept["history_bytes"], "history_bytes_bound": 5 << 20, "history_since": null,
    });
    assert_eq!(kept, expected);
    assert_eq!(server.api.list(&admin.key, "/api/v1/sites", 10).await[0]["kept"], expected);
    server.stop().await;
    // The command line does not know with what the servers were started.
    let listed = run(&database.url, &["site", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap_or_else(|error| panic!("{error}: {listed:?}"));
    assert_eq!((&listed[0]["kept"]["modules"], listed[0]["kept"].get("modules_bound")), (&json!(3), None));
}

async fn a_removed_site_is_gone_for_every_route(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, other, admin) = (server.site("Gone").await, server.site("Stays").await, Admin::of(&server).await);
    let sync_id = sync(&server, &site).await.ok()["sync_id"].as_str().expect("an id").to_owned();
    sync(&server, &other).await.ok();
    let path = format!("/api/v1/sites/{}", site.id);
    let removed = admin.send(Method::DELETE, &path, &Value::Null).await;
    assert_eq!((removed.status, removed.text.as_str()), (204, ""));

    admin.send(Method::DELETE, &path, &Value::Null).await.problem(404, "site-not-found");
    for rest in ["", "/keys", "/syncs", "/modules", "/modules/m_0001", "/modules/m_0001/history"] {
        admin.get(&format!("{path}{rest}")).await.problem(404, "site-not-found");
    }
    admin.change(&site.id, &json!({"name": "Back"})).await.problem(404, "site-not-found");
    admin.send(Method::POST, &format!("{path}/keys"), &json!({})).await.problem(404, "site-not-found");
    let as_admin = TestSite { key: admin.key.clone(), ..site.clone() };
    sync(&server, &as_admin).await.problem(404, "site-not-found");
    sync(&server, &site).await.problem(401, "key-revoked");
    assert_eq!(server.api.list(&admin.key, "/api/v1/modules/m_0001/sites", 10).await.len(), 1);

    // What it did stays on record, and what it had goes.
    assert_eq!(admin.get(&format!("/api/v1/syncs/{sync_id}")).await.ok()["site_id"], site.number());
    let log = server.api.list(&admin.key, "/api/v1/audit", 1).await;
    assert_eq!(
        (&log[0]["action"], &log[0]["detail"], &log[0]["site_id"]),
        (&json!("site.removed"), &json!("Gone"), &json!(site.number()))
    );
    let count = format!("SELECT count(*) FROM site_modules WHERE site_id = {}", site.id);
    let raw = tokio::sync::Mutex::new(database.raw().await);
    wait_for("its inventory is deleted", async || (raw.lock().await.number(&count).await == 0).then_some(())).await;
    assert_eq!(server.api.list(&other.key, &other.modules(""), 10).await.len(), 3);

    let again = admin.send(Method::POST, "/api/v1/sites", &json!({"name": "Gone"})).await.json();
    assert!(again["site"]["id"].as_i64() > Some(other.number()), "ids are never used again");
    let again = TestSite {
        id: again["site"]["id"].to_string(),
        key: again["key"]["api_key"].as_str().expect("a key").to_owned(),
    };
    assert!(server.api.list(&again.key, &again.modules(""), 10).await.is_empty());
    assert_eq!(sync(&server, &again).await.counts(), (3, 0, 0));
    server.stop().await;
}
