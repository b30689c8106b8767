//! Behind nginx, with the very configuration that docs/operations.md has.

use std::path::Path;
use std::process::Stdio;

use module_monitor_tests::api::TestSite;
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::nginx::{Passed, PrivateNginx};
use module_monitor_tests::payloads::{contribs, described, full};
use module_monitor_tests::server::TestServer;
use serde_json::{Value, json};
use tempfile::TempDir;

const MIB: usize = 1024 * 1024;

/// A server that trusts a proxy on this machine, and the proxy.
struct Proxied {
    server: TestServer,
    nginx: PrivateNginx,
    site: TestSite,
    folder: TempDir,
    _database: TestDatabase,
}

impl Proxied {
    async fn start() -> Option<Self> {
        let database = TestDatabase::new(Backend::Sqlite).await.expect("a file");
        let server = TestServer::start_with(&database.url, |config| {
            config.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a net")];
        })
        .await;
        let site = server.site("A site").await;
        let nginx = PrivateNginx::start(server.api.addr).await?;
        Some(Self { server, nginx, site, folder: tempfile::tempdir().expect("a folder"), _database: database })
    }

    /// Sends these bytes as a report, with these arguments of curl.
    async fn sync(&self, body: &[u8], arguments: &[&str]) -> Passed {
        let file = self.folder.path().join("body");
        std::fs::write(&file, body).expect("a file");
        let key = format!("X-API-Key: {}", self.site.key);
        let data = format!("@{}", file.display());
        let usual = ["-H", &key, "-H", "Content-Type: application/json", "--data-binary", &data];
        self.nginx.ask(&self.site.sync_path(), &[&usual[..], arguments].concat()).await
    }

    async fn stop(self) {
        self.server.stop().await;
    }
}

fn applied(passed: &Passed) -> Value {
    assert_eq!(passed.status, 200, "{passed:?}");
    serde_json::from_str(&passed.text).unwrap_or_else(|error| panic!("{error}: {passed:?}"))
}

fn refused(passed: &Passed, status: u16, code: &str) {
    let problem: Value = serde_json::from_str(&passed.text).unwrap_or_else(|error| panic!("{error}: {passed:?}"));
    assert_eq!((passed.status, &problem["code"]), (status, &json!(code)), "{passed:?}");
}

/// `body`, compressed.
fn gzip(folder: &Path, body: &[u8]) -> Vec<u8> {
    let plain = folder.join("plain");
    std::fs::write(&plain, body).expect("a file");
    let output = std::process::Command::new("gzip").arg("-c").arg(plain).stdin(Stdio::null()).output().expect("gzip");
    assert!(output.status.success());
    output.stdout
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_is_who_came_to_nginx_and_not_who_it_says_it_is() {
    let Some(proxied) = Proxied::start().await else { return };
    let body = full(contribs("m", 3, "1.0.0")).to_string();
    for version in ["--http2", "--http1.1"] {
        let claim = ["--interface", "127.0.0.2", "-H", "X-Forwarded-For: 203.0.113.9", version];
        let passed = proxied.sync(body.as_bytes(), &claim).await;
        assert_eq!(applied(&passed)["processed_count"], 3);
        assert_eq!(passed.version, if version == "--http2" { "2" } else { "1.1" });
        refused(&proxied.sync(b"{", &claim).await, 400, "malformed-json");
    }
    let log = proxied.server.api.list(&proxied.site.key, &format!("/api/v1/sites/{}/syncs", proxied.site.id), 10).await;
    assert!(log.len() >= 3, "{log:?}");
    assert!(log.iter().all(|entry| entry["client_address"] == "127.0.0.2"), "{log:?}");
    // What operators may see and the world may not.
    assert_eq!(proxied.nginx.ask("/metrics", &[]).await.status, 404);
    assert_eq!(proxied.nginx.ask("/readyz", &[]).await.status, 200);
    proxied.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_limit_of_bodies_is_the_one_that_holds() {
    let Some(proxied) = Proxied::start().await else { return };
    let mut report = full(contribs("m", 1900, "1.0.0"));
    for module in report["modules"].as_array_mut().expect("modules") {
        module["description"] = "w".repeat(8_000).into();
    }
    let large = report.to_string();
    assert!(large.len() > 14 * MIB && large.len() < 16 * MIB, "{}", large.len());
    let too_large = format!("{large}{}", " ".repeat(17 * MIB - large.len()));
    for version in ["--http2", "--http1.1"] {
        refused(&proxied.sync(too_large.as_bytes(), &[version]).await, 413, "body-too-large");
        let compressed = gzip(proxied.folder.path(), too_large.as_bytes());
        assert!(compressed.len() < MIB);
        refused(&proxied.sync(&compressed, &[version, "-H", "Content-Encoding: gzip"]).await, 413, "body-too-large");
    }
    let wait = ["-H", "Prefer: wait=30"];
    assert_eq!(applied(&proxied.sync(large.as_bytes(), &wait).await)["processed_count"], 1900);
    proxied.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_and_slow_bodies_arrive_whole() {
    let Some(proxied) = Proxied::start().await else { return };
    let first = gzip(proxied.folder.path(), full(described("m", 400)).to_string().as_bytes());
    let passed = proxied.sync(&first, &["-H", "Content-Encoding: gzip", "-H", "Prefer: wait=30"]).await;
    assert_eq!(applied(&passed)["new_modules"], 400);
    let second = full(described("m", 401)).to_string();
    assert!(second.len() > 150_000, "{}", second.len());
    // Four seconds and more.
    let passed = proxied.sync(second.as_bytes(), &["--limit-rate", "40k", "-H", "Prefer: wait=30"]).await;
    assert_eq!(applied(&passed)["new_modules"], 1);
    proxied.stop().await;
}
