//! Bodies that nobody should send: never a fault of the server, and the same answer on both databases.

use futures::future::join_all;
use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::payloads::timestamp;
use module_monitor_tests::reports::now;
use module_monitor_tests::server::TestServer;
use serde_json::{Value, json};

use crate::support::raw_sync;

/// How many sites send at once.
const STREAMS: usize = 4;
/// What no answer needs: the errors are bounded in number and length.
const LONGEST_ANSWER: usize = 256 * 1024;

/// A server on each database that there is, and the sites that send to it.
struct Servers(Vec<(TestDatabase, TestServer, Vec<TestSite>)>);

impl Servers {
    async fn start() -> Self {
        let mut servers = Vec::new();
        for backend in [Backend::Sqlite, Backend::Postgres] {
            let Some(database) = TestDatabase::new(backend).await else { continue };
            let server = TestServer::start_with(&database.url, |config| config.rate_limit = 1_000_000).await;
            let mut sites = Vec::new();
            for n in 0..STREAMS {
                sites.push(server.site(&format!("Site {n}")).await);
            }
            servers.push((database, server, sites));
        }
        Self(servers)
    }

    /// Sends every body as it is, from several sites at once, and counts the answers by their status.
    async fn send_all(&self, lenient: bool, bodies: &[Vec<u8>]) -> Vec<(u16, usize)> {
        let share = bodies.len().div_ceil(STREAMS).max(1);
        let streams = bodies.chunks(share).enumerate().map(|(n, chunk)| async move {
            let mut statuses = Vec::new();
            for body in chunk {
                statuses.push(self.send(n, lenient, body).await);
            }
            statuses
        });
        let mut counts = std::collections::BTreeMap::new();
        for status in join_all(streams).await.into_iter().flatten() {
            *counts.entry(status).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    /// Sends a body to every server and returns the status that all of them answer with.
    async fn send(&self, stream: usize, lenient: bool, body: &[u8]) -> u16 {
        let answers = join_all(self.0.iter().map(|(_, server, sites)| {
            let request = raw_sync(&server.api, &sites[stream], body.to_vec());
            Answer::of(if lenient { request.header("Prefer", "handling=lenient") } else { request })
        }))
        .await;
        let first = meaning(&answers[0], body);
        for answer in &answers[1..] {
            assert_eq!(meaning(answer, body), first, "the databases disagree about {}", excerpt(body));
        }
        answers[0].status
    }

    /// The sites have the same modules on every server.
    async fn assert_same_inventories(&self) {
        for stream in 0..STREAMS {
            let mut inventories = Vec::new();
            for (_, server, sites) in &self.0 {
                let mut items = server.api.list(&sites[stream].key, &sites[stream].modules(""), 1000).await;
                for item in &mut items {
                    for time in ["first_seen", "last_seen", "last_updated"] {
                        item[time].take();
                    }
                }
                inventories.push(items);
            }
            assert!(inventories.iter().all(|items| *items == inventories[0]), "{inventories:#?}");
        }
    }

    async fn stop(self) {
        for (_database, server, _) in self.0 {
            server.stop().await;
        }
    }
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned()
}

/// What an answer says, without what differs from time to time.
fn meaning(answer: &Answer, body: &[u8]) -> (u16, Value) {
    assert!(answer.status < 500, "{}: {} for {}", answer.status, answer.text, excerpt(body));
    assert!(answer.text.len() < LONGEST_ANSWER, "{} bytes for {}", answer.text.len(), excerpt(body));
    let said = answer.json();
    let pairs = |list: &Value| -> Value {
        let of = |e: &Value| json!([e["pointer"], e["code"], e["machine_name"]]);
        list.as_array().map(|errors| errors.iter().map(of).collect()).unwrap_or_default()
    };
    let counts =
        ["processed_count", "new_modules", "updated_modules", "removed_modules"].map(|name| said[name].clone());
    let meaning = json!([said["code"], pairs(&said["errors"]), pairs(&said["rejected"]), counts]);
    (answer.status, meaning)
}

/// A report with every field of the contract.
fn every_field() -> Value {
    let module = |name: &str| {
        json!({
            "machine_name": name, "name": "Token", "type": "contrib", "version": "8.x-1.15", "status": true,
            "extension": "module", "schema_version": 8001, "package": "Other", "project": "token",
            "core_compatibility": ["^10", "^11"], "dependencies": ["drupal:node"], "description": "Tokens",
            "project_link": "https://www.drupal.org/project/token", "security_coverage": true,
            "datestamp": 1_700_000_000,
        })
    };
    json!({
        "site_info": {"name": "A site", "environment": "prod", "url": "https://a.example", "nested": {"a": [1, "x"]}},
        "modules": [
            module("token"),
            {"machine_name": "mine", "name": "Mine", "type": "custom", "version": null, "status": false},
            {"machine_name": "node", "name": "Node", "type": "core", "version": "10.3.6", "status": true},
        ],
        "sync_timestamp": timestamp(now()),
        "drupal_version": "10.3.6",
        "php_version": "8.3.0",
        "sync_type": "full",
    })
}

/// The pointers to every value inside `value`, itself included.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| pointers(field, &format!("{at}/{name}"), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| pointers(item, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

/// The report with each value in turn replaced by each of `texts`, which need not even be JSON.
fn replaced(texts: &[String]) -> Vec<Vec<u8>> {
    const MARK: &str = "@@";
    let report = every_field();
    let mut places = Vec::new();
    pointers(&report, "", &mut places);
    let mut bodies = Vec::new();
    for place in &places {
        let mut marked = every_field();
        *marked.pointer_mut(place).expect("a value") = MARK.into();
        let marked = marked.to_string();
        bodies.extend(texts.iter().map(|text| marked.replace("\"@@\"", text).into_bytes()));
    }
    bodies
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_type_in_any_field() {
    let servers = Servers::start().await;
    let mut values =
        texts(&["null", "true", "0", "-1", "1.5", "\"\"", "\"x\"", "[]", "{}", "[[]]", "[null]", "{\"\":0}"]);
    values.push(format!("\"{}\"", "\u{1F4A9}".repeat(300)));
    for lenient in [false, true] {
        let counts = servers.send_all(lenient, &replaced(&values)).await;
        assert!(counts.iter().all(|(status, _)| matches!(status, 200 | 409 | 422)), "{counts:?}");
    }
    servers.assert_same_inventories().await;
    servers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_without_measure_and_characters_without_a_place() {
    let servers = Servers::start().await;
    let mut values = texts(&[
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e308",
        "1e999",
        "-1e999999999",
        "1e-999999999",
        "-0",
        "0.1e1",
        "2147483648",
        "4102444801",
        "NaN",
        "Infinity",
        "0x10",
        "01",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u202e\\ufeff\\uffff\"",
        "\"a\nb\"",
        "\"a\\nb\"",
        "{\"\\u0000\": 1}",
        "[\"\\u0000\"]",
        "\"'; DROP TABLE sites; --\"",
        "\"{{7*7}}\\\\x00$1\"",
    ]);
    values.push("9".repeat(5000));
    values.push(format!("0.{}1", "0".repeat(5000)));
    let counts = servers.send_all(false, &replaced(&values)).await;
    assert!(counts.iter().all(|(status, _)| matches!(status, 200 | 400 | 409 | 422)), "{counts:?}");
    servers.send_all(true, &replaced(&values)).await;
    // A NUL is refused wherever it stands, in names of fields that nobody knows as well.
    for body in replaced(&texts(&["\"\\u0000\"", "{\"a\": [{\"\\u0000\": 0}]}"])) {
        assert_eq!(servers.send(0, false, &body).await, 422, "{}", excerpt(&body));
    }
    servers.assert_same_inventories().await;
    servers.stop().await;
}

/// Random, and the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 32).expect("32 bits") % limit
    }
}

/// The report with a few bytes changed, removed, repeated or put elsewhere.
fn mutated(report: &[u8], dice: &mut Dice) -> Vec<u8> {
    const BYTES: &[u8] = b"\"\\{}[]:,0123456789eE+-.xntf \x00\x1f\x7f\x80\xc3\xff";
    let mut body = report.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(body.len());
        let end = (at + 1 + dice.below(40)).min(body.len());
        match dice.below(5) {
            0 => body[at] = BYTES[dice.below(BYTES.len())],
            1 => body.insert(at, BYTES[dice.below(BYTES.len())]),
            2 => drop(body.drain(at..end)),
            3 => {
                let piece = body[at..end].to_vec();
                let to = dice.below(body.len());
                body.splice(to..to, piece);
            }
            _ => body[at] ^= 1 << dice.below(8),
        }
    }
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_damaged_bodies() {
    let servers = Servers::start().await;
    let report = every_field().to_string().into_bytes();
    let mut dice = Dice(7);
    let bodies: Vec<_> = (0..3000).map(|_| mutated(&report, &mut dice)).collect();
    for (lenient, bodies) in [(false, &bodies[..1500]), (true, &bodies[1500..])] {
        let counts = servers.send_all(lenient, bodies).await;
        for status in [200, 400, 422] {
            assert!(counts.iter().any(|(found, count)| *found == status && *count > 20), "{status}: {counts:?}");
        }
    }
    let cut: Vec<_> = (0..report.len()).step_by(3).map(|end| report[..end].to_vec()).collect();
    let counts = servers.send_all(false, &cut).await;
    assert_eq!(counts, [(400, cut.len())], "not one cut report is taken for a whole one");
    servers.assert_same_inventories().await;
    servers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_deep_or_endless() {
    let servers = Servers::start().await;
    let report = every_field().to_string();
    let inside = |text: &str| report.replace("\"A site\"", text).into_bytes();
    let deep = |depth: usize, open: &str, close: &str| format!("{}0{}", open.repeat(depth), close.repeat(depth));
    let mut bodies = Vec::new();
    for depth in [33, 100, 1000, 100_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"\":", "}]")] {
            let nested = deep(depth, open, close);
            bodies.push(inside(&nested));
            bodies.push(nested.into_bytes());
            // Never closed at all.
            bodies.push(open.repeat(depth).into_bytes());
        }
    }
    let counts = servers.send_all(false, &bodies).await;
    assert!(counts.iter().all(|(status, _)| matches!(status, 400 | 422)), "{counts:?}");

    let modules = |item: &str, count: usize| {
        let list = vec![item; count].join(",");
        let mut report = every_field();
        report["modules"] = "@@".into();
        report.to_string().replace("\"@@\"", &format!("[{list}]")).into_bytes()
    };
    let bodies = vec![
        modules("{}", 2000),
        modules("{}", 1_000_000),
        modules("0", 5_000_000),
        modules("\"\\u0000\"", 2000),
        modules("{\"machine_name\": \"a\", \"dependencies\": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}", 2000),
        inside(&format!("\"{}\"", "x".repeat(15 * 1024 * 1024))),
        inside(&"9".repeat(1024 * 1024)),
        inside(&format!("[{}0]", "0,".repeat(5_000_000))),
        format!("{{{}\"a\":0}}", "\"a\":0,".repeat(1_000_000)).into_bytes(),
        format!("{{{}}}", vec!["\"modules\":[]"; 100_000].join(",")).into_bytes(),
        b" ".repeat(15 * 1024 * 1024),
        b"\xff".repeat(1024 * 1024),
    ];
    for lenient in [false, true] {
        let counts = servers.send_all(lenient, &bodies).await;
        assert!(counts.iter().all(|(status, _)| matches!(status, 400 | 413 | 422)), "{counts:?}");
    }
    servers.assert_same_inventories().await;
    servers.stop().await;
}
