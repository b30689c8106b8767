//! What goes with time, and what one site may have of it.

use module_monitor_domain::SiteId;
use module_monitor_storage::{Cutoff, InventoryFilter, KeptRows, Page, RowBounds};
use module_monitor_tests::backends::{Backend, TestDatabase};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::{module, modules, register};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::support::{Reporter, changes, keep_from, machine_name, prune};

on_both_backends!(
    what_is_old_goes_in_batches_and_what_is_young_stays,
    a_removed_module_goes_when_its_time_is_over,
    a_history_says_since_when_it_is_complete,
    a_site_keeps_its_newest_rows_within_the_bounds,
);

const DAY_0: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

/// A moment in SQL.
fn moment(raw: &RawConnection, at: OffsetDateTime) -> String {
    match raw.backend() {
        Backend::Sqlite => (at.unix_timestamp() * 1_000_000).to_string(),
        Backend::Postgres => format!("to_timestamp({})", at.unix_timestamp()),
    }
}

/// A row of each kind that happened on that day.
async fn happen(raw: &mut RawConnection, site: SiteId, day: i64) {
    let at = moment(raw, DAY_0 + Duration::days(day));
    let id = raw.id(Uuid::from_u128((1 << 64) * (site.0 as u128) + day as u128));
    for statement in [
        format!("INSERT INTO admin_events (at, actor, action, target) VALUES ({at}, 'ann', 'site.changed', '{day}')"),
        format!(
            "INSERT INTO site_events (site_id, kind, detail, sync_id, at) VALUES ({site}, 'mass_removal', '{day}', {id}, {at})",
            site = site.0
        ),
        format!(
            "INSERT INTO security_findings (site_id, project, insecure_since, fixed_at) VALUES ({}, 'p_{day}', {at}, {at})",
            site.0
        ),
        format!(
            "INSERT INTO security_acceptances (id, project, class, until, reason, created_at, created_by, ended_at) \
             VALUES ({id}, 'p_{day}', 'insecure', {at}, 'known', {at}, 'ann', {at})"
        ),
        format!(
            "INSERT INTO rejected_syncs (id, site_id, key_id, reason, minute, count, first_at, last_at) \
             VALUES ({id}, {}, 'key', 'stale-sync', {at}, 1, {at}, {at})",
            site.0
        ),
    ] {
        raw.execute(&statement).await;
    }
}

async fn what_is_old_goes_in_batches_and_what_is_young_stays(database: TestDatabase) {
    let storage = database.open().await;
    let site = register(&*storage, "Site").await;
    let mut raw = database.raw().await;
    raw.execute("DELETE FROM admin_events").await;
    for day in 0..10 {
        happen(&mut raw, site, day).await;
    }
    // What has not ended is as old as anything.
    let at = moment(&raw, DAY_0);
    let (site, standing) = (site.0, raw.id(Uuid::nil()));
    raw.execute(&format!(
        "INSERT INTO security_findings (site_id, project, insecure_since) VALUES ({site}, 'open', {at})"
    ))
    .await;
    raw.execute(&format!(
        "INSERT INTO security_acceptances (id, project, class, until, reason, created_at, created_by) \
         VALUES ({standing}, 'p', 'insecure', {at}, 'known', {at}, 'ann')"
    ))
    .await;
    let cutoff = |audit, history| Cutoff {
        audit: DAY_0 + Duration::days(audit),
        history: DAY_0 + Duration::days(history),
        ..keep_from(DAY_0 + Duration::days(10), DAY_0)
    };
    let (audit, history) = (cutoff(5, 0), cutoff(0, 5));
    for (kind, table, counts, goes_by, stays_by) in [
        (KeptRows::AdminEvents, "admin_events", (10, 5), audit, history),
        (KeptRows::RefusedSyncs, "rejected_syncs", (10, 5), audit, history),
        (KeptRows::SiteEvents, "site_events", (10, 5), history, audit),
        (KeptRows::ClosedFindings, "security_findings", (11, 6), history, audit),
        (KeptRows::EndedAcceptances, "security_acceptances", (11, 6), history, audit),
    ] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(prune(&*storage, kind, stays_by, 2).await, [0], "{kind:?}: what is exactly as old stays");
        assert_eq!(raw.number(&count).await, counts.0, "{kind:?}");
        assert_eq!(prune(&*storage, kind, goes_by, 2).await, [2, 2, 1, 0], "{kind:?}");
        assert_eq!(raw.number(&count).await, counts.1, "{kind:?}");
    }
    assert_eq!(raw.texts("SELECT target FROM admin_events ORDER BY at").await, ["5", "6", "7", "8", "9"]);
    assert_eq!(raw.number("SELECT count(*) FROM security_findings WHERE fixed_at IS NULL").await, 1);
    assert_eq!(raw.number("SELECT count(*) FROM security_acceptances WHERE ended_at IS NULL").await, 1);
}

async fn a_removed_module_goes_when_its_time_is_over(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Site").await;
    site.full(modules("m", 5, "1.0.0")).await;
    site.full(modules("m", 3, "1.0.0")).await;
    let first_removal = site.at;
    site.full(modules("m", 2, "1.0.0")).await;
    assert_eq!(site.removed().await.len(), 3);
    let cutoff = keep_from(site.at, first_removal);
    assert_eq!(prune(&*storage, KeptRows::RemovedModules, cutoff, 10).await, [0], "what is exactly as old stays");
    let cutoff = keep_from(site.at, first_removal + Duration::MINUTE);
    assert_eq!(prune(&*storage, KeptRows::RemovedModules, cutoff, 1).await, [1, 1, 0]);
    assert_eq!(site.removed().await, ["m_0002 1.0.0"]);
    assert_eq!(site.present().await, ["m_0000 1.0.0", "m_0001 1.0.0"]);

    // One that comes back is new to the site; one that was only removed is restored.
    let outcome = site.partial(vec![module("m_0002", "1.0.0"), module("m_0004", "1.0.0")]).await;
    assert_eq!(changes(&outcome), (2, 0, 0));
    assert_eq!(site.module("m_0004").await.first_seen, site.at);
    assert!(site.module("m_0002").await.first_seen < first_removal);
    let unchanged = keep_from(site.at, site.at + Duration::DAY);
    assert_eq!(prune(&*storage, KeptRows::RemovedModules, unchanged, 10).await, [0], "what is present stays");
    assert_eq!(site.list(InventoryFilter::default()).await.len(), 4);
}

async fn a_site_keeps_its_newest_rows_within_the_bounds(database: TestDatabase) {
    let bounds = RowBounds { refused_syncs: 3, events: 4, closed_findings: 5 };
    let usual = RowBounds { refused_syncs: 10_000, events: 1_000, closed_findings: 10_000 };
    assert_eq!(RowBounds::default(), usual);
    let storage = database.open().await;
    let (busy, calm) = (register(&*storage, "Busy").await, register(&*storage, "Calm").await);
    let mut raw = database.raw().await;
    for day in 0..9 {
        happen(&mut raw, busy, day).await;
        if day < 3 {
            happen(&mut raw, calm, day).await;
        }
        // Open ones are not bounded.
        let (at, site) = (moment(&raw, DAY_0), busy.0);
        raw.execute(&format!(
            "INSERT INTO security_findings (site_id, project, insecure_since) VALUES ({site}, 'open_{day}', {at})"
        ))
        .await;
    }
    // Opened first and closed last.
    let late = moment(&raw, DAY_0 + Duration::days(20));
    let long_open =
        format!("UPDATE security_findings SET fixed_at = {late} WHERE site_id = {} AND project = 'p_0'", busy.0);
    raw.execute(&long_open).await;
    let cutoff = Cutoff { of_a_site: bounds, ..keep_from(DAY_0 + Duration::days(30), DAY_0) };
    for (kind, removed) in [(KeptRows::RefusedSyncs, 6), (KeptRows::SiteEvents, 5), (KeptRows::ClosedFindings, 4)] {
        assert_eq!(prune(&*storage, kind, cutoff, 2).await, [removed], "{kind:?}");
        assert_eq!(prune(&*storage, kind, cutoff, 2).await, [0], "{kind:?}");
    }
    let mut left = async |select: &str| raw.texts(select).await.join(" ");
    let events = |site: SiteId| format!("SELECT detail FROM site_events WHERE site_id = {} ORDER BY id", site.0);
    assert_eq!(left(&events(busy)).await, "5 6 7 8");
    assert_eq!(left(&events(calm)).await, "0 1 2");
    let findings = |site: SiteId| {
        format!("SELECT project FROM security_findings WHERE site_id = {} AND fixed_at IS NOT NULL ORDER BY id", site.0)
    };
    assert_eq!(left(&findings(busy)).await, "p_0 p_5 p_6 p_7 p_8");
    assert_eq!(left(&findings(calm)).await, "p_0 p_1 p_2");
    assert_eq!(left("SELECT count(*) FROM security_findings WHERE fixed_at IS NULL").await, "9");
    assert_eq!(left(&format!("SELECT count(*) FROM rejected_syncs WHERE site_id = {}", busy.0)).await, "3");
    assert_eq!(left(&format!("SELECT count(*) FROM rejected_syncs WHERE site_id = {}", calm.0)).await, "3");
}

async fn a_history_says_since_when_it_is_complete(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Old").await;
    let mut reported = Vec::new();
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        site.full(vec![module("a", version), module("b", "1.0.0")]).await;
        reported.push(site.at);
    }
    let id = site.id;
    let history = async |name: &str| {
        let page = Page { limit: 100, after: None };
        storage.module_history(id, &machine_name(name), page).await.unwrap().unwrap()
    };
    assert_eq!((history("a").await.events.len(), history("a").await.complete_since), (4, reported[0]));
    let before = site.site().await.kept;
    assert_eq!(before.history_since, None);
    let cutoff = keep_from(site.at, reported[2]);
    assert_eq!(prune(&*storage, KeptRows::ChangeSets, cutoff, 1).await, [1, 1, 0]);
    let rest = history("a").await;
    let versions: Vec<_> = rest.events.iter().filter_map(|event| event.to_version.as_deref()).collect();
    assert_eq!(versions, ["1.3.0", "1.2.0"]);
    assert_eq!(rest.complete_since, reported[1]);
    assert_eq!((history("b").await.events.len(), history("b").await.complete_since), (0, reported[1]));
    let after = site.site().await.kept;
    assert_eq!(after.history_since, Some(reported[1]));
    assert!(after.history_bytes < before.history_bytes, "{after:?}");
    // What comes next is linked to what was before.
    site.full(vec![module("a", "2.0.0"), module("b", "1.0.0")]).await;
    assert_eq!(history("a").await.events.len(), 3);
}
