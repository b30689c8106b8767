//! From a release history to the rows that it writes.

use module_monitor_domain::{Feed, ProjectName, Release, ReleaseHistory};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::assessments::key::Key;
use super::assessments::rows::AssessmentRow;
use crate::engine::read::json;
use crate::engine::sql_types::At;

/// Part of what is hashed: raise it when the same history is to be judged anew because the rules have changed.
const RULES: u32 = 2;

/// A release to insert.
#[derive(Serialize)]
pub(super) struct ReleaseWrite<'a> {
    pub(super) position: i32,
    pub(super) version: &'a str,
    pub(super) status: &'static str,
    pub(super) date: Option<i64>,
    #[serde(skip)] // it follows from the date
    pub(super) released_at: Option<At>,
    pub(super) link: &'a str,
    pub(super) insecure: bool,
    pub(super) unsupported: bool,
    pub(super) security_update: bool,
    pub(super) covered: Option<bool>,
    pub(super) core_compatibility: Option<&'a str>,
}

/// The releases in the order of the feed.
pub(super) fn release_writes(history: &ReleaseHistory) -> Vec<ReleaseWrite<'_>> {
    (0..).zip(&history.releases).map(|(position, release)| release_write(position, release)).collect()
}

fn release_write(position: i32, release: &Release) -> ReleaseWrite<'_> {
    ReleaseWrite {
        position,
        version: &release.version,
        status: release.status.as_str(),
        date: release.date,
        released_at: release.released_at().map(At),
        link: &release.link,
        insecure: release.insecure,
        unsupported: release.unsupported,
        security_update: release.security_update,
        covered: release.covered,
        core_compatibility: release.core_compatibility.as_deref(),
    }
}

/// A hash of everything that is stored of a history.
pub(super) fn content_hash(history: &ReleaseHistory, releases: &[ReleaseWrite<'_>]) -> Vec<u8> {
    let support = &history.support;
    let project = (
        RULES,
        (&history.title, &history.project_type, history.status.as_str(), &history.link, history.malformed),
        (&support.branches, &support.majors, &support.recommended_major, &support.default_major),
    );
    Sha256::digest(json(&(project, releases))).to_vec()
}

/// An assessment that has become another.
pub(super) struct Revision {
    pub(super) id: i64,
    pub(super) status: &'static str,
    pub(super) needs_update: bool,
    pub(super) class: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) covered: bool,
    pub(super) security_updates: String,
    pub(super) recommended: Option<String>,
    pub(super) core_compatibility: Option<String>,
    /// Whether the figures of the sites that use it may be others now.
    pub(super) counted: bool,
}

/// Those of a feed's assessments that `history` makes others, in the order of their ids. A new release that is merely
/// newer changes no figures, so that the sites need not be recounted every time a project publishes one.
pub(super) fn revisions(
    rows: Vec<AssessmentRow>,
    project: &ProjectName,
    feed: Feed,
    history: Option<&ReleaseHistory>,
    absent: bool,
) -> Vec<Revision> {
    let revise = |row: AssessmentRow| {
        let key = Key { project: project.clone(), version: row.version, datestamp: row.datestamp };
        let now = key.judge(history, absent, feed);
        let counted = row.needs_update != now.needs_update
            || row.class != now.class
            || row.reason.as_deref() != now.reason
            || row.covered != now.covered;
        let same = !counted
            && row.status == now.status
            && row.security_updates == now.security_updates
            && row.recommended == now.recommended
            && row.core_compatibility == now.core_compatibility;
        (!same).then_some(Revision {
            id: row.id,
            status: now.status,
            needs_update: now.needs_update,
            class: now.class,
            reason: now.reason,
            covered: now.covered,
            security_updates: now.security_updates,
            recommended: now.recommended,
            core_compatibility: now.core_compatibility,
            counted,
        })
    };
    let mut revisions: Vec<_> = rows.into_iter().filter_map(revise).collect();
    revisions.sort_unstable_by_key(|revision| revision.id);
    revisions
}
