//! What administrators manage: sites and their filters, removal, the registry, and what all of it costs.

mod bounds;
mod plans;
mod refusals;
mod registry;
mod removal;
mod sites;
