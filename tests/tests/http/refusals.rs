//! What is refused, and in what shape.

use module_monitor_tests::api::Answer;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full, report_at, timestamp};
use module_monitor_tests::reports::now;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::json;
use time::Duration;

on_both_backends!(
    stale_reports_are_refused_and_equally_old_ones_applied,
    reports_from_the_future_are_refused,
    addresses_and_methods_that_do_not_exist,
    queries_that_mean_nothing_are_refused,
    every_answer_carries_the_id_of_its_request,
);

async fn stale_reports_are_refused_and_equally_old_ones_applied(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let at = now();
    server.api.sync(&site, &report_at(at, contribs("m", 5, "1.0.0"))).await.ok();
    for older in [Duration::microseconds(1), Duration::days(400)] {
        let problem = server.api.sync(&site, &report_at(at - older, contribs("m", 6, "1.0.0"))).await;
        let problem = problem.problem(409, "stale-sync");
        assert!(problem["detail"].as_str().is_some_and(|d| d.contains("fresh full report")), "{problem}");
    }
    assert_eq!(server.api.list(&site.key, &site.modules(""), 100).await.len(), 5);
    assert_eq!(server.api.sync(&site, &report_at(at, contribs("m", 6, "1.0.0"))).await.counts(), (1, 0, 0));
    // What is below a microsecond does not count.
    let finer = at + Duration::nanoseconds(900);
    assert_eq!(server.api.sync(&site, &report_at(finer, contribs("m", 6, "1.0.0"))).await.counts(), (0, 0, 0));
    assert_eq!(server.api.sync(&site, &report_at(at, contribs("m", 7, "1.0.0"))).await.counts(), (1, 0, 0));
    assert_eq!(database.raw().await.number("SELECT count(*) FROM syncs").await, 4);
    server.stop().await;
}

async fn reports_from_the_future_are_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let future = report_at(now() + Duration::minutes(11), contribs("m", 5, "1.0.0"));
    let problem = server.api.sync(&site, &future).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/sync_timestamp");
    assert_eq!(problem["errors"][0]["code"], "in-the-future");
    assert!(server.api.list(&site.key, &site.modules(""), 100).await.is_empty());
    let soon = report_at(now() + Duration::minutes(9), contribs("m", 5, "1.0.0"));
    assert_eq!(server.api.sync(&site, &soon).await.counts(), (5, 0, 0));
    // The same moment with another offset.
    let mut report = full(contribs("m", 6, "1.0.0"));
    let plus_five = time::UtcOffset::from_hms(5, 30, 0).expect("an offset");
    report["sync_timestamp"] = timestamp((now() + Duration::minutes(9)).to_offset(plus_five)).into();
    assert_eq!(server.api.sync(&site, &report).await.counts(), (1, 0, 0));
    server.stop().await;
}

async fn addresses_and_methods_that_do_not_exist(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let api = &server.api;
    let call =
        async |method: Method, path: &str| Answer::of(api.request(method, path).header("X-API-Key", &site.key)).await;
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/modules",
        "/api/v1/nothing",
        "/healthz/x",
        "/api/v1/sites//modules",
        "/%00",
        "/%ff",
    ] {
        call(Method::GET, path).await.problem(404, "not-found");
        call(Method::POST, path).await.problem(404, "not-found");
    }
    for (method, path, allowed) in [
        (Method::PUT, site.sync_path(), "POST"),
        (Method::DELETE, site.modules(""), "GET"),
        (Method::POST, site.modules("/token/history"), "GET"),
        (Method::PATCH, "/healthz".to_owned(), "GET"),
        (Method::POST, "/readyz".to_owned(), "GET"),
        (Method::DELETE, "/metrics".to_owned(), "GET"),
        (Method::from_bytes(b"BREW").expect("a method"), site.modules(""), "GET"),
    ] {
        let answer = call(method.clone(), &path).await;
        answer.problem(405, "method-not-allowed");
        let allow = answer.header("allow").unwrap_or_else(|| panic!("{method} {path}: no Allow"));
        assert!(allow.split(',').any(|m| m.trim() == allowed), "{method} {path}: {allow}");
    }
    // What is not a site's id in its one form is no site, as if it were an unknown one.
    let (padded, signed) = (format!("0{}", site.id), format!("+{}", site.id));
    for id in [
        "x",
        "0",
        "987654321",
        "9223372036854775808",
        "00000000-0000-7000-8000-000000000000",
        "caf%C3%A9",
        &padded,
        &signed,
    ] {
        call(Method::GET, &format!("/api/v1/sites/{id}/modules")).await.problem(404, "site-not-found");
        call(Method::POST, &format!("/api/v1/sites/{id}/modules/sync")).await.problem(404, "site-not-found");
    }
    for name in ["never_seen", "no-name", "1st", "%C3%A4", "a%00b"] {
        call(Method::GET, &site.modules(&format!("/{name}"))).await.problem(404, "module-not-found");
        call(Method::GET, &site.modules(&format!("/{name}/history"))).await.problem(404, "module-not-found");
    }
    server.stop().await;
}

async fn queries_that_mean_nothing_are_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "cursor=nonsense",
        "enabled=yes",
        "type=theme",
        "update_status=fine",
        "removed=1",
        "enabeld=true",
        "limit=1&limit=2",
    ] {
        let problem = server.api.get(&site.key, &site.modules(&format!("?{query}"))).await;
        let problem = problem.problem(422, "validation-failed");
        let name = query.split('=').next().expect("a name");
        assert_eq!(problem["errors"][0]["pointer"], format!("/query/{name}"), "{query}");
    }
    server.api.get(&site.key, &site.modules("?limit=1000&enabled=true&type=core&removed=false")).await.ok();
    server.stop().await;
}

async fn every_answer_carries_the_id_of_its_request(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let ask = async |id: &str, path: &str| {
        let request = server.api.request(Method::GET, path).header("X-API-Key", &site.key).header("X-Request-Id", id);
        Answer::of(request).await
    };
    for path in ["/healthz", "/readyz", "/metrics", "/nothing", &site.modules(""), &site.modules("/none")] {
        let answer = ask("cron-7.a_B", path).await;
        assert_eq!(answer.header("x-request-id"), Some("cron-7.a_B"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        if answer.status >= 400 {
            assert_eq!(answer.json()["request_id"], json!("cron-7.a_B"));
        }
        for bad in ["", "a b", "{\"x\":1}", &"x".repeat(65)] {
            let id = ask(bad, path).await.header("x-request-id").map(ToOwned::to_owned);
            assert!(id.as_deref().is_some_and(|id| id != bad && id.len() == 36), "{path}: {bad:?} became {id:?}");
        }
    }
    server.stop().await;
}
