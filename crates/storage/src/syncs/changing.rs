//! The part of a sync that changes the inventory of its site.

use std::collections::HashMap;

use module_monitor_domain::{ChangeRef, Feed, MachineName, RejectedMark, SyncPlan};

use super::bounds::{Others, Room};
use super::command::SyncCommand;
use super::ids::Ids;
use super::queries;
use super::resident::Resident;
use super::writes::{Written, row_writes};
use crate::engine::error::StorageError;
use crate::engine::transaction::Transaction;
use crate::identities::identify::{known_names, write_standings};
use crate::inventory::change_set::ChangeSet;
use crate::inventory::current::Current;
use crate::inventory::standing;
use crate::releases::assessments::assess;
use crate::releases::assessments::wanted::{Known, Wanted};
use crate::sites::rows::SiteStateRow;

/// A sync that may change the inventory of its site, whose row it has locked.
pub(super) struct Changing<'a> {
    pub(super) command: &'a SyncCommand,
    pub(super) resident: &'a Resident,
    pub(super) before: &'a SiteStateRow,
}

impl Changing<'_> {
    /// Finds or inserts the registry rows of the reported modules that the site does not have yet.
    pub(super) async fn resolve_modules<T: Transaction>(
        &self,
        transaction: &mut T,
        ids: &mut Ids,
    ) -> Result<(), StorageError> {
        let (site, now) = (self.command.site_id, self.command.received_at);
        let mut unknown = ids.unknown_modules(&self.command.report, &self.resident.ids);
        if !unknown.is_empty() {
            ids.add_modules(transaction.rows(queries::find_modules(&unknown)).await?)?;
            unknown.retain(|module| !ids.knows_module(module));
        }
        if unknown.is_empty() {
            return Ok(());
        }
        if unknown.iter().any(|module| module.words() > 0) {
            let left = ids.introducible.insert(self.resident.bounds.introducible(transaction, site, now).await?);
            unknown.iter_mut().for_each(|module| module.fit_into(left));
        }
        ids.add_modules(transaction.rows(queries::insert_modules(site, now, &unknown)).await?)?;
        unknown.retain(|module| !ids.knows_module(module));
        if !unknown.is_empty() {
            ids.add_modules(transaction.rows(queries::find_modules(&unknown)).await?)?;
        }
        Ok(())
    }

    /// Finds or inserts the registry rows of the versions that the plan writes.
    async fn resolve_versions<T: Transaction>(
        &self,
        transaction: &mut T,
        plan: &SyncPlan,
        ids: &mut Ids,
    ) -> Result<(), StorageError> {
        let (site, now) = (self.command.site_id, self.command.received_at);
        let mut unknown = ids.unknown_versions(plan, &self.command.report, &self.resident.ids)?;
        if !unknown.is_empty() {
            ids.add_versions(transaction.rows(queries::find_versions(&unknown)).await?);
            unknown.retain(|version| !ids.knows_version(version, version.said.is_some()));
        }
        if unknown.is_empty() {
            return Ok(());
        }
        if unknown.iter().any(|version| version.said.is_some()) {
            let mut left = match ids.introducible {
                Some(left) => left,
                None => self.resident.bounds.introducible(transaction, site, now).await?,
            };
            unknown.iter_mut().for_each(|version| version.fit_into(&mut left));
        }
        ids.add_versions(transaction.rows(queries::insert_versions(site, now, &unknown)).await?);
        unknown.retain(|version| !ids.knows_version(version, false));
        if !unknown.is_empty() {
            ids.add_versions(transaction.rows(queries::find_versions(&unknown)).await?);
        }
        Ok(())
    }

    /// Writes the rows that `plan` changes, and how everything stands afterwards. The plan gets the warnings that come of it.
    pub(super) async fn write_inventory<T: Transaction>(
        &self,
        transaction: &mut T,
        plan: &mut SyncPlan,
        current: &Current,
        ids: &mut Ids,
    ) -> Result<Written, StorageError> {
        let (site, now, core) = (self.command.site_id, self.command.received_at, self.command.report.drupal_version());
        let mut written = Written::default();
        let changes = self.change_set(plan, current, ids)?;
        let mut room = Room::default();
        if !plan.changes.is_empty() || plan.marks.changed || !self.before.has_core(core) {
            let extensions = standing::after(&current.modules, plan);
            let names = known_names(transaction, site, Feed::of(core), &extensions).await?;
            // A site that moves to another feed, or has no assessments yet, takes all of its modules along.
            let old_core = self.before.drupal_version();
            let anew = self.before.core_assessment_id.is_none() || standing::changes_feed(old_core.as_ref(), core);
            let standings = standing::standings(&extensions, core, &names, anew);
            let wanted = Wanted::of(core, &standings);
            let known = Known::of(&wanted, |key| self.resident.ids.assessment(wanted.feed, key));
            written.assessed = assess(transaction, site, now, wanted, known).await?;
            self.resolve_versions(transaction, plan, ids).await?;
            let mut rows = row_writes(plan, ids, &standings, &written.assessed, changes.as_ref())?;
            let others = Others {
                ended: ended_placeholders(plan, current),
                removed: ids.module_ids(plan.changes.removed.iter().map(|row| &row.machine_name))?,
                back: ids.module_ids(&plan.marks.back)?,
            };
            room = self.resident.bounds.make_room(current, &mut rows, &others);
            if !rows.is_empty() {
                transaction.execute(queries::write_site_modules(self.command, &rows)).await?;
            }
            write_standings(transaction, site, &standings, &written.assessed, |name| ids.module_id(name)).await?;
            written.modules = Some(room.modules);
        }
        self.write_marks(transaction, plan, ids, changes.as_ref()).await?;
        plan.warnings.extend(room.warnings(&self.resident.bounds));
        if !room.forgotten.is_empty() {
            transaction.execute(queries::forget_removed(site, room.forgotten)).await?;
        }
        if room.details_of_removed {
            transaction.execute(queries::forget_details_of_removed(site)).await?;
        }
        if let Some(changes) = changes {
            written.kept_bytes = changes.json.len();
            transaction.execute(queries::insert_change_set(self.command, changes.json)).await?;
        }
        plan.warnings.extend(postponed(written.assessed.postponed));
        Ok(written)
    }

    /// What happened, each change with that before it.
    fn change_set(&self, plan: &SyncPlan, current: &Current, ids: &Ids) -> Result<Option<ChangeSet>, StorageError> {
        if plan.changes.is_empty() {
            return Ok(None);
        }
        let last = current.behind.iter().filter_map(|behind| Some((behind.module_id, behind.last_change?)));
        let last: HashMap<i64, ChangeRef> = last.collect();
        let module = |name: &MachineName| ids.module_id(name).map(|id| (id, last.get(&id).copied()));
        ChangeSet::of(self.command.sync_id, plan, module)
    }

    /// Writes what is gone, what was reported and stays as it is, and what could not be read.
    async fn write_marks<T: Transaction>(
        &self,
        transaction: &mut T,
        plan: &SyncPlan,
        ids: &Ids,
        changes: Option<&ChangeSet>,
    ) -> Result<(), StorageError> {
        let (site, now) = (self.command.site_id, self.command.received_at);
        if !plan.changes.removed.is_empty() {
            let removed = ids.module_ids(plan.changes.removed.iter().map(|row| &row.machine_name))?;
            let places = changes.map(|changes| changes.places(&removed)).unwrap_or_default();
            let last_full_sync_at = self.before.last_full_sync_at;
            transaction.execute(queries::remove_site_modules(self.command, last_full_sync_at, &places)).await?;
        }
        if !plan.reported_again.is_empty() {
            transaction.execute(queries::report_again(site, now, ids.module_ids(&plan.reported_again)?)).await?;
        }
        if !plan.marks.back.is_empty() {
            transaction.execute(queries::bring_back(site, now, ids.module_ids(&plan.marks.back)?)).await?;
        }
        if !plan.marks.kept.is_empty() {
            transaction.execute(queries::mark_rejected(site, ids.module_ids(&plan.marks.kept)?)).await?;
        }
        if !plan.marks.ended.is_empty() {
            let ended = ids.module_ids(&plan.marks.ended)?;
            transaction.execute(queries::take_back(site, now, ended.clone())).await?;
            transaction.execute(queries::end_placeholders(site, ended)).await?;
        }
        Ok(())
    }
}

/// What a site is told that has named too many versions.
fn postponed(versions: usize) -> Option<String> {
    (versions > 0).then(|| {
        format!(
            "{versions} versions are judged later, because this site has named more new versions in a day than are taken \
             from one site; until then they count as not_fetched"
        )
    })
}

/// The rows that go because what they stood for, and could never be read, is gone; sorted.
fn ended_placeholders(plan: &SyncPlan, current: &Current) -> Vec<i64> {
    let rows = current.modules.iter().zip(&current.behind);
    let ended = rows.filter(|(module, _)| {
        module.rejected == Some(RejectedMark::New) && plan.marks.ended.binary_search(&module.machine_name).is_ok()
    });
    let mut ids: Vec<i64> = ended.map(|(_, behind)| behind.module_id).collect();
    ids.sort_unstable();
    ids
}
