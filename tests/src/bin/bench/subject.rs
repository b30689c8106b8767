//! What is measured: a release server on a database of its own.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use module_monitor_ingestion::SystemClock;
use module_monitor_server::admin::issue_key;
use module_monitor_storage::Storage;
use module_monitor_tests::api::{Api, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::process::ServerProcess;
use module_monitor_tests::server::new_site;
use tokio::time::sleep;

use super::costs::{Costs, Meter, memory_mb};
use super::load::{Prepared, Times, send};
use super::table::{Row, say};

/// Not a line a request, but the one that says where it listens.
const QUIET: &str = "warn,module_monitor_server::server=info";

/// A server, its database, and what has been measured of them.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) database: TestDatabase,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) server: ServerProcess,
    pub(crate) admin: String,
    pub(crate) idle_mb: f64,
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
    meter: Meter,
}

/// What a figure is a multiple of.
#[derive(Clone, Copy)]
pub(crate) enum Floor<'a> {
    /// The median of these.
    Median(&'a Times),
    /// How many of these there are in a second.
    Rate(&'a Times),
    /// Nothing: this is one, of single requests.
    None,
    /// Nothing: this is one, of requests at once.
    Crowd,
}

impl Subject {
    /// Starts a server; `None` where there is no such database.
    pub(crate) async fn start(name: &'static str, backend: Backend) -> anyhow::Result<Option<Self>> {
        let Some(database) = TestDatabase::new(backend).await else { return Ok(None) };
        let storage = database.open().await;
        let admin = issue_key(&*storage, &SystemClock, "bench", None, None, None).await?.text.reveal().to_owned();
        Ok(Some(Self::on(name, database, storage, admin).await?))
    }

    /// The same with a server that starts now, and knows what the database holds by now.
    pub(crate) async fn restart(self) -> anyhow::Result<Self> {
        let Self { name, database, storage, server, admin, .. } = self;
        server.kill().await;
        Self::on(name, database, storage, admin).await
    }

    async fn on(
        name: &'static str,
        database: TestDatabase,
        storage: Arc<dyn Storage>,
        admin: String,
    ) -> anyhow::Result<Self> {
        let mut settings = vec!["--rate-limit", "1000000", "--log-level", QUIET];
        // Nodes that share a PostgreSQL also share rate limits.
        let redis = env::var("TEST_REDIS_URL").ok().filter(|_| database.backend() == Backend::Postgres);
        settings.extend(redis.iter().flat_map(|url| ["--redis-url", url]));
        let server = ServerProcess::start(&database.url, &settings).await;
        sleep(Duration::from_secs(1)).await;
        let idle_mb = memory_mb(server.pid())?;
        let meter = Meter::new(&database, server.pid()).await?;
        let (rows, notes) = (Vec::new(), Vec::new());
        Ok(Self { name, database, storage, server, admin, idle_mb, rows, notes, meter })
    }

    /// A client of the server.
    pub(crate) fn api(&self) -> &Api {
        &self.server.api
    }

    /// Registers so many sites.
    pub(crate) async fn sites(&self, count: usize) -> Vec<TestSite> {
        let mut sites = Vec::with_capacity(count);
        for n in 0..count {
            sites.push(new_site(&*self.storage, &format!("Site {n}")).await);
        }
        sites
    }

    /// What the server and the database have used so far.
    pub(crate) async fn costs(&mut self) -> anyhow::Result<Costs> {
        self.meter.read().await
    }

    /// Sends the requests of all lanes at once and notes what they took.
    pub(crate) async fn measure(
        &mut self,
        what: &str,
        lanes: Vec<Vec<Prepared>>,
        floor: Floor<'_>,
    ) -> anyhow::Result<()> {
        let (times, costs) = self.timed(what, lanes).await?;
        let costs = Some(costs);
        self.note(what, times, floor, costs);
        Ok(())
    }

    /// Sends them, and says what each request took and cost.
    pub(crate) async fn timed(&mut self, what: &str, lanes: Vec<Vec<Prepared>>) -> anyhow::Result<(Times, Costs)> {
        say(&format!("{}: {what}", self.name));
        let count: usize = lanes.iter().map(Vec::len).sum();
        let before = self.meter.read().await?;
        let times = send(lanes).await.with_context(|| format!("the server says: {}", self.server.log()))?;
        let costs = self.meter.read().await?.each(before, count);
        Ok((times, costs))
    }

    /// Puts a line into the table.
    pub(crate) fn note(&mut self, what: &str, times: Times, floor: Floor<'_>, costs: Option<Costs>) {
        let multiple = match floor {
            Floor::Median(floor) => Some(times.median().as_secs_f64() / floor.median().as_secs_f64()),
            Floor::Rate(floor) => Some(floor.per_second() / times.per_second()),
            Floor::None | Floor::Crowd => None,
        };
        let at_once = matches!(floor, Floor::Rate(_) | Floor::Crowd);
        self.rows.push(Row { what: what.to_owned(), database: self.name, times, at_once, multiple, costs });
    }
}
