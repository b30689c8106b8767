//! What has happened to a site.

use crate::names;

names! {
    /// What can happen to a site that its administrators should look at.
    pub enum SiteEventKind {
        /// It reported from another environment or URL than before.
        IdentityChanged = "identity_changed",
        /// A full report removed more than half of its modules; see [`Site::mass_removal`](crate::Site::mass_removal).
        MassRemoval = "mass_removal",
    }
}
