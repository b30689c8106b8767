//! Release data, what it says of the sites' modules, and accepted risks.

mod acceptances;
mod bounds;
mod cost;
mod figures;
mod findings;
mod lookups;
mod moves;
mod races;
mod random;
mod release_data;
mod subscribers;
mod support;
mod totals;
mod unused;
