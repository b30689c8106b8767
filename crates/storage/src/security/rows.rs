//! Rows of findings and accepted risks.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use module_monitor_domain::{CoverageCounts, MachineName, SecurityCounts, SiteId};

use super::{
    Acceptance, AcceptedRisk, FixedFinding, ProjectSite, RecountDifference, RecountPage, SecurityTotals,
    SecurityUpdate, SiteWithout,
};
use crate::bounds::{BoundedSites, Bounds, BranchCounts, side};
use crate::engine::error::StorageError;
use crate::engine::read::{moment, read_class, read_json, read_name, read_project, read_reason, read_status};
use crate::engine::sql_types::{At, DbId, Id, Moment};
use crate::page::Part;
use crate::sites::rows::SecurityRow;

fn known_version(version: String) -> Option<String> {
    Some(version).filter(|version| !version.is_empty())
}

/// A project of a site that asks for something.
#[derive(QueryableByName)]
pub(super) struct SecurityUpdateRow {
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Text)]
    site_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    project: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    insecure_since: Option<At>,
    /// Separated by spaces, which no name has; none where a site's core stands for itself.
    #[diesel(sql_type = Nullable<Text>)]
    modules: Option<String>,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = Nullable<Text>)]
    unknown_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    recommended: Option<String>,
    #[diesel(sql_type = Text)]
    security_updates: String,
    /// Of the risk that covers all of the modules.
    #[diesel(sql_type = Nullable<Id>)]
    acceptance_id: Option<DbId>,
    #[diesel(sql_type = Nullable<Moment>)]
    until: Option<At>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
}

impl SecurityUpdateRow {
    fn accepted(&self) -> Option<AcceptedRisk> {
        Some(AcceptedRisk { id: self.acceptance_id?.0, until: self.until?.0, reason: self.reason.clone()? })
    }
}

impl TryFrom<SecurityUpdateRow> for SecurityUpdate {
    type Error = StorageError;

    fn try_from(row: SecurityUpdateRow) -> Result<Self, StorageError> {
        let modules = row.modules.iter().flat_map(|names| names.split(' '));
        Ok(Self {
            site_id: SiteId(row.site_id),
            project: row.project.as_deref().map(read_project).transpose()?,
            status: row.status.as_deref().map(read_status).transpose()?,
            security_updates: read_json("list of security releases", &row.security_updates)?,
            class: read_class(&row.class)?,
            unknown: row.unknown_reason.as_deref().map(read_reason).transpose()?,
            modules: modules.map(read_name).collect::<Result<_, _>>()?,
            insecure_since: moment(row.insecure_since),
            accepted: row.accepted(),
            site_name: row.site_name,
            version: known_version(row.version),
            recommended: row.recommended,
        })
    }
}

/// A module of a project, or that a site has the project without one, with the totals of the list; without a site they are
/// all it says.
#[derive(QueryableByName)]
pub(super) struct ProjectModuleRow {
    #[diesel(sql_type = BigInt)]
    same_total: i64,
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    site_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    site_name: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    same: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    machine_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    version: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
}

/// One entry for each site; `rows` come together, the version that counts first.
pub(super) fn project_sites(
    bounds: &Bounds,
    rows: Vec<ProjectModuleRow>,
    limit: usize,
) -> Result<BoundedSites<ProjectSite>, StorageError> {
    let (same, total) = rows.first().map_or((0, 0), |row| (row.same_total, row.total));
    let mut sites: Vec<ProjectSite> = Vec::new();
    for row in rows {
        let (Some(site_id), Some(site_name), Some(status)) = (row.site_id.map(SiteId), row.site_name, row.status)
        else {
            continue;
        };
        let name: Option<MachineName> = row.machine_name.as_deref().map(read_name).transpose()?;
        match sites.last_mut().filter(|site| site.site_id == site_id) {
            Some(site) => site.modules.extend(name),
            None => sites.push(ProjectSite {
                site_id,
                site_name,
                version: row.version.and_then(known_version),
                branch: side(row.same.map(|same| same == 1)),
                status: read_status(&status)?,
                modules: name.into_iter().collect(),
            }),
        }
    }
    sites.iter_mut().for_each(|site| site.modules.sort());
    let sites = Part::of(sites, limit);
    Ok(BoundedSites { sites, counts: bounds.counts(|| BranchCounts::of(same, total)) })
}

/// A site that does not have a project.
#[derive(QueryableByName)]
pub(super) struct SiteWithoutRow {
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Text)]
    site_name: String,
}

impl From<SiteWithoutRow> for SiteWithout {
    fn from(row: SiteWithoutRow) -> Self {
        Self { site_id: SiteId(row.site_id), site_name: row.site_name }
    }
}

/// A security update that is no longer needed.
#[derive(QueryableByName)]
pub(super) struct FixedRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Text)]
    site_name: String,
    #[diesel(sql_type = Text)]
    project: String,
    #[diesel(sql_type = Moment)]
    insecure_since: At,
    #[diesel(sql_type = Moment)]
    fixed_at: At,
}

impl TryFrom<FixedRow> for FixedFinding {
    type Error = StorageError;

    fn try_from(row: FixedRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            site_id: SiteId(row.site_id),
            site_name: row.site_name,
            project: read_project(&row.project)?,
            insecure_since: row.insecure_since.0,
            fixed_at: row.fixed_at.0,
        })
    }
}

/// An accepted risk.
#[derive(QueryableByName)]
pub(super) struct AcceptanceRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Text)]
    project: String,
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = Nullable<Text>)]
    from_version: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    to_version: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    site_id: Option<i64>,
    #[diesel(sql_type = Moment)]
    until: At,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Moment)]
    created_at: At,
    #[diesel(sql_type = Text)]
    created_by: String,
    #[diesel(sql_type = Nullable<Moment>)]
    ended_at: Option<At>,
    #[diesel(sql_type = Nullable<Text>)]
    ended_reason: Option<String>,
}

impl TryFrom<AcceptanceRow> for Acceptance {
    type Error = StorageError;

    fn try_from(row: AcceptanceRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id.0,
            project: read_project(&row.project)?,
            class: read_class(&row.class)?,
            from: row.from_version,
            to: row.to_version,
            site_id: row.site_id.map(SiteId),
            until: row.until.0,
            reason: row.reason,
            created_at: row.created_at.0,
            created_by: row.created_by,
            ended_at: moment(row.ended_at),
            ended_reason: row.ended_reason,
        })
    }
}

/// The figures of sites together.
#[derive(QueryableByName)]
pub(super) struct TotalsRow {
    #[diesel(embed)]
    security: SecurityRow,
    #[diesel(sql_type = BigInt)]
    sites_with_unknown: i64,
}

impl TryFrom<TotalsRow> for SecurityTotals {
    type Error = StorageError;

    fn try_from(row: TotalsRow) -> Result<Self, StorageError> {
        Ok(Self { security: row.security.try_into()?, sites_with_unknown: row.sites_with_unknown })
    }
}

/// A site's figures as they are stored, and as its modules have them.
#[derive(QueryableByName)]
pub(super) struct FiguresRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    stored_updates_found: i32,
    #[diesel(sql_type = Integer)]
    stored_projects: i32,
    #[diesel(sql_type = Integer)]
    stored_unsupported: i32,
    #[diesel(sql_type = Integer)]
    stored_unknown: i32,
    #[diesel(sql_type = Text)]
    stored_coverage: String,
    #[diesel(sql_type = Integer)]
    counted_updates_found: i32,
    #[diesel(sql_type = Integer)]
    counted_projects: i32,
    #[diesel(sql_type = Integer)]
    counted_unsupported: i32,
    #[diesel(sql_type = Integer)]
    counted_unknown: i32,
    #[diesel(sql_type = Text)]
    counted_coverage: String,
    #[diesel(sql_type = BigInt)]
    wrong_findings: i64,
}

impl TryFrom<FiguresRow> for RecountDifference {
    type Error = StorageError;

    fn try_from(row: FiguresRow) -> Result<Self, StorageError> {
        let rest = |list: &str| Ok::<_, StorageError>(CoverageCounts::of_list(read_json("list of figures", list)?));
        Ok(Self {
            site_id: SiteId(row.id),
            site_name: row.name,
            stored: SecurityCounts {
                updates_found: row.stored_updates_found,
                projects: row.stored_projects,
                unsupported: row.stored_unsupported,
                unknown: row.stored_unknown,
                rest: rest(&row.stored_coverage)?,
                data_as_of: None,
                recounting: false,
            },
            counted: SecurityCounts {
                updates_found: row.counted_updates_found,
                projects: row.counted_projects,
                unsupported: row.counted_unsupported,
                unknown: row.counted_unknown,
                rest: rest(&row.counted_coverage)?,
                data_as_of: None,
                recounting: false,
            },
            findings: row.wrong_findings,
        })
    }
}

/// The sites of a page of at most `limit` that differ.
pub(super) fn recount_page(rows: Vec<FiguresRow>, limit: usize) -> Result<RecountPage, StorageError> {
    let next = (rows.len() >= limit).then(|| rows.last().map(|row| SiteId(row.id))).flatten();
    let sites = rows.len();
    let mut differences = rows.into_iter().map(RecountDifference::try_from).collect::<Result<Vec<_>, _>>()?;
    differences.retain(|site| site.stored != site.counted || site.findings > 0);
    Ok(RecountPage { sites, differences, next })
}
