//! A refresher, the feed that it asks, and a clock between them.

use std::sync::Arc;
use std::time::Duration;

use module_monitor_domain::{Feed, ProjectName};
use module_monitor_ingestion::{
    CheckResult, Checked, FeedUrl, HttpFeed, HttpFeedOptions, Refresher, ReleaseService, SystemClock,
};
use module_monitor_storage::{ProjectFeed, Storage};
use module_monitor_tests::api::{Api, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::clock::MovingClock;
use module_monitor_tests::feeds;
use module_monitor_tests::server::TestServer;
use serde_json::Value;

use crate::feed_server::FeedServer;

/// An hour.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// A day.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
/// Longer than a sane feed takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// A project's name.
pub(crate) fn project(name: &str) -> ProjectName {
    ProjectName::parse(name).expect("a name")
}

/// A project with releases of which the newest fixes the others.
pub(crate) fn fixed(name: &str) -> String {
    feeds::Feed::new(name, "8.x-1.").release("8.x-1.0", &["New features"]).fixed_by("8.x-1.1").xml()
}

/// A project whose newest release is `8.x-1.0`.
pub(crate) fn calm(name: &str) -> String {
    feeds::Feed::new(name, "8.x-1.").release("8.x-1.0", &["New features"]).xml()
}

/// A node that keeps release data fresh, on a clock of the test's own.
pub(crate) struct Node {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<MovingClock>,
    pub(crate) refresher: Refresher,
}

impl Node {
    /// A node on that database, by that clock, that asks that feed.
    pub(crate) async fn start(database: &TestDatabase, clock: &Arc<MovingClock>, feed: &FeedServer) -> Self {
        let storage = database.open().await;
        let service = ReleaseService::new(Arc::clone(&storage), clock.clone());
        // No pause between requests, but one before another node may ask.
        let options = HttpFeedOptions { url: url(feed), pause: Duration::ZERO, timeout: PATIENCE };
        let source = HttpFeed::new(options, Arc::new(SystemClock)).expect("a client");
        let refresher = Refresher::new(service, Arc::new(source), DAY, Duration::from_secs(1));
        Self { storage, clock: Arc::clone(clock), refresher }
    }

    /// Asks for all that is due, and says what came of it, in the order of the projects.
    pub(crate) async fn refresh(&self) -> Vec<Checked> {
        let mut all = Vec::new();
        while self.refresher.refresh_due(|checked| all.push(checked.clone())).await.expect("a database") > 0 {}
        all.sort_by(|a, b| a.project.cmp(&b.project));
        all
    }

    /// The same as project and outcome, without Drupal itself, which every site has.
    pub(crate) async fn outcomes(&self) -> Vec<(String, &'static str)> {
        let checked = self.refresh().await;
        let contrib = checked.iter().filter(|checked| checked.project != ProjectName::drupal());
        contrib.map(|checked| (checked.project.to_string(), outcome(&checked.result))).collect()
    }

    /// What is known of a project.
    pub(crate) async fn known(&self, name: &str) -> ProjectFeed {
        let known = self.storage.project_feeds(&project(name)).await.expect("a database");
        known.into_iter().find(|known| known.feed == Feed::Current).expect("a known project")
    }

    /// The versions that are stored of a project; `None` where nothing ever was.
    pub(crate) async fn versions(&self, name: &str) -> Option<Vec<String>> {
        let history = self.storage.find_history(&project(name), Feed::Current).await.expect("a database")?;
        Some(history.releases.into_iter().map(|release| release.version).collect())
    }
}

/// The address of a feed server.
pub(crate) fn url(feed: &FeedServer) -> FeedUrl {
    feed.url.parse().expect("a URL")
}

fn outcome(result: &CheckResult) -> &'static str {
    match result {
        CheckResult::Fetched(stored) if stored.changed => "changed",
        CheckResult::Fetched(_) => "same",
        CheckResult::NotModified => "not modified",
        CheckResult::NoHistory => "no history",
        CheckResult::Failed(_) => "failed",
    }
}

/// A site that has reported `modules` to a server which asks nobody.
pub(crate) async fn reporting_site(database: &TestDatabase, modules: Value) -> TestSite {
    let server = TestServer::start(database).await;
    let site = server.site("A site").await;
    report(&server.api, &site, modules).await;
    server.stop().await;
    site
}

/// Reports `modules`, and gives the answer.
pub(crate) async fn report(api: &Api, site: &TestSite, modules: Value) -> Value {
    let modules = modules.as_array().expect("modules").clone();
    api.sync(site, &module_monitor_tests::payloads::full(modules)).await.ok()
}
