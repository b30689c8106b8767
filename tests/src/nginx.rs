//! An nginx of a test's own, in front of a server of its own, with the configuration of docs/operations.md.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::certificates::Authority;
use crate::postgres::free_port;
use crate::process::finish;
use crate::skip::skip_or_fail;

/// The host of the documented configuration.
const HOST: &str = "modules.example.org";

/// An nginx that takes HTTPS; it is gone once this is dropped.
pub struct PrivateNginx {
    port: u16,
    authority: Authority,
    folder: TempDir,
    _process: Child,
}

/// What came through it.
#[derive(Debug)]
pub struct Passed {
    /// The status code.
    pub status: u16,
    /// The version of HTTP that was spoken.
    pub version: String,
    /// The body.
    pub text: String,
}

impl PrivateNginx {
    /// One in front of the server at `server`. `None` where nginx is not installed and `SKIP` lists `nginx`.
    pub async fn start(server: SocketAddr) -> Option<Self> {
        // Debian keeps it off the PATH of users.
        let Some(program) = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).exists())
        else {
            skip_or_fail("nginx", "nginx is not installed");
            return None;
        };
        let authority = Authority::of_server(&format!("DNS:{HOST}"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, configuration(&folder, &documented(server, port, &authority))).expect("a file");
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(path).arg("-e").arg(folder.path().join("errors"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let nginx = Self { port, authority, folder, _process: command.spawn().expect("nginx can be started") };
        nginx.listens().await;
        Some(nginx)
    }

    async fn listens(&self) {
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "nginx does not listen: {}",
            std::fs::read_to_string(self.folder.path().join("errors")).unwrap_or_default()
        );
    }

    /// Asks for `path` with curl and these arguments of it.
    pub async fn ask(&self, path: &str, arguments: &[&str]) -> Passed {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "50", "--noproxy", "*"]);
        command.args(["--write-out", "\n%{http_version}\n%{http_code}"]).arg("--cacert").arg(self.authority.root());
        command.arg("--resolve").arg(format!("{HOST}:{}:127.0.0.1", self.port)).args(arguments);
        command.arg(format!("https://{HOST}:{}{path}", self.port)).stdin(Stdio::null()).kill_on_drop(true);
        let finished = finish(command).await;
        let mut parts = finished.stdout.rsplitn(3, '\n');
        let (status, version, text) = (parts.next(), parts.next(), parts.next());
        let status = status.and_then(|status| status.parse().ok()).filter(|status| *status != 0);
        Passed {
            status: status.unwrap_or_else(|| panic!("no answer: {finished:?}")),
            version: version.unwrap_or_default().to_owned(),
            text: text.unwrap_or_default().to_owned(),
        }
    }
}

/// The configuration that the documentation has, for other addresses and other files.
fn documented(server: SocketAddr, port: u16, authority: &Authority) -> String {
    let (_, block) = include_str!("../../docs/operations.md").split_once("```nginx\n").expect("the configuration");
    let (block, _) = block.split_once("```").expect("its end");
    let mut text = block.to_owned();
    for (theirs, ours) in [
        ("server 127.0.0.1:8080;", format!("server {server};")),
        ("listen 443 ", format!("listen 127.0.0.1:{port} ")),
        ("/etc/ssl/modules.example.org.pem", authority.certificate().display().to_string()),
        ("/etc/ssl/private/modules.example.org.key", authority.key().display().to_string()),
    ] {
        assert_eq!(text.matches(theirs).count(), 1, "{theirs} in {text}");
        text = text.replace(theirs, &ours);
    }
    text
}

/// All of a configuration that listens for `block` alone and leaves nothing outside of `folder`.
fn configuration(folder: &TempDir, block: &str) -> String {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut text = format!("daemon off;\nworker_processes 1;\npid {};\n", path("pid"));
    // As root its workers run as somebody else, who may not write here.
    if folder.path().metadata().expect("the folder").uid() == 0 {
        text.push_str("user root;\n");
    }
    text.push_str("events {}\nhttp {\naccess_log off;\n");
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        writeln!(text, "{kind}_temp_path {};", path(kind)).expect("memory");
    }
    text + block + "}\n"
}
