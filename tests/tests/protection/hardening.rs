//! What an answer and a log line say, and what they do not.

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contrib, contribs, full};
use module_monitor_tests::process::ServerProcess;
use module_monitor_tests::rude;
use module_monitor_tests::server::{TestServer, new_site};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::{raw_sync, send, send_keyed, with_key};

on_both_backends!(
    a_rejected_module_is_removed_by_the_next_full_report_and_not_before,
    a_trusted_proxy_says_who_the_client_is,
    no_answer_names_the_software,
    nothing_secret_is_logged_however_much_is,
);

async fn a_rejected_module_is_removed_by_the_next_full_report_and_not_before(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let names = async || {
        let items = server.api.list(&site.key, &site.modules(""), 10).await;
        items.iter().map(|item| item["machine_name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    server.api.sync(&site, &full(vec![contrib("a", "1.0.0"), contrib("b", "1.0.0")])).await.ok();
    let report = full(vec![contrib("a", "1.0.0"), contrib("b", "latest")]);
    server.api.sync(&site, &report).await.problem(422, "validation-failed");
    let lenient = Answer::of(server.api.sync_request(&site, &report).header("Prefer", "handling=lenient")).await;
    assert_eq!(lenient.counts(), (0, 0, 0));
    assert_eq!(lenient.header("preference-applied"), Some("handling=lenient"));
    let rejected = &lenient.ok()["rejected"];
    assert_eq!(rejected.as_array().map(Vec::len), Some(1), "{rejected}");
    assert_eq!((&rejected[0]["machine_name"], &rejected[0]["pointer"]), (&json!("b"), &json!("/modules/1/version")));
    assert_eq!(names().await, ["a", "b"]);
    assert_eq!(server.api.sync(&site, &full(vec![contrib("a", "1.0.0")])).await.counts(), (0, 0, 1));
    assert_eq!(names().await, ["a"]);
    server.stop().await;
}

async fn a_trusted_proxy_says_who_the_client_is(database: TestDatabase) {
    for (trusted, expected) in [(true, "198.51.100.7"), (false, "127.0.0.1")] {
        let server = TestServer::start_with(&database.url, |config| {
            if trusted {
                config.trusted_proxies =
                    vec!["127.0.0.0/8".parse().expect("a net"), "10.0.0.0/8".parse().expect("a net")];
            }
        })
        .await;
        let site = server.site("A site").await;
        let forwarded = "203.0.113.9, 198.51.100.7, 10.0.0.3";
        let good = server.api.sync_request(&site, &full(contribs("m", 3, "1.0.0")));
        Answer::of(good.header("X-Forwarded-For", forwarded)).await.ok();
        let bad = raw_sync(&server.api, &site, "{").header("X-Forwarded-For", forwarded);
        Answer::of(bad).await.problem(400, "malformed-json");
        let log = server.api.list(&site.key, &format!("/api/v1/sites/{}/syncs", site.id), 10).await;
        let addresses: Vec<_> = log.iter().map(|entry| entry["client_address"].clone()).collect();
        assert_eq!(addresses, [expected, expected], "{log:?}");
        server.stop().await;
    }
}

async fn no_answer_names_the_software(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let mut heads = Vec::new();
    for path in ["/", "/healthz", "/metrics", "/api/v1/nothing", &site.modules("")] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PUT] {
            let answer = Answer::of(server.api.request(method, path).header("X-API-Key", &site.key)).await;
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            heads.push(format!("{:?}", answer.headers));
        }
    }
    heads.push(format!("{:?}", server.api.sync(&site, &full(contribs("m", 3, "1.0.0"))).await.headers));
    // These do not even get as far as our own code.
    for garbage in
        ["GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\0 HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nA\r\n\r\n"]
    {
        let mut stream = rude::connect(server.api.addr).await;
        stream.write_all(garbage.as_bytes()).await.expect("the server reads");
        heads.push(rude::read_head(&mut stream).await);
    }
    for head in heads {
        let head = head.to_lowercase();
        let names = ["\"server\"", "\nserver:", "x-powered-by", "actix", "rust", "module-monitor/"];
        assert!(!names.iter().any(|name| head.contains(name)), "{head}");
    }
    server.stop().await;
}

/// What a client may have sent by mistake: everything that has to do with keys.
async fn nothing_secret_is_logged_however_much_is(database: TestDatabase) {
    let site = new_site(database.open().await.as_ref(), "A site").await;
    // Nobody answers there.
    let redis = "redis://:hunter2swordfish@127.0.0.1:1/0";
    let server = ServerProcess::start(&database.url, &["--log-level", "trace", "--redis-url", redis]).await;
    let (head, secret) = site.key.rsplit_once('_').expect("a key");
    let wrong = "0123456789abcdef".repeat(3);
    let mut answers = Vec::new();
    for key in
        [site.key.clone(), format!("{head}_{wrong}"), format!("mm_0000000000000000_{secret}"), format!("x{}", site.key)]
    {
        let caller = with_key(&site, &key);
        let api = &server.api;
        answers.push(api.sync(&caller, &full(contribs("m", 3, "1.0.0"))).await);
        answers.push(send_keyed(api, &caller, "k", &json!({"modules": [{"name": "x"}]})).await);
        answers.push(send(api, &caller, "{").await);
        for path in [site.modules(""), format!("/api/v1/sites/{}/syncs", site.id), "/api/v1/audit".to_owned()] {
            answers.push(api.get(&key, &path).await);
            let bearer = api.request(Method::GET, &path).header("Authorization", format!("Bearer {key}"));
            answers.push(Answer::of(bearer).await);
        }
        // Both headers, and they differ.
        let torn =
            api.request(Method::GET, "/api/v1/audit").header("X-API-Key", &key).header("Authorization", "Bearer z");
        answers.push(Answer::of(torn).await);
    }
    answers.push(server.api.get_open("/metrics").await);
    let hashes = secret_hashes(&database, &site).await;
    server.terminate().await;
    let (status, log) = server.wait().await;

    assert!(status.success());
    assert!(log.contains("TRACE") && log.contains("sync applied"), "{log}");
    assert!(answers.iter().all(|answer| answer.status < 500), "{answers:?}");
    let secrets = [secret.to_owned(), wrong, "hunter2swordfish".to_owned()].into_iter().chain(hashes);
    for secret in secrets {
        for text in answers.iter().map(|answer| format!("{answer:?}")).chain([log.clone()]) {
            let found = text.lines().find(|line| line.to_lowercase().contains(&secret));
            assert!(found.is_none(), "{}", found.unwrap_or_default().to_lowercase().replace(&secret, "(the secret)"));
        }
    }
}

/// What the database knows of the site's key, as hexadecimal digits.
async fn secret_hashes(database: &TestDatabase, site: &TestSite) -> Vec<String> {
    let mut raw = database.raw().await;
    let hex = match raw.backend() {
        module_monitor_tests::backends::Backend::Sqlite => "lower(hex(secret_hash))",
        module_monitor_tests::backends::Backend::Postgres => "encode(secret_hash, 'hex')",
    };
    let hashes = raw.texts(&format!("SELECT {hex} FROM api_keys WHERE site_id = {}", site.id)).await;
    assert!(hashes.iter().all(|hash| hash.len() == 64), "{:?}", Value::from(hashes.len()));
    hashes
}
