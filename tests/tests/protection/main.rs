//! What anyone on the internet may try, and what a site may rely on: over HTTP, on both databases.

mod accumulation;
mod attack;
mod audit;
mod bombs;
mod bounds;
mod hardening;
mod hostile;
mod idempotency;
mod keyring;
mod sharing;
mod shedding;
mod support;
