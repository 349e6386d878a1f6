//! Requests to one provider: https, its configured hosts, no redirects, five seconds, small answers.

use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Builder;
use hyper::{Method, Request, Uri};
use std::net::IpAddr;
use veilcast_outgoing::{Failure, Keep, Outgoing, bare_host, is_plain};
use veilcast_privacy::Secret;

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

/// For the log: which provider it is, `veilcast check` says.
impl From<FetchError> for veilcast_logs::Reason {
    fn from(error: FetchError) -> Self {
        Self::new(match error {
            FetchError::Address => "an address is not https, or its host is not configured",
            FetchError::Unreachable => "nobody answers",
            FetchError::Certificate => "its certificate is not trusted",
            FetchError::Redirect => "it answers with a redirect",
            FetchError::Status(_) => "it answers with an error",
            FetchError::TooLarge => "its answer is too large",
            FetchError::Form => "its answer is not what OpenID Connect puts there",
        })
    }
}

/// Where a provider may be asked, and whom to trust there.
pub(crate) struct Fetch {
    hosts: Vec<String>,
    outgoing: Outgoing,
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
        let outgoing = Outgoing::new(root).map_err(FetchError::from)?;
        let hosts = std::iter::once(own).chain(hosts.iter().map(|host| host.to_ascii_lowercase())).collect();
        Ok(Self { hosts, outgoing })
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
        request: Builder,
        sender: Sender<'_>,
        body: String,
    ) -> Result<Vec<u8>, FetchError> {
        let uri = self.permit(address)?;
        let mut request = request.header(ACCEPT, "application/json");
        if let Sender::Basic(credentials) = sender {
            let mut value = HeaderValue::from_str(credentials.expose_text()).map_err(|_| FetchError::Address)?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        // Over TLS the certificate says who answers; without it, only this machine may.
        let rule = |address: IpAddr| !is_plain(&uri) || address.is_loopback();
        let answer = self.outgoing.ask(&uri, request, body.into_bytes(), &rule, Keep::Body(MOST_BYTES)).await?;
        match answer.status {
            200 => Ok(answer.body),
            300..=399 => Err(FetchError::Redirect),
            status => Err(FetchError::Status(status)),
        }
    }
}

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Address | Failure::Unreachable => Self::Unreachable,
            Failure::Certificate => Self::Certificate,
            Failure::TooLarge => Self::TooLarge,
        }
    }
}

/// Host and port in lower case, of an address that may be asked at all.
fn authority(uri: &Uri) -> Result<String, FetchError> {
    let authority = uri.authority().ok_or(FetchError::Address)?;
    let host = bare_host(uri).map_err(|_| FetchError::Address)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio::net::TcpListener;

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
}
