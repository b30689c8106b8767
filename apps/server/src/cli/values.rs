//! Values on the command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use module_monitor_domain::ProjectName;

/// Resolves `HOST:PORT`.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| format!("{error}; expected is HOST:PORT"))?;
    found.next().ok_or_else(|| "the name has no address".to_owned())
}

/// The short name of a drupal.org project.
pub(super) fn project(text: &str) -> Result<ProjectName, String> {
    ProjectName::parse(text).map_err(|error| error.to_string())
}

/// Parses a time such as `90m`.
pub(super) fn time_between(text: &str, least: &str, most: &str) -> Result<Duration, String> {
    let parse = |text| humantime::parse_duration(text).map_err(|error| error.to_string());
    let time = parse(text)?;
    if (parse(least)?..=parse(most)?).contains(&time) {
        Ok(time)
    } else {
        Err(format!("it must be from {least} to {most}"))
    }
}
