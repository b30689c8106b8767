//! Events for others: written with what they tell, and only where somebody wants to know.

use std::sync::Arc;

use module_monitor_domain::{Scope, SiteEventKind, SyncOutcome, WebhookEvent};
use module_monitor_storage::{IdempotencyKey, OutboxEvent, Page, SyncCommand, SyncResult};
use module_monitor_tests::backends::{TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{modules, report};
use module_monitor_tests::watch::{StatementLog, watch_rows, written_rows};
use serde_json::json;
use time::Duration;

use crate::support::{Reporter, kinds_waiting, subscribe, waiting};

on_both_backends!(
    nothing_is_written_that_nobody_wants,
    every_sync_is_told_once,
    a_sync_that_is_rolled_back_is_not_told,
    only_sites_with_the_tag_are_told_of,
    a_subscription_costs_an_unchanged_sync_one_row,
    an_event_of_two_subscribers_is_written_once_and_stays_until_both_are_gone,
    what_happens_to_a_site_is_kept_and_told,
    silence_is_told_once_and_so_is_its_end,
    webhooks_are_listed_and_written_down,
);

/// What is said of a sync.
fn completed(outcome: &SyncOutcome) -> serde_json::Value {
    json!({
        "sync_id": outcome.sync_id.to_string(),
        "processed_count": outcome.counts.processed,
        "new_modules": outcome.counts.new,
        "updated_modules": outcome.counts.updated,
        "removed_modules": outcome.counts.removed,
    })
}

/// All kinds but one.
fn all_but(kind: WebhookEvent) -> Vec<WebhookEvent> {
    WebhookEvent::ALL.iter().copied().filter(|other| *other != kind).collect()
}

async fn nothing_is_written_that_nobody_wants(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Unheard").await;
    for round in 0..2 {
        site.full(modules("m", 20, "1.0.0")).await;
        site.full(modules("m", 20, "1.0.0")).await;
        site.as_identity(&format!("stage {round}"), modules("m", 20, "1.0.0")).await;
        site.as_identity("prod", modules("m", 2, "1.0.0")).await;
        assert_eq!(storage.note_silent(site.at + Duration::days(9), 10).await.unwrap(), 1);
        site.at += Duration::days(9);
        site.full(modules("m", 2, "1.0.0")).await;
        assert_eq!(
            kinds_waiting(&site).await,
            [WebhookEvent::SyncFailed; 0],
            "round {round}: without a webhook, and with one for something else"
        );
        subscribe(&*storage, &[WebhookEvent::QueueDeadLetter], None).await;
    }
}

async fn every_sync_is_told_once(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Heard").await;
    subscribe(&*storage, &[WebhookEvent::SyncCompleted], None).await;
    let mut expected = Vec::new();
    for modules in [modules("m", 3, "1.0.0"), modules("m", 3, "1.0.0"), modules("m", 2, "2.0.0")] {
        let outcome = site.full(modules).await;
        expected.push((WebhookEvent::SyncCompleted, Some(site.id), site.at, completed(&outcome)));
    }
    let outcome = site.partial(modules("m", 1, "2.0.0")).await;
    expected.push((WebhookEvent::SyncCompleted, Some(site.id), site.at, completed(&outcome)));
    let line = |event: &OutboxEvent| (event.kind, event.site_id, event.at, event.data.clone());
    assert_eq!(waiting(&*storage).await.iter().map(line).collect::<Vec<_>>(), expected);

    // A refused one has not been completed, and one that is asked about again was told before.
    let stale = site.result(|at| report(Scope::Full, at - Duration::days(1), modules("m", 1, "1.0.0"))).await;
    assert!(matches!(stale, SyncResult::Refused(_)), "{stale:?}");
    let sync = site.next(|at| report(Scope::Full, at, modules("m", 4, "2.0.0")));
    let idempotency = Some(IdempotencyKey { key: "once".to_owned(), body_hash: [1; 32] });
    let sync = Arc::new(SyncCommand { idempotency, ..Arc::unwrap_or_clone(sync) });
    for _ in 0..2 {
        storage.apply_sync(Arc::clone(&sync)).await.unwrap();
    }
    assert_eq!(waiting(&*storage).await.len(), expected.len() + 1);
}

async fn a_sync_that_is_rolled_back_is_not_told(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Undone").await;
    let taken = site.full(modules("m", 3, "1.0.0")).await.sync_id;
    subscribe(&*storage, &WebhookEvent::ALL, None).await;
    // The audit row fails: its id is there already.
    for reported in [modules("m", 3, "1.0.0"), modules("m", 1, "2.0.0")] {
        let sync = Arc::unwrap_or_clone(site.next(|at| report(Scope::Full, at, reported)));
        storage.apply_sync(Arc::new(SyncCommand { sync_id: taken, ..sync })).await.unwrap_err();
    }
    assert_eq!(waiting(&*storage).await, []);
    assert_eq!(storage.site_events(site.id, Page { limit: 10, after: None }).await.unwrap().items, []);
}

async fn only_sites_with_the_tag_are_told_of(database: TestDatabase) {
    let storage = database.open().await;
    let (mut inside, mut outside) = (Reporter::new(&storage, "In").await, Reporter::new(&storage, "Out").await);
    inside.file_under(&["acme", "tier-1"]).await;
    outside.file_under(&["acme-2"]).await;
    subscribe(&*storage, &[WebhookEvent::SyncCompleted], Some("acme")).await;
    for site in [&mut inside, &mut outside] {
        site.full(modules("m", 2, "1.0.0")).await;
        site.full(modules("m", 2, "1.0.0")).await;
        site.full(modules("m", 2, "2.0.0")).await;
    }
    assert_eq!(kinds_waiting(&inside).await, [WebhookEvent::SyncCompleted; 3]);
    assert_eq!(kinds_waiting(&outside).await, [WebhookEvent::SyncCompleted; 0]);
    // The tags are those of the moment.
    inside.file_under(&[]).await;
    outside.file_under(&["acme"]).await;
    for site in [&mut inside, &mut outside] {
        site.full(modules("m", 2, "2.0.0")).await;
    }
    assert_eq!((kinds_waiting(&inside).await.len(), kinds_waiting(&outside).await.len()), (3, 1));
}

async fn a_subscription_costs_an_unchanged_sync_one_row(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut site = Reporter::new(&storage, "Costs").await;
    site.full(modules("m", 100, "1.0.0")).await;
    let mut raw = database.raw().await;
    watch_rows(&mut raw).await;
    log.take();
    site.full(modules("m", 100, "1.0.0")).await;
    let unheard = log.take().len();
    assert_eq!(written_rows(&mut raw).await, ["insert syncs", "update sites"]);
    let others = subscribe(&*storage, &all_but(WebhookEvent::SyncCompleted), None).await;
    written_rows(&mut raw).await;
    log.take();
    site.full(modules("m", 100, "1.0.0")).await;
    assert_eq!(log.take().len(), unheard, "others want other things");
    assert_eq!(written_rows(&mut raw).await, ["insert syncs", "update sites"]);
    assert!(storage.remove_webhook(others, site.at, "ann").await.unwrap());

    subscribe(&*storage, &[WebhookEvent::SyncCompleted], None).await;
    written_rows(&mut raw).await;
    log.take();
    site.full(modules("m", 100, "1.0.0")).await;
    let heard = log.take().len();
    assert_eq!(written_rows(&mut raw).await, ["insert outbox", "insert syncs", "update sites"]);
    let more = match database.backend() {
        module_monitor_tests::backends::Backend::Postgres => 0,
        module_monitor_tests::backends::Backend::Sqlite => 1,
    };
    assert_eq!(heard, unheard + more);
}

async fn an_event_of_two_subscribers_is_written_once_and_stays_until_both_are_gone(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Shared").await;
    site.file_under(&["acme"]).await;
    let everything = subscribe(&*storage, &WebhookEvent::ALL, None).await;
    let syncs = subscribe(&*storage, &[WebhookEvent::SyncCompleted], Some("acme")).await;
    site.full(modules("m", 20, "1.0.0")).await;
    site.full(modules("m", 2, "1.0.0")).await;
    let (completed, emptied) = (WebhookEvent::SyncCompleted, WebhookEvent::SiteMassRemoval);
    let mut kinds = kinds_waiting(&site).await;
    kinds.sort_by_key(|kind| kind.as_str());
    assert_eq!(kinds, [emptied, completed, completed], "each once, for both");

    assert!(storage.remove_webhook(everything, site.at, "ann").await.unwrap());
    assert_eq!(kinds_waiting(&site).await, [completed, completed], "the other was left for nobody else");
    assert!(storage.remove_webhook(syncs, site.at, "ann").await.unwrap());
    assert_eq!(waiting(&*storage).await, []);
    assert!(!storage.remove_webhook(syncs, site.at, "ann").await.unwrap(), "it is gone");
    site.full(modules("m", 3, "1.0.0")).await;
    assert_eq!(waiting(&*storage).await, []);
}

async fn what_happens_to_a_site_is_kept_and_told(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Moved").await;
    let told = [WebhookEvent::SiteIdentityChanged, WebhookEvent::SiteMassRemoval];
    subscribe(&*storage, &told, None).await;
    site.as_identity("prod", modules("m", 20, "1.0.0")).await;
    site.as_identity("stage", modules("m", 20, "1.0.0")).await;
    let identity_at = site.at;
    site.as_identity("stage", modules("m", 9, "1.0.0")).await;
    // A partial report says nothing of it, and half is not most.
    site.partial(modules("m", 1, "1.0.0")).await;
    site.full(modules("m", 8, "1.0.0")).await;

    let events = storage.site_events(site.id, Page { limit: 10, after: None }).await.unwrap();
    let from_to = json!({"from": {"environment": "prod", "url": null}, "to": {"environment": "stage", "url": null}});
    let found: Vec<_> = events.iter().map(|event| (event.kind, event.detail.clone())).collect();
    let removed = json!({"removed_modules": 11});
    assert_eq!(
        found,
        [(SiteEventKind::MassRemoval, removed.clone()), (SiteEventKind::IdentityChanged, from_to.clone())],
        "newest first"
    );
    assert_eq!((events[1].at, events[1].site_id), (identity_at, site.id));
    let stage = storage.find_sync(events[1].sync_id).await.unwrap().expect("the sync it came with");
    assert_eq!(stage.received_at, identity_at);
    let waiting = waiting(&*storage).await;
    let found: Vec<_> = waiting.iter().map(|event| (event.kind, event.site_id, event.data.clone())).collect();
    assert_eq!(found, [(told[0], Some(site.id), from_to), (told[1], Some(site.id), removed)]);

    // In pages, and of the one site.
    let mut paged = Vec::new();
    while let [event] = &storage
        .site_events(site.id, Page { limit: 1, after: paged.last().map(|e: &module_monitor_storage::SiteEvent| e.id) })
        .await
        .unwrap()[..]
    {
        paged.push(event.clone());
    }
    assert_eq!(paged, events.items);
    let other = Reporter::new(&storage, "Other").await;
    assert_eq!(storage.site_events(other.id, Page { limit: 10, after: None }).await.unwrap().items, []);
}

async fn silence_is_told_once_and_so_is_its_end(database: TestDatabase) {
    let storage = database.open().await;
    let (mut site, other) = (Reporter::new(&storage, "Quiet").await, Reporter::new(&storage, "Off").await);
    other.set(&mut database.raw().await, "active = false").await;
    subscribe(&*storage, &[WebhookEvent::SiteSilent, WebhookEvent::SiteReportingAgain], None).await;
    let (silent, again) = (WebhookEvent::SiteSilent, WebhookEvent::SiteReportingAgain);
    site.full(modules("m", 3, "1.0.0")).await;
    let day_and_more = Duration::hours(26);
    // An unchanged report ends it, and so does one that changes something.
    for (round, reported) in [modules("m", 3, "1.0.0"), modules("m", 3, "2.0.0")].into_iter().enumerate() {
        assert_eq!(storage.note_silent(site.at + day_and_more, 10).await.unwrap(), 0, "not yet");
        let late = site.at + day_and_more + Duration::MICROSECOND;
        assert_eq!(storage.note_silent(late, 10).await.unwrap(), 1);
        assert_eq!(storage.note_silent(late + Duration::days(1), 10).await.unwrap(), 0, "once");
        let last = waiting(&*storage).await.pop().unwrap();
        assert_eq!((last.kind, last.site_id, last.at), (silent, Some(site.id), late));
        site.at = late;
        site.full(reported.clone()).await;
        site.full(reported).await;
        assert_eq!(kinds_waiting(&site).await, [silent, again].repeat(round + 1), "and its end once");
    }
    assert_eq!(kinds_waiting(&other).await, [silent; 0], "nobody waits for it");

    // So many at a time, and on two nodes at once each of them once.
    let node = database.open().await;
    for n in 0..20 {
        Reporter::new(&storage, &format!("Site {n}")).await;
    }
    let never = site.at + Duration::days(3650);
    let all = async |storage: &dyn module_monitor_storage::Storage| {
        let mut noted = 0;
        loop {
            match storage.note_silent(never, 3).await.unwrap() {
                0 => return noted,
                sites => noted += sites,
            }
        }
    };
    let (one, two) = tokio::join!(all(&*storage), all(&*node));
    let told = waiting(&*storage).await.iter().filter(|event| event.at == never).count();
    assert_eq!((one + two, told), (21, 21));
}

async fn webhooks_are_listed_and_written_down(database: TestDatabase) {
    let storage = database.open().await;
    let mut ids = Vec::new();
    for only in [None, Some("acme"), None] {
        ids.push(subscribe(&*storage, &[WebhookEvent::SyncFailed, WebhookEvent::SiteSilent], only).await);
    }
    let list = async |limit, after| storage.list_webhooks(Page { limit, after }).await.unwrap();
    let all = list(10, None).await;
    assert_eq!(all.iter().map(|webhook| webhook.id).collect::<Vec<_>>(), ids);
    assert_eq!(all[1].tag.as_deref(), Some("acme"));
    assert_eq!(all[1].kinds, [WebhookEvent::SyncFailed, WebhookEvent::SiteSilent].into());
    assert_eq!((all[1].url.as_str(), all[1].created_by.as_str()), ("https://hooks.example/in", "ann"));
    assert_eq!([list(2, None).await.items, list(2, Some(ids[1])).await.items].concat(), all.items);

    assert!(storage.remove_webhook(ids[2], all[2].created_at, "ben").await.unwrap());
    let next = subscribe(&*storage, &[WebhookEvent::SyncFailed], None).await;
    assert!(next > ids[2], "ids are never used again");
    let events = storage.admin_events(Page { limit: 2, after: None }).await.unwrap();
    let told: Vec<_> = events.iter().map(|e| (e.action.as_str(), e.actor.as_str(), e.target.clone())).collect();
    assert_eq!(told, [("webhook.created", "ann", next.to_string()), ("webhook.removed", "ben", ids[2].to_string())]);
}
