//! Lists, on a database with some hundred sites that share their modules, a few of which are insecure.

use std::path::Path;

use anyhow::{Context, ensure};
use module_monitor_tests::backends::Backend;
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::process::run;

use super::bodies::{COMMON, NEXT, VERSION, body, modules};
use super::floors;
use super::load::{Expected, Prepared};
use super::subject::{Floor, Subject};
use super::table::say;

/// Sites, and connections over which they report for the first time.
const SITES: usize = 300;
const LANES: usize = 4;
/// Projects of which every site has an insecure version.
const INSECURE: usize = 5;
/// How often each list is asked for.
const TIMES: usize = 40;

/// Fills the database and asks for each list.
pub(crate) async fn measure(subject: &mut Subject) -> anyhow::Result<()> {
    let site = fill(subject).await?;
    let lists = [
        ("list: /sites?limit=100", "/sites?limit=100".to_owned(), 100),
        ("list: /sites/{id}/modules?limit=100", format!("/sites/{site}/modules?limit=100"), 100),
        ("list: /security/updates?limit=1000", "/security/updates?limit=1000".to_owned(), 1000),
        ("list: /projects/{p}/sites?below=", format!("/projects/pool_0000/sites?below={NEXT}&limit=100"), 100),
    ];
    for items in [100, 1000] {
        let floor = floors::reads(&subject.database, &site, items, TIMES).await;
        for (what, path, _) in lists.iter().filter(|list| list.2 == items) {
            let path = format!("/api/v1{path}");
            let request = Prepared::list(subject.api(), &subject.admin, &path, Expected::Items(items));
            subject.measure(what, vec![request.times(TIMES)], Floor::Median(&floor)).await?;
        }
        subject.note(&format!("floor: {items} rows of site_modules read"), floor, Floor::None, None);
    }
    Ok(())
}

/// Has sites report, and drupal.org say what is insecure. The id of the first site.
async fn fill(subject: &mut Subject) -> anyhow::Result<String> {
    let list = modules("pool", COMMON);
    let mut lanes: Vec<Vec<Prepared>> = (0..LANES).map(|_| Vec::new()).collect();
    let sites = subject.sites(SITES).await;
    for (n, site) in sites.iter().enumerate() {
        lanes[n % LANES].push(Prepared::sync(subject.api(), site, body(&list, 0), COMMON, 0));
    }
    // The first brings the projects, so that their feeds are there for the others.
    let first = lanes[0].remove(0);
    subject.timed("the first site", vec![vec![first]]).await?;
    let folder = tempfile::tempdir()?;
    import(subject, folder.path(), 0..COMMON, |feed| feed.release(VERSION, &[])).await?;
    subject.timed("other sites", lanes).await?;
    import(subject, folder.path(), 0..INSECURE, |feed| feed.release(VERSION, &[]).fixed_by(NEXT)).await?;
    // As autovacuum does after a while.
    if subject.database.backend() == Backend::Postgres {
        subject.database.raw().await.execute("ANALYZE").await;
    }
    Ok(sites[0].id.clone())
}

/// Imports what drupal.org says of these projects, with the releases that `change` adds.
pub(crate) async fn import(
    subject: &Subject,
    folder: &Path,
    projects: std::ops::Range<usize>,
    change: impl Fn(Feed) -> Feed,
) -> anyhow::Result<()> {
    say(&format!("{}: importing {} release histories", subject.name, projects.len()));
    let feed = |n| change(Feed::new(&format!("pool_{n:04}"), "8.x-1."));
    let files: Vec<String> = projects.map(|n| feed(n).file(folder).display().to_string()).collect();
    let arguments: Vec<&str> = ["releases", "import"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let imported = run(&subject.database.url, &arguments).await;
    ensure!(imported.code == 0, "{imported:?}");
    Ok(())
}

/// What to append to the path of a list to ask for the page after so many.
pub(crate) async fn cursor_after(subject: &Subject, path: &str, pages: usize) -> anyhow::Result<String> {
    let mut cursor = String::new();
    for _ in 0..pages {
        let page = subject.api().get(&subject.admin, &format!("{path}{cursor}")).await.ok();
        cursor = format!("&cursor={}", page["next_cursor"].as_str().context("another page")?);
    }
    Ok(cursor)
}
