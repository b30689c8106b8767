//! The audit log: refused syncs that add up, the order of the log, and what is removed from it with time.

use std::sync::Arc;

use module_monitor_domain::{AdminAction, KeyName, Scope, SiteId, SyncId};
use module_monitor_ingestion::uuid_at;
use module_monitor_storage::{
    AdminEvent, Cutoff, IdempotencyKey, KeptRows, NewKey, Page, Rejections, Storage, SyncCommand, SyncRecord,
    SyncResult,
};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{NOBODY, command, module, new_site, register, report};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::support::{keep_from, prune};

on_both_backends!(
    refusals_of_one_minute_add_up,
    two_nodes_that_write_the_same_minute_add_up,
    refusals_of_a_site_that_is_not_there_are_passed_over,
    applied_and_refused_syncs_are_one_list,
    old_rows_go_in_batches,
    what_administrators_do_is_written_down,
);

/// The first moment of a minute.
const NOON: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);

fn refused(site: SiteId, key: &str, reason: &str, at: OffsetDateTime) -> Rejections {
    Rejections {
        id: uuid_at(at),
        site_id: site,
        key_id: key.to_owned(),
        reason: reason.to_owned(),
        count: 1,
        first_at: at,
        last_at: at,
        client_address: Some("192.0.2.1".to_owned()),
        body_bytes: Some(17),
    }
}

async fn log(storage: &dyn Storage, site: SiteId) -> Vec<SyncRecord> {
    storage.site_syncs(site, Page { limit: 1000, after: None }).await.unwrap().items
}

/// The refused syncs of a site, newest first.
async fn refusals(storage: &dyn Storage, site: SiteId) -> Vec<Rejections> {
    let rejected = |record| match record {
        SyncRecord::Rejected(rejections) => rejections,
        other => panic!("not rejected: {other:?}"),
    };
    log(storage, site).await.into_iter().map(rejected).collect()
}

async fn apply(storage: &dyn Storage, site: SiteId, at: OffsetDateTime, key: Option<&str>) -> SyncId {
    let sync = command(site, at, report(Scope::Full, at, vec![module("a", "1.0.0")]));
    let idempotency = key.map(|key| IdempotencyKey { key: key.to_owned(), body_hash: [1; 32] });
    let sync = SyncCommand { sync_id: SyncId(uuid_at(at)), idempotency, ..Arc::unwrap_or_clone(sync) };
    let id = sync.sync_id;
    let result = storage.apply_sync(Arc::new(sync)).await.unwrap();
    assert!(matches!(result, SyncResult::Applied(_)), "{result:?}");
    id
}

async fn refusals_of_one_minute_add_up(database: TestDatabase) {
    let storage = database.open().await;
    let (site, other) = (register(&*storage, "Site").await, register(&*storage, "Other").await);
    let second = |n| NOON + Duration::seconds(n) + Duration::microseconds(7);
    let first = refused(site, "k", "rate-limited", second(1));
    storage.record_rejections(Vec::new()).await.unwrap();
    storage
        .record_rejections(vec![
            Rejections { count: 3, last_at: second(3), ..first.clone() },
            refused(site, "k", "stale-sync", second(2)),
            refused(site, "k2", "rate-limited", second(3)),
            refused(other, "k", "rate-limited", second(4)),
            refused(site, "k", "rate-limited", second(60)),
        ])
        .await
        .unwrap();
    let more = Rejections {
        count: 40,
        last_at: second(59),
        client_address: Some("2001:db8::1".to_owned()),
        body_bytes: None,
        ..refused(site, "k", "rate-limited", second(5))
    };
    storage.record_rejections(vec![more.clone()]).await.unwrap();

    let found = refusals(&*storage, site).await;
    let summary: Vec<_> = found.iter().map(|r| (r.reason.as_str(), r.key_id.as_str(), r.count)).collect();
    assert_eq!(
        summary,
        [("rate-limited", "k", 1), ("rate-limited", "k2", 1), ("stale-sync", "k", 1), ("rate-limited", "k", 43)]
    );
    let all =
        Rejections { count: 43, last_at: second(59), client_address: more.client_address, body_bytes: None, ..first };
    assert_eq!(found.last(), Some(&all), "the first keeps its id and time, the last says the rest");
    assert_eq!(refusals(&*storage, other).await.iter().map(|r| r.count).collect::<Vec<_>>(), [1]);
}

async fn two_nodes_that_write_the_same_minute_add_up(database: TestDatabase) {
    let (one, other) = (database.open().await, database.open().await);
    let site = register(&*one, "Site").await;
    let batch = |offset: i64| -> Vec<Rejections> {
        let at = |n: i64| NOON + Duration::minutes(n) + Duration::seconds(offset);
        let rows = (0..200).map(|n| refused(site, "k", "rate-limited", at(n)));
        if offset % 2 == 0 { rows.collect() } else { rows.rev().collect() }
    };
    for round in 0..5 {
        let (a, b) =
            tokio::join!(one.record_rejections(batch(50 - 2 * round)), other.record_rejections(batch(2 * round + 1)));
        a.unwrap();
        b.unwrap();
    }
    let found = refusals(&*one, site).await;
    assert_eq!(found.len(), 200);
    for row in found {
        assert_eq!((row.count, row.last_at.second()), (10, 50), "{row:?}");
    }
}

async fn refusals_of_a_site_that_is_not_there_are_passed_over(database: TestDatabase) {
    let storage = database.open().await;
    let site = register(&*storage, "Site").await;
    let rows = vec![refused(NOBODY, "admin", "malformed-json", NOON), refused(site, "k", "malformed-json", NOON)];
    storage.record_rejections(rows).await.unwrap();
    assert_eq!(refusals(&*storage, site).await.len(), 1);
    assert!(log(&*storage, NOBODY).await.is_empty());
}

async fn applied_and_refused_syncs_are_one_list(database: TestDatabase) {
    let storage = database.open().await;
    let (site, other) = (register(&*storage, "Site").await, register(&*storage, "Other").await);
    let mut ids = Vec::new();
    for n in 0..20 {
        let at = NOON + Duration::minutes(n);
        if n % 3 == 0 {
            let rejections = refused(site, "k", "stale-sync", at);
            ids.push(rejections.id);
            storage.record_rejections(vec![rejections]).await.unwrap();
        } else {
            ids.push(apply(&*storage, site, at, None).await.0);
        }
        apply(&*storage, other, at, None).await;
    }
    ids.reverse();
    let found: Vec<_> = log(&*storage, site).await.iter().map(SyncRecord::id).collect();
    assert_eq!(found, ids);
    for limit in [1, 2, 3, 7, 19, 20, 21] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = storage.site_syncs(site, Page { limit, after }).await.unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(last.id());
            paged.extend(page.iter().map(SyncRecord::id));
        }
        assert_eq!(paged, ids, "{limit} at a time");
    }
}

async fn old_rows_go_in_batches(database: TestDatabase) {
    let storage = database.open().await;
    let site = register(&*storage, "Site").await;
    let day = |n| NOON + Duration::days(n);
    for n in 0..10 {
        let key = format!("key {n}");
        apply(&*storage, site, day(n), Some(&key).filter(|_| n % 2 == 0).map(String::as_str)).await;
        storage.record_rejections(vec![refused(site, "k", "stale-sync", day(n))]).await.unwrap();
    }
    let mut raw = database.raw().await;
    let mut rows = async || {
        let mut counts = Vec::new();
        for table in ["syncs", "rejected_syncs", "idempotency_keys"] {
            counts.push(raw.number(&format!("SELECT count(*) FROM {table}")).await);
        }
        counts
    };
    assert_eq!(rows().await, [10, 10, 5]);
    let kinds = [KeptRows::IdempotencyKeys, KeptRows::RefusedSyncs, KeptRows::Syncs];
    for kind in kinds {
        let steps = prune(&*storage, kind, keep_from(day(10), day(0)), 100).await;
        assert_eq!(steps, [0], "what is exactly as old stays");
    }

    // The keys of days 4 and 6 still stand for their syncs, which are kept although they are old enough to go.
    let cutoff = Cutoff { idempotency_keys: day(4), ..keep_from(day(10), day(8)) };
    let mut steps = Vec::new();
    for kind in kinds {
        steps.push(prune(&*storage, kind, cutoff, 2).await);
    }
    assert_eq!(rows().await, [4, 2, 3]);
    assert_eq!(steps, [vec![2, 0], vec![2, 2, 2, 2, 0], vec![2, 2, 2, 0]]);
    let left: Vec<_> = log(&*storage, site)
        .await
        .iter()
        .map(|record| match record {
            SyncRecord::Applied(sync) => ("applied", (sync.received_at - NOON).whole_days()),
            SyncRecord::Rejected(rejections) => ("rejected", (rejections.first_at - NOON).whole_days()),
            SyncRecord::Queued(job) => panic!("queued: {job:?}"),
        })
        .collect();
    let mut sorted = left.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [("applied", 4), ("applied", 6), ("applied", 8), ("applied", 9), ("rejected", 8), ("rejected", 9)]
    );

    // Once the keys are gone, so are their syncs; the site itself stays as it is.
    for kind in kinds {
        prune(&*storage, kind, keep_from(day(100), day(100)), 100).await;
    }
    assert_eq!(rows().await, [0, 0, 0]);
    assert!(storage.find_site(site).await.unwrap().unwrap().last_full_sync_at.is_some());
}

async fn what_administrators_do_is_written_down(database: TestDatabase) {
    let storage = database.open().await;
    let key = |id: &str, site_id, name: Option<&str>| NewKey {
        id: id.to_owned(),
        site_id,
        name: name.map(|name| KeyName::parse(name).unwrap()),
        secret_hash: [7; 32],
        created_at: NOON,
        expires_at: None,
    };
    let site = new_site("The site", NOON);
    let id = storage.create_site(site.clone(), Some(key("first", None, Some("first key"))), "ann").await.unwrap().id;
    storage.create_key(key("admin", None, None), "ben").await.unwrap();
    assert!(storage.revoke_key("first", NOON + Duration::HOUR, "cleo").await.unwrap());
    assert!(!storage.revoke_key("nobody", NOON, "dan").await.unwrap());
    storage.create_key(key("admin", None, None), "eve").await.unwrap_err();
    storage.create_site(site, Some(key("admin", None, None)), "fay").await.unwrap_err();

    let events = storage.admin_events(Page { limit: 100, after: None }).await.unwrap();
    let line = |e: &AdminEvent| (e.actor.clone(), e.action, e.site_id, e.target.clone(), e.detail.clone());
    let expected = [
        ("cleo", AdminAction::KeyRevoked, Some(id), "first", None),
        ("ben", AdminAction::KeyIssued, None, "admin", None),
        ("ann", AdminAction::KeyIssued, Some(id), "first", Some("first key")),
        ("ann", AdminAction::SiteCreated, Some(id), &id.to_string(), Some("The site")),
    ]
    .map(|(actor, action, site, target, detail): (&str, _, _, &str, Option<&str>)| {
        (actor.to_owned(), action, site, target.to_owned(), detail.map(str::to_owned))
    });
    assert_eq!(events.iter().map(line).collect::<Vec<_>>(), expected);
    assert_eq!(events.iter().map(|e| e.at).collect::<Vec<_>>(), [NOON + Duration::HOUR, NOON, NOON, NOON]);

    let mut paged = Vec::new();
    while let [event] =
        &storage.admin_events(Page { limit: 1, after: paged.last().map(|e: &AdminEvent| e.id) }).await.unwrap()[..]
    {
        paged.push(event.clone());
    }
    assert_eq!(paged, events.items);
}
