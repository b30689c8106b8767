//! A disk that is really full.

use module_monitor_tests::api::{Answer, TestSite};
use module_monitor_tests::payloads::{described, full};
use module_monitor_tests::postgres::PrivatePostgres;
use module_monitor_tests::process::{ServerProcess, create_site, run, wait_for};
use module_monitor_tests::tmpfs::Tmpfs;

/// More than fits into room that the database has set aside.
const MANY: usize = 900;

async fn report(server: &ServerProcess, site: &TestSite, prefix: &str, modules: usize) -> Answer {
    server.api.sync(site, &full(described(prefix, modules))).await
}

/// A server that has been serving from the database at `url` sees the disk fill up, and later has room again.
async fn story(url: &str, disk: &Tmpfs, never_ready: bool) {
    assert_eq!(run(url, &["migrate"]).await.code, 0);
    let site = create_site(url).await;
    let server = ServerProcess::start(url, &[]).await;
    report(&server, &site, "first", 3).await.ok();

    disk.fill();
    for prefix in ["second", "third"] {
        let refused = report(&server, &site, prefix, MANY).await;
        refused.problem(503, "database-unavailable");
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
        if never_ready {
            server.api.get_open("/readyz").await.problem(503, "database-unavailable");
        }
        server.api.get_open("/healthz").await.ok();
        assert_eq!(server.api.list(&site.key, &site.modules(""), 10).await.len(), 3, "it reads");
    }

    disk.free();
    wait_for("it is ready", async || (server.api.get_open("/readyz").await.status == 200).then_some(())).await;
    assert_eq!(report(&server, &site, "first", 3).await.counts(), (0, 0, 0), "nothing of what was refused is there");
    assert_eq!(report(&server, &site, "fourth", MANY).await.counts().0, MANY as u64);
    server.terminate().await;
    let (status, log) = server.wait().await;
    assert!(status.success() && !log.contains("ERROR"), "{log}");
    let times = |text| log.matches(text).count();
    let (down, up) = (times("the database cannot be used"), times("the database can be used again"));
    assert!(down >= 1 && down == up && (!never_ready || down == 1), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_on_a_full_disk() {
    let Some(disk) = Tmpfs::mount(12) else { return };
    story(&format!("sqlite://{}", disk.path().join("test.db").display()), &disk, true).await;
}

/// PostgreSQL goes on as long as it finds room in its files, so a row that is written as it is says nothing of the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_on_a_full_disk() {
    let Some(disk) = Tmpfs::mount(128) else { return };
    let Some(postgres) = PrivatePostgres::running_in(disk.path()).await else { return };
    story(&postgres.url(), &disk, false).await;
}
