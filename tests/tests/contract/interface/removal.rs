//! Removing a site: at once for everybody, in chunks for the database.

use std::sync::Arc;

use module_monitor_domain::{AdminAction, Refusal, Scope, SiteId, Tag, Tags};
use module_monitor_ingestion::uuid_at;
use module_monitor_storage::{
    IdempotencyKey, InventoryFilter, NewKey, Page, Rejections, SiteChange, SiteFilter, Storage, SyncCommand, SyncResult,
};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{NOBODY, command, modules, now, register, report};
use module_monitor_tests::watch::{watch_rows, written_rows};
use time::{Duration, OffsetDateTime};

use crate::support::Reporter;

on_both_backends!(
    a_removed_site_is_gone_at_once,
    its_audit_log_and_a_tombstone_stay,
    a_long_history_goes_in_chunks_that_survive_a_restart,
    a_site_that_is_removed_while_it_reports_leaves_nothing_behind,
    two_nodes_may_delete_at_once,
    a_key_that_was_issued_meanwhile_does_not_work,
);

fn key(id: &str, site_id: SiteId, at: OffsetDateTime) -> NewKey {
    NewKey {
        id: id.to_owned(),
        site_id: Some(site_id),
        name: None,
        secret_hash: [7; 32],
        created_at: at,
        expires_at: None,
    }
}

fn tags<const N: usize>(tags: [&str; N]) -> Option<Tags> {
    Tags::new(tags.map(|tag| Tag::parse(tag).unwrap()).into()).ok()
}

/// Rows that belong to the site, table by table.
async fn rows_of(raw: &mut RawConnection, site: SiteId) -> Vec<(&'static str, i64)> {
    let mut rows = Vec::new();
    for table in ["site_modules", "change_sets", "site_events", "idempotency_keys", "site_tags"] {
        rows.push((table, raw.number(&format!("SELECT count(*) FROM {table} WHERE site_id = {site}")).await));
    }
    rows.retain(|(_, count)| *count > 0);
    rows
}

async fn delete_all(storage: &dyn Storage, batch: usize) -> Vec<usize> {
    let mut deleted = Vec::new();
    while let Some(rows) = storage.delete_leftovers(batch).await.unwrap() {
        deleted.push(rows);
    }
    deleted
}

/// A site with something of everything that a site can have.
async fn full_site(storage: &Arc<dyn Storage>) -> Reporter {
    let mut site = Reporter::new(storage, "Full").await;
    storage.create_key(key("k", site.id, site.at), "ann").await.unwrap();
    let settings = SiteChange { tags: tags(["a", "b"]), ..SiteChange::default() };
    storage.change_site(site.id, settings, site.at, "ann", "{}").await.unwrap();
    site.as_identity("prod", modules("m", 30, "1.0.0")).await;
    site.as_identity("stage", modules("m", 20, "2.0.0")).await;
    let sync = site.next(|at| report(Scope::Full, at, modules("m", 25, "2.0.0")));
    let idempotency = Some(IdempotencyKey { key: "once".to_owned(), body_hash: [1; 32] });
    let sync = SyncCommand { idempotency, ..Arc::unwrap_or_clone(sync) };
    assert!(matches!(storage.apply_sync(Arc::new(sync)).await.unwrap(), SyncResult::Applied(_)));
    site
}

async fn a_removed_site_is_gone_at_once(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = full_site(&storage).await;
    let mut raw = database.raw().await;
    let before = storage.key_revision().await.unwrap();
    watch_rows(&mut raw).await;
    assert!(storage.remove_site(site.id, site.at, "ann").await.unwrap());
    // Nothing that grows with the site's inventory or history is part of it.
    let untagged = ["delete site_tags", "delete site_tags", "insert admin_events"];
    assert_eq!(
        written_rows(&mut raw).await,
        [&untagged[..], &["update api_keys", "update key_revision", "update sites"]].concat()
    );
    assert!(storage.key_revision().await.unwrap() > before);

    assert_eq!(storage.find_site(site.id).await.unwrap(), None);
    let all = Page { limit: 100, after: None };
    assert_eq!(storage.list_sites(SiteFilter::default(), all).await.unwrap().items, []);
    assert!(site.present().await.is_empty() && site.removed().await.is_empty());
    let name = crate::support::machine_name("m_0001");
    assert_eq!(storage.site_module(site.id, &name).await.unwrap(), None);
    assert!(!storage.change_site(site.id, SiteChange::default(), site.at, "ann", "{}").await.unwrap());
    assert!(!storage.remove_site(site.id, site.at + Duration::SECOND, "ben").await.unwrap());
    assert!(storage.find_key("k").await.unwrap().unwrap().revoked_at.is_some());
    // The same report, one that changes something, and one with a key that has been seen.
    for (count, idempotency) in [(25, None), (3, None), (25, Some("once"))] {
        let sync = Arc::unwrap_or_clone(site.next(|at| report(Scope::Full, at, modules("m", count, "2.0.0"))));
        let idempotency = idempotency.map(|key| IdempotencyKey { key: key.to_owned(), body_hash: [1; 32] });
        let result = storage.apply_sync(Arc::new(SyncCommand { idempotency, ..sync })).await.unwrap();
        assert_eq!(result, SyncResult::Refused(Refusal::UnknownSite));
    }
    let tag = SiteChange { tags: tags(["c"]), ..SiteChange::default() };
    assert!(!storage.change_site(site.id, tag, site.at, "ann", "{}").await.unwrap());
    let events = storage.admin_events(Page { limit: 100, after: None }).await.unwrap();
    let removals: Vec<_> = events.iter().filter(|e| e.action == AdminAction::SiteRemoved).collect();
    assert_eq!(removals.len(), 1, "the second one did nothing");
    assert_eq!((removals[0].site_id, removals[0].detail.as_deref()), (Some(site.id), Some("Full")));
    assert!(events.iter().filter(|e| e.action == AdminAction::SiteChanged).count() == 1);
}

async fn its_audit_log_and_a_tombstone_stay(database: TestDatabase) {
    let storage = database.open().await;
    let site = full_site(&storage).await;
    let other = full_neighbour(&storage).await;
    let refused = Rejections {
        id: uuid_at(site.at),
        site_id: site.id,
        key_id: "k".to_owned(),
        reason: "stale-sync".to_owned(),
        count: 1,
        first_at: site.at,
        last_at: site.at,
        client_address: None,
        body_bytes: None,
    };
    storage.record_rejections(vec![refused]).await.unwrap();
    let mut raw = database.raw().await;
    let neighbour = rows_of(&mut raw, other).await;
    storage.remove_site(site.id, site.at, "ann").await.unwrap();
    let tables: Vec<_> = rows_of(&mut raw, site.id).await.into_iter().map(|(table, _)| table).collect();
    assert_eq!(tables, ["site_modules", "change_sets", "site_events", "idempotency_keys"]);
    let deleted = delete_all(&*storage, 7).await;
    assert!(deleted.len() > 5 && deleted.iter().all(|rows| *rows <= 4 * 7), "{deleted:?}");
    assert_eq!(rows_of(&mut raw, site.id).await, []);
    assert_eq!(rows_of(&mut raw, other).await, neighbour);
    assert_eq!(storage.site_syncs(site.id, Page { limit: 100, after: None }).await.unwrap().len(), 4);
    assert_eq!(storage.delete_leftovers(7).await.unwrap(), None);
    let tombstone = "SELECT count(*) FROM sites WHERE removed_at IS NOT NULL AND site_info IS NULL AND NOT leftovers";
    assert_eq!(raw.number(tombstone).await, 1);

    // Its id is never used again, and a site of the same name is another one.
    let mut new = Reporter::new(&storage, "Full").await;
    new.at = site.at;
    assert!(new.id > site.id && new.id > other);
    assert!(new.present().await.is_empty() && new.history("m_0001").await.is_empty());
    assert_eq!(new.full(modules("m", 25, "2.0.0")).await.counts.new, 25);
    assert_eq!(new.site().await.tags, [""; 0]);
}

async fn full_neighbour(storage: &Arc<dyn Storage>) -> SiteId {
    let mut other = Reporter::new(storage, "Neighbour").await;
    other.as_identity("prod", modules("m", 10, "1.0.0")).await;
    other.as_identity("stage", modules("m", 10, "2.0.0")).await;
    other.id
}

async fn a_long_history_goes_in_chunks_that_survive_a_restart(database: TestDatabase) {
    const SYNCS: usize = 100_000;
    const BATCH: usize = 10_000;
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Long").await;
    let mut other = Reporter::new(&storage, "Other").await;
    site.full(modules("m", 2, "1.0.0")).await;
    other.full(modules("m", 2, "1.0.0")).await;
    let mut raw = database.raw().await;
    let id = site.id;
    let numbers = match raw.backend() {
        Backend::Sqlite => {
            format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {SYNCS}) ")
        }
        Backend::Postgres => format!("WITH n AS (SELECT generate_series(1, {SYNCS}) AS i) "),
    };
    let number = match raw.backend() {
        Backend::Sqlite => "randomblob(16)",
        Backend::Postgres => "gen_random_uuid()",
    };
    raw.execute(&format!(
        "{numbers} INSERT INTO change_sets (site_id, sync_id, at, changes) \
         SELECT c.site_id, {number}, c.at, c.changes FROM change_sets c CROSS JOIN n WHERE c.site_id = {id}"
    ))
    .await;
    let sets = SYNCS + 1;
    assert_eq!(rows_of(&mut raw, site.id).await, [("site_modules", 2), ("change_sets", sets as i64)]);
    assert!(storage.remove_site(site.id, site.at, "ann").await.unwrap());
    let deleted = storage.delete_leftovers(BATCH).await.unwrap().unwrap();
    assert_eq!(deleted, BATCH + 2);
    drop(storage);

    // Whatever was done is done, and the rest is found by the next one.
    let storage = database.open_with(patient(2)).await;
    let rest = delete_all(&*storage, BATCH).await;
    assert_eq!(deleted + rest.iter().sum::<usize>(), sets + 2);
    assert!(rest.iter().all(|rows| *rows <= BATCH), "{rest:?}");
    assert_eq!(rows_of(&mut raw, site.id).await, []);
    assert_eq!(other.history("m_0001").await.len(), 1);
}

async fn a_site_that_is_removed_while_it_reports_leaves_nothing_behind(database: TestDatabase) {
    let storage = database.open().await;
    let mut raw = database.raw().await;
    let (mut applied, mut refused) = (0, 0);
    for round in 0..12_u32 {
        let id = register(&*storage, "Busy").await;
        let start = now();
        let syncs = (0..4_i32).map(|n| {
            let at = start + Duration::seconds(i64::from(n));
            let count = 20 + usize::try_from(n).unwrap();
            let sync = command(id, at, report(Scope::Partial, at, modules("m", count, &format!("{round}.{n}.0"))));
            let storage = Arc::clone(&storage);
            tokio::spawn(async move { storage.apply_sync(sync).await.unwrap() })
        });
        let syncs: Vec<_> = syncs.collect();
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        assert!(storage.remove_site(id, start, "ann").await.unwrap());
        for sync in syncs {
            match sync.await.unwrap() {
                SyncResult::Applied(_) => applied += 1,
                SyncResult::Refused(Refusal::UnknownSite) => refused += 1,
                // A later report was faster; that has nothing to do with the removal.
                SyncResult::Refused(Refusal::Stale { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
        delete_all(&*storage, 1000).await;
        assert_eq!(rows_of(&mut raw, id).await, [], "after round {round}");
    }
    // However it went, the audit log has what was applied.
    assert_eq!(raw.number("SELECT count(*) FROM syncs").await, applied);
    assert!(applied + refused > 0);
}

async fn two_nodes_may_delete_at_once(database: TestDatabase) {
    let (one, other) = (database.open().await, database.open().await);
    let mut sites = Vec::new();
    for n in 0..3 {
        let mut site = Reporter::new(&one, &format!("Site {n}")).await;
        site.full(modules("m", 60, "1.0.0")).await;
        one.remove_site(site.id, site.at, "ann").await.unwrap();
        sites.push(site.id);
    }
    tokio::join!(delete_all(&*one, 10), delete_all(&*other, 10));
    let mut raw = database.raw().await;
    for site in sites {
        assert_eq!(rows_of(&mut raw, site).await, []);
    }
    assert_eq!(raw.number("SELECT count(*) FROM sites WHERE leftovers").await, 0);
}

async fn a_key_that_was_issued_meanwhile_does_not_work(database: TestDatabase) {
    let storage = database.open().await;
    let site = register(&*storage, "Site").await;
    storage.create_key(key("before", site, now()), "ann").await.unwrap();
    storage.remove_site(site, now(), "ann").await.unwrap();
    storage.create_key(key("after", site, now()), "ann").await.unwrap();
    for id in ["before", "after"] {
        let grant = storage.find_key(id).await.unwrap().unwrap();
        assert!(grant.revoked_at.is_some() && !grant.site_active, "{id}");
    }
    let grants = storage.key_grants().await.unwrap();
    assert!(grants.len() == 2 && grants.iter().all(|grant| grant.revoked_at.is_some()));
    let listed = storage.site_keys(site, Page { limit: 1, after: Some("after".to_owned()) }).await.unwrap();
    assert_eq!(listed.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["before"]);
    let nobody = storage.site_keys(NOBODY, Page { limit: 10, after: None }).await.unwrap();
    assert!(nobody.is_empty());
    let filter = InventoryFilter::default();
    assert!(storage.site_modules(site, filter, Page { limit: 1, after: None }).await.unwrap().is_empty());
}
