//! A server inside the test's process, listening on a port of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use module_monitor_domain::SiteName;
use module_monitor_ingestion::SystemClock;
use module_monitor_server::admin::{issue_key, register_site};
use module_monitor_server::{RunningServer, Server, ServerConfig};
use module_monitor_storage::{SiteChange, Storage};

use crate::api::{Api, TestSite};
use crate::backends::TestDatabase;
use crate::openapi;

/// A running server and a client of it.
pub struct TestServer {
    /// The client.
    pub api: Api,
    running: RunningServer,
}

impl TestServer {
    /// A server with default settings on that database.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(&database.url, |_| {}).await
    }

    /// A server on the database at `url`, with settings changed by `change`.
    pub async fn start_with(url: &str, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut config = ServerConfig::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), url);
        // Suites ask again and again until something has happened.
        config.read_limit = 1_000_000;
        change(&mut config);
        let running = Server::start(config).await.expect("a server");
        Self { api: Api::new(running.addr()), running }
    }

    /// Registers a site.
    pub async fn site(&self, name: &str) -> TestSite {
        new_site(self.storage(), name).await
    }

    /// The text of a new admin key.
    pub async fn admin_key(&self) -> String {
        issue_key(self.storage(), &SystemClock, "tester", None, None, None)
            .await
            .expect("a key")
            .text
            .reveal()
            .to_owned()
    }

    /// What it stores in.
    pub fn storage(&self) -> &dyn Storage {
        self.running.storage().as_ref()
    }

    /// The same, for whoever keeps it.
    pub fn shared_storage(&self) -> &Arc<dyn Storage> {
        self.running.storage()
    }

    /// Stops it once it has answered everything, which it must have done as its OpenAPI document says.
    pub async fn stop(self) {
        let Self { api, running } = self;
        openapi::check_counted(&api.get_open("/metrics").await.text);
        // Its idle connections would keep the server waiting.
        drop(api);
        running.stop().await;
    }
}

/// Registers a site in `storage`.
pub async fn new_site(storage: &dyn Storage, name: &str) -> TestSite {
    let name = SiteName::parse(name).expect("a name");
    let (site, key) =
        register_site(storage, &SystemClock, "tester", name, SiteChange::default()).await.expect("a new site");
    TestSite { id: site.id.to_string(), key: key.text.reveal().to_owned() }
}
