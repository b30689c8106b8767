//! The Redis that nodes share.

use std::path::PathBuf;

use clap::Args;

use super::secret::{Secret, secret_file};
use crate::redis_address::{RedisAddress, RedisUrlError};

/// Which Redis to use, if any.
#[derive(Args)]
pub(super) struct RedisArgs {
    /// redis://HOST, or rediss://HOST for TLS, for several nodes on one database: rate limits that they share, and word of
    /// new jobs
    // An address may hold a password, so the help never shows the variable's value.
    #[arg(long, global = true, value_name = "URL", env = "MODULE_MONITOR_REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// A file that holds the same
    #[arg(long, global = true, value_name = "FILE", env = "MODULE_MONITOR_REDIS_URL_FILE")]
    #[arg(value_parser = secret_file, conflicts_with = "redis_url")]
    redis_url_file: Option<Secret>,
    /// The root certificates that rediss:// trusts, in PEM format; those of the system if not given
    #[arg(long, global = true, value_name = "FILE", env = "MODULE_MONITOR_REDIS_ROOT_CERTIFICATE")]
    redis_root_certificate: Option<PathBuf>,
}

impl RedisArgs {
    /// The Redis that was named, if any.
    pub(super) fn address(self) -> Result<Option<RedisAddress>, RedisUrlError> {
        let url = self.redis_url_file.map(|file| file.0).or(self.redis_url);
        url.map(|url| RedisAddress::new(&url, self.redis_root_certificate.as_deref())).transpose()
    }
}
