//! The shapes on the wire that HTTP, the command line and every other face share: what may be sent, and how things are
//! shown. Each has its schema; nothing here knows of requests.

pub(crate) mod acceptances;
pub(crate) mod audit;
pub(crate) mod coverage;
pub(crate) mod csv;
pub(crate) mod fields;
pub(crate) mod identities;
pub(crate) mod inventory;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod projects;
pub(crate) mod queue;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod security;
pub(crate) mod site_changes;
pub(crate) mod site_events;
pub(crate) mod sites;
pub(crate) mod time;
pub(crate) mod visible;
pub(crate) mod webhooks;
pub(crate) mod words;
