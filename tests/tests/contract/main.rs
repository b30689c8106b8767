//! The stories that both backends must tell alike.

#![expect(clippy::unwrap_used, reason = "a story fails where it stands")]

mod accumulation;
mod concurrency;
mod glance;
mod glance_story;
mod guards;
mod hang_up;
mod interface;
mod keys_and_sites;
mod lenient;
mod listing;
mod orphans;
mod outages;
mod outbox;
mod prepared;
mod protection;
mod queue;
mod registry;
mod retention;
mod security;
mod seen;
mod short_pages;
mod sqlite_file;
mod statements;
mod support;
mod syncs;
mod values;
