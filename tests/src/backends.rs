//! A database of its own for each test, on each backend.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use module_monitor_storage::{Orphaned, SiteBounds, Storage, StorageOptions, connect};
use tempfile::TempDir;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::raw::RawConnection;
use crate::skip::skip_or_fail;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file in a folder of its own.
    Sqlite,
    /// A database of its own on the server that `TEST_DATABASE_URL` names.
    Postgres,
}

/// A database that goes away with this value.
pub struct TestDatabase {
    /// The URL to connect to.
    pub url: String,
    name: Option<String>,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// An empty database; `None` where `TEST_DATABASE_URL` names no PostgreSQL and `SKIP` lists `postgres`.
    pub async fn new(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Sqlite => Some(Self::sqlite()),
            Backend::Postgres => Self::postgres().await,
        }
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Self { url, name: None, _folder: Some(folder) }
    }

    async fn postgres() -> Option<Self> {
        let Ok(server) = env::var("TEST_DATABASE_URL") else {
            skip_or_fail("postgres", "TEST_DATABASE_URL is not set");
            return None;
        };
        let name = format!("mm_{}", Uuid::new_v4().simple());
        execute(&server, &format!("CREATE DATABASE {name}")).await;
        let url = with_database(&server, &name);
        Some(Self { url, name: Some(name), _folder: None })
    }

    /// Opens the database with `options` and migrates it.
    pub async fn open_with(&self, options: StorageOptions) -> Arc<dyn Storage> {
        let storage = connect(&self.url, options).expect("a usable URL");
        storage.migrate().await.expect("a database that can be migrated");
        storage
    }

    /// Opens the database with a few connections and migrates it.
    pub async fn open(&self) -> Arc<dyn Storage> {
        self.open_with(patient(4)).await
    }

    /// Which kind of database it is.
    pub fn backend(&self) -> Backend {
        if self.name.is_some() { Backend::Postgres } else { Backend::Sqlite }
    }

    /// A connection of its own, beside the storage's.
    pub async fn raw(&self) -> RawConnection {
        RawConnection::open(&self.url).await
    }
}

/// So many connections, time enough to wait for one that a slow machine fails no test, and no rest for sites that change much.
pub fn patient(max_connections: u32) -> StorageOptions {
    let site_bounds = SiteBounds { changes_a_minute: usize::MAX, ..SiteBounds::default() };
    StorageOptions {
        max_connections,
        checkout_timeout: Duration::from_secs(120),
        site_bounds,
        ..StorageOptions::default()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.url.clone(), self.name.take());
        // A thread of its own, because a destructor cannot wait for a future.
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let orphans = orphans(&url).await;
                if let (Some(name), Ok(server)) = (name, env::var("TEST_DATABASE_URL")) {
                    execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                }
                orphans
            })
        });
        if !std::thread::panicking() {
            let orphans = ended.join().expect("the database can be asked at the end");
            assert!(orphans.is_empty(), "rows that name what is not there: {orphans:?}");
        }
    }
}

/// What a story has left behind that must never be there; nothing where its database is not there, or not ours.
async fn orphans(url: &str) -> Vec<Orphaned> {
    let storage = connect(url, StorageOptions { max_connections: 1, ..StorageOptions::default() });
    let storage = storage.expect("the URL of a test database");
    match storage.check().await {
        Ok(()) => storage.orphans().await.expect("a database that says what it has"),
        Err(_) => Vec::new(),
    }
}

async fn execute(server: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.expect("the test server answers");
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.expect("the test server obeys");
    drop(client);
    let _ = driver.await;
}

/// The URL of another database on the same server.
fn with_database(server: &str, name: &str) -> String {
    let (base, _database) = server.rsplit_once('/').expect("postgres://user@host:port/database");
    format!("{base}/{name}")
}

/// Makes of each listed async function `fn(TestDatabase)` one test for SQLite and one for PostgreSQL.
#[macro_export]
macro_rules! on_both_backends {
    ($($story:ident),+ $(,)?) => {
        $(
            mod $story {
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    if let Some(database) = $crate::backends::TestDatabase::new($crate::backends::Backend::Sqlite).await {
                        super::$story(database).await;
                    }
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    if let Some(database) = $crate::backends::TestDatabase::new($crate::backends::Backend::Postgres).await {
                        super::$story(database).await;
                    }
                }
            }
        )+
    };
}
