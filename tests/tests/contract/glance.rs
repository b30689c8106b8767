//! Reports of which nobody has read the modules: when the site's row knows them, and that it makes no difference.

use std::sync::Arc;

use module_monitor_domain::{ModulesHash, Report, Reported, Scope, SiteIdentity, SiteInfo, SyncOutcome, WebhookEvent};
use module_monitor_storage::{GlancedReport, IdempotencyKey, SiteChange, SyncCommand, SyncResult};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{command, module, modules, report, report_of};
use module_monitor_tests::watch::{StatementLog, watch_rows, written_rows};
use time::{Duration, OffsetDateTime};

use crate::support::{Reporter, changes, disabled, rejected, subscribe, waiting};

on_both_backends!(
    known_modules_are_one_statement_and_the_same_outcome,
    everything_around_them_is_written,
    what_the_fingerprint_knows_gets_the_hash_of_its_new_bytes,
    the_hash_goes_with_the_fingerprint,
    a_report_of_which_something_is_to_be_said_is_not_known_again,
    another_decoder_or_drupal_does_not_know_them,
    whatever_asks_for_a_closer_look_gets_one,
    the_figures_are_those_of_the_row,
    an_idempotency_key_is_kept_and_asked_for,
    of_many_at_once_under_one_key_one_is_applied,
);

const SYNCS: &str = "SELECT count(*) FROM syncs";

fn hash(n: u8) -> ModulesHash {
    ModulesHash::new(1, [n; 32])
}

fn glanced(sync: &SyncCommand, hash: ModulesHash) -> Arc<SyncCommand<GlancedReport>> {
    Arc::new(SyncCommand {
        report: GlancedReport { head: sync.report.head().clone(), modules: hash },
        sync_id: sync.sync_id,
        site_id: sync.site_id,
        origin: sync.origin.clone(),
        idempotency: sync.idempotency.clone(),
        received_at: sync.received_at,
        received: sync.received,
        next_sync_after: sync.next_sync_after,
        via: sync.via,
    })
}

impl Reporter {
    /// A full report whose list of modules has that hash.
    async fn full_with(&mut self, hash: ModulesHash, version: &str) -> SyncOutcome {
        self.send(|at| report(Scope::Full, at, modules("m", 3, version)).with_modules_hash(hash)).await
    }

    /// A glance at a full report with that hash; of its modules nothing is said.
    async fn glance(&mut self, hash: ModulesHash) -> Option<SyncOutcome> {
        self.glance_at(hash, |at| report(Scope::Full, at, Vec::new())).await
    }

    async fn glance_at(
        &mut self,
        hash: ModulesHash,
        make: impl FnOnce(OffsetDateTime) -> Report,
    ) -> Option<SyncOutcome> {
        let sync = self.next(make);
        self.storage.apply_glanced(glanced(&sync, hash)).await.expect("a storage that works")
    }

    async fn knows(&mut self, raw: &mut RawConnection, n: u8) -> bool {
        let before = raw.number(SYNCS).await;
        let known = self.glance(hash(n)).await.is_some();
        assert_eq!(raw.number(SYNCS).await - before, i64::from(known), "a glance that fails leaves nothing");
        known
    }
}

async fn known_modules_are_one_statement_and_the_same_outcome(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut site = Reporter::new(&storage, "Known").await;
    let mut raw = database.raw().await;
    subscribe(&*storage, &[WebhookEvent::SyncCompleted], None).await;
    site.full_with(hash(1), "1.0.0").await;
    let read = site.full_with(hash(1), "1.0.0").await;
    watch_rows(&mut raw).await;
    log.take();
    let outcome = site.glance(hash(1)).await.unwrap();
    let statements = log.take().len();
    assert_eq!(statements, if database.backend() == Backend::Postgres { 1 } else { 5 });
    assert_eq!(written_rows(&mut raw).await, ["insert outbox", "insert syncs", "update sites"]);
    let expected = SyncOutcome {
        sync_id: outcome.sync_id,
        next_sync_after: outcome.next_sync_after,
        processing_time_ms: outcome.processing_time_ms,
        ..read
    };
    assert_eq!(outcome, expected);
    assert_eq!((outcome.counts.processed, changes(&outcome)), (3, (0, 0, 0)));
    let stored = storage.find_sync(outcome.sync_id).await.unwrap().unwrap();
    assert_eq!(stored.outcome, outcome, "the audit log says the same");
    let told = waiting(&*storage).await.pop().unwrap().data;
    assert_eq!(told["sync_id"], outcome.sync_id.to_string());
    assert_eq!((told["processed_count"].as_u64(), told["new_modules"].as_u64()), (Some(3), Some(0)));
}

async fn everything_around_them_is_written(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Known").await;
    site.full_with(hash(1), "1.0.0").await;
    let info = SiteInfo { json: r#"{"n":1}"#.to_owned(), ..SiteInfo::default() };
    let facts = Some(r#"{"db":"x"}"#.to_owned());
    let make = |at| report_of(Scope::Full, at, "10.3.6", info, Vec::new()).with_facts(facts.clone());
    site.glance_at(hash(1), make).await.unwrap();
    let (stored, at) = (site.site().await, site.at);
    assert_eq!(stored.facts, facts);
    assert_eq!((stored.last_sync_at, stored.last_full_sync_at), (Some(at), Some(at)));
    let mut raw = database.raw().await;
    assert_eq!(raw.texts("SELECT site_info FROM sites").await, [r#"{"n":1}"#]);
    // It counts as the newest report from now on.
    let older = site.result(|_| report(Scope::Full, at - Duration::MINUTE, modules("m", 3, "1.0.0"))).await;
    assert!(matches!(older, SyncResult::Refused(_)), "{older:?}");
    assert_eq!(site.present().await.len(), 3);
    assert_eq!(site.history("m_0000").await.len(), 1);
}

async fn what_the_fingerprint_knows_gets_the_hash_of_its_new_bytes(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Reordered").await;
    let mut raw = database.raw().await;
    assert!(!site.knows(&mut raw, 1).await, "nobody has reported yet");
    site.full_with(hash(1), "1.0.0").await;
    assert!(site.knows(&mut raw, 1).await);
    assert!(!site.knows(&mut raw, 2).await);
    site.full_with(hash(2), "1.0.0").await;
    assert!(site.knows(&mut raw, 2).await);
    assert!(!site.knows(&mut raw, 1).await, "one is kept");
    // Without a hash the state is the same, and so what is known of it.
    site.full(modules("m", 3, "1.0.0")).await;
    assert!(site.knows(&mut raw, 2).await);
    site.full(modules("m", 3, "2.0.0")).await;
    assert!(!site.knows(&mut raw, 2).await);
}

async fn the_hash_goes_with_the_fingerprint(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Cleared").await;
    let mut raw = database.raw().await;
    site.full_with(hash(1), "1.0.0").await;
    site.partial(vec![module("m_0001", "1.0.0")]).await;
    assert!(site.knows(&mut raw, 1).await, "it changed nothing");
    site.partial(vec![disabled(module("m_0001", "1.0.0"))]).await;
    assert!(!site.knows(&mut raw, 1).await);
    site.partial(vec![module("m_0001", "1.0.0")]).await;
    assert!(!site.knows(&mut raw, 1).await, "what is gone does not come back by itself");

    site.full_with(hash(1), "1.0.0").await;
    let items = vec![rejected(Some("m_0001"))];
    site.send(|at| {
        let rest = vec![module("m_0000", "1.0.0"), module("m_0002", "1.0.0")];
        report(Scope::Full, at, rest).with_modules_hash(hash(2)).with_rejected(items)
    })
    .await;
    assert!(!site.knows(&mut raw, 1).await && !site.knows(&mut raw, 2).await, "lenient");

    site.full_with(hash(1), "1.0.0").await;
    let info = SiteInfo { json: "{}".to_owned(), ..SiteInfo::default() };
    site.send(|at| report_of(Scope::Partial, at, "10.4.0", info, modules("m", 1, "1.0.0"))).await;
    assert!(!site.knows(&mut raw, 1).await, "another Drupal");

    site.full_with(hash(1), "1.0.0").await;
    site.set(&mut raw, "fingerprint = NULL").await;
    assert!(!site.knows(&mut raw, 1).await, "alone it means nothing");
}

async fn a_report_of_which_something_is_to_be_said_is_not_known_again(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Warned").await;
    let mut raw = database.raw().await;
    let twice = || vec![module("m_0000", "1.0.0"), module("m_0000", "1.0.0")];
    let mut strange = module("m_0000", "1.0.0");
    (strange.version, strange.site_details.reported_version) = (None, Some("strange".to_owned()));
    for modules in [twice(), vec![strange]] {
        for _ in 0..2 {
            site.send(|at| report(Scope::Full, at, modules.clone()).with_modules_hash(hash(1))).await;
            assert!(site.has_fingerprint(&mut raw).await);
            assert!(!site.knows(&mut raw, 1).await);
        }
    }
}

async fn another_decoder_or_drupal_does_not_know_them(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Upgraded").await;
    site.full_with(hash(1), "1.0.0").await;
    assert_eq!(site.glance(ModulesHash::new(2, [1; 32])).await, None);
    let info = SiteInfo { json: "{}".to_owned(), ..SiteInfo::default() };
    let newer = |at| report_of(Scope::Full, at, "10.4.0", info, Vec::new());
    assert_eq!(site.glance_at(hash(1), newer).await, None);
    assert_eq!(site.site().await.drupal_version.as_deref(), Some("10.3.6"));
    // The next report that is read is known to the new decoder, and no longer to the old one.
    let mut raw = database.raw().await;
    site.full_with(ModulesHash::new(2, [1; 32]), "1.0.0").await;
    assert!(site.glance(ModulesHash::new(2, [1; 32])).await.is_some());
    assert!(!site.knows(&mut raw, 1).await);
}

async fn whatever_asks_for_a_closer_look_gets_one(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Looked at").await;
    let mut raw = database.raw().await;
    site.full_with(hash(1), "1.0.0").await;
    for (before, after) in [
        ("active = false", "active = true"),
        ("pending_jobs = 1", "pending_jobs = 0"),
        ("silence_told = true", "silence_told = false"),
        ("reported_url = 'https://other'", "reported_url = NULL"),
        ("last_sync_timestamp = NULL, fingerprint = NULL", "fingerprint = fingerprint"),
    ] {
        site.full_with(hash(1), "1.0.0").await;
        assert!(site.knows(&mut raw, 1).await, "{before}");
        site.set(&mut raw, before).await;
        let identity = SiteIdentity { environment: None, url: Some("https://mine".to_owned()) };
        let info = SiteInfo { json: "{}".to_owned(), identity };
        let found = site.glance_at(hash(1), |at| report_of(Scope::Full, at, "10.3.6", info, Vec::new())).await;
        assert_eq!(found, None, "{before}");
        site.set(&mut raw, after).await;
    }
    site.full_with(hash(1), "1.0.0").await;
    let stale = site.glance_at(hash(1), |at| report(Scope::Full, at - Duration::DAY, Vec::new())).await;
    assert_eq!(stale, None);
    let change = SiteChange { active: Some(false), ..SiteChange::default() };
    site.storage.change_site(site.id, change, site.at, "ann", "{}").await.unwrap();
    assert!(!site.knows(&mut raw, 1).await, "deactivated");
    site.storage.remove_site(site.id, site.at, "ann").await.unwrap();
    assert!(!site.knows(&mut raw, 1).await, "removed");
    assert_eq!(raw.number("SELECT count(*) FROM sites WHERE modules_hash IS NOT NULL").await, 0);
}

async fn the_figures_are_those_of_the_row(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Counted").await;
    let mut raw = database.raw().await;
    site.full_with(hash(1), "1.0.0").await;
    site.set(&mut raw, "security_updates_found = 7, security_unknown = 2").await;
    let outcome = site.glance(hash(1)).await.unwrap();
    assert_eq!((outcome.security.updates_found, outcome.security.unknown), (7, 2));
    let read = site.full_with(hash(1), "1.0.0").await;
    assert_eq!(read.security, outcome.security);
}

fn keyed(sync: Arc<SyncCommand>, key: &str) -> Arc<SyncCommand> {
    let idempotency = Some(IdempotencyKey { key: key.to_owned(), body_hash: [1; 32] });
    Arc::new(SyncCommand { idempotency, ..Arc::unwrap_or_clone(sync) })
}

async fn an_idempotency_key_is_kept_and_asked_for(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Keyed").await;
    site.full_with(hash(1), "1.0.0").await;
    let sync = keyed(site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0"))), "cron");
    let outcome = site.storage.apply_glanced(glanced(&sync, hash(1))).await.unwrap().unwrap();
    let fresh = |sync: &SyncCommand| {
        let fresh = command(sync.site_id, sync.received_at + Duration::MINUTE, sync.report.clone());
        Arc::new(SyncCommand { idempotency: sync.idempotency.clone(), ..Arc::unwrap_or_clone(fresh) })
    };
    let again = fresh(&sync);
    assert_eq!(site.storage.apply_glanced(glanced(&again, hash(1))).await.unwrap(), None, "it has been applied");
    assert_eq!(site.storage.apply_sync(again).await.unwrap(), SyncResult::Replayed(outcome));
    let mut other = Arc::unwrap_or_clone(fresh(&sync));
    other.idempotency = Some(IdempotencyKey { key: "cron".to_owned(), body_hash: [2; 32] });
    assert!(matches!(site.storage.apply_sync(Arc::new(other)).await.unwrap(), SyncResult::Refused(_)));
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM syncs").await, 2);
}

/// Each looks for the key before any has written it.
async fn of_many_at_once_under_one_key_one_is_applied(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Keyed").await;
    site.full_with(hash(1), "1.0.0").await;
    for round in 0..5 {
        let sync = keyed(site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0"))), &format!("cron-{round}"));
        let attempts = (0..8).map(|_| {
            let fresh = command(sync.site_id, sync.received_at, sync.report.clone());
            let fresh = SyncCommand { idempotency: sync.idempotency.clone(), ..Arc::unwrap_or_clone(fresh) };
            let storage = Arc::clone(&site.storage);
            tokio::spawn(async move { storage.apply_glanced(glanced(&fresh, hash(1))).await.unwrap() })
        });
        let outcomes = futures::future::join_all(attempts.collect::<Vec<_>>()).await;
        assert_eq!(outcomes.into_iter().filter(|outcome| outcome.as_ref().unwrap().is_some()).count(), 1);
    }
    let mut raw = database.raw().await;
    assert_eq!(raw.number("SELECT count(*) FROM syncs").await, 6);
    assert_eq!(raw.number("SELECT count(*) FROM idempotency_keys").await, 5);
}
