//! A 202 is kept: an older report is given up only for a newer full one that has been applied, whoever is killed when.

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::payloads::{State, contrib, full, partial, state_after, state_of};
use module_monitor_tests::process::{ServerProcess, WorkerProcess};
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::server::new_site;
use serde_json::Value;

use crate::sabotage::Sabotage;
use crate::support::{accept, accepted, becomes, job, settled};

on_both_backends!(
    a_good_new_report_is_applied_before_an_old_poisoned_one_is_tried_again,
    what_was_sent_before_a_full_report_that_is_refused_is_applied,
    what_was_sent_before_a_full_report_that_fails_for_now_is_applied_before_it,
    what_a_lenient_full_report_rejects_survives_it,
);

/// A server that takes reports, and nobody yet who applies them.
struct Stage {
    url: String,
    raw: RawConnection,
    site: TestSite,
    server: ServerProcess,
}

impl Stage {
    async fn new(database: &TestDatabase) -> Self {
        let storage = database.open().await;
        let site = new_site(storage.as_ref(), "A site").await;
        let server = ServerProcess::start(&database.url, &["--workers", "0"]).await;
        Self { url: database.url.clone(), raw: database.raw().await, site, server }
    }

    async fn accept(&self, report: &Value) -> String {
        accept(&self.server.api, &self.site, report).await
    }

    /// Lets a worker do what comes before the job that brings the module, and kills it in the middle of that one.
    async fn killed_at(&mut self, module: &str, id: &str) {
        Sabotage::Hang.of_module(&mut self.raw, &self.site, module).await;
        let worker = WorkerProcess::start(&self.url, &[]).await;
        becomes(&mut self.raw, id, "running").await;
        Sabotage::has_begun(&mut self.raw).await;
        worker.kill().await;
        Sabotage::forget_the_dead(&mut self.raw).await;
        Sabotage::end(&mut self.raw).await;
        assert_eq!(job(&mut self.raw, id).await.state, "running", "its lease has not ended yet");
    }

    /// Lets a worker do all that is left, and compares what the site has then.
    async fn ends_with(mut self, expected: State) {
        let worker = WorkerProcess::start(&self.url, &[]).await;
        settled(&mut self.raw).await;
        let ledger = Ledger::read(&self.url).await;
        ledger.assert_whole();
        assert_eq!(ledger.state(&self.site), expected);
        worker.kill().await;
        self.server.kill().await;
    }
}

async fn a_good_new_report_is_applied_before_an_old_poisoned_one_is_tried_again(database: TestDatabase) {
    let mut stage = Stage::new(&database).await;
    let poisoned = stage.accept(&full(vec![contrib("poison", "1.0.0")])).await;
    stage.killed_at("poison", &poisoned).await;
    Sabotage::Hang.of_module(&mut stage.raw, &stage.site, "poison").await;
    let report = full(vec![contrib("good", "1.0.0"), contrib("other", "1.0.0")]);
    let good = stage.accept(&report).await;
    let worker = WorkerProcess::start(&stage.url, &[]).await;
    assert_eq!(becomes(&mut stage.raw, &good, "succeeded").await.attempts, 1);
    let overtaken = job(&mut stage.raw, &poisoned).await;
    assert_eq!((overtaken.state.as_str(), overtaken.attempts), ("superseded", 1));
    worker.kill().await;
    stage.ends_with(state_of(&report)).await;
}

async fn what_was_sent_before_a_full_report_that_is_refused_is_applied(database: TestDatabase) {
    let mut stage = Stage::new(&database).await;
    let from = |environment: &str, mut report: Value| {
        report["site_info"]["environment"] = environment.into();
        report
    };
    let first = from("prod", full(vec![contrib("base", "1.0.0")]));
    stage.server.api.sync(&stage.site, &first).await.ok();
    let base = from("prod", full(vec![contrib("base", "1.1.0"), contrib("step_1", "1.0.0")]));
    let extra = from("prod", partial(vec![contrib("step_2", "1.0.0")]));
    let ids = [
        stage.accept(&base).await,
        stage.accept(&extra).await,
        stage.accept(&from("dev", full(vec![contrib("other", "9.0.0")]))).await,
    ];
    stage.raw.execute(&format!("UPDATE sites SET strict_identity = true WHERE id = {}", stage.site.id)).await;
    stage.killed_at("step_1", &ids[0]).await;
    assert_eq!(job(&mut stage.raw, &ids[2]).await.state, "failed", "it came first");
    stage.killed_at("step_2", &ids[1]).await;
    assert_eq!(job(&mut stage.raw, &ids[0]).await.state, "succeeded");
    stage.ends_with(state_after(state_of(&base), &extra)).await;
}

async fn what_was_sent_before_a_full_report_that_fails_for_now_is_applied_before_it(database: TestDatabase) {
    let mut stage = Stage::new(&database).await;
    let base = stage.accept(&full(vec![contrib("base", "1.0.0")])).await;
    let extra = stage.accept(&partial(vec![contrib("extra", "1.0.0")])).await;
    let report = full(vec![contrib("poison", "1.0.0")]);
    let last = stage.accept(&report).await;
    Sabotage::Refuse.of_module(&mut stage.raw, &stage.site, "poison").await;
    let worker = WorkerProcess::start(&stage.url, &["--queue-max-attempts", "100"]).await;
    becomes(&mut stage.raw, &extra, "succeeded").await;
    worker.kill().await;
    assert_eq!(job(&mut stage.raw, &base).await.state, "succeeded");
    let waiting = job(&mut stage.raw, &last).await;
    assert!(["queued", "running"].contains(&waiting.state.as_str()) && waiting.attempts >= 1, "{waiting:?}");
    Sabotage::end(&mut stage.raw).await;
    stage.ends_with(state_of(&report)).await;
}

async fn what_a_lenient_full_report_rejects_survives_it(database: TestDatabase) {
    let mut stage = Stage::new(&database).await;
    let before = full(vec![contrib("base", "1.0.0"), contrib("broken", "1.0.0"), contrib("gone", "1.0.0")]);
    let lenient = full(vec![contrib("base", "2.0.0"), contrib("broken", "no version"), contrib("step_2", "1.0.0")]);
    stage.accept(&before).await;
    let request = stage.server.api.sync_request(&stage.site, &lenient);
    let answer = Answer::of(request.header("Prefer", "respond-async, handling=lenient")).await;
    stage.killed_at("step_2", &accepted(&answer)).await;
    let mut expected = state_of(&full(vec![contrib("base", "2.0.0"), contrib("step_2", "1.0.0")]));
    expected.extend(state_of(&full(vec![contrib("broken", "1.0.0")])));
    stage.ends_with(expected).await;
}
