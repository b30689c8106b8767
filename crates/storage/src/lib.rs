//! Keeps sites, their inventories and their history, in SQLite or PostgreSQL.
//!
//! [`connect`] opens the database that a URL names and returns it as `Arc<dyn Storage>`. Each method of the traits is
//! one unit of work: it takes a connection, runs its transaction and gives the connection back. A unit of work that has
//! begun runs to its end even when the caller stops waiting for it.
//!
//! Each area has a folder with the same doors: `mod.rs` is its trait and what goes in and out, `store.rs` its units of
//! work, `queries.rs` and `sql/` its statements, `rows.rs` what its tables hold. `engine` runs statements and knows no
//! table of theirs.

mod admin_log;
mod bounds;
mod connect;
mod engine;
mod identities;
mod inventory;
mod keys;
mod orphans;
mod outbox;
mod page;
mod recounts;
mod registry;
mod releases;
mod retention;
mod security;
mod site_bounds;
mod sites;
mod storage;
mod syncs;

pub use admin_log::{AdminEvent, AdminLog};
pub use bounds::{BoundedSites, Bounds, BranchCounts};
pub use connect::connect;
pub use engine::error::StorageError;
pub use engine::options::{StatementObserver, StorageOptions};
pub use identities::Identities;
pub use inventory::{Inventory, InventoryFilter, ModuleHistory};
pub use keys::{ApiKey, KeyGrant, KeyUse, Keys, NewKey};
pub use orphans::{Orphaned, Orphans};
pub use outbox::{NewWebhook, Outbox, OutboxEvent, Webhook};
pub use page::{PAGE_BYTES, Page, Part};
pub use registry::{ModuleCorrection, ModuleFilter, ModuleSite, ModuleSitesFilter, Registry};
pub use releases::{Check, CheckOutcome, Fetched, ProjectFeed, ReleaseFigures, Releases, StoredHistory, Validators};
pub use retention::{Cutoff, KeptRows, Pruned, Retention, RowBounds};
pub use security::{
    Acceptance, AcceptedRisk, FixedFinding, NewAcceptance, ProjectSite, ProjectSitesFilter, RecountDifference,
    RecountPage, Security, SecurityFilter, SecurityTotals, SecurityUpdate, SiteWithout, TotalsFilter,
};
pub use site_bounds::SiteBounds;
pub use sites::{NewSite, SiteChange, SiteEvent, SiteFilter, Sites};
pub use storage::Storage;
pub use syncs::Syncs;
pub use syncs::command::{GlancedReport, IdempotencyKey, JobLease, SyncCommand, SyncOrigin, Via};
pub use syncs::log::{Audit, Rejections, SyncRecord};
pub use syncs::queue::{
    Claim, Claimant, ClaimedJob, Departure, Enqueued, ExpiredLetter, Job, JobError, JobState, Jobs, NewJob,
    QueueBounds, QueueFigures,
};
pub use syncs::result::{AppliedSync, SyncResult};
