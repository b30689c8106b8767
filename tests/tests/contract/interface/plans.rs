//! 10,000 sites: the plans of lists and filters use an index for what they pick out, and read no table whole.

use module_monitor_domain::{CoverageClass, DrupalVersion, Reporting, SiteId, Tag};
use module_monitor_storage::{Bounds, ModuleSitesFilter, Page, SecurityFilter, SiteFilter, Storage};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::raw::RawConnection;
use module_monitor_tests::reports::now;
use module_monitor_tests::watch::StatementLog;

use crate::support::{below, machine_name};

on_both_backends!(lists_use_indexes);

/// 10,000 sites that have reported, some of which stand out, each with half a kilobyte of what it says of itself; `common`
/// on all of them in one of ten versions, `rare` on one in a hundred, and two others on all.
async fn fill(raw: &mut RawConnection) {
    let (numbers, own_ids, at, yes, text) = match raw.backend() {
        Backend::Sqlite => (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)",
            "",
            "i",
            "1",
            "hex(zeroblob(250))",
        ),
        Backend::Postgres => (
            "WITH n AS (SELECT generate_series(1, 10000)::integer AS i)",
            "OVERRIDING SYSTEM VALUE",
            "to_timestamp(i)",
            "true",
            "(SELECT string_agg(md5((i + k)::text), '') FROM generate_series(1, 16) k)",
        ),
    };
    let every = |n: u32| match raw.backend() {
        Backend::Sqlite => format!("i % {n} = 0"),
        Backend::Postgres => format!("(i % {n} = 0)"),
    };
    let (hundredth, thousandth) = (every(100), every(1000));
    for statement in [
        format!(
            "{numbers} INSERT INTO sites (id, name, created_at, last_sync_at, silent_after, active, drupal_version, \
             conflict, mass_removal, security_updates_found, recent_refusals, site_info) {own_ids} \
             SELECT i, 'Site ' || i, {at}, {at}, CASE WHEN {hundredth} THEN 60 ELSE 2000000000 END, NOT {thousandth}, \
             CASE WHEN {thousandth} THEN NULL ELSE '10.3.6' END, {hundredth}, {hundredth}, i % 100 / 99, i % 100 / 97, {text} \
             FROM n"
        ),
        format!("{numbers} INSERT INTO site_tags (site_id, tag) SELECT i, 'all' FROM n"),
        format!("{numbers} INSERT INTO site_tags (site_id, tag) SELECT i, 'few' FROM n WHERE i % 100 = 0"),
        "INSERT INTO modules (machine_name, type, created_at) SELECT 'common', 'contrib', created_at FROM sites LIMIT 1"
            .to_owned(),
        "INSERT INTO modules (machine_name, type, created_at) SELECT 'rare', 'contrib', created_at FROM sites LIMIT 1"
            .to_owned(),
        format!(
            "{numbers} INSERT INTO modules (machine_name, type, created_at) \
             SELECT 'other_' || i, 'contrib', {at} FROM n WHERE i < 3"
        ),
        format!(
            "{numbers} INSERT INTO module_versions (module_id, version, sort_key, created_at) \
             SELECT m.id, i || '.0.0', 'key ' || i, {at} FROM n JOIN modules m ON true WHERE i <= 10"
        ),
        format!(
            "{numbers} INSERT INTO site_modules (site_id, module_id, version_id, enabled, in_use, type, extension, \
             security_coverage, first_seen, last_updated, last_reported_at) \
             SELECT i, m.id, v.id, {yes}, {yes}, 'contrib', 'module', {yes}, {at}, {at}, {at} \
             FROM n JOIN modules m ON m.machine_name <> 'rare' OR i % 100 = 0 \
             JOIN module_versions v ON v.module_id = m.id AND v.version = (i % 10 + 1) || '.0.0'"
        ),
    ] {
        raw.execute(&statement).await;
    }
    if raw.backend() == Backend::Postgres {
        raw.execute("VACUUM ANALYZE").await;
    }
}

/// The statement that `read` sends.
async fn statement(log: &StatementLog, read: impl Future<Output = usize>, expected: usize) -> String {
    log.take();
    assert_eq!(read.await, expected);
    let sent = log.take();
    let [statement] = sent.as_slice() else { panic!("{sent:#?}") };
    statement.split(" -- binds:").next().unwrap_or_default().to_owned()
}

/// Fails where the plan reads all of a table that grows with the sites, or does not use `index`. `core` are the two rows of
/// the view `judged_modules` that stand for a site's modules and for its core.
fn check(name: &str, plan: &[String], index: Option<&str>) {
    let whole = |line: &&String| {
        let postgres =
            ["sites", "site_modules", "site_tags"].iter().any(|t| line.contains(&format!("Seq Scan on {t} ")));
        postgres
            || line.trim_start().starts_with("SCAN ")
                && !["CONSTANT ROW", "release_data", "security_acceptances", "SCAN l"].iter().any(|small| line.contains(small))
                // What is read from another query of the statement, not from a table.
                && !["SCAN core", "SCAN cut", "SCAN h", "SCAN p", "SCAN listed"].contains(&line.trim())
                && !line.trim().starts_with("SCAN (subquery")
    };
    assert!(!plan.iter().any(|line| whole(&line)), "{name}: {plan:#?}");
    if let Some(index) = index {
        assert!(plan.iter().any(|line| line.contains(index)), "{name} does not use {index}: {plan:#?}");
    }
}

async fn lists_use_indexes(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut raw = database.raw().await;
    fill(&mut raw).await;
    storage.check().await.unwrap();
    sites(&*storage, &log, &mut raw).await;
    sites_of_modules(&*storage, &log, &mut raw).await;
    updates(&*storage, &log, &mut raw).await;
}

/// What is known of the modules of sites is read once to find the sites, and once more for their rows, however many rows
/// there are: not again for each of them.
async fn updates(storage: &dyn Storage, log: &StatementLog, raw: &mut RawConnection) {
    raw.execute("UPDATE sites SET security_unknown = 3").await;
    for (name, class, found) in [
        ("unknown", Some(CoverageClass::Unknown), 101),
        ("insecure", Some(CoverageClass::Insecure), 0),
        ("all", None, 101),
    ] {
        let filter = SecurityFilter { class, ..SecurityFilter::default() };
        let read = async { storage.security_updates(filter, Page { limit: 101, after: None }).await.unwrap().len() };
        let statement = statement(log, read, found).await;
        let value = class.map_or("NULL".to_owned(), |class| format!("'{class}'"));
        let values = format!("0, '', NULL, NULL, false, 102, NULL, {value}");
        let plan = raw.plan(&statement, "bigint, text, bigint, text, boolean, bigint, text, text", &values).await;
        // PostgreSQL may read all of what is as small as here.
        if raw.backend() == Backend::Sqlite {
            check(name, &plan, Some("security_findings_open"));
        }
        let of_the_view = |line: &&String| ["SEARCH sm ", " on site_modules sm"].iter().any(|scan| line.contains(scan));
        assert_eq!(plan.iter().filter(of_the_view).count(), 2, "{name}: {plan:#?}");
    }
}

async fn sites(storage: &dyn Storage, log: &StatementLog, raw: &mut RawConnection) {
    let none = SiteFilter::default();
    let tag = |tag: &str| SiteFilter { tag: Tag::parse(tag).ok(), ..SiteFilter::default() };
    let reporting = |reporting| SiteFilter { reporting: Some(reporting), ..SiteFilter::default() };
    for (name, filter, found, index) in [
        ("all", none.clone(), 101, None),
        ("common tag", tag("all"), 101, None),
        ("rare tag", tag("few"), 100, Some("site_tags_tag")),
        ("unknown tag", tag("nobody"), 0, None),
        ("silent", SiteFilter { silent: Some((true, now())), ..none.clone() }, 90, Some("sites_silent")),
        ("not silent", SiteFilter { silent: Some((false, now())), ..none.clone() }, 101, None),
        ("failing", reporting(Reporting::Failing), 0, Some("sites_failing")),
        ("never", reporting(Reporting::Never), 10, Some("sites_unreported")),
        ("ok", reporting(Reporting::Ok), 101, None),
        ("conflict", SiteFilter { conflict: Some(true), ..none.clone() }, 100, Some("sites_conflict")),
        ("no conflict", SiteFilter { conflict: Some(false), ..none.clone() }, 101, None),
        ("mass removal", SiteFilter { mass_removal: Some(true), ..none.clone() }, 100, Some("sites_mass_removal")),
        ("security", SiteFilter { security: Some(true), ..none.clone() }, 100, Some("sites_security")),
        ("secure", SiteFilter { security: Some(false), ..none.clone() }, 101, None),
        ("inactive", SiteFilter { active: Some(false), ..none.clone() }, 10, Some("sites_inactive")),
        ("active", SiteFilter { active: Some(true), ..none.clone() }, 101, None),
    ] {
        let read = async { storage.list_sites(filter, Page { limit: 101, after: None }).await.unwrap().len() };
        let statement = statement(log, read, found).await;
        let values = format!("0, 101, {}, {}", time_value(&statement), tag_value(name));
        let types = "bigint, bigint, timestamptz, text";
        check(name, &raw.plan(&statement, types, &values).await, index);
    }
}

fn time_value(statement: &str) -> &'static str {
    if statement.contains("$3 IS NULL") { "NULL" } else { "now()" }
}

fn tag_value(name: &str) -> &'static str {
    match name {
        "common tag" => "'all'",
        "rare tag" => "'few'",
        "unknown tag" => "'nobody'",
        _ => "NULL",
    }
}

async fn sites_of_modules(storage: &dyn Storage, log: &StatementLog, raw: &mut RawConnection) {
    let version = |text: &str| Some(DrupalVersion::parse(text).unwrap());
    // The keys here are not those of versions, and begin with a letter, so all of them are above any bound.
    for (name, module, exact, bound, tag, found) in [
        ("all of a common one", "common", None, None, None, 101),
        ("all of a rare one", "rare", None, None, None, 100),
        ("one version", "common", version("3.0.0"), None, None, 101),
        ("no such version", "common", version("99.0.0"), None, None, 0),
        ("below", "common", None, Some("3.0.0"), None, 0),
        ("both", "rare", version("1.0.0"), Some("3.0.0"), None, 0),
        ("few tagged ones", "common", None, None, Some("few"), 100),
        ("few tagged ones below", "common", None, Some("3.0.0"), Some("few"), 0),
    ] {
        let bounds = bound.map_or_else(Bounds::default, |bound| below(bound, "3.0."));
        let quoted = |text: Option<String>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
        let values = format!(
            "'{module}', 0, false, 101, {}, NULL, {}, {}, false, false, {}",
            quoted(exact.as_ref().map(DrupalVersion::to_string)),
            quoted(bounds.versions.end_key()),
            quoted(bounds.branch_start.clone()),
            quoted(tag.map(str::to_owned)),
        );
        let tag = tag.and_then(|tag| Tag::parse(tag).ok());
        let filter = ModuleSitesFilter {
            module: machine_name(module),
            version: exact,
            bounds,
            tag: tag.clone(),
            removed: false,
        };
        let page: Page<SiteId> = Page { limit: 101, after: None };
        log.take();
        assert_eq!(storage.module_sites(filter, page).await.unwrap().sites.len(), found, "{name}");
        let sent = log.take();
        assert_eq!(sent.len(), if bound.is_some() { 2 } else { 1 }, "the list, and what it counts: {sent:#?}");
        for statement in sent {
            let statement = statement.split(" -- binds:").next().unwrap_or_default();
            // Every third row here is of the common module, and whoever counts them all may well read them all.
            if raw.backend() == Backend::Postgres && module == "common" && statement.starts_with("SELECT count") {
                continue;
            }
            let types = "text, bigint, boolean, bigint, text, text, text, text, boolean, boolean, text";
            let plan = raw.plan(statement, types, &values).await;
            let index = match (&tag, name) {
                (Some(_), _) => "site_tags_tag",
                // By the module, or by the few versions.
                (None, "both") => "site_modules_",
                (None, _) => "site_modules_module",
            };
            check(name, &plan, Some(index));
        }
    }
}
