//! An operator's way in: the code flow (RFC 6749 section 4.1, RFC 7636) as the studio goes it.

use crate::Holder;
use crate::client::{Client, Pass, Reply, send};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::sync::Arc;

/// What the code flow of this client shows at its end (RFC 7636 section 4.1).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

impl Client {
    /// Makes the operator's account with the token of a setup link; the session's cookie.
    pub async fn set_up(&self, token: &str, name: &str, password: &str) -> String {
        let account = json!({ "token": token, "name": name, "password": password });
        issuer_cookie(&self.post("/api/v1/setup", None, &account).await.expect(200)).to_owned()
    }

    /// The pass of an operator with this session.
    pub async fn operator(&self, cookie: &str) -> Pass {
        let holder = Arc::new(Holder::new());
        let code = self.authorize(cookie).await;
        let token = self.exchange(&code, &holder).await.expect(200).json();
        Pass::bound(&holder, token["access_token"].as_str().expect("a token"))
    }

    /// A code for an operator's page.
    pub async fn authorize(&self, cookie: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
        let path = format!(
            "/oauth/authorize?response_type=code&client_id=veilcast-web&redirect_uri={}&state=s\
             &code_challenge={challenge}&code_challenge_method=S256&scope=admin",
            self.callback()
        );
        let reply = send(self.ask("GET", &path).header("cookie", format!("veilcast-issuer={cookie}"))).await;
        let location = reply.expect(303).header("location").to_owned();
        let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
        code.unwrap_or_else(|| panic!("no code in {location}")).to_owned()
    }

    /// Sends an operator's request for a code beforehand (RFC 9126); the reference to it.
    pub async fn push(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
        let form = format!(
            "response_type=code&client_id=veilcast-web&redirect_uri={}&state=s&code_challenge={challenge}\
             &code_challenge_method=S256&scope=admin",
            self.callback()
        );
        let kind = "application/x-www-form-urlencoded";
        let pushed = send(self.ask("POST", "/oauth/par").header("content-type", kind).body(form)).await;
        pushed.expect(201).json()["request_uri"].as_str().expect("a reference").to_owned()
    }

    /// Goes to the issuer with such a reference.
    pub async fn authorize_pushed(&self, cookie: &str, reference: &str) -> Reply {
        let path = format!("/oauth/authorize?client_id=veilcast-web&request_uri={}", reference.replace(':', "%3A"));
        send(self.ask("GET", &path).header("cookie", format!("veilcast-issuer={cookie}"))).await
    }

    /// Exchanges a code.
    pub async fn exchange(&self, code: &str, holder: &Holder) -> Reply {
        let form = format!(
            "grant_type=authorization_code&code={code}&client_id=veilcast-web&code_verifier={VERIFIER}&redirect_uri={}",
            self.callback()
        );
        let kind = "application/x-www-form-urlencoded";
        send(self.newcomer("/oauth/token", holder).await.header("content-type", kind).body(form)).await
    }

    fn callback(&self) -> String {
        self.address("/callback").replace(':', "%3A").replace('/', "%2F")
    }
}

/// The session's cookie in an answer that opens one.
pub fn issuer_cookie(reply: &Reply) -> &str {
    let value = reply.header("set-cookie").split(';').next().unwrap_or_default();
    value.strip_prefix("veilcast-issuer=").expect("the issuer's cookie")
}
