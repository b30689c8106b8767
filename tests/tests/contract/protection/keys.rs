//! What authentication knows of the keys, and how it learns that something has changed.

use module_monitor_domain::SiteId;
use module_monitor_storage::{KeyGrant, KeyUse, NewKey, Page, Storage};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{new_site, register};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

on_both_backends!(
    the_revision_grows_with_what_authentication_must_know,
    grants_say_whether_the_site_may_report_and_how_often,
    the_last_use_only_moves_forward,
);

const NOW: OffsetDateTime = datetime!(2026-03-01 12:00:00.123456 UTC);

fn key(id: &str, site_id: Option<SiteId>) -> NewKey {
    NewKey { id: id.to_owned(), site_id, name: None, secret_hash: [7; 32], created_at: NOW, expires_at: None }
}

async fn grant(storage: &dyn Storage, id: &str) -> KeyGrant {
    let grants = storage.key_grants().await.unwrap();
    let found = grants.into_iter().find(|grant| grant.id == id).unwrap();
    assert!(storage.find_key(id).await.unwrap().unwrap() == found, "both ways to ask agree");
    found
}

async fn the_revision_grows_with_what_authentication_must_know(database: TestDatabase) {
    let storage = database.open().await;
    let mut revisions = vec![storage.key_revision().await.unwrap()];
    let mut note = async |storage: &dyn Storage| {
        revisions.push(storage.key_revision().await.unwrap());
        let [.., before, after] = revisions[..] else { unreachable!("two revisions") };
        after - before
    };
    storage.create_key(key("admin", None), "tester").await.unwrap();
    assert!(note(&*storage).await > 0, "a key was issued");
    storage.create_site(new_site("Site", NOW), Some(key("first", None)), "tester").await.unwrap();
    assert!(note(&*storage).await > 0, "a site came with a key");
    assert!(storage.revoke_key("first", NOW, "tester").await.unwrap());
    assert!(note(&*storage).await > 0, "a key was revoked");
    storage.mark_keys_used(vec![KeyUse { id: "admin".to_owned(), at: NOW }]).await.unwrap();
    assert_eq!(note(&*storage).await, 0, "a key was used");
    storage.create_key(key("admin", None), "tester").await.unwrap_err();
    assert_eq!(note(&*storage).await, 0, "a key could not be issued");
    let second = database.open().await;
    assert_eq!(note(&*second).await, 0, "opening the database changes nothing");
}

async fn grants_say_whether_the_site_may_report_and_how_often(database: TestDatabase) {
    let storage = database.open().await;
    let site = register(&*storage, "Site").await;
    storage.create_key(key("admin", None), "tester").await.unwrap();
    for id in ["cron", "rotated"] {
        storage.create_key(key(id, Some(site)), "tester").await.unwrap();
        let found = grant(&*storage, id).await;
        assert_eq!((found.site_id, found.site_active, found.rate_limit), (Some(site), true, None));
    }
    let mut raw = database.raw().await;
    raw.execute(&format!("UPDATE sites SET active = false, rate_limit = 5 WHERE id = {site}")).await;
    assert!(storage.revoke_key("rotated", NOW, "tester").await.unwrap());
    for (id, revoked) in [("cron", None), ("rotated", Some(NOW))] {
        let found = grant(&*storage, id).await;
        assert_eq!((found.site_active, found.rate_limit, found.revoked_at), (false, Some(5), revoked), "{id}");
    }
    let admin = grant(&*storage, "admin").await;
    assert_eq!((admin.site_id, admin.site_active, admin.rate_limit), (None, true, None));
    assert!(admin.secret_hash == [7; 32]);
    assert_eq!(storage.key_grants().await.unwrap().len(), 3, "revoked ones included");
}

async fn the_last_use_only_moves_forward(database: TestDatabase) {
    let storage = database.open().await;
    for id in ["a", "b"] {
        storage.create_key(key(id, None), "tester").await.unwrap();
    }
    let mark = async |uses: &[(&str, i64)]| {
        let at = |seconds| NOW + Duration::seconds(seconds);
        let uses = uses.iter().map(|&(id, seconds)| KeyUse { id: id.to_owned(), at: at(seconds) }).collect();
        storage.mark_keys_used(uses).await.unwrap();
        let keys = storage.list_keys(Page { limit: 10, after: None }).await.unwrap();
        keys.iter().map(|key| key.last_used_at.map(|at| (at - NOW).whole_seconds())).collect::<Vec<_>>()
    };
    assert_eq!(mark(&[]).await, [None, None]);
    assert_eq!(mark(&[("a", 10)]).await, [Some(10), None]);
    assert_eq!(mark(&[("b", 5), ("a", 3), ("nobody", 1)]).await, [Some(10), Some(5)]);
    assert_eq!(mark(&[("a", 10), ("b", 6)]).await, [Some(10), Some(6)]);
}
