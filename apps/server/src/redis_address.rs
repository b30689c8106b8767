//! Where Redis is, and how connections to it are encrypted.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use deadpool_redis::redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsCertificates};

/// How a certificate begins in a file.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// The address of a Redis cannot be used. The text has nothing secret in it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RedisUrlError(String);

/// A Redis that has not been asked yet.
#[derive(Clone)]
pub struct RedisAddress(ConnectionInfo);

impl RedisAddress {
    /// The Redis at `url`, `redis://…`, or `rediss://…` for TLS: its certificate must be for the host, and signed by one in
    /// the file `root`, or by one that the system trusts.
    pub fn new(url: &str, root: Option<&Path>) -> Result<Self, RedisUrlError> {
        let info = url.into_connection_info().map_err(|_| of_form())?;
        match (info.addr(), root) {
            (ConnectionAddr::TcpTls { insecure: true, .. }, _) => Err(refused(
                "#insecure is not supported: without the \
                certificate anybody could be the server",
            )),
            (ConnectionAddr::TcpTls { .. }, Some(root)) => {
                let unusable = |why: &dyn Display| {
                    refused(format!("the root certificate {} cannot be used: {why}", root.display()))
                };
                let pem = fs::read(root).map_err(|error| unusable(&error))?;
                if !pem.windows(CERTIFICATE.len()).any(|text| text == CERTIFICATE) {
                    return Err(unusable(&"it has no certificate in it"));
                }
                let root_cert = Some(pem);
                let certificates = TlsCertificates { client_tls: None, root_cert };
                let client = Client::build_with_tls(info, certificates).map_err(|error| unusable(&error))?;
                Ok(Self(client.get_connection_info().clone()))
            }
            (_, Some(_)) => Err(refused("a root certificate needs rediss://, which is Redis with TLS")),
            (_, None) => Ok(Self(info)),
        }
    }

    /// What a connection is made with.
    pub(crate) fn info(&self) -> ConnectionInfo {
        self.0.clone()
    }
}

impl RedisUrlError {
    /// What cannot be used for another reason.
    pub(crate) fn of(why: &dyn Display) -> Self {
        Self(why.to_string())
    }
}

fn refused(why: impl Into<String>) -> RedisUrlError {
    RedisUrlError(why.into())
}

fn of_form() -> RedisUrlError {
    refused("expected is redis://HOST, or redis://USER:PASSWORD@HOST:PORT/DATABASE; rediss:// for TLS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_met_is_refused_without_the_password() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (url, root, why) in [
            ("", None, "expected is redis://"),
            ("127.0.0.1", None, "expected is redis://"),
            ("http://:swordfish@host", None, "expected is redis://"),
            ("redis://:swordfish@host:port", None, "expected is redis://"),
            ("rediss://:swordfish@host#insecure", None, "#insecure is not supported"),
            ("redis://:swordfish@host", Some(file.path()), "needs rediss://"),
            ("rediss://:swordfish@host", Some(Path::new("/no/such.pem")), "/no/such.pem cannot be used"),
            ("rediss://:swordfish@host", Some(file.path()), "cannot be used"),
        ] {
            let text = RedisAddress::new(url, root).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(text.contains(why) && !text.contains("swordfish"), "{url}: {text}");
        }
        assert!(RedisAddress::new("rediss://:swordfish@host", None).is_ok());
    }
}
