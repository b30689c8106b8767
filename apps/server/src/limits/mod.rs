//! How much of what clients send is taken: syncs per site, reads and
//! memory per key, failed authentications per address, connections that nobody needs.

mod admission;
mod body_memory;
mod client;
mod connections;
mod failures;
mod files;
mod limiter;
mod reads;
mod redis;
mod rolling;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(crate) use admission::Admission;
pub(crate) use body_memory::{BodyMemory, NoRoom, Room};
pub(crate) use connections::{Connection, Connections, Work};
pub(crate) use failures::FailedAuthentications;
pub(crate) use files::affordable_connections;
pub(crate) use limiter::RateLimiter;
pub(crate) use reads::ReadLimiter;
