//! What a test does where something that it needs is missing.

use std::env;
use std::io::{self, Write};

/// Fails, unless the environment variable `SKIP` lists `name`, as in `SKIP=redis,php`: then it prints what is skipped and
/// why, past the capture of test output, so that a run which checked less never looks like one that checked everything.
///
/// # Panics
/// Where `SKIP` does not list `name`.
pub fn skip_or_fail(name: &str, because: &str) {
    let allowed = env::var("SKIP").unwrap_or_default();
    assert!(
        allowed.split(',').any(|listed| listed.trim() == name),
        "{because}; `just test` provides {name}, and SKIP={name} goes without it"
    );
    // One write, so that the lines of tests that run at the same time stay whole.
    let line = format!("skipped: {name}, because {because}\n");
    io::stderr().write_all(line.as_bytes()).expect("a standard error");
}
