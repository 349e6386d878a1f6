//! The operator's account on the real process: made with a passkey, lost, and recovered from the command line.

use super::process::Server;
use super::wire::{Reply, ask, is};
use holder::Authenticator;
use serde_json::{Value, json};

impl Server {
    async fn tell(&self, path: &str, body: &Value) -> Reply {
        Reply::of(ask(self, "POST", path).header("content-type", "application/json").body(body.to_string())).await
    }

    /// The origin and the token of a link that a command prints.
    fn link(&self, arguments: &[&str]) -> (String, String) {
        let done = self.run(arguments);
        let (origin, token) = done.value().split_once("/setup#").expect("a link");
        (origin.to_owned(), token.to_owned())
    }

    /// Makes a passkey with a link's token; the answer to it.
    async fn set_up(&self, (origin, token): &(String, String)) -> (Authenticator, Reply) {
        let asked = self.tell("/api/v1/setup/passkey/start", &json!({ "token": token })).await;
        let asked: Value = serde_json::from_str(&asked.body).expect("JSON");
        let mut device = Authenticator::new(origin);
        let credential = device.create(&asked["options"]);
        let made = json!({ "ceremony": asked["ceremony"], "credential": credential, "label": "Phone" });
        let reply = self.tell("/api/v1/setup/passkey", &made).await;
        (device, reply)
    }

    async fn sign_in(&self, device: &mut Authenticator) -> Reply {
        let asked: Value =
            serde_json::from_str(&self.tell("/oauth/sign-in/passkey/start", &json!({})).await.body).expect("JSON");
        let shown = json!({ "ceremony": asked["ceremony"], "credential": device.get(&asked["options"]) });
        self.tell("/oauth/sign-in/passkey", &shown).await
    }
}

#[tokio::test]
async fn an_operator_who_lost_everything_comes_in_by_the_command_line() {
    let server = Server::start().await;
    let nobody = server.run(&["setup", "--recover"]);
    assert_eq!((nobody.code, nobody.out.as_str()), (1, ""), "there is nobody to recover");
    let (mut lost, made) = server.set_up(&server.link(&["setup"])).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(server.sign_in(&mut lost).await.status, 200);
    let refused = server.run(&["setup"]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("--recover"), "{}", refused.err);
    let other = server.run(&["setup", "--recover", "--name", "somebody else"]);
    assert_eq!(other.code, 1, "{}", other.err);

    let link = server.link(&["setup", "--recover"]);
    let (mut new, recovered) = server.set_up(&link).await;
    assert_eq!(recovered.status, 200, "{}", recovered.body);
    assert_eq!(server.sign_in(&mut new).await.status, 200);
    assert_eq!(server.sign_in(&mut lost).await.fault(), is(403, "factor-invalid"), "whoever found it");
    let again = server.tell("/api/v1/setup/passkey/start", &json!({ "token": link.1 })).await;
    assert_eq!(again.fault(), is(403, "setup-invalid"));
}
