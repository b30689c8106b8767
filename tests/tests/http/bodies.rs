//! Bodies: media types, encodings and sizes.

use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::rude;
use module_monitor_tests::server::TestServer;
use reqwest::Method;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

/// The most bytes a body may have once it is decompressed.
const LIMIT: usize = 16 * 1024 * 1024;

on_both_backends!(
    bodies_are_taken_compressed,
    bodies_that_are_no_json_are_refused,
    bodies_that_cannot_be_decompressed_are_refused,
    bodies_over_the_limit_are_refused,
);

struct Sender<'a> {
    server: &'a TestServer,
    site: &'a TestSite,
}

impl Sender<'_> {
    async fn send(&self, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let request = self.server.api.request(Method::POST, &self.site.sync_path()).header("X-API-Key", &self.site.key);
        Answer::of(headers.iter().fold(request, |r, (name, value)| r.header(*name, *value)).body(body)).await
    }

    async fn send_encoded(&self, encoding: &str, body: Vec<u8>) -> Answer {
        self.send(&[("Content-Type", "application/json"), ("Content-Encoding", encoding)], body).await
    }
}

async fn bytes(mut reader: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).await.expect("bytes");
    bytes
}

async fn compressed(plain: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    [
        ("gzip", bytes(GzipEncoder::new(plain)).await),
        ("br", bytes(BrotliEncoder::with_quality(plain, async_compression::Level::Fastest)).await),
        ("zstd", bytes(ZstdEncoder::new(plain)).await),
    ]
}

async fn bodies_are_taken_compressed(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let sender = Sender { server: &server, site: &site };
    for (round, name) in ["gzip", "br", "zstd"].into_iter().enumerate() {
        let plain = full(contribs("m", 300 + round, "1.0.0")).to_string();
        let (_, body) = compressed(plain.as_bytes()).await.into_iter().find(|(e, _)| *e == name).expect("an encoding");
        let answer = sender.send_encoded(name, body).await;
        assert_eq!(answer.counts().0, if round == 0 { 300 } else { 1 }, "{name}");
    }
    let plain = full(contribs("m", 310, "1.0.0")).to_string();
    assert_eq!(sender.send_encoded("identity", plain.clone().into_bytes()).await.counts(), (8, 0, 0));
    let (head, body) = ("application/json; charset=utf-8", full(contribs("m", 311, "1.0.0")).to_string());
    assert_eq!(sender.send(&[("Content-Type", head)], body.into_bytes()).await.counts(), (1, 0, 0));
    server.stop().await;
}

async fn bodies_that_are_no_json_are_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let sender = Sender { server: &server, site: &site };
    let good = full(contribs("m", 3, "1.0.0")).to_string();
    let cut = &good.as_bytes()[..good.len() - 1];
    for bad in [b"".as_slice(), b" ", b"{", b"{]", b"nonsense", b"{\"a\":1}x", b"\xff\xfe", b"\xef\xbb\xbf{}", cut] {
        sender.send(&[("Content-Type", "application/json")], bad.to_vec()).await.problem(400, "malformed-json");
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    sender.send(&[("Content-Type", "application/json")], deep.into_bytes()).await.problem(422, "validation-failed");
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "multipart/form-data; boundary=x",
        "nonsense",
    ] {
        let answer = sender.send(&[("Content-Type", media)], good.clone().into_bytes()).await;
        answer.problem(415, "unsupported-media-type");
    }
    sender.send(&[], good.clone().into_bytes()).await.problem(415, "unsupported-media-type");
    assert!(server.api.list(&site.key, &site.modules(""), 100).await.is_empty());
    server.stop().await;
}

async fn bodies_that_cannot_be_decompressed_are_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let sender = Sender { server: &server, site: &site };
    let plain = full(contribs("m", 300, "1.0.0")).to_string().into_bytes();
    for encoding in ["deflate", "compress", "gzip, br", "lz4", "gzip;q=1"] {
        sender.send_encoded(encoding, plain.clone()).await.problem(415, "unsupported-encoding");
    }
    for (encoding, body) in compressed(&plain).await {
        sender.send_encoded(encoding, plain.clone()).await.problem(400, "bad-encoding");
        sender.send_encoded(encoding, body[..body.len() / 2].to_vec()).await.problem(400, "bad-encoding");
        let mut damaged = body.clone();
        let middle = damaged.len() / 2;
        damaged[middle..].iter_mut().for_each(|b| *b ^= 0x5a);
        let status = sender.send_encoded(encoding, damaged).await.status;
        assert_eq!(status, 400, "{encoding}");
    }
    assert!(server.api.list(&site.key, &site.modules(""), 100).await.is_empty());
    server.stop().await;
}

async fn bodies_over_the_limit_are_refused(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let site = server.site("A site").await;
    let sender = Sender { server: &server, site: &site };
    let report = full(contribs("m", 3, "1.0.0")).to_string();
    // Spaces are JSON too: the bomb would be a valid report if it were read to its end.
    let padded = |length: usize| format!("{report}{}", " ".repeat(length - report.len())).into_bytes();
    for (encoding, body) in compressed(&padded(LIMIT + 1024 * 1024)).await {
        assert!(body.len() < 64 * 1024, "{encoding}: {} bytes are no bomb", body.len());
        sender.send_encoded(encoding, body).await.problem(413, "body-too-large");
    }
    let exactly = bytes(GzipEncoder::new(padded(LIMIT).as_slice())).await;
    assert_eq!(sender.send_encoded("gzip", exactly).await.counts(), (3, 0, 0));

    // The length alone is enough to be refused: not a byte of the body is sent.
    let (head, _) = rude::sync_bytes(&site, &full(contribs("m", 1, "1.0.0")), "Connection: close\r\n");
    let head = String::from_utf8(head).expect("text");
    let start = head.split("Content-Length: ").next().expect("a head");
    let mut stream = rude::connect(server.api.addr).await;
    let claim = format!("{start}Content-Length: {}\r\nConnection: close\r\n\r\n", LIMIT + 1);
    stream.write_all(claim.as_bytes()).await.expect("the server reads");
    let answer = rude::read_head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(server.api.list(&site.key, &site.modules(""), 100).await.len(), 3);
    server.stop().await;
}
