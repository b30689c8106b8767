//! What goes with time, what goes because a site has too much of it, and what goes because nobody has it any more. Each area
//! says of its own tables what that is; here is how it is done.

pub(crate) mod statements;
mod store;
pub(crate) mod sweep;
pub(crate) mod trim;

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use crate::engine::error::StorageError;

/// Removing what is not kept for good.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Removes some of what is kept no longer of a kind, in transactions of at most `batch` rows. Begin with `after` 0, and
    /// go on with [`Pruned::next`] as long as there is one. One node at a time, or their work is done twice.
    async fn prune(&self, kind: KeptRows, cutoff: Cutoff, after: i64, batch: usize) -> Result<Pruned, StorageError>;
}

/// What a step has removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Rows of the kind; what goes with them is not counted.
    pub removed: usize,
    /// Where the next step begins; `None`: that was all.
    pub next: Option<i64>,
}

/// A kind of rows that are not kept for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptRows {
    /// Keys for idempotency.
    IdempotencyKeys,
    /// Refused syncs: by age, and so many of a site.
    RefusedSyncs,
    /// Applied syncs.
    Syncs,
    /// Jobs that are done.
    Jobs,
    /// What administrators did.
    AdminEvents,
    /// What happened to sites as a whole: by age, and so many of a site.
    SiteEvents,
    /// What happened to the modules of sites.
    ChangeSets,
    /// Findings that were closed: by age, and so many of a site.
    ClosedFindings,
    /// Acceptances that have ended.
    EndedAcceptances,
    /// Rows of modules that sites have removed.
    RemovedModules,
    /// What is known of versions that no site uses.
    Assessments,
    /// Projects that no site uses, with their releases.
    Projects,
    /// Versions that no row of a site names.
    Versions,
    /// Modules that no row of a site names.
    Modules,
}

impl KeptRows {
    /// All of them, those that hold others first.
    pub const ALL: [Self; 14] = [
        Self::IdempotencyKeys,
        Self::RefusedSyncs,
        Self::Syncs,
        Self::Jobs,
        Self::AdminEvents,
        Self::SiteEvents,
        Self::ChangeSets,
        Self::ClosedFindings,
        Self::EndedAcceptances,
        Self::RemovedModules,
        Self::Assessments,
        Self::Projects,
        Self::Versions,
        Self::Modules,
    ];

    /// The name in the log and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdempotencyKeys => "idempotency_keys",
            Self::RefusedSyncs => "refused_syncs",
            Self::Syncs => "syncs",
            Self::Jobs => "jobs",
            Self::AdminEvents => "admin_events",
            Self::SiteEvents => "site_events",
            Self::ChangeSets => "change_sets",
            Self::ClosedFindings => "closed_findings",
            Self::EndedAcceptances => "ended_acceptances",
            Self::RemovedModules => "removed_modules",
            Self::Assessments => "assessments",
            Self::Projects => "projects",
            Self::Versions => "versions",
            Self::Modules => "modules",
        }
    }
}

/// From when on what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoff {
    /// The present.
    pub now: OffsetDateTime,
    /// Syncs, refused syncs, jobs and administrators' events of before are removed.
    pub audit: OffsetDateTime,
    /// Site events, change sets, closed findings, ended acceptances and removed modules of before are removed.
    pub history: OffsetDateTime,
    /// Idempotency keys made before are removed.
    pub idempotency_keys: OffsetDateTime,
    /// How much of some kinds one site may have.
    pub of_a_site: RowBounds,
}

impl Cutoff {
    /// What sites have named first since then is left alone: whoever looks at what they report finds it.
    pub(crate) fn recent(&self) -> OffsetDateTime {
        self.now - Duration::minutes(10)
    }

    /// What was introduced before then counts no longer in the day's share of the site that introduced it.
    pub(crate) fn introduced(&self) -> OffsetDateTime {
        self.now - Duration::days(2)
    }
}

/// How many rows of a kind are kept of one site; the oldest beyond that are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowBounds {
    /// Refused syncs.
    pub refused_syncs: usize,
    /// Site events.
    pub events: usize,
    /// Closed findings.
    pub closed_findings: usize,
}

impl Default for RowBounds {
    fn default() -> Self {
        Self { refused_syncs: 10_000, events: 1_000, closed_findings: 10_000 }
    }
}
