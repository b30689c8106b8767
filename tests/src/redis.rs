//! A Redis that a test may kill.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::skip::skip_or_fail;

/// A Redis process that keeps nothing on disk and ends with this value.
pub struct PrivateRedis {
    port: u16,
    process: Child,
}

impl PrivateRedis {
    /// Starts one on a free port; `None` where Redis is not installed and `SKIP` lists `redis`.
    pub async fn start() -> Option<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        match spawn(port) {
            Ok(process) => {
                listens(port).await;
                Some(Self { port, process })
            }
            Err(error) => {
                skip_or_fail("redis", &format!("redis-server cannot be started: {error}"));
                None
            }
        }
    }

    /// Where it listens while it runs.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once, as a crash does.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("killed");
    }

    /// Makes it forget everything while it goes on running.
    pub async fn flush(&self) {
        assert_eq!(self.ask("FLUSHALL").await, "+OK");
    }

    /// How many items a list has.
    pub async fn length(&self, list: &str) -> usize {
        let answer = self.ask(&format!("LLEN {list}")).await;
        answer.trim_start_matches(':').parse().unwrap_or_else(|_| panic!("no number: {answer}"))
    }

    /// Puts a word without spaces in front of a list.
    pub async fn push(&self, list: &str, word: &str) {
        assert!(self.ask(&format!("LPUSH {list} {word}")).await.starts_with(':'));
    }

    /// The first line of the answer to a command.
    async fn ask(&self, command: &str) -> String {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.expect("Redis accepts");
        connection.write_all(format!("{command}\r\n").as_bytes()).await.expect("Redis reads");
        let answer = BufReader::new(connection).lines().next_line().await.expect("Redis answers");
        answer.expect("a line")
    }

    /// Starts it again after [`PrivateRedis::kill`], empty, on the same port.
    pub async fn restart(&mut self) {
        self.process = spawn(self.port).expect("a process");
        listens(self.port).await;
    }
}

fn spawn(port: u16) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

async fn listens(port: u16) {
    for _ in 0..200 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("Redis does not listen on port {port}");
}
