//! Requests of ours to other people's servers: sign-in providers, receivers of webhooks.
//!
//! Invariant: a connection is made only to an address of which its rule was asked, that very address, at that moment; no redirect
//! is followed, nothing of the environment is a proxy, and all of it together takes five seconds at most.

mod network;
mod reach;

pub use network::{Network, masked};
pub use reach::Reach;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::http::request::Builder;
use hyper::rt::{Read, Write};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// For everything together: name, connection, TLS, answer.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What is read of an answer of which only the status counts.
const STATUS_BYTES: u64 = 4 * 1024;

/// What may stand before a body that is kept.
const HEAD_BYTES: u64 = 16 * 1024;

/// Why there is no answer. No value of anybody's is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The name stands for addresses, and none of them may be asked.
    #[error("its address may not be asked")]
    Address,
    /// No such name, no connection, no answer in time.
    #[error("nobody answers there")]
    Unreachable,
    /// The certificate is not trusted, or not for this host.
    #[error("its certificate is not trusted for this host")]
    Certificate,
    /// More than is read.
    #[error("its answer is too large")]
    TooLarge,
}

/// What names stand for. The system's resolver, or one of a test.
pub trait Names: Send + Sync {
    /// Every address of a name, asked anew each time.
    fn find<'a>(&'a self, host: &'a str, port: u16) -> Found<'a>;
}

/// Addresses on their way.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

struct SystemNames;

impl Names for SystemNames {
    fn find<'a>(&'a self, host: &'a str, port: u16) -> Found<'a> {
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
    }
}

/// What of an answer is kept.
#[derive(Clone, Copy)]
pub enum Keep {
    /// Its status; at most 4 KiB are read to learn it.
    Status,
    /// The body of a status 200, of at most so many bytes.
    Body(usize),
}

/// An answer, as far as it was to be kept.
pub struct Answer {
    /// RFC 9110 section 15
    pub status: u16,
    /// Empty unless it was to be kept.
    pub body: Vec<u8>,
}

/// Asks other servers. Each request has its own connection.
pub struct Outgoing {
    tls: TlsConnector,
    names: Arc<dyn Names>,
}

impl Outgoing {
    /// `root` is a PEM certificate to trust beside the public ones.
    pub fn new(root: Option<&[u8]>) -> Result<Self, Failure> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(pem) = root {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
            let (added, _) = roots.add_parsable_certificates(chain.map_err(|_| Failure::Certificate)?);
            if added == 0 {
                return Err(Failure::Certificate);
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]);
        let builder = builder.map_err(|_| Failure::Certificate)?.with_root_certificates(roots);
        let tls = TlsConnector::from(Arc::new(builder.with_no_client_auth()));
        Ok(Self { tls, names: Arc::new(SystemNames) })
    }

    /// The same, asking `names` what a name stands for.
    #[must_use]
    pub fn with_names(self, names: Arc<dyn Names>) -> Self {
        Self { names, ..self }
    }

    /// Sends one request to `uri`, of which `request` has the method and the headers besides `host`, at an address that `rule`
    /// permits.
    pub async fn ask(
        &self,
        uri: &Uri,
        request: Builder,
        body: Vec<u8>,
        rule: &(dyn Fn(IpAddr) -> bool + Sync),
        keep: Keep,
    ) -> Result<Answer, Failure> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().ok_or(Failure::Address)?.as_str();
        let request = request.uri(path).header(HOST, host).body(Full::new(Bytes::from(body)));
        let request = request.map_err(|_| Failure::Address)?;
        timeout(PATIENCE, self.exchange(uri, request, rule, keep)).await.map_err(|_| Failure::Unreachable)?
    }

    async fn exchange(
        &self,
        uri: &Uri,
        request: Request<Full<Bytes>>,
        rule: &(dyn Fn(IpAddr) -> bool + Sync),
        keep: Keep,
    ) -> Result<Answer, Failure> {
        let stream = self.connect(uri, rule).await?;
        if is_plain(uri) {
            return converse(bounded(stream, keep), request, keep).await;
        }
        let name = ServerName::try_from(bare_host(uri)?.to_owned()).map_err(|_| Failure::Address)?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| match error.kind() {
            // What rustls itself finds wrong; the rest is the network's.
            io::ErrorKind::InvalidData => Failure::Certificate,
            _ => Failure::Unreachable,
        })?;
        converse(bounded(stream, keep), request, keep).await
    }

    /// The rule is asked of the address that is then connected to: between the two there is no name that could change its meaning.
    async fn connect(&self, uri: &Uri, rule: &(dyn Fn(IpAddr) -> bool + Sync)) -> Result<TcpStream, Failure> {
        let port = uri.port_u16().unwrap_or(if is_plain(uri) { 80 } else { 443 });
        let found = self.names.find(bare_host(uri)?, port).await.map_err(|_| Failure::Unreachable)?;
        let (some, mut why) = (!found.is_empty(), Failure::Unreachable);
        let permitted: Vec<SocketAddr> = found.into_iter().filter(|address| rule(address.ip())).collect();
        if some && permitted.is_empty() {
            why = Failure::Address;
        }
        for address in permitted {
            if let Ok(stream) = TcpStream::connect(address).await {
                _ = stream.set_nodelay(true);
                return Ok(stream);
            }
        }
        Err(why)
    }
}

/// Whether it goes without TLS.
pub fn is_plain(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http")
}

/// The host without the brackets of an IPv6 address.
pub fn bare_host(uri: &Uri) -> Result<&str, Failure> {
    Ok(uri.host().ok_or(Failure::Address)?.trim_start_matches('[').trim_end_matches(']'))
}

/// Reads no more of a stream than an answer may have, whatever its framing says.
fn bounded<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S, keep: Keep) -> impl Read + Write + Unpin + Send {
    let most = match keep {
        Keep::Status => STATUS_BYTES,
        Keep::Body(bytes) => HEAD_BYTES + bytes as u64,
    };
    let (reader, writer) = tokio::io::split(stream);
    TokioIo::new(tokio::io::join(reader.take(most), writer))
}

async fn converse<S>(stream: S, request: Request<Full<Bytes>>, keep: Keep) -> Result<Answer, Failure>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await.map_err(|_| Failure::Unreachable)?;
    let connection = AbortOnDrop(tokio::spawn(async {
        // What goes wrong with it is seen at the answer.
        _ = connection.await;
    }));
    let response = sender.send_request(request).await.map_err(|_| Failure::Unreachable)?;
    let answer = read(response, keep).await;
    drop(connection);
    answer
}

/// An answer that is waited for no longer ends its connection.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn read(response: Response<Incoming>, keep: Keep) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let most = match keep {
        Keep::Body(most) if status == 200 => most,
        _ => return Ok(Answer { status, body: Vec::new() }),
    };
    let body = Limited::new(response.into_body(), most).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => Failure::TooLarge,
        false => Failure::Unreachable,
    })?;
    Ok(Answer { status, body: body.to_bytes().to_vec() })
}

#[cfg(test)]
mod tests;
