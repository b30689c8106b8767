//! The release that makes all sites insecure: how long until the list has them all, and until all figures are right.

use std::process::Stdio;
use std::time::Duration;

use anyhow::ensure;
use module_monitor_ingestion::{Clock, SystemClock};
use module_monitor_tests::feeds::Feed;
use module_monitor_tests::process::command;
use tokio::time::sleep;

use super::super::bodies::{NEXT, VERSION};
use super::super::floors;
use super::super::load::Times;
use super::super::subject::{Floor, Subject};
use super::super::table::say;
use super::FIX;
use super::fill::{Crowd, EVERYWHERE};

/// How often it is looked how far it is.
const POLL: Duration = Duration::from_millis(250);

/// Imports it with the command, while the server runs.
pub(super) async fn measure(subject: &mut Subject, crowd: &Crowd) -> anyhow::Result<()> {
    let floor = floors::inserts(&subject.database, 1, crowd.count, 1).await;
    let folder = tempfile::tempdir()?;
    let feed = Feed::new(EVERYWHERE, "8.x-1.").release(NEXT, &[]).release(VERSION, &[]).fixed_by(FIX);
    let file = feed.file(folder.path()).display().to_string();
    let mut raw = subject.database.raw().await;
    let before = subject.costs().await?;
    let begun = SystemClock.instant();
    let arguments = ["--database-url", &subject.database.url, "releases", "import", &file];
    let mut importing = command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut listed = None;
    let mut said = begun;
    let done = loop {
        let ended = importing.try_wait()?;
        let open =
            format!("SELECT count(*) FROM security_findings WHERE project = '{EVERYWHERE}' AND fixed_at IS NULL");
        let found = usize::try_from(raw.number(&open).await)?;
        let now = SystemClock.instant();
        if found == crowd.count {
            listed.get_or_insert(now.duration_since(begun));
        }
        if let Some(status) = ended {
            ensure!(status.success(), "the import failed");
            if raw.number("SELECT count(*) FROM recounts").await == 0 {
                break now.duration_since(begun);
            }
        }
        if now.duration_since(said) > Duration::from_secs(10) {
            said = now;
            say(&format!("{found} of {} sites are in the list", crowd.count));
        }
        sleep(POLL).await;
    };
    let wrong = raw.number("SELECT count(*) FROM sites WHERE security_updates_found <> 1").await;
    ensure!(wrong == 0, "the figures of {wrong} sites are wrong");
    let Some(listed) = listed else { anyhow::bail!("the list never had all sites") };
    let costs = subject.costs().await?.each(before, 1);
    let once = |time| Times::new(vec![time], time);
    subject.note("a release makes all insecure: the list is complete", once(listed), Floor::Median(&floor), None);
    subject.note("a release makes all insecure: all figures are right", once(done), Floor::Median(&floor), Some(costs));
    subject.note(&format!("floor: {} rows inserted", crowd.count), floor, Floor::None, None);
    Ok(())
}
