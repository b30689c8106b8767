//! The stories that both backends must tell alike.

use module_monitor_domain::Scope;
use module_monitor_tests::backends::TestDatabase;
use module_monitor_tests::on_both_backends;
use module_monitor_tests::reports::{apply, modules, now, register, report};
use time::Duration;

on_both_backends!(first_sync_then_unchanged);

async fn first_sync_then_unchanged(database: TestDatabase) {
    let storage = database.open().await;
    let site = register(&*storage, "First").await;
    let at = now();
    let first = apply(&*storage, site, at, report(Scope::Full, at, modules("m", 300, "8.x-1.0"))).await;
    assert_eq!((first.counts.processed, first.counts.new, first.security.unknown), (300, 300, 300));
    let later = at + Duration::hours(1);
    let second = apply(&*storage, site, later, report(Scope::Full, later, modules("m", 300, "8.x-1.0"))).await;
    assert_eq!((second.counts.processed, second.counts.new, second.security.unknown), (300, 0, 300));
}
