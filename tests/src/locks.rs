//! Standing in the way of syncs.

use crate::backends::Backend;
use crate::raw::RawConnection;

/// Keeps every sync of a site from being applied until it is released: the lock on its row, or on the whole SQLite file.
pub struct SiteLock(RawConnection);

impl SiteLock {
    /// Takes the lock in the database at `url`.
    pub async fn take(url: &str, site: &str) -> Self {
        let mut raw = RawConnection::open(url).await;
        match raw.backend() {
            Backend::Sqlite => raw.execute("BEGIN IMMEDIATE").await,
            Backend::Postgres => {
                raw.execute(&format!("BEGIN; SELECT FROM sites WHERE id = {site} FOR UPDATE")).await;
            }
        }
        Self(raw)
    }

    /// Takes the lock where nobody has it now.
    pub async fn try_take(url: &str, site: &str) -> Option<Self> {
        let mut raw = RawConnection::open(url).await;
        let taken = match raw.backend() {
            Backend::Sqlite => raw.try_execute("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE").await,
            Backend::Postgres => {
                raw.try_execute(&format!("BEGIN; SELECT FROM sites WHERE id = {site} FOR UPDATE NOWAIT")).await
            }
        };
        taken.then_some(Self(raw))
    }

    /// Lets go of it.
    pub async fn release(mut self) {
        self.0.execute("ROLLBACK").await;
    }
}
