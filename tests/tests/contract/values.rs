//! Values come back as they went in.

use module_monitor_domain::{
    CodeSource, MachineName, ModuleDetails, RejectedItem, Rejection, ReportedModule, Scope, SiteDetails, SiteInfo,
};
use module_monitor_storage::SyncResult;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{command, module, modules, report, report_of};
use time::macros::datetime;

use crate::support::{Reporter, changes, custom, described, details, rejection, without_version};

on_both_backends!(
    times_are_kept_to_the_microsecond,
    time_stamps_of_any_age_are_kept,
    any_text_comes_back_as_it_was,
    what_a_site_says_of_its_copy_is_its_own,
    numbers_are_kept_to_their_limits,
    the_largest_report_is_stored,
);

async fn times_are_kept_to_the_microsecond(database: TestDatabase) {
    let storage = database.open().await;
    let site = Reporter::new(&storage, "Times").await;
    for at in [
        datetime!(2026-03-01 12:00:00.999999 UTC),
        datetime!(2026-03-02 12:00:00.000001 UTC),
        datetime!(2026-03-03 00:00:00 UTC),
        datetime!(2026-03-04 12:00:00.123456 +5:30),
    ] {
        let sync = command(site.id, at, report(Scope::Full, at, vec![module("m", "1.0.0")]));
        let id = sync.sync_id;
        storage.apply_sync(sync).await.unwrap();
        let found = storage.find_sync(id).await.unwrap().unwrap();
        assert_eq!(found.received_at, at);
        assert_eq!(site.site().await.last_full_sync_at, Some(at));
        assert_eq!(site.module("m").await.last_seen, at);
    }
    assert_eq!(site.module("m").await.first_seen, datetime!(2026-03-01 12:00:00.999999 UTC));
}

async fn time_stamps_of_any_age_are_kept(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Old clock").await;
    for made in [
        datetime!(0000-01-01 00:00:00 +23:59),
        datetime!(0001-01-01 00:00:00.000001 UTC),
        datetime!(1969-12-31 23:59:59.999999 UTC),
        datetime!(1970-01-01 00:00:00 UTC),
        datetime!(9999-12-31 23:59:59.999999 UTC),
    ] {
        site.send(|_| report(Scope::Full, made, modules("m", 1, "1.0.0"))).await;
        let older = site.result(|_| report(Scope::Full, made - time::Duration::MICROSECOND, modules("m", 1, "1.0.0")));
        let SyncResult::Refused(refusal) = older.await else { panic!("applied after {made}") };
        assert_eq!(refusal, module_monitor_domain::Refusal::Stale { last_applied: made });
    }
}

async fn any_text_comes_back_as_it_was(database: TestDatabase) {
    let storage = database.open().await;
    let mut site = Reporter::new(&storage, "Text '\";--").await;
    let texts = [
        "quotes ' \" ` and \\ backslash \\u0041 \\n".to_owned(),
        "{\"json\": [1, null], \"$1\": \"?\"} -- $1 $2 ? %s".to_owned(),
        "emoji \u{1F600}\u{1F468}\u{200D}\u{1F469} and \u{10FFFF} and \u{FEFF}".to_owned(),
        "line\r\nbreaks\tand \u{1} control \u{7f}\u{85}\u{2028}".to_owned(),
        "NULL".to_owned(),
        "1e5".to_owned(),
        "{}".to_owned(),
        " ".to_owned(),
        String::new(),
        "\u{1F600}".repeat(10_000),
    ];
    for (n, text) in texts.iter().enumerate() {
        let sent = ModuleDetails {
            name: text.clone(),
            package: Some(text.clone()),
            core_compatibility: vec![text.clone(), String::new()],
            dependencies: vec![text.clone(); 3],
            description: Some(text.clone()),
            project_link: Some(text.clone()),
        };
        let shared = ReportedModule { details: sent.clone(), ..module(&format!("shared_{n}"), "1.0.0") };
        let own = ReportedModule { details: sent.clone(), ..custom(&format!("own_{n}"), "1.0.0") };
        let sync = site.next(|at| {
            let info = SiteInfo { json: text.clone(), ..SiteInfo::default() };
            let problems = vec![Rejection { detail: text.clone(), ..rejection(None) }];
            let rejected = RejectedItem { problems, ..RejectedItem::default() };
            report_of(Scope::Partial, at, "10.3.6", info, vec![shared, own]).with_rejected(vec![rejected])
        });
        let id = sync.sync_id;
        storage.apply_sync(sync).await.unwrap();
        assert_eq!(site.module(&format!("shared_{n}")).await.details, sent);
        assert_eq!(site.module(&format!("own_{n}")).await.details, sent);
        assert_eq!(storage.find_sync(id).await.unwrap().unwrap().outcome.rejected[0].detail, *text);
    }
    assert_eq!(site.site().await.name, "Text '\";--");
}

async fn what_a_site_says_of_its_copy_is_its_own(database: TestDatabase) {
    let storage = database.open().await;
    let (mut one, mut other) = (Reporter::new(&storage, "One").await, Reporter::new(&storage, "Other").await);
    let text = |text: &str| Some(text.to_owned());
    let all = SiteDetails {
        reported_version: text("VERSION"),
        path: text("themes/contrib/token '\""),
        composer_name: text("drupal/token"),
        composer_version: text("dev-main"),
        composer_reference: text("0a1b2c"),
        source: Some(CodeSource::Path),
        base_theme: Some(MachineName::parse("claro").unwrap()),
        hidden: true,
        missing: true,
    };
    let with = |module: ReportedModule, site_details: &SiteDetails| ReportedModule {
        site_details: site_details.clone(),
        ..described(module, "Token")
    };
    // Beside details that are shared, and beside the site's own.
    for module in [module("token", "1.0.0"), without_version("token"), custom("token", "1.0.0")] {
        let path_alone = SiteDetails { path: text("elsewhere"), ..SiteDetails::default() };
        for site_details in [&all, &path_alone, &SiteDetails::default()] {
            let written = one.full(vec![with(module.clone(), site_details)]).await;
            let shown = one.module("token").await;
            assert_eq!((&shown.state.site_details, shown.details), (site_details, details("Token")));
            let again = one.full(vec![with(module.clone(), site_details)]).await;
            assert_eq!((written.counts.processed, changes(&again)), (1, (0, 0, 0)));
        }
        one.full(vec![with(module, &all)]).await;
    }
    other.full(vec![described(module("token", "1.0.0"), "Token")]).await;
    assert_eq!(other.module("token").await.state.site_details, SiteDetails::default());
    let mut raw = database.raw().await;
    let kept = raw.texts("SELECT coalesce(own_details, '-') FROM site_modules ORDER BY site_id").await;
    assert_eq!(kept[1], "-", "nothing of its own to keep");
}

async fn numbers_are_kept_to_their_limits(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Numbers").await;
    let numbered = |name: &str, datestamp, schema_version| ReportedModule {
        datestamp: Some(datestamp),
        schema_version: Some(schema_version),
        ..module(name, "1.0.0")
    };
    let sent = [("a", 0, i32::MIN), ("b", 4_102_444_800, i32::MAX), ("c", i64::MAX, -1), ("d", i64::MIN, 0)];
    site.full(sent.iter().map(|(name, date, schema)| numbered(name, *date, *schema)).collect()).await;
    for (name, datestamp, schema_version) in sent {
        let state = site.module(name).await.state;
        assert_eq!((state.datestamp, state.schema_version), (Some(datestamp), Some(schema_version)));
    }
}

async fn the_largest_report_is_stored(database: TestDatabase) {
    let mut site = Reporter::new(&database.open().await, "Largest").await;
    let long = "x".repeat(200);
    let modules: Vec<_> = modules(&long, 2000, "10.20.30-beta10+1234-dev")
        .into_iter()
        .map(|module| {
            let description = Some("\u{1F600}".repeat(100));
            let dependencies = (0..20).map(|n| format!("drupal:node_{n} (>=10.{n})")).collect();
            let details = ModuleDetails { description, dependencies, ..module.details.clone() };
            ReportedModule { details, ..module }
        })
        .collect();
    let outcome = site.full(modules.clone()).await;
    assert_eq!(outcome.counts.new, 2000);
    assert_eq!(site.present().await.len(), 2000);
    let last = modules.last().unwrap();
    assert_eq!(site.module(last.machine_name.as_str()).await.details, last.details);
}
