//! A key as people and programs see it, on the command line and over HTTP. Never with its secret, but once.

use module_monitor_domain::KeyName;
use module_monitor_ingestion::FieldError;
use module_monitor_storage::{ApiKey, NewKey};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::fields::Faults;
use super::time::still_to_come;
use crate::keys::IssuedKey;

/// The key object.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyView {
    /// The middle part of the key, which is no secret.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    pub(crate) id: String,
    /// The site it is for; `null` for an admin key.
    pub(crate) site_id: Option<i64>,
    pub(crate) name: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// Written every half minute.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_used_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) revoked_at: Option<OffsetDateTime>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            site_id: key.site_id.map(|site| site.0),
            name: key.name,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key that has just been issued: the only time that its text is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedKey)]
pub(crate) struct IssuedKeyView {
    #[serde(flatten)]
    key: KeyView,
    /// The key itself. It is shown only now.
    #[schema(pattern = "^mm_[0-9a-f]{16}_[0-9a-f]{48}$")]
    api_key: String,
}

impl From<IssuedKey> for IssuedKeyView {
    fn from(issued: IssuedKey) -> Self {
        let NewKey { id, site_id, name, created_at, expires_at, .. } = issued.record;
        let name = name.map(String::from);
        let key = ApiKey { id, site_id, name, created_at, last_used_at: None, expires_at, revoked_at: None };
        Self { key: key.into(), api_key: issued.text.reveal().to_owned() }
    }
}

/// The key to issue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
pub(crate) struct WantedKey {
    /// What people call the key, on one line.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    pub(crate) name: Option<String>,
    /// When it stops working, a time in the future; never, where it is left out.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) expires_at: Option<OffsetDateTime>,
}

impl WantedKey {
    /// The name and the end of the key, or everything that is wrong with them.
    pub(crate) fn checked(
        self,
        now: OffsetDateTime,
    ) -> Result<(Option<KeyName>, Option<OffsetDateTime>), Vec<FieldError>> {
        let mut faults = Faults::default();
        let name = self.name.and_then(|name| faults.check("/name", KeyName::parse(&name)));
        let expires_at = self.expires_at.and_then(|at| {
            let expected = || "it must be a time in the future, before the year 10000".to_owned();
            faults.check("/expires_at", still_to_come(at, now).ok_or_else(expected))
        });
        faults.finish()?;
        Ok((name, expires_at))
    }
}
