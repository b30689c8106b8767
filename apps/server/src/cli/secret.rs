//! Settings that may hold a password.

use std::fs;

/// The content of a file, without white space around it.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);

/// Reads the file at `path`.
pub(super) fn secret_file(path: &str) -> Result<Secret, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"))?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        text => Ok(Secret(text.to_owned())),
    }
}
