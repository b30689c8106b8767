//! What work costs beside time: processor time of the server and the database, statements, rows and WAL.

use std::env;
use std::fs;

use anyhow::{Context, ensure};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::raw::RawConnection;

/// Milliseconds of a tick in `/proc`: Linux counts hundredths of a second for everybody.
const TICK: f64 = 10.0;

/// Reads the counters of a server process and its database.
pub(crate) struct Meter {
    server: u32,
    postgres: Option<Postgres>,
}

struct Postgres {
    /// To another database of the server, so that what is asked here is not counted.
    raw: RawConnection,
    name: String,
    main: u32,
}

/// Counters, or how much they have grown.
#[derive(Clone, Copy, Default)]
pub(crate) struct Costs {
    /// Milliseconds of processor time.
    pub(crate) server: f64,
    pub(crate) generator: f64,
    pub(crate) database: Option<DatabaseCosts>,
}

/// What PostgreSQL says.
#[derive(Clone, Copy, Default)]
pub(crate) struct DatabaseCosts {
    /// Milliseconds of processor time of all its processes.
    pub(crate) processor: f64,
    pub(crate) statements: f64,
    pub(crate) rows: f64,
    pub(crate) wal_bytes: f64,
}

impl Meter {
    pub(crate) async fn new(database: &TestDatabase, server: u32) -> anyhow::Result<Self> {
        let postgres = match database.backend() {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Postgres::new(&database.url).await?),
        };
        Ok(Self { server, postgres })
    }

    pub(crate) async fn read(&mut self) -> anyhow::Result<Costs> {
        let database = match &mut self.postgres {
            Some(postgres) => Some(postgres.read().await?),
            None => None,
        };
        Ok(Costs { server: ticks(self.server)?.0, generator: ticks(std::process::id())?.0, database })
    }
}

impl Costs {
    /// What one of `count` has cost since `before`.
    pub(crate) fn each(self, before: Self, count: usize) -> Self {
        let each = |now: f64, then: f64| (now - then) / count as f64;
        let database = self.database.zip(before.database).map(|(now, then)| DatabaseCosts {
            processor: each(now.processor, then.processor),
            statements: each(now.statements, then.statements),
            rows: each(now.rows, then.rows),
            wal_bytes: each(now.wal_bytes, then.wal_bytes),
        });
        let (server, generator) = (each(self.server, before.server), each(self.generator, before.generator));
        Self { server, generator, database }
    }
}

impl Postgres {
    async fn new(url: &str) -> anyhow::Result<Self> {
        let mut raw = RawConnection::open(&env::var("TEST_DATABASE_URL")?).await;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let value = raw.texts(&format!("SELECT current_setting('{setting}')")).await.concat();
            ensure!(value == "on", "PostgreSQL runs with {setting} = {value}: use scripts/with-services --durable");
        }
        let counts = raw.try_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await;
        ensure!(counts, "pg_stat_statements is missing: use scripts/with-services --durable");
        let backend = raw.number("SELECT pg_backend_pid()").await;
        let main = parent(u32::try_from(backend)?).context("the server's main process is not on this machine")?;
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Self { raw, name, main })
    }

    async fn read(&mut self) -> anyhow::Result<DatabaseCosts> {
        let name = &self.name;
        let sums = format!(
            "SELECT concat_ws(' ', sum(calls), sum(rows), pg_current_wal_insert_lsn() - '0/0') FROM pg_stat_statements \
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = '{name}')"
        );
        let text = self.raw.texts(&sums).await.concat();
        let sums: Vec<f64> = text.split(' ').map(str::parse).collect::<Result<_, _>>().context(text.clone())?;
        let [statements, rows, wal_bytes] = sums[..] else { anyhow::bail!("no figures: {text}") };
        // What a process has used goes to its parent when it ends.
        let (own, ended) = ticks(self.main)?;
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.main))?;
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        let running: f64 = children.filter_map(|pid| ticks(pid).ok()).map(|(own, _)| own).sum();
        Ok(DatabaseCosts { processor: own + ended + running, statements, rows, wal_bytes })
    }
}

/// Milliseconds of processor time that a process has used, and that of its children that have ended.
fn ticks(pid: u32) -> anyhow::Result<(f64, f64)> {
    let fields = stat(pid).context("no such process")?;
    let field = |n: usize| fields.get(n).and_then(|text| text.parse::<f64>().ok()).context("/proc/PID/stat");
    Ok(((field(11)? + field(12)?) * TICK, (field(13)? + field(14)?) * TICK))
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// The fields behind the name of the program, which may hold anything.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(ToOwned::to_owned).collect())
}

/// What a process holds in memory now, in MB.
pub(crate) fn memory_mb(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
