//! Issuing keys.

use module_monitor_domain::{AdminAction, KeyName};

use super::{NewKey, queries};
use crate::admin_log;
use crate::engine::statement::BoxedSql;

/// Stores a key, tells every node, and writes down who did it.
pub(crate) fn issue(key: NewKey, actor: &str) -> [BoxedSql; 3] {
    let (site, name) = (key.site_id, key.name.as_ref().map(KeyName::as_str));
    let event = admin_log::queries::insert(key.created_at, actor, AdminAction::KeyIssued, site, &key.id, name);
    [event.boxed(), queries::insert_key(key).boxed(), queries::bump_key_revision().boxed()]
}
