//! Two brothers; one comes through a glob.

mod branch;
mod leaf;

pub(crate) use branch::Branch;
pub(crate) use leaf::Leaf;
