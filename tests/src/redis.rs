//! A Redis that a test may kill.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::certificates::Authority;
use crate::skip::skip_or_fail;

/// A Redis process that keeps nothing on disk and ends with this value.
pub struct PrivateRedis {
    port: u16,
    process: Child,
    scheme: &'static str,
}

impl PrivateRedis {
    /// Starts one on a free port; `None` where Redis is not installed and `SKIP` lists `redis`.
    pub async fn start() -> Option<Self> {
        let port = free_port();
        match spawn(port) {
            Ok(process) => {
                listens(port).await;
                Some(Self { port, process, scheme: "redis" })
            }
            Err(error) => {
                skip_or_fail("redis", &format!("redis-server cannot be started: {error}"));
                None
            }
        }
    }

    /// One that takes only TLS, with the certificate of `authority`'s server; `None` also where this Redis knows no TLS.
    pub async fn start_encrypted(authority: &Authority) -> Option<Self> {
        let port = free_port();
        let (certificate, key, root) = (authority.certificate(), authority.key(), authority.root());
        let mut command = server();
        command.args(["--port", "0", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
        command.arg("--tls-cert-file").arg(certificate).arg("--tls-key-file").arg(key);
        command.arg("--tls-ca-cert-file").arg(root);
        let mut process = command.spawn().ok();
        for _ in 0..200 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return process.map(|process| Self { port, process, scheme: "rediss" });
            }
            if process.as_mut().is_none_or(|process| process.try_wait().expect("its state").is_some()) {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        skip_or_fail("redis", "redis-server cannot be started with --tls-port");
        None
    }

    /// Where it listens while it runs.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
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

fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    free.local_addr().expect("its address").port()
}

fn spawn(port: u16) -> std::io::Result<Child> {
    server().args(["--port", &port.to_string()]).spawn()
}

fn server() -> Command {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command
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
