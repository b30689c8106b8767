//! Jobs as the database has them, and how the suites bring them there.

use std::collections::BTreeMap;

use futures::future::join_all;
use module_monitor_storage::Storage;
use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::backends::Backend;
use module_monitor_tests::payloads::{contribs, full};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::server::new_site;
use serde_json::Value;

/// A job as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// queued, running, succeeded, failed, superseded or dead.
    pub(crate) state: String,
    /// How often a worker has taken it.
    pub(crate) attempts: u32,
    /// The order of acceptance.
    pub(crate) seq: u64,
}

/// The jobs of a database, by sync id.
pub(crate) type Jobs = BTreeMap<String, Job>;

/// All jobs that the database knows.
pub(crate) async fn jobs(raw: &mut RawConnection) -> Jobs {
    let id = match raw.backend() {
        Backend::Sqlite => "lower(hex(id))",
        Backend::Postgres => "replace(id::text, '-', '')",
    };
    let lines = raw.texts(&format!("SELECT {id} || '|' || state || '|' || attempts || '|' || seq FROM jobs")).await;
    lines
        .iter()
        .map(|line| {
            let fields: Vec<&str> = line.split('|').collect();
            let number = |i: usize| fields[i].parse().expect("a number");
            let attempts = u32::try_from(number(2)).expect("a small number");
            (fields[0].to_owned(), Job { state: fields[1].to_owned(), attempts, seq: number(3) })
        })
        .collect()
}

/// How many jobs are in one of those states.
pub(crate) fn count(jobs: &Jobs, states: &[&str]) -> usize {
    jobs.values().filter(|job| states.contains(&job.state.as_str())).count()
}

/// Waits until nothing is queued or running any more. Each job may take as long as [`wait_for`] waits.
pub(crate) async fn settled(raw: &mut RawConnection) -> Jobs {
    loop {
        let left = count(&jobs(raw).await, &["queued", "running"]);
        if left == 0 {
            return jobs(raw).await;
        }
        wait_for("another job ends", async || (count(&jobs(raw).await, &["queued", "running"]) < left).then_some(()))
            .await;
    }
}

/// The id of a sync as [`Jobs`] has it.
pub(crate) fn hex(sync_id: &str) -> String {
    sync_id.trim_start_matches("sync_").replace('-', "")
}

/// What the database knows of a job.
pub(crate) async fn job(raw: &mut RawConnection, sync_id: &str) -> Job {
    jobs(raw).await.remove(&hex(sync_id)).unwrap_or_else(|| panic!("{sync_id} is no job"))
}

/// Waits until a job is in that state.
pub(crate) async fn becomes(raw: &mut RawConnection, sync_id: &str, state: &str) -> Job {
    wait_for(&format!("{sync_id} is {state}"), async || Some(job(raw, sync_id).await).filter(|job| job.state == state))
        .await
}

/// Sends `report` with `Prefer: respond-async`.
pub(crate) async fn send(api: &Api, site: &TestSite, report: &Value) -> Answer {
    Answer::of(api.sync_request(site, report).header("Prefer", "respond-async")).await
}

/// The id of a sync that must be accepted.
pub(crate) async fn accept(api: &Api, site: &TestSite, report: &Value) -> String {
    accepted(&send(api, site, report).await)
}

/// The id of what must have been accepted: a 202, or a 200 where a worker was quicker than the answer.
pub(crate) fn accepted(answer: &Answer) -> String {
    let body = answer.json();
    assert!([200, 202].contains(&answer.status), "{answer:?}");
    let id = body["sync_id"].as_str().expect("an id").to_owned();
    if answer.status == 202 {
        assert!(["queued", "running", "superseded", "dead"].iter().any(|state| body["status"] == *state), "{body}");
        assert_eq!(answer.header("location"), Some(format!("/api/v1/syncs/{id}").as_str()));
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    id
}

/// Registers so many sites.
pub(crate) async fn sites(storage: &dyn Storage, count: usize) -> Vec<TestSite> {
    join_all((0..count).map(async |n| new_site(storage, &format!("Site {n}")).await)).await
}

/// The audit view of a sync.
pub(crate) async fn shown(api: &Api, site: &TestSite, sync_id: &str) -> Value {
    api.get(&site.key, &format!("/api/v1/syncs/{sync_id}")).await.ok()
}

/// The `n`th of a stream of reports that a worker is busy reading for long enough to be caught at it.
pub(crate) fn heavy(n: usize) -> Value {
    let mut modules = contribs("heavy", 1000, &format!("1.{n}.0"));
    for module in &mut modules {
        module["description"] = "Does a thing. ".repeat(400).into();
    }
    full(modules)
}
