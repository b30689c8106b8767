//! The sites that may report: their settings, what is left of them when they are removed, and what happened to them.

pub(crate) mod queries;
pub(crate) mod rows;
mod store;

use async_trait::async_trait;
use module_monitor_domain::{
    Environment, Reporting, Site, SiteEventKind, SiteId, SiteName, SiteUrl, SyncId, Tag, Tags,
};
use time::OffsetDateTime;

use crate::engine::error::StorageError;
use crate::keys::NewKey;
use crate::page::{Page, Part};

/// The sites that may report.
#[async_trait]
pub trait Sites: Send + Sync {
    /// Registers a site, with its first key where it will report over HTTP, in one transaction, and gives it as it
    /// is stored. The site of the key is the new one.
    async fn create_site(&self, site: NewSite, first_key: Option<NewKey>, actor: &str) -> Result<Site, StorageError>;

    /// Changes a site as of `now` and writes it to the administrators' log as `detail` by `actor`, in one transaction.
    /// Raises the key revision where authentication must know. `false` where there is no such site.
    async fn change_site(
        &self,
        id: SiteId,
        change: SiteChange,
        now: OffsetDateTime,
        actor: &str,
        detail: &str,
    ) -> Result<bool, StorageError>;

    /// Removes a site for good as of `now`, on behalf of `actor`: nobody finds it any more, its keys are revoked and its
    /// tags gone when this returns, in one short transaction that waits for a sync in progress. Its inventory and
    /// history are left to [`Sites::delete_leftovers`]; its audit log and a tombstone stay. `false` where there is no
    /// such site.
    async fn remove_site(&self, id: SiteId, now: OffsetDateTime, actor: &str) -> Result<bool, StorageError>;

    /// Deletes at most `batch` rows of each kind that one removed site has left, and says how many; each kind is a
    /// transaction of its own. `None` once no removed site has any. May run on several nodes at once.
    async fn delete_leftovers(&self, batch: usize) -> Result<Option<usize>, StorageError>;

    /// One site. No locks.
    async fn find_site(&self, id: SiteId) -> Result<Option<Site>, StorageError>;

    /// Sites in the order of their ids, which is the order of registration. No locks.
    async fn list_sites(&self, filter: SiteFilter, page: Page<SiteId>) -> Result<Part<Site>, StorageError>;

    /// What happened to a site as a whole, newest first. No locks.
    async fn site_events(&self, site: SiteId, page: Page<i64>) -> Result<Part<SiteEvent>, StorageError>;

    /// Tells whoever wants to know of at most `limit` sites that have become silent by `now`, each once until it reports
    /// again, and says how many there were. May run on several nodes at once.
    async fn note_silent(&self, now: OffsetDateTime, limit: usize) -> Result<usize, StorageError>;
}

/// A site to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSite {
    /// Its name.
    pub name: SiteName,
    /// Now.
    pub created_at: OffsetDateTime,
    /// Whatever else is known of it.
    pub settings: SiteChange,
}

/// What to change of a site; what is `None` stays, and `Some(None)` makes it what it is where nobody says anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteChange {
    /// Its name.
    pub name: Option<SiteName>,
    /// Its address.
    pub url: Option<Option<SiteUrl>>,
    /// Its environment, whatever it reports.
    pub environment: Option<Option<Environment>>,
    /// All of its tags.
    pub tags: Option<Tags>,
    /// Whether it may report.
    pub active: Option<bool>,
    /// Refuse reports of another identity instead of warning about them.
    pub strict_identity: Option<bool>,
    /// Syncs it may send in the rate limit's window; `Some(None)`: what the server allows.
    pub rate_limit: Option<Option<u32>>,
    /// Seconds without a report after which it is silent.
    pub silent_after: Option<Option<u32>>,
    /// `false` acknowledges a mass removal.
    pub mass_removal: Option<bool>,
    /// `false` acknowledges a conflict of identities.
    pub conflict: Option<bool>,
}

/// Which sites to list: those that meet everything that is `Some`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteFilter {
    /// With that tag.
    pub tag: Option<Tag>,
    /// Silent at that time, or not.
    pub silent: Option<(bool, OffsetDateTime)>,
    /// Whose reports arrive, or not.
    pub reporting: Option<Reporting>,
    /// Which have reported under more than one identity.
    pub conflict: Option<bool>,
    /// Which need security updates.
    pub security: Option<bool>,
    /// Whose last full report removed most of their modules.
    pub mass_removal: Option<bool>,
    /// Which may report.
    pub active: Option<bool>,
}

/// Something that happened to a site as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteEvent {
    /// Grows with every event.
    pub id: i64,
    /// The site.
    pub site_id: SiteId,
    /// What happened.
    pub kind: SiteEventKind,
    /// More of it, as JSON.
    pub detail: serde_json::Value,
    /// The sync it came with.
    pub sync_id: SyncId,
    /// When (server time).
    pub at: OffsetDateTime,
}
