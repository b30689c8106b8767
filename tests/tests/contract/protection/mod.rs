//! What protects a server: idempotency keys, the audit log, and what authentication knows.

mod audit;
mod idempotency;
mod keys;
