//! Reading drupal.org's release history: what it says, and what is refused.

mod broken;
mod documents;
mod properties;
mod support;
