//! What it costs to read a report of 1000 modules: at a glance, as a whole, and by `serde_json` alone.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use module_monitor_ingestion::{Handling, SyncRequest};
use serde::Deserialize;

/// A report of 1000 modules as a site describes them: some 440 bytes each.
fn body() -> String {
    let module = |n: usize| {
        format!(
            r#"{{"machine_name":"module_{n:04}","name":"The module {n}","type":"contrib","version":"8.x-1.{n}","status":true,"extension":"module","schema_version":8001,"package":"Other","project":"module_{n:04}","core_compatibility":["^10.3 || ^11"],"dependencies":["drupal:node","token:token"],"description":"Does \"thing\" {n} as well as a module can.","datestamp":1700000000,"path":"modules/contrib/module_{n:04}","composer_name":"drupal/module_{n:04}","composer_version":"1.{n}.0"}}"#
        )
    };
    let modules: Vec<String> = (0..1000).map(module).collect();
    format!(
        r#"{{"site_info":{{"name":"A site","environment":"production"}},"sync_timestamp":"2026-01-01T10:00:00Z","drupal_version":"10.3.6","php_version":"8.3.0","facts":{{"web_server":"nginx"}},"sync_type":"full","modules":[{}]}}"#,
        modules.join(",")
    )
}

/// The types of a report, as `serde_json` alone would read them.
#[derive(Deserialize)]
#[expect(dead_code, reason = "they are read and not used")]
struct Bare {
    modules: Vec<BareModule>,
    sync_timestamp: String,
    drupal_version: String,
    php_version: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "they are read and not used")]
struct BareModule {
    machine_name: String,
    name: String,
    #[serde(rename = "type")]
    module_type: String,
    version: Option<String>,
    status: bool,
    extension: String,
    schema_version: Option<i64>,
    package: Option<String>,
    project: Option<String>,
    core_compatibility: Vec<String>,
    dependencies: Vec<String>,
    description: Option<String>,
    datestamp: Option<i64>,
    path: Option<String>,
    composer_name: Option<String>,
    composer_version: Option<String>,
}

fn reading(criterion: &mut Criterion) {
    let body = body();
    let body = body.as_bytes();
    let mut group = criterion.benchmark_group("1000 modules");
    group.throughput(Throughput::Bytes(body.len() as u64)).measurement_time(Duration::from_secs(3)).sample_size(30);
    assert!(SyncRequest::glance(body).is_some() && SyncRequest::from_json(body, Handling::Strict).is_ok());
    group.bench_function("a glance", |b| b.iter(|| SyncRequest::glance(black_box(body))));
    group.bench_function("the whole", |b| b.iter(|| SyncRequest::from_json(black_box(body), Handling::Strict)));
    group.bench_function("serde_json alone", |b| b.iter(|| serde_json::from_slice::<Bare>(black_box(body))));
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
