//! One sync: whether it is applied, what it changes, and what the site is told.

use time::{Duration, OffsetDateTime};

use crate::{
    CurrentModule, Fingerprint, InventoryChanges, MachineName, Marks, ModuleType, Rejection, Report, SecurityCounts,
    SiteId, SiteIdentity, SiteState, SyncId, diff, warnings,
};

/// Why a report was not applied. Nothing of it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such site.
    UnknownSite,
    /// The site has been deactivated.
    InactiveSite,
    /// A newer report has been applied already.
    Stale {
        /// The time stamp of that report.
        last_applied: OffsetDateTime,
    },
    /// The client has used this idempotency key for another body.
    IdempotencyKeyReused,
    /// The report comes from another installation, and the site takes only its own.
    IdentityConflict {
        /// The identity of the site's last report.
        expected: SiteIdentity,
        /// The identity of this one.
        reported: SiteIdentity,
    },
    /// It removes nothing, and with what it adds the site would have more modules than are kept of one.
    TooManyModules {
        /// How many are kept.
        most: usize,
    },
}

impl Refusal {
    /// The stable code of the reason; see the server's problems.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownSite => "site-not-found",
            Self::InactiveSite => "site-inactive",
            Self::Stale { .. } => "stale-sync",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::IdentityConflict { .. } => "identity-conflict",
            Self::TooManyModules { .. } => "too-many-modules",
        }
    }
}

/// What to do with a report, from the site's row alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Do not apply it.
    Refuse(Refusal),
    /// It leaves the state as it is: no module row needs to be read.
    Unchanged,
    /// Compare it with the site's rows.
    Compare,
}

/// Decides what to do with `report`. The caller holds the site's lock. Reports as old as the last one are applied in the
/// order they are accepted; older ones are refused.
pub fn decide(site: &SiteState, report: &Report) -> Decision {
    if !site.active {
        return Decision::Refuse(Refusal::InactiveSite);
    }
    if let Some(last_applied) = site.last_sync_timestamp.filter(|last| report.sync_timestamp() < *last) {
        return Decision::Refuse(Refusal::Stale { last_applied });
    }
    let reported = &report.site_info().identity;
    if site.strict_identity && !reported.agrees_with(&site.identity) {
        let (expected, reported) = (site.identity.clone(), reported.clone());
        return Decision::Refuse(Refusal::IdentityConflict { expected, reported });
    }
    match report.fingerprint() {
        Some(fingerprint) if site.fingerprint == Some(fingerprint) => Decision::Unchanged,
        _ => Decision::Compare,
    }
}

/// How many modules a sync added, updated and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// Distinct modules accepted.
    pub processed: usize,
    /// Not on the site before, restored ones included.
    pub new: usize,
    /// On the site before, with another version.
    pub updated: usize,
    /// On the site before, missing from a full report.
    pub removed: usize,
}

/// Everything that one sync writes, computed before the first write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// The rows of the inventory.
    pub changes: InventoryChanges,
    /// Present modules whose `last_reported_at` moves although their row stays as it is.
    pub reported_again: Vec<MachineName>,
    /// What to say of it.
    pub counts: SyncCounts,
    /// What the client should know.
    pub warnings: Vec<String>,
    /// The fingerprint of the state afterwards, where it is known.
    pub fingerprint: Option<Fingerprint>,
    /// The report named everything the site has.
    pub complete: bool,
    /// See [`crate::Site::mass_removal`].
    pub mass_removal: bool,
    /// The identity of the site afterwards.
    pub identity: SiteIdentity,
    /// The identity it had, where the report comes from another one.
    pub identity_changed_from: Option<SiteIdentity>,
    /// What of the site could not be read.
    pub marks: Marks,
}

/// The plan for a report that leaves the inventory as it is.
pub fn plan_unchanged(site: &SiteState, report: &Report) -> SyncPlan {
    plan_changes(site, report, InventoryChanges::default(), Marks::default())
}

/// The plan for `report` on a site that has the rows `current`; see [`diff`] for `registry_type`.
pub fn plan(
    site: &SiteState,
    current: &[CurrentModule],
    report: &Report,
    registry_type: impl Fn(&MachineName) -> Option<ModuleType>,
) -> SyncPlan {
    let changes = diff(current, report, &registry_type);
    let told = warnings::of_modules(report, &changes, registry_type);
    let marks = Marks::of(site.unnamed_rejections, current, report);
    let mut plan = plan_changes(site, report, changes, marks);
    plan.warnings.extend(told);
    let present = current.iter().filter(|row| !row.removed && row.is_known());
    let present_before = present.clone().count();
    let removed = plan.counts.removed;
    if plan.complete {
        plan.mass_removal = present_before >= 20 && removed * 2 > present_before;
    }
    if plan.mass_removal {
        plan.warnings.push(format!("This report removed {removed} of {present_before} modules"));
    }
    if !plan.complete {
        plan.reported_again = plan.changes.unchanged.clone();
    }
    let left_alone = present.filter(|row| report.leaves_alone(&row.machine_name));
    plan.reported_again.extend(left_alone.map(|row| row.machine_name.clone()));
    plan
}

fn plan_changes(site: &SiteState, report: &Report, changes: InventoryChanges, marks: Marks) -> SyncPlan {
    let identity = &report.site_info().identity;
    let same_site = identity.agrees_with(&site.identity);
    let same_state = changes.is_empty() && site.drupal_version.as_ref() == Some(report.drupal_version());
    let counts = SyncCounts {
        processed: report.modules().len(),
        new: changes.changed.iter().filter(|c| c.is_new()).count(),
        updated: changes.changed.iter().filter(|c| c.is_update()).count(),
        removed: changes.removed.len(),
    };
    let kept = site.fingerprint.filter(|_| same_state && report.rejected_items().is_empty());
    SyncPlan {
        warnings: if same_site { Vec::new() } else { vec![warnings::another_identity(identity, &site.identity)] },
        counts,
        reported_again: Vec::new(),
        fingerprint: report.fingerprint().or(kept),
        complete: report.is_complete(),
        mass_removal: site.mass_removal && !report.is_complete(),
        identity: identity.or(&site.identity),
        identity_changed_from: (!same_site).then(|| site.identity.clone()),
        changes,
        marks,
    }
}

/// What an applied sync did; the same for the answer, the audit log and a later question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncOutcome {
    /// The sync.
    pub sync_id: SyncId,
    /// The site that reported.
    pub site_id: SiteId,
    /// What changed.
    pub counts: SyncCounts,
    /// The site's security figures afterwards.
    pub security: SecurityCounts,
    /// What the client should know, the warning about unjudged modules aside.
    pub warnings: Vec<String>,
    /// The items that lenient mode left out.
    pub rejected: Vec<Rejection>,
    /// When the site should report next.
    pub next_sync_after: OffsetDateTime,
    /// Milliseconds from receipt until the result was written.
    pub processing_time_ms: i64,
}

/// When `site` should report next: the first occurrence of its own slot of the hour that is at least 30 minutes after
/// `now`. Slots come from the id, so that sites spread evenly and each keeps its own.
pub fn next_sync_after(site: SiteId, now: OffsetDateTime) -> OffsetDateTime {
    let next_second = now.replace_nanosecond(0).unwrap_or(now) + Duration::seconds(i64::from(now.nanosecond() > 0));
    let earliest = next_second + Duration::minutes(30);
    earliest + Duration::seconds((slot(site) - earliest.unix_timestamp()).rem_euclid(3600))
}

/// The second of the hour that is the site's own. Ids count up, and neighbours, often the sites of one customer on one
/// machine, must not come at once: each id comes the golden ratio's part of an hour, some 37 minutes, after the one
/// before, which spreads any run of ids evenly over the hour.
fn slot(site: SiteId) -> i64 {
    /// 2^64 divided by the golden ratio, odd.
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let share_of_hour = site.0.cast_unsigned().wrapping_mul(STEP);
    ((u128::from(share_of_hour) * 3600) >> 64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_site_keeps_its_slot_at_least_half_an_hour_ahead() {
        // Its slot is 37:04 after the full hour.
        let site = SiteId(1);
        assert_eq!(next_sync_after(site, datetime!(2026-01-01 10:00:00.5 UTC)), datetime!(2026-01-01 10:37:04 UTC));
        assert_eq!(next_sync_after(site, datetime!(2026-01-01 10:07:04 UTC)), datetime!(2026-01-01 10:37:04 UTC));
        assert_eq!(next_sync_after(site, datetime!(2026-01-01 10:07:04.1 UTC)), datetime!(2026-01-01 11:37:04 UTC));
    }

    #[test]
    fn any_run_of_ids_is_spread_evenly_over_the_hour() {
        for (first, count) in [(1, 10), (1, 60), (4_000, 100), (i64::MAX - 360, 360)] {
            let mut slots: Vec<i64> = (first..first + count).map(|id| slot(SiteId(id))).collect();
            slots.sort_unstable();
            slots.push(slots[0] + 3600);
            let even = 3600 / count;
            for pair in slots.windows(2) {
                let gap = pair[1] - pair[0];
                assert!(gap >= even / 3 && gap <= even * 3, "{count} ids from {first}: {gap} seconds between two");
            }
        }
    }
}
