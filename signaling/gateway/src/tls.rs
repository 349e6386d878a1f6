//! TLS 1.3 and 1.2, from files or by ACME.

use crate::config::StartError;
use futures_util::StreamExt;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_acme::acme::AcmeError;
use rustls_acme::caches::DirCache;
use rustls_acme::{AcmeConfig, AcmeState, EventOk, OrderError};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use veilcast_logs::Reason;

/// HTTP/2 first; WebSockets come over HTTP/1.1.
fn protocols() -> Vec<Vec<u8>> {
    vec![b"h2".to_vec(), b"http/1.1".to_vec()]
}

/// The server's side of TLS with a certificate from files. rustls knows ECDHE with AEAD suites only, so its
/// defaults are what we want of 1.2.
pub(crate) fn from_files(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, StartError> {
    let chain = certificates(certificate)?;
    let key = private_key(key)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]);
    let builder = builder.map_err(|_| StartError::Certificate)?.with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).map_err(|_| StartError::Certificate)?;
    config.alpn_protocols = protocols();
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let missing = || StartError::Pem { path: path.display().to_string(), what: "certificate" };
    let bytes = read(path)?;
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&bytes).collect();
    chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(missing)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, StartError> {
    let mode = fs::metadata(path).map_err(|error| file_error(path, &error))?.permissions().mode() & 0o777;
    // A group such as ssl-cert may share a key; everybody may not.
    if mode & 0o007 != 0 {
        return Err(StartError::KeyExposed { path: path.display().to_string(), mode });
    }
    let bytes = veilcast_privacy::Secret::new(read(path)?);
    let missing = |_| StartError::Pem { path: path.display().to_string(), what: "private key" };
    PrivateKeyDer::from_pem_slice(bytes.expose_secret()).map_err(missing)
}

fn read(path: &Path) -> Result<Vec<u8>, StartError> {
    fs::read(path).map_err(|error| file_error(path, &error))
}

fn file_error(path: &Path, error: &io::Error) -> StartError {
    StartError::File { path: path.display().to_string(), why: error.kind() }
}

/// What fetches and renews certificates.
pub(crate) type Acme = AcmeState<io::Error, io::Error>;

/// Prepares ACME: the public roots and, for a private authority, one more.
pub(crate) fn by_acme(
    directory: &str,
    domains: &[String],
    contact: &[String],
    cache: &Path,
    extra_root: Option<&Path>,
) -> Result<(Acme, Arc<ServerConfig>), StartError> {
    if domains.is_empty() {
        return Err(StartError::AcmeDomains);
    }
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = extra_root {
        let (added, _) = roots.add_parsable_certificates(certificates(path)?);
        if added == 0 {
            return Err(StartError::Pem { path: path.display().to_string(), what: "root certificate" });
        }
    }
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let client = client.with_safe_default_protocol_versions().map_err(|_| StartError::Certificate)?;
    let client = Arc::new(client.with_root_certificates(roots).with_no_client_auth());
    let config = AcmeConfig::new_with_client_config(domains, client).directory(directory).contact(contact);
    let state = config.cache(DirCache::new(cache.to_owned())).state();
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|_| StartError::Certificate)?;
    let mut server = builder.with_no_client_auth().with_cert_resolver(state.resolver());
    server.alpn_protocols = protocols();
    Ok((state, Arc::new(server)))
}

/// Makes the directory for accounts and certificates, which holds private keys: for veilcast's user alone.
pub(crate) fn prepare_cache(path: &Path) -> Result<(), StartError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| file_error(path, &error))
}

/// Keeps the certificate fresh for as long as the server runs. The authority's own words stay out of the log:
/// they name hosts and addresses.
pub(crate) async fn renew(mut state: Acme) {
    let mut meanwhile = "there is no certificate yet";
    while let Some(event) = state.next().await {
        match event {
            Ok(EventOk::DeployedNewCert | EventOk::DeployedCachedCert) => {
                veilcast_logs::info!("a certificate is in use");
                meanwhile = "the certificate in use stays";
            }
            Ok(EventOk::CertCacheStore | EventOk::AccountCacheStore) => {}
            Err(error) => {
                let (reason, meanwhile) = (Reason::new(failure(&error)), Reason::new(meanwhile));
                veilcast_logs::error!(
                    "ACME did not succeed; it tries again by itself",
                    reason = reason,
                    meanwhile = meanwhile
                );
            }
        }
    }
}

const fn failure(error: &rustls_acme::EventError<io::Error, io::Error>) -> &'static str {
    use rustls_acme::EventError::{
        AccountCacheLoad, AccountCacheStore, CachedCertParse, CertCacheLoad, CertCacheStore, NewCertParse, Order,
    };
    match error {
        CertCacheLoad(_) | AccountCacheLoad(_) => "the ACME cache cannot be read",
        CertCacheStore(_) | AccountCacheStore(_) => "the ACME cache cannot be written",
        CachedCertParse(_) => "the cached certificate cannot be used",
        Order(OrderError::Acme(AcmeError::HttpRequest(_))) => {
            "the authority does not answer or refuses: check the directory's URL and that this machine reaches it"
        }
        Order(_) => "the authority did not issue: check the directory's URL, that the names lead here, and port 443",
        NewCertParse(_) => "the issued certificate cannot be used",
    }
}
