//! What a sync leaves behind, and what it says.

use module_monitor_domain::{EventKind, Scope, SyncId};
use module_monitor_storage::{AppliedSync, StorageError, SyncOrigin, SyncResult};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules, report};
use std::sync::Arc;
use uuid::Uuid;

use crate::support::{Reporter, changes, custom, disabled, rejected, without_version};

on_both_backends!(
    a_first_sync_installs_everything,
    an_unchanged_resync_changes_nothing,
    a_mixed_change_is_counted_and_stored,
    a_partial_report_adds_and_updates_and_removes_nothing,
    a_module_goes_and_comes_back,
    a_module_comes_back_with_another_version,
    versions_may_be_unknown_and_become_known,
    the_same_full_report_after_a_partial_change_is_not_skipped,
    a_change_of_drupal_alone_is_noticed,
    the_audit_log_says_what_the_answer_said,
    a_sync_id_is_used_once,
    only_present_enabled_core_and_contrib_modules_are_unknown,
);

async fn a_first_sync_installs_everything(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "First").await;
    let first = site.full(modules("m", 300, "8.x-1.0")).await;
    assert_eq!((first.counts.processed, changes(&first)), (300, (300, 0, 0)));
    assert_eq!(first.security.unknown, 301, "and the core");
    assert_eq!((first.sync_id, first.site_id), (first.sync_id, site.id));
    let present = site.present().await;
    assert_eq!(present.len(), 300);
    assert_eq!(present[299], "m_0299 8.x-1.0");
    assert_eq!(site.history("m_0007").await, [(EventKind::Installed, None, Some("8.x-1.0".to_owned()))]);
    let row = site.site().await;
    assert_eq!((row.last_sync_at, row.last_full_sync_at), (Some(site.at), Some(site.at)));
    assert_eq!((row.drupal_version.as_deref(), row.php_version.as_deref()), (Some("10.3.6"), Some("8.3.0")));
    assert_eq!((row.security.unknown, row.mass_removal, row.conflict), (301, false, false));
}

async fn an_unchanged_resync_changes_nothing(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Unchanged").await;
    site.full(modules("m", 300, "8.x-1.0")).await;
    let installed = site.at;
    let mut turned = modules("m", 300, "8.x-1.0");
    turned.reverse();
    let second = site.full(turned).await;
    assert_eq!((second.counts.processed, changes(&second)), (300, (0, 0, 0)));
    assert_eq!(second.security.unknown, 301);
    let one = site.module("m_0000").await;
    assert_eq!((one.first_seen, one.last_updated, one.last_seen), (installed, installed, site.at));
    assert_eq!(site.history("m_0000").await.len(), 1);
    assert_eq!(site.site().await.last_full_sync_at, Some(site.at));
}

async fn a_mixed_change_is_counted_and_stored(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Mixed").await;
    site.full(vec![
        module("gone", "1.0.0"),
        module("off", "1.0.0"),
        disabled(module("on", "1.0.0")),
        module("same", "1.0.0"),
        module("updated", "1.0.0"),
    ])
    .await;
    let first = site.at;
    let mixed = site
        .full(vec![
            module("new", "1.0.0"),
            disabled(module("off", "1.0.0")),
            module("on", "1.0.0"),
            module("same", "1.0.0"),
            disabled(module("updated", "2.0.0")),
        ])
        .await;
    assert_eq!((mixed.counts.processed, changes(&mixed)), (5, (1, 1, 1)));
    assert_eq!(site.present().await, ["new 1.0.0", "off 1.0.0", "on 1.0.0", "same 1.0.0", "updated 2.0.0"]);
    assert_eq!(site.removed().await, ["gone 1.0.0"]);
    let text = |t: &str| Some(t.to_owned());
    assert_eq!(site.history("gone").await[1..], [(EventKind::Removed, text("1.0.0"), None)]);
    assert_eq!(site.history("off").await[1..], [(EventKind::Disabled, None, None)]);
    assert_eq!(site.history("on").await[1..], [(EventKind::Enabled, None, None)]);
    assert_eq!(site.history("same").await.len(), 1);
    let updated = [(EventKind::VersionChanged, text("1.0.0"), text("2.0.0")), (EventKind::Disabled, None, None)];
    assert_eq!(site.history("updated").await[1..], updated);
    assert_eq!(site.module("same").await.last_updated, first);
    assert_eq!(site.module("updated").await.last_updated, site.at);
    assert!(!site.module("off").await.state.enabled && site.module("on").await.state.enabled);
}

async fn a_partial_report_adds_and_updates_and_removes_nothing(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Partial").await;
    site.full(modules("m", 30, "1.0.0")).await;
    let full = site.at;
    let partial =
        site.partial(vec![module("m_0001", "2.0.0"), module("new", "1.0.0"), module("m_0002", "1.0.0")]).await;
    assert_eq!((partial.counts.processed, changes(&partial)), (3, (1, 1, 0)));
    assert_eq!(site.present().await.len(), 31);
    assert!(site.removed().await.is_empty());
    let row = site.site().await;
    assert_eq!((row.last_sync_at, row.last_full_sync_at), (Some(site.at), Some(full)));
    assert_eq!(row.security.unknown, 32);
}

async fn a_module_goes_and_comes_back(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Return").await;
    site.full(modules("m", 3, "1.0.0")).await;
    let first = site.module("m_0002").await;
    let gone = site.full(modules("m", 2, "1.0.0")).await;
    assert_eq!((changes(&gone), gone.security.unknown), ((0, 0, 1), 3));
    assert_eq!(site.removed().await, ["m_0002 1.0.0"]);
    assert_eq!(site.module("m_0002").await.removed_at, Some(site.at));
    let still = site.full(modules("m", 2, "1.0.0")).await;
    assert_eq!(changes(&still), (0, 0, 0));
    let back = site.full(modules("m", 3, "1.0.0")).await;
    assert_eq!((changes(&back), back.security.unknown), ((1, 0, 0), 4));
    let restored = site.module("m_0002").await;
    assert_eq!((restored.first_seen, restored.removed_at), (first.first_seen, None));
    assert_eq!((restored.last_seen, restored.last_updated), (site.at, site.at));
    let kinds: Vec<_> = site.history("m_0002").await.into_iter().map(|e| e.0).collect();
    assert_eq!(kinds, [EventKind::Installed, EventKind::Removed, EventKind::Restored]);
}

async fn a_module_comes_back_with_another_version(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Return").await;
    site.full(modules("m", 2, "1.0.0")).await;
    site.full(modules("m", 1, "1.0.0")).await;
    let back = site.partial(vec![disabled(module("m_0001", "2.0.0"))]).await;
    assert_eq!(changes(&back), (1, 0, 0));
    let text = |t: &str| Some(t.to_owned());
    let expected = [
        (EventKind::Restored, None, text("2.0.0")),
        (EventKind::VersionChanged, text("1.0.0"), text("2.0.0")),
        (EventKind::Disabled, None, None),
    ];
    assert_eq!(site.history("m_0001").await[2..], expected);
}

async fn versions_may_be_unknown_and_become_known(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Unversioned").await;
    let first = site.full(vec![without_version("a"), custom("b", "1.0.0"), without_version("c")]).await;
    assert_eq!(changes(&first), (3, 0, 0));
    assert_eq!(site.present().await, ["a -", "b 1.0.0", "c -"]);
    assert_eq!(site.history("a").await, [(EventKind::Installed, None, None)]);
    let known = site.full(vec![module("a", "1.0.0"), custom("b", "1.0.0"), without_version("c")]).await;
    assert_eq!(changes(&known), (0, 1, 0));
    assert_eq!(site.present().await, ["a 1.0.0", "b 1.0.0", "c -"]);
    let back = site.full(vec![without_version("a"), custom("b", "1.0.0"), without_version("c")]).await;
    assert_eq!(changes(&back), (0, 1, 0));
    let events = site.history("a").await;
    assert_eq!(events[1], (EventKind::VersionChanged, None, Some("1.0.0".to_owned())));
    assert_eq!(events[2], (EventKind::VersionChanged, Some("1.0.0".to_owned()), None));
    let same = site.full(vec![without_version("a"), custom("b", "1.0.0"), without_version("c")]).await;
    assert_eq!(changes(&same), (0, 0, 0));
}

async fn the_same_full_report_after_a_partial_change_is_not_skipped(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "A, partial, A").await;
    site.full(modules("m", 3, "1.0.0")).await;
    site.partial(vec![module("m_0001", "2.0.0"), module("x", "1.0.0")]).await;
    let again = site.full(modules("m", 3, "1.0.0")).await;
    assert_eq!(changes(&again), (0, 1, 1));
    assert_eq!(site.present().await, ["m_0000 1.0.0", "m_0001 1.0.0", "m_0002 1.0.0"]);
}

async fn a_change_of_drupal_alone_is_noticed(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Core").await;
    let mut raw = database.raw().await;
    site.on_core("10.3.6", modules("m", 3, "1.0.0")).await;
    let newer = site.on_core("10.3.7", modules("m", 3, "1.0.0")).await;
    assert_eq!(changes(&newer), (0, 0, 0));
    assert_eq!(site.site().await.drupal_version.as_deref(), Some("10.3.7"));
    assert!(site.has_fingerprint(&mut raw).await);
    let back = site.on_core("10.3.6", modules("m", 3, "1.0.0")).await;
    assert_eq!((back.counts.processed, changes(&back)), (3, (0, 0, 0)));
    assert_eq!(site.site().await.drupal_version.as_deref(), Some("10.3.6"));
}

async fn the_audit_log_says_what_the_answer_said(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Audit").await;
    let origin = SyncOrigin {
        key_id: Some("key".to_owned()),
        client_address: Some("192.0.2.1".to_owned()),
        body_bytes: Some(123_456_789_012),
    };
    // New and lenient with rejections, which are warned about; unchanged and partial, which are not.
    for round in 0..4 {
        let mut sync = Arc::unwrap_or_clone(site.next(|at| {
            match round {
                0 | 1 => report(Scope::Full, at, vec![custom("mine", "1.0.0"), module("a", "1.0.0")]),
                2 => report(Scope::Full, at, modules("m", 2, "1.0.0"))
                    .with_rejected(vec![rejected(Some("a")), rejected(Some("\u{1F600} \"'"))]),
                _ => report(Scope::Partial, at, modules("m", 1, "2.0.0")),
            }
        }));
        sync.origin = origin.clone();
        let (id, received_at) = (sync.sync_id, sync.received_at);
        let SyncResult::Applied(outcome) = storage.apply_sync(Arc::new(sync)).await.unwrap() else {
            panic!("refused");
        };
        assert_eq!(!outcome.warnings.is_empty(), [0, 2].contains(&round), "{:?}", outcome.warnings);
        let found = storage.find_sync(id).await.unwrap();
        assert_eq!(found, Some(AppliedSync { outcome, received_at, origin: origin.clone() }), "round {round}");
    }
    assert_eq!(storage.find_sync(SyncId(Uuid::nil())).await.unwrap(), None);
}

async fn a_sync_id_is_used_once(database: TestDatabase) {
    let storage = database.open().await;
    let mut raw = database.raw().await;
    let mut site = Reporter::new(&storage, "Twice").await;
    let first = site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0")));
    storage.apply_sync(Arc::clone(&first)).await.unwrap();
    let before = (raw.row_counts().await, site.present().await, site.site().await);
    let unchanged = site.next(|at| report(Scope::Full, at, modules("m", 3, "1.0.0")));
    let changed = site.next(|at| report(Scope::Full, at, modules("n", 5, "2.0.0")));
    for again in [unchanged, changed] {
        let mut again = Arc::unwrap_or_clone(again);
        again.sync_id = first.sync_id;
        let error = storage.apply_sync(Arc::new(again)).await.unwrap_err();
        assert!(matches!(error, StorageError::Duplicate(_)), "{error:?}");
        assert_eq!((raw.row_counts().await, site.present().await, site.site().await), before);
    }
}

async fn only_present_enabled_core_and_contrib_modules_are_unknown(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Unknown").await;
    let core = |name| module_monitor_domain::ReportedModule {
        module_type: module_monitor_domain::ModuleType::Core,
        ..module(name, "10.3.6")
    };
    let all = |on: bool| {
        let mut all = vec![core("node"), module("token", "1.0.0"), without_version("git"), custom("mine", "1.0.0")];
        all.push(module_monitor_domain::ReportedModule { enabled: on, ..module("switch", "1.0.0") });
        all
    };
    assert_eq!(site.full(all(false)).await.security.unknown, 3);
    assert_eq!(site.full(all(true)).await.security.unknown, 4);
    assert_eq!(site.full(all(true)).await.security.unknown, 4);
    assert_eq!(site.partial(vec![disabled(core("node"))]).await.security.unknown, 4, "the core itself is in use");
    assert_eq!(site.full(vec![core("node"), custom("mine", "1.0.0")]).await.security.unknown, 1);
    assert_eq!(site.site().await.security.unknown, 1);
}
