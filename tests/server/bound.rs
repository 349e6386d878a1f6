//! Somebody with a browser: a key, an invitation as the command line prints it, and the token that it leads to.

use super::process::Server;
use super::wire::{Reply, ask};
use holder::{Holder, Making};
use serde_json::{Value, json};

pub(super) struct Bound {
    pub(super) holder: Holder,
    pub(super) token: String,
    /// The invitation that it came by.
    code: String,
}

impl Server {
    /// An address of this server as proofs have it.
    pub(super) fn public(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// What proofs over HTTP carry at the moment.
    pub(super) async fn nonce(&self) -> String {
        Reply::of(ask(self, "GET", "/api/v1/instance")).await.header("dpop-nonce").to_owned()
    }

    /// The code of a fresh invitation.
    pub(super) fn invitation(&self, event: &str, role: &str) -> String {
        let link = self.run(&["invite", "--event", event, "--role", role]);
        let page = if role == "watch" { "watch" } else { "studio" };
        let start = self.public(&format!("/{page}/{event}#invitation="));
        let code = link.value().strip_prefix(&start).unwrap_or_else(|| panic!("{} {}", link.out, link.err));
        code.to_owned()
    }

    /// Somebody who was invited and has come.
    pub(super) async fn invited(&self, event: &str, role: &str) -> Bound {
        let (holder, code) = (Holder::new(), self.invitation(event, role));
        let token = self.join(event, &holder, &code).await;
        Bound { token: token_of(&token), holder, code }
    }

    /// Comes by an invitation, for the first time or again.
    pub(super) async fn join(&self, event: &str, holder: &Holder, code: &str) -> Reply {
        let path = format!("/api/v1/events/{event}/join");
        let proof = holder.proof("POST", &self.public(&path)).nonce(&self.nonce().await).sign();
        let request = ask(self, "POST", &path).header("dpop", proof).header("content-type", "application/json");
        Reply::of(request.body(json!({ "invitation": code }).to_string())).await
    }
}

fn token_of(reply: &Reply) -> String {
    let answer: Value = serde_json::from_str(&reply.body).expect("JSON");
    answer["token"].as_str().unwrap_or_else(|| panic!("no token: {}", reply.body)).to_owned()
}

impl Bound {
    /// Comes again, for a fresh token.
    pub(super) async fn renew(&mut self, server: &Server, event: &str) -> Reply {
        let reply = server.join(event, &self.holder, &self.code).await;
        if reply.status == 200 {
            self.token = token_of(&reply);
        }
        reply
    }

    /// A proof for a request with the token, to be completed.
    pub(super) fn proof(&self, server: &Server, method: &str, path: &str) -> Making<'_> {
        self.holder.proof(method, &server.public(path)).token(&self.token)
    }
}
