//! A key that was stored is known to whoever asked for it, or it is stored no longer.

use std::time::Duration;

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::proxy::{CommitProxy, Commits, MARK};
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use serde_json::json;

/// A server behind a proxy, with an admin's key and a site.
struct Story {
    database: TestDatabase,
    proxy: CommitProxy,
    server: TestServer,
    admin: String,
    site: TestSite,
}

impl Story {
    async fn begin() -> Option<Self> {
        let database = TestDatabase::new(Backend::Postgres).await?;
        let proxy = CommitProxy::start(&database.url).await;
        let server = TestServer::start_with(&proxy.url(&database.url), |config| {
            config.database_checkout_timeout = Duration::from_millis(500);
        })
        .await;
        let (admin, site) = (server.admin_key().await, server.site("First").await);
        // The use of a key is written later.
        server.api.get(&admin, "/api/v1/sites").await.ok();
        Some(Self { database, proxy, server, admin, site })
    }

    async fn post(&self, path: &str, body: serde_json::Value) -> Answer {
        let request = self.server.api.request(Method::POST, path).header("X-API-Key", &self.admin).json(&body);
        Answer::of(request).await
    }

    async fn register(&self) -> Answer {
        self.post("/api/v1/sites", json!({"name": MARK})).await
    }

    async fn issue(&self) -> Answer {
        self.post(&format!("/api/v1/sites/{}/keys", self.site.id), json!({"name": MARK})).await
    }

    /// The keys that are stored and open anything, beside the two from the beginning; and the sites.
    async fn stored(&self) -> (i64, i64) {
        let mut raw = self.database.raw().await;
        let keys = raw.number("SELECT count(*) - 2 FROM api_keys WHERE revoked_at IS NULL").await;
        (keys, raw.number("SELECT count(*) FROM sites WHERE removed_at IS NULL").await)
    }

    async fn end(self) {
        self.server.stop().await;
    }
}

fn created(answer: &Answer) -> serde_json::Value {
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_word_is_lost_is_answered_with_the_key_that_it_stored() {
    let Some(story) = Story::begin().await else { return };
    story.proxy.set(Commits::LoseOne);
    let registered = created(&story.register().await);
    assert_eq!((story.proxy.lost(), story.stored().await), (1, (1, 2)));
    let key = registered["key"]["api_key"].as_str().expect("a key").to_owned();
    let site = TestSite { id: registered["site"]["id"].to_string(), key };
    assert_eq!(story.server.api.sync(&site, &full(contribs("m", 2, "1.0.0"))).await.counts(), (2, 0, 0));

    story.proxy.set(Commits::LoseOne);
    let issued = created(&story.issue().await);
    assert_eq!(story.proxy.lost(), 2);
    let key = issued["api_key"].as_str().expect("a key");
    story.server.api.get(key, &story.site.modules("")).await.ok();
    story.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_after_the_commit_does_not_take_the_key_away() {
    let Some(story) = Story::begin().await else { return };
    for (post, keys) in [("site", 1), ("key", 2)] {
        story.proxy.set(Commits::ThenNothing);
        created(&if post == "site" { story.register().await } else { story.issue().await });
        assert_eq!(story.stored().await, (keys, 2), "{post}");
        story.proxy.set(Commits::Pass);
        wait_for("it is ready", async || (story.server.api.get_open("/readyz").await.status == 200).then_some(()))
            .await;
    }
    story.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_nobody_was_given_opens_nothing_once_the_database_is_back() {
    let Some(story) = Story::begin().await else { return };
    for post in ["site", "key"] {
        story.proxy.set(Commits::LoseAll);
        let answer = if post == "site" { story.register().await } else { story.issue().await };
        answer.problem(503, "database-unavailable");
        assert!(answer.header("retry-after").is_some());
        assert!(story.stored().await.0 > 0, "the proxy has let the {post}'s commit through");
        story.proxy.set(Commits::Pass);
        wait_for(&format!("nothing is left of the {post}"), async || (story.stored().await == (0, 1)).then_some(()))
            .await;
    }
    story.end().await;
}
