//! What is removed with time, what a site may not pile up, and what nobody has any more.

mod history;
mod plans;
mod races;
mod registry;
