//! A whole issuer on a scratch directory, with the clock in the test's hand.

mod caps;
mod confusion;
mod factors;
mod guests;
mod invitations;
mod operators;
mod passkeys;
mod programs;
mod proofs;
mod pushed;
mod refresh;
mod signing_keys;
mod stream_keys;

use crate::secrets::digest_of;
use crate::{
    AuthorizationRequest, CLIENT_WEB, CodeExchange, Expiry, Freshness, Grant, Issuer, Party, Person, Target,
    TokenError, Tokens,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holder::Holder;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use veilcast_privacy::Secret;
use veilcast_records::{EventId, Records, base32, random_bits};

pub(super) const ORIGIN: &str = "http://localhost:8080";

pub(super) const PASSWORD: &str = "correct horse battery";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Some day in 2027, on a full second.
pub(super) fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn event(letter: &str) -> EventId {
    letter.repeat(26).parse().expect("a letter of the alphabet")
}

/// What the proofs of these tests are about.
pub(super) const HERE: &str = "http://localhost:8080/api/v1/events";

pub(super) const fn target() -> Target<'static> {
    Target { method: "POST", path: "/api/v1/events", freshness: Freshness::Nonce, party: Party([0; 16]) }
}

pub(super) struct Bench {
    pub(super) issuer: Issuer,
    pub(super) records: Records,
    directory: PathBuf,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let name = format!("veilcast-auth-{}", base32(&random_bits().expect("randomness")));
        let directory = std::env::temp_dir().join(name);
        let records = Records::open(&directory).await.expect("opens");
        let issuer = Issuer::open(records.clone(), ORIGIN, noon()).await.expect("opens");
        Self { issuer, records, directory }
    }

    /// Why a program's token is refused.
    pub(super) async fn refusal(&self, token: &str, now: SystemTime) -> Option<TokenError> {
        self.issuer.verify_tool(token, now, Expiry::Enforced).await.err()
    }

    /// Whether no file of the records holds these bytes.
    pub(super) fn files_lack(&self, bytes: &[u8]) -> bool {
        let files = std::fs::read_dir(&self.directory).expect("the directory");
        let holds = |path: PathBuf| std::fs::read(path).expect("a file").windows(bytes.len()).any(|part| part == bytes);
        !files.map(|file| file.expect("an entry").path()).filter(|path| path.is_file()).any(holds)
    }

    /// What a bound token permits to whoever holds its key.
    pub(super) async fn bound(&self, holder: &Holder, token: &str, now: SystemTime) -> Result<Grant, TokenError> {
        let nonce = self.issuer.nonce(now);
        let proof = holder.proof("POST", HERE).nonce(&nonce).token(token).sign();
        let verified = self.issuer.verify_bound(token, &proof, &target(), now, Expiry::Enforced).await;
        verified.map(|(grant, _)| grant)
    }

    /// The thumbprint of a holder's key, as its first proof tells it.
    pub(super) fn key_of(&self, holder: &Holder) -> crate::Thumbprint {
        self.key_at(holder, noon())
    }

    pub(super) fn key_at(&self, holder: &Holder, now: SystemTime) -> crate::Thumbprint {
        let proof = holder.proof("POST", HERE).nonce(&self.issuer.nonce(now)).sign();
        self.issuer.prove(&proof, &target(), now).expect("a good proof").key
    }
}

/// The holder of a session, a key and a token, as a page is.
pub(super) struct Page {
    pub(super) cookie: Secret,
    pub(super) holder: Holder,
}

impl Bench {
    /// A page in the session of this cookie.
    pub(super) fn page(&self, cookie: &Secret) -> Page {
        Page { cookie: cookie.clone(), holder: Holder::new() }
    }

    /// What a token permits that a page gets now.
    pub(super) async fn grant(&self, page: &Page, scope: &str, now: SystemTime) -> Grant {
        let token = self.tokens(page, scope, now).await.access.token;
        self.bound(&page.holder, token.expose_text(), now).await.expect("a good token")
    }

    /// What a page gets for a code.
    pub(super) async fn tokens(&self, page: &Page, scope: &str, now: SystemTime) -> Tokens {
        let challenge = URL_SAFE_NO_PAD.encode(digest_of(VERIFIER));
        let redirect_uri = "http://localhost:8080/callback";
        let request = AuthorizationRequest {
            response_type: "code",
            client_id: CLIENT_WEB,
            redirect_uri,
            code_challenge: &challenge,
            code_challenge_method: "S256",
            scope,
            key: None,
        };
        let code = self.issuer.authorize(page.cookie.expose_text(), &request, now).await.expect("authorized");
        let exchange =
            CodeExchange { code: code.expose_text(), verifier: VERIFIER, client_id: CLIENT_WEB, redirect_uri };
        let key = self.key_at(&page.holder, now);
        self.issuer.exchange(&exchange, key, now).await.expect("exchanged")
    }

    /// The person at a page, now.
    pub(super) async fn person(&self, page: &Page, now: SystemTime) -> Person {
        let grant = self.grant(page, "account", now).await;
        self.issuer.person(&grant, now).await.expect("signed in")
    }

    /// The operator Ada, who has signed in with a password.
    pub(super) async fn ada(&self) -> Page {
        let link = self.issuer.setup_link_token(noon()).await.expect("no operator yet");
        let session = self.issuer.complete_setup(link.expose_text(), "Ada", Secret::new(PASSWORD), noon()).await;
        self.page(&session.expect("set up").cookie)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.directory);
    }
}
