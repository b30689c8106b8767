//! Servers inside the test's process, and what sites send to them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use module_monitor_domain::SiteName;
use module_monitor_ingestion::SystemClock;
use module_monitor_server::admin::{issue_key, register_site};
use module_monitor_server::{RunningServer, Server, ServerConfig};
use module_monitor_storage::{SiteChange, Storage};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::time::sleep;

/// A running server and a client of it.
pub(crate) struct Node {
    running: RunningServer,
    client: reqwest::Client,
}

/// A site as its own cron job knows it.
pub(crate) struct Site {
    pub(crate) id: String,
    pub(crate) key: String,
}

impl Site {
    /// Registers a site. Before a server starts, so that none has to find out about the new key.
    pub(crate) async fn register(storage: &dyn Storage, name: &str) -> Self {
        let name = SiteName::parse(name).expect("a name");
        let registered = register_site(storage, &SystemClock, "tester", name, SiteChange::default()).await;
        let (site, key) = registered.expect("a new site");
        Self { id: site.id.to_string(), key: key.text.reveal().to_owned() }
    }

    /// The same site, as somebody with that key asks for it.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { id: self.id.clone(), key: key.to_owned() }
    }

    pub(crate) fn path(&self) -> String {
        format!("/api/v1/sites/{}/modules/sync", self.id)
    }
}

/// The text of a new admin key.
pub(crate) async fn admin_key(storage: &dyn Storage) -> String {
    let key = issue_key(storage, &SystemClock, "tester", None, None, None).await;
    key.expect("a key").text.reveal().to_owned()
}

/// What a server said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// The value of a header, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default()
    }

    /// What kind of problem it is.
    pub(crate) fn code(&self) -> String {
        self.body["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Node {
    /// A server on the database at `url`, with settings changed by `change`.
    pub(crate) async fn start(url: &str, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut config = ServerConfig::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), url);
        change(&mut config);
        Self { running: Server::start(config).await.expect("a server"), client: reqwest::Client::new() }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.running.addr()
    }

    /// Sends `body` as the site's report.
    pub(crate) async fn sync(&self, site: &Site, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.client.post(format!("http://{}{}", self.addr(), site.path()));
        let request = request.header("X-API-Key", &site.key).header("Content-Type", "application/json");
        let response = request.body(body).send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.json().await.expect("JSON") }
    }

    /// Reads `path` with the key of `site`.
    pub(crate) async fn read(&self, site: &Site, path: &str) -> Answer {
        let request = self.client.get(format!("http://{}{path}", self.addr())).header("X-API-Key", &site.key);
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.json().await.expect("JSON") }
    }

    /// Sends a report that can be applied.
    pub(crate) async fn report(&self, site: &Site) -> Answer {
        let report = json!({
            "site_info": {},
            "modules": [{"machine_name": "views", "name": "Views", "type": "core", "version": "10.3.6", "status": true}],
            "sync_timestamp": "2024-01-01T00:00:00Z",
            "drupal_version": "10.3.6",
            "php_version": "8.3.0",
        });
        self.sync(site, report.to_string()).await
    }

    /// The value of a metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> Option<String> {
        let response = self.client.get(format!("http://{}/metrics", self.addr())).send().await.expect("an answer");
        let text = response.text().await.expect("text");
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned))
    }

    /// How many statements it has sent to the database.
    pub(crate) async fn statements(&self) -> u64 {
        let count = self.metric("module_monitor_database_statements_total").await;
        count.and_then(|count| count.parse().ok()).expect("a count")
    }

    pub(crate) async fn stop(self) {
        let Self { running, client } = self;
        // Its idle connections would keep the server waiting.
        drop(client);
        running.stop().await;
    }
}

/// Waits until a metric has that value.
pub(crate) async fn metric_becomes(node: &Node, name: &str, value: &str) {
    for _ in 0..200 {
        if node.metric(name).await.as_deref() == Some(value) {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} did not become {value}");
}
