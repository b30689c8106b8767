//! What release data costs: the sites that are affected, and nobody else.

use module_monitor_domain::Tag;
use module_monitor_storage::{Page, ProjectSitesFilter, SecurityFilter};
use module_monitor_tests::backends::{Backend, TestDatabase, patient};
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{module, modules};
use module_monitor_tests::watch::{StatementLog, watch_rows, written_rows};

use super::support::{
    FETCHED, core, figures, history, import, insecure, project, recount, risk, secure, store, updates,
};
use crate::support::{Reporter, below};

on_both_backends!(
    an_import_writes_no_module_row_and_the_next_sync_is_cheap,
    a_release_that_is_merely_newer_recounts_nobody,
    an_import_takes_as_many_statements_for_many_sites_as_for_few,
    no_statement_reads_all_modules_of_all_sites,
);

async fn an_import_writes_no_module_row_and_the_next_sync_is_cheap(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut site = Reporter::new(&storage, "Affected").await;
    let mut other = Reporter::new(&storage, "Other").await;
    let reported = || modules("m", 50, "1.0.0").into_iter().chain([module("a", "1.0.0")]).collect::<Vec<_>>();
    site.full(reported()).await;
    other.full(modules("m", 50, "1.0.0")).await;
    import(&storage, secure("a"), FETCHED).await;
    let mut raw = database.raw().await;
    watch_rows(&mut raw).await;
    store(&storage, insecure("a"), FETCHED).await;
    assert_eq!(
        written_rows(&mut raw).await,
        [
            "delete releases",
            "insert recounts",
            "insert releases",
            "insert releases",
            "update assessments",
            "update module_versions",
            "update projects",
            "update projects",
            "update release_data",
            "update release_data",
            "update release_data",
        ][..written_release_rows(database.backend())]
    );
    assert_eq!(recount(&storage, FETCHED).await, 1);
    assert_eq!(written_rows(&mut raw).await, ["delete recounts", "insert security_findings", "update sites"]);
    log.take();
    let outcome = site.full(reported()).await;
    assert_eq!(figures(outcome.security), (1, 1, 51));
    assert_eq!(written_rows(&mut raw).await, ["insert syncs", "update sites"]);
    assert_eq!(log.take().len(), if database.backend() == Backend::Postgres { 1 } else { 4 });
}

/// SQLite has nobody to lock the last row against.
fn written_release_rows(backend: Backend) -> usize {
    if backend == Backend::Postgres { 11 } else { 10 }
}

async fn a_release_that_is_merely_newer_recounts_nobody(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Newer").await;
    import(&storage, secure("a"), FETCHED).await;
    site.full(vec![module("a", "1.0.0")]).await;
    let stored = store(&storage, history("a", "1.0.", &["1.0.1", "1.0.0"]), FETCHED).await;
    assert_eq!((stored.changed, stored.assessments), (true, 1));
    assert_eq!(recount(&storage, FETCHED).await, 0);
    assert_eq!(site.module("a").await.judgement.unwrap().recommended.as_deref(), Some("1.0.1"));
}

async fn an_import_takes_as_many_statements_for_many_sites_as_for_few(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    let mut counts = Vec::new();
    for (name, sites) in [("few", 2), ("many", 20)] {
        for n in 0..sites {
            let mut site = Reporter::new(&storage, &format!("{name} {n}")).await;
            site.full(vec![module(name, "1.0.0"), module("else", "1.0.0")]).await;
        }
        log.take();
        store(&storage, insecure(name), FETCHED).await;
        let stored = log.take().len();
        assert_eq!(storage.count_step(FETCHED, 1_000).await.unwrap(), sites);
        counts.push((stored, log.take().len()));
    }
    assert_eq!(counts[0], counts[1]);
}

/// SQLite says how it will run a statement; PostgreSQL decides by statistics that a test does not have.
async fn no_statement_reads_all_modules_of_all_sites(database: TestDatabase) {
    let log = StatementLog::default();
    let storage = database.open_with(log.watch(patient(1))).await;
    import(&storage, secure("a"), FETCHED).await;
    log.take();
    let mut site = Reporter::new(&storage, "Plans").await;
    site.full(vec![module("a", "1.0.0"), module("b", "1.0.0"), core("system", "10.3.6")]).await;
    site.on_core("7.103", vec![module("a", "1.0.0"), core("system", "10.3.6")]).await;
    site.full(vec![module("a", "1.0.0"), core("system", "10.3.6")]).await;
    import(&storage, insecure("a"), FETCHED).await;
    storage.create_acceptance(risk("a", FETCHED, FETCHED), "admin").await.unwrap();
    storage.end_due_acceptances(FETCHED).await.unwrap();
    recount(&storage, FETCHED).await;
    storage.pending_recounts().await.unwrap();
    updates(&storage, SecurityFilter::default()).await;
    storage.recount_check(Page { limit: 100, after: None }).await.unwrap();
    for tag in [None, Tag::parse("few").ok()] {
        let bounds = below("2.0.0", "2.0.");
        let filter = ProjectSitesFilter { project: project("a"), bounds, tag: tag.clone() };
        storage.project_sites(filter, Page { limit: 100, after: None }).await.unwrap();
        let without = Page { limit: 100, after: None };
        storage.sites_without_project(&project("a"), tag.as_ref(), without).await.unwrap();
        let filter = SecurityFilter { tag, ..SecurityFilter::default() };
        updates(&storage, filter.clone()).await;
        if filter.tag.is_some() {
            storage.fixed_findings(filter, Page { limit: 100, after: None }).await.unwrap();
        }
    }
    storage.due_projects(FETCHED, 100).await.unwrap();
    let statements = log.take();
    assert!(statements.len() > 60, "{}", statements.len());
    if database.backend() == Backend::Postgres {
        return;
    }
    let mut raw = database.raw().await;
    for statement in statements {
        let sql = statement.split(" -- binds:").next().unwrap_or_default();
        if ["BEGIN", "COMMIT"].iter().any(|word| sql.starts_with(word)) {
            continue;
        }
        for step in raw.plan(sql, "", "").await {
            let table = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            let tables = ["sm", "site_modules", "a", "assessments", "f", "security_findings", "v", "module_versions"];
            let few = step.ends_with("USING INDEX assessments_to_recount")
                || step.ends_with("COVERING INDEX assessments_to_recount");
            assert!(few || !tables.contains(&table), "{step}\n{sql}");
        }
    }
}
