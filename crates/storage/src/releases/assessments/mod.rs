//! What the feed of a project says of an installed version of it. A sync looks up those of its modules by their keys,
//! after it has locked the rows of their projects for share: whoever changes what is known of a project holds that row
//! alone.

mod find;
pub(crate) mod key;
pub(crate) mod queries;
pub(crate) mod rows;
pub(crate) mod wanted;

pub(crate) use find::assess;
