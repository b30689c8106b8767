//! Sites: what is set, how they are filtered, and lists that stay right while rows change.

use module_monitor_domain::{Environment, Reporting, Scope, Site, SiteId, SiteName, SiteUrl, Tag, Tags};
use module_monitor_storage::{NewSite, Page, SiteChange, SiteFilter, Storage};
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{NOBODY, apply, modules, new_site, register, report};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::support::Reporter;

on_both_backends!(
    what_is_set_is_shown_and_can_be_cleared,
    a_change_raises_the_key_revision_only_where_authentication_must_know,
    every_filter_finds_its_sites,
    silence_begins_when_it_should,
    a_list_that_is_read_in_parts_stays_right_while_rows_change,
);

const NOON: OffsetDateTime = datetime!(2026-03-01 12:00:00 UTC);

fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

fn tags<const N: usize>(tags: [&str; N]) -> Option<Tags> {
    Tags::new(tags.map(tag).into()).ok()
}

fn name(text: &str) -> Option<SiteName> {
    SiteName::parse(text).ok()
}

fn production() -> Option<Option<Environment>> {
    Some(Environment::parse("production").ok())
}

async fn change(storage: &dyn Storage, id: SiteId, change: SiteChange) -> Site {
    assert!(storage.change_site(id, change, NOON, "ann", "{}").await.unwrap());
    storage.find_site(id).await.unwrap().unwrap()
}

async fn names(storage: &dyn Storage, filter: SiteFilter) -> Vec<String> {
    let sites = storage.list_sites(filter, Page { limit: 1000, after: None }).await.unwrap();
    let mut names: Vec<_> = sites.into_iter().map(|site| site.name).collect();
    names.sort();
    names
}

async fn what_is_set_is_shown_and_can_be_cleared(database: TestDatabase) {
    let storage = database.open().await;
    let settings = SiteChange {
        url: Some(SiteUrl::parse("https://a.example").ok()),
        environment: production(),
        tags: tags(["b", "a"]),
        active: Some(false),
        strict_identity: Some(true),
        rate_limit: Some(Some(7)),
        silent_after: Some(Some(3600)),
        ..SiteChange::default()
    };
    let new = NewSite { settings, ..new_site("A", NOON) };
    let id = storage.create_site(new, None, "ann").await.unwrap().id;
    let site = storage.find_site(id).await.unwrap().unwrap();
    assert_eq!((site.url.as_deref(), site.environment.as_deref()), (Some("https://a.example"), Some("production")));
    assert_eq!((site.tags.join(" ").as_str(), site.active, site.strict_identity), ("a b", false, true));
    assert_eq!((site.rate_limit, site.silent_after, site.silent_at), (Some(7), Some(3600), None));

    let site = change(&*storage, id, SiteChange { name: name("B"), ..SiteChange::default() }).await;
    assert_eq!((site.name.as_str(), site.tags.len(), site.rate_limit), ("B", 2, Some(7)), "the rest stays");
    let cleared = SiteChange {
        url: Some(None),
        environment: Some(None),
        tags: tags([]),
        active: Some(true),
        rate_limit: Some(None),
        silent_after: Some(None),
        ..SiteChange::default()
    };
    let site = change(&*storage, id, cleared).await;
    assert_eq!((site.url, site.environment, site.tags.len()), (None, None, 0));
    assert_eq!((site.rate_limit, site.silent_after), (None, None));
    assert_eq!(site.silent_at, Some(NOON + Duration::hours(26)));

    // What the site reports shows where nobody has said otherwise.
    let mut reporter = Reporter { storage: storage.clone(), id, at: NOON };
    change(&*storage, id, SiteChange { strict_identity: Some(false), ..SiteChange::default() }).await;
    reporter.as_identity("stage", modules("m", 1, "1.0.0")).await;
    assert_eq!(reporter.site().await.environment.as_deref(), Some("stage"));
    let said = SiteChange { environment: production(), ..SiteChange::default() };
    assert_eq!(change(&*storage, id, said).await.environment.as_deref(), Some("production"));
    assert!(!storage.change_site(NOBODY, SiteChange::default(), NOON, "ann", "{}").await.unwrap());
}

async fn a_change_raises_the_key_revision_only_where_authentication_must_know(database: TestDatabase) {
    let storage = database.open().await;
    let site = register(&*storage, "Site").await;
    let before = storage.key_revision().await.unwrap();
    let renamed = SiteChange { name: name("New"), tags: tags(["a"]), ..SiteChange::default() };
    change(&*storage, site, renamed).await;
    assert_eq!(storage.key_revision().await.unwrap(), before);
    change(&*storage, site, SiteChange { active: Some(false), ..SiteChange::default() }).await;
    change(&*storage, site, SiteChange { rate_limit: Some(None), ..SiteChange::default() }).await;
    assert_eq!(storage.key_revision().await.unwrap(), before + 2);
}

/// Sites that differ in one thing each; all but "new" and "failing" have reported.
async fn one_of_each(database: &TestDatabase, storage: &dyn Storage) {
    let mut raw = database.raw().await;
    for (name, assignment) in [
        ("plain", "name = name"),
        ("conflict", "conflict = true"),
        ("insecure", "security_updates_found = 2"),
        ("emptied", "mass_removal = true"),
        ("inactive", "active = false"),
        ("refused twice", "recent_refusals = 2"),
        ("failing", "recent_refusals = 3"),
        ("new", "name = name"),
    ] {
        let id = register(storage, name).await;
        if !["failing", "new"].contains(&name) {
            apply(storage, id, NOON, report(Scope::Full, NOON, modules("m", 2, "1.0.0"))).await;
        }
        raw.execute(&format!("UPDATE sites SET {assignment} WHERE id = {id}")).await;
        let tagged =
            SiteChange { tags: tags(if name.len() > 7 { ["long"] } else { ["short"] }), ..SiteChange::default() };
        change(storage, id, tagged).await;
    }
}

async fn every_filter_finds_its_sites(database: TestDatabase) {
    let storage = database.open().await;
    one_of_each(&database, &*storage).await;
    let removed = register(&*storage, "removed").await;
    assert!(storage.remove_site(removed, NOON, "ann").await.unwrap());
    let all = ["conflict", "emptied", "failing", "inactive", "insecure", "new", "plain", "refused twice"];
    let but = |name: &str| all.iter().filter(|other| **other != name).map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let none = SiteFilter::default();
    assert_eq!(names(&*storage, none.clone()).await, all);

    let conflict = |conflict| SiteFilter { conflict: Some(conflict), ..SiteFilter::default() };
    let security = |security| SiteFilter { security: Some(security), ..SiteFilter::default() };
    let emptied = |mass_removal| SiteFilter { mass_removal: Some(mass_removal), ..SiteFilter::default() };
    let active = |active| SiteFilter { active: Some(active), ..SiteFilter::default() };
    for (filter, name) in [
        (&conflict as &dyn Fn(bool) -> SiteFilter, "conflict"),
        (&security, "insecure"),
        (&emptied, "emptied"),
        (&|yes: bool| active(!yes), "inactive"),
    ] {
        assert_eq!(names(&*storage, filter(true)).await, [name]);
        assert_eq!(names(&*storage, filter(false)).await, but(name));
    }
    let reporting = |reporting| SiteFilter { reporting: Some(reporting), ..SiteFilter::default() };
    assert_eq!(names(&*storage, reporting(Reporting::Failing)).await, ["failing"]);
    assert_eq!(names(&*storage, reporting(Reporting::Never)).await, ["new"]);
    assert_eq!(names(&*storage, reporting(Reporting::Ok)).await.len(), 6);
    for site in storage.list_sites(none, Page { limit: 100, after: None }).await.unwrap() {
        assert!(names(&*storage, reporting(site.reporting)).await.contains(&site.name), "{site:?}");
    }
    let tagged = |text: &str| SiteFilter { tag: Some(tag(text)), ..SiteFilter::default() };
    assert_eq!(names(&*storage, tagged("long")).await, ["conflict", "inactive", "insecure", "refused twice"]);
    assert_eq!(names(&*storage, tagged("lon")).await, [""; 0]);
    let together = SiteFilter { conflict: Some(false), active: Some(true), ..tagged("long") };
    assert_eq!(names(&*storage, together).await, ["insecure", "refused twice"]);
}

async fn silence_begins_when_it_should(database: TestDatabase) {
    let storage = database.open().await;
    let new = |name: &str, silent_after| NewSite {
        settings: SiteChange { silent_after: Some(silent_after), ..SiteChange::default() },
        ..new_site(name, NOON)
    };
    let usual_id = storage.create_site(new("usual", None), None, "ann").await.unwrap().id;
    let quick_id = storage.create_site(new("quick", Some(3600)), None, "ann").await.unwrap().id;
    let silent = async |at: OffsetDateTime| {
        let found = names(&*storage, SiteFilter { silent: Some((true, at)), ..SiteFilter::default() }).await;
        let others = names(&*storage, SiteFilter { silent: Some((false, at)), ..SiteFilter::default() }).await;
        assert_eq!(found.len() + others.len(), 2);
        for site in storage.list_sites(SiteFilter::default(), Page { limit: 9, after: None }).await.unwrap() {
            assert_eq!(site.is_silent(at), found.contains(&site.name), "{site:?}");
        }
        found.join(" ")
    };
    let (hour, moment) = (Duration::HOUR, Duration::MICROSECOND);
    assert_eq!(silent(NOON + hour).await, "", "not before the time is over");
    assert_eq!(silent(NOON + hour + moment).await, "quick", "counted from its registration");
    assert_eq!(silent(NOON + 26 * hour + moment).await, "quick usual");

    // Every applied report begins it anew: one that changes something and one that does not.
    for n in 1..=2 {
        let at = NOON + n * hour;
        apply(&*storage, quick_id, at, report(Scope::Full, at, modules("m", 3, "1.0.0"))).await;
        assert_eq!(silent(at + hour).await, "");
        assert_eq!(silent(at + hour + moment).await, "quick");
    }
    change(&*storage, quick_id, SiteChange { silent_after: Some(Some(7200)), ..SiteChange::default() }).await;
    assert_eq!(silent(NOON + 4 * hour).await, "");
    assert_eq!(silent(NOON + 4 * hour + moment).await, "quick");
    change(&*storage, usual_id, SiteChange { active: Some(false), ..SiteChange::default() }).await;
    assert_eq!(silent(NOON + 100 * hour).await, "quick", "nobody waits for a deactivated site");
    change(&*storage, usual_id, SiteChange { active: Some(true), ..SiteChange::default() }).await;
    assert_eq!(silent(NOON + 100 * hour).await, "quick usual");
}

async fn a_list_that_is_read_in_parts_stays_right_while_rows_change(database: TestDatabase) {
    let storage = database.open().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let id = register(&*storage, &format!("Site {n}")).await;
        change(&*storage, id, SiteChange { tags: tags(["watched"]), ..SiteChange::default() }).await;
        ids.push(id);
    }
    let filter = SiteFilter { tag: Some(tag("watched")), ..SiteFilter::default() };
    let mut seen: Vec<SiteId> = Vec::new();
    loop {
        let page = Page { limit: 3, after: seen.last().copied() };
        let part = storage.list_sites(filter.clone(), page).await.unwrap();
        let Some(last) = part.last() else { break };
        let at = ids.iter().position(|id| *id == last.id).unwrap();
        seen.extend(part.iter().map(|site| site.id));
        // The one that was read last goes, one behind it loses its tag, and one before it, if it is still there,
        // changes all over.
        storage.remove_site(ids[at], NOON, "ann").await.unwrap();
        if let Some(behind) = ids.get(at + 2) {
            change(&*storage, *behind, SiteChange { tags: tags([]), ..SiteChange::default() }).await;
        }
        if at > 0 {
            let changed = SiteChange { name: name("Z"), active: Some(false), ..SiteChange::default() };
            storage.change_site(ids[at - 1], changed, NOON, "ann", "{}").await.unwrap();
        }
    }
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!(unique, seen, "nothing twice");
    let untagged = ids.iter().filter(|id| !seen.contains(id)).count();
    assert_eq!(seen.len() + untagged, 20);
    // Of every four, three are read; the one that is not lost its tag before it was its turn.
    assert_eq!(untagged, ids.iter().skip(4).step_by(4).count());
}
