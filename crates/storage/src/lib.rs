//! Keeps sites, their inventories and their history, in SQLite or PostgreSQL.
//!
//! [`connect`] opens the database that a URL names and returns it as `Arc<dyn Storage>`. Each method of the traits is
//! one unit of work: it takes a connection, runs its transaction and gives the connection back. A unit of work that has
//! begun runs to its end even when the caller stops waiting for it.

mod assess;
mod audit_queries;
mod backend;
mod connect;
mod error;
mod history;
mod id_cache;
mod jobs;
mod migrations;
mod postgres;
mod queries;
mod records;
mod registry_queries;
mod release_queries;
mod rows;
mod runtime;
mod security_queries;
mod security_records;
mod security_traits;
mod security_units;
mod site_queries;
mod sql_types;
mod sqlite;
mod statement;
mod sync_writes;
mod traits;
mod transaction;

pub use connect::{StatementObserver, StorageOptions, connect};
pub use error::StorageError;
pub use jobs::{
    Claim, Claimant, ClaimedJob, Departure, Enqueued, Job, JobError, JobLease, JobState, NewJob, QueueBounds,
    QueueFigures,
};
pub use records::{
    AdminEvent, ApiKey, AppliedSync, Cutoff, IdempotencyKey, InventoryFilter, KeyGrant, KeyUse, ModuleCorrection,
    ModuleFilter, ModuleSite, ModuleSitesFilter, NewKey, NewSite, Page, Rejections, SiteChange, SiteFilter,
    SyncCommand, SyncOrigin, SyncRecord, SyncResult, Via,
};
pub use security_records::{
    Acceptance, AcceptedRisk, Check, CheckOutcome, Fetched, FixedFinding, NewAcceptance, ProjectFeed, ProjectSite,
    RecountDifference, RecountPage, ReleaseFigures, SecurityFilter, SecurityUpdate, StoredHistory, Validators,
};
pub use security_traits::{Releases, Security};
pub use traits::{Audit, Inventory, Jobs, Keys, Registry, Sites, Storage, Syncs};
