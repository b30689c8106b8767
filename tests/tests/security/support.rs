//! A server whose time stands still, and short ways to ask it.

use std::sync::Arc;

use module_monitor_ingestion::Clock;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::feeds::{self, Feed};
use module_monitor_tests::payloads::report_at;
use module_monitor_tests::reports::{ManualClock, now};
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// A server, its clock, and an admin of it.
pub(crate) struct Monitor {
    pub(crate) server: TestServer,
    pub(crate) clock: ManualClock,
    pub(crate) admin: String,
}

impl Monitor {
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        Self::start_at(database, now()).await
    }

    /// Its clock stands at `at`.
    pub(crate) async fn start_at(database: &TestDatabase, at: OffsetDateTime) -> Self {
        let clock = ManualClock::at(at);
        let still = clock.clone();
        let server = TestServer::start_with(&database.url, |config| config.clock = Arc::new(still)).await;
        let admin = server.admin_key().await;
        Self { server, clock, admin }
    }

    /// Imports what the feed says now, and lets the figures follow.
    pub(crate) async fn import(&self, feed: &Feed) {
        feeds::import(self.server.shared_storage(), Arc::new(self.clock.clone()), feed).await;
    }

    /// Registers a site that reports `modules`, on Drupal 10.3.6.
    pub(crate) async fn site(&self, name: &str, modules: &[Value]) -> TestSite {
        let site = self.server.site(name).await;
        self.report(&site, modules).await;
        site
    }

    /// A full report of the site, made at this moment of the server's clock.
    pub(crate) async fn report(&self, site: &TestSite, modules: &[Value]) -> Value {
        self.server.api.sync(site, &report_at(self.clock.now(), modules.to_vec())).await.ok()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.server.api.get(&self.admin, &format!("/api/v1{path}")).await
    }

    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        self.server.api.list(&self.admin, &format!("/api/v1{path}"), 100).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.server.api.request(method, &format!("/api/v1{path}")).header("X-API-Key", &self.admin);
        Answer::of(if body.is_null() { request } else { request.json(body) }).await
    }

    /// What `/security/updates` lists.
    pub(crate) async fn updates(&self) -> Vec<Value> {
        self.list("/security/updates").await
    }

    /// Modules and projects that need a security update, and modules not judged, as the site's object has them.
    pub(crate) async fn figures(&self, site: &TestSite) -> [i64; 3] {
        figures(&self.get(&format!("/sites/{}", site.id)).await.ok())
    }

    /// One module of a site's inventory.
    pub(crate) async fn module(&self, site: &TestSite, name: &str) -> Value {
        self.server.api.get(&site.key, &site.modules(&format!("/{name}"))).await.ok()
    }

    /// The update status of one module.
    pub(crate) async fn status(&self, site: &TestSite, name: &str) -> Value {
        self.module(site, name).await["update_status"].clone()
    }
}

/// Modules and projects that need a security update, and modules not judged, as sites and syncs have them.
pub(crate) fn figures(object: &Value) -> [i64; 3] {
    let number = |name: &str| object[name].as_i64().unwrap_or_else(|| panic!("{name}: {object}"));
    [number("security_updates_found"), number("security_projects"), number("security_unknown")]
}

/// `project version` of each item of a list.
pub(crate) fn projects(items: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    items.iter().map(|item| format!("{} {}", text(&item["project"]), text(&item["version"]))).collect()
}

/// Custom code.
pub(crate) fn custom(name: &str) -> Value {
    json!({"machine_name": name, "name": name, "type": "custom", "version": null, "status": true})
}

/// `module` with another value of a field.
pub(crate) fn with(mut module: Value, field: &str, value: impl Into<Value>) -> Value {
    module[field] = value.into();
    module
}

/// Two good releases of Token.
pub(crate) fn token() -> Feed {
    Feed::new("token", "8.x-1.").release("8.x-1.15", &["Bug fixes"]).release("8.x-1.14", &["New features"])
}
