//! How connections to PostgreSQL are encrypted: `sslmode` and `sslrootcert` of the URL, with libpq's meaning.

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::ConnectionError;
use diesel::result::ConnectionResult;
use diesel_async::AsyncPgConnection;
use percent_encoding::percent_decode_str;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::error::StorageError;
use super::verifier::Lenient;

/// How much of TLS a URL asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// None.
    Disable,
    /// Encrypted where the server can, and otherwise logged.
    Prefer,
    /// Encrypted, whoever the server is.
    Require,
    /// With a certificate that the root has signed.
    VerifyCa,
    /// And that is for the host of the URL.
    VerifyFull,
}

impl Mode {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}

/// How a database is reached, encrypted or not.
#[derive(Clone)]
pub(super) struct Tls {
    mode: Mode,
    /// Whether the URL says so itself.
    asked: bool,
    connector: MakeRustlsConnect,
    /// Whether the log has a line about connections that are not encrypted.
    told: Arc<AtomicBool>,
}

impl Tls {
    /// Takes out of `url` what is about TLS, and reads the root certificate; the rest is for tokio-postgres, which does not
    /// know all of it.
    pub(super) fn of_url(url: &str) -> Result<(String, Self), StorageError> {
        let (mut mode, mut root) = (None, None);
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", name)) => mode = Some(named(name)?),
                Some(("sslrootcert", path)) => root = Some(percent_decode_str(path).decode_utf8_lossy().into_owned()),
                _ => rest.push(pair),
            }
        }
        let url = if rest.is_empty() { address.to_owned() } else { format!("{address}?{}", rest.join("&")) };
        let asked = mode.is_some();
        let mode = match (mode, &root) {
            (None | Some(Mode::Disable | Mode::Prefer), Some(_)) => {
                return Err(refused("sslrootcert needs sslmode=verify-full"));
            }
            // With a root to compare with, libpq does.
            (Some(Mode::Require), Some(_)) => Mode::VerifyCa,
            (mode, _) => mode.unwrap_or(Mode::Prefer),
        };
        let connector = MakeRustlsConnect::new(client_config(mode, root.as_deref())?);
        Ok((url, Self { mode, asked, connector, told: Arc::default() }))
    }

    /// Connects as the URL asks for. Where it only prefers TLS and the server has none, the log says so, once.
    pub(super) async fn connect(&self, config: &tokio_postgres::Config) -> ConnectionResult<AsyncPgConnection> {
        let is_socket = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        match self.mode {
            Mode::Disable => self.connect_by(SslMode::Disable, config).await,
            // Nothing leaves the machine, and libpq ignores the mode, too.
            _ if is_socket => self.connect_by(SslMode::Disable, config).await,
            Mode::Prefer => match self.connect_by(SslMode::Require, config).await {
                // Of several servers the error is the last one's, and says nothing of the others.
                Err(error) if has_no_tls(&error) || config.get_hosts().len() > 1 => {
                    let plain = self.connect_by(SslMode::Prefer, config).await?;
                    let is_harmless = !self.asked && is_local(config);
                    if !is_harmless && !self.told.swap(true, Ordering::Relaxed) {
                        tracing::warn!(
                            "connections to PostgreSQL are not encrypted: the server offers no TLS; write sslmode=disable \
                             in the URL where that is intended, or sslmode=verify-full where it must not be"
                        );
                    }
                    Ok(plain)
                }
                connected => connected,
            },
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => self.connect_by(SslMode::Require, config).await,
        }
    }

    async fn connect_by(&self, mode: SslMode, config: &tokio_postgres::Config) -> ConnectionResult<AsyncPgConnection> {
        let mut config = config.clone();
        config.ssl_mode(mode);
        let (client, connection) = config.connect(self.connector.clone()).await.map_err(bad_connection)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    }
}

/// Whether the server that was asked last offers none.
fn has_no_tls(error: &ConnectionError) -> bool {
    error.to_string().contains("server does not support TLS")
}

/// The whole chain in one text, because Diesel's error keeps no source.
fn bad_connection(error: tokio_postgres::Error) -> ConnectionError {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    ConnectionError::BadConnection(format!("{error}{cause}"))
}

/// Whether nothing leaves the machine.
fn is_local(config: &tokio_postgres::Config) -> bool {
    let is_loopback = |name: &str| name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => is_loopback(name),
        Host::Unix(_) => true,
    })
}

fn named(mode: &str) -> Result<Mode, StorageError> {
    Mode::from_name(mode).ok_or_else(|| refused("sslmode must be disable, prefer, require, verify-ca or verify-full"))
}

fn refused(why: impl Into<String>) -> StorageError {
    StorageError::Url(why.into())
}

fn client_config(mode: Mode, root: Option<&str>) -> Result<ClientConfig, StorageError> {
    let unusable = |error: rustls::Error| refused(format!("TLS cannot be used: {error}"));
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let chain = match mode {
        Mode::VerifyCa | Mode::VerifyFull => {
            let roots = Arc::new(roots(root)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            Some(verifier.map_err(|error| refused(format!("no certificate to trust: {error}")))?)
        }
        Mode::Disable | Mode::Prefer | Mode::Require => None,
    };
    let verifier: Arc<dyn ServerCertVerifier> = match (mode, chain) {
        (Mode::VerifyFull, Some(full)) => full,
        (_, chain) => Arc::new(Lenient::new(chain, provider)),
    };
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// The certificates of `file`, or those of the system where there is none or it is `system`.
fn roots(file: Option<&str>) -> Result<RootCertStore, StorageError> {
    let mut roots = RootCertStore::empty();
    match file.filter(|file| *file != "system") {
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            let unusable = |why: &dyn Display| refused(format!("sslrootcert {path} cannot be used: {why}"));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                roots.add(certificate).map_err(|error| unusable(&error))?;
            }
        }
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(url: &str) -> Result<(String, Mode), String> {
        Tls::of_url(url).map(|(rest, tls)| (rest, tls.mode)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_about_tls_is_taken_out_of_the_url() {
        let ok = |url: &str, rest: &str, mode| assert_eq!(self::rest(url), Ok((rest.to_owned(), mode)), "{url}");
        ok("postgres://u@h/d", "postgres://u@h/d", Mode::Prefer);
        ok("postgres://u@h/d?sslmode=disable", "postgres://u@h/d", Mode::Disable);
        ok("postgres://u@h/d?a=b&sslmode=require&c=d", "postgres://u@h/d?a=b&c=d", Mode::Require);
    }

    #[test]
    fn what_cannot_be_met_is_refused() {
        for (url, why) in [
            ("postgres://h/d?sslmode=allow", "sslmode must be"),
            ("postgres://h/d?sslmode=", "sslmode must be"),
            ("postgres://h/d?sslrootcert=x.pem", "needs sslmode=verify-full"),
            ("postgres://h/d?sslmode=prefer&sslrootcert=x.pem", "needs sslmode=verify-full"),
            ("postgres://h/d?sslmode=verify-full&sslrootcert=/no%20such.pem", "/no such.pem cannot be used"),
        ] {
            let text = rest(url).unwrap_err();
            assert!(text.contains(why), "{url}: {text}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_nothing_to_trust() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = format!("postgres://h/d?sslmode=verify-full&sslrootcert={}", file.path().display());
        assert!(rest(&url).unwrap_err().contains("no certificate to trust"));
    }
}
