//! Short ways to send what is needed here.

use async_compression::Level;
use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use module_monitor_tests::api::{Answer, Api, TestSite};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A request that sends these bytes as the report of `site`.
pub(crate) fn raw_sync(api: &Api, site: &TestSite, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = api.request(Method::POST, &site.sync_path()).header("X-API-Key", &site.key);
    request.header("Content-Type", "application/json").body(body)
}

/// Sends these bytes as the report of `site`.
pub(crate) async fn send(api: &Api, site: &TestSite, body: impl Into<reqwest::Body>) -> Answer {
    Answer::of(raw_sync(api, site, body)).await
}

/// Sends `body` under an idempotency key.
pub(crate) async fn send_keyed(api: &Api, site: &TestSite, key: &str, body: &Value) -> Answer {
    Answer::of(api.sync_request(site, body).header("Idempotency-Key", key)).await
}

/// The same site, as somebody with that key asks for it.
pub(crate) fn with_key(site: &TestSite, key: &str) -> TestSite {
    TestSite { id: site.id.clone(), key: key.to_owned() }
}

/// The public id of a key.
pub(crate) fn key_id(key: &str) -> &str {
    key.split('_').nth(1).expect("mm_ID_SECRET")
}

/// What is left of the rate limit, as an answer says it.
pub(crate) fn remaining(answer: &Answer) -> Option<u64> {
    let (_, rest) = answer.header("ratelimit")?.split_once("r=")?;
    rest.split(';').next()?.parse().ok()
}

async fn bytes(mut reader: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).await.expect("bytes");
    bytes
}

/// `plain`, compressed.
pub(crate) async fn compress(encoding: &str, plain: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => bytes(GzipEncoder::with_quality(plain, Level::Fastest)).await,
        "br" => bytes(BrotliEncoder::with_quality(plain, Level::Fastest)).await,
        "zstd" => bytes(ZstdEncoder::with_quality(plain, Level::Fastest)).await,
        other => panic!("no such encoding: {other}"),
    }
}
