//! Sites and keys: stored, found, listed, revoked.

use module_monitor_domain::SiteId;
use module_monitor_storage::{ApiKey, KeyGrant, NewKey, NewSite, Page, SiteChange, SiteFilter, Storage, StorageError};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{now, register};
use time::Duration;
use uuid::Uuid;

on_both_backends!(
    a_site_is_registered_with_or_without_a_key,
    a_site_whose_key_cannot_be_stored_is_not_registered,
    keys_are_found_as_they_were_stored,
    a_key_needs_its_site_and_an_id_of_its_own,
    a_key_is_revoked_once,
    keys_and_sites_are_listed_in_pages,
    the_schema_is_checked,
);

fn key(id: &str, site_id: Option<SiteId>) -> NewKey {
    NewKey { id: id.to_owned(), site_id, name: None, secret_hash: [7; 32], created_at: now(), expires_at: None }
}

fn site(name: &str) -> NewSite {
    NewSite { id: SiteId(Uuid::new_v4()), name: name.to_owned(), created_at: now(), settings: SiteChange::default() }
}

async fn find(storage: &dyn Storage, id: &str) -> KeyGrant {
    storage.find_key(id).await.unwrap().unwrap()
}

async fn a_site_is_registered_with_or_without_a_key(database: TestDatabase) {
    let storage = database.open().await;
    let settings = SiteChange { url: Some(Some("https://a.example".to_owned())), ..SiteChange::default() };
    let new = NewSite { settings, ..site("With a key") };
    storage.create_site(new.clone(), Some(key("k", Some(new.id))), "tester").await.unwrap();
    let found = storage.find_site(new.id).await.unwrap().unwrap();
    assert_eq!((found.id, &found.name, found.created_at), (new.id, &new.name, new.created_at));
    assert_eq!(found.url.as_deref(), Some("https://a.example"));
    assert!(found.active && !found.mass_removal && !found.conflict);
    assert_eq!((found.last_sync_at, found.last_full_sync_at, found.security.unknown), (None, None, 0));
    assert_eq!((found.drupal_version, found.php_version), (None, None));
    assert_eq!(find(&*storage, "k").await.site_id, Some(new.id));
    let without = site("Without");
    storage.create_site(without.clone(), None, "tester").await.unwrap();
    assert!(storage.find_site(without.id).await.unwrap().is_some());
    assert_eq!(storage.find_site(SiteId(Uuid::new_v4())).await.unwrap(), None);
}

async fn a_site_whose_key_cannot_be_stored_is_not_registered(database: TestDatabase) {
    let storage = database.open().await;
    storage.create_key(key("taken", None), "tester").await.unwrap();
    let new = site("Half");
    let error = storage.create_site(new.clone(), Some(key("taken", Some(new.id))), "tester").await.unwrap_err();
    assert!(matches!(error, StorageError::Duplicate(_)), "{error:?}");
    assert_eq!(storage.find_site(new.id).await.unwrap(), None);
    assert_eq!(find(&*storage, "taken").await.site_id, None);
    storage.create_site(new.clone(), None, "tester").await.unwrap();
    let error = storage.create_site(new, None, "tester").await.unwrap_err();
    assert!(matches!(error, StorageError::Duplicate(_)), "{error:?}");
}

async fn keys_are_found_as_they_were_stored(database: TestDatabase) {
    let storage = database.open().await;
    let id = register(&*storage, "Site").await;
    let new = NewKey {
        name: Some("cron \u{1F511}".to_owned()),
        secret_hash: std::array::from_fn(|n| u8::try_from(n * 8).unwrap_or_default()),
        expires_at: Some(now() + Duration::days(90)),
        ..key("AbC", Some(id))
    };
    storage.create_key(new.clone(), "tester").await.unwrap();
    let found = find(&*storage, "AbC").await;
    assert_eq!((found.id, found.site_id, found.expires_at), (new.id.clone(), new.site_id, new.expires_at));
    assert_eq!((found.revoked_at, found.site_active, found.rate_limit), (None, true, None));
    assert!(found.secret_hash == new.secret_hash);
    let listed = storage.list_keys(Page { limit: 2, after: None }).await.unwrap();
    let expected = ApiKey {
        id: new.id,
        site_id: new.site_id,
        name: new.name,
        created_at: new.created_at,
        last_used_at: None,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    assert_eq!(listed, [expected]);
    for unknown in ["abc", "AbC ", "", "ABC"] {
        assert!(storage.find_key(unknown).await.unwrap().is_none(), "{unknown:?}");
    }
}

async fn a_key_needs_its_site_and_an_id_of_its_own(database: TestDatabase) {
    let storage = database.open().await;
    let error = storage.create_key(key("lost", Some(SiteId(Uuid::new_v4()))), "tester").await.unwrap_err();
    assert!(matches!(error, StorageError::MissingReference(_)), "{error:?}");
    assert!(!error.is_transient());
    storage.create_key(key("admin", None), "tester").await.unwrap();
    let error = storage.create_key(key("admin", None), "tester").await.unwrap_err();
    assert!(matches!(error, StorageError::Duplicate(_)), "{error:?}");
    assert!(!error.is_transient());
}

async fn a_key_is_revoked_once(database: TestDatabase) {
    let storage = database.open().await;
    storage.create_key(key("k", None), "tester").await.unwrap();
    storage.create_key(key("other", None), "tester").await.unwrap();
    let first = now();
    assert!(storage.revoke_key("k", first, "tester").await.unwrap());
    assert!(storage.revoke_key("k", first + Duration::HOUR, "tester").await.unwrap(), "there is such a key");
    assert_eq!(find(&*storage, "k").await.revoked_at, Some(first));
    assert_eq!(find(&*storage, "other").await.revoked_at, None);
    assert!(!storage.revoke_key("unknown", first, "tester").await.unwrap());
}

async fn keys_and_sites_are_listed_in_pages(database: TestDatabase) {
    let storage = database.open().await;
    assert!(storage.list_keys(Page { limit: 10, after: None }).await.unwrap().is_empty());
    for id in ["a", "Z", "_", "é", "b"] {
        storage.create_key(key(id, None), "tester").await.unwrap();
    }
    let page = async |limit, after: Option<&str>| {
        let keys = storage.list_keys(Page { limit, after: after.map(str::to_owned) }).await.unwrap();
        keys.into_iter().map(|key| key.id).collect::<Vec<_>>()
    };
    assert_eq!(page(10, None).await, ["Z", "_", "a", "b", "é"]);
    assert_eq!(page(2, None).await, ["Z", "_"]);
    assert_eq!(page(2, Some("_")).await, ["a", "b"]);
    assert_eq!(page(2, Some("b")).await, ["é"]);

    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(register(&*storage, &format!("Site {n}")).await);
    }
    ids.sort();
    let mut listed = Vec::new();
    loop {
        let page = Page { limit: 3, after: listed.last().copied() };
        let sites = storage.list_sites(SiteFilter::default(), page).await.unwrap();
        if sites.is_empty() {
            break;
        }
        listed.extend(sites.into_iter().map(|site| site.id));
    }
    assert_eq!(listed, ids, "byte order, on both");
}

async fn the_schema_is_checked(database: TestDatabase) {
    let storage = module_monitor_storage::connect(&database.url, module_monitor_tests::backends::patient(2)).unwrap();
    assert!(storage.check().await.is_err(), "nothing has been migrated");
    assert!(storage.migrate().await.unwrap() > 0);
    storage.check().await.unwrap();
    assert_eq!(storage.migrate().await.unwrap(), 0);
    database.raw().await.execute("DELETE FROM __diesel_schema_migrations").await;
    let error = storage.check().await.unwrap_err();
    assert!(matches!(error, StorageError::Migration(_)), "{error:?}");
}
