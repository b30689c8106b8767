//! Who may do what.

use std::time::Duration;

use module_monitor_domain::SiteId;
use module_monitor_ingestion::SystemClock;
use module_monitor_server::admin::issue_key;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::reports::now;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::Value;

on_both_backends!(
    a_key_is_for_its_own_site,
    keys_that_are_not_valid_are_refused,
    a_key_comes_in_either_header,
    keys_end_when_they_expire_or_are_revoked,
);

async fn a_key_is_for_its_own_site(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let api = &server.api;
    let report = full(contribs("m", 2, "1.0.0"));
    api.sync(&site, &report).await.ok();

    // What belongs to somebody else looks exactly like what does not exist.
    let (theirs, nobodys) = (TestSite { key: other.key.clone(), ..site.clone() }, TestSite::nobody(&other.key));
    let shape = |answer: Answer| {
        let mut problem = answer.problem(404, "site-not-found");
        problem["request_id"].take();
        problem["instance"].take();
        problem
    };
    assert_eq!(shape(api.sync(&theirs, &report).await), shape(api.sync(&nobodys, &report).await));
    for rest in ["", "/m_0000", "/m_0000/history", "/never_seen"] {
        let answers =
            [api.get(&other.key, &theirs.modules(rest)).await, api.get(&other.key, &nobodys.modules(rest)).await];
        let [a, b] = answers.map(shape);
        assert_eq!(a, b, "{rest}");
    }
    assert_eq!(api.list(&other.key, &other.modules(""), 100).await, Vec::<Value>::new());

    // An admin key is for every site, and tells those that do not exist from those that do.
    let admin = server.admin_key().await;
    let with_admin = TestSite { key: admin.clone(), ..site.clone() };
    assert_eq!(api.sync(&with_admin, &full(contribs("m", 3, "1.0.0"))).await.counts(), (1, 0, 0));
    assert_eq!(api.list(&admin, &site.modules(""), 100).await.len(), 3);
    api.get(&admin, &nobodys.modules("")).await.problem(404, "site-not-found");
    let nobodys = TestSite { key: admin, ..nobodys };
    api.sync(&nobodys, &report).await.problem(404, "site-not-found");
    server.stop().await;
}

async fn keys_that_are_not_valid_are_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let api = &server.api;
    let missing = api.get_open(&site.modules("")).await;
    missing.problem(401, "key-missing");
    assert!(missing.header("www-authenticate").is_some_and(|v| v.starts_with("Bearer")), "{missing:?}");

    let (head, secret) = site.key.rsplit_once('_').expect("a key");
    let wrong_secret = format!("{head}_{}", "0".repeat(secret.len()));
    let unknown_id = format!("mm_0000000000000000_{secret}");
    let shouted = site.key.to_uppercase();
    let doubled = format!("{0}{0}", site.key);
    let long = "x".repeat(4000);
    for bad in [
        "",
        " ",
        "mm_",
        "mm__",
        head,
        secret,
        &wrong_secret,
        &unknown_id,
        &shouted,
        &doubled,
        &long,
        "caf\u{e9}",
        "' OR 1=1 --",
    ] {
        let answer = api.get(bad, &site.modules("")).await;
        answer.problem(401, "key-invalid");
        assert!(answer.header("www-authenticate").is_some(), "{bad}");
        let stranger = TestSite { key: bad.to_owned(), ..site.clone() };
        api.sync(&stranger, &full(contribs("m", 1, "1.0.0"))).await.problem(401, "key-invalid");
    }
    assert!(api.list(&site.key, &site.modules(""), 100).await.is_empty());
    server.stop().await;
}

async fn a_key_comes_in_either_header(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let (site, other) = (server.site("A site").await, server.site("Another").await);
    let ask = async |headers: &[(&str, &str)]| {
        let request = server.api.request(Method::GET, &site.modules(""));
        Answer::of(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    let (own, foreign) = (format!("Bearer {}", site.key), format!("Bearer {}", other.key));
    let lower = format!("bearer {}", site.key);
    ask(&[("X-API-Key", &site.key)]).await.ok();
    ask(&[("Authorization", &own)]).await.ok();
    ask(&[("Authorization", &lower)]).await.ok();
    ask(&[("Authorization", &own), ("X-API-Key", &site.key)]).await.ok();
    ask(&[("Authorization", &foreign), ("X-API-Key", &site.key)]).await.problem(401, "key-invalid");
    ask(&[("Authorization", &own), ("X-API-Key", &other.key)]).await.problem(401, "key-invalid");
    ask(&[("Authorization", "Basic dXNlcjpwYXNz"), ("X-API-Key", &site.key)]).await.ok();
    ask(&[("Authorization", &site.key)]).await.problem(401, "key-missing");
    ask(&[("Authorization", "Basic dXNlcjpwYXNz")]).await.problem(401, "key-missing");
    server.stop().await;
}

async fn keys_end_when_they_expire_or_are_revoked(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let id: SiteId = site.id.parse().expect("an id");
    let path = site.modules("");

    let short =
        issue_key(server.storage(), &SystemClock, "tester", Some(id), None, Some(Duration::from_millis(1))).await;
    let short = short.expect("a key").text.reveal().to_owned();
    wait_for("a key expires", async || (server.api.get(&short, &path).await.status == 401).then_some(())).await;
    server.api.get(&short, &path).await.problem(401, "key-expired");

    let long =
        issue_key(server.storage(), &SystemClock, "tester", Some(id), None, Some(Duration::from_secs(86_400))).await;
    let long = long.expect("a key");
    server.api.get(long.text.reveal(), &path).await.ok();
    assert!(server.storage().revoke_key(&long.record.id, now(), "tester").await.expect("a key"));
    let revoked = async || (server.api.get(long.text.reveal(), &path).await.status == 401).then_some(());
    wait_for("the server hears of it", revoked).await;
    server.api.get(long.text.reveal(), &path).await.problem(401, "key-revoked");
    server.api.get(&site.key, &path).await.ok();
    server.stop().await;
}
