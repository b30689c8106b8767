//! A PgBouncer of a test's own, in front of a PostgreSQL of its own.

use std::env;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::postgres::{PrivatePostgres, free_port};
use crate::skip::skip_or_fail;

/// Sessions with PostgreSQL that all its clients share.
const SESSIONS: usize = 4;

/// A PgBouncer that pools transactions; it is gone once this is dropped.
pub struct PrivatePgBouncer {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Child,
}

impl PrivatePgBouncer {
    /// One in front of `postgres` that keeps so many prepared statements. `None` where there is no PgBouncer, or none that keeps
    /// any, and `SKIP` lists `pgbouncer`.
    pub async fn start(postgres: &PrivatePostgres, prepared: usize) -> Option<Self> {
        let Some(program) = env::var_os("TEST_PGBOUNCER").map(PathBuf::from) else {
            skip_or_fail("pgbouncer", "TEST_PGBOUNCER is not set");
            return None;
        };
        let keeps = match (keeps_prepared_statements(&program), prepared) {
            (true, _) => format!("max_prepared_statements = {prepared}\n"),
            (false, 0) => String::new(),
            (false, _) => {
                skip_or_fail("pgbouncer", "this PgBouncer is older than 1.21 and keeps no prepared statements");
                return None;
            }
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let users = folder.path().join("users");
        std::fs::write(&users, "\"postgres\" \"\"\n").expect("a file");
        // It refuses to run as root.
        let own = folder.path().metadata().expect("the folder").uid();
        let user = if own == 0 { "user = nobody\n" } else { "" };
        let settings = format!(
            "[databases]\npostgres = {}\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = transaction\n{keeps}\
             default_pool_size = {SESSIONS}\n{user}",
            postgres.host().split_once(':').map(|(host, port)| format!("host={host} port={port}")).expect("an address"),
            users.display(),
        );
        std::fs::write(folder.path().join("settings"), settings).expect("a file");
        let process = spawn(&program, &folder);
        let bouncer = Self { program, folder, port, process };
        bouncer.listens().await;
        Some(bouncer)
    }

    /// The URL of the PostgreSQL, through it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it at once, and all of its connections.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("killed");
    }

    /// Starts it again after [`PrivatePgBouncer::kill`].
    pub async fn restart(&mut self) {
        self.process = spawn(&self.program, &self.folder);
        self.listens().await;
    }

    async fn listens(&self) {
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("PgBouncer does not listen on port {}", self.port);
    }
}

/// Whether it is of version 1.21 or later.
fn keeps_prepared_statements(program: &Path) -> bool {
    let said = std::process::Command::new(program).arg("--version").output().expect("PgBouncer can be asked");
    let said = String::from_utf8_lossy(&said.stdout);
    let version = said.split_whitespace().nth(1).unwrap_or_else(|| panic!("no version: {said}"));
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().expect("a number"));
    (numbers.next(), numbers.next()) >= (Some(1), Some(21))
}

fn spawn(program: &PathBuf, folder: &TempDir) -> Child {
    let mut command = Command::new(program);
    command.arg("--quiet").arg(folder.path().join("settings"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().expect("PgBouncer can be started")
}
