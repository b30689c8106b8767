//! The ids of sites and of syncs.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The id of a site: a number from 1 up, which its database gives and never gives again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub i64);

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not the id of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a site id is a whole number from 1 up, without a sign or leading zeros")]
pub struct SiteIdError;

impl FromStr for SiteId {
    type Err = SiteIdError;

    /// Reads the canonical decimal form alone, so that a site has one address.
    fn from_str(text: &str) -> Result<Self, SiteIdError> {
        let canonical = text.starts_with(|first| matches!(first, '1'..='9'));
        text.parse().ok().filter(|_| canonical).map(Self).ok_or(SiteIdError)
    }
}

/// The id of one sync, `sync_` and a UUID on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncId(pub Uuid);

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sync_{}", self.0)
    }
}

/// The text is not the id of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sync id is \"sync_\" followed by a UUID")]
pub struct SyncIdError;

impl FromStr for SyncId {
    type Err = SyncIdError;

    fn from_str(text: &str) -> Result<Self, SyncIdError> {
        let uuid = text.strip_prefix("sync_").ok_or(SyncIdError)?;
        uuid.parse().map(Self).map_err(|_| SyncIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn site_ids_are_canonical_decimals_from_1_up() {
        for id in [1, 10, i64::MAX] {
            assert_eq!(SiteId(id).to_string().parse(), Ok(SiteId(id)));
        }
        let uuid = Uuid::from_u128(7).to_string();
        for bad in ["", "0", "01", "+1", "-1", " 1", "1 ", "1\n", "1.0", "1e3", "0x1", "1_000", "\u{661}", "x", &uuid] {
            assert_eq!(bad.parse::<SiteId>(), Err(SiteIdError), "{bad:?}");
        }
        assert_eq!("9223372036854775808".parse::<SiteId>(), Err(SiteIdError), "one more than fits");
    }

    #[test]
    fn sync_ids_round_trip_and_nothing_else_is_one() {
        let id = SyncId(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "sync_", "sync_x", "00000000-0000-0000-0000-000000000007"] {
            assert_eq!(bad.parse::<SyncId>(), Err(SyncIdError), "{bad}");
        }
    }
}
