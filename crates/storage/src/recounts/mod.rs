//! Sites whose figures are to be counted again because something has changed that does not lie in them: what is known of
//! releases, an accepted risk, what a name stands for. The work follows the sites, however much one of them has invented.

pub(crate) mod queries;
