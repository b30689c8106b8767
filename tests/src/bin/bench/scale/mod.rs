//! PostgreSQL with many sites of 190 modules, and a release that makes all of them insecure.

mod fill;
mod import;

use anyhow::Context;
use module_monitor_tests::backends::Backend;

use self::fill::{Crowd, EVERYWHERE};
use super::bodies::{COMMON, body, update};
use super::floors;
use super::lists;
use super::load::{Expected, Prepared};
use super::subject::{Floor, Subject};
use super::table::{number, print, print_table};

/// The release that makes a version insecure everywhere.
const FIX: &str = "8.x-1.17";
/// Syncs on top, each of another site.
const SYNCS: usize = 200;
/// Connections over which unchanged reports come at once, and how many over each.
const LANES: (usize, usize) = (8, 100);
/// How often a list is asked for.
const TIMES: usize = 20;
/// The same, where it is all of it.
const WHOLE: usize = 3;
/// Rows of a long page.
const PAGE: usize = 1000;

/// Fills a database with so many sites and measures it.
pub(crate) async fn run(sites: usize) -> anyhow::Result<()> {
    let subject = Subject::start("PostgreSQL", Backend::Postgres).await?.context("there is no PostgreSQL")?;
    floors::prepare(&subject.database).await;
    let crowd = Crowd::fill(&subject, sites).await?;
    let mut subject = subject.restart().await?;
    import::measure(&mut subject, &crowd).await?;
    security(&mut subject, &crowd).await?;
    syncs(&mut subject, &crowd).await?;
    let peak = subject.server.peak_memory_kib() as f64 / 1024.0;
    print_table(&subject.rows);
    print("");
    print(&format!("- {sites} sites of {COMMON} modules"));
    for note in crowd.sizes(&subject).await.iter().chain(&subject.notes) {
        print(&format!("- {note}"));
    }
    print(&format!(
        "- the server held {} MB once it knew all keys, {} MB at its peak",
        number(subject.idle_mb),
        number(peak)
    ));
    subject.server.kill().await;
    Ok(())
}

/// The lists of what is insecure.
async fn security(subject: &mut Subject, crowd: &Crowd) -> anyhow::Result<()> {
    let page = PAGE.min(crowd.count);
    let floor = floors::reads(&subject.database, "1", page, TIMES).await;
    let updates = format!("/api/v1/security/updates?limit={page}");
    let cursor = lists::cursor_after(subject, &updates, crowd.count / 2 / page).await?;
    let pages = [
        ("first page", updates.clone(), page),
        ("a middle page", format!("{updates}{cursor}"), page.min(crowd.count - crowd.count / 2 / page * page)),
    ];
    for (which, path, items) in pages {
        let request = Prepared::list(subject.api(), &subject.admin, &path, Expected::Items(items));
        let what = format!("list: /security/updates?limit={page}, {which}");
        subject.measure(&what, vec![request.times(TIMES)], Floor::Median(&floor)).await?;
    }
    subject.note(&format!("floor: {page} rows of site_modules read"), floor, Floor::None, None);

    let floor = floors::reads(&subject.database, "1", crowd.count, WHOLE).await;
    let all = Expected::Lines(crowd.count + 1);
    let request = Prepared::list(subject.api(), &subject.admin, "/api/v1/security/updates", all);
    subject.measure("list: /security/updates as CSV, all", vec![request.times(WHOLE)], Floor::Median(&floor)).await?;
    subject.note(&format!("floor: {} rows of site_modules read", crowd.count), floor, Floor::None, None);

    let few = 100.min(crowd.count);
    let floor = floors::reads(&subject.database, "1", few, TIMES).await;
    for (what, path) in [
        ("list: /projects/{p}/sites?below=", format!("projects/{EVERYWHERE}/sites?below={FIX}&limit={few}")),
        ("list: /sites?limit=100", format!("sites?limit={few}")),
    ] {
        let request = Prepared::list(subject.api(), &subject.admin, &format!("/api/v1/{path}"), Expected::Items(few));
        subject.measure(what, vec![request.times(TIMES)], Floor::Median(&floor)).await?;
    }
    subject.note(&format!("floor: {few} rows of site_modules read"), floor, Floor::None, None);
    Ok(())
}

/// Reports on top of what is there.
async fn syncs(subject: &mut Subject, crowd: &Crowd) -> anyhow::Result<()> {
    let alone = floors::updates(&subject.database, 1, SYNCS).await;
    let sites = SYNCS.min(crowd.count);
    let step = crowd.count / sites;
    let unchanged = |n: usize| {
        let site = crowd.site(n * step);
        Prepared::sync(subject.api(), &site, body(crowd.list(n * step), 1), 0, 0)
    };
    let lane: Vec<_> = (0..sites).map(unchanged).collect();
    subject.measure("unchanged, 190 modules", vec![lane], Floor::Median(&alone)).await?;
    subject.note("floor: one row updated, 1 connection", alone, Floor::None, None);

    let (lanes, each) = LANES;
    let many = floors::updates(&subject.database, lanes, each).await;
    let lane = |n: usize| {
        let site = crowd.site(n);
        Prepared::sync(subject.api(), &site, body(crowd.list(n), 2), 0, 0).times(each)
    };
    let all = (0..lanes).map(lane).collect();
    subject.measure(&format!("unchanged, 190 modules, {lanes} connections"), all, Floor::Rate(&many)).await?;
    subject.note(&format!("floor: one row updated, {lanes} connections"), many, Floor::Crowd, None);

    let changing = COMMON / 100 + 1;
    let floor = floors::inserts(&subject.database, 1, changing, SYNCS).await;
    let changed = |n: usize| {
        let mut list = crowd.list(n * step).to_vec();
        // The last of a list are in the older version everywhere.
        update(&mut list, COMMON - changing, changing);
        Prepared::sync(subject.api(), &crowd.site(n * step), body(&list, 3), 0, changing)
    };
    let lane: Vec<_> = (0..sites).map(changed).collect();
    subject.measure("1 % of 190 modules changed", vec![lane], Floor::Median(&floor)).await?;
    subject.note(&format!("floor: {changing} rows inserted"), floor, Floor::None, None);
    Ok(())
}
