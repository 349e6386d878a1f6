//! A provider as it describes itself (OpenID Connect Discovery 1.0), asked when it is needed.

use super::fetch::{Fetch, Sender};
use super::keys::{self, KeyError, Keys};
use super::{FetchError, ProviderSettings, SigningAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use veilcast_privacy::Secret;

/// Addresses change on a scale of years.
const FRESH: Duration = Duration::from_secs(3_600);
const STALE: Duration = Duration::from_secs(24 * 3_600);
const PAUSE: Duration = Duration::from_secs(10);

/// One provider: what was configured, and what it says of itself.
pub(crate) struct Remote {
    issuer: String,
    client_id: String,
    client_secret: Option<Secret>,
    pub(crate) fetch: Fetch,
    described: Mutex<Described>,
    /// Held by whoever asks for the document: one at a time.
    loader: tokio::sync::Mutex<()>,
    keys: Keys,
}

#[derive(Default)]
struct Described {
    document: Option<(Arc<Document>, SystemTime)>,
    tried: Option<(SystemTime, FetchError)>,
}

impl Described {
    fn within(&self, age: Duration, now: SystemTime) -> Option<Arc<Document>> {
        let (document, at) = self.document.as_ref()?;
        (since(*at, now) < age).then(|| document.clone())
    }

    /// Notes that it is asked for; or what to answer without asking, where somebody else has just done that.
    fn begin(&mut self, now: SystemTime) -> Option<Result<Arc<Document>, FetchError>> {
        if let Some(document) = self.within(FRESH, now) {
            return Some(Ok(document));
        }
        if let Some((_, error)) = self.tried.filter(|(at, _)| since(*at, now) < PAUSE) {
            return Some(self.within(STALE, now).ok_or(error));
        }
        // Until there is an answer; whoever goes away meanwhile has asked all the same.
        self.tried = Some((now, FetchError::Unreachable));
        None
    }
}

/// A clock that went back makes everything old.
fn since(at: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(at).unwrap_or(STALE)
}

/// What is used of the document.
#[derive(Deserialize)]
pub(crate) struct Document {
    issuer: String,
    #[serde(default)]
    pub(crate) authorization_endpoint: String,
    #[serde(default)]
    pub(crate) token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207 section 3
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

impl Document {
    /// What its ID tokens may be signed with.
    pub(crate) fn algorithms(&self) -> Vec<SigningAlgorithm> {
        self.id_token_signing_alg_values_supported.iter().filter_map(|name| SigningAlgorithm::parse(name)).collect()
    }

    /// RFC 8414 section 2: left out, it says that PKCE is not supported.
    pub(crate) fn knows_s256(&self) -> bool {
        self.code_challenge_methods_supported.iter().any(|method| method == "S256")
    }

    /// Where its keys are.
    pub(crate) fn jwks_uri(&self) -> &str {
        &self.jwks_uri
    }

    /// OpenID Connect Discovery section 3: left out, it is `client_secret_basic`.
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

impl Remote {
    pub(crate) fn new(settings: &ProviderSettings) -> Result<Self, FetchError> {
        let fetch = Fetch::new(&settings.issuer, &settings.hosts, settings.root.as_deref())?;
        Ok(Self {
            issuer: settings.issuer.clone(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            fetch,
            described: Mutex::default(),
            loader: tokio::sync::Mutex::default(),
            keys: Keys::default(),
        })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The document, from memory for an hour, and for a day while the provider is down or is just being asked.
    pub(crate) async fn document(&self, now: SystemTime) -> Result<Arc<Document>, FetchError> {
        self.document_by(now, || self.describe()).await
    }

    async fn document_by<F>(&self, now: SystemTime, load: impl FnOnce() -> F) -> Result<Arc<Document>, FetchError>
    where
        F: Future<Output = Result<Document, FetchError>>,
    {
        if let Some(document) = self.described().within(FRESH, now) {
            return Ok(document);
        }
        let last = self.described().within(STALE, now);
        let _one = match (self.loader.try_lock(), last) {
            (Ok(one), _) => one,
            (Err(_), Some(last)) => return Ok(last),
            (Err(_), None) => self.loader.lock().await,
        };
        if let Some(answer) = self.described().begin(now) {
            return answer;
        }
        let loaded = load().await.map(Arc::new);
        let mut described = self.described();
        match loaded {
            Ok(document) => {
                (described.document, described.tried) = (Some((document.clone(), now)), None);
                Ok(document)
            }
            Err(error) => {
                described.tried = Some((now, error));
                described.within(STALE, now).ok_or(error)
            }
        }
    }

    fn described(&self) -> MutexGuard<'_, Described> {
        self.described.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// OpenID Connect Discovery section 4. Another issuer's document is nobody's (section 4.3).
    pub(crate) async fn describe(&self) -> Result<Document, FetchError> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let document: Document =
            serde_json::from_slice(&self.fetch.get(&address).await?).map_err(|_| FetchError::Form)?;
        if document.issuer != self.issuer {
            return Err(FetchError::Form);
        }
        for address in [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri] {
            if !address.is_empty() {
                self.fetch.permit(address)?;
            }
        }
        Ok(document)
    }

    /// The key that a token of this provider names.
    pub(crate) async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now: SystemTime,
    ) -> Result<DecodingKey, KeyError> {
        let load = || async move {
            let document = self.document(now).await?;
            keys::load(&self.fetch, &document.jwks_uri).await
        };
        self.keys.find(id, algorithm, now, load).await
    }

    /// Sends a form as this client, in the way that the provider takes.
    pub(crate) async fn post(
        &self,
        address: &str,
        fields: &[(&str, &str)],
        basic: bool,
    ) -> Result<Vec<u8>, FetchError> {
        let (sender, own) = match &self.client_secret {
            Some(secret) if basic => (Some(self.basic(secret)), vec![]),
            Some(secret) => (None, vec![("client_id", self.client_id()), ("client_secret", secret.expose_text())]),
            None => (None, vec![("client_id", self.client_id())]),
        };
        let form = form(fields.iter().chain(&own));
        let sender = sender.as_ref().map_or(Sender::Nobody, Sender::Basic);
        self.fetch.post(address, sender, form).await
    }

    /// Redeems a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    pub(crate) async fn redeem(
        &self,
        document: &Document,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<Vec<u8>, FetchError> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        self.post(&document.token_endpoint, &fields, document.takes_basic()).await
    }

    /// RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
    fn basic(&self, secret: &Secret) -> Secret {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = Secret::from(format!("{}:{}", encode(&self.client_id), encode(secret.expose_text())));
        Secret::from(format!("Basic {}", STANDARD.encode(pair.expose_secret())))
    }
}

fn form<'a>(fields: impl Iterator<Item = &'a (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProviderMode, SignInSettings};
    use std::cell::Cell;
    use std::task::{Context, Waker};

    fn remote() -> Remote {
        let sign_in = SignInSettings { name: String::new(), scopes: vec![], roles: vec![], strong_acr: vec![] };
        let settings = ProviderSettings {
            issuer: "https://id.example".to_owned(),
            hosts: Vec::new(),
            root: None,
            client_id: String::new(),
            client_secret: None,
            mode: ProviderMode::SignIn(sign_in),
        };
        Remote::new(&settings).expect("is sound")
    }

    #[tokio::test]
    async fn nobody_waits_for_a_slow_provider_who_can_be_answered() {
        let (remote, begin, asked) = (remote(), SystemTime::now(), Cell::new(0));
        let answer = || {
            asked.set(asked.get() + 1);
            let document = serde_json::json!({ "issuer": "https://id.example", "jwks_uri": "https://id.example/k" });
            std::future::ready(Ok(serde_json::from_value(document).expect("a document")))
        };
        assert!(remote.document_by(begin, answer).await.is_ok());
        let mut slow = Box::pin(remote.document_by(begin + FRESH, std::future::pending));
        assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = tokio::time::timeout(PAUSE, remote.document_by(begin + FRESH, answer)).await;
        assert!(other.expect("is answered").is_ok() && asked.get() == 1, "from the last one");
        drop(slow);
        assert!(remote.document_by(begin + FRESH, answer).await.is_ok() && asked.get() == 1, "asked all the same");
        assert!(remote.document_by(begin + FRESH + PAUSE, answer).await.is_ok() && asked.get() == 2);
    }
}
