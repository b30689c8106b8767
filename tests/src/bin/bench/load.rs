//! The load generator: prepared requests over connections that stay open, each answer looked at after the clock has stopped.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_tests::api::{Api, TestSite};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, Request};
use serde_json::Value;

/// What must be in an answer, which must be a 200.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// So many new and updated modules, and none removed.
    Changes(usize, usize),
    /// So many items on a page.
    Items(usize),
    /// So many lines in a file, with its first.
    Lines(usize),
}

/// A request that is ready to be sent, and what it must be answered.
pub(crate) struct Prepared {
    request: Request,
    expected: Expected,
}

impl Prepared {
    /// A report of a site.
    pub(crate) fn sync(api: &Api, site: &TestSite, body: Vec<u8>, new: usize, updated: usize) -> Self {
        let request = api.request(Method::POST, &site.sync_path()).header("X-API-Key", &site.key);
        let request = request.header(CONTENT_TYPE, "application/json").body(body).build().expect("a request");
        Self { request, expected: Expected::Changes(new, updated) }
    }

    /// A list, or a part of it.
    pub(crate) fn list(api: &Api, key: &str, path: &str, expected: Expected) -> Self {
        let accept = if matches!(expected, Expected::Lines(_)) { "text/csv" } else { "application/json" };
        let request = api.request(Method::GET, path).header("X-API-Key", key).header("Accept", accept);
        Self { request: request.build().expect("a request"), expected }
    }

    /// The same so many times. The copies share the body.
    pub(crate) fn times(self, count: usize) -> Vec<Self> {
        let copy = |_| Self { request: self.request.try_clone().expect("bytes"), expected: self.expected };
        (0..count).map(copy).collect()
    }
}

/// How long requests took: each, and all together.
#[derive(Default)]
pub(crate) struct Times {
    each: Vec<Duration>,
    pub(crate) all: Duration,
}

impl Times {
    pub(crate) fn new(mut each: Vec<Duration>, all: Duration) -> Self {
        each.sort_unstable();
        Self { each, all }
    }

    pub(crate) fn count(&self) -> usize {
        self.each.len()
    }

    /// The time that `share` of all did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let last = self.each.len() - 1;
        self.each[((last as f64) * share).round() as usize]
    }

    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    pub(crate) fn worst(&self) -> Duration {
        self.quantile(1.0)
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.count() as f64 / self.all.as_secs_f64()
    }
}

/// Sends the requests of each lane one after the other, all lanes at once, each over a connection of its own.
pub(crate) async fn send(lanes: Vec<Vec<Prepared>>) -> anyhow::Result<Times> {
    let lanes: Vec<(Client, Vec<Prepared>)> = lanes.into_iter().map(|lane| (client(), lane)).collect();
    let begun = SystemClock.instant();
    let answers = try_join_all(lanes.into_iter().map(|(client, lane)| send_lane(client, lane))).await?;
    let all = SystemClock.instant().duration_since(begun);
    let mut each = Vec::new();
    for answer in answers.into_iter().flatten() {
        answer.check()?;
        each.push(answer.took);
    }
    Ok(Times::new(each, all))
}

fn client() -> Client {
    Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(600)).build().expect("a client")
}

async fn send_lane(client: Client, lane: Vec<Prepared>) -> anyhow::Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(lane.len());
    for Prepared { request, expected } in lane {
        let begun = SystemClock.instant();
        let response = client.execute(request).await?;
        let status = response.status().as_u16();
        let body = response.bytes().await?.to_vec();
        answers.push(Answer { took: SystemClock.instant().duration_since(begun), status, body, expected });
    }
    Ok(answers)
}

/// What came back.
struct Answer {
    took: Duration,
    status: u16,
    body: Vec<u8>,
    expected: Expected,
}

impl Answer {
    fn check(&self) -> anyhow::Result<()> {
        let text = String::from_utf8_lossy(&self.body);
        ensure!(self.status == 200, "{}: {text}", self.status);
        if let Expected::Lines(count) = self.expected {
            let found = text.lines().count();
            ensure!(found == count, "{found} lines, not {count}");
            return Ok(());
        }
        let body: Value = serde_json::from_slice(&self.body).context("JSON")?;
        match self.expected {
            Expected::Changes(new, updated) => {
                let counts = ["new_modules", "updated_modules", "removed_modules"].map(|name| body[name].as_u64());
                let right = counts == [Some(new as u64), Some(updated as u64), Some(0)];
                ensure!(right, "{counts:?}, not {new} new and {updated} updated");
            }
            Expected::Items(count) => {
                let found = body["items"].as_array().context("items")?.len();
                ensure!(found == count, "{found} items, not {count}");
            }
            Expected::Lines(_) => {}
        }
        Ok(())
    }
}
