//! What administrators do.

use crate::names;

names! {
    /// What the administrators' log tells of.
    pub enum AdminAction {
        /// A site was registered.
        SiteCreated = "site.created",
        /// What is said of a site was changed.
        SiteChanged = "site.changed",
        /// A site was removed.
        SiteRemoved = "site.removed",
        /// A key was issued.
        KeyIssued = "key.issued",
        /// A key was revoked.
        KeyRevoked = "key.revoked",
        /// What the registry says of a module was corrected.
        ModuleCorrected = "module.corrected",
        /// What an extension is was settled, or is open again.
        IdentitySettled = "identity.settled",
        /// The release data of a project was asked for.
        ProjectRefreshRequested = "project.refresh_requested",
        /// A risk was accepted.
        AcceptanceCreated = "acceptance.created",
        /// An accepted risk was withdrawn.
        AcceptanceWithdrawn = "acceptance.withdrawn",
        /// The time of an accepted risk was up.
        AcceptanceExpired = "acceptance.expired",
        /// A dead letter went back to the queue.
        JobRetried = "job.retried",
        /// A dead letter was thrown away.
        JobDiscarded = "job.discarded",
        /// A webhook was registered.
        WebhookCreated = "webhook.created",
        /// A webhook was removed.
        WebhookRemoved = "webhook.removed",
    }
}
