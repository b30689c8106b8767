//! Projects and assessments that nobody uses.

use std::sync::Arc;

use module_monitor_domain::Feed;
use module_monitor_storage::{Cutoff, KeptRows, Storage};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::module;
use time::{Duration, OffsetDateTime};

use super::support::{FETCHED, differences, import, insecure, project, recount, secure};
use crate::support::{Reporter, custom, keep_from, prune};

on_both_backends!(
    a_project_nobody_uses_goes_and_the_data_is_younger,
    what_an_administrator_has_asked_for_stays_for_a_while,
    what_counts_in_the_share_of_a_day_stays,
    a_project_that_something_waits_for_or_is_named_like_stays,
);

/// Removes what nobody uses at `now`; everything an administrator asked for before `audit` is forgotten.
async fn sweep(storage: &Arc<dyn Storage>, now: OffsetDateTime, audit: OffsetDateTime) -> [usize; 3] {
    let cutoff = Cutoff { audit, ..keep_from(now, now) };
    let mut removed = [0; 3];
    for (rows, kind) in removed.iter_mut().zip([KeptRows::RemovedModules, KeptRows::Assessments, KeptRows::Projects]) {
        *rows = prune(&**storage, kind, cutoff, 10).await.iter().sum();
    }
    removed
}

async fn a_project_nobody_uses_goes_and_the_data_is_younger(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    let later = FETCHED + Duration::DAY;
    import(&storage, insecure("a"), FETCHED).await;
    import(&storage, secure("b"), later).await;
    site.full(vec![module("b", "1.0.0")]).await;
    let as_of = async || storage.release_figures().await.unwrap().data_as_of;
    assert_eq!(as_of().await, Some(FETCHED));
    assert_eq!(site.full(vec![module("b", "1.0.0")]).await.security.data_as_of, Some(FETCHED));

    let now = FETCHED + Duration::days(10);
    assert_eq!(sweep(&storage, now, now).await, [1, 1, 1]);
    assert_eq!(as_of().await, Some(later), "b alone");
    assert_eq!(storage.find_history(&project("a"), Feed::Current).await.unwrap(), None);
    assert!(storage.find_history(&project("b"), Feed::Current).await.unwrap().is_some());
    let mut raw = database.raw().await;
    let names = "SELECT name FROM projects ORDER BY name";
    assert_eq!(raw.texts(names).await, ["b", "drupal"]);
    assert_eq!(raw.number("SELECT count(*) FROM releases").await, 1);
    assert_eq!(raw.number("SELECT count(*) FROM assessments").await, 2);
    assert_eq!(site.full(vec![module("b", "1.0.0")]).await.security.data_as_of, Some(later));
    assert_eq!(sweep(&storage, now, now).await, [0, 0, 0]);

    // It comes back with whoever uses it, and is asked for.
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0")]).await;
    assert_eq!(raw.texts(names).await, ["a", "b", "drupal"]);
    import(&storage, insecure("a"), now).await;
    recount(&storage, now).await;
    assert_eq!(site.site().await.security.updates_found, 1);
    assert_eq!(differences(&storage).await, []);
}

async fn what_an_administrator_has_asked_for_stays_for_a_while(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    site.full(vec![module("a", "1.0.0")]).await;
    import(&storage, secure("a"), FETCHED).await;
    import(&storage, secure("imported"), FETCHED).await;
    site.full(Vec::new()).await;
    let asked = FETCHED + Duration::days(5);
    assert!(storage.request_refresh(&project("a"), asked, "ann").await.unwrap());
    let now = FETCHED + Duration::days(100);
    assert_eq!(sweep(&storage, now, FETCHED).await, [1, 1, 0]);
    assert_eq!(sweep(&storage, now, FETCHED + Duration::DAY).await, [0, 0, 1], "what was imported for nobody");
    assert_eq!(sweep(&storage, now, asked).await, [0, 0, 0]);
    assert_eq!(sweep(&storage, now, asked + Duration::SECOND).await, [0, 0, 1]);
}

async fn what_counts_in_the_share_of_a_day_stays(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    site.full(vec![module("asked", "1.0.0"), module("never_asked", "1.0.0")]).await;
    let at = site.at;
    import(&storage, secure("asked"), at).await;
    site.full(Vec::new()).await;
    assert_eq!(sweep(&storage, at + Duration::DAY, at).await, [2, 0, 0]);
    assert_eq!(sweep(&storage, at + Duration::days(2), at).await, [0, 0, 0]);
    let later = at + Duration::days(2) + Duration::SECOND;
    assert_eq!(sweep(&storage, later, at).await, [0, 2, 2]);
    // Of what was never asked about only the assessment counts.
    site.full(vec![module("never_asked", "1.0.0")]).await;
    site.full(Vec::new()).await;
    let mut raw = database.raw().await;
    raw.execute("DELETE FROM site_modules").await;
    raw.execute("DELETE FROM assessments WHERE project = 'never_asked'").await;
    assert_eq!(sweep(&storage, site.at, site.at).await, [0, 0, 1]);
}

async fn a_project_that_something_waits_for_or_is_named_like_stays(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    let mut raw = database.raw().await;
    // Named like a project, and not said to be of it: that it exists makes it unknown rather than the site's own.
    import(&storage, secure("tool"), FETCHED).await;
    site.full(vec![custom("tool", "1.0.0"), module("waits", "1.0.0")]).await;
    raw.execute("UPDATE site_modules SET assessment_id = NULL").await;
    let now = FETCHED + Duration::days(100);
    assert_eq!(sweep(&storage, now, now).await, [0, 1, 0], "the assessment of what waits");
    assert_eq!(raw.texts("SELECT name FROM projects ORDER BY name").await, ["drupal", "tool", "waits"]);
    site.full(Vec::new()).await;
    assert_eq!(sweep(&storage, now, now).await, [2, 0, 2]);
    assert_eq!(raw.texts("SELECT name FROM projects ORDER BY name").await, ["drupal"]);
}
