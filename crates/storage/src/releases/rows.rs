//! Rows of projects and releases.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use module_monitor_domain::{Feed, ProjectName, ProjectStatus, Release, ReleaseHistory, ReleaseStatus, Support};

use super::{ProjectFeed, ReleaseFigures, Validators};
use crate::engine::error::StorageError;
use crate::engine::read::{moment, read, read_project};
use crate::engine::sql_types::{At, Moment};

/// A feed of a project.
#[derive(QueryableByName)]
pub(super) struct ProjectRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    feed: String,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "type")]
    project_type: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    link: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    supported_branches: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    supported_majors: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    recommended_major: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    default_major: Option<String>,
    #[diesel(sql_type = Integer)]
    malformed: i32,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(super) content_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Moment>)]
    fetched_at: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    checked_at: Option<At>,
    #[diesel(sql_type = Nullable<Moment>)]
    no_history_at: Option<At>,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    last_error_at: Option<At>,
    #[diesel(sql_type = Integer)]
    failures: i32,
    #[diesel(sql_type = Nullable<Text>)]
    etag: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_modified: Option<String>,
    #[diesel(sql_type = Moment)]
    next_check_at: At,
}

impl ProjectRow {
    /// Whether drupal.org has said that it knows no such project, and nothing was ever stored of it.
    pub(super) fn is_absent(&self) -> bool {
        self.no_history_at.is_some() && !self.is_fetched()
    }

    pub(super) fn name(&self) -> Result<ProjectName, StorageError> {
        read_project(&self.name)
    }

    pub(super) fn feed(&self) -> Result<Feed, StorageError> {
        read("feed", &self.feed, Feed::from_name(&self.feed))
    }

    pub(super) fn is_fetched(&self) -> bool {
        self.fetched_at.is_some()
    }

    fn status(&self) -> Result<ProjectStatus, StorageError> {
        read("project status", &self.status, ProjectStatus::from_name(&self.status))
    }

    fn support(&self) -> Support {
        Support {
            branches: self.supported_branches.clone(),
            majors: self.supported_majors.clone(),
            recommended_major: self.recommended_major.clone(),
            default_major: self.default_major.clone(),
        }
    }

    /// What versions are judged by: the stored history with these `releases`; else the empty one, where drupal.org said
    /// that there is none.
    pub(super) fn history(&self, releases: Vec<Release>) -> Result<Option<ReleaseHistory>, StorageError> {
        let (project, feed) = (self.name()?, self.feed()?);
        if !self.is_fetched() {
            return Ok(self.no_history_at.map(|_| ReleaseHistory::empty(project, feed)));
        }
        Ok(Some(ReleaseHistory {
            project,
            feed,
            title: self.title.clone(),
            project_type: self.project_type.clone(),
            status: self.status()?,
            link: self.link.clone(),
            support: self.support(),
            releases,
            malformed: u32::try_from(self.malformed).unwrap_or_default(),
        }))
    }
}

impl TryFrom<ProjectRow> for ProjectFeed {
    type Error = StorageError;

    fn try_from(row: ProjectRow) -> Result<Self, StorageError> {
        Ok(Self {
            project: row.name()?,
            feed: row.feed()?,
            status: row.status()?,
            support: row.support(),
            title: row.title,
            project_type: row.project_type,
            link: row.link,
            validators: Validators { etag: row.etag, last_modified: row.last_modified },
            fetched_at: moment(row.fetched_at),
            checked_at: moment(row.checked_at),
            no_history_at: moment(row.no_history_at),
            last_error: row.last_error,
            last_error_at: moment(row.last_error_at),
            failures: u32::try_from(row.failures).unwrap_or_default(),
            next_check_at: row.next_check_at.0,
        })
    }
}

/// A release.
#[derive(QueryableByName)]
pub(super) struct ReleaseRow {
    #[diesel(sql_type = BigInt)]
    project_id: i64,
    #[diesel(sql_type = Integer)]
    position: i32,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    date: Option<i64>,
    #[diesel(sql_type = Text)]
    link: String,
    #[diesel(sql_type = Bool)]
    insecure: bool,
    #[diesel(sql_type = Bool)]
    unsupported: bool,
    #[diesel(sql_type = Bool)]
    security_update: bool,
    #[diesel(sql_type = Nullable<Bool>)]
    covered: Option<bool>,
    #[diesel(sql_type = Nullable<Text>)]
    core_compatibility: Option<String>,
}

impl TryFrom<ReleaseRow> for (i64, Release) {
    type Error = StorageError;

    fn try_from(row: ReleaseRow) -> Result<Self, StorageError> {
        let release = Release {
            status: read("release status", &row.status, ReleaseStatus::from_name(&row.status))?,
            version: row.version,
            date: row.date,
            link: row.link,
            insecure: row.insecure,
            unsupported: row.unsupported,
            security_update: row.security_update,
            covered: row.covered,
            core_compatibility: row.core_compatibility,
        };
        Ok((i64::from(row.position), release))
    }
}

/// The histories of `projects`, by name; `rows` are their releases in order.
pub(super) fn histories(
    projects: &[ProjectRow],
    rows: Vec<ReleaseRow>,
) -> Result<HashMap<ProjectName, ReleaseHistory>, StorageError> {
    let mut releases: HashMap<i64, Vec<Release>> = HashMap::new();
    for row in rows {
        let project_id = row.project_id;
        let (_, release) = row.try_into()?;
        releases.entry(project_id).or_default().push(release);
    }
    let mut histories = HashMap::new();
    for project in projects {
        if let Some(history) = project.history(releases.remove(&project.id).unwrap_or_default())? {
            histories.insert(project.name()?, history);
        }
    }
    Ok(histories)
}

/// Release data as a whole.
#[derive(QueryableByName)]
pub(super) struct ReleaseFiguresRow {
    #[diesel(sql_type = Nullable<Moment>)]
    data_as_of: Option<At>,
    #[diesel(sql_type = BigInt)]
    projects: i64,
    #[diesel(sql_type = BigInt)]
    never_fetched: i64,
}

impl From<ReleaseFiguresRow> for ReleaseFigures {
    fn from(row: ReleaseFiguresRow) -> Self {
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Self {
            data_as_of: moment(row.data_as_of),
            projects: count(row.projects),
            never_fetched: count(row.never_fetched),
        }
    }
}

/// How many sites use a project.
#[derive(QueryableByName)]
pub(super) struct UsageRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) sites: i64,
}
