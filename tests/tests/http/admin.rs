//! An administrator with an HTTP client.

use module_monitor_tests::api::{Answer, Api};
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::Value;

/// The holder of an admin key.
pub(crate) struct Admin {
    pub(crate) key: String,
    api: Api,
}

impl Admin {
    pub(crate) async fn of(server: &TestServer) -> Self {
        Self { key: server.admin_key().await, api: server.api.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.api.get(&self.key, path).await
    }

    /// Sends `body` as JSON; `null` is none of a DELETE.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.api.request(method.clone(), path).header("X-API-Key", &self.key);
        Answer::of(if body.is_null() && method == Method::DELETE { request } else { request.json(body) }).await
    }

    /// Changes a site.
    pub(crate) async fn change(&self, site: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, &format!("/api/v1/sites/{site}"), body).await
    }
}
