//! Sites that report without pause, and what they were told.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::join_all;
use module_monitor_storage::Storage;
use module_monitor_tests::api::{Answer, Api, TestSite};
use module_monitor_tests::ledger::Ledger;
use module_monitor_tests::payloads::{State, micros_of, of_stream, state_of};
use module_monitor_tests::process::wait_for;
use module_monitor_tests::server::new_site;
use serde_json::Value;

/// A site, and every report it has sent.
pub(crate) struct Reporter {
    pub(crate) site: TestSite,
    sent: Vec<Sent>,
}

struct Sent {
    micros: i64,
    state: State,
    /// What was answered, where it was a 200.
    applied: Option<Value>,
}

/// What all reporters of a stream share.
#[derive(Default)]
pub(crate) struct Progress {
    stop: AtomicBool,
    applied: AtomicUsize,
    refused: AtomicUsize,
}

impl Progress {
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// How many syncs were answered 200.
    pub(crate) fn applied(&self) -> usize {
        self.applied.load(Ordering::Relaxed)
    }

    /// Waits until so many more were.
    pub(crate) async fn more(&self, count: usize) {
        let goal = self.applied() + count;
        wait_for("syncs are applied", async || (self.applied() >= goal).then_some(())).await;
    }

    /// How many were not.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Registers `count` sites.
pub(crate) async fn reporters(storage: &dyn Storage, count: usize) -> Vec<Reporter> {
    let register = async |n| Reporter { site: new_site(storage, &format!("Site {n}")).await, sent: Vec::new() };
    join_all((0..count).map(register)).await
}

/// Lets all of them report at once until they are told to stop or the server is gone.
pub(crate) async fn report_all(reporters: &mut [Reporter], api: &Api, progress: &Progress) {
    join_all(reporters.iter_mut().map(|reporter| reporter.report(api, progress))).await;
}

impl Reporter {
    async fn report(&mut self, api: &Api, progress: &Progress) {
        while !progress.stop.load(Ordering::Relaxed) {
            let report = of_stream(self.sent.len());
            self.sent.push(Sent { micros: micros_of(&report), state: state_of(&report), applied: None });
            let Ok(answer) = Answer::try_of(api.sync_request(&self.site, &report)).await else { return };
            if answer.status == 200 {
                self.sent.last_mut().expect("a report").applied = Some(answer.ok());
                progress.applied.fetch_add(1, Ordering::Relaxed);
            } else {
                answer.problem(503, "database-unavailable");
                assert!(answer.header("retry-after").is_some(), "{answer:?}");
                progress.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Everything that was answered 200 is there, and the site's state is that of the last report that was applied.
    pub(crate) fn assert_kept(&self, ledger: &Ledger) {
        let logged = ledger.timestamps(&self.site);
        let sent: Vec<i64> = self.sent.iter().map(|sent| sent.micros).collect();
        assert!(logged.iter().all(|micros| sent.contains(micros)), "a sync that nobody sent");
        for sent in self.sent.iter().filter(|sent| sent.applied.is_some()) {
            assert!(logged.contains(&sent.micros), "a sync that was answered 200 is lost");
        }
        let last = self.sent.iter().rfind(|sent| logged.contains(&sent.micros));
        let expected = last.map(|sent| sent.state.clone()).unwrap_or_default();
        assert_eq!(ledger.state(&self.site), expected, "the state is not that of one report");
    }

    /// The server knows every sync it answered, as it answered it.
    pub(crate) async fn assert_found(&self, api: &Api) {
        for answer in self.sent.iter().filter_map(|sent| sent.applied.as_ref()) {
            let id = answer["sync_id"].as_str().expect("an id");
            assert_eq!(&api.get(&self.site.key, &format!("/api/v1/syncs/{id}")).await.ok()["result"], answer);
        }
    }

    /// How many reports were stored although they were not answered 200.
    pub(crate) fn stored_unanswered(&self, ledger: &Ledger) -> usize {
        let logged = ledger.timestamps(&self.site);
        self.sent.iter().filter(|sent| sent.applied.is_none() && logged.contains(&sent.micros)).count()
    }
}

/// Checks everything that the reporters were told against the database and the server.
pub(crate) async fn assert_all_kept(reporters: &[Reporter], url: &str, api: &Api) {
    let ledger = Ledger::read(url).await;
    ledger.assert_whole();
    for reporter in reporters {
        reporter.assert_kept(&ledger);
        reporter.assert_found(api).await;
    }
}
