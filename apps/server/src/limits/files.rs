//! How many connections the system lets a process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are neither connections of clients nor of the database: the log, listeners, Redis, webhooks, drupal.org.
const OTHERS: u64 = 128;

/// Raises the limit of open files as far as the system allows, and says how many connections may be served: `wanted`, or
/// as many as there are files for beside the database's connections.
pub(crate) fn affordable_connections(wanted: u32, database: u32) -> u32 {
    let affordable = affordable(raised_limit(), u64::from(database));
    if affordable < u64::from(wanted) {
        tracing::warn!(wanted, served = affordable, "the limit of open files allows fewer connections");
    }
    u32::try_from(affordable.min(u64::from(wanted))).unwrap_or(wanted)
}

/// A connection takes a file, and half of them may be strangers', which take two. A connection to the database may be a
/// file, its log and its index.
fn affordable(files: u64, database: u64) -> u64 {
    (files.saturating_sub(OTHERS + 3 * database) * 2 / 3).max(1)
}

/// The limit of open files, after it has been raised.
fn raised_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files could not be raised");
        return current.unwrap_or(u64::MAX);
    }
    maximum.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_follow_the_files_there_are() {
        assert!(affordable(1024, 10) < 600);
        assert_eq!(affordable(100, 10), 1, "it serves all the same");
        let files = affordable(u64::MAX / 4, 10);
        assert!(files > 1_000_000, "{files}");
        assert!(affordable_connections(4, 1) <= 4);
    }
}
