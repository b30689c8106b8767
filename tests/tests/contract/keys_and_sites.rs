//! Sites and keys: stored, found, listed, revoked.

use module_monitor_domain::{KeyName, SiteId, SiteUrl};
use module_monitor_storage::{ApiKey, KeyGrant, NewKey, NewSite, Page, SiteChange, SiteFilter, Storage, StorageError};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{NOBODY, new_site, now, register};
use time::Duration;

on_both_backends!(
    a_site_is_registered_with_or_without_a_key,
    a_site_whose_key_cannot_be_stored_is_not_registered,
    keys_are_found_as_they_were_stored,
    a_key_needs_its_site_and_an_id_of_its_own,
    a_key_is_revoked_once,
    keys_and_sites_are_listed_in_pages,
    the_schema_is_checked,
    a_database_of_another_text_of_the_schema_is_refused,
    a_database_of_earlier_migrations_is_refused,
);

fn key(id: &str, site_id: Option<SiteId>) -> NewKey {
    NewKey { id: id.to_owned(), site_id, name: None, secret_hash: [7; 32], created_at: now(), expires_at: None }
}

async fn find(storage: &dyn Storage, id: &str) -> KeyGrant {
    storage.find_key(id).await.unwrap().unwrap()
}

async fn a_site_is_registered_with_or_without_a_key(database: TestDatabase) {
    let storage = database.open().await;
    let url = SiteUrl::parse("https://a.example").unwrap();
    let settings = SiteChange { url: Some(Some(url)), ..SiteChange::default() };
    let new = NewSite { settings, ..new_site("With a key", now()) };
    // The site of its first key is the new one, whatever the key says.
    let id = storage.create_site(new.clone(), Some(key("k", Some(NOBODY))), "tester").await.unwrap().id;
    let found = storage.find_site(id).await.unwrap().unwrap();
    assert_eq!((found.id, found.name.as_str(), found.created_at), (id, "With a key", new.created_at));
    assert_eq!(found.url.as_deref(), Some("https://a.example"));
    assert!(found.active && !found.mass_removal && !found.conflict);
    assert_eq!((found.last_sync_at, found.last_full_sync_at, found.security.unknown), (None, None, 0));
    assert_eq!((found.drupal_version, found.php_version), (None, None));
    assert_eq!(find(&*storage, "k").await.site_id, Some(id));
    let without = storage.create_site(new_site("Without", now()), None, "tester").await.unwrap().id;
    assert!(without > id, "ids grow");
    assert!(storage.find_site(without).await.unwrap().is_some());
    assert_eq!(storage.find_site(NOBODY).await.unwrap(), None);
}

async fn a_site_whose_key_cannot_be_stored_is_not_registered(database: TestDatabase) {
    let storage = database.open().await;
    storage.create_key(key("taken", None), "tester").await.unwrap();
    let new = new_site("Half", now());
    let error = storage.create_site(new.clone(), Some(key("taken", None)), "tester").await.unwrap_err();
    assert!(matches!(error, StorageError::Duplicate(_)), "{error:?}");
    let all = Page { limit: 10, after: None };
    assert_eq!(storage.list_sites(SiteFilter::default(), all).await.unwrap().items, []);
    assert_eq!(find(&*storage, "taken").await.site_id, None);
    let first = storage.create_site(new.clone(), None, "tester").await.unwrap().id;
    let second = storage.create_site(new, None, "tester").await.unwrap().id;
    assert_ne!(first, second, "sites may have the same name");
}

async fn keys_are_found_as_they_were_stored(database: TestDatabase) {
    let storage = database.open().await;
    let id = register(&*storage, "Site").await;
    let new = NewKey {
        name: Some(KeyName::parse("cron \u{1F511}").unwrap()),
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
        name: new.name.map(String::from),
        created_at: new.created_at,
        last_used_at: None,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    assert_eq!(listed.items, [expected]);
    for unknown in ["abc", "AbC ", "", "ABC"] {
        assert!(storage.find_key(unknown).await.unwrap().is_none(), "{unknown:?}");
    }
}

async fn a_key_needs_its_site_and_an_id_of_its_own(database: TestDatabase) {
    let storage = database.open().await;
    let error = storage.create_key(key("lost", Some(NOBODY)), "tester").await.unwrap_err();
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
    let mut listed = Vec::new();
    loop {
        let page = Page { limit: 3, after: listed.last().copied() };
        let sites = storage.list_sites(SiteFilter::default(), page).await.unwrap();
        if sites.is_empty() {
            break;
        }
        listed.extend(sites.into_iter().map(|site| site.id));
    }
    assert_eq!(listed, ids, "in the order of registration");
}

async fn the_schema_is_checked(database: TestDatabase) {
    let storage = module_monitor_storage::connect(&database.url, module_monitor_tests::backends::patient(2)).unwrap();
    assert!(storage.check().await.is_err(), "nothing has been migrated");
    assert!(storage.migrate().await.unwrap() > 0);
    storage.check().await.unwrap();
    assert_eq!(storage.migrate().await.unwrap(), 0);
    database.raw().await.execute("DELETE FROM __diesel_schema_migrations").await;
    let error = storage.check().await.unwrap_err();
    assert!(matches!(error, StorageError::NotMigrated { .. }), "{error:?}");
}

/// Neither used nor migrated, in words that say what to do.
async fn assert_refused(storage: &dyn Storage) {
    for error in [storage.check().await.unwrap_err(), storage.migrate().await.unwrap_err()] {
        assert!(matches!(error, StorageError::AnotherSchema), "{error:?}");
        assert!(error.to_string().contains("give a new file or an empty database"), "{error}");
    }
}

async fn a_database_of_another_text_of_the_schema_is_refused(database: TestDatabase) {
    let storage = database.open().await;
    let mut raw = database.raw().await;
    raw.execute("UPDATE schema_text SET hash = hash || '0'").await;
    assert_refused(&*storage).await;
    raw.execute("UPDATE schema_text SET hash = substr(hash, 1, length(hash) - 1)").await;
    storage.check().await.unwrap();
    assert_eq!(storage.migrate().await.unwrap(), 0);
}

async fn a_database_of_earlier_migrations_is_refused(database: TestDatabase) {
    let storage = module_monitor_storage::connect(&database.url, module_monitor_tests::backends::patient(2)).unwrap();
    let mut raw = database.raw().await;
    raw.execute(
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY NOT NULL, \
         run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP); \
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20261123000001')",
    )
    .await;
    assert_refused(&*storage).await;
    assert!(raw.tables().await.is_empty(), "nothing was begun");
}
