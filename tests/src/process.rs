//! The real binary: one-off commands, and servers and workers that are killed.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::api::{Api, TestSite};

/// How long anything that should happen by itself may take. Far longer than it takes.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What a finished command left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// The binary that cargo built next to this program, or above it where this is a test in `deps`.
pub fn binary() -> PathBuf {
    let program = env::current_exe().expect("the path of this program");
    let name = format!("module-monitor{}", env::consts::EXE_SUFFIX);
    let found = program.ancestors().skip(1).take(2).map(|folder| folder.join(&name)).find(|path| path.is_file());
    found.expect("the binary is missing; run `cargo build -p module-monitor` first")
}

/// The binary with these arguments, and nothing of our own settings.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("MODULE_MONITOR_") {
            command.env_remove(name);
        }
    }
    // Nothing that a test starts may ask drupal.org.
    command.env("MODULE_MONITOR_RELEASE_URL", "http://127.0.0.1:9/nobody");
    command.env("MODULE_MONITOR_NO_RELEASE_REFRESH", "true");
    // Suites ask again and again until something has happened.
    command.env("MODULE_MONITOR_READ_LIMIT", "1000000");
    command
}

/// Runs a command to its end.
pub async fn finish(mut command: Command) -> Finished {
    let output = timeout(DEADLINE, command.output()).await.expect("the command ends").expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Finished { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs the binary to its end on the database at `url`.
pub async fn run(url: &str, args: &[&str]) -> Finished {
    finish(command(&[&["--database-url", url], args].concat())).await
}

/// Registers a site in the database at `url`, as an administrator on the machine does.
pub async fn create_site(url: &str) -> TestSite {
    let created = run(url, &["site", "create", "--name", "A site", "--json"]).await;
    let site: Value = serde_json::from_str(&created.stdout).unwrap_or_else(|error| panic!("{error}: {created:?}"));
    TestSite { id: site["site_id"].to_string(), key: site["api_key"].as_str().expect("a key").to_owned() }
}

/// A process of the binary that runs until it is told to stop. `A` is how it can be asked.
pub struct Running<A> {
    /// A client of it, where it is a server.
    pub api: A,
    child: Child,
    log: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

/// `module-monitor serve` as a process of its own.
pub type ServerProcess = Running<Api>;

/// `module-monitor worker` as a process of its own.
pub type WorkerProcess = Running<()>;

impl ServerProcess {
    /// Starts a server on the database at `url` and waits until it listens.
    pub async fn start(url: &str, args: &[&str]) -> Self {
        let serve = [&["serve", "--listen", "127.0.0.1:0", "--database-url", url], args].concat();
        let mut server = Running::spawn(&serve);
        let addr = server.logged("listens", address).await;
        let Running { api: (), child, log, reader } = server;
        Self { api: Api::new(addr), child, log, reader }
    }
}

impl WorkerProcess {
    /// Starts a worker on the database at `url` and waits until it takes jobs.
    pub async fn start(url: &str, args: &[&str]) -> Self {
        let mut worker = Running::spawn(&[&["worker", "--database-url", url], args].concat());
        worker.logged("takes jobs", |log| log.contains("taking jobs").then_some(())).await;
        worker
    }

    /// Starts the binary with these arguments and waits for nothing.
    pub fn spawn(args: &[&str]) -> Self {
        let piped = command(args).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = piped.expect("a process");
        let log = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stderr.take().expect("its standard error")).lines();
        let written = Arc::clone(&log);
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = written.lock().expect("the log");
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { api: (), child, log, reader }
    }

    /// Waits until `find` finds something in its log.
    pub async fn logged<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        wait_for(&format!("the process {what}"), async || {
            let ended = self.child.try_wait().expect("its state");
            let log = self.log();
            assert!(ended.is_none(), "it ended: {log}");
            find(&log)
        })
        .await
    }
}

impl<A> Running<A> {
    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// The most memory that it has held so far, in KiB.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim_end_matches("kB").trim().parse().expect("a number")
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
        let _ = self.reader.await;
    }

    /// Sends SIGTERM.
    pub async fn terminate(&self) {
        self.signal("TERM").await;
    }

    /// Sends a signal: `TERM`, `STOP`, `CONT`.
    pub async fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        // The shell's own `kill`, because not every machine has the program.
        let sent = Command::new("sh").args(["-c", "kill -\"$1\" \"$2\"", "sh", name, &pid]).status().await;
        assert!(sent.expect("a shell").success());
    }

    /// Waits until it has ended by itself.
    pub async fn wait(mut self) -> (ExitStatus, String) {
        let ended = timeout(DEADLINE, self.child.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("it does not end: {}", self.log())).expect("its exit status");
        let _ = self.reader.await;
        let log = self.log.lock().expect("the log").clone();
        (status, log)
    }
}

/// Where the log says that the server listens.
fn address(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("listening on http://")?;
    rest.lines().next()?.trim().parse().ok()
}

/// Asks again and again until there is an answer; `what` should happen by itself.
pub async fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, asking).await.unwrap_or_else(|_| panic!("it never came true that {what}"))
}
