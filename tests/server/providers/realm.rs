//! Realms of one provider process, people with browsers there, and a server of ours that knows them.

use super::super::process::{Scratch, Server, free_port, until};
use super::super::wire::Reply;
use holder::Holder;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use veilcast_records::{base32, random_bits};

pub(super) const SECRET: &str = "canary-secret-of-the-client-0123456789";

/// The process that all tests share. It ends when our end of its standard input goes, however that happens.
struct Door {
    address: String,
    _process: Child,
}

fn door() -> &'static Door {
    static DOOR: OnceLock<Door> = OnceLock::new();
    DOOR.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("provider");
        assert!(folder.join("node_modules").is_dir(), "run `make tools`, which installs what tests/provider needs");
        let mut node = Command::new("node");
        node.arg(folder.join("server.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = node.spawn().expect("node runs");
        let mut line = String::new();
        let out = process.stdout.take().expect("is piped");
        BufReader::new(out).read_line(&mut line).expect("its address");
        Door { address: line.trim().to_owned(), _process: process }
    })
}

/// One provider.
pub(super) struct Realm {
    pub(super) issuer: String,
    control: String,
}

async fn control(address: &str, given: &Value) -> Value {
    let request = Client::new().post(address).header("content-type", "application/json").body(given.to_string());
    let reply = Reply::of(request).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    serde_json::from_str(&reply.body).expect("JSON")
}

/// What a server of ours on `port` is there, as a client.
pub(super) fn client(port: u16) -> Value {
    json!({
        "client_id": "veilcast",
        "client_secret": SECRET,
        "redirect_uris": ([0, 1].map(|number| format!("http://localhost:{port}/oauth/provider/callback/{number}"))),
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "backchannel_logout_session_required": true,
        "backchannel_logout_uri": format!("http://localhost:{port}/oauth/provider/logout"),
    })
}

impl Realm {
    pub(super) async fn open(options: &Value) -> Self {
        let opened = control(&format!("{}/realm", door().address), options).await;
        let text = |name: &str| opened[name].as_str().expect("text").to_owned();
        Self { issuer: text("issuer"), control: text("control") }
    }

    pub(super) async fn tell(&self, verb: &str, given: &Value) -> Value {
        control(&format!("{}/{verb}", self.control), given).await
    }

    pub(super) async fn down(&self, down: bool) {
        self.tell("down", &json!({ "down": down })).await;
    }

    /// Any logout token, signed by this provider.
    pub(super) async fn mint(&self, claims: &Value, header: &Value) -> String {
        let given = json!({ "client": "veilcast", "claims": claims, "header": header });
        self.tell("logout-token", &given).await["token"].as_str().expect("a token").to_owned()
    }

    /// Settings for signing in here, with `more` lines of the provider's table.
    pub(super) fn settings(&self, more: &str) -> String {
        let issuer = &self.issuer;
        format!(
            "[[provider]]\nname = \"Test University\"\nissuer = \"{issuer}\"\nclient_id = \"veilcast\"\n\
             client_secret = \"{SECRET}\"\n{more}\n"
        )
    }
}

/// A realm and a server whose people sign in there.
pub(super) async fn pair(more: &str) -> (Realm, Server) {
    let port = free_port();
    let realm = Realm::open(&json!({ "clients": [client(port)] })).await;
    let server = serve(port, &realm.settings(more)).await;
    (realm, server)
}

/// A server with these settings.
pub(super) async fn serve(port: u16, settings: &str) -> Server {
    let scratch = Scratch::new();
    let file = scratch.write("veilcast.toml", settings).display().to_string();
    let mut server = Server::on(scratch, port, &["--config", &file, "--log", "trace"]);
    server.process.says("Veilcast is at").await;
    until("it is ready", async || reqwest::get(server.url("/readyz")).await.is_ok_and(|reply| reply.status() == 200))
        .await;
    server
}

/// Somebody with a browser: cookies, and one step at a time.
pub(super) struct Person {
    jar: BTreeMap<String, BTreeMap<String, String>>,
}

impl Person {
    pub(super) fn new() -> Self {
        Self { jar: BTreeMap::new() }
    }

    pub(super) fn cookie(&self, server: &Server, name: &str) -> Option<&str> {
        self.jar.get(&server.public(""))?.get(name).map(String::as_str)
    }

    /// Goes somewhere, and no further.
    pub(super) async fn go(&mut self, method: &str, address: &str, body: Option<(&str, String)>) -> Reply {
        let origin = address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let client = Client::builder().redirect(Policy::none()).build().expect("a client");
        let mut request = client.request(Method::from_bytes(method.as_bytes()).expect("a method"), address);
        let kept = self.jar.entry(origin).or_default();
        if !kept.is_empty() {
            let pairs: Vec<_> = kept.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        let reply = Reply::of(request).await;
        for cookie in reply.all("set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            kept.insert(name.to_owned(), value.to_owned());
        }
        kept.retain(|_, value| !value.is_empty());
        reply
    }

    /// Follows redirects as long as they stay with this provider; the address that leads away.
    async fn follow(&mut self, issuer: &str, mut reply: Reply) -> String {
        loop {
            assert!(matches!(reply.status, 302 | 303), "{} {}", reply.status, reply.body);
            let to = reply.header("location").to_owned();
            let to = if to.starts_with('/') { format!("{issuer}{to}") } else { to };
            if !to.starts_with(issuer) || to.contains("/interaction/") {
                return to;
            }
            reply = self.go("GET", &to, None).await;
        }
    }

    /// Presses the button here. Where the provider is.
    pub(super) async fn leave(&mut self, server: &Server) -> String {
        let reply = self.start(server).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let told: Value = serde_json::from_str(&reply.body).expect("JSON");
        told["location"].as_str().expect("an address").to_owned()
    }

    pub(super) async fn start(&mut self, server: &Server) -> Reply {
        let body = Some(("application/json", json!({ "provider": 0 }).to_string()));
        self.go("POST", &server.public("/oauth/provider/start"), body).await
    }

    /// Says there who they are; `form` has `login` and perhaps more. The address that leads back.
    pub(super) async fn say(&mut self, realm: &Realm, address: &str, form: &str) -> String {
        let reply = self.go("GET", address, None).await;
        let question = self.follow(&realm.issuer, reply).await;
        if !question.starts_with(&realm.issuer) {
            return question;
        }
        let form = Some(("application/x-www-form-urlencoded", form.to_owned()));
        let reply = self.go("POST", &question, form).await;
        self.follow(&realm.issuer, reply).await
    }

    /// The whole way. Where the app goes on.
    pub(super) async fn sign_in(&mut self, realm: &Realm, server: &Server, form: &str) -> String {
        let address = self.leave(server).await;
        let back = self.say(realm, &address, form).await;
        self.come_back(&back).await
    }

    pub(super) async fn come_back(&mut self, address: &str) -> String {
        let reply = self.go("GET", address, None).await;
        assert_eq!(reply.status, 303, "{}", reply.body);
        reply.header("location").to_owned()
    }

    /// Our own code flow with the issuer's cookie: a token of this scope, or where it leads instead.
    pub(super) async fn token(&mut self, server: &Server, holder: &Holder, scope: &str) -> Result<String, String> {
        let verifier = base32(&random_bits().expect("randomness")).repeat(2);
        let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        let challenge = base64url(challenge.as_ref());
        let callback = server.public("/callback");
        let query = format!(
            "response_type=code&client_id=veilcast-web&redirect_uri={callback}&state=s&code_challenge={challenge}\
             &code_challenge_method=S256&scope={scope}"
        );
        let reply = self.go("GET", &server.public(&format!("/oauth/authorize?{query}")), None).await;
        let to = reply.header("location").to_owned();
        let Some((_, rest)) = to.split_once("?code=") else { return Err(to) };
        let code = rest.split('&').next().unwrap_or_default();
        let form = format!(
            "grant_type=authorization_code&client_id=veilcast-web&redirect_uri={callback}&code={code}&code_verifier={verifier}"
        );
        let address = server.public("/oauth/token");
        let proof = holder.proof("POST", &address).nonce(&server.nonce().await).sign();
        let request = Client::new().post(&address).header("dpop", proof);
        let kind = "application/x-www-form-urlencoded";
        let reply = Reply::of(request.header("content-type", kind).body(form)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let answer: Value = serde_json::from_str(&reply.body).expect("JSON");
        Ok(answer["access_token"].as_str().expect("a token").to_owned())
    }
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// What a token says.
pub(super) fn claims(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).expect("three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// Asks for a token to watch with a token of the account, or of a provider.
pub(super) async fn event_token(server: &Server, holder: &Holder, token: &str, event: &str, role: &str) -> Reply {
    let path = format!("/api/v1/events/{event}/token");
    let proof = holder.proof("POST", &server.public(&path)).nonce(&server.nonce().await).token(token).sign();
    let request = Client::new().post(server.url(&path)).header("authorization", format!("DPoP {token}"));
    let request = request.header("dpop", proof).header("content-type", "application/json");
    Reply::of(request.body(json!({ "role": role }).to_string())).await
}

/// Everything that the server has said and kept.
pub(super) fn traces(server: &Server) -> Vec<u8> {
    let mut all = server.process.err().into_bytes();
    for file in std::fs::read_dir(server.data()).expect("readable").map(|entry| entry.expect("an entry").path()) {
        all.extend(std::fs::read(file).unwrap_or_default());
    }
    all
}

pub(super) fn has(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}
