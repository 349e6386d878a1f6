//! A provider as it describes itself (OpenID Connect Discovery 1.0), asked when it is needed.

use super::fetch::{Fetch, Sender};
use super::keys::{self, KeyError, Keys};
use super::{FetchError, ProviderSettings, SigningAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
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
    keys: Keys,
}

#[derive(Default)]
struct Described {
    document: Option<(Arc<Document>, SystemTime)>,
    tried: Option<(SystemTime, FetchError)>,
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
            keys: Keys::default(),
        })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The document, from memory for an hour, and for a day while the provider is down.
    pub(crate) async fn document(&self, now: SystemTime) -> Result<Arc<Document>, FetchError> {
        let mut described = self.described.lock().await;
        let since = |at: SystemTime| now.duration_since(at).unwrap_or(STALE);
        let known = described.document.clone();
        if let Some((document, at)) = &known
            && since(*at) < FRESH
        {
            return Ok(document.clone());
        }
        let spared = described.tried.filter(|(at, _)| since(*at) < PAUSE);
        let loaded = match spared {
            Some((_, error)) => Err(error),
            None => self.describe().await,
        };
        match loaded {
            Ok(document) => {
                let document = Arc::new(document);
                (described.document, described.tried) = (Some((document.clone(), now)), None);
                Ok(document)
            }
            Err(error) => {
                if spared.is_none() {
                    described.tried = Some((now, error));
                }
                known.filter(|(_, at)| since(*at) < STALE).map(|(document, _)| document).ok_or(error)
            }
        }
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
