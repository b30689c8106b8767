//! The projects that a site names, and when those are looked up that nobody has asked about.

use std::collections::BTreeMap;

use module_monitor_domain::{Feed, ProjectName};

use crate::engine::sql_types::At;

/// New projects that one site may have looked up in a day.
pub(crate) const LOOKUPS_A_DAY: i64 = 50;

/// Projects that a site has begun to use.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) feed: Feed,
    /// With how urgent it is to know them.
    pub(crate) ranks: BTreeMap<ProjectName, u8>,
}

/// A project that a site has to have looked up, and when its turn is.
pub(crate) struct Introduction {
    pub(crate) name: String,
    pub(crate) next_check_at: At,
}
