//! API keys: `mm_<public id>_<secret>`.
//!
//! The public id finds the key in the database and may appear in logs and listings. The secret is shown once, when the
//! key is issued; only its SHA-256 is stored. It has 192 random bits, so a plain fast hash is enough.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use module_monitor_domain::{KeyName, SiteId};
use module_monitor_storage::NewKey;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

const PREFIX: &str = "mm_";
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 24;

/// What an unknown key is compared with, so that it takes as long to refuse as a wrong secret.
const NO_HASH: [u8; 32] = [0; 32];

/// The text of an API key. It never shows in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// The key itself, to be shown to its owner once and sent in requests.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(hidden)")
    }
}

/// The public id of a key: what listings show and addresses name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyId(pub(crate) String);

impl FromStr for KeyId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if is_hex(text, ID_BYTES) { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

/// A key that has just been made: what to store and what to show.
pub struct IssuedKey {
    /// What the database keeps.
    pub record: NewKey,
    /// What its owner is given.
    pub text: KeyText,
}

/// Makes a key for one site, or an admin key where `site` is `None`. Fails only when the system has no randomness.
pub fn issue(
    site: Option<SiteId>,
    name: Option<KeyName>,
    now: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
) -> Result<IssuedKey, getrandom::Error> {
    let id = random_hex::<ID_BYTES>()?;
    let secret = random_hex::<SECRET_BYTES>()?;
    let text = KeyText(format!("{PREFIX}{id}_{secret}"));
    let record = NewKey { id, site_id: site, name, secret_hash: hash(&secret), created_at: now, expires_at };
    Ok(IssuedKey { record, text })
}

/// A key as a client presented it, taken apart. Nothing says yet that it is valid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedKey<'a> {
    /// The public id.
    pub id: &'a str,
    secret: &'a str,
}

impl fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<'a> PresentedKey<'a> {
    /// Takes `text` apart; `None` where it is not of the form of a key.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let well_formed = is_hex(id, ID_BYTES) && is_hex(secret, SECRET_BYTES);
        well_formed.then_some(Self { id, secret })
    }

    /// Whether the secret is the one that was stored. `None`, for an unknown key, is never right and takes as long.
    pub fn matches(&self, stored: Option<&[u8; 32]>) -> bool {
        let equal = hash(self.secret).ct_eq(stored.unwrap_or(&NO_HASH));
        bool::from(equal) && stored.is_some()
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn random_hex<const N: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes))
}

fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == bytes * 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued() -> IssuedKey {
        issue(None, None, OffsetDateTime::UNIX_EPOCH, None).unwrap()
    }

    #[test]
    fn an_issued_key_is_read_back_and_matches_only_its_own_hash() {
        let (key, other) = (issued(), issued());
        let presented = PresentedKey::parse(key.text.reveal()).unwrap();
        assert_eq!(presented.id, key.record.id);
        assert!(presented.matches(Some(&key.record.secret_hash)));
        assert!(!presented.matches(Some(&other.record.secret_hash)));
        assert!(!presented.matches(Some(&NO_HASH)));
        assert!(!presented.matches(None));
        assert_ne!(key.text, other.text);
    }

    #[test]
    fn whatever_is_not_of_the_form_is_no_key() {
        let good = issued().text.reveal().to_owned();
        let upper = good.to_uppercase();
        let longer = format!("{good}0");
        for bad in
            ["", "mm_", "mm__", "mm_0011223344556677_", &good[3..], &good[..good.len() - 1], &longer, &upper, "é"]
        {
            assert_eq!(PresentedKey::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let key = issued();
        let secret = key.text.reveal().rsplit('_').next().unwrap();
        let shown = format!("{:?} {:?}", key.text, PresentedKey::parse(key.text.reveal()));
        assert!(!shown.contains(secret), "{shown}");
    }
}
