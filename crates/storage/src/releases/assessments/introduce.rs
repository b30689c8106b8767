//! Introducing the projects of a site, for the release data to be asked for. It is done when the sync that names them has been
//! committed, so that no sync waits for another because of it. What is left undone here because the process has died is
//! found by `introduce_forgotten`.

use module_monitor_domain::{ProjectName, SiteId};
use time::{Duration, OffsetDateTime};

use super::named::{Introduction, LOOKUPS_A_DAY, Named};
use super::queries;
use super::rows::KnownProjectRow;
use crate::engine::error::StorageError;
use crate::engine::read::CountRow;
use crate::engine::sql_types::At;
use crate::engine::transaction::{Backend, Transaction, Unit};
use crate::sites::rows::SiteIdRow;
use crate::{releases, sites};

/// Has the projects looked up that nobody has asked about yet, on the account of `site` where its turn is sooner. Those of
/// them that have been asked about already. Whatever goes wrong is left to `introduce_forgotten`.
pub(crate) async fn introduce(
    backend: &impl Backend,
    site: SiteId,
    now: OffsetDateTime,
    named: Named,
) -> Vec<ProjectName> {
    if named.ranks.is_empty() {
        return Vec::new();
    }
    backend.transact(Introduce { site, now, named }).await.unwrap_or_else(|error| {
        tracing::debug!(%site, error = &error as &dyn std::error::Error, "projects are introduced later");
        Vec::new()
    })
}

struct Introduce {
    site: SiteId,
    now: OffsetDateTime,
    named: Named,
}

impl Introduce {
    async fn known<T: Transaction>(&self, transaction: &mut T) -> Result<Vec<KnownProjectRow>, StorageError> {
        let names = self.named.ranks.keys().map(ProjectName::as_str).collect();
        transaction.rows(queries::known_projects(self.named.feed, self.site, names)).await
    }

    async fn write<T: Transaction>(&self, transaction: &mut T, rows: &[KnownProjectRow]) -> Result<(), StorageError> {
        let Self { site, now, named } = self;
        let used = transaction.first::<CountRow>(releases::queries::count_introduced(*site, *now)).await?;
        let (new, sooner) = turns(named, rows, used.map_or(0, |row| row.count), *now)?;
        if !new.is_empty() {
            transaction.execute(queries::insert_projects(named.feed, *site, *now, &new)).await?;
        }
        if sooner.is_empty() {
            return Ok(());
        }
        if T::LOCKS_ROWS {
            let names = sooner.iter().map(|introduction| introduction.name.as_str()).collect();
            transaction.execute(queries::lock_projects(named.feed, names)).await?;
        }
        transaction.execute(queries::take_over_projects(named.feed, *site, &sooner)).await.map(drop)
    }
}

impl Unit for Introduce {
    type Output = Vec<ProjectName>;

    async fn shortcut<T: Transaction>(&self, transaction: &mut T) -> Result<Option<Self::Output>, StorageError> {
        let rows = self.known(transaction).await?;
        let waits = |row: &KnownProjectRow| row.is_new() || row.waits_until.is_some_and(|turn| turn.0 > self.now);
        if rows.iter().any(waits) { Ok(None) } else { asked(&rows).map(Some) }
    }

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Self::Output, StorageError> {
        if T::LOCKS_ROWS {
            // One after the other, because what a site has spoken for is counted.
            transaction.rows::<SiteIdRow>(sites::queries::lock_sites(&[self.site])).await?;
        }
        let rows = self.known(transaction).await?;
        self.write(transaction, &rows).await?;
        asked(&rows)
    }
}

fn asked(rows: &[KnownProjectRow]) -> Result<Vec<ProjectName>, StorageError> {
    rows.iter().filter(|row| row.asked).map(KnownProjectRow::name).collect()
}

/// The unknown projects, and those whose turn comes sooner on this site's account, each sorted. `used` is how much of a
/// day's lookups the site has spoken for; what is beyond a day's waits for the next.
fn turns(
    named: &Named,
    rows: &[KnownProjectRow],
    mut used: i64,
    now: OffsetDateTime,
) -> Result<(Vec<Introduction>, Vec<Introduction>), StorageError> {
    let mut order = Vec::with_capacity(rows.len());
    for row in rows {
        let name = row.name()?;
        order.push((named.ranks.get(&name).copied().unwrap_or(u8::MAX), name, row));
    }
    order.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let (mut new, mut sooner) = (Vec::new(), Vec::new());
    for (_, name, row) in order {
        let turn = now + Duration::days(used / LOOKUPS_A_DAY);
        let list = match row.waits_until {
            _ if row.is_new() => &mut new,
            Some(waits_until) if waits_until.0 > turn => &mut sooner,
            _ => continue,
        };
        list.push(Introduction { name: name.to_string(), next_check_at: At(turn) });
        used += 1;
    }
    for list in [&mut new, &mut sooner] {
        list.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok((new, sooner))
}
