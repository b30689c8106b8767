//! Rows of sites.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use module_monitor_domain::{
    CoreVersion, CoverageCounts, Fingerprint, Kept, Reporting, SecurityCounts, Site, SiteEventKind, SiteId,
    SiteIdentity, SiteState, SyncId,
};

use super::SiteEvent;
use crate::engine::error::StorageError;
use crate::engine::read::{moment, read, read_json};
use crate::engine::sql_types::{At, DbId, Id, Moment};

#[derive(QueryableByName)]
pub(super) struct SiteRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    environment: Option<String>,
    /// Separated by spaces, which no tag has.
    #[diesel(sql_type = Nullable<Text>)]
    tags: Option<String>,
    #[diesel(sql_type = Moment)]
    created_at: At,
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Bool)]
    strict_identity: bool,
    #[diesel(sql_type = Nullable<Integer>)]
    rate_limit: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    silent_after: Option<i32>,
    #[diesel(sql_type = Nullable<Moment>)]
    silent_at: Option<At>,
    #[diesel(sql_type = Integer)]
    recent_refusals: i32,
    #[diesel(sql_type = Nullable<Text>)]
    last_refusal: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    drupal_version: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    php_version: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    facts: Option<String>,
    #[diesel(sql_type = Bool)]
    partial: bool,
    #[diesel(sql_type = Nullable<Moment>)]
    last_sync_at: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    last_full_sync_at: Option<At>,
    #[diesel(sql_type = Bool)]
    mass_removal: bool,
    #[diesel(sql_type = Bool)]
    conflict: bool,
    #[diesel(sql_type = Integer)]
    kept_modules: i32,
    #[diesel(sql_type = BigInt)]
    kept_bytes: i64,
    #[diesel(sql_type = Nullable<Moment>)]
    history_since: Option<At>,
    #[diesel(embed)]
    security: SecurityRow,
}

impl TryFrom<SiteRow> for Site {
    type Error = StorageError;

    fn try_from(row: SiteRow) -> Result<Self, StorageError> {
        let recent_refusals = u32::try_from(row.recent_refusals).unwrap_or_default();
        Ok(Self {
            id: SiteId(row.id),
            name: row.name,
            url: row.url,
            environment: row.environment,
            tags: row.tags.iter().flat_map(|tags| tags.split(' ')).map(str::to_owned).collect(),
            created_at: row.created_at.0,
            active: row.active,
            strict_identity: row.strict_identity,
            rate_limit: row.rate_limit.and_then(|limit| u32::try_from(limit).ok()),
            silent_after: row.silent_after.and_then(|seconds| u32::try_from(seconds).ok()),
            silent_at: moment(row.silent_at),
            reporting: Reporting::of(recent_refusals, row.drupal_version.is_some(), row.partial),
            last_refusal: row.last_refusal,
            drupal_version: row.drupal_version,
            php_version: row.php_version,
            facts: row.facts,
            last_sync_at: moment(row.last_sync_at),
            last_full_sync_at: moment(row.last_full_sync_at),
            mass_removal: row.mass_removal,
            conflict: row.conflict,
            kept: Kept {
                modules: u32::try_from(row.kept_modules).unwrap_or_default(),
                history_bytes: u64::try_from(row.kept_bytes).unwrap_or_default(),
                history_since: moment(row.history_since),
            },
            security: row.security.try_into()?,
        })
    }
}

/// The id of a site.
#[derive(QueryableByName)]
pub(crate) struct SiteIdRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl From<SiteIdRow> for SiteId {
    fn from(row: SiteIdRow) -> Self {
        Self(row.id)
    }
}

/// The part of a site's row that a sync decides by.
#[derive(QueryableByName)]
pub(crate) struct SiteStateRow {
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Bool)]
    strict_identity: bool,
    #[diesel(sql_type = Nullable<Text>)]
    reported_environment: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reported_url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    drupal_version: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    last_sync_timestamp: Option<At>,
    #[diesel(sql_type = Nullable<Binary>)]
    fingerprint: Option<Vec<u8>>,
    #[diesel(sql_type = Bool)]
    pub(crate) mass_removal: bool,
    #[diesel(sql_type = Integer)]
    unnamed_rejections: i32,
    #[diesel(sql_type = Bool)]
    pub(crate) conflict: bool,
    #[diesel(sql_type = Bool)]
    pub(crate) silence_told: bool,
    #[diesel(sql_type = Nullable<Moment>)]
    pub(crate) last_full_sync_at: Option<At>,
    /// How far what it has changed lately reaches.
    #[diesel(sql_type = Nullable<Moment>)]
    pub(crate) busy_until: Option<At>,
    #[diesel(sql_type = Integer)]
    pub(crate) pending_jobs: i32,
    /// That of its core; `None` until its modules have assessments.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) core_assessment_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub(crate) kept_bytes: i64,
    /// How many changes of what extensions are judged by there had been.
    #[diesel(sql_type = BigInt)]
    pub(crate) changes: i64,
    #[diesel(embed)]
    pub(crate) security: SecurityRow,
}

impl SiteStateRow {
    /// Whether its modules were last looked at for that core.
    pub(crate) fn has_core(&self, core: &CoreVersion) -> bool {
        self.core_assessment_id.is_some() && self.drupal_version().as_ref() == Some(core)
    }

    pub(crate) fn drupal_version(&self) -> Option<CoreVersion> {
        self.drupal_version.as_deref().and_then(|v| CoreVersion::parse(v).ok())
    }

    pub(crate) fn state(&self) -> SiteState {
        SiteState {
            active: self.active,
            strict_identity: self.strict_identity,
            identity: SiteIdentity { environment: self.reported_environment.clone(), url: self.reported_url.clone() },
            drupal_version: self.drupal_version(),
            last_sync_timestamp: moment(self.last_sync_timestamp),
            fingerprint: self.fingerprint.as_deref().and_then(Fingerprint::from_bytes),
            mass_removal: self.mass_removal,
            unnamed_rejections: u32::try_from(self.unnamed_rejections).unwrap_or_default(),
        }
    }
}

/// The security figures of a site's row.
#[derive(Clone, QueryableByName)]
pub(crate) struct SecurityRow {
    #[diesel(sql_type = Integer)]
    security_updates_found: i32,
    #[diesel(sql_type = Integer)]
    security_projects: i32,
    #[diesel(sql_type = Integer)]
    security_unsupported: i32,
    #[diesel(sql_type = Integer)]
    security_unknown: i32,
    #[diesel(sql_type = Text)]
    coverage: String,
    #[diesel(sql_type = Nullable<Moment>)]
    security_data_as_of: Option<At>,
    #[diesel(sql_type = Bool)]
    recounting: bool,
}

impl TryFrom<SecurityRow> for SecurityCounts {
    type Error = StorageError;

    fn try_from(row: SecurityRow) -> Result<Self, StorageError> {
        Ok(Self {
            updates_found: row.security_updates_found,
            projects: row.security_projects,
            unsupported: row.security_unsupported,
            unknown: row.security_unknown,
            rest: CoverageCounts::of_list(read_json("list of figures", &row.coverage)?),
            data_as_of: moment(row.security_data_as_of),
            recounting: row.recounting,
        })
    }
}

/// What happened to a site as a whole.
#[derive(QueryableByName)]
pub(super) struct SiteEventRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    site_id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Id)]
    sync_id: DbId,
    #[diesel(sql_type = Moment)]
    at: At,
}

impl TryFrom<SiteEventRow> for SiteEvent {
    type Error = StorageError;

    fn try_from(row: SiteEventRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            site_id: SiteId(row.site_id),
            kind: read("kind of site event", &row.kind, SiteEventKind::from_name(&row.kind))?,
            detail: read_json("detail of a site event", &row.detail)?,
            sync_id: SyncId(row.sync_id.0),
            at: row.at.0,
        })
    }
}
