//! What the feed of a project says of an installed version of it. A sync looks up those of its modules by their keys, makes
//! those that are missing, and agrees at its end with whoever has changed what they say meanwhile.

pub(crate) mod changed;
mod find;
pub(crate) mod introduce;
pub(crate) mod key;
pub(crate) mod named;
pub(crate) mod queries;
pub(crate) mod rows;
pub(crate) mod wanted;

pub(crate) use find::assess;
