//! Clients that do not behave: HTTP by hand on a TCP connection.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::api::TestSite;

/// A sync as it goes over the wire: the head with `extra` header lines (each ending in CRLF), and the body.
pub fn sync_bytes(site: &TestSite, body: &Value, extra: &str) -> (Vec<u8>, Vec<u8>) {
    let body = body.to_string().into_bytes();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{extra}\r\n",
        site.sync_path(),
        site.key,
        body.len()
    );
    (head.into_bytes(), body)
}

/// Opens a connection.
pub async fn connect(addr: SocketAddr) -> TcpStream {
    TcpStream::connect(addr).await.expect("the server accepts")
}

/// Reads up to the empty line that ends a head.
pub async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).expect("text")
}

/// Sends `bytes` and hangs up at once, whatever the server says.
pub async fn send_and_hang_up(addr: SocketAddr, bytes: &[u8]) {
    let mut stream = connect(addr).await;
    // The server may have refused and closed already; that is its right.
    let _ = stream.write_all(bytes).await;
}

/// Begins a sync on a connection of its own, waits until the server is at work on it, and returns the connection and
/// the body that is still to be sent.
pub async fn begin_sync(addr: SocketAddr, site: &TestSite, body: &Value) -> (TcpStream, Vec<u8>) {
    let (head, body) = sync_bytes(site, body, "Expect: 100-continue\r\n");
    let mut stream = connect(addr).await;
    stream.write_all(&head).await.expect("the server reads");
    let answer = read_head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 100 "), "{answer}");
    (stream, body)
}

/// Sends the rest of a sync that was begun, and returns the status of the answer.
pub async fn end_sync(mut stream: TcpStream, rest: &[u8]) -> u16 {
    stream.write_all(rest).await.expect("the server reads");
    let head = read_head(&mut stream).await;
    let status = head.split(' ').nth(1).expect("a status line");
    status.parse().expect("a status")
}
