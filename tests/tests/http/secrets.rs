//! Nothing secret leaves the server.

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::{ServerProcess, run};
use module_monitor_tests::server::new_site;
use reqwest::Method;

on_both_backends!(no_secret_is_in_an_answer_or_in_the_log);

async fn no_secret_is_in_an_answer_or_in_the_log(database: TestDatabase) {
    let site = new_site(database.open().await.as_ref(), "A site").await;
    let server = ServerProcess::start(&database.url, &["--log-level", "debug"]).await;
    let (head, secret) = site.key.rsplit_once('_').expect("a key");
    let wrong_secret = "0123456789abcdef".repeat(3);
    let mut answers = Vec::new();
    for key in [
        &site.key,
        &format!("{head}_{wrong_secret}"),
        &format!("mm_0000000000000000_{secret}"),
        &format!("x{}", site.key),
    ] {
        let caller = TestSite { key: key.clone(), ..site.clone() };
        answers.push(server.api.sync(&caller, &full(contribs("m", 3, "1.0.0"))).await);
        answers.push(server.api.sync(&caller, &serde_json::json!({"modules": [{"name": "x"}]})).await);
        for path in
            [site.modules(""), site.modules("/m_0000"), "/api/v1/modules/m_0000".to_owned(), "/nothing".to_owned()]
        {
            answers.push(server.api.get(key, &path).await);
            let bearer = server.api.request(Method::GET, &path).header("Authorization", format!("Bearer {key}"));
            answers.push(Answer::of(bearer).await);
        }
    }
    for path in ["/metrics", "/healthz", "/readyz"] {
        answers.push(server.api.get(&site.key, path).await);
    }
    let listed = run(&database.url, &["key", "list", "--json"]).await;
    assert!(listed.stdout.contains(head.strip_prefix("mm_").expect("an id")), "{listed:?}");
    server.terminate().await;
    let (status, log) = server.wait().await;

    assert!(status.success());
    assert!(log.contains("sync applied") && log.contains(head.strip_prefix("mm_").expect("an id")), "{log}");
    for secret in [secret, &wrong_secret] {
        for text in answers.iter().map(|answer| format!("{answer:?}")).chain([log.clone(), format!("{listed:?}")]) {
            assert!(!text.contains(secret), "{}", text.replace(secret, "(the secret)"));
        }
    }
    assert!(answers.iter().all(|answer| answer.status < 500), "{answers:?}");
    if let Some(password) = database.url.split_once("postgres:").and_then(|(_, rest)| rest.split_once('@')) {
        let (_, password) = password.0.split_once(':').unwrap_or_default();
        assert!(password.is_empty() || !log.contains(password), "the database's password is in the log");
    }
}
