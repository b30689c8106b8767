//! What extensions are, where the reports of their sites leave that open: what administrators have settled, and which names
//! are projects on drupal.org.

pub(crate) mod identify;
pub(crate) mod queries;
pub(crate) mod rows;
mod store;

use async_trait::async_trait;
use module_monitor_domain::{MachineName, Settlement, SiteId};
use time::OffsetDateTime;

use crate::engine::error::StorageError;

/// What administrators have settled.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Settles what a site's extension is, as `actor`; `None` ends what was settled. Identifies and recounts the site
    /// under its lock, all in one transaction. `false` where the site does not have it.
    async fn settle_for_site(
        &self,
        site: SiteId,
        name: &MachineName,
        settlement: Option<Settlement>,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<bool, StorageError>;

    /// As [`Identities::settle_for_site`], for every site about which nothing else is settled. The sites are left to
    /// [`crate::Security::identify_step`]. `false` where no site ever had it.
    async fn settle_for_all(
        &self,
        name: &MachineName,
        settlement: Option<Settlement>,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<bool, StorageError>;
}
