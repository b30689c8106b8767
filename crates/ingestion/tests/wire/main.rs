//! What the wire contract accepts, and what it says of everything else.

mod fields;
mod handling;
mod hostile;
mod limits;
mod response;
mod samples;
mod support;
