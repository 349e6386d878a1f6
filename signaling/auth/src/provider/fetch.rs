//! Requests to one provider: https, its configured hosts, no redirects, five seconds, small answers.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use veilcast_privacy::Secret;

/// For everything together: name, connection, TLS, answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Documents of large providers have some 10 KiB, their key sets less.
const MOST_BYTES: usize = 128 * 1024;

/// Why a provider's answer is not to be had. No value of anybody's is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchError {
    /// Not https (or http on loopback), with a user in it, or of a host that was not configured.
    #[error("an address is not https, or its host is not configured; add it to hosts if it is the provider's")]
    Address,
    /// No answer within five seconds, or no connection.
    #[error("nobody answers there; check the address, the network and the provider itself")]
    Unreachable,
    /// The certificate is not trusted, or not for this host.
    #[error("its certificate is not trusted for this host; a private authority is named with root")]
    Certificate,
    /// Redirects are not followed.
    #[error("it answers with a redirect, which is not followed; name the address that it leads to")]
    Redirect,
    /// Another status than 200.
    #[error("it answers with status {0}")]
    Status(u16),
    /// More than is read.
    #[error("its answer is too large")]
    TooLarge,
    /// Not what belongs there.
    #[error("its answer is not what OpenID Connect puts there")]
    Form,
}

/// Where a provider may be asked, and whom to trust there.
pub(crate) struct Fetch {
    hosts: Vec<String>,
    tls: TlsConnector,
}

/// How a client shows who it is (RFC 6749 section 2.3.1).
pub(crate) enum Sender<'a> {
    Nobody,
    Basic(&'a Secret),
}

impl Fetch {
    /// For a provider at `issuer` and on further `hosts`; `root` is a PEM certificate to trust beside the public ones.
    pub(crate) fn new(issuer: &str, hosts: &[String], root: Option<&[u8]>) -> Result<Self, FetchError> {
        let own = authority(&issuer.parse().map_err(|_| FetchError::Address)?)?;
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(pem) = root {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
            let (added, _) = roots.add_parsable_certificates(chain.map_err(|_| FetchError::Certificate)?);
            if added == 0 {
                return Err(FetchError::Certificate);
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]);
        let builder = builder.map_err(|_| FetchError::Certificate)?.with_root_certificates(roots);
        let tls = TlsConnector::from(Arc::new(builder.with_no_client_auth()));
        let hosts = std::iter::once(own).chain(hosts.iter().map(|host| host.to_ascii_lowercase())).collect();
        Ok(Self { hosts, tls })
    }

    /// Refuses an address that must not be asked; nobody's browser is sent there either.
    pub(crate) fn permit(&self, address: &str) -> Result<Uri, FetchError> {
        let uri: Uri = address.parse().map_err(|_| FetchError::Address)?;
        let authority = authority(&uri)?;
        if self.hosts.contains(&authority) && !address.contains('#') { Ok(uri) } else { Err(FetchError::Address) }
    }

    /// The JSON at an address.
    pub(crate) async fn get(&self, address: &str) -> Result<Vec<u8>, FetchError> {
        let request = Request::builder().method(Method::GET);
        self.ask(address, request, Sender::Nobody, String::new()).await
    }

    /// What a form is answered with.
    pub(crate) async fn post(&self, address: &str, sender: Sender<'_>, form: String) -> Result<Vec<u8>, FetchError> {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = Request::builder().method(Method::POST).header(CONTENT_TYPE, kind);
        self.ask(address, request, sender, form).await
    }

    async fn ask(
        &self,
        address: &str,
        request: hyper::http::request::Builder,
        sender: Sender<'_>,
        body: String,
    ) -> Result<Vec<u8>, FetchError> {
        let uri = self.permit(address)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().ok_or(FetchError::Address)?.as_str();
        let mut request = request.uri(path).header(HOST, host).header(ACCEPT, "application/json");
        if let Sender::Basic(credentials) = sender {
            let mut value = HeaderValue::from_str(credentials.expose_text()).map_err(|_| FetchError::Address)?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| FetchError::Address)?;
        timeout(PATIENCE, self.exchange(&uri, request)).await.map_err(|_| FetchError::Unreachable)?
    }

    async fn exchange(&self, uri: &Uri, request: Request<Full<Bytes>>) -> Result<Vec<u8>, FetchError> {
        let stream = connect(uri).await?;
        if is_plain(uri) {
            return converse(TokioIo::new(stream), request).await;
        }
        let name = ServerName::try_from(bare_host(uri)?.to_owned()).map_err(|_| FetchError::Address)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| FetchError::Certificate)?;
        converse(TokioIo::new(stream), request).await
    }
}

fn is_plain(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http")
}

/// Host and port in lower case, of an address that may be asked at all.
fn authority(uri: &Uri) -> Result<String, FetchError> {
    let authority = uri.authority().ok_or(FetchError::Address)?;
    let host = bare_host(uri)?;
    let is_loopback = host.eq_ignore_ascii_case("localhost") || is_loopback_address(host);
    let permitted = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback,
        _ => false,
    };
    let fits = permitted && !host.is_empty() && !authority.as_str().contains('@');
    if fits { Ok(authority.as_str().to_ascii_lowercase()) } else { Err(FetchError::Address) }
}

fn is_loopback_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Without the brackets of an IPv6 address.
fn bare_host(uri: &Uri) -> Result<&str, FetchError> {
    Ok(uri.host().ok_or(FetchError::Address)?.trim_start_matches('[').trim_end_matches(']'))
}

/// The address is looked at when the connection is made: what a name means may have changed since it was permitted. Over
/// TLS the certificate says who answers; without it, only this machine may.
async fn connect(uri: &Uri) -> Result<TcpStream, FetchError> {
    let port = uri.port_u16().unwrap_or(if is_plain(uri) { 80 } else { 443 });
    let found = lookup_host((bare_host(uri)?, port)).await.map_err(|_| FetchError::Unreachable)?;
    let permitted = |address: &SocketAddr| !is_plain(uri) || address.ip().is_loopback();
    for address in found.filter(permitted) {
        if let Ok(stream) = TcpStream::connect(address).await {
            _ = stream.set_nodelay(true);
            return Ok(stream);
        }
    }
    Err(FetchError::Unreachable)
}

async fn converse<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Vec<u8>, FetchError>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await.map_err(|_| FetchError::Unreachable)?;
    let connection = AbortOnDrop(tokio::spawn(async {
        // What goes wrong with it is seen at the answer.
        _ = connection.await;
    }));
    let response = sender.send_request(request).await.map_err(|_| FetchError::Unreachable)?;
    let body = read(response).await;
    drop(connection);
    body
}

/// An answer that is waited for no longer ends its connection.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn read(response: Response<hyper::body::Incoming>) -> Result<Vec<u8>, FetchError> {
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirect);
    }
    if status.as_u16() != 200 {
        return Err(FetchError::Status(status.as_u16()));
    }
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
    body.map(|body| body.to_bytes().to_vec()).map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
        true => FetchError::TooLarge,
        false => FetchError::Unreachable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// Answers one request with these bytes.
    async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: Vec<u8>) {
        let mut request = [0; 4_096];
        _ = stream.read(&mut request).await;
        // A client that has read enough hangs up.
        _ = stream.write_all(&bytes).await;
        _ = stream.shutdown().await;
    }

    fn response(head: &str, body: &[u8]) -> Vec<u8> {
        [format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    }

    /// What comes of asking a plain server on this machine that answers so.
    async fn plain(bytes: Vec<u8>) -> Result<Vec<u8>, FetchError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://localhost:{}", listener.local_addr().expect("is bound").port());
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("somebody comes");
            answer(stream, bytes).await;
        });
        Fetch::new(&address, &[], None).expect("is sound").get(&format!("{address}/x")).await
    }

    #[tokio::test]
    async fn an_answer_is_small_and_whole_and_no_redirect() {
        assert_eq!(plain(response("200 OK", b"{}")).await.as_deref(), Ok(&b"{}"[..]));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_vec();
        assert_eq!(plain(chunked).await.as_deref(), Ok(&b"{}"[..]));
        for (head, error) in [
            ("302 Found\r\nlocation: http://localhost/", FetchError::Redirect),
            ("308 Permanent Redirect\r\nlocation: /y", FetchError::Redirect),
            ("404 Not Found", FetchError::Status(404)),
            ("204 No Content", FetchError::Status(204)),
        ] {
            assert_eq!(plain(response(head, b"")).await, Err(error), "{head}");
        }
        assert_eq!(plain(response("200 OK", &vec![b' '; MOST_BYTES])).await.map(|body| body.len()), Ok(MOST_BYTES));
        assert_eq!(plain(response("200 OK", &vec![b' '; MOST_BYTES + 1])).await, Err(FetchError::TooLarge));
        assert_eq!(
            plain(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".to_vec()).await,
            Err(FetchError::Unreachable)
        );
        assert_eq!(plain(b"no HTTP at all\r\n\r\n".to_vec()).await, Err(FetchError::Unreachable));
    }

    #[test]
    fn only_configured_hosts_are_asked() {
        let other = ["keys.example".to_owned(), "Id.example:8443".to_owned()];
        let fetch = Fetch::new("https://id.example/realms/a", &other, None).expect("is sound");
        for address in
            ["https://id.example/x?y", "https://ID.example/", "https://keys.example/k", "https://id.example:8443/"]
        {
            assert!(fetch.permit(address).is_ok(), "{address}");
        }
        for address in [
            "http://id.example/x",
            "https://id.example.evil.example/",
            "https://evil.example/id.example",
            "https://user@id.example/",
            "https://id.example@evil.example/",
            "https://id.example:444/",
            "https://id.example/#x",
            "https://169.254.169.254/",
            "http://localhost/",
            "http://127.0.0.1/",
            "file:///etc/passwd",
            "//id.example/",
            "/x",
            "",
        ] {
            assert_eq!(fetch.permit(address).err(), Some(FetchError::Address), "{address}");
        }
        for issuer in [
            "http://id.example",
            "https://",
            "https://a@b",
            "ftp://localhost",
            "",
            "http://10.0.0.1",
            "http://localhost.evil.example",
        ] {
            assert_eq!(Fetch::new(issuer, &[], None).err(), Some(FetchError::Address), "{issuer}");
        }
        assert!(
            Fetch::new("http://localhost:3000", &[], None).is_ok()
                && Fetch::new("http://[::1]:3000", &[], None).is_ok()
        );
        assert_eq!(Fetch::new("https://a", &[], Some(b"no PEM")).err(), Some(FetchError::Certificate));
    }

    #[tokio::test]
    async fn a_certificate_is_of_a_trusted_authority_for_this_host() {
        let (root_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
        let mut root = CertificateParams::new(Vec::new()).expect("no names");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = root.self_signed(&root_key).expect("is signed").pem();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("good names");
        let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).expect("is signed");
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = Arc::new(builder.with_single_cert(vec![leaf.der().clone()], private).expect("a pair"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("is bound").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = TlsAcceptor::from(config.clone()).accept(stream).await {
                    answer(stream, response("200 OK", b"{}")).await;
                }
            }
        });
        let ask = async |host: &str, root: Option<&[u8]>| {
            let address = format!("https://{host}:{port}");
            Fetch::new(&address, &[], root).expect("is sound").get(&format!("{address}/")).await
        };
        assert_eq!(ask("localhost", Some(pem.as_bytes())).await.as_deref(), Ok(&b"{}"[..]));
        assert_eq!(ask("localhost", None).await, Err(FetchError::Certificate), "of nobody's authority");
        assert_eq!(ask("127.0.0.1", Some(pem.as_bytes())).await, Err(FetchError::Certificate), "for another host");
    }
}
