//! A key as people and programs see it, on the command line and over HTTP. Never with its secret, but once.

use module_monitor_storage::{ApiKey, NewKey};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::keys::IssuedKey;

/// The key object.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyView {
    /// The middle part of the key, which is no secret.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    pub(crate) id: String,
    /// The site it is for; `null` for an admin key.
    #[schema(format = "uuid")]
    pub(crate) site_id: Option<String>,
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
            site_id: key.site_id.map(|site| site.to_string()),
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
        let key = ApiKey { id, site_id, name, created_at, last_used_at: None, expires_at, revoked_at: None };
        Self { key: key.into(), api_key: issued.text.reveal().to_owned() }
    }
}
