//! A PostgreSQL of a test's own, to be killed and started again.

use std::env;
use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::skip::skip_or_fail;

/// How often another port is tried where somebody was faster.
const ATTEMPTS: usize = 5;

/// A private, durable PostgreSQL; it is gone once this is dropped.
pub struct PrivatePostgres {
    folder: TempDir,
    port: u16,
}

impl PrivatePostgres {
    /// A folder and a port; nothing is started yet. `None` where `TEST_DATABASE_URL` is not set, which
    /// says that there is no PostgreSQL, and `SKIP` lists `postgres`.
    pub fn prepare() -> Option<Self> {
        if env::var_os("TEST_DATABASE_URL").is_none() {
            skip_or_fail("postgres", "TEST_DATABASE_URL is not set");
            return None;
        }
        Some(Self { folder: tempfile::tempdir().expect("a temporary folder"), port: free_port() })
    }

    /// One that is running, in a folder inside `parent`.
    pub async fn running_in(parent: &Path) -> Option<Self> {
        let postgres = Self { folder: tempfile::tempdir_in(parent).expect("a folder"), ..Self::prepare()? };
        postgres.start().await;
        Some(postgres)
    }

    /// A hot standby that copies this one, and is running.
    pub async fn standby(&self) -> Self {
        let mut standby = Self { folder: tempfile::tempdir().expect("a temporary folder"), port: free_port() };
        for _ in 1..ATTEMPTS {
            if standby.try_copy(self).await.is_ok() {
                return standby;
            }
            standby.port = free_port();
        }
        standby.try_copy(self).await.unwrap_or_else(|problem| panic!("the standby does not start: {problem}"));
        standby
    }

    async fn try_copy(&self, primary: &Self) -> Result<(), String> {
        self.script("standby", &[&self.port.to_string(), &primary.url()]).await
    }

    /// Makes a standby take writes, wherever the other one is.
    pub async fn promote(&self) {
        self.script("promote", &[]).await.unwrap_or_else(|problem| panic!("it cannot be promoted: {problem}"));
    }

    /// One that is running.
    pub async fn running() -> Option<Self> {
        let mut postgres = Self::prepare()?;
        for _ in 1..ATTEMPTS {
            if postgres.try_start().await.is_ok() {
                return Some(postgres);
            }
            postgres.port = free_port();
        }
        postgres.start().await;
        Some(postgres)
    }

    /// Where it listens while it runs.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.host())
    }

    /// The same as it stands in a URL with several.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it, on the data it had before.
    pub async fn start(&self) {
        self.try_start().await.unwrap_or_else(|problem| panic!("PostgreSQL does not start: {problem}"));
    }

    async fn try_start(&self) -> Result<(), String> {
        self.script("start", &[&self.port.to_string()]).await
    }

    /// Copies of files that belong to it and that nobody else may read.
    pub fn own<const N: usize>(&self, files: [PathBuf; N]) -> [PathBuf; N] {
        files.map(|file| {
            let copy = self.folder.path().join(file.file_name().expect("a file"));
            std::fs::copy(&file, &copy).expect("a copy");
            std::fs::set_permissions(&copy, Permissions::from_mode(0o600)).expect("its permissions");
            let owner = self.folder.path().metadata().expect("the folder");
            std::os::unix::fs::chown(&copy, Some(owner.uid()), Some(owner.gid())).expect("its owner");
            copy
        })
    }

    /// `kill -9` of all its processes.
    pub async fn kill(&self) {
        self.script("kill", &[]).await.unwrap_or_else(|problem| panic!("PostgreSQL cannot be killed: {problem}"));
    }

    async fn script(&self, action: &str, arguments: &[&str]) -> Result<(), String> {
        let mut command = self.command(action);
        command.args(arguments);
        let output = spawn_blocking(move || command.output()).await.expect("a task").expect("scripts/postgres");
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    fn command(&self, action: &str) -> Command {
        let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "scripts", "postgres"].iter().collect();
        let mut command = Command::new(script);
        command.arg(action).arg(self.folder.path());
        command
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        let _ = self.command("stop").arg("immediate").output();
    }
}

/// A port that nobody listens on now, below those that outgoing connections take.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = 20_000 + u16::try_from(Uuid::new_v4().as_u128() % 12_000).expect("a small number");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
