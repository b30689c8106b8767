//! Certificates of a test's own authority.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// An authority, and a certificate of a server that it has signed. They go away with this value.
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// One whose server is called `names`, as in `IP:127.0.0.1,DNS:localhost`.
    pub fn of_server(names: &str) -> Self {
        let authority = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let folder = authority.folder.path();
        fs::write(folder.join("names"), format!("subjectAltName={names}")).expect("a file");
        let new_key = ["-newkey", "rsa:2048", "-nodes"];
        openssl(
            folder,
            &[&["req", "-x509", "-subj", "/CN=A test's authority", "-days", "2"], &new_key[..]].concat(),
            &["-keyout", "ca.key", "-out", "ca.pem"],
        );
        openssl(
            folder,
            &[&["req", "-new", "-subj", "/CN=server"], &new_key[..]].concat(),
            &["-keyout", "server.key", "-out", "server.csr"],
        );
        let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        openssl(folder, &sign, &["-days", "2", "-extfile", "names", "-out", "server.pem"]);
        authority
    }

    /// The certificate of the authority.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The certificate of the server.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// The server's key.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }
}

fn openssl(folder: &Path, action: &[&str], files: &[&str]) {
    let mut command = Command::new("openssl");
    let output = command.current_dir(folder).args(action).args(files).stdin(Stdio::null()).output().expect("openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
