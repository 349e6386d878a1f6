//! A person's tools: HTTP by reqwest, raw HTTP by hand, a WebSocket, each from an address of one's own.

use crate::Holder;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody with an address and a server to talk to.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    port: u16,
    source: Ipv4Addr,
}

/// An answer, read to its end.
pub struct Reply {
    /// As in RFC 9110.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
}

impl Reply {
    /// The first header of this name; nothing if there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }

    /// Everything that came, for a search.
    pub fn everything(&self) -> String {
        let headers: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{}\n{}\n\n{}", self.status, headers.join("\n"), self.body)
    }

    /// The same, if it has this status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

impl Client {
    /// From `source`, which is in 127.0.0.0/8. The server throttles by /24.
    pub fn new(port: u16, source: [u8; 4]) -> Self {
        let source = Ipv4Addr::from(source);
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .local_address(IpAddr::V4(source))
            .resolve("localhost", SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .timeout(PATIENCE)
            .build();
        Self { http: http.expect("a client"), port, source }
    }

    /// A request to be completed.
    pub fn ask(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.http.request(method, format!("http://localhost:{}{path}", self.port))
    }

    /// `GET`, without credentials.
    pub async fn get(&self, path: &str) -> Reply {
        send(self.ask("GET", path)).await
    }

    /// `GET` of what is not everybody's.
    pub async fn get_as(&self, path: &str, pass: &Pass) -> Reply {
        send(self.shown(self.ask("GET", path), ("GET", path), Some(pass), "").await).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, pass: Option<&Pass>, body: &Value) -> Reply {
        let request = self.ask("POST", path).header("content-type", "application/json").body(body.to_string());
        send(self.shown(request, ("POST", path), pass, "").await).await
    }

    /// `POST` of an offer, with its fingerprint in the proof.
    pub async fn sdp(&self, path: &str, pass: Option<&Pass>, body: &str) -> Reply {
        let request = self.ask("POST", path).header("content-type", "application/sdp").body(body.to_owned());
        send(self.shown(request, ("POST", path), pass, body).await).await
    }

    /// `PATCH` of a WHIP or WHEP resource (RFC 9725 section 4.3).
    pub async fn patch(&self, path: &str, pass: &Pass, tag: &str, body: &str) -> Reply {
        let request = self.ask("PATCH", path).header("content-type", "application/trickle-ice-sdpfrag");
        let request = request.header("if-match", tag).body(body.to_owned());
        send(self.shown(request, ("PATCH", path), Some(pass), "").await).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str, pass: &Pass) -> Reply {
        send(self.shown(self.ask("DELETE", path), ("DELETE", path), Some(pass), "").await).await
    }

    /// A request of a key that has no token yet.
    pub async fn newcomer(&self, path: &str, holder: &Holder) -> reqwest::RequestBuilder {
        let proof = holder.proof("POST", &self.address(path)).nonce(&self.nonce().await).sign();
        self.ask("POST", path).header("dpop", proof)
    }

    async fn shown(
        &self,
        request: reqwest::RequestBuilder,
        (method, path): (&str, &str),
        pass: Option<&Pass>,
        offer: &str,
    ) -> reqwest::RequestBuilder {
        let Some(Pass { token, holder }) = pass else { return request };
        let Some(holder) = holder else { return request.header("authorization", format!("Bearer {token}")) };
        let proof = holder.proof(method, &self.address(path)).nonce(&self.nonce().await).token(token);
        request.header("authorization", format!("DPoP {token}")).header("dpop", proof.offer(offer).sign())
    }

    pub(crate) fn address(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    async fn nonce(&self) -> String {
        self.get("/api/v1/instance").await.header("dpop-nonce").to_owned()
    }

    /// A bare connection.
    pub async fn connect(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((self.source, 0))).expect("loopback has it");
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        timeout(PATIENCE, socket.connect(server)).await.expect("in time").expect("is accepted")
    }

    /// Sends bytes as they are; what came back until the server closed, status first.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("is written");
        let mut reply = Vec::new();
        // A connection that is cut has said what it had to say.
        _ = timeout(PATIENCE, stream.read_to_end(&mut reply)).await.expect("the server ends it");
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// Opens `/ws`; `Err` is the status of a refusal.
    pub async fn socket(&self, origin: Option<&str>) -> Result<Socket, u16> {
        let mut request = format!("ws://localhost:{}/ws", self.port).into_client_request().expect("a request");
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().expect("a header"));
        }
        match client_async(request, self.connect().await).await {
            Ok((stream, _)) => Ok(Socket { stream, heard: String::new(), proofs: None }),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A socket that has said `hello`.
    pub async fn join(&self, pass: &Pass) -> Socket {
        self.join_as(pass, None).await
    }

    /// The same of somebody who comes as less than the token permits.
    pub async fn join_as(&self, pass: &Pass, role: Option<&str>) -> Socket {
        self.greet(pass, role.map_or(json!({}), |role| json!({ "role": role }))).await
    }

    /// A socket that asks to be let in, by a name.
    pub async fn knock(&self, pass: &Pass, name: &str) -> Socket {
        self.greet(pass, json!({ "knock": { "name": name } })).await
    }

    async fn greet(&self, pass: &Pass, more: Value) -> Socket {
        let mut socket = self.socket(None).await.expect("is upgraded");
        let nonce = socket.until("challenge").await["nonce"].as_str().expect("a nonce").to_owned();
        let proofs = Proofs { pass: pass.clone(), nonce, address: self.address("/ws") };
        let mut hello = json!({ "type": "hello", "token": pass.token, "proof": proofs.sign("") });
        for (name, value) in more.as_object().into_iter().flatten() {
            hello[name] = value.clone();
        }
        socket.say(&hello).await;
        Socket { proofs: Some(proofs), ..socket }
    }
}

/// What somebody shows: a token, and the key that it is bound to unless it is a program's.
#[derive(Clone)]
pub struct Pass {
    /// The access token.
    pub token: String,
    holder: Option<Arc<Holder>>,
}

impl Pass {
    /// A program's.
    pub fn tool(token: &str) -> Self {
        Self { token: token.to_owned(), holder: None }
    }

    /// A proof of a page's key for one request with the token.
    pub fn proof(&self, method: &str, address: &str, nonce: &str) -> String {
        let holder = self.holder.as_ref().expect("a page's pass");
        holder.proof(method, address).nonce(nonce).token(&self.token).sign()
    }

    /// The same key with another token.
    pub fn with(&self, token: &str) -> Self {
        Self { token: token.to_owned(), holder: self.holder.clone() }
    }

    /// A page's.
    pub fn bound(holder: &Arc<Holder>, token: &str) -> Self {
        Self { token: token.to_owned(), holder: Some(Arc::clone(holder)) }
    }
}

/// Of one socket.
struct Proofs {
    pass: Pass,
    nonce: String,
    address: String,
}

impl Proofs {
    fn sign(&self, offer: &str) -> String {
        let holder = self.pass.holder.as_ref().expect("a page's pass");
        holder.proof("GET", &self.address).nonce(&self.nonce).token(&self.pass.token).offer(offer).sign()
    }
}

/// Sends a request and reads the answer to its end.
pub async fn send(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap_or_else(|error| panic!("{error:?}"));
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    Reply { status: response.status().as_u16(), headers, body: response.text().await.expect("a body") }
}

/// A page's socket, with everything that it has heard.
pub struct Socket {
    /// For what no page does.
    pub stream: WebSocketStream<TcpStream>,
    /// A message a line, whatever its kind.
    pub heard: String,
    proofs: Option<Proofs>,
}

impl Socket {
    /// Says something.
    pub async fn say(&mut self, message: &Value) {
        self.stream.send(Message::text(message.to_string())).await.expect("is sent");
    }

    /// Offers a media session, with the proof that its certificate needs.
    pub async fn offer(&mut self, number: u32, sdp: &str) {
        let proof = self.proofs.as_ref().map(|proofs| proofs.sign(sdp));
        self.say(&json!({ "type": "offer", "number": number, "sdp": sdp, "proof": proof })).await;
    }

    /// The next message; `None` when the socket is closed.
    pub async fn hear(&mut self) -> Option<Value> {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("something comes in time") {
                Some(Ok(Message::Text(text))) => {
                    self.heard.push_str(&text);
                    self.heard.push('\n');
                    return Some(serde_json::from_str(&text).expect("is JSON"));
                }
                Some(Ok(Message::Close(last))) => {
                    self.heard.push_str(&last.map(|last| last.reason.to_string()).unwrap_or_default());
                    return None;
                }
                Some(Err(_)) | None => return None,
                Some(Ok(other)) => {
                    self.heard.push_str(&String::from_utf8_lossy(&other.into_data()));
                    self.heard.push('\n');
                }
            }
        }
    }

    /// Waits for a message of this kind.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let heard = self.hear().await.unwrap_or_else(|| panic!("{kind} was due, but the socket closed"));
            if heard["type"] == kind {
                return heard;
            }
        }
    }
}
