//! Syncs of large and common sites: unchanged, changed a little, and for the first time.

use serde_json::Value;

use super::bodies::{COMMON, MANY, body, modules, update};
use super::floors;
use super::load::{Prepared, Times};
use super::subject::{Floor, Subject};
use super::table::number;

/// Connections that send at once.
const LANES: usize = 8;
/// Unchanged reports of each site.
const UNCHANGED: usize = 200;
/// Reports in which one module of a hundred has changed; each changes others.
const CHANGED: usize = 50;
/// Modules that change then.
const PERCENT: usize = MANY / 100;
/// Sites that report for the first time.
const FIRST: usize = 15;
/// Times that several sites report for the first time at once.
const ROUNDS: usize = 3;
/// These sites, and modules of each.
const CROWD: (usize, usize) = (10, 500);

/// All of it, with its floors.
pub(crate) async fn measure(subject: &mut Subject) -> anyhow::Result<()> {
    floors::prepare(&subject.database).await;
    unchanged(subject).await?;
    changed(subject).await?;
    first(subject).await?;
    crowd(subject).await?;
    queued(subject).await
}

async fn unchanged(subject: &mut Subject) -> anyhow::Result<()> {
    let one = floors::updates(&subject.database, 1, UNCHANGED).await;
    let lanes = subject.first_reports("own", LANES, MANY).await?;
    let alone: Vec<_> = lanes.into_iter().take(1).collect();
    subject.measure("unchanged, 1000 modules", alone, Floor::Median(&one)).await?;
    let size = number(body(&modules("own_0", MANY), 0).len() as f64 / 1000.0);
    let generator = subject.rows.last().and_then(|row| row.costs).map_or(0.0, |costs| costs.generator);
    let generator = number(generator);
    subject.notes.push(format!(
        "a report of 1000 modules has {size} kB; sending one took the generator {generator} ms of processor time"
    ));
    subject.note("floor: one row updated, 1 connection", one, Floor::None, None);

    let many = floors::updates(&subject.database, LANES, UNCHANGED).await;
    for count in [MANY, COMMON] {
        let lanes = subject.first_reports(&format!("lane{count}"), LANES, count).await?;
        let what = format!("unchanged, {count} modules, {LANES} connections");
        subject.measure(&what, lanes, Floor::Rate(&many)).await?;
    }
    let what = format!("floor: one row updated, {LANES} connections");
    subject.note(&what, many, Floor::Crowd, None);
    Ok(())
}

/// Two sites with the same modules: the first brings versions that nobody has, the second those that are known by then.
async fn changed(subject: &mut Subject) -> anyhow::Result<()> {
    let floor = floors::inserts(&subject.database, 1, PERCENT, CHANGED).await;
    let mut list = modules("changing", MANY);
    let mut bodies = vec![body(&list, 0)];
    for n in 0..CHANGED {
        update(&mut list, n * PERCENT, PERCENT);
        bodies.push(body(&list, n as i64 + 1));
    }
    let sites = subject.sites(2).await;
    for (site, versions) in sites.iter().zip(["new", "known"]) {
        let sync = |body: &Vec<u8>, new, updated| Prepared::sync(subject.api(), site, body.clone(), new, updated);
        let first = vec![vec![sync(&bodies[0], MANY, 0)]];
        let lane: Vec<_> = bodies[1..].iter().map(|body| sync(body, 0, PERCENT)).collect();
        subject.timed("a first report", first).await?;
        let what = format!("1 % of 1000 modules changed, versions {versions}");
        subject.measure(&what, vec![lane], Floor::Median(&floor)).await?;
    }
    subject.note(&format!("floor: {PERCENT} rows inserted"), floor, Floor::None, None);
    Ok(())
}

async fn first(subject: &mut Subject) -> anyhow::Result<()> {
    let floor = floors::inserts(&subject.database, 1, MANY, FIRST).await;
    let known = modules("changing", MANY);
    let lane = subject.firsts(FIRST, |_| known.clone()).await;
    subject.measure("first, 1000 modules, all known", vec![lane], Floor::Median(&floor)).await?;
    let lane = subject.firsts(FIRST, |n| modules(&format!("first{n}"), MANY)).await;
    subject.measure("first, 1000 modules, none known", vec![lane], Floor::Median(&floor)).await?;
    subject.note("floor: 1000 rows inserted", floor, Floor::None, None);
    Ok(())
}

/// Several sites at once, none of whose modules is known. What counts is when all are done.
async fn crowd(subject: &mut Subject) -> anyhow::Result<()> {
    let (sites, count) = CROWD;
    let mut floor = Vec::new();
    let mut done = Vec::new();
    let mut costs = None;
    for round in 0..ROUNDS {
        floor.push(floors::inserts(&subject.database, sites, count, 1).await.all);
        let reports = subject.firsts(sites, |n| modules(&format!("crowd{round}_{n}"), count)).await;
        let lanes = reports.into_iter().map(|report| vec![report]).collect();
        let (times, each) = subject.timed("a crowd", lanes).await?;
        done.push(times.all);
        costs = Some(each);
    }
    let [floor, done] = [floor, done].map(|each| Times::new(each.clone(), each.iter().sum()));
    let what = format!("first, {sites} sites of {count} modules at once, none known: all done");
    subject.note(&what, done, Floor::Median(&floor), costs);
    subject.note(
        &format!("floor: {count} rows inserted on {sites} connections at once: all done"),
        floor,
        Floor::None,
        None,
    );
    Ok(())
}

/// More modules than the queue's threshold: the request waits for the worker.
async fn queued(subject: &mut Subject) -> anyhow::Result<()> {
    let count = 2 * MANY;
    let floor = floors::inserts(&subject.database, 1, count, FIRST).await;
    let mut raw = subject.database.raw().await;
    let jobs = raw.number("SELECT count(*) FROM jobs").await;
    let lane = subject.firsts(FIRST, |n| modules(&format!("queued{n}"), count)).await;
    subject.measure("first, 2000 modules, none known", vec![lane], Floor::Median(&floor)).await?;
    let jobs = raw.number("SELECT count(*) FROM jobs").await - jobs;
    subject.notes.push(format!(
        "{jobs} of the {FIRST} reports of 2000 modules went through the queue, by its default threshold"
    ));
    subject.note("floor: 2000 rows inserted", floor, Floor::None, None);
    Ok(())
}

impl Subject {
    /// Fresh sites report `count` modules of their own; afterwards each has a lane of unchanged reports.
    async fn first_reports(&mut self, prefix: &str, sites: usize, count: usize) -> anyhow::Result<Vec<Vec<Prepared>>> {
        let (mut firsts, mut lanes) = (Vec::new(), Vec::new());
        for (n, site) in self.sites(sites).await.iter().enumerate() {
            let list = modules(&format!("{prefix}_{n}"), count);
            firsts.push(Prepared::sync(self.api(), site, body(&list, 0), count, 0));
            let again = Prepared::sync(self.api(), site, body(&list, 1), 0, 0);
            lanes.push(again.times(UNCHANGED));
        }
        self.timed("first reports", vec![firsts]).await?;
        Ok(lanes)
    }

    /// First reports of so many fresh sites, the `n`th of which has these modules.
    async fn firsts(&self, sites: usize, list: impl Fn(usize) -> Vec<Value>) -> Vec<Prepared> {
        let sites = self.sites(sites).await;
        let report = |(n, site)| {
            let list = list(n);
            Prepared::sync(self.api(), site, body(&list, 0), list.len(), 0)
        };
        sites.iter().enumerate().map(report).collect()
    }
}
