//! How much of what clients send is taken: syncs per site, failed authentications per address.

mod admission;
mod failures;
mod limiter;
mod redis;
mod rolling;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(crate) use admission::Admission;
pub(crate) use failures::FailedAuthentications;
pub(crate) use limiter::RateLimiter;
pub use redis::RedisUrlError;
