//! The HTTP interface as a client sees it, over a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::openapi;

/// How long a client waits for an answer; far longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A site and a key for it.
#[derive(Clone, Debug)]
pub struct TestSite {
    /// Its id, as it stands in paths.
    pub id: String,
    /// The text of its key.
    pub key: String,
}

impl TestSite {
    /// A site that is not there, asked for with `key`.
    pub fn nobody(key: &str) -> Self {
        Self { id: "987654321".to_owned(), key: key.to_owned() }
    }

    /// Its id, as it stands in bodies.
    pub fn number(&self) -> i64 {
        self.id.parse().expect("a site id")
    }

    /// The path of its modules, followed by `rest`.
    pub fn modules(&self, rest: &str) -> String {
        format!("/api/v1/sites/{}/modules{rest}", self.id)
    }

    /// Where it sends its reports.
    pub fn sync_path(&self) -> String {
        self.modules("/sync")
    }
}

/// A client of one server.
#[derive(Clone)]
pub struct Api {
    /// Where the server listens.
    pub addr: SocketAddr,
    http: Client,
}

impl Api {
    /// A client of the server at `addr`.
    pub fn new(addr: SocketAddr) -> Self {
        // Without the certificates of the system, which take time to read and say nothing of plain HTTP.
        let http = Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE).build().expect("a client");
        Self { addr, http }
    }

    /// A request for `path`, with nothing in it yet.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.addr))
    }

    /// A request that sends `body` as the report of `site`.
    pub fn sync_request(&self, site: &TestSite, body: &Value) -> RequestBuilder {
        self.request(Method::POST, &site.sync_path()).header("X-API-Key", &site.key).json(body)
    }

    /// Sends `body` as the report of `site`.
    pub async fn sync(&self, site: &TestSite, body: &Value) -> Answer {
        Answer::of(self.sync_request(site, body)).await
    }

    /// Asks for `path` with `key`.
    pub async fn get(&self, key: &str, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).header("X-API-Key", key)).await
    }

    /// Asks for `path` without a key.
    pub async fn get_open(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Every item of a list, read page by page with `limit`.
    pub async fn list(&self, key: &str, path: &str, limit: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let page = self.get(key, &format!("{path}{separator}limit={limit}{cursor}")).await.ok();
            let found = page["items"].as_array().expect("items").clone();
            assert!(found.len() <= limit, "{} items on a page of {limit}", found.len());
            items.extend(found);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// What happened to a module of a site, oldest first: `event from -> to`.
    pub async fn history(&self, site: &TestSite, name: &str) -> Vec<String> {
        let mut entries = self.list(&site.key, &site.modules(&format!("/{name}/history")), 100).await;
        entries.reverse();
        let version = |v: &Value| v.as_str().unwrap_or("-").to_owned();
        let line =
            |e: &Value| format!("{} {} -> {}", e["event"], version(&e["from_version"]), version(&e["to_version"]));
        entries.iter().map(|e| line(e).replace('"', "")).collect()
    }
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The answer to a request that must be answered.
    pub async fn of(request: RequestBuilder) -> Self {
        Self::try_of(request).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// The answer to a request, which must be as the OpenAPI document describes it; an error where the connection broke
    /// first.
    pub async fn try_of(request: RequestBuilder) -> reqwest::Result<Self> {
        let (client, request) = request.build_split();
        let request = request?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Self { status, headers, text: response.text().await? };
        openapi::check(&method, &path, &answer);
        Ok(answer)
    }

    /// A header, where it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of what must be a 200.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.header("x-request-id").is_some());
        self.json()
    }

    /// The new, updated and removed modules of what must be an applied sync.
    pub fn counts(&self) -> (u64, u64, u64) {
        let body = self.ok();
        assert_eq!(body["success"], true);
        let count = |name: &str| body[name].as_u64().unwrap_or_else(|| panic!("{name}: {body}"));
        (count("new_modules"), count("updated_modules"), count("removed_modules"))
    }

    /// The body of what must be that problem, in the one shape that all problems have.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let found = (self.status, self.header("content-type"));
        assert_eq!(found, (status, Some("application/problem+json")), "{}", self.text);
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()), "{problem}");
        for text in ["type", "title", "detail", "instance"] {
            assert!(problem[text].as_str().is_some_and(|t| !t.is_empty()), "{text}: {problem}");
        }
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{problem}");
        assert!(self.header("x-request-id").is_some(), "{problem}");
        assert_eq!(problem.get("errors").is_some(), code == "validation-failed", "{problem}");
        problem
    }
}
