//! What others can be told of.

use crate::names;

names! {
    /// An event that leaves the house: what a webhook can subscribe to.
    pub enum WebhookEvent {
        /// A report was applied.
        SyncCompleted = "sync.completed",
        /// A report was refused, at once or when its turn came.
        SyncFailed = "sync.failed",
        /// A site needs a security update that it did not need before.
        SecurityUpdateAvailable = "security.update_available",
        /// A site needs a security update no longer.
        SecurityFixed = "security.fixed",
        /// A site should have reported and has not.
        SiteSilent = "site.silent",
        /// A silent site has reported.
        SiteReportingAgain = "site.reporting_again",
        /// A job of the queue is dead.
        QueueDeadLetter = "queue.dead_letter",
        /// A site reported from another environment or URL than before.
        SiteIdentityChanged = "site.identity_changed",
        /// A full report removed more than half of a site's modules.
        SiteMassRemoval = "site.mass_removal",
    }
}
