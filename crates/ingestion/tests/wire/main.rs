//! What the wire contract accepts, and what it says of everything else.

mod fields;
mod glance;
mod handling;
mod hostile;
mod limits;
mod messages;
mod response;
mod samples;
mod site_fields;
mod support;
