//! API keys: their text, and what a node knows of them.

mod api_key;
mod keyring;

pub(crate) use api_key::KeyId;
pub use api_key::{IssuedKey, KeyText, PresentedKey, issue};
pub(crate) use keyring::{Keyring, POLL_INTERVAL};
