//! Whatever order reports arrive in, a site ends as if they had been applied in the order they were made.

use std::collections::BTreeSet;

use futures::future::join_all;
use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{State, contrib, report_at, state_after};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::now;
use module_monitor_tests::server::TestServer;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::support::{Jobs, accepted, count, hex, settled};

on_both_backends!(
    reports_that_wait_are_applied_in_the_order_they_were_made,
    reports_that_arrive_while_others_are_applied_are_applied_in_the_order_they_were_made,
);

/// Sites, each with reports of its own.
const CASES: usize = 10;

/// A report of a few of a handful of modules.
#[derive(Clone, Debug)]
struct Made {
    /// When, in seconds after the first possible one; some are made at the same time.
    second: i64,
    kind: Kind,
    /// Number, version and flag of each module.
    modules: Vec<(usize, u8, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Full,
    Partial,
    /// Full, with one module more that is not valid and whose row is left as it is.
    Lenient,
}

/// The module that lenient reports get wrong, and others sometimes right.
const REJECTED: usize = 0;

fn made() -> impl Strategy<Value = Made> {
    let kind = prop_oneof![2 => Just(Kind::Full), 3 => Just(Kind::Partial), 1 => Just(Kind::Lenient)];
    let modules = vec((0..6_usize, 0..3_u8, any::<bool>()), 1..5);
    (0..8_i64, kind, modules).prop_map(|(second, kind, modules)| Made { second, kind, modules })
}

impl Made {
    fn report(&self, base: OffsetDateTime) -> Value {
        let mut modules = self.modules.clone();
        // The last of a name counts; here each has one.
        modules.sort();
        modules.dedup_by_key(|(number, ..)| *number);
        let mut modules: Vec<Value> = modules
            .into_iter()
            .filter(|(number, ..)| self.kind != Kind::Lenient || *number != REJECTED)
            .map(|(number, version, enabled)| {
                let mut module = contrib(&format!("m_{number}"), &format!("1.{version}.0"));
                module["status"] = enabled.into();
                module
            })
            .collect();
        // Something valid, because a report of nothing is refused.
        modules.push(contrib("always", "1.0.0"));
        if self.kind == Kind::Lenient {
            modules.push(contrib(&format!("m_{REJECTED}"), "no version"));
        }
        let mut report = report_at(base + Duration::seconds(self.second), modules);
        if self.kind == Kind::Partial {
            report["sync_type"] = "partial".into();
        }
        report
    }

    /// What the site has after it.
    fn applied_to(&self, state: State) -> State {
        let rejected = format!("m_{REJECTED}");
        let kept = state.get(&rejected).cloned();
        let mut report = self.report(OffsetDateTime::UNIX_EPOCH);
        if self.kind == Kind::Lenient {
            report["modules"].as_array_mut().expect("modules").pop();
        }
        let mut after = state_after(state, &report);
        if let (Kind::Lenient, Some(kept)) = (self.kind, kept) {
            after.insert(rejected, kept);
        }
        after
    }
}

/// A site's reports that were accepted, in that order, with their ids.
struct Sent {
    site: TestSite,
    accepted: Vec<(String, Made)>,
}

/// The same cases in every run.
fn cases() -> Vec<Vec<Made>> {
    let mut runner = TestRunner::deterministic();
    let cases = vec(vec(made(), 4..12), CASES);
    cases.new_tree(&mut runner).expect("cases").current()
}

/// Sends a site's reports one after the other. One that is too old may be refused, but then nothing was promised.
async fn send_all(api: &Api, site: TestSite, reports: Vec<Made>, base: OffsetDateTime) -> Sent {
    let mut sent = Sent { site, accepted: Vec::new() };
    for made in reports {
        let lenient = if made.kind == Kind::Lenient { "respond-async, handling=lenient" } else { "respond-async" };
        let request = api.sync_request(&sent.site, &made.report(base)).header("Prefer", lenient);
        let answer = Answer::of(request).await;
        match answer.status {
            409 => drop(answer.problem(409, "stale-sync")),
            _ => sent.accepted.push((accepted(&answer), made)),
        }
    }
    sent
}

impl Sent {
    /// Nothing is lost but what a newer full report covers, and the rest has been applied in order.
    fn check(&self, jobs: &Jobs, ledger: &Ledger) {
        let of = |id: &str| &jobs[&hex(id)];
        let order = |(id, made): &(String, Made)| (made.second, of(id).seq);
        let mut in_order = self.accepted.clone();
        in_order.sort_by_key(order);
        let mut expected = State::new();
        for (position, (id, made)) in in_order.iter().enumerate() {
            let covered = in_order[position + 1..].iter().any(|(_, later)| later.kind == Kind::Full);
            let state = of(id).state.as_str();
            assert!(state == "succeeded" || (state == "superseded" && covered), "{state}: {id} of {in_order:?}");
            expected = made.applied_to(expected);
        }
        assert_eq!(ledger.state(&self.site), expected, "{in_order:?}");
        let applied: BTreeSet<&String> =
            in_order.iter().map(|(id, _)| id).filter(|id| of(id).state == "succeeded").collect();
        assert_eq!(ledger.syncs(&self.site), applied.into_iter().map(|id| hex(id)).collect());
    }
}

async fn reports_that_wait_are_applied_in_the_order_they_were_made(database: TestDatabase) {
    let idle = TestServer::start_with(&database.url, |config| config.queue.workers = 0).await;
    let base = now() - Duration::minutes(5);
    let mut sent = Vec::new();
    for reports in cases() {
        let site = idle.site("A site").await;
        let count = reports.len();
        let one = send_all(&idle.api, site, reports, base).await;
        assert_eq!(one.accepted.len(), count, "nothing has been applied that could be newer");
        sent.push(one);
    }
    idle.stop().await;
    let server = TestServer::start(&database).await;
    let jobs = check_all(&sent, &mut database.raw().await, &database.url).await;
    assert!(count(&jobs, &["superseded"]) > 0 && count(&jobs, &["succeeded"]) > CASES, "{jobs:?}");
    server.stop().await;
}

async fn reports_that_arrive_while_others_are_applied_are_applied_in_the_order_they_were_made(database: TestDatabase) {
    let server = TestServer::start(&database).await;
    let base = now() - Duration::minutes(5);
    let mut sending = Vec::new();
    for reports in cases() {
        sending.push(send_all(&server.api, server.site("A site").await, reports, base));
    }
    let sent = join_all(sending).await;
    check_all(&sent, &mut database.raw().await, &database.url).await;
    assert!(sent.iter().any(|sent| sent.accepted.len() > 1));
    server.stop().await;
}

/// Returns how the jobs ended.
async fn check_all(sent: &[Sent], raw: &mut RawConnection, url: &str) -> Jobs {
    let jobs = settled(raw).await;
    let ledger = Ledger::read(url).await;
    ledger.assert_whole();
    for sent in sent {
        sent.check(&jobs, &ledger);
    }
    jobs
}
