//! Holding sites to what they may accumulate.

use std::collections::HashSet;

use module_monitor_domain::{MachineName, Refusal, Report, SiteId};
use time::OffsetDateTime;

use super::queries;
use super::rows::{TrimmedRow, UsedRow};
use super::writes::RowWrite;
use crate::engine::error::StorageError;
use crate::engine::transaction::Transaction;
use crate::inventory::current::{Behind, Current};
use crate::inventory::details::{name_alone, own_details};
use crate::site_bounds::SiteBounds;

/// Rows of a site that a sync does not write as a whole: their ids, sorted.
pub(super) struct Others {
    /// They go.
    pub(super) ended: Vec<i64>,
    /// The module is gone.
    pub(super) removed: Vec<i64>,
    /// The module is there again.
    pub(super) back: Vec<i64>,
}

/// What has to make room for the rows of a sync.
#[derive(Default)]
pub(super) struct Room {
    /// Removed modules to forget, sorted.
    pub(super) forgotten: Vec<i64>,
    /// Whether the details of removed modules go.
    pub(super) details_of_removed: bool,
    /// Rows of which only the name is kept.
    pub(super) cut: usize,
    /// Rows that the site has afterwards.
    pub(super) modules: usize,
}

impl SiteBounds {
    /// Why a report is not applied that removes nothing: with what it adds, the site would have too many modules.
    pub(super) fn refusal(&self, current: &Current, report: &Report) -> Option<Refusal> {
        if report.is_complete() {
            return None;
        }
        let present = current.modules.iter().filter(|module| !module.removed);
        let present: HashSet<&MachineName> = present.map(|module| &module.machine_name).collect();
        let added = report.modules().iter().filter(|module| !present.contains(&module.machine_name)).count();
        (present.len() + added > self.modules).then_some(Refusal::TooManyModules { most: self.modules })
    }

    /// Makes room for `rows` beside the site's other rows, of which others change in other ways, and gives them the details
    /// for which there is some.
    pub(super) fn make_room(&self, current: &Current, rows: &mut [RowWrite<'_>], others: &Others) -> Room {
        let Others { ended, removed, back } = others;
        let written: HashSet<i64> = rows.iter().map(|row| row.module_id).collect();
        let stays = |id: &i64| !written.contains(id) && ended.binary_search(id).is_err();
        let is_in = |ids: &[i64], behind: &Behind| ids.binary_search(&behind.module_id).is_ok();
        let is_gone = |behind: &Behind| (behind.removed_at.is_some() || is_in(removed, behind)) && !is_in(back, behind);
        let others = current.behind.iter().filter(|behind| stays(&behind.module_id));
        let (mut gone, present): (Vec<_>, Vec<_>) = others.partition(|behind| is_gone(behind));
        let modules = gone.len() + present.len() + rows.len();
        // What is removed only now comes last.
        gone.sort_unstable_by_key(|behind| (is_in(removed, behind), behind.removed_at, behind.module_id));
        let too_many = modules.saturating_sub(self.modules).min(gone.len());
        let mut forgotten: Vec<i64> = gone.drain(..too_many).map(|behind| behind.module_id).collect();
        forgotten.sort_unstable();

        let bytes_of = |rows: &[&Behind]| -> usize { rows.iter().map(|behind| behind.details_bytes).sum() };
        let (present, gone) = (bytes_of(&present), bytes_of(&gone));
        let mut left = self.details_bytes.saturating_sub(present);
        let mut cut = 0;
        // One at a time, so that what is not kept takes no memory either.
        for row in rows.iter_mut() {
            row.own_details = own_details(row.state);
            if row.details_bytes() > left && row.state.own_details.is_some() {
                row.own_details = name_alone(row.state);
                cut += 1;
            }
            left = left.saturating_sub(row.details_bytes());
        }
        let details_of_removed = gone > left;
        Room { modules: modules - forgotten.len(), forgotten, details_of_removed, cut }
    }

    /// How many bytes of details the site may still bring into the registry at that time.
    pub(super) async fn introducible<T: Transaction>(
        &self,
        transaction: &mut T,
        site: SiteId,
        now: OffsetDateTime,
    ) -> Result<usize, StorageError> {
        let used = transaction.first::<UsedRow>(queries::introduced_bytes(site, now)).await?;
        let used = used.and_then(|used| usize::try_from(used.bytes).ok()).unwrap_or_default();
        Ok(self.details_bytes.saturating_sub(used))
    }

    /// Removes what is oldest of the site's history and audit log where they hold more than they may, down to three
    /// quarters, so that it is not done again with the next sync.
    pub(super) async fn trim<T: Transaction>(
        &self,
        transaction: &mut T,
        site: SiteId,
        kept_bytes: i64,
    ) -> Result<(), StorageError> {
        if usize::try_from(kept_bytes).unwrap_or_default() <= self.history_bytes {
            return Ok(());
        }
        let keep = i64::try_from(self.history_bytes / 4 * 3).unwrap_or(i64::MAX);
        let Some(row) = transaction.first::<TrimmedRow>(queries::trim_point(site, keep)).await? else {
            // Others have gone because they were too old.
            return transaction.execute(queries::recount_kept(site)).await.map(drop);
        };
        transaction.execute(queries::note_trimmed(site, row.id, row.kept)).await?;
        transaction.execute(queries::trim_change_sets(site, row.id)).await?;
        transaction.execute(queries::trim_syncs(site, row.id)).await?;
        Ok(())
    }
}

impl Room {
    /// What the site is told of it.
    pub(super) fn warnings(&self, bounds: &SiteBounds) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.cut > 0 {
            warnings.push(format!(
                "Of {} modules only the name is kept of what the report says in words, because the details of a site may \
                 take {} bytes",
                self.cut, bounds.details_bytes
            ));
        }
        if !self.forgotten.is_empty() {
            warnings.push(format!(
                "{} modules that were removed first are forgotten, because {} are kept of a site",
                self.forgotten.len(),
                bounds.modules
            ));
        }
        warnings
    }
}
